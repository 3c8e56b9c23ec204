"""The small message: what follows the switches, checked against the engine's own values."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import Inspection, Transcript, inspect
from inspector.gallery import Sample, load_samples
from inspector.harmony.message import Message
from inspector.harmony.tree import MessageNode
from inspector.prompt import STYLES
from inspector.tokens import MARKERS, Edit, apply_edits, vocabulary
from inspector.view.feed import MAX_FINDINGS, Settings, pack_change, pack_feed

from .feed_reading import read_feed

HEADER_WORDS = (35644, 12606, 815, 4108, 316, 28)
IDS = st.lists(st.one_of(st.sampled_from([*MARKERS, *HEADER_WORDS]), st.integers(0, 201100)), max_size=24)


@cache
def samples() -> list[Sample]:
    return load_samples()


def feed(inspection: Inspection, settings: Settings | None = None) -> dict[str, Any]:
    return read_feed(pack_feed(inspection, settings or Settings()))


def edits(rows: list[list[Any]]) -> list[Edit]:
    return [Edit(start, end, tuple(ids)) for start, end, ids, _ in rows]


def read_back(outline: list[Any], inspection: Inspection) -> list[Message]:
    """The messages that the browser makes of an outline, with its own means."""
    messages = []
    ids = inspection.repair.ids
    for row in outline:
        if isinstance(row, list):
            nodes = inspection.tree.nodes[row[0] : row[1] + 1]
            messages += [n.message for n in nodes if isinstance(n, MessageNode) and n.message is not None]
            continue
        at = row.get("at", [-1] * 4)
        content = row["content"] if "content" in row else vocabulary().decode(ids[at[2] : at[3]])
        fields = {name: row.get(name) for name in ("name", "channel", "recipient", "content_type")}
        messages.append(Message(row["role"], content, **fields))
    return messages


def check(inspection: Inspection) -> None:
    body = feed(inspection)
    ids = list(inspection.transcript.ids)
    assert apply_edits(ids, edits(body["repair"]["edits"])) == list(inspection.repair.ids)
    found = read_back(body["repair"]["messages"], inspection)
    assert [m.record() for m in found] == [m.record() for m in inspection.repair.messages]
    prompt = inspection.next_prompt
    assert prompt is not None
    if prompt.error is None:
        assert apply_edits(ids, edits(body["prompt"]["edits"])) == list(prompt.ids)
        assert [tuple(d["emitted"]) for d in body["prompt"]["drift"]] == [
            (d.emitted.start, d.emitted.end) for d in prompt.drift
        ]
        stands = [(d.reencoded.start, d.reencoded.end) for d in prompt.drift]
        assert [tuple(d["reencoded"]) for d in body["prompt"]["drift"]] == stands
    said = [(d.key, d.code, d.message, d.note, [d.span.start, d.span.end]) for d in inspection.diagnostics]
    assert said == [(f["key"], f["code"], f["message"], f["note"], f["span"]) for f in body["findings"]][: len(said)]
    known = set(ids) | {row[0] for row in body["extra"]}
    for _, _, new, _ in [*body["repair"]["edits"], *body["prompt"]["edits"]]:
        assert known >= set(new)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.name)
def test_samples(sample: Sample, style: str) -> None:
    check(inspect(sample.transcript, style=style))


@settings(max_examples=120)
@given(IDS, st.sampled_from(["assistant", None]), st.sampled_from(STYLES))
def test_any_ids(ids: list[int], role: str | None, style: str) -> None:
    check(inspect(Transcript(tuple(ids), role), style=style))


def test_a_switch_is_told() -> None:
    transcript = next(s for s in samples() if s.name == "chatter-in-brackets").transcript
    on = feed(inspect(transcript))
    key = next(f["key"] for f in on["findings"] if f["code"] == "HS204")
    off = feed(inspect(transcript, off={key}), Settings(off=frozenset({key})))
    first = {f["key"]: f for f in on["findings"]}[key]
    second = {f["key"]: f for f in off["findings"]}[key]
    assert (first["on"], first["applied"]) == (True, True)
    assert (second["on"], second["applied"]) == (False, False)
    assert on["repair"]["edits"]
    assert not off["repair"]["edits"]
    assert on["digest"] == off["digest"]
    assert off["settings"]["off"] == [key]


def test_many_findings_are_counted() -> None:
    text = "<|start|>assistant<|channel|>final<|channel|>final<|message|>x<|end|>" * (MAX_FINDINGS + 10)
    inspection = inspect(text)
    body = feed(inspection)
    assert len(body["findings"]) == MAX_FINDINGS
    assert body["more_findings"] >= 10


def test_the_message_is_small_beside_the_tokens() -> None:
    text = "<|start|>assistant<|channel|>analysis<|message|>First this, then that.<|end|>" * 2000
    text += "<|start|>assistant<|channel|>final<|channel|>final<|message|>x<|return|>"
    assert len(pack_feed(inspect(text), Settings())) < 3000


@settings(max_examples=80)
@given(IDS, st.sampled_from(["assistant", None]), st.sampled_from(STYLES), st.data())
def test_a_change_and_its_base_say_what_the_whole_message_says(
    ids: list[int], role: str | None, style: str, data: st.DataObject
) -> None:
    transcript = Transcript(tuple(ids), role)
    before = inspect(transcript)
    base = pack_feed(before, Settings())
    keys = [d.key for d in before.diagnostics]
    off = frozenset(data.draw(st.lists(st.sampled_from(keys), unique=True))) if keys else frozenset()
    choices = {d.key: 1 for d in before.diagnostics if d.alternatives and data.draw(st.booleans())}
    chosen = Settings(off=off, choices=choices, style=style)
    after = inspect(transcript, off=off, choices=choices, style=style)
    assert read_feed(pack_change(after, chosen, base), base) == read_feed(pack_feed(after, chosen))
    assert read_feed(pack_change(before, Settings(), base), base) == read_feed(base)


def test_a_flipped_switch_of_many_is_a_small_change() -> None:
    slip = "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>Number {}.<|end|>"
    transcript = "".join(slip.format(n) for n in range(400))
    found = inspect(transcript)
    base = pack_feed(found, Settings())
    off = frozenset([found.diagnostics[200].key])
    change = pack_change(inspect(transcript, off=off), Settings(off=off), base)
    assert len(base) > 40_000
    assert len(change) < 2_000
    assert len(pack_change(found, Settings(), base)) < 100


def test_each_release_speaks_for_itself_about_the_repaired_transcript() -> None:
    text = "<|channel|>analysis<|message|>x<|end|><|start|>assistant"
    text += "<|channel|>final<|channel|>final<|message|>Done.<|return|>"
    mended = feed(inspect(text))["repair"]
    assert mended["after"] == {"oss-harmony 0.0.11": True, "openai-harmony 0.0.8": True}
    as_it_is = feed(inspect(text, off=["HS201"]), Settings(off=frozenset({"HS201"})))["repair"]
    assert as_it_is["after"] == {"oss-harmony 0.0.11": True, "openai-harmony 0.0.8": False}


def test_a_release_that_reads_what_was_meant_is_not_said_to_misread() -> None:
    text = "<|channel|>commentary to=functions.run<|channel|>commentary json<|message|>{}<|call|>"
    body = feed(inspect(text))
    assert body["misread"] == {"oss-harmony 0.0.11": False, "openai-harmony 0.0.8": True}
    assert sum(body["counts"].values()) == len(body["findings"])
