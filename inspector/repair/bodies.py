"""What can be wrong with messages that were read: their recipients, arguments, terminators and order.

None of this is mended by itself: the tokens say plainly what they say. It is told, because it is what breaks
further on (arguments that do not parse, a call that nobody runs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..harmony.bodies import is_json_object, opens_json_string
from ..harmony.message import Message
from ..harmony.names import declared_in
from ..harmony.problem import Problem
from ..harmony.tree import MessageNode, Tree
from ..harmony.words import NOT_TOOLS, Names, is_dotted_tool
from ..tokens import CALL, END, RETURN, Change, Position, Scan, Span, WideText

_ODD_PREFIXES: Final = ("function.", "functions.functions.", "tool.", "tools.")

Reading = tuple[str, tuple[Change, ...]]
"""Another reading: its reason, and the changes that write it down."""


def problems(tree: Tree, scan: Scan) -> Iterator[Problem]:
    """Problems in messages, in order; their kinds are the names of rules HS401 and up."""
    ids = tree.transcript.ids
    declared: _Declared | None = None
    returned = -1
    for index, node in enumerate(tree.nodes):
        if not isinstance(node, MessageNode) or node.message is None:
            continue
        message = node.message
        if message.role == "tool" and message.recipient == "assistant":
            yield from _imagined(tree, index, node)
        if message.role != "assistant":
            continue
        closer = ids[node.terminator] if node.terminator is not None else None
        if returned >= 0:
            yield _problem("turn-after-return", index, Span(node.start, node.header_end), after=returned)
            returned = -1
        if closer == RETURN and index + 1 < len(tree.nodes):
            returned = index
        recipient = message.recipient
        if declared is None and (_is_tool(recipient) or closer == CALL):
            declared = _Declared(declared_in(tree.transcript, scan))
        if _is_tool(recipient):
            yield from _call(index, node, message, closer, declared or _NONE_DECLARED, ids)
        else:
            yield from _text(index, node, message, closer, declared or _NONE_DECLARED)
        if closer is None and node.end == len(ids):
            yield _problem("truncated-message", index, Span(node.end, node.end), call=_is_tool(recipient))


class _Declared:
    """The declared tools, looked up and sorted once for all the messages of a transcript."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.known = Names(names)
        self.listed = sorted(names)


_NONE_DECLARED: Final = _Declared(set())


def _problem(kind: str, index: int, span: Span, *alternatives: Reading, **data: Any) -> Problem:
    return Problem(kind, span, index, alternatives=alternatives, data=data)


def _is_tool(recipient: str | None) -> bool:
    return recipient is not None and recipient not in NOT_TOOLS


def _field(node: MessageNode, kind: str) -> Span:
    for field in node.fields:
        if field.kind == kind:
            return Span(field.start, field.end)
    return Span(node.header_start, max(node.header_end, node.header_start))


def _call(
    index: int, node: MessageNode, message: Message, closer: int | None, declared: _Declared, ids: Sequence[int]
) -> Iterator[Problem]:
    recipient = message.recipient or ""
    if declared.names and recipient not in declared.names and not is_dotted_tool(recipient.split(".", 1)[0]):
        meant = declared.known.resolve(recipient.rsplit(".", 1)[-1])
        readings = [_readdressed(node, ids, meant)] if meant is not None else []
        span = _field(node, "recipient")
        yield _problem("undeclared-tool", index, span, *readings, value=recipient, declared=declared.listed)
    elif recipient.startswith(_ODD_PREFIXES) or recipient.endswith("."):
        yield _problem("odd-tool-name", index, _field(node, "recipient"), value=recipient)
    if message.channel == "final" or message.channel is None:
        yield _problem(
            "call-outside-commentary",
            index,
            _field(node, "channel"),
            value=message.channel,
            recipient=recipient,
        )
    if closer in (END, RETURN):
        yield _problem(
            "call-not-closed-by-call", index, Span(node.end - 1, node.end), value=closer, recipient=recipient
        )
    kind = (message.content_type or "").removeprefix("<|constrain|>").lower()
    wants_json = kind == "json" or (not kind and not is_dotted_tool(recipient.split(".", 1)[0]))
    if not wants_json or (closer is None and not message.content):
        return
    if not message.content.strip():
        yield _problem("empty-arguments", index, Span(node.body_start, node.body_end), recipient=recipient)
    elif not is_json_object(message.content):
        cut = closer is None or opens_json_string(message.content)
        yield _problem(
            "arguments-not-json",
            index,
            Span(node.body_start, node.body_end),
            recipient=recipient,
            cut=cut,
            stated=kind == "json",
        )


def _readdressed(node: MessageNode, ids: Sequence[int], name: str) -> Reading:
    """The call addressed to a declared tool of nearly the same name."""
    field = next(f for f in node.fields if f.kind == "recipient")
    wide = WideText(ids[node.header_start : node.header_end], node.header_start)
    change = Change(wide.position(field.char_start), wide.position(field.char_end), f"to={name}")
    return f"Address it to {name}, which is declared", (change,)


def _addressed(node: MessageNode, name: str) -> Reading:
    """A call to nobody, addressed to the only tool there is."""
    end = Position(node.header_end)
    return f"Address it to {name}, the only declared tool (inferred: nothing in the message says so)", (
        Change(end, end, f" to={name}"),
    )


def _text(
    index: int, node: MessageNode, message: Message, closer: int | None, declared: _Declared
) -> Iterator[Problem]:
    if message.recipient is not None:
        yield _problem("recipient-is-no-tool", index, _field(node, "recipient"), value=message.recipient)
    elif (closer == CALL and not _is_prose(message)) or (
        message.channel == "commentary" and is_json_object(message.content)
    ):
        only = declared.listed[0] if len(declared.listed) == 1 and message.content_type is None else None
        yield _problem(
            "call-without-recipient",
            index,
            Span(node.start, node.body_end),
            *([_addressed(node, only)] if only is not None and closer == CALL else []),
            closed=closer == CALL,
            json=is_json_object(message.content),
        )
        return
    if closer == CALL:
        yield _problem("call-closes-text", index, Span(node.end - 1, node.end), channel=message.channel)
    if message.channel is None and message.recipient is None:
        yield _problem("missing-channel", index, Span(node.start, max(node.header_end, node.start)))
    elif message.channel == "final" and not message.content.strip() and closer is not None:
        yield _problem("empty-final", index, Span(node.body_start, node.body_end))


def _is_prose(message: Message) -> bool:
    plain = message.channel in ("final", "analysis") and message.content_type is None
    return plain and not is_json_object(message.content)


def _imagined(tree: Tree, index: int, node: MessageNode) -> Iterator[Problem]:
    """A tool's answer that the model wrote itself: only where the tokens came from can show it."""
    transcript = tree.transcript
    if transcript.origins is not None:
        sampled = any(o == "sampled" for o in transcript.origins[node.start : node.end])
    else:
        # A transcript that continues a turn holds what one generation sampled, unless it says otherwise.
        sampled = transcript.role is not None
    if sampled:
        name = node.message.name if node.message is not None else None
        yield _problem("imagined-tool-result", index, Span(node.start, node.end), value=name)
