"""The report for people, in the manner of a compiler: what broke, where, why, what mends it.

The report is a row of lines, each a styled :class:`rich.text.Text` no wider than asked, so it can be
printed, paged or compared. Without colour nothing is lost: every sign has a word or a shape too. Text of the
transcript comes in only through :mod:`inspector.report.visible`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from .explain import explained
from .findings import counted, findings, gravest, plural
from .folding import folded
from .page import ALL, Limits, Page
from .visible import clip, pad, visible, width_of, wrap

if TYPE_CHECKING:
    from rich.console import Console

    from ..finding import Diagnostic
    from ..harmony.message import Message
    from ..harmony.verdict import StrictError, Verdict
    from ..inspection import Inspection
    from ..prompt.drift import Drift

__all__ = ["ALL", "Limits", "print_report", "report"]

MIN_WIDTH: Final = 60
MAX_WIDTH: Final = 200

_NARROW: Final = 45


def print_report(
    inspection: Inspection,
    console: Console,
    *,
    limits: Limits | None = None,
    off: Collection[str] = (),
    choices: Mapping[str, int] | None = None,
) -> None:
    """Print the report of one inspection on ``console``, within its width (60 to 200 cells).

    ``off`` and ``choices`` are those that the inspection was made with: they say why a fix is not applied.
    """
    width = max(MIN_WIDTH, min(MAX_WIDTH, console.width))
    for line in report(inspection, width=width, limits=limits, off=off, choices=choices):
        console.print(line, soft_wrap=True)


def report(
    inspection: Inspection,
    *,
    width: int = 100,
    limits: Limits | None = None,
    off: Collection[str] = (),
    choices: Mapping[str, int] | None = None,
) -> Iterator[Text]:
    """The lines of the report, none wider than ``width`` cells."""
    lines = _lines(Page(inspection, width, limits or Limits(), frozenset(off), choices or {}))
    return (part for line in lines for part in folded(line, width))


def _lines(page: Page) -> Iterator[Text]:
    yield from _heading(page)
    yield Text()
    yield from _strict(page)
    found = findings(page.inspection)
    shown = gravest(found, page.limits.diagnostics)
    for diagnostic in shown:
        yield Text()
        yield from explained(page, diagnostic)
    if len(found) > len(shown):
        yield Text()
        more = Counter(f.code for f in found) - Counter(f.code for f in shown)
        yield from page.more(len(found) - len(shown), more)
    yield Text()
    yield from _messages(page)
    yield Text()
    yield from _next_prompt(page)
    yield Text()
    yield from _finish(page)
    yield Text()
    yield from _summary(page, found)


def _heading(page: Page) -> Iterator[Text]:
    transcript = page.inspection.transcript
    name = visible(transcript.source or transcript.id) or "transcript"
    if transcript.id and transcript.id != transcript.source and transcript.source:
        name = f"{name} ({visible(transcript.id)})"
    role = transcript.role
    reads = f"continues <|start|>{visible(role)}" if role else "a whole conversation"
    facts = f": {plural(len(transcript), 'token')}, {reads}"
    if transcript.tools:
        facts += f", {plural(len(transcript.tools), 'tool')} declared"
    yield Text.assemble((clip(name, max(20, page.width - len(facts))), "bold"), facts)


def _strict(page: Page) -> Iterator[Text]:
    verdicts = [v for v in page.inspection.strict if page.limits.verdicts is None or _is_news(page, v)]
    yield Text("strict parse", "bold")
    names = [v.release if v.mode == "strict" else f"{v.release} {v.mode}" for v in verdicts]
    column = max(map(width_of, names), default=0)
    for name, verdict in zip(names, verdicts, strict=True):
        yield from _verdict(page, pad(name, column), verdict)
    if not verdicts:
        yield Text("  no release was asked")


def _is_news(page: Page, verdict: Verdict) -> bool:
    """False for a lenient verdict that says what the strict one of the same release said."""
    said = (v for v in page.inspection.strict if v.release == verdict.release and v.mode == "strict")
    strict = next(said, None)
    if verdict.mode == "strict" or strict is None:
        return True
    return (verdict.error, verdict.messages) != (strict.error, strict.messages)


def _verdict(page: Page, name: str, verdict: Verdict) -> Iterator[Text]:
    origin = "" if verdict.source == "native" else " (predicted)"
    if verdict.error is None:
        line = Text.assemble(f"  {name}  ", ("accepts", "green"), f", {plural(len(verdict.messages), 'message')}")
        line.append(origin, "dim")
        yield line
        return
    yield from _raised(page, f"  {name}  ", "raises at", verdict.error, origin)
    later = verdict.later[: page.limits.later]
    for error in later:
        yield from _raised(page, " " * (width_of(name) + 4), "then at", error, "")
    if len(verdict.later) > len(later):
        rest = plural(len(verdict.later) - len(later), "further error")
        yield Text(f"{' ' * (width_of(name) + 4)}and {rest} once these are mended", "dim")


def _raised(page: Page, lead: str, verb: str, error: StrictError, origin: str) -> Iterator[Text]:
    style = "red" if verb == "raises at" else "dim"
    place = "the end" if error.token >= len(page.inspection.transcript) else f"token {error.token}"
    indent = width_of(lead)
    if page.width - indent < _NARROW:
        # No room beside the name for a text that may be long: it goes below.
        yield Text.assemble(lead, (f"{verb} {place}:", style))
        text, lead, indent = error.text + origin, " " * 6, 6
    else:
        text = f"{verb} {place}: {error.text}{origin}"
    for number, line in enumerate(page.wrapped(text, indent, page.limits.error_lines)):
        yield Text.assemble(lead if number == 0 else " " * indent, (line, style))


def _messages(page: Page) -> Iterator[Text]:
    repair = page.inspection.repair
    title = "repaired messages" if repair.edits else "messages"
    yield Text.assemble((title, "bold"), f" ({len(repair.messages):,})")
    if repair.error is not None:
        broken = f"still raises at token {repair.error.token} of the repaired transcript: {repair.error.text}"
        for line in page.wrapped(broken, 2, page.limits.error_lines):
            yield Text(f"  {line}", "red")
    shown = _ends(len(repair.messages), page.limits.messages)
    column = len(str(len(repair.messages)))
    before = 0
    for index in shown:
        if index > before:
            yield Text(f"  … {plural(index - before, 'more message')}, --all shows them", "dim")
        before = index + 1
        yield from _message(page, f"  {index + 1:>{column}}  ", repair.messages[index])


def _message(page: Page, lead: str, message: Message) -> Iterator[Text]:
    line = Text(lead, "blue")
    line.append(visible(message.role), "bold")
    if message.name:
        line.append(f" {visible(message.name)}", "bold")
    if message.channel is not None:
        line.append(f" {visible(message.channel)}", "magenta")
    if message.recipient is not None:
        line.append(f" -> {visible(message.recipient)}", "yellow")
    if message.content_type is not None:
        line.append(f" {visible(message.content_type)}", "cyan")
    line.truncate(page.width, overflow="ellipsis")
    yield line
    yield from _body(page, message.content, len(lead))


def _body(page: Page, content: str, indent: int) -> Iterator[Text]:
    room = page.width - indent - 2
    limit = page.limits.body_lines
    lines: list[str] = []
    # What cannot be seen need not be split: a line holds at most `room` characters that take a cell.
    for line in content[: 2 * room * limit].split("\n"):
        lines += wrap(visible(line), room)
        if len(lines) > limit:
            break
    clipped = len(lines) > limit or len(content) > 2 * room * limit
    for line in lines[:limit]:
        yield Text.assemble((" " * indent + "| ", "blue"), line)
    if clipped:
        yield Text(f"{' ' * indent}… {plural(len(content), 'character')} in all", "dim")


def _next_prompt(page: Page) -> Iterator[Text]:
    prompt = page.inspection.next_prompt
    if prompt is None:
        yield Text.assemble(("next prompt", "bold"), ": not asked for")
        return
    title = Text.assemble(("next prompt", "bold"), f" as {prompt.style} renders it: ")
    if prompt.error is not None:
        title.append("cannot be rendered", "red")
        yield title
        for line in page.wrapped(prompt.error, 2, page.limits.error_lines):
            yield Text(f"  {line}", "red")
        return
    same = "the same as the repaired transcript" if page.inspection.repair.edits else "the same as emitted"
    title.append(f"{plural(len(prompt.ids), 'token')}, ")
    title.append(plural(len(prompt.drift), "difference") if prompt.drift else same)
    yield title
    shown = prompt.drift[: page.limits.drift]
    for drift in shown:
        yield from _drift(page, drift)
    if len(prompt.drift) > len(shown):
        yield from page.more(len(prompt.drift) - len(shown), Counter(d.cause for d in prompt.drift[len(shown) :]))


def _drift(page: Page, drift: Drift) -> Iterator[Text]:
    lines = page.wrapped(f"{drift.cause} [{drift.code}]: {drift.message}", 4, None)
    for number, line in enumerate(lines):
        text = Text(f"  {line}" if number == 0 else f"    {line}")
        if number == 0:
            text.stylize("bold", 2, 2 + len(drift.cause))
        yield text
    prompt = page.inspection.next_prompt
    gone = page.inspection.transcript.ids[drift.emitted.start : drift.emitted.end]
    come = prompt.ids[drift.reencoded.start : drift.reencoded.end] if prompt is not None else ()
    if gone:
        yield page.diff_line(f"{drift.emitted.start:>7}", "-", gone, "red")
    if come:
        yield page.diff_line(f"{drift.reencoded.start:>7}", "+", come, "green")


def _finish(page: Page) -> Iterator[Text]:
    finish = page.inspection.finish
    yield Text("finish", "bold")
    told = "cannot be told from the tokens" if finish.expected is None else f"the tokens say {finish.expected}"
    said = "not reported" if finish.reported is None else f"reported {visible(finish.reported)}"
    cut = "; generation was cut" if finish.truncated else ""
    yield Text(clip(f"  finish_reason  {told}, {said}{cut}", page.width))
    wanted = "null" if finish.stop_expected is None else visible(str(finish.stop_expected))
    # Without a word for the end there is none for its cause either; null would be the primary end of turn.
    told = "cannot be told from the tokens" if finish.expected is None else f"the tokens say {wanted}"
    reported = "null" if finish.stop_reported is None else visible(str(finish.stop_reported))
    stated = f"reported {reported}" if finish.stop_stated else "not reported"
    yield Text(clip(f"  stop_reason    {told}, {stated}", page.width))


def _summary(page: Page, found: Sequence[Diagnostic]) -> Iterator[Text]:
    repair = page.inspection.repair
    parts = [counted(found)]
    if repair.applied:
        parts.append(f"{plural(len(repair.applied), 'fix', 'fixes')} applied")
    what = "repaired transcript" if repair.edits else "transcript"
    parts.append(f"{what} parses" if repair.ok else f"{what} does not parse")
    yield Text("; ".join(parts), "bold green" if repair.ok and not found else "bold")


def _ends(count: int, limit: int | None) -> list[int]:
    """Which of ``count`` things are shown: all, or the first ones and the last few."""
    if limit is None or count <= limit:
        return list(range(count))
    tail = limit // 3
    return [*range(limit - tail), *range(count - tail, count)]
