"""JSON values with their places: JSON lines, one document over many lines, an array of documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from ..ingest import Problem
from ..ingest.record import Source, json_problem, parse_json
from ..ingest.values import place, problem

_DECODER: Final = json.JSONDecoder()
_GAP: Final = " \t\r\n,"
_NEXT_OBJECT: Final = re.compile(r"^\s*\{", re.MULTILINE)

Found: TypeAlias = tuple[Any, Source] | Problem


def json_values(text: str) -> Iterator[Found]:
    """Every value of a JSON or JSONL text with its place, an array's entries one by one.

    What cannot be read gives a problem in its place and does not stop the rest. Linear in the text.
    """
    text = text.removeprefix("\ufeff")
    if _is_lines(text):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield from _line(line, number)
        return
    yield from _document(text)


def _is_lines(text: str) -> bool:
    """False when a value goes on below the line on which it begins."""
    first = text.lstrip().split("\n", 1)[0].strip()
    if not first or first in ("[", "{"):
        return False
    try:
        _DECODER.raw_decode(first)
    except json.JSONDecodeError as error:
        return error.pos < len(first)
    except (ValueError, RecursionError):
        return True
    return True


def _line(line: str, number: int) -> Iterator[Found]:
    try:
        value = parse_json(line)
    except ValueError as error:
        yield json_problem(error, line.rstrip("\r"), number)
        return
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        for entry in value:
            yield entry, Source("", number)
        return
    yield value, Source(line, number)


def _document(text: str) -> Iterator[Found]:
    at = _skip(text, 0)
    in_array = text[at : at + 1] == "["
    at = _skip(text, at + in_array)
    line, counted = 1, 0
    while at < len(text) and not (in_array and text[at] == "]"):
        # Lines are counted as we go: counting from the start each time would be quadratic.
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            shown = error if isinstance(error, ValueError) else ValueError("the JSON is nested too deeply")
            yield json_problem(shown, text, 1, start=at)
            resume = _NEXT_OBJECT.search(text, max(at + 1, getattr(error, "pos", at)))
            if resume is None:
                return
            at = resume.end() - 1
            continue
        yield value, Source(text[at:end], line, "", at - (text.rfind("\n", 0, at) + 1))
        at = _skip(text, end)
    if in_array and at >= len(text):
        yield problem(*place(text, len(text.rstrip())), "the array of records is not closed: expected ']'")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _GAP:
        at += 1
    return at
