"""How much of anything is read: every limit on what comes from outside, with the sentence that refuses more.

Each is checked before the work that it bounds. The sentences are clauses without a full stop, since most of them stand
behind a place ("line 3, column 8: ...").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, ValuesView
from dataclasses import dataclass
from typing import Final

LEAST_ID: Final = -(2**63)
MOST_ID: Final = 2**64 - 1
"""The least and the greatest id: whatever any program keeps in 64 bits, with a sign or without."""

MAX_DEPTH: Final = 200
"""JSON within JSON. Records of vLLM with the tool schemas of large agents stay below 30; Python's own recursion ends
between 800 and 1,000, for each of reading, writing and comparing at another depth, so none of them gets there."""

MAX_MEMBERS: Final = 20_000
"""Files that an archive may have."""

MAX_STREAMS: Final = 100_000
"""Streams that a gzip file may be put together from. A log that packs each line by itself has one a line; beginning
one takes 10 microseconds."""

MAX_DIRECTORY: Final = 4 * 2**20
"""Bytes that an archive's own list of its files may have."""

MAX_TOML: Final = 4 * 2**20
"""Characters of a TOML file. A sample of 262,144 tokens, written as text, has about 1.2 million."""

MAX_DOTS: Final = 16
"""Names in a dotted TOML key. Each prefix of the key is kept as a tuple, so memory grows with the square of it, and a
key of 100 bytes can cost gigabytes within the parser. A sample's longest key has one name."""

MAX_SAMPLES: Final = 20_000
"""Samples of one gallery, and transcripts of one input that the app lists."""

MAX_MEMBER: Final = 64 * 2**20
MAX_GALLERY: Final = 128 * 2**20
"""Bytes of one file of a gallery, and of all of them, after they were decompressed."""

MAX_LISTED: Final = 10
"""Problems of one kind that are listed one by one; what comes after is counted."""

_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# Strings of all four kinds, quoted names among them, and comments. A string that does not end goes on to the end, where
# the parser stops too.
_TOML_TEXT: Final = re.compile(
    r'''"""[^"\\]*+(?:(?:\\.|"{1,2}+(?!"))[^"\\]*+)*+(?:"{3,5}+)?+'''
    r"""|'''[^']*+(?:'{1,2}+(?!')[^']*+)*+(?:'{3,5}+)?+"""
    r"""|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?+|'[^'\n]*+'?+|\#[^\n]*+""",
    re.DOTALL,
)
_DOTTED: Final = re.compile(rf"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]++[ \t]*+\.[ \t]*+){{{MAX_DOTS},}}+")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_PIECE: Final = 2**20


