"""The performance table of the README, from ``benchmarks/results/engine.json``: ``--write`` puts it in place."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "engine.json"
README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- performance: written by benchmarks/readme_table.py -->\n"
END: Final = "<!-- /performance -->"
BASE: Final = "oss-harmony 0.0.11"


def table(results: dict[str, Any]) -> str:
    """The table in Markdown: one row per shape of transcript."""
    lines = [
        "| messages | reading, rules, repair | with the next prompt and its drift |",
        "|---|---|---|",
    ]
    for row in results["speed"]:
        ratios = row["ratios"]
        name = row["shape"] + (", damaged" if row["damaged"] else "")
        first = ratios[f"reading, rules, repair / {BASE}"]
        second = ratios[f"with the next prompt / {BASE}"]
        lines.append(f"| {name} | {first:.1f}x | {second:.1f}x |")
    return "\n".join(lines) + "\n"


def with_table(readme: str, results: dict[str, Any]) -> str:
    """The README's text with the table between its two comments.

    Raises:
        ValueError: the comments are not there.
    """
    begin, end = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    return readme[:begin] + "\n" + table(results) + "\n" + readme[end:]


def main() -> int:
    """Write the table, or say that it lags behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the README instead of comparing")
    asked = parser.parse_args()
    readme = README.read_text(encoding="utf-8")
    wanted = with_table(readme, json.loads(RESULTS.read_text(encoding="utf-8")))
    if asked.write:
        README.write_text(wanted, encoding="utf-8")
        return 0
    if readme != wanted:
        print("README.md lags behind benchmarks/results/engine.json: run benchmarks/readme_table.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
