"""What the plots show, where a transcript has logprobs: surprise, entropy, alternatives, and the probability that went
to legal and to illegal tokens.

Pure computations; :mod:`inspector.ui.plots_panel` draws them. Reported logarithms are natural ones, results are in
bits or nats as asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, log
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ..finding import Diagnostic
from ..harmony.legal import Legal, Split, Walk, grammar, split
from ..harmony.names import declared_in
from ..inspection import Inspection
from ..tokens import Scan, Span, Transcript, is_special, special_text, vocabulary

Unit = Literal["bits", "nats"]
Values = npt.NDArray[np.float64]

MAX_POINTS: Final = 2000
"""Points of a trace: more than a screen has columns."""

MAX_NATS: Final = 50.0
"""Surprise is drawn up to here: servers report -9999 or minus infinity for "impossible"."""

MAX_PLACES: Final = 300
"""Bars of structure that are drawn: of more, those where the most went to illegal tokens and those with findings."""

_PER_NAT: Final[dict[Unit, float]] = {"bits": 1.0 / log(2.0), "nats": 1.0}


def has_plots(transcript: Transcript) -> bool:
    """Whether there is anything to plot: one logprob, or the alternatives of one token."""
    return any(value is not None for value in transcript.logprobs or ()) or any(transcript.top or ())


def logprob_at(transcript: Transcript, index: int) -> float | None:
    """The natural logarithm of a token's probability: as reported, else from its alternatives; None when unknown."""
    told = None if transcript.logprobs is None else transcript.logprobs[index]
    if told is None and transcript.top is not None:
        told = dict(transcript.top[index]).get(transcript.ids[index])
    return told


def surprise(transcript: Transcript, unit: Unit = "bits", span: Span | None = None) -> Values:
    """Minus the logarithm of each token's probability, from 0 to :data:`MAX_NATS`; NaN where it is not known.

    Of all tokens, or of those in ``span``, which must lie in the transcript.
    """
    within = Span(0, len(transcript.ids)) if span is None else span
    told = (logprob_at(transcript, index) for index in range(within.start, within.end))
    values = np.fromiter((np.nan if t is None else -t for t in told), dtype=np.float64, count=len(within))
    return np.clip(values, 0.0, MAX_NATS) * _PER_NAT[unit]


def entropy(transcript: Transcript, unit: Unit = "bits") -> Values:
    """Per token the entropy of what the model could have said there, as far as its alternatives tell.

    It is a lower bound: what the reported tokens leave over counts as one further outcome. NaN where no alternatives
    were reported.
    """
    out = np.full(len(transcript.ids), np.nan)
    top = transcript.top or ()
    counts = np.fromiter(map(len, top), dtype=np.int64, count=len(top))
    places = np.flatnonzero(counts)
    if not len(places):
        return out
    logprobs = np.fromiter((logprob for row in top for _, logprob in row), dtype=np.float64, count=int(counts.sum()))
    starts = (np.cumsum(counts) - counts)[places]
    masses = np.exp(np.minimum(0.0, logprobs))
    # What stands there counts too, where it was not among the most likely.
    own = np.fromiter((_apart(transcript, int(place)) for place in places), dtype=np.float64, count=len(places))
    total = np.add.reduceat(masses, starts) + own
    left = np.maximum(0.0, 1.0 - total)
    weighted = np.add.reduceat(_times_log(masses), starts) + _times_log(own) + _times_log(left)
    # Reported probabilities can add up to a little more than 1.
    over = np.maximum(1.0, total)
    out[places] = np.maximum(0.0, np.log(over) - weighted / over) * _PER_NAT[unit]
    return out


def _times_log(shares: Values) -> Values:
    """p log p, which is 0 at 0."""
    return shares * np.log(np.where(shares > 0, shares, 1.0))


def _apart(transcript: Transcript, index: int) -> float:
    """The probability of the token at a place, 0 where it is among the alternatives or not known."""
    token = transcript.ids[index]
    if transcript.logprobs is None or transcript.top is None:
        return 0.0
    for other, _ in transcript.top[index]:
        if other == token:
            return 0.0
    told = transcript.logprobs[index]
    return 0.0 if told is None else exp(min(0.0, told))


def _known(transcript: Transcript, index: int) -> dict[int, float]:
    """The logprobs that are known at a place: of the alternatives and of the token that stands there."""
    known = dict(transcript.top[index]) if transcript.top is not None else {}
    told = logprob_at(transcript, index)
    if told is not None:
        known.setdefault(transcript.ids[index], told)
    return known