def in_few_lines(sentences: Sequence[str]) -> list[str]:
    """The first of many sentences, and how many there are besides; a single one that would be left over is told.

    >>> len(in_few_lines(["bad"] * 60_000)), in_few_lines(["bad"] * 60_000)[-1]
    (11, 'and 59,990 more like these.')
    """
    left = len(sentences) - MAX_LISTED
    return list(sentences) if left <= 1 else [*sentences[:MAX_LISTED], f"and {left:,} more like these."]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one place of the product takes in at once.

    Attributes:
        place: its name in a sentence, "the app".
        tokens: of one transcript, its prompt counted apart.
        characters: of the text of one transcript.
        records: transcripts of one input; those beyond are not read.
        values: JSON values of one document: numbers, strings, lists, objects, at some 30 to 110 bytes of memory each.
        notes: JSON values of the meta of one transcript, which is kept without it when it has more; and its tools.
        together: what is kept of all transcripts of one input: tokens, those of prompts, probabilities, alternatives,
            values of meta, at some 40 to 110 bytes each. The first is read in any case: it has budgets of its own.
        unpacked: bytes that one input has after it was decompressed.
        advice: what to do with more.
    """

    place: str
    tokens: int
    characters: int
    records: int
    values: int
    notes: int
    together: int
    unpacked: int
    advice: str

    def too_many_tokens(self, count: int, what: str = "a transcript") -> str | None:
        """Why a transcript of ``count`` tokens is not read; None when it is."""
        return self._refusal(count, self.tokens, "token", what)

    def too_many_characters(self, count: int, what: str = "a text") -> str | None:
        """Why a text of ``count`` characters is not read as one transcript; None when it is."""
        return self._refusal(count, self.characters, "character", what)

    def too_many_values(self, count: int) -> str | None:
        """Why a JSON document of ``count`` values is not read; None when it is."""
        return self._refusal(count, self.values, "value", "JSON")

    def too_many_bytes(self, count: int) -> str | None:
        """Why an input of ``count`` bytes is not read; None when it is."""
        return self._refusal(count, self.unpacked, "byte", "an input")

    def too_many_notes(self, count: int, noun: str = "value") -> str | None:
        """Why so many values of meta, or tools, are not kept; ``count`` is exact up to :attr:`notes`."""
        return (
            None if count <= self.notes else f"has more than {self.notes:,} {noun}s, which {self.place} does not keep"
        )

    def together_left_out(self, read: int) -> str:
        """That the records behind the first ``read`` are not read, for what all of them have :attr:`together`."""
        first = "the first record was" if read == 1 else f"the first {read:,} records were"
        return (
            f"{first} read: {self.place} reads {self.together:,} tokens of an input, probabilities, alternatives and "
            f"values of meta counted as such; {self.advice}"
        )

    def records_left_out(self) -> str:
        """That the records beyond :attr:`records` are not read."""
        return f"{self.place} reads the first {self.records:,} records of an input; {self.advice}"

    def _refusal(self, count: int, most: int, noun: str, holder: str) -> str | None:
        if count <= most:
            return None
        return f"{holder} of {count:,} {noun}s is more than {self.place} reads ({most:,}); {self.advice}"


CLI: Final = Budget(
    place="the command line",
    tokens=2**24,
    characters=256 * 2**20,
    records=1_000_000,
    values=2**26,
    notes=1_000_000,
    together=2**26,
    unpacked=256 * 2**20,
    advice="split it",
)
"""Of ``inspect`` and of each record that ``scan`` reads: ten million tokens, 80 MB as ids, are well within."""

APP: Final = Budget(
    place="the app",
    tokens=2**18,
    characters=8 * 2**20,
    records=MAX_SAMPLES,
    values=10_000_000,
    notes=100_000,
    together=2**21,
    unpacked=64 * 2**20,
    advice="use `harmonylens inspect FILE` for one, or `harmonylens scan FILE` for many",
)
"""Of a paste, an upload, a link. 262,144 tokens are twice the whole context of gpt-oss (131,072), which the screen is
measured with; as text they have about a million characters, and 8 million where every token is 32 blanks. A record of
131,072 tokens with 20 alternatives each has 8.1 million JSON values in 55 MB.

