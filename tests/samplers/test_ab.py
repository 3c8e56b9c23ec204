"""The A/B experiment over an engine that says what it is told to, and its statistics against slow references."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import inspect
from inspector.finding import Severity
from inspector.harmony.message import Message
from inspector.ingest import read, transcript_record
from inspector.prompt import STYLES
from inspector.prompt.plan import OPENAI_008, OSS_0011, VLLM_032
from inspector.samplers.ab import ABError, Experiment, run_ab
from inspector.samplers.ab_rates import difference, fisher, holm
from inspector.samplers.ab_result import MALFORMED, REFUSED
from inspector.samplers.conversations import Conversation, shipped_conversations
from inspector.samplers.engine import EngineError, EngineGone
from inspector.samplers.prompts import render_prompt
from inspector.samplers.values import Delta, SamplingParams
from inspector.samplers.wilson import wilson
from inspector.tokens import vocabulary
from inspector.ui.ab_figures import RULES, forest_figure, p_name, p_words, page

from ..aio import run as finish

encode = vocabulary().encode_markers
GOOD = encode("<|channel|>final<|message|>Hi.<|return|>")
DOUBLE = encode("<|channel|>analysis<|channel|>commentary<|message|>x<|end|>")
MISREAD = encode("<|channel|>commentary to=functions.add code<|message|>{}<|call|>")
LONG_HEADER = encode("<|channel|>analysis")
PARAMS = SamplingParams(seed=100, temperature=0.5)

CALLED = (
    Message("user", "Hi"),
    Message("assistant", "{}", channel="commentary", recipient="functions.f", content_type="<|constrain|>json"),
    Message("tool", "4", name="functions.f", channel="commentary", recipient="assistant"),
)
WITH_CALL = Conversation(CALLED, "called")
WITHOUT = Conversation((Message("user", "Hi"),), "plain")


class Scripted:
    """Answers by the prompt and the seed; the answer is the ids, a failure, or ids and a finish reason."""

    name = "script"

    def __init__(
        self, answer: Callable[[tuple[int, ...], int], Sequence[int] | Exception | tuple[Sequence[int], str]]
    ) -> None:
        self.answer = answer
        self.asked: list[tuple[tuple[int, ...], int]] = []
        self.at_once = self.most = 0

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        assert params.seed is not None
        self.asked.append((tuple(prompt_ids), params.seed))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(0)
            said = self.answer(tuple(prompt_ids), params.seed)
            if isinstance(said, Exception):
                raise said
            ids, reason = said if isinstance(said, tuple) else (said, "stop")
            yield Delta(tuple(ids), finish_reason=str(reason))
        finally:
            self.at_once -= 1

    async def close(self) -> None:
        return


def arm_of(prompt: Sequence[int]) -> str:
    return next(style for style in STYLES if render_prompt(WITH_CALL, style) == prompt)


def test_counts_rates_and_the_difference_by_rule() -> None:
    def answer(prompt: tuple[int, ...], seed: int) -> Sequence[int]:
        if arm_of(prompt) == OPENAI_008:
            return DOUBLE if seed % 2 else GOOD
        return MISREAD if seed % 10 == 0 else GOOD

    result = finish(run_ab(Scripted(answer), [WITH_CALL], [OPENAI_008, OSS_0011], 40, PARAMS))
    assert [(arm.style, arm.samples, arm.failed, arm.cut) for arm in result.arms] == [
        (OPENAI_008, 40, 0, 0),
        (OSS_0011, 40, 0, 0),
    ]
    malformed, refused = result.row(MALFORMED), result.row(REFUSED)
    assert malformed is not None
    assert [rate.count for rate in malformed.rates] == [20, 4 if inspect(encode_text(MISREAD)).diagnostics else 0]
    assert malformed.rates[0] == wilson(20, 40)
    (one,) = malformed.comparisons
    assert one.difference == difference(*malformed.rates)
    assert one.difference.value == pytest.approx(malformed.rates[1].share - 0.5)
    assert one.difference.low <= one.difference.value <= one.difference.high < 0
    assert one.difference.p == fisher(*malformed.rates)
    double = result.row("HS201")
    assert double is not None
    assert (double.title, double.severity, double.rates) == (
        "duplicate-channel",
        Severity.ERROR,
        (wilson(20, 40), wilson(0, 40)),
    )
    # 0.0.11 takes the last of several channels: the strict parse alone would have seen nothing.
    assert refused is not None
    assert refused.rates == (wilson(0, 40), wilson(0, 40)) or refused.rates[0].count == 20
    assert result.row("HS999") is None
    assert result.most(None) == result.rows
    assert [row.code for row in result.most(1)] == [MALFORMED, REFUSED, "HS201"]
    rules = [row for row in result.rows if row.severity is not None]
    assert [row.comparisons[0].p_holm for row in rules] == holm([row.comparisons[0].difference.p for row in rules])
    assert result.is_complete
    assert result.done == result.planned == 80


def encode_text(ids: Sequence[int]) -> str:
    return vocabulary().decode(ids)


def test_seeds_are_paired_and_reproducible() -> None:
    engine = Scripted(lambda prompt, seed: GOOD)
    experiment = Experiment([WITH_CALL, WITH_CALL], [OPENAI_008, OSS_0011], 3, PARAMS)
    finish(experiment.run(engine))
    by_arm = {style: sorted(seed for prompt, seed in engine.asked if arm_of(prompt) == style) for style in STYLES[:2]}
    assert by_arm[OPENAI_008] == by_arm[OSS_0011] == [100, 101, 102, 103, 104, 105]
    without = Experiment([WITH_CALL], STYLES[:2], 1, SamplingParams())
    assert without.params.seed is not None
    assert [one.id for one in experiment.conversations] == ["called", "called (2)"]


def test_conversations_that_cannot_differ_are_told_apart_and_not_sampled() -> None:
    engine = Scripted(lambda prompt, seed: GOOD)
    result = finish(run_ab(engine, [WITHOUT, WITH_CALL], STYLES, 2, PARAMS))
    assert (result.conversations, result.sampled, result.same, result.planned) == (2, 1, ("plain",), 6)
    assert len(engine.asked) == 6
    with pytest.raises(ABError, match="render the only conversation alike"):
        Experiment([WITHOUT], STYLES, 2, PARAMS)


def test_a_pair_is_compared_over_the_conversations_that_it_renders_differently() -> None:
    # Without a call in it, and its analysis dropped by other rules: only vLLM renders this one otherwise.
    talk = [
        Message("user", "a"),
        Message("assistant", "t", channel="analysis"),
        Message("assistant", "b", channel="final"),
        Message("user", "c"),
        Message("assistant", "u", channel="analysis"),
        Message("assistant", "", channel="commentary"),
        Message("user", "d"),
    ]
    prompts = [render_prompt(talk, style) for style in STYLES]
    assert prompts[0] == prompts[1] != prompts[2]
    result = finish(run_ab(Scripted(lambda p, s: GOOD), [Conversation(tuple(talk)), WITH_CALL], STYLES, 5, PARAMS))
    totals = {(one.first, one.second): one.difference.first.total for row in result.rows[:1] for one in row.comparisons}
    assert totals == {(0, 1): 5, (0, 2): 10, (1, 2): 10}
    assert [arm.samples for arm in result.arms] == [10, 10, 10]


def test_a_conversation_that_a_style_refuses_is_left_out_of_every_arm_and_said() -> None:
    poisoned = Conversation(
        (
            *CALLED[:1],
            Message(
                "assistant",
                "{}",
                channel="commentary",
                recipient="functions.f<|channel|>",
                content_type="<|constrain|>json",
            ),
            Message("tool", "4", name="functions.f<|channel|>", channel="commentary", recipient="assistant"),
        ),
        "poisoned",
    )
    result = finish(run_ab(Scripted(lambda p, s: GOOD), [poisoned, WITH_CALL], [OSS_0011, VLLM_032], 1, PARAMS))
    (refusal,) = result.refusals
    assert (refusal.conversation, refusal.style) == ("poisoned", VLLM_032)
    assert result.planned == 2
    with pytest.raises(ABError, match="No conversation is left to compare: poisoned"):
        Experiment([poisoned], [OSS_0011, VLLM_032], 1, PARAMS)


def test_failures_are_counted_apart_and_never_dropped() -> None:
    def answer(prompt: tuple[int, ...], seed: int) -> Sequence[int] | Exception:
        return EngineError(f"No room for {seed % 2}.") if seed % 4 == 0 else DOUBLE

    result = finish(run_ab(Scripted(answer), [WITH_CALL], STYLES[:2], 20, PARAMS))
    assert [(arm.samples, arm.failed) for arm in result.arms] == [(15, 5), (15, 5)]
    row = result.row(MALFORMED)
    assert row is not None
    assert [(rate.count, rate.total) for rate in row.rates] == [(15, 15), (15, 15)]
    assert result.failures == (("No room for 0.", 10),)
    assert not result.is_complete
    assert result.done == 40
    assert not result.gave_up


def test_an_engine_that_only_fails_is_not_asked_for_ever() -> None:
    engine = Scripted(lambda prompt, seed: EngineGone("The engine ended."))
    result = finish(run_ab(engine, [WITH_CALL], STYLES[:2], 500, PARAMS, parallel=4))
    assert "10 times in a row: The engine ended." in result.gave_up
    assert 10 <= len(engine.asked) < 20
    assert sum(count for _, count in result.failures) == result.done == len(engine.asked)


def test_what_the_limit_cut_is_not_the_models_fault() -> None:
    def answer(prompt: tuple[int, ...], seed: int) -> tuple[Sequence[int], str]:
        ids = (LONG_HEADER, GOOD[:-1], encode("<|channel|>analysis<|channel|>final<|message|>x"))[seed % 3]
        return ids, "length"

    result = finish(run_ab(Scripted(answer), [WITH_CALL], STYLES[:2], 9, SamplingParams(seed=0)))
    assert [(arm.samples, arm.unfinished, arm.cut) for arm in result.arms] == [(6, 3, 6), (6, 3, 6)]
    row = result.row(MALFORMED)
    assert row is not None
    assert [rate.count for rate in row.rates] == [3, 3]
    assert result.row("HS102") is None
    assert result.is_complete
    # The same header, ended by the model itself, is its own fault.
    own = finish(run_ab(Scripted(lambda p, s: (LONG_HEADER, "stop")), [WITH_CALL], STYLES[:2], 2, PARAMS))
    assert [rate.count for rate in own.rows[0].rates] == [2, 2]


def test_no_more_requests_at_once_than_allowed_and_the_watcher_sees_each() -> None:
    engine = Scripted(lambda prompt, seed: GOOD)
    seen: list[tuple[int, int]] = []

    def watcher(experiment: Experiment) -> None:
        result = experiment.result()
        seen.append((len(experiment.samples), result.done))

    finish(run_ab(engine, [WITH_CALL], STYLES, 7, PARAMS, watcher, parallel=5))
    assert engine.most == 5
    assert seen == [(n, n) for n in range(1, 22)]


def test_cancelling_keeps_what_was_finished() -> None:
    async def scenario() -> Experiment:
        experiment = Experiment([WITH_CALL], STYLES[:2], 50, PARAMS, parallel=3)
        task: asyncio.Task[object] | None = None

        def watcher(seen: Experiment) -> None:
            if len(seen.samples) == 11:
                assert task is not None
                task.cancel()

        task = asyncio.create_task(experiment.run(engine, watcher))
        with pytest.raises(asyncio.CancelledError):
            await task
        return experiment

    engine = Scripted(lambda prompt, seed: DOUBLE)
    experiment = finish(scenario())
    result = experiment.result()
    assert 11 <= result.done < 20
    assert not result.is_complete
    assert engine.at_once == 0
    assert sum(rate.count for rate in result.rows[0].rates) == result.done
    assert all(abs(result.arms[0].samples - arm.samples) <= 3 for arm in result.arms)


def test_samples_are_transcripts_that_can_be_read_again() -> None:
    experiment = Experiment([WITH_CALL], [OSS_0011, VLLM_032], 2, PARAMS)
    finish(experiment.run(Scripted(lambda p, s: DOUBLE if s % 2 else GOOD)))
    kept = experiment.transcripts()
    assert [one.id for one in kept] == [
        f"called / {style} / {number}" for number in range(2) for style in (OSS_0011, VLLM_032)
    ]
    text = "".join(json.dumps(transcript_record(one)) + "\n" for one in kept)
    again = read(text, filename="x.jsonl").transcripts
    assert [(one.ids, one.meta, one.prompt_ids, one.role) for one in again] == [
        (one.ids, one.meta, one.prompt_ids, "assistant") for one in kept
    ]
    assert again[1].meta == {"arm": VLLM_032, "conversation": "called", "sample": 0, "seed": 100, "malformed": False}
    assert [one.meta["malformed"] for one in kept] == [False, False, True, True]


@pytest.mark.parametrize(
    ("styles", "n", "said"), [([OSS_0011, OSS_0011], 3, "two styles"), ([OSS_0011, VLLM_032], 0, "at least one sample")]
)
def test_experiments_that_show_nothing(styles: list[str], n: int, said: str) -> None:
    with pytest.raises(ABError, match=said):
        Experiment([WITH_CALL], styles, n, PARAMS)
    with pytest.raises(ABError, match="no conversation"):
        Experiment([], [OSS_0011, VLLM_032], 1, PARAMS)
    with pytest.raises(ValueError, match="no style"):
        Experiment([WITH_CALL], [OSS_0011, "x"], 1, PARAMS)


COUNTS = st.integers(0, 30).flatmap(lambda total: st.integers(0, total).map(lambda count: wilson(count, total)))


@settings(max_examples=300)
@given(COUNTS, COUNTS)
def test_fisher_against_fractions(first: object, second: object) -> None:
    a, b = first, second
    assert isinstance(a, type(b))
    hits, total = a.count + b.count, a.total + b.total  # type: ignore[attr-defined]
    splits = {
        k: Fraction(comb(a.total, k) * comb(b.total, hits - k), comb(total, hits))  # type: ignore[attr-defined]
        for k in range(hits + 1)
        if k <= a.total and hits - k <= b.total  # type: ignore[attr-defined]
    }
    assert sum(splits.values()) == 1
    expected = sum(p for p in splits.values() if p <= splits[a.count])  # type: ignore[attr-defined]
    assert fisher(a, b) == pytest.approx(float(expected), rel=1e-12)  # type: ignore[arg-type]
    told = difference(a, b)  # type: ignore[arg-type]
    assert -1 <= told.low <= told.value <= told.high <= 1
    back = difference(b, a)  # type: ignore[arg-type]
    assert (back.low, back.value, back.high) == pytest.approx((-told.high, -told.value, -told.low))


def test_published_examples() -> None:
    # Newcombe 1998, table II, method 10: 56/70 against 48/80, and 9/10 against 3/10.
    told = difference(wilson(48, 80), wilson(56, 70))
    assert (round(told.low, 4), round(told.high, 4)) == (0.0524, 0.3339)
    told = difference(wilson(3, 10), wilson(9, 10))
    assert (round(told.low, 4), round(told.high, 4)) == (0.1705, 0.8090)
    # Fisher's tea: three of four cups told right.
    assert fisher(wilson(3, 4), wilson(1, 4)) == pytest.approx(34 / 70)
    assert fisher(wilson(0, 0), wilson(1, 4)) == 1.0
    assert holm([]) == []
    assert holm([0.04, 0.04]) == [0.08, 0.08]


def test_the_figure_shows_every_rate_and_nothing_becomes_markup() -> None:
    def answer(prompt: tuple[int, ...], seed: int) -> Sequence[int]:
        return DOUBLE if seed % 3 == 0 else GOOD

    engine = Scripted(answer)
    engine.name = "<script>alert(1)</script>"
    result = finish(run_ab(engine, shipped_conversations(), STYLES, 3, PARAMS))
    for theme in ("light", "dark"):
        figure = forest_figure(result, theme)
        assert [trace["name"].split(" (")[0] for trace in figure["data"]] == list(STYLES)
        for at, trace in enumerate(figure["data"]):
            rates = [row.rates[at] for row in result.rows]
            assert trace["x"] == [round(rate.share, 5) for rate in rates]
            highs = [x + plus for x, plus in zip(trace["x"], trace["error_x"]["array"], strict=True)]
            assert highs == pytest.approx([rate.high for rate in rates], abs=2e-5)
        assert len({trace["marker"]["symbol"] for trace in figure["data"]}) == 3
        assert not [note for note in figure["layout"]["annotations"] if note["text"].startswith("p ")]
        json.dumps(figure)
    two = finish(run_ab(engine, shipped_conversations(), STYLES[:2], 3, PARAMS))
    notes = [note["text"] for note in forest_figure(two, "light")["layout"]["annotations"] if note["x"] == 1]
    assert notes == [f"{p_name(row)} {p_words(row.comparisons[0].p_holm)}" for row in two.most(RULES)]
    assert [note.startswith("p (Holm) ") for note in notes] == [row.severity is not None for row in two.most(RULES)]
    assert any(note.startswith("p (Holm) ") for note in notes)
    text = page(result)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    for row in result.rows:
        assert row.title in text
