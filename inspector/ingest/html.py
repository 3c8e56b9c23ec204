"""Pages that harmonyscope exported: each holds the records of its transcripts, which are taken out of it again.

A record stands in a script element of a type that no browser runs, as JSON, deflated (zlib) and in base64. Nothing
else of a page is read.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .unpacking import MAX_UNPACKED, UnpackError, inflate
from .values import Problem, place, plural, problem
from .wrapping import Unwrapped

DATA_TYPE: Final = "application/x-harmonyscope"
"""The type of the script elements that hold data."""

_OPENING: Final = f'<script type="{DATA_TYPE}" data-what="record"'
_BLOCK: Final = re.compile(re.escape(_OPENING) + r"[^<>]*>([A-Za-z0-9+/=\s]*)(</script>)?")
_LEVEL: Final = 6


def packed(data: bytes) -> str:
    """Bytes as a page holds them: base64, which no text in them can end."""
    return base64.b64encode(zlib.compress(data, _LEVEL)).decode("ascii")


def packed_record(record: Mapping[str, Any]) -> str:
    """A transcript record as a page holds it."""
    return packed(json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii"))


def is_page(text: str) -> bool:
    """Whether ``text`` is a page that holds records."""
    return text.lstrip()[:14].lower() == "<!doctype html" and _OPENING in text


def out_of_page(found: Unwrapped) -> Unwrapped:
    """The records in an exported page as JSON lines; anything else as it is.

    What is damaged becomes a problem. All records together may unpack to
    :data:`inspector.ingest.unpacking.MAX_UNPACKED` bytes.
    """
    if not is_page(found.text):
        return found
    records: list[str] = []
    problems: list[Problem] = []
    left = MAX_UNPACKED
    for block in _BLOCK.finditer(found.text):
        line, column = place(found.text, block.start(), found.line)
        try:
            if block.group(2) is None:
                raise UnpackError("The record is cut short.")
            data = inflate(base64.b64decode(block.group(1), validate=False), left, form="zlib", what="The record")
            left -= len(data)
            text = data.decode("utf-8")
            json.loads(text)
        except (UnpackError, binascii.Error, ValueError, RecursionError) as error:
            what = str(error) if isinstance(error, UnpackError) else "The record is damaged."
            problems.append(problem(line, column, f"{what[:1].lower()}{what[1:].rstrip('.')}; export the page again"))
            continue
        records.append(text.replace("\n", " "))
    note = f"taken out of an exported page ({plural(len(records), 'transcript')})"
    return replace(
        found, text="\n".join(records), line=1, notes=(*found.notes, note), problems=(*found.problems, *problems)
    )
