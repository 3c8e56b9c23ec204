"""The event loop that all engines of this process live in, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self, name: str = "live") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``work`` there; the future can be waited for, or cancelled, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Callable[[], object]) -> None:
        """Have ``work`` called there, and return at once."""
        self._loop.call_soon_threadsafe(work)

    def wait(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        """What ``work`` returns or raises.

        Raises:
            TimeoutError: it took longer than ``limit_s`` seconds; it is cancelled then.
        """
        future = self.submit(work)
        try:
            return future.result(limit_s)
        except TimeoutError:
            future.cancel()
            raise


@cache
def live_loop() -> Loop:
    """The one of this process."""
    return Loop()
