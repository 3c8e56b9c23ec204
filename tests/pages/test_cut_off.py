"""What a person is told when their input takes too long, needs too much memory or ends a worker; and what they keep."""

from __future__ import annotations

import faulthandler
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from inspector.budgets import APP, GALLERY, MAX_LINK_BODY
from inspector.gallery import SampleError
from inspector.gallery.link import LinkError, write_link
from inspector.gallery.saved import StoreError
from inspector.ingest import read
from inspector.tokens import VocabularyError
from inspector.ui import address, galleries, inspecting, state
from inspector.ui.address import open_link
from inspector.ui.galleries import open_upload
from inspector.ui.state import Bench
from inspector.workers import LONGEST_S, inspecting_deadline, reading_deadline, workers

from .test_pages import BROKEN, bench_of, messages, open_input, submit

SOON = 0.6


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


@pytest.fixture(autouse=True)
def warm() -> None:
    """A worker that runs: a start is not what is cut off here."""
    workers().call("", abs, 60.0, None, -1)


def slow(*_: object, **__: object) -> None:
    """In place of what is asked for: slow whatever the input."""
    time.sleep(60)


def make_slow(patch: pytest.MonkeyPatch, module: ModuleType, function: str, deadline: str) -> None:
    patch.setattr(module, function, slow)
    patch.setattr(module, deadline, lambda size: SOON)


def press(app: AppTest, label: str) -> None:
    next(b for b in app.button if b.label == label).click()
    app.run()


def test_reading_that_is_cut_off_is_a_sentence_and_the_input_is_kept(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    with monkeypatch.context() as patch:
        make_slow(patch, state, "read", "reading_deadline")
        submit(app, BROKEN)
        assert not app.exception
        said = app.error[0].value.replace("\\", "")
        assert said.startswith("Reading the input was cut off: it took more than 1 s. The input is kept;")
        assert "harmonylens inspect FILE" in said
        assert app.text_area[0].value == BROKEN
        monkeypatch.setattr(state, "apart", refused)
        app.run()
        assert app.error[0].value.replace("\\", "") == said, "it is not tried again each time that the page is drawn"
        monkeypatch.undo()
    press(app, "Try again")
    assert not app.error
    assert messages(app)["feed"]["findings"][0]["code"] == "HS201"


def refused(*_: object, **__: object) -> None:
    raise AssertionError("nobody asked for this")


def test_an_inspection_that_is_cut_off_is_a_sentence_and_the_input_is_kept(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    make_slow(monkeypatch, inspecting, "screenful", "inspecting_deadline")
    submit(app, BROKEN)
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert said.startswith("Inspecting 11 tokens was cut off: it took more than 1 s. The input is kept;")
    monkeypatch.setattr(inspecting, "apart", refused)
    open_input(app)
    assert app.error[0].value.replace("\\", "") == said
    assert app.text_area[0].value == BROKEN
    monkeypatch.undo()
    press(app, "Try again")
    assert not app.error
    assert messages(app)["screen"]["count"] == 11


def test_a_switch_that_takes_too_long_leaves_the_screen_as_it_was(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    submit(app, BROKEN)
    before = messages(app)
    key = before["feed"]["findings"][0]["key"]
    make_slow(monkeypatch, inspecting, "screenful", "inspecting_deadline")
    bench_of(app).take_fixes({"digest": before["feed"]["digest"], "off": [key], "choices": {}})
    app.run()
    assert not app.exception
    assert "The switches are as they were before" in app.error[0].value
    assert messages(app)["screen"] == before["screen"]
    assert [f["on"] for f in messages(app)["feed"]["findings"] if f["key"] == key] == [True]
    assert bench_of(app).off[before["feed"]["digest"]] == frozenset()


def dies(_: object) -> None:
    faulthandler._sigsegv()


def test_a_worker_that_dies_is_a_sentence_and_the_next_input_works(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    with monkeypatch.context() as patch:
        patch.setattr(inspecting, "screenful", dies)
        patch.setattr(inspecting, "inspecting_deadline", lambda count: 60.0)
        submit(app, BROKEN)
    assert not app.exception
    assert "the process that did it ended (signal 11)" in app.error[0].value.replace("\\", "")
    press(app, "Try again")
    assert not app.error
    assert messages(app)["screen"]["count"] == 11


def test_a_link_that_is_cut_off_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    link = write_link(read(BROKEN).transcripts[0])
    work = Bench()
    assert open_link(work, link)
    make_slow(monkeypatch, address, "read_link", "reading_deadline")
    assert not open_link(work, link)
    assert work.notice.startswith("Reading the link was cut off: it took more than 1 s.")


def test_a_damaged_link_is_told_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Bench()
    assert not open_link(work, "h1.AAAA")
    assert work.notice
    assert "worker" not in work.notice


def test_a_gallery_that_is_cut_off_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    make_slow(monkeypatch, galleries, "read_gallery", "reading_deadline")
    with pytest.raises(SampleError, match=r"Reading 'team.jsonl' was cut off: it took more than 1 s"):
        open_upload(b'{"id": "a", "text": "x"}', "team.jsonl")


def test_compressed_data_has_the_time_that_its_content_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def asked(size: int) -> float:
        sizes.append(size)
        return 60.0

    for module in (state, galleries, address):
        monkeypatch.setattr(module, "reading_deadline", asked)
    text = b'{"text": "x"}'
    for data in (text, gzip.compress(text)):
        Bench(upload=data, filename="a").load()
        open_upload(data, "a.jsonl")
    open_link(Bench(), write_link(read(BROKEN).transcripts[0]))
    assert sizes == [len(text), len(text), APP.unpacked, GALLERY.unpacked, MAX_LINK_BODY]
    assert reading_deadline(APP.unpacked) == LONGEST_S


def test_the_time_for_a_transcript_grows_with_it() -> None:
    # The worst that is known takes 54 microseconds a token.
    for tokens in (100, 10_000, 131_072):
        assert inspecting_deadline(tokens) > 1.5 * tokens * 54e-6
    assert inspecting_deadline(APP.tokens) == LONGEST_S


@pytest.mark.parametrize("make", [SampleError, LinkError, VocabularyError, StoreError, KeyError])
def test_what_is_expected_to_be_raised_comes_back_as_it_is(make: Callable[[str], Exception]) -> None:
    with pytest.raises(type(make(""))) as caught:
        workers().call("", _raise, 60.0, None, make("in words"))
    assert str(caught.value) == str(make("in words"))


def _raise(error: Exception) -> None:
    raise error
