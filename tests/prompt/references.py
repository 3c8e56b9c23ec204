"""The real renderers, and vLLM 0.32's way told a second time on top of the real library: what ours must equal."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from types import ModuleType
from typing import Any

from inspector.harmony.message import Message


def native(library: ModuleType, messages: Sequence[Message], *, drop_analysis: bool = True) -> list[int]:
    """The library's own rendering."""
    encoding = _encoding(library)
    conversation = library.Conversation.from_messages([_native(library, m) for m in messages])
    config = library.RenderConversationConfig(auto_drop_analysis=drop_analysis)
    ids: list[int] = encoding.render_conversation(conversation, config=config)
    return ids


@lru_cache(maxsize=2)
def _encoding(library: ModuleType) -> Any:
    return library.load_harmony_encoding(library.HarmonyEncodingName.HARMONY_GPT_OSS)


def _native(library: ModuleType, m: Message) -> Any:
    return library.Message(
        author=library.Author(role=library.Role(m.role), name=m.name),
        content=[library.TextContent(text=m.content)],
        channel=m.channel,
        recipient=m.recipient,
        content_type=m.content_type,
    )


Chat = dict[str, Any]


def vllm(library: ModuleType, messages: Sequence[Message]) -> list[int]:
    """vLLM 0.32: responses as chat messages, those as Harmony messages, rendered, call headers made legacy."""
    history: list[Message] = []
    names: dict[str, str] = {}
    for chat in chat_messages(messages):
        names |= {call["id"]: call["name"] for call in chat.get("tool_calls", [])}
        history += _harmony(chat, names)
    finals = [i for i, m in enumerate(history) if m.role == "assistant" and m.channel == "final"]
    until = finals[-1] if finals else -1
    history = [m for i, m in enumerate(history) if i >= until or m.channel != "analysis"]
    encoding = _encoding(library)
    ids = native(library, history, drop_analysis=False)
    out: list[int] = []
    for m in _messages_of(ids):
        text = encoding.decode(m[: m.index(200008)])
        head, marked, kind = text.partition(" <|constrain|>")
        if marked and head.startswith("<|start|>assistant<|channel|>"):
            channel, _, recipient = head.removeprefix("<|start|>assistant<|channel|>").partition(" to=")
            header = [
                200006,
                *encoding.encode(f"assistant to={recipient}"),
                200005,
                *encoding.encode(f"{channel} {kind}"),
            ]
            m = header + m[m.index(200008) :]
        out += m
    return out


def _messages_of(ids: list[int]) -> list[list[int]]:
    starts = [i for i, token in enumerate(ids) if token == 200006]
    return [ids[a:b] for a, b in pairwise([*starts, len(ids)])]


def chat_messages(messages: Sequence[Message]) -> list[Chat]:
    """The conversation as a client of the chat completions API holds it."""
    chats: list[Chat] = []
    open_calls: list[Chat] | None = None
    in_response = False
    for number, m in enumerate(messages):
        if m.role == "assistant":
            if not in_response:
                chats.append({"role": "assistant", "reasoning": [], "content": [], "tool_calls": []})
                in_response = True
            _read(m, chats[-1], number)
            continue
        if in_response:
            open_calls = list(chats[-1]["tool_calls"])
            asked = list(open_calls)
            in_response = False
        if m.role != "tool":
            chats.append({"role": m.role, "content": m.content})
            continue
        name = m.name or ""
        if name.split(".")[0] in ("python", "browser", "container"):
            continue
        bare = name[len("functions.") :] if name.startswith("functions.") else name
        if open_calls is None:
            call_id = f"before-{number}"
            chats.append({"role": "assistant", "tool_calls": [{"id": call_id, "name": bare, "arguments": None}]})
        else:
            of_name = [call["id"] for call in asked if call["name"] == bare]
            call_id = of_name[0] if of_name else open_calls[0]["id"] if open_calls else "unknown"
            open_calls = open_calls[1:]
        chats.append({"role": "tool", "content": m.content, "tool_call_id": call_id})
    return chats


def _read(m: Message, chat: Chat, number: int) -> None:
    recipient = m.recipient
    if recipient is not None and "<|constrain|>" in recipient:
        recipient = recipient.split("<|constrain|>")[0].rstrip() or None
    namespace = (recipient or "").split(".")[0]
    if (
        recipient
        and not recipient.startswith("<|")
        and recipient not in ("assistant", "functions.")
        and namespace not in ("python", "browser", "container")
    ):
        arguments = m.content
        if m.content_type is None or "json" in m.content_type:
            with contextlib.suppress(json.JSONDecodeError):
                arguments = json.dumps(json.loads(arguments))
        name = recipient[len("functions.") :] if recipient.startswith("functions.") else recipient
        chat["tool_calls"].append({"id": f"call-{number}", "name": name, "arguments": arguments})
    elif m.channel == "analysis":
        chat["reasoning"] += [m.content] if m.content else []
    elif (m.channel == "final" or (m.channel == "commentary" and recipient is None)) and m.content:
        chat["content"].append(m.content)


def _harmony(chat: Chat, names: dict[str, str]) -> list[Message]:
    if chat["role"] == "tool":
        name = names.get(chat["tool_call_id"], "")
        return [Message("tool", chat["content"], f"functions.{name}", "commentary", "assistant")]
    if chat["role"] != "assistant":
        return [Message(chat["role"], chat["content"])]
    reasoning, content = "\n".join(chat.get("reasoning", [])), "\n".join(chat.get("content", []))
    thought = [Message("assistant", reasoning, channel="analysis")] if reasoning else []
    calls = [
        Message("assistant", call["arguments"], None, "commentary", f"functions.{call['name']}", "json")
        for call in chat["tool_calls"]
        if call["arguments"] is not None  # None: a call in the prompt, before the messages at hand
    ]
    said = [Message("assistant", content, channel="commentary" if calls else "final")] if content else []
    return said + thought + calls if calls else thought + said
