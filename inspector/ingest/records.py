"""The format "records": transcript records, as JSON lines, as one JSON object, or as an array of objects.

A bad line never stops the rest: it yields a problem in its place. :func:`iter_records` streams JSON lines in
constant memory; a file that is one array or one object over many lines is read whole.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO, TypeAlias

from ..renamed import is_ours
from ..tokens import Transcript
from .record import KEYS, Defaults, Source, json_problem, parse_json, read_record
from .values import Problem, place, plural, problem
from .wrapping import bom_encoding

Item: TypeAlias = Transcript | Problem

_CHUNK: Final = 1 << 20
_DECODER: Final = json.JSONDecoder()
_GAP: Final = re.compile(r"[\s,]*")
_NEXT_OBJECT: Final = re.compile(r"^\s*\{", re.MULTILINE)
_JSON_GAP: Final = " \t\r\n"


def iter_records(
    file: BinaryIO | TextIO,
    *,
    name: str = "",
    role: str | None = "auto",
    tools: tuple[str, ...] = (),
    markers: bool = True,
) -> Iterator[Item]:
    """Transcripts and problems from an open file of JSON lines, in order, one line in memory at a time.

    A transcript that lost an optional field is followed by the problem that says so (``lost`` is False).
    Blank lines are skipped. UTF-8 or what a byte-order mark says. When the file is one pretty-printed object
    or array it is read whole. ``name`` is used in the transcripts' source; ``role``, ``tools`` and
    ``markers`` are those of :func:`inspector.ingest.read`. Never raises for what the file holds (OSError is
    the caller's).
    """
    defaults = Defaults(role, tools, markers)
    lines = _decoded_lines(file)
    for number, line in lines:
        text = line.strip(_JSON_GAP)
        if not text:
            continue
        if text in ("[", "{") or (text[0] in "[{" and _opens_document(text)):
            rest = "".join(text for _, text in lines)
            yield from _document(line + rest, number, name, defaults)
            return
        yield from _line(line, number, name, defaults)
        break
    for number, line in lines:
        if line.strip(_JSON_GAP):
            yield from _line(line, number, name, defaults)


def read_records(text: str, line: int, name: str, defaults: Defaults) -> tuple[list[Transcript], list[Problem]]:
    """All records of a text whose first line has the number ``line``."""
    bare = text.lstrip(_JSON_GAP)
    first = bare.split("\n", 1)[0].strip(_JSON_GAP)
    if first in ("[", "{") or (first[:1] in ("[", "{") and "\n" in bare.rstrip() and _opens_document(first)):
        items = list(_document(text, line, name, defaults))
    else:
        items = []
        for offset, piece in enumerate(text.split("\n")):
            if piece.strip(_JSON_GAP):
                items += _line(piece, line + offset, name, defaults)
    transcripts = [item for item in items if isinstance(item, Transcript)]
    return transcripts, [item for item in items if isinstance(item, Problem)]


def looks_like_records(text: str, filename: str | None = None) -> tuple[float, str]:
    """How sure it is that ``text`` holds records, 0 to 1, and words for it.

    Judged by the first twenty lines that are not blank, or by the first object of a document.
    """
    named = bool(filename and filename.lower().endswith((".jsonl", ".ndjson")))
    bare = text.lstrip(_JSON_GAP)
    # The first line may be the broken one: a good record may stand below it.
    hopeful = bare[:1] in ("{", "[") or '"token_ids"' in text or '"text"' in text
    if not named and not hopeful:
        return 0.0, ""
    lines = [piece for piece in text.split("\n", 40) if piece.strip(_JSON_GAP)][:20]
    good = sum(1 for piece in lines if _is_record(piece))
    total = sum(1 for piece in text.split("\n") if piece.strip(_JSON_GAP)) if good else 0
    if good and total == 1:
        return 0.98, "a transcript record (one JSON object)"
    if good:
        return (0.98 if good == len(lines) else 0.8), f"transcript records (JSON lines), {plural(total, 'line')}"
    if bare[:1] == "[":
        inner = bare[1:].lstrip(_JSON_GAP)
        if inner[:1] == "{" and _known_keys(inner):
            return 0.95, "transcript records (a JSON array of objects)"
    elif bare[:1] == "{" and _known_keys(bare):
        return 0.9, "a transcript record (a JSON object)"
    if named:
        return 0.7, f"transcript records (the name ends in .{str(filename).rsplit('.', 1)[1]})"
    return 0.0, ""


def _known_keys(text: str) -> bool:
    """True when the object that opens here names a field of a record among its first ones."""
    return any(re.search(rf'"{key}"\s*:', text[:4000]) for key in KEYS)


def _is_record(line: str) -> bool:
    if '"token_ids"' not in line and '"text"' not in line:
        return False
    try:
        value = parse_json(line)
    except ValueError:
        return False
    return isinstance(value, dict) and ("token_ids" in value or "text" in value)


def _opens_document(first: str) -> bool:
    """True when the first line is only the beginning of a JSON value that goes on below."""
    try:
        _DECODER.raw_decode(first)
    except json.JSONDecodeError as error:
        return error.pos >= len(first)
    except (ValueError, RecursionError):
        return False
    return False


def _line(line: str, number: int, name: str, defaults: Defaults) -> Iterator[Item]:
    try:
        value = parse_json(line)
    except ValueError as error:
        yield json_problem(error, line.rstrip("\r\n"), number)
        return
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        yield from _document(line, number, name, defaults)
        return
    if _is_manifest(value):
        return
    transcript, problems = read_record(value, Source(line, number, name), defaults)
    if transcript is not None:
        yield transcript
    yield from problems


def _is_manifest(value: object) -> bool:
    """Whether this is what a bundle says of itself, and no record."""
    return (
        isinstance(value, dict)
        and is_ours(value.get("schema"), "-gallery")
        and "token_ids" not in value
        and "text" not in value
    )


def _document(text: str, line: int, name: str, defaults: Defaults) -> Iterator[Item]:
    """Objects one after the other over many lines, or the entries of an array."""
    start = _GAP.match(text)
    at = start.end() if start else 0
    in_array = text[at : at + 1] == "["
    at += in_array
    counted, number, line_start = 0, line, 0
    while True:
        gap = _GAP.match(text, at)
        at = gap.end() if gap else at
        # Lines are counted as we go: counting from the start each time would be quadratic.
        number += text.count("\n", counted, at)
        if "\n" in text[counted:at]:
            line_start = text.rfind("\n", counted, at) + 1
        counted = at
        if at >= len(text):
            if in_array:
                yield problem(
                    *place(text, len(text.rstrip()), line), "the array of records is not closed: expected ']'"
                )
            return
        if in_array and text[at] == "]":
            tail = text[at + 1 :].strip()
            if tail:
                yield problem(number, at - line_start + 2, "expected nothing after the array of records")
            return
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            shown = error if isinstance(error, ValueError) else ValueError("the JSON is nested too deeply")
            yield json_problem(shown, text, line, start=at)
            resume = _NEXT_OBJECT.search(text, max(at + 1, getattr(error, "pos", at)))
            if resume is None:
                return
            at = resume.end() - 1
            continue
        source = Source(text[at:end], number, name, at - line_start)
        transcript, problems = read_record(value, source, defaults)
        if transcript is not None:
            yield transcript
        yield from problems
        at = end


def _decoded_lines(file: BinaryIO | TextIO) -> Iterator[tuple[int, str]]:
    """Numbered lines of text. Line by line, so that a growing pipe is read as it grows."""
    number = 0
    lines: Iterator[str | bytes] = iter(file)
    for line in lines:
        number += 1
        if isinstance(line, str):
            yield number, line.removeprefix("\ufeff") if number == 1 else line
            continue
        if number == 1 and (bom := bom_encoding(line)):
            codec, skip, _ = bom
            if codec != "utf-8":
                yield from _recoded(line[skip:], file, codec)
                return
            line = line[skip:]
        yield number, line.decode("utf-8", "replace")


def _recoded(head: bytes, file: BinaryIO | TextIO, codec: str) -> Iterator[tuple[int, str]]:
    """Lines of a file in UTF-16 or UTF-32, whose line breaks are not single bytes."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    held, number, chunk = "", 0, head
    while True:
        held += decoder.decode(chunk, final=not chunk)
        *whole, held = held.split("\n")
        for line in whole:
            number += 1
            yield number, line + "\n"
        if not chunk:
            break
        read = file.read(_CHUNK)
        chunk = read if isinstance(read, bytes) else b""
    if held:
        yield number + 1, held
