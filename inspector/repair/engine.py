"""The repairer: problems become diagnostics, diagnostics' fixes become edits, until nothing is left to mend.

Fixes work in rounds. One round reads the transcript, applies every fix that is on and does not clash with an
earlier one, and hands the result to the next; edits of all rounds are composed into one list against the
original. A transcript that needs no fix costs one reading. What no rule could mend (a combination nobody has
thought of) is rewritten by the last resort, so that the newest release accepts every repaired transcript.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from ..finding import Applicability, Diagnostic, Effect, Fix, Severity
from ..harmony.problem import Problem
from ..harmony.reader import read
from ..harmony.tree import Tree
from ..harmony.verdict import StrictError, Verdict
from ..tokens import Edit, Scan, Span, Transcript, WideLookup, apply_edits, changes_to_edits, encode_wide
from ..tokens.spans import Marked, Origins, compose
from ..tokens.transcript import Origin
from . import catalogue
from .last_resort import last_resort
from .taken import Taken

MAX_ROUNDS: Final = 12

Judge = Callable[[Scan, str | None], Verdict]
"""The newest release's strict verdict on scanned ids that continue a role."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person switched.

    ``off``: keys, codes or names of findings whose fix stays off. ``readings``: by key, the number of the
    alternative to take (1 is the first) instead of the default. ``wanted``: says whether a rule is selected.
    """

    off: frozenset[str] = frozenset()
    readings: Mapping[str, int] = field(default_factory=dict)
    wanted: Callable[[str, str], bool] = lambda code, name: True

    def is_off(self, diagnostic: Diagnostic) -> bool:
        """True when the fix of this finding is switched off."""
        return bool(self.off & {diagnostic.key, diagnostic.code, diagnostic.name})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What diagnosing and repairing gave.

    ``tree`` reads the original, ``repaired`` the transcript after the edits; ``edits`` (with the keys of the
    findings that asked for them) are relative to the original.
    """

    tree: Tree
    diagnostics: tuple[Diagnostic, ...]
    repaired: Tree
    edits: tuple[Marked, ...]
    error: StrictError | None


def diagnose_and_repair(
    transcript: Transcript,
    judge: Judge,
    choices: Choices | None = None,
    scan: Scan | None = None,
    verdicts: Sequence[Verdict] = (),
    tree: Tree | None = None,
) -> Outcome:
    """Read, find and mend. Never raises for any ids.

    Args:
        judge: the newest release, against which repairs hold.
        choices: what a person switched.
        scan: that of the transcript's ids, where a caller has it.
        verdicts: strict verdicts on the transcript; a finding RAISES when one of them breaks there. Without
            any, the judge's own is taken.
        tree: that of the transcript, where a caller has it.
    """
    choices = choices if choices is not None else Choices()
    scan = scan if scan is not None else Scan(transcript.ids)
    tree = first = tree if tree is not None else read(transcript, scan)
    diagnostics: dict[str, Diagnostic] = {}
    edits: list[Marked] = []
    verdict: Verdict | None = None
    for number in range(MAX_ROUNDS):
        way_back = Origins(e for e, _ in edits)
        wide = WideLookup(tree.transcript.ids)
        found = _diagnose(tree, _mendable(tree, scan, choices), way_back, choices, known=diagnostics)
        if number:
            found = [d for d in found if d.severity is Severity.ERROR or d.key in choices.readings]
        if number and not found:
            break
        for diagnostic in found:
            if diagnostic.key not in diagnostics:
                diagnostics[diagnostic.key] = _settled(diagnostic, wide, way_back) if edits else diagnostic
        step = _round(tree, found, choices, wide)
        if not step:
            break
        edits = compose(edits, step, len(transcript.ids)) if edits else step
        after = _edited(transcript, edits)
        scan = Scan(after.ids)
        tree = read(after, scan)
    if not tree.transcript.ids and tree.transcript.role is not None:
        tree = read(_edited(transcript, edits), scan)
    verdict = judge(scan, tree.transcript.role)
    if verdict.error is not None and not choices.off:
        for _ in range(MAX_ROUNDS * 8):
            resort = last_resort(tree, verdict)
            if resort is None:
                break
            diagnostic, rewritten = resort
            place = Origins(e for e, _ in edits).of(diagnostic.span.start)
            diagnostic = replace(
                diagnostic, key=f"{diagnostic.code}@{place}", span=Span(place, place + len(diagnostic.span))
            )
            diagnostics.setdefault(diagnostic.key, diagnostic)
            edits = compose(edits, [(e, (diagnostic.key,)) for e in rewritten], len(transcript.ids))
            after = _edited(transcript, edits)
            scan = Scan(after.ids)
            tree = read(after, scan)
            verdict = judge(scan, after.role)
            if verdict.error is None:
                break
    # What the messages say is told of the repaired transcript: what a fix has mended is no news.
    way_back = Origins(e for e, _ in edits)
    wide = WideLookup(tree.transcript.ids)
    for diagnostic in _diagnose(tree, catalogue.in_messages(tree, scan), way_back, choices, known=diagnostics):
        if diagnostic.key not in diagnostics:
            diagnostics[diagnostic.key] = _settled(diagnostic, wide, way_back) if edits else diagnostic
    ordered = sorted(diagnostics.values(), key=lambda d: (d.span, d.code))
    if any(d.severity is Severity.ERROR for d in ordered):
        ordered = _with_effects(ordered, first, verdicts or (judge(Scan(transcript.ids), transcript.role),))
    return Outcome(first, tuple(ordered), tree, tuple(edits), verdict.error)


