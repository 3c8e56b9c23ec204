"""The long differential fuzz: our model of the strict parser against the published releases.

    python benchmarks/fuzz_releases.py --comparisons 2000000 --seed 1

Works in shards of one seed each, spread over processes. Every finished shard is written down beside the result
(``differential.partial.jsonl``): a run that was stopped goes on where it was when it is started again with the
same settings and the same source of model and generator. The result, ``benchmarks/results/differential.json``,
is written at the end; the exit status is 1 when there was a mismatch.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "differential"))

from fuzzing import load, run  # noqa: E402

from inspector.releases import add  # noqa: E402

RELEASES = ("openai-harmony==0.0.8", "oss-harmony==0.0.11")
SHARD = 20_000
_SHOWN = 20


def shard(task: tuple[int, int, tuple[str, ...]]) -> dict[str, Any]:
    """Run one shard and return its record."""
    seed, comparisons, specs = task
    if not _LIBRARIES:
        _LIBRARIES.extend((release, load(release)) for release in map(add, specs))
    began = time.perf_counter()
    tally = run(_LIBRARIES, seed, comparisons)
    return {
        "seed": seed,
        "comparisons": tally.comparisons,
        "located": tally.located,
        "inputs": tally.inputs,
        "kinds": dict(tally.kinds),
        "mismatches": len(tally.mismatches),
        "examples": tally.mismatches[:_SHOWN],
        "seconds": time.perf_counter() - began,
    }


_LIBRARIES: list[Any] = []


def main() -> int:
    """Parse the command line, run what is missing, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=2_000_000, metavar="N", help="at least so many")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first shard; the others count up")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--releases", nargs="+", default=RELEASES, metavar="NAME==VERSION")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "differential.json")
    parser.add_argument("--fresh", action="store_true", help="forget the shards of an earlier run")
    asked = parser.parse_args()
    releases = [add(spec) for spec in asked.releases]
    titles = [release.title for release in releases]
    partial = asked.out.with_suffix(".partial.jsonl")
    partial.parent.mkdir(parents=True, exist_ok=True)
    if asked.fresh:
        partial.unlink(missing_ok=True)

    count = -(-asked.comparisons // SHARD)
    seeds = range(asked.seed, asked.seed + count)
    settings = {"releases": titles, "size": SHARD, "source": _fingerprint()}
    finished = [r for r in _finished(partial) if {key: r.get(key) for key in settings} == settings]
    done = {r["seed"]: r for r in finished if r["seed"] in seeds}
    if done:
        print(f"{len(done)} of {count} shards were finished before.", file=sys.stderr)
    began = time.perf_counter()
    todo = [(seed, SHARD, tuple(asked.releases)) for seed in seeds if seed not in done]
    # Spawned, not forked: the libraries are loaded in each process.
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool, partial.open("a") as file:
        for record in pool.imap_unordered(shard, todo):
            done[record["seed"]] = record
            file.write(json.dumps({**record, **settings}) + "\n")
            file.flush()
            _progress(list(done.values()), count, time.perf_counter() - began)
    result = _summary(list(done.values()), titles, seeds)
    asked.out.write_text(json.dumps(result, indent=2) + "\n")
    partial.unlink(missing_ok=True)
    print(json.dumps({k: v for k, v in result.items() if k != "examples"}, indent=2))
    return 1 if result["mismatches"] else 0


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
    """Of everything that a shard's outcome depends on, besides the releases."""
    sources = [*(ROOT / "inspector" / "harmony").glob("strict*.py"), *(ROOT / "tests" / "differential").glob("*.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


def _progress(done: list[dict[str, Any]], count: int, seconds: float) -> None:
    compared = sum(r["comparisons"] for r in done)
    wrong = sum(r["mismatches"] for r in done)
    print(
        f"\r{len(done)}/{count} shards, {compared:,} comparisons, {wrong} mismatches, {seconds:.0f} s",
        end="",
        file=sys.stderr,
    )
    if len(done) == count:
        print(file=sys.stderr)


def _summary(done: list[dict[str, Any]], titles: list[str], seeds: range) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    for record in done:
        kinds.update(record["kinds"])
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "releases": titles,
        "comparisons": sum(r["comparisons"] for r in done),
        "located": sum(r["located"] for r in done),
        "inputs": sum(r["inputs"] for r in done),
        "mismatches": sum(r["mismatches"] for r in done),
        "verdicts": dict(sorted(kinds.items())),
        "seconds": round(sum(r["seconds"] for r in done), 1),
        "seeds": [seeds.start, seeds.stop - 1],
        "examples": [e for r in done for e in r["examples"]][:_SHOWN],
    }


if __name__ == "__main__":
    raise SystemExit(main())
