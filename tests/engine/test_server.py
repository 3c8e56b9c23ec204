"""The server engine against the real ``vllm serve``, started and ended by :class:`ServerProcess`.

What a request says is forced by :mod:`inspector.vllm_side.scripted`, so that each way to end can be had on demand.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from threading import Thread
from typing import Any

import httpx
import pytest

from inspector.samplers.draft import Draft
from inspector.samplers.engine import EngineError, EngineGone
from inspector.samplers.launcher import ServerProcess
from inspector.samplers.sampler import OneShot
from inspector.samplers.sampler import run as sample
from inspector.samplers.server import VllmServer
from inspector.samplers.server_wire import Route
from inspector.samplers.tool_loop import ToolLoop
from inspector.samplers.values import Delta, Rollout, SamplingParams
from inspector.tokens import CALL, ENDOFTEXT, RETURN, vocabulary

from ..aio import run as finish
from .versions import GENERATE_NAMES_ALTERNATIVES, GENERATE_SAYS_STOP_REASON, LISTS_IN_XARGS, SCALE_OUT

pytestmark = pytest.mark.timeout(600)

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant")
CALLED = encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
SAID = encode("<|channel|>final<|message|>906, done with it.<|return|>")
ROUTES: tuple[Route, ...] = ("completions", "generate")
START_S = 300.0


class Served:
    """The server of these tests, as it is at present: one of them kills it and starts it again."""

    def __init__(self, process: ServerProcess) -> None:
        self.process = process

    def engine(self, **options: Any) -> VllmServer:
        return VllmServer(self.process.base_url, api_key=self.process._key, **options)

    def metric(self, pattern: str) -> float:
        """The sum of the metrics whose line begins like this."""
        text = httpx.get(f"{self.process.base_url}/metrics", trust_env=False).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(pattern, line))


@pytest.fixture(scope="session")
def server(engine_python: str, tiny_model: str) -> Iterator[Served]:
    process = ServerProcess(
        tiny_model,
        python=engine_python,
        options=["--served-model-name", "tiny", "--max-model-len", "2048", "--max-num-seqs", "64", "--enforce-eager",
                 "--logits-processors", "inspector.vllm_side.scripted:Scripted", *SCALE_OUT],
    )  # fmt: skip
    process.start()
    served = Served(process)
    try:
        process.wait_ready(START_S)
        yield served
    finally:
        served.process.stop()


def says(ids: Sequence[int], **params: Any) -> SamplingParams:
    """Parameters of a request that is made to say this."""
    return SamplingParams(**{"max_tokens": len(ids), "extra": {"harmonylens_script": list(ids)}, **params})


def names_alternatives(route: Route) -> bool:
    """Whether this vLLM says on a route which tokens the alternatives are."""
    return route == "completions" or GENERATE_NAMES_ALTERNATIVES


def one(engine: VllmServer, params: SamplingParams, prompt: Sequence[int] = PROMPT) -> Rollout:
    (rollout,) = sample(OneShot(), engine, [prompt], params)
    return rollout


def test_it_is_told_what_it_is(server: Served) -> None:
    engine = server.engine()
    info = finish(engine.check())
    assert (info.model, info.is_vllm, info.route, info.can_return_ids, info.problem) == (
        "tiny", True, "completions", True, "",
    )  # fmt: skip
    assert info.models[0].max_model_len == 2048
    assert engine.name == f"vLLM {info.version} at {server.process.base_url.removeprefix('http://')}"
    assert finish(server.engine(route="generate").check()).route == "generate"
    assert "does not accept the API key" in finish(VllmServer(server.process.base_url, api_key="wrong").check()).problem
    assert "wants an API key" in finish(VllmServer(server.process.base_url).check()).problem
    assert "choose one of tiny" in finish(server.engine(model="nope").check()).problem


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("ids", "params", "finish_reason", "stop_reason"),
    [
        ([*CALLED, 5], {"max_tokens": 4}, "length", None),
        ([*CALLED, 5], {}, "stop", CALL),
        ([*SAID, 5], {}, "stop", None),
        ([*SAID[:-1], ENDOFTEXT, 5], {}, "stop", ENDOFTEXT),
        # A token that ends it comes before the limit that it falls on.
        (CALLED, {}, "stop", CALL),
        ([*SAID, 5], {"stop": (", done",)}, "stop", ", done"),
        ([*CALLED, 5, *CALLED], {"ignore_eos": True, "max_tokens": len(CALLED) + 3}, "length", None),
        ([*SAID, 5], {"ignore_eos": True, "stop_token_ids": (RETURN,)}, "stop", RETURN),
        ([*SAID, *CALLED, 5], {"ignore_eos": True, "stop_token_ids": (CALL,)}, "stop", CALL),
        ([*CALLED, 5], {"ignore_eos": True, "stop": ("<|call|>",)}, "stop", "<|call|>"),
        ([*SAID, 5], {"stop_token_ids": (RETURN,)}, "stop", None),
    ],
)
def test_how_an_answer_ends(
    server: Served,
    route: Route,
    ids: list[int],
    params: dict[str, Any],
    finish_reason: str,
    stop_reason: str | int | None,
) -> None:
    rollout = one(server.engine(route=route), says(ids, **params))
    told = stop_reason if route == "completions" or GENERATE_SAYS_STOP_REASON else None
    assert (rollout.error, rollout.finish_reason, rollout.stop_reason) == ("", finish_reason, told)
    assert rollout.ids == tuple(ids[: len(rollout.ids)])
    text = vocabulary().decode(rollout.ids)
    if isinstance(stop_reason, str):
        # The token that completes the string is the last one; the text is cut, the ids are not.
        assert stop_reason in text
        assert stop_reason not in vocabulary().decode(rollout.ids[:-1])
    elif finish_reason == "length":
        assert len(rollout.ids) == params["max_tokens"]
    else:
        assert rollout.ids[-1] in (CALL, RETURN, ENDOFTEXT)
        assert len(rollout.logprobs) == len(rollout.ids)
        assert len(rollout.top) == (len(rollout.ids) if names_alternatives(route) else 0)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("count", [None, 0, 1, 5, 20])
def test_logprobs_and_alternatives(server: Served, route: Route, count: int | None) -> None:
    sampled = one(server.engine(route=route), SamplingParams(max_tokens=4, temperature=0.0, logprobs=count))
    forced = one(server.engine(route=route), says(CALLED, logprobs=count))
    for rollout in (sampled, forced):
        assert not rollout.error
        assert len(rollout.logprobs) == (0 if count is None else len(rollout.ids))
        assert len(rollout.top) == (len(rollout.ids) if count and names_alternatives(route) else 0)
        for top in rollout.top:
            # The route counts the sampled token among the twenty that vLLM gives out at most.
            assert len(top) in ((count, 19) if (route, count) == ("generate", 20) else (count,))
            values = [value for _, value in top]
            assert values == sorted(values, reverse=True)
            assert len({token for token, _ in top}) == len(top)
    for token, logprob, top in zip(sampled.ids, sampled.logprobs, sampled.top, strict=False):
        # Greedy: it is the likeliest itself.
        assert (token, logprob) in top
        assert logprob == top[0][1]
    for token, logprob, top in zip(forced.ids, forced.logprobs, forced.top, strict=False):
        # Forced: its own logprob is the model's, and it is an alternative only where it is likely.
        assert logprob is not None
        assert (token, logprob) in top or logprob <= top[-1][1]


def test_both_routes_and_the_answer_in_one_piece_say_the_same(server: Served) -> None:
    params = SamplingParams(max_tokens=12, temperature=0.0, logprobs=3)
    first, second = (one(server.engine(route=route), params) for route in ROUTES)
    body = {"model": "tiny", "prompt": PROMPT, "max_tokens": 12, "temperature": 0}
    answer = httpx.post(
        f"{server.process.base_url}/v1/completions",
        json={**body, "return_token_ids": True, "logprobs": 3},
        headers={"Authorization": f"Bearer {server.process._key}"},
        trust_env=False,
        timeout=60,
    )
    whole = answer.json()["choices"][0]
    assert list(first.ids) == list(second.ids) == whole["token_ids"]
    assert first.logprobs == pytest.approx(second.logprobs, abs=1e-4)
    assert first.logprobs == pytest.approx(whole["logprobs"]["token_logprobs"], abs=1e-4)
    assert [len(top) for top in first.top] == [3] * len(first.ids)


@pytest.mark.parametrize("route", ROUTES)
def test_text_never_matters(server: Served, route: Route) -> None:
    """Half a character, bytes that are no UTF-8, reserved and look-alike markers: the ids are what was sampled."""
    halves = vocabulary().encode("🤦🏽‍♂️𒀀ﷺ")
    lookalike = vocabulary().encode("<|call|><|return|>")
    ids = [188, 255, *halves[:-1], 200013, 201087, 199998, *lookalike, 200007, 200006, 0, 220, 198]
    rollout = one(server.engine(route=route), says(ids, logprobs=2))
    assert (rollout.error, list(rollout.ids)) == ("", ids)


def test_a_prompt_of_any_ids_is_taken_as_it_is(server: Served) -> None:
    # The server repeats the prompt, and the engine compares it: an error would say that it was changed.
    for prompt in ([200007] * 3, [199998, 201087, 188], list(range(0, 201088, 2000))):
        assert one(server.engine(), says([5, 6]), prompt).error == ""


def test_seeds(server: Served) -> None:
    params = SamplingParams(max_tokens=8, seed=7, ignore_eos=True)
    engine = server.engine()
    alone = one(engine, params)
    together = sample(OneShot(), engine, [PROMPT] * 8, params)
    again = sample(OneShot(), engine, [PROMPT] * 8, params)
    assert alone.ids == together[0].ids
    assert [each.ids for each in together] == [each.ids for each in again]
    assert len({each.ids for each in together}) == 8


@pytest.mark.parametrize("route", ROUTES)
def test_sixty_four_at_once_each_with_its_own_tokens(server: Served, route: Route) -> None:
    class Each:
        """Gives each prompt's request its own script."""

        name = "each"

        def __init__(self, engine: VllmServer) -> None:
            self.engine = engine

        def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
            return self.engine.stream(prompt_ids, replace(params, **script(prompt_ids[0])))

        async def close(self) -> None:
            await self.engine.close()

    def script(number: int) -> dict[str, Any]:
        ids = [number * 1000 + at for at in range(4 + number % 13)]
        return {"extra": {"harmonylens_script": ids}, "max_tokens": len(ids)}

    rollouts = sample(OneShot(), Each(server.engine(route=route)), [[n] for n in range(64)], SamplingParams())
    for number, rollout in enumerate(rollouts):
        assert rollout.error == ""
        assert list(rollout.ids) == script(number)["extra"]["harmonylens_script"]
        assert len(rollout.logprobs) == len(rollout.ids)
        assert len(rollout.top) == (len(rollout.ids) if names_alternatives(route) else 0)


