"""The workers that the app's sessions and runs share, and how long they may take.

Measured on two cores at 2.5 GHz, for a damaged transcript of 131,072 tokens: read 25 ms, inspected 150 ms, packed for
the screen 130 ms; asking a worker instead costs 0.3 ms for 60 tokens, 1.5 ms for 4,000 and 80 ms for 131,072. So
everything goes to a worker, however short: what is short and slow is what others send to do harm.
"""

from __future__ import annotations

import atexit
import gc
import os
import threading
from typing import Final

from .inspection import NEWEST
from .isolation import CutOff, Limits, Pool, Reason
from .view.feed import Settings
from .view.screenful import Question, screenful

WORKERS: Final = 3
"""One may be held by somebody who does harm and one by a second; each takes 100 MB of memory when it is idle."""

LIMITS: Final = Limits()
"""1 GB: the largest upload (64 MB of token ids) takes 0.75 GB to read, a transcript of 10**6 tokens 0.3 GB."""

SLACK_S: Final = 5.0
"""What anything may take: many sessions may share two cores."""

BYTE_S: Final = 0.000_002
"""64 MB of records take 5 s to read, half of it busy machine."""

TOKEN_S: Final = 0.000_1
"""Twice what a token of the worst transcripts that are known takes to be inspected and packed: 54 microseconds, where
nearly every token is damage of its own. In a common transcript it is 2."""

LONGEST_S: Final = 30.0
"""What nothing may take: six times what 64 MB of records or 10**6 tokens do."""


def reading_deadline(size: int) -> float:
    """Seconds in which an input of ``size`` bytes or characters, unpacked, has to be read."""
    return min(LONGEST_S, SLACK_S + size * BYTE_S)


def inspecting_deadline(tokens: int) -> float:
    """Seconds in which so many tokens have to be inspected."""
    return min(LONGEST_S, SLACK_S + tokens * TOKEN_S)


def why_cut_off(what: str, error: CutOff) -> str:
    """What a person is told: what was cut off, why, and what to do. ``what`` is as "Reading the input"."""
    told = f"{what} was cut off: {error.words}."
    if error.reason is Reason.BUSY:
        return f"{told} The input is kept: try again in a moment."
    advice = "on the command line, `harmonylens inspect FILE` has no such limit"
    if error.reason is Reason.CRASHED:
        advice = "please report it, with the input if you may; `harmonylens inspect FILE` may say more"
    return f"{told} The input is kept; {advice}."


_POOL: Pool | None = None
_POOL_PID = 0
_LOCK = threading.Lock()


def workers() -> Pool:
    """The workers that this process shares; they end when it ends."""
    global _POOL, _POOL_PID
    with _LOCK:
        # After a fork the workers belong to the parent: the child leaves them alone and has its own.
        if _POOL is None or os.getpid() != _POOL_PID:
            _POOL, _POOL_PID = Pool(WORKERS, LIMITS, first), os.getpid()
            atexit.register(_close, _POOL, _POOL_PID)
        return _POOL


def prepare() -> None:
    """Have a worker started in the background, unless one runs: the first request does not wait for the imports."""
    workers().prepare()


def first() -> None:
    """Called in a new worker: imports the engine, loads the vocabulary, fills the caches."""
    from . import gallery, ingest  # noqa: F401 - what will be asked for
    from .ingest import read

    loaded = read("<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>")
    screenful(Question(loaded.transcripts[0], Settings(style=NEWEST)))
    # What was made until now stays: no collection has to look at it again.
    gc.freeze()


def _close(pool: Pool, pid: int) -> None:
    if pid == os.getpid():
        pool.close()
