"""What the plots show, against values worked out by hand and against slow references; all logprobs are synthetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector import Transcript, inspect
from inspector.tokens import CHANNEL, END, MESSAGE, Span, vocabulary
from inspector.view.plots import (
    MAX_NATS,
    MAX_PLACES,
    Place,
    alternatives,
    entropy,
    envelope,
    has_plots,
    places,
    surprise,
    telling,
    token_text,
)

HALF, QUARTER = math.log(0.5), math.log(0.25)


def transcript(
    ids: Sequence[int],
    logprobs: Sequence[float | None] | None = None,
    top: Sequence[Mapping[int, float]] | None = None,
) -> Transcript:
    rows = None if top is None else tuple(tuple((t, p) for t, p in row.items()) for row in top)
    return Transcript(tuple(ids), logprobs=None if logprobs is None else tuple(logprobs), top=rows)


def test_surprise_is_minus_the_logarithm_in_the_unit_that_was_asked_for() -> None:
    found = transcript([1, 2, 3, 4], [HALF, QUARTER, None, 0.0])
    assert np.allclose(surprise(found, "bits"), [1, 2, np.nan, 0], equal_nan=True)
    assert np.allclose(surprise(found, "nats"), [-HALF, -QUARTER, np.nan, 0], equal_nan=True)
    assert np.allclose(surprise(found, "bits", Span(1, 3)), [2, np.nan], equal_nan=True)


def test_what_servers_report_for_impossible_and_for_rounding_stays_on_the_screen() -> None:
    found = transcript([1, 2, 3], [-math.inf, -9999.0, 1e-9])
    assert surprise(found, "nats").tolist() == [MAX_NATS, MAX_NATS, 0.0]


def test_a_missing_logprob_is_found_among_the_alternatives() -> None:
    found = transcript([1, 2, 3], None, [{1: HALF}, {9: HALF}, {}])
    assert np.allclose(surprise(found), [1, np.nan, np.nan], equal_nan=True)
    assert has_plots(found)
    assert not has_plots(transcript([1], [None], [{}]))
    assert not has_plots(transcript([1]))


def test_entropy_counts_what_is_left_over_as_one_outcome() -> None:
    found = transcript([1, 2, 3, 4], [HALF, None, None, 0.0], [{1: HALF, 5: QUARTER}, {2: HALF}, {}, {4: 0.0}])
    # 1/2, 1/4 and 1/4 left over; 1/2 and 1/2 left over; nothing known; certain.
    assert np.allclose(entropy(found), [1.5, 1.0, np.nan, 0.0], equal_nan=True)
    assert np.allclose(entropy(found, "nats")[0], 1.5 * math.log(2))


def test_the_token_that_was_said_counts_though_it_was_not_among_the_most_likely() -> None:
    found = transcript([1], [QUARTER], [{5: HALF}])
    assert np.allclose(entropy(found), [1.5])


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=12), st.integers(1, 11))
def test_entropy_is_a_lower_bound(weights: list[float], told: int) -> None:
    shares = np.array(weights) / sum(weights)
    whole = float(-(shares * np.log2(shares)).sum())
    row = {n: math.log(p) for n, p in list(enumerate(shares))[:told]}
    found = float(entropy(transcript([0], None, [row]))[0])
    assert -1e-9 <= found <= whole + 1e-9
    if told >= len(weights):
        assert found == pytest.approx(whole, abs=1e-9)


@given(
    st.lists(st.one_of(st.floats(0, 100), st.just(math.nan)), max_size=400),
    st.integers(4, 60),
)
def test_an_envelope_is_small_and_keeps_the_extremes(values: list[float], limit: int) -> None:
    data = np.array(values, dtype=np.float64)
    kept = envelope(data, limit)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(limit, 0)
    assert all(0 <= index < len(values) for index in kept)
    if len(values) <= limit:
        assert kept == list(range(len(values)))
        return
    assert {0, len(values) - 1} <= set(kept)
    known = [v for v in values if not math.isnan(v)]
    if known:
        drawn = [values[i] for i in kept if not math.isnan(values[i])]
        assert (min(drawn), max(drawn)) == (min(known), max(known))


def test_an_envelope_breaks_where_nothing_is_known() -> None:
    data = np.concatenate([np.ones(500), np.full(500, np.nan), np.ones(500)])
    kept = envelope(data, 30)
    assert any(500 <= index < 1000 for index in kept)
    with pytest.raises(ValueError, match="expected 4 or more"):
        envelope(data, 3)


def test_131072_tokens_become_2000_points_with_every_spike() -> None:
    data = np.random.default_rng(3).random(131_072)
    spikes = [7, 70_000, 131_000]
    data[spikes] = [50, 60, 70]
    kept = envelope(data)
    assert len(kept) <= 2000
    assert set(spikes) <= set(kept)


def test_alternatives_are_ordered_and_the_chosen_one_is_marked() -> None:
    ids = vocabulary().encode("word")
    found = transcript([ids[0], END], [HALF, QUARTER], [{END: QUARTER, ids[0]: HALF}, {999999: -1.0}])
    first = alternatives(found, 0)
    assert [(a.token, a.text, a.chosen) for a in first] == [(ids[0], "word", True), (END, "<|end|>", False)]
    assert [a.probability for a in first] == pytest.approx([0.5, 0.25])
    # The one that stands there was not among the most likely: its own logprob is known all the same.
    assert [(a.token, a.text, a.chosen) for a in alternatives(found, 1)] == [
        (999999, "", False),
        (END, "<|end|>", True),
    ]
    assert alternatives(transcript([1]), 0) == []
    with pytest.raises(IndexError):
        alternatives(found, 2)


def test_half_a_character_is_told_by_its_bytes() -> None:
    halves = [t for t in vocabulary().encode("🪄") if "\\x" in token_text(t)]
    assert halves


def test_places_tell_legal_from_illegal_mass_and_the_findings_there() -> None:
    encode = vocabulary().encode_markers
    analysis = encode("analysis")
    ids = encode("<|channel|>analysis<|channel|>analysis<|message|>Hm.<|end|>")
    second = len(analysis) + 1
    top: list[Mapping[int, float]] = [{} for _ in ids]
    top[second] = {MESSAGE: HALF, CHANNEL: QUARTER}
    inspection = inspect(transcript(ids, [None] * len(ids), top))
    assert [d.code for d in inspection.diagnostics if d.span.start <= second < d.span.end] == ["HS201"]
    (place,) = places(inspection)
    assert (place.index, place.legal, place.codes) == (second, False, ("HS201",))
    assert place.mass.legal == pytest.approx(0.5)
    assert place.mass.illegal == pytest.approx(0.25)
    assert place.mass.unknown == pytest.approx(0.25)
    assert "<|message|>" in place.expected


def test_places_are_those_of_structure_only_and_add_up_to_one() -> None:
    ids = vocabulary().encode_markers(
        "<|channel|>analysis<|message|>Hm, well.<|end|><|start|>assistant<|channel|>final"
    )
    # A little more than 1 in all, as rounded reports are.
    top = [{token: math.log(0.7), 17: math.log(0.301)} for token in ids]
    found = places(inspect(transcript(ids, None, top)))
    body = range(ids.index(MESSAGE) + 1, ids.index(END))
    assert [p.index for p in found] == [i for i in range(len(ids)) if i not in body]
    assert all(sum(p.mass) == pytest.approx(1.0) for p in found)
    assert all(p.legal for p in found)


def test_of_too_many_places_the_telling_ones_are_drawn_in_order() -> None:
    found = places(inspect(transcript([CHANNEL], [HALF])))
    assert telling(found) == found
    (base,) = found
    many = [Place(n, base.mass, True, "", ()) for n in range(1000)]
    many[900] = Place(900, base.mass, False, "", ())
    many[950] = Place(950, base.mass, True, "", ("HS201",))
    drawn = telling(many)
    assert len(drawn) == MAX_PLACES
    assert {900, 950} <= {p.index for p in drawn}
    assert [p.index for p in drawn] == sorted(p.index for p in drawn)
