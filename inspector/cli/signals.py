"""What Ctrl-C and SIGTERM mean to the process that the command is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, Final, NoReturn

from .output import CLEAN, INTERRUPTED, TERMINATED

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """SIGTERM raises KeyboardInterrupt where the program is, as SIGINT does: whatever is open is closed and cleaned up.

    Attributes:
        terminated: whether it was SIGTERM.
    """

    def __init__(self) -> None:
        self.terminated = False
        self._heeded: list[signal.Signals] = []

    def heed(self) -> None:
        """Begin. A signal that whoever started the program has it ignore stays ignored."""
        if current_thread() is not main_thread():
            return
        self._heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        if signal.SIGTERM in self._heeded:
            signal.signal(signal.SIGTERM, self._terminate)

    def stop_heeding(self) -> None:
        """From here on either of them ends the process at once: nobody presses Ctrl-C twice in order to wait."""
        for number in self._heeded:
            signal.signal(number, signal.SIG_DFL)
        self._heeded = []

    def _terminate(self, number: int, frame: FrameType | None) -> NoReturn:
        self.terminated = True
        raise KeyboardInterrupt


class Interruption:
    """Ctrl-C and SIGTERM for a command that keeps what came: where it is in the middle of something, they wait for it.

    Inside a ``with`` block of this they raise KeyboardInterrupt, as Ctrl-C always does; inside one of :meth:`later`
    only when that block ends. The second one never waits.

    Attributes:
        code: the exit code for the first of them, 0 while there was none.
    """

    def __init__(self) -> None:
        self.code = CLEAN
        self._waits = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if current_thread() is main_thread():
            for number in _ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def later(self) -> Iterator[None]:
        """Something that is to be done whole or not at all."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False
        if self.code:
            raise KeyboardInterrupt

    def _hear(self, number: int, frame: FrameType | None) -> None:
        first, self.code = not self.code, self.code or (TERMINATED if number == signal.SIGTERM else INTERRUPTED)
        if not (first and self._waits):
            raise KeyboardInterrupt
