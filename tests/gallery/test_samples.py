"""What the samples say about themselves is so: errors to the letter, messages, rules."""

from __future__ import annotations

from collections import Counter

import pytest
from refresh_samples import found_drift, found_rules

from inspector import inspect
from inspector.finding import Severity
from inspector.gallery import Sample, load_samples
from inspector.gallery.founding import REPORT
from inspector.gallery.generate import founding_records, healthy_records
from inspector.harmony.strict import strict_parse
from inspector.harmony.verdict import Dialect
from inspector.repair.catalogue import RULES
from inspector.tokens import Transcript

SAMPLES = load_samples()
FOUNDING = [s for s in SAMPLES if s.family == "founding"]
DIALECTS = {"openai-harmony 0.0.8": Dialect.FIRST_ONLY, "oss-harmony 0.0.11": Dialect.ALL_CHANNELS}

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)


def predicted(sample: Sample, release: str) -> str | None:
    verdict = strict_parse(sample.transcript.ids, sample.transcript.role, DIALECTS[release])
    return verdict.error.text if verdict.error else None


@pytest.mark.parametrize("release", DIALECTS)
@each_sample
def test_our_model_predicts_the_error_that_the_sample_states(sample, release) -> None:
    assert predicted(sample, release) == sample.errors.get(release)


@each_sample
def test_samples_name_only_releases_that_are_checked(sample) -> None:
    assert set(sample.errors) <= set(DIALECTS)


def test_every_line_of_the_report_has_its_sample() -> None:
    for line in REPORT:
        errors = [(s.errors["openai-harmony 0.0.8"], s.founding) for s in FOUNDING]
        assert [c for error, c in errors if line.matches(error)] in ([line.count], [line.count] * 2), line.text


def test_every_founding_sample_is_a_line_of_the_report() -> None:
    for sample in FOUNDING:
        error = sample.errors["openai-harmony 0.0.8"]
        assert sum(line.matches(error) for line in REPORT) == 1
    assert len(FOUNDING) == 19, "17 lines, two of them with a second shape"


def histogram(release: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for record in founding_records():
        verdict = strict_parse(record["token_ids"], record["role"], DIALECTS[release])
        if verdict.error:
            found[verdict.error.text] += 1
    return found


def test_the_preset_counts_as_the_report_did() -> None:
    found = histogram("openai-harmony 0.0.8")
    assert found.total() == 190
    counted = {line.text: sum(n for text, n in found.items() if line.matches(text)) for line in REPORT}
    assert counted == {line.text: line.count for line in REPORT}
    assert len(found) == 17


def test_the_newest_release_raises_on_a_fifth_of_it() -> None:
    assert histogram("oss-harmony 0.0.11").total() == 38


def plain(messages) -> list[tuple[str | None, ...]]:
    return [(m.role, m.name, m.channel, m.recipient, m.content_type, m.content) for m in messages]


@each_sample
def test_the_repair_gives_what_a_careful_engineer_reads(sample) -> None:
    repair = inspect(sample.transcript).repair
    assert plain(repair.messages) == plain(sample.expected)


@each_sample
def test_after_the_repair_the_newest_release_reads_the_same(sample) -> None:
    repair = inspect(sample.transcript, next_prompt=False).repair
    assert repair.ok or not sample.expected
    again = inspect(Transcript(repair.ids, repair.role, tools=sample.tools), next_prompt=False).repair
    assert again.edits == ()


@each_sample
def test_what_is_found_is_what_the_sample_says(sample) -> None:
    inspection = inspect(sample.transcript)
    assert (found_rules(inspection), found_drift(inspection)) == (sample.rules, sample.drift), (
        "if this is meant, run `python tests/gallery/refresh_samples.py` and read its diff"
    )


@each_sample
def test_healthy_samples_are_left_alone(sample) -> None:
    if sample.family != "healthy":
        return
    inspection = inspect(sample.transcript)
    assert inspection.diagnostics == ()
    assert inspection.repair.edits == ()


def test_every_rule_about_output_has_a_sample() -> None:
    covered = {code for sample in SAMPLES for code in sample.rules}
    # HS199 catches what no rule mends; a sample for it would be a defect of ours.
    assert set(RULES) - covered <= {"HS199"}


def test_the_healthy_runs_of_the_preset_have_no_errors() -> None:
    for record in healthy_records(40):
        found = inspect(record["token_ids"], next_prompt=False)
        assert all(d.severity is not Severity.ERROR for d in found.diagnostics)
        assert found.repair.edits == ()
