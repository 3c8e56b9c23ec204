"""The histogram that this project grew out of: which errors, how often, and one example of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from .running import ScanResult

SHOWN: Final = 120
"""Characters of an error text that a table shows; records hold the whole of it."""

MAX_KINDS: Final = 200
"""Distinct texts that are kept of a release's errors, and of what was wrong with unreadable records; what comes after
them is counted. The texts name names of the transcript, so any number of them is distinct; a corpus of thousands of
transcripts that went wrong has a few dozen. At 10,000 characters each, those of one release are 2 MB."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the histogram.

    Attributes:
        section: "strict" (an error text of a release), "rule", or "unreadable" (records without a transcript).
        source: the release, the rule's code, or "".
        text: the whole error text, the rule's name, or what was wrong with the record.
        count: transcripts that have it (records, for "unreadable").
        example: the id of the first transcript that has it.
        findings: number of findings, for rules (one transcript can have several); else equal to ``count``.
        severity: of a rule at its worst; else "".
    """

    section: Literal["strict", "rule", "unreadable"]
    source: str
    text: str
    count: int
    example: str
    findings: int
    severity: str = ""

    @property
    def shown(self) -> str:
        """The text for a table: its first 120 characters."""
        return self.text[:SHOWN]

    def record(self) -> dict[str, Any]:
        """The row as plain JSON, its text whole."""
        row: dict[str, Any] = {"count": self.count, "example": self.example, "text": self.text}
        if self.section == "rule":
            row = {"code": self.source, "name": self.text, "severity": self.severity}
            row |= {"count": self.count, "findings": self.findings, "example": self.example}
        elif self.section == "strict":
            row = {"release": self.source, **row}
        return row


@dataclass(slots=True)
class _Bin:
    example: str
    count: int = 0
    findings: int = 0
    severity: str = ""


_RANKS: Final = {"error": 2, "warning": 1, "info": 0, "": -1}


@dataclass(slots=True)
class Histogram:
    """Counts over scan results; its memory is bounded, whatever their number and however distinct they are.

    Attributes:
        transcripts: how many were inspected.
        unreadable: how many records gave no inspection.
        clean: how many of those inspected have no finding at all.
        accepted: by release, how many the strict parse accepted.
        more: by release, how many transcripts failed with a text that came after :data:`MAX_KINDS` others.
        more_unreadable: the same of unreadable records.
    """

    transcripts: int = 0
    unreadable: int = 0
    clean: int = 0
    accepted: dict[str, int] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)
    more_unreadable: int = 0
    _strict: dict[str, dict[str, _Bin]] = field(default_factory=dict, repr=False)
    _rules: dict[tuple[str, str], _Bin] = field(default_factory=dict, repr=False)
    _errors: dict[str, _Bin] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, results: Iterable[ScanResult]) -> Histogram:
        """The histogram of some results."""
        histogram = cls()
        for result in results:
            histogram.add(result)
        return histogram

    def add(self, result: ScanResult) -> None:
        """Count one result."""
        if result.tally is None:
            self.unreadable += 1
            kind = _kind_of(result.error or "")
            if _has_room(self._errors, kind):
                _count(self._errors, kind, result.id)
            else:
                self.more_unreadable += 1
            return
        self.transcripts += 1
        self.clean += not result.tally.rules
        failed = {release for release, _ in result.tally.strict}
        for release in result.tally.asked:
            self.accepted[release] = self.accepted.get(release, 0) + (release not in failed)
        for release, text in result.tally.strict:
            known = self._strict.setdefault(release, {})
            if _has_room(known, text):
                _count(known, text, result.id)
            else:
                self.more[release] = self.more.get(release, 0) + 1
        for code, name, severity, findings in result.tally.rules:
            _count(self._rules, (code, name), result.id, findings, severity)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram, of results that came after these.

        Beyond :data:`MAX_KINDS` texts the number of all is exact, and that of one text may be too low.
        """
        self.transcripts += other.transcripts
        self.unreadable += other.unreadable
        self.clean += other.clean
        for release, count in other.accepted.items():
            self.accepted[release] = self.accepted.get(release, 0) + count
        for release, bins in other._strict.items():
            left = other.more.get(release, 0) + _merge(self._strict.setdefault(release, {}), bins, MAX_KINDS)
            if left:
                self.more[release] = self.more.get(release, 0) + left
        _merge(self._rules, other._rules)
        self.more_unreadable += other.more_unreadable + _merge(self._errors, other._errors, MAX_KINDS)

    def rows(self) -> tuple[Row, ...]:
        """Error texts release by release, then rules, then unreadable records; the most frequent first.

        The order does not depend on the order of the results: by count, then by text. Releases come in the
        order in which the inspections name them.
        """
        return (*self._strict_rows(), *self._rule_rows(), *self._error_rows())

    def record(self) -> dict[str, Any]:
        """The histogram as plain JSON, every text whole."""
        rows = self.rows()
        # What was only counted is named where there is some: almost never.
        more: dict[str, Any] = {"more_strict": dict(self.more)} if self.more else {}
        if self.more_unreadable:
            more["more_errors"] = self.more_unreadable
        return {
            "schema": "harmonylens-summary/1",
            "transcripts": self.transcripts,
            "unreadable": self.unreadable,
            "clean": self.clean,
            "accepted": dict(self.accepted),
            "strict": [row.record() for row in rows if row.section == "strict"],
            "rules": [row.record() for row in rows if row.section == "rule"],
            "errors": [row.record() for row in rows if row.section == "unreadable"],
            **more,
        }

    def _strict_rows(self) -> Iterator[Row]:
        for release in self.accepted:
            for text, held in _sorted(self._strict.get(release, {}).items()):
                yield Row("strict", release, text, held.count, held.example, held.findings)

    def _rule_rows(self) -> Iterator[Row]:
        for (code, name), held in _sorted(self._rules.items()):
            yield Row("rule", code, name, held.count, held.example, held.findings, held.severity)

    def _error_rows(self) -> Iterator[Row]:
        for text, held in _sorted(self._errors.items()):
            yield Row("unreadable", "", text, held.count, held.example, held.findings)


def _sorted(found: Iterable[tuple[Any, _Bin]]) -> list[tuple[Any, _Bin]]:
    return sorted(found, key=lambda pair: (-pair[1].count, pair[0]))


def _count(bins: dict[Any, _Bin], key: Any, example: str, findings: int = 1, severity: str = "") -> None:
    held = bins.setdefault(key, _Bin(example))
    held.count += 1
    held.findings += findings
    if _RANKS[severity] > _RANKS[held.severity]:
        held.severity = severity


def _has_room(bins: dict[str, _Bin], text: str) -> bool:
    return text in bins or len(bins) < MAX_KINDS


def _merge(bins: dict[Any, _Bin], others: dict[Any, _Bin], most: int | None = None) -> int:
    """Add others to bins of which there are ``most``; the count of those for which there is no room."""
    left = 0
    for key, other in others.items():
        if most is not None and key not in bins and len(bins) >= most:
            left += other.count
            continue
        held = bins.setdefault(key, _Bin(other.example))
        held.count += other.count
        held.findings += other.findings
        if _RANKS[other.severity] > _RANKS[held.severity]:
            held.severity = other.severity
    return left


def _kind_of(error: str) -> str:
    """A sentence without its place, so that equal misfortunes fall together."""
    place, colon, what = error.partition(": ")
    return what if colon and place.startswith("line ") else error
