"""A small compiler from a grammar to a deterministic automaton over bytes and special tokens.

A grammar is written with :class:`Builder` as a graph of steps, every step labelled with the :class:`Part` that it
is of ("role", "channel" ...). :meth:`Builder.compile` makes it deterministic and drops every state from which no
accepted input can be reached, so an automaton has no dead ends: whatever it has followed can be completed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

BYTES: Final = 256
"""Symbols below this are bytes of ordinary tokens; from here on they are special tokens, in the builder's order."""

DEAD: Final = -1


class Part(NamedTuple):
    """What a step belongs to, what is left of the word it is in ("" where that can be anything), and whether it
    is that word's first step."""

    what: str
    rest: str = ""
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton.

    Attributes:
        table: int32, one row per state and one column per symbol: the state that follows, or :data:`DEAD`.
        texts: per state, the parts that bytes may go on with, sorted.
        marks: per state, what each special token that may follow (by its id) is a part of.
        accepting: per state, whether the input may end there.
        start: the state in which it begins.
        named: states by the names that the builder gave to their nodes.
    """

    table: npt.NDArray[np.int32]
    texts: tuple[tuple[Part, ...], ...]
    marks: tuple[dict[int, str], ...]
    accepting: tuple[bool, ...]
    start: int
    named: dict[str, int]


class Builder:
    """Collects nodes and labelled steps between them."""

    def __init__(self, specials: Sequence[int]) -> None:
        self._symbol = {token: BYTES + n for n, token in enumerate(specials)}
        self._steps: list[list[tuple[int, Part, int]]] = []
        self._jumps: list[list[int]] = []

    def node(self) -> int:
        """A new node without steps."""
        self._steps.append([])
        self._jumps.append([])
        return len(self._steps) - 1

    def step(self, node: int, symbols: Iterable[int], part: Part, target: int) -> None:
        """From ``node`` to ``target`` on any of ``symbols``."""
        self._steps[node] += [(symbol, part, target) for symbol in symbols]

    def jump(self, node: int, target: int) -> None:
        """From ``node`` to ``target`` without reading anything."""
        self._jumps[node].append(target)

    def special(self, node: int, token: int, what: str, target: int | None = None) -> int:
        """One special token; gives the node behind it."""
        target = self.node() if target is None else target
        self.step(node, (self._symbol[token],), Part(what), target)
        return target

    def text(self, node: int, text: str, what: str, target: int | None = None) -> int:
        """The characters of ``text`` (at least one), byte by byte; gives the node behind them."""
        left = [(byte, n, at) for at, char in enumerate(text) for n, byte in enumerate(char.encode())]
        for number, (byte, n, at) in enumerate(left):
            last = number == len(left) - 1
            following = target if last and target is not None else self.node()
            # Within a character the rest of the word cannot be told.
            self.step(node, (byte,), Part(what, "" if n else text[at:], number == 0), following)
            node = following
        return node

    def words(self, node: int, words: Iterable[str], what: str, target: int | None = None) -> int:
        """One of several words; gives the node behind all of them."""
        target = self.node() if target is None else target
        for word in words:
            self.text(node, word, what, target)
        return target

    def compile(self, start: int, accepting: Iterable[int], named: Mapping[str, int]) -> Automaton:
        """The automaton that begins at the node ``start`` and may end at those of ``accepting``.

        Raises:
            ValueError: one of the named nodes leads to no accepted input.
        """
        ends = frozenset(accepting)
        seeds = {name: self._closure({node}) for name, node in {**named, "": start}.items()}
        waiting = list(dict.fromkeys(seeds.values()))
        place = {nodes: n for n, nodes in enumerate(waiting)}
        rows: list[dict[int, int]] = []
        for nodes in waiting:  # grows meanwhile
            reached: dict[int, set[int]] = defaultdict(set)
            for node in nodes:
                for symbol, _, target in self._steps[node]:
                    reached[symbol].add(target)
            row = {}
            for symbol, targets in reached.items():
                following = self._closure(targets)
                if following not in place:
                    place[following] = len(place)
                    waiting.append(following)
                row[symbol] = place[following]
            rows.append(row)
        alive = _reaching(rows, [bool(nodes & ends) for nodes in waiting])
        for name, nodes in seeds.items():
            if place[nodes] not in alive:
                raise ValueError(f"the grammar has no way on from {name or 'its beginning'!r}")
        kept = sorted(alive)
        new = {old: at for at, old in enumerate(kept)}
        table = np.full((len(kept), BYTES + len(self._symbol)), DEAD, dtype=np.int32)
        for old in kept:
            for symbol, target in rows[old].items():
                table[new[old], symbol] = new.get(target, DEAD)
        steps = [
            [step for node in sorted(waiting[old]) for step in self._steps[node] if rows[old][step[0]] in alive]
            for old in kept
        ]
        ids = {symbol: token for token, symbol in self._symbol.items()}
        return Automaton(
            table,
            tuple(tuple(sorted({part for symbol, part, _ in row if symbol < BYTES})) for row in steps),
            tuple({ids[symbol]: part.what for symbol, part, _ in row if symbol >= BYTES} for row in steps),
            tuple(bool(waiting[old] & ends) for old in kept),
            new[place[seeds[""]]],
            {name: new[place[nodes]] for name, nodes in seeds.items() if name},
        )

    def _closure(self, nodes: Iterable[int]) -> frozenset[int]:
        found = set(nodes)
        waiting = list(found)
        while waiting:
            for target in self._jumps[waiting.pop()]:
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)


def _reaching(rows: list[dict[int, int]], accepting: list[bool]) -> set[int]:
    """The states from which an accepting one can be reached."""
    before: dict[int, set[int]] = defaultdict(set)
    for state, row in enumerate(rows):
        for target in row.values():
            before[target].add(state)
    found = {state for state, accepts in enumerate(accepting) if accepts}
    waiting = list(found)
    while waiting:
        for state in before[waiting.pop()] - found:
            found.add(state)
            waiting.append(state)
    return found
