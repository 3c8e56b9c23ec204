"""A few workers for everybody: who comes first is served first, and nobody holds more than one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from .limits import CutOff, Limits, Reason
from .worker import LOOK_S, Worker

P = ParamSpec("P")
R = TypeVar("R")

_REMEMBERED: Final = 256


def _always() -> bool:
    return True


class Pool:
    """At most ``size`` workers. Safe for threads.

    They are started when somebody waits, beside what is under way: nobody waits for a start while another worker
    becomes free. Once one had to be killed all are kept running: who does harm does it again, and takes a running one.

    Args:
        size: with several, one that is slow holds nobody up.
        limits: what each of them may take.
        first: called in every new worker before anything else.
    """

    def __init__(self, size: int = 3, limits: Limits | None = None, first: Callable[[], object] | None = None) -> None:
        self.limits = limits if limits is not None else Limits()
        self._workers = [Worker(self.limits, first) for _ in range(size)]
        self._cold = list(reversed(self._workers))
        self._idle: list[Worker] = []
        self._is_starting = self._keeps_all = self._is_closed = False
        self._line: list[tuple[object, str]] = []
        self._holding: set[str] = set()
        self._served: dict[str, Worker] = {}
        self._changed = threading.Condition()

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    def call(
        self,
        holder: str,
        function: Callable[P, R],
        deadline: float,
        wanted: Callable[[], bool] | None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """What ``function`` returns or raises, called in a worker.

        Args:
            holder: for whom, a session or a run: of the same holder one request is served at a time.
            function: of a module, not of another function: it is sent by name.
            deadline: seconds until the worker is killed; waiting for one is not counted.
            wanted: whether anybody still waits for the answer, asked now and then.
            args, kwargs: its arguments; they are copied.

        Raises:
            CutOff: it was not finished.
        """
        asked = wanted if wanted is not None else _always
        with self._one(holder, asked) as worker:
            return worker.call(function, deadline, asked, *args, **kwargs)

    def prepare(self) -> None:
        """Have a worker started where none runs, so that the first request does not wait for one."""
        with self._changed:
            if len(self._cold) == len(self._workers):
                self._start_one()

    def close(self) -> None:
        """End all workers, whatever they are doing. They start again when used again."""
        with self._changed:
            self._keeps_all = False
            self._is_closed = True
        for worker in self._workers:
            worker.kill()
        with self._changed:
            for worker in (*self._idle, *self._cold):
                worker.stop()

    @contextmanager
    def _one(self, holder: str, wanted: Callable[[], bool]) -> Iterator[Worker]:
        worker = self._take(holder, wanted)
        try:
            yield worker
        finally:
            with self._changed:
                self._holding.discard(holder)
                if worker.pid is None:
                    self._cold.append(worker)
                    self._keeps_all = not self._is_closed
                    self._keep()
                else:
                    self._idle.append(worker)
                self._remember(holder, worker)
                self._changed.notify_all()

    def _take(self, holder: str, wanted: Callable[[], bool]) -> Worker:
        ticket = (object(), holder)
        end = time.monotonic() + self.limits.patience
        with self._changed:
            self._is_closed = False
            self._line.append(ticket)
            try:
                while not self._is_next(ticket):
                    if holder not in self._holding and not self._idle:
                        self._start_one()
                    self._changed.wait(LOOK_S)
                    if not wanted():
                        raise CutOff(Reason.LEFT, "nobody waits for it any more")
                    if time.monotonic() > end:
                        patience = f"{self.limits.patience:.0f} s"
                        raise CutOff(Reason.BUSY, f"others keep the app busy: there was no free worker for {patience}")
                self._holding.add(holder)
                return self._choose(holder)
            finally:
                self._line.remove(ticket)
                # Whoever stands behind may be next now.
                self._changed.notify_all()

    def _is_next(self, ticket: tuple[object, str]) -> bool:
        """Whether there is a worker, and everybody in front waits for one that they hold themselves."""
        if not self._idle or ticket[1] in self._holding:
            return False
        return next(waiting for waiting in self._line if waiting[1] not in self._holding) is ticket

    def _choose(self, holder: str) -> Worker:
        """The worker that served this holder last and still knows what it showed; else the one used last."""
        known = self._served.get(holder)
        worker = known if known in self._idle else self._idle[-1]
        self._idle.remove(worker)
        return worker

    def _start_one(self) -> None:
        """Have a worker started, one at a time: they all need the same processor."""
        if self._cold and not self._is_starting:
            self._is_starting = True
            threading.Thread(target=self._start, args=(self._cold.pop(),), name="worker-start", daemon=True).start()

    def _keep(self) -> None:
        if self._keeps_all:
            self._start_one()

    def _start(self, worker: Worker) -> None:
        try:
            worker.prepare()
        except Exception:  # noqa: BLE001 - whoever gets this worker tries once more, and is told
            worker.stop()
        finally:
            with self._changed:
                self._is_starting = False
                self._idle.append(worker)
                self._keep()
                self._changed.notify_all()

    def _remember(self, holder: str, worker: Worker) -> None:
        self._served.pop(holder, None)
        self._served[holder] = worker
        while len(self._served) > _REMEMBERED:
            del self._served[next(iter(self._served))]
