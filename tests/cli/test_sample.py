"""``harmonyscope sample``: what is asked, what is printed, how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers.prompts import build_prompt
from inspector.samplers.tools import BUILTIN
from inspector.tokens import CALL, vocabulary

from ..samplers.fake_server import FakeServer, LikeVllm, Request

encode = vocabulary().encode_markers
decode = vocabulary().decode
PROMPT = "<|start|>user<|message|>Hi.<|end|><|start|>assistant"
GOOD = "<|channel|>final<|message|>Hello.<|return|>"
DOUBLE = "<|channel|>analysis<|channel|>commentary<|message|>I will.<|end|>"
CALLED = '<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>'

Run = Callable[..., Any]


def replay(path: Path, *answers: str, prompt: str | None = None, **more: Any) -> Path:
    known = {} if prompt is None else {"prompt_token_ids": encode(prompt)}
    path.write_text(
        "".join(
            json.dumps({"id": f"a{n}", "role": "assistant", "text": text, **known, **more}) + "\n"
            for n, text in enumerate(answers)
        )
    )
    return path


def saying(*answers: str) -> LikeVllm:
    """One after the other, the last one again and again."""
    turn = iter(range(10**9))
    return LikeVllm(lambda prompt: encode(answers[min(next(turn), len(answers) - 1)]))


def test_a_clean_answer_is_reported_with_exit_code_0(run: Run, tmp_path: Path) -> None:
    ran = run("sample", PROMPT, "--replay", replay(tmp_path / "a.jsonl", GOOD))
    assert ran.code == 0
    assert "| Hello." in ran.out
    assert "no findings; transcript parses" in ran.out


def test_a_malformed_answer_has_exit_code_1_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", DOUBLE)
    ran = run("sample", PROMPT, "--replay", file)
    assert ran.code == 1
    assert "HS201" in ran.out
    assert run("sample", PROMPT, "--replay", file, "--fail-on", "never").code == 0


def test_several_answers_come_as_records_that_scan_reads(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD, DOUBLE, logprobs=None)
    ran = run("sample", PROMPT, "-n", "4", "--replay", file, "--format", "jsonl")
    assert ran.code == 1
    assert sorted(record["id"] for record in ran.records) == [f"answer {n}" for n in (1, 2, 3, 4)]
    assert sorted(decode(record["token_ids"]) for record in ran.records) == sorted([GOOD, DOUBLE] * 2)
    for record in ran.records:
        assert record["prompt_token_ids"] == encode(PROMPT)
        assert record["role"] == "assistant"
    (tmp_path / "out.jsonl").write_text(ran.out)
    scanned = run("scan", tmp_path / "out.jsonl", "--summary")
    assert "4 transcripts, 2 without findings" in scanned.out


def test_text_reports_of_several_answers_are_set_apart(run: Run, tmp_path: Path) -> None:
    ran = run("sample", PROMPT, "-n", "2", "--replay", replay(tmp_path / "a.jsonl", GOOD))
    assert ran.out.count("no findings") == 2
    assert "-" * 60 in ran.out


def test_messages_are_built_into_a_prompt_and_sent_as_tokens(run: Run) -> None:
    with FakeServer(saying(GOOD)) as server:
        ran = run(
            "sample", "--user", "Hi <|end|>", "--developer", "Be brief.", "--tool", "multiply", "--date", "2026-01-02",
            "--effort", "low", "--style", "0.0.8", "--server", server.url, "--seed", 7, "--temperature", 0.5,
            "--top-p", 0.9, "--top-k", 40, "--min-p", 0.1, "--max-tokens", 50, "--stop", "STOP", "--logprobs", 2,
        )  # fmt: skip
        body = [seen[3] for seen in server.seen if seen[1] == "/v1/completions"][-1]
    assert ran.code == 0, ran.err
    multiply = next(tool for tool in BUILTIN if tool.name == "multiply")
    assert body["prompt"] == list(
        build_prompt(None, "Be brief.", [multiply], "Hi <|end|>", style="openai-harmony 0.0.8", effort="low",
                     date="2026-01-02")
    )  # fmt: skip
    sent = {key: body[key] for key in ("seed", "temperature", "top_p", "top_k", "min_p", "max_tokens", "stop")}
    assert sent == {"seed": 7, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "max_tokens": 50,
                    "stop": ["STOP"]}  # fmt: skip
    assert body["logprobs"] == 2
    assert "asking m on vLLM 0.32.0" in ran.err


def test_the_tool_loop_calls_the_tool_and_goes_on(run: Run) -> None:
    with FakeServer(LikeVllm(lambda prompt: encode(GOOD if CALL in prompt else CALLED))) as server:
        ran = run(
            "sample", "--user", "3 times 302?", "--tool", "multiply", "--sampler", "tool-loop", "--server", server.url,
            "--format", "jsonl",
        )  # fmt: skip
    assert ran.code == 0, ran.err
    (record,) = ran.records
    text = decode(record["token_ids"])
    assert text.startswith(CALLED)
    assert "<|start|>functions.multiply<|channel|>commentary to=assistant<|message|>906<|end|>" in text
    assert text.endswith(GOOD)
    assert set(record["origins"]) == {"sampled", "injected"}
    assert record["tools"] == ["functions.multiply"]


def test_the_founding_call_format_can_be_asked_for_and_its_limits(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("[1, 2, 3, 4, 5, 6, 7]")
    asked = "<function> multiply(3, 302) </function>"
    with FakeServer(LikeVllm(lambda prompt: encode(asked if len(prompt) == 7 else " That is 906."))) as server:
        ran = run(
            "sample", str(file), "--sampler", "tool-loop", "--call-format", "function-tag",
            "--max-turns", "2", "--tool-limit", "5", "--server", server.url, "--format", "jsonl", "--fail-on", "never",
        )  # fmt: skip
    assert ran.code == 0, ran.err
    (record,) = ran.records
    assert decode(record["token_ids"]) == f"{asked} <result> 906 </result> That is 906."
    assert run("sample", str(file), "--call-format", "xml", "--server", server.url).code == 2


def test_declared_tools_judge_a_call_of_another_one(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", CALLED)
    assert "HS410" in run("sample", PROMPT, "--tools", "bash", "--replay", file).out
    assert "HS410" not in run("sample", PROMPT, "--tools", "multiply", "--replay", file).out
    definitions = tmp_path / "tools.json"
    definitions.write_text(json.dumps([{"type": "function", "function": {"name": "bash", "parameters": {}}}]))
    assert "HS410" in run("sample", "--user", "x", "--tool", f"@{definitions}", "--replay", file).out


@pytest.mark.parametrize("through", ["argument", "stdin", "text", "ids", "record", "whole", "chat"])
def test_a_prompt_from_anywhere(run: Run, tmp_path: Path, through: str) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD, prompt=PROMPT)  # answers this prompt and no other
    source = tmp_path / ("prompt.txt" if through in ("text", "ids") else "prompt.jsonl")
    stdin = ""
    if through == "argument":
        given: Any = PROMPT
    elif through == "stdin":
        given, stdin = "-", PROMPT
    else:
        given = source
        source.write_text(
            {
                "text": PROMPT,
                "ids": str(encode(PROMPT)),
                "record": json.dumps({"id": "x", "role": "assistant", "text": "x", "prompt_token_ids": encode(PROMPT)}),
                "whole": json.dumps({"id": "x", "role": None, "token_ids": encode(PROMPT)}),
                "chat": json.dumps({"messages": [{"role": "user", "content": "Hi.", "channel": None}]}),
            }[through]
        )
    ran = run("sample", given, "--replay", file, "--format", "jsonl", stdin=stdin)
    assert ran.code == 0, ran.err
    assert ran.records[0]["prompt_token_ids"] == encode(PROMPT)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Nothing to continue"),
        ([PROMPT], "Name one engine"),
        ([PROMPT, "--server", "http://127.0.0.1:1", "--replay", "x"], "Name one engine"),
        ([PROMPT, "--user", "x"], "not both"),
        ([PROMPT, "--temperature", "-1"], "temperature is -1.0: expected 0"),
        ([PROMPT, "--top-p", "0"], "top_p is 0.0"),
        ([PROMPT, "--logprobs", "99"], "logprobs is 99"),
        ([PROMPT, "--sampler", "no"], "No sampler is called 'no'"),
        ([PROMPT, "--sampler", "no:No"], "cannot be loaded"),
        ([PROMPT, "--tool", "add"], "a PROMPT declares its own"),
        (["--user", "x", "--tool", "rm"], "expected one of add, multiply"),
        (["--user", "x", "--style", "9"], "expected one of openai-harmony 0.0.8"),
        (["words"], "is no file, and no prompt with markers"),
        ([PROMPT, "--server", "http://127.0.0.1:1"], "127.0.0.1:1"),
        ([PROMPT, "--server", "nonsense"], "nonsense"),
        ([PROMPT, "--offline", "x", "--engine-option", "a"], "expected NAME=VALUE"),
        ([PROMPT, "--replay", "/does/not/exist.jsonl"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, args: list[str], said: str) -> None:
    ran = run("sample", *args)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_prompt_that_the_replay_does_not_know(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD, prompt="<|start|>user<|message|>Else<|end|><|start|>assistant")
    ran = run("sample", PROMPT, "--replay", file)
    assert ran.code == 2
    assert "has no answer to this prompt" in ran.err


def test_an_engine_that_fails_in_the_middle_keeps_what_came(run: Run) -> None:
    def answer(request: Request) -> None:
        if request.path != "/v1/completions" or request.body["prompt"] == [200006]:
            good(request)
            return
        from ..samplers.fake_server import event, piece

        request.stream([event(piece(encode(GOOD)[:3]))], ends=False)

    good = saying(GOOD)
    with FakeServer(answer) as server:
        ran = run("sample", PROMPT, "--server", server.url, "--format", "jsonl")
    assert ran.code == 2
    assert "answer 1: The server at" in ran.err
    assert ran.records[0]["token_ids"] == encode(GOOD)[:3]
    assert ran.records[0]["meta"]["ended_by"] == "failed"


def test_the_api_key_comes_from_the_environment_and_is_never_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-very-secret-0123456789"
    server_says = LikeVllm(lambda prompt: encode(GOOD), key=key)
    with FakeServer(server_says) as server:
        refused = run("sample", PROMPT, "--server", server.url)
        assert refused.code == 2
        monkeypatch.setenv("MY_KEY", key)
        ran = run("sample", PROMPT, "--server", server.url, "--api-key-env", "MY_KEY", "--format", "jsonl")
    assert ran.code == 0, ran.err
    assert key not in ran.out + ran.err + refused.err


def test_the_guard_is_asked_for_and_told_of(run: Run) -> None:
    with FakeServer(saying(GOOD)) as server:
        ran = run("sample", PROMPT, "--server", server.url, "--guard", "on")
        bodies = [seen[3] for seen in server.seen if seen[1] == "/v1/completions"]
    assert bodies[-1]["vllm_xargs"]["harmonyscope_guard"] == "on"
    assert "--logits-processors inspector.vllm_side.guard:Guard" in ran.err


COMMAND = [sys.executable, "-m", "inspector", "sample", PROMPT]


def test_a_terminal_sees_the_tokens_as_they_come_and_ctrl_c_ends_it_cleanly() -> None:
    """The server holds the rest back until the first tokens have been seen, and then for ever."""
    seen, held = threading.Event(), threading.Event()

    def answer(request: Request) -> None:
        if request.path != "/v1/completions" or request.body["max_tokens"] == 1:
            good(request)
            return
        from ..samplers.fake_server import event, piece

        def chunks() -> Sequence[bytes]:
            yield event(piece(encode(GOOD)[:3]))  # type: ignore[misc]
            held.set()
            request.until_left()

        request.stream(chunks(), ends=False)

    good = saying(GOOD)
    with FakeServer(answer) as server:
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "--server", server.url], stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.PIPE
        )
        os.close(follower)
        out = b""
        try:
            while b"<|message|>" not in out:
                out += os.read(leader, 4096)
            seen.set()
            assert held.wait(60)
            process.send_signal(signal.SIGINT)
            while True:
                try:
                    piece_read = os.read(leader, 4096)
                except OSError:  # the terminal has no writer any more
                    break
                if not piece_read:
                    break
                out += piece_read
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
            os.close(leader)
        assert server.left.wait(60), "the request was not taken back"
    assert process.returncode == 130
    assert b"interrupted: 1 of 1 answers" in err
    assert out.startswith(b"<|channel|>final<|message|>")
    assert b"strict parse" in out
    assert b"Traceback" not in out + err


def test_an_output_that_cannot_be_written_is_no_defect(tmp_path: Path) -> None:
    file = tmp_path / "six.jsonl"
    record = {"id": "a", "role": "assistant", "text": GOOD}
    file.write_text("\n".join(json.dumps(record) for _ in range(6)))
    command = [sys.executable, "-m", "inspector", "sample", "--replay", str(file), str(file), "--format", "jsonl"]
    with open("/dev/full", "w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (
        2,
        "harmonyscope: the output cannot be written: No space left on device.\n",
    )


def test_nothing_of_an_engine_is_imported_for_another_command() -> None:
    code = (
        "import sys, inspector.cli; "
        "sys.exit(any(name in sys.modules for name in ('httpx', 'inspector.samplers', 'plotly', 'streamlit')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
