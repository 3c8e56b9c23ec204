"""What a person had filled in when something was begun, so that a reload of the page finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..samplers import Replay


@dataclass(frozen=True, slots=True)
class EngineAsked:
    """How an engine was chosen. An API key is never in here.

    Attributes:
        url: base URL of a server, "" for a replay.
        model: as it was asked for, "" for the first that the server has.
        has_key: whether the server was given a key, which has to be given again.
        is_own: whether this app had started it.
        replay: the transcript in the place of an engine.
        about: what was known of it, in a sentence.
    """

    url: str = ""
    model: str = ""
    has_key: bool = False
    is_own: bool = False
    replay: Replay | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of a page by their keys, and the engine."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    engine: EngineAsked | None = None
