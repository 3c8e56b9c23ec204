"""What the browser is told of a run: a row for every sample, and of the sample in view every token.

Tokens travel in a chain: whoever has the first ``have`` tokens of a sample gets what turns them into all that there
are, so nothing is sent twice and nothing is left out, however slow the browser or the line is.
"""

from __future__ import annotations

import json
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final

from ..harmony.verdict import Verdict
from ..inspection import NEWEST, Inspection, inspect
from ..isolation import CutOff
from ..prompt import STYLES
from ..samplers.values import Rollout
from ..samplers.wilson import wilson
from ..tokens import Transcript, vocabulary
from ..unread import defect, reading, unread
from ..view.feed import Settings, pack_feed
from ..view.viewmodel import View, pack_appendix, view_of
from ..workers import inspecting_deadline, why_cut_off, workers
from .open_end import so_far
from .runs import LiveRun

TAIL: Final = 72
"""Characters of a sample's end that its row shows."""

BUDGET_S: Final = 0.04
"""Seconds that one answer may spend on reading samples anew; the others keep the verdict they had until then."""

_TAIL_TOKENS: Final = 64
_NOTHING: Final = Transcript((), role=None)
_HELD_VIEWS: Final = 6
_FOR_A_ROW: Final = partial(inspect, next_prompt=False)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found when a sample had ``count`` tokens."""

    count: int
    done: bool
    at: float
    facts: dict[str, Any]


class Teller:
    """Answers about one run; remembers what it said last, so that it can say what is new."""

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self._judged: dict[int, _Judged] = {}
        self._views: dict[int, OrderedDict[int, View]] = {}
        self._shared: dict[int, tuple[int, bool]] = {}
        self._lock = Lock()

    def summary(self) -> bytes:
        """The run and a row for every sample, as JSON.

        ``version`` is what to wait beyond; ``note`` a sentence about the run; ``again`` counts the ended samples in
        which a watched rule was found ({rules, count, of, low, high}, the bounds of Wilson's 95 % interval), null
        without one; ``rows`` have ``n``, ``title``, ``tokens``, ``injected``, ``turns``, ``seconds``, ``done``,
        ``ended_by``, ``error``, ``finish``, ``stop``, ``tail``, ``parts`` (the first token that differs from the first
        sample's, -1 for none) and, once it was read, ``judged`` ({count, ok, error, token, findings, rules, expected,
        finish_findings, defect}). One sample that we fail at has a sentence there, ``defect``, and takes no other with
        it.
        """
        run = self.run
        with self._lock:
            version = run.version
            rollouts = [run.rollout(n) for n in range(len(run.prompts))]
            self._judge()
            rows = [self._row_or_less(n, rollout, rollouts[0]) for n, rollout in enumerate(rollouts)]
            behind = any(self._is_stale(n) for n in range(len(rows)))
        total = sum(len(rollout.ids) - _injected(rollout) for rollout in rollouts)
        now = run.seconds if run.seconds is not None else time.monotonic() - run.began
        body = {
            "version": version,
            "behind": behind,
            "state": run.state,
            "error": run.error,
            "engine": run.engine.name,
            "seconds": round(now, 2),
            "tokens": total,
            "note": run.note,
            "again": self._again(rows),
            "rows": rows,
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def tokens(self, number: int, have: int) -> bytes:
        """What is new of sample ``number`` for who has its first ``have`` tokens, -1 for who has nothing.

        Layout: the length of a head (uint32, little-endian), the head (JSON: ``kind`` "whole" or "more", ``count``,
        ``done``, ``container``), a container of that length (:func:`inspector.view.viewmodel.pack_view` or
        ``pack_appendix``), and the feed.

        Raises:
            IndexError: there is no such sample.
        """
        run = self.run
        if not 0 <= number < len(run.prompts):
            raise IndexError(f"sample {number} of {len(run.prompts)}")
        done = run.is_done(number)
        transcript = run.transcript(number)
        inspection, problem = self._inspected(transcript, inspect if done else so_far)
        stream = f"{run.id}.{number}"
        title = run.titles[number] or (f"Sample {number + 1}" if len(run.prompts) > 1 else "")
        settings = Settings(style=NEWEST, styles=tuple(STYLES), title=title, read_as=run.engine.name)
        try:
            view = view_of(inspection, stream=stream)
            feed = pack_feed(inspection, settings, stream=stream)
        except Exception as error:  # noqa: BLE001
            # Its reading cannot be shown; its tokens can.
            problem = problem or defect(error, "showing this transcript")
            inspection = unread(transcript, problem)
            view = view_of(inspection, stream=stream)
            feed = pack_feed(inspection, settings, stream=stream)
        view = View({**view.head, "open": not done}, view.sections)
        count = len(inspection.transcript.ids)
        with self._lock:
            views = self._views.setdefault(number, OrderedDict())
            known = views.get(have)
            views[count] = view
            while len(views) > _HELD_VIEWS:
                views.popitem(last=False)
            self._judged[number] = _Judged(count, done, time.monotonic(), _facts(inspection, problem))
        kind, container = ("whole", view.pack()) if known is None else ("more", pack_appendix(known, view))
        head = {"kind": kind, "count": count, "done": done, "container": len(container)}
        packed = json.dumps(head).encode()
        # Arrays of the container are read in place: it begins where they are aligned.
        packed += b" " * (-(4 + len(packed)) % 8)
        return b"".join((struct.pack("<I", len(packed)), packed, container, feed))

    def _judge(self) -> None:
        """Read anew the samples that have grown, those that have ended and those not read for longest first."""
        run = self.run

        def turn(number: int) -> tuple[bool, float]:
            known = self._judged.get(number)
            return not run.is_done(number), known.at if known is not None else 0.0

        end = time.monotonic() + BUDGET_S
        for number in sorted(filter(self._is_stale, range(len(run.prompts))), key=turn):
            self._judged[number] = self._read(number)
            if time.monotonic() > end:
                return

    def _read(self, number: int) -> _Judged:
        run = self.run
        count, done = run.count(number), run.is_done(number)
        try:
            transcript = run.transcript(number)
            count = len(transcript.ids)
            facts = _facts(*self._inspected(transcript, _FOR_A_ROW if done else so_far))
        except Exception as error:  # noqa: BLE001
            # Its tokens make no transcript, as those of somebody else's sampler need not.
            facts = _facts(unread(_NOTHING, ""), defect(error, "reading this sample"))
        return _Judged(count, done, time.monotonic(), facts)

    def _inspected(self, transcript: Transcript, how: Callable[[Transcript], Inspection]) -> tuple[Inspection, str]:
        """The inspection of a sample, made in a worker, as what a server sends may be slow to read; or why not."""
        deadline = inspecting_deadline(len(transcript.ids))
        try:
            return reading(lambda one: workers().call(self.run.id, how, deadline, None, one), transcript)
        except CutOff as error:
            problem = why_cut_off("Inspecting the sample", error)
            return unread(transcript, problem), problem

    def _is_stale(self, number: int) -> bool:
        known = self._judged.get(number)
        return known is None or (known.count, known.done) != (self.run.count(number), self.run.is_done(number))

    def _again(self, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
        watched = self.run.watched
        if not watched:
            return None
        over = [row["judged"]["rules"] for row in rows if row["done"] and row["judged"] is not None and row["tokens"]]
        rate = wilson(sum(1 for rules in over if watched.intersection(rules)), len(over))
        return {"rules": sorted(watched), "count": rate.count, "of": rate.total, "low": rate.low, "high": rate.high}

    def _row_or_less(self, number: int, rollout: Rollout, first: Rollout) -> dict[str, Any]:
        try:
            return self._row(number, rollout, first)
        except Exception as error:  # noqa: BLE001
            facts = _facts(unread(_NOTHING, ""), defect(error, "telling of this sample"))
            known = {"n": number, "title": self.run.titles[number], "tokens": len(rollout.ids), "error": rollout.error}
            none = {"injected": 0, "turns": 0, "seconds": 0.0, "finish": None, "stop": None, "tail": "", "parts": -1}
            states = {"done": self.run.is_done(number), "ended_by": rollout.ended_by}
            return {**known, **none, **states, "judged": {"count": self.run.count(number), **facts}}

    def _row(self, number: int, rollout: Rollout, first: Rollout) -> dict[str, Any]:
        judged = self._judged.get(number)
        return {
            "n": number,
            "title": self.run.titles[number],
            "tokens": len(rollout.ids),
            "injected": _injected(rollout),
            "turns": len(rollout.turns),
            "seconds": round(sum(turn.seconds + turn.tool_seconds for turn in rollout.turns), 2),
            "done": self.run.is_done(number),
            "ended_by": rollout.ended_by,
            "error": rollout.error,
            "finish": rollout.finish_reason,
            "stop": rollout.stop_reason,
            "tail": _tail(rollout),
            "parts": self._parts(number, rollout, first) if number else -1,
            "judged": None if judged is None else {"count": judged.count, **judged.facts},
        }

    def _parts(self, number: int, rollout: Rollout, first: Rollout) -> int:
        """The first token of the transcript at which a sample differs from the first one, -1 while it does not."""
        at, parted = self._shared.get(number, (0, False))
        if parted:
            return at + self.run.kept[number]
        size = min(len(rollout.ids), len(first.ids))
        while at < size and rollout.ids[at] == first.ids[at]:
            at += 1
        both_done = self.run.is_done(number) and self.run.is_done(0)
        parted = at < size or (both_done and len(rollout.ids) != len(first.ids))
        self._shared[number] = (at, parted)
        return at + self.run.kept[number] if parted else -1


def _tail(rollout: Rollout) -> str:
    text = vocabulary().decode(rollout.ids[-_TAIL_TOKENS:])
    return text if len(text) <= TAIL and len(rollout.ids) <= _TAIL_TOKENS else f"…{text[-TAIL:]}"


def _injected(rollout: Rollout) -> int:
    return sum(turn.injected for turn in rollout.turns)


def _facts(inspection: Inspection, problem: str = "") -> dict[str, Any]:
    """What a sample's row says of its reading; ``problem`` is why there is none, in a sentence."""
    verdict: Verdict = inspection.verdict(NEWEST)
    finish = inspection.finish
    return {
        "defect": problem,
        "ok": verdict.ok,
        "error": "" if verdict.error is None else verdict.error.text[:300],
        "token": None if verdict.error is None else verdict.error.token,
        "findings": len(inspection.diagnostics),
        "rules": sorted({d.code for d in (*inspection.diagnostics, *finish.findings)}),
        "expected": finish.expected,
        "stop_expected": finish.stop_expected,
        "finish_findings": [d.message for d in finish.findings][:3],
    }
