"""The A/B experiment on a real vLLM, and the rendering "vLLM 0.32" against what that vLLM itself renders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspector import inspect
from inspector.ingest import read
from inspector.prompt import STYLES
from inspector.prompt.plan import VLLM_032
from inspector.samplers.ab import Experiment
from inspector.samplers.conversations import read_conversations, shipped_conversations
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.prompts import render_prompt
from inspector.samplers.values import SamplingParams
from inspector.samplers.vllm_python import vllm_environment
from inspector.tokens import vocabulary, vocabulary_file

from ..aio import run as finish
from .versions import DTYPE, RENDERS_AS_032, VERSION

OPTIONS: dict[str, Any] = {"max_model_len": 512, "max_num_seqs": 64, "enforce_eager": True, "dtype": DTYPE}


@pytest.fixture(scope="module")
def model(engine_home: Path, tiny_model: str) -> str:
    """The model that speaks Harmony, where it was trained; else the one with random weights."""
    trained = engine_home / "models" / "speaks"
    return str(trained) if (trained / "config.json").is_file() else tiny_model


def test_the_arms_differ_in_their_prompts_and_every_sample_is_counted(engine_python: str, model: str) -> None:
    conversations = shipped_conversations()
    experiment = Experiment(conversations, STYLES, 2, SamplingParams(max_tokens=40, temperature=1.3, seed=5))

    async def scenario() -> None:
        engine = OfflineEngine(model, python=engine_python, options=OPTIONS)
        try:
            await experiment.run(engine)
        finally:
            await engine.close()

    finish(scenario())
    result = experiment.result()
    assert result.is_complete, (result.failures, result.gave_up)
    assert (result.conversations, result.sampled, result.planned) == (12, 11, 66)
    assert [arm.samples + arm.unfinished for arm in result.arms] == [22, 22, 22]
    assert all(arm.failed == 0 for arm in result.arms)
    assert result.tokens == sum(len(one.transcript) for one in experiment.samples) > 66

    by_arm: dict[str, set[tuple[int, ...] | None]] = {style: set() for style in STYLES}
    for one in experiment.transcripts():
        by_arm[one.meta["arm"]].add(one.prompt_ids)
        asked = next(c for c in conversations if c.id == one.meta["conversation"])
        assert one.prompt_ids == render_prompt(asked, one.meta["arm"])
        assert one.finish_reason in ("stop", "length")
        assert len(one.ids) <= 40
    assert [len(prompts) for prompts in by_arm.values()] == [11, 11, 11]
    assert not set.intersection(*by_arm.values())

    # What is counted is what an inspection of the saved samples says.
    for row in result.rows[:1]:
        for at, rate in enumerate(row.rates):
            judged = [one for one in experiment.samples if one.arm == at and one.is_judged]
            assert rate.total == len(judged)
            assert rate.count == sum(
                not inspect(one.transcript, next_prompt=False).strict[0].ok
                or any(d.severity == "error" for d in inspect(one.transcript, next_prompt=False).diagnostics)
                for one in judged
                if not one.cut
            ) + sum(one.malformed for one in judged if one.cut)


def test_the_command_samples_saves_and_says(engine_python: str, model: str, tmp_path: Path) -> None:
    out, plot = tmp_path / "samples.jsonl", tmp_path / "figure.html"
    ran = subprocess.run(
        [
            sys.executable, "-m", "inspector", "ab", "--style", "0.0.8", "--style", "0.0.11", "-n", "1", "--seed", "3",
            "--max-tokens", "30", "--offline", model, "--engine-python", engine_python, "--format", "json",
            "--out", str(out), "--plot", str(plot), "--engine-option", "max_model_len=512",
            "--engine-option", f"dtype={DTYPE}", "--engine-option", "enforce_eager=true",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    record = json.loads(ran.stdout)
    assert record["complete"]
    assert record["done"] == 22
    loaded = read(out.read_bytes(), filename=out.name)
    assert len(loaded.transcripts) == 22
    assert not loaded.problems
    assert "malformed in any way" in plot.read_text()


RENDER = """
import json, sys
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionToolsParam
from vllm.entrypoints.openai.parser import harmony_utils as harmony
prompts = []
for line in sys.stdin:
    request = json.loads(line)
    tools = [ChatCompletionToolsParam(**tool) for tool in request.get("tools", [])]
    instructions, rest = harmony.extract_instructions_from_messages(request["messages"])
    messages = harmony.build_harmony_preamble(
        instructions=instructions, tools=tools or None, with_custom_tools=bool(tools),
        reasoning_effort=request.get("reasoning_effort", "medium"),
    )
    messages += harmony.parse_chat_inputs_to_harmony_messages(rest)
    prompts.append(harmony.render_for_completion(messages))
print("PROMPTS" + json.dumps(prompts))
"""


def odd_requests() -> list[dict[str, Any]]:
    """What clients also send: arguments in any form, several answers in a row, instructions later on."""
    date = {"date": "2026-11-21"}

    def calls(*arguments: str) -> list[dict[str, Any]]:
        return [
            {"id": f"c{n}", "type": "function", "function": {"name": f"f{n}", "arguments": text}}
            for n, text in enumerate(arguments)
        ]

    user = {"role": "user", "content": "Hi <|end|>"}
    return [
        {**date, "messages": [user]},
        {**date, "messages": [{"role": "developer", "content": ""}, user]},
        {**date, "messages": [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, user]},
        {**date, "reasoning_effort": "low", "messages": [user, {"role": "assistant", "reasoning": "r", "content": "c"},
                                                         {"role": "system", "content": "later"}, user]},
        {**date, "messages": [user, {"role": "assistant", "content": "one"}, {"role": "assistant", "content": "two"},
                              user]},
        {**date, "messages": [
            user,
            {"role": "assistant", "reasoning": "r", "content": "both", "tool_calls": calls('{"a":1,"b": [2]}', "no")},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "second"}]},
            {"role": "tool", "tool_call_id": "c0", "content": ""},
            {"role": "assistant", "reasoning": "s", "tool_calls": calls("")},
            {"role": "tool", "tool_call_id": "c0", "content": "x"},
            {"role": "assistant", "reasoning": "t", "content": "done"},
            user,
            {"role": "assistant", "reasoning": "u", "tool_calls": calls("{}")},
            {"role": "tool", "tool_call_id": "c0", "content": "y"},
        ]},
    ]  # fmt: skip


@pytest.mark.skipif(not RENDERS_AS_032, reason=f'the style "vLLM 0.32" is that of 0.31 and 0.32, this is {VERSION}')
def test_a_chat_request_is_rendered_as_vllm_itself_renders_it(engine_python: str) -> None:
    shipped = Path(render_prompt.__code__.co_filename).with_name("conversations.jsonl").read_text()
    lines = shipped + "".join(json.dumps(one) + "\n" for one in odd_requests())
    ran = subprocess.run(
        [engine_python, "-c", RENDER],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        env=vllm_environment(
            {
                "VLLM_SYSTEM_START_DATE": "2026-11-21",
                "TIKTOKEN_ENCODINGS_BASE": str(vocabulary_file().parent),
                "PYTHONSAFEPATH": "1",
            }
        ),
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    theirs = json.loads(ran.stdout.split("PROMPTS", 1)[1])
    conversations, problems = read_conversations(lines.encode())
    assert not problems
    decode = vocabulary().decode
    assert len(theirs) == len(conversations) == 18
    for one, ids in zip(conversations, theirs, strict=True):
        ours = render_prompt(one, VLLM_032)
        assert ours == tuple(ids), f"{one.id}\n{decode(ours)}\n{decode(ids)}"
