"""``make bench``: the engine against one native strict parse of each release, side by side in one run.

Every number is a median over interleaved rounds (all contestants once, then all again), so that a noisy
machine disturbs all of them alike. "Damaged" transcripts have two channels in one header of twenty and a word
spelled in other tokens every 5,000; the native parse gets the healthy twin, since it stops at the first error.
The table is printed, the numbers are written to ``benchmarks/results/engine.json``. ``--check`` makes missed
aims the exit code.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from native import native_parsers  # beside this file
from transcripts import count_messages, transcript

from inspector import inspect
from inspector.tokens import Transcript, vocabulary

RESULTS: Final = Path(__file__).resolve().parent / "results" / "engine.json"
SIZE: Final = 131_072
SHAPES: Final = (("60-token messages", 60), ("1000-token messages", 1000), ("40k-token messages", 40_000))
GROWTH: Final = (1_000, 10_000, 100_000, 1_000_000)

AIM_SHORT: Final = 10.0
AIM_LONG: Final = 4.0
AIM_WITH_PROMPT: Final = 1.0
AIM_EXPONENT: Final = 1.1
AIM_BYTES: Final = 200.0
AIM_IMPORT: Final = 0.3
AIM_COMMAND: Final = 1.0


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call, with the garbage collector kept from falling into it."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began
    finally:
        gc.enable()


def race(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each contestant over interleaved rounds, after one round that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, work in contestants.items():
            seconds = seconds_of(work)
            if number:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def bench_speed(size: int, rounds: int) -> list[dict[str, Any]]:
    """Our inspection and the native parses on each shape of transcript, with the ratios."""
    natives = native_parsers()
    rows = []
    for shape, body in SHAPES:
        for damaged in (False, True):
            ids = transcript(size, body)
            wounds = {"slip_every": 20, "respelled_every": 5_000} if damaged else {}
            ours = Transcript(tuple(transcript(size, body, **wounds)), role=None)
            contestants: dict[str, Callable[[], object]] = {
                "reading, rules, repair": lambda t=ours: inspect(t, next_prompt=False),
                "with the next prompt": lambda t=ours: inspect(t),
            }
            contestants |= {f"native {name}": lambda p=parse, i=ids: p(i) for name, parse in natives.items()}
            seconds = race(contestants, rounds)
            row: dict[str, Any] = {
                "shape": shape,
                "damaged": damaged,
                "tokens": len(ours.ids),
                "messages": count_messages(list(ours.ids)),
                "seconds": {name: round(value, 6) for name, value in seconds.items()},
                "ratios": {},
            }
            for name in natives:
                for mine in ("reading, rules, repair", "with the next prompt"):
                    row["ratios"][f"{mine} / {name}"] = round(seconds[f"native {name}"] / seconds[mine], 2)
            rows.append(row)
    return rows


def bench_growth(sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """Seconds by size, and the exponent k of the fit ``seconds ~ tokens ** k`` (1 is linear)."""
    points = []
    for size in sizes:
        ours = Transcript(tuple(transcript(size, 60)), role=None)
        times = [seconds_of(lambda t=ours: inspect(t)) for _ in range(rounds if size <= 100_000 else 1)]
        points.append((len(ours.ids), statistics.median(times)))
    xs = [math.log(n) for n, _ in points]
    ys = [math.log(s) for _, s in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)
    return {"points": [[n, round(s, 6)] for n, s in points], "exponent": round(slope, 3)}


def bench_memory(size: int) -> list[dict[str, Any]]:
    """Bytes that an inspection holds per token, without the transcript it was given; and its peak."""
    rows = []
    for shape, body in SHAPES:
        ours = Transcript(tuple(transcript(size, body)), role=None)
        inspect(ours)  # fills every cache that outlives an inspection
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        found = inspect(ours)
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        count = len(found.transcript.ids)
        rows.append(
            {
                "shape": shape,
                "bytes_per_token": round((after - before) / count, 1),
                "peak_bytes_per_token": round((peak - before) / count, 1),
            }
        )
    return rows


def bench_start(rounds: int) -> dict[str, float]:
    """Seconds to import the package and to inspect a small file, each in a process of its own."""
    timed = "import time; began = time.perf_counter(); import inspector; print(time.perf_counter() - began)"
    imports = [float(_output(sys.executable, "-c", timed)) for _ in range(rounds)]
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "raw.txt")
        small.write_text("<|channel|>analysis<|message|>So.<|end|><|start|>final<|message|>Yes.<|return|>")
        command = [sys.executable, "-m", "inspector", "inspect", str(small), "--fail-on", "never"]
        _output(*command)
        commands = []
        for _ in range(rounds):
            began = time.perf_counter()
            _output(*command)
            commands.append(time.perf_counter() - began)
    return {
        "import inspector": round(statistics.median(imports), 3),
        "harmonylens inspect": round(statistics.median(commands), 3),
    }


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def judge(results: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Every aim with what was measured and whether it was reached."""
    aims = []
    for row in results["speed"]:
        bar = AIM_SHORT if row["shape"].startswith("60-") else AIM_LONG
        for name, ratio in row["ratios"].items():
            wanted = AIM_WITH_PROMPT if name.startswith("with") else bar
            damage = ", damaged" if row["damaged"] else ""
            # Speed is promised for what is read as it stands; damaged output has to be no slower than native.
            wanted = AIM_WITH_PROMPT if row["damaged"] else wanted
            label = f"{row['shape']}{damage}: {name} >= {wanted:g}"
            aims.append((label, f"{ratio:g} times faster", ratio >= wanted))
    exponent = results["growth"]["exponent"]
    aims.append((f"growth exponent <= {AIM_EXPONENT:g}", f"{exponent:g}", exponent <= AIM_EXPONENT))
    for row in results["memory"]:
        held = row["bytes_per_token"]
        aims.append((f"{row['shape']}: < {AIM_BYTES:g} bytes a token", f"{held:g}", held < AIM_BYTES))
    start = results["start"]
    for name, bar in (("import inspector", AIM_IMPORT), ("harmonylens inspect", AIM_COMMAND)):
        aims.append((f"{name} < {bar:g} s", f"{start[name]:g} s", start[name] < bar))
    return aims


