"""Scanning: in order, whatever happens to single records, in one process or several."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from scan_fakes import FAULT, PANIC, POISON, fake_digest, fake_inspect

from inspector.ingest import iter_records
from inspector.ingest.values import problem
from inspector.inspection import inspect
from inspector.scan import Histogram, ScanResult, scan
from inspector.tokens import Transcript


def transcripts(*firsts: int) -> list[Any]:
    return [Transcript((first,), id=f"t{n}", source=f"f line {n}") for n, first in enumerate(firsts)]


def brief(results: Iterator[ScanResult]) -> list[tuple[int, str, bool]]:
    return [(r.index, r.id, r.error is None) for r in results]


def test_every_record_has_a_result_in_its_place() -> None:
    records = transcripts(1, 2)
    records.insert(1, problem(7, 3, "not valid JSON"))
    results = list(scan(records, inspect=fake_inspect))
    assert [(r.index, r.id) for r in results] == [(0, "t0"), (1, "line 7"), (2, "t1")]
    assert results[1].error == "line 7, column 3: not valid JSON"
    assert (results[1].value, results[1].tally) == (None, None)
    assert results[2].source == "f line 1"


def test_a_lost_field_goes_with_its_record() -> None:
    records = [*transcripts(1), problem(1, 9, "logprobs", lost=False), *transcripts(2)]
    results = list(scan(records, inspect=fake_inspect))
    assert [r.problems for r in results] == [("line 1, column 9: logprobs",), ()]


@pytest.mark.parametrize("first", [FAULT, PANIC])
def test_a_failing_inspection_is_an_error_in_its_place(first: int) -> None:
    results = list(scan(transcripts(1, first, 2), inspect=fake_inspect))
    assert [r.error is None for r in results] == [True, False, True]
    assert results[1].error is not None
    assert "\n" not in results[1].error
    assert results[1].id == "t1"


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupted(_: Transcript) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(scan(transcripts(1), inspect=interrupted))


def test_without_a_digest_a_result_holds_the_inspection() -> None:
    (result,) = scan(transcripts(5), inspect=fake_inspect)
    assert result.value.transcript.ids == (5,)
    (result,) = scan(transcripts(5), inspect=fake_inspect, digest=fake_digest)
    assert result.value == "t0:1"


def test_records_are_read_as_results_are_taken() -> None:
    taken = []

    def source() -> Iterator[Any]:
        for number, transcript in enumerate(transcripts(*range(1, 50))):
            taken.append(number)
            yield transcript

    results = scan(source(), inspect=fake_inspect)
    next(results)
    assert len(taken) <= 2


def test_jobs_must_be_positive() -> None:
    with pytest.raises(ValueError, match="expected 1 or more"):
        scan([], jobs=0)


def test_processes_give_the_same_in_the_same_order_and_survive_a_death() -> None:
    firsts = [1 + n % 5 for n in range(150)]
    firsts[3], firsts[70], firsts[71] = FAULT, POISON, PANIC
    records = transcripts(*firsts)
    results = list(scan(records, inspect=fake_inspect, digest=fake_digest, jobs=2))
    alive = transcripts(*[FAULT if first == POISON else first for first in firsts])
    assert brief(iter(results)) == brief(scan(alive, inspect=fake_inspect, digest=fake_digest))
    assert results[70].error is not None
    assert "worker process that inspected it was killed by SIGKILL" in results[70].error
    assert [r.value for r in results if r.error is None] == [f"t{n}:1" for n in range(150) if n not in (3, 70, 71)]


def test_the_real_inspection() -> None:
    lines = (
        b'{"id": "good", "role": "assistant", "text": "<|channel|>final<|message|>Hi<|return|>"}\n'
        b"nothing\n"
        b'{"id": "bad", "role": "assistant", "text": "<|channel|>analysis<|message|>a<|end|><|start|>final'
        b'<|message|>b<|return|>"}\n'
    )
    results = list(scan(iter_records(io.BytesIO(lines)), inspect=partial(inspect, next_prompt=False)))
    assert [(r.id, r.error is None) for r in results] == [("good", True), ("line 2", False), ("bad", True)]
    histogram = Histogram.of(results)
    strict = [(row.source, row.text, row.count, row.example) for row in histogram.rows() if row.section == "strict"]
    assert strict == [(release, "Unknown role: final", 1, "bad") for release in histogram.accepted]
    assert set(histogram.accepted.values()) == {1}
