"""Findings as SARIF 2.1.0, for viewers and code-scanning services.

The artifact is the transcript's text, markers as they are printed, which the file holds itself. Places are given three
times: as characters of that text (code points, ``charOffset``), as line and column, and as token indexes in
``properties``. A fix is told as replacements in the text where its edits begin and end between characters; ids are the
truth, and stand in ``properties`` too.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .. import __version__
from ..finding import Diagnostic, Effect, Fix, Severity
from ..ingest import Switches, carrying
from ..tokens import Edit, Span, is_known, vocabulary
from ..view.viewmodel import digest
from .findings import findings
from .rules import all_rules
from .subject import Subject
from .visible import visible

SCHEMA_URI: Final = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS: Final = 25_000
"""Results of a run: what GitHub's code scanning takes at most."""

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_EFFECTS: Final = {
    Effect.RAISES: "a strict parser raises on it",
    Effect.MISREADS: "strict parsers accept it with a wrong reading",
    Effect.DRIFTS: "the next prompt will differ from what was emitted",
}
_SNIPPET: Final = 400
_BROKEN: Final = re.compile("[\udc80-\udcff]")
_LINK_CHARACTER: Final = re.compile(r"[\[\]\\]")
_LINE_BREAK: Final = re.compile("\n")
Json = dict[str, Any]


def export_sarif(subject: Subject) -> bytes:
    """The log of one run, UTF-8 JSON."""
    return (json.dumps(sarif_log(subject), ensure_ascii=True, indent=1) + "\n").encode("ascii")


