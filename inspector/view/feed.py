"""What follows the switches: findings, the repair, the next prompt and the finish reasons, as a small message.

JSON in bytes (a plain ``dict`` would make Streamlit import pandas). Token ids that the transcript does not have
travel with their bytes in ``extra``; sentences travel once, in ``words``, and are named by their number. Positions
are token indexes of the original transcript unless said otherwise.

A message is whole (:func:`pack_feed`), or says how it differs from a whole one that the browser has
(:func:`pack_change`), so that a flipped switch brings down what the switch changed. ``screen/reading.js`` reads both.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from ..finding import Diagnostic, Fix
from ..harmony.strict import StrictModel
from ..harmony.verdict import Verdict
from ..inspection import NEWEST, RELEASES, Inspection, Repair
from ..prompt.drift import NextPrompt
from ..tokens import MARKER_HELP, Edit, is_special, vocabulary
from ..tokens.spans import Marked
from .bounds import MOST_STORY, MOST_TITLE, cut
from .glyphs import marker_name
from .outline import NodeIndex, Outline, outline_after
from .splices import splices, trimmed
from .viewmodel import digest, error_record

MAX_FINDINGS: Final = 2000
"""Findings that travel; the count of the others does."""

TABLES: Final = ("findings", "edits", "messages", "drift", "extra")
"""Lists of rows: a change says which rows of the whole message give way to which."""

ON: Final = 1
"""Flag of a finding whose switch is on."""

APPLIED: Final = 2
"""Flag of a finding whose fix is in the repair."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose.

    Attributes:
        off: keys of the findings whose fix is off.
        choices: by key, the number of the alternative reading that was taken (1 is the first).
        style: who renders the next prompt, and ``styles`` who else could.
        title, story: of the sample that is shown, "" for an input of a person's own.
        read_as: what the input was taken for, in words.
        turn: counts what a person opened in this session; 0 for what an address brought.
    """

    off: frozenset[str] = frozenset()
    choices: Mapping[str, int] = field(default_factory=dict)
    style: str = ""
    styles: tuple[str, ...] = ()
    title: str = ""
    story: str = ""
    read_as: str = ""
    turn: int = 0


class Words:
    """Texts by number: each is sent once."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.numbers = {word: number for number, word in enumerate(known)}
        self.fresh: list[str] = []

    def __call__(self, word: str) -> int:
        """The number of a text, a new one when it was not seen before."""
        if word not in self.numbers:
            self.numbers[word] = len(self.numbers)
            self.fresh.append(word)
        return self.numbers[word]


def pack_feed(inspection: Inspection, settings: Settings, *, stream: str | None = None) -> bytes:
    """The whole message, as UTF-8 JSON; its ``name`` is what a change refers to.

    ``stream`` names a transcript that grows, as in :func:`inspector.view.viewmodel.view_of`.
    """
    words = Words()
    body = _body(inspection, settings, words) | {"words": words.fresh}
    if stream is not None:
        body["digest"] = stream
    body["name"] = blake2b(_packed(body), digest_size=6).hexdigest()
    return _packed(body)


def pack_change(inspection: Inspection, settings: Settings, base: bytes) -> bytes:
    """How the message differs from ``base``, a whole one about the same transcript.

    ``words`` are those that the base lacks, numbered on from its own; a table that differs is a list of
    ``[at, removed, rows]`` with places in the base's table, ``states`` one such row; anything else that differs is
    sent as it is.
    """
    old = json.loads(base)
    words = Words(old["words"])
    # Through JSON and back: what the browser compares has no tuples and no numbers for keys.
    new = json.loads(_packed(_body(inspection, settings, words)))
    change: dict[str, Any] = {"digest": new["digest"], "base": old["name"], "words": words.fresh}
    for name, value in new.items():
        if value != old[name]:
            change[name] = splices(old[name], value) if name in TABLES else value
    if "states" in change:
        change["states"] = trimmed(old["states"], new["states"])
    return _packed(change)


