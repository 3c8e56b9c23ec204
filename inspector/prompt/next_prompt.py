"""The room's facade: messages in, the next prompt and its drift out."""

from __future__ import annotations

from collections.abc import Sequence

from ..harmony.message import Message
from ..tokens import Span
from .align import align
from .causes import CAUSES
from .drift import Drift, NextPrompt, Poison
from .headers import Op
from .plan import OSS_0011
from .poison import find_poison
from .render import RenderError, continued, plan, render_plan
from .sentences import sentence


def next_prompt(
    messages: Sequence[Message],
    emitted_ids: Sequence[int],
    *,
    style: str = OSS_0011,
    role: str | None = "assistant",
) -> NextPrompt:
    """The tokens that ``messages`` become in the next prompt, and where they differ from ``emitted_ids``.

    Args:
        messages: as read from ``emitted_ids``: their places are indexes into it. Messages read from a
            repaired transcript go with the repaired ids.
        emitted_ids: the transcript; any ints.
        style: one of :data:`~inspector.prompt.STYLES`.
        role: the role that the transcript continues, None for a whole conversation.

    Raises:
        ValueError: no such style, or messages whose places do not fit ``emitted_ids``.
    """
    poisoned = find_poison(messages)
    planned = plan(messages, style)
    try:
        prompt = render_plan(planned, style)
    except RenderError as error:
        return NextPrompt(style, (), _refused(poisoned), str(error), poisoned)
    skip = len(continued(prompt, role))
    ids = tuple(prompt.ids[skip:])
    ops = align(messages, emitted_ids, prompt, planned.lost, skip, continues=role is not None)
    return NextPrompt(style, ids, _told(ops, emitted_ids, ids), None, poisoned)


def _refused(poisoned: Sequence[Poison]) -> tuple[Drift, ...]:
    """One difference for each poisoned header, however many of its fields are."""
    code = CAUSES["poisoned-name"].code
    first = {poison.message: poison for poison in reversed(poisoned) if len(poison.span)}
    return tuple(
        Drift(
            "poisoned-name",
            code,
            poison.span,
            Span(0, 0),
            f"The {poison.field} spells the special token {poison.text}: no prompt can hold it as it is.",
        )
        for _, poison in sorted(first.items())
    )


def _told(ops: Sequence[Op], emitted: Sequence[int], reencoded: Sequence[int]) -> tuple[Drift, ...]:
    return tuple(
        Drift(
            cause,
            CAUSES[cause].code,
            Span(e0, e1),
            Span(r0, r1),
            sentence(cause, tuple(emitted[e0 : min(e1, e0 + 32)]), tuple(reencoded[r0 : min(r1, r0 + 32)])),
        )
        for cause, e0, e1, r0, r1 in ops
    )
