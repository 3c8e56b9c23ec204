"""Tool names that a transcript makes known: declared in it, or used where nothing is in doubt."""

from __future__ import annotations

import re
from typing import Final

from ..tokens import MESSAGE, START, STOPS, Scan, Transcript
from .words import NOT_TOOLS, Names, clean_name

_DECLARED: Final = re.compile(r"^\s*type\s+([A-Za-z_][\w\-]*)\s*=\s*\(", re.MULTILINE)
_NAMESPACE: Final = re.compile(r"namespace\s+([A-Za-z_][\w\-]*)\s*\{")
_STATED: Final = re.compile(r"(?:^|[\s>])to=([A-Za-z_][\w.\-]*)(?=[\s<]|$)")
_AUTHOR: Final = re.compile(r"([A-Za-z_][\w\-]*\.[\w.\-]+)(?=[ <]|$)")
_DECLARES: Final = ("developer", "system")
_LONGEST: Final = 60


def names_in(transcript: Transcript, scan: Scan) -> Names:
    """The tools given with a transcript, declared in developer messages, and used in headers.

    Only headers and developer messages are decoded, so this costs little in a long transcript.
    """
    names = Names(transcript.tools)
    _collect(names, scan, continued=transcript.role is not None)
    if transcript.prompt_ids:
        _collect(names, Scan(transcript.prompt_ids), continued=False)
    return names


def declared_in(transcript: Transcript, scan: Scan) -> set[str]:
    """The tools given with a transcript or declared in its developer messages, its prompt's included."""
    return names_in(transcript, scan).declared


def _collect(names: Names, scan: Scan, *, continued: bool) -> None:
    ids = scan.ids
    header = 0 if continued else -1
    for index, position in enumerate(scan.specials):
        token = ids[position]
        if token == START:
            header = position + 1
        elif token in STOPS:
            header = -1
        elif token == MESSAGE and header >= 0:
            if position - header <= _LONGEST:
                text = scan.text(header, position)
                _from_header(names, text)
                if text.startswith(_DECLARES):
                    later = range(index + 1, len(scan.specials))
                    end = next((scan.specials[i] for i in later if ids[scan.specials[i]] in STOPS), len(ids))
                    for name in _declarations(scan.text(position + 1, end)):
                        names.add(name, declared=True)
            header = -1


def _from_header(names: Names, text: str) -> None:
    author = _AUTHOR.match(text)
    if author is not None:
        names.add(author.group(1))
    for stated in _STATED.findall(text):
        name, _, _ = clean_name(stated)
        if name not in NOT_TOOLS and not name.endswith("."):
            names.add(name)


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
