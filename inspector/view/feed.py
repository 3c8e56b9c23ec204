"""What follows the switches: findings, the repair, the next prompt and the finish reasons, as a small message.

JSON in bytes (a plain ``dict`` would make Streamlit import pandas). Token ids that the transcript does not have
travel with their bytes in ``extra``. Positions are token indexes of the original transcript unless said otherwise.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..finding import Diagnostic, Fix
from ..harmony.strict import StrictModel
from ..harmony.verdict import Verdict
from ..inspection import RELEASES, Inspection, Repair
from ..prompt.drift import NextPrompt
from ..tokens import MARKER_HELP, Edit, is_special, vocabulary
from ..tokens.spans import Marked
from .glyphs import marker_name
from .outline import NodeIndex, outline_after
from .viewmodel import digest, error_record

MAX_FINDINGS: Final = 2000
"""Findings that travel; the count of the others does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose.

    Attributes:
        off: keys of the findings whose fix is off.
        choices: by key, the number of the alternative reading that was taken (1 is the first).
        style: who renders the next prompt, and ``styles`` who else could.
        title, story: of the sample that is shown, "" for an input of a person's own.
        read_as: what the input was taken for, in words.
    """

    off: frozenset[str] = frozenset()
    choices: Mapping[str, int] = field(default_factory=dict)
    style: str = ""
    styles: tuple[str, ...] = ()
    title: str = ""
    story: str = ""
    read_as: str = ""


def pack_feed(inspection: Inspection, settings: Settings) -> bytes:
    """The message, as UTF-8 JSON."""
    repair = inspection.repair
    index = NodeIndex(inspection.tree)
    edits = [applied.edit for applied in repair.edits]
    marked: list[Marked] = [(applied.edit, applied.keys) for applied in repair.edits]
    prompt = _prompt(inspection.next_prompt)
    known = {(d.key, d.code, d.span) for d in inspection.diagnostics}
    finish_findings = [d for d in inspection.finish.findings if (d.key, d.code, d.span) not in known]
    findings = [*inspection.diagnostics, *finish_findings]
    body: dict[str, Any] = {
        "digest": digest(inspection.transcript),
        "findings": [_finding(d, settings, repair.applied) for d in findings[:MAX_FINDINGS]],
        "more_findings": max(0, len(findings) - MAX_FINDINGS),
        "counts": Counter(str(d.effect) for d in findings),
        "misread": {v.release: _misreads(v, repair) for v in inspection.strict if v.mode == "strict"},
        "repair": {
            "ok": repair.ok,
            "error": error_record(repair.error),
            "after": {v.release: _accepts(v.release, repair) for v in inspection.strict if v.mode == "strict"},
            "edits": [_edit(edit, keys) for edit, keys in marked],
            "messages": outline_after(repair.messages, index, edits, repair.ids),
            "count": len(repair.ids),
        },
        "prompt": prompt,
        "finish": _finish(inspection),
        "settings": {
            "style": settings.style,
            "styles": list(settings.styles),
            "off": sorted(settings.off),
            "choices": dict(settings.choices),
            "title": settings.title,
            "story": settings.story,
            "read_as": settings.read_as,
        },
    }
    body["extra"] = _extra(_new_ids(body, inspection.transcript.ids))
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _accepts(release: str, repair: Repair) -> bool:
    """Whether a release's strict parse accepts the repaired transcript."""
    dialect = RELEASES.get(release)
    if dialect is None:
        return repair.ok
    return StrictModel(repair.ids).parse(repair.role, dialect, release=release).ok


def _misreads(verdict: Verdict, repair: Repair) -> bool:
    """Whether a release that accepts the transcript reads other messages than were meant."""
    return verdict.ok and [m.record() for m in verdict.messages] != [m.record() for m in repair.messages]


def _edit(edit: Edit, keys: Iterable[str]) -> list[Any]:
    return [edit.start, edit.end, list(edit.ids), list(keys)]


def _finding(diagnostic: Diagnostic, settings: Settings, applied: Collection[str]) -> dict[str, Any]:
    off = {diagnostic.key, diagnostic.code, diagnostic.name} & settings.off
    return {
        "key": diagnostic.key,
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": str(diagnostic.severity),
        "effect": str(diagnostic.effect),
        "message": diagnostic.message,
        "note": diagnostic.note,
        "span": [diagnostic.span.start, diagnostic.span.end],
        "fix": _fix(diagnostic.fix),
        "alternatives": [_fix(fix) for fix in diagnostic.alternatives],
        "choice": settings.choices.get(diagnostic.key, 0),
        "on": not off,
        "applied": diagnostic.key in applied,
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {
        "title": fix.title,
        "applicability": str(fix.applicability),
        "edits": [_edit(edit, ()) for edit in fix.edits],
        "mends": bool(fix.edits or fix.changes),
    }


def _prompt(prompt: NextPrompt | None) -> dict[str, Any] | None:
    if prompt is None:
        return None
    drift = [
        {
            "cause": d.cause,
            "code": d.code,
            "message": d.message,
            "emitted": [d.emitted.start, d.emitted.end],
            "reencoded": [d.reencoded.start, d.reencoded.end],
        }
        for d in prompt.drift
    ]
    return {
        "style": prompt.style,
        "error": prompt.error,
        "count": len(prompt.ids),
        "drift": drift,
        "edits": [_edit(edit, keys) for edit, keys in prompt_edits(prompt)],
        "poisoned": [{"field": p.field, "text": p.text, "span": [p.span.start, p.span.end]} for p in prompt.poisoned],
    }


def prompt_edits(prompt: NextPrompt) -> list[Marked]:
    """Edits that turn the original transcript into the next prompt, each marked with its difference, ``drift:N``."""
    if prompt.error is not None:
        return []
    return [
        (
            Edit(d.emitted.start, d.emitted.end, tuple(prompt.ids[d.reencoded.start : d.reencoded.end])),
            (f"drift:{n}",),
        )
        for n, d in enumerate(prompt.drift)
    ]


def _finish(inspection: Inspection) -> dict[str, Any]:
    finish = inspection.finish
    return {
        "expected": finish.expected,
        "reported": finish.reported,
        "stop_expected": finish.stop_expected,
        "stop_reported": finish.stop_reported,
        "stop_stated": finish.stop_stated,
        "truncated": finish.truncated,
        "findings": [
            {
                "key": d.key,
                "code": d.code,
                "name": d.name,
                "severity": str(d.severity),
                "message": d.message,
                "span": [d.span.start, d.span.end],
            }
            for d in finish.findings
        ],
    }


def _new_ids(body: Mapping[str, Any], ids: Sequence[int]) -> list[int]:
    """Ids in the edits that the transcript does not have."""
    rows = list(body["repair"]["edits"])
    if body["prompt"] is not None:
        rows += body["prompt"]["edits"]
    for finding in body["findings"]:
        for fix in (finding["fix"], *finding["alternatives"]):
            rows += fix["edits"] if fix is not None else []
    return sorted({token for row in rows for token in row[2]} - set(ids))


def _extra(ids: Iterable[int]) -> list[list[Any]]:
    table = vocabulary().token_bytes
    out: list[list[Any]] = []
    for token in ids:
        row: list[Any] = [token, list(table(token) or b"")]
        if is_special(token):
            row += [marker_name(token), MARKER_HELP.get(token, "A special token that structures nothing in Harmony.")]
        out.append(row)
    return out
