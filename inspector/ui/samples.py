"""The samples that the pages know of, and how one of them is found."""

from __future__ import annotations

from typing import Final

from ..gallery import Sample, SampleError, load_sample, shipped_gallery
from ..report.cards import sample_card
from .galleries import find_open
from .store import find_saved, why_not_saved

__all__ = ["EXAMPLES", "all_samples", "examples", "find_sample", "no_such_sample", "sample_card"]

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
    return find_open(address) or find_saved(address)


def no_such_sample(address: str) -> str:
    """Why :func:`find_sample` found nothing, and what to do, in a sentence for people (to be escaped)."""
    told = why_not_saved(address)
    if told:
        return told
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
