"""What the step debugger is sent: it says what the steps and the grammar say, in little room."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Any

import pytest

from inspector import inspect
from inspector.gallery import load_samples
from inspector.gallery.generate import healthy_records
from inspector.harmony.legal import Walk, grammar
from inspector.harmony.names import declared_in
from inspector.harmony.steps import steps
from inspector.inspection import RELEASES
from inspector.tokens import END, MESSAGE, Scan, vocabulary
from inspector.view.steps import MAX_FIELD, steps_value


def unpacked(pairs: list[int]) -> tuple[list[int], list[int]]:
    starts, at = [], 0
    for distance in pairs[::2]:
        at += distance
        starts.append(at)
    return starts, pairs[1::2]


def number_at(pairs: list[int], position: int) -> int:
    starts, numbers = unpacked(pairs)
    return numbers[bisect_right(starts, position) - 1]


def illegal(value: dict[str, Any]) -> list[int]:
    out: list[int] = []
    end = 0
    for distance, length in zip(value["illegal"][::2], value["illegal"][1::2], strict=True):
        out += range(end + distance, end + distance + length)
        end += distance + length
    return out


@pytest.mark.parametrize("sample", load_samples(), ids=lambda s: s.name)
def test_every_position_is_told(sample) -> None:
    transcript = sample.transcript
    value = json.loads(json.dumps(steps_value(inspect(transcript))))
    assert value["count"] == len(transcript.ids)
    assert [release["release"] for release in value["releases"]] == list(RELEASES)
    walk = Walk(transcript.ids, transcript.role, grammar(tuple(sorted(declared_in(transcript, Scan(transcript.ids))))))
    for told in value["releases"]:
        way = steps(transcript.ids, transcript.role, RELEASES[told["release"]], release=told["release"])
        told = value["releases"][told["same"]] if "same" in told else told
        error = told["error"] and (told["error"]["token"], told["error"]["text"], told["error"]["kind"])
        assert error == way.error
        for position in range(len(transcript.ids) + 1):
            state = way.at(position)
            if state is not None:
                assert value["fields"][number_at(told["runs"], position)] == list(state[:5])
    assert illegal(value) == walk.illegal
    for position in range(len(transcript.ids) + 1):
        legal, number = walk.at(position), number_at(value["legal"]["runs"], position)
        assert (legal is None) == (number == -1)
        if legal is not None:
            place = value["legal"]["places"][number]
            assert place["markers"] == [[marker.name, marker.why] for marker in legal.markers]
            assert place["text"] == [wording.says for wording in legal.text]
            assert place["end"] == legal.may_end


def test_a_whole_context_takes_little_room() -> None:
    """131,072 tokens in messages of about 60 tokens, as the brief of the screen has it."""
    body = vocabulary().encode(" a word of a message") * 8
    ids: list[int] = []
    for record in healthy_records(10_000):
        for token in record["token_ids"]:
            ids += [token, *body] if token == MESSAGE else [token]
        if len(ids) >= 131_072:
            break
    ids = ids[:131_072]
    assert 1_800 < ids.count(MESSAGE) < 2_400
    value = steps_value(inspect(ids, role=None, next_prompt=False))
    assert len(json.dumps(value, separators=(",", ":"))) < 130_000


def test_the_same_way_is_told_once_and_long_fields_are_cut() -> None:
    value = steps_value(inspect([*vocabulary().encode("x" * 5_000), MESSAGE, END]))
    assert value["releases"][1] == {"release": list(RELEASES)[1], "same": 0}
    assert ["Content", "assistant", None, "x" * MAX_FIELD + "…", None] in value["fields"]


def test_nothing_to_step_through() -> None:
    value = steps_value(inspect([]))
    assert value["count"] == 0
    assert value["illegal"] == []
    assert value["releases"][0]["error"]["kind"] == "E2"
