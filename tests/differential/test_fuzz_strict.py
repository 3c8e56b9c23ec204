"""Our model of the strict parser against the published releases, on inputs drawn at random."""

from __future__ import annotations

import os

import pytest
from fuzzing import ROLES, Tally, load, run, structural
from generate import Generator

from inspector.harmony.strict import StrictModel
from inspector.harmony.verdict import Dialect
from inspector.releases import Release, ReleaseError, add, find
from inspector.tokens import vocabulary

NEWEST = "oss-harmony 0.0.11"
OLDEST = "openai-harmony 0.0.8"
COMPARISONS = 60_000


def obtain(title: str) -> Release:
    """A release, fetched when it is not here. At a desk without a network the test is skipped, in CI it fails."""
    release = find(title)
    if release is not None:
        return release
    try:
        return add(title.replace(" ", "=="))
    except ReleaseError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return {}


@pytest.mark.differential
@pytest.mark.parametrize("title", [OLDEST, NEWEST])
def test_the_model_agrees_with_the_release(title: str, tallies: dict[str, Tally]) -> None:
    """Accepted or not, all messages, error text; for a third of the errors their token and the messages before."""
    release = obtain(title)
    tally = run([(release, load(release))], seed=20_250_808, comparisons=COMPARISONS // 2)
    tallies[title] = tally
    assert tally.mismatches == [], tally.mismatches[:3]
    assert tally.comparisons >= COMPARISONS // 2
    assert tally.located >= 3_000


@pytest.mark.differential
def test_the_comparison_covered_every_verdict(tallies: dict[str, Tally]) -> None:
    """A fuzz that only ever sees one kind of error compares little: each kind must have come often enough."""
    if set(tallies) != {OLDEST, NEWEST}:
        pytest.skip("a release was not compared")
    total = sum((tally.kinds for tally in tallies.values()), start=type(tallies[NEWEST].kinds)())
    expected = {
        "ok": 10_000,
        "E1": 5_000,
        "E2": 2_000,
        "E3": 500,
        "E4": 1_000,
        "E5": 50,
        "E6": 500,
        "E7": 5_000,
        "E8": 100,
    }
    assert {kind: total[kind] >= least for kind, least in expected.items()} == dict.fromkeys(expected, True), total


def test_two_dialects_differ_on_what_is_generated() -> None:
    """Otherwise comparing both releases would say no more than comparing one."""
    differ = 0
    for _, ids in zip(range(500), Generator(vocabulary().encode, 7), strict=False):
        model = StrictModel(ids)
        for role in ROLES:
            first, second = (model.parse(role, dialect) for dialect in Dialect)
            differ += (first.error, first.messages) != (second.error, second.messages)
    assert differ > 50


def test_places_are_in_bounds_and_in_order() -> None:
    """Spans of messages and causes, for every verdict of a thousand inputs."""
    for _, ids in zip(range(1_000), Generator(vocabulary().encode, 11), strict=False):
        model = StrictModel(ids)
        for role in ROLES:
            for dialect in Dialect:
                for strict in (True, False):
                    assert structural(model.parse(role, dialect, strict=strict), ids) is None, (ids, role)
