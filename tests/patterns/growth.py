"""Which class of growth a pattern has, and the text that shows it.

Two places of a pattern that can both go on reading the same run of characters, with a way from one to the other that
reads that run too, share it in as many ways as it has characters: work grows as its square, when what follows fails.
A search that begins anew at every character is such a place in front of the whole pattern. One place that can read the
same run in two ways grows faster than any power. (In the terms of automata: infinite and exponential ambiguity.)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from .automaton import Automaton, Guard

SEARCH: Final = -1
"""The place in front of a searched pattern, which skips any character."""


class Growth(StrEnum):
    """How the work of a pattern grows with its text; :data:`MEANING` says what each is."""

    FIXED = "fixed"
    LINEAR = "linear"
    POSSESSIVE = "linear by possession"
    ANCHORED = "anchored"
    RISKY = "risky"


MEANING: Final = {
    Growth.FIXED: "Nothing in it is unbounded.",
    Growth.LINEAR: "No two neighbours share characters, and nothing unbounded stands in front of what may fail.",
    Growth.POSSESSIVE: "Neighbours share characters, but what one of them took is never given back.",
    Growth.ANCHORED: "Linear, because it is only matched where its text begins. A search with it would not be.",
    Growth.RISKY: "Work may grow as the square of the text, or faster.",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that makes a pattern slow: ``before``, then ``run`` again and again, then something that fails."""

    before: str
    run: str

    def text(self, size: int, after: str) -> str:
        return self.before + self.run * (size // len(self.run)) + after


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of a pattern, why, and the texts that show it when it is risky."""

    growth: Growth
    why: str = ""
    attacks: tuple[Attack, ...] = ()


def verdict(pattern: str | bytes, flags: int, *, searched: bool, whole: bool) -> Verdict:
    """How a pattern grows when it is searched for, or matched where its text begins.

    Args:
        pattern: the pattern.
        flags: of :mod:`re`.
        searched: used with search, finditer, sub, split or findall.
        whole: used with fullmatch.
    """
    known = _Analysis(Automaton(pattern, flags, whole=whole))
    if not known.loops:
        return Verdict(Growth.FIXED)
    inner = known.slow(searched=False)
    if inner:
        return Verdict(Growth.RISKY, "two parts can read the same run, and what follows may fail", inner)
    outer = known.slow(searched=True)
    if searched and outer:
        return Verdict(Growth.RISKY, "searched, and something unbounded stands in front of what may fail", outer)
    if _Analysis(Automaton(pattern, flags, whole=whole), possessive=False).slow(searched=False):
        return Verdict(Growth.POSSESSIVE)
    return Verdict(Growth.ANCHORED if outer else Growth.LINEAR)


class _Analysis:
    def __init__(self, automaton: Automaton, *, possessive: bool = True) -> None:
        self._of = automaton
        self._possessive = possessive
        self._kinds = self._equal_characters()
        self._reach = cache(self._reachable)
        self._steps = cache(self._next)
        self.loops = [n for n in range(len(automaton.states)) if n in self._reach(n)]

    def _equal_characters(self) -> dict[int, list[int]]:
        """One sample character of each kind that no state and no guard tells apart."""
        guards = {g for to in self._of.edges.values() for _, g in to if g is not None}
        guards |= {g for _, g in self._of.start if g is not None}
        sets = [state.reads for state in self._of.states] + [g.before for g in guards if g.before is not None]
        if any(g.word is not None for g in guards):
            sets.append(self._of.words)
        kinds: dict[tuple[bool, ...], list[int]] = {}
        for n in range(len(self._of.sample)):
            kinds.setdefault(tuple(n in one for one in sets), []).append(n)
        return {members[0]: members for members in kinds.values()}

    def _reachable(self, state: int) -> frozenset[int]:
        found: set[int] = set()
        todo = [state]
        while todo:
            for to, _ in self._of.edges.get(todo.pop(), ()):
                if to not in found:
                    found.add(to)
                    todo.append(to)
        return frozenset(found)

    def slow(self, *, searched: bool) -> tuple[Attack, ...]:
        """The texts on which work is more than linear: of the search alone, or of the pattern alone."""
        found: dict[Attack, None] = {}
        places = [SEARCH] if searched else self.loops
        for p in places:
            for q in self.loops:
                attack = self._shared(p, q)
                if attack is not None:
                    found[attack] = None
        return tuple(found)

    def pumps(self) -> list[Attack]:
        """For every loop a text that goes round in it: for trying, whatever the analysis says."""
        found: dict[Attack, None] = {}
        for q in self.loops:
            before = self._way(q)
            for kind in self._kinds:
                run = self._round(q, kind)
                if run is not None:
                    found[Attack(before, run)] = None
        return list(found)

    # Two places that share a run

    def _shared(self, p: int, q: int) -> Attack | None:
        """The text on which p and q, p before q, share a run in as many ways as it is long; None: there is none."""
        if p == q:
            return self._doubled(q)
        if p != SEARCH and (q not in self._reach(p) or self._cut(p, q)):
            return None
        sure = self._sure(p, q)
        if q in sure or p in sure:
            return None
        for kind in self._kinds:
            run = self._run(p, q, kind, sure)
            if run is not None:
                return Attack("" if p == SEARCH else self._way(p), run)
        return None

    def _doubled(self, q: int) -> Attack | None:
        """A loop with two ways round over the same states: as a loop in a loop."""
        for (to, _), ways in self._of.edges.get(q, {}).items():
            if ways > 1 and q in self._reach(to) and q not in self._sure(q, q):
                run = self._round(q, None)
                if run is not None:
                    return Attack(self._way(q), run)
        return None

    def _cut(self, p: int, q: int) -> bool:
        """True when p stands in an atomic group that q is not in: what p took is never given back."""
        return self._possessive and not set(self._of.states[p].atomic) <= set(self._of.states[q].atomic)

    def _sure(self, p: int, q: int) -> frozenset[int]:
        """States after which nothing is tried again for p and q."""
        inside = self._of.states[q].atomic
        if p != SEARCH:
            inside = tuple(g for g in inside if g in self._of.states[p].atomic)
            if inside and self._possessive:
                return self._of.sure_in[inside[-1]]
        return self._of.sure

    def _next(self, state: int, previous: int, kind: int) -> list[int]:
        """The states that read a character after ``state`` has read ``previous``."""
        if state == SEARCH:
            return [SEARCH, *(to for to, guard in self._of.start if self._open(to, guard, previous, kind))]
        return [to for to, guard in self._of.edges.get(state, ()) if self._open(to, guard, previous, kind)]

    def _open(self, to: int, guard: Guard | None, previous: int, kind: int) -> bool:
        if kind not in self._of.states[to].reads:
            return False
        if guard is None:
            return True
        if guard.before is not None and previous not in guard.before:
            return False
        return guard.word is None or guard.word == ((previous in self._of.words) != (kind in self._of.words))

    def _run(self, p: int, q: int, begin: int, sure: frozenset[int]) -> str | None:
        """The shortest run that leads p to p, p to q and q to q, where its last character is ``begin``."""
        first = (p, p, q, begin)
        came: dict[tuple[int, int, int, int], tuple[int, int, int, int] | None] = {}
        todo = deque([first])
        back_to_p = self._reach_of(p)
        while todo:
            at = todo.popleft()
            for kind in self._kinds:
                for a in self._steps(at[0], at[3], kind):
                    if a in sure or (p not in self._reach_of(a) and a != p) or (p == SEARCH and a != SEARCH):
                        continue
                    for c in self._steps(at[2], at[3], kind):
                        if c in sure or q not in self._reach(c):
                            continue
                        for b in self._steps(at[1], at[3], kind):
                            new = (a, b, c, kind)
                            if b in sure or new in came or (b not in back_to_p):
                                continue
                            if b != q and q not in self._reach_of(b):
                                continue
                            came[new] = at
                            if new == (p, q, q, begin):
                                return self._spelled(new, first, came)
                            todo.append(new)
        return None

    def _reach_of(self, state: int) -> frozenset[int]:
        if state == SEARCH:
            return frozenset((SEARCH, *range(len(self._of.states))))
        return self._reach(state) | {state}

    def _spelled(
        self,
        last: tuple[int, int, int, int],
        first: tuple[int, int, int, int],
        came: dict[tuple[int, int, int, int], tuple[int, int, int, int] | None],
    ) -> str:
        text = []
        at: tuple[int, int, int, int] | None = last
        while at is not None and at != first:
            text.append(self._of.sample[at[3]])
            at = came[at]
        return "".join(reversed(text))

    # Ways through the automaton

    def _way(self, to: int) -> str:
        """A text that leads from the start of the pattern into a state; guards are left out of account."""
        todo = deque((n, self._first_of(n)) for n, _ in self._of.start)
        seen = {n for n, _ in todo}
        while todo:
            at, text = todo.popleft()
            if at == to:
                return text
            for new, _ in self._of.edges.get(at, ()):
                if new not in seen and self._of.states[new].reads:
                    seen.add(new)
                    todo.append((new, text + self._first_of(new)))
        return ""

    def _first_of(self, state: int) -> str:
        reads = self._of.states[state].reads
        return self._of.sample[min(reads)] if reads else ""

    def _round(self, q: int, kind: int | None) -> str | None:
        """A text that leads from a state round to itself, and is read there with this character at last."""
        reads = self._of.states[q].reads
        if not reads or (kind is not None and kind not in reads):
            return None
        end = self._of.sample[min(reads) if kind is None else kind]
        todo = deque([(q, "")])
        seen: set[int] = set()
        while todo:
            at, text = todo.popleft()
            for new, _ in self._of.edges.get(at, ()):
                if new == q:
                    return text + end
                if new not in seen and self._of.states[new].reads:
                    seen.add(new)
                    todo.append((new, text + self._first_of(new)))
        return None


def pumps(pattern: str | bytes, flags: int) -> list[Attack]:
    """Texts that go round in each loop of a pattern."""
    return _Analysis(Automaton(pattern, flags, whole=False)).pumps()
