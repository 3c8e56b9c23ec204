"""The address without a browser: what a link, a reload and the Back key ask for, and what the server keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.gallery import load_sample
from inspector.gallery.link import read_link, write_link
from inspector.ingest import Card, Switches, carrying
from inspector.tokens import Transcript
from inspector.ui import share_panel
from inspector.ui.address import go, open_link
from inspector.ui.keeping import Kept, new_name
from inspector.ui.state import Bench

BROKEN = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


def shared_by(app: AppTest, name: str) -> dict[str, Any]:
    """What the component for a link was given."""
    (proto,) = [e.proto for e in app.get("bidi_component") if f"share.{name}" in e.proto.id]
    found: dict[str, Any] = json.loads(bytes(proto.bytes))
    return found


def open_share(app: AppTest) -> None:
    app.session_state["w.share"] = True
    app.run()
    assert not app.exception


def own(text: str) -> Bench:
    work = Bench(text=text)
    work.renew()
    work.keep()
    return work


def test_an_input_is_found_again_as_it_was_left() -> None:
    first = own("one")
    name = first.id
    first.off["d"] = frozenset({"HS201@2"})
    first.keep()
    first.text = "another, not kept"
    work = Bench()
    go(work, 1, name, "")
    assert (work.text, work.id, work.off["d"], work.answered) == ("one", name, frozenset({"HS201@2"}), 1)
    # Two tabs: what one does to its copy is not the other's.
    work.off["d"] = frozenset()
    other = Bench()
    go(other, 1, name, "")
    assert other.off["d"] == frozenset({"HS201@2"})


def test_what_is_no_longer_kept_gets_a_sentence() -> None:
    work = own("one")
    go(work, 1, "no-such-name", "")
    assert work.is_empty
    assert "no longer kept" in work.notice


def test_the_start_page_is_empty_and_says_nothing() -> None:
    work = own("one")
    go(work, 1, "start", "")
    assert work.is_empty
    assert work.notice == ""


def test_a_link_is_opened_where_the_input_is_not_kept_any_more() -> None:
    payload = write_link(Transcript(ids=(200005, 17196, 200008)))
    work = Bench()
    go(work, 1, "forgotten", payload)
    assert work.notice == ""
    assert work.load().transcripts[0].ids == (200005, 17196, 200008)


@pytest.mark.parametrize("said", [(None, "a", ""), (1, 2, ""), (1, "a", None), ("1", "a", "")])
def test_what_is_not_of_the_form_is_left_out(said: tuple[Any, Any, Any]) -> None:
    work = own("one")
    go(work, *said)
    assert work.text == "one"


def test_a_question_is_answered_once() -> None:
    work = own("one")
    go(work, 3, "start", "")
    work.text = "two"
    go(work, 3, "start", "")
    assert work.text == "two"


def test_a_sentence_stays_until_the_question_is_taken_back() -> None:
    work = own("one")
    go(work, 1, "", "h1.AAAA")
    assert work.echo
    go(work, 1, "", "")
    assert not work.echo
    assert "damaged" in work.notice


def test_a_link_opens_with_everything_it_carries() -> None:
    sample = load_sample("lost-call").transcript
    payload = write_link(carrying(sample, Switches(off=frozenset({"HS601@27"})), Card(title="T")), 3)
    work = Bench()
    assert open_link(work, payload)
    (transcript,) = work.load().transcripts
    assert (transcript.ids, transcript.role, transcript.tools) == (sample.ids, sample.role, sample.tools)
    assert (transcript.finish_reason, transcript.stop_reason) == (sample.finish_reason, sample.stop_reason)
    assert work.go_to is not None
    assert work.go_to[1] == 3


def test_a_damaged_link_leaves_the_start_page_and_a_sentence() -> None:
    work = own("one")
    assert not open_link(work, "h1.AAAA")
    assert work.is_empty
    assert "damaged" in work.notice


def test_the_oldest_go_first_by_number_and_by_size() -> None:
    kept: Kept[str] = Kept(inputs=3, size=100)
    for name in "abc":
        kept.keep(name, name, 10)
    assert kept.find("a") == "a"
    kept.keep("d", "d", 10)
    assert [kept.find(name) for name in "abcd"] == ["a", None, "c", "d"]
    kept.keep("e", "e", 75)
    assert [kept.find(name) for name in "acde"] == [None, "c", "d", "e"]
    kept.keep("f", "f", 101)
    assert len(kept) == 0
    kept.keep("g", "g", 60)
    kept.keep("g", "again", 70)
    assert kept.find("g") == "again"


def test_names_are_long_and_differ() -> None:
    names = {new_name() for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 20


def test_the_panel_makes_a_link_of_what_is_on_the_screen(app: AppTest) -> None:
    app.run()
    app.text_area[0].set_value(BROKEN)
    next(b for b in app.button if b.label == "Inspect").click()
    app.run()
    open_share(app)
    payload = shared_by(app, "carrier")["tail"].removeprefix("#")
    assert read_link(payload).transcript.ids == app.session_state["harmonylens.bench"].load().transcripts[0].ids
    # A link is nowhere in what the server itself could log: not in the query.
    assert not app.query_params


def test_a_sample_has_a_short_link_too(app: AppTest) -> None:
    app.query_params["sample"] = "lost-call"
    app.run()
    open_share(app)
    assert shared_by(app, "sample")["tail"] == "?sample=lost-call"
    shared = read_link(shared_by(app, "carrier")["tail"].removeprefix("#"))
    assert shared.transcript.finish_reason == load_sample("lost-call").transcript.finish_reason


def test_too_long_for_a_link_says_so_and_offers_the_file(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_panel, "MAX_LINK", 20)
    app.query_params["sample"] = "healthy-conversation"
    app.run()
    open_share(app)
    assert any("has at most 20" in element.value for element in app.markdown)
    assert not [e for e in app.get("bidi_component") if "share.carrier" in e.proto.id]
    assert [e for e in app.get("download_button") if "Save the file" in e.proto.label]
