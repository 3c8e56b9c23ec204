"""SARIF 2.1.0: its shape, places that agree with each other, fixes that do what the edits do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from exporting import SAMPLES, hostile
from hypothesis import given
from hypothesis import strategies as st

from inspector.report.findings import findings
from inspector.report.sarif import TranscriptText, export_sarif, sarif_log
from inspector.report.subject import Subject, inspected, inspected_sample
from inspector.tokens import Edit, Span, Transcript, apply_edits, vocabulary

LOGS: list[tuple[Subject, dict[str, Any]]] = [
    (subject, json.loads(export_sarif(subject))) for subject in (*map(inspected_sample, SAMPLES), hostile())
]

KEYS = {
    # What the standard allows for each object, as far as it is written here, and what it demands.
    "log": ({"$schema", "version", "runs"}, {"version", "runs"}),
    "run": ({"tool", "columnKind", "defaultEncoding", "artifacts", "results", "properties"}, {"tool"}),
    "driver": ({"name", "version", "semanticVersion", "rules"}, {"name"}),
    "rule": (
        {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"},
        {"id"},
    ),
    "result": (
        {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties", "fixes"},
        {"message"},
    ),
    "region": (
        {"startLine", "startColumn", "endLine", "endColumn", "charOffset", "charLength", "snippet"},
        set(),
    ),
    "fix": ({"description", "artifactChanges", "properties"}, {"artifactChanges"}),
    "replacement": ({"deletedRegion", "insertedContent"}, {"deletedRegion"}),
}


def fits(kind: str, value: dict[str, Any]) -> None:
    allowed, needed = KEYS[kind]
    assert needed <= value.keys() <= allowed, (kind, value.keys())


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    return log["runs"][0]["results"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("subject", "log"), LOGS, ids=[subject.name[:40] for subject, _ in LOGS])
def test_a_log_has_the_shape_that_the_standard_asks_for(subject: Subject, log: dict[str, Any]) -> None:
    fits("log", log)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    fits("run", run)
    driver = run["tool"]["driver"]
    fits("driver", driver)
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert run["artifacts"][0]["roles"] == ["analysisTarget"]
    for rule in driver["rules"]:
        fits("rule", rule)
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids))
    found = findings(subject.inspection)
    assert [result["ruleId"] for result in run["results"]] == [f.code for f in found]
    for result, diagnostic in zip(run["results"], found, strict=True):
        fits("result", result)
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == {"error": "error", "warning": "warning", "info": "note"}[diagnostic.severity]
        assert result["message"]["text"].strip()
        for fix in result.get("fixes", []):
            fits("fix", fix)
            assert fix["artifactChanges"][0]["replacements"]


@pytest.mark.parametrize(("subject", "log"), LOGS, ids=[subject.name[:40] for subject, _ in LOGS])
def test_places_agree_with_each_other_and_with_the_tokens(subject: Subject, log: dict[str, Any]) -> None:
    text = log["runs"][0]["artifacts"][0]["contents"]["text"]
    lines = text.split("\n")
    for result, diagnostic in zip(results(log), findings(subject.inspection), strict=True):
        region = result["locations"][0]["physicalLocation"]["region"]
        fits("region", region)
        start = region["charOffset"]
        end = start + region["charLength"]
        assert 0 <= start <= end <= len(text)
        for offset, line, column in (
            (start, region["startLine"], region["startColumn"]),
            (end, region["endLine"], region["endColumn"]),
        ):
            assert sum(len(row) + 1 for row in lines[: line - 1]) + column - 1 == offset
        ids = subject.transcript.ids[diagnostic.span.start : diagnostic.span.end]
        told = vocabulary().decode(ids)
        if "\ufffd" not in told:
            assert text[start:end] == told
        snippet = region.get("snippet", {}).get("text", "")
        assert text[start:end].startswith(snippet)
        assert result["properties"]["tokens"]["start"] == diagnostic.span.start


def test_a_fix_does_to_the_text_what_its_edits_do_to_the_tokens() -> None:
    count = 0
    for subject, log in LOGS:
        text = log["runs"][0]["artifacts"][0]["contents"]["text"]
        for fix in (fix for result in results(log) for fix in result.get("fixes", [])):
            count += 1
            mended = text
            for replacement in reversed(fix["artifactChanges"][0]["replacements"]):
                fits("replacement", replacement)
                start = replacement["deletedRegion"]["charOffset"]
                end = start + replacement["deletedRegion"]["charLength"]
                mended = mended[:start] + replacement.get("insertedContent", {}).get("text", "") + mended[end:]
            edits = [Edit(e["start"], e["end"], tuple(e["ids"])) for e in fix["properties"]["edits"]]
            assert mended == TranscriptText(apply_edits(subject.transcript.ids, edits)).text
    assert count > 60, "fixes are told as replacements"


@given(st.lists(st.integers(0, 400) | st.integers(199_990, 201_100) | st.just(-7), max_size=30))
def test_the_characters_of_a_token(ids: list[int]) -> None:
    """Against the obvious way: the text of everything before it."""
    text = TranscriptText(ids)
    table = vocabulary().token_bytes
    before = b""
    for index, token in enumerate(ids):
        start, end = text.characters(Span(index, index + 1))
        piece = table(token) or b""
        if text.exact(Span(index, index + 1)):
            escaped = before.decode("utf-8", "surrogateescape"), (before + piece).decode("utf-8", "surrogateescape")
            assert (start, end) == (len(escaped[0]), len(escaped[1]))
        assert 0 <= start <= end <= len(text.text)
        before += piece
    assert len(text.text) == len(before.decode("utf-8", "surrogateescape"))


def test_a_place_within_a_character_is_widened_and_its_fix_is_not_told_as_text() -> None:
    emoji = vocabulary().encode("🫨")
    assert len(emoji) > 1
    text = TranscriptText([*emoji, *vocabulary().encode("x")])
    assert text.characters(Span(1, 2)) == (0, 1)
    assert not text.exact(Span(1, 2))
    assert text.exact(Span(0, len(emoji)))
    assert text.characters(Span(len(emoji), len(emoji) + 1)) == (1, 2)


def test_an_empty_transcript_has_a_log() -> None:
    log = sarif_log(inspected(Transcript((), "assistant")))
    assert log["runs"][0]["artifacts"][0]["contents"]["text"] == ""
