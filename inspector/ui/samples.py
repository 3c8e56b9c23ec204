"""The gallery's samples as the screen shows them: cards with a strip of the transcript's shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..gallery import FAMILIES, Sample, SampleError, load_sample, shipped_gallery
from ..harmony.reader import read
from ..tokens import Transcript
from ..view.strip import strip
from .galleries import find_open

EXAMPLES: Final = (
    "chatter-in-brackets",
    "duplicate-channel-lost-call",
    "aborted-plan-in-header",
    "channel-as-role",
    "markers-spelled-as-text",
    "invisible-in-channel",
    "invented-tool-result",
    "healthy-tool-call",
)
"""The samples that an empty page offers, where they are there: one of each kind of trouble, and a healthy one."""


def all_samples() -> tuple[Sample, ...]:
    """The samples that ship.

    Raises:
        inspector.gallery.SampleError: one cannot be read.
    """
    return shipped_gallery().samples


def find_sample(address: str) -> Sample | None:
    """The sample that ``?sample=`` names: one that ships, one of an open gallery (``GALLERY:NAME``), a saved one."""
    return find_open(address)


def no_such_sample(address: str) -> str:
    """Why :func:`find_sample` found nothing, and what to do, in a sentence for people (to be escaped)."""
    gallery, colon, _ = address.partition(":")
    if colon:
        return (
            f"There is no sample called {address[:100]!r}: its gallery {gallery[:60]!r} is not open here; "
            "open its file on the Gallery page."
        )
    try:
        load_sample(address)
    except SampleError as error:
        return str(error)
    return f"There is no sample called {address[:60]!r}."


def examples() -> list[Sample]:
    """The samples for an empty page."""
    by_name = {sample.name: sample for sample in all_samples()}
    return [by_name[name] for name in EXAMPLES if name in by_name] or list(all_samples()[:6])


def sample_card(sample: Sample) -> dict[str, Any]:
    """One sample as its card shows it."""
    return {
        "name": sample.name,
        "title": sample.title,
        "story": sample.story,
        "family": sample.family,
        "tags": list(sample.tags),
        "rules": list(sample.rules),
        "count": len(sample.transcript.ids),
        "raises": sorted(sample.errors),
        "founding": sample.founding,
        "strip": _strip_of(sample.name, sample.transcript),
    }


def family_titles(samples: Sequence[Sample]) -> dict[str, str]:
    """The families that have samples, with their titles, in order."""
    present = {sample.family for sample in samples}
    return {family: title for family, title in FAMILIES.items() if family in present}


_STRIPS: Final[dict[str, list[list[Any]]]] = {}


def _strip_of(name: str, transcript: Transcript) -> list[list[Any]]:
    if name not in _STRIPS:
        _STRIPS[name] = strip(read(transcript))
    return _STRIPS[name]
