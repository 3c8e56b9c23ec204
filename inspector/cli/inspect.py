"""``harmonylens inspect``: one transcript in, a report or a record out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .input import InputError, parse_choices, parse_tools, read_bytes
from .options import engine_options, inspecting, reading_role, with_switches
from .output import CLEAN, UNUSABLE, exit_code, make_console, say

if TYPE_CHECKING:
    from ..ingest import Switches
    from ..inspection import Inspection
    from ..tokens import Transcript


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A report for people, or one record (harmonylens/1) per line.",
)
@click.option(
    "--input-format",
    type=click.Choice(["auto", "text", "ids", "records"]),
    default="auto",
    show_default=True,
    help="What FILE holds.",
)
@click.option("--record", type=click.IntRange(1), metavar="N", help="Only the Nth transcript of FILE.")
@click.option("--choose", multiple=True, metavar="KEY=N", help="Take the Nth alternative reading of a finding.")
@click.option("--all", "everything", is_flag=True, help="Print all findings, messages and differences.")
@click.option("--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours.")
@inspecting
def inspect(file: str, form: str, input_format: str, record: int | None, choose: tuple[str, ...],
            everything: bool, colour: str, **given: Any) -> int:  # fmt: skip
    """Inspect a transcript: what broke where, what was meant, what the next prompt will be.

    FILE holds a model's output as text, token ids in any notation, or transcript records; - is standard
    input.
    """
    choices = parse_choices(choose)
    options = engine_options(given)
    tools = parse_tools(given["tools"])
    data = read_bytes(file)

    from ..ingest import read

    name = None if file == "-" else click.format_filename(file, shorten=True)
    loaded = read(
        data, format=input_format, role=reading_role(given), markers=not given["no_markers"], filename=name, tools=tools
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
        switches = with_switches(transcript, {**options, "choices": choices})
        inspection = _inspect(transcript, switches, options["native"])
        met = _warn_about_unknown(inspection, options["off"], choices)
        if not met and len(transcripts) == 1:
            return UNUSABLE
        if form == "json":
            from ..report.record import dump, inspection_record

            click.echo(dump(inspection_record(inspection)))
        else:
            from ..ingest import switches_of
            from ..report.terminal import ALL, Limits, print_report

            console = make_console(colour)
            console.print("\n" + "-" * min(console.width, 100) if number else "")
            brought = switches_of(transcript).words()
            if brought:
                console.print(f"As it was exported: {brought}.")
            print_report(
                inspection,
                console,
                limits=ALL if everything else Limits(),
                off=switches.off,
                choices=switches.choices,
            )
        from ..report.findings import findings

        code = max(code, exit_code(findings(inspection), given["fail_on"]))
    return code


def _visible(text: str) -> str:
    from ..report.visible import visible

    return visible(text)


def _nth(transcripts: Sequence[Transcript], record: int | None) -> Sequence[Transcript]:
    if record is None:
        return transcripts
    if record > len(transcripts):
        from ..report.findings import plural

        raise InputError(f"--record {record}: the input has {plural(len(transcripts), 'transcript')}.")
    return transcripts[record - 1 : record]


def _inspect(transcript: Transcript, switches: Switches, native: bool) -> Inspection:
    """The inspection under these switches, which its transcript then carries: its record opens to the same again."""
    from ..ingest import carrying
    from ..inspection import RELEASES
    from ..inspection import inspect as run

    known = switches.releases if native else tuple(RELEASES)
    return run(carrying(transcript, switches), **switches.options(known), native=native)


def _is_rule(word: str) -> bool:
    from ..report.rules import find_rule

    return find_rule(word) is not None


def _warn_about_unknown(inspection: Inspection, off: Sequence[str], choices: dict[str, int]) -> bool:
    """Say which ``--off`` and ``--choose`` met nothing: a switch without a lamp is a mistyped one.

    True when every choice met a reading; a report that pretends to one would mislead.
    """
    met = True
    alternatives = {found.key: len(found.alternatives) for found in inspection.diagnostics}
    words = {word for found in inspection.diagnostics for word in (found.key, found.code, found.name)}
    for word in off:
        if word not in words and not _is_rule(word):
            say(f"--off {word}: there is no such finding.")
    for key, number in choices.items():
        if key not in alternatives:
            met = False
            say(f"--choose {key}={number}: there is no such finding.")
        elif number > alternatives[key]:
            met = False
            say(f"--choose {key}={number}: that finding has {alternatives[key]} alternative readings.")
    return met
