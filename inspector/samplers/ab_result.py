"""What an A/B experiment has found: the rate of each failure in each arm, and how the arms differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, Final

from ..finding import Severity
from ..repair.catalogue import RULES
from .ab_rates import Difference, difference, holm
from .values import SamplingParams
from .wilson import Rate, wilson

MALFORMED: Final = "malformed"
REFUSED: Final = "strict"
"""The rows beside those of the rules: any error at all, and what the newest release's strict parse refuses."""

_TITLES: Final = {
    MALFORMED: "malformed in any way",
    REFUSED: "refused by the strict parse",
}

SCHEMA: Final = "harmonylens-ab/1"


@dataclass(frozen=True, slots=True)
class Arm:
    """A style and how its samples ended.

    Attributes:
        style: how its prompts were rendered.
        samples: judged: the total of its rates.
        failed: requests that the engine failed on; they are in no rate.
        unfinished: answers that the limit of tokens cut within a header in which nothing was wrong so far: nobody knows
            what would have come of them, so they are in no rate either.
        cut: of the samples, those that the limit of tokens ended elsewhere.
    """

    style: str
    samples: int
    failed: int
    unfinished: int
    cut: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arm ``second`` against arm ``first``, in one row.

    Attributes:
        difference: of the two rates, over the conversations that the two styles render differently.
        p_holm: its p, raised for the number of rules that were compared (Holm); that of "malformed" and of "strict",
            which nobody had to look for, is as it is.
    """

    first: int
    second: int
    difference: Difference
    p_holm: float


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure.

    Attributes:
        code: of a rule, :data:`MALFORMED` or :data:`REFUSED`.
        title: for people.
        severity: None for the two that are not rules.
        rates: by arm: of its samples, those that have it at least once.
        comparisons: for every pair of arms.
    """

    code: str
    title: str
    severity: Severity | None
    rates: tuple[Rate, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A conversation that a style refuses to render."""

    conversation: str
    style: str
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """An experiment, as far as it is.

    The intervals take samples for independent. Those of one conversation resemble each other, so with few
    conversations the true ones are wider: draw from many conversations rather than many from one.

    Attributes:
        engine: its name.
        params: with the seed.
        n: samples for each conversation and arm.
        conversations: how many there were; ``sampled`` of them are in the rates.
        same: ids of those that all arms render alike: not sampled, because they cannot differ.
        refusals: those that some style refuses to render.
        planned: samples in all.
        arms: in the order of the styles.
        rows: "malformed" and "strict" first, then the rules that found anything, errors before warnings.
        failures: each sentence that the engine failed with, and how often.
        gave_up: why nothing more was asked, "" when all was.
        tokens: sampled, in all.
        seconds: since it began.
    """

    engine: str
    params: SamplingParams
    n: int
    conversations: int
    sampled: int
    same: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    planned: int
    arms: tuple[Arm, ...]
    rows: tuple[Row, ...]
    failures: tuple[tuple[str, int], ...]
    gave_up: str
    tokens: int
    seconds: float

    @property
    def done(self) -> int:
        """Requests that have been answered or have failed."""
        return sum(arm.samples + arm.failed + arm.unfinished for arm in self.arms)

    @property
    def is_complete(self) -> bool:
        """Whether every sample that was planned was drawn."""
        return sum(arm.samples + arm.unfinished for arm in self.arms) == self.planned

    def row(self, code: str) -> Row | None:
        """The row of a rule, or None when it found nothing in any arm."""
        return next((row for row in self.rows if row.code == code), None)

    def most(self, limit: int | None) -> tuple[Row, ...]:
        """The rows "malformed" and "strict", and of the rules those of which most was found in any arm, in order.

        Args:
            limit: rules at most; None for all.
        """
        rules = self.rows[2:]
        found = sorted(rules, key=lambda row: -max(rate.share for rate in row.rates))[:limit]
        return (*self.rows[:2], *(row for row in rules if row in found))

    def record(self) -> dict[str, Any]:
        """The plain form, for JSON."""
        return {
            "schema": SCHEMA,
            "engine": self.engine,
            "params": asdict(self.params),
            "n": self.n,
            "conversations": self.conversations,
            "sampled": self.sampled,
            "same": list(self.same),
            "refused": [asdict(one) for one in self.refusals],
            "planned": self.planned,
            "done": self.done,
            "complete": self.is_complete,
            "arms": [asdict(arm) for arm in self.arms],
            "rows": [_row(row) for row in self.rows],
            "failures": [{"error": error, "count": count} for error, count in self.failures],
            "gave_up": self.gave_up,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
        }


Tally = tuple[int, Counter[str]]
"""How many samples were judged, and how many of them have what."""


def tabulate(counts: Mapping[tuple[int, int], tuple[Tally, Tally]], arms: int) -> tuple[Row, ...]:
    """The rows of a result.

    Args:
        counts: by pair of arms, what the first and what the second has of the conversations that they render
            differently; by an arm paired with itself, all that it has.
        arms: how many there are.
    """
    own = [counts[arm, arm][0] for arm in range(arms)]
    found = {code for _, counted in own for code in counted} - {MALFORMED, REFUSED}
    codes = sorted(found, key=lambda code: (-RULES[code].severity.rank, -sum(c[code] for _, c in own), code))
    rows = [_tabulated(code, own, counts) for code in (MALFORMED, REFUSED, *codes)]
    for number in range(len(rows[0].comparisons)):
        ps = holm([row.comparisons[number].difference.p for row in rows[2:]])
        for at, p in enumerate(ps, 2):
            row = rows[at]
            mended = list(row.comparisons)
            mended[number] = replace(mended[number], p_holm=p)
            rows[at] = replace(row, comparisons=tuple(mended))
    return tuple(rows)


def _tabulated(code: str, own: list[Tally], counts: Mapping[tuple[int, int], tuple[Tally, Tally]]) -> Row:
    comparisons = []
    for first, second in combinations(range(len(own)), 2):
        (total_a, a), (total_b, b) = counts[first, second]
        told = difference(wilson(a[code], total_a), wilson(b[code], total_b))
        comparisons.append(Comparison(first, second, told, told.p))
    rule = RULES.get(code)
    return Row(
        code,
        _TITLES[code] if rule is None else rule.name,
        None if rule is None else rule.severity,
        tuple(wilson(counted[code], total) for total, counted in own),
        tuple(comparisons),
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "code": row.code,
        "title": row.title,
        "severity": None if row.severity is None else str(row.severity),
        "rates": [asdict(rate) for rate in row.rates],
        "comparisons": [
            {
                "first": one.first,
                "second": one.second,
                "rates": [asdict(one.difference.first), asdict(one.difference.second)],
                "difference": one.difference.value,
                "low": one.difference.low,
                "high": one.difference.high,
                "p": one.difference.p,
                "p_holm": one.p_holm,
            }
            for one in row.comparisons
        ],
    }
