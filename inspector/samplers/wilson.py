"""How sure a rate is that was counted: Wilson's interval of a proportion."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.959963984540054
"""Standard deviations to either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``total``, the share between 0 and 1, and the bounds of its interval."""

    count: int
    total: int
    share: float
    low: float
    high: float


def wilson(count: int, total: int, z: float = Z_95) -> Rate:
    """The share of ``count`` in ``total`` with Wilson's score interval; 0 with bounds 0 and 1 when nothing was tried.

    Unlike the normal approximation it never leaves 0 to 1, and says something about 0 of n too. E. B. Wilson,
    Journal of the American Statistical Association 22 (1927), 209-212.

    Raises:
        ValueError: a negative count, or more than there are.

    >>> rate = wilson(2, 100)
    >>> round(rate.low, 4), round(rate.high, 4)
    (0.0055, 0.07)
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is no proportion: expected a count from 0 to the total")
    if not total:
        return Rate(0, 0, 0.0, 0.0, 1.0)
    share = count / total
    spread = 1 + z * z / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = 0.0 if count == 0 else (middle - half) / spread
    high = 1.0 if count == total else (middle + half) / spread
    return Rate(count, total, share, low, high)
