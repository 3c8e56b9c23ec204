"""vLLM's serving parser: 0.32, which swallows Harmony errors, and up to 0.26, which turns them into HTTP 500.

Modelled on vLLM 0.32.0, ``vllm/parser/harmony.py`` and ``vllm/entrypoints/openai/parser/harmony_utils.py``
[source], its non-streaming chat completion with both parsers on and ``tool_choice`` auto. Exact as far as
the tokens reach: which message goes where, names, re-serialised arguments, the raw output that is shown when
the end comes inside a header. Not modelled: Python's own limits within ``json.loads`` (a number of more than
4,300 digits makes vLLM fail).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from ..harmony.message import Message
from ..harmony.verdict import Dialect, Verdict
from ..tokens import CALL, ENDOFTEXT, RETURN, vocabulary
from .reading import Call, Reading, reserialised
from .stream import Fed, feed, is_ordinary

BUILTINS: Final = frozenset({"python", "browser", "container"})
"""Namespaces of builtin tools: never a function of the chat API."""

VLLM: Final = "vLLM 0.32"
VLLM_OLD: Final = "vLLM up to 0.26"


class Route(Enum):
    """Where a message goes."""

    TOOL = "tool"
    REASONING = "reasoning"
    CONTENT = "content"
    IGNORE = "ignore"


def is_builtin(recipient: str) -> bool:
    """True for ``python``, ``browser``, ``container`` and what stands in their namespaces."""
    return recipient.split(".", 1)[0] in BUILTINS


def is_function(recipient: str | None) -> bool:
    """True for a recipient that vLLM's chat endpoint takes for a function, bare names included."""
    if not recipient or recipient.startswith("<|") or recipient == "assistant":
        return False
    if recipient.startswith("functions."):
        return len(recipient) > len("functions.")
    return not is_builtin(recipient)


def normalised(recipient: str | None) -> str | None:
    """The recipient as vLLM uses it: cut where ``<|constrain|>`` begins."""
    if recipient is None:
        return None
    cut = recipient.find("<|constrain|>")
    return recipient if cut < 0 else recipient[:cut].rstrip() or None


def route(message: Message) -> Route:
    """Where vLLM sends a message of the assistant; every other role is ignored."""
    recipient = normalised(message.recipient)
    if message.role != "assistant":
        return Route.IGNORE
    if is_function(recipient):
        return Route.TOOL
    if message.channel == "analysis":
        return Route.REASONING
    if message.channel == "final" or (message.channel == "commentary" and recipient is None):
        return Route.CONTENT
    return Route.IGNORE


def read_vllm(
    ids: Sequence[int], role: str | None = "assistant", *, start: int = 0, verdict: Verdict | None = None
) -> Reading:
    """What vLLM 0.32 answers for the completion ``ids[start:]``.

    ``verdict`` is oss-harmony 0.0.11's strict verdict on the same tokens, when it is there already.
    """
    fed = feed(ids, role, Dialect.ALL_CHANNELS, start=start, verdict=verdict)
    return assemble(ids, fed, start)


def assemble(ids: Sequence[int], fed: Fed, start: int = 0, *, verbatim: bool = False) -> Reading:
    """The answer that vLLM puts together from what its parser gave.

    With ``verbatim`` arguments are left as they came, which is quicker where only the calls matter.
    """
    reasoning: list[str] = []
    content: list[str] = []
    calls: list[Call] = []
    ends: list[int] = []
    lost = [index for index in fed.dropped if is_ordinary(ids[index])]
    ignored: list[Message] = []
    for message in fed.messages:
        goes = route(message)
        if goes is Route.TOOL:
            calls.append(_call(message, verbatim))
            ends.append(message.end)
        elif goes is Route.IGNORE:
            ignored.append(message)
        elif message.content:
            (reasoning if goes is Route.REASONING else content).append(message.content)
    raw = vocabulary().decode(fed.tail) if fed.tail else ""
    if raw:
        content.append(raw)
    for message in ignored:
        if message.start >= start and not is_builtin(message.recipient or ""):
            lost += range(message.body_start, message.body_end)
    return Reading(
        consumer=VLLM,
        content="\n".join(content) or None,
        reasoning="\n".join(reasoning) or None,
        calls=tuple(calls),
        finish="tool_calls" if calls else engine_reason(ids),
        note=_note(lost, ignored, raw),
        ends=tuple(ends),
        lost=tuple(sorted(lost)),
    )


def read_old_vllm(ids: Sequence[int], role: str | None = "assistant", *, start: int = 0) -> Reading:
    """What vLLM up to 0.26 answers: the same routing over openai-harmony 0.0.8, but any error is HTTP 500."""
    fed = feed(ids, role, Dialect.FIRST_ONLY, start=start)
    # An end inside a header is caught there too, and the raw text shown; everything else is not.
    fatal = [text for index, text in fed.errors if index < len(ids)]
    if fatal:
        return Reading(VLLM_OLD, note=f"HTTP 500: {fatal[0]}")
    read = assemble(ids, fed, start)
    return Reading(VLLM_OLD, read.content, read.reasoning, read.calls, read.finish, read.note, read.ends, read.lost)


def engine_reason(ids: Sequence[int]) -> str:
    """The engine's finish_reason as the last token tells it."""
    return "stop" if ids and ids[-1] in (RETURN, CALL, ENDOFTEXT) else "length"


def _call(message: Message, verbatim: bool) -> Call:
    name = (normalised(message.recipient) or "").removeprefix("functions.")
    arguments = message.content
    if not verbatim and (message.content_type is None or "json" in message.content_type):
        arguments = reserialised(arguments) or arguments
    return Call(name, arguments)


def _note(lost: Sequence[int], ignored: Sequence[Message], raw: str) -> str:
    said = []
    if lost:
        said.append(f"{len(lost):,} tokens of text are dropped without a word")
    builtins = [m.recipient for m in ignored if is_builtin(m.recipient or "")]
    if builtins:
        said.append(f"the call of {builtins[0]} is ignored: the chat endpoint has no builtin tools")
    if raw:
        said.append("the raw header is shown as the answer")
    return "; ".join(said)
