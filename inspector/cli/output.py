"""What the command line puts out: its console, its sentences, its exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..finding import Diagnostic, Severity

CLEAN: Final = 0
FOUND: Final = 1
UNUSABLE: Final = 2
"""Exit codes: nothing at or above ``--fail-on``; something; bad usage or input."""

INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
TERMINATED: Final = 143
"""What shells report for a program ended by Ctrl-C, by a reader that went away, and by SIGTERM."""

TRACEBACK: Final = "HARMONYLENS_TRACEBACK"
"""The environment variable that lets a traceback be seen."""

_WIDTH: Final = 100


class Terminated(click.Abort):
    """Something asked the program to end, as job schedulers do, before it had anything to tell."""


def make_console(colour: str = "auto", file: TextIO | None = None) -> Console:
    """A console for reports: as wide as the terminal; without one 100 cells, or ``COLUMNS``.

    ``colour`` is "auto" (a terminal, unless ``NO_COLOR`` is set), "always" or "never".
    """
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the program with 1, which means findings here.
            raise BrokenPipeError

    out = file or sys.stdout
    _escape_what_cannot_be_written(out)
    width = None if out.isatty() or os.environ.get("COLUMNS", "").isdecimal() else _WIDTH
    return Piped(
        file=out,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=True if colour == "never" else None,
        force_terminal={"always": True, "never": False}.get(colour),
    )


def say(sentence: str) -> None:
    """A sentence on standard error; hostile characters in it are made visible."""
    from ..report.visible import visible

    _escape_what_cannot_be_written(sys.stderr)
    print(f"harmonylens: {visible(sentence)}", file=sys.stderr, flush=True)


def exit_code(found: Iterable[Diagnostic], fail_on: str) -> int:
    """:data:`FOUND` when a finding is at or above ``fail_on`` ("never" for none), else :data:`CLEAN`."""
    from ..report.findings import worst

    return FOUND if at_or_above(worst(found), fail_on) else CLEAN


def at_or_above(severity: Severity | None, fail_on: str) -> bool:
    """True when the gravest severity of some findings is at or above ``fail_on``."""
    if severity is None or fail_on == "never":
        return False
    from ..finding import Severity

    return severity.rank >= Severity(fail_on).rank


def drop_output() -> None:
    """Send what is left in the buffers nowhere: the reader of the pipe has gone, and the exit would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue  # not a stream of the system: it has no pipe that could be closed
    os.close(nowhere)


def _escape_what_cannot_be_written(stream: TextIO) -> None:
    """An old terminal's encoding must not turn a report into an exception."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
