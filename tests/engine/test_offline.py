"""The offline engine on a real vLLM: what is sampled, how it ends, what is refused, cancelling, crashing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers.engine import EngineError, EngineGone
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.sampler import OneShot
from inspector.samplers.tool_loop import ToolLoop
from inspector.samplers.values import Delta, Rollout, SamplingParams
from inspector.samplers.vllm_python import vllm_environment
from inspector.tokens import CALL, END, RETURN, vocabulary

from ..aio import run as finish
from .versions import DTYPE, VERSION

encode = vocabulary().encode_markers
PROMPT = tuple(encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant"))
SAID = tuple(encode("<|channel|>final<|message|>It is 906, done with it."))
CALLED = tuple(
    encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
)
OPTIONS: dict[str, Any] = {"max_model_len": 512, "max_num_seqs": 64, "enforce_eager": True, "dtype": DTYPE}
SCRIPTED = "inspector.vllm_side.scripted:Scripted"


@pytest.fixture(scope="session")
def engine(engine_python: str, tiny_model: str) -> Iterator[OfflineEngine]:
    made = OfflineEngine(tiny_model, python=engine_python, options={**OPTIONS, "logits_processors": [SCRIPTED]})
    told: list[str] = []
    finish(made.start(told.append))
    assert told[0] == "Importing vLLM."
    assert any("loads the model" in line for line in told)
    try:
        yield made
    finally:
        finish(made.close())


def says(ids: Sequence[int], **params: Any) -> SamplingParams:
    """Parameters with which the model says ``ids`` first."""
    return SamplingParams(**{"max_tokens": 60, **params}, extra={"harmonylens_script": list(ids)})


async def pieces(engine: OfflineEngine, params: SamplingParams, prompt: Sequence[int] = PROMPT) -> list[Delta]:
    return [piece async for piece in engine.stream(prompt, params)]


def one(engine: OfflineEngine, params: SamplingParams, prompt: Sequence[int] = PROMPT) -> Rollout:
    (rollout,) = finish(OneShot().sample(engine, [prompt], params))
    return rollout


def test_it_is_told_what_was_loaded(engine: OfflineEngine, tiny_model: str) -> None:
    loaded = engine.loaded
    assert loaded is not None
    assert (loaded.model, loaded.longest, loaded.rows) == (tiny_model, 512, 201_088)
    assert engine.name == f"vLLM {loaded.version} in process, tiny"
    # What vLLM prints is in the log, and not between the messages.
    assert "GptOssForCausalLM" in engine.log


def test_every_token_comes_with_its_logprob_and_the_likeliest(engine: OfflineEngine) -> None:
    rollout = one(engine, SamplingParams(max_tokens=12, seed=3, ignore_eos=True, logprobs=3))
    assert len(rollout.ids) == len(rollout.logprobs) == len(rollout.top) == 12
    for token, logprob, top in zip(rollout.ids, rollout.logprobs, rollout.top, strict=True):
        assert logprob is not None
        # The three likeliest, and the sampled one behind them when it is none of them.
        assert len(top) == 3 + (token not in [id for id, _ in top[:3]])
        assert dict(top)[token] == logprob
        assert all(left[1] >= right[1] for left, right in pairwise(top))
        assert 0 < sum(exp(value) for _, value in top) <= 1.000_1
    greedy = one(engine, SamplingParams(max_tokens=5, temperature=0, ignore_eos=True, logprobs=2))
    assert [top[0][0] for top in greedy.top] == list(greedy.ids)
    own_only = one(engine, SamplingParams(max_tokens=5, temperature=0, ignore_eos=True, logprobs=0))
    assert own_only.logprobs == pytest.approx(greedy.logprobs)
    none = one(engine, SamplingParams(max_tokens=5, temperature=0, ignore_eos=True, logprobs=None))
    assert (none.ids, none.logprobs, none.top) == (greedy.ids, (), ())


_PLAIN = """
import json, sys
from vllm import LLM, SamplingParams
asked = json.load(sys.stdin)
llm = LLM(asked["model"], **asked["options"])
said = []
for params in asked["params"]:
    out = llm.generate({"prompt_token_ids": asked["prompt"]}, SamplingParams(**params), use_tqdm=False)[0].outputs[0]
    own = [place[id].logprob for id, place in zip(out.token_ids, out.logprobs)]
    said.append([list(out.token_ids), own, out.finish_reason, out.stop_reason])
