"""Headers that no ``<|message|>`` ends: prose without a header, headers given up, cut off or stripped of markers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..tokens import CALL, CHANNEL, RETURN, START, STOPS, Change, Position, WideText, vocabulary, wide_special
from ..tokens.wide import W_END, W_MESSAGE, W_START, printable_body
from . import leak
from .header import read_header
from .inside import BodyReader
from .message import Message
from .resolve import Context, Resolved, resolve
from .state import fields_of
from .tree import HeaderFields, MessageNode
from .words import has_letters

_SAYS_SOMETHING: Final = 12
"""So many characters are a text even without a letter or a digit; fewer are noise."""

_BEGUN: Final = frozenset({"j", "js", "jso", "c", "co", "cod", "t", "to"})
"""What is left of ``json``, ``code`` and ``to=`` when the output is cut off there."""

_GIVEN_UP: Final = "Take the message out: it was given up, and nothing of it was meant for anybody"

W_CHANNEL: Final = wide_special(CHANNEL)


class GivenUpReader(BodyReader):
    """Reads headers that were given up."""

    def _aborted(
        self,
        start: int,
        first: int,
        end: int,
        opened: int | None,
        continued: bool,
    ) -> int:
        """A header that ends in a terminator, another ``<|start|>`` or the end of the transcript."""
        token = self.ids[end] if end < self.count else None
        terminator = end if token in STOPS else None
        wide = WideText(self.ids[first:end], first)
        if leak.promotes(wide.text):
            self._look_alikes(wide)
            self._raw_node(start, first, end, opened, terminator)
            return end if terminator is None else end + 1
        found = leak.split(wide.text, continued=continued, opened=opened is not None, at_end=token is None)
        if found is not None:
            changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in found]
            self._problem("text-leak", first, end, changes, value=wide.text)
            self._raw_node(start, first, end, opened, terminator)
            return end if terminator is None else end + 1
        implicit = opened is None and not continued
        pieces = read_header(wide.text, continued=continued or implicit, aborted=True, names=self.names)
        context = Context(
            role=self.transcript.role if continued else None,
            implicit=implicit,
            aborted=True,
            call=token == CALL,
            called=token == CALL,
            closed=terminator is not None,
            names=self.names,
        )
        resolved = resolve(pieces, context)
        origin = pieces.lexed.origin
        at = resolved.content
        said = pieces.lexed.clean[at:].strip() if at is not None else ""
        says = has_letters(said) or len(said) >= _SAYS_SOMETHING
        if token is None and said in _BEGUN and pieces.of("channel"):
            says = False  # cut off in the middle of a recipient clause or a content type
        stated = bool(resolved.channel or resolved.recipient or resolved.content_type)
        if not says and stated and terminator is not None and self._text_follows(end + 1):
            # A terminator where <|message|> was due: what follows is the body.
            change = Change(Position(end), Position(end + 1), W_MESSAGE)
            self._problem(
                "missing-message", end, end + 1, [change], value="", role=resolved.role, final=False, instead=token
            )
            body_end, closed, following = self._body(end + 1)
            self._raw_node(start, first, body_end, opened, closed)
            return following
        if not says and (terminator is None or not stated):
            return self._drop(start, first, end, opened, terminator, continued)
        body_at = origin(at) if at is not None else len(wide.text)
        for dirt in pieces.lexed.dirt:
            if dirt.start < body_at:
                span = wide.span(dirt.start, dirt.end)
                change = Change(wide.position(dirt.start), wide.position(dirt.end), dirt.replacement)
                self._problem(dirt.kind, span.start, span.end, [change], value=wide.text[dirt.start : dirt.end])
        if implicit:
            self._missing_start(first, resolved)
        for finding in resolved.findings:
            self._report(finding, origin, wide)
        closes = W_END if token is not None and terminator is None else ""
        stop = end if terminator is None else end + 1
        # Something else follows, so this one may as well have been given up.
        removal = self._removal(start, end, stop, continued) if stop < self.count else None
        self._missing_message(wide, body_at, end, resolved, token, closes, removal)
        body = wide.position(body_at)
        fields = fields_of(resolved, wide, origin)
        content = printable_body(wide.text[body_at:])
        message = Message(
            fields.role, content, fields.name, fields.channel, fields.recipient, fields.content_type,
            start, stop, body.token, end,
        )  # fmt: skip
        self.nodes.append(
            MessageNode(start, stop, opened, first, body.token, None, body.token, end, terminator, fields, message)
        )
        return stop

    def _missing_message(
        self,
        wide: WideText,
        body_at: int,
        end: int,
        resolved: Resolved,
        token: int | None,
        closes: str,
        removal: Change | None,
    ) -> None:
        gap = body_at
        while gap > 0 and wide.text[gap - 1] in " \t\r\n":
            gap -= 1
        if gap == 0 and body_at and not resolved.used:
            gap = body_at = 0
        # An answer that lost its whole header: <|return|> says that it was the final one.
        bare = not resolved.channel and not resolved.recipient and not resolved.content_type
        channel = W_CHANNEL + "final" if bare and token == RETURN else ""
        insert = Change(wide.position(gap), wide.position(body_at), channel + W_MESSAGE)
        changes = [insert]
        if closes:
            changes.append(Change(Position(end), Position(end), closes))
        at = wide.position(body_at).token
        self._problem(
            "missing-message",
            at,
            max(at, end),
            changes,
            (("Take the message out: it was given up, nothing of it was meant for anybody", (removal,)),)
            if removal
            else (),
            value=wide.text[body_at:],
            role=resolved.role,
            final=bool(channel),
        )

    def _missing_start(self, first: int, resolved: Resolved) -> None:
        # A recipient or a word must not be glued to the role that is written in front of it.
        begins = any(kind == "recipient" and piece.start == 0 for kind, piece in resolved.used)
        role = "" if resolved.role_stated else "assistant " if begins else "assistant"
        insert = W_START + role
        self._problem("missing-start", first, first + 1, [Change(Position(first), Position(first), insert)])

    def _raw_node(self, start: int, first: int, end: int, opened: int | None, terminator: int | None) -> None:
        """A message of which only the text is known: a fix rewrites it, and the repaired transcript is read anew."""
        stop = end if terminator is None else end + 1
        fields = HeaderFields(self.transcript.role or "assistant", None, None, None, None, ())
        message = Message(
            fields.role, self.scan.text(first, end), start=start, end=stop, body_start=first, body_end=end
        )
        self.nodes.append(MessageNode(start, stop, opened, first, first, None, first, end, terminator, fields, message))

    def _look_alikes(self, wide: WideText) -> None:
        changes = []
        for begin, stop, char in leak.look_alikes(wide.text):
            changes.append(Change(wide.position(begin), wide.position(stop), char))
        self._problem("look-alike-marker", wide.first, wide.first + len(wide.starts) - 1, changes, value=wide.text)

    def _drop(
        self, start: int, first: int, end: int, opened: int | None, terminator: int | None, continued: bool
    ) -> int:
        """A header that says nothing and has no body: it is taken out."""
        stop = end if terminator is None else end + 1
        kind = "truncated-header" if stop == self.count and terminator is None else "empty-header"
        fields = HeaderFields(self.transcript.role or "assistant", None, None, None, None, ())
        node = MessageNode(start, stop, opened, first, end, None, end, end, terminator, fields, None)
        change = self._removal(start, end, stop, continued)
        self._problem(kind, start, max(stop, start + 1), [change], value=self.ids[first:end])
        self.nodes.append(node)
        return stop

    def _text_follows(self, position: int) -> bool:
        """True when text that says something stands at a token, up to a terminator."""
        index = self.scan.after(position)
        stop = self.specials[index] if index < len(self.specials) else self.count
        closed = stop < self.count and self.ids[stop] in STOPS
        return closed and stop > position and has_letters(self.scan.text(position, stop))

    def _removal(self, start: int, end: int, stop: int, continued: bool) -> Change:
        """What takes out the message ``[start, stop)``, whose header was given up at ``end``."""
        if not continued or stop >= self.count:
            return Change(Position(start), Position(stop))
        # The role in the prompt then belongs to the message that follows.
        if self.ids[stop] == START and stop + 1 < self.count and self.ids[stop + 1] == _assistant():
            return Change(Position(start), Position(stop + 2))
        return Change(Position(end), Position(end), W_MESSAGE + ("" if stop > end else W_END))


@lru_cache(maxsize=1)
def _assistant() -> int:
    return vocabulary().encode("assistant")[0]
