"""Drift against the original: outside of it, what was emitted and the next prompt are equal token for token."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import Transcript, inspect
from inspector.prompt import STYLES
from inspector.tokens import vocabulary

PIECES = [
    "<|channel|>commentary",
    "<|channel|>analysis",
    "<|channel|>bash",
    "<|start|>assistant",
    " to=functions.read",
    "<|constrain|>json",
    "<|message|>",
    '{"path":"a"}',
    "Hello.",
    " We look",
    "<|call|>",
    "<|end|>",
    "<|return|>",
    "\u202f",
    " ",
    "final",
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=24), st.sampled_from(STYLES))
def test_equal_outside_of_the_drift(pieces: list[str], style: str) -> None:
    ids = tuple(vocabulary().encode_markers("".join(pieces)))
    prompt = inspect(Transcript(ids), style=style).next_prompt
    assert prompt is not None
    if prompt.error is not None:
        return
    at = there = 0
    for drift in prompt.drift:
        assert ids[at : drift.emitted.start] == prompt.ids[there : drift.reencoded.start]
        assert drift.emitted.start >= at
        assert drift.reencoded.start >= there
        assert drift.cause != "other"
        at, there = drift.emitted.end, drift.reencoded.end
    assert ids[at:] == prompt.ids[there:]


def test_a_repair_is_named() -> None:
    text = '<|channel|>commentary to=functions.read We look <|constrain|>json<|message|>{"path":"a"}<|call|>'
    prompt = inspect(text).next_prompt
    assert prompt is not None
    assert [(d.cause, d.message) for d in prompt.drift] == [("mended", 'The repair changed it: " We look" is gone.')]