def _packed(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _body(inspection: Inspection, settings: Settings, words: Words) -> dict[str, Any]:
    """The message without its words: tables of rows, and facts."""
    repair = inspection.repair
    index = NodeIndex(inspection.tree)
    edits = [applied.edit for applied in repair.edits]
    known = {(d.key, d.code, d.span) for d in inspection.diagnostics}
    finish_findings = [d for d in inspection.finish.findings if (d.key, d.code, d.span) not in known]
    findings = [*inspection.diagnostics, *finish_findings]
    shown = findings[:MAX_FINDINGS]
    prompt = inspection.next_prompt
    drift = [] if prompt is None else _drift(prompt, words)
    body: dict[str, Any] = {
        "digest": digest(inspection.transcript),
        "findings": [_finding(d, words) for d in shown],
        "states": "".join(str(_state(d, settings, repair.applied)) for d in shown),
        "more_findings": max(0, len(findings) - MAX_FINDINGS),
        "counts": Counter(str(d.effect) for d in findings),
        "misread": {v.release: _misreads(v, repair) for v in inspection.strict if v.mode == "strict"},
        "ok": repair.ok,
        "error": error_record(repair.error),
        "after": {v.release: _accepts(v.release, repair) for v in inspection.strict if v.mode == "strict"},
        "edits": [[e.edit.start, e.edit.end, list(e.edit.ids), list(e.keys)] for e in repair.edits],
        "messages": _relative(outline_after(repair.messages, index, edits, repair.ids)),
        "count": len(repair.ids),
        "drift": drift,
        "prompt": None if prompt is None else _prompt(prompt),
        "finish": _finish(inspection),
        "settings": {"style": settings.style, "off": sorted(settings.off), "choices": dict(settings.choices)},
        "source": {
            "styles": list(settings.styles),
            "title": cut(settings.title, MOST_TITLE),
            "story": cut(settings.story, MOST_STORY),
            "read_as": settings.read_as,
            "turn": settings.turn,
        },
    }
    rows = [edit.ids for edit in edits]
    rows += [edit.ids for edit, _ in prompt_edits(prompt)] if prompt is not None else []
    rows += [edit.ids for d in shown for fix in (d.fix, *d.alternatives) if fix is not None for edit in fix.edits]
    body["extra"] = _extra(sorted({token for ids in rows for token in ids} - set(inspection.transcript.ids)))
    return body


def _accepts(release: str, repair: Repair) -> bool:
    """Whether a release's strict parse accepts the repaired transcript."""
    dialect = RELEASES.get(release)
    if dialect is None or release == NEWEST:
        # Which is what the repair was held against.
        return repair.ok
    return StrictModel(repair.ids).parse(repair.role, dialect, release=release).ok


def _misreads(verdict: Verdict, repair: Repair) -> bool:
    """Whether a release that accepts the transcript reads other messages than were meant."""
    return verdict.ok and [m.record() for m in verdict.messages] != [m.record() for m in repair.messages]


def _state(diagnostic: Diagnostic, settings: Settings, applied: Collection[str]) -> int:
    off = {diagnostic.key, diagnostic.code, diagnostic.name} & settings.off
    return (0 if off else ON) | (APPLIED if diagnostic.key in applied else 0)


def _finding(diagnostic: Diagnostic, words: Words) -> list[Any]:
    """Key, start, end, six texts (code, name, severity, effect, message, note), the fix or 0, the alternatives."""
    texts = (diagnostic.code, diagnostic.name, str(diagnostic.severity), str(diagnostic.effect))
    return [
        diagnostic.key,
        diagnostic.span.start,
        diagnostic.span.end,
        *(words(text) for text in (*texts, diagnostic.message, diagnostic.note)),
        _fix(diagnostic.fix, words),
        [_fix(fix, words) for fix in diagnostic.alternatives],
    ]


def _fix(fix: Fix | None, words: Words) -> list[Any] | int:
    """Title, applicability, whether it mends anything (0 or 1), its edits."""
    if fix is None:
        return 0
    edits = [[edit.start, edit.end, list(edit.ids)] for edit in fix.edits]
    return [words(fix.title), words(str(fix.applicability)), int(bool(fix.edits or fix.changes)), edits]


def _relative(outline: Outline) -> Outline:
    """The outline with places that an edit before them does not move: each ``at`` of a message that is written out
    becomes its distance from the one before, its length, and where in it the body begins and ends."""
    before = 0
    rows: Outline = []
    for row in outline:
        if isinstance(row, list) or "at" not in row:
            rows.append(row)
            continue
        start, end, body_start, body_end = row["at"]
        rows.append({**row, "at": [start - before, end - start, body_start - start, body_end - start]})
        before = end
    return rows


def _drift(prompt: NextPrompt, words: Words) -> list[list[Any]]:
    """Rows: start and end of what was emitted, the ids that the prompt has there, cause, code and message.

    Where a row stands in the prompt follows from the rows before it.
    """
    return [
        [
            d.emitted.start,
            d.emitted.end,
            list(prompt.ids[d.reencoded.start : d.reencoded.end]),
            words(d.cause),
            words(d.code),
            words(d.message),
        ]
        for d in prompt.drift
    ]


def _prompt(prompt: NextPrompt) -> dict[str, Any]:
    return {
        "style": prompt.style,
        "error": prompt.error,
        "count": len(prompt.ids),
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


def _extra(ids: Iterable[int]) -> list[list[Any]]:
    table = vocabulary().token_bytes
    out: list[list[Any]] = []
    for token in ids:
        row: list[Any] = [token, list(table(token) or b"")]
        if is_special(token):
            row += [marker_name(token), MARKER_HELP.get(token, "A special token that structures nothing in Harmony.")]
        out.append(row)
    return out
