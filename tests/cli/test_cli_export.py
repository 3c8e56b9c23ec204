"""``harmonylens export``: every format, to a file and to standard output, under the switches of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector import inspect as inspect_text
from inspector.ingest import read, switches_of

Run = Callable[..., Any]
BROKEN = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"
FORMATS = {
    "html": b"<!doctype html>", "markdown": b"### ", "json": b"{\n", "pytest": b'"""', "sarif": b"{\n", "bundle": b"PK"
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_goes_to_a_file_and_to_standard_output(run: Run, form: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(BROKEN)
    out = tmp_path / "out"
    said = run("export", str(tmp_path / "in.txt"), "--format", form, "--out", str(out))
    assert said.code == 0, said.err
    assert out.read_bytes().startswith(FORMATS[form])
    assert f"wrote {out}" in said.err
    assert said.out == ""
    if form != "bundle":  # which is no text
        again = run("export", "-", "--format", form, "--out", "-", stdin=BROKEN)
        assert again.out.encode().startswith(FORMATS[form])
        assert len(again.out.encode()) == len(out.read_bytes())


def test_the_ending_tells_the_format_and_the_switches_go_along(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    said = run("export", "-", "--out", str(out), "--off", "HS201", "--style", "0.32", "--title", "Mine", stdin=BROKEN)
    assert said.code == 0, said.err
    (transcript,) = read(out.read_bytes()).transcripts
    assert switches_of(transcript).off == {"HS201"}
    assert switches_of(transcript).style == "vLLM 0.32"
    assert b"<title>Mine " in out.read_bytes()


def test_an_export_inspects_as_it_was_exported(run: Run, tmp_path: Path) -> None:
    choice = f"{inspect_text(BROKEN).diagnostics[0].key}=1"
    wanted = run("inspect", "-", "--choose", choice, "--ignore", "HS6", "--format", "json", stdin=BROKEN)
    for form in ("html", "json", "bundle"):
        out = tmp_path / f"x.{form}"
        assert run("export", "-", "--format", form, "--out", str(out), "--choose", choice, "--ignore", "HS6",
                   stdin=BROKEN).code == 0  # fmt: skip
        again = run("inspect", str(out), "--format", "json")
        assert json.loads(again.out) == json.loads(wanted.out), form
        assert "As it was exported: 1 reading chosen" in run("inspect", str(out)).out


def test_the_command_line_wins_over_the_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    run("export", "-", "--out", str(out), "--style", "0.32", stdin=BROKEN)
    record = json.loads(run("inspect", str(out), "--format", "json", "--style", "oss-harmony 0.0.11").out)
    assert record["reencoded"]["release"] == "oss-harmony 0.0.11"


def test_a_file_that_is_there_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.md"
    out.write_text("mine")
    said = run("export", "-", "--out", str(out), stdin=BROKEN)
    assert said.code == 2
    assert out.read_text() == "mine"
    assert "--force" in said.err
    assert run("export", "-", "--out", str(out), "--force", stdin=BROKEN).code == 0
    assert out.read_text().startswith("### ")


@pytest.mark.parametrize(
    ("args", "stdin", "words"),
    [
        (["export", "-"], BROKEN, "Give --format"),
        (["export", "-", "--out", "x.xyz"], BROKEN, "Give --format"),
        (["export", "-", "--format", "json"], "", "is empty"),
        (["export", "-", "--format", "json"], '{"token_ids": [1]}\n{"token_ids": [2]}', "choose one with --record"),
        (["export", "-", "--format", "json", "--record", "3"], '{"token_ids": [1]}', "has 1 transcript"),
        (["export", "-", "--format", "json", "--out", "/nowhere/at/all.json"], BROKEN, "cannot be written"),
    ],
)
def test_what_cannot_be_done_gives_a_sentence(run: Run, args: list[str], stdin: str, words: str) -> None:
    said = run(*args, stdin=stdin)
    assert said.code == 2
    assert words in said.err
