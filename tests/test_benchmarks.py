"""The benchmark runs and measures what it says. Its numbers are for `make bench`, on a quiet machine."""

from __future__ import annotations

import json
import subprocess
import sys


def test_the_quick_benchmark_runs(root, tmp_path) -> None:
    output = tmp_path / "engine.json"
    ran = subprocess.run(
        [sys.executable, "benchmarks/bench_engine.py", "--quick", "--output", str(output)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    results = json.loads(output.read_text())
    assert [row["shape"] for row in results["speed"][::2]] == [row["shape"] for row in results["memory"]]
    for row in results["speed"]:
        assert {"reading, rules, repair", "with the next prompt", "native oss-harmony 0.0.11"} <= set(row["seconds"])
        assert all(ratio > 0 for ratio in row["ratios"].values())
    assert all(0 < row["bytes_per_token"] < 200 for row in results["memory"])
