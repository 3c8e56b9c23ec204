"""The comparison of our model with the published releases, input by input."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from generate import Generator

from inspector.harmony.strict import StrictModel
from inspector.harmony.verdict import Verdict
from inspector.releases import Release
from inspector.releases.serve import Library
from inspector.tokens import vocabulary, vocabulary_file

ROLES = (None, "assistant", "tool")


@dataclass
class Tally:
    """What a run has seen. ``kinds`` counts verdicts: "ok", "E1" to "E8"."""

    comparisons: int = 0
    located: int = 0
    inputs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    mismatches: list[dict[str, Any]] = field(default_factory=list)


def load(release: Release) -> Library:
    """The library in this very process: nothing in what is generated can hang it."""
    before = os.environ.get("TIKTOKEN_ENCODINGS_BASE")
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(vocabulary_file().parent)
    try:
        return Library(release.title, str(release.location))
    finally:
        if before is None:
            del os.environ["TIKTOKEN_ENCODINGS_BASE"]
        else:
            os.environ["TIKTOKEN_ENCODINGS_BASE"] = before


def run(libraries: list[tuple[Release, Library]], seed: int, comparisons: int, locate_every: int = 3) -> Tally:
    """At least ``comparisons`` comparisons on inputs drawn with ``seed``.

    Each input is compared for every release, role and mode: accepted or not, all messages, the error's text.
    Every ``locate_every``-th error is raised again by the streaming parser, for its token and the messages
    completed before it.
    """
    tally = Tally()
    for ids in Generator(vocabulary().encode, seed):
        model = StrictModel(ids)
        tally.inputs += 1
        for release, library in libraries:
            for role in ROLES:
                for strict in (True, False):
                    verdict = model.parse(role, release.dialect, strict=strict, release=release.title)
                    _compare(tally, library, release, ids, role, strict, verdict, locate_every)
        if tally.comparisons >= comparisons:
            break
    return tally


def _compare(
    tally: Tally,
    library: Library,
    release: Release,
    ids: tuple[int, ...],
    role: str | None,
    strict: bool,
    verdict: Verdict,
    locate_every: int,
) -> None:
    tally.comparisons += 1
    tally.kinds[verdict.error.kind if verdict.error else "ok"] += 1
    records = [message.record() for message in verdict.messages]
    ours: Any = records if verdict.error is None else verdict.error.text
    try:
        theirs: Any = library.parse(list(ids), role, strict)
    except library.error as error:
        theirs = str(error)
        if tally.comparisons % locate_every == 0 and ours == theirs and verdict.error is not None:
            tally.located += 1
            theirs = library.locate(list(ids), role, strict)
            ours = (verdict.error.token, records)
    if ours != theirs:
        tally.mismatches.append(
            {"release": release.title, "role": role, "strict": strict, "ids": ids, "model": ours, "library": theirs}
        )


def structural(verdict: Verdict, ids: tuple[int, ...]) -> str | None:
    """What is wrong with the places in a verdict, or None: spans within bounds, messages in order."""
    at = 0
    for m in verdict.messages:
        if not at <= m.start <= m.body_start <= m.body_end <= m.end <= len(ids):
            return f"message at {m.start}..{m.end} with body {m.body_start}..{m.body_end} after {at}"
        at = m.end
    for error in (verdict.error, *verdict.later):
        if error is not None and not 0 <= error.cause.start <= error.cause.end <= len(ids):
            return f"cause {error.cause} of {error.kind} leaves the transcript"
    return None