open(asked["answer"], "w").write(json.dumps(said))
"""


def test_what_is_streamed_is_what_vllm_says_by_itself(
    engine: OfflineEngine, engine_python: str, tiny_model: str, tmp_path: Path
) -> None:
    """The same seeds and temperatures through ``vllm.LLM.generate``, which answers in one piece."""
    params = [
        {"max_tokens": 24, "temperature": temperature, "seed": 11, "logprobs": 2, "ignore_eos": True}
        for temperature in (0.0, 0.7, 1.0, 1.5)
    ]
    answer = tmp_path / "answer.json"
    # Without a tokenizer it starts much sooner.
    options = {**OPTIONS, "skip_tokenizer_init": True}
    asked = {"model": tiny_model, "options": options, "prompt": PROMPT, "params": params, "answer": str(answer)}
    environment = vllm_environment({"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}, python=engine_python)
    subprocess.run([engine_python, "-c", _PLAIN], input=json.dumps(asked), text=True, env=environment, check=True)
    for given, (ids, own, finish_reason, stop_reason) in zip(params, json.loads(answer.read_text()), strict=True):
        streamed = finish(pieces(engine, SamplingParams(**given)))
        assert [id for piece in streamed for id in piece.ids] == ids
        assert [value for piece in streamed for value in piece.logprobs] == pytest.approx(own, abs=1e-4)
        assert (streamed[-1].finish_reason, streamed[-1].stop_reason) == (finish_reason, stop_reason)
        assert len(streamed) > 1


@pytest.mark.parametrize(
    ("ids", "params", "count", "finish_reason", "stop_reason"),
    [
        (SAID, {"max_tokens": 4}, 4, "length", None),
        (CALLED, {}, len(CALLED), "stop", CALL),
        ((*SAID, RETURN), {}, len(SAID) + 1, "stop", None),
        ((*SAID, RETURN), {"stop_token_ids": (RETURN,)}, len(SAID) + 1, "stop", None),
        ((*SAID, RETURN), {"ignore_eos": True, "stop_token_ids": (RETURN,)}, len(SAID) + 1, "stop", RETURN),
        ((*CALLED, *SAID, END), {"ignore_eos": True, "stop_token_ids": (END,)}, None, "stop", END),
        ((*SAID, RETURN), {"max_tokens": len(SAID) + 1}, len(SAID) + 1, "stop", None),
        ((*SAID, RETURN), {"stop": (", done",)}, SAID.index(encode(" done")[0]) + 1, "stop", ", done"),
        (CALLED, {"ignore_eos": True, "stop": ("<|call|>",)}, len(CALLED), "stop", "<|call|>"),
    ],
)
def test_how_an_answer_ends(
    engine: OfflineEngine,
    ids: tuple[int, ...],
    params: dict[str, Any],
    count: int | None,
    finish_reason: str,
    stop_reason: str | int | None,
) -> None:
    """vLLM's rules: the primary end token leaves no stop reason, the others and strings are named; all ids come."""
    rollout = one(engine, says(ids, **params))
    assert (rollout.finish_reason, rollout.stop_reason) == (finish_reason, stop_reason)
    assert rollout.ids == ids[:count]


def test_seeds(engine: OfflineEngine) -> None:
    """A seed gives the same answer alone and among others, another seed another one."""
    params = SamplingParams(max_tokens=16, seed=7, ignore_eos=True, logprobs=None)
    alone = one(engine, params).ids
    among = finish(OneShot().sample(engine, [PROMPT] * 6, params))
    assert among[0].ids == alone
    assert len({rollout.ids for rollout in among}) == 6
    assert one(engine, params).ids == alone


def test_seeds_where_the_prompts_do_not_fit_into_one_step(engine: OfflineEngine) -> None:
    """More tokens of prompts than vLLM reads at once: one cut in two would end the CPU build's engine."""
    prompts = [(*range(500), number) for number in range(12)]
    rollouts = finish(OneShot().sample(engine, prompts, SamplingParams(max_tokens=3, seed=7, logprobs=None)))
    assert [rollout.error for rollout in rollouts] == [""] * 12


