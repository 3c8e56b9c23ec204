"""The rules' pages: complete, as the rules say, and in step with docs/rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inspector.finding import SECTIONS
from inspector.report.rules import all_rules, close_to, find_rule, rule_page, rule_record
from inspector.report.rules_docs import docs_folder, lagging, main, pages, write


def test_the_docs_do_not_lag(root: Path) -> None:
    """When this fails: python -P -m inspector.report.rules_docs --write."""
    assert docs_folder() == root / "docs" / "rules"
    assert lagging(docs_folder()) == []


def test_every_room_has_its_rules_in() -> None:
    from inspector.prompt.causes import CAUSES
    from inspector.repair.catalogue import RULES

    rules = all_rules()
    assert {rule.code for rule in RULES.values()} < rules.keys()
    assert {rule.code for rule in CAUSES.values()} < rules.keys()
    assert find_rule("lost-call") is not None
    assert list(rules) == sorted(rules)


@pytest.mark.parametrize("code", all_rules())
def test_a_page_has_every_section(code: str) -> None:
    page = rule_page(all_rules()[code])
    titles = re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    assert [title for title in titles if title in SECTIONS] == list(SECTIONS)
    for title, body in rule_record(all_rules()[code])["sections"].items():
        assert body.strip(), title


def test_links_between_pages_lead_somewhere() -> None:
    found = pages()
    for name, text in found.items():
        for target in re.findall(r"\]\(([^):#]+\.md)", text):
            assert target in found, f"{name} links to {target}"


def test_the_index_names_every_rule_once() -> None:
    index = pages()["README.md"]
    for code, rule in all_rules().items():
        assert index.count(f"[{code}]({code}.md)") == 1
        assert f"| {rule.name} |" in index
    # A bar in a summary must not open another column.
    for line in index.splitlines():
        if line.startswith("| ["):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line


def test_rules_are_found_by_code_and_name() -> None:
    rule = find_rule("hs201")
    assert rule is not None
    assert rule is find_rule("Duplicate-Channel")
    assert find_rule("HS20") is None
    assert close_to("duplicate-chanel")[0] == "duplicate-channel"


def test_lagging_pages_are_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "rules"
    assert "README.md is missing" in lagging(folder)
    assert main(["--check", "--folder", str(folder)]) == 1
    assert write(folder) == len(pages())
    assert write(folder) == 0
    assert main(["--check", "--folder", str(folder)]) == 0

    (folder / "HS201.md").write_text("old")
    (folder / "HS000.md").write_text((folder / "README.md").read_text())
    (folder / "mine.md").write_text("a page of somebody else")
    assert lagging(folder) == [
        "HS000.md belongs to no rule",
        "HS201.md lags behind its rule",
        "mine.md belongs to no rule",
    ]
    assert write(folder) == 2
    assert (folder / "mine.md").exists()
    assert not (folder / "HS000.md").exists()
    capsys.readouterr()
    assert main(["--check", "--folder", str(folder)]) == 1
    assert "mine.md belongs to no rule" in capsys.readouterr().err
