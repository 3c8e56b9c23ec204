"""Drift against the original: what the repair changed differs from what was emitted, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..tokens import Edit, Span
from .causes import CAUSES
from .drift import Drift, NextPrompt
from .sentences import sentence


@dataclass(slots=True)
class _Group:
    """Tokens ``[start, end)`` of the repaired transcript in which drifts and edits meet."""

    start: int
    end: int
    drifts: list[Drift] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)


def against_original(prompt: NextPrompt, original: Sequence[int], edits: Sequence[Edit]) -> NextPrompt:
    """``prompt``, whose drift is relative to a repaired transcript, with drift relative to the original.

    ``edits`` lead from the original to the repaired transcript. Where an edit and a drift overlap they become
    one drift with the drift's cause; an edit alone has the cause "mended". As before, everything outside of the
    drifts is equal token for token, now between ``original`` and the prompt.
    """
    if not edits:
        return prompt
    out: list[Drift] = []
    shift = delta = 0  # repaired minus original, prompt minus repaired, of all that lies before
    for group in _groups(prompt.drift, edits):
        grown = sum(len(e.ids) - (e.end - e.start) for e in group.edits)
        start = group.start - shift
        emitted = Span(start, group.end - shift - grown)
        first = group.start + delta
        delta += sum(len(d.reencoded) - len(d.emitted) for d in group.drifts)
        reencoded = Span(first, group.end + delta)
        shift += grown
        if prompt.error is not None:
            reencoded = Span(0, 0)
        if group.drifts:
            out.append(replace(group.drifts[0], emitted=emitted, reencoded=reencoded))
            continue
        rule = CAUSES["mended"]
        old = tuple(original[emitted.start : emitted.end])
        new = prompt.ids[reencoded.start : reencoded.end] if prompt.error is None else ()
        out.append(Drift(rule.name, rule.code, emitted, reencoded, sentence(rule.name, old, tuple(new))))
    return replace(prompt, drift=tuple(out))


def _groups(drifts: Sequence[Drift], edits: Sequence[Edit]) -> list[_Group]:
    """Drifts and edits in order of place, those that overlap together."""
    parts = [_Group(d.emitted.start, d.emitted.end, drifts=[d]) for d in drifts]
    shift = 0
    for edit in edits:
        start = edit.start + shift
        parts.append(_Group(start, start + len(edit.ids), edits=[edit]))
        shift += len(edit.ids) - (edit.end - edit.start)
    parts.sort(key=lambda g: (g.start, g.end))
    groups: list[_Group] = []
    for part in parts:
        last = groups[-1] if groups else None
        if last is not None and (part.start < last.end or part.start == part.end == last.start == last.end):
            last.end = max(last.end, part.end)
            last.drifts += part.drifts
            last.edits += part.edits
        else:
            groups.append(part)
    return groups
