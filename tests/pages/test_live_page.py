"""The Live page as Streamlit runs it, without a browser: what it asks for, what it refuses, what it mounts."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.live.gate import GATE, Gate
from inspector.live.runs import RUNS
from inspector.samplers import OneShot
from inspector.samplers.prompts import render_prompt
from inspector.tokens import vocabulary
from inspector.ui import live_engines, live_prompt
from inspector.ui.live_state import LiveBench
from inspector.view.container import unpack

from ..samplers.fake_server import KEY, FakeServer, LikeVllm


@pytest.fixture
def gate() -> Iterator[Gate]:
    """The gate as a test wants it, put back afterwards."""
    before = (GATE.served, GATE.allowed, GATE.is_private)
    GATE.served = GATE.allowed = GATE.is_private = True
    yield GATE
    GATE.served, GATE.allowed, GATE.is_private = before


@pytest.fixture
def app(root: Path, gate: Gate) -> AppTest:
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.switch_page(str(root / "pages" / "live.py"))
    return app.run()


def labelled(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


def press(app: AppTest, label: str) -> None:
    labelled(app.button, label).click()
    app.run()
    assert not app.exception


def warnings(app: AppTest) -> list[str]:
    return [element.value.replace("\\", "") for element in app.warning]


def head(app: AppTest) -> dict[str, Any] | None:
    """What the live view was told, None where it is not there."""
    for element in app.get("bidi_component"):
        data = bytes(element.proto.bytes)
        if data[:4] == b"HSV1":
            return unpack(data)[0]
    return None


def work(app: AppTest) -> LiveBench:
    found = app.session_state["harmonylens.live"]
    assert isinstance(found, LiveBench)
    return found


def replay(app: AppTest) -> None:
    """Choose a shipped sample in the place of an engine."""
    app.session_state["live.engine"] = True
    app.run()
    labelled(app.number_input, "Tokens per second").set_value(5000)
    press(app, "Replay it")
    assert work(app).about.startswith("Replay: ")


@pytest.mark.parametrize(
    ("served", "allowed", "said"), [(False, True, "`harmonylens app`"), (True, False, "--allow-live")]
)
def test_where_it_is_off_it_says_why_and_offers_nothing(
    root: Path, gate: Gate, served: bool, allowed: bool, said: str
) -> None:
    gate.served, gate.allowed = served, allowed
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.switch_page(str(root / "pages" / "live.py"))
    app.run()
    assert said in app.info[0].value
    assert not app.button
    assert not app.text_input


def test_without_an_engine_it_says_so_and_keeps_what_was_typed(app: AppTest) -> None:
    labelled(app.text_area, "User").set_value("How much is it?")
    press(app, "Generate")
    assert warnings(app) == ["Choose an engine first: connect a vLLM server, start one, or replay a transcript."]
    assert labelled(app.text_area, "User").value == "How much is it?"
    assert head(app) is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("Seed", "seven", "The seed is 'seven': expected a whole number, or nothing for any."),
        ("Stop token ids", "200012, x", "The stop token ids are '200012, x': expected numbers, separated by commas."),
        ("Stop strings", "[1]", 'The stop strings are no JSON list of strings, such as ["a", "b"].'),
    ],
)
def test_what_no_engine_takes_is_a_sentence(app: AppTest, field: str, value: str, said: str) -> None:
    labelled(app.text_area, "User").set_value("How much is it?")
    labelled(app.text_input, field).set_value(value)
    press(app, "Generate")
    assert warnings(app) == [said]


def test_the_prompt_is_shown_as_tokens_before_anything_is_sampled(app: AppTest) -> None:
    press(app, "Show the prompt as tokens")
    assert warnings(app) == ["Write what the user says, or give the prompt as raw tokens."]
    labelled(app.text_area, "User").set_value("Spell <|call|> as text.")
    press(app, "Show the prompt as tokens")
    assert warnings(app) == []
    told = head(app)
    assert told is not None
    assert told["run"] == ""
    prompt = work(app).prompt
    text = vocabulary().decode(prompt)
    assert text.endswith("<|start|>user<|message|>Spell <|call|> as text.<|end|><|start|>assistant")
    assert vocabulary().encode_markers("<|call|>")[0] not in prompt, "what a person types never becomes a marker"
    assert told["count"] == len(prompt)


def test_raw_tokens_are_taken_as_they_are(app: AppTest) -> None:
    app.session_state["live.tab"] = "Raw tokens"
    app.run()
    press(app, "Show the prompt as tokens")
    assert warnings(app) == ["Write the prompt with its markers, or as token ids."]
    labelled(app.text_area, "Prompt").set_value("[200006, 1428, 200008, 13225, 200007, 200006, 173781]")
    press(app, "Show the prompt as tokens")
    assert work(app).prompt == (200006, 1428, 200008, 13225, 200007, 200006, 173781)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "999999999",
            "Token 0 of the prompt is 999999999, which gpt-oss does not have: expected ids from 0 to 201087.",
        ),
        ("-5", "Token 0 of the prompt is -5, which gpt-oss does not have: expected ids from 0 to 201087."),
        (
            "200006, 201088",
            "Token 1 of the prompt is 201088, which gpt-oss does not have: expected ids from 0 to 201087.",
        ),
        ("[200006, 1428", "The token ids cannot be read: line 1, column 14: the list is not closed"),
        ('{"messages": [{"role": "robot", "content": "Hi"}]}', "The chat request cannot be rendered: message 1 has"),
        ('{"messages": 7}', "The chat request cannot be rendered: `messages` is no list"),
    ],
)
def test_a_raw_prompt_that_cannot_be_is_refused(app: AppTest, text: str, said: str) -> None:
    app.session_state["live.tab"] = "Raw tokens"
    app.run()
    labelled(app.text_area, "Prompt").set_value(text)
    press(app, "Show the prompt as tokens")
    (told,) = warnings(app)
    assert told.startswith(said)
    assert work(app).prompt == ()
    assert labelled(app.text_area, "Prompt").value == text


def test_a_lone_number_is_an_id_and_a_chat_request_is_rendered_with_its_tools(app: AppTest) -> None:
    app.session_state["live.tab"] = "Raw tokens"
    app.run()
    labelled(app.text_area, "Prompt").set_value("7")
    press(app, "Show the prompt as tokens")
    assert work(app).prompt == (7,)
    request = {
        "messages": [{"role": "user", "content": "How <|call|>?"}],
        "tools": [{"type": "function", "function": {"name": "weigh", "description": "Weighs.", "parameters": {}}}],
        "date": "2026-01-31",
    }
    replay(app)
    labelled(app.text_area, "Prompt").set_value(json.dumps(request))
    press(app, "Generate")
    assert warnings(app) == []
    assert work(app).prompt == render_prompt(request)
    run = RUNS.find(work(app).run)
    assert run is not None
    assert run.tools == ("functions.weigh",)
    run.wait(60)


def test_a_replay_is_sampled_and_shown(app: AppTest) -> None:
    replay(app)
    labelled(app.text_area, "User").set_value("How much is it?")
    labelled(app.number_input, "Samples").set_value(3)
    press(app, "Generate")
    run = RUNS.find(work(app).run)
    assert run is not None
    run.wait(60)
    assert run.state == "done"
    assert len(run.prompts) == 3
    told = head(app)
    assert told is not None
    assert (told["run"], told["base"], told["acts"]) == (run.id, "_live", True)
    press(app, "Generate again")
    assert work(app).before == [run.id]
    press(app, "Back to the run before")
    assert work(app).run == run.id


def test_an_api_key_stays_with_the_engine(app: AppTest) -> None:
    app.session_state["live.engine"] = True
    app.run()
    key = labelled(app.text_input, "API key")
    key.set_value("sk-secret-of-mine")
    labelled(app.text_input, "Base URL").set_value("127.0.0.1:1")
    press(app, "Connect")
    assert app.error
    assert "secret" not in " ".join(element.value for element in app.error)
    assert "secret" not in repr(work(app))


def test_the_other_parts_ask_for_an_engine_first(app: AppTest) -> None:
    for part, label in (
        ("A/B of renderings", "Run the experiment"),
        ("Tool strategies", "Compare"),
        ("Guard", "Measure"),
    ):
        app.session_state["live.part"] = part
        app.run()
        assert not app.exception
        assert labelled(app.button, label).disabled
        assert any("engine first" in caption.value for caption in app.caption)


def test_a_warning_goes_when_what_it_speaks_of_changes(app: AppTest) -> None:
    press(app, "Generate")
    assert warnings(app) == ["Write what the user says, or give the prompt as raw tokens."]
    labelled(app.number_input, "Samples").set_value(2)
    app.run()
    assert warnings(app) == []
    press(app, "Generate")
    labelled(app.text_area, "User").set_value("How much is it?")
    app.run()
    assert warnings(app) == []


def address(root: Path, **query: str) -> AppTest:
    """The page as a new session sees it that was given an address: after a reload, or by a link."""
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.switch_page(str(root / "pages" / "live.py"))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_reload_finds_what_was_asked_and_of_whom(app: AppTest, root: Path) -> None:
    replay(app)
    labelled(app.text_area, "User").set_value("How much is it?")
    labelled(app.number_input, "Samples").set_value(3)
    labelled(app.text_input, "Seed").set_value("7")
    app.session_state["live.tools"] = ["multiply"]
    press(app, "Generate")
    run = RUNS.find(work(app).run)
    assert run is not None
    run.wait(60)
    app.run()
    assert app.query_params["run"] == run.id
    again = address(root, run=run.id)
    assert work(again).run == run.id
    assert work(again).about == work(app).about
    assert labelled(again.text_area, "User").value == "How much is it?"
    assert labelled(again.number_input, "Samples").value == 3
    assert labelled(again.text_input, "Seed").value == "7"
    assert labelled(again.multiselect, "Declared tools").value == ["multiply"]
    press(again, "Generate again")
    second = RUNS.find(work(again).run)
    assert second is not None
    second.wait(60)
    assert second.id != run.id
    assert [second.transcript(n).ids for n in range(3)] == [run.transcript(n).ids for n in range(3)]


def connected(app: AppTest, url: str, key: str = "") -> None:
    app.session_state["live.engine"] = True
    app.run()
    labelled(app.text_input, "Base URL").set_value(url)
    if key:
        labelled(app.text_input, "API key").set_value(key)
    press(app, "Connect")


def answered(app: AppTest) -> str:
    """The id of a run that has ended."""
    labelled(app.text_area, "User").set_value("Hi")
    press(app, "Generate")
    run = RUNS.find(work(app).run)
    assert run is not None
    run.wait(60)
    assert run.state == "done"
    return run.id


def test_a_reload_connects_the_server_again_but_keeps_no_key(app: AppTest, root: Path, gate: Gate) -> None:
    said = vocabulary().encode_markers("<|channel|>final<|message|>Yes.<|return|>")
    with FakeServer(LikeVllm(lambda _: said)) as server:
        connected(app, server.url)
        assert "vLLM 0.32.0" in work(app).about
        run = answered(app)
        again = address(root, run=run)
        assert work(again).about == work(app).about
        assert work(again).engine is not work(app).engine
        gate.is_private = False
        asked = len(server.seen)
        linked = address(root, run=run)
        assert work(linked).engine is None, "where others reach the app, a link makes it contact nobody"
        assert len(server.seen) == asked
        assert work(linked).run == run
    gate.is_private = True
    with FakeServer(LikeVllm(lambda _: said, KEY)) as server:
        connected(app, server.url, KEY)
        run = answered(app)
        kept = RUNS.find(run)
        assert kept is not None
        assert KEY not in repr(kept.asked)
        asked = len(server.seen)
        again = address(root, run=run)
        assert work(again).engine is None
        assert len(server.seen) == asked
        assert warnings(again) == [f"{work(app).about} was given an API key, which is not kept: connect it again."]
        assert again.session_state["live.url"] == server.url


def test_connecting_to_a_server_that_says_nothing_is_cancelled_at_once(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_engines, "_AT_ONCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connected(app, f"http://127.0.0.1:{silent.getsockname()[1]}")
        trying = work(app).connecting
        assert trying is not None
        assert trying.job.state == "running"
        press(app, "Stop")
        assert trying.job.state == "stopped"
        app.run()
    assert work(app).connecting is None
    assert work(app).engine is None
    assert work(app).problem == ""
    assert labelled(app.text_input, "Base URL").value.startswith("http://127.0.0.1:")


def test_generate_while_connecting_says_so_until_that_is_over(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_engines, "_AT_ONCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        connected(app, f"http://{where}")
        labelled(app.text_area, "User").set_value("How much is it?")
        press(app, "Generate")
        said = [f"Still connecting to {where}: press Generate again when it is there."]
        assert [text.replace(":small[]", "") for text in warnings(app)] == said
        app.run()
        assert warnings(app), "it stays as long as it is so"
        press(app, "Stop")
        app.run()
    assert warnings(app) == []
    assert work(app).run == ""


def test_a_server_that_says_nothing_is_given_up_with_what_was_waited_for(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector.samplers.server.GREET_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connected(app, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "sent nothing for 0.2 s when asked for /version" in work(app).problem
    labelled(app.button, "Connect")


class Twice(OneShot):
    """Somebody's own sampler."""

    name = "twice"


def test_a_sampler_of_one_s_own_can_be_named_but_not_where_others_reach_the_app(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # AppTest cannot type what a list does not have.
    filled = {"user": "How much is it?", "sampler": f"{__name__}:Twice"}
    monkeypatch.setattr(live_prompt, "_said", lambda name, default: filled.get(name, default))
    assert live_prompt.wish().sampler.name == "twice"
    gate.is_private = False
    with pytest.raises(live_prompt.NotYet, match="choose one of the list"):
        live_prompt.wish()
    gate.is_private = True
    filled["sampler"] = "no.such.module:Sampler"
    with pytest.raises(live_prompt.NotYet) as told:
        live_prompt.wish()
    assert "no module 'no' among the installed packages or in " in str(told.value)
    assert os.getcwd() in str(told.value), "it says which folder was looked in"


def test_a_sampler_in_the_current_folder_is_found(gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sampler_lying_here.py").write_text(
        "from inspector.samplers import OneShot\n\nclass Mine(OneShot): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])
    filled = {"user": "How much is it?", "sampler": "sampler_lying_here:Mine"}
    monkeypatch.setattr(live_prompt, "_said", lambda name, default: filled.get(name, default))
    assert type(live_prompt.wish().sampler).__name__ == "Mine"
