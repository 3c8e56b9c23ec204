"""The system and the developer message that a conversation with gpt-oss begins with.

Their texts, tools as TypeScript included, are the library's own: oss-harmony writes them, in its worker process
(openai-harmony 0.0.8 writes the same ones, a test compares them).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date as calendar
from functools import lru_cache
from typing import Any, Final, cast

from ..harmony.message import Message, MessageRecord
from ..inspection import NEWEST
from ..releases import native
from ..tokens import END, MESSAGE, vocabulary
from .tools import Tool

EFFORTS: Final = ("low", "medium", "high")
"""How much gpt-oss is told to reason."""

_FULL: Final = {"role": "system", "name": None, "channel": None, "recipient": None, "content_type": None}


class PromptError(ValueError):
    """A conversation that no prompt can be made of; the message is one sentence that says where and why."""


def opening(
    developer: str | None,
    tools: Sequence[Tool | Mapping[str, Any]] = (),
    *,
    system: str | None = None,
    effort: str = "medium",
    date: str | None = None,
) -> list[Message]:
    """The messages before the first user's: system, and developer where there is anything to tell it.

    Raises:
        PromptError: see :func:`build_prompt`.
    """
    described = tuple(tool_description(tool) for tool in tools)
    messages = []
    if system is None:
        messages.append(system_message(effort=effort, date=date, tools=bool(described)))
    elif system:
        messages.append(Message("system", system))
    if developer or described:
        messages.append(developer_message(developer, described))
    return messages


def system_message(
    *, effort: str = "medium", date: str | None = None, tools: bool = False, identity: str | None = None
) -> Message:
    """The system message that gpt-oss was trained with.

    Args:
        effort: one of :data:`EFFORTS`.
        date: "2026-01-31"; None for today (as vLLM does it), "" to leave the line out.
        tools: whether the developer message declares functions: a line then tells on which channel they are called.
        identity: instead of "You are ChatGPT, ...".

    Raises:
        PromptError: no such effort, or the library gave no answer.
    """
    if effort.lower() not in EFFORTS:
        raise PromptError(f"The reasoning effort is {effort!r}: expected {', '.join(EFFORTS)}.")
    content = {"type": "system_content", "reasoning_effort": effort.lower().capitalize()}
    today = calendar.today().isoformat() if date is None else date
    if today:
        content["conversation_start_date"] = today
    if identity is not None:
        content["model_identity"] = identity
    records: list[dict[str, Any]] = [{**_FULL, "content": [content]}]
    if tools:
        # The library writes the line about functions where some developer message declares one.
        records.append({**_FULL, "role": "developer", "content": [_developer("", ({"name": "f", "description": ""},))]})
    return Message("system", _texts(json.dumps(records))[0])


def developer_message(instructions: str | None, tools: Sequence[Tool | Mapping[str, Any]] = ()) -> Message:
    """The developer message: instructions, and the tools as gpt-oss is shown them.

    Raises:
        PromptError: a tool that cannot be declared, or the library gave no answer.
    """
    content = _developer(instructions or "", [tool_description(tool) for tool in tools])
    return Message("developer", _texts(json.dumps([{**_FULL, "role": "developer", "content": [content]}]))[0])


def tool_description(tool: Tool | Mapping[str, Any]) -> dict[str, Any]:
    """Name, description and, where it has them, parameters (a JSON schema) of a tool.

    Args:
        tool: one of ours; OpenAI's ``{"type": "function", "function": {...}}``; or the bare function.

    Raises:
        PromptError: it is none of these.
    """
    if isinstance(tool, Tool):
        return {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    given: Any = tool
    if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping):
        given = tool["function"]
    name = given.get("name") if isinstance(given, Mapping) else None
    if not isinstance(name, str) or not name:
        raise PromptError(
            f'The tool {_shown(tool)} cannot be declared: expected {{"type": "function", "function": {{"name": ...}}}}.'
        )
    description, parameters = given.get("description") or "", given.get("parameters")
    if not isinstance(description, str):
        raise PromptError(f"The description of the tool {name!r} is {_shown(description)}: expected a text.")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise PromptError(f"The parameters of the tool {name!r} are {_shown(parameters)}: expected a JSON schema.")
    described: dict[str, Any] = {"name": name, "description": description}
    return described if parameters is None else {**described, "parameters": dict(parameters)}


def _developer(instructions: str, tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "developer_content"}
    if instructions:
        content["instructions"] = instructions
    if tools:
        content["tools"] = {"functions": {"name": "functions", "tools": list(tools)}}
    return content


@lru_cache(maxsize=256)
def _texts(records: str) -> tuple[str, ...]:
    """The bodies that the newest release writes for these messages (JSON: it is the key of the cache).

    Raises:
        PromptError: it raised, or gave no answer.
    """
    with native().worker() as worker:
        # The release takes its own kinds of content too, which the records of a transcript never have.
        messages = cast("list[MessageRecord]", json.loads(records))
        result = worker.render(NEWEST, messages, next_role=None, deadline=5.0 + len(records) * 0.000_1)
    if not result.ok:
        raise PromptError(f"The system and developer messages cannot be written: {' '.join(result.reason.split())}")
    texts: list[str] = []
    begin = 0
    for at, token in enumerate(result.ids):
        if token == MESSAGE:
            begin = at + 1
        elif token == END:
            texts.append(vocabulary().decode(result.ids[begin:at]))
    return tuple(texts)


def _shown(value: object) -> str:
    """A value of someone else's JSON, short enough for a sentence."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
