"""The report for people: snapshots, widths, hostile transcripts, long ones.

``HARMONYLENS_UPDATE_SNAPSHOTS=1 pytest tests/report`` writes the snapshots anew.
"""

from __future__ import annotations

import dataclasses
import io
import os
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_examples import EXAMPLES, NEW, founding, hostile, ids_of, many, plain, unmended
from rich.cells import cell_len
from rich.console import Console

from inspector.finding import Applicability, Diagnostic, Effect, Fix, Severity
from inspector.harmony.message import Message
from inspector.harmony.tree import Tree
from inspector.harmony.verdict import StrictError, Verdict
from inspector.inspection import Inspection, Repair
from inspector.prompt.drift import Drift, NextPrompt
from inspector.report.snippet import Mark, joined, snippet, token_signs
from inspector.report.terminal import ALL, Limits, print_report, report
from inspector.serving.finish import Finish
from inspector.tokens import Edit, Span, Transcript

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = bool(os.environ.get("HARMONYLENS_UPDATE_SNAPSHOTS"))


def text_of(inspection: Inspection, width: int = 100, limits: Limits | None = None) -> str:
    return "\n".join(line.plain for line in report(inspection, width=width, limits=limits)) + "\n"


def is_plain(text: str) -> bool:
    return all(c in " \n" or unicodedata.category(c)[0] in "LMNPS" for c in text)


@pytest.mark.parametrize(("name", "width"), [(n, 100) for n in EXAMPLES] + [("founding", 60), ("founding", 200)])
def test_snapshot(name: str, width: int) -> None:
    path = SNAPSHOTS / f"{name}-{width}.txt"
    text = text_of(EXAMPLES[name](), width)
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("width", [60, 73, 80, 120, 200])
@pytest.mark.parametrize("name", EXAMPLES)
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    limits = ALL if name != "many" else None
    for line in report(EXAMPLES[name](), width=width, limits=limits):
        assert cell_len(line.plain) <= width, line.plain


def test_the_underline_stands_under_its_tokens() -> None:
    lines = text_of(founding()).split("\n")
    at = next(i for i, line in enumerate(lines) if "^" in line)
    under, tokens, labels = lines[at], lines[at - 1], lines[at - 2]
    start, end = under.index("^"), under.rindex("^") + 1
    assert tokens[start:end] == "<|channel|> comment ary"
    assert labels[start:].startswith("12 ")
    assert tokens[under.index("-") : under.rindex("-") + 1] == "<|message|>"


def test_an_empty_span_points_between_two_tokens() -> None:
    ids = ids_of("one two three four")
    lines = [line.plain for line in snippet(ids, Span(2, 2), 80, style="")]
    assert lines[1][lines[2].index("^") + 1 :].startswith("·three")
    assert lines[2].count("^") == 1


def test_the_end_can_be_pointed_at() -> None:
    ids = ids_of("one two")
    lines = [line.plain for line in snippet(ids, Span(2, 2), 80, style="", marks=[Mark(2, "x raises")])]
    assert lines[1].endswith("(end)")
    assert lines[2].endswith("^^^^^")


def test_a_long_span_is_shown_by_its_ends() -> None:
    text = "\n".join(line.plain for line in snippet(ids_of(" word" * 500), Span(100, 400), 100, style=""))
    assert " 100 " in text
    assert " 399 " in text
    assert " 250 " not in text
    assert "… 281 more tokens …" in text


def test_a_character_in_several_tokens_is_drawn_once() -> None:
    ids = ids_of("a🫠b")
    assert len(ids) > 3
    signs = list(token_signs(ids, 0, len(ids)))
    assert signs.count("🫠") == 1
    assert "⋯" in signs
    # The same from the middle: the neighbours are looked at, though not shown.
    assert list(token_signs(ids, 2, 3)) == ["⋯"]


def test_a_look_alike_is_not_drawn_as_a_marker() -> None:
    from inspector.tokens import vocabulary

    ids = vocabulary().encode("<|call|>")
    assert "<|call|>" not in list(token_signs(ids, 0, len(ids)))


def test_blanks_of_an_edit_can_be_seen() -> None:
    assert joined(ids_of(" "), 20) == "·"
    assert joined(ids_of(" to=x "), 20) == "·to=x·"


def test_unknown_ids_are_shown_as_such() -> None:
    assert list(token_signs([-1, 201_089, 2**40], 0, 3)) == ["<?-1>", "<?201089>", f"<?{2**40}>"]


def test_the_summary_counts() -> None:
    assert text_of(founding()).endswith("\n1 error, 1 warning; 1 fix applied; repaired transcript parses\n")
    assert text_of(unmended()).endswith("\n1 error; transcript does not parse\n")
    assert text_of(plain("Hello.")).endswith("\nno findings; transcript parses\n")


