"""Settling recipient and content type: whether a message is a call, to whom, with what in it."""

from __future__ import annotations

from typing import Final

from ..tokens.markers import CONSTRAIN
from ..tokens.wide import wide_special
from . import words
from .header import Piece
from .settle_role import W_CHANNEL, RoleSettler

W_CONSTRAIN: Final = wide_special(CONSTRAIN)
_MOST_READINGS: Final = 8
"""Other recipients that are offered: each reading takes all the others out. Nobody chooses among more, and in what
models were seen to write a header names four at most."""


class CallSettler(RoleSettler):
    """Recipient and content type of one header."""

    def _recipient(self) -> None:
        all_of_them = self.pieces.of("recipient")
        for piece in all_of_them:
            self.mentioned.add(id(piece))
        self._join_empty(all_of_them)
        if self.tool is None and self.out.role == "assistant" and not self._real_recipients():
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
        declared = [p for p in real if p.value in self.context.names.declared]
        chosen = declared[-1] if declared else chosen
        if self._not_executed(real):
            self._drop_recipients(all_of_them)
            return
        losers = [p for p in all_of_them if p is not chosen]
        if losers:
            cuts = [self._cut(p.start, p.end) for p in losers]
            values = [p.value for p in all_of_them]
            finding = self._find(
                "duplicate-recipient", losers[0].start, losers[-1].end, cuts, values=values, kept=chosen.value
            )
            others = [p for p in real if p.value != chosen.value]
            for other in others[:_MOST_READINGS]:
                rest = [self._cut(p.start, p.end) for p in all_of_them if p is not other]
                finding.alternatives.append((f"Address it to {other.value} instead", rest))
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

    def _unglue(self, chosen: Piece) -> None:
        """``to=functions.readjson`` where ``functions.read`` is known: a content type is glued on."""
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
                self.pieces.items.append(glued)
                return

    def _join_empty(self, recipients: list[Piece]) -> None:
        """``to=<|constrain|>functions.x``: the name stands behind the marker that follows."""
        items = self.pieces.items
        for piece in recipients:
            # "to=", and "to=functions." or "to=functions" with a blank behind it.
            if piece.value and not (piece.value.endswith(".") or piece.value == "functions"):
                continue
            at = piece.order + 1
            follower = items[at] if at < len(items) else None
            if (
                follower is None
                or follower.kind not in ("odd-type", "word", "odd-channel")
                or not words.is_identifier(follower.value.removeprefix(".") if piece.value else follower.value)
            ):
                continue
            name = piece.value + follower.value
            if piece.value == "functions" and not follower.value.startswith("."):
                continue
            if piece.value and follower.kind != "word":
                continue
            piece.value, piece.garbled = name, False
            self.used.add(id(follower))
            self._find(
                "garbled-recipient",
                piece.start,
                follower.end,
                [(piece.end, follower.start, "")],
                value=self.text[piece.start : follower.end],
                kept=name,
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
                    piece.whole,
                    piece.end,
                    f" to={name}" if not self._blank_before(piece.whole) else f"to={name}",
                )
            )
        elif where == "word":
            rewrites.append((piece.start, piece.end, f"to={name}"))
        else:
            assert self.chosen_channel is not None
            rewrites.append(self._cut(piece.whole, piece.end))
            rewrites.append((self.chosen_channel.end, self.chosen_channel.end, clause))
        finding = self._find(kind, piece.whole, piece.end, rewrites, value=piece.value, kept=name)
        if where == "role":
            reading = "Read it as the tool's own message: it may be its answer, with to=assistant left out"
            finding.alternatives.append((reading, [(piece.end, piece.end, " to=assistant")]))
        elif where == "channel" and self.chosen_channel is not None and self.chosen_channel is not piece:
            reading = "Drop the word, as oss-harmony 0.0.10 and later do: the call is then addressed to nobody"
            finding.alternatives.append((reading, [self._cut(piece.whole, piece.end)]))

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
        at = piece.order + 1
        return (at < len(items) and items[at].kind in ("word", "punctuation")) or not words.has_letters(piece.value)

    def _order(self, chosen: Piece) -> None:
        """The strict parser reads from the end: the type must stand behind the recipient."""
        recipient = next((p for kind, p in self.out.used if kind == "recipient"), None)
        if recipient is None or recipient.kind != "recipient" or recipient.start < chosen.start:
            return
        clause = f" {W_CONSTRAIN}{chosen.value}" if chosen.kind != "type" else f" {chosen.value}"
        rewrites = [self._cut(chosen.whole, chosen.end), (recipient.end, recipient.end, clause)]
        self._find("type-before-recipient", chosen.whole, recipient.end, rewrites, value=chosen.value)
