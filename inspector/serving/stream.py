"""The strict parser as servers drive it: token by token, going on after an error.

A batch parse ends at the first error. A server that feeds one token at a time and catches the error (vLLM
0.32 does) goes on with the same parser: it then waits for ``<|start|>``, refuses every token until one comes,
and still holds the role of the first message when it was that header which failed. What such a server loses
can only be told by going on in the same way. State machine and header algorithm are those of
openai-harmony 0.0.8 and oss-harmony 0.0.11 (read in their sources, and compared with oss-harmony's
``StreamableParser`` by a test).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ..harmony.message import ROLES, Message
from ..harmony.verdict import Dialect, Verdict
from ..tokens import FIRST_SPECIAL, MESSAGE, START, STOPS, VOCABULARY_SIZE, vocabulary

_SPACE: Final = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space, as Rust has it; Python's ``str.strip`` would also take U+001C to U+001F."""
_TRIM: Final = re.compile(f"^[{_SPACE}]+|[{_SPACE}]+$")
_VALUE: Final = re.compile(f"[^{_SPACE}<]*")
_WORD: Final = re.compile(r"[^ \t\n\f\r]+")
_CHANNEL_TEXT: Final = "<|channel|>"
_CONSTRAIN_TEXT: Final = "<|constrain|>"


class HeaderRefused(ValueError):
    """The strict parser raises on a header; the message is the library's, in short."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header as the strict parser reads them."""

    role: str
    name: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None


def read_header(ids: Sequence[int], role: str | None, dialect: Dialect) -> Header:
    """Read a header's tokens as the strict parser does.

    Raises:
        HeaderRefused: with the library's message (the escaping of leftovers aside).
    """
    pieces = [vocabulary().token_bytes(token) for token in ids]
    try:
        text = b"".join(piece for piece in pieces if piece is not None).decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None or None in pieces:
        raise HeaderRefused("could not decode header")
    text, channel = _cut_channels(text, dialect)
    text = _trim(_trim(text).replace(_CONSTRAIN_TEXT, f" {_CONSTRAIN_TEXT}"))
    parts = _WORD.findall(text)
    name = None
    if role is None:
        role, name = _role_of(parts)
    if parts and parts[0] == role:
        del parts[0]
    recipient = content_type = None
    if parts:
        last = parts.pop()
        if last.startswith("to="):
            recipient = last[3:]
        elif not parts:
            recipient = last
        else:
            content_type = last
            recipient = parts.pop().removeprefix("to=")
    if parts:
        raise HeaderRefused(f"unexpected tokens remaining in message header: {' '.join(parts)!r}")
    return Header(role, name, channel, recipient, content_type)


def _trim(text: str) -> str:
    return _TRIM.sub("", text)


def _cut_channels(text: str, dialect: Dialect) -> tuple[str, str | None]:
    first = None
    kept: list[str] = []
    at = 0
    while (marker := text.find(_CHANNEL_TEXT, at)) >= 0:
        kept.append(text[at:marker])
        value = _VALUE.match(text, marker + len(_CHANNEL_TEXT))
        found = value.group() if value else ""
        at = marker + len(_CHANNEL_TEXT) + len(found)
        if first is None:
            if not found:
                raise HeaderRefused("channel marker present but no channel value found in header")
            first = found
            if dialect is Dialect.FIRST_ONLY:
                break
    return "".join((*kept, text[at:])), first


def _role_of(parts: list[str]) -> tuple[str, str | None]:
    if not parts:
        raise HeaderRefused("message header did not contain a role")
    word = parts[0]
    if word in ROLES:
        return word, (word if word == "tool" else None)
    if len(parts) > 1 or word.startswith("to="):
        del parts[0]
        return "tool", word
    raise HeaderRefused(f"Unknown role: {word}")


@dataclass(slots=True)
class Fed:
    """What came of feeding tokens one by one with errors caught.

    Attributes:
        messages: those completed, the one cut by the end of the tokens included.
        dropped: indexes of the tokens at which the parser raised; they reach nobody.
        errors: the errors with their tokens; of a run of "expecting start" the first one only.
        tail: tokens since the last completed message when the end came inside a header, else None.
    """

    messages: list[Message] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    tail: list[int] | None = None


def feed(
    ids: Sequence[int],
    role: str | None,
    dialect: Dialect = Dialect.ALL_CHANNELS,
    *,
    start: int = 0,
    verdict: Verdict | None = None,
) -> Fed:
    """Feed ``ids[start:]`` to a strict parser for ``role``, going on after errors. Linear; never raises.

    ``verdict`` is that parser's strict verdict on the same tokens when it is known already: its messages are
    taken over and only what follows its error is read again.
    """
    feeder = _Feeder(ids, role, dialect, start)
    if verdict is None:
        return feeder.run()
    known = [m for m in verdict.messages if m.body_start >= start]
    if verdict.error is None:
        return Fed(known)
    feeder.out.messages = known
    return feeder.run(resume=max((m.end for m in feeder.out.messages), default=start))


class _Feeder:
    def __init__(self, ids: Sequence[int], role: str | None, dialect: Dialect, start: int) -> None:
        self.ids = ids
        self.role = role
        self.dialect = dialect
        self.start = start
        self.out = Fed()
        self.pending: list[int] = []

    def run(self, resume: int | None = None) -> Fed:
        ids, end = self.ids, len(self.ids)
        at = self.start
        next_role = self.role
        in_header = next_role is not None
        if resume is not None and self.out.messages:
            at, next_role, in_header = resume, None, False
        waiting = False
        while at < end:
            opened = at
            if not in_header:
                if ids[at] != START:
                    if not waiting:
                        text = f"Unexpected token {ids[at]} while expecting start token {START}"
                        self.out.errors.append((at, text))
                    waiting = True
                    self.out.dropped.append(at)
                    at += 1
                    continue
                self.pending.append(ids[at])
                at += 1
            waiting = in_header = False
            separator = at
            while separator < end and ids[separator] != MESSAGE:
                separator += 1
            self.pending.extend(ids[at:separator])
            if separator == end:
                self.out.tail = self.pending
                self.out.errors.append((end, "Unexpected EOS while waiting for message header to complete"))
                return self.out
            try:
                header = read_header(ids[at:separator], next_role, self.dialect)
            except HeaderRefused as error:
                self.out.errors.append((separator, str(error)))
                self.out.dropped.append(separator)
                waiting = True
                at = separator + 1
                continue
            next_role = None
            body = stop = separator + 1
            while stop < end and ids[stop] not in STOPS:
                stop += 1
            self._complete(header, opened, body, stop)
            at = min(stop + 1, end)
        if in_header:  # nothing was fed at all to a parser that waits for a header
            self.out.tail = self.pending
        return self.out

    def _complete(self, header: Header, opened: int, body: int, stop: int) -> None:
        self.pending = []
        self.out.messages.append(
            Message(
                role=header.role,
                content=body_text(self.ids[body:stop]),
                name=header.name,
                channel=header.channel,
                recipient=header.recipient,
                content_type=header.content_type,
                start=opened,
                end=min(stop + 1, len(self.ids)),
                body_start=body,
                body_end=stop,
            )
        )


def body_text(ids: Sequence[int]) -> str:
    """A body as the library decodes it: an unknown id ends the text with one U+FFFD."""
    for index, token in enumerate(ids):
        if not 0 <= token < VOCABULARY_SIZE:
            return vocabulary().decode(ids[:index]) + "�"
    return vocabulary().decode(ids)


def is_ordinary(token: int) -> bool:
    """True for a token of text: neither special nor unknown."""
    return 0 <= token < FIRST_SPECIAL
