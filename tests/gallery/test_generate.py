"""The generator: the founding preset is the report, byte for byte the same everywhere."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter

import pytest
from click.testing import CliRunner

from inspector.gallery.founding import REPORT, RUNS
from inspector.gallery.generate import founding_records, healthy_records, main
from inspector.gallery.runs import Dice, healthy_run

FOUNDING_SHA256 = "6cd9b372d7762cd97d079ee9e29432da8c06c211b45e5f8ec4ea33377400a0d0"


@pytest.fixture(scope="module")
def printed() -> str:
    ran = CliRunner().invoke(main, ["founding"])
    assert ran.exit_code == 0
    return ran.stdout


def test_the_report_has_17_lines_and_190_errors() -> None:
    assert [line.count for line in REPORT] == [122, 25, 24, 3, 2, 2, 2, *[1] * 10]
    assert sum(line.count for line in REPORT) == 190
    assert len({line.text for line in REPORT}) == 17
    assert sum(line.cut for line in REPORT) == 5
    assert all(len(line.text) <= 120 for line in REPORT)


def test_the_preset_is_the_same_bytes_everywhere(printed) -> None:
    assert hashlib.sha256(printed.encode()).hexdigest() == FOUNDING_SHA256


def test_the_preset_has_500_runs_of_which_190_break(printed) -> None:
    records = [json.loads(line) for line in printed.splitlines()]
    assert len(records) == RUNS == 500
    assert len({r["id"] for r in records}) == 500
    planted = Counter(r["meta"]["expected_error"] for r in records)
    assert planted.pop(None) == 310
    assert planted == {line.text: line.count for line in REPORT}


def test_the_preset_is_in_the_shape_of_a_transcript_record(printed) -> None:
    for line in printed.splitlines():
        record = json.loads(line)
        assert record["role"] is None
        assert all(isinstance(i, int) for i in record["token_ids"])
        broken = record["meta"]["expected_error"] is not None
        assert ("finish_reason" in record) != broken, "what died reported nothing"


def test_runs_are_varied() -> None:
    dice = Dice(3)
    runs = [healthy_run(dice) for _ in range(200)]
    assert len(set(runs)) == 200
    assert len({run.count("<|call|>") for run in runs}) == 4


def test_another_seed_gives_other_runs_and_the_same_report() -> None:
    one, two = list(founding_records(1)), list(founding_records(2))
    assert [r["token_ids"] for r in one] != [r["token_ids"] for r in two]
    counts = [Counter(r["meta"]["expected_error"] for r in records) for records in (one, two)]
    assert counts[0] == counts[1]


def test_healthy_runs_come_in_any_number() -> None:
    assert len(list(healthy_records(7))) == 7
    ran = CliRunner().invoke(main, ["healthy", "--count", "3", "--seed", "9"])
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [
        "healthy-000000",
        "healthy-000001",
        "healthy-000002",
    ]
    assert CliRunner().invoke(main, ["healthy", "--count", "-1"]).exit_code == 2


def test_dice_are_fair_enough_and_stay_in_bounds() -> None:
    dice = Dice(0)
    thrown = Counter(dice.below(6) for _ in range(6000))
    assert set(thrown) == set(range(6))
    assert max(thrown.values()) < 1200
    assert sorted(dice.shuffled(range(50))) == list(range(50))


def test_a_scan_of_the_preset_prints_the_report(printed, tmp_path) -> None:
    runs = tmp_path / "runs.jsonl"
    runs.write_text(printed)
    command = [sys.executable, "-m", "inspector", "scan", str(runs), "--summary", "--fail-on", "never"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    section = ran.stdout.split("openai-harmony 0.0.8: 190 of 500 raise")[1].split("\n\n")[0]
    counted = [tuple(line.strip().split("  ")[:2]) for line in section.strip().splitlines()]
    assert sorted(counted) == sorted((str(line.count), line.text) for line in REPORT)
    assert "310 without findings" in ran.stdout
