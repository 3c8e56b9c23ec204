"""``harmonylens ab``: the same conversations rendered in several ways, sampled, and their failures counted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from ..budgets import in_few_lines
from ..files import whole_file
from .engine import (
    Replays,
    StatusLine,
    asking,
    complete,
    open_engine,
    sampling,
    sampling_params,
    swallow_cancelling,
)
from .input import InputError, NamedPath, read_bytes, reason, write_file
from .options import parse_style
from .output import CLEAN, UNUSABLE, say

if TYPE_CHECKING:
    from ..samplers import SamplingParams
    from ..samplers.ab import Experiment
    from ..samplers.ab_result import Result, Row
    from ..samplers.conversations import Conversation

_BAR: Final = 24
_RULES: Final = 8
"""Rules that are told of unless all are wanted."""

_STYLES: Final = ("openai-harmony 0.0.8", "oss-harmony 0.0.11")


@click.command()
@click.argument("conversations", metavar="[CONVERSATIONS|-]", required=False)
@click.option(
    "--styles",
    "--style",
    "styles",
    multiple=True,
    metavar="NAME",
    default=_STYLES,
    show_default=True,
    help="A way of rendering, such as 'vLLM 0.32'; give it twice or more.",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Answers to each conversation in each style.",
)
@click.option("--parallel", type=click.IntRange(1), default=32, show_default=True, help="Requests at once.")
@click.option(
    "--out",
    type=NamedPath(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the answers as transcript records, as they come, for inspect and scan.",
)
@click.option(
    "--plot",
    type=NamedPath(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Write the rates with their intervals as a page with a figure.",
)
@click.option("--force", is_flag=True, help="Replace the files of --out and --plot.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table for people, or one JSON object.",
)
@click.option("--all", "everything", is_flag=True, help="Print every rule that found anything.")
@sampling
@asking
def ab(conversations: str | None, styles: tuple[str, ...], count: int, parallel: int, out: Path | None,
       plot: Path | None, force: bool, form: str, everything: bool, **given: Any) -> int:  # fmt: skip
    """Compare renderings: how often an engine's answers are malformed behind each, by rule, with intervals and tests.

    CONVERSATIONS holds chat requests (JSON lines with messages and tools) or transcript records, whose prompts are
    rendered anew; without it, the conversations that ship are used. Ctrl-C or SIGTERM end the sampling, and what came
    is told. The exit code is 0 whatever the rates are, and 2 when the engine failed or a conversation could not
    be used.
    """
    from ..samplers.ab import ABError, Experiment

    params = sampling_params(given)
    known, is_partial = _read(conversations)
    for path in filter(None, (out, plot)):
        if path.exists() and not force:
            raise InputError(f"{click.format_filename(path)} exists: name another file, or pass --force to replace it.")
        # Before anything is sampled: a figure that has no place to go would be noticed after all of it.
        if not os.access(path.parent, os.W_OK):
            raise InputError(f"{click.format_filename(path)} cannot be written: is {path.parent} a folder of yours?")
    try:
        experiment = Experiment(known, [parse_style(style) for style in styles], count, params, parallel=parallel)
    except (ABError, ValueError) as error:
        raise InputError(str(error)) from None
    answers = None if out is None else AnswerFile(out)
    try:
        ran, interruption = complete(_run(experiment, answers, given))
    finally:
        if answers is not None:
            answers.close()
    result = experiment.result()
    if form == "json":
        from ..report.record import dump

        click.echo(dump(result.record()))
    else:
        for line in result_lines(result, None if everything else _RULES):
            click.echo(line)
    if plot is not None:
        from ..ui.ab_figures import page

        write_file(plot, page(result).encode(), True)
        say(f"the figure is in {click.format_filename(plot)}.")
    if ran is None:
        say(f"interrupted after {result.done} of {result.planned} samples.")
        return interruption
    if result.gave_up:
        say(result.gave_up)
    is_lossy = is_partial or result.refusals or result.failures or (answers is not None and answers.problem)
    return UNUSABLE if is_lossy else ran


async def _run(experiment: Experiment, answers: AnswerFile | None, given: dict[str, Any]) -> int | None:
    """Sample; the exit code as far as the engine's own input decides it, None when it was interrupted."""
    line = StatusLine()

    def watcher(experiment: Experiment) -> None:
        done = len(experiment.samples)
        if answers is not None:
            answers.add(experiment)
        malformed = sum(sample.malformed for sample in experiment.samples)
        line.show(f"{done} of {experiment.planned} samples, {malformed} malformed (Ctrl-C ends it)")

    async with open_engine(given) as engine:
        try:
            await experiment.run(engine, watcher)
        except asyncio.CancelledError:
            swallow_cancelling()
            return None
        finally:
            line.clear()
        return UNUSABLE if isinstance(engine, Replays) and engine.is_partial else CLEAN


def _read(path: str | None) -> tuple[list[Conversation], bool]:
    """The conversations, and whether some of the file are none; that has been said."""
    from ..samplers.conversations import read_conversations, shipped_conversations

    if path is None:
        return shipped_conversations(), False
    name = "standard input" if path == "-" else click.format_filename(path, shorten=True)
    found, problems = read_conversations(read_bytes(path), name)
    for problem in in_few_lines(problems):
        say(problem)
    if not found:
        raise InputError(f"{name} holds no conversation that can be continued.")
    return found, bool(problems)


