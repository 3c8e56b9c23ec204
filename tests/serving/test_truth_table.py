"""Finish and stop reasons, row by row: what vLLM 0.32 reports for gpt-oss, and what must stay quiet."""

from __future__ import annotations

from typing import Any

import pytest

from inspector.harmony.reader import read as read_tree
from inspector.serving.finish import Finish, judge_finish
from inspector.tokens import CALL, END, ENDOFTEXT, RETURN, Transcript, vocabulary

THINK = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
CALLING = THINK + '<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"a": 1}'
GARBLED = THINK + "<|channel|>commentary to=functions.bash # go <|constrain|>json<|message|>{}"
NO_RECIPIENT = THINK + "<|channel|>bash<|channel|>commentary<|message|>{}"
ANSWER = THINK + "<|channel|>final<|message|>Done."
UNREADABLE = THINK + "<|channel|>final x <|constrain|>a b<|message|>y"
PYTHON = THINK + "<|channel|>analysis to=python code<|message|>print(1)"


def judge(text: str, role: str | None = "assistant", **reported: Any) -> Finish:
    stated = frozenset(reported) & {"finish_reason", "stop_reason"}
    fields = {key: reported[key] for key in reported if key in ("finish_reason", "stop_reason", "origins")}
    meta = {key: value for key, value in reported.items() if key not in fields}
    transcript = Transcript(tuple(vocabulary().encode_markers(text)), role, reported=stated, meta=meta, **fields)
    return judge_finish(transcript, read_tree(transcript).messages)


def names(finish: Finish) -> list[str]:
    return [finding.name for finding in finish.findings]


def both(finish: str | None, stop: str | int | None) -> dict[str, Any]:
    return {"finish_reason": finish, "stop_reason": stop}


