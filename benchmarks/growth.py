"""How time and memory grow with the input: every case of tests/growth at n, 4 n and 16 n.

    python benchmarks/growth.py [--only WORD ...] [--seconds 120] [--memory 4096]

Each size runs in a process of its own, with a limit on its memory and a deadline. CPU seconds, their factors and the
peak of memory above what the process began with are printed and written to ``benchmarks/results/growth.json``. The
exit status is 1 when sixteen times the input takes more than 36 times as long, or as much memory, or when a case ends
in an exception, at its deadline or at its limit.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import multiprocessing
import os
import platform
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from inspector import inspect  # noqa: E402
from tests.growth.harness import FLOOR_S, MOST, Case, cpu_seconds, load, sized  # noqa: E402

TIMES: Final = (1, 4, 16)
FLOOR_MB: Final = 32.0
"""Megabytes that are not compared: allocators take memory by the piece."""

_TRIES: Final = 3
_MIB: Final = 1 << 20


@dataclass(slots=True)
class Measured:
    """One case: at each size its CPU seconds and its peak of memory in megabytes; what went wrong, if anything."""

    name: str
    n: int = 0
    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def factors(self) -> list[float]:
        """Four times the input takes so many times as long."""
        return _factors(self.seconds, FLOOR_S)

    @property
    def memory_factors(self) -> list[float]:
        """Four times the input takes so many times as much memory."""
        return _factors(self.peak_mb, FLOOR_MB)

    @property
    def holds(self) -> bool:
        """Whether it grows with its input and no faster: six times as long for four times as much, on average over both
        steps. Between 4 n and 16 n the data of a linear case leaves the processor's caches, which costs it once (7 to 8
        were seen, and 4 to 6 in the next step); what is quadratic takes 256 times as long for 16 times as much."""
        grown = (self.factors, self.memory_factors)
        return not self.problem and all(math.prod(steps) <= MOST ** len(steps) for steps in grown)


def _factors(values: list[float], floor: float) -> list[float]:
    return [round(large / max(small, floor), 2) for small, large in pairwise(values)]


def main() -> int:
    """Parse the command line, measure, print, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cases with one of these in their names")
    parser.add_argument("--seconds", type=float, default=120.0, help="wall-clock seconds that one size may take")
    parser.add_argument("--memory", type=int, default=4096, metavar="MB", help="memory that one size may take")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "growth.json")
    asked = parser.parse_args()
    cases = [one for one in load().values() if not asked.only or any(word in one.name for word in asked.only)]
    inspect([1])  # the vocabulary and the code, once for all processes
    began = time.perf_counter()
    print(f"{'case':44} {'n':>8}  {'seconds at n, 4 n, 16 n':>26}  {'factors':>12}  {'peak MB':>20}")
    found: list[Measured] = []
    for one in cases:
        found.append(measured(one, asked.seconds, asked.memory))
        print(_line(found[-1]), flush=True)
        # Each time: a run that is stopped leaves what it has measured.
        result = _result(found, time.perf_counter() - began)
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    failed = [one.name for one in found if not one.holds]
    print(f"{len(found)} cases, {len(failed)} above the line{': ' if failed else ''}{', '.join(failed)}")
    return 1 if failed else 0


def measured(one: Case, seconds: float, memory: int) -> Measured:
    """A case at all sizes; sizes at which it seems to grow too fast are measured again, and the least counts."""
    result = Measured(one.name, one.n)
    found = _in_a_process(one, 0, seconds, memory)
    if "problem" in found:
        result.problem = f"at {one.n:,}: {found['problem']}"
        return result
    result.n = found["n"]
    for times in TIMES:
        for _ in range(_TRIES):
            answer = _in_a_process(one, result.n * times, seconds, memory)
            if "problem" in answer:
                result.problem = f"at {result.n * times:,}: {answer['problem']}"
                return result
            if len(result.seconds) == len(TIMES[: TIMES.index(times)]):
                result.seconds.append(answer["seconds"])
                result.peak_mb.append(answer["peak_mb"])
            result.seconds[-1] = min(result.seconds[-1], answer["seconds"])
            result.peak_mb[-1] = min(result.peak_mb[-1], answer["peak_mb"])
            if result.holds:
                break
    return result


def _in_a_process(one: Case, n: int, seconds: float, memory: int) -> dict[str, Any]:
    """What a forked process measures, which shares the vocabulary and the code with this one."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(theirs, one, n, memory))
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return {"problem": f"more than {seconds:.0f} s"}
        answer: dict[str, Any] = ours.recv()
        return answer
    except EOFError:
        process.join(5)
        return {"problem": f"the process ended by itself, with status {process.exitcode}"}
    finally:
        process.kill()
        process.join()
        ours.close()


def _measure(answer: Connection, one: Case, n: int, memory: int) -> None:
    """In the process: one size; 0 stands for the size to begin with, which is found here."""
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - what a case says while it is measured is of no interest
    limit = _virtual_bytes() + memory * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    base = _peak_mb()
    try:
        if n:
            # What is made once does not count; what is made for this input does, at each size.
            cpu_seconds(one, max(1, one.n // 2))
            took = cpu_seconds(one, n)
        else:
            n, took = sized(one)
        answer.send({"n": n, "seconds": round(took, 4), "peak_mb": round(_peak_mb() - base, 1)})
    except MemoryError:
        answer.send({"problem": f"more than {memory:,} MB"})
    except Exception as error:  # noqa: BLE001 - whatever a case raises is its result
        answer.send({"problem": f"{type(error).__name__}: {error}"[:300]})


def _peak_mb() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20) if sys.platform == "darwin" else most / 1024


def _virtual_bytes() -> int:
    """What the process has mapped already, which the limit is put on top of; 0 where that cannot be asked."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _line(one: Measured) -> str:
    def row(values: list[float], digits: int) -> str:
        return " ".join(f"{value:.{digits}f}" for value in values)

    verdict = "" if one.holds else "  <- " + (one.problem or "grows faster than its input")
    return (
        f"{one.name:44} {one.n:8,}  {row(one.seconds, 3):>26}  {row(one.factors, 1):>12}"
        f"  {row(one.peak_mb, 0):>20}{verdict}"
    )


def _result(found: list[Measured], seconds: float) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "times": list(TIMES),
        "most": MOST,
        "cases": len(found),
        "above": [one.name for one in found if not one.holds],
        "seconds": round(seconds, 1),
        "results": [
            {**asdict(one), "factors": one.factors, "memory_factors": one.memory_factors, "holds": one.holds}
            for one in found
        ],
    }


if __name__ == "__main__":
    raise SystemExit(main())
