"""The galleries that are open in this session: those that everybody sees, and those that a person has opened.

What was opened stays with the server for a while, under a name that its content gives it: a sample of it opens in a
new tab, and a reloaded page has it again.
"""

from __future__ import annotations

import hashlib
from typing import Final

import streamlit as st

from ..budgets import GALLERY
from ..gallery import Gallery, Sample, SampleError, configured_galleries, find_in, read_gallery, shipped_gallery
from ..ingest import unpacked_at_most
from ..isolation import CutOff
from ..workers import reading_deadline, why_cut_off
from .apart import apart
from .keeping import Kept

_KEY: Final = "harmonylens.galleries"


_REMEMBERED: Final[Kept[Gallery]] = Kept(inputs=50)


def open_upload(data: bytes, filename: str) -> Gallery:
    """Open a file for this session; the same file is opened once.

    Raises:
        SampleError: nothing of it can be read; the message is for people.
    """
    digest = hashlib.sha256(data).hexdigest()[:12]
    for gallery in session_galleries():
        if gallery.name.endswith(f"-{digest}"):
            return gallery
    try:
        read = apart(read_gallery, reading_deadline(unpacked_at_most(data, GALLERY)), data, filename)
    except CutOff as error:
        raise SampleError(why_cut_off(f"Reading {filename[:100]!r}", error)) from error
    # The digest makes the name one that only somebody with the file can tell.
    gallery = read.under(f"{read.name[:60].strip('-')}-{digest}")
    _REMEMBERED.keep(gallery.name, gallery, _weight(gallery))
    _session().append(gallery)
    _closed().discard(gallery.name)
    return gallery


def close_gallery(name: str) -> None:
    """Take a gallery out of this session."""
    _session()[:] = [gallery for gallery in _session() if gallery.name != name]
    _closed().add(name)


def reopen(name: str) -> None:
    """Open a gallery again that the address names and the server still has, unless it was closed in this session."""
    if name in _closed() or any(gallery.name == name for gallery in open_galleries()):
        return
    found = _REMEMBERED.find(name)
    if found is not None:
        _session().append(found)


def session_galleries() -> tuple[Gallery, ...]:
    """What was opened in this session."""
    return tuple(_session())


def open_galleries() -> tuple[Gallery, ...]:
    """All that are open: what ships, what is configured, what was opened in this session.

    Raises:
        SampleError: a sample that ships cannot be read.
    """
    return (shipped_gallery(), *configured_galleries(), *session_galleries())


def find_open(address: str) -> Sample | None:
    """The sample of this address among the open galleries, or in one that the server still has."""
    # What ships wins, and needs no session.
    found = find_in((shipped_gallery(),), address) or find_in(open_galleries(), address)
    if found is None and ":" in address:
        gallery = _REMEMBERED.find(address.partition(":")[0])
        found = find_in((gallery,), address) if gallery is not None else None
    return found


def _session() -> list[Gallery]:
    held: list[Gallery] = st.session_state.setdefault(_KEY, [])
    return held


def _closed() -> set[str]:
    held: set[str] = st.session_state.setdefault(f"{_KEY}.closed", set())
    return held


def _weight(gallery: Gallery) -> int:
    """Bytes that a gallery takes, roughly: an int of its own and a pointer for every token."""
    return sum(1000 + 40 * len(sample.transcript.ids) for sample in gallery.samples)
