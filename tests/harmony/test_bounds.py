"""The bounds that keep reading linear, on both sides of each."""

from __future__ import annotations

import pytest

from inspector import inspect
from inspector.finding import Diagnostic
from inspector.harmony import bodies, header, settle_call
from inspector.harmony.lexer import Lexed
from inspector.harmony.names import declared_in
from inspector.harmony.reader import read
from inspector.harmony.words import Names, clean_name
from inspector.prompt.plan import OSS_0011
from inspector.prompt.render import _MEMORABLE, _remembered, render_header
from inspector.serving.others import read_llama_cpp
from inspector.tokens import Scan, Transcript, vocabulary


def _encode(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


def _found(text: str, code: str) -> Diagnostic:
    (one,) = [d for d in inspect(_encode(text)).diagnostics if d.code == code]
    return one


def test_a_word_is_cut_into_so_many_pieces_and_no_more() -> None:
    def kinds(count: int) -> list[str]:
        # Every other "to" is a recipient, cut off together with the "=" behind it.
        text = " " + "to=" * count
        return [p.kind for p in header.read_header(text, continued=True, aborted=False, names=Names()).items]

    assert set(kinds(2 * header.MOST_CUTS)) == {"recipient", "punctuation"}
    assert kinds(2 * header.MOST_CUTS + 1)[-1] == "word"
    assert kinds(10_000).count("recipient") == header.MOST_CUTS


@pytest.mark.parametrize("more", [0, 1, 500])
def test_so_many_other_recipients_are_offered(more: int) -> None:
    most = settle_call._MOST_READINGS
    clauses = "".join(f" to=functions.f{number}" for number in range(most + 1 + more))
    found = _found(f"<|channel|>commentary{clauses}<|message|>{{}}<|call|>", "HS205")
    assert len(found.alternatives) == most
    assert found.alternatives[0].title == "Address it to functions.f0 instead"


def test_open_json_is_looked_for_to_the_end_only_where_that_is_near() -> None:
    def markers_are_text(count: int) -> bool:
        inner = "<|start|>assistant<|channel|>final<|message|>"
        text = '<|channel|>final<|message|>{"a":"x ' + inner + "<|message|>" * (count - 3) + '"}'
        return len(read(Transcript(tuple(_encode(text)))).messages) == 1

    # The marker that is looked at counts as well.
    assert markers_are_text(bodies._MOST_BEHIND)
    assert not markers_are_text(bodies._MOST_BEHIND + 1)


def test_a_header_that_never_ends_opens_nothing_in_a_body() -> None:
    ids = _encode("<|channel|>final<|message|>x<|channel|>final" + " word" * 200 + "<|message|>y<|end|>")
    assert [m.channel for m in read(Transcript(tuple(ids))).messages] == ["final"]


def test_messages_that_share_a_stretch_declare_its_tools_once() -> None:
    declared = "<|start|>developer<|message|># Tools\nnamespace functions {\ntype a = (_: any) => any;\n"
    text = (
        declared + declared.replace("type a", "type b") + "<|end|>" + declared.replace("type a", "type c") + "<|end|>"
    )
    transcript = Transcript(tuple(_encode(text)), None)
    assert declared_in(transcript, Scan(transcript.ids)) == {"functions.a", "functions.b", "functions.c"}


def test_a_body_behind_a_header_with_two_messages_is_told_of_once() -> None:
    text = "<|channel|>analysis we go on and on so<|channel|>final<|message|>x<|reserved_200013|>y<|end|>"
    assert _found(text, "HS309").span.start == _encode(text).index(200013)


def test_long_headers_are_not_remembered() -> None:
    before = _remembered.cache_info().currsize
    for number in range(3):
        long = f"{number}" + "x" * _MEMORABLE
        render_header(OSS_0011, "assistant", None, "commentary", long, None)
    assert _remembered.cache_info().currsize == before
    render_header(OSS_0011, "assistant", None, "commentary", "functions.never_seen_before", None)
    assert _remembered.cache_info().currsize == before + 1


@pytest.mark.parametrize(
    ("text", "name"),
    [("f:..:..", "f"), ("f.", "f."), ("a.f.", "a.f"), ("a.f..", "a.f"), ("::", ""), ("a:b:", "a:b"), ('"f"x', "f")],
)
def test_punctuation_behind_a_name(text: str, name: str) -> None:
    assert clean_name(text)[0] == name


@pytest.mark.parametrize(
    ("header_text", "name"),
    [
        ("to=functions.foo <|constrain|>json", "foo"),
        ("to=functions.foo json", "foo"),
        ("to=functions.foo", "f"),  # the content type needs no blank before it, and the name is as short as it can be
        ("to=functions.a.b", "a."),
        ("to=functions.\u00e9", "\u00e9"),
    ],
)
def test_the_name_that_llama_cpp_takes(header_text: str, name: str) -> None:
    reading = read_llama_cpp(_encode(f"<|channel|>commentary {header_text}<|message|>{{}}<|call|>"))
    assert [call.name for call in reading.calls] == [name]


def test_the_length_of_a_header_counts_what_was_taken_out_of_it() -> None:
    assert Lexed("a\u200b\u200bb").length == 4
