"""Inputs that the server keeps, so that a reload and the Back key of the browser find them again.

In memory only: at most :data:`MAX_BYTES` and :data:`MAX_INPUTS`, the ones that were not looked at longest go first.
The name of an input is as long as a key and stays in the history of the tab that gave it; it is in no address.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Final, Generic, TypeVar

MAX_INPUTS: Final = 500
MAX_BYTES: Final = 256 * 2**20

T = TypeVar("T")


def new_name() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(16)


class Kept(Generic[T]):
    """Values by name, the least recently used of them dropped beyond a number and a size. Safe between threads."""

    def __init__(self, inputs: int = MAX_INPUTS, size: int = MAX_BYTES) -> None:
        self._inputs, self._size = inputs, size
        self._held: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._total = 0
        self._lock = Lock()

    def keep(self, name: str, value: T, size: int) -> None:
        """Keep ``value`` of ``size`` bytes under ``name``, instead of what had that name."""
        with self._lock:
            _, before = self._held.pop(name, (None, 0))
            self._held[name] = (value, size)
            self._total += size - before
            while self._held and (len(self._held) > self._inputs or self._total > self._size):
                _, (_, gone) = self._held.popitem(last=False)
                self._total -= gone

    def find(self, name: str) -> T | None:
        """What has this name; None when there is none, or no longer."""
        with self._lock:
            found = self._held.get(name)
            if found is None:
                return None
            self._held.move_to_end(name)
            return found[0]

    def __len__(self) -> int:
        return len(self._held)
