"""One finding as a compiler prints it: the rule, the place, the tokens underlined, the fixes as a diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ..finding import Applicability, Effect
from ..tokens import Edit
from .findings import SEVERITY_STYLES, plural
from .page import Page
from .snippet import Mark, snippet

if TYPE_CHECKING:
    from ..finding import Diagnostic, Fix

_EFFECTS: Final = {
    Effect.RAISES: "strict parsers raise",
    Effect.MISREADS: "strict parsers accept it with a wrong reading",
    Effect.DRIFTS: "the next prompt will differ",
}


def explained(page: Page, found: Diagnostic) -> Iterator[Text]:
    """The lines of one finding."""
    style = SEVERITY_STYLES[found.severity]
    head = f"{found.severity}[{found.code}]"
    lines = page.wrapped(f"{head} {found.name}: {found.message}", 2, None)
    for number, line in enumerate(lines):
        text = Text(line if number == 0 else f"  {line}", "bold")
        if number == 0:
            text.stylize(style, 0, len(head))
        yield text
    span = found.span
    place = f"tokens {span.start}..{span.end}" if len(span) else f"before token {span.start}"
    if not len(span) and span.start >= len(page.inspection.transcript):
        place = "the end"
    # Findings about the end of the generation are no matter of parsing.
    ending = any(found is other for other in page.inspection.finish.findings)
    effect = "how the generation ended" if ending else _EFFECTS[found.effect]
    yield Text.assemble(("  --> ", "blue"), f"{place}; {effect}")
    yield from snippet(page.inspection.transcript.ids, span, page.width, style=style, marks=_raises_near(page, found))
    if found.note:
        yield from page.remark("note", found.note, "cyan")
    if found.fix is not None:
        yield from _fix(page, f"fix ({found.fix.applicability}, {_state(page, found)})", found.fix)
    for number, fix in enumerate(found.alternatives, 1):
        chosen = ", chosen" if page.choices.get(found.key) == number else ""
        yield from _fix(page, f"or {number} ({fix.applicability}{chosen})", fix)
    if found.key and (found.fix is not None or found.alternatives):
        options = [f"--off {found.key}"] if found.key in page.inspection.repair.applied else []
        options += [f"--choose {found.key}={n}" for n in range(1, len(found.alternatives) + 1)][:1]
        if options:
            yield from page.remark("options", " or ".join(options), "dim")


def _raises_near(page: Page, found: Diagnostic) -> list[Mark]:
    """Where releases raise because of this finding, one mark for each token."""
    if found.effect is not Effect.RAISES:
        return []
    names: dict[int, list[str]] = {}
    for verdict in page.inspection.strict:
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


def _state(page: Page, found: Diagnostic) -> str:
    """Why the default fix is, or is not, part of the repair."""
    if found.fix is not None and found.fix.applicability is Applicability.DISPLAY:
        return "shown only"
    if page.choices.get(found.key):
        return "another was chosen"
    if found.key in page.inspection.repair.applied:
        return "applied"
    return "switched off" if {found.key, found.code, found.name} & page.off else "not applied"


def _fix(page: Page, label: str, fix: Fix) -> Iterator[Text]:
    yield from page.remark(label, fix.title, "green")
    edits = fix.edits[: page.limits.edits]
    for edit in edits:
        yield from _edit(page, edit)
    if len(fix.edits) > len(edits):
        yield Text(f"          and {plural(len(fix.edits) - len(edits), 'further edit')}", "dim")


def _edit(page: Page, edit: Edit) -> Iterator[Text]:
    """An edit as a diff: the tokens that go, then those that come."""
    place = f"{edit.start:>7}"
    gone = page.inspection.transcript.ids[edit.start : edit.end]
    if gone:
        yield page.diff_line(place, "-", gone, "red")
        place = " " * len(place)
    if edit.ids:
        yield page.diff_line(place, "+", edit.ids, "green")