ROWS = [
    # text, finish_reason, stop_reason, expected, stop expected, findings
    (ANSWER + "<|return|>", "stop", None, "stop", None, []),
    (ANSWER + "<|return|>", "stop", RETURN, "stop", None, []),
    ("<|channel|>analysis<|message|>Hm.<|return|>", "stop", None, "stop", None, ["no-final-message"]),
    (CALLING + "<|return|>", "tool_calls", None, "tool_calls", None, ["call-ended-by-return"]),
    (UNREADABLE + "<|return|>", "stop", None, "stop", None, ["tokens-lost"]),
    (CALLING + "<|call|>", "tool_calls", CALL, "tool_calls", CALL, []),
    (CALLING + "<|call|>", "stop", CALL, "tool_calls", CALL, []),
    (GARBLED + "<|call|>", "stop", CALL, "tool_calls", CALL, ["lost-call"]),
    (NO_RECIPIENT + "<|call|>", "stop", CALL, "tool_calls", CALL, ["lost-call"]),
    (ANSWER + "<|call|>", "stop", CALL, "tool_calls", CALL, ["lost-call"]),
    (ANSWER + "<|call|>", "tool_calls", CALL, "tool_calls", CALL, ["lost-call", "tool-calls-without-call"]),
    (PYTHON + "<|call|>", "stop", CALL, "tool_calls", CALL, ["builtin-call-on-chat"]),
    (ANSWER + "<|endoftext|>", "stop", ENDOFTEXT, "stop", ENDOFTEXT, ["wrong-terminator"]),
    (CALLING + "<|endoftext|>", "tool_calls", ENDOFTEXT, "stop", ENDOFTEXT, ["wrong-terminator"]),
    (ANSWER + "<|end|>", "stop", END, "stop", END, ["wrong-terminator"]),
    (ANSWER + "<|end|>", "length", None, "length", None, []),
    (ANSWER, "stop", "Done.", "stop", "Done.", []),
    (CALLING[:-3], "tool_calls", '"a', "stop", '"a', ["arguments-cut-by-stop-string"]),
    (CALLING, "tool_calls", "}", "stop", "}", []),
    (ANSWER, "length", None, "length", None, ["truncated-by-length"]),
    (CALLING, "tool_calls", None, "length", None, ["truncated-as-tool-calls"]),
    (CALLING[:-3], "tool_calls", None, "length", None, ["truncated-as-tool-calls"]),
    (CALLING[:-3], "length", None, "length", None, ["truncated-by-length"]),
    (ANSWER, "repetition", "repetition_detected", None, None, ["non-spec-finish-reason"]),
    (ANSWER, "abort", None, None, None, ["non-spec-finish-reason"]),
    (ANSWER + "<|return|>", "length", None, "stop", None, ["finish-mismatch"]),
    (ANSWER, "stop", None, "length", None, ["finish-mismatch"]),
    (ANSWER + "<|return|>", "stop", CALL, "stop", None, ["lost-call", "stop-mismatch"]),
    (CALLING + "<|call|>", "tool_calls", None, "tool_calls", CALL, ["stop-mismatch"]),
    ("<|channel|>final Done.<|return|>", "stop", None, "stop", None, ["raw-output-shown"]),
    # The stop token is not in the text: the reported reason speaks for it.
    (CALLING, "tool_calls", CALL, "tool_calls", CALL, []),
    (GARBLED, "stop", CALL, "tool_calls", CALL, ["lost-call"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "finish", "stop", "expected", "stop_expected", "found"), ROWS)
def test_row(text: str, finish: str, stop: Any, expected: str, stop_expected: Any, found: list[str]) -> None:
    judged = judge(text, **both(finish, stop))
    assert names(judged) == found
    assert (judged.expected, judged.stop_expected) == (expected, stop_expected)
    assert (judged.reported, judged.stop_reported, judged.stop_stated) == (finish, stop, True)


def test_truncated_is_no_terminator_and_no_other_word_for_the_end() -> None:
    assert judge(ANSWER).truncated
    assert not judge(ANSWER + "<|return|>").truncated
    assert not judge(ANSWER, **both("stop", "Done.")).truncated


def test_the_alarm_needs_no_reported_reason() -> None:
    assert names(judge(GARBLED + "<|call|>")) == ["lost-call"]
    assert names(judge(CALLING + "<|call|>")) == []


def test_the_alarm_says_who_would_have_seen_the_call() -> None:
    lost = judge(GARBLED + "<|call|>").findings[0]
    assert "Ollama would make a tool call of it" in lost.note
    assert 'to "functions.bash" is lost' in lost.message
    assert judge(NO_RECIPIENT + "<|call|>").findings[0].note.startswith("No server's reader")


def test_only_the_call_that_ended_the_turn_counts() -> None:
    first = CALLING + "<|end|><|start|>assistant<|channel|>bash<|channel|>commentary<|message|>{}<|call|>"
    assert "lost-call" in names(judge(first))


def test_a_call_that_can_be_read_but_was_not_reported_is_lost_too() -> None:
    text = CALLING + "<|call|>"
    assert names(judge(text, **both("stop", CALL), tool_calls=[])) == ["lost-call"]
    assert names(judge(text, **both("stop", CALL), message={"content": None})) == ["lost-call"]
    assert names(judge(text, **both("stop", CALL), tool_calls=[{"id": "x"}])) == []
    assert names(judge(text, **both("stop", CALL), tool_calls=[], tool_choice="none")) == []
    named = {"type": "function", "function": {"name": "bash"}}
    assert names(judge(text, **both("stop", CALL), tool_calls=[], tool_choice=named)) == []


def test_a_named_tool_choice_is_reported_as_stop() -> None:
    named = {"type": "function", "function": {"name": "bash"}}
    judged = judge(CALLING + "<|call|>", **both("stop", CALL), tool_choice=named)
    assert (judged.expected, names(judged)) == ("stop", [])


def test_a_builtin_call_is_an_error_only_where_a_server_reported() -> None:
    assert judge(PYTHON + "<|call|>").findings[0].severity == "info"
    assert judge(PYTHON + "<|call|>", **both("stop", CALL)).findings[0].severity == "error"


def test_null_in_a_chunk_is_no_reason() -> None:
    judged = judge(ANSWER, **both(None, None))
    assert (judged.expected, judged.truncated, names(judged)) == (None, False, [])


def test_padding_after_the_end_of_the_turn_is_no_terminator() -> None:
    assert names(judge(ANSWER + "<|return|><|endoftext|><|endoftext|>")) == []


@pytest.mark.parametrize(
    "text",
    [
        "<|start|>system<|message|>You.<|end|><|start|>user<|message|>Hi<|end|>",
        "<|start|>user<|message|>Hi<|end|><|start|>assistant",
        "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final<|message|>Yo<|end|>",
        "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>commentary to=functions.f"
        " <|constrain|>json<|message|>{}<|call|><|start|>functions.f to=assistant"
        "<|channel|>commentary<|message|>1<|end|>",
        "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>bash<|message|>{}<|call|>"
        "<|start|>user<|message|>again<|end|>",
    ],
)
def test_prompts_and_histories_are_not_judged(text: str) -> None:
    judged = judge(text, role=None)
    assert (judged.expected, judged.truncated, names(judged)) == (None, False, [])


def test_the_last_turn_of_a_conversation_is_judged() -> None:
    prompt = "<|start|>user<|message|>Hi<|end|><|start|>assistant"
    assert names(judge(prompt + GARBLED + "<|call|>", role=None)) == ["lost-call"]
    assert judge(prompt + ANSWER + "<|return|>", role=None).expected == "stop"
    assert names(judge(prompt + "<|channel|>final<|message|>Yo", role=None)) == ["truncated-by-length"]


def test_a_tool_loop_is_judged_by_its_last_turn() -> None:
    loop = (
        CALLING
        + "<|call|><|start|>functions.bash to=assistant<|channel|>commentary<|message|>ok<|end|>"
        + "<|start|>assistant<|channel|>final<|message|>Done.<|return|>"
    )
    assert names(judge(loop, **both("stop", None))) == []
    assert judge(loop).expected == "stop"


def test_tokens_after_a_call_need_the_model_to_have_made_them() -> None:
    going_on = CALLING + "<|call|><|start|>assistant<|channel|>final<|message|>Done.<|return|>"
    assert "tokens-after-call" in names(judge(going_on))
    made_up = CALLING + "<|call|><|start|>functions.bash to=assistant<|channel|>commentary<|message|>ok<|end|>"
    made_up += "<|start|>assistant<|channel|>final<|message|>Done.<|return|>"
    count = len(vocabulary().encode_markers(made_up))
    call = vocabulary().encode_markers(made_up).index(CALL) + 1
    assert "tokens-after-call" in names(judge(made_up, origins=("sampled",) * count))
    injected = ("sampled",) * call + ("injected",) * (count - call)
    assert "tokens-after-call" not in names(judge(made_up, origins=injected))
    assert "tokens-after-call" not in names(judge(made_up))


def test_the_alarm_comes_first_and_then_the_worst() -> None:
    judged = judge(ANSWER + "<|call|>", **both("abort", ENDOFTEXT))
    assert names(judged)[0] == "lost-call"
    ranks = [finding.severity.rank for finding in judged.findings]
    assert ranks == sorted(ranks, reverse=True)
