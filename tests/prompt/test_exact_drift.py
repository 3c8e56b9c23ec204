"""What exactly is reported for the turns that one meets every day."""

from __future__ import annotations

import pytest

from inspector.prompt import STYLES, next_prompt
from inspector.tokens import vocabulary

from .conftest import Reader

OPENAI, OSS, VLLM = STYLES

CALL = '<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd": "ls"}<|call|>'
THINK = "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant"
RESULT = "<|start|>functions.bash to=assistant<|channel|>commentary<|message|>a.txt<|end|><|start|>assistant"

Told = list[tuple[str, str, str]]


def drift(text: str, style: str, read: Reader, role: str | None = "assistant") -> Told:
    ids = vocabulary().encode_markers(text)
    found = next_prompt(read(ids, role), ids, style=style, role=role)
    decode = vocabulary().decode
    return [
        (
            d.cause,
            decode(ids[d.emitted.start : d.emitted.end]),
            decode(found.ids[d.reencoded.start : d.reencoded.end]),
        )
        for d in found.drift
    ]


CASES: list[tuple[str, str, Told]] = [
    (OSS, THINK + CALL, []),
    (
        OPENAI,
        THINK + CALL,
        [("header-order", "", " to=functions.bash"), ("header-order", " to=functions.bash", "")],
    ),
    (
        VLLM,
        THINK + CALL,
        [
            ("header-order", "", " to=functions.bash"),
            ("header-order", " to=functions.bash", ""),
            ("constrain-removed", " <|constrain|>json", " json"),
        ],
    ),
    (
        OSS,
        THINK + CALL + RESULT + "<|channel|>final<|message|>One file.<|return|>",
        [
            ("analysis-dropped", "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant", ""),
            ("tool-result-order", " to=assistant", ""),
            ("tool-result-order", "", " to=assistant"),
            ("terminator-changed", "<|return|>", "<|end|>"),
        ],
    ),
    (
        VLLM,
        THINK + "<|channel|>commentary<|message|>I list.<|end|><|start|>assistant" + CALL,
        [
            ("content-before-reasoning", "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant", ""),
            ("content-before-reasoning", "", "<|start|>assistant<|channel|>analysis<|message|>I look.<|end|>"),
            ("header-order", "", " to=functions.bash"),
            ("header-order", " to=functions.bash", ""),
            ("constrain-removed", " <|constrain|>json", " json"),
        ],
    ),
    (
        VLLM,
        THINK + "<|channel|>analysis<|message|>More.<|end|>",
        [
            # The full stop and the line break are one token when they are written together.
            ("messages-joined", ".<|end|><|start|>assistant<|channel|>analysis<|message|>", ".\n"),
        ],
    ),
    (
        OSS,
        "<|channel|>final<|message|>see <|start|> there<|return|>",
        [
            ("special-text-defused", " <|start|>", " <|start|>"),
            ("terminator-changed", "<|return|>", "<|end|>"),
        ],
    ),
    (
        VLLM,
        '<|channel|>analysis to=bash code<|message|>{"a":1}<|call|>',
        [
            ("header-order", "", " to=functions.bash"),
            ("call-moved-to-commentary", "analysis", "commentary"),
            ("recipient-prefixed", " to=bash", ""),
            ("content-type-forced", " code", " json"),
        ],
    ),
    (
        VLLM,
        '<|channel|>commentary to=functions.f json<|message|>{"a":[1,2]}<|call|>',
        [
            ("header-order", "", " to=functions.f"),
            ("header-order", " to=functions.f", ""),
            ("arguments-reserialised", '":[', '": ['),
            ("arguments-reserialised", "2", " 2"),
        ],
    ),
]


@pytest.mark.parametrize(("style", "text", "expected"), CASES)
def test_turns_of_every_day(style: str, text: str, expected: Told, read: Reader) -> None:
    assert drift(text, style, read) == expected


def test_a_doubled_start_is_poison_not_a_header(read: Reader) -> None:
    """A transcript that continues <|start|>assistant and begins with another one names its recipient so."""
    told = drift("<|start|>assistant<|channel|>final<|message|>Hi.<|end|>", OSS, read)
    assert told[0] == ("poisoned-name", "<|start|>", " to=<|start|>")
    assert {cause for cause, _, _ in told} == {"poisoned-name", "terminator-changed"}


def test_a_call_to_a_builtin_tool_and_its_result_are_gone(read: Reader) -> None:
    call = "<|channel|>commentary to=python<|message|>1+1<|call|><|start|>python to=assistant"
    told = drift(f"{call}<|channel|>commentary<|message|>2<|end|><|start|>assistant{CALL}", VLLM, read)
    assert told[0][0] == "not-representable"
    assert told[0][1].endswith("2<|end|><|start|>assistant")
    assert told[0][2] == ""
