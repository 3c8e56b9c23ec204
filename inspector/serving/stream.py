"""The strict parser as servers drive it: token by token, going on after an error.

A batch parse ends at the first error. A server that feeds one token at a time and catches the error (vLLM
0.32 does) goes on with the same parser: it then waits for ``<|start|>``, refuses every token until one comes,
and still holds the role of the first message when it was that header which failed. What such a server loses
can only be told by going on in the same way: that is why the strict model's own further errors, which assume
that each one before them was mended, are of no use here. Compared with oss-harmony's ``StreamableParser`` by a
test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..harmony.message import Message
from ..harmony.strict_body import body_text_with_unknown
from ..harmony.strict_header import BadHeader, ReadHeader, read_header
from ..harmony.verdict import Dialect, Verdict
from ..tokens import FIRST_SPECIAL, MESSAGE, START, STOPS


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
    return feeder.run(resume=max((m.end for m in known), default=start))


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
                return self._end_in_header()
            header = read_header(tuple(ids[at:separator]), next_role, self.dialect)
            if isinstance(header, BadHeader):
                self.out.errors.append((separator, header.text))
                self.out.dropped.append(separator)
                # What follows the separator is refused, but as the same misfortune.
                waiting = True
                at = separator + 1
                continue
            next_role = None
            body = stop = separator + 1
            while stop < end and ids[stop] not in STOPS:
                stop += 1
            self._complete(header, opened, body, stop)
            at = min(stop + 1, end)
        # Nothing was fed at all to a parser that waits for a header: it complains just the same.
        return self._end_in_header() if in_header else self.out

    def _end_in_header(self) -> Fed:
        self.out.tail = self.pending
        self.out.errors.append((len(self.ids), "Unexpected EOS while waiting for message header to complete"))
        return self.out

    def _complete(self, header: ReadHeader, opened: int, body: int, stop: int) -> None:
        self.pending = []
        self.out.messages.append(
            Message(
                role=header.role,
                content=body_text_with_unknown(self.ids[body:stop]),
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


def is_ordinary(token: int) -> bool:
    """True for a token of text: neither special nor unknown."""
    return 0 <= token < FIRST_SPECIAL
