"""The last resort: what no rule could mend is rewritten, so that a repaired transcript always parses.

It is reached only by combinations that no rule knows. What it does is blunt and always visible: tokens outside
of any message are taken out, a header is written anew from what could be read of it, a header that never ends
is taken out.
"""

from __future__ import annotations

from ..finding import Applicability, Diagnostic, Effect, Fix, Severity
from ..harmony.message import CHANNELS, ROLES
from ..harmony.tree import HeaderFields, MessageNode, Tree
from ..harmony.verdict import StrictError, Verdict
from ..harmony.words import is_identifier
from ..tokens import CHANNEL, MESSAGE, START, STOPS, Edit, Span, encode_wide, wide_special

_W_CHANNEL = wide_special(CHANNEL)


def last_resort(tree: Tree, verdict: Verdict) -> tuple[Diagnostic, list[Edit]] | None:
    """A diagnostic and edits for the first error of a verdict, or None when there is nothing left to rewrite."""
    error = verdict.error
    ids = tree.transcript.ids
    if error is None or not ids:
        return None
    if error.kind == "E1":
        start = error.token
        end = next((i for i in range(start, len(ids)) if ids[i] == START), len(ids))
        return _said(error, start, end, "Take out what belongs to no message."), [Edit(start, end)]
    start = _header_start(ids, error.token)
    opened = start > 0 or tree.transcript.role is None
    if error.token >= len(ids):
        cut = start - 1 if opened else start
        return _said(error, cut, len(ids), "Take out the header that never ends."), [Edit(cut, len(ids))]
    node = next((n for n in tree.nodes if isinstance(n, MessageNode) and n.separator == error.token), None)
    header = _header(node.read if node is not None else None, opened)
    if tuple(header) == tuple(ids[start : error.token]):
        header = encode_wide("assistant") if opened else []
    if tuple(header) == tuple(ids[start : error.token]):
        return None
    said = _said(error, start, error.token, "Write the header anew from what could be read of it.")
    return said, [Edit(start, error.token, tuple(header))]


def _header_start(ids: tuple[int, ...], end: int) -> int:
    """Where the strict parser began the header in which it broke: behind the ``<|start|>`` it was waiting for."""

    start, state = 0, "header"
    for index, token in enumerate(ids[:end]):
        if state == "header" and token == MESSAGE:
            state = "body"
        elif state == "body" and token in STOPS:
            state = "between"
        elif state == "between" and token == START:
            state, start = "header", index + 1
    if start == 0 and ids[0] == START:
        return 1
    return start


def _header(read: HeaderFields | None, opened: bool) -> list[int]:
    role = read.role if read is not None and read.role in ROLES else "assistant"
    if role == "tool":
        role = "assistant"
    text = role if opened else ""
    if read is not None:
        text += f"{_W_CHANNEL}{read.channel}" if read.channel in CHANNELS else ""
        text += f" to={read.recipient}" if read.recipient and is_identifier(read.recipient) else ""
    return encode_wide(text)


def _said(error: StrictError, start: int, end: int, title: str) -> Diagnostic:
    from .catalogue import RULES

    rule = RULES.get("HS199")

    return Diagnostic(
        "HS199",
        rule.name if rule is not None else "unreadable-header",
        Severity.ERROR,
        Effect.RAISES,
        "No rule knows what was meant here; it is rewritten so that the rest can be read.",
        Span(start, max(start, end)),
        Fix(title, Applicability.UNSAFE),
        key=f"HS199@{start}",
        note=error.text if len(error.text) <= 200 else error.text[:199] + "…",
    )
