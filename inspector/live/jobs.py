"""Work in the background that a page looks at from time to time: it ends, fails, or is stopped.

Work that nobody looks at any more is stopped too, where it is told so: an engine is not kept busy for a closed tab.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, Generic, Literal, TypeVar

from ..samplers.engine import EngineError
from ..samplers.limits import RUN_S, TOO_LONG, UNWATCHED, UNWATCHED_S
from ..samplers.sampler import SamplerError
from .loop import Loop, live_loop

State = Literal["running", "done", "stopped", "failed"]

T = TypeVar("T")


class Job(Generic[T]):
    """A coroutine in the loop of the engines.

    Args:
        work: makes it.
        on_end: called once it has ended, in that loop.
        unwatched_s: seconds without :meth:`looked` after which it is stopped; None is never.
        limit_s: seconds after which it is stopped in any case; None is never.

    Attributes:
        state: "running" until it has ended.
        result: what it returned, None before.
        error: why it failed, in a sentence, "" when it did not.
        why: why it was stopped, in a sentence, "" where a person did it or nobody.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        on_end: Callable[[], None] = lambda: None,
        *,
        unwatched_s: float | None = UNWATCHED_S,
        limit_s: float | None = RUN_S,
    ) -> None:
        self.state: State = "running"
        self.result: T | None = None
        self.error = ""
        self.why = ""
        self._looked = time.monotonic()
        self._unwatched_s = unwatched_s
        self._limit_s = limit_s
        self._work = work
        self._on_end = on_end
        self._loop: Loop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._over = Event()

    def start(self, loop: Loop | None = None) -> None:
        """Begin, in the background."""
        self._loop = loop or live_loop()
        self._loop.submit(self._run())

    def looked(self) -> None:
        """Somebody looks at it."""
        self._looked = time.monotonic()

    def stop(self, why: str = "") -> None:
        """Let it be. Returns at once.

        Args:
            why: a sentence, where it was not a person who wanted it.
        """
        self.why = self.why or (why if self.state == "running" else "")
        if self._loop is not None:
            self._loop.call(self._cancel)

    def wait(self, limit_s: float) -> bool:
        """Whether it has ended, after at most ``limit_s`` seconds."""
        return self._over.wait(limit_s)

    def _cancel(self) -> None:
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _stop_when_it_is_time(self) -> None:
        end = time.monotonic() + self._limit_s if self._limit_s is not None else None
        while True:
            now = time.monotonic()
            ends = [(end, TOO_LONG)] if end is not None else []
            if self._unwatched_s is not None:
                ends.append((self._looked + self._unwatched_s, UNWATCHED))
            if not ends:
                return
            at, why = min(ends)
            if at <= now:
                self.stop(why)
                return
            await asyncio.sleep(at - now)

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        # Held here: the loop itself keeps tasks only weakly.
        watch = asyncio.create_task(self._stop_when_it_is_time())
        try:
            if self._is_stopped:
                # Stopped between its start and this moment.
                raise asyncio.CancelledError
            self.result = await self._work()
            self.state = "done"
        except asyncio.CancelledError:
            self.state = "stopped"
        except Exception as error:  # noqa: BLE001
            # Shown as a sentence. What is not an engine's or a sampler's own word is named as a defect.
            parts = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            self.error = "; ".join(
                str(p) if isinstance(p, EngineError | SamplerError) else f"{type(p).__name__}: {p}" for p in parts
            )
            self.state = "failed"
        watch.cancel()
        if self.state != "stopped":
            self.why = ""  # it ended by itself in the same moment
        self._over.set()
        self._on_end()
