"""Live runs on the real engine: many samples at full speed, and every token of them reaches the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import pytest

from inspector.live.hearing import Hearer
from inspector.live.loop import Loop
from inspector.live.runs import MAX_SAMPLES, LiveRun
from inspector.live.telling import Teller
from inspector.samplers import OneShot, SamplingParams
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.prompts import build_prompt

PROMPT = build_prompt(None, None, (), "Go on.", date="2026-01-01")
TOKENS = 48


@pytest.fixture(scope="module")
def loop() -> Loop:
    return Loop("engine tests")


@pytest.fixture(scope="module")
def engine(loop: Loop, engine_python: str, tiny_model: str) -> Iterator[OfflineEngine]:
    options = {"max_model_len": 1024, "max_num_seqs": MAX_SAMPLES, "enforce_eager": True}
    engine = OfflineEngine(tiny_model, python=engine_python, options=options)
    loop.wait(engine.start(), 300)
    yield engine
    loop.wait(engine.close(), 60)


def test_sixty_four_samples_at_once_and_nothing_is_dropped(engine: OfflineEngine, loop: Loop) -> None:
    params = SamplingParams(max_tokens=TOKENS, temperature=1.0, seed=7, ignore_eos=True, logprobs=2)
    run = LiveRun(engine, OneShot(), [PROMPT] * MAX_SAMPLES, params)
    teller = Teller(run)
    pages = [Hearer() for _ in range(MAX_SAMPLES)]
    random = Random(3)
    run.start(loop)
    looks = 0
    while run.state == "running":
        number = random.randrange(MAX_SAMPLES)
        pages[number].hear(teller.tokens(number, pages[number].have))
        summary = json.loads(teller.summary())
        assert len(summary["rows"]) == MAX_SAMPLES
        looks += 1
        with suppress(TimeoutError):
            run.wait(0.1)
    run.wait(300)
    assert (run.state, run.error) == ("done", "")
    assert looks > 3, "it was over before anybody looked"
    for number, page in enumerate(pages):
        page.hear(teller.tokens(number, page.have))
        rollout = run.rollout(number)
        assert page.ids == list(run.transcript(number).ids)
        assert len(rollout.ids) == len(rollout.logprobs) == TOKENS
        assert rollout.finish_reason == "length"
    assert len({run.rollout(number).ids for number in range(MAX_SAMPLES)}) == MAX_SAMPLES, "each has a seed of its own"
    while (summary := json.loads(teller.summary()))["behind"]:
        pass
    assert summary["tokens"] == MAX_SAMPLES * TOKENS
    assert all(row["judged"]["count"] == TOKENS for row in summary["rows"])


def test_a_run_that_is_stopped_leaves_nothing_behind_in_the_engine(engine: OfflineEngine, loop: Loop) -> None:
    params = SamplingParams(max_tokens=900, ignore_eos=True, logprobs=None)
    run = LiveRun(engine, OneShot(), [PROMPT] * 8, params)
    run.start(loop)
    while min(run.count(number) for number in range(8)) < 2:
        with suppress(TimeoutError):
            run.wait(0.05)
    run.stop()
    run.wait(60)
    assert run.state == "stopped"
    assert loop.wait(engine.running(), 60) == 0
    assert all(0 < run.count(number) < 900 for number in range(8))
