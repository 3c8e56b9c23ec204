"""What a file of harmonylens's own carries beside the transcript: how it was looked at, and what it is called.

An exported record has ``"schema": "harmonylens/..."``, and with it ``settings`` (the switches), ``title``, ``story``
and ``tags``. They travel in the transcript's ``meta`` under one key of our own, so that they pass through every store
and every list; :func:`switches_of` and :func:`card_of` read them. Whatever is not of the expected form is left out: a
file can say anything there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..prompt import STYLES
from ..tokens import Transcript

KEY: Final = "harmonylens"
"""The key in :attr:`inspector.tokens.Transcript.meta`."""

TRANSCRIPT_SCHEMA: Final = "harmonylens/transcript/1"
"""The ``schema`` of a transcript record that carries something."""

MAX_SWITCHES: Final = 100_000
"""Switches that are taken from a file: more than any transcript has findings."""


@dataclass(frozen=True, slots=True)
class Switches:
    """How a transcript was looked at: arguments of :func:`inspector.inspect`.

    Attributes:
        off: keys, codes or names of findings whose fix is off.
        choices: by key, the number of the alternative reading that was taken (1 is the first).
        style: who renders the next prompt, one of :data:`inspector.prompt.STYLES`; "" for the usual one.
        select, ignore: the rules that were asked for.
        releases: whose verdicts were asked for; empty for the usual ones.
    """

    off: frozenset[str] = frozenset()
    choices: Mapping[str, int] = field(default_factory=dict)
    style: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()

    def options(self, known: Collection[str]) -> dict[str, Any]:
        """Keyword arguments of :func:`inspector.inspect`; releases that are not ``known`` are left out."""
        options: dict[str, Any] = {"off": self.off, "choices": dict(self.choices)}
        if self.style:
            options["style"] = self.style
        if self.select:
            options["select"] = self.select
        if self.ignore:
            options["ignore"] = self.ignore
        releases = tuple(name for name in self.releases if name in known)
        if releases:
            options["releases"] = releases
        return options

    def record(self) -> dict[str, Any]:
        """The ``settings`` of a record; what was not chosen is left out."""
        record: dict[str, Any] = {"off": sorted(self.off), "choices": dict(sorted(self.choices.items()))}
        for name in ("style", "select", "ignore", "releases"):
            value = getattr(self, name)
            if value:
                record[name] = value if isinstance(value, str) else list(value)
        return record

    def words(self) -> str:
        """What was chosen, for a sentence: ``"2 fixes off, 1 reading chosen"``; "" when nothing was."""
        parts = []
        if self.off:
            parts.append(f"{len(self.off):,} {'fix' if len(self.off) == 1 else 'fixes'} off")
        if self.choices:
            parts.append(f"{len(self.choices):,} {'reading' if len(self.choices) == 1 else 'readings'} chosen")
        if self.select or self.ignore:
            parts.append("some rules only")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Card:
    """What a transcript is called: words for people, "" and empty when nobody said."""

    title: str = ""
    story: str = ""
    tags: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The fields of a record; what is empty is left out."""
        given = {"title": self.title, "story": self.story, "tags": list(self.tags)}
        return {key: value for key, value in given.items() if value}


def switches_of(transcript: Transcript) -> Switches:
    """The switches that came with a transcript; the usual ones when none did."""
    raw = _carried(transcript).get("settings")
    if not isinstance(raw, Mapping):
        return Switches()
    choices = raw.get("choices")
    style = raw.get("style")
    return Switches(
        off=frozenset(_words(raw.get("off"))),
        choices={
            _clean(key): number
            for key, number in (list(choices.items())[:MAX_SWITCHES] if isinstance(choices, Mapping) else ())
            if isinstance(key, str) and type(number) is int and 0 < number < 1000
        },
        style=style if isinstance(style, str) and style in STYLES else "",
        select=_words(raw.get("select")),
        ignore=_words(raw.get("ignore")),
        releases=_words(raw.get("releases")),
    )


def card_of(transcript: Transcript) -> Card:
    """What the file that a transcript came from called it."""
    raw = _carried(transcript)
    title, story = raw.get("title"), raw.get("story")
    return Card(
        title=_clean(title) if isinstance(title, str) else "",
        story=_clean(story) if isinstance(story, str) else "",
        tags=_words(raw.get("tags")),
    )


def carrying(transcript: Transcript, switches: Switches | None = None, card: Card | None = None) -> Transcript:
    """``transcript`` with these switches and this card instead of those that it has; None leaves them as they are.

    Its record (:func:`inspector.ingest.transcript_record`) then carries them, and reading that record gives them back.
    """
    carried = dict(_carried(transcript))
    if switches is not None:
        carried.pop("settings", None)
        if switches != Switches():
            carried["settings"] = switches.record()
    if card is not None:
        for key in ("title", "story", "tags"):
            carried.pop(key, None)
        carried |= card.record()
    rest = {key: value for key, value in transcript.meta.items() if key != KEY}
    return replace(transcript, meta={**rest, KEY: carried} if carried else rest)


def carried_by(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record is carried, for ``meta``; the record says by its schema that it is ours."""
    return {key: raw[key] for key in ("settings", "title", "story", "tags") if raw.get(key)}


def carried_record(transcript: Transcript) -> dict[str, Any]:
    """What a transcript carries as fields of its record, ``schema`` included; empty when it carries nothing."""
    fields = card_of(transcript).record()
    switches = switches_of(transcript)
    if switches != Switches():
        fields["settings"] = switches.record()
    return {"schema": TRANSCRIPT_SCHEMA, **fields} if fields else {}


def _carried(transcript: Transcript) -> Mapping[str, Any]:
    raw = transcript.meta.get(KEY)
    return raw if isinstance(raw, Mapping) else {}


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return tuple(_clean(entry) for entry in value[:MAX_SWITCHES] if isinstance(entry, str))


def _clean(text: str) -> str:
    """``text`` without lone surrogates, which JSON can carry and no output can."""
    return text.encode("utf-8", "replace").decode()