def _mendable(tree: Tree, scan: Scan, choices: Choices) -> Iterator[Problem]:
    """What a round looks at: the reader's problems, and those of messages whose other readings a person may want."""
    yield from tree.problems
    if choices.readings:
        yield from (problem for problem in catalogue.in_messages(tree, scan) if problem.alternatives)


def _settled(diagnostic: Diagnostic, wide: WideLookup, origins: Origins) -> Diagnostic:
    """A finding of a later round, told in terms of the original: its changes are of an intermediate transcript.

    ``wide`` looks up that transcript, ``origins`` is the way back from it: made once for all of a round's findings.
    """

    def settle(fix: Fix) -> Fix:
        shown = []
        for edit in show_edits(wide, fix):
            start = origins.of(edit.start)
            end = origins.of(edit.end) if edit.end > edit.start else start
            shown.append(Edit(start, max(start, end), edit.ids))
        return replace(fix, changes=(), edits=tuple(shown))

    fix = settle(diagnostic.fix) if diagnostic.fix is not None else None
    return replace(diagnostic, fix=fix, alternatives=tuple(settle(a) for a in diagnostic.alternatives))


def _edited(transcript: Transcript, edits: Sequence[Marked]) -> Transcript:
    ids = apply_edits(transcript.ids, [edit for edit, _ in edits])
    # With nothing left to say there is no message that the prompt's open header could belong to.
    role = transcript.role if ids else None
    return Transcript(
        tuple(ids),
        role,
        id=transcript.id,
        origins=None if transcript.origins is None else _origins(transcript.origins, edits),
        tools=transcript.tools,
        prompt_ids=transcript.prompt_ids,
        source=transcript.source,
    )


def _origins(origins: Sequence[Origin], edits: Sequence[Marked]) -> tuple[Origin, ...]:
    """Where the tokens came from, after the edits. What an edit puts in passes for what it replaces, or stands
    behind: a repair makes no message the model's own."""
    out: list[Origin] = []
    at = 0
    for edit, _ in edits:
        out += origins[at : edit.start]
        near = edit.start if edit.end > edit.start or not edit.start else edit.start - 1
        out += [origins[near]] * len(edit.ids) if origins else ["sampled"] * len(edit.ids)
        at = edit.end
    out += origins[at:]
    return tuple(out)


