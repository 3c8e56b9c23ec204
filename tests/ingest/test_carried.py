"""Switches and words that travel with a transcript come back as they were, whatever a file says in their place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.ingest import Card, Switches, card_of, carrying, read, switches_of, transcript_record
from inspector.ingest.carried import KEY
from inspector.inspection import RELEASES, inspect
from inspector.prompt import STYLES
from inspector.tokens import Transcript

PLAIN = Transcript((200005, 17196, 200008, 9050, 200002), "assistant", "run", meta={"step": 1})
words = st.text(st.characters(codec="utf-8"), max_size=8)
switches = st.builds(
    Switches,
    off=st.frozensets(words, max_size=3),
    choices=st.dictionaries(words, st.integers(1, 9), max_size=3),
    style=st.sampled_from(["", *STYLES]),
    select=st.lists(words, max_size=2).map(tuple),
    ignore=st.lists(words, max_size=2).map(tuple),
    releases=st.lists(words, max_size=2).map(tuple),
)
cards = st.builds(Card, words, words, st.lists(words, max_size=2).map(tuple))


@given(switches, cards)
def test_they_come_back(chosen: Switches, card: Card) -> None:
    transcript = carrying(PLAIN, chosen, card)
    (again,) = read(json.dumps(transcript_record(transcript))).transcripts
    assert switches_of(again) == switches_of(transcript) == chosen
    assert card_of(again) == card_of(transcript) == card
    assert {key: value for key, value in again.meta.items() if key != KEY} == {"step": 1}


def test_one_is_replaced_without_the_other() -> None:
    both = carrying(PLAIN, Switches(off=frozenset({"a"})), Card("t", "s", ("x",)))
    other = carrying(both, Switches(off=frozenset({"b"})))
    assert switches_of(other).off == {"b"}
    assert card_of(other) == Card("t", "s", ("x",))
    assert carrying(other, Switches(), Card()) == PLAIN
    assert "schema" not in transcript_record(PLAIN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("settings", "title", "story", "tags"), JSON)))
def test_a_file_can_say_anything(raw: dict[str, Any]) -> None:
    record = {"schema": "harmonylens/transcript/1", "id": "x", "token_ids": list(PLAIN.ids), "role": "assistant"}
    (transcript,) = read(json.dumps({**record, **raw})).transcripts
    chosen, card = switches_of(transcript), card_of(transcript)
    assert isinstance(card.title, str)
    assert all(isinstance(tag, str) for tag in card.tags)
    inspect(transcript, **chosen.options(RELEASES))
    json.dumps(transcript_record(transcript)).encode("ascii")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"off": ["a", 1, None], "choices": {"k": 0, "l": 2, "m": True, "n": "1", "o": 10**9}}, ({"a"}, {"l": 2}, "")),
        ({"style": "no such style"}, (set(), {}, "")),
        ({"off": "abc", "choices": [1]}, (set(), {}, "")),
        ({"style": STYLES[-1]}, (set(), {}, STYLES[-1])),
    ],
)
def test_what_does_not_fit_is_left_out(settings: object, expected: tuple[object, ...]) -> None:
    record = {"schema": "harmonylens/1", "token_ids": [1], "settings": settings}
    chosen = switches_of(read(json.dumps(record)).transcripts[0])
    assert (chosen.off, chosen.choices, chosen.style) == expected


def test_settings_of_somebody_else_are_theirs() -> None:
    record = {"id": "x", "token_ids": [1], "settings": {"temperature": 1}, "title": "t"}
    (transcript,) = read(json.dumps(record)).transcripts
    assert transcript.meta == {"settings": {"temperature": 1}, "title": "t"}
    assert switches_of(transcript) == Switches()


def test_releases_that_are_not_known_are_not_asked() -> None:
    chosen = Switches(releases=("openai-harmony 0.0.8", "openai-harmony 9.9"))
    assert chosen.options(RELEASES)["releases"] == ("openai-harmony 0.0.8",)
    assert "releases" not in Switches(releases=("openai-harmony 9.9",)).options(RELEASES)


def test_what_was_chosen_in_words() -> None:
    assert Switches().words() == ""
    chosen = Switches(frozenset({"a", "b"}), {"c": 1}, ignore=("HS1",))
    assert chosen.words() == "2 fixes off, 1 reading chosen, some rules only"
