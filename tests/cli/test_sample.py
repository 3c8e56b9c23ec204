"""``harmonylens sample``: what is asked, what is printed, how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from inspector.cli.answers import Answers, Prompt
from inspector.samplers import Rollout
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
        (["--user", "x", "--date", "tomorrow"], "--date 'tomorrow': expected YYYY-MM-DD"),
        ([PROMPT, "--stop", ""], "stop holds an empty text"),
        ([PROMPT, "--seed", str(2**63)], "seed is 9223372036854775808: expected"),
        ([PROMPT, "--server", "http://127.0.0.1:1", "--engine-option", "a=1"], "--engine-option goes with --offline"),
        ([PROMPT, "--offline", "x", "--model", "m"], "--model goes with --server"),
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
    assert bodies[-1]["vllm_xargs"]["harmonylens_guard"] == "on"
    assert "--logits-processors inspector.vllm_side.guard:Guard" in ran.err


def asked(path: Path) -> Path:
    """Two prompts, and between them a line that is none."""
    chat = [json.dumps({"id": name, "messages": [{"role": "user", "content": name}]}) for name in ("one", "two")]
    path.write_text(f"{chat[0]}\n{{no\n\n{chat[1]}\n")
    return path


def test_every_record_says_which_prompt_and_which_of_its_answers_it_is(run: Run, tmp_path: Path) -> None:
    ran = run("sample", asked(tmp_path / "asked.jsonl"), "-n", 2, "--replay", replay(tmp_path / "a.jsonl", GOOD),
              "--format", "jsonl")  # fmt: skip
    assert ran.code == 2, "a line of the file could not be used"
    assert "asked.jsonl line 2: this is no JSON" in ran.err
    told = {record["id"]: record["meta"] for record in ran.records}
    assert told == {
        f"{name}, answer {sample + 1}": {
            "prompt": prompt, "prompt_id": name, "line": line, "sample": sample, "samples": 2, "ended_by": "engine"
        }
        for prompt, name, line in ((0, "one", 1), (1, "two", 4))
        for sample in (0, 1)
    }  # fmt: skip
    (tmp_path / "out.jsonl").write_text(ran.out)
    opened = [json.loads(line) for line in run("inspect", tmp_path / "out.jsonl", "--format", "json").out.splitlines()]
    assert [record["id"] for record in opened] == [record["id"] for record in ran.records]


def test_every_report_says_which_prompt_and_which_of_its_answers_it_is(run: Run, tmp_path: Path) -> None:
    ran = run("sample", asked(tmp_path / "asked.jsonl"), "-n", 2, "--replay", replay(tmp_path / "a.jsonl", GOOD))
    lines = ran.out.splitlines()
    at = lines.index("answer 2 of 2 to prompt 2 of 2")
    assert lines[at + 1].startswith("asked.jsonl line 4 (two, answer 2): ")
    assert sum(line.startswith("answer ") for line in lines) == 4


def test_transcripts_as_prompts_are_named_by_their_line_too(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "prompts.jsonl"
    whole = {"role": None, "token_ids": encode(PROMPT)}
    source.write_text(f"\n{json.dumps(whole)}\n[]\n{json.dumps({'id': 'x', **whole})}\n")
    ran = run("sample", source, "--replay", replay(tmp_path / "a.jsonl", GOOD), "--format", "jsonl")
    assert ran.code == 2
    assert "prompts.jsonl: line 3" in ran.err
    assert [(r["meta"]["prompt"], r["meta"]["prompt_id"], r["meta"]["line"]) for r in ran.records] == [
        (0, "line 2", 2),
        (1, "x", 4),
    ]


@pytest.mark.parametrize(
    ("in_order", "printed"),
    [
        (False, [["2"], ["2", "1"], ["2", "1", "4"], ["2", "1", "4", "3"]]),
        (True, [[], ["1", "2"], ["1", "2"], list("1234")]),
    ],
)
def test_answers_wait_for_earlier_ones_only_where_they_are_wanted_in_order(
    capsys: pytest.CaptureFixture[str], in_order: bool, printed: list[list[str]]
) -> None:
    answers = Answers([Prompt(tuple(encode(PROMPT)))], 5, "jsonl", "error", in_order=in_order)
    rollout = Rollout(tuple(encode(PROMPT)), tuple(encode(GOOD)), ("sampled",) * len(encode(GOOD)))

    def names() -> list[str]:
        out.extend(json.loads(line)["id"].removeprefix("answer ") for line in capsys.readouterr().out.splitlines())
        return list(out)

    out: list[str] = []
    for number, expected in zip((1, 0, 3, 2), printed, strict=True):
        answers.tell(number, rollout)
        answers.tell(number, rollout)
        assert names() == expected
    assert (answers.told, answers.code) == (4, 0)


def test_what_waits_when_a_run_ends_is_printed_too(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers([Prompt(tuple(encode(PROMPT)))], 5, "jsonl", "error", in_order=True)
    ids = tuple(encode(GOOD))
    for number in (4, 2):
        answers.tell(number, Rollout(tuple(encode(PROMPT)), ids, ("sampled",) * len(ids), ended_by="cancelled"))
    answers.tell(3, Rollout(tuple(encode(PROMPT)), ended_by="cancelled"))
    assert capsys.readouterr().out == ""
    answers.close()
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["answer 3", "answer 5"]
    assert (answers.told, answers.cut) == (2, 2), "nothing came of the one in between"


def test_the_command_prints_in_order(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD)
    ran = run("sample", asked(tmp_path / "asked.jsonl"), "-n", 3, "--replay", file, "--format", "jsonl", "--in-order")
    assert [(r["meta"]["prompt"], r["meta"]["sample"]) for r in ran.records] == [
        (p, n) for p in (0, 1) for n in range(3)
    ]


def test_so_many_requests_as_wanted_are_under_way_and_no_more(run: Run) -> None:
    lock, three, under_way, most = threading.Lock(), threading.Barrier(3), [0], [0]

    def answer(request: Request) -> None:
        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            three.wait(60)
            with lock:
                under_way[0] -= 1
        good(request)

    good = saying(GOOD)
    with FakeServer(answer) as server:
        ran = run("sample", PROMPT, "-n", 9, "--parallel", 3, "--server", server.url, "--format", "jsonl")
    assert len(ran.records) == 9
    assert most == [3]


def test_a_file_of_answers_of_which_some_cannot_be_read_has_exit_code_2(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD)
    file.write_text(file.read_text() + "{no\n")
    ran = run("sample", PROMPT, "--replay", file)
    assert ran.code == 2
    assert "no findings" in ran.out
    assert "a.jsonl: line 2" in ran.err


@pytest.mark.parametrize("wrong", [-1, 201088, 2**64 - 1])
def test_ids_that_the_model_does_not_have_are_refused_before_they_are_sent(
    run: Run, tmp_path: Path, wrong: int
) -> None:
    prompts = tmp_path / "ids.txt"
    prompts.write_text(f"[200006, 5, {wrong}]")
    with FakeServer(saying(GOOD)) as server:
        ran = run("sample", prompts, "--server", server.url)
        assert not server.seen
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"harmonylens: ids.txt: Token 2 of the prompt is {wrong}, which gpt-oss does not have: "
        "expected ids from 0 to 201087.\n"
    )


def test_unused_and_special_ids_are_sent(run: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "ids.txt"
    prompts.write_text("[0, 199997, 199998, 200018, 201087, 200006, 173781]")
    with FakeServer(saying(GOOD)) as server:
        assert run("sample", prompts, "--server", server.url).code == 0
        assert server.seen[-1][3]["prompt"] == [0, 199997, 199998, 200018, 201087, 200006, 173781]


@pytest.mark.parametrize("text", ["{}", "[]", '{"prompt": "Hi."}', '[{"a": 1}]'])
def test_json_that_is_no_prompt_is_not_sent_as_text(run: Run, tmp_path: Path, text: str) -> None:
    prompts = tmp_path / "prompts.json"
    prompts.write_text(text)
    ran = run("sample", prompts, "--replay", replay(tmp_path / "a.jsonl", GOOD))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("harmonylens: prompts.json ")
    assert "expected" in ran.err


def test_a_prompt_may_be_longer_than_a_name_of_a_file(run: Run, tmp_path: Path) -> None:
    file = replay(tmp_path / "a.jsonl", GOOD)
    assert run("sample", PROMPT.replace("Hi.", "Hi. " * 3000), "--replay", file).code == 0
    ran = run("sample", "Hi. " * 3000, "--replay", file)
    assert ran.code == 2
    assert "is no file, and no prompt with markers" in ran.err
    assert len(ran.err) < 300


def test_what_many_answers_fail_of_is_said_once(run: Run) -> None:
    def answer(request: Request) -> None:
        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            request.send(500, {"error": {"message": "out of luck"}})
        else:
            good(request)

    good = saying(GOOD)
    with FakeServer(answer) as server:
        ran = run("sample", PROMPT, "-n", 9, "--server", server.url)
    assert ran.code == 2
    (first,) = [line for line in ran.err.splitlines() if "out of luck" in line]
    name = first.split(": ")[1]
    assert ran.err.splitlines()[-1] == f"harmonylens: 8 more ended as {name} did."


OTHERS = """
from inspector.samplers import OneShot

