"""Who sees which tool call: the differential of servers, header by header."""

from __future__ import annotations

import doctest
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inspector.serving.consumers
from inspector.harmony.message import Message
from inspector.harmony.reader import read as read_tree
from inspector.harmony.verdict import StrictError, Verdict
from inspector.serving.consumers import ASSISTANT, consumers, last_turn, strict_reading
from inspector.serving.finish import judge_finish
from inspector.serving.reading import Reading
from inspector.tokens import CALL, CHANNEL, END, MESSAGE, START, Span, Transcript, vocabulary

THINK = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
CALL_BODY = '<|message|>{"a": 1}<|call|>'
TOOLS = ("functions.bash",)


def readings(text: str, role: str | None = "assistant") -> dict[str, Reading]:
    return {r.consumer: r for r in consumers(vocabulary().encode_markers(text), role, TOOLS)}


def who_calls(text: str) -> set[str]:
    return {name for name, reading in readings(text).items() if reading.calls}


NEW, OLD, SGLANG = "vLLM 0.32", "vLLM up to 0.26", "SGLang 0.5.23"
ALL = {NEW, OLD, "SGLang 0.5.23", "verl", "llama.cpp", "Ollama"}
TOLERANT = {"Ollama"}

HEADERS = [
    ("<|channel|>commentary to=functions.bash <|constrain|>json", ALL),
    ("<|channel|>commentary to=functions.bash<|constrain|>json", ALL - {"verl"}),
    ("<|channel|>commentary to=functions.bash json", {NEW, OLD, "llama.cpp", "Ollama"}),
    (" to=functions.bash<|channel|>commentary json", {NEW, OLD, "llama.cpp", "Ollama"}),
    ("<|channel|>analysis to=functions.bash code", {NEW, OLD, "llama.cpp", "Ollama"}),
    ("<|channel|>bash<|channel|>commentary", set()),
    ("<|channel|>commentary<|channel|>commentary to=functions.bash <|constrain|>json", {NEW, SGLANG}),
    (" to=functions.bash<|channel|>commentary to=functions.bash <|constrain|>json", TOLERANT),
    ("<|constrain|>commentary to=functions.bash <|constrain|>json", set()),
    ("<|channel|>commentary to=functions.bash # go <|constrain|>json", {"Ollama", "verl"}),
    ("<|channel|>commentary to=bash <|constrain|>json", {NEW, OLD, SGLANG, "Ollama"}),
    ("<|channel|>final to=functions.bash <|constrain|>json", {NEW, OLD, "verl"}),
]  # fmt: skip


@pytest.mark.parametrize(("header", "callers"), HEADERS)
def test_who_sees_the_call(header: str, callers: set[str]) -> None:
    assert who_calls(THINK + header + CALL_BODY) == callers


def test_a_call_that_opens_the_completion_has_no_start_marker_for_text_readers() -> None:
    text = "<|channel|>commentary to=functions.bash <|constrain|>json" + CALL_BODY
    assert who_calls(text) == {NEW, OLD, "llama.cpp", "Ollama"}


def test_what_raised_up_to_026_is_silence_in_032() -> None:
    text = THINK + "<|channel|>commentary<|channel|>bash<|channel|>commentary<|message|>{}<|call|>"
    found = readings(text)
    assert found[OLD].note == "HTTP 500: Unknown role: assistant<|channel|>bash<|channel|>commentary"
    assert (found[OLD].finish, found[OLD].calls) == (None, ())
    # commentary without a recipient: the arguments are shown as the answer
    assert (found[NEW].calls, found[NEW].finish, found[NEW].content) == ((), "stop", "{}")


def test_arguments_are_written_again_but_for_types_that_are_not_json() -> None:
    spaced = THINK + '<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"a":"é"}<|call|>'
    assert readings(spaced)[NEW].calls[0] == ("bash", '{"a": "\\u00e9"}')
    assert readings(spaced)["SGLang 0.5.23"].calls[0] == ("bash", '{"a": "é"}')
    assert readings(spaced)["verl"].calls[0] == ("bash", '{"a":"é"}')
    code = THINK + '<|channel|>commentary to=functions.bash code<|message|>{"a":1}<|call|>'
    assert readings(code)[NEW].calls[0] == ("bash", '{"a":1}')


