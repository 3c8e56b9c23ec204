"""Answers that do not end, or hold more than was asked for: cut off with a sentence, and what came is kept."""

from __future__ import annotations

import asyncio
import gzip
import re
import resource
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import pytest

from inspector.samplers import limits
from inspector.samplers import server as server_module
from inspector.samplers.engine import Engine
from inspector.samplers.injected import InjectingToolLoop
from inspector.samplers.limits import CutOff, bytes_for, event_bytes, in_time, seconds_for
from inspector.samplers.sampler import OneShot
from inspector.samplers.sampler import run as sample
from inspector.samplers.server import VllmServer
from inspector.samplers.server_wire import WireError, read_piece
from inspector.samplers.sse import EventReader
from inspector.samplers.tool_loop import ToolLoop
from inspector.samplers.tools import BUILTIN, Tool
from inspector.samplers.values import Delta, Rollout, SamplingParams
from inspector.tokens import CALL, vocabulary

from ..aio import run as finish
from .fake_server import FakeServer, LikeVllm, Request, event, piece

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant")
SAYS = LikeVllm(lambda prompt: [5, 200_002])
Answer = Callable[[Request], None]


def answering(how: Answer) -> Answer:
    """Answers requests for tokens so, and is vLLM otherwise."""

    def answer(request: Request) -> None:
        (how if request.path == "/v1/completions" else SAYS)(request)

    return answer


