"""``harmonylens ab``: the table, the record, the samples, the figure, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers.conversations import shipped_conversations
from inspector.samplers.prompts import render_prompt
from inspector.tokens import vocabulary

from ..samplers.fake_server import FakeServer, LikeVllm, Request

encode = vocabulary().encode_markers
GOOD = "<|channel|>final<|message|>Hello.<|return|>"
DOUBLE = "<|channel|>analysis<|channel|>commentary<|message|>I will.<|end|>"
OLD, NEW = "openai-harmony 0.0.8", "oss-harmony 0.0.11"

Run = Callable[..., Any]


def conversation(name: str, called: bool = True) -> str:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "4"}]
    messages = [{"role": "user", "content": name}, *(history if called else [])]
    return json.dumps({"id": name, "date": "2026-01-02", "messages": messages}) + "\n"


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    path.write_text(conversation("one") + conversation("two") + conversation("plain", called=False) + "{no\n")
    return path


def says(prompt: list[int]) -> list[int]:
    """Slips behind the new order of headers."""
    slips = "assistant<|channel|>commentary to=functions.f" in vocabulary().decode(prompt)
    return encode(DOUBLE if slips else GOOD)


def test_the_table_tells_the_arms_apart(run: Run, asked: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "samples.jsonl", tmp_path / "figure.html"
    with FakeServer(LikeVllm(says)) as server:
        ran = run("ab", asked, "--styles", OLD, "--styles", "0.0.11", "-n", 5, "--server", server.url, "--seed", 9,
                  "--temperature", 1.3, "--out", out, "--plot", plot)  # fmt: skip
        seeds = [seen[3]["seed"] for seen in server.seen if seen[1] == "/v1/completions" and "seed" in seen[3]]
    assert ran.code == 2, "a line of the file could not be used"
    assert "asked.jsonl line 4: this is no JSON" in ran.err
    lines = ran.out.splitlines()
    assert lines[0].startswith("2 conversations x 2 styles x 5 samples from vLLM 0.32.0 at 127.0.0.1")
    assert lines[0].endswith("temperature 1.3, max_tokens 512, seed 9")
    assert lines[1].startswith("20 of 20 answers, ")
    assert "1 conversation not sampled: rendered alike in every style, no arm can differ (plain)" in ran.out
    at = lines.index("HS201 duplicate-channel (error)")
    assert "0 of 10" in lines[at + 1]
    assert "100.0%" in lines[at + 2]
    assert "10 of 10" in lines[at + 2]
    assert lines[at + 3].startswith("  B - A  +100.0 points  [+60.8, +100.0]  p = 1e-05 (1e-05)")
    assert sorted(seeds) == sorted([*range(9, 19)] * 2)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(records) == 20
    assert {record["meta"]["arm"] for record in records if record["meta"]["malformed"]} == {NEW}
    scanned = run("scan", out, "--summary")
    assert "20 transcripts, 10 without findings" in scanned.out
    page = plot.read_text()
    assert "HS201 duplicate-channel" in page
    assert "http://" not in page.split("<script>", 1)[0]


def test_saved_samples_replayed_give_the_same_result(run: Run, asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples.jsonl"
    options = ("-n", 4, "--seed", 3, "--format", "json")
    with FakeServer(LikeVllm(says)) as server:
        first = run("ab", asked, *options, "--server", server.url, "--out", out).records[0]
    second = run("ab", asked, *options, "--replay", out).records[0]
    for record in (first, second):
        del record["engine"], record["seconds"]
    assert first == second
    assert first["complete"]
    assert first["same"] == ["plain"]
    assert [arm["style"] for arm in first["arms"]] == [OLD, NEW]
    assert first["rows"][0]["rates"][1]["count"] == 8


def test_without_a_file_the_conversations_that_ship_are_used(run: Run) -> None:
    with FakeServer(LikeVllm(lambda prompt: encode(GOOD))) as server:
        ran = run("ab", "-n", 1, "--server", server.url, "--format", "json")
        prompts = [tuple(seen[3]["prompt"]) for seen in server.seen if seen[1] == "/v1/completions"]
    assert ran.code == 0, ran.err
    shipped = shipped_conversations()
    assert ran.records[0]["conversations"] == len(shipped)
    expected = {render_prompt(one, style) for one in shipped[:-1] for style in (OLD, NEW)}
    assert expected <= set(prompts)


def test_transcripts_are_conversations_too(run: Run, tmp_path: Path) -> None:
    prompt = render_prompt(json.loads(conversation("one")), OLD)
    source = tmp_path / "rollouts.jsonl"
    source.write_text(
        json.dumps({"id": "r", "role": "assistant", "token_ids": encode(GOOD), "prompt_token_ids": prompt})
    )
    with FakeServer(LikeVllm(says)) as server:
        ran = run("ab", source, "-n", 2, "--server", server.url, "--format", "json")
    assert [rate["count"] for rate in ran.records[0]["rows"][0]["rates"]] == [0, 2]


def test_an_engine_that_fails_is_said_and_has_exit_code_2(run: Run, asked: Path) -> None:
    def answer(request: Request) -> None:
        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            request.send(500, {"error": {"message": "out of luck"}})
        else:
            good(request)

    good = LikeVllm(says)
    with FakeServer(answer) as server:
        ran = run("ab", asked, "-n", 50, "--server", server.url)
    assert ran.code == 2
    assert "out of luck" in ran.out
    assert "failed" in ran.out
    assert "The engine failed 10 times in a row" in ran.err
    assert "malformed" not in ran.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--styles", NEW], "two styles"),
        (["--styles", NEW, "--styles", "x"], "expected one of openai-harmony 0.0.8"),
        ([], "Name one engine"),
        (["--out", "{here}"], "exists: name another file, or pass --force"),
        (["--plot", "{here}"], "exists: name another file, or pass --force"),
        (["--out", "/does/not/exist/x.jsonl"], "cannot be written"),
        (["--top-p", "2"], "top_p is 2.0"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, tmp_path: Path, args: list[str], said: str) -> None:
    file, here = tmp_path / "c.jsonl", tmp_path / "here"
    file.write_text(conversation("one"))
    here.write_text("mine")
    ran = run("ab", file, *(arg.format(here=here) for arg in args))
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert here.read_text() == "mine"


def test_conversations_that_cannot_differ(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(conversation("plain", called=False))
    ran = run("ab", file, "--server", "http://127.0.0.1:1")
    assert ran.code == 2
    assert "render the only conversation alike" in ran.err
    file.write_text("{}")
    assert "holds no conversation that can be continued" in run("ab", file).err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_it_is_told_what_came(asked: Path, tmp_path: Path, number: int, code: int) -> None:
    """After six answers the server keeps silent; the run is interrupted, and they are told and kept."""
    lock, given, silent = threading.Lock(), [0], threading.Event()

    def answer(request: Request) -> None:
        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            with lock:
                given[0] += 1
                count = given[0]
            if count > 6:
                silent.set()
                request.until_left()
                return
        good(request)

    good = LikeVllm(says)
    out = tmp_path / "samples.jsonl"
    with FakeServer(answer) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "inspector", "ab", str(asked), "-n", "9", "--parallel", "1", "--server", server.url,
             "--out", str(out)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert silent.wait(120)
            process.send_signal(number)
            told, err = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
        assert server.left.wait(60), "the request was not taken back"
    assert process.returncode == code
    assert "interrupted after 6 of 36 samples." in err
    assert "Traceback" not in err
    assert "A  openai-harmony 0.0.8  3 samples" in told
    assert len(out.read_text().splitlines()) == 6
