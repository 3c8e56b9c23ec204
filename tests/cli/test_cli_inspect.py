"""``harmonylens inspect``: the report, the record, the switches, the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from inspector.report import record_schema

BROKEN = (
    "<|channel|>analysis<|message|>Run the tests.<|end|><|start|>assistant<|channel|>analysis"
    "<|channel|>commentary<|message|>I will run the test suite now.<|end|>"
)
CLEAN = "<|channel|>final<|message|>Hello.<|return|>"
CALL = "<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>"
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}

Run = Callable[..., Any]


def record_of(ran: Any) -> Any:
    (record,) = ran.records
    jsonschema.Draft202012Validator(record_schema()).validate(record)
    return record


def test_the_founding_error(run: Run) -> None:
    ran = run("inspect", "-", stdin=BROKEN)
    assert ran.code == 1
    assert "raises at token 15: Unknown role: assistant<|channel|>commentary" in ran.out
    assert "error[HS201] duplicate-channel:" in ran.out
    assert " 12 - <|channel|>commentary   [200005, 12606, 815]" in ran.out
    assert "1 fix applied; repaired transcript parses" in ran.out
    assert ran.out.startswith("Read as text with 8 markers")
    assert "\x1b" not in ran.out


def test_the_record(run: Run) -> None:
    ran = run("inspect", "-", "--format", "json", stdin=BROKEN)
    record = record_of(ran)
    assert ran.code == 1
    assert record["role"] == "assistant"
    assert record["token_count"] == len(record["token_ids"]) == 25
    verdicts = {v["release"]: v for v in record["strict"] if v["mode"] == "strict"}
    assert verdicts["openai-harmony 0.0.8"]["error"] == "Unknown role: assistant<|channel|>commentary"
    assert verdicts["openai-harmony 0.0.8"]["token"] == 15
    assert [m["channel"] for m in record["repaired"]["messages"]] == ["analysis", "analysis"]


def test_a_clean_transcript(run: Run) -> None:
    ran = run("inspect", "-", stdin=CLEAN)
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.endswith("no findings; transcript parses\n")


def test_a_record_can_be_opened_again(run: Run) -> None:
    given = {"id": "run-1", "role": "assistant", "text": BROKEN, "finish_reason": "stop", "stop_reason": None}
    first = run("inspect", "-", "--format", "json", "--tools", "bash", stdin=json.dumps(given))
    again = run("inspect", "-", "--format", "json", "--input-format", "records", stdin=first.out)
    assert record_of(again) == record_of(first)


class TestSwitches:
    def test_off_by_key_and_by_code(self, run: Run) -> None:
        for word in ("HS201@12", "HS201", "duplicate-channel"):
            record = record_of(run("inspect", "-", "--format", "json", "--off", word, stdin=BROKEN))
            assert record["repaired"]["ids"] == record["token_ids"]
            assert record["repaired"]["applied"] == []
        assert "switched off" in run("inspect", "-", "--off", "HS201", stdin=BROKEN).out

    def test_another_reading(self, run: Run) -> None:
        ran = run("inspect", "-", "--format", "json", "--choose", "HS201@12=1", stdin=BROKEN)
        assert [m["channel"] for m in record_of(ran)["repaired"]["messages"]] == ["analysis", "commentary"]
        assert "chosen" in run("inspect", "-", "--choose", "HS201@12=1", stdin=BROKEN).out

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (["--off", "HS201@99"], "--off HS201@99: there is no such finding."),
            (["--choose", "HS201@99=1"], "--choose HS201@99=1: there is no such finding."),
            (["--choose", "HS201@12=7"], "--choose HS201@12=7: that finding has 1 alternative reading"),
        ],
    )
    def test_a_switch_that_moves_nothing_is_told(self, run: Run, args: list[str], said: str) -> None:
        ran = run("inspect", "-", *args, stdin=BROKEN)
        assert said in ran.err
        # A choice that no reading answers to is bad usage; a switch that is off anyway does no harm.
        assert ran.code == (2 if args[0] == "--choose" else 1)

    def test_select_and_ignore(self, run: Run) -> None:
        def codes(*args: str) -> set[str]:
            record = record_of(run("inspect", "-", "--format", "json", *args, stdin=BROKEN))
            return {d["code"] for d in record["diagnostics"] + record["finish"]["findings"]}

        everything = codes()
        assert "HS201" in everything
        assert len(everything) > 1
        assert codes("--select", "HS2") == {"HS201"}
        assert codes("--select", "duplicate-channel") == {"HS201"}
        assert codes("--ignore", "HS201") == everything - {"HS201"}
        assert codes("--ignore", "HS2,HS6,HS4") == set()

    @pytest.mark.parametrize("option", ["--select", "--ignore"])
    def test_a_rule_that_does_not_exist(self, run: Run, option: str) -> None:
        ran = run("inspect", "-", option, "duplicate-chanel", stdin=BROKEN)
        assert ran.code == 2
        assert "did you mean duplicate-channel" in ran.err

    @pytest.mark.parametrize("name", ["openai-harmony 0.0.8", "openai-harmony==0.0.8", "0.0.8"])
    def test_releases(self, run: Run, name: str) -> None:
        record = record_of(run("inspect", "-", "--format", "json", "--release", name, stdin=BROKEN))
        assert {v["release"] for v in record["strict"]} == {"openai-harmony 0.0.8"}

    def test_a_release_that_does_not_exist(self, run: Run) -> None:
        ran = run("inspect", "-", "--release", "harmony 9", stdin=BROKEN)
        assert ran.code == 2
        assert "expected one of oss-harmony 0.0.11, openai-harmony 0.0.8" in ran.err

    @pytest.mark.parametrize("name", ["vLLM 0.32", "vllm 0.32", "0.32"])
    def test_styles(self, run: Run, name: str) -> None:
        record = record_of(run("inspect", "-", "--format", "json", "--style", name, stdin=CALL))
        assert record["reencoded"]["release"] == "vLLM 0.32"
        assert "constrain-removed" in {d["cause"] for d in record["reencoded"]["drift"]}

    def test_a_style_that_does_not_exist(self, run: Run) -> None:
        ran = run("inspect", "-", "--style", "plain", stdin=BROKEN)
        assert ran.code == 2
        assert "expected one of openai-harmony 0.0.8, oss-harmony 0.0.11, vLLM 0.32" in ran.err

    def test_tools_settle_names(self, run: Run) -> None:
        text = "<|channel|>commentary to=bash <|constrain|>json<|message|>{}<|call|>"
        record = record_of(run("inspect", "-", "--format", "json", "--tools", "bash,python", stdin=text))
        assert record["tools"] == ["functions.bash", "python"]

    def test_roles(self, run: Run) -> None:
        text = "<|start|>assistant" + CLEAN
        for asked, role in (("auto", None), ("none", None), ("assistant", "assistant")):
            record = record_of(run("inspect", "-", "--format", "json", "--role", asked, stdin=text))
            assert record["role"] == role

    def test_markers_as_ordinary_text(self, run: Run) -> None:
        record = record_of(run("inspect", "-", "--format", "json", "--no-markers", stdin=CLEAN))
        assert not [token for token in record["token_ids"] if token >= 199_998]

    @pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
    def test_fail_on(self, run: Run, level: str, code: int) -> None:
        text = "<|channel|>final<|message|>Hello.<|end|>"  # ended by <|end|>: a warning
        assert run("inspect", "-", "--fail-on", level, stdin=text).code == code

    def test_never_fails_on_errors_either(self, run: Run) -> None:
        assert run("inspect", "-", "--fail-on", "never", stdin=BROKEN).code == 0


class TestInput:
    def test_token_ids(self, run: Run) -> None:
        ran = run("inspect", "-", "--format", "json", stdin="[200005, 17196, 200008, 13225, 13, 200002]")
        assert record_of(ran)["repaired"]["messages"][0]["content"] == "Hello."

    def test_the_reading_can_be_overruled(self, run: Run) -> None:
        record = record_of(run("inspect", "-", "--format", "json", "--input-format", "text", stdin="[1, 2]"))
        assert record["token_ids"] != [1, 2]

    def test_what_cannot_be_read_is_told_with_its_place(self, run: Run) -> None:
        ran = run("inspect", "-", "--input-format", "ids", stdin="1 2 abc")
        assert ran.code == 2
        assert ran.err.startswith("harmonylens: standard input: line 1, column 5: ")

    def test_several_records(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "runs.jsonl"
        lines = [{"id": "a", "role": "assistant", "text": CLEAN}, {"id": "b", "role": "assistant", "text": BROKEN}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{nonsense\n")
        ran = run("inspect", path, "--format", "json")
        assert [record["id"] for record in ran.records] == ["a", "b"]
        assert ran.code == 2
        assert "runs.jsonl: line 3, column" in ran.err
        one = run("inspect", path, "--format", "json", "--record", "2", "--fail-on", "never")
        assert [record["id"] for record in one.records] == ["b"]
        text = run("inspect", path)
        assert "runs.jsonl line 1 (a): " in text.out
        assert "runs.jsonl line 2 (b): " in text.out
        none = run("inspect", path, "--record", "3")
        assert (none.code, none.out) == (2, "")
        assert "the input has 2 transcripts" in none.err

    def test_a_hostile_transcript_does_not_drive_the_terminal(self, run: Run) -> None:
        text = "<|channel|>fin\x1b[2Jal<|message|>\x1b]0;x\x07\u202e\x9b2J<|end|>"
        for form in ("text", "json"):
            out = run("inspect", "-", "--format", form, "--fail-on", "never", stdin=text).out
            assert not set(out) & set("\x1b\x07\x9b\u202e")


class TestProcess:
    """What only a process of its own shows."""

    def command(self, *args: str, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "inspector", *args],
            input=stdin, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT | options,
        )  # fmt: skip

    def test_the_exit_code_is_the_process_s(self) -> None:
        done = self.command("inspect", "-", stdin=BROKEN)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert done.stderr == ""
        assert self.command("inspect", "/does/not/exist").returncode == 2

    def test_colours_are_asked_for_or_not(self) -> None:
        assert "\x1b[" in self.command("inspect", "-", "--color", "always", stdin=BROKEN).stdout
        assert "\x1b" not in self.command("inspect", "-", "--color", "never", stdin=BROKEN, FORCE_COLOR="1").stdout

    def test_an_old_encoding_is_no_exception(self) -> None:
        text = "<|channel|>final<|message|>漢字<|return|>"
        done = self.command("inspect", "-", "--input-format", "ids", stdin="abc", PYTHONIOENCODING="ascii")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        path_of_text = self.command("inspect", "-", stdin=json.dumps(text), PYTHONIOENCODING="ascii")
        assert path_of_text.returncode == 0
        assert "\\u6f22\\u5b57" in path_of_text.stdout

    def test_a_closed_pipe_is_no_exception(self, tmp_path: Path) -> None:
        path = tmp_path / "runs.jsonl"
        path.write_text((json.dumps({"id": "a", "role": "assistant", "text": BROKEN}) + "\n") * 400)
        with subprocess.Popen(
            [sys.executable, "-m", "inspector", "inspect", str(path), "--format", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.readline()
            child.stdout.close()
            assert child.wait(timeout=60) == 141
            assert child.stderr.read() == b""

    def test_a_small_file_is_quick(self, tmp_path: Path) -> None:
        """A second on an idle machine is the aim (``make bench`` measures it); this guards against a slide."""
        path = tmp_path / "small.txt"
        path.write_text(BROKEN)
        spent = min(self.seconds_of_work("inspect", str(path)) for _ in range(2))
        assert spent < 2

    def test_a_long_transcript(self, tmp_path: Path) -> None:
        """131,072 tokens of short messages: a report that a person can read, in seconds."""
        ids = [200006, 173781, 200005, 17196, 200008, 13225, 13, 200007] * (131_072 // 8)
        path = tmp_path / "long.json"
        path.write_text(json.dumps(ids))
        assert self.seconds_of_work("inspect", str(path), "--fail-on", "never") < 20
        assert "131,072 tokens, a whole conversation" in self.done.stdout
        assert len(self.done.stdout.splitlines()) < 400
        assert self.done.returncode == 0

    def seconds_of_work(self, *args: str) -> float:
        """Processor time of a run, which a busy machine does not change much."""
        before = os.times()
        self.done = self.command(*args)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system


def test_the_libraries_themselves_can_be_asked(run: Run) -> None:
    record = record_of(
        run("inspect", "-", "--format", "json", "--native", "--release", "oss-harmony 0.0.11", stdin=BROKEN)
    )
    assert {(v["release"], v["source"]) for v in record["strict"]} == {("oss-harmony 0.0.11", "native")}


def test_the_command_needs_no_screen() -> None:
    """Importing the command line loads neither Streamlit nor what a report needs."""
    code = (
        "import sys, inspector.cli; "
        "print([m for m in ('streamlit', 'rich.console', 'numpy', 'tiktoken', 'openai_harmony') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
