"""Every finish rule is documented with a record that it finds and one that it leaves alone."""

from __future__ import annotations

import re

import pytest

from inspector.finding import SECTIONS
from inspector.harmony.reader import read as read_tree
from inspector.ingest import read
from inspector.serving.finish import judge_finish
from inspector.serving.rules import MODULES, RULES, FinishRule

RULE_IDS = [module.RULE.code for module in MODULES]


def found_in(section: str) -> list[str]:
    fenced = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert len(fenced) == 1
    loaded = read(fenced[0])
    assert (loaded.format, loaded.problems) == ("records", ())
    (transcript,) = loaded.transcripts
    return [finding.code for finding in judge_finish(transcript, read_tree(transcript).messages).findings]


@pytest.mark.parametrize("module", MODULES, ids=RULE_IDS)
def test_the_example_yields_the_rule_and_the_repaired_one_is_quiet(module: FinishRule) -> None:
    sections = module.RULE.sections
    assert module.RULE.code in found_in(sections["Example"])
    assert module.RULE.code not in found_in(sections["Repaired"])


@pytest.mark.parametrize("module", MODULES, ids=RULE_IDS)
def test_every_section_is_there_in_order(module: FinishRule) -> None:
    assert tuple(module.RULE.sections) == SECTIONS
    assert all(module.RULE.sections.values())
    assert module.RULE.family == "finish"
    assert module.RULE.summary.endswith(".")


def test_codes_and_names_are_unique_and_in_order() -> None:
    assert [rule.code for rule in RULES] == [f"HS{number}" for number in range(601, 601 + len(RULES))]
    assert len({rule.name for rule in RULES}) == len(RULES)
