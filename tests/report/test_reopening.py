"""Whatever is exported and opens again opens to the same inspection."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from exporting import SAMPLES, hostile, switched
from hypothesis import given
from hypothesis import strategies as st

from inspector.gallery import Sample, read_gallery
from inspector.ingest import Card, Switches, card_of, carrying, read, switches_of
from inspector.inspection import RELEASES, inspect
from inspector.report.exports import FORMATS, file_name
from inspector.report.record import inspection_record, record_schema
from inspector.report.subject import Subject, inspected, inspected_sample
from inspector.tokens import Transcript

REOPENING = [form for form in FORMATS.values() if form.reopens]


def reopened(subject: Subject, form: str) -> dict[str, object]:
    """The record of what an export opens to, inspected under the switches that it brought."""
    written = FORMATS[form]
    loaded = read(written.write(subject), filename=file_name(subject, written))
    assert loaded.problems == ()
    assert loaded.format == "records"
    (transcript,) = loaded.transcripts
    return inspection_record(inspect(transcript, **switches_of(transcript).options(RELEASES)))


@pytest.mark.parametrize("form", [form.name for form in REOPENING])
def test_every_sample_under_any_switches_opens_to_the_same_inspection(form: str) -> None:
    for number, sample in enumerate(SAMPLES):
        subject = inspected(sample.transcript, switched(sample, number), card=Card(sample.title, sample.story))
        assert reopened(subject, form) == inspection_record(subject.inspection), sample.name


@pytest.mark.parametrize("form", [form.name for form in REOPENING])
def test_a_hostile_one_opens_to_the_same_inspection(form: str) -> None:
    subject = hostile()
    again = reopened(subject, form)
    known = inspection_record(subject.inspection)
    # A story has one paragraph in a gallery, and no text has a lone surrogate.
    for record in (again, known):
        record["story"] = " ".join(str(record["story"]).split())
    assert again == known


@given(
    st.lists(st.integers(-2, 201_100) | st.integers(-(2**63), 2**64 - 1), max_size=20).map(tuple),
    st.sampled_from([None, "assistant", "tool"]),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.booleans(),
)
def test_any_tokens_open_again(ids: tuple[int, ...], role: str | None, name: str, sampled: bool) -> None:
    count = len(ids)
    transcript = Transcript(
        ids,
        role,
        name,
        logprobs=tuple(-0.25 * n if n % 3 else None for n in range(count)) if sampled else None,
        origins=("sampled",) * count if sampled else None,
        top=tuple(((n, -1.5),) for n in range(count)) if sampled else None,
        stop_reason=200012,
        reported=frozenset({"stop_reason", "finish_reason"}),
        prompt_ids=(1, 2) if sampled else None,
        tools=("functions.bash",),
        meta={"step": 3},
    )
    subject = inspected(transcript)
    for form in REOPENING:
        loaded = read(form.write(subject))
        (again,) = loaded.transcripts
        assert replace(again, source="") == replace(subject.transcript, source=""), form.name


def test_the_fixture_is_valid_by_the_schema_and_says_what_it_is_called() -> None:
    validator = jsonschema.Draft202012Validator(record_schema())
    for number, sample in enumerate(SAMPLES[::7]):
        subject = inspected(sample.transcript, switched(sample, number), card=Card(sample.title, sample.story, ("a",)))
        record = json.loads(FORMATS["json"].write(subject))
        validator.validate(record)
        assert (record["title"], record["tags"]) == (sample.title, ["a"])


def test_a_page_and_a_bundle_of_a_sample_open_as_the_sample() -> None:
    for sample in SAMPLES[::9]:
        subject = inspected_sample(sample)
        for form in ("html", "bundle"):
            written = FORMATS[form]
            gallery = read_gallery(written.write(subject), file_name(subject, written))
            assert gallery.problems == ()
            assert [bare(one) for one in gallery.samples] == [bare(sample)]


def bare(sample: Sample) -> Sample:
    transcript = carrying(sample.transcript, Switches(), Card())
    return replace(sample, transcript=replace(transcript, source=""))


def test_the_words_of_a_file_stay_with_its_transcript() -> None:
    card = Card("A title", "A story.", ("one", "two"))
    subject = inspected(SAMPLES[0].transcript, card=card)
    again = read(FORMATS["html"].write(subject)).transcripts[0]
    assert card_of(again) == card
    assert inspected(again).card == card
