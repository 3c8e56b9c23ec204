"""The report for people, in the manner of a compiler: what broke, where, why, what mends it.

The report is a row of lines, each a styled :class:`rich.text.Text` no wider than asked, so it can be
printed, paged or compared. Without colour nothing is lost: every sign has a word or a shape too. Text of the
transcript comes in only through :mod:`inspector.report.visible`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ..finding import Applicability, Effect
from ..tokens import Edit
from .findings import SEVERITY_STYLES, counted, findings, gravest, plural
from .folding import folded
from .snippet import Mark, joined, snippet
from .visible import clip, pad, visible, width_of, wrap

if TYPE_CHECKING:
    from rich.console import Console

    from ..finding import Diagnostic, Fix
    from ..harmony.message import Message
    from ..harmony.verdict import StrictError, Verdict
    from ..inspection import Inspection
    from ..prompt.drift import Drift

MIN_WIDTH: Final = 60
MAX_WIDTH: Final = 200

_NARROW: Final = 45

_EFFECTS: Final = {
    Effect.RAISES: "strict parsers raise",
    Effect.MISREADS: "strict parsers accept it with a wrong reading",
    Effect.DRIFTS: "the next prompt will differ",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is printed; None prints all of it. ``body_lines`` and ``error_lines`` clip long texts."""

    diagnostics: int | None = 20
    messages: int | None = 12
    drift: int | None = 10
    later: int | None = 3
    edits: int | None = 4
    body_lines: int = 4
    error_lines: int = 4


ALL: Final = Limits(diagnostics=None, messages=None, drift=None, later=None, edits=None, body_lines=40)
"""What ``--all`` prints."""


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
    lines = _Report(inspection, width, limits or Limits(), frozenset(off), choices or {}).lines()
    return (part for line in lines for part in folded(line, width))


