"""From bytes to the text that was meant: encodings, byte-order marks, code fences, quoted strings.

A paste often brings its wrapping along: the fence of a chat or an issue, the quotes of a log or a shell, a
byte-order mark. What is taken off is said in words, and places in the unwrapped text still count lines from
the start of the input.
"""

from __future__ import annotations

import ast
import codecs
import json
import re
from dataclasses import dataclass, replace
from typing import Final

from .values import Problem, place, problem

_BOMS: Final = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte-order mark"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)

_FENCE: Final = re.compile(r"\s*+(`{3,}+|~{3,}+)[^\n`]*+\n")
_SINGLE_QUOTED: Final = re.compile(r"'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """Text without its wrapping.

    ``line`` is the number of its first line in the input; ``notes`` say what was taken off; ``quoted`` is
    True when the text stood in quotes, so that its places are those of the unquoted text.
    """

    text: str
    line: int = 1
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    quoted: bool = False


def bom_encoding(head: bytes) -> tuple[str, int, str] | None:
    """The encoding that a byte-order mark in front of ``head`` names: (codec, length of the mark, name)."""
    for mark, codec, name in _BOMS:
        if head.startswith(mark):
            return codec, len(mark), name
    return None


def decode(data: str | bytes) -> Unwrapped:
    """The text of ``data``; bytes are UTF-8 unless a byte-order mark says otherwise.

    Bytes that are not valid become U+FFFD, with a problem that says where: text cannot carry them. (Token ids
    can: that is the way to show a transcript with broken bytes.)
    """
    if isinstance(data, str):
        return Unwrapped(data[1:], notes=("byte-order mark taken off",)) if data[:1] == "\ufeff" else Unwrapped(data)
    codec, skip, name = bom_encoding(data) or ("utf-8", 0, "")
    notes = (name,) if name else ()
    body = data[skip:]
    try:
        return Unwrapped(body.decode(codec), notes=notes)
    except UnicodeDecodeError as error:
        before = body[: error.start].decode(codec, "replace")
        line, column = place(before, len(before))
        what = (
            f"byte 0x{body[error.start]:02x} is not valid {codec.upper()} and was read as U+FFFD; "
            "give token ids where the exact bytes matter"
        )
        return Unwrapped(
            body.decode(codec, "replace"), notes=notes, problems=(problem(line, column, what, lost=False),)
        )


def unwrap(data: str | bytes) -> Unwrapped:
    """The text that was meant by ``data``: decoded, out of a code fence, out of quotes. Linear."""
    found = _unfence(decode(data))
    return _unquote(found)


def _unfence(found: Unwrapped) -> Unwrapped:
    opening = _FENCE.match(found.text)
    if opening is None:
        return found
    rest = found.text[opening.end() :].rstrip()
    mark = opening.group(1)
    if not rest.endswith(mark):
        return found
    inner = rest[: -len(mark)]
    if inner and not inner.endswith("\n"):
        return found  # the fence does not stand on a line of its own: it belongs to the text
    line, _ = place(found.text, opening.end(), found.line)
    return replace(
        found,
        text=inner.removesuffix("\n").removesuffix("\r"),
        line=line,
        notes=(*found.notes, "code fence taken off"),
    )


def _unquote(found: Unwrapped) -> Unwrapped:
    text = found.text.strip()
    value: object = None
    if len(text) < 2 or text[0] != text[-1]:
        return found
    if text[0] == '"':
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return found
    elif _SINGLE_QUOTED.fullmatch(text):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError):
            return found
    if not isinstance(value, str):
        return found
    kind = "JSON string" if text[0] == '"' else "quoted string"
    return replace(found, text=value, notes=(*found.notes, f"{kind} unquoted"), quoted=True)
