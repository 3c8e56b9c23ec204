"""The guard's logic, without an engine: who follows the grammar, what would be blocked, what is counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import inspect
from inspector.gallery import load_samples
from inspector.harmony.legal import LOST, Walk, grammar
from inspector.samplers.guarding import (
    GUARD,
    ID,
    TOOLS,
    Blocked,
    Follower,
    asked,
    judge,
    measure,
    params,
    watched,
)
from inspector.samplers.values import Alternatives, Delta, Rollout, SamplingParams
from inspector.tokens import CALL, CHANNEL, ENDOFTEXT, MARKERS, MESSAGE, RETURN, START, VOCABULARY_SIZE, vocabulary

from ..aio import run as finish

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>Hi.<|end|><|start|>assistant")
HEADERS = st.lists(
    st.one_of(
        st.sampled_from([*MARKERS, ENDOFTEXT, -1, VOCABULARY_SIZE, 2**63]),
        st.sampled_from(
            [
                t
                for word in (
                    "assistant",
                    "tool",
                    "user",
                    "final",
                    "commentary",
                    "analysis",
                    " to=",
                    "functions.ls",
                    " json",
                    "x",
                )
                for t in encode(word)
            ]
        ),
        st.integers(0, 200_100),
    ),
    max_size=14,
)


def followed(prompt: Sequence[int], ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """The states before each token and behind the last one, and the places of what is illegal."""
    follower = Follower(prompt, grammar())
    states, illegal = [follower.state], []
    for at, token in enumerate(ids):
        if not follower.take(token):
            illegal.append(at)
        states.append(follower.state)
    return states, illegal


def walked(ids: Sequence[int], role: str | None) -> tuple[list[int], list[int]]:
    walk = Walk(ids, role)
    return [walk.state(at) for at in range(len(ids) + 1)], sorted(walk.illegal)


@given(HEADERS, st.sampled_from([None, "assistant", "tool", "user"]))
@settings(max_examples=400)
def test_one_token_at_a_time_agrees_with_the_walk(ids: list[int], role: str | None) -> None:
    prompt = [] if role is None else encode(f"<|start|>{role}")
    assert followed(prompt, ids) == walked(ids, role)


@pytest.mark.parametrize("sample", load_samples(), ids=lambda s: s.transcript.id)
def test_it_agrees_with_the_walk_on_every_sample(sample: object) -> None:
    transcript = sample.transcript  # type: ignore[attr-defined]
    prompt = [] if transcript.role is None else encode(f"<|start|>{transcript.role}")
    assert followed(prompt, transcript.ids) == walked(transcript.ids, transcript.role)


@pytest.mark.parametrize(
    "said",
    [
        '<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{"a": 1}<|call|>',
        " to=functions.ls<|channel|>commentary json<|message|>x<|start|>y<|call|>",
        "<|channel|>final<|channel|>x<|message|>Hi.<|channel|>.<|return|>",
        "<|channel|>final x y<|message|>Hi.<|return|>",
    ],
)
def test_a_prompt_may_end_anywhere(said: str) -> None:
    """What the prompt had said already is as if it had been sampled, whatever broke in it."""
    ids = encode(said)
    states, _ = followed(PROMPT, ids)
    for cut in range(len(ids) + 1):
        assert followed([*PROMPT, *ids[:cut]], ids[cut:])[0] == states[cut:]


class Sampling:
    """A model without any sense: samples from random logits, under the guard when it is asked for."""

    name = "random logits"

    def __init__(self, seed: int) -> None:
        self.numbers = np.random.default_rng(seed)
        self.weights = np.ones(VOCABULARY_SIZE, dtype=np.float32)
        # Without these no header would ever end: there are so many names.
        self.weights[[*MARKERS, *encode(" to=.python json")]] = 1e6
        self.weights[[RETURN, CALL]] = 1e8

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        wanted = asked(params.extra)
        follower = Follower(prompt_ids, wanted.rules if wanted is not None else grammar())
        for at in range(params.max_tokens):
            weights = self.weights
            if wanted is not None and wanted.mode == "on" and follower.state != LOST:
                weights = np.where(wanted.rules.mask(follower.state), weights, 0)
            waits = self.numbers.standard_exponential(VOCABULARY_SIZE, dtype=np.float32)
            # The first of many that wait, each for a time that goes with its weight.
            token = int(np.divide(waits, weights, out=np.full_like(waits, np.inf), where=weights > 0).argmin())
            follower.take(token)
            last = token in (RETURN, CALL) or at == params.max_tokens - 1
            yield Delta((token,), finish_reason=("stop" if token in (RETURN, CALL) else "length") if last else None)
            if last:
                return

    async def close(self) -> None:
        return


def test_with_the_guard_random_logits_give_legal_headers_and_without_it_none() -> None:
    effect = finish(measure(Sampling(0), [PROMPT] * 16, SamplingParams(max_tokens=60, logprobs=None)))
    assert effect.off.illegal.share == 1.0
    assert effect.off.malformed.low > 0.5
    assert effect.on.malformed.count == effect.on.illegal.count == 0
    assert effect.on.malformed.total + effect.on.unfinished == 16
    assert effect.on.malformed.total >= 5
    for rollout in effect.guarded:
        assert Walk(rollout.ids, "assistant").illegal == []
        if rollout.finish_reason == "stop":
            assert inspect(rollout.transcript()).strict[-1].ok


def test_with_declared_tools_no_other_is_called() -> None:
    given = SamplingParams(max_tokens=60, logprobs=None)
    effect = finish(measure(Sampling(1), [PROMPT] * 30, given, ["functions.ls"]))
    called = [r for r in effect.guarded if r.ids[-1] == CALL]
    assert called
    for rollout in called:
        assert inspect(rollout.transcript()).repair.messages[-1].recipient == "functions.ls"


def rollout_of(text: str, prompt: Sequence[int] = PROMPT, **more: object) -> Rollout:
    ids = tuple(encode(text))
    return Rollout(tuple(prompt), ids, ("sampled",) * len(ids), finish_reason="stop", **more)  # type: ignore[arg-type]


def test_what_would_have_been_blocked_is_told_with_its_probability() -> None:
    ids = tuple(encode("<|channel|>final<|channel|>x<|message|>a<|message|>b<|return|>"))
    top: list[Alternatives] = [()] * len(ids)
    final, analysis = ids[1], encode("analysis")[0]
    top[1] = ((final, log(0.5)), (analysis, log(0.2)), (MESSAGE, log(0.1)), (START, log(0.05)))
    top[2] = ((MESSAGE, log(0.6)),)
    logprobs = [log(0.9)] * len(ids)
    logprobs[1], logprobs[2] = log(0.5), log(0.3)
    rollout = Rollout(tuple(PROMPT), ids, ("sampled",) * len(ids), tuple(logprobs), tuple(top))
    found = watched(rollout)
    assert [(b.position, b.sampled, b.token) for b in found] == [
        (1, False, MESSAGE),
        (2, True, CHANNEL),
        (6, True, MESSAGE),
    ]
    assert found[0].mass == pytest.approx(0.15)
    assert found[0].unknown == pytest.approx(0.15)
    assert found[1].mass == pytest.approx(0.3)
    assert [b.position for b in watched(rollout, least=0.2)] == [2, 6]


def test_what_was_put_in_is_not_judged_and_without_probabilities_the_sampled_token_is() -> None:
    ids = tuple(encode("<|message|>x<|channel|><|end|>"))
    rollout = Rollout(tuple(PROMPT), ids, ("sampled", "sampled", "injected", "sampled"))
    assert watched(rollout) == [Blocked(0, True, MESSAGE, None, None)]


def test_an_undeclared_tool_is_blocked_where_tools_are_declared() -> None:
    rollout = rollout_of("<|channel|>commentary to=functions.rm <|constrain|>json<|message|>{}<|call|>")
    assert watched(rollout) == watched(rollout, ["functions.rm"]) == []
    (found,) = watched(rollout, ["functions.ls"])
    assert vocabulary().decode(rollout.ids[: found.position + 1]).endswith("functions.rm")


def test_rates_count_what_can_be_judged() -> None:
    good = rollout_of("<|channel|>final<|message|>Hi.<|return|>")
    bad = rollout_of("<|channel|>final<|channel|>x y z<|message|>Hi.<|end|>Hi.<|return|>")
    # Parsed by the releases, although no renderer writes it.
    odd = rollout_of("<|channel|>banana<|message|>Hi.<|return|>")
    cut = Rollout(tuple(PROMPT), tuple(encode("<|channel|>comm")), ("sampled",) * 2, finish_reason="length")
    gone = Rollout(tuple(PROMPT), ended_by="failed", error="gone")
    found = judge([good, bad, odd, cut, gone])
    assert (found.malformed.count, found.illegal.count, found.malformed.total) == (1, 2, 3)
    assert (found.unfinished, found.failed) == (1, 1)


def test_a_prompt_that_ends_in_a_header_is_judged_with_it() -> None:
    prompt = [*PROMPT, CHANNEL]
    assert judge([rollout_of("final<|message|>Hi.<|return|>", prompt)]).malformed.count == 0
    assert judge([rollout_of("final<|message|>Hi.<|end|>Hi.", prompt)]).malformed.count == 1


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({GUARD: "strong"}, f"{GUARD} is 'strong': expected one of off, watch, on"),
        ({GUARD: ["on"]}, "expected one of off, watch, on"),
        ({GUARD: "on", TOOLS: "functions.ls"}, f"{TOOLS} is 'functions.ls': expected a list of names"),
        ({TOOLS: [3]}, "expected a list of names"),
    ],
)
def test_arguments_that_cannot_be_understood_are_refused(extra: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        asked(extra)
    assert said in str(caught.value)


def test_the_arguments_of_a_request_come_back_as_they_were_meant() -> None:
    given = SamplingParams(extra={"other": 1, GUARD: "watch", ID: "old"})
    assert params(given, "off").extra == {"other": 1}
    on = params(given, "on", ["functions.b", "functions.a"], id="7")
    assert on.extra == {"other": 1, GUARD: "on", TOOLS: ["functions.a", "functions.b"], ID: "7"}
    found = asked(on.extra)
    assert found is not None
    assert (found.mode, found.id) == ("on", "7")
    assert asked({}) is asked({GUARD: "off"}) is None
    with pytest.raises(ValueError, match="expected one of"):
        params(given, "strict")  # type: ignore[arg-type]