@dataclass(frozen=True, slots=True)
class _Report:
    inspection: Inspection
    width: int
    limits: Limits
    off: frozenset[str]
    choices: Mapping[str, int]

    def lines(self) -> Iterator[Text]:
        yield from self.heading()
        yield Text()
        yield from self.strict()
        found = findings(self.inspection)
        shown = gravest(found, self.limits.diagnostics)
        for diagnostic in shown:
            yield Text()
            yield from self.diagnostic(diagnostic)
        if len(found) > len(shown):
            yield Text()
            more = Counter(f.code for f in found) - Counter(f.code for f in shown)
            yield from self.more(len(found) - len(shown), more)
        yield Text()
        yield from self.messages()
        yield Text()
        yield from self.next_prompt()
        yield Text()
        yield from self.finish()
        yield Text()
        yield from self.summary(found)

    # -- the pieces ---------------------------------------------------------------------------------------

    def heading(self) -> Iterator[Text]:
        transcript = self.inspection.transcript
        name = visible(transcript.source or transcript.id) or "transcript"
        if transcript.id and transcript.id != transcript.source and transcript.source:
            name = f"{name} ({visible(transcript.id)})"
        role = transcript.role
        reads = f"continues <|start|>{visible(role)}" if role else "a whole conversation"
        facts = f": {plural(len(transcript), 'token')}, {reads}"
        if transcript.tools:
            facts += f", {plural(len(transcript.tools), 'tool')} declared"
        yield Text.assemble((clip(name, max(20, self.width - len(facts))), "bold"), facts)

    def strict(self) -> Iterator[Text]:
        verdicts = self.inspection.strict
        yield Text("strict parse", "bold")
        names = [v.release if v.mode == "strict" else f"{v.release} {v.mode}" for v in verdicts]
        column = max(map(width_of, names), default=0)
        for name, verdict in zip(names, verdicts, strict=True):
            yield from self.verdict(pad(name, column), verdict)
        if not verdicts:
            yield Text("  no release was asked")

    def verdict(self, name: str, verdict: Verdict) -> Iterator[Text]:
        origin = "" if verdict.source == "native" else " (predicted)"
        if verdict.error is None:
            line = Text.assemble(
                f"  {name}  ", ("accepts", "green"), f", {plural(len(verdict.messages), 'message')}"
            )
            line.append(origin, "dim")
            yield line
            return
        yield from self.raised(f"  {name}  ", "raises at", verdict.error, origin)
        later = verdict.later[: self.limits.later]
        for error in later:
            yield from self.raised(" " * (width_of(name) + 4), "then at", error, "")
        if len(verdict.later) > len(later):
            rest = plural(len(verdict.later) - len(later), "further error")
            yield Text(f"{' ' * (width_of(name) + 4)}and {rest} once these are mended", "dim")

    def raised(self, lead: str, verb: str, error: StrictError, origin: str) -> Iterator[Text]:
        style = "red" if verb == "raises at" else "dim"
        place = "the end" if error.token >= len(self.inspection.transcript) else f"token {error.token}"
        indent = width_of(lead)
        if self.width - indent < _NARROW:
            # No room beside the name for a text that may be long: it goes below.
            yield Text.assemble(lead, (f"{verb} {place}:", style))
            text, lead, indent = error.text + origin, " " * 6, 6
        else:
            text = f"{verb} {place}: {error.text}{origin}"
        for number, line in enumerate(self.wrapped(text, indent, self.limits.error_lines)):
            yield Text.assemble(lead if number == 0 else " " * indent, (line, style))

    def diagnostic(self, found: Diagnostic) -> Iterator[Text]:
        style = SEVERITY_STYLES[found.severity]
        head = f"{found.severity}[{found.code}]"
        lines = self.wrapped(f"{head} {found.name}: {found.message}", 2, None)
        for number, line in enumerate(lines):
            text = Text(line if number == 0 else f"  {line}", "bold")
            if number == 0:
                text.stylize(style, 0, len(head))
            yield text
        span = found.span
        place = f"tokens {span.start}..{span.end}" if len(span) else f"before token {span.start}"
        if not len(span) and span.start >= len(self.inspection.transcript):
            place = "the end"
        yield Text.assemble(("  --> ", "blue"), f"{place}; {_EFFECTS[found.effect]}")
        yield from snippet(
            self.inspection.transcript.ids, span, self.width, style=style, marks=self.raises_near(found)
        )
        if found.note:
            yield from self.remark("note", found.note, "cyan")
        if found.fix is not None:
            yield from self.fix(f"fix ({found.fix.applicability}, {self.state(found)})", found.fix)
        for number, fix in enumerate(found.alternatives, 1):
            chosen = ", chosen" if self.choices.get(found.key) == number else ""
            yield from self.fix(f"or {number} ({fix.applicability}{chosen})", fix)
        if found.key and (found.fix is not None or found.alternatives):
            options = [f"--off {found.key}"] if found.key in self.inspection.repair.applied else []
            options += [f"--choose {found.key}={n}" for n in range(1, len(found.alternatives) + 1)][:1]
            if options:
                yield from self.remark("options", " or ".join(options), "dim")

    def raises_near(self, found: Diagnostic) -> list[Mark]:
        """Where releases raise because of this finding, one mark for each token."""
        if found.effect is not Effect.RAISES:
            return []
        names: dict[int, list[str]] = {}
        for verdict in self.inspection.strict:
            for error in (e for e in (verdict.error, *verdict.later) if e is not None):
                if error.cause.overlaps(found.span) or error.cause == found.span:
                    names.setdefault(error.token, []).append(verdict.release)
        return [
            Mark(
                token,
                f"{' and '.join(dict.fromkeys(releases))} {'raises' if len(set(releases)) == 1 else 'raise'}",
            )
            for token, releases in sorted(names.items())
        ]

    def state(self, found: Diagnostic) -> str:
        """Why the default fix is, or is not, part of the repair."""
        if found.fix is not None and found.fix.applicability is Applicability.DISPLAY:
            return "shown only"
        if self.choices.get(found.key):
            return "another was chosen"
        if found.key in self.inspection.repair.applied:
            return "applied"
        return "switched off" if {found.key, found.code, found.name} & self.off else "not applied"

    def fix(self, label: str, fix: Fix) -> Iterator[Text]:
        yield from self.remark(label, fix.title, "green")
        edits = fix.edits[: self.limits.edits]
        for edit in edits:
            yield from self.edit(edit)
        if len(fix.edits) > len(edits):
            yield Text(f"          and {plural(len(fix.edits) - len(edits), 'further edit')}", "dim")

    def edit(self, edit: Edit) -> Iterator[Text]:
        """An edit as a diff: the tokens that go, then those that come."""
        place = f"{edit.start:>7}"
        gone = self.inspection.transcript.ids[edit.start : edit.end]
        if gone:
            yield self.diff_line(place, "-", gone, "red")
            place = " " * len(place)
        if edit.ids:
            yield self.diff_line(place, "+", edit.ids, "green")

    def diff_line(self, place: str, sign: str, ids: Sequence[int], style: str) -> Text:
        room = self.width - len(place) - 3
        shown = joined(ids, room)
        line = Text.assemble((place, "blue"), (f" {sign} {shown}", style))
        numbers = f"   {list(ids)}"
        if len(ids) <= 12 and width_of(shown) + len(numbers) <= room:
            line.append(numbers, "dim")
        return line

    def messages(self) -> Iterator[Text]:
        repair = self.inspection.repair
        title = "repaired messages" if repair.edits else "messages"
        yield Text.assemble((title, "bold"), f" ({len(repair.messages)})")
        if repair.error is not None:
            broken = (
                f"still raises at token {repair.error.token} of the repaired transcript: {repair.error.text}"
            )
            for line in self.wrapped(broken, 2, self.limits.error_lines):
                yield Text(f"  {line}", "red")
        shown = _ends(len(repair.messages), self.limits.messages)
        column = len(str(len(repair.messages)))
        before = 0
        for index in shown:
            if index > before:
                yield Text(f"  … {plural(index - before, 'more message')}, --all shows them", "dim")
            before = index + 1
            yield from self.message(f"  {index + 1:>{column}}  ", repair.messages[index])

    def message(self, lead: str, message: Message) -> Iterator[Text]:
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
        line.truncate(self.width, overflow="ellipsis")
        yield line
        yield from self.body(message.content, len(lead))

    def body(self, content: str, indent: int) -> Iterator[Text]:
        room = self.width - indent - 2
        limit = self.limits.body_lines
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

    def next_prompt(self) -> Iterator[Text]:
        prompt = self.inspection.next_prompt
        if prompt is None:
            yield Text.assemble(("next prompt", "bold"), ": not asked for")
            return
        title = Text.assemble(("next prompt", "bold"), f" as {prompt.style} renders it: ")
        if prompt.error is not None:
            title.append("cannot be rendered", "red")
            yield title
            for line in self.wrapped(prompt.error, 2, self.limits.error_lines):
                yield Text(f"  {line}", "red")
            return
        title.append(plural(len(prompt.ids), "token"))
        title.append(
            f", {plural(len(prompt.drift), 'difference')}" if prompt.drift else ", the same as emitted"
        )
        yield title
        shown = prompt.drift[: self.limits.drift]
        for drift in shown:
            yield from self.drift(drift)
        if len(prompt.drift) > len(shown):
            yield from self.more(
                len(prompt.drift) - len(shown), Counter(d.cause for d in prompt.drift[len(shown) :])
            )

    def drift(self, drift: Drift) -> Iterator[Text]:
        lines = self.wrapped(f"{drift.cause} [{drift.code}]: {drift.message}", 4, None)
        for number, line in enumerate(lines):
            text = Text(f"  {line}" if number == 0 else f"    {line}")
            if number == 0:
                text.stylize("bold", 2, 2 + len(drift.cause))
            yield text
        prompt = self.inspection.next_prompt
        gone = self.inspection.transcript.ids[drift.emitted.start : drift.emitted.end]
        come = prompt.ids[drift.reencoded.start : drift.reencoded.end] if prompt is not None else ()
        if gone:
            yield self.diff_line(f"{drift.emitted.start:>7}", "-", gone, "red")
        if come:
            yield self.diff_line(f"{drift.reencoded.start:>7}", "+", come, "green")

    def finish(self) -> Iterator[Text]:
        finish = self.inspection.finish
        yield Text("finish", "bold")
        told = (
            "cannot be told from the tokens"
            if finish.expected is None
            else f"the tokens say {finish.expected}"
        )
        said = "not reported" if finish.reported is None else f"reported {visible(finish.reported)}"
        cut = "; generation was cut" if finish.truncated else ""
        yield Text(clip(f"  finish_reason  {told}, {said}{cut}", self.width))
        expected = "null" if finish.stop_expected is None else visible(str(finish.stop_expected))
        reported = "null" if finish.stop_reported is None else visible(str(finish.stop_reported))
        stated = f"reported {reported}" if finish.stop_stated else "not reported"
        yield Text(clip(f"  stop_reason    the tokens say {expected}, {stated}", self.width))

    def summary(self, found: Sequence[Diagnostic]) -> Iterator[Text]:
        repair = self.inspection.repair
        parts = [counted(found)]
        if repair.applied:
            parts.append(f"{plural(len(repair.applied), 'fix', 'fixes')} applied")
        what = "repaired transcript" if repair.edits else "transcript"
        parts.append(f"{what} parses" if repair.ok else f"{what} does not parse")
        yield Text("; ".join(parts), "bold green" if repair.ok and not found else "bold")

    # -- helpers ------------------------------------------------------------------------------------------

    def wrapped(self, text: str, indent: int, limit: int | None) -> list[str]:
        """``text`` made visible, in lines that leave room for ``indent``; ``limit`` of them at most."""
        room = max(20, self.width - indent)
        if limit is None:
            return wrap(visible(text), room)
        lines = wrap(visible(text[: 2 * room * limit]), room)
        if len(lines) <= limit and len(text) <= 2 * room * limit:
            return lines
        return [*lines[: limit - 1], f"… {plural(len(text), 'character')} in all"]

    def remark(self, label: str, text: str, style: str) -> Iterator[Text]:
        lead = f"    = {label}: "
        # The first line leaves room for the label, the others are indented by six.
        first, *rest = wrap(visible(text), max(20, self.width - len(lead)))
        yield Text.assemble(("    = ", "blue"), (f"{label}: ", style), first)
        for line in wrap(" ".join(rest), self.width - 6) if rest else ():
            yield Text(f"      {line}")

    def more(self, count: int, kinds: Counter[str]) -> Iterator[Text]:
        what = ", ".join(f"{name} {number}" for name, number in kinds.most_common(6))
        for line in self.wrapped(f"and {count:,} more ({what}), --all shows them", 2, None):
            yield Text(f"  {line}", "dim")


def _ends(count: int, limit: int | None) -> list[int]:
    """Which of ``count`` things are shown: all, or the first ones and the last few."""
    if limit is None or count <= limit:
        return list(range(count))
    tail = limit // 3
    return [*range(limit - tail), *range(count - tail, count)]
