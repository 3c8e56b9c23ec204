"""How much more time four times as much input takes: the ratchet that keeps everything linear.

A case makes an input of about ``n`` characters or tokens, and runs what is measured on it. Cases are registered by
:func:`case` in the modules of this folder named ``*_cases.py``; ``test_growth.py`` runs each at n and 4 n,
``benchmarks/growth.py`` at 16 n too.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

MOST: Final = 6.0
"""The factor that 4 n may take over n. Linear is 4, n log n 4.4 to 4.8 at these sizes, quadratic 16; what is between
is noise of a machine with other work on it."""

FLOOR_S: Final = 0.010
"""CPU seconds that n should take at least, so that the factor is not that of the fixed costs. n is doubled until it
does, or until it is :attr:`Case.most`."""

_ROUNDS: Final = 6

_SURELY: Final = 40.0
"""A factor that is no noise: it is not measured again, which would take long."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to make an input long.

    Attributes:
        name: unique, words with underscores.
        make: the input of about this size; not measured.
        run: what is measured. It may return anything, and may raise what ``refuses`` names.
        n: the size to begin with.
        most: the size that n never exceeds; inputs for which a budget stands are refused above it.
        refuses: exceptions that mean "refused with a sentence", which ends the work as well as an answer.
    """

    name: str
    make: Callable[[int], Any]
    run: Callable[[Any], object]
    n: int = 2_000
    most: int = 256_000
    refuses: tuple[type[BaseException], ...] = ()


CASES: Final[dict[str, Case]] = {}
"""All cases, by name."""


def load() -> dict[str, Case]:
    """All cases, from the modules beside this one."""
    for file in sorted(Path(__file__).parent.glob("*_cases.py")):
        import_module(f"{__package__}.{file.stem}")
    return CASES


def case(
    run: Callable[[Any], object],
    *,
    name: str = "",
    n: int = 2_000,
    most: int = 256_000,
    refuses: tuple[type[BaseException], ...] = (),
) -> Callable[[Callable[[int], Any]], Callable[[int], Any]]:
    """Register the decorated function, which makes the input, as a case for ``run``."""

    def register(make: Callable[[int], Any]) -> Callable[[int], Any]:
        add(Case(name or make.__name__, make, run, n, most, refuses))
        return make

    return register


def add(one: Case) -> None:
    """Register a case; its name must be new."""
    assert one.name not in CASES, f"two cases are called {one.name}"
    CASES[one.name] = one


def cpu_seconds(one: Case, n: int) -> float:
    """CPU seconds of this process for one run at size n, its garbage included."""
    given = one.make(n)
    # What is there already (vocabulary, caches, the input) is nothing that the collector has to look through for the
    # run: with it one collection, which comes when it comes, takes longer than the run.
    gc.freeze()
    try:
        begin = time.process_time()
        with contextlib.suppress(one.refuses):
            one.run(given)
        return time.process_time() - begin
    finally:
        gc.unfreeze()


def sized(one: Case) -> tuple[int, float]:
    """The size to begin with, and the least CPU seconds at it: doubled until it is above the fixed costs."""
    n = one.n
    cpu_seconds(one, n)  # what is made once, such as the vocabulary and caches
    small = cpu_seconds(one, n)
    while small < FLOOR_S and n * 2 <= one.most:
        n *= 2
        small = cpu_seconds(one, n)
    return n, small


def grown(one: Case) -> tuple[int, float, float]:
    """The size n that was taken, and the least CPU seconds at n and 4 n.

    Measured anew while the factor is above :data:`MOST`, a few times: what is linear is seen to be so at least once,
    what is not never is.
    """
    n, small = sized(one)
    large = cpu_seconds(one, 4 * n)
    for _ in range(_ROUNDS):
        if large <= MOST * max(small, FLOOR_S) or large > _SURELY * max(small, FLOOR_S):
            break
        # Both again: the least of each is what the work itself takes.
        small = min(small, cpu_seconds(one, n))
        large = min(large, cpu_seconds(one, 4 * n))
    return n, small, large
