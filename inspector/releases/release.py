"""What a release of the ``openai_harmony`` module is, and which dialect it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..harmony.verdict import Dialect

NAMES: Final = ("openai-harmony", "oss-harmony")
"""The two distributions that hold a module ``openai_harmony``."""

CHECKED: Final = frozenset(
    {
        ("openai-harmony", "0.0.6"),
        ("openai-harmony", "0.0.8"),
        ("oss-harmony", "0.0.9"),
        ("oss-harmony", "0.0.10"),
        ("oss-harmony", "0.0.11"),
    }
)
"""The releases that were compared with our model of their dialect. (Up to openai-harmony 0.0.4 one error text
has another form and there is no lenient mode; their own answers tell.)"""

_TITLE: Final = re.compile(r"(?P<name>[a-z][a-z-]*)(?: +|==)(?P<version>[0-9][0-9A-Za-z.+!-]*)")


@dataclass(frozen=True, slots=True)
class Release:
    """A release that lies on this machine.

    Attributes:
        name: of its distribution, "oss-harmony".
        version: "0.0.11".
        dialect: how it reads and writes headers.
        location: the folder that holds its ``openai_harmony`` package.
        found: "environment" or "cache".
    """

    name: str
    version: str
    dialect: Dialect
    location: Path
    found: str

    @property
    def title(self) -> str:
        """What people and records call it: "oss-harmony 0.0.11"."""
        return f"{self.name} {self.version}"

    @property
    def checked(self) -> bool:
        """False when its dialect is only guessed: :func:`inspector.releases.check` compares it with our model."""
        return (self.name, self.version) in CHECKED


def parse_title(title: str) -> tuple[str, str]:
    """("openai-harmony", "0.0.8") for "openai-harmony 0.0.8" and for "openai-harmony==0.0.8".

    Raises:
        ValueError: it is neither, or the name is not one of :data:`NAMES`.
    """
    match = _TITLE.fullmatch(title.strip())
    if match is None:
        raise ValueError(f"{title!r} is not the name and version of a release, such as openai-harmony==0.0.8")
    if match["name"] not in NAMES:
        raise ValueError(f"{match['name']!r} does not hold a Harmony parser: expected {' or '.join(NAMES)}")
    return match["name"], match["version"]


def dialect_of(name: str, version: str) -> Dialect:
    """The dialect of a release. One that came later is taken for the newest dialect that is known.

    Up to 0.0.9, of either distribution: FIRST_ONLY. From oss-harmony 0.0.10 on: ALL_CHANNELS.

    Raises:
        ValueError: ``name`` is not one of :data:`NAMES`.
    """
    if name not in NAMES:
        raise ValueError(f"{name!r} does not hold a Harmony parser: expected {' or '.join(NAMES)}")
    return Dialect.FIRST_ONLY if _numbers(version) <= (0, 0, 9) else Dialect.ALL_CHANNELS


def _numbers(version: str) -> tuple[int, ...]:
    """The first three numbers of a version; "0.0.10rc1" counts as 0.0.10."""
    found = [int(n) for n in re.findall(r"(?:^|\.)(\d+)", version)[:3]]
    return tuple(found + [0] * (3 - len(found)))