def test_sixty_four_at_once_lose_nothing(engine: OfflineEngine) -> None:
    """Each says its own tokens: what arrives is what it was made to say, in order, with a logprob for each."""
    scripts = [tuple(1000 + 64 * place + number for place in range(20 + number % 7)) for number in range(64)]

    class Each:
        """The engine, with a script for each prompt."""

        name = engine.name

        def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> Any:
            script = scripts[prompt_ids[-1] - 500]
            return engine.stream(prompt_ids, says(script, max_tokens=len(script), logprobs=1))

        async def close(self) -> None:
            await engine.close()

    prompts = [(*PROMPT, 500 + number) for number in range(64)]
    rollouts = finish(OneShot().sample(Each(), prompts, SamplingParams()))
    assert [rollout.ids for rollout in rollouts] == scripts
    assert {rollout.finish_reason for rollout in rollouts} == {"length"}
    assert all(len(rollout.logprobs) == len(rollout.top) == len(rollout.ids) for rollout in rollouts)
    assert finish(engine.running()) == 0


def test_the_tool_loop_goes_on_from_the_tool_s_result(engine: OfflineEngine) -> None:
    (rollout,) = finish(ToolLoop(max_turns=2).sample(engine, [PROMPT], says(CALLED)))
    turn = rollout.turns[0]
    assert (turn.tool, turn.error, turn.finish_reason, turn.stop_reason) == ("functions.multiply", "", "stop", CALL)
    assert rollout.ids[: turn.end] == CALLED
    assert "906" in vocabulary().decode(rollout.ids[turn.end : turn.end + turn.injected])
    assert rollout.ids[rollout.turns[1].start :] == CALLED
    assert rollout.ended_by == "max_turns"


@pytest.mark.parametrize(
    ("prompt", "params", "sentence"),
    [
        (PROMPT, SamplingParams(extra={"harmonylens_script": "no list"}), "harmonylens_script"),
        ([1] * 600, SamplingParams(), "maximum context length is 512 tokens"),
        ([], SamplingParams(), "empty"),
        ([5, 201_088], SamplingParams(), "token 201088 of the prompt is not in the model's vocabulary of 201,088"),
        ([-1], SamplingParams(), "token -1"),
    ],
)
def test_what_vllm_refuses_is_said_and_harms_nobody(
    engine: OfflineEngine, prompt: Sequence[int], params: SamplingParams, sentence: str
) -> None:
    with pytest.raises(EngineError) as raised:
        finish(pieces(engine, params, prompt))
    assert not isinstance(raised.value, EngineGone)
    assert str(raised.value).startswith(f"{engine.name} refused the request: ")
    assert sentence in str(raised.value)
    assert one(engine, says(SAID, max_tokens=3)).ids == SAID[:3]


@pytest.mark.parametrize(
    ("params", "since", "sentence"),
    [
        (SamplingParams(temperature=50.0, max_tokens=2), (0, 24), "temperature"),
        (SamplingParams(stop_token_ids=(10**9,), max_tokens=2), (0, 29), "out-of-vocab"),
    ],
)
def test_what_vllm_refuses_from_some_release_on(
    engine: OfflineEngine, params: SamplingParams, since: tuple[int, int], sentence: str
) -> None:
    """Before, it takes them as they are, without harm."""
    rollout = one(engine, params)
    if since <= VERSION:
        assert f"{engine.name} refused the request: " in rollout.error
        assert sentence in rollout.error
    else:
        assert (rollout.error, len(rollout.ids), rollout.finish_reason) == ("", 2, "length")


def test_closing_an_answer_makes_the_engine_drop_the_request(engine: OfflineEngine) -> None:
    async def use() -> tuple[int, int]:
        params = SamplingParams(max_tokens=400, ignore_eos=True, logprobs=None)
        async with aclosing(engine.stream(PROMPT, params)) as first, aclosing(engine.stream(PROMPT, params)) as second:
            await anext(first)
            await anext(second)
            both = await engine.running()
            await first.aclose()
            return both, await engine.running()

    assert finish(use()) == (2, 1)
    assert finish(engine.running()) == 0


