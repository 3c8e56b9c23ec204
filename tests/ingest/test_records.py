"""Transcript records: fields, defects, streaming."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.ingest import Problem, iter_records, read, transcript_record
from inspector.ingest.wordless import as_words
from inspector.tokens import CALL, Transcript, vocabulary

FULL: dict[str, Any] = {
    "id": "run-7",
    "token_ids": [200005, 17196, CALL],
    "role": "assistant",
    "prompt_token_ids": [200006, 173781],
    "finish_reason": "stop",
    "stop_reason": CALL,
    "origins": ["sampled", "sampled", "injected"],
    "logprobs": [-0.5, None, 0],
    "top": [[[200005, -0.5], [1, -2]], None, []],
    "tools": ["functions.bash", {"type": "function", "function": {"name": "ls"}}, {"name": "cat"}],
    "meta": {"step": 3},
    "tool_choice": "auto",
}


def one(record: dict[str, Any], **options: Any) -> Transcript:
    loaded = read(json.dumps(record), format="records", **options)
    assert loaded.problems == ()
    (transcript,) = loaded.transcripts
    return transcript


def test_every_field() -> None:
    transcript = one(FULL, filename="runs.jsonl")
    assert transcript == Transcript(
        ids=(200005, 17196, CALL),
        role="assistant",
        id="run-7",
        origins=("sampled", "sampled", "injected"),
        logprobs=(-0.5, None, 0.0),
        top=(((200005, -0.5), (1, -2.0)), (), ()),
        finish_reason="stop",
        stop_reason=CALL,
        reported=frozenset({"finish_reason", "stop_reason"}),
        prompt_ids=(200006, 173781),
        tools=("functions.bash", "functions.ls", "functions.cat"),
        meta={"step": 3, "tool_choice": "auto"},
        source="runs.jsonl line 1",
    )


def test_a_missing_role_is_a_whole_conversation_and_a_doubt_is_said() -> None:
    assert one({"token_ids": [1]}).role is None
    assert one({"token_ids": [1], "role": None}).role is None
    assert one({"token_ids": [1]}, role="assistant").role == "assistant"
    assert 'add "role": "assistant"' in read('{"token_ids": [1]}').explanation
    assert "add" not in read('{"token_ids": [200006]}').explanation


def test_text_instead_of_ids() -> None:
    text = "<|channel|>final<|message|>x\n"
    assert one({"text": text}).ids == tuple(vocabulary().encode_markers(text))
    assert one({"text": text}, markers=False).ids == tuple(vocabulary().encode(text))
    assert one({"text": text, "token_ids": [5]}).ids == (5,)


def test_a_reported_null_is_not_a_missing_reason() -> None:
    assert one({"token_ids": [], "finish_reason": None}).reported == {"finish_reason"}
    assert one({"token_ids": []}).reported == frozenset()


def test_sglangs_object_gives_both_reasons() -> None:
    found = one({"token_ids": [], "finish_reason": {"type": "stop", "matched": CALL}})
    assert (found.finish_reason, found.stop_reason) == ("stop", CALL)
    assert found.reported == {"finish_reason", "stop_reason"}
    found = one({"token_ids": [], "finish_reason": {"type": "length", "length": 9}})
    assert (found.finish_reason, found.reported) == ("length", {"finish_reason"})


def test_ids_of_64_bits_and_a_logprob_that_is_no_number() -> None:
    ids = [-1, -(2**63), 2**64 - 1]
    found = one({"token_ids": ids, "prompt_token_ids": ids, "stop_reason": 2**64 - 1})
    assert (list(found.ids), found.prompt_ids, found.stop_reason) == (ids, tuple(ids), 2**64 - 1)
    loaded = read('{"token_ids": [1, 2], "logprobs": [NaN, -Infinity]}')
    assert loaded.transcripts[0].logprobs == (None, -math.inf)


FATAL = [
    ('{"token_ids": [1, true]}', (1, 19), '"token_ids"[1] is true, expected an integer'),
    ('{"token_ids": [1, 2.5]}', (1, 19), '"token_ids"[1] is the number 2.5, expected an integer'),
    ('{"token_ids": [NaN]}', (1, 16), '"token_ids"[0] is the number nan, expected an integer'),
    ('{"token_ids": "1 2"}', (1, 15), "\"token_ids\" is the string '1 2', expected a list"),
    ('{"text": 5}', (1, 10), '"text" is 5, expected a string'),
    ('{"id": "x"}', (1, 1), 'the record has neither "token_ids" (a list of integers) nor "text" (a string)'),
    ('{"token_ids": [1], "role": "robot"}', (1, 28), "\"role\" is 'robot', expected null or one of user"),
    ('{"token_ids": [1, 18446744073709551616]}', (1, 19), '"token_ids"[1]: expected a token id, found a number beyond'),
    ('{"token_ids": [-9223372036854775809]}', (1, 16), '"token_ids"[0]: expected a token id, found a number beyond'),
    ("[1, 2]", (1, 1), "expected a transcript record, a JSON object with token_ids or text, found a list"),
    ("{bad", (1, 2), "not valid JSON (Expecting property name enclosed in double quotes)"),
    ('{"token_ids": [' + "9" * 5000 + "]}", (1, 5016), "a number has more than 4,300 digits"),
    ('{"a":' * 100_000, (1, 1001), "the JSON is nested too deeply"),
]


@pytest.mark.parametrize(("line", "where", "sentence"), FATAL)
def test_a_bad_line_is_a_sentence_with_its_place_and_stops_nothing(
    line: str, where: tuple[int, int], sentence: str
) -> None:
    lines = f'{{"token_ids": [1]}}\n{line}\n\n{{"token_ids": [2]}}\n'
    loaded = read(lines, format="records")
    assert [t.ids for t in loaded.transcripts] == [(1,), (2,)]
    (problem,) = loaded.problems
    assert (problem.line, problem.column) == (where[0] + 1, where[1])
    assert sentence in problem.sentence
    assert problem.lost
    streamed = list(iter_records(io.BytesIO(lines.encode())))
    assert [item for item in streamed if isinstance(item, Problem)] == [problem]
    assert [type(item) for item in streamed] == [Transcript, Problem, Transcript]


OPTIONAL = [
    ('"origins": ["sampled"]', '"origins" has 1 entries for 2 tokens'),
    ('"origins": ["sampled", "dreamt"]', "\"origins\"[1] is the string 'dreamt', expected one of prompt"),
    ('"origins": [[], {}]', '"origins"[0] is a list'),
    ('"logprobs": [1, "x"]', "\"logprobs\"[1] is the string 'x', expected a number or null"),
    ('"logprobs": [1, 1' + "0" * 400 + "]", '"logprobs"[1] is too large'),
    ('"top": [[[1, 2, 3]], []]', '"top"[0] is a list, expected a list of [token id, logprob] pairs'),
    ('"meta": 5', '"meta" is 5, expected an object'),
    ('"tools": [5]', '"tools"[0] is 5, expected the name of a tool'),
    ('"finish_reason": 5', '"finish_reason" is 5, expected a string or null'),
    ('"stop_reason": true', '"stop_reason" is true, expected a string, a token id or null'),
    ('"prompt_token_ids": [null]', '"prompt_token_ids"[0] is null, expected an integer'),
]


@pytest.mark.parametrize(("field", "sentence"), OPTIONAL)
def test_a_defect_in_an_optional_field_costs_that_field_only(field: str, sentence: str) -> None:
    loaded = read(f'{{"token_ids": [1, 2], {field}}}', format="records")
    assert [t.ids for t in loaded.transcripts] == [(1, 2)]
    (problem,) = loaded.problems
    assert sentence in problem.sentence
    assert "the field was left out" in problem.sentence
    assert not problem.lost
    assert loaded.transcripts[0].reported == frozenset()


def test_one_object_over_many_lines_and_arrays() -> None:
    pretty = json.dumps(FULL, indent=2)
    assert read(pretty).transcripts[0].id == "run-7"
    loaded = read(json.dumps([FULL, {"token_ids": [1, "x"]}, {"id": 9, "token_ids": [3]}], indent=1))
    assert [t.id for t in loaded.transcripts] == ["run-7", "9"]
    assert '"token_ids"[1] is the string' in loaded.problems[0].sentence
    line, column = loaded.problems[0].line, loaded.problems[0].column
    assert json.dumps([FULL, {"token_ids": [1, "x"]}, 0], indent=1).split("\n")[line - 1][column - 1 :] == '"x"'


def test_a_document_that_breaks_goes_on_at_the_next_object() -> None:
    loaded = read('{\n "token_ids": [1]\n}\n{\n "token_ids": [2,\n}\n{\n "token_ids": [3]\n}')
    assert [t.ids for t in loaded.transcripts] == [(1,), (3,)]
    assert [p.line for p in loaded.problems] == [6]


def test_an_array_that_is_not_closed() -> None:
    loaded = read('[{"token_ids": [1]},\n {"token_ids": [2]}')
    assert [t.ids for t in loaded.transcripts] == [(1,), (2,)]
    assert "not closed" in loaded.problems[0].sentence


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_streams_in_any_encoding_as_text_and_as_bytes(codec: str) -> None:
    lines = '{"id": "é", "token_ids": [1]}\r\n\r\n{"id": "b", "token_ids": [2]}'
    binary = list(iter_records(io.BytesIO(lines.encode(codec)), name="f"))
    text = list(iter_records(io.StringIO(lines), name="f"))
    assert binary == text
    assert [(t.id, t.source) for t in binary if isinstance(t, Transcript)] == [("é", "f line 1"), ("b", "f line 3")]


def test_a_stream_is_read_line_by_line() -> None:
    class Lines(io.RawIOBase):
        """A pipe that would block for ever after its second line."""

        def __init__(self) -> None:
            self.served = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.served += 1
            assert self.served <= 2, "read ahead of what was asked for"
            return b'{"token_ids": [%d]}\n' % self.served

    items = iter_records(Lines())  # type: ignore[arg-type]
    assert [next(items).ids for _ in range(2)] == [(1,), (2,)]  # type: ignore[union-attr]


def test_a_pretty_printed_file_is_streamed_whole() -> None:
    document = json.dumps([{"token_ids": [n]} for n in range(5)], indent=2)
    assert [t.ids for t in iter_records(io.StringIO(document))] == [(n,) for n in range(5)]  # type: ignore[union-attr]


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_no_file_raises(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    for item in iter_records(io.BytesIO(data)):
        assert isinstance(item, Transcript | Problem)
    read(data, format="records")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(FULL)), inner, max_size=6),
        max_leaves=12,
    )
)
def test_no_json_raises(value: Any) -> None:
    loaded = read(json.dumps(value), format="records")
    assert loaded.transcripts or loaded.problems


def test_an_inspection_record_can_be_opened_again() -> None:
    exported = {"schema": "harmonylens/1", "token_count": 1, "strict": [], "finish": {"expected": "stop"}}
    assert one({**exported, "id": "a", "token_ids": [1], "role": "assistant"}) == one(
        {"id": "a", "token_ids": [1], "role": "assistant"}
    )
    loaded = read('{"schema": "harmonylens/1", "id": "a", "error": "line 3: not JSON"}', format="records")
    assert "the record holds an error instead of a transcript: 'line 3: not JSON'" in loaded.problems[0].sentence


ODD = '{"id": "odd", "token_ids": [1], "meta": {"x": 1e999, "y": [{"z": -Infinity}], "k": 0.5}, "other": NaN}'


def test_numbers_that_json_does_not_have_are_kept_as_text() -> None:
    loaded = read(ODD, format="records")
    (transcript,), (found,) = loaded.transcripts, loaded.problems
    assert transcript.meta == {"x": "Infinity", "y": [{"z": "-Infinity"}], "k": 0.5, "other": "NaN"}
    assert not found.lost
    assert (found.line, found.column) == (1, ODD.index("1e999") + 1)
    assert "3 numbers, the first within 'x'" in found.sentence
    # What is written is JSON, and reads as the same.
    text = json.dumps(transcript_record(transcript), allow_nan=False)
    assert replace(one(json.loads(text)), source="") == replace(transcript, source="")


def test_a_transcript_made_in_python_is_written_as_json_too() -> None:
    digits = 10**5000
    record = transcript_record(Transcript((1,), meta={"a": math.inf, "b": [digits, 7], "c": (math.nan,)}))
    assert record["meta"] == {"a": "Infinity", "b": [hex(digits), 7], "c": ["NaN"]}
    json.dumps(record, allow_nan=False)


def test_what_json_has_is_handed_on_as_it_is() -> None:
    meta = {"a": [1.5, 10**300, None, "Infinity"], "b": {"c": [True]}}
    assert as_words(meta) == (meta, 0)
    assert as_words(meta)[0] is meta
