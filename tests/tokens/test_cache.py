"""The cache folder, and that files in it are whole or absent."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from inspector.files import write_atomically
from inspector.tokens.cache import cache_dir


def test_the_environment_names_the_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.setenv("HARMONYLENS_CACHE", "~/there")
    assert cache_dir() == Path("~/there").expanduser()


def test_otherwise_it_is_the_users(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("HARMONYLENS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir().name == "harmonylens"


def test_folders_are_made_and_content_replaced(tmp_path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_of_what_is_no_bytes_leaves_no_litter(tmp_path) -> None:
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "file", None)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_readers_never_see_half_a_file(tmp_path) -> None:
    path = tmp_path / "file"
    contents = [bytes([65 + i]) * 1_000_000 for i in range(4)]
    write_atomically(path, contents[0])
    done = threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not done.is_set():
            data = path.read_bytes()
            if data not in contents:
                torn.append(len(data))

    def write(data: bytes) -> None:
        for _ in range(20):
            write_atomically(path, data)

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write, args=(data,)) for data in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert torn == []
    assert os.listdir(tmp_path) == ["file"]
