"""The strip of a thumbnail: it covers the transcript, shows where it hurts, and stays small."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from inspector.gallery import load_sample, load_samples
from inspector.harmony.reader import read
from inspector.tokens import CALL, CHANNEL, END, MESSAGE, START, Transcript, is_special, vocabulary
from inspector.view.strip import COLUMNS, MOST_TICKS, Strip, quick_strip, shape, strip

tokens = st.lists(
    st.sampled_from([START, CHANNEL, MESSAGE, END, CALL, *vocabulary().encode("assistant analysis final commentary")])
    | st.integers(-5, 300_000),
    max_size=60,
).map(tuple)


def of(text: str) -> Strip:
    return strip(read(Transcript(tuple(vocabulary().encode_markers(text)))))


def covers(found: Strip, ids: tuple[int, ...]) -> bool:
    places = found["e"]
    return (
        sum(found["c"]) == len(ids)
        and len(found["k"]) == len(found["w"]) == len(found["c"])
        and all(width > 0 for width in found["w"])
        and places == sorted(places)
        and all(0 <= place <= len(ids) for place in places)
    )


@given(tokens, st.sampled_from([None, "assistant"]))
def test_a_strip_covers_any_transcript(ids: tuple[int, ...], role: str | None) -> None:
    assert covers(strip(read(Transcript(ids, role))), ids)
    assert covers(quick_strip(ids), ids)


def test_headers_bodies_markers_and_channels() -> None:
    found = of("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|end|>")
    assert found["k"] == "AaFf"
    assert found["c"] == [3, 3, 5, 3]
    assert found["t"] == [0, 2, 5, 6, 8, 10, 13]
    assert found["e"] == []


def test_damage_is_where_the_reader_stumbled() -> None:
    sample = load_sample("chatter-in-brackets")
    tree = read(sample.transcript)
    found = strip(tree)
    assert found["e"]
    for problem in tree.problems:
        assert any(s <= problem.span.start < e for s, e in zip(found["e"][::2], found["e"][1::2], strict=True))


def test_the_markers_alone_give_the_same_for_healthy_transcripts() -> None:
    for sample in load_samples():
        if sample.family == "healthy":
            assert quick_strip(sample.transcript.ids) == strip(read(sample.transcript))


def test_a_long_transcript_stays_small() -> None:
    ids = tuple(token for sample in load_samples() for token in sample.transcript.ids) * 8
    found = strip(read(Transcript(ids)))
    assert covers(found, ids)
    assert len(found["k"]) == COLUMNS
    assert found["t"] == []
    assert len(json.dumps(found)) < 3000


def test_many_markers_are_left_out_rather_than_blurred() -> None:
    few = (CHANNEL,) * MOST_TICKS
    assert sum(map(is_special, few)) == len(quick_strip(few)["t"])
    assert quick_strip((*few, CHANNEL))["t"] == []


def test_the_shape_in_words() -> None:
    tree = read(load_sample("healthy-tool-call").transcript)
    assert shape(tree)[-1].startswith("commentary → functions.")
    assert shape(tree, most=1)[-1] == f"{len(tree.nodes) - 1} more"
