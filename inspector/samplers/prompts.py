"""Conversations as prompts of token ids, in each of the ways that servers and libraries write them.

Only the headers of messages differ between the styles, which messages are left out, and, in vLLM, their order: that
comes from :mod:`inspector.prompt`. Whatever a person types is encoded as ordinary text: it never becomes a marker.

>>> from inspector.tokens import vocabulary
>>> vocabulary().decode(build_prompt("Be brief.", None, (), "Hello", style="vLLM 0.32"))
'<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|>Hello<|end|><|start|>assistant'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..harmony.message import Message
from ..prompt import RenderError, render
from ..prompt.plan import OSS_0011, VLLM_032, Part, Plan, PromptMessage
from ..prompt.render import render_plan
from ..tokens import START, Transcript, vocabulary
from .conversations import Conversation, as_conversation
from .preamble import EFFORTS, PromptError, developer_message, opening, system_message, tool_description
from .tools import Tool

__all__ = [
    "EFFORTS",
    "PromptError",
    "build_prompt",
    "developer_message",
    "opening",
    "render_messages",
    "render_prompt",
    "system_message",
    "tool_description",
]


def build_prompt(
    system: str | None,
    developer: str | None,
    tools: Sequence[Tool | Mapping[str, Any]],
    user: str,
    *,
    style: str = OSS_0011,
    effort: str = "medium",
    date: str | None = None,
) -> tuple[int, ...]:
    """The prompt of a conversation that begins, ending in ``<|start|>assistant``.

    Args:
        system: the text of the system message, as it is; None for the one that gpt-oss was trained with (see
            :func:`system_message`), "" for none.
        developer: instructions; None or "" for none.
        tools: what the developer message declares (see :func:`tool_description`).
        user: what the user says; "" leaves that message out.
        style: one of :data:`inspector.prompt.STYLES`.
        effort, date: of the system message, where ``system`` is None.

    Raises:
        PromptError: an effort that does not exist, tools that cannot be declared, or nothing to render.
        ValueError: no such style.
    """
    messages = opening(developer, tools, system=system, effort=effort, date=date)
    if user:
        messages.append(Message("user", user))
    if not messages:
        raise PromptError("The prompt is empty: write a system, developer or user message.")
    return render_messages(messages, style)


def render_prompt(
    conversation: Conversation | Sequence[Message] | Transcript | Mapping[str, Any], style: str = OSS_0011
) -> tuple[int, ...]:
    """The prompt that continues a conversation, ending in ``<|start|>assistant``.

    Args:
        conversation: Harmony messages; a chat request as the OpenAI API takes it (``messages``, ``tools``); or a
            transcript of a whole conversation. See :func:`inspector.samplers.conversations.as_conversation`.
        style: one of :data:`inspector.prompt.STYLES`. "vLLM 0.32" is what its server makes of a chat request that
            holds these messages.

    Raises:
        PromptError: it is no conversation that an assistant could continue, or the style refuses to render it.
        ValueError: no such style.
    """
    known = as_conversation(conversation)
    if known.is_chat and style == VLLM_032:
        with _refusals(style):
            return (*render_plan(_as_sent(known.messages), style).ids, START, *vocabulary().encode("assistant"))
    return render_messages(known.messages, style)


def render_messages(messages: Sequence[Message], style: str = OSS_0011) -> tuple[int, ...]:
    """The tokens of these messages, and the ``<|start|>assistant`` that asks for the next one.

    Raises:
        PromptError: the style's renderer refuses them (its own words are in the sentence).
        ValueError: no such style.
    """
    with _refusals(style):
        return tuple(render(messages, style, generation_prompt=True))


@contextmanager
def _refusals(style: str) -> Iterator[None]:
    try:
        yield
    except RenderError as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise PromptError(f"{style} refuses to render this conversation: {first}.") from None


def _as_sent(messages: Sequence[Message]) -> Plan:
    """What vLLM 0.32 makes of a chat request (its ``parse_chat_input_to_harmony_message``).

    Other than in :mod:`inspector.prompt.chat` there is no answer of the server's own to be read first: every message
    of the request stands for itself, and arguments are as the client wrote them. Beside a call the content comes
    before the reasoning, and the analysis before the last final message is left out.
    """
    turned = [replace(m, content_type="json") if m.role == "assistant" and m.recipient else m for m in messages]
    for at in range(1, len(turned)):
        content = turned[at]
        if content.channel == "commentary" and not content.recipient and turned[at - 1].channel == "analysis":
            turned[at - 1], turned[at] = content, turned[at - 1]
    last = max((at for at, m in enumerate(turned) if m.channel == "final"), default=0)
    kept = [m for at, m in enumerate(turned) if at >= last or m.channel != "analysis"]
    return Plan(
        [
            PromptMessage(m.role, m.name, m.channel, m.recipient, m.content_type, (Part(at, m.content),))
            for at, m in enumerate(kept)
        ],
        {},
    )
