"""Messages as the tokens of the next prompt, in pure Python.

Equal, id for id, to what openai-harmony 0.0.8, oss-harmony 0.0.11 and vLLM 0.32 write (tests compare them).
All of them encode text as ordinary tokens, so special-token text in a message comes back defused, and all end
an assistant message that has a recipient with ``<|call|>`` and every other message with ``<|end|>``. Headers:

* openai-harmony 0.0.8: recipient, channel, content type; ``<|constrain|>`` only where the type has it;
* oss-harmony 0.0.11: on the channel ``commentary`` the channel comes first, for every role; the content
  type always gets its ``<|constrain|>``;
* vLLM 0.32: as oss-harmony, but a call's header is in 0.0.8's order and without ``<|constrain|>``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from ..harmony.message import Message
from ..tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, START, vocabulary
from .chat import plan_chat
from .plan import OPENAI_008, OSS_0011, STYLES, VLLM_032, Plan, PromptMessage, plan_as_is
from .poison import refusal

_CONSTRAIN_TEXT: Final = "<|constrain|>"

_MEMORABLE: Final = 256
"""Characters of a header's names that is still remembered: what is remembered must not grow with what is read."""


class RenderError(ValueError):
    """The style's renderer would refuse these messages; the text is what it would say."""


class Kind(StrEnum):
    """What a piece of a header is."""

    START = "start"
    ROLE = "role"
    NAME = "name"
    CHANNEL = "channel"
    RECIPIENT = "recipient"
    CONTENT_TYPE = "content_type"
    MESSAGE = "message"
    JUNK = "junk"
    SPACE = "space"


class Piece(NamedTuple):
    """A piece of a rendered header."""

    kind: Kind
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A rendered header, from ``<|start|>`` to ``<|message|>``; its pieces, joined, are its ids."""

    ids: tuple[int, ...]
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Rendered:
    """A message of the prompt and where its tokens are: header, body, and one terminator at ``body_end``."""

    message: PromptMessage
    header: Header
    start: int
    body_start: int
    body_end: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole prompt: its tokens (``<|start|>`` and role of the first message included) and its messages."""

    ids: list[int]
    messages: list[Rendered]


def render(
    messages: Sequence[Message],
    style: str = OSS_0011,
    *,
    role: str | None = None,
    generation_prompt: bool = False,
    drop_analysis: bool = True,
) -> list[int]:
    """The tokens that ``messages`` become in the next prompt.

    Args:
        messages: the conversation, or the part of it that is at hand.
        style: one of :data:`STYLES`.
        role: the role that the transcript continues; its ``<|start|>assistant`` is then left out in front, as
            it is in the transcript. None keeps the first ``<|start|>``.
        generation_prompt: True to end in the ``<|start|>assistant`` that asks for the next turn.
        drop_analysis: the libraries' ``auto_drop_analysis``; vLLM has its own rule and takes no notice.

    Raises:
        RenderError: the renderer would refuse: a tool message without a name, or poisoned history in vLLM.
        ValueError: no such style.
    """
    prompt = render_plan(plan(messages, style, drop_analysis=drop_analysis), style)
    ids = prompt.ids[len(continued(prompt, role)) :]
    if generation_prompt:
        ids += (START, *_encoded("assistant"))
    return ids


def plan(messages: Sequence[Message], style: str, *, drop_analysis: bool = True) -> Plan:
    """Which messages ``style`` renders.

    Raises:
        ValueError: no such style.
    """
    if style not in STYLES:
        raise ValueError(f"no style is called {style!r}: use one of {', '.join(STYLES)}")
    return plan_chat(messages) if style == VLLM_032 else plan_as_is(messages, drop_analysis=drop_analysis)


def render_plan(plan: Plan, style: str) -> Prompt:
    """The plan's messages as tokens, with their places.

    Raises:
        RenderError: the renderer would refuse these messages.
    """
    encode = vocabulary().encode
    ids: list[int] = []
    rendered: list[Rendered] = []
    for message in plan.messages:
        if message.role == "tool" and message.name is None:
            raise RenderError("Tools should have a name!")
        error = refusal(message) if style == VLLM_032 else None
        if error is not None:
            raise RenderError(error)
        header = render_header(
            style, message.role, message.name, message.channel, message.recipient, message.content_type
        )
        start = len(ids)
        ids += header.ids
        body_start = len(ids)
        parts = message.parts
        ids += encode(parts[0].text if len(parts) == 1 else "\n".join(part.text for part in parts))
        rendered.append(Rendered(message, header, start, body_start, len(ids)))
        ids.append(CALL if message.role == "assistant" and message.recipient is not None else END)
    return Prompt(ids, rendered)


def continued(prompt: Prompt, role: str | None) -> tuple[int, ...]:
    """The prompt's first ``<|start|>`` and role, which a transcript that continues ``role`` does not hold.

    Empty when the prompt does not begin so (its first message has another role).
    """
    if role is None or not prompt.messages or prompt.messages[0].message.role != role or role == "tool":
        return ()
    return (START, *_encoded(role))


def render_header(
    style: str,
    role: str,
    name: str | None,
    channel: str | None,
    recipient: str | None,
    content_type: str | None,
) -> Header:
    """A header as ``style`` writes it. A recipient ``all`` is never written.

    Headers of one kind come by the thousand, so they are remembered, but for long ones.
    """
    spoken = sum(map(len, filter(None, (name, channel, recipient, content_type))))
    header = _remembered if spoken <= _MEMORABLE else _header
    return header(style, role, name, channel, recipient, content_type)


def _header(
    style: str,
    role: str,
    name: str | None,
    channel: str | None,
    recipient: str | None,
    content_type: str | None,
) -> Header:
    who = [Piece(Kind.START, (START,))]
    if role == "tool":
        who.append(Piece(Kind.NAME, _encoded(name or "")))
    else:
        who.append(Piece(Kind.ROLE, _encoded(role)))
        if name is not None:
            who.append(Piece(Kind.NAME, _encoded(f":{name}")))
    to = [] if recipient in (None, "all") else [Piece(Kind.RECIPIENT, _encoded(f" to={recipient}"))]
    on = [] if channel is None else [Piece(Kind.CHANNEL, (CHANNEL, *_encoded(channel)))]
    legacy = style == OPENAI_008 or (
        style == VLLM_032 and role == "assistant" and recipient is not None and content_type is not None
    )
    pieces = [*who, *on, *to] if channel == "commentary" and not legacy else [*who, *to, *on]
    if content_type is not None:
        if not legacy or (style == OPENAI_008 and content_type.startswith(_CONSTRAIN_TEXT)):
            value = _encoded(content_type.removeprefix(_CONSTRAIN_TEXT))
            pieces.append(Piece(Kind.CONTENT_TYPE, (*_encoded(" "), CONSTRAIN, *value)))
        else:
            pieces.append(Piece(Kind.CONTENT_TYPE, _encoded(f" {content_type}")))
    pieces.append(Piece(Kind.MESSAGE, (MESSAGE,)))
    return Header(tuple(token for piece in pieces for token in piece.ids), tuple(pieces))


_remembered = lru_cache(maxsize=4096)(_header)


def _encoded(text: str) -> tuple[int, ...]:
    return tuple(vocabulary().encode(text))
