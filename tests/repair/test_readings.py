"""Contested findings: each reading is one choice away, and a switch switches."""

from __future__ import annotations

from inspector import Inspection, Transcript, inspect
from inspector.tokens import vocabulary


def look(text: str, tools: tuple[str, ...] = (), **options: object) -> Inspection:
    return inspect(Transcript(tuple(vocabulary().encode_markers(text)), tools=tools), **options)  # type: ignore[arg-type]


def key(found: Inspection, name: str) -> str:
    return next(d.key for d in found.diagnostics if d.name == name)


TWO = "<|channel|>analysis<|channel|>commentary<|message|>I will look.<|end|>"


def test_the_first_of_two_channels_wins_and_the_last_is_one_choice_away() -> None:
    found = look(TWO)
    assert found.repair.messages[0].channel == "analysis"
    contested = found.diagnostics[0]
    assert "shown" in contested.note
    assert "llama.cpp" in contested.alternatives[0].title
    other = look(TWO, choices={contested.key: 1})
    assert other.repair.messages[0].channel == "commentary"
    assert other.repair.ok


def test_a_fix_that_is_off_leaves_the_tokens_alone() -> None:
    found = look(TWO)
    off = look(TWO, off=[found.diagnostics[0].key])
    assert off.repair.edits == ()
    assert off.repair.ids == off.transcript.ids
    assert look(TWO, off=["HS201"]).repair.edits == ()
    assert look(TWO, off=["duplicate-channel"]).repair.edits == ()


def test_fixes_in_one_header_are_switched_apart() -> None:
    text = "<|channel|>commentary<|channel|>bash<|channel|>commentary<|message|>{}<|call|>"
    both = look(text)
    assert both.repair.messages[0].recipient == "functions.bash"
    assert len(both.repair.edits) == 2
    one = look(text, off=["HS202"])
    assert one.repair.applied == (key(both, "duplicate-channel"),)


def test_a_word_in_a_channel_slot_may_be_dropped_as_oss_harmony_does() -> None:
    text = "<|channel|>commentary<|channel|>bash<|message|>{}<|call|>"
    found = look(text, choices={key(look(text), "tool-in-channel-slot"): 1})
    assert found.repair.messages[0].recipient is None


def test_a_name_is_inferred_only_on_request_and_only_where_there_is_one_tool() -> None:
    text = '<|channel|>commentary<|message|>{"path":"a"}<|call|>'
    found = look(text, tools=("functions.read",))
    assert found.repair.messages[0].recipient is None
    inferred = look(text, tools=("functions.read",), choices={key(found, "call-without-recipient"): 1})
    assert inferred.repair.messages[0].recipient == "functions.read"
    several = look(text, tools=("functions.read", "functions.write"))
    assert next(d for d in several.diagnostics if d.name == "call-without-recipient").alternatives == ()


def test_a_declared_tool_settles_a_name() -> None:
    text = '<|channel|>commentary to=function.read json<|message|>{"path":"a"}<|call|>'
    found = look(text, tools=("functions.read",))
    assert found.repair.messages[0].recipient == "function.read"
    settled = look(text, tools=("functions.read",), choices={key(found, "undeclared-tool"): 1})
    assert settled.repair.messages[0].recipient == "functions.read"


def test_declarations_in_a_developer_message_count() -> None:
    text = (
        "<|start|>developer<|message|># Tools\n\nnamespace web {\n\n"
        "type fetch = (_: {url: string}) => any;\n\n} // namespace web"
        '<|end|><|start|>assistant<|channel|>commentary<|channel|>fetch<|message|>{"url":"x"}<|call|>'
    )
    found = inspect(text)
    assert found.repair.messages[-1].recipient == "web.fetch"


def test_a_marker_in_arguments_may_be_the_end_after_all() -> None:
    text = '<|channel|>commentary to=functions.note json<|message|>{"text":"the <|end|> marker"}<|call|>'
    found = look(text)
    assert found.repair.messages[0].content == '{"text":"the <|end|> marker"}'
    cut = look(text, choices={key(found, "terminator-in-json"): 1})
    assert cut.repair.messages[0].content == '{"text":"the '
    assert cut.repair.ok


def test_prose_is_left_alone() -> None:
    for text in (
        "analysis of the log shows three errors, and the final count is four.",
        "The word assistantfinal appears in broken outputs.",
        "Use <|channel|> to open a channel.",
    ):
        found = inspect(Transcript(tuple(vocabulary().encode(text))))
        assert [m.content for m in found.repair.messages] == [text]
        assert {d.name for d in found.diagnostics if d.fix and d.fix.edits} == {"missing-message"}
