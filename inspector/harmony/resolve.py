"""Who wins where several pieces of a header claim one field, and what would have to change for all to agree.

The policies, with where they come from:

* Two known channels: the first wins, as oss-harmony 0.0.10 and later read it; the last (llama.cpp's rule) is
  offered beside it.
* A word in a channel slot that is no channel is none: where it can name a tool it is the recipient.
* Several recipients: the one closest to ``<|message|>``; ``assistant`` loses against a tool.
* Several content types: one behind ``<|constrain|>`` wins, then the last known one.
* Stray words never become arguments, and a name that stands nowhere is not invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..tokens.markers import CHANNEL, CONSTRAIN
from ..tokens.wide import wide_special
from . import words
from .header import Piece, Pieces
from .message import ROLES
from .words import Names

W_CHANNEL: Final = wide_special(CHANNEL)
W_CONSTRAIN: Final = wide_special(CONSTRAIN)
_WEAK: Final = frozenset({"", "assistant", "tool", "functions", "tools"})
"""Recipients that name no tool."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a header.

    ``role``: the role the prompt gave, or None when the header must name it. ``implicit``: the header has no
    ``<|start|>`` although it should. ``aborted``: no ``<|message|>`` ends it. ``call``: the message looks like
    a tool call (closed by ``<|call|>``, or its body is a JSON object). ``closed``: it has a terminator.
    ``prose``: its body is text that is no JSON. ``leaky``: markers were seen to be missing from the transcript,
    so that words are glued together.
    """

    role: str | None
    implicit: bool
    aborted: bool
    call: bool
    closed: bool
    names: Names
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


class Resolver:
    """Settles one header; see :func:`resolve`."""

    def __init__(self, pieces: Pieces, context: Context) -> None:
        self.pieces = pieces
        self.context = context
        self.text = pieces.lexed.clean
        self.out = Resolved(content=pieces.content)
        self.used: set[int] = set()
        self.chosen_channel: Piece | None = None
        self.tool: tuple[str, Piece, str] | None = None  # (name, piece, where it stood)
        self.mentioned: set[int] = set()

    def resolve(self) -> Resolved:
        self._role()
        self._channel()
        self._recipient()
        self._type()
        self._strays()
        self.out.findings.sort(key=lambda f: (f.start, f.end))
        return self.out

    # Bookkeeping

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

    # Role

    def _role(self) -> None:
        out, context = self.out, self.context
        stated = self.pieces.of("role")
        if stated and context.role is not None and stated[0].value != context.role:
            return  # the prompt said whose message this is; another role's name is a stray word
        if stated:
            piece = stated[0]
            self._use("role", piece)
            out.role, out.role_stated = context.role or piece.value, True
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
        if context.call and not any(r not in _WEAK for r in recipients) and words.is_identifier(word):
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

    # Channel

    def _channel(self) -> None:
        known = self.pieces.of("channel")
        lost = self.pieces.of("channel-word")
        swapped = self.pieces.of("constrained-channel")
        if not known and swapped:
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
        )
        if values[-1] != first.value:
            # The first section cannot be cut with the blank before it: what stands before may be the role.
            finding.alternatives.append((values[-1], [(first.whole, first.end, ""), *cuts[1:-1]]))

    def _odd_channels(self) -> None:
        context = self.context
        odd = self.pieces.of("odd-channel")
        for piece in odd:
            word = piece.value.strip(":,;")
            known = context.names.resolve(word)
            named = words.is_dotted_tool(word) or known is not None
            tool = named or (context.call and words.is_identifier(word) and word not in words.NOT_TOOLS)
            others = self.chosen_channel is not None
            if tool and self.tool is None and not self._real_recipients():
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

    # Recipient

    def _real_recipients(self) -> list[Piece]:
        return [p for p in self.pieces.of("recipient") if p.value not in _WEAK]

    def _recipient(self) -> None:
        all_of_them = self.pieces.of("recipient")
        for piece in all_of_them:
            self.mentioned.add(id(piece))
        self._join_empty(all_of_them)
        if self.tool is None and not self._real_recipients():
            self._look_elsewhere()
        if self.tool is not None and not self._real_recipients():
            self._place_tool(all_of_them)
            return
        if self.tool is not None:
            # The tool's name stands in the role slot although the recipient is stated as well.
            name, piece, where = self.tool
            if where == "role":
                self._find(
                    "tool-in-role-slot",
                    piece.start,
                    piece.end,
                    [(piece.start, piece.end, "assistant")],
                    value=name,
                )
        if not all_of_them or self.out.recipient is not None:
            return
        real = self._real_recipients()
        if not real and self.context.aborted and self.out.content is not None:
            self._drop_recipients(all_of_them)
            return
        chosen = real[-1] if real else all_of_them[-1]
        if self._not_executed(real):
            self._drop_recipients(all_of_them)
            return
        losers = [p for p in all_of_them if p is not chosen]
        if losers:
            cuts = [self._cut(p.start, p.end) for p in losers]
            values = [p.value for p in all_of_them]
            self._find("duplicate-recipient", losers[0].start, losers[-1].end, cuts, values=values, kept=chosen.value)
        if not chosen.value:
            self._find("header-junk", chosen.start, chosen.end, [self._cut(chosen.start, chosen.end)], value="to=")
            return
        self.out.recipient = chosen.value
        self._use("recipient", chosen)
        self._unglue(chosen)
        if chosen.garbled:
            self._find(
                "garbled-recipient",
                chosen.start,
                chosen.end,
                [(chosen.start, chosen.end, f"to={chosen.value}")],
                value=self.text[chosen.start : chosen.end],
                kept=chosen.value,
            )

    def _unglue(self, chosen: Piece) -> None:
        """``to=functions.readjson`` where markers are missing, or where ``functions.read`` is known: a type is glued on."""
        names = self.context.names
        if self.pieces.of("type", "constrained") or names.resolve(chosen.value) in names.declared:
            return
        for kind in words.GLUED_TYPES:
            stem = chosen.value.removesuffix(kind)
            if stem == chosen.value or not stem or not stem[-1].isalnum():
                continue
            if self.context.leaky or names.resolve(stem) is not None:
                cut = chosen.start + 3 + len(stem)
                glued = Piece("type", kind, cut, chosen.end)
                chosen.value, chosen.end = stem, cut
                self.out.recipient = stem
                self.pieces.items.insert(self.pieces.items.index(chosen) + 1, glued)
                return

    def _not_executed(self, real: list[Piece]) -> bool:
        """True for an aborted header whose prose does not directly follow one recipient: it is no call."""
        content = self.out.content
        if content is None or not real or self.text[content] in "{[":
            return False
        constrained = any(
            p.marker >= 0 and p.start > real[0].start for p in self.pieces.of("constrained", "odd-type", "marker")
        )
        behind = W_CONSTRAIN in self.text[real[0].end : content]
        return constrained or behind or len({p.value for p in real}) > 1 or not self.context.closed

    def _drop_recipients(self, pieces: list[Piece]) -> None:
        cuts = [self._cut(p.start, p.end) for p in pieces]
        self._find("recipient-without-call", pieces[0].start, pieces[-1].end, cuts, values=[p.value for p in pieces])

    def _join_empty(self, recipients: list[Piece]) -> None:
        """``to=<|constrain|>functions.x``: the name stands behind the marker that follows."""
        items = self.pieces.items
        for piece in recipients:
            if piece.value:
                continue
            at = items.index(piece) + 1
            follower = items[at] if at < len(items) else None
            if (
                follower is None
                or follower.kind not in ("odd-type", "word", "odd-channel")
                or not words.is_identifier(follower.value)
            ):
                continue
            piece.value, piece.garbled = follower.value, False
            self.used.add(id(follower))
            self._find(
                "garbled-recipient",
                piece.start,
                follower.end,
                [(piece.end, follower.start, "")],
                value=self.text[piece.start : follower.end],
                kept=follower.value,
            )
            piece.end = follower.end

    def _look_elsewhere(self) -> None:
        """A recipient behind ``<|constrain|>``, or among the stray words of what is clearly a call."""
        context = self.context
        for piece in self.pieces.of("odd-type"):
            word = piece.value.strip(":,;")
            if id(piece) not in self.used and (words.is_dotted_tool(word) or context.names.resolve(word)):
                if context.names.resolve(word) and not context.call and "." not in word:
                    continue
                self.tool = (context.names.resolve(word) or word, piece, "constrain")
                self.used.add(id(piece))
                return
        strays = [p for p in self.pieces.of("word") if words.is_identifier(p.value)]
        for piece in strays:
            known = context.names.resolve(piece.value)
            if known or words.is_dotted_tool(piece.value):
                self.tool = (known or piece.value, piece, "word")
                self.used.add(id(piece))
                return
        # The strict parser, too, takes a lone word before the content type for the recipient.
        lone = len(self.pieces.of("word")) == 1 and strays and strays[0].value not in words.NOT_TOOLS
        if context.call and lone:
            self.tool = (strays[0].value, strays[0], "word")
            self.used.add(id(strays[0]))

    def _place_tool(self, weak: list[Piece]) -> None:
        """Write the recipient that stood in the wrong place where it belongs."""
        assert self.tool is not None
        name, piece, where = self.tool
        self.out.recipient = name
        self.out.used.append(("recipient", piece))
        rewrites = [self._cut(p.start, p.end) for p in weak]
        for p in weak:
            self.mentioned.add(id(p))
        kind = {"role": "tool-in-role-slot", "channel": "tool-in-channel-slot"}.get(where, "recipient-without-to")
        clause = f" to={name}"
        if where == "role":
            self.out.role = "assistant"
            rewrites.append((piece.start, piece.end, "assistant" if self.chosen_channel else f"assistant{clause}"))
            if self.chosen_channel is not None:
                rewrites.append((self.chosen_channel.end, self.chosen_channel.end, clause))
        elif where == "channel" and self.chosen_channel is None:
            self.out.channel = "commentary"
            rewrites.append((piece.whole, piece.end, f"{W_CHANNEL}commentary{clause}"))
        elif where == "constrain":
            rewrites.append(
                (
                    piece.marker,
                    piece.end,
                    f" to={name}" if not self._blank_before(piece.marker) else f"to={name}",
                )
            )
        elif where == "word":
            rewrites.append((piece.start, piece.end, f"to={name}"))
        else:
            assert self.chosen_channel is not None
            rewrites.append(self._cut(piece.whole, piece.end))
            rewrites.append((self.chosen_channel.end, self.chosen_channel.end, clause))
        self._find(kind, piece.whole, piece.end, rewrites, value=piece.value, kept=name)

    def _blank_before(self, at: int) -> bool:
        return at > 0 and self.text[at - 1].isspace()

    # Content type

    def _type(self) -> None:
        constrained = [p for p in self.pieces.of("constrained") if id(p) not in self.used]
        bare = [p for p in self.pieces.of("type") if id(p) not in self.used]
        odd = [p for p in self.pieces.of("odd-type") if id(p) not in self.used and not self._begins_prose(p)]
        for piece in (*constrained, *bare, *odd):
            self.mentioned.add(id(piece))
        chosen = constrained[-1] if constrained else bare[-1] if bare else None
        alone = self.out.recipient is None and self.out.role == "assistant"
        if chosen is None and odd and not (alone and self.context.prose):
            chosen = odd[-1]
            self._find("unknown-content-type", chosen.start, chosen.end, [], value=chosen.value)
        losers = [p for p in (*constrained, *bare, *odd) if p is not chosen]
        for piece in losers:
            kind = "header-junk" if chosen is not None else "unknown-content-type"
            self._find(kind, piece.whole, piece.end, [self._cut(piece.whole, piece.end)], value=piece.value)
        if chosen is None:
            return
        self._use("content_type", chosen)
        behind_constrain = chosen.kind in ("constrained", "odd-type")
        self.out.content_type = f"<|constrain|>{chosen.value}" if behind_constrain else chosen.value
        if chosen.garbled:
            self._find(
                "garbled-content-type",
                chosen.start,
                chosen.end,
                [(chosen.start, chosen.end, chosen.value)],
                value=self.text[chosen.start : chosen.end],
                kept=chosen.value,
            )
        if chosen.kind == "type" and chosen.marker >= 0:
            self._find(
                "content-type-in-channel-slot",
                chosen.whole,
                chosen.end,
                [(chosen.marker, chosen.start, " ")],
                value=chosen.value,
            )
        elif chosen.kind == "type" and chosen.start and self.text[chosen.start - 1].isalnum():
            rewrite = (chosen.start, chosen.start, " ")
            self._find("glued-content-type", chosen.start, chosen.end, [rewrite], value=chosen.value)
        elif alone and not self.context.aborted:
            finding = self._find("type-without-recipient", chosen.whole, chosen.end, [], value=chosen.value)
            finding.alternatives.append(("drop", [self._cut(chosen.whole, chosen.end)]))

        self._order(chosen)

    def _begins_prose(self, piece: Piece) -> bool:
        """True for ``<|constrain|>We should ...``: the first word of chatter is no content type."""
        items = self.pieces.items
        at = items.index(piece) + 1
        return (at < len(items) and items[at].kind in ("word", "punctuation")) or not words.has_letters(piece.value)

    def _order(self, chosen: Piece) -> None:
        """The strict parser reads from the end: the type must stand behind the recipient."""
        recipient = next((p for kind, p in self.out.used if kind == "recipient"), None)
        if recipient is None or recipient.kind != "recipient" or recipient.start < chosen.start:
            return
        clause = f" {W_CONSTRAIN}{chosen.value}" if chosen.kind != "type" else f" {chosen.value}"
        rewrites = [self._cut(chosen.whole, chosen.end), (recipient.end, recipient.end, clause)]
        self._find("type-before-recipient", chosen.whole, recipient.end, rewrites, value=chosen.value)

    # What is left

    def _strays(self) -> None:
        for piece in self.pieces.items:
            # The releases want the value right behind its marker.
            gap = piece.marker >= 0 and piece.start > piece.marker + 1 and id(piece) in self.used
            if gap and piece.kind in ("channel", "constrained", "odd-channel", "odd-type"):
                rewrite = (piece.marker + 1, piece.start, "")
                self._find("blank-behind-marker", piece.marker, piece.end, [rewrite], value=piece.value)
        run: list[Piece] = []
        for piece in self.pieces.items:
            if id(piece) in self.used or id(piece) in self.mentioned:
                if run:
                    self._junk(run)
                run = []
            else:
                run.append(piece)
        if run:
            self._junk(run)

    def _junk(self, run: list[Piece]) -> None:
        start, end = run[0].whole, run[-1].end
        kind = "repeated-start" if run[0].kind == "start" and len(run) == 1 else "header-junk"
        if kind == "repeated-start" and self.context.role is not None:
            # The prompt's <|start|>assistant, written once more: the role goes with it.
            again = next((p for p in self.pieces.of("role") if p.start == end), None)
            end = again.end if again is not None else end
        rewrite = (start, end, "") if run[0].kind == "punctuation" and self._at_content(end) else self._cut(start, end)
        self._find(kind, start, end, [rewrite], value=self.text[start:end])

    def _at_content(self, end: int) -> bool:
        return self.out.content is not None and end >= self.out.content


def _is_edge(char: str) -> bool:
    return char.isspace() or "\ud800" <= char <= "\udfff"


def resolve(pieces: Pieces, context: Context) -> Resolved:
    """The fields that a header's pieces state, with what is wrong about them. Never raises."""
    return Resolver(pieces, context).resolve()
