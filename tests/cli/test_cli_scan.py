"""``harmonylens scan``: a record for each record, in order, whatever is among them; and the histogram."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from inspector.report import record_schema

HEADER = "<|channel|>analysis<|message|>x<|end|><|start|>assistant"
DOUBLE = f"{HEADER}<|channel|>analysis<|channel|>commentary<|message|>I will.<|end|>"
FINAL = f"{HEADER}<|start|>final<|message|>y<|return|>"
CLEAN = "<|channel|>final<|message|>Hello.<|return|>"

Run = Callable[..., Any]


def line(name: str, text: str, **more: object) -> str:
    return json.dumps({"id": name, "role": "assistant", "text": text, **more}) + "\n"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    path = tmp_path / "runs.jsonl"
    path.write_text(
        line("good", CLEAN)
        + line("double", DOUBLE)
        + "{nonsense\n"
        + "\n"
        + line("lost", CLEAN, logprobs=[1])
        + line("double-again", DOUBLE)
        + '{"id": "empty"}\n'
    )
    return path


def test_a_record_for_each_in_order(run: Run, runs: Path) -> None:
    ran = run("scan", runs, "--format", "jsonl")
    assert ran.code == 2
    validator = jsonschema.Draft202012Validator(record_schema())
    for record in ran.records:
        validator.validate(record)
    assert [r["id"] for r in ran.records] == ["good", "double", "line 3", "lost", "double-again", "empty"]
    assert ["error" in r for r in ran.records] == [False, False, True, False, False, True]
    assert ran.records[2]["source"] == "runs.jsonl line 3"
    assert ran.records[2]["error"].startswith("line 3, column ")
    assert len(ran.records[3]["problems"]) == 1
    assert "logprobs" in ran.records[3]["problems"][0]
    # The histogram does not mix with the records.
    assert "4 transcripts" in ran.err
    assert "2 unreadable" in ran.err


def test_the_records_are_those_of_inspect(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(line("double", DOUBLE, finish_reason="stop", stop_reason=None))
    assert run("scan", path, "--format", "jsonl").out == run("inspect", path, "--format", "json").out


def test_several_processes_say_the_same(run: Run, runs: Path) -> None:
    one = run("scan", runs, "--format", "jsonl", "--jobs", 1)
    two = run("scan", runs, "--format", "jsonl", "--jobs", 2)
    assert (one.code, one.out, one.err) == (two.code, two.out, two.err)


def test_a_line_for_each(run: Run, runs: Path) -> None:
    ran = run("scan", runs)
    lines = ran.out.splitlines()
    assert lines[0] == "runs.jsonl line 1 (good): no findings"
    assert lines[1].startswith("runs.jsonl line 2 (double): 1 error")
    assert "HS201" in lines[1]
    assert lines[2].startswith("runs.jsonl line 3: column 2: ")
    assert "logprobs" in lines[3]
    assert ran.err == ""


class TestHistogram:
    def test_it_counts_and_gives_an_example(self, run: Run, runs: Path) -> None:
        out = run("scan", runs, "--summary").out
        assert out.startswith("4 transcripts, 2 without findings, 2 unreadable\n")
        assert "openai-harmony 0.0.8: 2 of 4 raise\n" in out
        assert "       2  Unknown role: assistant<|channel|>commentary  [double]\n" in out
        assert "oss-harmony 0.0.11: 0 of 4 raise\n" in out
        assert "       2  HS201 duplicate-channel (error)  [double]\n" in out
        assert "good)" not in out

    def test_it_ends_the_lines(self, run: Run, runs: Path) -> None:
        summary = run("scan", runs, "--summary").out
        assert run("scan", runs).out.endswith(summary)
        assert run("scan", runs, "--format", "jsonl").err == summary

    def test_as_json(self, run: Run, runs: Path) -> None:
        (record,) = run("scan", runs, "--summary", "--format", "jsonl").records
        assert record["transcripts"] == 4
        assert {row["code"] for row in record["rules"]} >= {"HS201"}

    def test_a_hostile_error_text_is_made_visible(self, run: Run) -> None:
        text = "<|start|>assi\x1b[2Jstant\u202e<|message|>x<|end|>"
        ran = run("scan", "-", stdin=json.dumps({"id": "\x1b]0;x\x07", "text": text}))
        assert not set(ran.out + ran.err) & set("\x1b\x07\u202e")
        assert "␛" in ran.out


class TestExitCode:
    @pytest.mark.parametrize(
        ("text", "args", "code"),
        [
            (CLEAN, [], 0),
            (DOUBLE, [], 1),
            (DOUBLE, ["--fail-on", "never"], 0),
            ("<|channel|>final<|message|>x<|end|>", [], 0),
            ("<|channel|>final<|message|>x<|end|>", ["--fail-on", "warning"], 1),
        ],
    )
    def test_the_worst_of_all(self, run: Run, text: str, args: list[str], code: int) -> None:
        assert run("scan", "-", *args, stdin=line("good", CLEAN) + line("x", text)).code == code

    def test_a_missing_file_does_not_stop_the_rest(self, run: Run, runs: Path, tmp_path: Path) -> None:
        good = tmp_path / "good.jsonl"
        good.write_text(line("good", CLEAN))
        (tmp_path / "data.bin").write_bytes(b"\x7fELF\0\0\xff\xfe" * 10)
        ran = run("scan", tmp_path / "gone.jsonl", good, tmp_path, tmp_path / "data.bin", good)
        assert ran.code == 2
        assert ran.out.startswith("good.jsonl line 1 (good): no findings\ngood.jsonl line 1 (good): no findings\n")
        said = ran.err.splitlines()
        assert ["does not exist" in said[0], "is a folder" in said[1], "binary file" in said[2]] == [True] * 3
        assert len(said) == 3

    def test_the_file_of_a_bad_record_is_told(self, run: Run, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / f"{name}.jsonl").write_text(line(name, CLEAN) + "{nonsense\n")
        ran = run("scan", tmp_path / "one.jsonl", tmp_path / "two.jsonl", "--format", "jsonl")
        assert [r.get("source") for r in ran.records] == [None, "one.jsonl line 2", None, "two.jsonl line 2"]

    def test_a_rule_or_release_that_does_not_exist(self, run: Run, runs: Path) -> None:
        for args in (["--select", "XX9"], ["--release", "harmony 9"], ["--style", "plain"]):
            ran = run("scan", runs, *args)
            assert (ran.code, ran.out) == (2, "")
            assert args[0] in ran.err

    def test_nothing_at_all(self, run: Run) -> None:
        ran = run("scan", "-")
        assert ran.code == 0
        assert ran.out == "0 transcripts, 0 without findings\n"


def test_shared_options_reach_the_engine(run: Run) -> None:
    (record,) = run("scan", "-", "--format", "jsonl", "--off", "HS201", "--tools", "bash",
                    "--release", "0.0.8", "--style", "vllm 0.32", stdin=line("a", DOUBLE)).records  # fmt: skip
    assert record["repaired"]["applied"] == []
    assert record["tools"] == ["functions.bash"]
    assert {v["release"] for v in record["strict"]} == {"openai-harmony 0.0.8"}
    assert record["reencoded"]["release"] == "vLLM 0.32"


class TestArchives:
    def archive(self, path: Path, files: dict[str, bytes], spoil: bytes = b"") -> Path:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        data = bytearray(out.getvalue())
        if spoil:
            data[data.index(spoil)] ^= 1
        path.write_bytes(data)
        return path

    def test_a_bundle_is_read_as_its_records(self, run: Run, tmp_path: Path) -> None:
        bundle = self.archive(
            tmp_path / "x.harmonylens",
            {
                "manifest.json": b'{"schema": "harmonylens-gallery/1", "title": "x"}',
                "samples.jsonl": (line("good", CLEAN) + line("double", DOUBLE)).encode(),
            },
        )
        result = run("scan", "--format", "jsonl", str(bundle))
        assert [json.loads(text)["id"] for text in result.out.splitlines()] == ["good", "double"]
        assert result.code == 1
        said = run("scan", str(bundle)).out
        assert "x.harmonylens: 'samples.jsonl' line 2 (double)" in said

    def test_a_bad_file_in_it_costs_that_file_only(self, run: Run, tmp_path: Path) -> None:
        path = self.archive(
            tmp_path / "x.zip",
            {
                "a.jsonl": line("first", CLEAN).encode(),
                "binary.json": b"\0\xff\xfe\xfd",
                "junk.json": b"no JSON",
                "torn.json": b"SPOILED",
                "list.json": json.dumps([json.loads(line("last", CLEAN))], indent=1).encode(),
            },
            spoil=b"SPOILED",
        )
        result = run("scan", "--format", "jsonl", str(path))
        records = [json.loads(text) for text in result.out.splitlines()]
        assert [record["id"] for record in records if "error" not in record or not record["error"]] == ["first", "last"]
        assert len(records) == 5
        assert result.code == 2

    def test_gzip_and_what_is_no_archive_of_records(self, run: Run, runs: Path, tmp_path: Path) -> None:
        packed = tmp_path / "runs.jsonl.gz"
        packed.write_bytes(gzip.compress(runs.read_bytes()))
        plain, zipped = run("scan", "--format", "jsonl", str(runs)), run("scan", "--format", "jsonl", str(packed))
        assert zipped.out.replace("runs.jsonl.gz", "runs.jsonl") == plain.out
        assert zipped.code == plain.code
        empty = self.archive(tmp_path / "empty.zip", {"readme.md": b"hello"})
        torn = tmp_path / "torn.gz"
        torn.write_bytes(packed.read_bytes()[:-20])
        result = run("scan", "--format", "jsonl", str(empty), str(torn), str(runs))
        assert result.out == plain.out
        assert "empty.zip: The archive holds no records" in result.err
        assert "torn.gz: The file is cut short" in result.err
        assert result.code == 2


def test_many_bad_lines_are_a_few_and_a_count(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line("good", CLEAN) + "\n" + "{x\n" * 600)
    result = run("scan", str(path))
    assert result.code == 2
    assert sum("bad.jsonl line" in each and "not valid JSON" in each for each in result.out.splitlines()) == 10
    assert "and 590 more that could not be read; --format jsonl has them all" in result.out
    assert "600 unreadable" in result.out
    records = run("scan", str(path), "--format", "jsonl")
    assert len(records.out.splitlines()) == 601
