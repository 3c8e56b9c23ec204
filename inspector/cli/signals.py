"""What Ctrl-C and SIGTERM mean to the process that the command is."""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from types import FrameType
from typing import Final, NoReturn

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