def test_the_state_of_a_fix_is_said() -> None:
    inspection = founding()
    off = dataclasses.replace(inspection, repair=dataclasses.replace(inspection.repair, applied=()))
    assert "= fix (unsafe, applied): " in text_of(inspection)
    assert "= fix (unsafe, not applied): " in text_of(off)
    for word in ("HS201@12", "HS201", "duplicate-channel"):
        lines = "\n".join(line.plain for line in report(off, off={word}))
        assert "= fix (unsafe, switched off): " in lines
    chosen = "\n".join(line.plain for line in report(inspection, choices={"HS201@12": 1}))
    assert "= or 1 (unsafe, chosen): " in chosen
    assert "= fix (unsafe, another was chosen): " in chosen


def test_a_predicted_verdict_is_labelled() -> None:
    lines = text_of(founding()).split("\n")
    assert any("accepts" in line and "predicted" not in line for line in lines)
    assert any("(predicted)" in line for line in lines)


class TestLong:
    def test_counts_stand_for_what_is_not_printed(self) -> None:
        text = text_of(many())
        assert text.count("[HS30") == 20
        assert "and 214 more (HS300 156, HS301 58), --all shows them" in text
        assert "more messages, --all shows them" in text
        assert "and 40 more (order 40), --all shows them" in text
        assert "25,000 characters in all" in text

    def test_the_gravest_are_printed(self) -> None:
        assert "info[HS300]" not in text_of(many())

    def test_all_shows_all(self) -> None:
        text = text_of(many(), limits=ALL)
        assert "--all shows them" not in text
        assert text.count("[HS30") == 234

    def test_it_is_quick(self) -> None:
        inspection = many()
        start = time.process_time()
        text_of(inspection)
        # A tenth of this on an idle machine; the time must not grow with what is not printed.
        assert time.process_time() - start < 2


class TestHostile:
    def test_nothing_of_it_reaches_the_terminal(self) -> None:
        assert is_plain(text_of(hostile()))

    def test_nor_as_json_or_in_colour(self) -> None:
        out = io.StringIO()
        print_report(hostile(), Console(file=out, force_terminal=True, width=80, color_system="truecolor"))
        # Rich's own escapes are all of the form ESC [ numbers m; the transcript adds none.
        import re

        rest = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
        assert is_plain(rest)
        assert "\x1b[" in out.getvalue()

    @settings(max_examples=40)
    @given(st.data())
    def test_whatever_the_texts_hold(self, data: st.DataObject) -> None:
        nasty = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
        inspection = data.draw(inspections(nasty))
        width = data.draw(st.integers(60, 200))
        for line in report(inspection, width=width):
            assert is_plain(line.plain)
            assert cell_len(line.plain) <= width


@st.composite
def inspections(draw: st.DrawFn, nasty: st.SearchStrategy[str]) -> Inspection:
    """Inspections that no engine would give, with any text and any place anywhere."""
    ids = tuple(draw(st.lists(st.integers(-5, 201_095) | st.just(2**63), max_size=40)))
    places = st.integers(0, len(ids))

    def span() -> Span:
        return Span(*sorted((draw(places), draw(places))))

    def text() -> str:
        return draw(nasty)

    error = StrictError(text(), draw(places), span(), "E7")
    message = Message(text(), text() * 30, text(), text(), text(), text())
    edits = (Edit(*dataclasses.astuple(span()), ids[:3]),)
    fix = Fix(text(), draw(st.sampled_from(Applicability)), edits=edits)
    severity, effect = draw(st.sampled_from(Severity)), draw(st.sampled_from(Effect))
    found = Diagnostic("HS1", text(), severity, effect, text(), span(), fix, (fix,), text(), text())
    transcript = Transcript(ids, role=text(), id=text(), source=text())
    return Inspection(
        transcript,
        Tree(transcript, ()),
        (Verdict(NEW, "strict", (message,), error, (error,)),),
        (found,),
        Repair(ids, text(), False, error, (message,), (), (found.key,)),
        NextPrompt(NEW, ids, (Drift(text(), "HP1", span(), span(), text()),), draw(st.none() | nasty)),
        Finish(None, text(), text(), text(), True, True, (found,)),
    )


def test_without_a_terminal_there_is_no_escape() -> None:
    out = io.StringIO()
    print_report(founding(), Console(file=out, width=100))
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().split() == text_of(founding()).split()


@pytest.mark.parametrize(("asked", "got"), [(20, 60), (60, 60), (150, 150), (500, 200)])
def test_the_width_has_bounds(asked: int, got: int) -> None:
    out = io.StringIO()
    print_report(founding(), Console(file=out, width=asked))
    widest = max(len(line) for line in out.getvalue().split("\n"))
    assert widest <= got
    assert widest > got // 2
