"""What the guard would have blocked in a run that was sampled without it, as the page tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..samplers.guarding import GUARD, TOOLS, Blocked, watched
from ..tokens import vocabulary
from ..unread import defect
from .runs import LiveRun

MOST_ROWS: Final = 40
"""Places that are listed; all are counted."""

_TOLD: Final[WeakKeyDictionary[LiveRun, dict[str, Any]]] = WeakKeyDictionary()


def blocked_in(run: LiveRun) -> dict[str, Any] | None:
    """What a run that asked for the guard's watch mode would have lost; None for others, and while it goes on."""
    if run.params.extra.get(GUARD) != "watch" or run.state == "running":
        return None
    return blocked_among(run, range(len(run.prompts)), run.params.extra.get(TOOLS))


def blocked_among(run: LiveRun, samples: Sequence[int], tools: Sequence[str] | None) -> dict[str, Any]:
    """What the guard would have blocked in these samples of a run that has ended.

    Returns:
        ``words`` (the counts, in a sentence), ``means`` (what they mean), ``rows`` (the sampled tokens first, then the
        places that would have lost most: ``sample``, ``token`` of its transcript, ``title``, ``text`` and ``id`` of
        the blocked token, ``drawn`` whether it was sampled, ``mass`` of probability or None) and ``left`` (how many
        places are not listed).
    """
    told = _TOLD.get(run)
    if told is None:
        told = _TOLD[run] = _told(run, samples, tools)
    return told


def _told(run: LiveRun, samples: Sequence[int], tools: Sequence[str] | None) -> dict[str, Any]:
    rollouts = {n: rollout for n in samples if (rollout := run.rollout(n)).ids}
    found: list[tuple[int, Blocked]] = []
    problems: list[str] = []
    for n, rollout in rollouts.items():
        try:
            found += [(n, place) for place in watched(rollout, tools)]
        except Exception as error:  # noqa: BLE001
            problems.append(f"Sample {n + 1} is not judged: {defect(error, 'following the grammar')}")
    drawn = [n for n, place in found if place.sampled]
    near = len(found) - len(drawn)
    total = sum(origin == "sampled" for rollout in rollouts.values() for origin in rollout.origins)
    words = f"The guard would have blocked {len(drawn):,} of {total:,} sampled tokens"
    words += f", in {len(set(drawn))} of {len(rollouts)} samples." if drawn else "."
    means = problems[:1]
    if drawn:
        means.append(
            "A blocked token is against Harmony's grammar where it stands: with the guard on, another one would have "
            "been drawn. Behind it nothing is judged until a body begins."
        )
    if near:
        means.append(
            f"At {near:,} more {'place' if near == 1 else 'places'} a legal token was drawn, and illegal ones had a "
            "share of the probability."
        )
    if any(not rollout.logprobs for rollout in rollouts.values()):
        means.append("The engine reported no probabilities, so only the tokens that were sampled are judged.")
    # Of a sample the first comes first: those behind it may follow from it.
    found.sort(key=lambda one: (False, one[0], one[1].position) if one[1].sampled else (True, -(one[1].mass or 0.0), 0))
    rows = [_row(run, n, place) for n, place in found[:MOST_ROWS]]
    return {"words": words, "means": " ".join(means), "rows": rows, "left": max(0, len(found) - MOST_ROWS)}


def _row(run: LiveRun, number: int, place: Blocked) -> dict[str, Any]:
    return {
        "sample": number,
        "token": run.kept[number] + place.position,
        "title": run.titles[number] or f"#{number + 1}",
        "text": vocabulary().decode([place.token]).encode("utf-8", "replace").decode(),
        "id": place.token,
        "drawn": place.sampled,
        "mass": None if place.mass is None else min(1.0, round(place.mass, 5)),
    }
