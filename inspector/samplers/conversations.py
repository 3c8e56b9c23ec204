"""Conversations that a model is to continue: chat requests, Harmony messages, or transcripts of whole conversations.

Each becomes Harmony messages, which :mod:`inspector.samplers.prompts` renders. In a file, one JSON object a line:

* a chat request: ``{"id": ..., "messages": [...], "tools": [...], "reasoning_effort": "low", "date": "2026-01-31"}``,
  messages and tools as the OpenAI API takes them, ``reasoning`` of assistant messages included;
* Harmony messages: the same, its messages with a ``channel`` (and ``recipient``, ``content_type``, ``name``);
* a transcript record, of which the prompt is the conversation (``prompt_token_ids``, or ``token_ids`` where it has
  none and is a whole conversation).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..harmony.message import ROLES, Message
from ..harmony.reader import read as read_tree
from ..ingest import read as read_transcripts
from ..tokens import STOPS, Transcript
from .preamble import PromptError, developer_message, opening, tool_description
from .values import role_after

_FUNCTIONS: Final = "functions."
_INSTRUCTIONS: Final = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages up to the place where the assistant goes on.

    Attributes:
        messages: in order; the system message is the first where there is one.
        id: what its source calls it.
        tools: names of the declared tools, "functions.bash".
        is_chat: whether it came as a chat request: vLLM renders what a client sends a little other than what it reads
            from its own model's answer.
        place: where it stands in its file, "line 3", "" where it came from none.
    """

    messages: tuple[Message, ...]
    id: str = ""
    tools: tuple[str, ...] = ()
    is_chat: bool = False
    place: str = ""


def as_conversation(
    source: Conversation | Sequence[Message] | Transcript | Mapping[str, Any],
) -> Conversation:
    """Whatever it is, as a conversation.

    Raises:
        PromptError: nothing that an assistant could continue.
    """
    if isinstance(source, Conversation):
        return source
    if isinstance(source, Transcript):
        return from_transcript(source)
    if isinstance(source, Mapping):
        return from_record(source)
    return Conversation(tuple(source))


def read_conversations(data: bytes, name: str = "") -> tuple[list[Conversation], list[str]]:
    """The conversations of a file (JSON lines, or one JSON document), and a sentence for each that cannot be used.

    Args:
        data: UTF-8.
        name: of the file, for the sentences.
    """
    found: list[Conversation] = []
    problems: list[str] = []
    begin = f"{name} " if name else ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [f"{begin}is not UTF-8 (byte {error.start}): expected conversations as JSON lines."]
    for where, record in _objects(text):
        try:
            if isinstance(record, str):
                raise PromptError(record)
            one = from_record(record)
        except PromptError as error:
            problems.append(f"{begin}{where}: {error}")
        else:
            found.append(replace(one, id=one.id or where, place=where))
    return found, problems


