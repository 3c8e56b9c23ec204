"""``harmonylens export``: one transcript in, a file to take along out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from .input import InputError, NamedPath, parse_choices, parse_tools, read_bytes, write_file
from .options import engine_options, exporting, reading_role, with_switches
from .output import CLEAN, UNUSABLE, say

if TYPE_CHECKING:
    from ..report.subject import Subject
    from ..tokens import Transcript

_STANDARD_OUTPUT: Final = ("-", "/dev/stdout")
"""The second is a file like any other where a shell has sent the output into one, and that file is there already."""

_FORMATS: Final = ("html", "markdown", "json", "pytest", "sarif", "bundle")


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), help="What to write; from the ending of --out if not given."
)
@click.option(
    "--out",
    "-o",
    "out",
    type=NamedPath(),
    metavar="PATH|-",
    help="Where to; - is standard output. A name of its own if not given.",
)
@click.option(
    "--input-format",
    type=click.Choice(["auto", "text", "ids", "records"]),
    default="auto",
    show_default=True,
    help="What FILE holds.",
)
@click.option("--record", type=click.IntRange(1), metavar="N", help="Which transcript of FILE, when it has several.")
@click.option("--choose", multiple=True, metavar="KEY=N", help="Take the Nth alternative reading of a finding.")
@click.option("--title", help="What the export is called.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@exporting
def export(file: str, form: str | None, out: str | None, input_format: str, record: int | None,
           choose: tuple[str, ...], title: str | None, force: bool, **given: Any) -> int:  # fmt: skip
    """Export a transcript: as a page, an issue, a fixture, a test, SARIF or a bundle.

    html is one file with the whole screen that opens without a server. html, json and bundle open again in
    harmonylens to the same inspection.
    """
    options = engine_options(given)
    choices = parse_choices(choose)
    name = None if file == "-" else click.format_filename(file, shorten=True)
    chosen = _format(form, out)

    from ..ingest import read
    from ..report.exports import FORMATS, file_name

    loaded = read(
        read_bytes(file), format=input_format, role=reading_role(given), markers=not given["no_markers"],
        filename=name, tools=parse_tools(given["tools"]),
    )  # fmt: skip
    for problem in loaded.problems:
        say(f"{name or 'standard input'}: {problem.sentence}")
    if not loaded.transcripts:
        return UNUSABLE
    transcript = _only(loaded.transcripts, record, name or "standard input")
    subject = _subject(transcript, {**options, "choices": choices}, loaded.explanation, title)
    data = FORMATS[chosen].write(subject)
    if out in _STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        path = Path(out) if out is not None else Path(file_name(subject, FORMATS[chosen]))
        write_file(path, data, force)
        say(f"wrote {click.format_filename(path)} ({len(data):,} bytes).")
    return UNUSABLE if any(problem.lost for problem in loaded.problems) else CLEAN


def _format(form: str | None, out: str | None) -> str:
    """The format that was asked for, or the one that the file's name tells.

    Raises:
        InputError: neither says.
    """
    if form is not None:
        return form
    from ..report.exports import FORMATS

    named = [one.name for one in FORMATS.values() if out is not None and out.lower().endswith(one.suffix)]
    if not named:
        raise InputError(f"which format? Give --format, one of {', '.join(FORMATS)}.")
    return named[0]


def _only(transcripts: tuple[Transcript, ...], record: int | None, shown: str) -> Transcript:
    """The transcript to export.

    Raises:
        InputError: there are several and none was chosen, or not so many.
    """
    count = len(transcripts)
    if record is None and count > 1:
        raise InputError(
            f"{shown} has {count:,} transcripts: choose one with --record, or export them all with "
            "`harmonylens gallery build`."
        )
    if record is not None and record > count:
        raise InputError(f"--record {record}: {shown} has {count:,} {'transcript' if count == 1 else 'transcripts'}.")
    return transcripts[(record or 1) - 1]


def _subject(transcript: Transcript, options: dict[str, Any], read_as: str, title: str | None) -> Subject:
    from dataclasses import replace

    from ..ingest import card_of
    from ..inspection import RELEASES, inspect
    from ..report.subject import subject

    switches = with_switches(transcript, options)
    native = options["native"]
    known = switches.releases if native else tuple(RELEASES)
    inspection = inspect(transcript, **switches.options(known), native=native)
    card = card_of(transcript)
    return subject(inspection, switches, card=replace(card, title=title) if title else card, read_as=read_as)
