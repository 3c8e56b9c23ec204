"""The syntax tree: a lossless reading of any list of ints.

A tree is a row of nodes, each a message or a stray stretch that belongs to none. Every token is in exactly one
leaf and the leaves, in order, cover the transcript; what fits nowhere is an error leaf. Nothing in here
judges: rules do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..tokens import Span, Transcript
from .message import Message


class LeafKind(StrEnum):
    """What a run of tokens is."""

    MARKER = "marker"
    ROLE = "role"
    NAME = "name"
    CHANNEL = "channel"
    RECIPIENT = "recipient"
    CONTENT_TYPE = "content_type"
    SPACE = "space"
    BODY = "body"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Leaf:
    """Tokens ``[start, end)`` of one kind; ``node`` is the index of the tree's node they belong to."""

    kind: LeafKind
    start: int
    end: int
    node: int


class FieldKind(StrEnum):
    """What a piece of header text was taken for."""

    ROLE = "role"
    NAME = "name"
    CHANNEL = "channel"
    RECIPIENT = "recipient"
    CONTENT_TYPE = "content_type"
    JUNK = "junk"


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of header text and what it was taken for.

    ``value`` is the text without markers and prefixes. ``start`` and ``end`` are token indexes (the field
    begins and ends somewhere inside the first and the last of these tokens); ``char_start`` and ``char_end``
    are offsets into the header's wide text. ``used`` is False for a field that lost against another.
    """

    kind: FieldKind
    value: str
    start: int
    end: int
    char_start: int
    char_end: int
    used: bool = True


@dataclass(frozen=True, slots=True)
class MessageNode:
    """A message as it stands in the transcript, complete or not.

    Attributes:
        span: all of its tokens.
        opened: index of its ``<|start|>``, or None when it has none (a continuation, or a missing one).
        header: the header's tokens, without ``<|start|>`` and ``<|message|>``.
        separator: index of its ``<|message|>``, or None when there is none.
        body: the body's tokens.
        terminator: index of the closing ``<|end|>``, ``<|call|>`` or ``<|return|>``, or None.
        fields: what the header says, in order.
        message: the message that was read, or None for a header without a body that says nothing.
    """

    span: Span
    opened: int | None
    header: Span
    separator: int | None
    body: Span
    terminator: int | None
    fields: tuple[Field, ...]
    message: Message | None


@dataclass(frozen=True, slots=True)
class StrayNode:
    """Tokens that belong to no message: text between messages, a second terminator, a tail."""

    span: Span


Node = MessageNode | StrayNode


@dataclass(frozen=True, slots=True)
class Tree:
    """The reading of one transcript."""

    transcript: Transcript
    nodes: tuple[Node, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that were read, in order."""
        return tuple(n.message for n in self.nodes if isinstance(n, MessageNode) and n.message is not None)

    def leaves(self) -> Iterator[Leaf]:
        """The leaves in order. Their spans cover the transcript without gap or overlap."""
        from .leaves import leaves_of

        for index, node in enumerate(self.nodes):
            yield from leaves_of(index, node, self.transcript.ids)
