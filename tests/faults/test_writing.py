"""A full disk, a Ctrl-C, an unusual file: what was there stays until the new file is complete."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.files import whole_file, write_atomically

from .process import DOUBLE, records, run

SMALL = 300
"""Bytes that a file may have in :func:`little_room`; Linux and macOS refuse more as they refuse a full disk."""


def little_room() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))


limited = pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in.txt").write_text(DOUBLE)
    (tmp_path / "runs.jsonl").write_bytes(records(20))
    (tmp_path / "out").write_text("mine")
    return tmp_path


@limited
@pytest.mark.parametrize(
    "args",
    [
        ("export", "in.txt", "--format", "html", "--force", "--out", "out"),
        ("gallery", "pack", "runs.jsonl", "--force", "--out", "out"),
        ("gallery", "build", "runs.jsonl", "--single", "--force", "--out", "out"),
    ],
)
def test_a_full_disk_costs_no_file(folder: Path, args: tuple[str, ...]) -> None:
    # The cache is there already: nothing but the output is written.
    before = sorted(folder.iterdir())
    said = run(*args, cwd=folder, before=little_room)
    assert "out cannot be written: File too large" in said.check(2).err
    assert (folder / "out").read_text() == "mine"
    assert sorted(folder.iterdir()) == before


@limited
def test_a_full_disk_costs_no_rates(folder: Path) -> None:
    """The answers cannot be kept; how often they are malformed is told all the same."""
    said = run("ab", "--replay", "runs.jsonl", "-n", "1", "--force", "--out", "out", cwd=folder, before=little_room)
    assert "out cannot be written: File too large" in said.check(2).err
    assert "HS201 duplicate-channel" in said.out
    assert (folder / "out").read_text() == "mine"
    assert len(list(folder.iterdir())) == 3


def test_an_engine_that_is_not_there_costs_no_answers(folder: Path) -> None:
    said = run("ab", "--replay", "gone", "--force", "--out", "out", cwd=folder)
    assert "gone does not exist" in said.sentence()
    assert (folder / "out").read_text() == "mine"
    run("ab", "--replay", "gone", "--out", "new", cwd=folder).sentence()
    assert not (folder / "new").exists()


class TestWholeFile:
    def test_an_interruption_leaves_what_was_there(self, folder: Path) -> None:
        def write() -> None:
            with whole_file(folder / "out") as file:
                file.write(b"half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write()
        assert (folder / "out").read_text() == "mine"
        assert len(list(folder.iterdir())) == 3

    def test_it_is_there_only_when_it_is_complete(self, folder: Path) -> None:
        with whole_file(folder / "new") as file:
            file.write(b"whole")
            assert not (folder / "new").exists()
        assert (folder / "new").read_bytes() == b"whole"

    @limited
    def test_a_new_file_has_the_usual_mode_and_another_keeps_its_own(self, folder: Path) -> None:
        (folder / "usual").touch()
        write_atomically(folder / "new", b"")
        assert (folder / "new").stat().st_mode == (folder / "usual").stat().st_mode
        (folder / "out").chmod(0o640)
        write_atomically(folder / "out", b"new")
        assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640

    @limited
    def test_a_link_stays_one(self, folder: Path) -> None:
        (folder / "link").symlink_to("out")
        write_atomically(folder / "link", b"new")
        assert (folder / "link").is_symlink()
        assert (folder / "out").read_bytes() == b"new"

    def test_what_is_there_is_not_replaced_unasked(self, folder: Path) -> None:
        with pytest.raises(FileExistsError):
            write_atomically(folder / "out", b"new", replace=False)
        assert (folder / "out").read_text() == "mine"

    def test_somebody_else_was_faster(self, folder: Path) -> None:
        def write() -> None:
            with whole_file(folder / "new", replace=False) as file:
                file.write(b"ours")
                (folder / "new").write_text("theirs")

        with pytest.raises(FileExistsError):
            write()
        assert (folder / "new").read_text() == "theirs"
        assert len(list(folder.iterdir())) == 4

    @limited
    def test_a_device_is_written_to(self) -> None:
        write_atomically(Path(os.devnull), b"new")
        assert stat.S_ISCHR(os.stat(os.devnull).st_mode)

    def test_a_folder_is_none(self, folder: Path) -> None:
        with pytest.raises(OSError, match=r"[Dd]irectory|denied"):
            write_atomically(folder, b"new")

    def test_the_longest_name(self, folder: Path) -> None:
        write_atomically(folder / ("n" * 255), b"new")
        assert (folder / ("n" * 255)).read_bytes() == b"new"

    @pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
    def test_a_file_in_a_folder_that_takes_no_others(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Root may write anywhere: the refusal is played.
        really: Callable[..., int] = os.open

        def refusing(path: object, *args: object, **given: object) -> int:
            if ".harmonylens-" in str(path):
                raise PermissionError(13, "Permission denied")
            return really(path, *args, **given)

        monkeypatch.setattr("inspector.files.os.open", refusing)
        write_atomically(folder / "out", b"new")
        assert (folder / "out").read_bytes() == b"new"
        with pytest.raises(PermissionError):
            write_atomically(folder / "other", b"new")
