"""Standard streams that are closed, full, or lack characters: the exit code stays, and nobody is alarmed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .process import CLEAN, DOUBLE, records, run, shell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shells of POSIX")

COMMANDS = {
    "harmonylens --help": 0,
    "harmonylens inspect bad.txt": 1,
    "harmonylens scan --jobs 2 runs.jsonl": 1,
    "harmonylens export bad.txt --format markdown --out -": 0,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams")
    (path / "bad.txt").write_text(DOUBLE)
    (path / "good.txt").write_text(CLEAN)
    (path / "runs.jsonl").write_bytes(records(40))
    line = json.dumps({"id": "é ☃ 😀", "role": "assistant", "text": f"é ☃ 😀 {DOUBLE}"}, ensure_ascii=False)
    (path / "snow.jsonl").write_text(line + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("line", COMMANDS)
def test_streams_that_are_closed(folder: Path, line: str) -> None:
    ran = shell(f"{line} >&- <&-", cwd=folder).check(COMMANDS[line])
    assert (ran.out, ran.err) == ("", "")


def test_nothing_is_written_into_a_stream_that_it_was_not_meant_for(folder: Path) -> None:
    """A closed standard error: its sentences go nowhere, and a file does not get its number."""
    ran = shell("harmonylens export bad.txt --format json --out made.json 2>&-", cwd=folder).check(0)
    assert ran.out == ""
    assert json.loads((folder / "made.json").read_text())["schema"] == "harmonylens/1"


def test_closed_standard_input_is_said(folder: Path) -> None:
    assert "standard input is closed" in shell("harmonylens inspect - <&-", cwd=folder).sentence()


@pytest.mark.parametrize("line", COMMANDS)
def test_a_reader_that_has_gone(folder: Path, line: str) -> None:
    ran = shell(f"{line} | true", cwd=folder).check(141)
    assert ran.err == ""


def test_a_reader_that_takes_one_line(folder: Path) -> None:
    (folder / "many.jsonl").write_bytes(records(400))
    ran = shell("harmonylens scan --format jsonl --jobs 2 many.jsonl | head -1", cwd=folder).check(141)
    assert (ran.out.count("\n"), ran.err) == (1, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no device that is full")
@pytest.mark.parametrize("line", COMMANDS)
def test_a_full_disk_behind_standard_output(folder: Path, line: str) -> None:
    assert "the output cannot be written: No space left" in shell(f"{line} >/dev/full", cwd=folder).sentence()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no device that is full")
def test_a_full_disk_behind_standard_error_changes_no_exit_code(folder: Path) -> None:
    shell("harmonylens inspect gone 2>/dev/full", cwd=folder).check(2)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
def test_an_encoding_without_the_characters_ends_nothing(folder: Path, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    run("scan", "snow.jsonl", "\u2603", env=env, cwd=folder).check(2)
    run("rules", "HS201", env=env, cwd=folder).check(0)


def test_names_and_words_that_are_no_utf_8(folder: Path) -> None:
    env = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    strange = os.fsdecode(b"sn\xffow.txt")
    (folder / strange).write_text(DOUBLE)
    run("inspect", strange, env=env, cwd=folder).check(1)
    run("scan", strange, "--tools", f"@{strange}", env=env, cwd=folder).sentence()
    run("export", strange, "--format", "sarif", "--title", strange, "--out", "-", cwd=folder).check(0)
    run("sample", "--replay", "runs.jsonl", "--user", strange, cwd=folder).check(1)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such device here")
def test_standard_output_by_its_name_is_written_to_wherever_it_leads(tmp_path: Path) -> None:
    command = f"printf '{CLEAN}' | harmonylens export - --format json --out /dev/stdout"
    shell(f"{command} > file", cwd=tmp_path).check(0)
    assert json.loads((tmp_path / "file").read_text())["role"] == "assistant"
    assert json.loads(shell(f"{command} | cat", cwd=tmp_path).check(0).out)["role"] == "assistant"
