"""Worker processes that no fault leaves behind, and that lose one record at most when they die.

Each worker has a pipe of its own. A thread in it does nothing but read: when the other end is gone, however its holder
ended, so is the worker. Where a worker dies, only what it was working on is done again, by another, record by record,
and the record on which that one dies too gets an error in place of its inspection.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread
from typing import Any, Final, Generic, TypeAlias, TypeVar

_AHEAD: Final = 2
"""Batches that a worker may have: the one that it is at, and the next, so that it never waits for us."""

_STARTS: Final = 3
"""Workers in a row that may die before they have begun; then there is something wrong with all of them."""

_PATIENCE_S: Final = 2.0
"""Seconds that a process may take to end when it is told to."""

_PR_SET_PDEATHSIG: Final = 1

Entry = TypeVar("Entry")
Result = TypeVar("Result")
Work: TypeAlias = Callable[[Any], Any]


class WorkersError(RuntimeError):
    """No worker process can be started; the message is one sentence."""


@dataclass(slots=True, eq=False)
class Task(Generic[Entry, Result]):
    """A batch of entries.

    Attributes:
        entries: what to work on.
        results: for the first of them, as they come.
        careful: whether a worker has died on it: results are now sent one by one.
    """

    entries: Sequence[Entry]
    results: list[Result] = field(default_factory=list)
    careful: bool = False

    @property
    def is_done(self) -> bool:
        """Whether every entry has its result."""
        return len(self.results) == len(self.entries)


@dataclass(slots=True, eq=False)
class _Worker(Generic[Entry, Result]):
    process: Any
    connection: Connection
    tasks: deque[Task[Entry, Result]] = field(default_factory=deque)
    has_begun: bool = False
    is_read: bool = False
    """A message is being read: whoever is interrupted in the middle of it cannot go on with this connection."""


class Workers(Generic[Entry, Result]):
    """Processes that make results of entries.

    Args:
        work: makes one result of one entry; picklable, and raises nothing.
        died: the result for an entry on which a worker died, given the entry and how it died, in words.
        count: how many processes at most; each is started when there is something for it.
    """

    def __init__(self, work: Work, died: Callable[[Entry, str], Result], count: int) -> None:
        self._work = work
        self._died = died
        self._count = count
        self._workers: list[_Worker[Entry, Result]] = []
        self._unsent: deque[Task[Entry, Result]] = deque()
        self._failed_starts = 0

    def submit(self, task: Task[Entry, Result]) -> None:
        """Have a task done, behind those that were submitted before."""
        self._unsent.append(task)
        self._send()

    def wait(self) -> None:
        """Wait until something has come of some task.

        Raises:
            WorkersError: no process can be started.
        """
        self._hear(None)
        self._send()

    def drain(self) -> None:
        """Take what has come already; waits for nothing, and may be called after an interruption."""
        self._workers = [worker for worker in self._workers if not worker.is_read]
        self._unsent.clear()
        while any(worker.tasks for worker in self._workers) and self._hear(0):
            pass

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.process.terminate()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(_PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    def _send(self) -> None:
        while self._unsent:
            worker = min(self._workers, key=lambda one: len(one.tasks), default=None)
            if (worker is None or worker.tasks) and len(self._workers) < self._count:
                worker = self._start()
            if worker is None or len(worker.tasks) >= _AHEAD:
                return
            task = self._unsent.popleft()
            worker.tasks.append(task)
            with suppress(OSError):  # it has died: that is found out when it is read from
                worker.connection.send((task.entries[len(task.results) :], task.careful))

    def _start(self) -> _Worker[Entry, Result] | None:
        """Another worker; one of those that are there where the system gives no further process.

        Raises:
            WorkersError: there is none at all.
        """
        # Spawned, not forked: the caller may have threads.
        context = multiprocessing.get_context("spawn")
        try:
            ours, theirs = context.Pipe()
            # The system's own word for the death of a parent goes by the thread that started the child.
            parent = os.getpid() if current_thread() is main_thread() else None
            process = context.Process(target=_serve, args=(theirs, self._work, parent), daemon=True)
            with _interrupts_held():
                process.start()
        except OSError as error:
            self._count = len(self._workers)
            if not self._workers:
                reason = (error.strerror or str(error)).rstrip(".")
                raise WorkersError(f"No worker process can be started: {reason}.") from error
            return min(self._workers, key=lambda one: len(one.tasks))
        theirs.close()
        worker: _Worker[Entry, Result] = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _hear(self, timeout: float | None) -> bool:
        """Whether something came within ``timeout`` seconds."""
        connections = {worker.connection: worker for worker in self._workers}
        heard = wait(list(connections), timeout)
        for connection in heard:
            worker = connections[connection]  # type: ignore[index]
            worker.is_read = True
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            worker.is_read = False
            self._take(worker, message)
        return bool(heard)

    def _take(self, worker: _Worker[Entry, Result], message: list[Result] | Exception | None) -> None:
        if message is None:
            worker.has_begun = True
            self._failed_starts = 0
        elif isinstance(message, Exception):
            raise message
        else:
            task = worker.tasks[0]
            task.results.extend(message)
            if task.is_done:
                worker.tasks.popleft()

    def _bury(self, worker: _Worker[Entry, Result]) -> None:
        """A worker is dead: what it had goes to others."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join(_PATIENCE_S)
        how = _how(worker.process.exitcode)
        if not worker.has_begun:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise WorkersError(f"No worker process can be started: {self._failed_starts} of them {how} at once.")
        elif worker.tasks:
            task = worker.tasks[0]
            if task.careful:
                task.results.append(self._died(task.entries[len(task.results)], how))
            task.careful = True
            if task.is_done:
                worker.tasks.popleft()
        self._unsent.extendleft(reversed(worker.tasks))


def _how(code: int | None) -> str:
    """How a process ended, behind its name."""
    if code is None or code >= 0:
        return f"ended with code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        return f"was killed by {name}{', as when memory runs out' if name == 'SIGKILL' else ''}"
    return f"was killed by signal {-code}"


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Meanwhile no Ctrl-C: a process that is started inherits that, until it can ignore them (:func:`_serve`)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# What follows runs in the worker.


def _serve(connection: Connection, work: Work, parent: int | None) -> None:
    """Make results of what comes, until nobody is there any more to take them."""
    # Ctrl-C in a terminal reaches the whole group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if parent is not None:
        _die_with(parent)
    batches: SimpleQueue[tuple[Sequence[Any], bool] | Exception] = SimpleQueue()
    with suppress(OSError):  # nobody is there
        connection.send(None)
        Thread(target=_receive, args=(connection, batches), daemon=True).start()
        while True:
            _answer(connection, work, batches.get())


def _answer(connection: Connection, work: Work, batch: tuple[Sequence[Any], bool] | Exception) -> None:
    if isinstance(batch, Exception):
        connection.send(batch)
        return
    entries, careful = batch
    step = 1 if careful else max(1, len(entries))
    for at in range(0, len(entries), step):
        results = [work(entry) for entry in entries[at : at + step]]
        try:
            connection.send(results)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever cannot be pickled raises as it likes
            connection.send(TypeError(f"a result cannot be sent between processes: {error}"))


def _receive(connection: Connection, batches: SimpleQueue[tuple[Sequence[Any], bool] | Exception]) -> None:
    while True:
        try:
            batches.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:  # noqa: BLE001 - told to who sent it
            batches.put(TypeError(f"an entry cannot be sent between processes: {error}"))


def _die_with(parent: int) -> None:
    """Have Linux end this process with its parent, even while a library holds the interpreter's lock."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