class Raises(OneShot):
    async def sample(self, engine, prompts, params, listener=None):
        await super().sample(engine, prompts, params, listener)
        return divide(1, 0)

def divide(a, b):
    return a / b

class Nothing(OneShot):
    async def sample(self, engine, prompts, params, listener=None):
        return None

class Silent(OneShot):
    async def sample(self, engine, prompts, params, listener=None):
        return await super().sample(engine, prompts, params)

class Unmade:
    def __init__(self):
        raise LookupError("no such thing")
"""


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of somebody's in the folder that the command runs in."""
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.delitem(sys.modules, "others", raising=False)
    monkeypatch.delitem(sys.modules, "unloadable", raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "others.py"
    file.write_text(OTHERS)
    (tmp_path / "unloadable.py").write_text("\nimport no_such_library\n")
    return file


def test_a_sampler_that_tells_nothing_on_the_way_is_printed_at_its_end(run: Run, others: Path) -> None:
    file = replay(others.parent / "a.jsonl", GOOD)
    ran = run("sample", PROMPT, "-n", 2, "--replay", file, "--sampler", "others:Silent", "--format", "jsonl")
    assert ran.code == 0
    assert [record["id"] for record in ran.records] == ["answer 1", "answer 2"]


@pytest.mark.parametrize(
    ("name", "answers", "said"),
    [
        ("others:Raises", 2, "The sampler others:Raises raised ZeroDivisionError: division by zero "
                             "({others}, line 10, in divide): mend it there; {more}"),
        ("others:Nothing", 0, "The sampler others:Nothing returned NoneType: expected a list of Rollout."),
        ("others:Unmade", 0, "The sampler others:Unmade cannot be made: it raised LookupError: no such thing "
                             "({others}, line 22, in __init__); {more}"),
        ("unloadable:X", 0, "The sampler unloadable:X cannot be loaded: ModuleNotFoundError: No module named "
                            "'no_such_library' ({folder}/unloadable.py, line 2, in <module>); {more}"),
    ],
)  # fmt: skip
def test_what_somebody_elses_sampler_raises_is_said_to_be_theirs(
    run: Run, others: Path, name: str, answers: int, said: str
) -> None:
    file = replay(others.parent / "a.jsonl", GOOD)
    ran = run("sample", PROMPT, "-n", 2, "--replay", file, "--sampler", name, "--format", "jsonl")
    assert ran.code == 2
    assert len(ran.records) == answers, "what came is kept"
    more = "HARMONYLENS_TRACEBACK=1 shows the whole traceback."
    assert ran.err == f"harmonylens: {said.format(others=others, folder=others.parent, more=more)}\n"


def test_the_traceback_of_somebody_elses_sampler_is_shown_on_demand(
    run: Run, others: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARMONYLENS_TRACEBACK", "1")
    file = replay(others.parent / "a.jsonl", GOOD)
    ran = run("sample", PROMPT, "--replay", file, "--sampler", "others:Raises")
    assert ran.code == 2
    assert "Traceback (most recent call last)" in ran.err
    assert "return a / b" in ran.err
    assert ran.err.splitlines()[-1].endswith("in divide): mend it there.")


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
    assert b"interrupted: 1 of 1 answers, 1 of them cut." in err
    assert out.startswith(b"<|channel|>final<|message|>")
    assert b"strict parse" in out
    assert b"Traceback" not in out + err


class Holding:
    """Answers the first request, and begins to answer the others and never ends."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0
        self._good = saying(GOOD)

    def __call__(self, request: Request) -> None:
        from ..samplers.fake_server import event, piece

        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            with self._lock:
                self._count += 1
                number = self._count
            if number > 1:

                def chunks() -> Iterator[bytes]:
                    yield event(piece(encode(GOOD)[:3]))
                    request.until_left()

                request.stream(chunks(), ends=False)
                return
        self._good(request)


@pytest.mark.parametrize(
    ("number", "code", "form"),
    [(signal.SIGTERM, 143, "jsonl"), (signal.SIGTERM, 143, "text"), (signal.SIGINT, 130, "jsonl")],
)
def test_whatever_ends_a_run_what_came_is_printed(number: int, code: int, form: str) -> None:
    with FakeServer(Holding()) as server:
        process = subprocess.Popen(
            [*COMMAND, "-n", "2", "--parallel", "1", "--server", server.url, "--format", form],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            first = process.stdout.readline()  # printed: the second request is about to be sent
            process.send_signal(number)
            rest, err = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == code
    assert "of 2 answers, " in err
    assert "Traceback" not in err
    if form == "text":
        assert "answer 1 of 2" in first
        return
    records = [json.loads(line) for line in (first, *rest.splitlines())]
    assert [record["meta"]["ended_by"] for record in records][:1] == ["engine"]
    assert all(record["meta"]["ended_by"] == "cancelled" for record in records[1:])


def test_before_there_is_anything_to_tell_sigterm_just_ends_it(tmp_path: Path) -> None:
    """The server is silent from the beginning."""
    silent = threading.Event()

    def answer(request: Request) -> None:
        silent.set()
        request.until_left()

    with FakeServer(answer) as server:
        process = subprocess.Popen([*COMMAND, "--server", server.url], stderr=subprocess.PIPE, text=True)
        try:
            assert silent.wait(120)
            process.terminate()
            _, err = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
    assert (process.returncode, err) == (143, "harmonylens: terminated.\n")


def test_the_second_ctrl_c_does_not_wait_for_what_cannot_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(
        "import threading\n"
        "class Stuck:\n"
        "    name = 'stuck'\n"
        "    async def sample(self, *_, **__):\n"
        "        print('here', flush=True)\n"
        "        threading.Event().wait()\n"
    )
    file = replay(tmp_path / "a.jsonl", GOOD)
    process = subprocess.Popen(
        [*COMMAND, "--replay", str(file), "--sampler", "stuck:Stuck"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, err) == (130, "harmonylens: interrupted.\n")


def test_an_output_that_cannot_be_written_is_no_defect(tmp_path: Path) -> None:
    file = tmp_path / "six.jsonl"
    record = {"id": "a", "role": "assistant", "text": GOOD}
    file.write_text("\n".join(json.dumps(record) for _ in range(6)))
    command = [sys.executable, "-m", "inspector", "sample", "--replay", str(file), str(file), "--format", "jsonl"]
    with open("/dev/full", "w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (
        2,
        "harmonylens: the output cannot be written: No space left on device.\n",
    )


def test_nothing_of_an_engine_is_imported_for_another_command() -> None:
    code = (
        "import sys, inspector.cli; "
        "sys.exit(any(name in sys.modules for name in ('httpx', 'inspector.samplers', 'plotly', 'streamlit')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
