"""The reader: tokens in, a lossless tree and a list of problems out. Never raises, always reads to the end.

The transcript is walked from one special token to the next (found by one vectorised scan), so cost grows with
the number of messages, not of tokens. Headers repeat: what a clean one says is remembered by its ids.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..tokens import (
    CALL,
    CHANNEL,
    CONSTRAIN,
    MESSAGE,
    RETURN,
    START,
    STOPS,
    Change,
    Position,
    Scan,
    Transcript,
    WideText,
)
from ..tokens.wide import W_MESSAGE, W_START
from . import bodies, leak
from .given_up import GivenUpReader
from .header import Pieces, read_header
from .message import Message
from .resolve import Context, resolve
from .state import fields_of
from .tree import HeaderFields, MessageNode, StrayNode, Tree
from .words import Names, has_glued_type, has_letters

_NOTHING: Final = Names()
_PROSE: Final = 5
"""So many words, and no field among them, are no header."""

_LONGEST_CLEAN: Final = 64
"""Tokens of a header that may be remembered; one that a model was trained to write has some 12."""

_HEADER_KINDS: Final = ("role", "channel", "channel-word", "recipient", "constrained", "constrained-channel", "type")


def read(transcript: Transcript, scan: Scan | None = None) -> Tree:
    """The tree of a transcript, with the problems in it. Linear in the number of tokens.

    ``scan``, when given, is that of the transcript's ids.
    """
    return _Reader(transcript, scan if scan is not None else Scan(transcript.ids)).read()


class _Reader(GivenUpReader):
    def read(self) -> Tree:
        position = 0
        if self.transcript.role is not None and not self.count:
            self._problem("truncated-header", 0, 0, [], value=())
        elif self.transcript.role is not None:
            position = self._header(0, 0, None, continued=True)
        while position < self.count:
            position = self._between(position)
        return Tree(self.transcript, tuple(self.nodes), tuple(self.problems))

    def _between(self, position: int) -> int:
        """Between messages: a ``<|start|>`` is due at ``position``."""
        ids = self.ids
        if ids[position] == START:
            return self._header(position, position + 1, position)
        index = self.scan.after(position)
        end = self.specials[index] if index < len(self.specials) else self.count
        token = ids[end] if end < self.count else None
        text = self.scan.text(position, end)
        if token in (CHANNEL, CONSTRAIN, MESSAGE):
            return self._header(position, position, None)
        says = has_letters(text) and not (token is None and self._ended_for_good()) and self._is_speech(text, token)
        if leak.heads(text, leading=True) or says:
            return self._header(position, position, None)
        while end < self.count and ids[end] >= 199998 and ids[end] not in (START, CHANNEL, CONSTRAIN, MESSAGE):
            end += 1
        return self._stray(position, max(end, position + 1))

    def _is_speech(self, text: str, token: int | None) -> bool:
        # A word or two between two messages is noise; what a terminator closes, or a sentence, was said.
        return token in STOPS or token is None or len(text.split()) >= 4

    def _ended_for_good(self) -> bool:
        last = self.nodes[-1] if self.nodes else None
        if isinstance(last, StrayNode):
            return True
        return last is not None and last.terminator is not None and self.ids[last.terminator] in (RETURN, CALL)

    def _stray(self, start: int, end: int) -> int:
        previous = self.nodes[-1] if self.nodes else None
        self.nodes.append(StrayNode(start, end))
        tokens = set(self.ids[start:end])
        if tokens <= STOPS:
            kind = "extra-terminator"
        elif end == self.count and isinstance(previous, MessageNode) and previous.terminator is not None:
            kind = "text-after-end" if self.ids[previous.terminator] != CALL else "text-after-call"
            if not any(0 <= t < 199998 for t in tokens):
                kind = "text-after-end"
        else:
            kind = "text-between-messages"
        change = Change(Position(start), Position(end))
        self._problem(kind, start, end, [change], value=self.ids[start:end])
        return end

    def _header(self, start: int, first: int, opened: int | None, *, continued: bool = False) -> int:
        """Read a header that begins at token ``first``, and the message behind it."""
        ids, specials = self.ids, self.specials
        index = self.scan.after(first)
        blank_until = first
        while index < len(specials):
            position = specials[index]
            token = ids[position]
            if token == MESSAGE:
                return self._message(start, first, position, opened, continued)
            if token in STOPS:
                return self._aborted(start, first, position, opened, continued)
            if token == START:
                # Repeated or empty: the header simply begins again. Otherwise it was given up.
                if position != blank_until and has_letters(self.scan.text(blank_until, position)):
                    return self._aborted(start, first, position, opened, continued)
                if position != blank_until and any(ids[i] >= 199998 for i in range(blank_until, position)):
                    return self._aborted(start, first, position, opened, continued)
                blank_until = position + 1
            index += 1
        return self._aborted(start, first, self.count, opened, continued)

    def _message(self, start: int, first: int, separator: int, opened: int | None, continued: bool) -> int:
        role = self.transcript.role if continued else None
        implicit = opened is None and not continued
        # Long headers are not asked for: what is remembered must not grow with what is read.
        short = separator - first <= _LONGEST_CLEAN
        known = _clean_header(tuple(self.ids[first:separator]), role) if short and not implicit else None
        if known is None:
            return self._doubtful_message(start, first, separator, opened, continued)
        body_end, terminator, following = self._body(separator + 1)
        self._add_message(start, first, separator, opened, body_end, terminator, known)
        return following

    def _doubtful_message(self, start: int, first: int, separator: int, opened: int | None, continued: bool) -> int:
        """A message whose header is not clean."""
        implicit = opened is None and not continued
        wide = WideText(self.ids[first:separator], first)
        found = leak.before_header(wide.text, continued=continued, opened=opened is not None)
        if found is not None:
            changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in found]
            return self._rewritten(start, first, separator, opened, "text-leak", separator, changes, value=wide.text)
        if opened is None and self._speaks(wide.text):
            opener = W_MESSAGE if continued else W_START + "assistant" + W_MESSAGE
            change = Change(Position(first), Position(first), opener)
            data = {"value": wide.text, "role": "", "final": False}
            return self._rewritten(start, first, separator, opened, "missing-message", separator + 1, [change], **data)
        pieces = read_header(wide.text, continued=continued or implicit, aborted=False, names=self.names)
        if pieces.split is not None:
            # A message without <|message|> ends in this header. The body belongs to what stands behind it.
            end = wide.position(pieces.lexed.origin(pieces.split)).token
            return self._aborted(start, first, end, opened, continued)
        body_end, terminator, following = self._body(separator + 1)
        known = self._resolve_header(wide, pieces, continued, implicit, separator + 1, body_end, terminator)
        self._add_message(start, first, separator, opened, body_end, terminator, known)
        return following

    def _rewritten(
        self, start: int, first: int, separator: int, opened: int | None,
        kind: str, end: int, changes: list[Change], **data: object,
    ) -> int:  # fmt: skip
        """A message whose header a fix writes anew: what it says is read from the repaired transcript."""
        body_end, terminator, following = self._body(separator + 1)
        self._problem(kind, first, end, changes, (), **data)
        self._raw_node(start, first, body_end, opened, terminator)
        return following

    def _speaks(self, text: str) -> bool:
        """True for prose that merely mentions markers: several words, and nothing that a header says."""
        pieces = read_header(text, continued=True, aborted=False, names=_NOTHING)
        words = sum(piece.kind == "word" for piece in pieces.items)
        return words >= _PROSE and not pieces.of(*_HEADER_KINDS)

    def _add_message(
        self, start: int, first: int, separator: int, opened: int | None,
        body_end: int, terminator: int | None, known: HeaderFields,
    ) -> None:  # fmt: skip
        body_start = separator + 1
        end = body_end if terminator is None else terminator + 1
        content = self.scan.text(body_start, body_end)
        if known.recipient is None and known.role == "assistant":
            self._header_in_body(content, known, separator, body_start, body_end)
        message = Message(
            known.role, content, known.name, known.channel, known.recipient, known.content_type,
            start, end, body_start, body_end,
        )  # fmt: skip
        self.nodes.append(
            MessageNode(
                start,
                end,
                opened,
                first,
                separator,
                separator,
                body_start,
                body_end,
                terminator,
                known,
                message,
            )
        )

    def _resolve_header(
        self, wide: WideText, pieces: Pieces, continued: bool, implicit: bool,
        body_start: int, body_end: int, terminator: int | None,
    ) -> HeaderFields:  # fmt: skip
        """Read a header that is not clean."""
        body = self.scan.text(body_start, body_end)
        closer = self.ids[terminator] if terminator is not None else None
        context = Context(
            role=self.transcript.role if continued else None,
            implicit=implicit,
            aborted=False,
            call=closer == CALL or bodies.is_json_object(body),
            called=closer == CALL,
            closed=terminator is not None,
            names=self.names,
            prose=bool(body.strip()) and body.lstrip()[0] not in "{[",
            leaky=self.leaky,
        )
        resolved = resolve(pieces, context)
        if implicit:
            self._missing_start(wide.first, resolved)
        for dirt in pieces.lexed.dirt:
            if dirt.kind == "odd-space" and dirt.end == len(wide.text):
                continue  # every release trims it
            at, end = wide.position(dirt.start), wide.position(dirt.end)
            span = wide.span(dirt.start, dirt.end)
            change = Change(at, end, dirt.replacement)
            self._problem(dirt.kind, span.start, span.end, [change], value=wide.text[dirt.start : dirt.end])
        for finding in resolved.findings:
            self._report(finding, pieces.lexed.origin, wide)
        return fields_of(resolved, wide, pieces.lexed.origin)


@lru_cache(maxsize=4096)
def _clean_header(ids: tuple[int, ...], role: str | None) -> HeaderFields | None:
    """What a header says when nothing is wrong with it, else None. Needs no context, so it can be remembered."""
    wide = WideText(ids)
    pieces = read_header(wide.text, continued=role is not None, aborted=False, names=_NOTHING)
    if pieces.lexed.dirt or pieces.split is not None:
        return None
    resolved = resolve(pieces, Context(role, False, False, False, True, _NOTHING))
    if resolved.recipient is not None and has_glued_type(resolved.recipient):
        return None
    return None if resolved.findings else fields_of(resolved, wide, pieces.lexed.origin)