@pytest.mark.parametrize("route", ROUTES)
def test_the_tool_loop(server: Served, route: Route) -> None:
    # The script begins anew with each request: it calls until the loop is stopped.
    params = says(CALLED, max_tokens=64)
    rollouts = sample(ToolLoop(max_turns=3), server.engine(route=route), [PROMPT] * 3, params)
    result = encode(
        "<|start|>functions.multiply<|channel|>commentary to=assistant<|message|>906<|end|><|start|>assistant"
    )
    for rollout in rollouts:
        assert rollout.ended_by == "max_turns"
        assert list(rollout.ids) == [*CALLED, *result, *CALLED, *result, *CALLED]
        told = CALL if route == "completions" or GENERATE_SAYS_STOP_REASON else None
        assert [turn.stop_reason for turn in rollout.turns] == [told] * 3
        assert [turn.tool for turn in rollout.turns] == ["functions.multiply"] * 2 + [""]
        assert [lp is None for lp in rollout.logprobs] == [origin == "injected" for origin in rollout.origins]


def test_the_tool_loop_with_calls_in_plain_text(server: Served) -> None:
    said = vocabulary().encode("It is <function> multiply(3, 302) </function> and more")
    (rollout,) = sample(ToolLoop(format="function-tag", max_turns=2), server.engine(), [PROMPT], says(said))
    assert rollout.turns[0].stop_reason == "</function>"
    text = vocabulary().decode(rollout.ids)
    assert text.startswith("It is <function> multiply(3, 302) </function> <result> 906 </result>It is <function>")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("prompt", "params", "said"),
    [
        ([5] * 3000, SamplingParams(max_tokens=5), "2048"),
        ([300_000], SamplingParams(max_tokens=5), "out of vocabulary"),
        ([-1], SamplingParams(max_tokens=5), "HTTP 400"),
        ([], SamplingParams(max_tokens=5), "The prompt is empty"),
        (PROMPT, SamplingParams(extra={"harmonylens_script": "no ids"}), "harmonylens_script"),
        (PROMPT, SamplingParams(extra={"harmonylens_script": [1.5]}), "harmonylens_script"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_own_words(
    server: Served, route: Route, prompt: list[int], params: SamplingParams, said: str
) -> None:
    async def ask() -> str:
        # Not by a sampler, which has looked at the prompt before.
        async with aclosing(server.engine(route=route).stream(prompt, params)) as pieces:
            with pytest.raises(EngineError) as raised:
                await anext(pieces)
        return str(raised.value)

    words = finish(ask())
    assert said in words
    assert "\n" not in words


def test_more_tokens_than_the_model_has_room_for(server: Served) -> None:
    # The other route cuts them short.
    assert "2048" in one(server.engine(), SamplingParams(max_tokens=5000)).error


def test_a_model_that_it_does_not_serve(server: Served) -> None:
    for route in ROUTES:
        assert "serves no model called 'nope'" in one(server.engine(model="nope", route=route), says([5])).error


def test_arguments_of_every_kind_arrive(server: Served) -> None:
    extra = {"harmonylens_script": [5, 6], "text": "x", "number": 1, "real": 0.5, "flag": True}
    assert one(server.engine(), SamplingParams(max_tokens=2, extra=extra)).ids == (5, 6)
    rollout = one(server.engine(), SamplingParams(max_tokens=2, extra={**extra, "list": ["a", 2.5]}))
    assert rollout.ids == (5, 6) if LISTS_IN_XARGS else "vllm_xargs" in rollout.error
    nested = SamplingParams(max_tokens=2, extra={"nested": {"a": 1}})
    assert "vllm_xargs" in one(server.engine(), nested).error


async def until(holds: Callable[[], bool], limit_s: float = 60.0) -> None:
    """Metrics tell nobody when they change: they are asked for until then."""
    async with asyncio.timeout(limit_s):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)


ENDLESS = SamplingParams(max_tokens=2000, ignore_eos=True, logprobs=1)
SAMPLED = "vllm:generation_tokens_total"


@pytest.mark.parametrize("route", ROUTES)
def test_closing_an_answer_aborts_the_request(server: Served, route: Route) -> None:
    async def some(engine: VllmServer) -> int:
        async with aclosing(engine.stream(PROMPT, ENDLESS)) as pieces:
            ids = [token async for delta in _first(pieces, 5) for token in delta.ids]
        await until(lambda: server.metric("vllm:num_requests_running") == 0)
        return len(ids)

    before = server.metric(SAMPLED)
    assert finish(some(server.engine(route=route))) >= 5
    # It did not go on to the end.
    assert server.metric(SAMPLED) - before < ENDLESS.max_tokens


async def _first(pieces: AsyncGenerator[Delta, None], count: int) -> AsyncGenerator[Delta, None]:
    for _ in range(count):
        yield await anext(pieces)


def test_cancelling_a_sampler_aborts_all_its_requests(server: Served) -> None:
    async def cancelled(engine: VllmServer) -> list[Rollout]:
        drafts: dict[int, Draft] = {}
        all_came = asyncio.Event()

        def listener(number: int, draft: Draft) -> None:
            drafts[number] = draft
            if len(drafts) == 16:
                all_came.set()

        task = asyncio.create_task(OneShot().sample(engine, [PROMPT] * 16, ENDLESS, listener))
        await all_came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.metric("vllm:num_requests_running") == 0)
        return [draft.rollout() for draft in drafts.values()]

    rollouts = finish(cancelled(server.engine()))
    assert {rollout.ended_by for rollout in rollouts} == {"cancelled"}
    assert all(rollout.ids and len(rollout.ids) == len(rollout.logprobs) for rollout in rollouts)


