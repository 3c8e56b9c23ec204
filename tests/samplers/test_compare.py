"""The two tool strategies side by side, and the traps that are told before anybody hits them."""

from __future__ import annotations

from math import sqrt

import pytest

from inspector.samplers.compare import Pair, Side, compare_strategies, traps
from inspector.samplers.injected import PROCESSOR
from inspector.samplers.values import Rollout, SamplingParams, Turn
from inspector.samplers.wilson import Z_95, wilson
from inspector.tokens import CALL, vocabulary

from ..aio import run as finish
from .injecting_engine import InjectingEngine
from .test_injected import CALLED, PARAMS, PROMPT, RESULT, SAID


def names(found: list[object]) -> list[str]:
    return [trap.name for trap in found]  # type: ignore[attr-defined]


def test_the_same_prompts_by_both_strategies() -> None:
    engine = InjectingEngine([*CALLED, *SAID])
    pairs = finish(compare_strategies(engine, [PROMPT] * 3, PARAMS))
    assert len(pairs) == 3
    for pair in pairs:
        assert (pair.loop.sampler, pair.injecting.sampler) == ("tool-loop", "injecting")
        assert pair.parts_at is None
        assert pair.loop.tokens == pair.injecting.tokens == len(CALLED) + len(RESULT) + len(SAID)
        assert pair.loop.injected == pair.injecting.injected == len(RESULT)
        assert pair.loop.loss_mask == pair.injecting.loss_mask
        assert (pair.loop.requests, pair.injecting.requests) == (2, 1)
        assert pair.loop.injected_logprobs == (None,) * len(RESULT)
        assert pair.injecting.injected_logprobs == (-9.5,) * len(RESULT)
        assert pair.loop.calls == pair.injecting.calls == (("functions.multiply", ""),)
        assert pair.loop.seconds > 0
        assert pair.injecting.seconds >= pair.injecting.tool_seconds > 0
    found = {trap.name: trap for trap in traps(PARAMS, pairs=pairs)}
    assert f"{3 * len(RESULT)} of" in found["loss-mask"].sentence
    assert "down to -9.5" in found["logprobs"].sentence
    assert f"up to {len(RESULT)} of {PARAMS.max_tokens}" in found["max-tokens"].sentence


def side(text: str, injected: range = range(0), sampler: str = "injecting", **turn: float) -> Side:
    ids = tuple(vocabulary().encode_markers(text))
    origins = tuple("injected" if at in injected else "sampled" for at in range(len(ids)))
    one = Turn(0, len(ids), **turn)  # type: ignore[arg-type]
    rollout = Rollout((), ids, origins, turns=(one,), finish_reason="stop")  # type: ignore[arg-type]
    return Side(sampler, rollout, one.seconds + one.tool_seconds, one.tool_seconds)


def test_where_they_part() -> None:
    assert Pair(side("a b c"), side("a b c")).parts_at is None
    assert Pair(side("a b c"), side("a b x")).parts_at == 2
    assert Pair(side("a b c"), side("a b")).parts_at == 2
    assert not Pair(side("a b c"), side("a b x")).parts_in_injected
    assert Pair(side("a b c", range(1, 3)), side("a b x", range(1, 3))).parts_in_injected
    assert not Pair(side("a b c", range(1, 3)), side("a b", range(1, 2))).parts_in_injected


def test_what_would_end_the_request_first_is_told() -> None:
    assert names(traps(SamplingParams())) == ["eos-list"]
    assert names(traps(SamplingParams(ignore_eos=True))) == []
    found = traps(SamplingParams(ignore_eos=True, stop_token_ids=(CALL,)))
    assert names(found) == ["stop-at-call"]
    assert "<|call|>" in found[0].sentence
    assert found[0].is_avoided
    assert names(traps(SamplingParams(stop=("</function>",)), "function-tag")) == ["stop-at-call"]
    with pytest.raises(ValueError, match="no call format"):
        traps(SamplingParams(), "json")


def test_what_an_engine_was_started_with_is_told() -> None:
    params = SamplingParams(ignore_eos=True)
    assert names(traps(params, options={})) == ["async-scheduling", "no-processor"]
    ready = {"async_scheduling": False, "logits_processors": [PROCESSOR]}
    assert names(traps(params, options=ready)) == []
    assert names(traps(params, options={**ready, "tensor_parallel_size": 2})) == ["ranks"]


def test_a_batch_that_stood_still_is_told() -> None:
    params = SamplingParams(ignore_eos=True)
    slow = Pair(side("a", sampler="tool-loop"), side("a", seconds=1.0, tool_seconds=3.0))
    (found,) = traps(params, pairs=[slow])
    assert found.name == "batch-stall"
    assert "3.00 s of 4.00 s (75%)" in found.sentence
    assert traps(params, pairs=[Pair(slow.loop, side("a", seconds=1.0, tool_seconds=0.01))]) == []


@pytest.mark.parametrize(("count", "total"), [(0, 10), (1, 10), (10, 10), (2, 100), (50, 100), (7, 9)])
def test_the_bounds_are_the_rates_from_which_the_counted_one_is_just_z_deviations_away(count: int, total: int) -> None:
    rate = wilson(count, total)
    for bound in (rate.low, rate.high):
        if 0 < bound < 1:
            assert abs(rate.share - bound) == pytest.approx(Z_95 * sqrt(bound * (1 - bound) / total))
    assert (rate.low == 0, rate.high == 1) == (count == 0, count == total)
    assert rate.low <= rate.share <= rate.high


def test_a_rate_of_nothing_is_anything_and_a_wrong_one_is_refused() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    for count, total in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="no proportion"):
            wilson(count, total)
