"""The command ``harmonyscope``.

Exit codes: 0 clean, 1 findings at or above ``--fail-on`` (default error), 2 bad usage or input. Reports and
records go to standard output, everything about the run itself to standard error.

What a command needs is imported when it runs, so that a small inspection stays well under a second.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .cli_input import InputError, parse_choices, parse_list, parse_selectors, parse_tools, read_bytes
from .cli_output import (
    CLEAN,
    INTERRUPTED,
    PIPE_CLOSED,
    UNUSABLE,
    drop_output,
    exit_code,
    make_console,
    say,
)

if TYPE_CHECKING:
    from .inspection import Inspection
    from .tokens import Transcript

ROLES: Final = ("auto", "assistant", "none", "user", "system", "developer", "tool")
FAIL_ON: Final = ("error", "warning", "info", "never")

_TRACEBACK: Final = "HARMONYSCOPE_TRACEBACK"


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no exception reaches a person.

    ``HARMONYSCOPE_TRACEBACK=1`` lets a defect of the program itself through with its traceback.
    """
    try:
        code = cli.main(
            args=None if args is None else list(args), prog_name="harmonyscope", standalone_mode=False
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else CLEAN
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "harmonyscope"
        say(f"{_sentence(error.format_message())} See `{where} --help`.")
        return UNUSABLE
    except click.ClickException as error:
        say(_sentence(error.format_message()))
        return UNUSABLE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return PIPE_CLOSED
    except Exception as error:  # the last resort: whatever it is, a person gets a sentence
        if os.environ.get(_TRACEBACK):
            raise
        say(
            f"this is a defect of harmonyscope, not of the input: {type(error).__name__}: {error}. "
            f"Set {_TRACEBACK}=1 to see where, and please report it."
        )
        return UNUSABLE


def _sentence(text: str) -> str:
    bare = " ".join(text.split())
    return bare if bare.endswith((".", "?", "!")) else f"{bare}."


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"harmonyscope {version('harmonyscope')}")
        context.exit()


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="The version."
)
@click.pass_context
def cli(context: click.Context) -> int | None:
    """Read, repair and re-encode gpt-oss (Harmony) token transcripts.

    Without a command it opens the app in a browser.
    """
    if context.invoked_subcommand is not None:
        return None
    result: int = context.invoke(app)
    return result


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1; a free one when not given.")
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
def app(port: int | None = None, browser: bool = True) -> int:
    """Open the app."""
    from .app import run

    return int(run(port=port, browser=browser) or CLEAN)


_F = TypeVar("_F", bound=Callable[..., Any])


