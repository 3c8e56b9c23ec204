"""What the command line puts out: its console, its sentences, its exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
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
    """A sentence on standard error; hostile characters in it are made visible.

    Where nothing can be written there (its disk is full, its reader has gone) the exit code is all that is left to
    tell: that is no reason to end the command.
    """
    from ..report.visible import visible

    say_own(visible(sentence))


def say_own(sentence: str) -> None:
    """A sentence of our own words only: nothing has to be loaded for it, which an interruption may have cut off."""
    _escape_what_cannot_be_written(sys.stderr)
    with suppress(OSError):
        print(f"harmonylens: {sentence}", file=sys.stderr, flush=True)


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


def open_streams() -> None:
    """Have three standard streams that take anything: what is closed leads nowhere, what has no character is escaped.

    A program may be started without one (``>&-``). Then Python has None in its place, ``print`` to such a standard
    error goes to standard output, and the next file that is opened gets the number of the stream that is missing.
    Standard input stays None: a command that wants to read it says that it is closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is the one that is missing.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the program runs
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        _escape_what_cannot_be_written(stream)


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
