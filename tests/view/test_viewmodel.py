"""The large message: it holds every token and its reading, for any ids."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import Inspection, Transcript, inspect
from inspector.gallery import Sample, load_samples
from inspector.harmony.tree import MessageNode
from inspector.tokens import MARKERS, vocabulary
from inspector.view.container import Array, unpack
from inspector.view.viewmodel import (
    INCOMPLETE,
    MAX_ERROR_TEXT,
    ORIGINS,
    STRAY,
    View,
    apply_appendix,
    digest,
    pack_appendix,
    pack_view,
    view_of,
)

IDS = st.lists(
    st.one_of(
        st.sampled_from([*MARKERS, 35644, 12606, 815, 4108]), st.integers(-5, 201100), st.integers(2**53, 2**64 - 1)
    ),
    max_size=30,
)


@cache
def samples() -> list[Sample]:
    return load_samples()


def opened(inspection: Inspection) -> tuple[dict[str, Any], dict[str, Array]]:
    return unpack(pack_view(inspection))


def ids_of(head: dict[str, Any], sections: dict[str, Array]) -> list[int]:
    table = [int(x) for x in sections["ids"]]
    for place, text in head["huge"].items():
        table[int(place)] = int(text)
    return [table[place] for place in sections["index"]]


@settings(max_examples=60)
@given(IDS, st.sampled_from(["assistant", None]))
def test_any_ids_travel(ids: list[int], role: str | None) -> None:
    head, sections = opened(inspect(Transcript(tuple(ids), role)))
    assert ids_of(head, sections) == ids
    assert head["count"] == len(ids)
    data = sections["bytes"].tobytes()
    assert len(data) == sections["lengths"].sum()
    starts = sections["leaf_starts"].tolist()
    assert starts == sorted(starts)
    assert starts[:1] == [0] or not ids


@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.name)
def test_samples_travel_with_their_tree(sample: Sample) -> None:
    inspection = inspect(sample.transcript)
    head, sections = opened(inspection)
    assert tuple(ids_of(head, sections)) == sample.transcript.ids
    leaves = list(inspection.tree.leaves())
    kinds = [head["kinds"][k] for k in sections["leaf_kinds"]]
    assert list(zip(sections["leaf_starts"], kinds, strict=True)) == [(leaf.start, leaf.kind) for leaf in leaves]
    rows = sections["nodes"].reshape(-1, 6)
    assert len(rows) == len(inspection.tree.nodes)
    for row, node in zip(rows, inspection.tree.nodes, strict=True):
        assert (row[0], row[1]) == (node.start, node.end)
        if not isinstance(node, MessageNode):
            assert row[5] == STRAY
        elif node.message is not None:
            label = head["labels"][row[4] - 1]
            assert label["role"] == node.message.role
            assert label.get("channel") == (node.message.channel or None)
            assert label.get("recipient") == (node.message.recipient or None)
            assert (row[5] == INCOMPLETE) == (node.terminator is None)


def test_text_of_the_dictionary() -> None:
    text = "<|channel|>final<|message|>naïve 日本<|return|>"
    head, sections = opened(inspect(text))
    ends = sections["lengths"].cumsum()
    data = sections["bytes"].tobytes()
    pieces = [data[end - size : end] for end, size in zip(ends, sections["lengths"], strict=True)]
    joined = b"".join(pieces[i] for i in sections["index"])
    assert joined.decode() == text
    assert {m[0] for m in head["markers"].values()} == {"channel", "message", "return"}


def test_a_name_belongs_to_tokens_role_and_tools() -> None:
    base = Transcript((1, 2, 3))
    others = [
        Transcript((1, 2, 4)),
        Transcript((1, 2, 3), None),
        Transcript((1, 2, 3), tools=("f",)),
        Transcript((2**63,)),
    ]
    assert len({digest(t) for t in (base, *others)}) == 5
    assert digest(base) == digest(Transcript((1, 2, 3), source="elsewhere", finish_reason="stop"))


def test_long_error_texts_are_cut() -> None:
    text = "<|channel|>final" + " word" * 5000 + "<|message|>x"
    inspection = inspect(text)
    error = inspection.strict[0].error
    assert error is not None
    assert len(error.text) > 2 * MAX_ERROR_TEXT
    head, _ = opened(inspection)
    assert len(head["strict"][0]["error"]["text"]) < MAX_ERROR_TEXT + 100
    assert head["strict"][0]["error"]["token"] == error.token


def test_strict_messages_are_named_by_their_nodes() -> None:
    text = "<|channel|>final<|message|>Hello.<|return|>"
    head, _ = opened(inspect(text))
    assert head["strict"][0]["messages"] == [[0, 0]]


def test_a_message_that_is_read_otherwise_is_written_out() -> None:
    ids = tuple(vocabulary().encode_markers("<|channel|>final <|constrain|>json<|message|>{}<|return|>"))
    inspection = inspect(Transcript(ids))
    written = opened(inspection)[0]["strict"][0]["messages"]
    expected = inspection.strict[0].messages[0]
    assert written == [
        {
            "role": "assistant",
            "channel": "final",
            "recipient": expected.recipient,
            "at": [0, len(ids), expected.body_start, expected.body_end],
        }
    ]
    assert expected.recipient == "<|constrain|>json"


def same(found: View, expected: View) -> None:
    """Both views say the same to the browser."""
    head, sections = unpack(found.pack())
    wanted_head, wanted = unpack(expected.pack())
    assert head == wanted_head
    assert {name: array.tobytes() for name, array in sections.items()} == {
        name: array.tobytes() for name, array in wanted.items()
    }


def grown(transcript: Transcript, count: int) -> Inspection:
    """The inspection of a transcript's first tokens."""
    return inspect(
        Transcript(
            transcript.ids[:count],
            transcript.role,
            origins=transcript.origins and transcript.origins[:count],
            logprobs=transcript.logprobs and transcript.logprobs[:count],
        )
    )


