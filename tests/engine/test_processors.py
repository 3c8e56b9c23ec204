"""The logits processors in the real vLLM: what is forced, what the guard blocks, results that are put in."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.harmony.legal import Walk
from inspector.samplers.compare import compare_strategies, traps
from inspector.samplers.guarding import LOG, judge, params, rules_for, watched
from inspector.samplers.injected import InjectingToolLoop
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.sampler import OneShot
from inspector.samplers.values import Rollout, SamplingParams
from inspector.samplers.vllm_python import vllm_environment
from inspector.tokens import CHANNEL, MESSAGE, RETURN, vocabulary

from ..aio import run as finish
from .versions import HAS_V2, MIXED_SEEDS

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant")
CALLED = encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
RESULT = encode("<|start|>functions.multiply<|channel|>commentary to=assistant<|message|>906<|end|><|start|>assistant")
SAID = encode("<|channel|>final<|message|>906.<|return|>")
TOOLS = ("functions.ls", "functions.add")
PROCESSORS = [
    f"inspector.vllm_side.{name}"
    # The later one has the last word: results win over the script, and the guard judges what the script leaves.
    for name in ("scripted:Scripted", "guard:Guard", "injecting:InjectingLogitsProcessor")
]
OPTIONS = {
    "max_model_len": 512,
    "max_num_seqs": 4,
    "enforce_eager": True,
    "logits_processors": PROCESSORS,
}


@pytest.fixture(scope="module")
def guard_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guard") / "guard.jsonl"


@pytest.fixture(scope="module")
def engine(guard_log: Path) -> Iterator[OfflineEngine]:
    folder = Path(os.environ["HARMONYLENS_ENGINE"])
    made = OfflineEngine(str(folder / "models" / "tiny"), python=str(folder / "bin" / "python"), options=OPTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOG, str(guard_log))
        finish(made.start())
    yield made
    finish(made.close())


def said(engine: OfflineEngine, *asked: SamplingParams) -> list[Rollout]:
    """One answer for each set of parameters, all at once."""

    async def one(given: SamplingParams) -> Rollout:
        (rollout,) = await OneShot().sample(engine, [PROMPT], given)
        return rollout

    async def all_of_them() -> list[Rollout]:
        return list(await asyncio.gather(*(one(given) for given in asked)))

    return finish(all_of_them())


def scripted(ids: list[int], **more: Any) -> SamplingParams:
    extra = {"harmonylens_script": ids, **more.pop("extra", {})}
    return SamplingParams(**{"max_tokens": len(ids), "logprobs": 2, **more}, extra=extra)


def test_what_is_scripted_is_said_whatever_else_is_in_the_batch(engine: OfflineEngine) -> None:
    """More requests than rows, of different lengths: rows are moved, swapped and given to others all the time."""
    scripts = [encode(f"<|channel|>final<|message|>{'one more, ' * n}and {n}.<|return|>") for n in range(14)]
    free = SamplingParams(max_tokens=25, seed=1, ignore_eos=True)
    seeds: dict[str, Any] = {} if MIXED_SEEDS else {"seed": 2}
    alone, *rollouts = said(engine, free, *(scripted(ids, **seeds) for ids in scripts))
    assert [list(r.ids) for r in rollouts] == scripts
    assert {r.finish_reason for r in rollouts} == {"stop"}
    assert said(engine, free)[0].ids == alone.ids


def test_behind_the_script_the_model_is_free(engine: OfflineEngine) -> None:
    first, second = said(engine, *(scripted([CHANNEL], max_tokens=12, seed=n, ignore_eos=True) for n in (1, 2)))
    assert first.ids[0] == second.ids[0] == CHANNEL
    assert first.ids[1:] != second.ids[1:]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (SamplingParams(extra={"harmonylens_script": "x"}), "expected a list of token ids, 0 to 201,088"),
        (SamplingParams(extra={"harmonylens_script": [-1]}), "expected a list of token ids, 0 to 201,088"),
        (SamplingParams(extra={"harmonylens_guard": "strict"}), "expected one of off, watch, on"),
        (SamplingParams(extra={"harmonylens_inject": "json"}), "expected one of harmony, function-tag"),
        (SamplingParams(extra={"harmonylens_inject": "harmony"}), "without ignore_eos the model's own configuration"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(
    engine: OfflineEngine, given: SamplingParams, sentence: str
) -> None:
    (rollout,) = said(engine, given)
    assert rollout.ended_by == "failed"
    assert sentence in rollout.error


@pytest.fixture(scope="module")
def by_mode(engine: OfflineEngine) -> dict[str, list[Rollout]]:
    """Sixteen answers of a model that knows nothing, for each mode of the guard."""
    given = [SamplingParams(max_tokens=40, seed=n, logprobs=20) for n in range(16)]
    return {
        mode: said(engine, *(params(one, mode, TOOLS, id=f"{mode} {n}") for n, one in enumerate(given)))
        for mode in ("off", "watch", "on")
    }


def test_with_the_guard_every_header_is_legal_and_without_it_none(by_mode: dict[str, list[Rollout]]) -> None:
    off, on = judge(by_mode["off"], TOOLS), judge(by_mode["on"], TOOLS)
    assert (off.illegal.count, off.malformed.count, off.failed) == (16, 16, 0)
    assert (on.illegal.count, on.malformed.count, on.failed) == (0, 0, 0)
    assert on.illegal.total + on.unfinished == 16
    assert on.illegal.total >= 8
    for rollout in by_mode["on"]:
        assert Walk(rollout.ids, "assistant", rules_for(TOOLS)).illegal == []
    assert len({rollout.ids for rollout in by_mode["on"]}) > 8


def test_to_watch_changes_nothing(by_mode: dict[str, list[Rollout]]) -> None:
    assert [r.ids for r in by_mode["watch"]] == [r.ids for r in by_mode["off"]]


def test_the_log_says_what_the_client_can_say_too(by_mode: dict[str, list[Rollout]], guard_log: Path) -> None:
    lines = [json.loads(line) for line in guard_log.read_text().splitlines()]
    assert not [line for line in lines if line["id"].startswith("off")]
    for number, rollout in enumerate(by_mode["watch"]):
        told = {line["position"]: line for line in lines if line["id"] == f"watch {number}" and not line["passed"]}
        blocked = watched(rollout, TOOLS)
        assert blocked[0].position == 0
        assert {b.position for b in blocked} <= set(told)
        for b in blocked:
            # The client knows of the twenty likeliest tokens and the sampled one only.
            assert b.mass is not None
            assert b.unknown is not None
            assert b.mass - 1e-3 <= told[b.position]["mass"] <= b.mass + b.unknown + 1e-3
    # One line for each place, also where a prompt is read in pieces.
    places = [(line["id"], line["position"]) for line in lines if line["id"]]
    assert len(places) == len(set(places))


def test_where_only_an_illegal_token_is_left_it_passes_and_the_log_says_so(
    engine: OfflineEngine, guard_log: Path
) -> None:
    ids = encode("<|channel|>final<|channel|>x<|message|>Hi.<|message|>.<|end|>")
    given = scripted(ids, extra={"harmonylens_guard": "on", "harmonylens_guard_id": "forced"})
    (rollout,) = said(engine, given)
    assert list(rollout.ids) == ids
    lines = [json.loads(line) for line in guard_log.read_text().splitlines()]
    assert [(line["position"], line["token"], line["passed"]) for line in lines if line["id"] == "forced"] == [
        (2, CHANNEL, "no legal token is left"),
        (3, None, "the header went astray"),
        (ids.index(MESSAGE, 6), MESSAGE, "no legal token is left"),
    ]


def test_the_guard_follows_a_prompt_that_ends_in_a_header(engine: OfflineEngine) -> None:
    prompt = [*PROMPT, *encode("<|channel|>commentary to=functions.")]
    (rollout,) = finish(
        OneShot().sample(engine, [prompt], params(SamplingParams(max_tokens=12, seed=3), "on", ["functions.ls"]))
    )
    assert vocabulary().decode(rollout.ids).startswith("ls")


def injected(engine: OfflineEngine, scripts: list[list[int]], format: str, max_turns: int = 8) -> list[Rollout]:
    sampler = InjectingToolLoop(format=format, max_turns=max_turns)

    async def all_of_them() -> list[Rollout]:
        given = [SamplingParams(max_tokens=len(ids), logprobs=1, extra={"harmonylens_script": ids}) for ids in scripts]
        found = await asyncio.gather(*(sampler.sample(engine, [PROMPT], one) for one in given))
        return [rollout for (rollout,) in found]

    return finish(all_of_them())


def test_results_are_put_behind_harmony_calls_in_a_batch(engine: OfflineEngine) -> None:
    # Where a result comes the script's own tokens are of no account.
    room = [0] * len(RESULT)
    once, twice = [*CALLED, *room, *SAID], [*CALLED, *room, *CALLED, *room, *SAID]
    never = SAID
    rollouts = injected(engine, [once, twice, never] * 3, "harmony")
    for number, rollout in enumerate(rollouts):
        calls = (1, 2, 0)[number % 3]
        assert rollout.error == ""
        assert rollout.ids == (*[*CALLED, *RESULT] * calls, *SAID)
        assert rollout.origins == (
            *(("sampled",) * len(CALLED) + ("injected",) * len(RESULT)) * calls,
            *("sampled",) * len(SAID),
        )
        assert [turn.tool for turn in rollout.turns] == ["functions.multiply"] * calls + [""]
        assert (rollout.finish_reason, rollout.stop_reason) == ("stop", RETURN)
        # vLLM reports what the model thought before any processor: not of a token that it would have chosen.
        assert all(
            logprob is not None and logprob < -5
            for logprob, origin in zip(rollout.logprobs, rollout.origins, strict=True)
            if origin == "injected"
        )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("3 times 302 is <function> multiply(3, 302) </function>", "906"),
        ("3 and 302 is <function> add(3, 302) </function>", "305"),
    ],
)
def test_the_two_examples_of_the_founding_proposal(engine: OfflineEngine, text: str, result: str) -> None:
    told = encode(f" <result> {result} </result>")
    end = encode(", that is all.<|return|>")
    (rollout,) = injected(engine, [[*encode(text), *[0] * len(told), *end]], "function-tag")
    assert vocabulary().decode(rollout.ids) == f"{text} <result> {result} </result>, that is all.<|return|>"
    assert [t for t, o in zip(rollout.ids, rollout.origins, strict=True) if o == "injected"] == told
    assert rollout.turns[0].error == ""


def test_a_tool_that_fails_is_told_to_the_model_and_the_last_turn_ends_it(engine: OfflineEngine) -> None:
    failing = encode('<|channel|>commentary to=functions.fail <|constrain|>json<|message|>{"message": "no"}<|call|>')
    (rollout,) = injected(engine, [[*failing, *[0] * 60]], "harmony")
    assert rollout.turns[0].error == "RuntimeError: no"
    (rollout,) = injected(engine, [[*CALLED, *SAID]], "harmony", max_turns=1)
    assert rollout.ids == (*CALLED, RETURN)
    assert (rollout.ended_by, rollout.origins[-1]) == ("max_turns", "injected")


def test_both_strategies_side_by_side(engine: OfflineEngine) -> None:
    given = SamplingParams(max_tokens=len(CALLED) + len(RESULT), temperature=0, extra={"harmonylens_script": CALLED})
    (pair,) = finish(compare_strategies(engine, [PROMPT], given, max_turns=2))
    # The script begins anew with every request of the loop, so it calls twice.
    assert pair.loop.rollout.ids == (*CALLED, *RESULT, *CALLED)
    assert pair.injecting.rollout.ids[: len(CALLED) + len(RESULT)] == (*CALLED, *RESULT)
    assert pair.parts_at == len(CALLED) + len(RESULT)
    assert pair.loop.injected_logprobs == (None,) * len(RESULT)
    assert None not in pair.injecting.injected_logprobs
    assert {trap.name for trap in traps(given, pairs=[pair], options=OPTIONS)} >= {"eos-list", "loss-mask", "logprobs"}


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """What the processors do with batches made by hand, in vLLM's own Python."""
    folder = Path(os.environ["HARMONYLENS_ENGINE"])
    ran = subprocess.run(
        [folder / "bin" / "python", Path(__file__).with_name("processors_alone.py")],
        env=vllm_environment({"PYTHONSAFEPATH": "1"}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_model_runner_v2_is_refused_with_the_setting(alone: dict[str, Any]) -> None:
    assert alone["has_v2"] == HAS_V2
    assert alone["v2"] == [True] * 3  # or its loader would refuse them before they can say why
    assert set(alone["refusals"]) == {"Scripted", "Guard", "InjectingLogitsProcessor"}
    for name, sentence in alone["refusals"].items():
        assert sentence.startswith(f"{name} works with vLLM's Model Runner V1 only")
        assert "VLLM_USE_V2_MODEL_RUNNER=0" in sentence


def test_a_placeholder_is_never_taken_for_a_token(alone: dict[str, Any]) -> None:
    assert alone["placeholders"]["Scripted"] == "6"  # it counts tokens, and reads none
    for name in ("Guard", "InjectingLogitsProcessor"):
        assert "async_scheduling=False" in alone["placeholders"][name]


def test_states_go_with_their_requests(alone: dict[str, Any]) -> None:
    assert alone["moves"] == [[10, 20, 30], [31, 21, 11], [21, None, 11], [None, None, 11]]


def test_a_request_that_is_preempted_gets_the_same_result_and_no_tool_runs_twice(alone: dict[str, Any]) -> None:
    assert alone["preempted"]["ran"] == 2  # one for each of two requests
    assert alone["preempted"]["same"]
    # The calls of the two requests run side by side: either may come first.
    assert re.search(r"906, run number [12]<", alone["preempted"]["said"])
    assert alone["preempted"]["said"].endswith("<|end|><|start|>assistant")
