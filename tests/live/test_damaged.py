"""One sample that we fail at: it is told by a sentence, its tokens are there, and the others are as ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from inspector import inspect
from inspector.inspection import Inspection
from inspector.live import open_end, telling
from inspector.live.blocked import blocked_among
from inspector.live.hearing import Hearer
from inspector.live.loop import Loop
from inspector.live.route import routes
from inspector.live.runs import RUNS, LiveRun
from inspector.live.telling import Teller
from inspector.samplers import Draft, OneShot, Replay, Rollout, SamplingParams
from inspector.samplers.values import Delta
from inspector.tokens import Transcript, vocabulary
from inspector.unread import defect, reading, unread
from inspector.view.viewmodel import view_of

from ..aio import run as finish

encode = vocabulary().encode_markers
PROMPT = tuple(encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant"))
SAID = "<|channel|>final<|message|>906.<|return|>"
BAD = "<|channel|>final<|message|>DAMAGE<|return|>"


def fails_at(transcript: Transcript) -> bool:
    return transcript.ids == tuple(encode(BAD))


def failing(transcript: Transcript, **options: Any) -> Inspection:
    if fails_at(transcript):
        raise IndexError("list index out of range")
    return inspect(transcript, **options)


def run_of(texts: Sequence[str]) -> LiveRun:
    rollouts = [Rollout(PROMPT, tuple(encode(text)), ("sampled",) * len(encode(text))) for text in texts]
    return LiveRun.ended(rollouts, [""] * len(texts), by="replay")


def asked(address: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        app = httpx.ASGITransport(Starlette(routes=routes()))
        async with httpx.AsyncClient(transport=app, base_url="http://127.0.0.1") as client:
            return await client.get(address)

    return finish(answer())


class Here:
    """In the place of the workers, into whose processes a test cannot put a defect."""

    def call(self, _holder: str, look: Any, _deadline: float, _wanted: Any, /, *args: Any) -> Any:
        return look(*args)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "workers", Here)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> LiveRun:
    """Of three samples, the second of which cannot be read."""
    monkeypatch.setattr(telling, "inspect", failing)
    monkeypatch.setattr(telling, "_FOR_A_ROW", failing)
    found = run_of([SAID, BAD, SAID])
    RUNS.add(found)
    return found


def test_the_summary_has_every_sample_and_a_sentence_for_the_bad_one(run: LiveRun) -> None:
    for _ in range(2):
        summary = asked(f"/_live/{run.id}")
        assert summary.status_code == 200
    rows = summary.json()["rows"]
    assert [row["judged"]["ok"] for row in rows] == [True, False, True]
    assert [bool(row["judged"]["defect"]) for row in rows] == [False, True, False]
    said = rows[1]["judged"]["defect"]
    assert said.startswith("harmonylens failed at reading this transcript (IndexError: list index out of range")
    assert "its tokens are kept" in said
    assert rows[1]["tokens"] == len(encode(BAD))


def test_its_tokens_are_shown_unread_and_nothing_about_it_is_green(run: LiveRun) -> None:
    hearer = Hearer()
    assert not hearer.hear(asked(f"/_live/{run.id}/1").content)
    assert hearer.ids == encode(BAD)
    assert hearer.feed["ok"] is False
    assert "harmonylens failed at reading" in hearer.feed["error"]["text"]
    assert hearer.view is not None
    assert all(verdict["error"] is not None for verdict in hearer.view.head["strict"])
    other = Hearer()
    other.hear(asked(f"/_live/{run.id}/2").content)
    assert other.feed["ok"] is True


def test_a_reading_that_cannot_be_shown_leaves_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    real = telling.view_of

    def view(inspection: Inspection, **options: Any) -> Any:
        if inspection.tree.messages:
            raise ValueError("no view")
        return real(inspection, **options)

    monkeypatch.setattr(telling, "view_of", view)
    hearer = Hearer()
    hearer.hear(Teller(run_of([SAID])).tokens(0, -1))
    assert hearer.ids == encode(SAID)
    assert "harmonylens failed at showing this transcript (ValueError: no view" in hearer.feed["error"]["text"]


def test_a_sample_that_grows_is_streamed_through_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Inspection:
        raise RecursionError("too deep")

    monkeypatch.setattr(open_end, "inspect", never)
    growing = LiveRun(Replay(Transcript(()), rate=None), OneShot(), [PROMPT], SamplingParams())
    growing.drafts[0] = draft = Draft(PROMPT)
    draft.begin_turn()
    teller, hearer = Teller(growing), Hearer()
    for token in encode(SAID):
        draft.add(Delta((token,)))
        hearer.hear(teller.tokens(0, hearer.have))
    assert hearer.ids == encode(SAID)
    assert json.loads(teller.summary())["rows"][0]["judged"]["defect"]


def test_tokens_that_are_none_are_a_sentence_and_asked_for_once() -> None:
    odd = Rollout(PROMPT, ("x", 5), ("sampled",) * 2)  # type: ignore[arg-type]
    good = Rollout(PROMPT, tuple(encode(SAID)), ("sampled",) * len(encode(SAID)))
    mixed = LiveRun.ended([good, odd], ["", ""], by="somebody")
    RUNS.add(mixed)
    rows = asked(f"/_live/{mixed.id}").json()["rows"]
    assert rows[0]["judged"]["ok"]
    assert "harmonylens failed at" in rows[1]["judged"]["defect"]
    answer = asked(f"/_live/{mixed.id}/1")
    assert answer.status_code == 422
    assert answer.text.startswith("harmonylens failed at showing this sample (")
    assert asked(f"/_live/{mixed.id}/0").status_code == 200


def test_what_the_guard_would_have_blocked_is_told_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from inspector.live import blocked

    real = blocked.watched

    def watched(rollout: Rollout, tools: Any = None) -> Any:
        if rollout.ids == tuple(encode(BAD)):
            raise KeyError("state")
        return real(rollout, tools)

    monkeypatch.setattr(blocked, "watched", watched)
    told = blocked_among(run_of([SAID, BAD]), range(2), None)
    assert told["means"].startswith("Sample 2 is not judged: harmonylens failed at following the grammar (KeyError")


def test_the_sentence_says_what_where_and_what_to_do_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        view_of(None)  # type: ignore[arg-type]

    said = []
    for _ in range(3):
        try:
            broken()
        except AttributeError as error:
            said.append(defect(error, "looking"))
    assert len(set(said)) == 1
    assert "inspector/view/viewmodel.py line " in said[0]
    assert len(caplog.records) <= 1


def test_what_is_read_is_as_ever_and_the_unread_keeps_every_int() -> None:
    transcript = Transcript((200_008, -3, 2**64 - 1, 5), "assistant")
    assert reading(inspect, transcript) == (inspect(transcript), "")
    found = unread(transcript, "It is so.")
    assert [(leaf.start, leaf.end) for leaf in found.tree.leaves()] == [(0, 4)]
    assert not found.repair.ok
    assert not any(verdict.ok for verdict in found.strict)
    assert unread(Transcript(()), "").tree.nodes == ()


def test_a_run_in_the_loop_goes_on_beside_a_bad_sample(run: LiveRun) -> None:
    other = LiveRun(Replay(Transcript(tuple(encode(BAD))), rate=None), OneShot(), [PROMPT] * 2, SamplingParams())
    other.start(Loop())
    other.wait(20)
    rows = json.loads(Teller(other).summary())["rows"]
    assert other.state == "done"
    assert all(row["judged"]["defect"] for row in rows)
