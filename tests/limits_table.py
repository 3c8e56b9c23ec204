"""The table of limits of docs/security.md, made from ``inspector/budgets.py``: ``python -m tests.limits_table``.

Every limit that the module has is a row, in its own words and with its own value; a new one comes by itself.
"""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Final

from inspector import budgets
from inspector.budgets import APP, CLI, GALLERY, Budget

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "security.md"
BEGIN: Final = "<!-- The limits: written by `make docs` from inspector/budgets.py. -->"
END: Final = "<!-- The end of the limits. -->"

_ATTRIBUTE: Final = re.compile(r"^ {8}(\w+): ((?:.|\n {12})+)", re.MULTILINE)


def numbers_of_a_budget() -> dict[str, str]:
    """By the name of each limit that differs from place to place: what it is of."""
    told = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(f"    {Budget.__doc__}")}
    return {
        field.name: told.get(field.name, "") for field in fields(Budget) if isinstance(getattr(APP, field.name), int)
    }


def constants() -> dict[tuple[str, ...], str]:
    """The names of the limits that hold everywhere, those that share a docstring together, with its first sentence."""
    found: dict[tuple[str, ...], str] = {}
    names: list[str] = []
    for node in ast.parse(Path(budgets.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            is_limit = not name.startswith("_") and isinstance(getattr(budgets, name), int)
            names = [*names, name] if is_limit else []
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and names:
            text = " ".join(str(node.value.value).split())
            found[tuple(names)] = re.split(r"(?<=[.])\s", text)[0].rstrip(".")
            names = []
        else:
            names = []
    return found


def written(value: int, words: str) -> str:
    """A limit for people: sizes in MB as well."""
    is_size = words.lower().startswith("bytes") and value % 2**20 == 0
    return f"{value:,} ({value // 2**20:,} MB)" if is_size else f"{value:,}"


def table() -> str:
    """The two tables, in Markdown."""
    places = (APP, CLI, GALLERY)
    lines = [f"| limit | what it is of | {' | '.join(budget.place for budget in places)} |", "|---|---|---|---|---|"]
    for name, words in numbers_of_a_budget().items():
        values = " | ".join(written(getattr(budget, name), words) for budget in places)
        lines.append(f"| `{name}` | {words.rstrip('.')} | {values} |")
    lines += ["", "| limit | what it is of | everywhere |", "|---|---|---|"]
    for names, words in constants().items():
        values = "; ".join(written(getattr(budgets, name), words) for name in names)
        lines.append(f"| {', '.join(f'`{name}`' for name in names)} | {words} | {values} |")
    return "\n".join(lines)


def on_the_page() -> str:
    """The tables as they stand on the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    """Bring the page up to date."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n\n{table()}\n\n{end}{after}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
