"""Our model of a parser that is fed on after errors, against oss-harmony's own StreamableParser."""

from __future__ import annotations

import random
from functools import lru_cache

import openai_harmony as harmony
import pytest

from inspector.harmony.message import Message
from inspector.harmony.verdict import Verdict
from inspector.serving.stream import feed
from inspector.tokens import vocabulary

PIECES = [
    "<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>",
    "assistant", "analysis", "commentary", "final", " to=functions.bash", " json", "{}", "hello", " ", "\n",
    "user", "tool", "functions.f to=assistant", " to=", "<|endoftext|>", " # We'll", "<|end|><|start|>assistant",
    "<|channel|>analysis<|message|>x<|end|>", "<|channel|>final<|message|>y", "\u3000", "\x1f", "\x0b", "é",
]  # fmt: skip


@lru_cache(maxsize=1)
def encoding() -> harmony.HarmonyEncoding:
    return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


def native(ids: list[int], role: str | None) -> tuple[list[tuple[object, ...]], list[int], list[int] | None]:
    parser = harmony.StreamableParser(encoding(), role=harmony.Role.ASSISTANT if role else None)
    dropped: list[int] = []
    since: list[int] = []
    done = 0
    for index, token in enumerate(ids):
        try:
            parser.process(token)
        except harmony.HarmonyError:
            dropped.append(index)
            continue
        if len(parser.messages) > done:
            done, since = done + 1, []
        else:
            since.append(token)
    tail = None
    try:
        parser.process_eos()
    except harmony.HarmonyError:
        tail = since
    messages = [
        (m.author.role.value, m.author.name, m.channel, m.recipient, m.content_type, m.content[0].text)
        for m in parser.messages
    ]
    return messages, dropped, tail


def fields(message: Message) -> tuple[object, ...]:
    return (
        message.role,
        message.name,
        message.channel,
        message.recipient,
        message.content_type,
        message.content,
    )


def random_ids(source: random.Random) -> list[int]:
    ids = vocabulary().encode_markers("".join(source.choice(PIECES) for _ in range(source.randrange(14))))
    if source.random() < 0.1:
        ids.insert(source.randrange(len(ids) + 1), source.choice([162, 201088, 201089, 250, 2**31]))
    return ids


@pytest.mark.differential
@pytest.mark.parametrize("seed", range(4))
def test_fed_on_after_errors_as_the_library_is(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(400):
        ids, role = random_ids(source), source.choice(["assistant", None])
        fed = feed(ids, role)
        assert ([fields(m) for m in fed.messages], fed.dropped, fed.tail) == native(ids, role), ids


def test_a_known_verdict_spares_the_reading_but_changes_nothing() -> None:
    from inspector.harmony.verdict import StrictError
    from inspector.tokens import Span

    source = random.Random(7)
    for _ in range(500):
        ids, role = random_ids(source), source.choice(["assistant", None])
        whole = feed(ids, role)
        first = whole.errors[0] if whole.errors else None
        before = tuple(m for m in whole.messages if first is None or m.end <= first[0])
        error = StrictError(first[1], first[0], Span(first[0], first[0]), "") if first else None
        verdict = Verdict("oss-harmony 0.0.11", "strict", before, error)
        spared = feed(ids, role, verdict=verdict)
        assert (spared.messages, spared.dropped if first else []) == (whole.messages, whole.dropped)
        assert spared.tail == whole.tail
