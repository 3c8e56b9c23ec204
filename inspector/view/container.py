"""One binary message for the browser: a JSON head and typed arrays, each where the head says.

Streamlit passes top-level ``bytes`` to a component untouched and sends an identical message only once, so
everything that stays the same while a person flips switches travels in one of these.

Layout, little-endian: the magic ``HSV1`` (4 bytes), the head's length (uint32), the head (UTF-8 JSON), then the
sections. The head's ``sections`` maps a name to ``[type, offset, length]``: a type of :data:`TYPES`, a byte
offset from the start of the first section (a multiple of 8) and a length in elements.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAGIC: Final = b"HSV1"
TYPES: Final[Mapping[str, str]] = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "f32": "<f4", "f64": "<f8"}
"""Section types, and how numpy calls them."""

_NAMES: Final = {np.dtype(code): name for name, code in TYPES.items()}
_ALIGN: Final = 8

Array = npt.NDArray[Any]


def pack(head: Mapping[str, Any], sections: Mapping[str, Array]) -> bytes:
    """The container with ``head`` (JSON) and ``sections`` (one-dimensional arrays).

    Raises:
        ValueError: a section's type is none of :data:`TYPES`, or the head uses the key ``sections``.
    """
    if "sections" in head:
        raise ValueError("the head's key `sections` is the container's own")
    table: dict[str, tuple[str, int, int]] = {}
    body: list[bytes] = []
    at = 0
    for name, array in sections.items():
        kind = _NAMES.get(array.dtype.newbyteorder("<"))
        if kind is None or array.ndim != 1:
            raise ValueError(f"section {name!r} is {array.ndim}-dimensional {array.dtype}, expected one of {[*TYPES]}")
        data = np.ascontiguousarray(array, dtype=TYPES[kind]).tobytes()
        table[name] = (kind, at, len(array))
        padding = -len(data) % _ALIGN
        body.append(data + b"\0" * padding)
        at += len(data) + padding
    text = json.dumps({**head, "sections": table}, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate cannot be written as UTF-8; it stands for a broken character and is shown as one.
    encoded = text.encode("utf-8", "replace")
    encoded += b" " * (-len(encoded) % _ALIGN)
    return b"".join((MAGIC, struct.pack("<I", len(encoded)), encoded, *body))


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Head and sections of a container: what the browser does, for tests and tools.

    Raises:
        ValueError: ``data`` is no container.
    """
    if data[:4] != MAGIC:
        raise ValueError(f"expected a container that begins with {MAGIC!r}, found {data[:4]!r}")
    (size,) = struct.unpack_from("<I", data, 4)
    head = json.loads(data[8 : 8 + size])
    base = 8 + size
    sections = {
        name: np.frombuffer(data, dtype=TYPES[kind], count=length, offset=base + offset)
        for name, (kind, offset, length) in head.pop("sections").items()
    }
    return head, sections
