"""Messages as values: what a transcript says once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypedDict

ROLES: Final = ("user", "assistant", "system", "developer", "tool")
"""The roles that the strict parser knows (case-sensitive)."""

CHANNELS: Final = ("analysis", "commentary", "final")


class MessageRecord(TypedDict):
    """A message in an inspection record."""

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``content_type`` keeps its ``<|constrain|>`` when the header had one, as the releases do.

    ``start`` and ``end`` are the tokens it was read from (marker to terminator), ``body_start`` and
    ``body_end`` those of its body; all four are -1 where a message has no place in a transcript.
    """

    role: str
    content: str
    name: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None
    start: int = -1
    end: int = -1
    body_start: int = -1
    body_end: int = -1

    def record(self) -> MessageRecord:
        """The plain form of the inspection record's contract."""
        return {
            "role": self.role,
            "name": self.name,
            "channel": self.channel,
            "recipient": self.recipient,
            "content_type": self.content_type,
            "content": self.content,
        }