A record goes to the workers and back as a whole, and packing and unpacking hold up every other session: 0.9 s and 0.3 s
for those alternatives, 1.3 s and 0.5 s for the most there can be (3.3 million, of one token). A meta of 100,000 values
takes 0.02 s and 0.04 s, one of 4.9 million empty lists, 15 MB, took 2.3 s and 2.3 s, several times for each page; the
largest of the records that the product is tested with has 104. What a session holds takes 80 MB for 2,097,152 ids, 380
to 470 MB for the ten million ids that 22 MB of gzip can have."""


MAX_LINK_BODY: Final = 4 * 2**20
"""Bytes that a link may unpack to: 262,144 ids take 2 to 3 bytes each, the greatest 10."""


GALLERY: Final = Budget(
    place="a gallery",
    tokens=CLI.tokens,
    characters=CLI.characters,
    records=MAX_SAMPLES,
    values=APP.values,
    notes=APP.notes,
    together=2**23,
    unpacked=MAX_GALLERY,
    advice="split it, or write it as JSON lines",
)
"""Of each file of a gallery, which the app holds whole; ``together`` is of all its files. That is 42 MB on the way from
a worker, of the 64 MB that an answer may have."""


def is_id(number: int) -> bool:
    """Whether a number can be a token id: known or not, it has 64 bits."""
    return LEAST_ID <= number <= MOST_ID


def first_beyond(ids: Sequence[int]) -> int | None:
    """The index of the first number that can be no id, None where all can."""
    if not ids or (is_id(min(ids)) and is_id(max(ids))):
        return None
    return next(index for index, number in enumerate(ids) if not is_id(number))


NO_ID: Final = "expected a token id, found a number beyond 64 bits"
"""The sentence of an id that is none, behind its place. The number is not repeated: it may have a million digits."""


def number_of(digits: str) -> int | None:
    """The number that ``digits`` spell, decimal or ``0x``, with a sign and underscores; None beyond 64 bits.

    Judged before it is converted, which takes time with the square of the digits.
    """
    if len(digits) <= 18:
        return int(digits, 16) if digits.lstrip("+-")[:2].lower() == "0x" else int(digits)
    bare = digits.lstrip("+-").replace("_", "")
    base = 16 if bare[:2].lower() == "0x" else 10
    bare = bare[2:].lstrip("0") if base == 16 else bare.lstrip("0")
    if len(bare) > 20:
        return None
    number = int(bare or "0", base)
    number = -number if digits.startswith("-") else number
    return number if is_id(number) else None


def toml_refusal(text: str) -> str | None:
    """Why a TOML text is not parsed at all; None when it is. Linear, as no parser of TOML is."""
    if len(text) > MAX_TOML:
        return f"it has {len(text):,} characters; at most {MAX_TOML:,} are read, write it as JSON lines"
    bare = _TOML_TEXT.sub("x", text)
    if _DOTTED.search(bare):
        return f"a key has more than {MAX_DOTS} names; expected one or two"
    brackets = bare.encode("utf-8", "replace").translate(None, _NOT_BRACKETS)
    if _deepest(brackets) > MAX_DEPTH:
        return f"it is nested too deeply: more than {MAX_DEPTH} levels"
    return None


def values_in(value: object, most: int) -> int:
    """How many JSON values there are in one that was read, itself counted; beyond ``most`` any greater number."""
    count, left = 1, [value]
    while left and count <= most:
        holder = left.pop()
        inner = holder.values() if isinstance(holder, Mapping) else holder
        if isinstance(inner, list | ValuesView):
            count += len(inner)
            if count <= most:
                left.extend(each for each in inner if isinstance(each, Mapping | list))
    return count


def json_values_in(text: str) -> int:
    """About how many values a JSON text has, never fewer; counted without reading it."""
    count = _openings(text)
    if count < 1_000_000:
        return count
    # Commas within strings are none: only a text that might be refused for them is looked at again.
    return _openings(_STRING.sub("", text))


def _openings(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{") + text.count(":") + 1


def json_depth(text: str) -> int:
    """How deep the brackets of a JSON text stand in each other at most, those in strings left out. Linear.

    Of a text with few brackets only their number is known, which is no less.
    """
    openings = text.count("[") + text.count("{")
    if openings <= MAX_DEPTH:
        return openings
    brackets = _STRING.sub("", text).encode("utf-8", "replace").translate(None, _NOT_BRACKETS)
    return _deepest(brackets)


def _deepest(brackets: bytes) -> int:
    import numpy as np

    deepest = depth = 0
    for start in range(0, len(brackets), _PIECE):
        steps = np.frombuffer(brackets[start : start + _PIECE].translate(_STEPS), dtype=np.int8)
        heights = np.cumsum(steps, dtype=np.int64)
        deepest = max(deepest, depth + int(heights.max()))
        depth += int(heights[-1])
    return deepest


TOO_DEEP: Final = (
    f"the JSON is nested too deeply: more than {MAX_DEPTH} levels, or so many brackets that are not closed"
)
"""The sentence of JSON beyond :data:`MAX_DEPTH`."""
