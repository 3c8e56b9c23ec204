"""The large message: it holds every token and its reading, for any ids."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import Inspection, Transcript, inspect
from inspector.gallery import Sample, load_samples
from inspector.harmony.tree import MessageNode
from inspector.tokens import MARKERS, vocabulary
from inspector.view.container import Array, unpack
from inspector.view.viewmodel import INCOMPLETE, MAX_ERROR_TEXT, STRAY, digest, pack_view

IDS = st.lists(
    st.one_of(st.sampled_from([*MARKERS, 35644, 12606, 815, 4108]), st.integers(-5, 201100), st.integers(2**53, 2**80)),
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
        Transcript((2**70,)),
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
