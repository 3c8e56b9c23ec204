"""The JSON fixture: the inspection record with its switches and its words, one line for each thing that is told.

It is what ``harmonylens inspect --format json`` prints, laid out so that a person can read a diff of two of them, and
it opens again to the same inspection.
"""

from __future__ import annotations

import json
from typing import Any

from .record import inspection_record
from .subject import Subject


def export_json(subject: Subject) -> bytes:
    """The fixture, ASCII, ending in a line break; the same bytes for the same subject."""
    return (laid_out(inspection_record(subject.inspection)) + "\n").encode("ascii")


def laid_out(record: dict[str, Any]) -> str:
    """``record`` with one line per field, and one per entry of a list of objects."""
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            entries = ",\n".join(f"    {_compact(entry)}" for entry in value)
            lines.append(f"  {_compact(key)}: [\n{entries}\n  ]")
        else:
            lines.append(f"  {_compact(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
