"""``harmonylens app --gallery PATH``: galleries for everybody who opens the app."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.gallery.galleries import ENVIRONMENT, configured_galleries

Run = Callable[..., Any]


def test_galleries_are_shown_beside_the_one_that_ships(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ENVIRONMENT, "")
    monkeypatch.setattr("inspector.app.run", lambda **_: None)
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text('{"id": "x", "token_ids": [1]}')
    paths = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    assert run("app", "--no-browser", "--gallery", paths[0], "--gallery", paths[1]).code == 0
    assert os.environ[ENVIRONMENT].split(os.pathsep) == paths
    assert [gallery.name for gallery in configured_galleries()] == ["a", "b"]


def test_a_path_that_is_not_there_is_one_sentence(run: Run, tmp_path: Path) -> None:
    ran = run("app", "--gallery", tmp_path / "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "nowhere' does not exist" in ran.err
