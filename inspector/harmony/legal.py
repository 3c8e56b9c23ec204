"""What may follow: the tokens that are legal at a place of a transcript, by Harmony's own grammar.

"Legal" has two levels here. *Well-formed* is what the format writes (:mod:`.grammar`); it is decided at every token
of a header and is what this module is about. *Accepted* is what a release's strict parser lets pass
(:func:`inspector.harmony.steps.accepts`); since it takes any words for header fields, it can only be decided at
``<|message|>``.

>>> walk = Walk(vocabulary().encode_markers("<|channel|>analysis<|message|>Hm.<|call|>"), "assistant")
>>> walk.illegal
[5]
>>> [marker.name for marker in walk.at(5).markers]
['end']
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..tokens import (
    FIRST_SPECIAL,
    MESSAGE,
    RETURN,
    START,
    STOPS,
    VOCABULARY_SIZE,
    Scan,
    Span,
    vocabulary,
)
from .automaton import BYTES, DEAD
from .grammar import SPECIALS, body_kind, build
from .legal_words import Marker, Wording, markers, wordings
from .message import ROLES
from .strict_header import ReadHeader, read_header
from .verdict import Dialect
from .words import CONTENT_TYPES

LOST: Final = DEAD
"""The state behind a token that is not legal in a header: nothing can be said until the body begins."""


class Grammar:
    """The format's grammar for certain tools. Use :func:`grammar`, which remembers them.

    A state is a number; ``between``, ``header(role)`` and ``body(...)`` are where one begins.
    """

    def __init__(
        self, tools: Iterable[str] = (), only_declared: bool = False, content_types: Iterable[str] = CONTENT_TYPES
    ) -> None:
        self._automaton = build(tools, only_declared, content_types)
        self._symbol = {token: BYTES + n for n, token in enumerate(SPECIALS)}
        self._rows: list[list[int]] = self._automaton.table.tolist()
        self._known: dict[tuple[int, int], int] = {}
        self._legal: dict[int, Legal] = {}
        self._masks: dict[int, npt.NDArray[np.bool_]] = {}
        self.between = self._automaton.start
        """Before the first ``<|start|>``, and between messages."""

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self._rows)

    def header(self, role: str) -> int:
        """The state behind ``<|start|>`` and a role.

        Raises:
            ValueError: ``role`` is none of the five roles.
        """
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}: expected one of {', '.join(ROLES)}")
        return self._automaton.named[f"header {role}"]

    def body(self, role: str, channel: str | None, recipient: str | None) -> int:
        """The state within the body of such a message."""
        return self._automaton.named[f"body {body_kind(role, channel, recipient)}"]

    def behind(self, terminator: int) -> int:
        """The state behind a terminator that was read although it was not legal."""
        return self._automaton.named["returned" if terminator == RETURN else "between"]

    @property
    def any_body(self) -> int:
        """The state within the body of a message whose header said nothing clear."""
        return self._automaton.named["body any"]

    def may_end(self, state: int) -> bool:
        """Whether a transcript may end in this state: between two messages."""
        return self._automaton.accepting[state]

    def advance(self, state: int, token: int) -> int:
        """The state behind ``token``, :data:`LOST` when it is not legal. Any int may be asked for."""
        key = (state, token)
        following = self._known.get(key)
        if following is None:
            following = self._follow(state, token)
            if 0 <= token < VOCABULARY_SIZE and len(self._known) < 200_000:
                self._known[key] = following
        return following

    def _follow(self, state: int, token: int) -> int:
        if not 0 <= token < FIRST_SPECIAL:
            symbol = self._symbol.get(token)
            return LOST if symbol is None else self._rows[state][symbol]
        for byte in vocabulary().token_bytes(token) or b"":
            state = self._rows[state][byte]
            if state == DEAD:
                return LOST
        return state

    def legal(self, state: int) -> Legal:
        """What may follow in this state.

        Raises:
            IndexError: ``state`` is :data:`LOST` or none of this grammar.
        """
        found = self._legal.get(state)
        if found is None:
            if state < 0:
                raise IndexError("in this state nothing can be said about what is legal")
            found = self._legal[state] = self._describe(state)
        return found

    def _describe(self, state: int) -> Legal:
        found = self._automaton
        return Legal(self, state, markers(found.marks[state]), wordings(found.texts[state]), found.accepting[state])

    def mask(self, state: int) -> npt.NDArray[np.bool_]:
        """By token id, all 201,089 of them, whether it is legal in this state. Read only; remembered."""
        mask = self._masks.get(state)
        if mask is None:
            mask = np.zeros(VOCABULARY_SIZE, dtype=np.bool_)
            for token in self._automaton.marks[state]:
                mask[token] = True
            table = self._automaton.table
            for ids, columns in _by_length():
                states = np.full(len(ids), state, dtype=np.int32)
                for column in columns:
                    # A dead state stays dead: the index -1 would be the last row.
                    states = np.where(states == DEAD, np.int32(DEAD), table[states, column])
                mask[ids] = states != DEAD
            mask.setflags(write=False)
            self._masks[state] = mask
        return mask


@lru_cache(maxsize=32)
def grammar(
    tools: tuple[str, ...] = (), only_declared: bool = False, content_types: tuple[str, ...] | None = None
) -> Grammar:
    """The grammar for certain tools; equal parameters give the same one.

    Args:
        tools: names of declared tools ("functions.bash"). They are names even when their shape is unusual; those
            that no header can hold (with white space in them, or "<") are left out.
        only_declared: True forbids calls of all other tools; otherwise any name with a namespace, and the names
            of the builtin tools, may be called.
        content_types: those that may be stated; the known ones when None.
    """
    return Grammar(tools, only_declared, CONTENT_TYPES if content_types is None else content_types)


@lru_cache(maxsize=1)
def _by_length() -> list[tuple[npt.NDArray[np.int64], list[npt.NDArray[np.uint8]]]]:
    """All ordinary tokens by their length in bytes: their ids, and their bytes column by column."""
    groups: dict[int, list[int]] = {}
    table = vocabulary().token_bytes
    for token in range(FIRST_SPECIAL):
        groups.setdefault(len(table(token) or b""), []).append(token)
    out = []
    for length, ids in sorted(groups.items()):
        matrix = np.frombuffer(vocabulary().join(ids), dtype=np.uint8).reshape(len(ids), length)
        out.append((np.array(ids, dtype=np.int64), [np.ascontiguousarray(matrix[:, n]) for n in range(length)]))
    return out


@dataclass(frozen=True, slots=True)
class Legal:
    """What may follow at one place.

    Attributes:
        grammar, state: by which grammar, and in which of its states.
        markers: the special tokens that are legal, each with a sentence why.
        text: the ordinary text that is legal, empty when none is.
        may_end: whether the transcript may end here.
    """

    grammar: Grammar
    state: int
    markers: tuple[Marker, ...]
    text: tuple[Wording, ...]
    may_end: bool

    @property
    def specials(self) -> frozenset[int]:
        """The ids of the special tokens that are legal."""
        return frozenset(marker.token for marker in self.markers)

    def is_legal(self, token: int) -> bool:
        """Whether ``token`` may stand here: what it begins can be completed to something well-formed."""
        return self.grammar.advance(self.state, token) != LOST

    def mask(self) -> npt.NDArray[np.bool_]:
        """By token id, whether it is legal; see :meth:`Grammar.mask`."""
        return self.grammar.mask(self.state)


class Split(NamedTuple):
    """Probability by what it was given to; the three add up to 1 (but for rounding in what was reported)."""

    legal: float
    illegal: float
    unknown: float


def split(top: Iterable[tuple[int, float]], legal: Legal) -> Split:
    """How much probability a model gave to legal and to illegal tokens at a place.

    Args:
        top: the most likely tokens as (id, natural logarithm of the probability), as servers report them.
        legal: what is legal there.

    Returns:
        The mass of both, and what the reported tokens leave over.
    """
    masses = {True: 0.0, False: 0.0}
    for token, logprob in dict(top).items():
        masses[legal.is_legal(token)] += exp(min(0.0, logprob))
    return Split(masses[True], masses[False], max(0.0, 1.0 - masses[True] - masses[False]))


class Walk:
    """A transcript followed by the grammar: what may follow at every place, and where it was left.

    The three places of a message (before it, header, body) are told apart as the strict parser does: a header
    goes on until ``<|message|>``, a body until a terminator, between messages all is passed over up to
    ``<|start|>``. So a walk goes on where the parser would have raised, and judges what comes later as well.

    Attributes:
        ids, grammar: what was followed, and by what.
        illegal: indexes of the tokens that are not legal where they stand. In a header only the first one:
            what comes behind it cannot be judged.
    """

    def __init__(
        self, ids: Sequence[int], role: str | None, rules: Grammar | None = None, scan: Scan | None = None
    ) -> None:
        """Linear in the tokens; the loops are over headers and special tokens only.

        Args:
            ids: any ints.
            role: the role that the transcript continues, or None.
            rules: :func:`grammar` without tools when not given.
            scan: of the same ids, where a caller has it.

        Raises:
            ValueError: ``role`` is none of the five roles.
        """
        self.ids = ids
        self.grammar = grammar() if rules is None else rules
        self.illegal: list[int] = []
        self._bodies: list[Span] = []
        self._states = np.full(len(ids) + 1, LOST, dtype=np.int32)
        self._specials = (Scan(ids) if scan is None else scan).specials
        self._follow(role)

    def state(self, position: int) -> int:
        """The grammar's state before the token at ``position``, or behind the last one; may be :data:`LOST`."""
        return int(self._states[position])

    def at(self, position: int) -> Legal | None:
        """What may stand at ``position``; None where nothing can be said (in a header that went astray)."""
        state = int(self._states[position])
        return None if state == LOST else self.grammar.legal(state)

    def runs(self) -> list[tuple[int, int]]:
        """Where the state changes: (position, state), from position 0 on."""
        changes = np.flatnonzero(np.diff(self._states)) + 1
        return [(0, int(self._states[0])), *((int(p), int(self._states[p])) for p in changes)]

    def structural(self) -> Iterator[tuple[int, Legal]]:
        """The tokens whose place is one of structure, with what is legal there.

        These are the tokens between messages and in headers that are still followed, and in bodies all special and
        unknown ones: the terminators, and what should not be there.
        """
        at = 0
        for body in [*self._bodies, Span(len(self.ids), len(self.ids))]:
            for position in range(at, body.start):
                legal = self.at(position)
                if legal is not None:
                    yield position, legal
            first, last = bisect_left(self._specials, body.start), bisect_left(self._specials, body.end)
            for position in self._specials[first:last]:
                legal = self.at(position)
                if legal is not None:
                    yield position, legal
            at = body.end

    def _follow(self, role: str | None) -> None:
        ids, states, rules = self.ids, self._states, self.grammar
        count = len(ids)
        stops = [i for i in self._specials if ids[i] in STOPS]
        starts = [i for i in self._specials if ids[i] == START]
        separators = [i for i in self._specials if ids[i] == MESSAGE]
        state = rules.between if role is None else rules.header(role)
        at = 0
        in_header = role is not None
        while at < count:
            if not in_header:
                opened = _first(starts, at, count)
                states[at : opened + 1] = state
                self.illegal += range(at, opened)
                if opened == count:
                    return
                state = rules.advance(state, START)
                at = opened + 1
            in_header = False
            separator = _first(separators, at, count)
            first = at
            while at < min(separator + 1, count) and state != LOST:
                states[at] = state
                state = rules.advance(state, ids[at])
                if state == LOST:
                    self.illegal.append(at)
                at += 1
            if separator == count:
                states[count] = state
                return
            at = separator + 1
            if state == LOST:
                state = self._body(first, separator, role)
            role = None
            end = _first(stops, at, count)
            states[at : end + 1] = state
            self._bodies.append(Span(at, min(end + 1, count)))
            strange = self._specials[bisect_left(self._specials, at) : bisect_left(self._specials, end)]
            self.illegal += strange
            if end == count:
                return
            following = rules.advance(state, ids[end])
            if following == LOST:
                self.illegal.append(end)
                following = rules.behind(ids[end])
            state = following
            at = end + 1
        states[count] = state

    def _body(self, start: int, separator: int, role: str | None) -> int:
        """The state in a body behind a header that went astray, as the newest releases read it."""
        header = read_header(tuple(self.ids[start:separator]), role, Dialect.ALL_CHANNELS)
        if not isinstance(header, ReadHeader):
            return self.grammar.any_body
        return self.grammar.body(header.role, header.channel, header.recipient)


def _first(positions: list[int], at: int, count: int) -> int:
    index = bisect_left(positions, at)
    return positions[index] if index < len(positions) else count


def structural_positions(ids: Sequence[int], role: str | None, rules: Grammar | None = None) -> list[tuple[int, Legal]]:
    """The tokens whose place is one of structure, with what is legal there; see :meth:`Walk.structural`."""
    return list(Walk(ids, role, rules).structural())
