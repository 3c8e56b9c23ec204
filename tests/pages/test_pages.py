"""The pages as Streamlit runs them, without a browser: what they mount and what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector import inspect
from inspector.gallery import load_sample, load_samples
from inspector.report.rules import all_rules
from inspector.ui.state import Bench
from inspector.view.container import unpack

from ..view.feed_reading import read_feed

BROKEN = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


def mounted(app: AppTest) -> list[Any]:
    return [element.proto for element in app.get("bidi_component")]


def messages(app: AppTest) -> dict[str, Any]:
    """What the components were given: the containers' heads and the JSON messages, by what they are."""
    found: dict[str, Any] = {}
    for proto in mounted(app):
        data = bytes(proto.bytes)
        if data[:4] == b"HSV1":
            found["screen"] = unpack(data)[0]
        else:
            body = json.loads(data)
            kind = "cards" if "groups" in body else "address" if "answered" in body else "feed"
            found[body.get("part") or kind] = body
    if "feed" in found:
        base = json.dumps(found["base"]["value"]).encode() if "base" in found else None
        found["feed"] = read_feed(json.dumps(found["feed"]).encode(), base)
    return found


def submit(app: AppTest, text: str) -> None:
    app.text_area[0].set_value(text)
    next(b for b in app.button if b.label == "Inspect").click()
    app.run()


def read_as(app: AppTest, name: str) -> None:
    next(box for box in app.selectbox if box.label == "Read it as").set_value(name)


def open_input(app: AppTest) -> None:
    """The input's panel, which stands in a popover beside a transcript."""
    app.session_state["w.input"] = True
    app.run()


def bench_of(app: AppTest) -> Bench:
    found = app.session_state["harmonylens.bench"]
    assert isinstance(found, Bench)
    return found


