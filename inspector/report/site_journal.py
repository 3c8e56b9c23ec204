"""What a build of a site has begun to write, line by line: after one that was cut off, the next knows what is ours.

The first line says whose it is. Each other one is a list: the name of a file, the hash of its content, and the name
beside it under which it is written before it is put in its place. It stands there before the file does. The last line
may be cut, as the build was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..renamed import NAME, is_ours

JOURNAL: Final = f"{NAME}-site.part"
"""The file in the folder of a site; there only while it is being written, or when that was cut off."""

HEAD: Final = f'{{"schema": "{NAME}-site-part/1"}}\n'.encode()
_BESIDE: Final = re.compile(r"\.[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Begun:
    """One file: its name in the site, the hash of what it was to hold, and where that was written first."""

    name: str
    hash: str
    beside: str

    def line(self) -> bytes:
        """As the journal has it. A line that was cut before it ends here."""
        return b"\n" + json.dumps([self.name, self.hash, self.beside]).encode() + b"\n"


def begun(data: bytes) -> list[Begun] | None:
    """What a journal says; None where it is none of ours. One that was cut within its first line is ours, and empty."""
    if HEAD.startswith(data):
        return []
    head, *lines = data.split(b"\n")
    told = _json(head)
    if (
        not isinstance(told, dict)
        or not isinstance(told.get("schema"), str)
        or not is_ours(told["schema"], "-site-part")
    ):
        return None
    return list(_files(lines))


def _files(lines: list[bytes]) -> Iterator[Begun]:
    for line in lines:
        told = _json(line)
        if not isinstance(told, list) or len(told) != 3 or not all(isinstance(one, str) for one in told):
            continue
        one = Begun(*told)
        # A journal can be tampered with: files of other names are not even looked at.
        if _BESIDE.fullmatch(one.beside):
            yield one


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
