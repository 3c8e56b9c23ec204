"""What of a gallery can be given out: a sample that we fail at is left out and named, the others are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..gallery import Gallery, Sample, SampleError, bundle
from ..gallery.bundle import gallery_of
from ..unread import defect

_NAMED: Final = 5
"""Samples that are named one by one in a description; of more, the number is said."""


def whole_bundle(gallery: Gallery) -> tuple[bytes, list[str]]:
    """The bundle of all samples that can be packed, and a sentence for each that cannot.

    Raises:
        SampleError: the gallery is larger than a bundle may be.
    """
    try:
        return bundle(gallery), []
    except SampleError:
        raise
    except Exception:  # noqa: BLE001
        # One of them; which one is found by packing each alone.
        whole: list[Sample] = []
        left_out: list[str] = []
        for sample in gallery.samples:
            try:
                packable(sample)
            except Exception as error:  # noqa: BLE001
                left_out.append(left_out_because(sample, error))
            else:
                whole.append(sample)
        return bundle(without(gallery, whole, left_out)), left_out


def packable(sample: Sample) -> None:
    """See whether a sample can be packed.

    Raises:
        Exception: it cannot.
    """
    try:
        bundle(gallery_of(sample.name, sample.title, "", [sample]))
    except SampleError:
        return  # too large alone is too large with the others, which says so


def left_out_because(sample: Sample, error: Exception) -> str:
    """The sentence for a sample that is left out."""
    return f"The sample {sample.name!r} is left out: {defect(error, 'writing it')}"


def left_out_words(sentences: Sequence[str]) -> str:
    """What a page says of samples that were left out."""
    count = len(sentences)
    return sentences[0] if count == 1 else f"{count:,} samples are left out. The first: {sentences[0]}"


def without(gallery: Gallery, whole: Sequence[Sample], left_out: Sequence[str]) -> Gallery:
    """The gallery of the samples that can be shown; its description says which are left out."""
    if not left_out:
        return gallery
    kept = {id(sample) for sample in whole}
    names = [sample.name for sample in gallery.samples if id(sample) not in kept]
    named = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    words = f"Left out because they could not be read: {named}."
    return replace(gallery, samples=tuple(whole), description=f"{words} {gallery.description}".strip())
