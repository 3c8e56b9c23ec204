"""The inspection record ``harmonylens/1``: what an inspection says, as plain JSON.

``schema.json`` beside this module describes it. Keys are only ever added within ``harmonylens/1``. A record
also carries what a transcript record has (``id``, ``token_ids``, ``role``, the reported reasons, the declared
tools), so that an exported inspection can be opened again as a transcript.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from ..ingest.writing import transcript_record
from ..tokens import Edit, Span, vocabulary

if TYPE_CHECKING:
    from ..finding import Diagnostic, Fix
    from ..harmony.verdict import StrictError, Verdict
    from ..inspection import Inspection
    from ..prompt.drift import NextPrompt
    from ..serving.finish import Finish

SCHEMA: Final = "harmonylens/1"
"""Name and version of the record's shape."""

Record = dict[str, Any]


def inspection_record(inspection: Inspection) -> Record:
    """The record of one inspection, JSON-serialisable and the same for the same inspection.

    Ids may be any ints. Spans are ``[start, end)`` in tokens: as ``start`` and ``end`` in diagnostics and
    edits, as a two-element list elsewhere. ``text`` values are for reading (broken UTF-8 is shown as U+FFFD);
    ids are the truth.
    """
    transcript = inspection.transcript
    repair = inspection.repair
    return {
        "schema": SCHEMA,
        "id": transcript.id,
        "token_count": len(transcript),
        **(transcript_record(transcript) | {"schema": SCHEMA}),
        "strict": [_verdict(verdict) for verdict in inspection.strict],
        "diagnostics": [_diagnostic(found) for found in inspection.diagnostics],
        "repaired": {
            "ok": repair.ok,
            "role": repair.role,
            "error": None if repair.error is None else repair.error.text,
            "token": None if repair.error is None else repair.error.token,
            "ids": list(repair.ids),
            "text": vocabulary().decode(repair.ids),
            "messages": [message.record() for message in repair.messages],
            "edits": [{**_edit(applied.edit), "keys": list(applied.keys)} for applied in repair.edits],
            "applied": list(repair.applied),
        },
        "reencoded": None if inspection.next_prompt is None else _next_prompt(inspection.next_prompt),
        "finish": _finish(inspection.finish),
    }


def error_record(id: str, sentence: str) -> Record:
    """The record that stands in for a transcript that could not be read; ``sentence`` says why."""
    return {"schema": SCHEMA, "id": id, "error": sentence}


def dump(record: Record) -> str:
    """One line of JSON. Everything outside ASCII is escaped, so no terminal can be driven by it."""
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


@lru_cache(maxsize=1)
def record_schema() -> Record:
    """The JSON Schema (draft 2020-12) of both kinds of record."""
    text = resources.files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
    schema: Record = json.loads(text)
    return schema


def _verdict(verdict: Verdict) -> Record:
    error = verdict.error
    return {
        "release": verdict.release,
        "mode": verdict.mode,
        "ok": verdict.ok,
        "error": None if error is None else error.text,
        "token": None if error is None else error.token,
        "messages": [message.record() for message in verdict.messages],
        "cause": None if error is None else _pair(error.cause),
        "kind": None if error is None else error.kind,
        "later": [_later(later) for later in verdict.later],
        "source": verdict.source,
    }


def _later(error: StrictError) -> Record:
    return {"error": error.text, "token": error.token, "cause": _pair(error.cause), "kind": error.kind}


def _diagnostic(found: Diagnostic) -> Record:
    return {
        "code": found.code,
        "name": found.name,
        "severity": str(found.severity),
        "message": found.message,
        "start": found.span.start,
        "end": found.span.end,
        "fix": None if found.fix is None else _fix(found.fix),
        "key": found.key,
        "effect": str(found.effect),
        "alternatives": [_fix(fix) for fix in found.alternatives],
        "note": found.note,
    }


def _fix(fix: Fix) -> Record:
    return {
        "applicability": str(fix.applicability),
        "edits": [_edit(edit) for edit in fix.edits],
        "title": fix.title,
    }


def _edit(edit: Edit) -> Record:
    return {
        "start": edit.start,
        "end": edit.end,
        "ids": list(edit.ids),
        "text": vocabulary().decode(edit.ids),
    }


def _next_prompt(prompt: NextPrompt) -> Record:
    return {
        "release": prompt.style,
        "ids": list(prompt.ids),
        "drift": [
            {
                "cause": drift.cause,
                "emitted": _pair(drift.emitted),
                "reencoded": _pair(drift.reencoded),
                "code": drift.code,
                "message": drift.message,
            }
            for drift in prompt.drift
        ],
        "error": prompt.error,
    }


def _finish(finish: Finish) -> Record:
    return {
        "expected": finish.expected,
        "reported": finish.reported,
        "stop_reason": finish.stop_reported,
        "findings": [_diagnostic(found) for found in finish.findings],
        "stop_expected": finish.stop_expected,
        "stop_stated": finish.stop_stated,
        "truncated": finish.truncated,
    }


def _pair(span: Span) -> list[int]:
    return [span.start, span.end]
