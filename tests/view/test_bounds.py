"""What is drawn of words of any length: a browser never gets more than it lays out at once."""

from __future__ import annotations

import json

from inspector.inspection import inspect
from inspector.tokens import Transcript
from inspector.view.bounds import MOST_STORY, MOST_TITLE, MOST_WORD, MOST_WORDS, cut, cut_words
from inspector.view.feed import Settings, pack_feed


def test_what_fits_stays_and_what_does_not_ends_in_an_ellipsis() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cut("ab cd", 4) == "ab…"
    assert cut_words(["a" * MOST_WORD, "b" * 1000]) == ["a" * MOST_WORD, "b" * (MOST_WORD - 1) + "…"]
    assert cut_words(map(str, range(5000))) == [str(n) for n in range(MOST_WORDS)]


def test_the_screen_gets_a_title_and_a_story_that_can_be_laid_out() -> None:
    inspection = inspect(Transcript((200005,), "assistant"))
    feed = json.loads(pack_feed(inspection, Settings(title="t" * 100_000, story="s" * 200_000)))
    assert feed["source"]["title"] == "t" * (MOST_TITLE - 1) + "…"
    assert feed["source"]["story"] == "s" * (MOST_STORY - 1) + "…"
