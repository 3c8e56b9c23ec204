"""The command ``harmonylens``.

Exit codes: 0 clean, 1 findings at or above ``--fail-on`` (default error), 2 bad usage or input; 130, 141 and 143 as
shells report Ctrl-C, a reader that went away, and SIGTERM. Reports and records go to standard output, everything
about the run itself to standard error.

What a command needs is imported when it runs, so that a small inspection stays well under a second.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..child_environment import keep_folder_out
from ..renamed import adopt
from .ab import ab
from .app import app
from .catalogue import releases, rules
from .export import export
from .failures import expected
from .gallery import gallery
from .inspect import inspect
from .output import (
    CLEAN,
    INTERRUPTED,
    PIPE_CLOSED,
    TERMINATED,
    TRACEBACK,
    UNUSABLE,
    Terminated,
    drop_output,
    open_streams,
    say,
    say_own,
)
from .sample import sample
from .scan import scan
from .signals import Signals


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no exception reaches a person.

    ``HARMONYLENS_TRACEBACK=1`` lets a defect of the program itself through with its traceback. Without ``args`` they
    are those of the process, and so are the signals: SIGTERM ends the command as Ctrl-C does, and after the first of
    them the next one ends the process at once.
    """
    open_streams()
    signals = Signals()
    if args is None:
        signals.heed()
        keep_folder_out(os.environ)
    try:
        for sentence in adopt(os.environ):
            say(sentence)
        code = cli.main(args=None if args is None else list(args), prog_name="harmonylens", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else CLEAN
    except (_PipeClosed, BrokenPipeError):
        drop_output()
        return PIPE_CLOSED
    except (click.Abort, KeyboardInterrupt) as error:
        signals.stop_heeding()
        if args is None:
            warnings.simplefilter("ignore")  # of what it left in the middle, such as a coroutine that never began
        terminated = isinstance(error, Terminated) or signals.terminated
        if not terminated and sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has shown ^C, which is no beginning of a sentence
        say_own("terminated." if terminated else "interrupted.")
        return TERMINATED if terminated else INTERRUPTED
    except Exception as error:  # the last resort: whatever it is, a person gets a sentence
        told = expected(error)
        if told is None:
            if os.environ.get(TRACEBACK):
                raise
            told = (
                f"this is a defect of harmonylens, not of the input: {type(error).__name__}: {error}. "
                f"Set {TRACEBACK}=1 to see where, and please report it."
            )
        say(told)
        if isinstance(error, OSError):
            drop_output()
        return UNUSABLE
    finally:
        signals.stop_heeding()


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"harmonylens {__version__}")
        context.exit()


class _PipeClosed(Exception):
    """The reader of standard output has gone."""


class _Group(click.Group):
    def make_context(self, *args: Any, **given: Any) -> click.Context:
        """See :meth:`click.Command.make_context`; here the help and the version are printed."""
        try:
            return super().make_context(*args, **given)
        except BrokenPipeError:
            raise _PipeClosed from None
        except KeyboardInterrupt:
            raise click.Abort from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Click would end the program with 1, which means findings here.
            raise _PipeClosed from None
        except KeyboardInterrupt:
            # Click would print an empty line.
            raise click.Abort from None
        except ExceptionGroup as group:
            # Answers that are drawn side by side fail together, for one reason.
            from ..samplers.theirs import first

            cause = first(group)
            if isinstance(cause, BrokenPipeError):
                raise _PipeClosed from None
            raise cause from group


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="The version.")
@click.pass_context
def cli(context: click.Context) -> int | None:
    """Read, repair and re-encode gpt-oss (Harmony) token transcripts.

    Without a command it opens the app in a browser.
    """
    if context.invoked_subcommand is not None:
        return None
    result: int = context.invoke(app)
    return result


for command in (app, inspect, scan, sample, ab, rules, releases, export, gallery):
    cli.add_command(command)
