"""A header's wide text as markers and words, with the dirt taken out but not forgotten."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ..tokens.markers import CHANNEL, CONSTRAIN, MARKERS, START
from ..tokens.wide import special_id, wide_special

# Zero-width, bidirectional and control characters: never part of a name, invisible to whoever looks.
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"
)
_EXOTIC_SPACE: Final = "\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BROKEN: Final = "\ufffd\udc80-\udcff\udd00"

_W_CHANNEL, _W_CONSTRAIN, _W_START = wide_special(CHANNEL), wide_special(CONSTRAIN), wide_special(START)
_DIRT: Final = re.compile(
    f"(?P<broken>[{_BROKEN}]++)|(?P<invisible>[{_INVISIBLE}]++)|(?P<space>[{_EXOTIC_SPACE}]++)"
    f"|(?P<special>(?:(?![{_W_CHANNEL}{_W_CONSTRAIN}{_W_START}])[\ud800-\udbff\udc00-\udc42])++)"
    r"|(?P<alike><\|?(?P<which>channel|constrain|start)\|?>)"
)
_MARKER: Final = f"{_W_CHANNEL}{_W_CONSTRAIN}{_W_START}"
_BLANK: Final = " \\t\\n\\r\\f"
_LEXEME: Final = re.compile(f"(?P<marker>[{_MARKER}])|(?P<space>[{_BLANK}]++)|(?P<word>[^{_BLANK}{_MARKER}]++)")
_BY_NAME: Final = {"channel": _W_CHANNEL, "constrain": _W_CONSTRAIN, "start": _W_START}


@dataclass(frozen=True, slots=True)
class Dirt:
    """Something in a header that no header has: ``kind`` is the rule that speaks of it."""

    kind: str
    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A marker ("channel", "constrain", "start") or a "word"; offsets are into the clean text."""

    kind: str
    text: str
    start: int
    end: int


class Lexed:
    """The lexemes of a header's wide text.

    ``clean`` is the text without dirt; :meth:`origin` leads from its offsets back to those of the wide text, which has
    ``length`` characters.
    """

    __slots__ = ("_origin", "_replaced", "clean", "dirt", "length", "lexemes")

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self.dirt: list[Dirt] = []
        clean: list[str] = []
        origin: list[int] = []
        at = 0
        for match in _DIRT.finditer(text):
            clean.append(text[at : match.start()])
            origin += range(at, match.start())
            at = match.end()
            kept = ""
            if match["space"]:
                kept = " "
                self.dirt.append(Dirt("odd-space", match.start(), at, " "))
            elif match["broken"]:
                self.dirt.append(Dirt("undecodable-header", match.start(), at))
            elif match["invisible"]:
                self.dirt.append(Dirt("invisible-character", match.start(), at))
            elif match["special"]:
                self.dirt.append(Dirt("special-token-in-header", match.start(), at))
            else:
                kept = _BY_NAME[match["which"]]
                self.dirt.append(Dirt("look-alike-marker", match.start(), at, kept))
            if kept:
                clean.append(kept)
                origin.append(match.start())
        clean.append(text[at:])
        origin += range(at, len(text) + 1)
        self._replaced = {dirt.start: dirt.end for dirt in self.dirt if dirt.replacement}
        self.clean = "".join(clean)
        self._origin = origin
        self.lexemes = [self._lexeme(m) for m in _LEXEME.finditer(self.clean) if not m["space"]]

    def origin(self, offset: int, *, end: bool = False) -> int:
        """The offset in the wide text; with ``end``, of the end of a piece (dirt behind it is not part of it)."""
        if end and offset:
            before = self._origin[offset - 1] + 1
            # A look-alike marker is one clean character but many in the wide text.
            return self._replaced.get(before - 1, before)
        return self._origin[offset]

    @staticmethod
    def _lexeme(match: re.Match[str]) -> Lexeme:
        if match["marker"]:
            name = MARKERS[special_id(match.group()) or 0]
            return Lexeme(name, match.group(), match.start(), match.end())
        return Lexeme("word", match.group(), match.start(), match.end())