def rollout_from(how: Answer, most: int = 4, *, leaves: bool = True) -> Rollout:
    """The rollout; where the server goes on, the connection has to be closed."""
    params = SamplingParams(max_tokens=most, logprobs=2)
    with FakeServer(answering(how)) as fake:
        (rollout,) = sample(OneShot(), VllmServer(fake.url), [PROMPT], params)
        assert not leaves or fake.left.wait(20)
    return rollout


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is given up after parts of a second."""
    monkeypatch.setattr(server_module, "in_time", partial(in_time, first_s=0.5, still_s=0.5, whole_s=1.5))


# More than was asked for


def test_a_server_that_ignores_max_tokens_is_cut_off_at_them() -> None:
    rollout = rollout_from(lambda request: request.forever(event(piece([5]))))
    assert (rollout.ids, rollout.ended_by, rollout.finish_reason) == ((5,) * 4, "cut_off", None)
    assert "was asked for at most 4 tokens and sent more: it was cut off here" in rollout.error
    assert len(rollout.logprobs) == len(rollout.top) == 4


def test_of_a_piece_that_goes_beyond_them_what_fits_is_kept_and_its_end_is_not_the_models() -> None:
    rollout = rollout_from(lambda request: request.stream([event(piece([5, 6, 7, 8, 9], finish="stop"))]), leaves=False)
    assert (rollout.ids, rollout.ended_by) == ((5, 6, 7, 8), "cut_off")
    assert rollout.turns[-1].finish_reason is None
    transcript = rollout.transcript()
    assert transcript.finish_reason is None
    assert transcript.reported == frozenset()
    assert transcript.meta["cut_off"] == rollout.error


def test_as_many_as_were_asked_for_are_no_fault() -> None:
    chunks = [event(piece([5, 6])), event(piece([7, 8])), event(piece([], finish="length"))]
    rollout = rollout_from(lambda request: request.stream(chunks), leaves=False)
    assert (rollout.ids, rollout.ended_by, rollout.error) == ((5, 6, 7, 8), "engine", "")
    assert rollout.finish_reason == "length"


def test_what_comes_behind_the_end_is_not_looked_at() -> None:
    rollout = rollout_from(lambda r: r.forever(event(piece([5])), first=event(piece([5], finish="stop"))))
    assert (rollout.ids, rollout.ended_by, rollout.finish_reason) == ((5,), "engine", "stop")


FLOODS: list[tuple[str, bytes, str]] = [
    ("comments", b": " + b"x" * 65_536 + b"\n\n", "bytes for at most 4 tokens, and was cut off here"),
    ("pieces without a token", event(piece([])) * 100, "bytes for at most 4 tokens, and was cut off here"),
    ("empty lines", b"\n" * 65_536, "bytes for at most 4 tokens, and was cut off here"),
    # Which of the two limits is seen first is a matter of how the bytes come.
    (
        "a line without an end",
        b"x" * 65_536,
        "an event without an end|bytes for at most 4 tokens, and was cut off here",
    ),
    ("an event without an end", b"data: " + b"x" * 9999 + b"\n", "an event without an end"),
    ("a line byte by byte", b"x", "an event without an end"),
]


@pytest.mark.parametrize(("chunk", "said"), [one[1:] for one in FLOODS], ids=[one[0] for one in FLOODS])
def test_a_flood_is_cut_off(chunk: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if len(chunk) == 1:
        # As many chunks as there are bytes: a small limit shows the same.
        monkeypatch.setattr(server_module, "event_bytes", lambda prompt: 2_000)
    rollout = rollout_from(lambda request: request.forever(chunk, first=event(piece([5]))))
    assert re.search(said, rollout.error)
    assert rollout.ids == (5,)
    assert rollout.ended_by in ("cut_off", "failed")


def test_a_compressed_answer_is_not_opened() -> None:
    bomb = gzip.compress(gzip.compress(b"data: " + b"x" * 2**24))

    def answer(request: Request) -> None:
        request.send(200, bomb, "text/event-stream", Content_Encoding="gzip, gzip")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with FakeServer(answer) as fake:
        (rollout,) = sample(OneShot(), VllmServer(fake.url, model="m"), [PROMPT], SamplingParams())
        info = finish(VllmServer(fake.url).check())
    assert "compresses its answers (gzip, gzip) although it was asked not to" in rollout.error
    assert "compresses its answers" in info.problem
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 12 * 1024


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (piece([5], stop=2**64), "a token id that is none"),
        (piece([5], stop=-1), "a token id that is none"),
        (piece([5], stop="x" * 2000), "more than 1,000 characters"),
        (piece([5], finish="x" * 2000), "more than 1,000 characters"),
        (piece([5.0]), "a token id that is none"),
        (piece([2**63]), "a token id that is none"),
        ({"choices": [{"index": n, "token_ids": [5]} for n in range(5000)]}, "more than the one answer"),
    ],
    ids=["stop of 65 bits", "negative stop", "long stop", "long finish", "no whole number", "id of 64 bits", "choices"],
)
def test_values_that_cannot_be_are_refused(said: dict[str, Any], why: str) -> None:
    import json

    with pytest.raises(WireError, match=why):
        read_piece(json.dumps(said), PROMPT, SamplingParams(logprobs=2))


def test_a_stop_string_that_was_asked_for_may_be_as_long_as_it_is() -> None:
    import json

    params = SamplingParams(stop=("x" * 5000,), logprobs=2)
    delta = read_piece(json.dumps(piece([5], finish="stop", stop="x" * 5000)), PROMPT, params)
    assert delta is not None
    assert delta.stop_reason == "x" * 5000


def one_event(data: bytes, request: Request) -> None:
    request.stream([data])


def test_numbers_of_any_length_are_a_sentence() -> None:
    for number in (b"1" * 5000, b"1" * 4000, b"1e999", b"-1." + b"1" * 5000):
        data = event(piece([5])).replace(b"-3.5", number, 1)
        rollout = rollout_from(partial(one_event, data), leaves=False)
        assert rollout.error.startswith("The server at 127.0.0.1:"), number[:10]


def test_small_pieces_of_a_line_take_their_bytes_and_no_more() -> None:
    reader = EventReader(limit=2**20)
    for _ in repeat(None, 200_000):
        reader.feed(b"xy")
    assert len(reader._line) == 400_000
    assert reader.feed(b"\n\ndata: 1\n\n") == ["1"]


def test_a_list_of_models_is_as_long_as_a_person_reads() -> None:
    rows = [{"id": f"m{n}", "max_model_len": 10**40} for n in range(5000)] + [{"id": "x" * 5000}]

    def answer(request: Request) -> None:
        if request.path == "/v1/models":
            request.send(200, {"data": rows})
        else:
            SAYS(request)

    with FakeServer(answer) as fake:
        info = finish(VllmServer(fake.url).check())
    assert len(info.models) == 200
    assert {one.max_model_len for one in info.models} == {None}


# Longer than anybody waits


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("how", "ids", "said"),
    [
        (lambda request: request.until_left(), (), "sent no token within 0.5 s, and was cut off here"),
        (lambda request: request.drip(b"HTTP/1.1 200 OK\r\nX-Y: " + b"y" * 999, 0.05), (), "sent no token within"),
        (
            lambda request: request.stream([event(piece([5]))], ends=False) or request.drip(b"1\r\n:\r\n", 0.02),
            (5,),
            "sent no further token within 0.5 s after 1, and was cut off here",
        ),
    ],
    ids=["nothing for ever", "a header for ever", "a byte from time to time"],
)
def test_a_server_without_an_end_is_given_up(how: Answer, ids: tuple[int, ...], said: str) -> None:
    rollout = rollout_from(how, most=1000)
    assert (rollout.ids, rollout.ended_by) == (ids, "cut_off")
    assert said in rollout.error


@pytest.mark.usefixtures("hurried")
def test_a_token_from_time_to_time_is_no_answer_that_ends() -> None:
    def slowly(request: Request) -> None:
        def chunks() -> Any:
            while not request.server.left.wait(0.1):
                yield event(piece([5]))

        request.stream(chunks(), ends=False)

    rollout = rollout_from(slowly, most=100_000)
    assert rollout.ended_by == "cut_off"
    assert "had not ended its answer after 1.5 s and" in rollout.error
    assert set(rollout.ids) == {5}


def test_a_check_is_over_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GREET_S", 0.2)
    with FakeServer(lambda request: request.drip(b"HTTP/1.1 200 OK\r\nX-Y: " + b"y" * 999, 0.05)) as fake:
        info = finish(VllmServer(fake.url).check())
        assert fake.left.wait(20)
    assert "had not answered after 0.6 s when asked for /version" in info.problem


def test_who_waits_is_cancelled_as_before() -> None:
    async def never() -> AsyncGenerator[Delta, None]:
        await asyncio.Event().wait()
        yield Delta((5,))

    async def cancelled() -> bool:
        task = asyncio.ensure_future(anext(in_time(never(), "It", 4)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return True

    assert finish(cancelled())


def test_what_an_answer_may_take_grows_with_what_was_asked_for_and_has_an_end() -> None:
    assert seconds_for(1) < seconds_for(512) < seconds_for(10**9) == limits.ANSWER_S
    assert event_bytes(0) < event_bytes(131_072) < bytes_for(131_072, 1) < bytes_for(131_072, 512)
    assert bytes_for(0, 10**9) == bytes_for(0, limits.MOST_TOKENS)


# Tool loops


class Calling:
    """An engine that calls a tool for ever."""

    name = "calling"

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = tuple(ids)

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        yield Delta(self.ids, finish_reason="stop", stop_reason=CALL)

    async def close(self) -> None:
        return


CALLED = encode("<|channel|>commentary to=functions.{} <|constrain|>json<|message|>{}<|call|>".format("long", "{}"))
LONG = Tool("long", "Says much.", {"type": "object", "properties": {}}, lambda: "word " * 1_000_000)


def test_a_loop_ends_with_the_tokens_of_a_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspector.samplers.sampler.MOST_TOKENS", 20_000)
    engine: Engine = Calling(CALLED)
    (rollout,) = sample(ToolLoop((LONG,), max_turns=1000), engine, [PROMPT], SamplingParams())
    assert rollout.ended_by == "cut_off"
    assert "tokens with all its turns and results" in rollout.error
    assert 20_000 <= len(rollout.ids) < 30_000


@pytest.mark.parametrize("make", [ToolLoop, InjectingToolLoop])
@pytest.mark.parametrize("wrong", [{"max_turns": 0}, {"max_turns": 1001}, {"limit_s": 0}, {"limit_s": 1e9}])
def test_a_loop_without_an_end_is_refused(make: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make(BUILTIN, **wrong)


def test_a_stop_id_has_64_bits() -> None:
    with pytest.raises(ValueError, match="more than 64 bits"):
        SamplingParams(stop_token_ids=(2**64,))


def test_a_cut_off_is_an_end_of_the_engine_for_those_who_ask_it_alone() -> None:
    assert issubclass(CutOff, Exception)
    rollout = Rollout((1,), (5,), ("sampled",), ended_by="cut_off", error="It was cut off here.")
    assert rollout.transcript().meta["cut_off"] == "It was cut off here."
    assert "cut_off" not in Rollout((1,), (5,), ("sampled",)).transcript().meta


def test_the_command_line_and_the_page_say_the_limits() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "inspector", "sample", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    said = " ".join(ran.stdout.split())
    for limit in (
        "30 minutes",
        "10 minutes",
        "4 hours",
        f"{limits.MOST_TOKENS:,} tokens",
        f"{limits.MOST_TURNS:,} turns",
    ):
        assert limit in limits.WORDS
        assert limit in said