def appended(transcript: Transcript, cuts: list[int]) -> None:
    """A view that grows by appendices, cut at these tokens, is the view of the whole transcript each time."""
    ends = sorted({min(cut, len(transcript)) for cut in cuts} | {len(transcript)})
    view = view_of(grown(transcript, ends[0]), stream="live")
    for end in ends[1:]:
        whole = view_of(grown(transcript, end), stream="live")
        view = apply_appendix(view, pack_appendix(view, whole))
        same(view, whole)


@settings(max_examples=60)
@given(IDS, st.sampled_from(["assistant", None]), st.lists(st.integers(0, 30), max_size=5))
def test_any_ids_are_appended(ids: list[int], role: str | None, cuts: list[int]) -> None:
    origins = tuple(ORIGINS[i % 3] for i in range(len(ids)))
    logprobs = tuple(None if i % 4 == 0 else -i / 7 for i in range(len(ids)))
    appended(Transcript(tuple(ids), role, origins=origins, logprobs=logprobs), cuts)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_samples_are_appended_in_chunks(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples()))
    count = len(sample.transcript)
    appended(sample.transcript, data.draw(st.lists(st.integers(0, count), max_size=6)))


def test_an_appendix_is_small_and_belongs_to_its_stream() -> None:
    ids = tuple(vocabulary().encode_markers("<|channel|>final<|message|>" + "One more word. " * 2000))
    before = view_of(grown(Transcript(ids), len(ids) - 3), stream="live")
    after = view_of(grown(Transcript(ids), len(ids)), stream="live")
    assert len(pack_appendix(before, after)) < 2500
    other = view_of(grown(Transcript(ids), len(ids)), stream="other")
    with pytest.raises(ValueError, match="do not continue"):
        pack_appendix(before, other)
    with pytest.raises(ValueError, match="do not continue"):
        pack_appendix(after, before)
    with pytest.raises(ValueError, match="continues"):
        apply_appendix(after, pack_appendix(before, after))


def test_what_came_with_the_tokens_travels() -> None:
    ids = tuple(vocabulary().encode_markers("<|channel|>final<|message|>Yes.<|return|>"))
    origins = tuple(ORIGINS[i % 3] for i in range(len(ids)))
    logprobs = (None, -0.25, *(-1e9,) * (len(ids) - 2))
    _, sections = opened(inspect(Transcript(ids, origins=origins, logprobs=logprobs)))
    assert [ORIGINS[o] for o in sections["origins"]] == list(origins)
    assert math.isnan(sections["logprobs"][0])
    assert sections["logprobs"][1] == np.float32(-0.25)
    _, without = opened(inspect(Transcript(ids)))
    assert not {"origins", "logprobs"} & without.keys()


@pytest.mark.filterwarnings("error")
def test_logprobs_beyond_a_float32_travel_as_its_ends() -> None:
    logprobs = (-math.inf, -1e300, math.inf, None)
    _, sections = opened(inspect(Transcript((200005, 17196, 200008, 0), logprobs=logprobs)))
    end = np.finfo(np.float32).max
    assert list(sections["logprobs"][:3]) == [-end, -end, end]
    assert math.isnan(sections["logprobs"][3])
