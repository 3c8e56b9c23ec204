"""The parser step by step for the browser: the states of every release, and what is legal, as runs.

The value of the part "steps" (JSON). What repeats is told once: states and descriptions by their number, and where
they begin as distances, so that 131,072 tokens in 2,000 messages take about a hundred kilobytes. A static page
holds the same value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..harmony.legal import LOST, Grammar, Legal, Walk, grammar
from ..harmony.names import declared_in
from ..harmony.steps import ParserState, Steps, steps
from ..inspection import RELEASES, Inspection
from ..tokens import Scan
from .viewmodel import MAX_ERROR_TEXT

MAX_FIELD: Final = 200
"""Characters of a field that travel: a release takes any word for one, of any length."""


def steps_value(inspection: Inspection) -> dict[str, Any]:
    """The value of the part "steps" for a transcript.

    ``fields``: unique states as [state, role, channel, recipient, content type], long ones cut. ``releases``: for
    each release of the strict verdicts its name, ``runs`` ([distance, number of the state] flattened, distances
    between the positions from which the states hold, the first from 0), ``error`` ({token, text, kind} or null).
    The messages that are complete are counted by who reads: one for every change from Content to ExpectStart.
    ``same``: the number of an earlier release with the same runs and error, in place of both.

    ``legal``: ``places`` ([{markers: [[name, why]], text: [phrase], end}]), ``runs`` as above with numbers of
    places, -1 where a header went astray; ``illegal``: [distance, length] flattened, the tokens that are not
    legal where they stand.
    """
    transcript = inspection.transcript
    scan = Scan(transcript.ids)
    unique: dict[tuple[str | None, ...], int] = {}
    releases: list[dict[str, Any]] = []
    ways: list[Steps] = []
    for release in _releases(inspection):
        way = steps(transcript.ids, transcript.role, RELEASES[release], release=release, scan=scan)
        twin = next((n for n, other in enumerate(ways) if _same(way, other)), None)
        ways.append(way)
        releases.append({"release": release, "same": twin} if twin is not None else _way(way, unique))
    rules = grammar(tuple(sorted(declared_in(transcript, scan))))
    walk = Walk(transcript.ids, transcript.role, rules, scan)
    return {
        "count": len(transcript.ids),
        "fields": [list(fields) for fields in unique],
        "releases": releases,
        "legal": _places(walk, rules),
        "illegal": _spans(walk.illegal),
    }


def _releases(inspection: Inspection) -> Iterable[str]:
    return [v.release for v in inspection.strict if v.mode == "strict" and v.release in RELEASES]


def _same(way: Steps, other: Steps) -> bool:
    return way.error == other.error and way.states == other.states


def _way(way: Steps, unique: dict[tuple[str | None, ...], int]) -> dict[str, Any]:
    runs: list[int] = []
    last = 0
    for state in way.states:
        runs += [state.since - last, unique.setdefault(_fields(state), len(unique))]
        last = state.since
    error = None
    if way.error is not None:
        text = way.error.text
        text = text if len(text) <= MAX_ERROR_TEXT else f"{text[:MAX_ERROR_TEXT]}…"
        error = {"token": way.error.token, "text": text, "kind": way.error.kind}
    return {"release": way.release, "runs": runs, "error": error}


def _fields(state: ParserState) -> tuple[str | None, ...]:
    return (state.state, state.role, *map(_cut, (state.channel, state.recipient, state.content_type)))


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_FIELD else f"{text[:MAX_FIELD]}…"


def _places(walk: Walk, rules: Grammar) -> dict[str, Any]:
    """Grammar states as the places that they look like: within a name there are hundreds of one kind."""
    numbers: dict[tuple[Any, ...], int] = {}
    places: list[dict[str, Any]] = []
    by_state = {LOST: -1}
    runs: list[int] = []
    last, before = 0, None
    for position, state in walk.runs():
        number = by_state.get(state)
        if number is None:
            legal = rules.legal(state)
            key = (legal.markers, legal.text, legal.may_end)
            if key not in numbers:
                numbers[key] = len(places)
                places.append(_place(legal))
            number = by_state[state] = numbers[key]
        if number != before:
            runs += [position - last, number]
            last, before = position, number
    return {"places": places, "runs": runs}


def _place(legal: Legal) -> dict[str, Any]:
    return {
        "markers": [[marker.name, marker.why] for marker in legal.markers],
        "text": [wording.says for wording in legal.text],
        "end": legal.may_end,
    }


def _spans(positions: Sequence[int]) -> list[int]:
    """Sorted positions as [distance from the end of the one before, length] flattened."""
    out: list[int] = []
    end = 0
    for position in sorted(positions):
        if out and position == end:
            out[-1] += 1
        else:
            out += [position - end, 1]
        end = position + 1
    return out
