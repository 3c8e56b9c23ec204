"""Emitted tokens beside re-encoded ones: where they differ, and which cause each difference has.

Messages know where in the transcript they were read, and prompt messages know which messages they consist
of, so nothing has to be searched: headers, bodies and terminators are compared pair by pair. Where messages
changed places the heaviest row of messages that kept their order stays, and the others are gone here and new
there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from ..harmony.message import Message
from ..tokens import MESSAGE
from .headers import MOVED_START, Op, Target, header_ops
from .pieces import Fields
from .plan import Part
from .render import Prompt, Rendered
from .sequence import differences
from .texts import (
    common_bounds,
    cut_otherwise,
    dense_places,
    offsets,
    places_in_text,
    same_but_for_space,
    spell_the_same,
    text_cause,
)

MOVED: Final = "content-before-reasoning"


def align(
    messages: Sequence[Message],
    emitted: Sequence[int],
    prompt: Prompt,
    lost: dict[int, str],
    skip: int = 0,
    *,
    continues: bool = False,
) -> list[Op]:
    """The differences between ``emitted`` and the prompt's tokens from ``skip`` on, in order.

    Linear in both lengths for healthy input, O(n log n) for any. Outside of the differences the sequences are
    equal.

    Args:
        messages: what was read from ``emitted``, in order of place; those without a place may stand anywhere.
        prompt: what they became, from the same messages.
        lost: for the messages that are in no prompt message, why.
        skip: how many tokens at the front of the prompt the transcript does not hold (its
            ``<|start|>assistant``).
        continues: True when the transcript begins inside a header that the prompt had opened.

    Raises:
        ValueError: the messages' places overlap, are out of order or leave ``emitted``.
    """
    _check_places(messages, len(emitted))
    return _Walk(messages, list(emitted), prompt, lost, skip, continues).run()


class _Link(NamedTuple):
    """Emitted message ``source`` is part ``part`` of the prompt's message ``target``."""

    source: int
    target: int
    part: int


