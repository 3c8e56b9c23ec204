"""Tool names that a transcript makes known: declared in it, or used where nothing is in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from ..tokens import MESSAGE, START, STOPS, Scan, Transcript, vocabulary
from .words import NOT_TOOLS, Names, clean_name

# The line's own white space only: with that of the lines before it, every blank line would be gone through anew.
_DECLARED: Final = re.compile(r"^[^\S\n]*+type\s++([A-Za-z_][\w\-]*+)\s*+=\s*+\(", re.MULTILINE)
_NAMESPACE: Final = re.compile(r"namespace\s++([A-Za-z_][\w\-]*+)\s*+\{")
_STATED: Final = re.compile(r"(?:^|[\s>])to=([A-Za-z_][\w.\-]*+)(?=[\s<]|$)")
_AUTHOR: Final = re.compile(r"([A-Za-z_][\w\-]*+\.[\w.\-]++)(?=[ <]|$)")
_LONGEST: Final = 60


def names_in(transcript: Transcript, scan: Scan) -> Names:
    """The tools given with a transcript, declared in developer messages, and used in headers.

    Only headers and developer messages are decoded, so this costs little in a long transcript.
    """
    names = Names(transcript.tools)
    declared = _Declarations()
    for ids, own, header in _headers(transcript, scan):
        stated = _header_names(tuple(ids[header[0] : header[1]]))
        for name in stated:
            names.add(name)
        for name in declared.behind(own, header):
            names.add(name, declared=True)
    return names


def declared_in(transcript: Transcript, scan: Scan) -> set[str]:
    """The tools given with a transcript or declared in its developer messages, its prompt's included."""
    names = Names(transcript.tools)
    declared = _Declarations()
    for _, own, header in _headers(transcript, scan):
        for name in declared.behind(own, header):
            names.add(name, declared=True)
    return names.declared


def _headers(transcript: Transcript, scan: Scan) -> Iterator[tuple[Sequence[int], Scan, tuple[int, int]]]:
    """Short headers that end in ``<|message|>``, of the transcript and of its prompt."""
    scans = [(scan, transcript.role is not None)]
    if transcript.prompt_ids:
        scans.append((Scan(transcript.prompt_ids), False))
    for own, continued in scans:
        ids = own.ids
        start = 0 if continued else -1
        for position in own.specials:
            token = ids[position]
            if token == START:
                start = position + 1
            elif token in STOPS:
                start = -1
            elif token == MESSAGE and start >= 0:
                if position - start <= _LONGEST:
                    yield ids, own, (start, position)
                start = -1


class _Declarations:
    """What the messages behind headers declare; a stretch that several headers share is looked at once."""

    def __init__(self) -> None:
        self._scan: Scan | None = None
        self._seen = 0  # the end of the last message that was looked at

    def behind(self, scan: Scan, header: tuple[int, int]) -> list[str]:
        """The tools that the message behind a header declares; headers are asked for in order."""
        start, separator = header
        if scan is not self._scan:
            self._scan, self._seen = scan, 0
        # Without a terminator one message reaches beyond the next header: that one has nothing new to say.
        if separator < self._seen or scan.ids[start] not in _declaring():
            return []
        stop = scan.after(separator + 1)
        while stop < len(scan.specials) and scan.ids[scan.specials[stop]] not in STOPS:
            stop += 1
        self._seen = scan.specials[stop] if stop < len(scan.specials) else len(scan.ids)
        return _declarations(scan.text(separator + 1, self._seen))


@lru_cache(maxsize=1)
def _declaring() -> frozenset[int]:
    """First tokens of the headers whose messages declare tools."""
    return frozenset(vocabulary().encode(role)[0] for role in ("developer", "system"))


@lru_cache(maxsize=4096)
def _header_names(ids: tuple[int, ...]) -> tuple[str, ...]:
    """Tool names that a header states: its recipients, its author when that is a tool."""
    text = vocabulary().decode(ids)
    found = []
    author = _AUTHOR.match(text)
    if author is not None:
        found.append(author.group(1))
    for stated in _STATED.findall(text):
        name, _, _ = clean_name(stated)
        if name not in NOT_TOOLS and not name.endswith("."):
            found.append(name)
    return tuple(found)


def _declarations(text: str) -> list[str]:
    """Functions declared as TypeScript types inside ``namespace X { ... }``, as the format guide renders tools."""
    found = []
    spaces = list(_NAMESPACE.finditer(text))
    for index, space in enumerate(spaces):
        end = spaces[index + 1].start() if index + 1 < len(spaces) else len(text)
        close = text.find(f"}} // namespace {space.group(1)}", space.end(), end)
        inner = text[space.end() : close if close >= 0 else end]
        found += [f"{space.group(1)}.{name}" for name in _DECLARED.findall(inner)]
    return found