def test_swallowed_errors_are_counted_in_tokens() -> None:
    lost = readings(THINK + "<|channel|>commentary to=functions.bash # go<|message|>one two<|call|>")[NEW]
    ids = vocabulary().encode_markers("one two")
    assert len(lost.lost) == len(ids)
    assert "dropped without a word" in lost.note


def test_an_end_inside_a_header_shows_the_raw_header() -> None:
    assert readings("<|channel|>final Answer<|return|>")[NEW].content == "<|channel|>final Answer<|return|>"


def test_undeclared_tools_are_dropped_where_servers_check() -> None:
    text = THINK + "<|channel|>commentary to=functions.curl <|constrain|>json" + CALL_BODY
    assert who_calls(text) == ALL - {"SGLang 0.5.23", "llama.cpp"}


def test_look_alikes_are_markers_to_readers_of_text() -> None:
    body = THINK + "<|channel|>commentary to=functions.bash <|constrain|>json" + CALL_BODY
    ids = vocabulary().encode(body)
    found = {r.consumer: r for r in consumers(ids, "assistant", TOOLS)}
    assert found[NEW].calls == ()
    assert found["verl"].calls
    assert found["Ollama"].calls


@pytest.mark.parametrize(
    ("text", "role", "start"),
    [
        ("<|channel|>final<|message|>x", "assistant", 0),
        ("<|start|>user<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>y<|return|>", None, 7),
        ("<|start|>user<|message|>x<|end|>", None, None),
        ("<|start|>user<|message|>x<|end|><|start|>assistant", None, None),
        ("", None, None),
    ],
)
def test_the_last_turn(text: str, role: str | None, start: int | None) -> None:
    turn = last_turn(vocabulary().encode_markers(text), role)
    assert (turn.start if turn else None) == start


def test_the_word_that_a_prompt_ends_with() -> None:
    assert vocabulary().encode("assistant") == [ASSISTANT]


def test_a_prompt_has_no_readings() -> None:
    assert consumers(vocabulary().encode_markers("<|start|>user<|message|>x<|end|>"), None) == ()


def test_a_strict_verdict_becomes_a_reading() -> None:
    call = Message("assistant", "{}", channel="commentary", recipient="functions.f", start=0, end=5)
    read = strict_reading(Verdict("oss-harmony 0.0.11", "strict", (call,), None), 0, [CALL])
    assert (read.calls, read.finish) == ((("functions.f", "{}"),), "tool_calls")
    error = StrictError("Unknown role: final", 3, Span(1, 2), "E6")
    refused = strict_reading(Verdict("oss-harmony 0.0.11", "strict", (), error), 0, [CALL])
    assert (refused.calls, refused.note) == ((), "raises: Unknown role: final")


STRANGE = st.one_of(
    st.sampled_from([START, CHANNEL, MESSAGE, END, CALL, 200002, 200003, 199999, 173781, 35644, 12606, 17196]),
    st.integers(0, 201_100),
    st.integers(-(2**63), 2**63),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(STRANGE, max_size=30), st.sampled_from(["assistant", None, "tool"]), st.booleans())
def test_nothing_raises_for_any_integers(ids: list[int], role: str | None, reported: bool) -> None:
    assert isinstance(consumers(ids, role), tuple)
    stated = frozenset({"finish_reason", "stop_reason"}) if reported else frozenset()
    transcript = Transcript(tuple(ids), role, finish_reason="stop" if reported else None, reported=stated)
    judged = judge_finish(transcript, read_tree(transcript).messages)
    for finding in judged.findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(ids)


HOSTILE = [
    [CHANNEL, 35644, MESSAGE] * 10_000,
    [START, 173781, CHANNEL, 12606, 815] * 6_000,
    vocabulary().encode(" to=functions.x") * 7_000,
    vocabulary().encode_markers("<|start|>assistant<|channel|>") + vocabulary().encode(" to=functions.x") * 7_000,
    vocabulary().encode("<|") * 30_000,
    vocabulary().encode(" \n" * 20) * 1_500,
    [END] * 30_000,
]


@pytest.mark.parametrize("ids", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_costs_linear_time(ids: list[int]) -> None:
    begun = time.process_time()
    consumers(ids, "assistant", TOOLS)
    # 0.1 s is usual; a quadratic reader takes minutes.
    assert time.process_time() - begun < 5


def test_the_documented_example() -> None:
    assert doctest.testmod(inspector.serving.consumers).failed == 0
