"""The format "records": transcript records, as JSON lines, as one JSON object, or as an array of objects.

A bad line never stops the rest: it yields a problem in its place. :func:`iter_records` streams JSON lines in
constant memory; a file that is one array or one object over many lines is read whole.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO, TypeAlias

from ..budgets import CLI, Budget
from ..renamed import is_ours
from ..tokens import Transcript
from .amount import Kept
from .documents import json_document, json_problem, opens_document, parse_json
from .record import KEYS, Defaults, Source, read_record
from .values import Problem, ProblemList, lines_of, plural, problem
from .wrapping import bom_encoding

Item: TypeAlias = Transcript | Problem
_Line: TypeAlias = tuple[int, str | Problem]

_CHUNK: Final = 1 << 20
_ENDLESS: Final = 2**30
"""Bytes: a line that goes on for so long, as that of a device does, has no record behind it."""
_JSON_GAP: Final = " \t\r\n"


def iter_records(
    file: BinaryIO | TextIO,
    *,
    name: str = "",
    role: str | None = "auto",
    tools: tuple[str, ...] = (),
    markers: bool = True,
    budget: Budget = CLI,
) -> Iterator[Item]:
    """Transcripts and problems from an open file of JSON lines, in order, one line in memory at a time.

    A transcript that lost an optional field is followed by the problem that says so (``lost`` is False).
    Blank lines are skipped. UTF-8 or what a byte-order mark says. When the file is one pretty-printed object
    or array it is read whole. ``name`` is used in the transcripts' source; ``role``, ``tools`` and
    ``markers`` are those of :func:`inspector.ingest.read`. A line, or a document over many, is no longer than
    ``budget.characters``; there may be any number of them. Never raises for what the file holds (OSError is
    the caller's).
    """
    defaults = Defaults(role, tools, markers, budget)
    lines = _decoded_lines(file, budget)
    for number, line in lines:
        if isinstance(line, Problem):
            yield line
            continue
        text = line.strip(_JSON_GAP)
        if not text:
            continue
        if text in ("[", "{") or (text[0] in "[{" and opens_document(text)):
            yield from _whole(line, number, lines, name, defaults)
            return
        yield from _line(line, number, name, defaults)
        break
    for number, line in lines:
        if isinstance(line, Problem):
            yield line
        elif line.strip(_JSON_GAP):
            yield from _line(line, number, name, defaults)


def _whole(first: str, number: int, lines: Iterator[_Line], name: str, defaults: Defaults) -> Iterator[Item]:
    """The records of a document that begins with a line and goes on in the others."""
    pieces, size = [first], len(first)
    for _, line in lines:
        if isinstance(line, Problem):
            yield line
            return
        pieces.append(line)
        size += len(line)
        refused = defaults.budget.too_many_characters(size, "a JSON document over many lines")
        if refused:
            yield problem(number, 1, refused)
            return
    yield from _document("".join(pieces), number, name, defaults)


def read_records(text: str, line: int, name: str, defaults: Defaults) -> tuple[list[Transcript], ProblemList]:
    """The records of a text whose first line has the number ``line``, as many as the budget has."""
    kept = Kept(defaults.budget)
    problems = ProblemList()
    for item in _items(text, line, name, defaults):
        if isinstance(item, Problem):
            problems.add(item)
            continue
        refused = kept.add(item)
        if refused:
            problems.add(Problem(line, 1, refused))
            break
    return kept.transcripts, problems


def _items(text: str, line: int, name: str, defaults: Defaults) -> Iterator[Item]:
    bare = text.lstrip(_JSON_GAP)
    first = bare.split("\n", 1)[0].strip(_JSON_GAP)
    if first in ("[", "{") or (first[:1] in ("[", "{") and "\n" in bare.rstrip() and opens_document(first)):
        yield from _document(text, line, name, defaults)
        return
    for number, piece in enumerate(lines_of(text), line):
        if piece.strip(_JSON_GAP):
            yield from _line(piece, number, name, defaults)


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
    total = sum(1 for piece in lines_of(text) if piece.strip(_JSON_GAP)) if good else 0
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


def _line(line: str, number: int, name: str, defaults: Defaults) -> Iterator[Item]:
    try:
        value = parse_json(line, defaults.budget)
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
    for found in json_document(text, line, defaults.budget):
        if isinstance(found, Problem):
            yield found
            continue
        value, own, (number, column) = found
        transcript, problems = read_record(value, Source(own, number, name, column - 1), defaults)
        if transcript is not None:
            yield transcript
        yield from problems


def _decoded_lines(file: BinaryIO | TextIO, budget: Budget) -> Iterator[_Line]:
    """Numbered lines of text. Line by line, so that a growing pipe is read as it grows.

    A line that is too long is passed over, with a problem in its place.
    """
    most = budget.characters
    number = 0
    while line := file.readline(most + 1):
        number += 1
        if number == 1 and isinstance(line, bytes) and (bom := bom_encoding(line)):
            codec, skip, _ = bom
            if codec != "utf-8":
                yield from _recoded(line[skip:], file, codec, budget)
                return
            line = line[skip:]
        if len(line) > most and line[-1:] not in ("\n", b"\n"):
            yield number, _too_long(number, budget)
            passed = 0
            while (more := file.readline(_CHUNK)) and more[-1:] not in ("\n", b"\n"):
                passed += len(more)
                if passed > _ENDLESS:
                    yield number, problem(number, 1, "the line has no end in sight, so nothing behind it is read")
                    return
        elif isinstance(line, str):
            yield number, line.removeprefix("\ufeff") if number == 1 else line
        else:
            yield number, line.decode("utf-8", "replace")


def _recoded(head: bytes, file: BinaryIO | TextIO, codec: str, budget: Budget) -> Iterator[_Line]:
    """Lines of a file in UTF-16 or UTF-32, whose line breaks are not single bytes."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    held: list[str] = []
    size, number, chunk = 0, 1, head
    while True:
        # Only what is new is looked through: a long line comes in many pieces.
        first, *others = decoder.decode(chunk, final=not chunk).split("\n")
        for piece in others:
            is_long = size + len(first) > budget.characters
            yield number, _too_long(number, budget) if is_long else "".join((*held, first, "\n"))
            held, size, number, first = [], 0, number + 1, piece
        size += len(first)
        if size <= budget.characters:
            held.append(first)
        if not chunk:
            break
        read = file.read(_CHUNK)
        chunk = read if isinstance(read, bytes) else b""
    if size:
        yield number, _too_long(number, budget) if size > budget.characters else "".join(held)


def _too_long(number: int, budget: Budget) -> Problem:
    return problem(number, 1, str(budget.too_many_characters(budget.characters + 1, "a line")))
