"""Numbers that JSON has no word for, beside the tokens of a record: no output fails on them, and each is JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from inspector.report.exports import FORMATS

Run = Callable[..., Any]
RECORD = '{"role": "assistant", "token_ids": [200005, 17196, 200008, 5, 200002], "meta": {"x": 1e999, "y": [NaN]}}\n'


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.jsonl"
    path.write_text(RECORD)
    return path


def refuse(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def test_inspect_and_scan(run: Run, odd: Path) -> None:
    for args in (("inspect", odd, "--format", "json"), ("scan", odd, "--format", "jsonl")):
        ran = run(*args)
        assert ran.code == 0, ran.err
        (line,) = ran.out.splitlines()
        json.loads(line, parse_constant=refuse)
        assert "kept as text" in ran.out + ran.err


@pytest.mark.parametrize("form", FORMATS)
def test_every_export(run: Run, odd: Path, form: str) -> None:
    ran = run("export", odd, "--format", form, "--out", "-")
    assert ran.code == 0, ran.err
    assert ran.err.count("\n") == 1


def test_a_gallery(run: Run, odd: Path, tmp_path: Path) -> None:
    ran = run("gallery", "build", odd, "--out", tmp_path / "site")
    assert "1 sample, " in ran.err
    assert (tmp_path / "site/index.html").exists()
    again = run("gallery", "list", tmp_path / "site/gallery.harmonylens")
    assert (again.code, again.err) == (0, "")
