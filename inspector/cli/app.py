"""``harmonylens app``: the app, on this machine only unless a flag says that the risk is known."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import click

from .input import InputError
from .output import CLEAN, say

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
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
    help="With --expose-to-network or --allow-host: let everyone who reaches the app connect engines and start them.",
)
def app(
    port: int | None = None,
    browser: bool = True,
    galleries: tuple[str, ...] = (),
    host: str = "127.0.0.1",
    expose_to_network: bool = False,
    allowed: tuple[str, ...] = (),
    allow_live: bool = False,
) -> int:
    """Open the app."""
    _name_a_home()
    from ..app import LOOPBACK, PortError, is_loopback, run
    from ..gallery.galleries import configure

    for name in allowed:
        if not _NAME.fullmatch(name):
            raise click.UsageError(
                f"--allow-host {name!r} is no name of a host: expected one such as tools.example.org."
            )
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
    configure(galleries)
    hosts = (*LOOPBACK, *((host,) if beyond and host not in _EVERYWHERE else ()), *allowed)
    allowed = tuple(dict.fromkeys(hosts))
    try:
        run(
            port=port,
            open_browser=browser and not expose_to_network,
            host=host,
            allowed=allowed,
            expose_to_network=expose_to_network,
            allow_live=allow_live or None,
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