def _objects(text: str) -> list[tuple[str, Any]]:
    """Every record with its place; a sentence instead of a record where there is no JSON."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, list) and not _are_messages(whole):
        return [(f"record {number}", record) for number, record in enumerate(whole, 1)]
    if whole is not None:
        return [("record 1", whole)]
    lines: list[tuple[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            value = f"this is no JSON ({error}); expected a chat request or a transcript record."
        lines.append((f"line {number}", value))
    return lines


def _are_messages(value: Sequence[Any]) -> bool:
    return bool(value) and all(isinstance(entry, Mapping) and "role" in entry for entry in value)


def from_record(record: Mapping[str, Any] | Sequence[Any]) -> Conversation:
    """A chat request, Harmony messages or a transcript record, from JSON.

    Raises:
        PromptError: it is none of them, or a field is not what it should be.
    """
    if isinstance(record, Sequence) and not isinstance(record, str | bytes):
        record = {"messages": record}
    if not isinstance(record, Mapping):
        raise PromptError("this is no JSON object; expected a chat request or a transcript record.")
    messages = record.get("messages")
    if messages is None:
        loaded = read_transcripts(json.dumps(record), format="records")
        if not loaded.transcripts:
            why = "; ".join(problem.sentence for problem in loaded.problems)
            raise PromptError(f"it has no `messages` and is no transcript record ({why}).")
        return from_transcript(loaded.transcripts[0])
    if not isinstance(messages, list) or not _are_messages(messages):
        raise PromptError("`messages` is no list of objects with a `role`.")
    id = str(record.get("id") or "")
    tools = record.get("tools") or []
    if not isinstance(tools, list):
        raise PromptError("`tools` is no list of tool definitions.")
    described = [tool_description(tool) for tool in tools]
    names = tuple(f"{_FUNCTIONS}{tool['name']}" for tool in described)
    if any("channel" in message for message in messages):
        return Conversation(tuple(_harmony(m, at) for at, m in enumerate(messages, 1)), id, names)
    effort, date = record.get("reasoning_effort") or "medium", record.get("date")
    if not isinstance(effort, str) or not (date is None or isinstance(date, str)):
        raise PromptError("`reasoning_effort` and `date` are texts where they are given.")
    return Conversation(tuple(_chat(messages, described, effort, date)), id, names, is_chat=True)


def from_transcript(transcript: Transcript) -> Conversation:
    """The conversation of a transcript: its prompt, or all of it when it has none and begins with ``<|start|>``.

    Damaged messages are read as the repair reads them.

    Raises:
        PromptError: it is an answer without its prompt, ends within a message, or has been answered already.
    """
    ids = transcript.prompt_ids or (transcript.ids if transcript.role is None else ())
    if not ids:
        raise PromptError("this is an answer without its prompt: the record has no `prompt_token_ids`.")
    messages = read_tree(Transcript(tuple(ids), role=None)).messages
    if not messages:
        raise PromptError("there is no message in it.")
    if role_after(ids) != "assistant":
        if ids[-1] not in STOPS:
            raise PromptError("it ends within a message; expected `<|start|>assistant`, or a message's end.")
        if messages[-1].role == "assistant" and messages[-1].recipient is None:
            raise PromptError("it ends in an answer: cut it where the assistant is to go on.")
    return Conversation(tuple(messages), transcript.id, transcript.tools)


def _harmony(record: Mapping[str, Any], at: int) -> Message:
    fields: dict[str, Any] = {name: record.get(name) for name in ("name", "channel", "recipient", "content_type")}
    wrong = next((name for name, value in fields.items() if not (value is None or isinstance(value, str))), None)
    if wrong is not None:
        raise PromptError(f"`{wrong}` of message {at} is no text.")
    if record["role"] not in ROLES:
        raise PromptError(f"message {at} has the role {record['role']!r}: expected one of {', '.join(ROLES)}.")
    return Message(record["role"], _text(record.get("content"), at), **fields)


def _chat(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], effort: str, date: str | None
) -> list[Message]:
    """A chat request as Harmony messages, as vLLM and the library's own examples turn it.

    What the first message says as system or developer goes into the developer message, with the tools; the Harmony
    system message is gpt-oss's own.
    """
    first = messages[0]
    leads = first["role"] in _INSTRUCTIONS
    turned = opening(_text(first.get("content"), 1) if leads else None, tools, effort=effort, date=date)
    names: dict[str, str] = {}
    for at, message in enumerate(messages[leads:], 1 + leads):
        role, content = message["role"], _text(message.get("content"), at)
        if role == "assistant":
            turned += _assistant(message, content, at, names)
        elif role == "tool":
            name = names.get(str(message.get("tool_call_id"))) or message.get("name")
            if not isinstance(name, str) or not name:
                raise PromptError(f"message {at} is a tool's, and its `tool_call_id` is that of no call before it.")
            called = name if name.startswith(_FUNCTIONS) else _FUNCTIONS + name
            turned.append(Message("tool", content, name=called, channel="commentary", recipient="assistant"))
        elif role in _INSTRUCTIONS:
            turned.append(developer_message(content))
        elif role == "user":
            turned.append(Message("user", content))
        else:
            raise PromptError(f"message {at} has the role {role!r}: expected one of {', '.join(ROLES)}.")
    if turned[-1].role == "assistant" and turned[-1].recipient is None:
        raise PromptError("the last message is the assistant's: expected the user's or a tool's.")
    return turned


def _assistant(message: Mapping[str, Any], content: str, at: int, names: dict[str, str]) -> list[Message]:
    """Reasoning, content and calls; the names of the calls go into ``names``, by their ids."""
    reasoning = message.get("reasoning") or message.get("reasoning_content") or ""
    calls = message.get("tool_calls") or []
    if not isinstance(reasoning, str) or not isinstance(calls, list):
        raise PromptError(f"message {at}: `reasoning` is a text and `tool_calls` a list where they are given.")
    turned = [Message("assistant", reasoning, channel="analysis")] if reasoning else []
    if content:
        turned.append(Message("assistant", content, channel="commentary" if calls else "final"))
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if function is None or not isinstance(name, str) or not name:
            raise PromptError(f"a tool call of message {at} names no function.")
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            # Clients of chat templates keep them as objects.
            arguments = json.dumps(arguments, ensure_ascii=False)
        names[str(call.get("id"))] = name
        turned.append(
            Message(
                "assistant",
                arguments,
                channel="commentary",
                recipient=_FUNCTIONS + name,
                content_type="<|constrain|>json",
            )
        )
    return turned


def _text(content: Any, at: int) -> str:
    """The content of a message: a text, or a list of text parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part if isinstance(part, str) else part.get("text") if isinstance(part, Mapping) else None
             for part in parts]  # fmt: skip
    if not all(isinstance(text, str) for text in texts):
        raise PromptError(f"the content of message {at} is not all text: gpt-oss reads nothing else.")
    return "".join(str(text) for text in texts)


def shipped_conversations() -> list[Conversation]:
    """The conversations that ship: short ones, nearly all with tool calls in their history."""
    found, problems = read_conversations(Path(__file__).with_name("conversations.jsonl").read_bytes())
    assert not problems, problems
    return found
