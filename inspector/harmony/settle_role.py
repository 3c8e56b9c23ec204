"""Settling role and channel: whose message it is, and where it goes."""

from __future__ import annotations

from typing import Final

from ..tokens.markers import CHANNEL
from ..tokens.wide import wide_special
from . import words
from .header import Piece
from .message import ROLES
from .settle import Settler

W_CHANNEL: Final = wide_special(CHANNEL)
WEAK: Final = frozenset({"", "assistant", "tool", "functions", "tools"})
"""Recipients that name no tool."""


class RoleSettler(Settler):
    """Role and channel of one header."""

    def _role(self) -> None:
        out, context = self.out, self.context
        stated = self.pieces.of("role")
        if stated and context.role is not None and stated[0].value != context.role:
            return  # the prompt said whose message this is; another role's name is a stray word
        if stated:
            piece = stated[0]
            self._use("role", piece)
            out.role, out.role_stated = context.role or piece.value, True
            if context.role is None and out.role == "tool":
                out.name = "tool"  # the releases take the role word for the author's name
            glued = self.text[piece.end : piece.end + 3] == "to="
            if piece.garbled or glued:
                written = self.text[piece.start : piece.end + (3 if glued else 0)]
                rewrite = (piece.start, piece.end, piece.value + (" " if glued else ""))
                self._find("unknown-role", piece.start, piece.end, [rewrite], value=written)
            return
        if context.implicit and self._is_tool_message():
            piece = self.pieces.items[0]
            self._use("name", piece)
            out.role, out.name, out.role_stated = "tool", piece.value, True
            return
        if context.role is not None or context.implicit:
            out.role = context.role or "assistant"
            return
        words_in_slot = self.pieces.of("role-word")
        if words_in_slot:
            self._role_word(words_in_slot[0])
            return
        first = self.pieces.items[0] if self.pieces.items else None
        if first is not None and first.kind == "channel-word":
            return  # _channel puts the role in front of it
        if self.out.content is not None and first is None:
            self._find("missing-role", 0, 0, [(0, 0, "assistant")])
            return
        self._find(
            "missing-role",
            0,
            0,
            [(0, 0, "assistant" + (" " if first is not None and first.marker < 0 else ""))],
        )

    def _is_tool_message(self) -> bool:
        """A tool's result without its ``<|start|>``: ``functions.x to=assistant``."""
        first = self.pieces.items[0] if self.pieces.items else None
        named = first is not None and first.kind == "word" and words.is_dotted_tool(first.value)
        return named and any(p.value == "assistant" for p in self.pieces.of("recipient"))

    def _role_word(self, piece: Piece) -> None:
        word, context, out = piece.value, self.context, self.out
        self.used.add(id(piece))
        recipients = [p.value for p in self.pieces.of("recipient")]
        known = context.names.resolve(word)
        if "assistant" in recipients:
            out.role, out.name, out.role_stated = "tool", word, True
            out.used.append(("name", piece))
            return
        # A tool's own answer ends with <|end|>, a call of it with <|call|>.
        answer = (known or words.is_dotted_tool(word)) and not context.called
        if context.call and not answer and not any(r not in WEAK for r in recipients) and words.is_identifier(word):
            name = words.qualified(word, context.names)
            self.tool = (name, piece, "role")
            return
        if (known or words.is_dotted_tool(word)) and not context.aborted and not recipients:
            out.role, out.name, out.recipient, out.role_stated = "tool", word, "assistant", True
            out.used.append(("name", piece))
            self._find(
                "tool-without-recipient",
                piece.start,
                piece.end,
                [(piece.end, piece.end, " to=assistant")],
                value=word,
            )
            return
        if context.aborted and not self.pieces.of("channel", "recipient"):
            out.content = piece.start
            self._find("missing-role", 0, 0, [(0, 0, "assistant")])
            return
        self._find("unknown-role", piece.start, piece.end, [(piece.start, piece.end, "assistant")], value=word)

    def _channel(self) -> None:
        known = self.pieces.of("channel")
        lost = self.pieces.of("channel-word")
        swapped = self.pieces.of("constrained-channel")
        if not known and swapped and swapped[0].marker < 0:
            self._lost_marker(swapped[0])  # a <|start|> stands between the two: the <|constrain|> is empty
            swapped = swapped[1:]
        elif not known and swapped:
            piece = swapped[0]
            self._take_channel(piece)
            self._find(
                "constrain-for-channel",
                piece.marker,
                piece.end,
                [(piece.marker, piece.marker + 1, W_CHANNEL)],
                value=piece.value,
            )
            swapped = swapped[1:]
        elif not known and lost:
            self._lost_marker(lost[0])
            lost = lost[1:]
        elif known:
            self._take_channel(known[0])
            self._duplicates(known)
        for piece in swapped:
            self._find("header-junk", piece.whole, piece.end, [self._cut(piece.whole, piece.end)], value=piece.value)
            self.mentioned.add(id(piece))
        self._odd_channels()
        for piece in self.pieces.of("marker"):
            self.mentioned.add(id(piece))
            name = piece.value
            self._find("empty-marker", piece.start, piece.end, [self._cut(piece.start, piece.end)], value=name)

    def _take_channel(self, piece: Piece) -> None:
        self.chosen_channel = piece
        self.out.channel = piece.value
        self._use("channel", piece)
        if piece.garbled:
            written = self.text[piece.start : piece.end]
            self._find(
                "garbled-channel",
                piece.start,
                piece.end,
                [(piece.start, piece.end, piece.value)],
                value=written,
                kept=piece.value,
            )

    def _lost_marker(self, piece: Piece) -> None:
        self.chosen_channel = piece
        self.out.channel = piece.value
        self._use("channel", piece)
        needs_role = (
            self.context.role is None and not self.context.implicit and not self.out.role_stated and self.tool is None
        )
        kind = "channel-in-role-slot" if needs_role else "missing-channel-marker"
        start = (
            self._cut(piece.start, piece.end)[0]
            if piece.start and self.text[piece.start - 1].isspace()
            else piece.start
        )
        insert = ("assistant" if needs_role else "") + W_CHANNEL
        self._find(kind, piece.start, piece.end, [(start, piece.start, insert)], value=piece.value)

    def _duplicates(self, known: list[Piece]) -> None:
        first = known[0]
        for piece in known[1:]:
            self.mentioned.add(id(piece))
        if len(known) == 1:
            return
        values = [p.value for p in known]
        cuts = [self._cut(p.whole, p.end) for p in known]
        finding = self._find(
            "duplicate-channel",
            known[1].whole,
            known[-1].end,
            cuts[1:],
            values=values,
            kept=first.value,
            last=values[-1],
            called=self.context.called,
        )
        if values[-1] != first.value:
            # The first section cannot be cut with the blank before it: what stands before may be the role.
            finding.alternatives.append((values[-1], [(first.whole, first.end, ""), *cuts[1:-1]]))

    def _odd_channels(self) -> None:
        context = self.context
        odd = self.pieces.of("odd-channel")
        stated = bool(self._real_recipients())
        for piece in odd:
            word = piece.value.strip(":,;")
            known = context.names.resolve(word)
            named = words.is_dotted_tool(word) or known is not None
            tool = named or (context.call and words.is_identifier(word) and word not in words.NOT_TOOLS)
            others = self.chosen_channel is not None
            if tool and self.tool is None and not stated:
                self.tool = (words.qualified(word, context.names), piece, "channel")
                self.used.add(id(piece))
            elif tool and others:
                self.used.add(id(piece))
                self._find(
                    "tool-in-channel-slot",
                    piece.whole,
                    piece.end,
                    [self._cut(piece.whole, piece.end)],
                    value=word,
                    redundant=True,
                )
            elif word.lower() in ROLES and not others:
                self._role_in_channel(piece)
            elif not others and words.has_letters(word):
                self.chosen_channel = piece
                self.out.channel = piece.value
                self._use("channel", piece)
                self._find("unknown-channel", piece.start, piece.end, [], value=piece.value)
            else:
                self.used.add(id(piece))
                self._find(
                    "header-junk",
                    piece.whole,
                    piece.end,
                    [self._cut(piece.whole, piece.end)],
                    value=piece.value,
                )

    def _role_in_channel(self, piece: Piece) -> None:
        self.used.add(id(piece))
        self.chosen_channel = piece
        if self.context.call or self.context.aborted:
            self.out.channel = piece.value
            self.out.used.append(("channel", piece))
            self._find("unknown-channel", piece.start, piece.end, [], value=piece.value)
            return
        self.out.channel = "final"
        self.out.used.append(("channel", piece))
        self._find(
            "role-in-channel-slot",
            piece.whole,
            piece.end,
            [(piece.start, piece.end, "final")],
            value=piece.value,
        )

    def _real_recipients(self) -> list[Piece]:
        return [p for p in self.pieces.of("recipient") if p.value not in WEAK]
