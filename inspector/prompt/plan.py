"""Which messages the next prompt is made of, and of which emitted ones each of them consists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..harmony.message import Message

OPENAI_008: Final = "openai-harmony 0.0.8"
OSS_0011: Final = "oss-harmony 0.0.11"
VLLM_032: Final = "vLLM 0.32"

STYLES: Final = (OPENAI_008, OSS_0011, VLLM_032)
"""Who renders the next prompt: the two libraries, each in its own order, or vLLM's server."""


class Part(NamedTuple):
    """A stretch of a prompt message's text and the index of the emitted message that it comes from."""

    source: int
    text: str


@dataclass(slots=True)
class PromptMessage:
    """A message of the next prompt. Its text is its parts, joined by line breaks."""

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The messages of the next prompt, in order, and why each emitted message that is in none of them is not.

    ``lost`` maps the index of an emitted message to the name of the cause.
    """

    messages: list[PromptMessage]
    lost: dict[int, str]


def plan_as_is(messages: Sequence[Message], *, drop_analysis: bool = True) -> Plan:
    """What the libraries render: every message as it is, but for dropped analysis.

    ``drop_analysis`` is the libraries' ``auto_drop_analysis`` (on by default there too): only when the last
    assistant message is final, every message on the analysis channel before the *first* final one is left out
    (checked against openai-harmony 0.0.8 and oss-harmony 0.0.11, which agree).
    """
    until = _first_final(messages) if drop_analysis and _ends_final(messages) else 0
    kept: list[PromptMessage] = []
    lost: dict[int, str] = {}
    for index, m in enumerate(messages):
        if index < until and m.channel == "analysis":
            lost[index] = "analysis-dropped"
        else:
            kept.append(
                PromptMessage(m.role, m.name, m.channel, m.recipient, m.content_type, (Part(index, m.content),))
            )
    return Plan(kept, lost)


def _ends_final(messages: Sequence[Message]) -> bool:
    last = next((m for m in reversed(messages) if m.role == "assistant"), None)
    return last is not None and last.channel == "final"


def _first_final(messages: Sequence[Message]) -> int:
    return next((i for i, m in enumerate(messages) if m.channel == "final"), 0)
