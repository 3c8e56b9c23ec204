"""The rules' pages under docs/rules, written from the rules themselves.

``python -P -m inspector.report.rules_docs --write`` writes them, ``--check`` says which lag (exit code 1); the
folder is that of the checkout unless ``--folder`` names another.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .rules import all_rules, rule_page, rules_index

_NOTICE: Final = (
    "<!-- Written by `python -P -m inspector.report.rules_docs --write`; change the rule, not this page. -->\n"
)


def pages() -> dict[str, str]:
    """Every page by its file name: ``README.md`` is the index, ``HS201.md`` a rule. The same on every run."""
    found = {"README.md": _NOTICE + rules_index(list(all_rules().values()))}
    for code, rule in all_rules().items():
        found[f"{code}.md"] = _NOTICE + rule_page(rule)
    return found


def docs_folder() -> Path:
    """``docs/rules`` of the checkout that this module runs from."""
    return Path(__file__).resolve().parents[2] / "docs" / "rules"


def lagging(folder: Path) -> list[str]:
    """What is not as :func:`pages` says, one phrase for each file; empty when all is well."""
    wanted = pages()
    there = {path.name for path in folder.glob("*.md")}
    wrong = [f"{name} is missing" for name in wanted if name not in there]
    wrong += [f"{name} belongs to no rule" for name in there - wanted.keys()]
    wrong += [
        f"{name} lags behind its rule"
        for name in wanted.keys() & there
        if (folder / name).read_text(encoding="utf-8") != wanted[name]
    ]
    return sorted(wrong)


def write(folder: Path) -> int:
    """Bring ``folder`` up to date; pages without a rule are removed. Returns how many files were changed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    changed = 0
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed += 1
    for path in folder.glob("*.md"):
        # Only what this module wrote is its to remove.
        if path.name not in wanted and path.read_text(encoding="utf-8").startswith(_NOTICE):
            path.unlink()
            changed += 1
    return changed


def main(args: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -P -m inspector.report.rules_docs", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the pages")
    action.add_argument("--check", action="store_true", help="say which pages lag")
    parser.add_argument("--folder", type=Path, default=docs_folder(), help="where the pages are")
    given = parser.parse_args(args)
    if given.write:
        print(f"{given.folder}: {write(given.folder)} of {len(pages())} pages changed")
        return 0
    wrong = lagging(given.folder)
    for phrase in wrong:
        print(phrase, file=sys.stderr)
    if wrong:
        print("Run `python -P -m inspector.report.rules_docs --write`.", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