def test_closing_the_engine_ends_what_is_streamed(server: Served) -> None:
    async def closed(engine: VllmServer) -> None:
        async with aclosing(engine.stream(PROMPT, ENDLESS)) as pieces:
            await anext(pieces)
            await engine.close()
            with pytest.raises(EngineGone, match="was closed"):
                async for _ in pieces:
                    pass
        await until(lambda: server.metric("vllm:num_requests_running") == 0)

    finish(closed(server.engine()))


def test_a_server_that_is_killed_in_the_middle_and_started_again(server: Served) -> None:
    """Last in this file: it costs a second start."""
    engine = server.engine()
    process = server.process
    pids = [process.pid]

    def kill(number: int, draft: Draft) -> None:
        if number == 0 and len(draft.ids) >= 5 and pids:
            pid = pids.pop()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

    script = [1000 + at for at in range(1500)]
    rollouts = sample(OneShot(), engine, [PROMPT] * 4, says(script, ignore_eos=True), kill)
    for rollout in rollouts:
        assert rollout.ended_by == "failed"
        assert rollout.finish_reason is None
        assert (
            "in the middle" in rollout.error
            or "without a complete answer" in rollout.error
            or "cut off" in rollout.error
        )
        assert list(rollout.ids) == script[: len(rollout.ids)]
    assert len(rollouts[0].ids) >= 5
    process._over.wait(60)
    assert process.state == "failed"
    assert "was killed by signal 9 while it ran" in process.error
    assert "cannot be reached" in one(engine, says([5])).error
    server.process = process.again()
    server.process.start()
    server.process.wait_ready(START_S)
    assert one(engine, says(SAID)).ids == tuple(SAID)

    stopping: list[Thread] = []

    def stop(number: int, draft: Draft) -> None:
        if not stopping:
            stopping.append(Thread(target=server.process.stop))
            stopping[0].start()

    (rollout,) = sample(OneShot(), engine, [PROMPT], ENDLESS, stop)
    stopping[0].join()
    # An orderly end may still say so; else the connection ends.
    assert rollout.ended_by == "failed" or rollout.finish_reason == "abort"
    assert rollout.ids
    assert server.process.state == "ended"
