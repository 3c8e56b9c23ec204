"""What one consumer makes of a completion: a plain value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Call(NamedTuple):
    """A tool call as a consumer hands it on: the name, and the arguments as text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one consumer makes of a completion.

    Attributes:
        consumer: its name with its version, "vLLM 0.32".
        content: what is shown as the answer, None when there is none.
        reasoning: what is shown as reasoning, None when there is none or it is not kept apart.
        calls: the tool calls, in order.
        finish: the finish_reason it would report, None when it reports none (an error, no such field).
        note: one sentence where something is lost, refused or assumed; else "".
        ends: for each call the index after its last token, -1 where the consumer works on text.
        lost: tokens of text that reach nobody, where the consumer works on tokens.
    """

    consumer: str
    content: str | None = None
    reasoning: str | None = None
    calls: tuple[Call, ...] = ()
    finish: str | None = None
    note: str = ""
    ends: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


def tool_names(tools: Iterable[str]) -> frozenset[str]:
    """The bare names of declared tools, as chat requests name them: the namespace ``functions.`` cut off."""
    return frozenset(name.removeprefix("functions.") for name in tools)


def reserialised(text: str, *, ascii_only: bool = True) -> str | None:
    """JSON parsed and written again, as servers do with arguments; None when it is not JSON."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=ascii_only)
    except (ValueError, RecursionError):
        return None


_TRAILING_STOP = re.compile(r"<\|(?:return|endoftext)\|>\Z")


def without_end_of_turn(text: str) -> str:
    """Text as a server decodes it when it cuts off the stop token of the turn (``<|call|>`` is kept)."""
    return _TRAILING_STOP.sub("", text)
