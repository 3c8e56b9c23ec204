"""The options that ``inspect`` and ``scan`` share, and what they mean for the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .input import InputError, parse_list, parse_selectors

if TYPE_CHECKING:
    from ..ingest import Switches
    from ..tokens import Transcript

ROLES: Final = ("auto", "assistant", "none", "user", "system", "developer", "tool")
FAIL_ON: Final = ("error", "warning", "info", "never")

_F = TypeVar("_F", bound=Callable[..., Any])


def inspecting(command: _F) -> _F:
    """Adds the shared options: how to read, what to judge, what to mend, when to fail."""
    fail_on = click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        default="error",
        show_default=True,
        help="The least severity that makes the exit code 1.",
    )
    return exporting(fail_on(command))


def exporting(command: _F) -> _F:
    """Adds the options of :func:`inspecting` but for when to fail: for commands that judge nothing."""
    options = [
        click.option("--role", type=click.Choice(ROLES), default="auto", show_default=True,
                     help="The role that the tokens continue; none for a whole conversation."),
        click.option("--no-markers", is_flag=True, help="Text that spells a marker stays ordinary text."),
        click.option("--tools", multiple=True, metavar="NAMES",
                     help="Declared tools: a,b or @file.json with a list of names or tool definitions."),
        click.option("--release", "releases", multiple=True, metavar="NAME",
                     help="Whose strict verdict to show, such as 'openai-harmony 0.0.8'; may be repeated."),
        click.option("--style", metavar="NAME", help="Who renders the next prompt, such as 'vLLM 0.32'."),
        click.option("--select", multiple=True, metavar="CODES", help="Only these rules: codes or prefixes."),
        click.option("--ignore", multiple=True, metavar="CODES", help="Not these rules."),
        click.option("--off", multiple=True, metavar="KEY|CODE", help="Leave these fixes out of the repair."),
        click.option("--native/--no-native", default=False, show_default=True,
                     help="Ask the installed releases themselves, in a worker process."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def engine_options(given: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of :func:`inspector.inspect` from the shared options, checked.

    Raises:
        InputError: a rule, a release or a style that does not exist.
    """
    options: dict[str, Any] = {
        "off": parse_list(given["off"]),
        "select": parse_selectors(given["select"], "--select"),
        "ignore": parse_selectors(given["ignore"], "--ignore"),
        "native": given["native"],
    }
    if given["releases"]:
        options["releases"] = parse_releases(given["releases"], given["native"])
    if given["style"]:
        options["style"] = parse_style(given["style"])
    return options


def with_switches(transcript: Transcript, options: Mapping[str, Any]) -> Switches:
    """The switches that came with a transcript, and those of the command line, which win where both speak.

    ``options`` are those of :func:`engine_options`, with the ``choices``.
    """
    from ..ingest import Switches, switches_of

    own = switches_of(transcript)
    return Switches(
        off=own.off | frozenset(options["off"]),
        choices={**own.choices, **options["choices"]},
        style=options.get("style") or own.style,
        select=options["select"] or own.select,
        ignore=options["ignore"] or own.ignore,
        releases=options.get("releases") or own.releases,
    )


def reading_role(given: dict[str, Any]) -> str | None:
    """The role for the readers: "auto", a role, or None for a whole conversation."""
    return None if given["role"] == "none" else str(given["role"])


def parse_releases(values: Iterable[str], native: bool) -> tuple[str, ...]:
    """Full names of releases; ``openai-harmony==0.0.8`` and a version alone will do where they are clear.

    Raises:
        InputError: there is no verdict of such a release, neither predicted nor native.
    """
    from ..inspection import RELEASES

    known = list(RELEASES)
    if native:
        from ..releases import available

        known += [release.title for release in available()]
    found: dict[str, None] = {}
    for value in values:
        name = " ".join(value.replace("==", " ").split())
        matches = dict.fromkeys(k for k in known if k == name or k.split(" ")[1] == name)
        if len(matches) != 1:
            hint = "" if native else "; others can only be asked with --native"
            raise InputError(f"--release {value!r}: expected one of {', '.join(dict.fromkeys(known))}{hint}.")
        found.update(matches)
    return tuple(found)


def parse_style(value: str) -> str:
    """The name of a style of rendering the next prompt.

    Raises:
        InputError: there is none of that name.
    """
    from ..prompt import STYLES

    matches = [style for style in STYLES if value.casefold() in (style.casefold(), style.casefold().split(" ")[1])]
    if len(matches) != 1:
        raise InputError(f"--style {value!r}: expected one of {', '.join(STYLES)}.")
    return matches[0]
