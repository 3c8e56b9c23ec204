"""The alignment: it rebuilds both sides, names every difference, and finds none where there is none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from inspector.harmony.message import Message
from inspector.harmony.strict import strict_parse
from inspector.harmony.verdict import Dialect
from inspector.prompt import CAUSES, STYLES, NextPrompt, next_prompt, render
from inspector.tokens import START, vocabulary

from .conftest import Reader
from .transcripts import broken, healthy

OPENAI, OSS, VLLM = STYLES


def check_rebuilds(emitted: Sequence[int], found: NextPrompt) -> None:
    """Equal stretches and differences, in turn, are both sequences."""
    e = r = 0
    for drift in found.drift:
        assert drift.emitted.start - e == drift.reencoded.start - r >= 0
        assert list(emitted[e : drift.emitted.start]) == list(found.ids[r : drift.reencoded.start])
        assert len(drift.emitted) + len(drift.reencoded) > 0
        assert list(emitted[drift.emitted.start : drift.emitted.end]) != list(
            found.ids[drift.reencoded.start : drift.reencoded.end]
        )
        assert drift.code == CAUSES[drift.cause].code
        e, r = drift.emitted.end, drift.reencoded.end
    assert list(emitted[e:]) == list(found.ids[r:])
    for a, b in pairwise(found.drift):
        touching = a.emitted.end == b.emitted.start and a.reencoded.end == b.reencoded.start
        assert not (touching and a.cause == b.cause)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("role", ["assistant", None])
def test_healthy_transcripts_rebuild_and_no_difference_is_other(style: str, role: str | None, read: Reader) -> None:
    seen: set[str] = set()
    for seed in range(400):
        emitted = healthy(random.Random(seed), role=role)
        messages = read(emitted, role)
        found = next_prompt(messages, emitted, style=style, role=role)
        assert found.error is None
        assert found.ids == tuple(render(messages, style, role=role))
        check_rebuilds(emitted, found)
        assert messages[-1].end == len(emitted)
        assert not {drift.cause for drift in found.drift} & {"other", "message-lost", "header-completed"}, emitted
        seen |= {drift.cause for drift in found.drift}
    assert len(seen) >= (16 if style == VLLM else 5), seen


@pytest.mark.parametrize("style", STYLES)
def test_broken_transcripts_rebuild(style: str, read: Reader) -> None:
    for seed in range(600):
        rng = random.Random(seed)
        emitted, role = broken(rng), rng.choice((None, "assistant"))
        found = next_prompt(read(emitted, role), emitted, style=style, role=role)
        if found.error is None:
            check_rebuilds(emitted, found)
            assert "other" not in {drift.cause for drift in found.drift}, emitted


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("role", ["assistant", None])
def test_a_prompt_of_this_style_returns_as_it_is(style: str, role: str | None, read: Reader) -> None:
    """What a style has written, it writes again: the next prompt of its prompt has no difference."""
    for seed in range(300):
        emitted: Sequence[int] = healthy(random.Random(1000 + seed), role=role)
        # vLLM needs two rounds more: what it loses first lets neighbours join, and what was code is JSON then.
        for _ in range(3 if style == VLLM else 1):
            emitted = next_prompt(read(emitted, role), emitted, style=style, role=role).ids
            if role is not None and emitted[:1] == (START,):
                break  # the messages that continued the prompt are gone, so this continues nothing
        else:
            again = next_prompt(read(emitted, role), emitted, style=style, role=role)
            assert again.ids == emitted
            assert again.drift == ()


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("strict", [True, False])
def test_the_readings_of_our_own_model_align_as_well(dialect: Dialect, strict: bool) -> None:
    for seed in range(300):
        rng = random.Random(seed)
        role = rng.choice((None, "assistant"))
        emitted = healthy(rng, role=role) if seed % 2 else broken(rng)
        verdict = strict_parse(emitted, role, dialect, strict=strict)
        for style in STYLES:
            found = next_prompt(verdict.messages, emitted, style=style, role=role)
            if found.error is None:
                check_rebuilds(emitted, found)
                assert "other" not in {drift.cause for drift in found.drift}, emitted


def test_messages_that_say_something_else_are_aligned_all_the_same(read: Reader) -> None:
    for seed in range(200):
        rng = random.Random(seed)
        emitted = healthy(rng)
        messages = [
            replace(m, content=m.content[::2] + "!", channel=rng.choice((m.channel, "final", None)))
            for m in read(emitted, "assistant")
        ]
        for style in STYLES:
            check_rebuilds(emitted, next_prompt(messages, emitted, style=style))


def test_messages_without_a_place_are_new(read: Reader) -> None:
    emitted = vocabulary().encode_markers("<|channel|>analysis<|message|>Hm.<|end|>")
    (here,) = read(emitted, "assistant")
    new = Message("assistant", "Hi.", channel="commentary")
    for messages in ([here, new], [new, here]):
        found = next_prompt(messages, emitted, style=OSS)
        assert [drift.cause for drift in found.drift] == ["other"]


def test_a_move_keeps_the_heavier_message(read: Reader) -> None:
    call = "<|start|>assistant<|channel|>commentary to=functions.ls<|message|>{}<|call|>"
    for reasoning, content in (("long " * 50, "short"), ("short", "long " * 50)):
        text = f"<|channel|>analysis<|message|>{reasoning}<|end|><|start|>assistant<|channel|>commentary<|message|>"
        emitted = vocabulary().encode_markers(f"{text}{content}<|end|>{call}")
        found = next_prompt(read(emitted, "assistant"), emitted, style=VLLM)
        moved = [d for d in found.drift if d.cause == "content-before-reasoning"]
        assert 0 < sum(len(d.emitted) for d in moved) < 12
        check_rebuilds(emitted, found)


def test_places_that_do_not_fit_are_refused() -> None:
    message = Message("assistant", "x", start=0, end=9, body_start=2, body_end=8)
    with pytest.raises(ValueError, match=r"message 0 is said to stand at 0\.\.9.*transcript of 5 tokens"):
        next_prompt([message], [1, 2, 3, 4, 5])
    later = replace(message, start=3, body_start=3, body_end=4, end=5)
    earlier = replace(message, start=0, body_start=1, body_end=2, end=2)
    with pytest.raises(ValueError, match="message 1"):
        next_prompt([later, earlier], [1, 2, 3, 4, 5])


def test_poisoned_history_is_found_in_every_style(read: Reader) -> None:
    text = "<|channel|>commentary to=functions.ls<|call|><|start|>assistant<|channel|>final<|message|>Done.<|return|>"
    emitted = vocabulary().encode_markers(text)
    messages = read(emitted, "assistant")
    for style in STYLES:
        found = next_prompt(messages, emitted, style=style)
        (poison,) = found.poisoned
        assert (poison.message, poison.field, poison.text) == (0, "recipient", "<|call|>")
        assert (poison.span.start, poison.span.end) == (0, messages[0].body_start)
        assert (found.error is not None) == (style == VLLM)
        assert "poisoned-name" in {drift.cause for drift in found.drift}


def test_sentences_hold_no_character_that_acts(read: Reader) -> None:
    """What a transcript says is quoted without control, bidirectional or invisible characters."""
    emitted = vocabulary().encode_markers("<|channel|>final<|message|>a\u202eb\x1b[31m\u200b<|channel|>\x07<|end|>")
    emitted[-2:-2] = [127]
    for drift in next_prompt(read(emitted, "assistant"), emitted).drift:
        assert drift.message.isprintable()
