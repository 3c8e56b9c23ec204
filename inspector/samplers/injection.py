"""Results put into a request that goes on: what is forced after a call, and how it is found again in the output.

The engine's side (:class:`Injection`) and the client's (:class:`Regions`) read the same tokens with the same call
format, so both find the same calls. Neither needs an engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..tokens import FIRST_SPECIAL, MESSAGE, RETURN, vocabulary
from .calls import FORMATS, Call, CallFormat, FunctionTagCalls, HarmonyCalls

INJECT: Final = "harmonylens_inject"
"""The extra argument that asks for it: the name of a call format."""

TURNS: Final = "harmonylens_inject_turns"
"""The extra argument that ends the request at so many turns, as ``max_turns`` ends a tool loop."""

TOOLS: Final = "harmonylens_inject_tools"
"""The extra argument that names the tools which may be called, without a namespace; absent, all that there are."""

LIMIT: Final = "harmonylens_inject_limit_s"
"""The extra argument with the seconds that each call may take."""

MAX_TURNS: Final = 8
LIMIT_S: Final = 10.0

ENDING: Final = RETURN
"""What is forced behind a call that is not run any more: it ends the request."""

_TAIL: Final = 24
"""So many last tokens are looked at for a string that ends a call; with fewer than one byte each it would be missed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; see the names of the extra arguments above. ``tools`` is None for all."""

    format: CallFormat
    turns: int = MAX_TURNS
    tools: tuple[str, ...] | None = None
    limit_s: float = LIMIT_S


def asked(extra: Mapping[str, Any]) -> Asked | None:
    """What a request's extra arguments ask for, None for nothing.

    Raises:
        ValueError: a value that it cannot be; one sentence.
    """
    name = extra.get(INJECT)
    if name is None:
        return None
    if not isinstance(name, str) or name not in FORMATS:
        raise ValueError(f"{INJECT} is {str(name)[:60]!r}: expected one of {', '.join(FORMATS)}")
    turns, limit, names = extra.get(TURNS, MAX_TURNS), extra.get(LIMIT, LIMIT_S), extra.get(TOOLS)
    if not isinstance(turns, int) or turns < 1:
        raise ValueError(f"{TURNS} is {str(turns)[:60]!r}: expected a whole number of at least 1")
    if not isinstance(limit, int | float) or not 0 < limit <= 3600:
        raise ValueError(f"{LIMIT} is {str(limit)[:60]!r}: expected more than 0 and at most 3600 seconds")
    if names is not None and not (isinstance(names, list | tuple) and all(isinstance(one, str) for one in names)):
        raise ValueError(f"{TOOLS} is {str(names)[:60]!r}: expected a list of names")
    return Asked(FORMATS[name], turns, None if names is None else tuple(names), float(limit))


class Injection:
    """One request: its output so far, and the tokens that are to come at certain places of it.

    What comes next depends on the output only: to be asked twice at the same place, and to lose tokens and get them
    again, changes nothing, and no tool is run twice for one call.
    """

    def __init__(self, asked: Asked, role: str | None) -> None:
        self.asked = asked
        self.output: list[int] = []
        self._role = role
        self._forced: dict[int, int] = {}
        self._calls: dict[int, int] = {}  # the place behind a call, and which one it was

    def read(self, tokens: Iterable[int]) -> None:
        """What was sampled."""
        self.output += tokens

    def keep(self, count: int) -> None:
        """Tokens were taken back: ``count`` are left."""
        del self.output[count:]

    def wanted(self) -> Call | None:
        """The call that is to be answered now: the output ends in it, and it was not answered yet.

        Behind the last turn's call none is wanted; the request is ended there.
        """
        place = len(self.output)
        if place in self._forced or not may_end_in_call(self.output, self.asked.format):
            return None
        call = self.asked.format.call(self.output, self._role)
        if call is None:
            return None
        turn = self._calls.setdefault(place, 1 + sum(before < place for before in self._calls))
        if turn >= self.asked.turns:
            self._forced[place] = ENDING
            return None
        return call

    def answer(self, call: Call, text: str) -> None:
        """Put the result of the call that :meth:`wanted` gave behind it."""
        place = len(self.output)
        for offset, token in enumerate(self.asked.format.result(call, text)):
            self._forced[place + offset] = token

    def next(self) -> int | None:
        """The token that has to come next, None when the model is free."""
        return self._forced.get(len(self.output))


def may_end_in_call(ids: Sequence[int], format: CallFormat) -> bool:
    """Whether ``ids`` end in what ends a call: cheap, so that the format itself is asked at few places only."""
    if not ids:
        return False
    if ids[-1] in format.stop_token_ids:
        return True
    if not format.stop:
        return False
    tail = vocabulary().decode(ids[-_TAIL:]).rstrip()
    return any(tail.endswith(text) for text in format.stop)


@dataclass(frozen=True, slots=True)
class Region:
    """Tokens of an output that were put in behind a call.

    Attributes:
        start, end: a half-open range of indexes.
        call: the call that it answers.
        text: the result, as far as it is there.
        is_whole: False when the output ends in it.
        is_ending: True for the one token that ended the request instead of a result.
        is_missing: True when what follows the call is no result (``end`` is ``start``): nobody put one in.
    """

    start: int
    end: int
    call: Call
    text: str = ""
    is_whole: bool = True
    is_ending: bool = False
    is_missing: bool = False


class Regions:
    """What was put into an output, found while it grows by reading it as :class:`Injection` did.

    The result of a tool is known in the engine only. It is found by what frames it; for ``function-tag`` that is text,
    and a result that itself contains ``</result>`` may end there for us.

    Attributes:
        found: in order; the last one may not be whole.
    """

    def __init__(self, format: CallFormat, role: str | None, turns: int = MAX_TURNS) -> None:
        self.found: list[Region] = []
        self._format = format
        self._role = role
        self._turns = turns
        self._place = 1  # the first place at which no call has been looked for
        self._searched = 0  # how far the end of an open region has been looked for

    def read(self, ids: Sequence[int]) -> None:
        """``ids`` are the whole output until now. Each token is looked at a few times, however often this is called."""
        if self.found and not self.found[-1].is_whole:
            last = self.found.pop()
            self._follow(ids, last.start, last.call)
        while self._place <= len(ids) and not (self.found and not self.found[-1].is_whole):
            place = self._place
            self._place += 1
            if not may_end_in_call(ids[max(0, place - _TAIL) : place], self._format):
                continue
            call = self._format.call(ids[:place], self._role)
            if call is not None:
                self._searched = place
                self._follow(ids, place, call)

    def _follow(self, ids: Sequence[int], start: int, call: Call) -> None:
        """Find what stands behind a call, as far as it is there."""
        region = Region(start, len(ids), call, is_whole=False)
        if len(ids) > start:
            if len(self.found) + 1 >= self._turns:
                is_ending = ids[start] == ENDING
                region = Region(start, start + is_ending, call, is_ending=is_ending, is_missing=not is_ending)
            else:
                end = _HOW[self._format.name](ids, region, self._searched, self._format)
                self._searched = len(ids)
                region = end or Region(start, start, call, is_missing=True)
        self.found.append(region)
        self._place = max(self._place, region.end + 1)


def regions(ids: Sequence[int], format: CallFormat, role: str | None, turns: int = MAX_TURNS) -> list[Region]:
    """What was put into a whole output; see :class:`Regions`."""
    reading = Regions(format, role, turns)
    reading.read(ids)
    return reading.found


def _harmony(ids: Sequence[int], region: Region, searched: int, format: CallFormat) -> Region | None:
    """The region as far as it goes in ``ids``, None when something else stands there."""
    frame = format.result(region.call, "")
    body = region.start + frame.index(MESSAGE) + 1
    behind = frame[body - region.start :]
    if not _agree(ids[region.start : body], frame):
        return None
    close = next(
        (at for at in range(max(body, searched - len(behind)), len(ids)) if ids[at] >= FIRST_SPECIAL), len(ids)
    )
    if not _agree(ids[close : close + len(behind)], behind):
        return None
    if close + len(behind) > len(ids):
        return replace(region, end=len(ids))
    text = vocabulary().decode(ids[body:close])
    return replace(region, end=close + len(behind), text=text, is_whole=True)


def _function_tag(ids: Sequence[int], region: Region, searched: int, format: CallFormat) -> Region | None:
    """As :func:`_harmony`, by text."""
    before, after = " <result> ", " </result>"
    start = region.start
    said = vocabulary().decode(ids[start : start + _TAIL])[: len(before)]
    if not before.startswith(said):
        return None
    for end in range(max(start, searched) + 1, len(ids) + 1):
        if not vocabulary().decode(ids[max(start, end - _TAIL) : end]).endswith(after):
            continue
        text = vocabulary().decode(ids[start:end])[len(before) : -len(after)]
        if tuple(ids[start:end]) == format.result(region.call, text):
            return replace(region, end=end, text=text, is_whole=True)
    return replace(region, end=len(ids))


def _agree(part: Sequence[int], whole: Sequence[int]) -> bool:
    """Whether ``part`` is as ``whole`` begins."""
    return tuple(part) == tuple(whole[: len(part)])


_HOW: Final = {HarmonyCalls.name: _harmony, FunctionTagCalls.name: _function_tag}