class _Walk:
    def __init__(
        self,
        messages: Sequence[Message],
        emitted: list[int],
        prompt: Prompt,
        lost: dict[int, str],
        skip: int,
        continues: bool,
    ) -> None:
        self.messages = messages
        self.emitted = emitted
        self.ids = prompt.ids
        self.prompt = prompt
        self.lost = lost
        self.skip = skip
        self.continues = continues
        self.ops: list[Op] = []
        # Everything before these is accounted for, on either side.
        self.e = 0
        self.r = skip
        self.next_message = 0

    def run(self) -> list[Op]:
        kept: dict[int, list[int]] = {}
        for link in _kept_in_order(self.messages, self.prompt):
            kept.setdefault(link.target, []).append(link.part)
        for index, rendered in enumerate(self.prompt.messages):
            skip = self.skip if index == 0 else 0
            parts = kept.get(index)
            if parts is None:
                placed = any(self.messages[part.source].start >= 0 for part in rendered.message.parts)
                end = rendered.body_end + 1
                self.op(MOVED if placed else "other", self.e, self.e, rendered.start + skip, end)
                self.r = end
            else:
                self.pair(rendered, parts, skip)
        self.gone_until(len(self.messages))
        self.op("message-lost", self.e, len(self.emitted), len(self.ids), len(self.ids))
        return _merged(self.ops, self.skip)

    def op(self, cause: str, e0: int, e1: int, r0: int, r1: int) -> None:
        if e0 < e1 or r0 < r1:
            self.ops.append(Op(cause, e0, e1, r0, r1))

    def gone_until(self, until: int) -> None:
        """Account for the emitted messages before message ``until``, none of which is in the prompt here."""
        while self.next_message < until:
            message = self.messages[self.next_message]
            if message.start >= 0:
                self.op("message-lost", self.e, message.start, self.r, self.r)
                self.op(self.lost.get(self.next_message, MOVED), message.start, message.end, self.r, self.r)
                self.e = message.end
            self.next_message += 1

    def pair(self, rendered: Rendered, parts: list[int], skip: int) -> None:
        """Compare a prompt message with the emitted message, or messages, that it consists of."""
        of = rendered.message.parts
        first, last = self.messages[of[parts[0]].source], self.messages[of[parts[-1]].source]
        self.r = rendered.start + skip
        self.gone_until(of[parts[0]].source)
        self.op("message-lost", self.e, first.start, self.r, self.r)
        self.header(first, rendered, skip)
        self.body(rendered, parts)
        self.e, self.r = last.body_end, rendered.body_end
        if self.emitted[last.body_end : last.end] != self.ids[self.r : self.r + 1]:
            cause = "truncated-closed" if last.body_end == last.end else "terminator-changed"
            self.op(cause, last.body_end, last.end, self.r, self.r + 1)
        self.e, self.r = last.end, self.r + 1
        self.next_message = of[parts[-1]].source + 1

    def header(self, message: Message, rendered: Rendered, skip: int) -> None:
        emitted = tuple(self.emitted[message.start : message.body_start])
        pieces = rendered.header.pieces
        if skip:
            if emitted == rendered.header.ids[skip:]:
                return
            pieces = pieces[2:]  # <|start|> and the role
        elif emitted == rendered.header.ids:
            return
        m = rendered.message
        read = Fields(message.role, message.name, message.channel, message.recipient, message.content_type)
        target = Target(pieces, Fields(m.role, m.name, m.channel, m.recipient, m.content_type))
        e, r = message.start, rendered.start + skip
        opened = message.start > 0 or not self.continues
        for op in header_ops(emitted, read, target, opened):
            cause = op.cause
            if cause is MOVED_START:
                cause = self.cause_before(e + op.e0, r + op.r0)
            self.op(cause, e + op.e0, e + op.e1, r + op.r0, r + op.r1)

    def cause_before(self, e: int, r: int) -> str:
        """The cause of the difference that ends exactly here."""
        if self.ops and self.ops[-1].e1 == e and self.ops[-1].r1 == r:
            return self.ops[-1].cause
        return "header-completed"

    def body(self, rendered: Rendered, parts: list[int]) -> None:
        of = rendered.message.parts
        first, last = self.messages[of[parts[0]].source], self.messages[of[parts[-1]].source]
        e0, e1, r0, r1 = first.body_start, last.body_end, rendered.body_start, rendered.body_end
        if len(of) == 1:
            if self.emitted[e0:e1] == self.ids[r0:r1]:
                return
            if of[0].text != first.content:
                self.rewritten("arguments-reserialised", e0, e1, r0, r1)
                return
            ours, theirs = tuple(self.emitted[e0:e1]), tuple(self.ids[r0:r1])
            if spell_the_same(ours, theirs):
                for a0, a1, b0, b1 in cut_otherwise(ours, theirs):
                    self.op(text_cause(ours[a0:a1], theirs[b0:b1]), e0 + a0, e0 + a1, r0 + b0, r0 + b1)
                return
        places = self.places(of, parts)
        if places is None:
            # A lenient parse makes a text of a header that has no <|message|>.
            read_from_header = e0 == 0 or self.emitted[e0 - 1] != MESSAGE
            self.rewritten("header-completed" if read_from_header else "other", e0, e1, r0, r1)
            return
        r_places = offsets(self.ids[r0:r1])
        seams = _Seams(self.messages, of, parts)
        knots = [(0, 0), *common_bounds(places, r_places), (e1 - e0, r1 - r0)]
        for (e_from, r_from), (e_to, r_to) in pairwise(knots):
            old = self.emitted[e0 + e_from : e0 + e_to]
            new = self.ids[r0 + r_from : r0 + r_to]
            if old == new:
                continue
            op = Op(text_cause(old, new), e0 + e_from, e0 + e_to, r0 + r_from, r0 + r_to)
            joints = seams.joints(op.e0, op.e1)
            if joints:
                self.joined(joints, op)
            elif seams.moved(r_places[r_from], r_places[r_to]):
                self.op(MOVED, *op[1:])
            else:
                self.op(*op)

    def places(self, of: tuple[Part, ...], parts: list[int]) -> list[int] | None:
        """For every boundary from the first body to the last, its byte offset in the joined text, or -1."""
        places: list[int] = []
        offset = 0
        kept = set(parts)
        before: Message | None = None
        for index, part in enumerate(of):
            if index in kept:
                message = self.messages[part.source]
                own = places_in_text(self.emitted[message.body_start : message.body_end], part.text)
                if own is None:
                    return None
                if before is not None:
                    places += [-1] * (message.body_start - before.body_end - 1)
                places += [place + offset if place >= 0 else -1 for place in own]
                before = message
            offset += _byte_length(part.text) + 1
        return places

    def rewritten(self, cause: str, e0: int, e1: int, r0: int, r1: int) -> None:
        """A body whose text is not the emitted one."""
        old, new = self.emitted[e0:e1], self.ids[r0:r1]
        if same_but_for_space(old, new):
            knots = [(0, 0), *common_bounds(dense_places(old), dense_places(new)), (len(old), len(new))]
            for (e_from, r_from), (e_to, r_to) in pairwise(knots):
                if old[e_from:e_to] != new[r_from:r_to]:
                    self.op(cause, e0 + e_from, e0 + e_to, r0 + r_from, r0 + r_to)
            return
        for gap in differences(old, new):
            self.op(cause, e0 + gap.a0, e0 + gap.a1, r0 + gap.b0, r0 + gap.b1)

    def joined(self, joints: list[_Joint], op: Op) -> None:
        """The end of a message and the beginning of the next, in whose place the prompt has a line break."""
        e, r = op.e0, op.r0
        for joint in joints:
            before, after = self.messages[joint.before], self.messages[joint.after]
            if joint.moved_between:
                self.op("messages-joined", e, before.end, r, r)
                self.op(MOVED, before.end, before.end, r, op.r1)
            else:
                self.op("messages-joined", e, before.end, r, op.r1)
            r = self.r = op.r1
            self.e, self.next_message = before.end, joint.before + 1
            self.gone_until(joint.after)
            self.op("message-lost", self.e, after.start, r, r)
            e = after.start
        self.op("messages-joined", e, op.e1, r, r)