def _inspecting(command: _F) -> _F:
    """The options that `inspect` and `scan` share: how to read, what to judge, what to mend, when to fail."""
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
        click.option("--fail-on", type=click.Choice(FAIL_ON), default="error", show_default=True,
                     help="The least severity that makes the exit code 1."),
        click.option("--native/--no-native", default=False, show_default=True,
                     help="Ask the installed releases themselves too, in a worker process."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _engine_options(given: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of :func:`inspector.inspect` from the shared options, checked."""
    options: dict[str, Any] = {
        "off": parse_list(given["off"]),
        "select": parse_selectors(given["select"], "--select") or None,
        "ignore": parse_selectors(given["ignore"], "--ignore"),
        "native": given["native"],
        "releases": tuple(name.replace("==", " ").strip() for name in given["releases"]) or None,
    }
    if given["style"]:
        options["style"] = given["style"]
    return options


@cli.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A report for people, or one record (harmonyscope/1) per line.",
)
@click.option(
    "--input-format",
    type=click.Choice(["auto", "text", "ids", "records"]),
    default="auto",
    show_default=True,
    help="What FILE holds.",
)
@click.option("--record", type=click.IntRange(1), metavar="N", help="Only the Nth transcript of FILE.")
@click.option(
    "--choose", multiple=True, metavar="KEY=N", help="Take the Nth alternative reading of a finding."
)
@click.option("--all", "everything", is_flag=True, help="Print all findings, messages and differences.")
@click.option(
    "--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours."
)
@_inspecting
def inspect(file: str, form: str, input_format: str, record: int | None, choose: tuple[str, ...],
            everything: bool, colour: str, **given: Any) -> int:  # fmt: skip
    """Inspect a transcript: what broke where, what was meant, what the next prompt will be.

    FILE holds a model's output as text, token ids in any notation, or transcript records; - is standard
    input.
    """
    choices = parse_choices(choose)
    options = _engine_options(given)
    tools = parse_tools(given["tools"])
    data = read_bytes(file)

    from .ingest import read

    role = None if given["role"] == "none" else given["role"]
    name = None if file == "-" else click.format_filename(file, shorten=True)
    loaded = read(
        data, format=input_format, role=role, markers=not given["no_markers"], filename=name, tools=tools
    )
    for problem in loaded.problems:
        say(f"{name or 'standard input'}: {problem.sentence}")
    transcripts = _nth(loaded.transcripts, record)
    code = UNUSABLE if any(problem.lost for problem in loaded.problems) else CLEAN
    if not transcripts:
        return UNUSABLE
    if form == "text":
        click.echo(f"Read as {_visible(loaded.explanation)} (--input-format overrules).")
    for number, transcript in enumerate(transcripts):
        inspection = _inspect(transcript, choices=choices, **options)
        _warn_about_unknown(inspection, options["off"], choices)
        if form == "json":
            from .report.record import dump, inspection_record

            click.echo(dump(inspection_record(inspection)))
        else:
            from .report.terminal import ALL, Limits, print_report

            console = make_console(colour)
            console.print("\n" + "-" * min(console.width, 100) if number else "")
            print_report(
                inspection,
                console,
                limits=ALL if everything else Limits(),
                off=options["off"],
                choices=choices,
            )
        from .report.findings import findings

        code = max(code, exit_code(findings(inspection), given["fail_on"]))
    return code


def _visible(text: str) -> str:
    from .report.visible import visible

    return visible(text)


def _nth(transcripts: Sequence[Transcript], record: int | None) -> Sequence[Transcript]:
    if record is None:
        return transcripts
    if record > len(transcripts):
        raise InputError(f"--record {record}: the input has {len(transcripts)} transcripts.")
    return transcripts[record - 1 : record]


def _inspect(transcript: Transcript, **options: Any) -> Inspection:
    from .inspection import inspect as run

    return run(transcript, **options)


def _warn_about_unknown(inspection: Inspection, off: Sequence[str], choices: dict[str, int]) -> None:
    """Say which ``--off`` and ``--choose`` met nothing: a switch without a lamp is a mistyped one."""
    alternatives = {found.key: len(found.alternatives) for found in inspection.diagnostics}
    words = {word for found in inspection.diagnostics for word in (found.key, found.code, found.name)}
    for word in off:
        if word not in words:
            say(f"--off {word}: there is no such finding.")
    for key, number in choices.items():
        if key not in alternatives:
            say(f"--choose {key}={number}: there is no such finding.")
        elif number > alternatives[key]:
            say(f"--choose {key}={number}: that finding has {alternatives[key]} alternative readings.")


@cli.command()
@click.argument("code", required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True
)
def rules(code: str | None, form: str) -> int:
    """List the rules, or explain the one with this code or name; a prefix such as HS2 lists those."""
    from .report.rules import all_rules, close_to, find_rule, rule_page, rule_record, rules_index, rules_table

    rule = find_rule(code) if code is not None else None
    if rule is None:
        found = [r for r in all_rules().values() if r.code.startswith((code or "").upper())]
        if not found:
            meant = close_to(code or "")
            hint = f"did you mean {' or '.join(meant)}?" if meant else "`harmonyscope rules` lists them."
            raise InputError(f"no rule is called {code!r}; {hint}")
        if form == "json":
            _echo_json([rule_record(rule) for rule in found])
        elif form == "markdown":
            click.echo(rules_index(found, linked=False), nl=False)
        else:
            console = make_console()
            for line in rules_table(found, console.width):
                console.print(line, soft_wrap=True)
    elif form == "json":
        _echo_json(rule_record(rule))
    elif form == "markdown":
        click.echo(rule_page(rule), nl=False)
    else:
        from rich.markdown import Markdown

        make_console().print(Markdown(rule_page(rule)))
    return CLEAN


def _echo_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, ensure_ascii=True, indent=2))