class AnswerFile:
    """The file of ``--out``: a record for each answer, as they come.

    A new file has each answer at once, so that what was sampled is kept whatever happens afterwards. One that is
    replaced stays what it is until the run is over. When the disk is full the sampling goes on: the rates are told all
    the same. Without any answer there is no new file.

    Attributes:
        problem: why an answer could not be written, "" when all were.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        self._is_new = not path.exists()
        self._seen = self._written = 0
        self._stack = ExitStack()
        try:
            opened = path.open("xb") if self._is_new else whole_file(path)
            self._file: IO[bytes] = self._stack.enter_context(opened)
        except OSError as error:
            raise InputError(self._sentence(error)) from None

    def add(self, experiment: Experiment) -> None:
        """Write the answers that have come since the last time."""
        from ..ingest import transcript_record
        from ..report.record import dump

        new = experiment.samples[self._seen :]
        self._seen += len(new)
        lines = [dump(transcript_record(sample.transcript)) + "\n" for sample in new if sample.transcript.ids]
        if self.problem or not lines:
            return
        try:
            self._file.write("".join(lines).encode())
            self._file.flush()
        except OSError as error:
            self._fail(error)
        else:
            self._written += len(lines)

    def close(self) -> None:
        """The run is over: what was written counts. A file that could not be written whole replaces none."""
        try:
            if self._written or self.problem:
                self._stack.close()
            else:
                self._discard()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.problem = self._sentence(error)
        say(self.problem)
        with suppress(OSError):  # it fails to close as it failed to be written
            if self._written:
                self._abandon()
            else:
                self._discard()

    def _discard(self) -> None:
        """Leave what was there before."""
        try:
            self._abandon()
        finally:
            if self._is_new:
                self._path.unlink(missing_ok=True)

    def _abandon(self) -> None:
        """Write no further: a new file keeps what it has, another one stays what it was."""
        self._stack.__exit__(_Abandoned, _Abandoned(), None)

    def _sentence(self, error: OSError) -> str:
        return f"{click.format_filename(self._path)} cannot be written: {reason(error)}."


class _Abandoned(Exception):
    """What ends the writing of a file that is not to take its place."""


def result_lines(result: Result, limit: int | None = None) -> Iterator[str]:
    """The result for people: how it was made, how the arms ended, for each failure the rates and how they differ.

    ``limit`` is how many rules are told of, those of which most was found first; None for all.
    """
    from ..report.findings import plural
    from ..report.visible import visible

    yield (
        f"{plural(result.sampled, 'conversation')} x {len(result.arms)} styles x {plural(result.n, 'sample')}"
        f" from {visible(result.engine or 'no engine')}: {_parameters(result.params)}"
    )
    drawn = f"{result.done:,} of {plural(result.planned, 'answer')}"
    yield f"{drawn}, {plural(result.tokens, 'token')}, {result.seconds:.1f} s"
    if result.same:
        names = ", ".join(map(visible, result.same[:5])) + (", …" if len(result.same) > 5 else "")
        yield (
            f"{plural(len(result.same), 'conversation')} not sampled: rendered alike in every style, no arm can differ "
            f"({names})"
        )
    yield from in_few_lines([f"left out: {visible(one.conversation)}: {visible(one.why)}" for one in result.refusals])
    yield ""
    titles = [f"{letter}  {arm.style}" for letter, arm in zip(_letters(), result.arms, strict=False)]
    wide = max(map(len, titles))
    for title, arm in zip(titles, result.arms, strict=True):
        parts = [plural(arm.samples, "sample")]
        parts += [f"{arm.unfinished:,} more cut within a header"] if arm.unfinished else []
        parts += [f"{arm.cut:,} cut by max_tokens"] if arm.cut else []
        parts += [f"{arm.failed:,} failed"] if arm.failed else []
        yield f"{title:<{wide}}  {', '.join(parts)}"
    rows = result.most(limit) if any(arm.samples for arm in result.arms) else ()
    for row in rows:
        yield ""
        yield from _row_lines(row)
    if rows and len(rows) < len(result.rows):
        yield ""
        yield f"{plural(len(result.rows) - len(rows), 'further rule')} found something: --all shows them"
    for error, times in result.failures:
        yield ""
        yield f"failed {times:,} times: {visible(error)}"
    if any(row.severity is not None for row in result.rows):
        yield ""
        yield "95 % intervals (Wilson, Newcombe); p of Fisher's exact test, in brackets for all rules together (Holm)."


def _parameters(params: SamplingParams) -> str:
    told = [f"temperature {params.temperature:g}"]
    told += [f"top_p {params.top_p:g}"] if params.top_p < 1 else []
    told += [f"top_k {params.top_k}"] if params.top_k else []
    told += [f"min_p {params.min_p:g}"] if params.min_p else []
    return ", ".join([*told, f"max_tokens {params.max_tokens}", f"seed {params.seed}"])


def _row_lines(row: Row) -> Iterator[str]:
    title = f"{row.code}: {row.title}" if row.severity is None else f"{row.code} {row.title} ({row.severity})"
    yield title
    digits = max(len(f"{rate.count:,}") for rate in row.rates)
    for letter, rate in zip(_letters(), row.rates, strict=False):
        bar = "#" * round(rate.share * _BAR)
        yield (
            f"  {letter}  {rate.share:7.1%}  [{rate.low:6.1%}, {rate.high:6.1%}]  {rate.count:>{digits},} of "
            f"{rate.total:,}  {bar}".rstrip()
        )
    letters = list(_letters())
    for one in row.comparisons:
        told = one.difference
        together = f" ({_p(one.p_holm)})" if row.severity is not None else ""
        yield (
            f"  {letters[one.second]} - {letters[one.first]}  {100 * told.value:+.1f} points  "
            f"[{100 * told.low:+.1f}, {100 * told.high:+.1f}]  p = {_p(told.p)}{together}"
        )


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}"


def _letters() -> Iterator[str]:
    return iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
