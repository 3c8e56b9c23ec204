"""The galleries that are open in this session: those that everybody sees, and those that a person has opened.

What was opened stays with the server for a while, under a name that its content gives it: a sample of it opens in a
new tab, and a reloaded page has it again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Final

import streamlit as st

from ..gallery import Gallery, Sample, SampleError, configured_galleries, find_in, read_gallery, shipped_gallery

_KEY: Final = "harmonyscope.galleries"
_MOST_REMEMBERED: Final = 256 << 20


class _Remembered:
    """Galleries that were opened on this server, the least used ones forgotten first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._galleries: OrderedDict[str, tuple[Gallery, int]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, gallery: Gallery) -> None:
        with self._lock:
            self._galleries[gallery.name] = (gallery, _weight(gallery))
            self._galleries.move_to_end(gallery.name)
            while len(self._galleries) > 1 and sum(weight for _, weight in self._galleries.values()) > self.most:
                self._galleries.popitem(last=False)

    def get(self, name: str) -> Gallery | None:
        with self._lock:
            found = self._galleries.get(name)
            if found is None:
                return None
            self._galleries.move_to_end(name)
            return found[0]


_REMEMBERED: Final = _Remembered(_MOST_REMEMBERED)


def open_upload(data: bytes, filename: str) -> Gallery:
    """Open a file for this session; the same file is opened once.

    Raises:
        SampleError: nothing of it can be read; the message is for people.
    """
    digest = hashlib.sha256(data).hexdigest()[:12]
    for gallery in session_galleries():
        if gallery.name.endswith(f"-{digest}"):
            return gallery
    read = read_gallery(data, filename)
    # The digest makes the name one that only somebody with the file can tell.
    gallery = read.under(f"{read.name[:60].strip('-')}-{digest}")
    _REMEMBERED.put(gallery)
    _names().append(gallery)
    return gallery


def close_gallery(name: str) -> None:
    """Take a gallery out of this session."""
    _names()[:] = [gallery for gallery in _names() if gallery.name != name]


def reopen(name: str) -> bool:
    """Open a gallery again that the address names and the server still has; True when it is open now."""
    if any(gallery.name == name for gallery in open_galleries()):
        return True
    found = _REMEMBERED.get(name)
    if found is None:
        return False
    _names().append(found)
    return True


def session_galleries() -> tuple[Gallery, ...]:
    """What was opened in this session."""
    return tuple(_names())


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
        gallery = _REMEMBERED.get(address.partition(":")[0])
        found = find_in((gallery,), address) if gallery is not None else None
    return found


def _names() -> list[Gallery]:
    held = st.session_state.setdefault(_KEY, [])
    if not isinstance(held, list):
        raise TypeError(f"session state {_KEY!r} holds {type(held).__name__}, expected the list of galleries")
    return held


def _weight(gallery: Gallery) -> int:
    """Bytes that a gallery takes, roughly: an int of its own and a pointer for every token."""
    return sum(1000 + 40 * len(sample.transcript.ids) for sample in gallery.samples)


__all__ = [
    "SampleError",
    "close_gallery",
    "find_open",
    "open_galleries",
    "open_upload",
    "reopen",
    "session_galleries",
]
