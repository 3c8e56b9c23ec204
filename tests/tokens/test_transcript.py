"""Transcripts are plain values that refuse annotations of the wrong length."""

from __future__ import annotations

import pytest

from inspector.tokens import Transcript


def test_a_transcript_is_its_ids() -> None:
    transcript = Transcript((1, -5, 2**63))
    assert len(transcript) == 3
    assert transcript.role == "assistant"
    assert transcript == Transcript((1, -5, 2**63))


@pytest.mark.parametrize(
    ("name", "values"),
    [("origins", ("sampled",)), ("logprobs", (None, -0.1, -0.2)), ("top", ())],
)
def test_annotations_must_match_token_by_token(name, values) -> None:
    with pytest.raises(ValueError, match=rf"{name} has {len(values)} entries for 2 tokens"):
        Transcript((1, 2), **{name: values})


def test_it_cannot_be_altered() -> None:
    transcript = Transcript((1, 2))
    with pytest.raises(AttributeError):
        transcript.ids = ()  # type: ignore[misc]
