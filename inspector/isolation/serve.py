"""The worker's side: calls the functions that it is asked to call, until its input ends.

This file is run as a script in isolated mode, and imports nothing of this project by itself: its argument (JSON) says
where modules are found and how much memory there is, every frame names a function and its arguments. The frames are
pickles: they come from the process that started this one, and nobody else has the pipe.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import traceback
from typing import Any, BinaryIO, Final

NO_MEMORY: Final = pickle.dumps(("memory", None))
"""Made beforehand: when it is needed there may be no room for it."""

_AFTER_S: Final = 5.0
"""Seconds that the parent has to kill this process itself before the system does."""

_NICENESS: Final = 10
"""What is done here gives way to the process that answers everybody. So, on two cores, 19 sessions wait 1.4 times as
long beside one that keeps a worker spinning as they do alone (``benchmarks/results/hostile_neighbour.json``)."""


def main() -> None:
    """Serve on standard input and output; what the functions print goes to standard error."""
    # Ctrl-C in a terminal reaches the whole group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGALRM", "SIGPROF"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)  # a parent that ignores it would hand that down
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told = json.loads(sys.argv[1])
    sys.path[:] = told["path"]
    _limit_memory(told["memory"])
    frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, frames), daemon=True).start()
    while True:
        data = _answer(frames.get())
        target.write(struct.pack(">I", len(data)))
        target.write(data)
        target.flush()


def _read(source: BinaryIO, frames: queue.SimpleQueue[bytes | None]) -> None:
    """Take frames from the pipe; None where one does not fit into the memory that there is.

    When the pipe ends the parent is gone, and so is whoever waits for what is being done.
    """
    try:
        while len(head := source.read(4)) == 4:
            (size,) = struct.unpack(">I", head)
            frames.put(source.read(size))
    except MemoryError:
        frames.put(None)
        while source.read(2**16):
            continue  # the parent hears no answer before it has sent everything
    os._exit(0)


def _answer(frame: bytes | None) -> bytes:
    """The answer to a request as a frame: ("ok", value), ("raised", ...), ("memory", None) or ("crashed", words).

    After the last two this process is not fit to go on, and the parent ends it.
    """
    if frame is None:
        return NO_MEMORY
    try:
        deadline, late, function, args, kwargs = pickle.loads(frame)  # noqa: S301 - from the parent, see above
        _alarm(deadline, late + _AFTER_S)
        try:
            return pickle.dumps(("ok", function(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
        finally:
            _alarm(0.0, 0.0)
    except MemoryError:
        return NO_MEMORY
    except Exception as error:  # noqa: BLE001 - whatever a function raises is its answer
        return _raised(error)
    except BaseException as error:  # noqa: BLE001 - a panic of native code is no Exception
        return pickle.dumps(("crashed", f"{type(error).__name__}: {error}"[:300]))


def _raised(error: Exception) -> bytes:
    """An exception, with the place where it was raised as text: the frames of this process stay here."""
    where = "".join(traceback.format_exception(error))
    try:
        told = pickle.dumps(error)
        pickle.loads(told)  # noqa: S301 - made in the line before: whether it can be read again
    except Exception:  # noqa: BLE001 - an exception that does not travel
        error = RuntimeError(f"{type(error).__name__}: {error}"[:2_000])
        told = pickle.dumps(error)
    return pickle.dumps(("raised", (told, where[-8_000:])))


def _alarm(computing: float, waiting: float) -> None:
    """Have the system end this process after so many seconds of computing, or of anything; 0 for not at all.

    Seconds of computing are the deadline: on a busy machine ordinary work is not cut off. The others are for a parent
    that has died meanwhile, while a pattern or a native function holds the interpreter's lock and :func:`_read` does
    not come to its turn.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, computing)
        signal.setitimer(signal.ITIMER_REAL, waiting)


def _limit_memory(most: int) -> None:
    """Hold this process to ``most`` bytes of data, where the system does that."""
    try:
        import resource
    except ImportError:
        return  # Windows: see Limits.memory
    if not sys.platform.startswith("linux"):
        return  # macOS takes such limits and does not hold anybody to them
    # Not the address space: threads and libraries reserve much of it that they never use.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit: Any = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
