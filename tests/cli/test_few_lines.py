"""Many bad lines are told in a few lines and a count, wherever they are told; none is lost from the count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.budgets import MAX_LISTED

Run = Callable[..., Any]
NOBODY = "http://127.0.0.1:1"
BAD = 3_000


def test_lines_that_are_no_conversations(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{bad\n" * BAD)
    ran = run("ab", path, "--server", NOBODY, "--out", tmp_path / "answers.jsonl")
    assert ran.code == 2
    assert ran.err.count("\n") == MAX_LISTED + 2
    assert f"and {BAD - MAX_LISTED:,} more like these." in ran.err


@pytest.mark.parametrize("row", ['{"token_ids": [-1]}', '{"messages": 1}'])
def test_records_that_are_no_prompts(run: Run, tmp_path: Path, row: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f"{row}\n" * BAD)
    ran = run("sample", path, "--server", NOBODY)
    assert ran.code == 2
    assert ran.err.count("\n") <= MAX_LISTED + 2
    assert f"and {BAD - MAX_LISTED:,} more like these." in ran.err


def test_one_more_than_are_listed_is_listed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"token_ids": [-1]}\n' * (MAX_LISTED + 1))
    ran = run("sample", path, "--server", NOBODY)
    assert ran.err.count("\n") == MAX_LISTED + 1
    assert "more like these" not in ran.err


def test_every_record_wrong_in_its_own_way(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(f'{{"text": {number}}}\n' for number in range(BAD)))
    ran = run("scan", path)
    assert ran.code == 2
    assert ran.out.count("\n") < 80
    rows = [line for line in ran.out.split("\nunreadable\n", 1)[1].splitlines() if line.strip()]
    assert sum(int(row.split()[0].replace(",", "")) for row in rows) == BAD
    summary = run("scan", path, "--summary", "--format", "jsonl")
    assert len(summary.out) < 30_000
    record = json.loads(summary.out)
    assert sum(row["count"] for row in record["errors"]) + record["more_errors"] == record["unreadable"] == BAD


def test_the_place_of_a_bad_record_is_told_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": 1}\n')
    assert "bad.jsonl line 1: column 10: " in run("scan", path).out
