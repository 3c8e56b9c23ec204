"""Reading a header: every word is given a meaning, or called what it is, without ever raising.

The strict parser reads a header from its end and takes any word for any field. This reader goes by the markers
instead: what follows ``<|channel|>`` is a channel if it can be one, ``to=`` names the recipient, what follows
``<|constrain|>`` is the content type; the rest is a stray word. :func:`read_header` gives the pieces;
:mod:`inspector.harmony.resolve` settles who wins where several claim one field.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from . import words
from .lexer import Lexed, Lexeme
from .message import CHANNELS, ROLES
from .words import Names

_SEPARATORS: Final = tuple(",;:|/.?!")
"""What may stand between a channel and the next word of a header."""

LONGEST_SPLIT: Final = 4000
"""Characters of a header that may still hold a whole message; in a longer one everything stray is chatter."""

MOST_CUTS: Final = 32
"""So often one word (text without a blank) is cut where a field ends; what is left is one stray word. Every cut copies
the rest, and a word has no more fields to give: the most pieces that a model was seen to glue together is four."""

_TO: Final = re.compile(r"to=|to:(?=[A-Za-z_\"'])")
PROSE_BETWEEN: Final = 5
"""So many stray words between two channel markers are a body that lost its ``<|message|>``, not chatter."""


@dataclass(slots=True, eq=False)
class Piece:
    """A piece of a header. Offsets are into the clean text; ``marker`` is where its marker stands, or -1.

    ``order`` is its place among the header's pieces. Kinds: role, name, channel (known), channel-word (a
    channel without its marker), odd-channel (a word in a channel slot that is none), recipient, type,
    constrained (a type behind ``<|constrain|>``), odd-type, word (stray), punctuation, marker (alone), start.
    """

    kind: str
    value: str
    start: int
    end: int
    marker: int = -1
    garbled: bool = False
    order: int = -1

    @property
    def whole(self) -> int:
        """Where it starts, its marker included."""
        return self.marker if self.marker >= 0 else self.start


@dataclass(slots=True)
class Pieces:
    """A header cut into pieces. ``content`` is where an aborted header turns into body text, or None."""

    lexed: Lexed
    items: list[Piece] = field(default_factory=list)
    content: int | None = None
    split: int | None = None

    def of(self, *kinds: str) -> list[Piece]:
        """The pieces of some kinds, in order."""
        return [p for p in self.items if p.kind in kinds]


class _Reader:
    def __init__(self, lexed: Lexed, *, continued: bool, aborted: bool, names: Names) -> None:
        self.out = Pieces(lexed)
        self.names = names
        self.aborted = aborted
        self.slot = "open" if continued else "role"
        self.first = True
        self.marker = -1
        self.stray = 0
        self.has_channel = False
        self.short = lexed.length < LONGEST_SPLIT

    def read(self) -> Pieces:
        lexemes = self.out.lexed.lexemes
        for index, lexeme in enumerate(lexemes):
            if self.out.content is not None:
                break
            if lexeme.kind == "word":
                self._word(lexeme, alone=index + 1 == len(lexemes) or lexemes[index + 1].kind != "word")
            else:
                self._marker(lexeme)
        self._flush_marker()
        return self.out

    def _add(self, kind: str, value: str, start: int, end: int, *, garbled: bool = False) -> None:
        self.out.items.append(Piece(kind, value, start, end, self.marker, garbled, len(self.out.items)))
        self.marker = -1
        self.stray = self.stray + 1 if kind == "word" else 0
        self.has_channel = self.has_channel or kind == "channel"

    def _flush_marker(self) -> None:
        if self.marker >= 0:
            at = self.marker
            self.marker = -1
            self.out.items.append(Piece("marker", self.slot, at, at + 1, order=len(self.out.items)))

    def _marker(self, lexeme: Lexeme) -> None:
        self._flush_marker()
        if lexeme.kind == "start":
            self.out.items.append(Piece("start", "", lexeme.start, lexeme.end, order=len(self.out.items)))
            return
        if lexeme.kind == "channel" and self.stray >= PROSE_BETWEEN and self.has_channel and self.short:
            self.out.split = lexeme.start
            self.out.content = self._first_of_last_run()
            return
        self.slot, self.first, self.marker, self.stray = lexeme.kind, True, lexeme.start, 0

    def _first_of_last_run(self) -> int:
        at = self.out.items[-1].start
        for piece in reversed(self.out.items):
            if piece.kind != "word":
                break
            at = piece.start
        return at

    def _word(self, lexeme: Lexeme, *, alone: bool) -> None:
        queue: deque[tuple[str, int]] = deque([(lexeme.text, lexeme.start)])
        glued = False
        cuts = 0
        while queue and self.out.content is None:
            text, start = queue.popleft()
            if not text:
                continue
            cuts += 1
            if cuts > MOST_CUTS:
                self._stray(text, start)
                continue
            slot, first = self.slot, self.first
            self.first = False
            if first and slot == "channel" and "<" in text:
                # The releases end a channel's value at "<".
                cut = text.index("<")
                if cut == 0:
                    self._flush_marker()
                    first = False
                else:
                    queue.append((text[cut:], start + cut))
                    text = text[:cut]
            if first and slot == "role":
                rest = self._role(text, start, alone)
            elif first and slot == "open":
                rest = self._opening(text, start, alone)
            elif first and slot == "channel":
                rest = self._channel(text, start, alone)
            elif first and slot == "constrain":
                rest = self._constrain(text, start, alone)
            else:
                rest = self._other(text, start, glued)
            glued = True
            if rest is not None:
                queue.appendleft(rest)

    # What each slot takes. Every method returns what is left of the word, with its offset, or None.

    def _role(self, text: str, start: int, alone: bool) -> tuple[str, int] | None:
        if text in ROLES or (self.aborted and alone and any(r.startswith(text) for r in ROLES)):
            self._add("role", text, start, start + len(text))
            return None
        if _TO.match(text):
            return self._recipient(text, start)
        for role in ROLES:
            rest = text[len(role) :]
            if text.startswith(role) and rest and (rest[0] == ":" or self._begins_field(rest)):
                self._add("role", role, start, start + len(role))
                if rest[0] == ":":
                    self._add("punctuation", rest, start + len(role), start + len(text))
                    return None
                return rest, start + len(role)
        channel, at, end = words.split_channel(text)
        if channel is not None and at == 0 and (text == channel or self.aborted):
            self._add("channel-word", channel, start, start + end, garbled=text[:end] != channel)
            return self._after(text[end:], start + end)
        meant = words.as_role(text)
        if meant is not None:
            self._add("role", meant, start, start + len(text), garbled=True)
            return None
        self._add("role-word", text, start, start + len(text))
        return None

    def _opening(self, text: str, start: int, alone: bool) -> tuple[str, int] | None:
        """The first word of a message that continues the prompt's ``<|start|>assistant``."""
        if text in ROLES and (not self.aborted or alone):
            self._add("role", text, start, start + len(text))
            return None
        if text.startswith("assistant") and self._begins_field(text[9:]):
            self._add("role", "assistant", start, start + 9)
            return text[9:], start + 9
        channel, at, end = words.split_channel(text)
        if channel is not None and at == 0:
            rest = text[end:]
            exact = text[:end] == channel
            # "analysis of ..." is prose; "analysisUser asks" and "final<|message|>" have lost their marker.
            if exact and (
                (rest and (rest[0].isupper() or self._begins_field(rest))) or (not rest and (alone or not self.aborted))
            ):
                self._add("channel-word", channel, start, start + end)
                return self._after(rest, start + end)
        return self._other(text, start, False)

    @staticmethod
    def _begins_field(rest: str) -> bool:
        return rest.startswith(("to=", *CHANNELS)) or any(
            rest == t or rest.startswith((t + "{", t + "[")) for t in words.GLUED_TYPES
        )

    def _channel(self, text: str, start: int, alone: bool) -> tuple[str, int] | None:
        channel, at, end = words.split_channel(text)
        if channel is not None:
            rest = text[end:]
            if at:
                self.out.items.append(Piece("punctuation", text[:at], start, start + at, order=len(self.out.items)))
            if self.aborted and rest and not self._begins_field(rest) and not rest.startswith(_SEPARATORS):
                # Without <|message|>, what is glued to the channel is the body: "final42", "analysisWe need".
                self._add("channel", channel, start + at, start + end, garbled=text[at:end] != channel)
                self._body(start + end)
                return None
            short = bool(rest) and rest.isalnum() and len(rest) <= 2
            stop = end + len(rest) if short else end
            self._add("channel", channel, start + at, start + stop, garbled=short or text[at:end] != channel)
            return None if short else self._after(rest, start + end)
        if _TO.match(text):
            self._flush_marker()
            return self._recipient(text, start)
        near = words.near_channel(text)
        if near is not None and self.names.resolve(text) is None:
            self._add("channel", near, start, start + len(text), garbled=True)
            return None
        brace = re.search(r"[{\[]", text)
        if self.aborted and not words.is_dotted_tool(text) and (not alone or not words.has_letters(text) or brace):
            self._body(start)
            return None
        if words.as_content_type(text) is not None:
            self._add("type", text, start, start + len(text))
            return None
        self._add("odd-channel", text, start, start + len(text))
        return None

    def _constrain(self, text: str, start: int, alone: bool) -> tuple[str, int] | None:
        if _TO.match(text):
            self._flush_marker()
            return self._recipient(text, start)
        if words.as_content_type(text) is not None:
            self._add("constrained", text, start, start + len(text))
            return None
        if text in CHANNELS:
            self._add("constrained-channel", text, start, start + len(text))
            return None
        garbled = words.garbled_content_type(text)
        if garbled is not None:
            self._add("constrained", garbled, start, start + len(text), garbled=True)
            return None
        for known in words.GLUED_TYPES:
            if text.startswith((known + "{", known + "[")):
                self._add("constrained", known, start, start + len(known))
                return text[len(known) :], start + len(known)
        if self.aborted and (not alone or text[0] in "{["):
            self._body(start)
            return None
        self._add("odd-type", text, start, start + len(text))
        return None

    def _recipient(self, text: str, start: int) -> tuple[str, int] | None:
        value = text[3:]
        name, at, end = words.clean_name(value)
        rest = value[end:]
        again = name.find("to=") if "to=" in name else -1
        if again > 0:
            end = at + again
            name, rest = value[at:end], value[end:]
        # The piece covers the quotes around a name as well.
        written_otherwise = text[2] != "="
        quoted = at > 0 and rest[:1] in "\"'`>)]}*" and rest[:1] != ""
        self._add(
            "recipient",
            name,
            start,
            start + 3 + end + (1 if quoted else 0),
            garbled=at > 0 or quoted or written_otherwise,
        )
        return self._after(rest[1:] if quoted else rest, start + 3 + end + (1 if quoted else 0))

    def _after(self, rest: str, start: int) -> tuple[str, int] | None:
        """What is glued to the end of a field: punctuation is set aside, the rest is a word of its own."""
        if not rest:
            return None
        skip = 0
        while skip < len(rest) and not rest[skip].isalnum() and rest[skip] not in "{[#(_":
            skip += 1
        if skip:
            self._add("punctuation", rest[:skip], start, start + skip)
        return (rest[skip:], start + skip) if skip < len(rest) else None

    def _other(self, text: str, start: int, glued: bool) -> tuple[str, int] | None:
        if _TO.match(text):
            return self._recipient(text, start)
        if words.as_content_type(text) is not None:
            self._add("type", text, start, start + len(text))
            return None
        for known in words.GLUED_TYPES:
            if text.startswith((known + "{", known + "[")):
                self._add("type", known, start, start + len(known))
                return text[len(known) :], start + len(known)
        if text in CHANNELS and (glued or not (self.aborted and self.slot in ("open", "role"))):
            self._add("channel-word", text, start, start + len(text))
            return None
        channel, _at, end = words.split_channel(text) if glued else (None, 0, 0)
        if channel is not None:
            self._add("channel-word", channel, start, start + end)
            return self._after(text[end:], start + end)
        to = re.search(r"to=[\w\"']", text)
        if to is not None and to.start() and (text[: to.start()] in CHANNELS or not text[: to.start()].isalnum()):
            self._add("word", text[: to.start()], start, start + to.start())
            return text[to.start() :], start + to.start()
        self._stray(text, start)
        return None

    def _stray(self, text: str, start: int) -> None:
        """What is no field: text of the body in an aborted header, else a word or punctuation."""
        bare = not self.out.items and self.marker < 0
        if self.aborted and (bare or words.has_letters(text) or text[0] in "{[(#"):
            self._body(start)
            return
        self._add("word" if words.has_letters(text) else "punctuation", text, start, start + len(text))

    def _body(self, start: int) -> None:
        if not self.out.items and self.marker < 0:
            start = 0
        self._flush_marker()
        self.out.content = start


def read_header(text: str, *, continued: bool, aborted: bool, names: Names) -> Pieces:
    """Cut a header's wide text into pieces. Linear in its length; never raises.

    ``continued`` says that the role was in the prompt, ``aborted`` that no ``<|message|>`` ends the header, so
    that prose in it is body text.
    """
    return _Reader(Lexed(text), continued=continued, aborted=aborted, names=names).read()
