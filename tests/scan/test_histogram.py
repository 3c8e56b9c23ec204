"""The counts: exact, in an order that does not depend on that of the results."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from scan_fakes import FAULT, fake_inspect

from inspector.ingest.values import problem
from inspector.scan import Histogram, ScanResult, scan
from inspector.scan.histogram import MAX_KINDS
from inspector.scan.tally import LONGEST_TEXT
from inspector.tokens import Transcript


def results(*firsts: int) -> list[ScanResult]:
    records = [Transcript((first,), id=f"t{n}") for n, first in enumerate(firsts)]
    return list(scan(records, inspect=fake_inspect))


def lines(histogram: Histogram) -> list[tuple[Any, ...]]:
    return [(r.section, r.source, r.text, r.count, r.example, r.findings) for r in histogram.rows()]


def test_errors_by_release_then_rules_the_most_frequent_first() -> None:
    histogram = Histogram.of(results(2, 1, 1, 2, 3, 0, 2))
    assert lines(histogram) == [
        ("strict", "new", "Unknown role: 2", 3, "t0", 3),
        ("strict", "new", "Unknown role: 1", 2, "t1", 2),
        ("strict", "new", "Unknown role: 3", 1, "t4", 1),
        ("rule", "HS601", "rule-HS601", 6, "t0", 6),
        ("rule", "HS201", "rule-HS201", 2, "t1", 4),
    ]
    assert (histogram.transcripts, histogram.clean, histogram.unreadable) == (7, 1, 0)
    assert histogram.accepted == {"new": 1, "old": 7}


def test_equal_counts_are_ordered_by_text() -> None:
    assert [row.text for row in Histogram.of(results(3, 2)).rows() if row.section == "strict"] == [
        "Unknown role: 2",
        "Unknown role: 3",
    ]


def test_unreadable_records_fall_together_without_their_places() -> None:
    records: list[Any] = [problem(1, 1, "not JSON"), problem(9, 4, "not JSON"), Transcript((FAULT,), id="x")]
    histogram = Histogram.of(scan(records, inspect=fake_inspect))
    assert next((r.text, r.count, r.example) for r in histogram.rows()) == ("not JSON", 2, "line 1")
    assert (histogram.unreadable, histogram.transcripts) == (3, 0)


def test_a_table_shows_120_characters_and_the_record_all() -> None:
    long = "x" * 300
    histogram = Histogram()
    tally = results(1)[0].tally
    assert tally is not None
    from dataclasses import replace

    histogram.add(ScanResult(0, "a", "", tally=replace(tally, strict=(("new", long), ("new", "y" * 120)))))
    rows = [row for row in histogram.rows() if row.section == "strict"]
    assert [len(row.shown) for row in rows] == [120, 120]
    assert [len(error["text"]) for error in histogram.record()["strict"]] == [300, 120]


def test_an_error_as_long_as_its_header_is_bounded() -> None:
    from inspector.scan.tally import _bounded

    assert _bounded("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    assert _bounded("x" * (LONGEST_TEXT + 5)).endswith("… (10,005 characters)")


@given(st.lists(st.integers(0, 4), max_size=20), st.integers(0, 20))
def test_merging_parts_is_counting_the_whole(firsts: list[int], cut: int) -> None:
    every = results(*firsts)
    whole, merged = Histogram.of(every), Histogram.of(every[:cut])
    merged.merge(Histogram.of(every[cut:]))
    assert merged.record() == whole.record()


@given(st.permutations([1, 1, 2, 3, 3, 3, 0]))
def test_the_order_of_rows_does_not_depend_on_the_order_of_results(firsts: list[int]) -> None:
    given_order = [(r.section, r.text, r.count) for r in Histogram.of(results(*firsts)).rows()]
    assert given_order == [(r.section, r.text, r.count) for r in Histogram.of(results(*sorted(firsts))).rows()]


def test_any_number_of_distinct_errors_is_counted_in_bounded_memory() -> None:
    firsts = [1, 1, *range(2, MAX_KINDS + 50), 1]
    histogram = Histogram.of(results(*firsts))
    rows = [row for row in histogram.rows() if row.section == "strict"]
    assert len(rows) == MAX_KINDS
    assert (rows[0].text, rows[0].count) == ("Unknown role: 1", 3)
    failed = sum(row.count for row in rows) + histogram.more["new"]
    assert failed == histogram.transcripts - histogram.accepted["new"] == len(firsts)
    assert histogram.record()["more_strict"] == {"new": len(firsts) - MAX_KINDS - 2}
    # In parts it is the same.
    merged = Histogram.of(results(*firsts[:30]))
    merged.merge(Histogram.of(results(*firsts[30:])))
    assert sum(row.count for row in merged.rows() if row.section == "strict") + merged.more["new"] == len(firsts)


def test_any_number_of_unreadable_records_is_counted_in_bounded_memory() -> None:
    bad: list[Any] = [problem(1, 1, f"wrong in way {number}") for number in range(MAX_KINDS + 7)]
    histogram = Histogram.of(scan(bad, inspect=fake_inspect))
    assert len(histogram.rows()) == MAX_KINDS
    assert histogram.more_unreadable == histogram.record()["more_errors"] == 7
    assert histogram.unreadable == len(bad)
