"""``harmonylens scan``: many transcript records in, a record or a line for each out, and the histogram."""

from __future__ import annotations

import io
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from ..budgets import MAX_LISTED
from .input import MAX_BYTES, InputError, opened, parse_tools, refuse_binary
from .options import engine_options, inspecting, reading_role
from .output import CLEAN, FOUND, TERMINATED, UNUSABLE, at_or_above, say
from .signals import Interruption

if TYPE_CHECKING:
    from ..ingest import Item, Problem
    from ..inspection import Inspection
    from ..scan import Histogram, Row, ScanResult

_SNIFFED: Final = 8192
_ID_SHOWN: Final = 80

_ROWS: Final = 50
"""Rows of a release, and of unreadable records, that people are shown."""


@click.command()
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="A line for each transcript, or its inspection record (harmonylens/1).",
)
@click.option("--summary", is_flag=True, help="Print only the histogram; as JSON with --format jsonl.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@inspecting
def scan(files: tuple[str, ...], form: str, summary: bool, jobs: int, **given: Any) -> int:  # fmt: skip
    """Inspect every transcript record of FILES, in order, and count what is found.

    FILES hold transcript records as JSON lines, or are bundles, zip archives or gzip files of them; - is standard
    input. A bad record yields a line or a record with an error, and the exit code 2, and never stops the rest; of
    many, the first have a line, and the others are counted. The histogram ends the output; with --format jsonl it
    goes to standard error. Ctrl-C or SIGTERM end a scan, and what came is told.
    """
    from ..inspection import inspect
    from ..report.findings import plural
    from ..scan import Histogram, WorkersError
    from ..scan import scan as run

    options = engine_options(given) | {"next_prompt": form == "jsonl" and not summary}
    digest = _nothing if summary else _as_json if form == "jsonl" else _as_line
    histogram = Histogram()
    code = CLEAN
    source = _Source()
    records = _records(files, given, source)
    results = run(records, inspect=partial(inspect, **options), digest=digest, jobs=jobs)

    def take(result: ScanResult) -> None:
        nonlocal code
        histogram.add(result)
        if result.tally is None:
            code = UNUSABLE
        elif code == CLEAN and at_or_above(result.tally.worst, given["fail_on"]):
            code = FOUND
        # People are shown the first bad records; the histogram counts them all, and records have every one.
        if not summary and (form == "jsonl" or result.tally is not None or histogram.unreadable <= MAX_LISTED):
            where = source.of(result)
            click.echo(_json_line(result, where) if form == "jsonl" else _text_line(result, where))

    with closing(results), Interruption() as interruption:
        try:
            for result in results:
                with interruption.later():
                    take(result)
        except KeyboardInterrupt:
            if not interruption.code:
                raise
            for result in results.ready():
                take(result)
        except WorkersError as error:
            raise InputError(f"{error} Give --jobs 1 to do without.") from None
        _tell(histogram, form, summary)
    if interruption.code:
        word = "terminated" if interruption.code == TERMINATED else "interrupted"
        say(f"{word} after {plural(histogram.transcripts + histogram.unreadable, 'record')}; the others are left out.")
        return interruption.code
    return UNUSABLE if source.failed else code


def _tell(histogram: Histogram, form: str, summary: bool) -> None:
    """Print what was left out, and the histogram."""
    if not summary and form == "text" and histogram.unreadable > MAX_LISTED:
        more = histogram.unreadable - MAX_LISTED
        click.echo(f"and {more:,} more that could not be read; --format jsonl has them all")
    if form == "jsonl" and summary:
        from ..report.record import dump

        click.echo(dump(histogram.record()))
    else:
        out = sys.stdout if form == "text" or summary else sys.stderr
        for line in histogram_lines(histogram):
            print(line, file=out)


@dataclass(slots=True)
class _Source:
    """Which result came from which file, and whether a file could not be read.

    ``first`` holds the number of the first result of each file.
    """

    first: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    failed: bool = False

    def of(self, result: ScanResult) -> str:
        """Where a result came from, "runs.jsonl line 7"."""
        if result.tally is not None and result.source:
            return result.source
        return f"{self.names[bisect_right(self.first, result.index) - 1]} {result.source}"


def _records(files: Iterable[str], given: dict[str, Any], source: _Source) -> Iterator[Item]:
    """The records of all files; a file that cannot be read is said, remembered and passed over."""
    from ..ingest import Problem, iter_records
    from ..ingest.unpacking import UnpackError

    tools = parse_tools(given["tools"])
    role, markers = reading_role(given), not given["no_markers"]
    count = 0
    for path in files:
        shown = "standard input" if path == "-" else click.format_filename(path, shorten=True)
        try:
            with opened(path) as file:
                for name, piece in _pieces(file, shown):
                    source.first.append(count)
                    source.names.append(name)
                    items: Iterable[Item]
                    if isinstance(piece, Problem):
                        items = (piece,)
                    else:
                        items = iter_records(piece, name=name, role=role, tools=tools, markers=markers)
                    for item in items:
                        # What a record lost is told with the record: it gives no result of its own.
                        count += not (isinstance(item, Problem) and not item.lost)
                        yield item
        except UnpackError as error:
            source.failed = True
            say(f"{shown}: {error}")
        except InputError as error:
            source.failed = True
            say(error.format_message())
        except OSError as error:
            source.failed = True
            say(f"{shown} cannot be read any further: {error.strerror or error}.")


def _pieces(file: BinaryIO, shown: str) -> Iterator[tuple[str, BinaryIO | Problem]]:
    """A file, or the files in an archive, each with its name for people; a problem where one cannot be read.

    Raises:
        InputError: it is binary, or an archive of more bytes than are read.
        inspector.ingest.unpacking.UnpackError: an archive of which nothing can be read.
    """
    from ..ingest import Problem
    from ..ingest.archives import record_files
    from ..ingest.unpacking import in_words, is_gzip, is_zip
    from ..ingest.values import problem, quoted

    peek = getattr(file, "peek", None)
    head = peek(_SNIFFED)[:_SNIFFED] if peek is not None else b""
    if not (is_zip(head) or is_gzip(head)):
        refuse_binary(head, shown)
        yield shown, file
        return
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(f"{shown} is an archive of more than {in_words(MAX_BYTES)}, which is not read: split it.")
    for name, body in record_files(data):
        inside = f"{shown}: {quoted(name, 60)}" if name else shown
        if isinstance(body, Problem):
            yield inside, body
            continue
        try:
            refuse_binary(body[:_SNIFFED], inside)
        except InputError:
            yield inside, problem(1, 1, "this is binary; expected transcript records in UTF-8")
        else:
            yield inside, io.BytesIO(body)


# What is kept of an inspection; these run in the worker processes, so they are functions of a module.


def _nothing(inspection: Inspection) -> None:
    return None


def _as_json(inspection: Inspection) -> str:
    from ..report.record import dump, inspection_record

    return dump(inspection_record(inspection))


def _as_line(inspection: Inspection) -> str:
    from ..report.findings import counted, findings

    found = findings(inspection)
    codes = ", ".join(sorted({f.code for f in found}))
    return f"{counted(found)}{f' ({codes})' if codes else ''}"


def _json_line(result: ScanResult, where: str) -> str:
    import json

    from ..report.record import dump, error_record

    if result.error is not None:
        return dump(error_record(result.id, result.error) | {"source": where})
    line = str(result.value)
    # The record crossed between processes as text: what the reader had to leave out is added to its end.
    return f'{line[:-1]},"problems":{json.dumps(list(result.problems))}}}' if result.problems else line


def _text_line(result: ScanResult, where: str) -> str:
    from ..report.visible import visible

    name = where if result.id in ("", result.source) else f"{where} ({_short(result.id)})"
    told = str(result.error or result.value)
    # The place of a problem says the line once more, and the column.
    told = told.removeprefix(f"{result.source}, ") if result.error and result.source else told
    return visible("; ".join([f"{name}: {told}", *result.problems]))


def _short(id: str) -> str:
    """An id that a line can hold; the record has the whole one."""
    return id if len(id) <= _ID_SHOWN else f"{id[:_ID_SHOWN]}…"


def histogram_lines(histogram: Histogram) -> Iterator[str]:
    """The histogram for people: strict error texts of each release, then rules, then unreadable records."""
    from ..report.findings import plural

    rows = histogram.rows()
    yield (
        f"{plural(histogram.transcripts, 'transcript')}, {histogram.clean:,} without findings"
        f"{f', {histogram.unreadable:,} unreadable' if histogram.unreadable else ''}"
    )
    for release, accepted in histogram.accepted.items():
        yield ""
        yield f"{release}: {histogram.transcripts - accepted:,} of {histogram.transcripts:,} raise"
        found = [row for row in rows if row.section == "strict" and row.source == release]
        yield from _row_lines(found, histogram.more.get(release, 0))
    for section, title in (("rule", "rules, by transcripts"), ("unreadable", "unreadable")):
        members = [row for row in rows if row.section == section]
        if members:
            yield ""
            yield title
            yield from _row_lines(members, histogram.more_unreadable if section == "unreadable" else 0)


def _row_lines(rows: Sequence[Row], more: int) -> Iterator[str]:
    """The first rows of a section, and how many have others; ``more`` were counted without a row."""
    from ..report.visible import visible

    shown = rows if rows and rows[0].section == "rule" else rows[:_ROWS]
    for row in shown:
        what = f"{row.source} {row.text} ({row.severity})" if row.section == "rule" else row.shown
        findings = f", {row.findings:,} findings" if row.findings != row.count else ""
        yield f"{row.count:>8,}  {visible(what)}{findings}  [{visible(_short(row.example))}]"
    left = more + sum(row.count for row in rows[len(shown) :])
    if left:
        kinds = "" if more else f", of {len(rows) - len(shown):,} other kinds"
        yield f"{left:>8,}  more{kinds or ', of other kinds'}"