def show(results: dict[str, Any]) -> None:
    """Print the tables."""
    for row in results["speed"]:
        damage = ", damaged" if row["damaged"] else ""
        print(f"\n{row['shape']}{damage}: {row['tokens']:,} tokens, {row['messages']:,} messages")
        for name, seconds in row["seconds"].items():
            speed = row["tokens"] / seconds
            print(f"  {name:<34}{seconds * 1000:>10.1f} ms {speed / 1e6:>8.2f} M tokens/s")
    print("\ngrowth (60-token messages, with the next prompt)")
    for count, seconds in results["growth"]["points"]:
        print(f"  {count:>10,} tokens {seconds * 1000:>10.1f} ms {seconds / count * 1e6:>8.2f} us a token")
    print("\nmemory of an inspection")
    for row in results["memory"]:
        held, peak = row["bytes_per_token"], row["peak_bytes_per_token"]
        print(f"  {row['shape']:<22}{held:>8.1f} bytes a token held {peak:>8.1f} at its peak")
    print("\naims")
    for label, measured, reached in judge(results):
        print(f"  {'reached' if reached else 'MISSED ':<8} {label}: {measured}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0, or 1 when ``--check`` finds a missed aim."""
    parser = argparse.ArgumentParser(prog="bench_engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to write the numbers")
    parser.add_argument("--check", action="store_true", help="exit with 1 when an aim is missed")
    options = parser.parse_args(argv)
    rounds = 1 if options.quick else options.rounds
    size = SIZE // 8 if options.quick else SIZE
    vocabulary().encode("warm")
    results = {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "speed": bench_speed(size, rounds),
        "growth": bench_growth(GROWTH[:2] if options.quick else GROWTH, rounds),
        "memory": bench_memory(size),
        "start": bench_start(rounds),
    }
    show(results)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {options.output}")
    return 1 if options.check and not all(reached for *_, reached in judge(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
