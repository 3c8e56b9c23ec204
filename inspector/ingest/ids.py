"""The format "ids": token ids in whatever notation people paste.

Read are JSON arrays, Python lists and tuples, what numpy and torch print (``array([...], dtype=int64)``,
``tensor([...])``, lists without commas over many lines), and plain numbers between blanks, commas,
semicolons or line breaks; a label before them (``token_ids = [...]``), ``200_006``, ``0x30d46`` and a sign.
Ids may be any integers of 64 bits, negative ones too. A list of lists is one transcript a row.

Not read, each with its place: numbers beyond, fractions, exponents, ``NaN``, ``true``, words, and the ``...`` of
a shortened print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ..budgets import NO_ID, number_of
from .values import Problem, place, plural, problem, quoted

_PLAIN: Final = re.compile(r"\s*+[\[(]?+[\s\d,;]*+[\])]?+\s*+")
_LABEL: Final = re.compile(
    r"\s*+[\"']?+[A-Za-z_][\w. ]{0,60}+[\"']?+\s*+[:=]\s*+(?=[\[(]|(?:\w++\.)?+(?:array|tensor)\()"
)
_PIECE: Final = re.compile(
    r"""
      (?P<gap>[\s,;]++)
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]++|\d++(?:_\d++)*+)(?=[\s,;\])]|\Z))
    | (?P<open>[\[(]
        | (?:(?:np|numpy|jnp|torch|tf)\.)?(?:array|asarray|tensor|Tensor|u?int(?:8|16|32|64)?|list|tuple)\()
    | (?P<close>[\])])
    | (?P<keyword>(?:dtype|device|requires_grad|shape)\s*+=\s*+(?:'[^'\n]*+'|"[^"\n]*+"|\([\d,\s]*+\)|[\w.:]++))
    | (?P<cut>\.\.\.|…)
    | (?P<other>"[^"\n]{0,200}+"?+|'[^'\n]{0,200}+'?+|[^\s,;\[\]()]++)
    """,
    re.VERBOSE,
)
_DIGITS: Final = re.compile(r"\d++")
_SEPARATOR: Final = re.compile(r"\D")
_PART: Final = 1_000_000
_SHORT: Final = 18
"""Digits of a number that has 64 bits whatever they are. Others are judged one by one, each with its place."""

_PAIRS: Final = {"]": "[", ")": "("}


@dataclass(slots=True)
class Ids:
    """Rows of ids as they were read, what they looked like and what was not readable."""

    rows: list[list[int]] = field(default_factory=list)
    notation: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.rows))

    def describe(self) -> str:
        """Words: "token ids, space-separated, 62 tokens"."""
        rows = f" in {plural(len(self.rows), 'row')}" if len(self.rows) > 1 else ""
        return f"token ids, {self.notation}, {plural(self.count, 'token')}{rows}"


def read_ids(text: str, line: int = 1) -> Ids:
    """Read ids from ``text``, whose first line has the number ``line``. Linear; never raises.

    Reading ends at the first piece that is no integer: the ids before it are kept, with one problem that says
    what was found and what was expected.
    """
    if _PLAIN.fullmatch(text):
        plain = _read_plain(text)
        if plain is not None:
            return plain
    label = _LABEL.match(text)
    return _Scanner(text, line).run(label.end() if label else 0)


def looks_like_ids(text: str) -> float:
    """How sure it is that ``text`` is a list of ids, 0 to 1, judged by its first 20,000 characters."""
    head = text[:20_000]
    label = _LABEL.match(head)
    body = head[label.end() :] if label else head
    bare = body.lstrip()
    numbers = others = 0
    wrapped = label is not None
    for index, piece in enumerate(_PIECE.finditer(bare)):
        kind = piece.lastgroup
        numbers += kind == "number"
        others += kind == "other"
        wrapped = wrapped or (index == 0 and kind == "open")
    if "<|" in head or not numbers:
        return 0.0
    if not others:
        if wrapped or numbers > 1:
            return 0.95
        # One bare number: the id of a marker is meant as an id, any other number may be a word of text.
        return 0.8 if bare.strip() in _MARKER_NUMBERS else 0.3
    share = numbers / (numbers + others)
    if wrapped and bare.rstrip().endswith((")", "]")) and share >= 0.5:
        return 0.8
    return 0.7 if numbers >= 4 and share >= 0.8 else 0.0


_MARKER_NUMBERS: Final = frozenset(str(i) for i in range(199_998, 201_089))


def _read_plain(text: str) -> Ids | None:
    """The fast way for digits and separators within one pair of brackets at most."""
    bare = text.strip()
    opened, closed = bare[:1] in ("[", "("), bare[-1:] in ("]", ")")
    if opened != closed or (opened and _PAIRS[bare[-1]] != bare[0]):
        return None
    ids: list[int] = []
    at = 0
    while at < len(bare):
        # In parts that end between numbers: a string for each number of a long text would take ten times its memory.
        gap = _SEPARATOR.search(bare, min(at + _PART, len(bare)))
        end = gap.start() if gap else len(bare)
        pieces = _DIGITS.findall(bare, at, end)
        if len(max(pieces, key=len, default="")) > _SHORT:
            return None
        ids += map(int, pieces)
        at = end + 1
    return Ids([ids], _notation(bare[:1] if opened else "", bare))


def _notation(opening: str, text: str) -> str:
    head = text[:4000]
    if re.fullmatch(r"\W*\d+\W*", head):
        return {"": "a lone number", "[": "a list", "(": "a tuple"}.get(opening, f"as {opening[:-1]} prints it")
    commas, semicolons = "," in head, ";" in head
    if opening == "[":
        return "a list" if commas else "a list without commas"
    if opening == "(":
        return "a tuple"
    if opening:
        return f"as {opening.rstrip('(')} prints them"
    if commas and not semicolons:
        return "comma-separated"
    if semicolons and not commas:
        return "semicolon-separated"
    if commas:
        return "separated by commas and semicolons"
    gaps = set(re.findall(r"\s+", head.strip()))
    if gaps and all("\n" in gap for gap in gaps):
        return "one per line"
    return "space-separated"


class _Scanner:
    """Reads brackets, numbers and the words around them, piece by piece."""

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.line = line
        self.out = Ids()
        self.row: list[int] = []
        self.stack: list[str] = []
        self.first = ""
        self.rows_closed = 0

    def run(self, start: int) -> Ids:
        at = start
        while at < len(self.text):
            piece = _PIECE.match(self.text, at)
            if piece is None or not self._take(piece):
                break
            at = piece.end()
        else:
            if self.stack:
                self._refuse(len(self.text), f"the list is not closed: expected {_closing(self.stack[-1])!r}")
        self._end_row()
        if not self.out.rows:
            self.out.rows.append([])
        self.out.notation = _notation(self.first, self.text[start:])
        return self.out

    def _take(self, piece: re.Match[str]) -> bool:
        kind, found = piece.lastgroup, piece.group()
        if kind == "number":
            return self._number(piece)
        if kind == "open":
            self.first = self.first or found
            self.stack.append(found)
        elif kind == "close":
            if not self.stack or self.stack[-1][-1] != _PAIRS[found]:
                self._refuse(piece.start(), f"expected an integer, found a closing {found!r} that nothing opened")
                return False
            self.stack.pop()
            # Constructors such as np.int64(5) are not rows; only square brackets inside others are.
            if found == "]" and self.stack:
                self._end_row()
        elif kind == "cut":
            self._refuse(
                piece.start(),
                f"the list was shortened where it was printed ({found!r}); print all of it, with tolist()",
            )
            return False
        elif kind == "other" or (kind == "keyword" and not self.stack):
            what = f"expected an integer, found {quoted(found)}; separate token ids by "
            self._refuse(piece.start(), what + "commas, blanks or newlines")
            return False
        return True

    def _number(self, piece: re.Match[str]) -> bool:
        number = number_of(piece.group())
        if number is None:
            self._refuse(piece.start(), NO_ID)
            return False
        self.row.append(number)
        return True

    def _end_row(self) -> None:
        if self.row:
            self.out.rows.append(self.row)
            self.row = []

    def _refuse(self, offset: int, what: str) -> None:
        count = self.out.count + len(self.row)
        before = "the id before it was" if count == 1 else f"the {count:,} ids before it were"
        kept = f"; {before} kept" if count else ""
        self.out.problems.append(problem(*place(self.text, offset, self.line), what + kept))


def _closing(opening: str) -> str:
    return "]" if opening == "[" else ")"
