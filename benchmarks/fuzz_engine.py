"""Random transcripts by the million: nothing raises, no token is lost, what is repaired stays repaired.

    python benchmarks/fuzz_engine.py --count 1000000 --seed 1

Works in shards of one seed each, spread over processes. Every finished shard is written down beside the result
(``never_raises.partial.jsonl``): a run that was stopped goes on where it was when it is started again with the same
settings and the same source. What fails is cut down to the shortest input that fails in the same way. The result,
``benchmarks/results/never_raises.json``, is written at the end; the exit status is 1 when anything failed.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import multiprocessing
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "repair"))

from random_transcripts import Source, Trial, faults, looked_at, shortened  # noqa: E402

SHARD = 10_000
SWITCHED = 0.15
"""The share of trials that are looked at once more with switches or other readings."""

_SHOWN = 50


def shard(task: tuple[int, int]) -> dict[str, Any]:
    """Run one shard and return its record."""
    seed, count = task
    began = time.process_time()
    source = Source(seed)
    seen: Counter[str] = Counter()
    failing: list[dict[str, Any]] = []
    tokens = switched = 0
    for _, trial in zip(range(count), source, strict=False):
        tokens += len(trial.transcript.ids)
        wrong = _tried(trial, failing)
        if not wrong and source.random.random() < SWITCHED:
            other = source.switched(trial, looked_at(trial))
            if other is not None:
                switched += 1
                wrong = _tried(other, failing)
        seen["failed" if wrong else "held"] += 1
    return {
        "seed": seed,
        "transcripts": count,
        "switched": switched,
        "tokens": tokens,
        "failed": seen["failed"],
        "failing": failing,
        "seconds": time.process_time() - began,
    }


def _tried(trial: Trial, failing: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a trial; it is noted down, as short as it can be."""
    wrong = faults(trial)
    if wrong and len(failing) < _SHOWN:
        first = _kind(wrong[0])
        short = shortened(trial, lambda less: any(_kind(other) == first for other in faults(less)))
        failing.append({"what": wrong, **short.record()})
    return wrong


def _kind(what: str) -> str:
    # An exception's text holds numbers that change as the input gets shorter.
    return what.split(":")[0]


def main() -> int:
    """Parse the command line, run what is missing, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="transcripts, at least")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first shard; the others count up")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "never_raises.json")
    parser.add_argument("--fresh", action="store_true", help="forget the shards of an earlier run")
    asked = parser.parse_args()
    partial = asked.out.with_suffix(".partial.jsonl")
    partial.parent.mkdir(parents=True, exist_ok=True)
    if asked.fresh:
        partial.unlink(missing_ok=True)
    size = min(SHARD, asked.count)
    seeds = range(asked.seed, asked.seed + -(-asked.count // size))
    source = _fingerprint()
    settings = {"size": size, "source": source}
    finished = [one for one in _finished(partial) if {key: one.get(key) for key in settings} == settings]
    done = {one["seed"]: one for one in finished if one["seed"] in seeds}
    if done:
        print(f"{len(done)} of {len(seeds)} shards were finished before.", file=sys.stderr)
    todo = [(seed, size) for seed in seeds if seed not in done]
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool, partial.open("a") as file:
        for record in pool.imap_unordered(shard, todo):
            done[record["seed"]] = record
            file.write(json.dumps({**record, **settings}) + "\n")
            file.flush()
            failed = sum(one["failed"] for one in done.values())
            print(f"\r{len(done)}/{len(seeds)} shards, {failed} failed", end="", file=sys.stderr)
    print(file=sys.stderr)
    result = _summary(done.values(), seeds, source)
    asked.out.write_text(json.dumps(result, indent=2) + "\n")
    partial.unlink(missing_ok=True)
    print(json.dumps(result, indent=2))
    return 1 if result["failed"] else 0


def _finished(partial: Path) -> list[dict[str, Any]]:
    if not partial.exists():
        return []
    records = []
    for line in partial.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue  # the run was stopped within a line: that shard is done again
    return records


def _fingerprint() -> str:
    """Of everything that a shard's outcome depends on."""
    rooms = ("harmony", "prompt", "repair", "serving", "tokens")
    sources = [path for room in rooms for path in (ROOT / "inspector" / room).rglob("*.py")]
    sources += [ROOT / "inspector" / "inspection.py", ROOT / "tests" / "repair" / "random_transcripts.py"]
    sources += (ROOT / "samples").rglob("*.toml")
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


def _summary(done: Iterable[dict[str, Any]], seeds: range, source: str) -> dict[str, Any]:
    shards = sorted(done, key=lambda one: one["seed"])
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "harmonylens": version("harmonylens"),
        "python": platform.python_version(),
        "source": source,
        "seeds": [seeds.start, seeds.stop - 1],
        "transcripts": sum(one["transcripts"] for one in shards),
        "tokens": sum(one["tokens"] for one in shards),
        "with_switches_or_choices": sum(one["switched"] for one in shards),
        "failed": sum(one["failed"] for one in shards),
        "cpu_seconds": round(sum(one["seconds"] for one in shards), 1),
        "failing": [found for one in shards for found in one["failing"]][:_SHOWN],
    }


if __name__ == "__main__":
    raise SystemExit(main())