def envelope(values: Values, limit: int = MAX_POINTS) -> list[int]:
    """Indexes of at most ``limit`` points that show the whole trace: of each stretch its lowest and its highest.

    The ends and the extremes of the whole trace are among them. A stretch without a known value gives one unknown
    point, so that the line breaks there.

    Raises:
        ValueError: ``limit`` is below 4.
    """
    if limit < 4:
        raise ValueError(f"an envelope of {limit} points: expected 4 or more")
    count = len(values)
    if count <= limit:
        return list(range(count))
    edges = np.linspace(0, count, (limit - 2) // 2 + 1).astype(int)
    kept = {0, count - 1}
    for start, end in pairwise(edges):
        known = np.flatnonzero(np.isfinite(values[start:end]))
        if not len(known):
            kept.add(int(start))
            continue
        part = values[start:end][known]
        kept |= {int(start + known[part.argmin()]), int(start + known[part.argmax()])}
    return sorted(kept)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that the model could have said at a place.

    Attributes:
        token: its id.
        text: what it prints: markers as ``<|end|>``, "" for an id outside of the vocabulary, bytes that are no text
            as ``\\xe2``. Not yet fit for a screen: what prints nothing is still in it.
        probability: from 0 to 1.
        logprob: its natural logarithm, as reported.
        chosen: whether it is the one that stands there.
    """

    token: int
    text: str
    probability: float
    logprob: float
    chosen: bool


def alternatives(transcript: Transcript, index: int) -> list[Alternative]:
    """The alternatives of a token, the most likely first; the token itself is among them if its logprob is known.

    Raises:
        IndexError: there is no such token.
    """
    if not 0 <= index < len(transcript.ids):
        raise IndexError(f"token {index} of {len(transcript.ids)}")
    rows = [
        Alternative(token, token_text(token), exp(min(0.0, told)), told, token == transcript.ids[index])
        for token, told in _known(transcript, index).items()
    ]
    return sorted(rows, key=lambda row: (-row.logprob, not row.chosen, row.token))


def token_text(token: int) -> str:
    """What a token prints, alone."""
    if is_special(token):
        return special_text(token)
    return (vocabulary().token_bytes(token) or b"").decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Place:
    """A token where the format requires a marker or a header word.

    Attributes:
        index: of the token.
        mass: how much probability went to legal, to illegal and to tokens that were not reported.
        legal: whether the token that stands there is legal.
        expected: what is legal there, in words.
        codes: of the findings there, each once.
    """

    index: int
    mass: Split
    legal: bool
    expected: str
    codes: tuple[str, ...]


def places(inspection: Inspection) -> list[Place]:
    """The structural positions of a transcript at which a probability is known, in order."""
    transcript = inspection.transcript
    ids = transcript.ids
    scan = Scan(ids)
    # As the step debugger judges: the tools that the transcript declares are among the recipients.
    walk = Walk(ids, transcript.role, grammar(tuple(sorted(declared_in(transcript, scan)))), scan)
    found = [(index, legal, known) for index, legal in walk.structural() if (known := _known(transcript, index))]
    codes = _codes([index for index, _, _ in found], inspection.diagnostics)
    return [
        Place(
            index, _whole(split(known.items(), legal)), legal.is_legal(ids[index]), _expected(legal), codes.get(n, ())
        )
        for n, (index, legal, known) in enumerate(found)
    ]


def _whole(mass: Split) -> Split:
    """Reported probabilities can add up to a little more than 1."""
    total = sum(mass)
    return mass if total <= 1.0 or not isfinite(total) else Split(*(part / total for part in mass))


def _expected(legal: Legal) -> str:
    words = [special_text(marker.token) for marker in legal.markers] + [wording.says for wording in legal.text]
    return ", ".join(words) or ("the end" if legal.may_end else "nothing")


def _codes(indexes: Sequence[int], diagnostics: Sequence[Diagnostic]) -> dict[int, tuple[str, ...]]:
    """By number of a place, the codes of the findings on it; one between two tokens belongs to the second."""
    codes: dict[int, tuple[str, ...]] = {}
    for diagnostic in diagnostics:
        start, end = diagnostic.span.start, max(diagnostic.span.end, diagnostic.span.start + 1)
        for n in range(bisect_left(indexes, start), bisect_left(indexes, end)):
            if diagnostic.code not in codes.get(n, ()):
                codes[n] = (*codes.get(n, ()), diagnostic.code)
    return codes


def telling(found: Sequence[Place], limit: int = MAX_PLACES) -> list[Place]:
    """The places to draw, in order: all of them, or the ``limit`` that tell the most about what went wrong."""
    if len(found) <= limit:
        return list(found)
    ranked = sorted(found, key=lambda p: (p.legal, not p.codes, -p.mass.illegal, -p.mass.unknown, p.index))
    return sorted(ranked[:limit], key=lambda p: p.index)