def sarif_log(subject: Subject) -> Json:
    """The log as a value."""
    inspection = subject.inspection
    found = findings(inspection)
    codes = sorted({diagnostic.code for diagnostic in found})
    text = TranscriptText(subject.transcript.ids)
    uri = f"{subject.name}.harmony.txt"
    # The same finding keeps its fingerprint however it is looked at.
    name = digest(carrying(subject.transcript, Switches()))
    run: Json = {
        "tool": {
            "driver": {
                "name": "harmonylens",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "defaultEncoding": "utf-8",
        "artifacts": [
            {
                "location": {"uri": uri, "index": 0},
                "description": {"text": words(subject.title or uri)},
                "length": len(text.text.encode("utf-8", "replace")),
                "roles": ["analysisTarget"],
                "contents": {"text": text.text},
            }
        ],
        "results": [
            _result(diagnostic, codes.index(diagnostic.code), subject, text, uri, name)
            for diagnostic in found[:MAX_RESULTS]
        ],
        "properties": {
            "transcript": {"id": subject.transcript.id, "role": subject.transcript.role, "tokens": len(text.ids)},
            "strict": [
                {
                    "release": verdict.release,
                    "ok": verdict.ok,
                    "error": None if verdict.error is None else verdict.error.text,
                    "token": None if verdict.error is None else verdict.error.token,
                }
                for verdict in inspection.strict
                if verdict.mode == "strict"
            ],
            "resultsLeftOut": max(0, len(found) - MAX_RESULTS),
        },
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


class TranscriptText:
    """The text of token ids, and which characters of it each token is.

    Attributes:
        ids: the tokens.
        text: markers as they are printed, every byte that is no UTF-8 as one U+FFFD, unknown ids as nothing.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        table = vocabulary().token_bytes
        pieces = [table(token) or b"" for token in ids]
        escaped = b"".join(pieces).decode("utf-8", "surrogateescape")
        self.text = _BROKEN.sub("\ufffd", escaped)
        codes = np.frombuffer(escaped.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        # How many bytes a character took; a broken byte took one.
        lengths = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
        lengths[(codes >= 0xDC80) & (codes <= 0xDCFF)] = 1
        places = np.concatenate(([0], np.cumsum(lengths)))
        bounds = np.concatenate(([0], np.cumsum(np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)))))
        found = np.searchsorted(places, bounds)
        self._floor = np.where(places[found] == bounds, found, found - 1).tolist()
        self._ceiling = found.tolist()
        self._lines = [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]

    def exact(self, span: Span) -> bool:
        """Whether a span of tokens begins and ends between characters."""
        return all(self._floor[at] == self._ceiling[at] for at in (span.start, span.end))

    def characters(self, span: Span) -> tuple[int, int]:
        """The characters ``[start, end)`` that hold a span of tokens: whole ones where it cuts some."""
        start, end = self._floor[span.start], self._ceiling[span.end]
        return start, max(start, end) if len(span) else start

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def words(text: str) -> str:
    """A message with no link in it: ``[text](target)`` is one in a message of SARIF, and its viewers know targets that
    run commands. Characters that steer are shown.

    >>> print(words("json[0] of a\\\\b"), words("a [b](command:c)"))
    json[0] of a\\b a \\[b\\] (command:c)
    """
    shown = visible(text)
    if "](" not in shown:
        return shown
    # The backslash is the standard's (3.11.6). The blank is for viewers that look for the brackets only.
    return _LINK_CHARACTER.sub(r"\\\g<0>", shown).replace("](", "] (")


def _rule(code: str) -> Json:
    rule = all_rules()[code]
    sections = rule.sections
    words = " ".join(sections.get("Why is this bad", rule.summary).split())
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": words},
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"name": rule.name, "effects": [str(effect) for effect in rule.effects]},
    }


def _result(found: Diagnostic, number: int, subject: Subject, text: TranscriptText, uri: str, name: str) -> Json:
    span = Span(min(found.span.start, len(text.ids)), min(found.span.end, len(text.ids)))
    message = " ".join(f"{said.rstrip('.')}." for said in (found.message, found.note) if said)
    result: Json = {
        "ruleId": found.code,
        "ruleIndex": number,
        "level": _LEVELS[found.severity],
        "message": {"text": words(message or found.name)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri, "index": 0},
                    "region": _region(text, span, snippet=True),
                },
                "logicalLocations": [{"fullyQualifiedName": f"tokens[{span.start}:{span.end}]", "kind": "token"}],
            }
        ],
        "partialFingerprints": {"harmonylensFinding/v1": f"{name}:{found.key or found.code}"},
        "properties": {
            "tokens": {"start": span.start, "end": span.end, "ids": list(text.ids[span.start : span.end][:_SNIPPET])},
            "effect": _EFFECTS[found.effect],
            "key": found.key,
            "applied": found.key in subject.inspection.repair.applied,
        },
    }
    readings = [fix for fix in (found.fix, *found.alternatives) if fix is not None and fix.edits]
    fixes = [told for fix in readings if (told := _fix(fix, text, uri)) is not None]
    if fixes:
        result["fixes"] = fixes
    return result


def _fix(fix: Fix, text: TranscriptText, uri: str) -> Json | None:
    replacements = [_replacement(edit, text) for edit in fix.edits]
    if any(replacement is None for replacement in replacements):
        return None
    return {
        "description": {"text": words(fix.title)},
        "artifactChanges": [{"artifactLocation": {"uri": uri, "index": 0}, "replacements": replacements}],
        "properties": {
            "applicability": str(fix.applicability),
            "edits": [{"start": edit.start, "end": edit.end, "ids": list(edit.ids)} for edit in fix.edits],
        },
    }


def _replacement(edit: Edit, text: TranscriptText) -> Json | None:
    """An edit in characters; None where it begins or ends within one, or puts in what no text says."""
    span = Span(edit.start, edit.end)
    inserted = TranscriptText(edit.ids).text
    if not text.exact(span) or ("\ufffd" in inserted) or not all(map(is_known, edit.ids)):
        return None
    replacement: Json = {"deletedRegion": _region(text, span)}
    if inserted:
        replacement["insertedContent"] = {"text": inserted}
    return replacement


def _region(text: TranscriptText, span: Span, *, snippet: bool = False) -> Json:
    start, end = text.characters(span)
    line, column = text.place(start)
    last_line, last_column = text.place(end)
    region: Json = {
        "startLine": line,
        "startColumn": column,
        "endLine": last_line,
        "endColumn": last_column,
        "charOffset": start,
        "charLength": end - start,
    }
    if snippet and end > start:
        region["snippet"] = {"text": text.text[start : min(end, start + _SNIPPET)]}
    return region