def test_the_empty_page_offers_examples(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert messages(app)["cards"]["kind"] == "samples"
    assert messages(app)["address"]["id"] == "start"
    items = messages(app)["cards"]["groups"][0]["items"]
    assert len(items) == 8
    assert items[0]["href"] == f"?sample={items[0]['name']}"


def test_pasted_text_is_inspected(app: AppTest) -> None:
    app.run()
    submit(app, BROKEN)
    assert not app.exception
    found = messages(app)
    assert found["screen"]["count"] == len(inspect(BROKEN).transcript.ids)
    assert found["screen"]["digest"] == found["feed"]["digest"] == found["checks"]["digest"]
    assert found["feed"]["findings"][0]["code"] == "HS201"
    assert "continuing after <|start|>assistant" in found["feed"]["settings"]["read_as"]


def test_the_libraries_are_asked(app: AppTest) -> None:
    app.run()
    submit(app, BROKEN)
    states = {name: check["state"] for name, check in messages(app)["checks"]["value"].items()}
    assert states["oss-harmony 0.0.11"] == "same"
    assert states["openai-harmony 0.0.8"] in ("same", "model")


def test_switches_come_back_and_stay(app: AppTest) -> None:
    app.run()
    submit(app, BROKEN)
    before = messages(app)
    key = before["feed"]["findings"][0]["key"]
    said = {"digest": before["feed"]["digest"], "off": [key], "choices": {}}
    bench_of(app).take_fixes(said)
    app.run()
    after = messages(app)
    assert after["screen"] == before["screen"]
    assert [f["on"] for f in after["feed"]["findings"] if f["key"] == key] == [False]
    assert after["feed"]["repair"]["edits"] == []
    app.switch_page(str(Path("../pages/gallery.py"))).run()
    app.switch_page(str(Path("../pages/inspect.py"))).run()
    assert messages(app)["feed"]["repair"]["edits"] == []
    open_input(app)
    assert app.text_area[0].value == BROKEN


@pytest.mark.parametrize(
    "said",
    [None, "x", {}, {"digest": 1, "off": [], "choices": {}}, {"digest": "d", "off": "x", "choices": []}],
)
def test_what_is_not_of_the_form_is_left_out(said: object) -> None:
    work = Bench()
    work.take_fixes(said)
    work.take_selection(said)
    assert (work.off, work.choices, work.selection) == ({}, {}, {})


def test_a_sample_opens_by_its_address_with_all_it_knows(app: AppTest) -> None:
    app.query_params["sample"] = "lost-call"
    app.run()
    assert not app.exception
    sample = load_sample("lost-call")
    found = messages(app)
    assert found["feed"]["settings"]["title"] == sample.title
    assert found["feed"]["finish"]["reported"] == sample.transcript.finish_reason
    assert found["screen"]["count"] == len(sample.transcript.ids)


@pytest.mark.parametrize("name", [sample.name for sample in load_samples()])
def test_every_sample_becomes_an_input_that_reads_the_same(name: str) -> None:
    from inspector.ui.inspect_page import open_sample

    work = Bench()
    assert open_sample(work, name)
    loaded = work.load()
    assert loaded.problems == ()
    (read,) = loaded.transcripts
    sample = load_sample(name).transcript
    assert (read.ids, read.role, read.tools) == (sample.ids, sample.role, sample.tools)


@pytest.mark.parametrize("name", ["no-such-sample", "../../etc/passwd", "<b>x</b>"])
def test_an_unknown_sample_is_one_sentence(app: AppTest, name: str) -> None:
    app.query_params["sample"] = name
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert "There is no sample called" in app.error[0].value
    assert "<b>" not in app.error[0].value
    assert "cards" in messages(app)


def test_bad_input_is_one_sentence_and_kept(app: AppTest) -> None:
    app.run()
    read_as(app, "ids")
    submit(app, "1 2 three")
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith(r"Line 1\, column 5\: ")
    open_input(app)
    assert app.text_area[0].value == "1 2 three"


def test_several_transcripts_can_be_chosen_from(app: AppTest) -> None:
    app.run()
    submit(app, '{"id": "a", "token_ids": [200005]}\n{"id": "b", "token_ids": [200005, 17196]}')
    assert messages(app)["screen"]["count"] == 1
    app.selectbox(key="w.record").select_index(1).run()
    assert messages(app)["screen"]["count"] == 2


def test_start_over(app: AppTest) -> None:
    app.query_params["sample"] = "lost-call"
    app.run()
    open_input(app)
    next(b for b in app.button if b.label == "Start over").click()
    app.run()
    assert app.text_area[0].value == ""
    assert "cards" in messages(app)
    assert "sample" not in app.query_params


def test_a_defect_is_one_sentence_and_the_input_is_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("**boom** <script>")

    monkeypatch.setattr("inspector.ui.inspecting.apart", broken)
    app.run()
    submit(app, BROKEN)
    assert not app.exception
    assert "defect of harmonylens" in app.error[0].value
    assert "<script>" not in app.error[0].value
    open_input(app)
    assert app.text_area[0].value == BROKEN


def test_the_gallery_shows_every_sample(app: AppTest) -> None:
    app.run()
    app.switch_page(str(Path("../pages/gallery.py"))).run()
    assert not app.exception
    cards = messages(app)["cards"]
    names = [item["name"] for group in cards["groups"] for item in group["items"]]
    assert sorted(names) == sorted(sample.name for sample in load_samples())
    for group in cards["groups"]:
        for item in group["items"]:
            assert sum(item["strip"]["c"]) == item["count"]


def test_the_rules_page_lists_every_rule(app: AppTest) -> None:
    app.run()
    app.switch_page(str(Path("../pages/rules.py"))).run()
    assert not app.exception
    rows = [item["name"] for group in messages(app)["cards"]["groups"] for item in group["items"]]
    assert sorted(rows) == sorted(all_rules())


def test_a_rule_by_its_address(app: AppTest) -> None:
    app.run()
    app.switch_page(str(Path("../pages/rules.py")))
    app.query_params["rule"] = "hs201"
    app.run()
    assert not app.exception
    text = "\n".join(element.value for element in app.markdown)
    assert "duplicate-channel" in text
    assert all_rules()["HS201"].sections["Fix safety"].split()[0] in text
    assert ".md)" not in text


def test_an_unknown_rule_is_one_sentence_with_a_hint(app: AppTest) -> None:
    app.run()
    app.switch_page(str(Path("../pages/rules.py")))
    app.query_params["rule"] = "duplicate-chanel"
    app.run()
    assert r"duplicate\-channel" in app.warning[0].value
    assert "cards" in messages(app)


def test_the_input_is_open_only_while_it_cannot_be_read(app: AppTest) -> None:
    app.run()
    read_as(app, "records")
    submit(app, "12 13 hello")
    assert app.text_area[0].value == "12 13 hello"
    submit(app, '{"token_ids": [200005, 17196, 200008]}')
    assert len(app.text_area) == 0
    assert messages(app)["screen"]["count"] == 3
