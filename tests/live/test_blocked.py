"""What the guard would have blocked, as the page tells it."""

from __future__ import annotations

import pytest

from inspector.live.blocked import MOST_ROWS, blocked_among, blocked_in
from inspector.live.runs import LiveRun
from inspector.samplers import OneShot, Replay, Rollout, SamplingParams
from inspector.samplers.guarding import GUARD
from inspector.samplers.values import Alternatives
from inspector.tokens import Transcript, vocabulary

encode = vocabulary().encode_markers
PROMPT = tuple(encode("<|start|>user<|message|>Hi.<|end|><|start|>assistant"))
GOOD = tuple(encode("<|channel|>final<|message|>Yes.<|return|>"))
BAD = tuple(encode("<|channel|>analysis<|channel|>commentary<|message|>Run it.<|end|>"))
CHANNEL = encode("<|channel|>")[0]


def rollout(ids: tuple[int, ...], logprob: float | None = -0.5, top: tuple[Alternatives, ...] = ()) -> Rollout:
    logprobs = () if logprob is None else (logprob,) * len(ids)
    return Rollout(PROMPT, ids, ("sampled",) * len(ids), logprobs, top, finish_reason="stop")


def told(*rollouts: Rollout) -> dict[str, object]:
    run = LiveRun.ended(rollouts, [""] * len(rollouts), by="a test")
    return blocked_among(run, range(len(rollouts)), None)


def test_sampled_tokens_are_counted_and_each_leads_to_its_place() -> None:
    found = told(rollout(GOOD), rollout(BAD), rollout(BAD))
    total = len(GOOD) + 2 * len(BAD)
    assert found["words"] == f"The guard would have blocked 2 of {total} sampled tokens, in 2 of 3 samples."
    assert "against Harmony's grammar" in str(found["means"])
    rows = found["rows"]
    assert isinstance(rows, list)
    assert [(row["sample"], row["token"], row["text"], row["drawn"]) for row in rows] == [
        (1, 2, "<|channel|>", True),
        (2, 2, "<|channel|>", True),
    ]
    assert rows[0]["mass"] == pytest.approx(0.60653, abs=1e-4)
    assert found["left"] == 0


def test_what_was_nearly_drawn_is_told_apart() -> None:
    top: tuple[Alternatives, ...] = ((), ((GOOD[1], -0.1), (CHANNEL, -2.5)), *((),) * (len(GOOD) - 2))
    found = told(rollout(GOOD, -0.1, top))
    assert str(found["words"]).startswith("The guard would have blocked 0 of ")
    assert "At 1 more place a legal token was drawn" in str(found["means"])
    rows = found["rows"]
    assert isinstance(rows, list)
    assert [(row["token"], row["drawn"]) for row in rows] == [(1, False)]
    assert rows[0]["mass"] == pytest.approx(0.08208, abs=1e-4)


def test_without_probabilities_it_says_so() -> None:
    found = told(rollout(BAD, None))
    rows = found["rows"]
    assert isinstance(rows, list)
    assert rows[0]["mass"] is None
    assert "reported no probabilities" in str(found["means"])


def test_a_long_list_is_cut_and_says_how_much_is_left() -> None:
    found = told(*[rollout(BAD)] * (MOST_ROWS + 3))
    rows = found["rows"]
    assert isinstance(rows, list)
    assert (len(rows), found["left"]) == (MOST_ROWS, 3)


def test_a_token_is_counted_from_where_the_transcript_begins() -> None:
    kept = (*PROMPT, *BAD[:1])
    run = LiveRun.ended([Rollout(kept, BAD[1:], ("sampled",) * (len(BAD) - 1))], [""], by="a test")
    (row,) = blocked_among(run, [0], None)["rows"]
    assert run.transcript(0).ids[row["token"]] == CHANNEL
    assert row["token"] == 2


def test_a_run_tells_it_if_it_asked_for_the_watch_mode_and_is_over() -> None:
    def run(extra: dict[str, str]) -> LiveRun:
        return LiveRun(Replay(Transcript(BAD), None), OneShot(), [PROMPT], SamplingParams(extra=extra))

    watching, silent = run({GUARD: "watch"}), run({})
    assert blocked_in(watching) is None, "it has not begun"
    for one in (watching, silent):
        one.start()
        one.wait(30)
    assert blocked_in(silent) is None
    found = blocked_in(watching)
    assert found is not None
    assert len(found["rows"]) == 1
