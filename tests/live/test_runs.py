"""Runs under way: what the browser is told of them is what was sampled, to the token, however it asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from threading import Event
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from inspector import inspect
from inspector.gallery import load_samples
from inspector.live.hearing import Hearer
from inspector.live.loop import Loop
from inspector.live.open_end import so_far
from inspector.live.route import routes
from inspector.live.runs import KEPT_RUNS, RUNS, LiveRun, Runs
from inspector.live.telling import Teller
from inspector.samplers import Draft, OneShot, Replay, SamplingParams, ToolLoop
from inspector.samplers.engine import EngineGone
from inspector.samplers.values import Delta, Rollout
from inspector.tokens import CALL, Transcript, vocabulary

from ..aio import run as finish

encode = vocabulary().encode_markers
PROMPT = tuple(encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant"))
SAID = "<|channel|>analysis<|message|>We need to add.<|end|><|start|>assistant<|channel|>final<|message|>906.<|return|>"
JUNK = '<|channel|>commentary to=functions.bash (We list it)<|constrain|>json<|message|>{"cmd": "ls"}<|call|>'


class Held:
    """An engine that says the next token when it is let to, and ends in the middle when it is told to."""

    name = "held"

    def __init__(self, ids: Sequence[int], gone_at: int | None = None) -> None:
        self.ids = ids
        self.gone_at = gone_at
        self.gate = asyncio.Semaphore(0)
        self.closed = 0

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        try:
            for at, token in enumerate(self.ids):
                await self.gate.acquire()
                if at == self.gone_at:
                    raise EngineGone("The engine has gone.")
                last = at == len(self.ids) - 1
                yield Delta((token,), (-0.25,), (), "stop" if last else None, token if last and token == CALL else None)
        finally:
            self.closed += 1

    async def close(self) -> None:
        return


def replayed(text: str, count: int = 1, **more: Any) -> LiveRun:
    """A run that has ended."""
    engine = Replay(Transcript(tuple(encode(text))), rate=None)
    run = LiveRun(engine, OneShot(), [PROMPT] * count, SamplingParams(), **more)
    run.start(Loop())
    run.wait(30)
    return run


def heard(answer: bytes) -> Hearer:
    """Who hears one answer about tokens."""
    hearer = Hearer()
    hearer.hear(answer)
    return hearer


def growing() -> tuple[LiveRun, Draft]:
    run = LiveRun(Held(()), OneShot(), [PROMPT], SamplingParams())
    draft = Draft(PROMPT)
    draft.begin_turn()
    run.drafts[0] = draft
    return run, draft


SAMPLES = [sample.transcript.ids for sample in load_samples()]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_who_asks_from_time_to_time_has_every_token_in_the_end(data: st.DataObject) -> None:
    ids = data.draw(st.sampled_from(SAMPLES))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(ids)), max_size=6)) | {len(ids)})
    run, draft = growing()
    teller = Teller(run)
    hearer = Hearer()
    done = 0
    for cut in cuts:
        draft.add(Delta(tuple(ids[done:cut]), (-0.5,) * (cut - done), (), "stop" if cut == len(ids) else None))
        done = cut
        if cut == len(ids):
            draft.finish("engine")
        if data.draw(st.booleans()) and cut != len(ids):
            continue  # a browser that was busy meanwhile
        is_first = hearer.view is None
        hearer.hear(teller.tokens(0, hearer.have))
        assert hearer.head["kind"] == ("whole" if is_first else "more")
        assert hearer.view is not None
        assert hearer.feed["digest"] == hearer.view.head["digest"] == f"{run.id}.0"
    assert hearer.ids == list(ids)
    assert hearer.head["done"] is True
    assert hearer.view is not None
    assert hearer.view.head["open"] is False


def test_who_claims_to_have_what_was_never_sent_gets_all_of_it() -> None:
    teller = Teller(replayed(SAID))
    hearer = heard(teller.tokens(0, 7))
    assert hearer.head["kind"] == "whole"
    assert hearer.ids == encode(SAID)
    with pytest.raises(IndexError, match="sample 1 of 1"):
        teller.tokens(1, -1)


@pytest.mark.parametrize("count", range(len(encode(SAID))))
def test_what_is_not_over_yet_is_not_called_broken(count: int) -> None:
    found = so_far(Transcript(tuple(encode(SAID))[:count]))
    assert found.diagnostics == ()
    assert all(verdict.ok for verdict in found.strict)
    assert found.repair.ok
    assert found.repair.edits == ()


def test_what_is_broken_already_is_called_so_at_once() -> None:
    ids = tuple(encode(JUNK))
    whole = inspect(Transcript(ids))
    at = ids.index(encode("<|message|>")[0]) + 2
    found = so_far(Transcript(ids[:at]))
    assert [d.code for d in found.diagnostics] == ["HS204"] == [d.code for d in whole.diagnostics]
    assert not found.verdict("oss-harmony 0.0.11").ok
    assert found.repair.ok


def test_the_summary_tells_of_every_sample() -> None:
    run = replayed(JUNK, 3, watched={"HS204"})
    summary = json.loads(Teller(run).summary())
    assert summary["state"] == "done"
    assert [row["n"] for row in summary["rows"]] == [0, 1, 2]
    for row in summary["rows"]:
        assert row["tokens"] == len(encode(JUNK))
        assert (row["finish"], row["stop"], row["parts"]) == ("stop", CALL, -1)
        assert row["judged"]["rules"] == ["HS204", "HS601"]
        assert row["judged"]["expected"] == "stop", "the engine itself never says tool_calls"
        assert row["judged"]["finish_findings"]
    again = summary["again"]
    assert (again["rules"], again["count"], again["of"]) == (["HS204"], 3, 3)
    assert 0 < again["low"] < 1 == again["high"]


def test_where_samples_part_is_told_by_the_token() -> None:
    run = LiveRun(Held(()), OneShot(), [PROMPT] * 3, SamplingParams())
    for n, text in enumerate((SAID, SAID.replace("906", "907"), SAID)):
        run.drafts[n] = draft = Draft(PROMPT)
        draft.begin_turn()
        draft.add(Delta(tuple(encode(text)), finish_reason="stop"))
        draft.finish("engine")
    rows = json.loads(Teller(run).summary())["rows"]
    there = list(encode(SAID)).index(vocabulary().encode("906")[0])
    assert [row["parts"] for row in rows] == [-1, there, -1]


def test_a_prompt_that_ends_within_an_answer_is_read_with_it() -> None:
    head = encode("<|channel|>commentary to=functions.bash")
    prompt = (*PROMPT, *head)
    rest = tuple(encode(JUNK))[len(head) :]
    found = Rollout(prompt, rest, ("sampled",) * len(rest)).transcript()
    assert found.ids == tuple(encode(JUNK))
    assert found.origins is not None
    assert found.origins[: len(head) + 1] == ("prompt",) * len(head) + ("sampled",)
    assert (found.role, found.prompt_ids) == ("assistant", PROMPT)
    run = LiveRun(Replay(Transcript(rest), rate=None), OneShot(), [prompt], SamplingParams())
    run.start(Loop())
    run.wait(30)
    assert run.transcript(0).ids == tuple(encode(JUNK))
    assert run.count(0) == len(encode(JUNK))


def test_stopping_keeps_what_has_come_and_lets_go_of_the_engine() -> None:
    engine = Held(encode(SAID))
    run = LiveRun(engine, OneShot(), [PROMPT], SamplingParams())
    loop = Loop()
    run.start(loop)

    async def three() -> None:
        for _ in range(3):
            engine.gate.release()

    there = Event()
    run.listen(lambda: there.set() if run.count(0) == 3 else None)
    loop.wait(three(), 10)
    assert there.wait(10)
    run.stop()
    run.wait(10)
    assert (run.state, run.count(0), engine.closed) == ("stopped", 3, 1)
    assert run.rollout(0).ended_by == "cancelled"
    assert run.is_done(0)


def test_an_engine_that_goes_in_the_middle_is_a_sentence_and_keeps_the_tokens() -> None:
    engine = Held(encode(SAID), gone_at=4)
    run = LiveRun(engine, OneShot(), [PROMPT], SamplingParams())
    loop = Loop()
    run.start(loop)

    async def all_of_it() -> None:
        for _ in encode(SAID):
            engine.gate.release()

    loop.wait(all_of_it(), 10)
    run.wait(10)
    assert (run.state, run.error, run.count(0)) == ("failed", "The engine has gone.", 4)


def test_a_sampler_with_a_defect_fails_the_run_and_not_the_app() -> None:
    class Broken:
        name = "broken"

        async def sample(self, *_: Any, **__: Any) -> list[Rollout]:
            raise ZeroDivisionError("oh")

    run = LiveRun(Held(()), Broken(), [PROMPT], SamplingParams())
    run.start(Loop())
    run.wait(10)
    assert run.state == "failed"
    begin, _, end = run.error.partition(f" ({__file__}, line ")
    assert begin == f"The sampler {__name__}:{Broken.__qualname__} raised ZeroDivisionError: oh"
    assert end.endswith(", in sample): mend it there.")


def test_the_oldest_ended_runs_are_let_go_of_and_those_under_way_are_not() -> None:
    runs = Runs()
    under_way = LiveRun(Held(()), OneShot(), [PROMPT], SamplingParams())
    runs.add(under_way)
    ended = [LiveRun(Held(()), OneShot(), [PROMPT], SamplingParams()) for _ in range(KEPT_RUNS + 3)]
    for run in ended:
        run.state = "done"
        runs.add(run)
    assert runs.find(under_way.id) is under_way
    assert [runs.find(run.id) is not None for run in ended] == [False] * 3 + [True] * KEPT_RUNS
    assert len({run.id for run in ended}) == len(ended)


def test_only_so_many_samples_are_drawn_at_once() -> None:
    for count in (0, 65):
        with pytest.raises(ValueError, match=f"{count} samples: expected 1 to 64"):
            LiveRun(Held(()), OneShot(), [PROMPT] * count, SamplingParams())


class Client:
    """Asks the routes as a server would hand requests to them."""

    def _ask(self, method: str, address: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            app = httpx.ASGITransport(Starlette(routes=routes()))
            async with httpx.AsyncClient(transport=app, base_url="http://127.0.0.1") as client:
                return await client.request(method, address)

        return finish(asked())

    def get(self, address: str) -> httpx.Response:
        return self._ask("GET", address)

    def post(self, address: str) -> httpx.Response:
        return self._ask("POST", address)


@pytest.fixture
def client() -> Client:
    return Client()


def test_the_addresses_answer_with_what_the_teller_says(client: Client) -> None:
    run = replayed(SAID)
    RUNS.add(run)
    summary = client.get(f"/_live/{run.id}")
    assert summary.headers["cache-control"] == "no-store"
    assert summary.json()["rows"][0]["tokens"] == len(encode(SAID))
    hearer = Hearer()
    assert not hearer.hear(client.get(f"/_live/{run.id}/0").content)
    assert (hearer.head["kind"], hearer.have) == ("whole", len(encode(SAID)))
    hearer.hear(client.get(f"/_live/{run.id}/0?have={hearer.have}").content)
    assert hearer.head["kind"] == "more"
    assert client.post(f"/_live/{run.id}/stop").status_code == 200


def test_who_asks_for_what_is_not_there_is_told_so(client: Client) -> None:
    run = replayed(SAID)
    RUNS.add(run)
    for address in ("/_live/unknown", "/_live/unknown/0", f"/_live/{run.id}/1"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.text.endswith(".\n")
    assert client.post("/_live/unknown/stop").status_code == 404
    assert client.get(f"/_live/{run.id}/stop").status_code in (404, 405), "nothing is stopped by a link"
    for have in ("-5", "x", "9" * 40, "²", "0"):
        assert client.get(f"/_live/{run.id}/0?have={have}").status_code == 200


def test_an_answer_waits_for_news(client: Client) -> None:
    engine = Held(encode(SAID))
    run = LiveRun(engine, OneShot(), [PROMPT], SamplingParams())
    RUNS.add(run)
    loop = Loop()
    run.start(loop)

    async def one() -> None:
        engine.gate.release()

    asked = loop.submit(asyncio.to_thread(client.get, f"/_live/{run.id}/0?have=0"))
    loop.wait(one(), 10)
    assert heard(asked.result(30).content).have == 1
    run.stop()
    run.wait(10)


def test_tool_results_stand_among_the_tokens_with_their_origin() -> None:
    called = encode(
        '<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>'
    )

    class Calling:
        name = "calling"

        async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
            ids = tuple(encode(SAID) if CALL in prompt_ids else called)
            yield Delta(ids, (-0.1,) * len(ids), (), "stop", CALL if ids[-1] == CALL else None)

        async def close(self) -> None:
            return

    run = LiveRun(Calling(), ToolLoop(), [PROMPT], SamplingParams())
    run.start(Loop())
    run.wait(30)
    (row,) = json.loads(Teller(run).summary())["rows"]
    assert row["turns"] == 2
    assert row["injected"] == run.rollout(0).origins.count("injected") > 0
    view = heard(Teller(run).tokens(0, -1)).view
    assert view is not None
    origins = view.sections["origins"]
    assert sorted(set(origins.tolist())) == [1, 2]


class Endless:
    """An engine that says one token for ever."""

    name = "endless"

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        while True:
            await asyncio.sleep(0)
            yield Delta((5,), (-0.5,))

    async def close(self) -> None:
        return


def test_a_run_that_nobody_watches_is_stopped_and_tells_who_comes_back(client: Client) -> None:
    engine = Held(encode(SAID))
    run = LiveRun(engine, OneShot(), [PROMPT], SamplingParams())
    run._job._unwatched_s = 0.5
    RUNS.add(run)
    loop = Loop()

    async def one() -> None:
        engine.gate.release()

    run.start(loop)
    loop.wait(one(), 10)
    seen = -1
    for _ in range(6):  # longer than half a second: whoever asks keeps it going
        loop.wait(asyncio.sleep(0.15), 10)
        seen = client.get(f"/_live/{run.id}").json()["version"]
        assert run.state == "running"
    run.wait(10)
    told = client.get(f"/_live/{run.id}?seen={seen}").json()
    assert told["state"] == "stopped"
    assert told["error"].startswith("Stopped after 30 minutes without a watcher: no page looked at it.")
    assert "Resample" in told["error"]
    assert [row["ended_by"] for row in told["rows"]] == ["cancelled"]
    assert heard(client.get(f"/_live/{run.id}/0").content).ids == encode(SAID)[:1]
    assert engine.closed == 1


def test_a_run_is_stopped_at_the_memory_that_it_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspector.live.runs.RUN_BYTES", 1_000_000)
    run = LiveRun(Endless(), OneShot(), [PROMPT] * 2, SamplingParams(max_tokens=10**9))
    run.start(Loop())
    run.wait(30)
    assert run.state == "stopped"
    assert run.error.startswith("Stopped because it holds 512 MB, the most that a run may hold.")
    assert 1_000_000 < run.memory < 1_100_000


def test_ended_runs_give_way_for_the_memory_that_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    run = replayed(SAID)
    monkeypatch.setattr("inspector.live.runs.HELD_BYTES", int(run.memory * 2.5))
    runs = Runs()
    ended = [replayed(SAID) for _ in range(5)]
    for one in ended:
        runs.add(one)
    assert [runs.find(one.id) is not None for one in ended] == [False, False, False, True, True]


def test_what_was_told_of_a_run_is_forgotten_with_it(client: Client) -> None:
    from inspector.live.route import _TELLERS

    first = replayed(SAID)
    RUNS.add(first)
    client.get(f"/_live/{first.id}")
    assert first.id in _TELLERS
    for _ in range(KEPT_RUNS + 1):
        RUNS.add(replayed(SAID))
    last = replayed(SAID)
    RUNS.add(last)
    client.get(f"/_live/{last.id}")
    assert first.id not in _TELLERS
