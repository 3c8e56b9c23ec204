"""A child process that is talked to in JSON lines, with its log kept: what the offline engine's worker runs in.

Threads do the blocking reads and writes, so that the child belongs to no event loop: it may be started in one and
asked from another, and a prompt that is longer than a pipe holds up nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from io import TextIOWrapper
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, Final

MOST_LINE: Final = 64 * 2**20
"""Bytes of a message from the child: one token each of 1,000 answers, with 20 alternatives, takes 1 MB."""

MOST_LOG_LINE: Final = 16_384
"""Characters of a line of its log; a longer one is kept as several."""

_LOG_LINES: Final = 2000
_ENDING_S: Final = 5.0
"""How long a child that has closed its output may take to end by itself."""

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FAULT: Final = re.compile(r"\b[A-Za-z]*(?:Error|Exception)\b: |\bFatal\b|No module named|Unknown option")


class Child:
    """A process, started at once in a process group of its own. Its methods may be called from any thread.

    Args:
        command: the program and its arguments.
        environment: all of its variables.
        on_message: gets every line of its output that is a JSON object. What it raises ends the child.
        on_log: gets every line of its log (what it writes to stderr), without colours.
        on_end: gets, once, how it ended: a phrase for a sentence, "was killed by signal 9".

    The three are called in threads of the child.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_message: Callable[[dict[str, Any]], None],
        on_log: Callable[[str], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._on_message, self._on_log, self._on_end = on_message, on_log, on_end
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._broken = ""
        self.ended: Future[None] = Future()
        """Done when the process is gone and ``on_end`` has been called."""
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            # Ctrl-C is for the parent, which ends its children in good order; and all that it starts can be ended.
            start_new_session=True,
        )
        readers = [Thread(target=work, daemon=True, name="vllm-worker") for work in (self._hear, self._keep_log)]
        Thread(target=self._write, daemon=True, name="vllm-worker-input").start()
        Thread(target=self._bury, args=(readers,), daemon=True, name="vllm-worker-end").start()
        for reader in readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Its last 2,000 lines of log."""
        return "\n".join(self._log)

    @property
    def last_words(self) -> str:
        """The line of its log that says most about its end: the last error, else the last line; "" for none."""
        lines = [line.strip() for line in list(self._log) if line.strip()]
        faults = [line for line in lines if _FAULT.search(line)]
        return (faults or lines or [""])[-1]

    def send(self, message: Mapping[str, Any]) -> None:
        """Write a line to it, in time; lost when it is gone."""
        self._outbox.put(json.dumps(message).encode() + b"\n")

    def shut(self) -> None:
        """Close its input: it is to end by itself."""
        self._outbox.put(None)

    def kill(self) -> None:
        """End it and all that it has started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _write(self) -> None:
        pipe = _given(self._process.stdin)
        with contextlib.suppress(OSError), pipe:
            while (data := self._outbox.get()) is not None:
                pipe.write(data)
                pipe.flush()

    def _hear(self) -> None:
        with _given(self._process.stdout) as lines:
            # A line that does not end is read in part, which is no JSON.
            for line in iter(lambda: lines.readline(MOST_LINE), b""):
                try:
                    message = json.loads(line)
                    if not isinstance(message, dict):
                        raise ValueError("not an object")
                    self._on_message(message)
                except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
                    # Its output is ours alone: what else is in it comes of a fault, and nothing behind it counts.
                    shown = line[:80].decode("utf-8", "replace").strip()
                    self._broken = f"was ended because its output is not what was expected: {shown!r}"
                    self.kill()
                    return
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._broken = "closed its output without ending, and was ended"
            self.kill()

    def _keep_log(self) -> None:
        # A progress bar is many lines, each ended by a carriage return.
        with TextIOWrapper(_given(self._process.stderr), encoding="utf-8", errors="replace") as lines:
            for line in iter(lambda: lines.readline(MOST_LOG_LINE), ""):
                clean = _COLOUR.sub("", line).rstrip()
                self._log.append(clean)
                self._on_log(clean)

    def _bury(self, readers: Sequence[Thread]) -> None:
        code = self._process.wait()
        # What it has started may hold its pipes open, and would keep the readers waiting.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for reader in readers:
            reader.join()
        self._outbox.put(None)
        self._on_end(self._broken or _ending(code))
        self.ended.set_result(None)


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed by signal 9, as when memory runs out"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with exit status {code}"


def _given(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # all three are asked for above
    return pipe
