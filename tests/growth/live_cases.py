"""What comes from servers and goes to browsers: lines, answers, alternatives, pieces, runs that are asked for again."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator
from typing import Any

from inspector.live.open_end import so_far
from inspector.live.runs import LiveRun
from inspector.live.telling import Teller
from inspector.samplers import Draft, OneShot, Replay, Rollout, SamplingParams, server_wire
from inspector.samplers.calls import FORMATS
from inspector.samplers.guarding import Follower, rules_for, watched
from inspector.samplers.injected import InjectingToolLoop
from inspector.samplers.limits import in_time
from inspector.samplers.offline import _delta
from inspector.samplers.server_problems import body_words
from inspector.samplers.server_wire import WireError, load_json, read_piece
from inspector.samplers.sse import EventReader, EventTooLong
from inspector.samplers.values import Delta
from inspector.tokens import Transcript, vocabulary

from .harness import case

_encode = vocabulary().encode_markers
PROMPT = tuple(_encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant"))
SAID = "<|channel|>analysis<|message|>We need to add.<|end|><|start|>assistant<|channel|>final<|message|>906.<|end|>"
PARAMS = SamplingParams(logprobs=20)
NO_LIMIT = 2**40


# Server-sent events


def fed(chunks: list[bytes]) -> int:
    reader = EventReader(NO_LIMIT)
    return sum(len(reader.feed(chunk)) for chunk in chunks)


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@case(fed, n=50_000, most=2_000_000)
def sse_many_events(n: int) -> list[bytes]:
    return _cut(b'data: {"choices": []}\n\n' * (n // 22), 4096)


@case(fed, n=20_000, most=400_000)
def sse_byte_by_byte(n: int) -> list[bytes]:
    return _cut(b"data: " + b"x" * n, 1)


@case(fed, n=200_000, most=8_000_000)
def sse_one_line_without_an_end(n: int) -> list[bytes]:
    return _cut(b"data: " + b"x" * n, 1000)


@case(fed, n=200_000, most=8_000_000)
def sse_one_huge_chunk(n: int) -> list[bytes]:
    return [b"data: " + b"x" * n]


@case(fed, n=50_000, most=1_000_000)
def sse_blank_lines(n: int) -> list[bytes]:
    return _cut(b"\r" * n, 4096)


@case(fed, n=50_000, most=1_000_000)
def sse_an_event_of_many_lines(n: int) -> list[bytes]:
    return _cut(b"data: x\n" * (n // 8), 4096)


@case(fed, n=50_000, most=1_000_000, refuses=(EventTooLong,))
def sse_comments(n: int) -> list[bytes]:
    return _cut(b": still there\n" * (n // 14), 777)


# Answers


def _answer(n: int, top: int) -> str:
    # Not more names than are remembered: whether they are is a matter of luck, not of size.
    ids = [token % 5_000 for token in range(n)]
    likely = [{f"token_id:{token + k}": -0.5 - k for k in range(top)} for token in ids]
    names = [f"token_id:{token}" for token in ids]
    logprobs = {"tokens": names, "token_logprobs": [-0.5] * n, "top_logprobs": likely}
    choice = {"index": 0, "token_ids": ids, "logprobs": logprobs}
    return json.dumps({"choices": [choice]})


def read(data: str) -> Delta | None:
    # A pass of the garbage collector over all that is held takes 40 ms whenever it comes, and answers are short.
    gc.disable()
    try:
        return read_piece(data, PROMPT, PARAMS)
    finally:
        gc.enable()


@case(read, n=2_000, most=8_000)
def answer_of_many_tokens(n: int) -> str:
    return _answer(n, 1)


@case(read, n=200, most=3_200)
def answer_with_many_alternatives(n: int) -> str:
    return _answer(n, 20)


@case(read, n=4_000, most=8_000)
def answer_with_more_alternatives_than_asked_for(n: int) -> str:
    server_wire._id_of_name.cache_clear()
    return _answer(2, n)


@case(read, n=200, most=3_200)
def answer_of_the_other_route(n: int) -> str:
    entry = {"token_id": 5, "logprob": -0.5, "rank": 1}
    one = {**entry, "top_logprobs": [{**entry, "token_id": 5 + k} for k in range(20)]}
    return json.dumps({"choices": [{"index": 0, "token_ids": [5] * n, "logprobs": {"content": [one] * n}}]})


@case(lambda data: read_piece(data, [5] * (len(data) // 4), PARAMS), n=20_000, most=400_000, refuses=(WireError,))
def answer_that_repeats_the_prompt(n: int) -> str:
    return json.dumps({"choices": [{"index": 0, "token_ids": [], "prompt_token_ids": [5] * n}]})


@case(read, n=10_000, most=20_000, refuses=(WireError,))
def answer_of_many_choices(n: int) -> str:
    return json.dumps({"choices": [{"index": k, "token_ids": [5]} for k in range(n)]})


@case(load_json, n=500_000, most=8_000_000, refuses=(WireError,))
def answer_nested_deeply(n: int) -> str:
    return "[" * n + "]" * n


@case(load_json, n=200_000, most=8_000_000, refuses=(WireError,))
def answer_with_a_long_number(n: int) -> str:
    return '{"choices": [0.' + "1" * n + "]}"


@case(load_json, n=200_000, most=8_000_000, refuses=(WireError,))
def answer_with_a_long_whole_number(n: int) -> str:
    return '{"choices": [' + "1" * n + "]}"


@case(lambda body: body_words(body, "text/plain", str), n=20_000, most=1_000_000)
def refusal_of_open_tags(n: int) -> bytes:
    return b"<" * n


@case(lambda body: body_words(body, "text/html", str), n=20_000, most=1_000_000)
def refusal_of_titles(n: int) -> bytes:
    return b"<!doctype html>" + b"<title" * (n // 6)


@case(lambda entry: _delta(entry), n=500, most=8_000)
def piece_of_the_offline_worker(n: int) -> list[Any]:
    return ["id", [5] * n, [-0.5] * n, [[[k, -0.5] for k in range(20)]] * n, None, None]


# Rollouts that grow


def grown_by_one(ids: list[int]) -> Rollout:
    draft = Draft(PROMPT)
    draft.begin_turn()
    for token in ids:
        draft.add(Delta((token,), (-0.5,), (((token, -0.5), (7, -1.0)),)))
    return draft.rollout()


@case(grown_by_one, n=2_000, most=64_000)
def rollout_token_by_token(n: int) -> list[int]:
    return [5] * n


def in_time_all(deltas: list[Delta]) -> int:
    async def pieces() -> AsyncGenerator[Delta, None]:
        for delta in deltas:
            yield delta

    async def counted() -> int:
        return sum([len(delta.ids) async for delta in in_time(pieces(), "It", 10**6)])

    return asyncio.run(counted())


@case(in_time_all, n=1_000, most=32_000)
def answer_watched_for_its_time(n: int) -> list[Delta]:
    return [Delta((5,))] * n


class _Says:
    """An engine that says these tokens, one by one."""

    name = "says"

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids

    async def stream(self, prompt_ids: Any, params: SamplingParams) -> AsyncGenerator[Delta, None]:
        for at, token in enumerate(self.ids):
            yield Delta((token,), finish_reason="stop" if at == len(self.ids) - 1 else None)

    async def close(self) -> None:
        return


def injected(ids: list[int]) -> list[Rollout]:
    engine = _Says(ids)
    return asyncio.run(InjectingToolLoop(max_turns=1000).sample(engine, [PROMPT], SamplingParams(len(ids))))


@case(injected, n=4_000, most=16_000)
def injected_results_told_apart(n: int) -> list[int]:
    return [*_encode(SAID * (n // 20))[: n - 1], 200_002]


@case(lambda ids: FORMATS["harmony"].call(ids, "assistant"), n=10_000, most=400_000)
def call_behind_much_text(n: int) -> list[int]:
    called = "<|start|>assistant<|channel|>commentary to=functions.add<|message|>{}<|call|>"
    return [*_encode(SAID), *[5] * n, *_encode(called)]


@case(lambda text: FORMATS["function-tag"].call(vocabulary().encode(text), "assistant"), n=5_000, most=100_000)
def call_in_tags_never_closed(n: int) -> str:
    return "<function>" * (n // 10) + "a(1) </function>"


# What the browser is told


def _growing(ids: list[int]) -> tuple[LiveRun, Draft]:
    run = LiveRun(Replay(Transcript(()), rate=None), OneShot(), [PROMPT], SamplingParams())
    run.drafts[0] = draft = Draft(PROMPT)
    draft.begin_turn()
    return run, draft


def asked_again_and_again(ids: list[int]) -> int:
    """Eight answers while a sample grows, each with the tail that is new."""
    run, draft = _growing(ids)
    teller = Teller(run)
    have, size = -1, 0
    step = max(1, len(ids) // 8)
    for at in range(0, len(ids), step):
        draft.add(Delta(tuple(ids[at : at + step])))
        size += len(teller.tokens(0, have)) + len(teller.summary())
        have = run.count(0)
    return size


@case(asked_again_and_again, n=250, most=8_000)
def asked_while_messages_come(n: int) -> list[int]:
    return _encode(SAID * (n // 20))


@case(asked_again_and_again, n=500, most=16_000)
def asked_while_one_body_grows(n: int) -> list[int]:
    return _encode("<|channel|>final<|message|>" + "one two three " * (n // 3))


@case(asked_again_and_again, n=250, most=4_000)
def asked_while_a_header_grows(n: int) -> list[int]:
    return _encode("<|channel|>commentary to=functions.bash" + " (we list it)" * (n // 4))


@case(asked_again_and_again, n=500, most=16_000)
def asked_while_unknown_ids_come(n: int) -> list[int]:
    return [2**31 - 1 - at for at in range(n)]


@case(lambda run: Teller(run).summary(), n=500, most=16_000)
def summary_of_samples_that_part_late(n: int) -> LiveRun:
    ids = tuple(_encode("<|channel|>final<|message|>" + "one two three " * (n // 3)))
    rollouts = [Rollout(PROMPT, (*ids, k), ("sampled",) * (len(ids) + 1)) for k in range(3)]
    return LiveRun.ended(rollouts, [""] * 3, by="it")


@case(so_far, n=500, most=32_000)
def open_end_of_a_long_body(n: int) -> Transcript:
    return Transcript(tuple(_encode("<|channel|>final<|message|>" + "one two three " * (n // 3))))


@case(so_far, n=500, most=8_000)
def open_end_behind_broken_messages(n: int) -> Transcript:
    broken = "<|channel|>analysis<|channel|>commentary<|message|>Run it.<|end|><|start|>assistant"
    return Transcript(tuple(_encode(broken * (n // 14))))


# The guard


@case(lambda prompt: Follower(prompt, rules_for(None)), n=20_000, most=800_000)
def follower_of_a_prompt_of_markers(n: int) -> list[int]:
    return _encode(SAID) * (n // 24)


@case(watched, n=1_000, most=64_000)
def guard_over_messages(n: int) -> Rollout:
    ids = tuple(_encode(SAID) * (n // 24))
    return Rollout(PROMPT, ids, ("sampled",) * len(ids))


@case(watched, n=500, most=16_000)
def guard_over_a_header_without_an_end(n: int) -> Rollout:
    ids = tuple(_encode("<|channel|>commentary to=functions.a" + " a" * n))
    top = tuple(tuple((token + k, -1.0 - k) for k in range(5)) for token in ids)
    return Rollout(PROMPT, ids, ("sampled",) * len(ids), (-0.5,) * len(ids), top)
