"""Samples as records: every one that ships and any other comes back the same; what does not fit is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.gallery import Sample, SampleError, address_name, load_samples, read_sample_record, sample_record
from inspector.gallery.record import SAMPLE_NAME, sample_and_problems
from inspector.harmony.message import Message
from inspector.ingest.record import Source
from inspector.tokens import Transcript

GOOD = {
    "id": "Run 7",
    "role": "assistant",
    "token_ids": [200005, 35644, 200008],
    "title": "A title",
    "story": "Two words.",
    "tags": ["team"],
    "rules": ["HS305"],
    "errors": {"openai-harmony 0.0.8": "x"},
    "expected": [{"content": "c", "channel": "final"}],
}


def again(sample: Sample) -> Sample:
    return read_sample_record(json.loads(json.dumps(sample_record(sample))), "here")


@pytest.mark.parametrize("sample", load_samples(), ids=lambda s: s.name)
def test_every_sample_that_ships_comes_back_the_same(sample: Sample) -> None:
    assert again(sample) == sample


words = st.text(max_size=30)
codes = st.lists(st.text(min_size=1, max_size=6), max_size=3).map(tuple)
maybe = st.none() | words
any_id = st.integers(-(2**63), 2**64 - 1)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    ids = tuple(draw(st.lists(st.integers(-5, 300_000) | any_id, max_size=12)))
    count = len(ids)
    number = st.floats(allow_nan=False, allow_infinity=False)
    finish, stop = draw(maybe), draw(maybe | any_id)
    stated = {key for key, value in (("finish_reason", finish), ("stop_reason", stop)) if value is not None}
    more = set(draw(st.sets(st.sampled_from(["finish_reason", "stop_reason"]))))
    rows = st.lists(number | st.none(), min_size=count, max_size=count).map(tuple)
    alternatives = st.lists(st.tuples(any_id, st.floats(-99, 0)), max_size=2).map(tuple)
    origin = st.sampled_from(["prompt", "sampled", "injected"])
    return Transcript(
        ids=ids,
        role=draw(st.sampled_from([None, "assistant", "tool", "user"])),
        id=draw(words),
        origins=draw(st.none() | st.lists(origin, min_size=count, max_size=count).map(tuple)),
        logprobs=draw(st.none() | rows),
        top=draw(st.none() | st.lists(alternatives, min_size=count, max_size=count).map(tuple)),
        finish_reason=finish,
        stop_reason=stop,
        reported=frozenset(stated | more),
        prompt_ids=draw(st.none() | st.lists(any_id, max_size=3).map(tuple)),
        tools=tuple(draw(st.lists(st.text(min_size=1, max_size=8), max_size=2))),
        meta=draw(st.dictionaries(words, st.integers() | words, max_size=3)),
    )


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    transcript = draw(transcripts())
    name = draw(st.just(address_name(transcript.id)) | words.map(address_name))
    stated = draw(st.booleans())
    message = st.builds(
        Message, words.filter(bool), words, name=maybe, channel=maybe, recipient=maybe, content_type=maybe
    )
    return Sample(
        name=name,
        title=draw(words.filter(str.strip)),
        story=" ".join(draw(words).split()),
        family=draw(words),
        transcript=replace(transcript, source=f"sample {name}"),
        expected=tuple(draw(st.lists(message, max_size=3))) if stated else (),
        rules=draw(codes) if stated else (),
        drift=draw(codes) if stated else (),
        errors=draw(st.dictionaries(words, words, max_size=2)) if stated else {},
        founding=draw(st.integers(1, 99)) if stated else 0,
        tags=draw(codes),
        stated=stated,
    )


@given(samples())
def test_any_sample_comes_back_the_same(sample: Sample) -> None:
    assert again(sample) == sample


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words,
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, "name", "founding", "drift", "content"]), inner)
        ),
        max_leaves=12,
    )
)
def test_whatever_json_says_gives_a_sample_or_a_sentence(raw: object) -> None:
    sample, problems = sample_and_problems(raw, Source(json.dumps(raw), 3))
    if sample is None or problems:
        assert all(problem.sentence.startswith("line 3, column ") for problem in problems)
        with pytest.raises(SampleError, match=r"(?s)^runs\.jsonl:3: .*\.$"):
            read_sample_record(raw, "runs.jsonl:3")
    if sample is not None:
        assert again(sample) == sample


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"token_ids": None}, 'the record has neither "token_ids"'),
        ({"token_ids": [1, "x"]}, r'"token_ids"\[1\] is the string \'x\', expected an integer'),
        ({"story": 3}, '"story" must be a text'),
        ({"tags": "x"}, '"tags" must be a list of texts'),
        ({"rules": [1]}, '"rules" must be a list of texts'),
        ({"errors": ["x"]}, '"errors" must be an object of error texts by release'),
        (
            {"expected": [{"channel": "final"}]},
            '"expected" must be a list of messages, each an object with a `content`',
        ),
        ({"expected": [{"content": "x", "to": "y"}]}, r"holds a message with 'to', expected one of channel, content"),
        ({"expected": [{"content": "x", "role": 3}]}, "text or null in every field"),
        ({"founding": True}, '"founding" must be a count'),
        ({"name": "A b"}, "\"name\" is 'A b', expected lower-case words joined by hyphens"),
        ({"role": "robot"}, "\"role\" is 'robot', expected null or one of user"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], says: str) -> None:
    with pytest.raises(SampleError, match=rf"^runs\.jsonl:3: .*{says}"):
        read_sample_record({**GOOD, **change}, "runs.jsonl:3")


def test_a_defect_of_one_field_costs_that_field_only() -> None:
    sample, problems = sample_and_problems({**GOOD, "rules": 3}, Source("", 1))
    assert sample is not None
    assert (sample.rules, sample.tags, sample.title) == ((), ("team",), "A title")
    assert [p.lost for p in problems] == [False]


def test_a_plain_transcript_record_is_a_sample_that_states_nothing() -> None:
    record = {"id": "Run 7", "token_ids": [1, 2], "errors": 3, "expected": "forty-two", "tags": ["night"]}
    sample = read_sample_record(record)
    assert (sample.name, sample.title, sample.stated, sample.tags) == ("run-7", "Run 7", False, ("night",))
    assert sample.transcript.meta == {"errors": 3, "expected": "forty-two"}


@given(st.text())
def test_any_text_gives_a_name_for_addresses(text: str) -> None:
    name = address_name(text)
    assert SAMPLE_NAME.fullmatch(name)
    assert len(name) <= 80
    assert address_name(name) == name


def test_names_that_no_ascii_can_say_stay_apart() -> None:
    assert address_name("Grüße, Jörg") == "grusse-jorg" or address_name("Grüße, Jörg").startswith("gru")
    assert address_name("日本語") != address_name("中文")
    assert address_name("x" * 200) != address_name("x" * 201)
