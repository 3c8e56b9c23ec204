"""Savers that are killed: the small version of ``benchmarks/kill_while_saving.py``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_what_was_confirmed_outlives_a_kill(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "kills.json"
    ran = subprocess.run(
        [
            sys.executable, "benchmarks/kill_while_saving.py",
            "--database", "sqlite", "--kills", "4", "--output", str(output),
        ],
        cwd=root, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(output.read_text())["databases"]["sqlite"]
    assert found["kills"] == 4
    assert found["confirmed writes"] >= 4
    assert found["lost, half or damaged"] == 0
