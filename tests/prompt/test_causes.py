"""The causes and their documentation: every example shows its cause."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from inspector import Transcript, inspect
from inspector.finding import SECTIONS, Effect
from inspector.prompt import CAUSES, STYLES, next_prompt
from inspector.prompt.causes import SENTENCES
from inspector.prompt.causes.examples import example_of
from inspector.tokens import vocabulary

from .conftest import Reader


@pytest.mark.parametrize("name", CAUSES)
def test_example_shows_its_cause(name: str, read: Reader) -> None:
    example = example_of(CAUSES[name])
    messages = read(example.ids, example.role)
    if name == "other":  # messages that were altered after they had been read
        messages = (replace(messages[0], content="Finished."),)
    if name == "header-completed":  # the second message lacks its <|start|>, which no strict parse accepts
        second = read(example.ids[messages[0].end :], "assistant")[0]
        at = messages[0].end
        messages += (
            replace(
                second,
                start=at,
                end=second.end + at,
                body_start=second.body_start + at,
                body_end=second.body_end + at,
            ),
        )
    assert example.style in STYLES
    found = next_prompt(messages, example.ids, style=example.style, role=example.role)
    if name == "mended":  # only a repair changes something
        prompt = inspect(Transcript(example.ids, example.role), style=example.style).next_prompt
        assert prompt is not None
        found = prompt
    assert name in [drift.cause for drift in found.drift]
    assert "other" not in {drift.cause for drift in found.drift} - {name}
    if found.error is None:
        assert vocabulary().decode(found.ids) == example.reencoded
    else:
        assert found.error.splitlines()[0].startswith(example.reencoded)


@pytest.mark.parametrize("name", CAUSES)
def test_card_and_documentation(name: str) -> None:
    rule = CAUSES[name]
    assert re.fullmatch(r"HS7\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.name == name
    assert rule.effects == (Effect.DRIFTS,)
    assert rule.family == "next prompt"
    assert tuple(rule.sections) == SECTIONS
    assert all(rule.sections.values())
    assert rule.documentation.startswith(rule.summary)
    assert rule.module.rsplit(".", 1)[1] == name.replace("-", "_")
    assert SENTENCES[name].endswith(".")


def test_one_module_a_cause_and_no_code_twice() -> None:
    codes = [rule.code for rule in CAUSES.values()]
    assert codes == sorted(set(codes))
    folder = Path(__file__).parents[2] / "inspector" / "prompt" / "causes"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "examples"}
    assert modules == {name.replace("-", "_") for name in CAUSES}
