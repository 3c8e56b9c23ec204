"""Inspecting many transcripts: in order, in constant memory, in one process or several.

One bad record never stops the rest: a line that could not be read, an inspection that fails, even a worker
process that dies on a transcript become a result with an error, in their place.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..ingest import Item, Problem
from ..tokens import Transcript
from .tally import Tally, tally

if TYPE_CHECKING:
    from ..inspection import Inspection

Inspect: TypeAlias = "Callable[[Transcript], Inspection]"
Digest: TypeAlias = "Callable[[Inspection], Any]"

_BATCH: Final = 32
"""Records that go to a worker at once: a record costs about a millisecond, a message between processes too."""

_AHEAD: Final = 2
"""Batches per worker that may wait: this bounds the memory."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What became of one record.

    Attributes:
        index: its number in the order of the input, from 0.
        id: the transcript's id; for a record that could not be read, its line.
        source: where it came from, "runs.jsonl line 7".
        value: what ``digest`` made of the inspection (the inspection itself without one), or None.
        tally: what it counts for, or None when there was no inspection.
        error: one sentence when there was none, else None.
        problems: sentences about parts of the record that were left out.
    """

    index: int
    id: str
    source: str
    value: Any = None
    tally: Tally | None = None
    error: str | None = None
    problems: tuple[str, ...] = ()


def scan(
    records: Iterable[Item],
    *,
    inspect: Inspect | None = None,
    digest: Digest | None = None,
    jobs: int = 1,
) -> Iterator[ScanResult]:
    """Inspect ``records`` (see :func:`inspector.ingest.iter_records`) and yield a result for each, in order.

    Args:
        records: transcripts, and problems in the place of what could not be read; consumed as results are.
        inspect: what inspects one transcript, :func:`inspector.inspection.inspect` by default; a partial of it
            carries options.
        digest: what to keep of an inspection; with several processes it runs in them, and only its result
            crosses between processes. Without it a result holds the inspection itself.
        jobs: processes. With more than one, ``inspect`` and ``digest`` must be picklable; at most
            ``2 * jobs + 1`` batches of 32 records are in memory.

    Raises:
        ValueError: ``jobs`` is less than 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}, expected 1 or more")
    work = _Work(inspect, digest)
    entries = _entries(records)
    return map(work, entries) if jobs == 1 else _parallel(entries, work, jobs)


@dataclass(frozen=True, slots=True)
class _Entry:
    index: int
    item: Item
    problems: tuple[str, ...] = ()


def _entries(records: Iterable[Item]) -> Iterator[_Entry]:
    """Numbered records; a problem that only says what a record lost goes with that record."""
    held: _Entry | None = None
    index = 0
    for item in records:
        if isinstance(item, Problem) and not item.lost and held is not None:
            held = _Entry(held.index, held.item, (*held.problems, item.sentence))
            continue
        if held is not None:
            yield held
        held = _Entry(index, item)
        index += 1
    if held is not None:
        yield held


@dataclass(frozen=True, slots=True)
class _Work:
    """One record to its result. Picklable when its two functions are."""

    inspect: Inspect | None
    digest: Digest | None

    def __call__(self, entry: _Entry) -> ScanResult:
        item = entry.item
        if isinstance(item, Problem):
            place = f"line {item.line}"
            return ScanResult(entry.index, item.id or place, place, error=item.sentence)
        try:
            inspection = (self.inspect or _default_inspect())(item)
            counted = tally(inspection)
            value = inspection if self.digest is None else self.digest(inspection)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of native code is a BaseException too
            return _failed(entry, f"{type(error).__name__}: {error}")
        return ScanResult(entry.index, item.id, item.source, value, counted, problems=entry.problems)

    def batch(self, entries: Sequence[_Entry]) -> list[ScanResult]:
        """Several records, in a worker."""
        return [self(entry) for entry in entries]


def _default_inspect() -> Inspect:
    from ..inspection import inspect

    return inspect


def _failed(entry: _Entry, why: str) -> ScanResult:
    item = entry.item
    name, source = (item.id, item.source) if isinstance(item, Transcript) else (f"line {item.line}",) * 2
    sentence = f"the inspection failed ({' '.join(why.split())[:300]}): this is a defect of harmonylens"
    return ScanResult(entry.index, name, source, error=sentence, problems=entry.problems)


def _parallel(entries: Iterator[_Entry], work: _Work, jobs: int) -> Iterator[ScanResult]:
    pool = _Pool(work, jobs)
    waiting: deque[tuple[list[_Entry], Future[list[ScanResult]]]] = deque()
    try:
        while True:
            while len(waiting) <= _AHEAD * jobs and (batch := list(islice(entries, _BATCH))):
                waiting.append((batch, pool.submit(batch)))
            if not waiting:
                return
            batch, future = waiting.popleft()
            try:
                yield from future.result()
            except BrokenProcessPool:
                # A worker died, and with it every batch that was under way. The first of them is gone through
                # record by record, to find the one that kills; the others are sent again as they are.
                pool.renew()
                again = [later for later, _ in waiting]
                waiting.clear()
                yield from pool.one_by_one(batch)
                waiting.extend((later, pool.submit(later)) for later in again)
    finally:
        pool.close()


class _Pool:
    """Worker processes that are replaced when one of them dies."""

    def __init__(self, work: _Work, jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._executor = self._make()

    def _make(self) -> ProcessPoolExecutor:
        # Spawned, not forked: the caller may have threads.
        return ProcessPoolExecutor(self._jobs, mp_context=multiprocessing.get_context("spawn"))

    def submit(self, batch: Sequence[_Entry]) -> Future[list[ScanResult]]:
        """Send a batch."""
        try:
            return self._executor.submit(self._work.batch, batch)
        except BrokenProcessPool as error:
            broken: Future[list[ScanResult]] = Future()
            broken.set_exception(error)
            return broken

    def one_by_one(self, batch: Sequence[_Entry]) -> Iterator[ScanResult]:
        """The records of a batch that killed its worker; the culprit becomes an error."""
        for entry in batch:
            try:
                yield from self.submit([entry]).result()
            except BrokenProcessPool:
                self.renew()
                yield _failed(entry, "the worker process died on it")

    def renew(self) -> None:
        """Replace the processes."""
        self.close()
        self._executor = self._make()

    def close(self) -> None:
        """Stop the processes and forget what waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)
