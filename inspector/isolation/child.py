"""A child process that answers frames on a pipe, and that can be killed whatever it is doing.

A frame is four bytes of length, big-endian, then that many bytes. What is in it is between the two sides.
"""

from __future__ import annotations

import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..child_environment import own_folder

MOST_IN_FRAME: Final = 2**32 - 1
_PIPE: Final = 2**20
"""Bytes that a pipe holds, where the system lets us say so: an answer of 2 MB takes a few turns instead of forty."""

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]


class ChildLate(Exception):
    """No answer came in time; the process was killed."""


class ChildEnded(Exception):
    """The process ended without an answer; the message says how.

    Attributes:
        signal: the number of the signal that ended it, 0 for none.
    """

    def __init__(self, words: str, signal: int = 0) -> None:
        super().__init__(words)
        self.signal = signal


class TooLong(Exception):
    """The answer is longer than was allowed; it was not read, and the process was killed."""


@dataclass(slots=True)
class _Exchange:
    """What the thread that talks to the process has found out."""

    answer: bytes | None = None
    too_long: bool = False


class Child:
    """One process, started when it is needed and gone after :meth:`stop`. One exchange at a time: not for threads.

    Args:
        command: gives the command line and the environment, each time that the process is started.
        errors: where its standard error goes; nowhere by default.
        longest: the most bytes of an answer.
    """

    def __init__(
        self,
        command: Callable[[], tuple[Sequence[str], Mapping[str, str]]],
        *,
        errors: int | None = subprocess.DEVNULL,
        longest: int = MOST_IN_FRAME,
    ) -> None:
        self._command, self._errors, self._longest = command, errors, longest
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the process if it does not run.

        Raises:
            OSError: the system does not let us.
        """
        if self.pid is not None:
            return
        self.stop()
        command, environment = self._command()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            cwd=own_folder(),
        )
        _widen(self._process)

    def exchange(
        self,
        data: bytes,
        deadline: float,
        *,
        step: float | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> bytes:
        """Send a frame and wait for the answer. After any of the exceptions the process is gone.

        Args:
            data: the frame.
            deadline: seconds until the process is killed.
            step: how often, in seconds, ``meanwhile`` is called while we wait; what it raises ends the exchange.

        Raises:
            ChildLate: there was no answer in time.
            ChildEnded: the process ended.
            TooLong: the answer is too long.
        """
        process = self._process
        if process is None:
            raise ChildEnded("it was not started")
        found = _Exchange()
        # A thread does the blocking reads and writes: killing the process ends them, on every system.
        thread = threading.Thread(
            target=_talk, args=(process, data, self._longest, found), name="harmony-worker", daemon=True
        )
        thread.start()
        try:
            _wait(thread, deadline, step, meanwhile)
        except BaseException:
            self.stop()  # Ctrl-C: an answer that nobody waits for must not be taken for the next one
            raise
        if thread.is_alive():
            self.stop()
            thread.join()
            raise ChildLate
        if found.answer is not None:
            return found.answer
        ended = TooLong() if found.too_long else _ending(process)
        self.stop()
        raise ended

    def kill(self) -> None:
        """Kill the process, from any thread: an exchange that is under way ends. :meth:`stop` clears up."""
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # unsent bytes to a process that is gone


def _wait(thread: threading.Thread, deadline: float, step: float | None, meanwhile: Callable[[], None] | None) -> None:
    if step is None or meanwhile is None:
        thread.join(deadline)
        return
    began = time.monotonic()
    while thread.is_alive() and (gone := time.monotonic() - began) < deadline:
        thread.join(min(step, deadline - gone))
        if thread.is_alive():
            meanwhile()


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let the pipes hold more, where the system allows it: it may have a lower limit, and many pipes share another."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)
    if resize is None:
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                fcntl.fcntl(pipe.fileno(), resize, _PIPE)


def _talk(process: subprocess.Popen[bytes], data: bytes, longest: int, found: _Exchange) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(struct.pack(">I", len(data)))
        process.stdin.write(data)
        process.stdin.flush()
        head = process.stdout.read(4)
        if len(head) == 4:
            (size,) = struct.unpack(">I", head)
            if size > longest:
                found.too_long = True
                return
            body = process.stdout.read(size)
            if len(body) == size:
                found.answer = body
    except (OSError, ValueError):
        return  # the process ended in between: an empty exchange says so


def _ending(process: subprocess.Popen[bytes]) -> ChildEnded:
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return ChildEnded("its pipe closed")
    return ChildEnded(f"signal {-code}", -code) if code < 0 else ChildEnded(f"exit status {code}")
