"""Files that are none, and what the system refuses: read to a bound, and said as what it is."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import click
import pytest

from inspector.cli.failures import expected
from inspector.gallery import SampleError, open_gallery
from inspector.gallery.archive import Limits
from inspector.tokens import VocabularyError

from .process import CLEAN, run, shell

posix = pytest.mark.skipif(os.name != "posix", reason="devices and pipes of POSIX")


@posix
def test_a_device_that_never_ends() -> None:
    said = run("scan", "/dev/zero").check(2)
    assert "zero is a binary file" in said.err


@posix
def test_lines_that_never_end(tmp_path: Path) -> None:
    program = "import inspector.cli.scan as scan; scan.MAX_BYTES = 5000; from inspector.cli import main; "
    program += "raise SystemExit(main(['scan', '-']))"
    said = shell(f'yes {{ | tr -d \'\\n\' | "{sys.executable}" -c "{program}"', cwd=tmp_path)
    assert "standard input has a line of more than" in said.err
    assert said.code in (2, 141)  # whose reader has gone, `yes` is ended by its pipe


@posix
def test_a_gallery_without_an_end() -> None:
    with pytest.raises(SampleError, match="more than 2 kB, which is not read"):
        open_gallery(Path("/dev/zero"), Limits(total=2048))


@posix
def test_a_pipe_with_a_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    ran = shell(f"printf '%s' '{CLEAN}' > pipe & harmonylens inspect pipe", cwd=tmp_path).check(0)
    assert "Read as" in ran.out


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.EMFILE, "Too many open files"), "the system refused: Too many open files."),
        (OSError(errno.EMFILE, "Too many open files", "a.txt"), "a.txt cannot be used: Too many open files."),
        (OSError(errno.ENOSPC, "No space left on device"), "the output cannot be written: No space left on device."),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "x cannot be used: Permission denied."),
        (ModuleNotFoundError("No module named 'plotly'", name="plotly"), "the package plotly cannot be found"),
        (VocabularyError("oss-harmony is not installed"), "oss-harmony is not installed."),
        (click.ClickException("no such thing"), "no such thing."),
    ],
)
def test_what_is_nobodys_mistake_is_a_sentence(error: Exception, words: str) -> None:
    told = expected(error)
    assert told is not None
    assert words in told


@pytest.mark.parametrize(
    "error", [IndexError("x"), RecursionError("x"), ModuleNotFoundError("x", name="inspector.gone"), UnicodeError("x")]
)
def test_what_is_a_defect_stays_one(error: Exception) -> None:
    assert expected(error) is None
