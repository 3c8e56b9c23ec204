"""Whatever the tokens: nothing raises, no token is lost, edits are in order, what is repaired stays repaired.

``benchmarks/fuzz_engine.py`` tries a million of the same transcripts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from random_transcripts import Source, Trial, faults, looked_at, shortened

from inspector import inspect
from inspector.tokens import CONSTRAIN, MESSAGE, Transcript, vocabulary

TRANSCRIPTS = 2_000


def test_whatever_the_tokens() -> None:
    source = Source(20_000)
    tried = 0
    for _, trial in zip(range(TRANSCRIPTS), source, strict=False):
        assert faults(trial) == [], trial.record()
        if source.random.random() < 0.15 and (other := source.switched(trial, looked_at(trial))) is not None:
            assert faults(other) == [], other.record()
            tried += 1
    assert tried > TRANSCRIPTS // 20


@pytest.mark.parametrize("role", ["assistant", "developer", None])
@pytest.mark.parametrize("channel", ["analysis", "commentary", "final"])
def test_a_look_alike_start_stands_between_a_marker_and_its_word(role: str | None, channel: str) -> None:
    """The marker stays alone: the word behind the start must not take the marker's place for its own."""
    ids = (CONSTRAIN, *vocabulary().encode(f"<start>{channel}"), MESSAGE)
    trial = Trial(Transcript(ids, role))
    assert faults(trial) == []
    found = looked_at(trial)
    assert [message.channel for message in found.repair.messages] == [channel]


def test_other_readings_of_a_repaired_message_are_told_in_the_original_s_places() -> None:
    """The call without a recipient is seen only once its header has been mended."""
    ids = tuple(vocabulary().encode_markers("finalassistantcommentary<|call|>"))
    found = inspect(Transcript(ids, tools=("functions.search",)))
    (call,) = [d for d in found.diagnostics if d.code == "HS401"]
    (reading,) = call.alternatives
    (edit,) = reading.edits
    assert 0 <= edit.start <= edit.end <= len(ids)
    assert faults(Trial(found.transcript, choices={call.key: 1})) == []


def test_a_fault_is_seen_and_cut_down() -> None:
    """The checks can fail: what holds of the parts of an inspection is compared, not assumed."""
    trial = Trial(
        Transcript(tuple(vocabulary().encode_markers("<|channel|>final<|channel|>final<|message|>It is<|end|>")))
    )
    found = looked_at(trial)
    assert faults(trial, found) == []
    wrong = replace(found, repair=replace(found.repair, ids=found.repair.ids[1:], ok=False))
    assert "the edits do not lead to the repaired ids" in faults(trial, wrong)
    assert "the repaired transcript does not parse" in faults(trial, wrong)
    lost = replace(found, tree=replace(found.tree, nodes=found.tree.nodes[1:]))
    assert "the leaves do not give back the ids" in faults(trial, lost)
    short = shortened(trial, lambda less: less.transcript.ids.count(MESSAGE) == 1)
    assert short.transcript.ids == (MESSAGE,)
