"""Inspecting many transcripts: in order, in constant memory, in one process or several.

One bad record never stops the rest: a line that could not be read, an inspection that fails, even a worker
process that dies on a transcript become a result with an error, in their place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..ingest import Item, Problem
from ..tokens import Transcript
from .tally import Tally, tally
from .workers import Task, Workers

if TYPE_CHECKING:
    from ..inspection import Inspection

Inspect: TypeAlias = "Callable[[Transcript], Inspection]"
Digest: TypeAlias = "Callable[[Inspection], Any]"

_BATCH: Final = 32
"""Records that go to a worker at once: a record costs about a millisecond, a message between processes too."""

_AHEAD: Final = 2
"""Batches per worker that may wait: this bounds the memory."""

_ALONE: Final = "inspect it alone, or on a machine with more memory"


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
) -> Scanning:
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
        inspector.scan.WorkersError: from the iterator: no worker process can be started.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}, expected 1 or more")
    work = _Work(inspect, digest)
    entries = _entries(records)
    return Scanning(entries, work) if jobs == 1 else _Parallel(entries, work, jobs)


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
            return _failed(entry, error)
        return ScanResult(entry.index, item.id, item.source, value, counted, problems=entry.problems)


def _default_inspect() -> Inspect:
    from ..inspection import inspect

    return inspect


def _failed(entry: _Entry, error: BaseException) -> ScanResult:
    if isinstance(error, MemoryError):
        return _instead(entry, f"there was not enough memory to inspect it: {_ALONE}")
    why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return _instead(entry, f"the inspection failed ({why}): this is a defect of harmonylens")


def _died(entry: _Entry, how: str) -> ScanResult:
    return _instead(entry, f"the worker process that inspected it {how}: {_ALONE}")


def _instead(entry: _Entry, sentence: str) -> ScanResult:
    """The result of a record that could not be inspected."""
    item = entry.item
    name, source = (item.id, item.source) if isinstance(item, Transcript) else (f"line {item.line}",) * 2
    return ScanResult(entry.index, name, source, error=sentence, problems=entry.problems)


class Scanning(Iterator[ScanResult]):
    """The results, in order, as they are asked for; in this process."""

    def __init__(self, entries: Iterator[_Entry], work: _Work) -> None:
        self._entries = entries
        self._work = work

    def __next__(self) -> ScanResult:
        return self._work(next(self._entries))

    def ready(self) -> list[ScanResult]:
        """After an interruption: what is done and was not asked for yet, in order. Waits for nothing."""
        return []

    def close(self) -> None:
        """Stop: there will be no further results."""


class _Parallel(Scanning):
    """The same with worker processes, which are some batches ahead."""

    def __init__(self, entries: Iterator[_Entry], work: _Work, jobs: int) -> None:
        super().__init__(entries, work)
        self._most = _AHEAD * jobs + 1
        self._workers: Workers[_Entry, ScanResult] = Workers(work, _died, jobs)
        self._waiting: deque[Task[_Entry, ScanResult]] = deque()
        self._taken: deque[ScanResult] = deque()
        self._next = 0

    def __next__(self) -> ScanResult:
        while not self._taken:
            self._fill()
            if not self._waiting:
                self.close()
                raise StopIteration
            if self._waiting[0].is_done:
                self._taken.extend(self._waiting.popleft().results)
            else:
                self._workers.wait()
        result = self._taken.popleft()
        self._next = result.index + 1
        return result

    def ready(self) -> list[ScanResult]:
        """See :meth:`Scanning.ready`."""
        self._workers.drain()
        done = [*self._taken, *(result for task in self._waiting for result in task.results)]
        return [result for result in done if result.index >= self._next]

    def close(self) -> None:
        """See :meth:`Scanning.close`."""
        self._workers.close()

    def _fill(self) -> None:
        while len(self._waiting) < self._most and (batch := list(islice(self._entries, _BATCH))):
            task: Task[_Entry, ScanResult] = Task(batch)
            self._waiting.append(task)
            self._workers.submit(task)
