"""``harmonylens gallery``: the static site, the single page, bundles and lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.gallery import open_gallery

Run = Callable[..., Any]
TOKENS = [200005, 17196, 200008, 9050, 200002]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    records = [{"id": f"run {n}", "role": "assistant", "token_ids": TOKENS, "title": f"Title {n}"} for n in (1, 2)]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    return path


def test_a_site_is_built_and_built_again(run: Run, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    for _ in range(2):
        said = run("gallery", "build", str(source), "--out", str(out), "--title", "My runs")
        assert said.code == 0, said.err
        assert "2 samples" in said.err
    assert "<h1>My runs</h1>" in (out / "index.html").read_text()
    assert {path.stem for path in (out / "samples").iterdir()} == {"run-1", "run-2"}


def test_a_single_page_and_a_bundle_open_as_the_gallery(run: Run, source: Path, tmp_path: Path) -> None:
    for command, name in ((["build", "--single"], "g.html"), (["pack"], "g.harmonylens")):
        out = tmp_path / name
        said = run("gallery", *command, str(source), "--out", str(out))
        assert said.code == 0, said.err
        assert [sample.title for sample in open_gallery(out).samples] == ["Title 1", "Title 2"]
        assert run("gallery", *command, str(source), "--out", str(out)).code == 2
        assert run("gallery", *command, str(source), "--out", str(out), "--force").code == 0
        listed = run("gallery", "list", str(out)).out.splitlines()
        assert [line.split() for line in listed] == [["run-1", "5", "Title", "1"], ["run-2", "5", "Title", "2"]]


def test_what_is_not_readable_is_said_and_the_rest_is_built(run: Run, source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + "\n{broken")
    said = run("gallery", "build", str(source), "--out", str(tmp_path / "site"))
    assert said.code == 2
    assert "runs.jsonl:3" in said.err
    assert (tmp_path / "site" / "index.html").exists()


@pytest.mark.parametrize("command", [["build"], ["build", "--single"], ["pack"]])
def test_a_gallery_that_is_not_there_gives_a_sentence(run: Run, command: list[str], tmp_path: Path) -> None:
    said = run("gallery", *command, str(tmp_path / "nothing"), "--out", str(tmp_path / "out"))
    assert said.code == 2
    assert "nothing" in said.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_site_is_left_alone(run: Run, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    said = run("gallery", "build", str(source), "--out", str(out))
    assert said.code == 2
    assert "--force" in said.err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
