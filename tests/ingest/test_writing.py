"""A written record reads as the transcript it was written from."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inspector.ingest import read, transcript_record
from inspector.tokens import Transcript

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
words = st.text(st.characters(codec="utf-8"), max_size=8)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    ids = tuple(draw(st.lists(st.integers(-5, 201_100), min_size=1, max_size=12)))
    n = len(ids)
    reported = draw(st.sets(st.sampled_from(["finish_reason", "stop_reason"])))
    return Transcript(
        ids=ids,
        role=draw(st.sampled_from([None, "assistant", "user", "tool"])),
        id=draw(words.filter(bool)),
        origins=draw(st.none() | st.tuples(*[st.sampled_from(["prompt", "sampled", "injected"])] * n)),
        logprobs=draw(st.none() | st.tuples(*[st.none() | finite] * n)),
        top=draw(st.none() | st.tuples(*[st.lists(st.tuples(st.integers(0, 9), finite), max_size=3).map(tuple)] * n)),
        finish_reason=draw(st.sampled_from(["stop", "length"])) if "finish_reason" in reported else None,
        stop_reason=draw(st.sampled_from([200012, "</s>"])) if "stop_reason" in reported else None,
        reported=frozenset(reported),
        prompt_ids=draw(st.none() | st.lists(st.integers(0, 99), max_size=3).map(tuple)),
        tools=tuple(draw(st.lists(words.filter(bool), max_size=2))),
        meta=draw(st.dictionaries(words, st.integers() | words, max_size=2)),
    )


@given(transcripts())
def test_a_record_reads_back(transcript: Transcript) -> None:
    line = json.dumps(transcript_record(transcript))
    loaded = read(line, format="records")
    assert loaded.problems == ()
    assert [replace(t, source="") for t in loaded.transcripts] == [transcript]