def _diagnose(
    tree: Tree,
    problems: Iterable[Problem],
    origins: Origins,
    choices: Choices,
    known: Mapping[str, Diagnostic],
) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    counts: Counter[str] = Counter()
    for problem in problems:
        module = catalogue.module_for(problem.kind)
        rule = module.RULE
        if not choices.wanted(rule.code, rule.name):
            continue
        said = module.explain(problem, tree.transcript)
        severity = said.severity or rule.severity
        start, end = origins.of(problem.span.start), origins.of(problem.span.end)
        base = key = f"{rule.code}@{start}"
        # Several findings of one rule can stand at one place, and a later round can find another one there.
        while counts[base] or (key in known and known[key].message != said.message):
            counts[base] += 1
            key = f"{base}.{counts[base] + 1}"
            if key not in known or known[key].message == said.message:
                break
        counts[base] += 1
        fix, alternatives = _fixes(problem, said, severity)
        found.append(
            Diagnostic(
                rule.code, rule.name, severity, rule.effects[0], said.message, Span(start, max(end, start)),
                fix, alternatives, key, said.note,
            )
        )  # fmt: skip
    return found


def _fixes(problem: Problem, said: catalogue.Said, severity: Severity) -> tuple[Fix | None, tuple[Fix, ...]]:
    fix = None
    if problem.changes and severity is Severity.ERROR:
        fix = Fix(said.title, said.applicability, problem.changes)
    elif said.title:
        fix = Fix(said.title, Applicability.DISPLAY)
    titles = [*said.alternatives, *(reason for reason, _ in problem.alternatives[len(said.alternatives) :])]
    alternatives = tuple(
        Fix(title, Applicability.UNSAFE, changes)
        for title, (_, changes) in zip(titles, problem.alternatives, strict=True)
    )
    return fix, alternatives


def _with_effects(found: Iterable[Diagnostic], tree: Tree, verdicts: Iterable[Verdict]) -> list[Diagnostic]:
    """RAISES for errors at which one of the strict parses breaks, MISREADS for those that none of them notices."""
    starts = [node.start for node in tree.nodes]
    stretches: list[Span] = []
    for verdict in verdicts:
        for error in (verdict.error, *verdict.later):
            if error is None:
                continue
            at = bisect_right(starts, error.token) - 1
            start = starts[at] if at >= 0 else 0
            stretches.append(Span(min(start, error.cause.start), error.token + 1))
    stretches = _joined(stretches)
    ends = [stretch.end for stretch in stretches]
    out = []
    for diagnostic in found:
        if diagnostic.severity is Severity.ERROR:
            span = Span(diagnostic.span.start, max(diagnostic.span.end, diagnostic.span.start + 1))
            near = bisect_right(ends, span.start)  # the first that ends behind its beginning
            raises = near < len(stretches) and span.overlaps(stretches[near])
            diagnostic = replace(diagnostic, effect=Effect.RAISES if raises else Effect.MISREADS)
        out.append(diagnostic)
    return out


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The same tokens as spans in order, none of which touches the next."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _round(tree: Tree, found: Sequence[Diagnostic], choices: Choices, wide: WideLookup) -> list[Marked]:
    """The edits of one round: every fix that is on and clashes with none before it."""
    taken = Taken()
    for diagnostic in found:
        if diagnostic.severity is not Severity.ERROR and diagnostic.key not in choices.readings:
            continue
        if choices.is_off(diagnostic):
            continue
        number = choices.readings.get(diagnostic.key, 0)
        fix = diagnostic.alternatives[number - 1] if 0 < number <= len(diagnostic.alternatives) else diagnostic.fix
        if fix is not None and fix.changes:
            taken.offer(fix.changes, diagnostic.key)
    changes = taken.changes
    if not changes:
        return []
    ids = tree.transcript.ids
    edits = changes_to_edits(changes, len(ids), wide.of, encode_wide)
    return [
        (edit, keys)
        for edit, keys in zip(edits, taken.keys_of(edits), strict=True)
        if edit.ids != tuple(ids[edit.start : edit.end])
    ]


def show_edits(wide: WideLookup, fix: Fix) -> tuple[Edit, ...]:
    """The token edits that carry out one fix alone, for display and for the record.

    ``wide`` looks up the transcript that the fix is of; it is made once for all of its fixes.
    """
    ordered = sorted(fix.changes, key=lambda c: c.place)
    if any(a.clashes(b) for a, b in pairwise(ordered)):
        return ()
    return tuple(changes_to_edits(ordered, len(wide), wide.of, encode_wide))