def test_a_crash_ends_every_answer_with_a_sentence_and_it_can_be_started_again(engine: OfflineEngine) -> None:
    async def use() -> None:
        params = SamplingParams(max_tokens=400, ignore_eos=True, logprobs=None)
        answers = [engine.stream(PROMPT, params) for _ in range(2)]
        for answer in answers:
            assert (await anext(answer)).ids
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        for answer in answers:
            with pytest.raises(EngineGone, match="was killed by signal 9"):
                # What was on its way comes first.
                [piece async for piece in answer]
        await engine.start()
        assert [id for piece in await pieces(engine, says(SAID, max_tokens=3)) for id in piece.ids] == list(SAID[:3])

    finish(use())


_BROKEN = """
from vllm.v1.sample.logits_processor import LogitsProcessor
class Broken(LogitsProcessor):
    def __init__(self, config, device, is_pin_memory): pass
    def is_argmax_invariant(self): return False
    def update_state(self, update): pass
    def apply(self, logits): raise RuntimeError("this processor is broken")
"""


def test_an_exception_within_the_engine_is_a_sentence(
    engine_python: str, tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's own processor is found on PYTHONPATH; when it raises, that is what is said."""
    (tmp_path / "broken_processor.py").write_text(_BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    options = {**OPTIONS, "skip_tokenizer_init": True, "logits_processors": ["broken_processor:Broken"]}

    async def use() -> None:
        engine = OfflineEngine(tiny_model, python=engine_python, options=options)
        try:
            with pytest.raises(EngineGone, match=r"broke off: RuntimeError: this processor is broken\.$"):
                await pieces(engine, says(SAID))
        finally:
            await engine.close()

    finish(use())


async def why_not(engine: OfflineEngine) -> str:
    with pytest.raises(EngineError) as raised:
        await engine.start()
    await engine.close()
    return str(raised.value)


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        ("tiny", {"max_num_seq": 4}, "has no engine option 'max_num_seq': did you mean 'max_num_seqs'?"),
        ("no-such-model", {}, "no-such-model"),
        ("tiny", {"logits_processors": ["inspector.vllm_side.nothing:Nothing"]}, "inspector.vllm_side.nothing"),
    ],
)
def test_what_cannot_be_started_says_why(
    engine_python: str, tiny_model: str, model: str, options: dict[str, Any], sentence: str
) -> None:
    path = str(Path(tiny_model).with_name(model))
    said = finish(why_not(OfflineEngine(path, python=engine_python, options={**OPTIONS, **options})))
    assert said.startswith(f"vLLM in process, {model} could not be started: ")
    assert sentence in said
    assert "\n" not in said


def test_without_a_tokenizer(engine_python: str, tiny_model: str) -> None:
    """Token prompts need none. Strings would never be found, so they are refused; the end token is like others."""
    options = {**OPTIONS, "skip_tokenizer_init": True, "logits_processors": [SCRIPTED]}

    async def use() -> None:
        engine = OfflineEngine(tiny_model, python=engine_python, options=options)
        try:
            last = (await pieces(engine, says((*SAID, RETURN))))[-1]
            assert (last.finish_reason, last.stop_reason) == ("stop", RETURN)
            with pytest.raises(EngineError, match="skip_tokenizer_init"):
                await pieces(engine, says(SAID, stop=("done",)))
        finally:
            await engine.close()

    finish(use())


_PARENT = """
import asyncio, sys
from inspector.samplers.offline import OfflineEngine
async def main():
    engine = OfflineEngine(sys.argv[1], python=sys.argv[2])
    await engine.start(lambda line: print(engine.pid, flush=True))
asyncio.run(main())
"""


def test_the_child_ends_when_its_parent_is_killed(engine_python: str, tiny_model: str, root: Path) -> None:
    """In the middle of loading, too."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, tiny_model, engine_python], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
    try:
        ended, _, _ = select.select([child], [], [], 60)
        assert ended
    finally:
        os.close(child)
