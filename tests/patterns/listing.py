"""The page that lists every pattern with its class, ``docs/patterns.md``."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from . import finding, javascript
from .finding import ROOT, Pattern
from .growth import MEANING, Growth, Verdict, verdict

PAGE: Final = ROOT / "docs" / "patterns.md"
_LONGEST: Final = 160

JUDGED: Final[dict[str, tuple[str, str]]] = {
    "inspector/ingest/ids.py: _PIECE": (
        "Where a number or a keyword fails, the last alternative takes all that they read.",
        "numbers_that_are_none",
    ),
    "inspector/prompt/pieces.py: _WORD": (
        "It is searched up to the last character that is not white, so that a word stands behind all white space.",
        "engine_blanks_behind_the_channel",
    ),
    "inspector/serving/sglang.py: _CALL": (
        "The end of the text ends it at the latest: behind its last unbounded part nothing fails.",
        "calls_without_end",
    ),
    "inspector/view/glyphs.py: _CLUSTER": (
        "`\\X` is one character with what belongs to it; rows of flags, where it counts, are cut.",
        "view_rows_of_flags",
    ),
}
"""Patterns that the analysis calls risky, or cannot read, and that are none: why, and the case of the ratchet
(``tests/growth``) that holds it."""


@cache
def found() -> tuple[Pattern, ...]:
    """Every pattern of the source, Python's and JavaScript's."""
    return (*finding.patterns(), *javascript.patterns())


@cache
def judged(one: Pattern) -> Verdict:
    """The class of a pattern as the analysis sees it."""
    if one.module == "regex":
        return _of_regex(one)
    return verdict(one.text, one.flags, searched=one.searched, whole=one.whole)


def _of_regex(one: Pattern) -> Verdict:
    """Patterns of the library ``regex``, which knows more than ours does: those that repeat nothing are fixed."""
    assert isinstance(one.text, str)
    bare = re.sub(r"\\p\{[^{}]*\}", "", one.text)
    if re.search(r"[*+?{]|\\X", bare):
        return Verdict(Growth.RISKY, "a pattern of the library regex that repeats something")
    return Verdict(Growth.FIXED)


def page() -> str:
    """The page, from the source."""
    counts = Counter(_class(one) for one in found())
    lines = [
        "# Patterns",
        "",
        "Every regular expression of harmonylens, and how its work grows with its text: no two neighbours share",
        "characters, and nothing unbounded stands in front of what may fail. Made from the source by `make docs`. The",
        "check is `tests/test_patterns.py`: it works out the class from the pattern's automaton, and tries texts that",
        "attack it.",
        "",
        "| class | patterns | what it means |",
        "|---|---|---|",
        *(f"| {name} | {counts[name]} | {meaning} |" for name, meaning in _meanings() if counts[name]),
    ]
    for file, group in groupby(found(), lambda one: one.file):
        lines += ["", f"## {file}", "", *(_line(one) for one in group)]
    return "\n".join(lines) + "\n"


def _meanings() -> list[tuple[str, str]]:
    return [(one.value, MEANING[one]) for one in Growth if one is not Growth.RISKY] + [
        ("judged", "Risky by its form, and not in its place: the reason stands beside it.")
    ]


def _class(one: Pattern) -> str:
    return "judged" if one.place in JUDGED else judged(one).growth.value


def _line(one: Pattern) -> str:
    use = "searched" if one.searched else "the whole text" if one.whole else "at one place"
    if one.run_time:
        use += ", made at run time, such as"
    reason = f" {JUDGED[one.place][0]} Held by `{JUDGED[one.place][1]}`." if one.place in JUDGED else ""
    name = "" if one.file.endswith(".js") else f"`{one.name}`, "
    return f"- {name}{use}: {_code(one)} **{_class(one)}**{'.' if reason else ''}{reason}"


def _code(one: Pattern) -> str:
    text = one.name if one.file.endswith(".js") and not one.run_time else one.text
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    if one.flags & re.VERBOSE:
        shown = " ".join(shown.split())
    shown = "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in shown)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
    space = " " if shown[:1] == "`" or shown[-1:] == "`" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def lags(path: Path = PAGE) -> bool:
    """True when the page is not what the source says."""
    return not path.is_file() or path.read_text(encoding="utf-8") != page()
