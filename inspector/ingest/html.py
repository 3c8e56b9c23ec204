"""Pages that harmonylens exported: each holds the records of its transcripts, which are taken out of it again.

A record stands in a script element of a type that no browser runs, as JSON, deflated (zlib) and in base64. Nothing
else of a page is read. Long lists of logprobs and alternatives, whose digits no compression makes short, stand behind
the JSON as numbers: a zero byte, then the arrays that its ``packed`` names in order, little-endian
(:func:`packed_record`; ``page.js`` reads them too).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np

from ..budgets import CLI, Budget
from ..renamed import NAME, NAMES
from .documents import parse_json
from .unpacking import TooLargeError, UnpackError, in_words, inflate
from .values import Places, Problem, plural, problem
from .wrapping import Unwrapped

DATA_TYPE: Final = f"application/x-{NAME}"
"""The type of the script elements that hold data."""

_OPENINGS: Final = tuple(f'<script type="application/x-{name}" data-what="record"' for name in NAMES)
_BLOCK: Final = re.compile(f"(?:{'|'.join(map(re.escape, _OPENINGS))})" + r"[^<>]*+>([A-Za-z0-9+/=\s]*+)(</script>)?+")
_LEVEL: Final = 6
_LONG: Final = 64
_LEAST: Final = -1e308
"""What minus infinity is in a record, see :mod:`inspector.ingest.writing`."""


def packed(data: bytes) -> str:
    """Bytes as a page holds them: base64, which no text in them can end."""
    return base64.b64encode(zlib.compress(data, _LEVEL)).decode("ascii")


def packed_record(record: Mapping[str, Any]) -> str:
    """A transcript record as a page holds it.

    ``packed`` is ``{"logprobs": [type], "top": [type, pairs]}`` for what stands behind the JSON: of the logprobs
    their values (NaN for null); of the alternatives the number of pairs of each token (u1), their ids (i4), their
    values. The type is f4 where that loses nothing, else f8; minus infinity stands for -1e308.
    """
    head = dict(record)
    arrays: list[bytes] = []
    names: dict[str, list[Any]] = {}
    logprobs, top = head.get("logprobs"), head.get("top")
    if logprobs is not None and len(logprobs) >= _LONG:
        kind, values = _numbers([math.nan if value is None else value for value in logprobs])
        names["logprobs"] = [kind]
        arrays.append(values)
        del head["logprobs"]
    if top is not None and len(top) >= _LONG and max(map(len, top)) < 256:
        ids = [token for row in top for token, _ in row]
        if all(-(2**31) <= token < 2**31 for token in ids):
            kind, values = _numbers([value for row in top for _, value in row])
            names["top"] = [kind, len(ids)]
            arrays += [bytes(map(len, top)), np.array(ids, dtype="<i4").tobytes(), values]
            del head["top"]
    if names:
        head["packed"] = names
    text = json.dumps(head, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    return packed(b"\0".join((text, b"".join(arrays))) if names else text)


def _numbers(values: Sequence[float]) -> tuple[str, bytes]:
    exact = np.array(values, dtype="<f8")
    exact[exact == _LEAST] = -np.inf
    with np.errstate(over="ignore"):
        short = exact.astype("<f4")
    same = np.array_equal(short.astype("<f8"), exact, equal_nan=True)
    return ("f4", short.tobytes()) if same else ("f8", exact.tobytes())


def _record_text(data: bytes, budget: Budget) -> str:
    """The JSON of a record as a page holds it, everything in its place.

    Raises:
        ValueError: it is not of that form.
    """
    text, _, body = data.partition(b"\0")
    record = parse_json(text.decode("utf-8"), budget)
    names = record.pop("packed", None) if isinstance(record, dict) and body else None
    if names is None:
        return text.decode("utf-8")
    if not isinstance(names, dict):
        raise ValueError("packed names no arrays")
    count = len(record["token_ids"])
    at = 0

    def take(kind: object, number: int) -> list[Any]:
        nonlocal at
        if kind not in ("u1", "i4", "f4", "f8") or not 0 <= number <= len(body):
            raise ValueError("an array of no known type")
        array = np.frombuffer(body, dtype=f"<{kind}", count=number, offset=at)
        at += array.nbytes
        return [None if value != value else max(value, _LEAST) for value in array.tolist()]

    if "logprobs" in names:
        record["logprobs"] = take(names["logprobs"][0], count)
    if "top" in names:
        kind, pairs = names["top"]
        sizes, ids = take("u1", count), take("i4", int(pairs))
        values = take(kind, len(ids))
        if sum(sizes) != len(ids):
            raise ValueError("alternatives of other tokens")
        ends = [0, *accumulate(sizes)]
        record["top"] = [
            [list(pair) for pair in zip(ids[start:end], values[start:end], strict=True)]
            for start, end in pairwise(ends)
        ]
    return json.dumps(record, separators=(",", ":"))


def is_page(text: str) -> bool:
    """Whether ``text`` is a page that holds records."""
    return is_html(text) and any(opening in text for opening in _OPENINGS)


def is_html(text: str) -> bool:
    """Whether ``text``, or what begins with it, is a page at all."""
    return text.lstrip()[:14].lower() == "<!doctype html"


def out_of_page(found: Unwrapped, budget: Budget = CLI) -> Unwrapped:
    """The records in an exported page as JSON lines; anything else as it is.

    What is damaged becomes a problem. All records together may unpack to ``budget.unpacked`` bytes, those of damaged
    ones included: nothing is read behind the record that goes beyond.
    """
    if not is_page(found.text):
        return found
    records: list[str] = []
    problems: list[Problem] = []
    left = budget.unpacked
    places = Places(found.text, found.line)
    for block in _BLOCK.finditer(found.text):
        where = places.at(block.start())
        try:
            if block.group(2) is None:
                raise UnpackError("The record is cut short.")
            data = inflate(base64.b64decode(block.group(1), validate=False), left, form="zlib", what="The record")
            left -= len(data)
            text = _record_text(data, budget)
        except TooLargeError:
            most = in_words(budget.unpacked)
            what = f"the records of this page unpack to more than {most}; those from here on were not opened"
            problems.append(problem(*where, f"{what}; {budget.advice}"))
            break
        except (UnpackError, binascii.Error, ValueError, KeyError, TypeError, ArithmeticError) as error:
            left -= error.size if isinstance(error, UnpackError) else 0
            what = str(error) if isinstance(error, UnpackError) else "The record is damaged."
            problems.append(problem(*where, f"{what[:1].lower()}{what[1:].rstrip('.')}; export the page again"))
            continue
        records.append(text.replace("\n", " "))
    note = f"taken out of an exported page ({plural(len(records), 'transcript')})"
    return replace(
        found, text="\n".join(records), line=1, notes=(*found.notes, note), problems=(*found.problems, *problems)
    )
