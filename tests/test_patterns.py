"""No regular expression of the source is slow: every one is found, its class worked out, and attacked."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.samplers.offline_child import _FAULT
from inspector.ui.live_prompt import _NUMBERS

from .growth.harness import load
from .patterns import finding, javascript
from .patterns.attacks import runs, seconds, slow_texts
from .patterns.finding import ROOT, Pattern, UnknownPattern
from .patterns.growth import Growth, verdict
from .patterns.listing import JUDGED, found, judged, lags


def class_of(pattern: str, how: str = "search", flags: int = 0) -> str:
    return verdict(pattern, flags, searched=how == "search", whole=how == "fullmatch").growth.value


# The analysis


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        (r"\s+x", "search"),  # something unbounded in front of what may fail
        (r"\s++x", "search"),  # possession gives nothing back, but every character begins anew
        (r"a[^b]*b", "search"),
        (r"(?m)^\s*\{", "search"),
        (r"'(?:[^'\\]|\\.)*'", "search"),
        (r"(?:a[^b]*b)*", "search"),
        (r"a(?=[^b]*b)", "search"),
        (r"(?:\s*x)?", "search"),
        (r"\s*\s*x", "match"),  # neighbours that share characters
        (r"\s*[\[(]?[\s\d,;]*[\])]?\s*", "fullmatch"),
        (r"[a-z]*[a-z0-9]*", "fullmatch"),
        (r"(?i)[a-z]*K*!", "match"),
        (r"(?:a|b)*a*c", "match"),
        (r"\s*(?=\s*x)", "match"),
        (r"(a*)*b", "match"),  # a loop in a loop
        (r"(?:a+)+b", "match"),
        (r"(?:ab|a|b)*c", "match"),
    ],
)
def test_what_grows_faster_than_its_text_is_risky(pattern: str, how: str) -> None:
    found_here = verdict(pattern, 0, searched=how == "search", whole=how == "fullmatch")
    assert found_here.growth is Growth.RISKY
    assert found_here.attacks
    # And Python's matcher agrees: the text that is named takes it more than six times as long at four times the size.
    one = Pattern("x.py", 1, "x", pattern, 0, how == "search", how == "fullmatch")
    assert any(list(slow_texts(one, [attack])) for attack in found_here.attacks)


@pytest.mark.parametrize("pattern", [r"\s{50000,}", r"<[^>]{0,500}>", r"(?:\w{0,200}\d{0,200})x"])
def test_a_large_bound_is_none(pattern: str) -> None:
    """It costs as many steps a character as it is large: 50,000 for a run of white space that is shorter."""
    assert class_of(pattern) == "risky"


@pytest.mark.parametrize(
    ("pattern", "how", "expected"),
    [
        (r"<\|(start|end)\|>", "search", "fixed"),
        (r"x{0,60}y", "search", "fixed"),
        (r"\s+", "search", "linear"),
        (r"a\s+b", "search", "linear"),
        (r"(?:ab)*", "search", "linear"),
        (r"\A\s*x", "search", "linear"),
        (r"(?m)^[ \t]*x", "search", "linear"),
        (r"(?<!\s)\s+x", "search", "linear"),
        (r"(?<!\s)\s{50000,}+", "search", "linear"),
        (r"\b[a-z]*Error\b: ", "search", "linear"),
        (r"\s*\[?\d+", "match", "anchored"),
        (r"[a-z0-9]+(-[a-z0-9]+)*", "fullmatch", "anchored"),
        (r"\s*+\s*x", "match", "linear by possession"),
        (r"(?>a*)a*b", "match", "linear by possession"),
    ],
)
def test_what_grows_with_its_text_is_not(pattern: str, how: str, expected: str) -> None:
    assert class_of(pattern, how) == expected
    one = Pattern("x.py", 1, "x", pattern, 0, how == "search", how == "fullmatch")
    assert not list(slow_texts(one, runs(one)))


def test_a_matcher_that_takes_too_long_is_stopped() -> None:
    one = Pattern("x.py", 1, "x", r"(a*)*b", 0, False, False)
    assert seconds(one, "a" * 200, cap=0.05) == float("inf")


# What was mended reads what it read before


LOG = st.tuples(
    st.text(st.sampled_from("aE.1_ :\n"), max_size=6),
    st.sampled_from(["Error", "Exception", "Error:", ""]),
    st.text(st.sampled_from(": a."), max_size=3),
).map("".join)


@given(LOG)
def test_a_fault_in_a_log_is_found_as_before(line: str) -> None:
    as_before = re.search(r"\b[A-Za-z.]*(?:Error|Exception)\b: ", line)
    assert bool(_FAULT.search(line)) == bool(as_before), line


@given(st.text(st.sampled_from("1 ,;()[]+-x\n"), max_size=8))
def test_numbers_alone_are_told_as_before(text: str) -> None:
    as_before = re.fullmatch(r"[\s\d,;()\[\]+-]*\d[\s\d,;()\[\]+-]*", text)
    assert bool(_NUMBERS.fullmatch(text)) == bool(as_before)


# Finding


def written(folder: Path, text: str, name: str = "one.py") -> Path:
    (folder / "inspector").mkdir(exist_ok=True)
    (folder / "inspector" / name).write_text(text, encoding="utf-8")
    return folder


def test_every_call_of_the_source_is_among_them() -> None:
    """Counted another way: every line of the source that names a function of re."""
    files = sorted([*ROOT.glob("inspector/**/*.py"), *ROOT.glob("pages/*.py")])
    for path in files:
        text = path.read_text(encoding="utf-8")
        called = [
            node.lineno
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("re", "regex")
            and not node.attr.isupper()
            and node.attr not in ("Pattern", "Match", "escape", "error", "purge")
        ]
        file = path.relative_to(ROOT).as_posix()
        assert sorted({one.line for one in found() if one.file == file}) == sorted(set(called)), file


def test_a_pattern_that_only_the_program_knows_must_be_shown(tmp_path: Path) -> None:
    root = written(tmp_path, 'import re\n\n\ndef f(word):\n    return re.search(rf"{word}+x", "")\n')
    with pytest.raises(UnknownPattern, match=r"inspector/one\.py:5: .*AT_RUN_TIME"):
        finding.patterns(root)


def test_a_pattern_may_not_hide_behind_another_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownPattern, match="import re as a whole"):
        finding.patterns(written(tmp_path, "from re import compile\n"))


def test_literals_of_scripts_are_told_from_divisions() -> None:
    text = r"""
      const a = 4 / 2 / 1; // /no/
      const b = `x${c.replace(/[/"]+/g, "/no/")}/no/`; /* /no/ */
      return /^a\/b$/i.test(d) ? (e) / 2 : f.match(/x/s)
    """
    assert [(body, flags) for _, body, flags in javascript.literals(text)] == [
        ('[/"]+', "g"),
        (r"^a\/b$", "i"),
        ("x", "s"),
    ]


def test_a_pattern_that_a_script_makes_must_be_shown(tmp_path: Path) -> None:
    with pytest.raises(UnknownPattern, match="1 patterns are made"):
        javascript.patterns(written(tmp_path, "const a = new RegExp(b);\n", "one.js"))


# The patterns of the source


@pytest.mark.parametrize("one", found(), ids=lambda one: one.place)
def test_no_pattern_grows_faster_than_its_text(one: Pattern) -> None:
    if one.place in JUDGED:
        return
    known = judged(one)
    assert known.growth is not Growth.RISKY, (
        f"{one.file}:{one.line}: {one.text!r}: {known.why}; for example on "
        + ", ".join(f"{a.before!r} + {a.run!r} * n" for a in known.attacks[:3])
        + ". Take apart what shares characters, or say where it may begin."
    )


@pytest.mark.parametrize("one", found(), ids=lambda one: one.place)
def test_no_attack_makes_it_slow(one: Pattern) -> None:
    if one.place in JUDGED:
        return
    slow = list(slow_texts(one, runs(one)))
    assert not slow, f"{one.file}:{one.line}: {one.text!r}: " + "; ".join(slow)


def test_what_is_judged_by_hand_is_held_by_the_ratchet() -> None:
    places = {one.place: one for one in found()}
    for place, (reason, case) in JUDGED.items():
        assert place in places, f"{place} is no pattern any more: take it out of JUDGED"
        assert judged(places[place]).growth is Growth.RISKY, f"{place} is not risky any more: take it out of JUDGED"
        assert reason.endswith(".")
        assert case in load(), f"{place}: tests/growth has no case {case}"


def test_the_page_keeps_up_with_the_source() -> None:
    assert not lags(), "docs/patterns.md is not what the source says: run `make docs`"
