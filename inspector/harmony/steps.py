"""The strict parser step by step: its state before and after every token, as a release's ``StreamableParser`` has it.

A state is constant over the tokens of a header (its fields show only behind ``<|message|>``) and of a body, so a
transcript of any length is told by the few positions at which it changes. The differential tests compare every
state with the published releases, token by token.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ..tokens import MESSAGE, START, STOPS, Scan
from .message import ROLES
from .strict_header import BadHeader, ReadHeader, read_header
from .verdict import Dialect

StateName = Literal["ExpectStart", "Header", "Content"]

_EOS: Final = "Unexpected EOS while waiting for message header to complete"


class ParserState(NamedTuple):
    """What the library's parser says of itself between two tokens.

    Attributes:
        state: the value of its ``StreamState``.
        role, channel, recipient, content_type: its ``current_...``; within a header only the role that it was
            told, between messages nothing.
        messages: how many messages are complete.
        since: the position at which this state began: within a header the first of its tokens, within a body
            the first of that.
    """

    state: StateName
    role: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None
    messages: int = 0
    since: int = 0


class StepError(NamedTuple):
    """Where the parser raises: at the token with this index, ``len(ids)`` when at the end of the input."""

    token: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Steps:
    """A parser's way through a transcript. Positions lie between tokens: ``0`` is before the first one.

    Attributes:
        release: its name.
        ids, told, dialect, strict: what was parsed, the role that the parser was told, how.
        states: the states, by the position from which each of them holds (``since``), in order.
        error: what it raises, or None. It stops there: no later token is read.
        end: its state once it was told that the input ends; None when it has raised.
    """

    release: str
    ids: Sequence[int]
    told: str | None
    dialect: Dialect
    strict: bool
    states: tuple[ParserState, ...]
    error: StepError | None
    end: ParserState | None

    @property
    def stopped(self) -> int | None:
        """The first position at which there is no state any more; None when all tokens are read."""
        if self.error is None or self.error.token >= len(self.ids):
            return None
        return self.error.token + 1

    def at(self, position: int) -> ParserState | None:
        """The state at a position (before the token of that index); None where the parser has stopped.

        Raises:
            IndexError: there is no such position.
        """
        if not 0 <= position <= len(self.ids):
            raise IndexError(f"position {position} is not in 0..{len(self.ids)}")
        if self.error is not None and position > self.error.token:
            return None
        return self.states[bisect_right(self.states, position, key=_since) - 1]

    def changes(self) -> list[int]:
        """The tokens behind which another state holds, in order: none of them is within a header or a body."""
        return [state.since - 1 for state in self.states[1:]]

    def raises(self, position: int, token: int) -> str | None:
        """What the parser would say if ``token`` came at ``position``: its error text, or None when it takes it.

        This is the level "accepted": between messages only ``<|start|>`` is; in a body everything; in a header
        everything too, until ``<|message|>`` (or with ``strict`` off a terminator) shows whether what stands
        there can be read. So in a header whatever may still be mended counts as accepted, and much that never can.

        Raises:
            IndexError: there is no such position, or the parser has stopped before it.
        """
        state = self.at(position)
        if state is None:
            raise IndexError(f"the parser has stopped at token {self.error.token if self.error else None}")
        if state.state == "Content":
            return None
        if state.state == "ExpectStart":
            return None if token == START else _unexpected(token)
        header = tuple(self.ids[state.since : position])
        stopped = token in STOPS and not self.strict
        if token != MESSAGE and (not stopped or state.role is None or not header):
            return None
        read = read_header(header, state.role, self.dialect, salvage=stopped, unicode_17=self._unicode_17)
        return read.text if isinstance(read, BadHeader) else None

    @property
    def _unicode_17(self) -> bool:
        return unicode_17(self.dialect, self.release)


def unicode_17(dialect: Dialect, release: str) -> bool:
    """By which tables a build escapes the words in its error texts; see :mod:`.strict_escapes`."""
    return dialect is Dialect.ALL_CHANNELS or release.startswith("oss-harmony")


def steps(
    ids: Sequence[int],
    role: str | None,
    dialect: Dialect,
    *,
    strict: bool = True,
    release: str = "",
    scan: Scan | None = None,
) -> Steps:
    """The way of a release's parser through ``ids``. Linear in the number of tokens, one state for every change.

    Args:
        ids: any ints.
        role: the role that the transcript continues, or None.
        dialect: the release's group.
        strict: False for what ``strict=False`` does: a terminator ends a header too.
        release: its name; it also decides how the words of an error text are escaped.
        scan: of the same ids, where a caller has it.

    Raises:
        ValueError: ``role`` is none of the five roles.
    """
    if role is not None and role not in ROLES:
        raise ValueError(f"unknown role {role!r}: expected one of {', '.join(ROLES)}, or None")
    return _Stepper(ids, role, dialect, strict, release, scan or Scan(ids)).run()


class _Stepper:
    def __init__(
        self, ids: Sequence[int], role: str | None, dialect: Dialect, strict: bool, release: str, scan: Scan
    ) -> None:
        self.ids, self.told, self.dialect, self.strict, self.release = ids, role, dialect, strict, release
        self.stops = [i for i in scan.specials if ids[i] in STOPS]
        self.separators = [i for i in scan.specials if ids[i] == MESSAGE]
        self.states: list[ParserState] = []
        self.messages = 0

    def run(self) -> Steps:
        """From the first token to the last one, or to the one that raises."""
        count = len(self.ids)
        role = self.told
        at = 0
        self._enter("ExpectStart" if role is None else "Header", 0, role)
        while at < count:
            if self.states[-1].state == "ExpectStart":
                if self.ids[at] != START:
                    return self._done(StepError(at, _unexpected(self.ids[at]), "E1"))
                at += 1
                self._enter("Header", at)
            separator, stop = _first(self.separators, at, count), _first(self.stops, at, count)
            last = min(separator, count if self.strict else stop)
            if last == count:
                break
            header = self._read(at, last, role, salvaged=last == stop)
            if isinstance(header, BadHeader):
                return self._done(StepError(last, header.text, header.kind))
            role = None
            at = last + 1
            if last != stop and header is not None:
                self._enter("Content", at, header.role, header.channel, header.recipient, header.content_type)
                at = _first(self.stops, at, count) + 1
            if at <= count:
                self.messages += header is not None
                self._enter("ExpectStart", at)
        if self.states[-1].state == "Header":
            return self._done(StepError(count, _EOS, "E2"))
        return self._done(None)

    def _read(self, start: int, end: int, role: str | None, *, salvaged: bool) -> ReadHeader | BadHeader | None:
        """A header; None where ``strict=False`` drops one that a terminator ended."""
        ids = tuple(self.ids[start:end])
        if salvaged and (role is None or not ids):
            return None
        new = unicode_17(self.dialect, self.release)
        return read_header(ids, role, self.dialect, salvage=salvaged, unicode_17=new)

    def _enter(
        self,
        state: StateName,
        at: int,
        role: str | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        content_type: str | None = None,
    ) -> None:
        self.states.append(ParserState(state, role, channel, recipient, content_type, self.messages, at))

    def _done(self, error: StepError | None) -> Steps:
        last = self.states[-1]
        end = None if error else ParserState("ExpectStart", messages=last.messages + (last.state == "Content"))
        if end is not None:
            end = end._replace(since=len(self.ids))
        ids = self.ids
        return Steps(self.release, ids, self.told, self.dialect, self.strict, tuple(self.states), error, end)


def _since(state: ParserState) -> int:
    return state.since


def _unexpected(token: int) -> str:
    return f"Unexpected token {token} while expecting start token {START}"


def _first(positions: list[int], at: int, count: int) -> int:
    index = bisect_left(positions, at)
    return positions[index] if index < len(positions) else count
