"""The parts of the Live page, and the panel on Inspect, over engines that say what they are told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.live.gate import GATE
from inspector.live.runs import RUNS
from inspector.samplers.values import Delta, SamplingParams
from inspector.tokens import CALL, Transcript, vocabulary
from inspector.ui.live_state import LiveBench
from inspector.view.viewmodel import digest

from ..samplers.injecting_engine import InjectingEngine
from .test_live_page import head

encode = vocabulary().encode_markers
GOOD = tuple(encode("<|channel|>final<|message|>Yes.<|return|>"))
BAD = tuple(encode("<|channel|>commentary to=functions.bash # now<|constrain|>json<|message|>{}<|call|>"))
CALLED = tuple(
    encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
)
BROKEN = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"


class Saying:
    """Says one thing behind a prompt that holds a certain token, and another one behind all others."""

    name = "saying"

    def __init__(self, otherwise: Sequence[int] = GOOD, where: int = -1, there: Sequence[int] = BAD) -> None:
        self.otherwise, self.where, self.there = otherwise, where, there
        self.asked: list[tuple[tuple[int, ...], SamplingParams]] = []

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        self.asked.append((tuple(prompt_ids), params))
        await asyncio.sleep(0)
        ids = tuple(self.there if self.where in prompt_ids else self.otherwise)[: params.max_tokens]
        top = (((200003, -0.1), (ids[0], -2.5), (CALL, -4.0)), *((),) * (len(ids) - 1))
        last = ids[-1] if ids[-1] == CALL else None
        yield Delta(ids, (-2.5,) * len(ids), top, "stop", last)

    async def close(self) -> None:
        return


@pytest.fixture(autouse=True)
def open_gate() -> Iterator[None]:
    before = (GATE.served, GATE.allowed, GATE.is_private)
    GATE.served = GATE.allowed = GATE.is_private = True
    yield
    GATE.served, GATE.allowed, GATE.is_private = before


def labelled(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption)).replace("\\", "")


def live(root: Path, engine: Any, part: str) -> AppTest:
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.session_state["harmonylens.live"] = LiveBench(engine=engine, about="an engine")
    app.session_state["live.part"] = part
    app.switch_page(str(root / "pages" / "live.py"))
    return app.run()


def finished(app: AppTest, key: str) -> AppTest:
    """The page once the work that ``key`` holds is over."""
    job = app.session_state[key].job
    assert job is not None
    assert job.wait(60)
    app.run()
    assert not app.exception
    assert not app.error
    return app


def test_the_ab_experiment_is_run_and_told(root: Path) -> None:
    engine = Saying()
    app = live(root, engine, "A/B of renderings")
    labelled(app.number_input, "Samples of each").set_value(2)
    labelled(app.text_input, "Seed").set_value("11")
    labelled(app.button, "Run the experiment").click()
    app.run()
    finished(app, "harmonylens.ab")
    result = app.session_state["harmonylens.ab"].experiment.result()
    assert result.is_complete
    assert len(engine.asked) == result.planned > 0
    seeds = Counter(params.seed for _, params in engine.asked)
    assert min(seeds) == 11
    assert set(seeds.values()) == {2}, "both arms are drawn with the same seeds"
    assert "seed 11" in texts(app)
    assert "openai-harmony 0.0.8 | oss-harmony 0.0.11" in texts(app)
    assert f"0.0 % (0/{result.planned // 2})" in texts(app)
    assert "| difference | p (Holm) |" in texts(app)
    assert app.get("plotly_chart")
    assert app.get("download_button")


def test_an_experiment_that_shows_nothing_is_refused_in_a_sentence(root: Path) -> None:
    app = live(root, Saying(), "A/B of renderings")
    labelled(app.multiselect, "Styles").set_value(["vLLM 0.32"])
    labelled(app.button, "Run the experiment").click()
    app.run()
    assert "two" in app.warning[0].value
    labelled(app.multiselect, "Styles").set_value(["vLLM 0.32", "oss-harmony 0.0.11"])
    labelled(app.text_input, "Seed").set_value("x")
    labelled(app.button, "Run the experiment").click()
    app.run()
    assert app.warning[0].value.startswith("The seed is")


def test_both_strategies_stand_side_by_side_with_their_traps(root: Path) -> None:
    engine = InjectingEngine((*CALLED, *GOOD))
    app = live(root, engine, "Tool strategies")
    labelled(app.text_area, "What the user says, a line for each prompt").set_value("What is 3 times 302?")
    labelled(app.button, "Compare").click()
    app.run()
    finished(app, "harmonylens.strategies")
    held = app.session_state["harmonylens.strategies"]
    (pair,) = held.job.result
    assert "906" in vocabulary().decode(pair.loop.rollout.ids)
    assert pair.parts_at is None
    said = texts(app)
    assert "both ways gave the same tokens" in said
    assert f"| 1 | Tool loop | {len(pair.loop.rollout.ids)} |" in said
    assert "ignore_eos" in said
    assert "add, multiply, clock, echo, fail" in said
    assert "| trained on (loss mask 1) | logprobs of the tokens put in |" in said
    shown = RUNS.find(held.run)
    assert shown is not None
    assert [shown.transcript(n).ids for n in (0, 1)] == [pair.loop.rollout.ids, pair.injecting.rollout.ids]
    assert shown.state == "done"


def test_an_engine_without_the_processor_is_a_sentence(root: Path) -> None:
    app = live(root, InjectingEngine((*CALLED, *GOOD), processor=False), "Tool strategies")
    labelled(app.button, "Compare").click()
    app.run()
    finished(app, "harmonylens.strategies")
    assert "--logits-processors" in app.warning[0].value.replace("\\", "")
    assert "| failed |" in texts(app)


def test_the_guard_is_measured_and_its_absence_is_told(root: Path) -> None:
    app = live(root, Saying(BAD), "Generate")
    labelled(app.text_area, "User").set_value("List it.")
    app.run()
    app.session_state["live.part"] = "Guard"
    app.run()
    labelled(app.number_input, "Samples of each").set_value(3)
    labelled(app.button, "Measure").click()
    app.run()
    finished(app, "harmonylens.guard")
    assert "100 % (3 of 3)" in texts(app)
    assert app.warning[0].value == "With the guard nothing can be illegal: the engine was started without it."
    told = head(app)
    assert told is not None
    # Six samples: what the three without the guard would have lost.
    assert told["blocked"]["words"].endswith(", in 3 of 3 samples.")
    assert {row["sample"] for row in told["blocked"]["rows"]} == {0, 1, 2}


def test_the_guard_leads_to_where_its_prompt_is_filled_in(root: Path) -> None:
    engine = Saying()
    app = live(root, engine, "Guard")
    labelled(app.button, "Measure").click()
    app.run()
    assert "filled in under Generate" in app.warning[0].value
    labelled(app.button, "Go to Generate").click()
    app.run()
    assert not app.exception
    assert app.session_state["live.part"] == "Generate"
    app.session_state["live.tab"] = "Raw tokens"
    app.run()
    labelled(app.text_area, "Prompt").set_value("200006, 1428, 200008, 13225, 200007, 200006, 173781")
    app.run()
    app.session_state["live.part"] = "Guard"
    app.run()
    labelled(app.number_input, "Samples of each").set_value(2)
    labelled(app.button, "Measure").click()
    app.run()
    # It goes by the raw prompt although its tab is not shown.
    finished(app, "harmonylens.guard")
    assert not app.warning
    assert {prompt for prompt, _ in engine.asked} == {(200006, 1428, 200008, 13225, 200007, 200006, 173781)}
    assert not any(button.label == "Go to Generate" for button in app.button)
    app.session_state["live.part"] = "Generate"
    app.run()
    assert app.session_state["live.tab"] == "Raw tokens"
    assert labelled(app.text_area, "Prompt").value == "200006, 1428, 200008, 13225, 200007, 200006, 173781"


def test_a_warning_goes_when_what_it_speaks_of_was_mended(root: Path) -> None:
    app = live(root, Saying(), "Guard")
    labelled(app.button, "Measure").click()
    app.run()
    assert app.warning[0].value.startswith("Write what the user says")
    app.session_state["live.part"] = "Generate"
    app.run()
    labelled(app.text_area, "User").set_value("List it.")
    app.run()
    app.session_state["live.part"] = "Guard"
    app.run()
    assert not app.warning
    app.session_state["live.part"] = "A/B of renderings"
    app.run()
    labelled(app.text_input, "Seed").set_value("x")
    labelled(app.button, "Run the experiment").click()
    app.run()
    assert app.warning[0].value.startswith("The seed is")
    labelled(app.text_input, "Seed").set_value("7")
    app.run()
    assert not app.warning


@pytest.mark.parametrize(
    ("part", "name", "button", "label", "value"),
    [
        ("A/B of renderings", "ab", "Run the experiment", "Samples of each", 3),
        ("Tool strategies", "strategies", "Compare", "Max tokens", 99),
        ("Guard", "guard", "Measure", "Samples of each", 3),
    ],
)
def test_work_is_found_again_by_the_address(
    root: Path, part: str, name: str, button: str, label: str, value: int
) -> None:
    app = live(root, Saying(BAD), "Generate")
    labelled(app.text_area, "User").set_value("List it.")
    app.run()
    app.session_state["live.part"] = part
    app.run()
    labelled(app.number_input, label).set_value(value)
    labelled(app.button, button).click()
    app.run()
    before = app.session_state[f"harmonylens.{name}"]
    assert before.job.wait(60)
    assert app.query_params["part"] == name
    found = app.query_params[name]
    assert len(found) >= 22, "128 bits cannot be guessed"

    again = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    again.switch_page(str(root / "pages" / "live.py"))
    again.query_params["part"], again.query_params[name] = name, found
    again.run()
    assert not again.exception
    assert again.session_state["live.part"] == part
    assert again.session_state[f"harmonylens.{name}"] is before
    assert labelled(again.number_input, label).value == value
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.switch_page(str(root / "pages" / "live.py"))
    other.query_params["part"], other.query_params[name] = name, found[:-1]
    other.run()
    assert other.session_state[f"harmonylens.{name}"].job is None


def inspected(root: Path, engine: Any) -> AppTest:
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.session_state["harmonylens.live"] = LiveBench(engine=engine, about="an engine")
    app.run()
    app.text_area[0].set_value(BROKEN)
    labelled(app.button, "Inspect").click()
    app.run()
    app.session_state["w.live"] = True
    return app.run()


def test_what_the_model_nearly_said_is_asked_at_the_failing_token(root: Path) -> None:
    engine = Saying()
    app = inspected(root, engine)
    broken = tuple(encode(BROKEN))
    assert "Token 2 <|channel|>" in texts(app).replace("**", "")
    labelled(app.button, "What did it nearly say here?").click()
    app.run()
    app.run()
    ((prompt, params),) = engine.asked
    assert prompt == (*encode("<|start|>assistant"), *broken[:2])
    assert (params.max_tokens, params.logprobs) == (1, 20)
    said = texts(app)
    assert "<|constrain|>" in said
    assert "90.48 %" in said
    assert "not legal" in said
    assert "said" in said


def test_resampling_keeps_the_prefix_and_counts_the_same_failure(root: Path) -> None:
    engine = Saying(encode(BROKEN)[2:])
    app = inspected(root, engine)
    labelled(app.number_input, "Samples").set_value(4)
    labelled(app.button, "Resample from token 2").click()
    app.run()
    held = app.session_state["harmonylens.live"]
    run = RUNS.find(held.run)
    assert run is not None
    run.wait(60)
    assert len(run.prompts) == 4
    assert run.watched == {"HS201"}
    assert run.transcript(0).ids == tuple(encode(BROKEN)), "the kept prefix stands before what was drawn"
    app.run()
    assert not app.exception


def test_what_was_opened_from_the_live_page_is_drawn_again_as_it_was_drawn(root: Path) -> None:
    engine = Saying(encode(BROKEN)[2:])
    app = inspected(root, engine)
    assert labelled(app.number_input, "Temperature").value == 1.0
    opened = digest(Transcript(tuple(encode(BROKEN)), role="assistant"))
    app.session_state["harmonylens.live"].seen["drawn"] = (opened, SamplingParams(99, 1.5, top_p=0.9))
    app.session_state["w.live"] = False
    app.run()
    app.session_state["w.live"] = True
    app.run()
    assert labelled(app.number_input, "Temperature").value == 1.5
    assert labelled(app.number_input, "Max tokens").value == 99
    labelled(app.button, "Resample from token 2").click()
    app.run()
    run = RUNS.find(app.session_state["harmonylens.live"].run)
    assert run is not None
    run.wait(60)
    assert (run.params.temperature, run.params.top_p) == (1.5, 0.9)


def test_without_an_engine_the_panel_says_where_to_get_one(root: Path) -> None:
    app = inspected(root, None)
    assert "choose one on the Live page" in texts(app)
