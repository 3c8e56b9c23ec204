"""Files that hold their text compressed: gzip, and bundles of records as a zip archive.

Of an archive only its JSON and JSON-lines members are read, one after the other, as records. What is no archive stays
as it is; what must not be opened becomes a problem.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from ..budgets import CLI, Budget
from .documents import parse_json
from .html import is_html
from .unpacking import TooLargeError, UnpackError, inflate, is_gzip, is_zip, refusal, zip_files
from .values import Problem, lines_of, plural, problem
from .wrapping import Unwrapped, unwrap

_LINES: Final = (".jsonl", ".ndjson")
_MANIFEST: Final = "manifest.json"
_HEAD: Final = 1000
"""Bytes or characters that tell what is compressed."""


def unpack(data: str | bytes, filename: str | None = None, budget: Budget = CLI) -> Unwrapped:
    """The text that was meant by ``data``: out of an archive, decoded, out of a code fence, out of quotes.

    More than ``budget`` has, packed or unpacked, is a problem and no text.
    """
    refused = budget.too_many_bytes(len(data))
    if refused:
        return Unwrapped("", problems=(problem(1, 1, refused),))
    if isinstance(data, str) or not data:
        return unwrap(data)
    try:
        unreadable = refusal(data, filename)
        if unreadable is not None:
            raise UnpackError(unreadable)
        notes: tuple[str, ...] = ()
        if is_gzip(data):
            data = inflate(data, budget.unpacked, form="gzip", what="The file")
            notes = ("decompressed with gzip",)
            inside = "it is an archive in an archive" if is_gzip(data) else refusal(data)
            if inside is not None:
                raise UnpackError(f"{inside}, and was not opened.")
        if is_zip(data):
            return _records(data, notes, budget)
    except TooLargeError as error:
        return Unwrapped("", problems=(problem(1, 1, f"{_clause(error)}; {budget.advice}"),))
    except UnpackError as error:
        return Unwrapped("", problems=(problem(1, 1, _clause(error)),))
    found = unwrap(data)
    return Unwrapped(found.text, found.line, (*notes, *found.notes), found.problems, found.quoted)


def unpacked_at_most(data: str | bytes, budget: Budget) -> int:
    """How many bytes or characters an input may have to be read: those of its budget, where it holds compressed data.

    Its own size says nothing then: 40 KB of gzip can be 40 MB.
    """
    head = data[:_HEAD]
    if isinstance(head, bytes):
        if is_gzip(head) or is_zip(head):
            return budget.unpacked
        head = head.decode("latin-1")
    # An exported page: what it holds of records is compressed too.
    return budget.unpacked if is_html(head) else len(data)


def _records(data: bytes, notes: tuple[str, ...], budget: Budget) -> Unwrapped:
    """The records in an archive as JSON lines."""
    lines: list[str] = []
    problems: list[Problem] = []
    members = 0
    for name, body in zip_files(data, budget.unpacked, wanted=_wanted, what="The archive"):
        members += 1
        if isinstance(body, UnpackError):
            problems.append(problem(len(lines) + 1, 1, f"a file ({ascii(name)[:60]}) was left out: {_clause(body)}"))
            continue
        text = body.decode("utf-8-sig", "replace")
        if name.lower().endswith(_LINES):
            lines += [line for line in lines_of(text) if line.strip()]
            continue
        try:
            value = parse_json(text, budget)
        except ValueError:
            problems.append(problem(len(lines) + 1, 1, f"a file of the archive ({ascii(name)[:60]}) is not valid JSON"))
            continue
        # One line for each record; a long list of them stays readable, and places in it tell.
        entries = value if isinstance(value, list) and all(isinstance(entry, dict) for entry in value) else [value]
        lines += [json.dumps(entry, separators=(",", ":")) for entry in entries]
    if not members:
        raise UnpackError("The archive holds no records: expected JSON or JSON lines in it.")
    note = f"taken out of an archive ({plural(members, 'file')})"
    return Unwrapped("\n".join(lines), notes=(*notes, note), problems=tuple(problems))


def _wanted(name: str) -> bool:
    base = name.rsplit("/", 1)[-1].lower()
    return base.endswith((*_LINES, ".json")) and base != _MANIFEST


def _clause(error: UnpackError) -> str:
    """The sentence of an error as part of one."""
    what = str(error)
    return f"{what[:1].lower()}{what[1:].rstrip('.')}"


def record_files(data: bytes) -> Iterator[tuple[str, bytes | Problem]]:
    """What an archive holds, as files of records with their names; a gzip file holds one, named "".

    A file of a zip archive that cannot be read gives a problem in its place.

    Raises:
        UnpackError: nothing of the archive can be read, or it unpacks to more than is read.
    """
    if is_gzip(data):
        data = inflate(data, CLI.unpacked, form="gzip", what="The file")
    if not is_zip(data):
        yield "", data
        return
    found = False
    for name, body in zip_files(data, CLI.unpacked, wanted=_wanted, what="The archive"):
        found = True
        yield name, problem(1, 1, _clause(body)) if isinstance(body, UnpackError) else body
    if not found:
        raise UnpackError("The archive holds no records: expected JSON or JSON lines in it.")
