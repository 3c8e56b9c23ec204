"""What a worker makes is what is made here, byte by byte and value by value."""

from __future__ import annotations

import pytest

from inspector import inspect
from inspector.gallery import Sample, load_samples
from inspector.ingest import read
from inspector.inspection import NEWEST
from inspector.view import screenful as module
from inspector.view.feed import Settings, pack_change, pack_feed
from inspector.view.screenful import LONG_FEED, Question, screenful, steps_of
from inspector.view.steps import steps_value
from inspector.view.viewmodel import pack_view
from inspector.workers import workers

SETTINGS = Settings(style=NEWEST, title="A title")
SOON = 60.0


@pytest.mark.parametrize("sample", load_samples(), ids=lambda sample: str(sample.name))
def test_a_worker_makes_what_is_made_here(sample: Sample) -> None:
    question = Question(sample.transcript, SETTINGS)
    made = workers().call("", screenful, SOON, None, question)
    inspection = inspect(sample.transcript)
    assert made.inspection == inspection
    assert made.tokens == pack_view(inspection)
    whole = pack_feed(inspection, SETTINGS)
    assert made.base == (whole if len(whole) > LONG_FEED else b"")
    assert made.feed == (pack_change(inspection, SETTINGS, whole) if made.base else whole)
    assert workers().call("", steps_of, SOON, None, question) == steps_value(inspection)


def test_a_worker_reads_what_is_read_here() -> None:
    text = '{"id": "a", "text": "<|start|>x"}\n{broken\n{"id": "b", "token_ids": [1, 2]}'
    assert workers().call("", read, SOON, None, text, role=None, filename="a.jsonl") == read(
        text, role=None, filename="a.jsonl"
    )


def test_a_switch_has_nothing_read_again_and_changes_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(sample for sample in load_samples() if sample.name == "duplicate-channel-lost-call")
    first = screenful(Question(sample.transcript, SETTINGS))
    given = []

    def watched(*args: object, **kwargs: object) -> object:
        given.append(kwargs["known"])
        return inspect(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "inspect", watched)
    key = first.inspection.diagnostics[0].key
    off = Settings(style=NEWEST, off=frozenset({key}))
    # Another value of the same transcript, as it comes out of a pipe.
    again = read(sample.transcript.ids.__repr__()).transcripts[0]
    assert again is not sample.transcript
    flipped = screenful(Question(sample.transcript, off, base=first.base))
    assert given == [first.inspection]
    assert flipped.inspection == inspect(sample.transcript, off=[key])
    assert flipped.tokens == b""
    other = screenful(Question(again, SETTINGS))
    assert given[1] is None
    assert other.inspection == inspect(again)


def test_other_options_are_another_inspection() -> None:
    sample = next(sample for sample in load_samples() if sample.name == "duplicate-channel-lost-call")
    assert screenful(Question(sample.transcript, SETTINGS)).inspection.diagnostics
    ignored = Question(sample.transcript, SETTINGS, {"ignore": ("HS",)})
    assert not screenful(ignored).inspection.diagnostics
