"""Hostile text made fit for a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from inspector.report.visible import clip, pad, visible, width_of, wrap

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def is_plain(text: str) -> bool:
    """Printable characters and blanks only, by Unicode's categories and not by how visible() decides."""
    return all(c == " " or unicodedata.category(c)[0] in "LMNPS" for c in text)


@given(ANY_TEXT)
@example("\x1b[31m\x07\x9b2J\u202e\u200b\u2028\ud800\U000e0041")
def test_only_printable_characters_are_left(text: str) -> None:
    assert is_plain(visible(text))


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_ascii_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc", "a↵b⇥c"),
        ("\x1b[2J", "␛[2J"),
        ("\x00\x7f", "␀␡"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u00a0b\u200bc", "a<U+00A0>b<U+200B>c"),
        ("\u3164\u2800\ufe00", "<U+3164><U+2800><U+FE00>"),
        ("e\u0301", "e\u0301"),
        ("\u0301", "<U+0301>"),
        ("e\u0301\u0301\u0301", "e\u0301\u0301<U+0301>"),
        ("naïve 漢字 🎉", "naïve 漢字 🎉"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT.map(visible), st.integers(1, 60))
def test_a_clipped_text_fits_and_says_that_it_was_cut(text: str, cells: int) -> None:
    clipped = clip(text, cells)
    assert width_of(clipped) <= cells
    assert clipped == text or clipped.endswith("…")


@given(ANY_TEXT.map(visible), st.integers(2, 60))
def test_wrapped_lines_fit_and_lose_only_blanks(text: str, cells: int) -> None:
    lines = wrap(text, cells)
    assert all(cell_len(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_padding_counts_cells() -> None:
    assert pad("漢", 4) == "漢  "
    assert pad("long", 2) == "long"
