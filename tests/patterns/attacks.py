"""Patterns tried on texts that ought to make them slow: what the analysis of :mod:`.growth` may have missed."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

import regex

from .finding import Pattern
from .growth import Attack, pumps

SIZE: Final = 8_000
"""Characters of a text: two places that share it take thirty million steps, 15 ms at the very least."""

QUICK_S: Final = 0.004
"""What is done in this time has not taken a step for every two characters; it is not measured again."""

MOST: Final = 6.0
"""The factor for four times the text: 4 is linear, 16 is quadratic."""

_SURELY: Final = 10.0
"""A factor that no noise of CPU time makes out of 4; above it nothing is measured again."""

_CAP_S: Final = 1.0
_ROUNDS: Final = 4
_MOST_RUNS: Final = 24
_ENDS: Final = ("\x00", "", "\n!")


class TookTooLong(Exception):
    """The matcher was stopped."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong


def seconds(one: Pattern, text: str | bytes, cap: float = _CAP_S) -> float:
    """CPU seconds of one use of a pattern on a text, infinite when it is stopped."""
    library = regex if one.module == "regex" else re
    compiled = library.compile(one.text, one.flags)
    before = signal.signal(signal.SIGVTALRM, _stop)
    begin = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, cap)
        if one.searched:
            for _ in compiled.finditer(text):
                pass
        elif one.whole:
            compiled.fullmatch(text)
        else:
            compiled.match(text)
        return time.process_time() - begin
    except TookTooLong:
        return float("inf")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def runs(one: Pattern) -> list[Attack]:
    """Texts that go round in the loops of a pattern; of many every so manieth."""
    if one.module == "regex":
        return [Attack("", run) for run in ("\u0301", "a\u0301", "\u1100", "\U0001f1e6", "\u200d", "\U0001f469\u200d")]
    found = pumps(one.text, one.flags)
    return found[:: max(1, len(found) // _MOST_RUNS)]


def slow_texts(one: Pattern, tried: list[Attack]) -> Iterator[str]:
    """What of the texts takes more than linear time, as sentences."""
    for attack in tried:
        for end in _ENDS:
            small = seconds(one, _given(one, attack, SIZE, end))
            if small <= QUICK_S:
                continue
            large = seconds(one, _given(one, attack, 4 * SIZE, end))
            for _ in range(_ROUNDS):
                if large <= MOST * small < float("inf"):
                    break
                if large > _SURELY * small or small == float("inf"):
                    yield _sentence(attack, end, small, large)
                    return
                small = min(small, seconds(one, _given(one, attack, SIZE, end)))
                large = min(large, seconds(one, _given(one, attack, 4 * SIZE, end)))
            else:
                yield _sentence(attack, end, small, large)


def _sentence(attack: Attack, end: str, small: float, large: float) -> str:
    return f"{attack.before!r} + {attack.run!r} * n + {end!r}: {small:.3f} s, and {large:.3f} s for four times the text"


def _given(one: Pattern, attack: Attack, size: int, end: str) -> str | bytes:
    text = attack.text(size, end)
    return text.encode("latin-1") if isinstance(one.text, bytes) else text