class _Joint(NamedTuple):
    """Two emitted messages whose bodies follow each other in a prompt message."""

    before: int
    after: int
    moved_between: bool


class _Seams:
    """Where a prompt message of several parts was sewn together."""

    def __init__(self, messages: Sequence[Message], of: tuple[Part, ...], parts: list[int]) -> None:
        self._joints = [_Joint(of[a].source, of[b].source, b - a > 1) for a, b in pairwise(parts)]
        self._ends = [messages[joint.before].body_end for joint in self._joints]
        self._starts = [messages[joint.after].body_start for joint in self._joints]
        self._moved: list[int] = []  # byte offsets of the joined text, where moved parts begin and end in turn
        if len(of) > len(parts):
            kept = set(parts)
            offset = 0
            for index, part in enumerate(of):
                length = _byte_length(part.text)
                if index not in kept:
                    self._moved += (offset, offset + length)
                offset += length + 1

    def joints(self, e0: int, e1: int) -> list[_Joint]:
        """The joints that lie within emitted tokens ``[e0, e1)``."""
        return self._joints[bisect_left(self._ends, e0) : bisect_right(self._starts, e1)]

    def moved(self, start: int, end: int) -> bool:
        """True when the bytes ``[start, end)`` of the joined text hold some of a part that moved here."""
        return bisect_right(self._moved, start) % 2 == 1 or bisect_left(self._moved, end) > bisect_right(
            self._moved, start
        )


def _byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _check_places(messages: Sequence[Message], count: int) -> None:
    at = 0
    for index, m in enumerate(messages):
        if m.start < 0:
            continue
        if not at <= m.start <= m.body_start <= m.body_end <= m.end <= count:
            raise ValueError(
                f"message {index} is said to stand at {m.start}..{m.end}, its body at {m.body_start}.."
                f"{m.body_end}, which overlaps the message before it or leaves the transcript of {count} tokens"
            )
        at = m.end


def _kept_in_order(messages: Sequence[Message], prompt: Prompt) -> list[_Link]:
    """The heaviest row of emitted messages that stand in the same order in the prompt, in that order."""
    links = [
        _Link(part.source, target, index)
        for target, rendered in enumerate(prompt.messages)
        for index, part in enumerate(rendered.message.parts)
        if messages[part.source].start >= 0
    ]
    if all(a.source < b.source for a, b in pairwise(links)):
        return links
    # Heaviest increasing subsequence: a Fenwick tree over the sources holds the best row that ends there.
    size = len(messages) + 1
    best: list[tuple[int, int]] = [(0, -1)] * size  # (weight, index of the last link)
    before: list[int] = []
    weights: list[int] = []
    for index, link in enumerate(links):
        weight, previous = 0, -1
        at = link.source
        while at > 0:
            weight, previous = max((weight, previous), best[at])
            at -= at & -at
        message = messages[link.source]
        # Everything of a message moves with it, its markers included.
        weight += message.end - message.start
        before.append(previous)
        weights.append(weight)
        at = link.source + 1
        while at < size:
            best[at] = max(best[at], (weight, index))
            at += at & -at
    row: list[_Link] = []
    at = max(range(len(links)), key=lambda i: weights[i])
    while at >= 0:
        row.append(links[at])
        at = before[at]
    row.reverse()
    return row


def _merged(ops: list[Op], skip: int) -> list[Op]:
    """The differences in the prompt's own counting, neighbours of one cause as one."""
    merged: list[Op] = []
    for cause, e0, e1, r0, r1 in ops:
        if merged and merged[-1].cause == cause and merged[-1].e1 == e0 and merged[-1].r1 == r0 - skip:
            last = merged[-1]
            merged[-1] = Op(cause, last.e0, e1, last.r0, r1 - skip)
        else:
            merged.append(Op(cause, e0, e1, r0 - skip, r1 - skip))
    return merged
