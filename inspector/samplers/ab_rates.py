"""Counts of two arms beside each other: the difference of their rates with its interval, and an exact test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

from .wilson import Rate


@dataclass(frozen=True, slots=True)
class Difference:
    """Second rate minus first.

    Attributes:
        first, second: the rates.
        value: -1 to 1.
        low, high: Newcombe's 95 % interval of it.
        p: of Fisher's exact test, two-sided: how likely a split at least as odd is when both rates are the same.
    """

    first: Rate
    second: Rate
    value: float
    low: float
    high: float
    p: float


def difference(first: Rate, second: Rate) -> Difference:
    """The difference of two rates.

    The interval is made of both rates' Wilson intervals (R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890,
    method 10). Where an arm has no samples nothing is known: -1 to 1, and p is 1.
    """
    if not first.total or not second.total:
        return Difference(first, second, 0.0, -1.0, 1.0, 1.0)
    value = second.share - first.share
    low = value - sqrt((second.share - second.low) ** 2 + (first.high - first.share) ** 2)
    high = value + sqrt((second.high - second.share) ** 2 + (first.share - first.low) ** 2)
    return Difference(first, second, value, max(-1.0, low), min(1.0, high), fisher(first, second))


def fisher(first: Rate, second: Rate) -> float:
    """The two-sided p of Fisher's exact test of two counts: in whole numbers, so it is exact.

    Two-sided as R and SciPy have it: the splits of the same margins that are no likelier than the one seen.

    >>> from inspector.samplers.wilson import wilson
    >>> round(fisher(wilson(1, 10), wilson(9, 10)), 6)
    0.001093
    """
    hits, drawn, total = first.count + second.count, first.total, first.total + second.total
    least, most = max(0, hits - second.total), min(hits, drawn)
    # Ways to draw so many hits into the first arm; each follows from the one before it.
    ways = [comb(hits, least) * comb(total - hits, drawn - least)]
    for k in range(least, most):
        ways.append(ways[-1] * (hits - k) * (drawn - k) // ((k + 1) * (second.total - hits + k + 1)))
    seen = ways[first.count - least]
    return sum(way for way in ways if way <= seen) / comb(total, drawn)


def holm(ps: Sequence[float]) -> list[float]:
    """The p values of several tests at once, each raised so that all together are wrong as seldom as one would be.

    S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    raised = [0.0] * len(ps)
    highest = 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=lambda n: ps[n])):
        highest = max(highest, min(1.0, ps[at] * (len(ps) - rank)))
        raised[at] = highest
    return raised
