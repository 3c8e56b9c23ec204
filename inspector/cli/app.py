"""``harmonylens app``: the app, on this machine only unless a flag says that the risk is known."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import click

from ..renamed import NAMES
from .input import InputError
from .output import CLEAN, say

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_LONGEST_SECRETS: Final = 65_536
_EVERYWHERE: Final = ("0.0.0.0", "::", "")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The port; 8501 or any free one when not given.")
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
@click.option(
    "--gallery",
    "galleries",
    multiple=True,
    type=click.Path(exists=True),
    help="A gallery to show beside the one that ships: a folder or a .harmonylens file. May be repeated.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at. Any but a loopback address needs --expose-to-network.",
)
@click.option(
    "--expose-to-network",
    is_flag=True,
    help="Listen beyond this machine: whoever reaches the port can read, save and delete samples, without a login.",
)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="A name or address under which browsers reach the app, such as tools.example.org. May be repeated.",
)
@click.option(
    "--allow-live",
    is_flag=True,
    help="With --expose-to-network or --allow-host: let everyone who reaches the app sample from servers, at any "
    "address that this machine reaches.",
)
@click.option(
    "--allow-start",
    is_flag=True,
    help="With --allow-live: let them start servers, too. That lets everyone who reaches the app run programs on this "
    "machine.",
)
def app(
    port: int | None = None,
    browser: bool = True,
    galleries: tuple[str, ...] = (),
    host: str = "127.0.0.1",
    expose_to_network: bool = False,
    allowed: tuple[str, ...] = (),
    allow_live: bool = False,
    allow_start: bool = False,
) -> int:
    """Open the app."""
    _name_a_home()
    from ..app import LOOPBACK, PortError, is_loopback, is_private, run
    from ..gallery.galleries import configure

    for name in allowed:
        if not _NAME.fullmatch(name):
            raise click.UsageError(
                f"--allow-host {name!r} is no name of a host: expected one such as tools.example.org."
            )
    if allow_start and not allow_live:
        raise click.UsageError("--allow-start is of use with --allow-live only: add it if both are meant.")
    beyond = not is_loopback(host)
    if beyond and not expose_to_network:
        raise click.UsageError(
            f"--host {host} would let everyone who can reach this machine read, save and delete samples, without a "
            "login; add --expose-to-network if that is meant."
        )
    if beyond and host in _EVERYWHERE and not allowed:
        raise click.UsageError(
            f"--host {host} is no address that a browser can name; add --allow-host with the name that they will use."
        )
    if expose_to_network:
        say(f"whoever reaches the app at {host} can read, save and delete samples, without a login.")
        if not beyond:
            say(f"it listens at {host} for this machine's own proxy; for others to reach it directly, give --host.")
    for sentence in no_longer_read():
        say(sentence)
    configure(galleries)
    hosts = (*LOOPBACK, *((host,) if host not in _EVERYWHERE else ()), *allowed)
    allowed = tuple(dict.fromkeys(hosts))
    if not is_private(host, allowed, expose_to_network=expose_to_network):
        if allow_live:
            say(
                "--allow-live: whoever reaches the app can have this machine send requests to any address that it "
                "reaches, in your own network too."
            )
        if allow_start:
            say("--allow-start: whoever reaches the app can run programs on this machine, as you.")
    try:
        run(
            port=port,
            open_browser=browser and not expose_to_network,
            host=host,
            allowed=allowed,
            expose_to_network=expose_to_network,
            allow_live=allow_live or None,
            allow_start=allow_start,
        )
    except PortError as error:
        raise InputError(str(error)) from None
    return CLEAN


def _name_a_home() -> None:
    """Streamlit asks for the user's home folder; a user without an entry in the list of users has none.

    What is named instead is the usual name for none, beneath a folder in which nobody else can make it.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/nonexistent"


def no_longer_read() -> list[str]:
    """A sentence for whoever named their database in Streamlit's secrets, as 0.2.0 read them: in the person's home
    only, as what the current folder holds may be somebody else's."""
    secrets = os.path.expanduser("~/.streamlit/secrets.toml")
    try:
        with open(secrets, encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST_SECRETS)
    except OSError:
        return []
    if not any(f"[connections.{name}]" in text for name in NAMES):
        return []
    return [f"{secrets} is not read any more: name the database of saved samples in HARMONYLENS_DATABASE_URL."]
