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
from .problem import Problem


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


@dataclass(frozen=True, slots=True)
class Field:
    """A piece of header text and what it was taken for.

    ``value`` is the text without markers and prefixes. ``start`` and ``end`` are token indexes (the field
    begins and ends somewhere inside the first and the last of these tokens); ``char_start`` and ``char_end``
    are offsets into the header's wide text.
    """

    kind: FieldKind
    value: str
    start: int
    end: int
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """The fields of one header text, with token indexes counted from the header's first token."""

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None
    fields: tuple[Field, ...]


@dataclass(slots=True)
class MessageNode:
    """A message as it stands in the transcript, complete or not. Indexes are of tokens.

    Attributes:
        start, end: all of its tokens.
        opened: its ``<|start|>``, or None when it has none (a continuation, or a missing one).
        header_start, header_end: the header, without ``<|start|>`` and ``<|message|>``.
        separator: its ``<|message|>``, or None when there is none.
        body_start, body_end: the body.
        terminator: the closing ``<|end|>``, ``<|call|>`` or ``<|return|>``, or None.
        read: what the header says.
        message: the message that was read, or None for a header without a body that says nothing.
    """

    start: int
    end: int
    opened: int | None
    header_start: int
    header_end: int
    separator: int | None
    body_start: int
    body_end: int
    terminator: int | None
    read: HeaderFields
    message: Message | None

    @property
    def span(self) -> Span:
        """All of its tokens."""
        return Span(self.start, self.end)

    @property
    def header(self) -> Span:
        """The header's tokens, without markers around it."""
        return Span(self.header_start, self.header_end)

    @property
    def body(self) -> Span:
        """The body's tokens."""
        return Span(self.body_start, self.body_end)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the header says, in order, with token indexes of the transcript."""
        base = self.header_start
        return tuple(
            Field(f.kind, f.value, f.start + base, f.end + base, f.char_start, f.char_end) for f in self.read.fields
        )


@dataclass(slots=True)
class StrayNode:
    """Tokens ``[start, end)`` that belong to no message: text between messages, a second terminator, a tail."""

    start: int
    end: int

    @property
    def span(self) -> Span:
        """Its tokens."""
        return Span(self.start, self.end)


Node = MessageNode | StrayNode


@dataclass(frozen=True, slots=True)
class Tree:
    """The reading of one transcript: its nodes, and what the reader stumbled over."""

    transcript: Transcript
    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that were read, in order."""
        return tuple(n.message for n in self.nodes if isinstance(n, MessageNode) and n.message is not None)

    def leaves(self) -> Iterator[Leaf]:
        """The leaves in order. Their spans cover the transcript without gap or overlap."""
        from .leaves import leaves_of

        for index, node in enumerate(self.nodes):
            yield from leaves_of(index, node, self.transcript.ids)
