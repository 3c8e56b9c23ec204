"""What an export is about: an inspection, how it was looked at, and what people call it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..gallery import Sample, address_name
from ..ingest import Card, Switches, card_of, carrying, switches_of
from ..inspection import NEWEST, RELEASES, Inspection, inspect
from ..tokens import Transcript
from ..view.viewmodel import digest

_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Subject:
    """One transcript on its way out.

    Attributes:
        inspection: everything that is known about it; its transcript carries the switches and the card.
        switches: what the inspection was made with.
        card: title, story and tags; all may be empty.
        name: for file names and addresses, see :func:`inspector.gallery.address_name`.
        read_as: what the input was taken for, in words.
        parts: further messages for the screen by their name ("checks", "steps"), JSON-serialisable.
        sample: the sample of a gallery that it is, if it is one.
    """

    inspection: Inspection
    switches: Switches = field(default_factory=Switches)
    card: Card = field(default_factory=Card)
    name: str = ""
    read_as: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)
    sample: Sample | None = None

    @property
    def transcript(self) -> Transcript:
        """The transcript, which carries the switches and the card."""
        return self.inspection.transcript

    @property
    def style(self) -> str:
        """Who renders the next prompt."""
        prompt = self.inspection.next_prompt
        return prompt.style if prompt is not None else self.switches.style or NEWEST

    @property
    def title(self) -> str:
        """A few words for a heading: the title, else what the source calls it, else its name."""
        title = self.card.title or self.transcript.id or self.name
        return title if len(title) <= _LONGEST else title[: _LONGEST - 1] + "…"


def subject(
    inspection: Inspection,
    switches: Switches,
    *,
    card: Card | None = None,
    name: str = "",
    read_as: str = "",
    parts: Mapping[str, Any] | None = None,
    sample: Sample | None = None,
) -> Subject:
    """The subject of an export.

    Args:
        inspection: of a transcript; what a file said beside that transcript counts where nothing else is given.
        switches: what ``inspection`` was made with.
        card: title, story and tags.
        name: for file names; made from what the source calls the transcript when empty.
        read_as: what the input was taken for.
        parts: further messages for the screen.
        sample: the sample that it is.
    """
    card = card if card is not None else card_of(inspection.transcript)
    if switches.style == NEWEST:
        switches = replace(switches, style="")
    transcript = carrying(inspection.transcript, switches, card)
    # "line 1" is what a reader calls a record without a name: no name to give to a file.
    nameless = re.fullmatch(r"(line|row) \d+(, column \d+)?", transcript.id) is not None
    called = name or ("" if nameless else transcript.id) or card.title
    return Subject(
        inspection=replace(inspection, transcript=transcript),
        switches=switches,
        card=card,
        name=address_name(called) if called else f"transcript-{digest(transcript)[:8]}",
        read_as=read_as,
        parts=dict(parts or {}),
        sample=sample,
    )


def inspected(transcript: Transcript, switches: Switches | None = None, **words: Any) -> Subject:
    """The subject of a transcript that is inspected here, with ``switches`` or those that it came with.

    ``words`` are those of :func:`subject`.
    """
    chosen = switches_of(transcript) if switches is None else switches
    return subject(inspect(transcript, **chosen.options(RELEASES)), chosen, **words)


def inspected_sample(sample: Sample) -> Subject:
    """The subject of a sample of a gallery, with the switches that it was saved with."""
    card = Card(sample.title, sample.story, sample.tags)
    return inspected(sample.transcript, card=card, name=sample.name, sample=sample)
