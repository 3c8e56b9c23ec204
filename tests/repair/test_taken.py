"""Which fixes of a round go together, against the plain way of finding out: every change beside every other."""

from __future__ import annotations

import random

from inspector.repair.taken import Taken
from inspector.tokens import Change, Edit, Position


def _change(dice: random.Random, places: int) -> Change:
    start = dice.randrange(places)
    length = dice.choice((0, 0, 1, 1, 2, 5, places))
    end = min(places, start + length)
    return Change(Position(*divmod(start, 3)), Position(*divmod(end, 3)), dice.choice(("", "x")))


def _covers(outer: Change, inner: Change) -> bool:
    if inner.start == inner.end:
        return outer.start < inner.start < outer.end
    return outer.start <= inner.start and inner.end <= outer.end


def _plain(offers: list[tuple[list[Change], str]]) -> list[tuple[Change, str]]:
    taken: list[tuple[Change, str]] = []
    for changes, key in offers:
        wanted: list[Change] = []
        for change in sorted(changes, key=lambda c: (c.start, c.end)):
            if wanted and wanted[-1].clashes(change):
                continue
            if not any(_covers(old, change) for old, _ in taken):
                wanted.append(change)
        left = [(old, its) for old, its in taken if not any(_covers(change, old) for change in wanted)]
        if any(change.clashes(old) for change in wanted for old, _ in left):
            continue
        taken = sorted([*left, *((change, key) for change in wanted)], key=lambda one: (one[0].start, one[0].end))
    return taken


def test_as_many_fixes_are_taken_as_the_plain_way_takes() -> None:
    dice = random.Random(11)
    covered = refused = 0
    for _ in range(4_000):
        places = dice.choice((6, 12, 40))
        offers = [
            ([_change(dice, places) for _ in range(dice.randint(1, 4))], f"key{number}")
            for number in range(dice.randint(1, 12))
        ]
        taken = Taken()
        for changes, key in offers:
            taken.offer(changes, key)
        expected = _plain(offers)
        assert taken.changes == [change for change, _ in expected], offers
        everything = Edit(0, places // 3 + 1)
        assert taken.keys_of([everything]) == [tuple(dict.fromkeys(key for _, key in expected))], offers
        covered += "key0" not in {key for _, key in expected}
        refused += f"key{len(offers) - 1}" not in {key for _, key in expected}
    assert covered > 100
    assert refused > 100


def test_one_fix_takes_the_place_of_all_that_it_covers() -> None:
    taken = Taken()
    for at in range(5):
        taken.offer([Change(Position(at), Position(at + 1))], f"key{at}")
    taken.offer([Change(Position(1), Position(4), "x")], "all")
    assert [(c.start.token, c.end.token) for c in taken.changes] == [(0, 1), (1, 4), (4, 5)]
    assert taken.keys_of([Edit(0, 1), Edit(1, 4), Edit(4, 5)]) == [("key0",), ("all",), ("key4",)]
