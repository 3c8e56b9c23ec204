"""A rollout while it grows: engines and samplers add to it, a screen looks at it from another thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from threading import Lock

from ..tokens.transcript import Origin
from .values import Alternatives, Delta, EndedBy, Rollout, Turn


class Draft:
    """What has come of one prompt so far. :meth:`rollout` may be called at any time, from any thread."""

    def __init__(self, prompt_ids: Sequence[int]) -> None:
        self.prompt_ids = tuple(prompt_ids)
        self.ids: list[int] = []
        self._origins: list[Origin] = []
        self._logprobs: list[float | None] = []
        self._top: list[Alternatives] = []
        self._turns: list[Turn] = []
        self._divided: list[tuple[int, int, int]] = []
        self._began = 0.0
        self._ended_by: EndedBy | None = None
        self._error = ""
        self._lock = Lock()
        self._told: Rollout | None = None

    @property
    def context(self) -> tuple[int, ...]:
        """The prompt and all that followed: what the next request continues."""
        return (*self.prompt_ids, *self.ids)

    @property
    def is_done(self) -> bool:
        """Whether nothing will be added any more."""
        return self._ended_by is not None

    @property
    def is_failed(self) -> bool:
        """Whether a failure ended it."""
        return self._ended_by == "failed"

    def begin_turn(self) -> None:
        """A request goes out."""
        with self._lock:
            self._told = None
            self._began = time.monotonic()
            self._turns.append(Turn(len(self.ids), len(self.ids)))

    def add(self, delta: Delta) -> None:
        """What the engine sampled.

        Raises:
            ValueError: logprobs or alternatives that do not go with the tokens.
        """
        count = len(delta.ids)
        for name, values in (("logprobs", delta.logprobs), ("alternatives", delta.top)):
            if values and len(values) != count:
                raise ValueError(f"the engine sent {len(values)} {name} for {count} tokens")
        with self._lock:
            self._told = None
            self.ids += delta.ids
            self._origins += ["sampled"] * count
            self._logprobs += delta.logprobs or (None,) * count
            self._top += delta.top or ((),) * count
            self._turns[-1] = replace(
                self._turns[-1],
                end=len(self.ids),
                finish_reason=delta.finish_reason,
                stop_reason=delta.stop_reason,
                seconds=time.monotonic() - self._began,
            )

    def inject(self, ids: Sequence[int], *, tool: str = "", error: str = "", seconds: float = 0.0) -> None:
        """What a tool or a sampler put in after the last turn."""
        count = len(ids)
        with self._lock:
            self._told = None
            self.ids += ids
            self._origins += ["injected"] * count
            self._logprobs += (None,) * count
            self._top += ((),) * count
            last = self._turns[-1]
            self._turns[-1] = replace(
                last, injected=last.injected + count, tool=tool, error=error, tool_seconds=seconds
            )

    def divide(self, turns: Sequence[Turn]) -> None:
        """Tell which of the tokens that the engine gave were put in, there or on the way: the turns anew.

        The reasons that the engine gave stay with the last one.
        """
        with self._lock:
            self._told = None
            last = self._turns[-1]
            for turn, before in zip_longest(turns, self._divided[: len(turns)]):
                self._mark(turn, before)
            self._divided = [(turn.start, turn.end, turn.injected) for turn in turns]
            self._turns[:] = turns
            self._turns[-1] = replace(turns[-1], finish_reason=last.finish_reason, stop_reason=last.stop_reason)

    def _mark(self, turn: Turn, before: tuple[int, int, int] | None) -> None:
        """Set the origins of a turn, those alone that can differ: a rollout that grows token by token is divided anew
        at each.

        Args:
            turn: as it is now.
            before: its start, end and number of injected tokens when it was last divided; None for a new one.
        """
        first, grown = turn.start, turn.end + turn.injected
        if before is not None and before[0] == turn.start:
            _, end, injected = before
            if not injected and not turn.injected and turn.end >= end:
                first = end
            elif turn.end == end and turn.injected >= injected:
                first = end + injected
        self._origins[first : turn.end] = ["sampled"] * (turn.end - first)
        begin = max(first, turn.end)
        self._origins[begin:grown] = ["injected"] * (grown - begin)

    def finish(self, by: EndedBy, error: str = "") -> None:
        """Nothing more will come. The first word counts."""
        with self._lock:
            if self._ended_by is None:
                self._told = None
                self._ended_by, self._error = by, error

    def rollout(self) -> Rollout:
        """It, as far as it is; the same object as long as nothing is added."""
        with self._lock:
            if self._told is not None:
                return self._told
            last = self._turns[-1] if self._turns else None
            self._told = Rollout(
                self.prompt_ids,
                tuple(self.ids),
                tuple(self._origins),
                tuple(self._logprobs) if any(value is not None for value in self._logprobs) else (),
                tuple(self._top) if any(self._top) else (),
                tuple(self._turns),
                last.finish_reason if last is not None else None,
                last.stop_reason if last is not None else None,
                self._ended_by or "engine",
                self._error,
            )
            return self._told


Listener = Callable[[int, Draft], None]
"""Told after every growth: the number of the prompt, and its draft. Called in the event loop: it must be quick."""
