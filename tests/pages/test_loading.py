"""What was read is held: a session reads an input once, and one that ended holds nothing."""

from __future__ import annotations

import gc
import weakref

import pytest

from inspector.ui import loading
from inspector.ui.loading import known, load
from inspector.ui.state import Bench


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A session state of our own."""
    state: dict[str, object] = {}
    monkeypatch.setattr(loading.st, "session_state", state)
    return state


def opened() -> Bench:
    work = Bench()
    work.open_file(b"<|channel|>final<|message|>Hi<|end|>", "a.txt")
    return work


def test_an_input_is_read_once_whatever_its_revision(session: dict[str, object]) -> None:
    work = opened()
    assert known(work) is None
    loaded = load(work)
    work.revision += 1
    assert known(work) is loaded
    work.tools = "functions.bash"
    assert known(work) is None


def test_another_session_with_the_input_finds_it_until_nobody_shows_it(session: dict[str, object]) -> None:
    work = opened()
    loaded = load(work)
    mine = dict(session)
    session.clear()
    assert known(work) is loaded
    session.clear()
    held = weakref.ref(mine.popitem()[1])
    gc.collect()
    assert held() is None
    assert known(work) is None


def test_an_input_that_is_opened_again_leads_back_to_its_token() -> None:
    work = opened()
    work.take_selection({"digest": "d", "token": 3})
    work.keep()
    other = Bench()
    assert other.restore(work.id)
    other.return_to("d")
    assert other.go_to == ("d", 3)
    asks = other.asks
    other.return_to("d")
    assert other.asks == asks
