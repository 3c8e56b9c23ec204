"""JSON values with their places: JSON lines, one document over many lines, an array of documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from ..budgets import CLI, Budget
from ..ingest import Problem
from ..ingest.documents import json_document, json_problem, opens_document, parse_json
from ..ingest.record import Source
from ..ingest.values import lines_of

Found: TypeAlias = tuple[Any, Source] | Problem


def json_values(text: str, budget: Budget = CLI) -> Iterator[Found]:
    """Every value of a JSON or JSONL text with its place, an array's entries one by one.

    What cannot be read gives a problem in its place and does not stop the rest. Linear in the text.
    """
    text = text.removeprefix("\ufeff")
    if _is_lines(text):
        for number, line in enumerate(lines_of(text), 1):
            if line.strip():
                yield from _line(line, number, budget)
        return
    for found in json_document(text, 1, budget):
        if isinstance(found, Problem):
            yield found
        else:
            value, own, (line_number, column) = found
            yield value, Source(own, line_number, "", column - 1)


def _is_lines(text: str) -> bool:
    """False when a value goes on below the line on which it begins."""
    first = text.lstrip().split("\n", 1)[0].strip()
    return bool(first) and first not in ("[", "{") and not opens_document(first)


def _line(line: str, number: int, budget: Budget) -> Iterator[Found]:
    try:
        value = parse_json(line, budget)
    except ValueError as error:
        yield json_problem(error, line.rstrip("\r"), number)
        return
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        for entry in value:
            yield entry, Source("", number)
        return
    yield value, Source(line, number)
