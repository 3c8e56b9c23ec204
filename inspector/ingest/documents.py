"""JSON from elsewhere: one value, and documents of many values, each with its place.

What cannot be read becomes a :class:`ValueError` with one sentence, or a problem in its place; reading goes on at the
next line that begins with an object. Whatever the text, each character is read a bounded number of times.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from ..budgets import CLI, MAX_DEPTH, TOO_DEEP, Budget, json_depth, json_values_in
from .values import Place, Places, Problem, place, problem

Found: TypeAlias = tuple[Any, str, Place] | Problem
"""A value with its own text and the place where it begins; or what could not be read."""

_DECODER: Final = json.JSONDecoder()
_GAP: Final = re.compile(r"[\s,]*+")
_NEXT_OBJECT: Final = re.compile(r"^[^\S\n]*+\{", re.MULTILINE)
_DIGITS: Final = re.compile(r"[0-9]++")
_WINDOW: Final = 8_192
_GROWTH: Final = 8
_LONGEST_WORD: Final = 16
"""Characters before the end of a text within which the parser stops where it is cut: a word such as ``-Infinity``, or
an escape of two ``\\u`` units."""

_NESTING: Final = re.compile(r'[\[{]|[\]}]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def parse_json(text: str, budget: Budget = CLI) -> Any:
    """``json.loads`` whose every failure is a ValueError that says what is wrong.

    Raises:
        ValueError: not JSON (then a JSONDecodeError), nested too deeply, more values than ``budget`` has, or a number
            too long.
    """
    if json_depth(text) > MAX_DEPTH:
        raise ValueError(TOO_DEEP)
    refused = budget.too_many_values(json_values_in(text))
    if refused:
        raise ValueError(refused)
    try:
        return json.loads(text)
    except RecursionError:
        # Somebody calls from so deep within Python that not even this fits on the stack.
        raise ValueError(TOO_DEEP) from None


def json_problem(error: ValueError, text: str, line: int) -> Problem:
    """The problem of a text that :func:`parse_json` refused; ``line`` is the number of its first line."""
    offset, what = _wrong(error, text, 0, 0)
    return problem(*place(text, offset, line), what)


def json_document(text: str, line: int = 1, budget: Budget = CLI) -> Iterator[Found]:
    """Values one after the other over many lines, or the entries of an array, each with its place.

    Args:
        text: the document.
        line: the number of its first line.
        budget: how many values it may have.
    """
    places = Places(text, line)
    at = _skip(text, 0)
    refused = budget.too_many_values(json_values_in(text))
    if refused:
        yield problem(*places.at(at), refused)
        return
    in_array = text[at : at + 1] == "["
    at += in_array
    window = _Window(text)
    while True:
        at = _skip(text, at)
        if at >= len(text):
            if in_array:
                end = len(text.rstrip())
                yield problem(*places.at(end), "the array of records is not closed: expected ']'")
            return
        if in_array and text[at] == "]":
            if text[at + 1 :].strip():
                yield problem(*places.at(at + 1), "expected nothing after the array of records")
            return
        where = places.at(at)
        try:
            value, end = window.decode(at)
        except (ValueError, RecursionError) as error:
            offset, what = _wrong(error, text, at, window.base)
            yield problem(*(places.at(offset) if isinstance(error, json.JSONDecodeError) else where), what)
            # Behind what was read: none of it is read once more.
            resume = _NEXT_OBJECT.search(text, max(at + 1, offset))
            if resume is None:
                return
            at = resume.end() - 1
            continue
        own = text[at:end]
        yield problem(*where, TOO_DEEP) if json_depth(own) > MAX_DEPTH else (value, own, where)
        at = end


class _Window:
    """Reads values out of a long text through a small part of it.

    A JSONDecodeError counts the lines of all that was handed to the parser, from its beginning. ``base`` is where the
    part begins, for the places of errors.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._part = text[:_WINDOW]
        self.base = 0

    def decode(self, at: int) -> tuple[Any, int]:
        """The value that begins at ``at``, and where it ends.

        Raises:
            ValueError: as ``json.JSONDecoder.raw_decode``; its ``pos`` counts from ``base``.
            RecursionError: it is nested too deeply.
        """
        if not self.base <= at < self.base + _WINDOW // 2 or len(self._part) > _WINDOW:
            self._move(at, _WINDOW)
        while True:
            whole = self.base + len(self._part) >= len(self._text)
            try:
                value, end = _DECODER.raw_decode(self._part, at - self.base)
            except json.JSONDecodeError as error:
                near_end = error.pos > len(self._part) - _LONGEST_WORD or error.msg.startswith("Unterminated string")
                if whole or not near_end:
                    raise
            else:
                if whole or end < len(self._part):
                    return value, end + self.base
            # The part ends within the value.
            self._move(at, _GROWTH * len(self._part))

    def _move(self, at: int, size: int) -> None:
        self.base, self._part = at, self._text[at : at + size]


def opens_document(first: str) -> bool:
    """True when a line is only the beginning of a JSON value that goes on below."""
    try:
        _DECODER.raw_decode(first)
    except json.JSONDecodeError as error:
        return error.pos >= len(first)
    except (ValueError, RecursionError):
        return False
    return False


def _skip(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _wrong(error: ValueError | RecursionError, text: str, start: int, base: int) -> tuple[int, str]:
    """Where and what is wrong with the JSON that begins at ``start``; an error of the parser counts from ``base``."""
    if isinstance(error, json.JSONDecodeError):
        what = f"not valid JSON ({error.msg}); expected an object with token_ids or text"
        return min(base + error.pos, len(text)), what
    if isinstance(error, RecursionError):
        return _too_deep(text, start) or start, TOO_DEEP
    if "digits" in str(error):
        # Longer numbers Python does not convert, since that takes time with the square of the digits.
        most = sys.get_int_max_str_digits()
        found = next((run for run in _DIGITS.finditer(text, start) if len(run.group()) > most), None)
        what = f"a number has more than {most:,} digits; expected fewer"
        return start if found is None else found.end(), what
    if str(error) == TOO_DEEP:
        return _too_deep(text, start) or start, TOO_DEEP
    return start, str(error)


def _too_deep(text: str, start: int) -> int | None:
    """The offset behind ``start`` where brackets first stand more than :data:`MAX_DEPTH` deep."""
    depth = 0
    for found in _NESTING.finditer(text, start):
        character = text[found.start()]
        depth += 1 if character in "[{" else -1 if character in "]}" else 0
        if depth > MAX_DEPTH:
            return found.start()
    return None
