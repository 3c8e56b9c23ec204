"""A regular expression as the automaton of its characters (Glushkov's), made for one question: can it be slow?

Every place of the pattern that reads a character is a state; an edge leads from one place to each that may read the
next character. What Python's matcher tries when nothing fits is every path of this automaton, one after the other. So
the number of paths that read the same text is the work; :mod:`.growth` asks how it grows.

What looks at its surroundings is kept as far as it decides about growth: a look-behind of one character, ``^`` and
``\\b`` close the edges that they forbid; the inside of a look-ahead is a branch that leads nowhere. Whatever may fail
without reading anything makes that reaching the end is not certain.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

BOUNDED: Final = 100
"""A repeat of at most this many is a constant; what may be repeated more often counts as unbounded."""

_UNROLLED: Final = 3
"""Copies of what a bounded repeat repeats: enough for every way in which two of them can follow each other."""

_KINDS: Final = (
    " \t\n\r\f\v\x1c\x85\xa0\u2003 0\u0663 aZzA_\xe9\xdf\u4e2d\u017f\u212a !<|>/\"'\\.-\x00\x7f"
    "\ud800\udc80\udfff\U0001f600"
)
"""At least one character of every kind that a class such as ``\\s`` or ``\\w`` tells apart."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What must stand around a place for the matcher to pass it.

    Attributes:
        before: the sample characters of which the previous one must be one; None: any, or none at all.
        word: True at the boundary of a word, False anywhere else; None: no matter.
    """

    before: frozenset[int] | None = None
    word: bool | None = None


Accepts = Callable[[str], bool]


@dataclass(slots=True)
class State:
    """A place that reads one character.

    Attributes:
        reads: the sample characters that it can read, by number.
        atomic: the atomic groups around it, outermost first: once left, their choices stand.
        ahead: inside a look-ahead or look-behind.
        text: what it is in the pattern, roughly.
    """

    reads: frozenset[int]
    atomic: tuple[int, ...]
    ahead: bool


@dataclass(slots=True)
class Part:
    """A part of the pattern: where it can begin and end, and whether it can be passed without reading.

    Attributes:
        first: states that read its first character, with the guards before them; as often as there are ways to them.
        last: states after which it may be over.
        sure: states of ``last`` after which it *is* over, if nothing else fits.
        empty: it can be passed without reading; each way with its guard (None: always).
        certain: it can be passed without reading whatever stands around.
    """

    first: Counter[tuple[int, Guard | None]] = field(default_factory=Counter)
    last: frozenset[int] = frozenset()
    sure: frozenset[int] = frozenset()
    empty: tuple[Guard | None, ...] = ()
    certain: bool = False


class Automaton:
    """The automaton of one pattern.

    Attributes:
        states: by number.
        edges: from a state to the next, with the guard, and the number of ways (more than one: the same text is read
            in as many ways).
        start: the states that may read the first character.
        sure: states after which the match is certain.
        sure_in: the same, of each atomic group.
        sample: the characters that stand for all others.
        words: those of them that ``\\w`` reads.
    """

    def __init__(self, pattern: str | bytes, flags: int, *, whole: bool) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(pattern, flags)
        self.flags: int = tree.state.flags
        self.binary = isinstance(pattern, bytes)
        self.sample = _sample(tree, self.binary)
        letter = re.compile(r"\w", re.ASCII if self.binary or self.flags & re.ASCII else 0)
        self.words = frozenset(n for n, char in enumerate(self.sample) if letter.match(char))
        self.states: list[State] = []
        self.edges: dict[int, Counter[tuple[int, Guard | None]]] = {}
        self.sure_in: dict[int, frozenset[int]] = {}
        self._atomic: tuple[int, ...] = ()
        self._ahead = False
        self._groups = 0
        top = self._sequence(tree, self.flags)
        self.start = top.first
        self.sure = frozenset() if whole else top.sure
        self.certain = top.certain and not whole

    # Parts

    def _sequence(self, items: Iterable[Any], flags: int) -> Part:
        whole = Part(empty=(None,), certain=True)
        for op, value in items:
            whole = self._then(whole, self._part(op, value, flags))
        return whole

    def _then(self, left: Part, right: Part) -> Part:
        for state in left.last:
            for (to, guard), ways in right.first.items():
                self._edge(state, to, guard, ways)
        first = Counter(left.first)
        for passed in left.empty:
            for (to, guard), ways in right.first.items():
                first[to, _both(passed, guard)] += ways
        return Part(
            first,
            right.last | (left.last if right.empty else frozenset()),
            right.sure | (left.sure if right.certain else frozenset()),
            tuple(dict.fromkeys(_both(a, b) for a in left.empty for b in right.empty)),
            left.certain and right.certain,
        )

    def _edge(self, state: int, to: int, guard: Guard | None, ways: int = 1) -> None:
        self.edges.setdefault(state, Counter())[to, guard] += ways

    def _part(self, op: Any, value: Any, flags: int) -> Part:
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.GROUPREF):
            return self._character(op, value, flags)
        if op is sre.SUBPATTERN:
            _, added, removed, inner = value
            return self._sequence(inner, (flags | added) & ~removed)
        if op is sre.BRANCH:
            return _either([self._sequence(one, flags) for one in value[1]])
        if op is sre.GROUPREF_EXISTS:
            _, yes, no = value
            parts = [self._sequence(yes, flags), self._sequence(no or [], flags)]
            return _either(parts)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inner = value
            return self._repeat(int(least), int(most), inner, flags)
        if op is sre.POSSESSIVE_REPEAT:
            least, most, inner = value
            return self._kept(lambda: self._repeat(int(least), int(most), inner, flags))
        if op is sre.ATOMIC_GROUP:
            return self._kept(lambda: self._sequence(value, flags))
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            return self._around(op, value[0], value[1], flags)
        if op is sre.AT:
            return self._place(value, flags)
        raise NotImplementedError(f"a part of a pattern that this check does not know: {op}")

    def _character(self, op: Any, value: Any, flags: int) -> Part:
        if op is sre.GROUPREF:  # what it stands for is not known: one of any, which may not be there
            return self._read(lambda _: True)
        return self._read(_accepts(op, value, flags, self.binary))

    def _read(self, accepts: Accepts) -> Part:
        reads = frozenset(n for n, char in enumerate(self.sample) if accepts(char))
        self.states.append(State(reads, self._atomic, self._ahead))
        number = len(self.states) - 1
        only = frozenset((number,))
        return Part(Counter({(number, None): 1}), only, only)

    def _repeat(self, least: int, most: int, inner: Any, flags: int) -> Part:
        open_end = most > BOUNDED
        if least > BOUNDED:  # reads as much as there is, and may find it too little
            return self._then(self._star(inner, flags), self._sequence(inner, flags))
        whole = Part(empty=(None,), certain=True)
        for _ in range(min(least, _UNROLLED)):
            whole = self._then(whole, self._sequence(inner, flags))
        if open_end:
            return self._then(whole, self._star(inner, flags))
        for _ in range(min(most - least, _UNROLLED)):
            one = self._sequence(inner, flags)
            one.empty, one.certain = tuple(dict.fromkeys((*one.empty, None))), True
            whole = self._then(whole, one)
        return whole

    def _star(self, inner: Any, flags: int) -> Part:
        one = self._sequence(inner, flags)
        for state in one.last:
            for (to, guard), ways in one.first.items():
                self._edge(state, to, guard, ways)
        one.empty, one.certain = tuple(dict.fromkeys((*one.empty, None))), True
        return one

    def _kept(self, make: Callable[[], Part]) -> Part:
        self._groups += 1
        group = self._groups
        before, self._atomic = self._atomic, (*self._atomic, group)
        part = make()
        self._atomic = before
        self.sure_in[group] = part.sure
        return part

    def _around(self, op: Any, direction: int, inner: Any, flags: int) -> Part:
        """A look-ahead or look-behind: a condition, and, where it can read much, a branch that leads nowhere."""
        if direction < 0:
            return Part(empty=(self._before(op, inner, flags),))
        outside, self._ahead = self._ahead, True
        part = self._kept(lambda: self._sequence(inner, flags))
        self._ahead = outside
        self.sure_in[self._groups] = frozenset()
        return Part(part.first, empty=(None,))

    def _before(self, op: Any, inner: Any, flags: int) -> Guard | None:
        """What the character before must be, as far as a single one says it."""
        items = list(inner)
        if not items or (op is sre.ASSERT_NOT and len(items) != 1):
            return None
        kind, value = items[-1]
        if kind is sre.BRANCH and op is sre.ASSERT_NOT:
            return None
        if kind not in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            return None
        accepts = _accepts(kind, value, flags, self.binary)
        wanted = op is sre.ASSERT
        return Guard(frozenset(n for n, char in enumerate(self.sample) if accepts(char) == wanted))

    def _place(self, value: Any, flags: int) -> Part:
        if value is sre.AT_BEGINNING and flags & re.MULTILINE:
            return Part(empty=(Guard(frozenset(n for n, char in enumerate(self.sample) if char == "\n")),))
        if value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return Part(empty=(Guard(frozenset()),))
        if value in (sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY):
            return Part(empty=(Guard(word=value is sre.AT_BOUNDARY),))
        return Part(empty=(None,))  # an end: may fail, reads nothing


def _either(parts: Sequence[Part]) -> Part:
    first: Counter[tuple[int, Guard | None]] = Counter()
    for part in parts:
        first.update(part.first)
    return Part(
        first,
        frozenset().union(*(p.last for p in parts)),
        frozenset().union(*(p.sure for p in parts)),
        tuple(dict.fromkeys(way for p in parts for way in p.empty)),
        any(p.certain for p in parts),
    )


def _both(left: Guard | None, right: Guard | None) -> Guard | None:
    if left is None or right is None:
        return right if left is None else left
    both = left.before if right.before is None else right.before if left.before is None else left.before & right.before
    return Guard(both, right.word if left.word is None else left.word)


# Characters


def _accepts(op: Any, value: Any, flags: int, binary: bool) -> Accepts:
    """Whether a place reads a character: asked of Python itself, with the pattern of this one place."""
    if op is sre.ANY:
        return (lambda _: True) if flags & re.DOTALL else (lambda char: char != "\n")
    if op is sre.LITERAL:
        spelled = re.escape(chr(value))
    elif op is sre.NOT_LITERAL:
        spelled = f"[^{_listed([(sre.LITERAL, value)])}]"
    else:
        spelled = f"[{_listed(value)}]"
    wanted = flags & (re.IGNORECASE | re.ASCII)
    pattern = re.compile(spelled, wanted | (re.ASCII if binary else 0))
    return lambda char: pattern.match(char) is not None


def _listed(items: Sequence[tuple[Any, Any]]) -> str:
    return "".join(_one(kind, value) for kind, value in items)


def _one(kind: Any, value: Any) -> str:
    if kind is sre.NEGATE:
        return "^"
    if kind is sre.LITERAL:
        return f"\\U{value:08x}"
    if kind is sre.RANGE:
        return f"\\U{value[0]:08x}-\\U{value[1]:08x}"
    return str(_CATEGORIES[value])


_CATEGORIES: Final = {
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _sample(tree: Any, binary: bool) -> list[str]:
    """Characters that stand for all: those that the pattern names, their neighbours, and one of every kind."""
    found = {ord(char) for char in _KINDS}
    todo: list[Any] = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, tuple) and len(item) == 2 and item[0] in (sre.LITERAL, sre.NOT_LITERAL):
            found.add(item[1])
        elif isinstance(item, tuple) and len(item) == 2 and item[0] is sre.RANGE:
            low, high = item[1]
            found.update((low - 1, low, (low + high) // 2, high, high + 1))
        elif isinstance(item, (tuple, list, _parser.SubPattern)):
            todo.extend(item)
    most = 255 if binary else 0x10FFFF
    letters = {
        ord(other)
        for code in found
        if 0 <= code <= most
        for other in (chr(code).upper(), chr(code).lower())
        if len(other) == 1
    }
    return [chr(code) for code in sorted(found | letters) if 0 <= code <= most]
