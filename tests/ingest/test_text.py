"""Pasted text: markers, wrappings, what is taken off and said."""

from __future__ import annotations

import json

import pytest

from inspector.ingest import read
from inspector.tokens import START, vocabulary

RAW = "<|channel|>final<|message|>Hi\nthere<|return|>"
IDS = tuple(vocabulary().encode_markers(RAW))


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (RAW, None),
        (RAW + "\n", "white space after the last marker taken off"),
        (RAW + " \n\n", "white space after the last marker taken off"),
        ("\n" + RAW, "line breaks before the first marker taken off"),
        (RAW.replace("\n", "\r\n"), "CRLF line ends read as LF"),
        ("\ufeff" + RAW, "byte-order mark taken off"),
        (f"```\n{RAW}\n```", "code fence taken off"),
        (f"~~~text\n{RAW}\n~~~\n", "code fence taken off"),
        (json.dumps(RAW), "JSON string unquoted"),
        (repr(RAW), "quoted string unquoted"),
        (RAW.encode("utf-8-sig"), "UTF-8 with a byte-order mark"),
        (b"\xff\xfe" + RAW.encode("utf-16-le"), "UTF-16"),
        (b"\xfe\xff" + RAW.encode("utf-16-be"), "UTF-16"),
        (RAW.encode("utf-32"), "UTF-32"),
    ],
)
def test_the_wrapping_comes_off_and_is_named(data: str | bytes, note: str | None) -> None:
    loaded = read(data)
    assert loaded.format == "text"
    assert [t.ids for t in loaded.transcripts] == [IDS]
    assert loaded.problems == ()
    assert ("; " in loaded.explanation) is (note is not None)
    assert (note or "") in loaded.explanation


@pytest.mark.parametrize(
    "data",
    ["a\r\nb\nc", " to=functions.f<|channel|>commentary", "``` not a fence", "it's 'quoted' here", '"one" and "two"'],
)
def test_what_belongs_to_the_text_stays(data: str) -> None:
    assert read(data, format="text").transcripts[0].ids == tuple(vocabulary().encode_markers(data))


def test_one_line_break_at_the_end_is_the_editors() -> None:
    assert read("hello\n").transcripts[0].ids == tuple(vocabulary().encode("hello"))
    assert read("hello\n\n").transcripts[0].ids == tuple(vocabulary().encode("hello\n"))


def test_an_escaped_line_break_in_a_quoted_string_is_meant() -> None:
    assert read(json.dumps(RAW + "\n")).transcripts[0].ids == (*IDS, *vocabulary().encode("\n"))


def test_markers_can_be_ordinary_text() -> None:
    loaded = read(RAW, markers=False)
    assert loaded.transcripts[0].ids == tuple(vocabulary().encode(RAW))
    assert "kept as ordinary text" in loaded.explanation
    assert loaded.transcripts[0].role == "assistant"


def test_the_role_by_the_first_marker() -> None:
    whole = "<|start|>user<|message|>x<|end|>"
    assert read(whole).transcripts[0].role is None
    assert "a whole conversation" in read(whole).explanation
    assert read(RAW).transcripts[0].role == "assistant"
    assert "continuing after <|start|>assistant" in read(RAW).explanation
    assert read(whole, markers=False).transcripts[0].ids[0] != START


def test_broken_bytes_are_kept_as_far_as_text_can_and_located() -> None:
    loaded = read(b"ok\nb\xe6d<|end|>")
    (problem,) = loaded.problems
    assert (problem.line, problem.column, problem.lost) == (2, 2, False)
    assert "0xe6" in problem.sentence
    assert loaded.transcripts[0].ids == tuple(vocabulary().encode_markers("ok\nb\ufffdd<|end|>"))


def test_a_quoted_list_or_record_is_unwrapped_first() -> None:
    assert read('"[1, 2]"').transcripts[0].ids == (1, 2)
    assert read('```json\n{"token_ids": [7]}\n```').transcripts[0].ids == (7,)


def test_where_it_came_from() -> None:
    assert read(RAW).transcripts[0].source == "pasted text"
    assert read(RAW, filename="out.txt").transcripts[0].source == "out.txt"
    assert read(RAW, tools=("functions.f",)).transcripts[0].tools == ("functions.f",)
