"""What vLLM 0.32 makes of a transcript on its way through the chat completions API and back.

The server reads the model's output into one assistant message (content, reasoning, tool calls), the client
sends that back with the next request, and the server turns it into Harmony messages again. Rules read off
vLLM 0.32's ``parser/harmony.py`` and ``entrypoints/openai/parser/harmony_utils.py``; the path modelled is the
non-streaming one, with reasoning and tool parsers on, and a client that sends back all it was given,
``reasoning`` included. What only the client knows is taken to be unchanged: system and developer messages
return as they were.

A run of assistant messages is taken for one response; tool messages answer the calls of the run before them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from ..harmony.message import Message
from .plan import Part, Plan, PromptMessage

_BUILTIN: Final = frozenset({"python", "browser", "container"})
_PREFIX: Final = "functions."


def plan_chat(messages: Sequence[Message]) -> Plan:
    """The messages of vLLM's next prompt."""
    turned: list[PromptMessage] = []
    lost: dict[int, str] = {}
    calls: list[str] | None = None  # names of the calls of the run before; None before the first run
    called: frozenset[str] = frozenset()  # the same names, to look one up
    answered = 0
    at = 0
    while at < len(messages):
        message = messages[at]
        if message.role == "assistant":
            end = at + 1
            while end < len(messages) and messages[end].role == "assistant":
                end += 1
            run, calls = _response(messages, at, end, lost)
            called = frozenset(calls)
            turned += run
            answered = 0
            at = end
            continue
        if message.role != "tool":
            part = Part(at, message.content)
            turned.append(PromptMessage(message.role, None, None, None, None, (part,)))
        elif _is_builtin(message.name or ""):
            lost[at] = "not-representable"
        else:
            name = _answered_name(message.name or "", calls, called, answered)
            answered += 1
            turned.append(
                PromptMessage("tool", _PREFIX + name, "commentary", "assistant", None, (Part(at, message.content),))
            )
        at += 1
    return _drop_analysis(turned, lost)


def is_function(recipient: str) -> bool:
    """True when vLLM takes a call to ``recipient`` for a function call that chat completions can carry."""
    if not recipient or recipient.startswith("<|"):
        return False
    if recipient.startswith(_PREFIX):
        return len(recipient) > len(_PREFIX)
    return recipient != "assistant" and not _is_builtin(recipient)


def reserialised(arguments: str, content_type: str | None) -> str:
    """A call's arguments as vLLM returns them: parsed and written anew when they are (or may be) JSON."""
    if content_type is not None and "json" not in content_type:
        return arguments
    try:
        return json.dumps(json.loads(arguments))
    except (ValueError, RecursionError):
        # Not JSON: vLLM passes it on raw. (Numbers of more than 4300 digits and nesting beyond Python's
        # recursion limit make the server fail instead; there is no next prompt to show then.)
        return arguments


def _response(
    messages: Sequence[Message], start: int, end: int, lost: dict[int, str]
) -> tuple[list[PromptMessage], list[str]]:
    """A run of assistant messages as they return, and the names of its calls."""
    reasoning: list[Part] = []
    content: list[Part] = []
    calls: list[PromptMessage] = []
    names: list[str] = []
    for index in range(start, end):
        message = messages[index]
        recipient = _without_constrain(message.recipient)
        if recipient is not None and is_function(recipient):
            name = recipient.removeprefix(_PREFIX)
            part = Part(index, reserialised(message.content, message.content_type))
            names.append(name)
            calls.append(PromptMessage("assistant", None, "commentary", _PREFIX + name, "json", (part,)))
        elif message.channel == "analysis":
            reasoning.append(Part(index, message.content))
        elif message.channel == "final" or (message.channel == "commentary" and recipient is None):
            content.append(Part(index, message.content))
        else:
            lost[index] = "not-representable"
    turned: list[PromptMessage] = []
    # With tool calls the content is written before the reasoning, whatever the order they came in.
    first, second = (content, reasoning) if calls else (reasoning, content)
    for parts in (first, second):
        lost.update((part.source, "empty-message-dropped") for part in parts if not part.text)
        spoken = tuple(part for part in parts if part.text)
        if spoken:
            channel = "analysis" if parts is reasoning else "commentary" if calls else "final"
            turned.append(PromptMessage("assistant", None, channel, None, None, spoken))
    return turned + calls, names


def _drop_analysis(turned: list[PromptMessage], lost: dict[int, str]) -> Plan:
    """Without the analysis before the *last* final message of the assistant (the library's rule differs)."""
    last = max((i for i, m in enumerate(turned) if m.role == "assistant" and m.channel == "final"), default=0)
    kept: list[PromptMessage] = []
    for index, message in enumerate(turned):
        if index < last and message.channel == "analysis":
            lost.update((part.source, "analysis-dropped") for part in message.parts)
        else:
            kept.append(message)
    return Plan(kept, lost)


def _answered_name(name: str, calls: list[str] | None, called: frozenset[str], answered: int) -> str:
    """The name of the call that a tool message answers, as a look-up by its call id finds it."""
    bare = name.removeprefix(_PREFIX)
    if calls is None or bare in called:
        return bare
    # The name of an unknown id is empty.
    return calls[answered] if answered < len(calls) else ""


def _is_builtin(name: str) -> bool:
    return name.split(".", 1)[0] in _BUILTIN


def _without_constrain(recipient: str | None) -> str | None:
    if recipient is None or "<|constrain|>" not in recipient:
        return recipient
    return recipient[: recipient.index("<|constrain|>")].rstrip() or None
