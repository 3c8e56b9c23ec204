"""Sentences that name what was called and what is wrong, for names that are no file and files that have no end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.cli import input as taken
from inspector.ingest import read
from inspector.releases.catalogue import _last_error

Run = Callable[..., Any]
CLEAN = "<|channel|>final<|message|>Hello.<|return|>"


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such device here")
def test_a_device_is_written_to_without_force(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        ran = run("export", "-", "--format", "json", "--out", pipe, stdin=CLEAN)
        assert ran.code == 0, ran.err
        assert os.read(reader, 100).startswith(b"{")
    finally:
        os.close(reader)
    assert run("export", "-", "--format", "json", "--out", os.devnull, stdin=CLEAN).code == 0


@pytest.mark.parametrize(
    "args",
    [
        ("inspect", ""),
        ("scan", ""),
        ("export", "-", "--format", "json", "--out", ""),
        ("gallery", "build", "x", "--out", ""),
        ("gallery", "list", ""),
        ("ab", "--out", "", "--server", "http://127.0.0.1:1"),
    ],
)
def test_an_empty_name_is_said_to_be_empty(run: Run, args: tuple[str, ...]) -> None:
    ran = run(*args, stdin=CLEAN)
    assert ran.code == 2
    assert "is empty: give the " in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("inspect", "{}"), "inspect reads 0 MB at most: use `harmonylens scan`"),
        (("export", "{}", "--format", "json"), "export reads 0 MB at most: put the transcript into a file of its own"),
        (("sample", "{}", "--server", "http://127.0.0.1:1"), "sample reads 0 MB at most: split the file."),
        (("inspect", "-", "--tools", "@{}"), "a list of tools has 0 MB at most: is that the right file?"),
    ],
)
def test_who_refuses_what_is_too_large_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr(taken, "MAX_BYTES", 100)
    large = tmp_path / "large"
    large.write_text("x" * 101)
    ran = run(*(arg.format(large) for arg in args), stdin=CLEAN)
    assert ran.code == 2
    assert words in ran.err


def test_brackets_that_are_not_closed_are_said_to_be_possible_and_where() -> None:
    text = "[" + '{"token_ids": [1,2},' * 300 + "]"
    (found,) = read(text, format="records").problems
    # Two brackets are open at a time after the first record, one more after each other one.
    assert (found.line, found.column) == (1, 1 + text.index("[", 1 + 198 * 20))
    assert "or so many brackets that are not closed" in found.sentence


def test_the_reason_of_pip_is_behind_its_traceback() -> None:
    output = "ERROR: Exception:\nTraceback (most recent call last):\n  x\nOSError: [Errno 28] No space left on device\n"
    assert _last_error(output) == "OSError: [Errno 28] No space left on device."
    assert _last_error("WARNING: slow\nERROR: no such version\nlater") == "no such version."
