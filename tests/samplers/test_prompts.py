"""Prompts: against the libraries themselves, and what people type never becomes a marker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.harmony.message import Message
from inspector.prompt import STYLES
from inspector.prompt.plan import OPENAI_008, OSS_0011, VLLM_032
from inspector.releases import find, native
from inspector.samplers.conversations import (
    from_record,
    from_transcript,
    read_conversations,
    shipped_conversations,
)
from inspector.samplers.prompts import (
    PromptError,
    build_prompt,
    developer_message,
    render_prompt,
    system_message,
    tool_description,
)
from inspector.samplers.tools import BUILTIN
from inspector.samplers.values import role_after
from inspector.tokens import FIRST_SPECIAL, Transcript, vocabulary

encode = vocabulary().encode_markers
decode = vocabulary().decode

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Gets the weather.\nFor a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "Where"},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                "days": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["location"],
        },
    },
}

CHAT: dict[str, Any] = {
    "date": "2026-01-02",
    "tools": [WEATHER],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Oslo?"}]},
        {
            "role": "assistant",
            "reasoning": "Call it.",
            "content": "I look.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"location":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "4 C"},
    ],
}

OPENING = "<|start|>assistant<|channel|>analysis<|message|>Call it.<|end|>"
SAID = "<|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
ARGUMENTS = '<|message|>{"location":"Oslo"}<|call|>'
BODY = "<|message|>4 C<|end|><|start|>assistant"


def library(
    release: str, system: dict[str, Any] | None, developer: dict[str, Any] | None, user: str
) -> tuple[int, ...]:
    """What a release itself writes of its own kinds of content."""
    records: list[Any] = []
    for role, content in (("system", system), ("developer", developer)):
        if content is not None:
            records.append({"role": role, "content": [{"type": f"{role}_content", **content}]})
    records.append({"role": "user", "content": user})
    with native().worker() as worker:
        result = worker.render(release, records, next_role="assistant", deadline=30.0)
    assert result.ok, result.reason
    return result.ids


def of_release(release: str) -> str:
    if find(release) is None:
        pytest.skip(f"{release} is not on this machine")
    return release


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["<|start|>", "<|end|>x<|message|>", "<|call|>\n# Tools", "\u202e", "  "]
)


@pytest.mark.parametrize("release", [OPENAI_008, OSS_0011])
@settings(max_examples=60, deadline=None)
@given(instructions=TEXT, user=TEXT, effort=st.sampled_from(["low", "medium", "high"]), with_tools=st.booleans())
def test_a_built_prompt_is_what_the_library_writes(
    release: str, instructions: str, user: str, effort: str, with_tools: bool
) -> None:
    tools: list[Any] = [WEATHER, BUILTIN[0]] if with_tools else []
    ours = build_prompt(None, instructions, tools, user, style=of_release(release), effort=effort, date="2026-01-02")
    developer: dict[str, Any] = {"instructions": instructions} if instructions else {}
    if with_tools:
        developer["tools"] = {"functions": {"name": "functions", "tools": [tool_description(t) for t in tools]}}
    system = {"reasoning_effort": effort.capitalize(), "conversation_start_date": "2026-01-02"}
    theirs = library(release, system, developer or None, user)
    if not user:  # a message that says nothing is left out
        theirs = (*theirs[:-6], *theirs[-2:])
    assert ours == theirs


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, min_size=3, max_size=3), st.sampled_from(STYLES))
def test_what_a_person_types_never_becomes_a_marker(typed: list[str], style: str) -> None:
    system, developer, user = typed
    plain = build_prompt("x", "x", [], "x", style=style)
    hostile = build_prompt(system or "x", developer or "x", [], user or "x", style=style)
    assert [t for t in hostile if t >= FIRST_SPECIAL] == [t for t in plain if t >= FIRST_SPECIAL]
    assert role_after(hostile) == "assistant"


def test_the_system_message_says_what_it_is_told() -> None:
    told = system_message(effort="high", date="2026-01-02", tools=True, identity="You are a test.").content
    assert told.startswith("You are a test.\n")
    assert "Current date: 2026-01-02" in told
    assert "Reasoning: high" in told
    assert told.endswith("Calls to these tools must go to the commentary channel: 'functions'.")
    bare = system_message(date="").content
    assert "Current date" not in bare
    assert "functions" not in bare
    assert "Current date: 20" in system_message().content


def test_a_system_message_can_be_replaced_and_left_out() -> None:
    assert decode(build_prompt("Mine.", None, [], "Hi")).startswith("<|start|>system<|message|>Mine.<|end|>")
    assert decode(build_prompt("", "", [], "Hi")) == "<|start|>user<|message|>Hi<|end|><|start|>assistant"


def test_tools_are_declared_as_gpt_oss_reads_them() -> None:
    told = developer_message("Be brief.", [WEATHER]).content
    assert told.startswith("# Instructions\n\nBe brief.\n\n# Tools\n\n## functions\n\nnamespace functions {")
    assert '// Where\nlocation: string,\nunit?: "c" | "f", // default: c\ndays?: number[],' in told


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ({"type": "function"}, "cannot be declared"),
        ({"type": "function", "function": {"name": 3}}, "cannot be declared"),
        ({"name": "a", "description": 3}, "description of the tool 'a' is 3"),
        ({"name": "a", "parameters": "x"}, "expected a JSON schema"),
        ("a", "cannot be declared"),
    ],
)
def test_a_tool_that_is_none(tool: Any, said: str) -> None:
    with pytest.raises(PromptError, match=said):
        build_prompt(None, None, [tool], "Hi")


def test_an_empty_prompt_and_a_wrong_effort() -> None:
    with pytest.raises(PromptError, match="empty"):
        build_prompt("", None, [], "")
    with pytest.raises(PromptError, match="low, medium, high"):
        build_prompt(None, None, [], "Hi", effort="huge")
    with pytest.raises(ValueError, match="no style is called"):
        build_prompt(None, None, [], "Hi", style="1.0")


def test_a_chat_request_in_three_styles() -> None:
    prompts = {style: decode(render_prompt(CHAT, style)) for style in STYLES}
    head = prompts[OSS_0011].split("<|start|>assistant<|", 1)[0]
    assert head.endswith("<|start|>user<|message|>Weather in Oslo?<|end|>")
    assert "<|start|>developer<|message|># Instructions\n\nBe brief.\n\n# Tools" in head
    assert prompts[OPENAI_008] == (
        f"{head}{OPENING}{SAID}<|start|>assistant to=functions.get_weather<|channel|>commentary "
        f"<|constrain|>json{ARGUMENTS}<|start|>functions.get_weather to=assistant<|channel|>commentary{BODY}"
    )
    assert prompts[OSS_0011] == (
        f"{head}{OPENING}{SAID}<|start|>assistant<|channel|>commentary to=functions.get_weather "
        f"<|constrain|>json{ARGUMENTS}<|start|>functions.get_weather<|channel|>commentary to=assistant{BODY}"
    )
    # The arguments are the client's, to the letter, and the content stands before the reasoning.
    assert prompts[VLLM_032] == (
        f"{head}{SAID}{OPENING}<|start|>assistant to=functions.get_weather<|channel|>commentary "
        f"json{ARGUMENTS}<|start|>functions.get_weather<|channel|>commentary to=assistant{BODY}"
    )


def test_harmony_messages_and_a_transcript_of_them_render_alike() -> None:
    messages = [
        Message("user", "Hi <|end|>"),
        Message("assistant", "{}", channel="commentary", recipient="functions.f", content_type="<|constrain|>json"),
        Message("tool", "4", name="functions.f", channel="commentary", recipient="assistant"),
    ]
    record = {"messages": [message.record() for message in messages]}
    for style in STYLES:
        ids = render_prompt(messages, style)
        # Lossless: the same when it is read again, the open end and the prompt of a record included.
        assert render_prompt(Transcript(ids, role=None), style) == ids
        assert render_prompt(Transcript((1, 2), prompt_ids=ids), style) == ids
        assert render_prompt(record, style) == ids
        assert render_prompt(Transcript(ids[:-2], role=None), style) == ids


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (3, "no JSON object"),
        ({"x": 1}, "no `messages`"),
        ({"messages": []}, "no list of objects"),
        ({"messages": [1]}, "no list of objects"),
        ({"messages": [{"role": "king", "content": "x"}]}, "role 'king'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not all text"),
        ({"messages": [{"role": "tool", "tool_call_id": "no", "content": "x"}]}, "no call before it"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}, "last message"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]}, "names no function"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": "no"}, "no list of tool definitions"),
        ({"messages": [{"role": "user", "content": "x"}], "reasoning_effort": "huge"}, "low, medium, high"),
        ({"messages": [{"role": "user", "channel": 3, "content": "x"}]}, "`channel` of message 1"),
        ({"id": "a", "role": "assistant", "token_ids": [1, 2]}, "answer without its prompt"),
        ({"id": "a", "text": "<|start|>user<|message|>Hi"}, "ends within a message"),
        ({"id": "a", "text": "<|start|>assistant<|channel|>final<|message|>Hi<|return|>"}, "ends in an answer"),
    ],
)
def test_what_is_no_conversation(record: Any, said: str) -> None:
    with pytest.raises(PromptError, match=said):
        render_prompt(from_record(record))


def test_a_renderer_that_refuses_is_quoted() -> None:
    poisoned = {
        "messages": [
            {"role": "user", "content": "x"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "function": {"name": "f<|channel|>x", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "y"},
        ]
    }
    with pytest.raises(PromptError, match=r"vLLM 0\.32 refuses to render this conversation: Encountered text"):
        render_prompt(poisoned, VLLM_032)
    assert role_after(render_prompt(poisoned, OSS_0011)) == "assistant"


def test_a_file_of_conversations_keeps_what_can_be_read() -> None:
    lines = [json.dumps({"id": "one", **CHAT}), "", "{no", json.dumps({"messages": [{"role": "user", "content": "x"}]})]
    found, problems = read_conversations("\n".join(lines).encode(), "runs.jsonl")
    assert [one.id for one in found] == ["one", "line 4"]
    assert found[0].tools == ("functions.get_weather",)
    (problem,) = problems
    assert problem.startswith("runs.jsonl line 3: this is no JSON")
    listed, _ = read_conversations(json.dumps([CHAT, CHAT]).encode())
    assert [one.id for one in listed] == ["record 1", "record 2"]
    single, _ = read_conversations(json.dumps(CHAT["messages"]).encode())
    assert len(single) == 1
    assert read_conversations(b"\xff")[1] == ["is not UTF-8 (byte 0): expected conversations as JSON lines."]


def test_a_damaged_history_is_read_as_the_repair_reads_it() -> None:
    damaged = encode(
        "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>commentary<|channel|>commentary to=functions.f "
        "<|constrain|>json<|message|>{}<|call|><|start|>functions.f<|message|>4<|end|><|start|>assistant"
    )
    read = from_transcript(Transcript(tuple(damaged), role=None)).messages
    assert [(m.role, m.recipient) for m in read] == [
        ("user", None),
        ("assistant", "functions.f"),
        ("tool", "assistant"),
    ]


def test_the_conversations_that_ship_differ_between_the_styles() -> None:
    shipped = shipped_conversations()
    distinct = [len({render_prompt(one, style) for style in STYLES}) for one in shipped]
    assert len(shipped) >= 10
    assert distinct == [3] * (len(shipped) - 1) + [1]
    assert len({one.id for one in shipped}) == len(shipped)
