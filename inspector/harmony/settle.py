"""What settling a header gives, and the bookkeeping that settlers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .header import Piece, Pieces
from .words import Names


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a header.

    Attributes:
        role: the role the prompt gave, or None when the header must name it.
        implicit: the header has no ``<|start|>`` although it should.
        aborted: no ``<|message|>`` ends it.
        call: the message looks like a tool call: closed by ``<|call|>``, or its body is a JSON object.
        closed: it has a terminator.
        names: tool names that are known.
        called: it is closed by ``<|call|>``.
        prose: its body is text that is no JSON.
        leaky: markers were seen to be missing from the transcript, so that words may be glued together.
    """

    role: str | None
    implicit: bool
    aborted: bool
    call: bool
    closed: bool
    names: Names
    called: bool = False
    prose: bool = False
    leaky: bool = False


Rewrite = tuple[int, int, str]
"""Replace clean text [start, end) by text."""


@dataclass(slots=True)
class Finding:
    """A problem in clean coordinates; see :class:`inspector.harmony.problem.Problem`."""

    kind: str
    start: int
    end: int
    rewrites: list[Rewrite] = field(default_factory=list)
    alternatives: list[tuple[str, list[Rewrite]]] = field(default_factory=list)
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Resolved:
    """The fields of a header and the problems found while settling them."""

    role: str = "assistant"
    name: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None
    used: list[tuple[str, Piece]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    content: int | None = None
    role_stated: bool = False


class Settler:
    """A header being settled: what was claimed, what was found, how text is taken out of it."""

    def __init__(self, pieces: Pieces, context: Context) -> None:
        self.pieces = pieces
        self.context = context
        self.text = pieces.lexed.clean
        self.out = Resolved(content=pieces.content)
        self.used: set[int] = set()
        self.chosen_channel: Piece | None = None
        self.tool: tuple[str, Piece, str] | None = None  # (name, piece, where it stood)
        self.mentioned: set[int] = set()

    def _use(self, kind: str, piece: Piece) -> None:
        self.used.add(id(piece))
        self.out.used.append((kind, piece))

    def _find(self, kind: str, start: int, end: int, rewrites: list[Rewrite], **data: Any) -> Finding:
        finding = Finding(kind, start, end, rewrites, [], data)
        self.out.findings.append(finding)
        return finding

    def _cut(self, start: int, end: int) -> Rewrite:
        """Take text out with the blanks before it, leaving one where two words would be glued together."""
        text = self.text
        first = start
        while first > 0 and text[first - 1] in " \t\r\n\f":
            first -= 1
        before = text[first - 1] if first else ""
        after = text[end] if end < len(text) else ""
        glue = bool(before) and bool(after) and not _is_edge(before) and not _is_edge(after)
        return first, end, " " if glue else ""

    def _blank_before(self, at: int) -> bool:
        return at > 0 and self.text[at - 1].isspace()


def _is_edge(char: str) -> bool:
    return char.isspace() or "\ud800" <= char <= "\udfff"
