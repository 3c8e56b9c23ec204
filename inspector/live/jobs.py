"""Work in the background that a page looks at from time to time: it ends, fails, or is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, Generic, Literal, TypeVar

from ..samplers.engine import EngineError
from ..samplers.sampler import SamplerError
from .loop import Loop, live_loop

State = Literal["running", "done", "stopped", "failed"]

T = TypeVar("T")


class Job(Generic[T]):
    """A coroutine in the loop of the engines.

    Args:
        work: makes it.
        on_end: called once it has ended, in that loop.

    Attributes:
        state: "running" until it has ended.
        result: what it returned, None before.
        error: why it failed, in a sentence, "" when it did not.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], on_end: Callable[[], None] = lambda: None) -> None:
        self.state: State = "running"
        self.result: T | None = None
        self.error = ""
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

    def stop(self) -> None:
        """Let it be. Returns at once."""
        if self._loop is not None:
            self._loop.call(self._cancel)

    def wait(self, limit_s: float) -> bool:
        """Whether it has ended, after at most ``limit_s`` seconds."""
        return self._over.wait(limit_s)

    def _cancel(self) -> None:
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        self._task = asyncio.current_task()
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
        self._over.set()
        self._on_end()
