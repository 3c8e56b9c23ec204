"""The performance tables of the README, from ``benchmarks/results``: ``--write`` puts them in place."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "benchmarks" / "results"
README: Final = ROOT / "README.md"
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


def screen_table(results: dict[str, Any]) -> str:
    """The table of the screen: one row per size, healthy and broken."""
    lines = [
        "| tokens | empty app | file to everything on screen | link | scroll steadily, by pages | most bytes down "
        "| memory of tab, server |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        name = f"{row['tokens']:,}{', damaged' if row['broken'] else ''}"
        lines.append(
            f"| {name} | {row['empty_ms'] / 1000:.2f} s | {row['shown_ms'] / 1000:.2f} s | {row['link_ms']:.1f} ms "
            f"| {row['fps_steady']:.0f}, {row['fps_pages']:.0f} frames/s | {max(row['bytes'].values()) / 1000:.1f} KB "
            f"| {row['tab_mb']:.0f}, {row['server_mb']:.0f} MB |"
        )
    return "\n".join(lines) + "\n"


TABLES: Final = {"engine": table, "ui": screen_table}
"""By the name of the results: what writes their table."""


def begin(name: str) -> str:
    """The comment before a table."""
    return f"<!-- performance of {name}: written by benchmarks/readme_table.py -->\n"


def with_tables(readme: str) -> str:
    """The README's text with each table between its two comments.

    Raises:
        ValueError: the comments are not there.
    """
    for name, write in TABLES.items():
        results = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        start = readme.index(begin(name)) + len(begin(name))
        readme = readme[:start] + "\n" + write(results) + "\n" + readme[readme.index(END, start) :]
    return readme


def main() -> int:
    """Write the tables, or say that they lag behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the README instead of comparing")
    asked = parser.parse_args()
    readme = README.read_text(encoding="utf-8")
    wanted = with_tables(readme)
    if asked.write:
        README.write_text(wanted, encoding="utf-8")
        return 0
    if readme != wanted:
        print("README.md lags behind benchmarks/results: run benchmarks/readme_table.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
