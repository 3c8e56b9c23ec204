"""The command ``harmonylens``.

Exit codes: 0 clean, 1 findings at or above ``--fail-on`` (default error), 2 bad usage or input; 130, 141 and 143 as
shells report Ctrl-C, a reader that went away, and SIGTERM. Reports and records go to standard output, everything
about the run itself to standard error.

What a command needs is imported when it runs, so that a small inspection stays well under a second.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from . import __version__
from .child_environment import keep_folder_out
from .cli_ab import ab
from .cli_app import app
from .cli_catalogue import releases, rules
from .cli_export import export
from .cli_gallery import gallery
from .cli_inspect import inspect
from .cli_output import (
    CLEAN,
    INTERRUPTED,
    PIPE_CLOSED,
    TERMINATED,
    TRACEBACK,
    UNUSABLE,
    Terminated,
    drop_output,
    say,
)
from .cli_sample import sample
from .cli_scan import scan
from .renamed import adopt


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no exception reaches a person.

    ``HARMONYLENS_TRACEBACK=1`` lets a defect of the program itself through with its traceback.
    """
    keep_folder_out(os.environ)
    for sentence in adopt(os.environ):
        say(sentence)
    try:
        code = cli.main(args=None if args is None else list(args), prog_name="harmonylens", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else CLEAN
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "harmonylens"
        say(f"{_sentence(error.format_message())} See `{where} --help`.")
        return UNUSABLE
    except click.ClickException as error:
        say(_sentence(error.format_message()))
        return UNUSABLE
    except Terminated:
        say("terminated.")
        return TERMINATED
    except (click.Abort, KeyboardInterrupt):
        say("interrupted.")
        return INTERRUPTED
    except (_PipeClosed, BrokenPipeError):
        drop_output()
        return PIPE_CLOSED
    except Exception as error:  # the last resort: whatever it is, a person gets a sentence
        if os.environ.get(TRACEBACK):
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            say(f"the output cannot be written: {error.strerror}.")
            drop_output()
            return UNUSABLE
        say(
            f"this is a defect of harmonylens, not of the input: {type(error).__name__}: {error}. "
            f"Set {TRACEBACK}=1 to see where, and please report it."
        )
        return UNUSABLE


def _sentence(text: str) -> str:
    bare = " ".join(text.split())
    return bare if bare.endswith((".", "?", "!")) else f"{bare}."


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"harmonylens {__version__}")
        context.exit()


class _PipeClosed(Exception):
    """The reader of standard output has gone."""


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Click would end the program with 1, which means findings here.
            raise _PipeClosed from None
        except ExceptionGroup as group:
            # Answers that are drawn side by side fail together, for one reason.
            from .samplers.theirs import first

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
