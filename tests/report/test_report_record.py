"""The inspection record: its schema, that it is plain JSON, that a transcript can be read from it again."""

from __future__ import annotations

import json

import jsonschema
import pytest
from report_examples import EXAMPLES, founding, hostile, plain

from inspector.inspection import Inspection
from inspector.report.record import dump, error_record, inspection_record, record_schema

VALIDATOR = jsonschema.Draft202012Validator(record_schema())


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Inspection:
    return EXAMPLES[request.param]()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(record_schema())


def test_every_record_is_valid(example: Inspection) -> None:
    VALIDATOR.validate(json.loads(dump(inspection_record(example))))


def test_an_error_record_is_valid_and_says_why() -> None:
    record = error_record("run-3", "line 3, column 1: expected a JSON object.")
    VALIDATOR.validate(record)
    assert record == {
        "schema": "harmonylens/1",
        "id": "run-3",
        "error": "line 3, column 1: expected a JSON object.",
    }


@pytest.mark.parametrize(
    "broken",
    [
        {"schema": "harmonylens/2"},
        {"token_count": -1},
        {"diagnostics": [{}]},
        {"strict": [{"release": "x"}]},
        {"repaired": {"ok": True}},
        {"finish": None},
    ],
)
def test_the_schema_refuses_other_shapes(broken: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(inspection_record(founding()) | broken)


def test_the_schema_knows_every_key_that_is_written() -> None:
    """A new key belongs into the schema too; without this the schema would lag unseen."""
    schema = record_schema()

    def walk(value: object, place: dict[str, object]) -> None:
        if "$ref" in place:
            place = schema["$defs"][str(place["$ref"]).rsplit("/", 1)[1]]
        for option in place.get("anyOf", []):  # type: ignore[attr-defined]
            if option != {"type": "null"}:
                place = schema["$defs"][option["$ref"].rsplit("/", 1)[1]] if "$ref" in option else option
                break
        if isinstance(value, dict):
            properties = place["properties"]
            assert isinstance(properties, dict)
            assert not value.keys() - properties.keys()
            for key, inner in value.items():
                walk(inner, properties[key])
        elif isinstance(value, list):
            for inner in value:
                walk(inner, place["items"])  # type: ignore[arg-type]

    for make in EXAMPLES.values():
        walk(inspection_record(make()), {"$ref": "#/$defs/inspection"})


def test_the_shape_that_others_rely_on() -> None:
    record = inspection_record(founding())
    assert list(record)[:4] == ["schema", "id", "token_count", "role"]
    assert (record["schema"], record["id"], record["token_count"]) == ("harmonylens/1", "run-7", 25)
    old, new, lenient = record["strict"]
    assert (old["release"], old["mode"], old["ok"], old["token"]) == (
        "openai-harmony 0.0.8",
        "strict",
        False,
        15,
    )
    assert old["error"] == "Unknown role: assistant<|channel|>commentary"
    assert old["cause"] == [12, 15]
    assert [later["token"] for later in old["later"]] == [25]
    assert (new["ok"], new["error"], new["token"], lenient["mode"]) == (True, None, None, "lenient")
    assert [message["content"] for message in new["messages"]][:1] == ["Run the tests."]
    (found,) = record["diagnostics"]
    assert (found["code"], found["name"], found["severity"]) == ("HS201", "duplicate-channel", "error")
    assert (found["start"], found["end"], found["effect"]) == (12, 15, "raises")
    assert found["fix"]["applicability"] == "unsafe"
    assert found["fix"]["edits"] == [{"start": 12, "end": 15, "ids": [], "text": ""}]
    assert len(found["alternatives"]) == 1
    repaired = record["repaired"]
    assert repaired["ok"] is True
    assert repaired["messages"][1] == {
        "role": "assistant",
        "name": None,
        "channel": "analysis",
        "recipient": None,
        "content_type": None,
        "content": "I will run the test suite now.",
    }
    assert repaired["edits"][0]["keys"] == ["HS201@12"]
    assert "<|channel|>analysis<|message|>I will run" in repaired["text"]
    assert record["reencoded"]["release"] == "oss-harmony 0.0.11"
    assert record["reencoded"]["drift"][0]["emitted"] == [24, 25]
    finish = record["finish"]
    assert (finish["expected"], finish["reported"], finish["stop_reason"]) == ("stop", "length", None)
    assert [f["code"] for f in finish["findings"]] == ["HS502"]


def test_a_reported_null_is_told_from_silence() -> None:
    assert inspection_record(founding())["finish_reason"] == "length"
    assert "stop_reason" not in inspection_record(founding())
    assert "finish_reason" not in inspection_record(plain("x"))


def test_the_record_is_the_same_every_time(example: Inspection) -> None:
    assert dump(inspection_record(example)) == dump(inspection_record(example))


def test_a_record_is_one_line_of_plain_ascii() -> None:
    line = dump(inspection_record(hostile()))
    assert line.isascii()
    assert line.isprintable()


def test_no_prompt_is_null() -> None:
    import dataclasses

    record = inspection_record(dataclasses.replace(founding(), next_prompt=None))
    assert record["reencoded"] is None
    VALIDATOR.validate(record)
