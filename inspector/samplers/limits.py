"""What an answer may take. An engine is asked for so many tokens and may send anything, for ever: it is cut off here.

What came until then is kept, and the rollout says that it was cut off by us (``ended_by`` "cut_off"), not ended by the
model. Every number of the live side stands here, with what it was chosen by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from .engine import EngineGone
from .values import Delta

MOST_TOKENS: Final = 262_144
"""Tokens of one rollout, all turns and tool results together: twice the 131,072 that gpt-oss can look back on."""

FIRST_S: Final = 1_800.0
"""Seconds until the first token: on a busy server a request waits for its turn, and an engine that the first request
starts may load a model of 120 billion parameters from a slow disk."""

STILL_S: Final = 600.0
"""Seconds between two tokens. One that is drawn on two busy CPU cores takes 0.1 s; kernels that are compiled in the
middle took 23 s."""

SLOWEST: Final = 1.0
"""Tokens per second below which an answer counts as one that never ends: the slowest engine measured, a CPU with 16
answers at once, gave each 8."""

ANSWER_S: Final = 4 * 3600.0
"""Seconds of one answer, whatever was asked for: 131,072 tokens at 9 a second."""

MOST_TURNS: Final = 1_000
"""Requests of one rollout. Agents that work on a repository take a few hundred."""

MOST_TOOL_S: Final = 3_600.0
"""Seconds that one call of a tool may be given."""

MOST_REASON: Final = 1_000
"""Characters of a finish or stop reason, beyond those of the longest stop string that was asked for."""

MOST_LENGTH: Final = 2**63 - 1
"""Tokens that a server may say its model takes: what 64 bits hold with a sign. More is no length."""

EVENT_BYTES: Final = 4 * 2**20
"""Bytes of one event beside the prompt that it repeats. vLLM sends a token an event, with 20 alternatives 1.2 kB; read
as JSON, the worst of that size (lists in a list) take 98 MB for a moment."""

PROMPT_BYTES: Final = 8
"""Bytes of a token of the prompt in the first event, which repeats it: six digits, a comma and a blank."""

TOKEN_BYTES: Final = 8_192
"""Bytes that one token may take of an answer in all. With 20 alternatives: 1.2 kB on ``completions``, and 3.5 kB on
``generate`` with every field that a release has ever sent."""


UNWATCHED_S: Final = 30 * 60.0
"""Seconds without a page that looks at it after which a run is stopped: who reads a sample in Inspect, or talks to
somebody, is back by then, and a forgotten tab does not sample through the night."""

RUN_S: Final = 4 * 3600.0
"""Seconds of a run, watched or not; as long as its longest answer."""

RUN_BYTES: Final = 512 * 2**20
"""Bytes of memory that one run may hold: 64 samples of 4,096 tokens with five alternatives each take 200 MB."""

HELD_BYTES: Final = 2**30
"""Bytes of memory that the runs which are kept after their end may hold, all together."""


class CutOff(EngineGone):
    """The answer went beyond a limit of :mod:`inspector.samplers.limits`, and was ended here."""


def seconds_for(max_tokens: int) -> float:
    """Seconds that an answer of so many tokens may take, from the request to its end."""
    return min(ANSWER_S, FIRST_S + max_tokens / SLOWEST)


def bytes_for(prompt_tokens: int, max_tokens: int) -> int:
    """Bytes that such an answer may take on the wire."""
    return event_bytes(prompt_tokens) + TOKEN_BYTES * min(max_tokens, MOST_TOKENS)


def event_bytes(prompt_tokens: int) -> int:
    """Bytes that one event of it may take."""
    return EVENT_BYTES + PROMPT_BYTES * prompt_tokens


def memory_of(tokens: int, logprobs: int | None) -> int:
    """Bytes of memory that so many tokens of a rollout take, with their alternatives.

    An id and its places in the lists take 150; an alternative is a pair, a number and an id of 112 bytes and a place.
    """
    return tokens * (150 + 120 * (logprobs or 0))


def checked_loop(max_turns: int, limit_s: float) -> None:
    """Look at the limits that somebody gives a loop of tools.

    Raises:
        ValueError: one that would let it go on for ever.
    """
    if not 1 <= max_turns <= MOST_TURNS:
        raise ValueError(f"max_turns is {max_turns}: expected 1 to {MOST_TURNS:,}")
    if not 0 < limit_s <= MOST_TOOL_S:
        raise ValueError(f"the limit of a call is {limit_s:g} s: expected more than 0 and at most {MOST_TOOL_S:g}")


async def in_time(
    pieces: AsyncGenerator[Delta, None],
    who: str,
    max_tokens: int,
    *,
    first_s: float = FIRST_S,
    still_s: float = STILL_S,
    whole_s: float | None = None,
) -> AsyncGenerator[Delta, None]:
    """An engine's answer, as long as it goes on: pieces without a token are no sign of life.

    Args:
        pieces: the answer; it is closed at the end.
        who: the engine, at the beginning of a sentence.
        max_tokens: what was asked for.
        first_s, still_s: seconds until the first token, and between two of them.
        whole_s: seconds of the whole; :func:`seconds_for` when not given.

    Raises:
        CutOff: it took longer.
    """
    loop = asyncio.get_running_loop()
    whole_s = seconds_for(max_tokens) if whole_s is None else whole_s
    end = loop.time() + whole_s
    still = loop.time() + first_s
    count = 0
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout_at(min(end, still)) as limit:
                    delta = await anext(pieces, None)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise CutOff(_too_slow(who, count, first_s, still_s, whole_s, is_over=still > end)) from None
            if delta is None:
                return
            if delta.ids:
                count += len(delta.ids)
                still = loop.time() + still_s
            yield delta
            if delta.finish_reason is not None:
                return


def _too_slow(who: str, count: int, first_s: float, still_s: float, whole_s: float, *, is_over: bool) -> str:
    if is_over:
        return (
            f"{who} had not ended its answer after {_spell(whole_s)} and {count:,} tokens, and was cut off here: ask "
            "for fewer tokens, or look at what holds it up."
        )
    if not count:
        return f"{who} sent no token within {_spell(first_s)}, and was cut off here: see its log, or try again later."
    return (
        f"{who} sent no further token within {_spell(still_s)} after {count:,}, and was cut off here: see its log, or "
        "try again later."
    )


def _spell(seconds: float) -> str:
    """A time in words: "10 minutes".

    >>> _spell(1800), _spell(14400), _spell(2312), _spell(0.5)
    ('30 minutes', '4 hours', '39 minutes', '0.5 s')
    """
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:g} hours"


def fitting(delta: Delta, room: int) -> Delta:
    """The first ``room`` tokens of a piece, which nothing has ended."""
    return replace(
        delta,
        ids=delta.ids[:room],
        logprobs=delta.logprobs[:room],
        top=delta.top[:room],
        finish_reason=None,
        stop_reason=None,
    )


def too_many(who: str, max_tokens: int) -> CutOff:
    """The engine sent more tokens than it was asked for."""
    return CutOff(
        f"{who} was asked for at most {max_tokens:,} tokens and sent more: it was cut off here, what came until then "
        "is kept."
    )


def too_long(tokens: int) -> CutOff:
    """A rollout that has grown too long for a further request."""
    return CutOff(
        f"The answer has {tokens:,} tokens with all its turns and results, and at most {MOST_TOKENS:,} are kept: it "
        "was cut off here."
    )


WORDS: Final = (
    f"An answer that goes on beyond the tokens that were asked for, sends no token for {_spell(FIRST_S)} (or for "
    f"{_spell(STILL_S)} after the first), or takes longer than {_spell(FIRST_S)} and a second for each token asked for "
    f"({_spell(ANSWER_S)} at most) is cut off; what came is kept. A rollout has at most {MOST_TOKENS:,} tokens and "
    f"{MOST_TURNS:,} turns."
)
"""The limits of an answer, as the command line and the page say them."""

RUN_WORDS: Final = (
    f"A run is stopped when no page has looked at it for {_spell(UNWATCHED_S)}, and after {_spell(RUN_S)} in any case; "
    "what came is kept."
)
"""The limits of a run, as the page says them."""

UNWATCHED: Final = (
    f"Stopped after {_spell(UNWATCHED_S)} without a watcher: no page looked at it. What came until then is kept."
)
TOO_LONG: Final = f"Stopped after {_spell(RUN_S)}, the longest that a run may take. What came until then is kept."
TOO_LARGE: Final = (
    f"Stopped because it holds {RUN_BYTES // 2**20} MB, the most that a run may hold. What came until then is kept: "
    "ask for fewer samples, fewer tokens or fewer alternatives."
)
