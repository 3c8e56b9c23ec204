"""Several galleries at once: addresses, configured galleries, what changes under our feet."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from inspector.gallery import Gallery, configured_galleries, find_in, sample_address, shipped_gallery
from inspector.gallery.galleries import ENVIRONMENT, configure, with_free_name

SHIPPED = shipped_gallery()
TAKEN = SHIPPED.samples[0]
OTHER = replace(TAKEN, title="Another of this name")
OWN = replace(TAKEN, name="run-7", title="Run 7")
TEAM = Gallery("team", "Team", "", (OTHER, OWN))


def test_addresses_lead_to_samples() -> None:
    for gallery in (SHIPPED, TEAM):
        for sample in gallery.samples:
            assert find_in([SHIPPED, TEAM], sample_address(gallery, sample)) is sample


def test_what_ships_has_the_bare_name() -> None:
    assert find_in([SHIPPED, TEAM], TAKEN.name) is TAKEN
    assert find_in([SHIPPED, TEAM], "run-7") is OWN


@pytest.mark.parametrize(
    "address", ["", ":", "team:", ":run-7", "team:nothing", "teams:run-7", "team:run-7:x", "a" * 999]
)
def test_other_addresses_lead_nowhere(address: str) -> None:
    assert find_in([SHIPPED, TEAM], address) is None


def test_names_of_galleries_are_kept_apart() -> None:
    assert with_free_name(TEAM, ["shipped"]) is TEAM
    assert with_free_name(TEAM, ["team", "team-2"]).name == "team-3"


def record(number: int) -> str:
    return json.dumps({"id": f"run {number}", "token_ids": [number]}) + "\n"


def test_configured_galleries_are_read_again_when_they_change(tmp_path: Path) -> None:
    folder, file = tmp_path / "runs", tmp_path / "runs.jsonl"
    folder.mkdir()
    (folder / "a.jsonl").write_text(record(1))
    file.write_text("nonsense")
    environment = {ENVIRONMENT: os.pathsep.join([str(folder), "", str(file), str(folder)])}
    first, broken = configured_galleries(environment)
    assert (first.name, [s.name for s in first.samples]) == ("runs", ["run-1"])
    assert (broken.name, broken.samples) == ("runs-2", ())
    assert "not valid JSON" in broken.problems[0]
    assert configured_galleries(environment)[0] is first
    (folder / "b.jsonl").write_text(record(2))
    file.write_text(record(3))
    first, mended = configured_galleries(environment)
    assert [s.name for s in first.samples] == ["run-1", "run-2"]
    assert [s.name for s in mended.samples] == ["run-3"]


def test_the_command_line_adds_to_what_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "/there")
    monkeypatch.chdir(tmp_path)
    configure(["here", "/abs"])
    assert os.environ[ENVIRONMENT].split(os.pathsep) == ["/there", str(tmp_path / "here"), "/abs"]


def test_nothing_configured_is_no_gallery() -> None:
    assert configured_galleries({}) == ()


def test_one_file_that_ships_and_is_damaged_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inspector.gallery import store

    folder = tmp_path / "samples"
    shutil.copytree(store.samples_folder(), folder)
    first, second, *_ = sorted(folder.glob("*/*.toml"))
    first.write_bytes(b"\xff\xfe")
    second.write_text("title = [")
    monkeypatch.setattr(store, "samples_folder", lambda: folder)
    shipped_gallery.cache_clear()
    try:
        found = shipped_gallery()
    finally:
        shipped_gallery.cache_clear()
    assert len(found.samples) == len(SHIPPED.samples) - 2
    assert [str(path) in said for path, said in zip((first, second), found.problems, strict=True)] == [True, True]


def test_a_gallery_that_cannot_be_opened_for_any_reason_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inspector.gallery import galleries

    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    for path in (good, bad):
        path.write_text('{"token_ids": [1, 2]}\n')
    real = galleries.open_gallery

    def opened(path: Path) -> Gallery:
        if path == bad:
            raise RecursionError("maximum recursion depth exceeded")
        return real(path)

    monkeypatch.setattr(galleries, "open_gallery", opened)
    first, second = configured_galleries({ENVIRONMENT: os.pathsep.join(map(str, (bad, good)))})
    assert first.samples == ()
    assert "bad.jsonl: cannot be opened (RecursionError: maximum recursion depth exceeded)." in first.problems[0]
    assert len(second.samples) == 1
