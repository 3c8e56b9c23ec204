"""Text inside Streamlit's Markdown shows exactly its characters."""

from __future__ import annotations

import re

import pytest

from inspector.ui.plain import as_markdown


@pytest.mark.parametrize(
    "text",
    ["<b>x</b>", "**x** _y_ `z`", "[a](http://x)", "$x$ and :red[x] :smile:", "# head", "a | b", "~~x~~", "1. x"],
)
def test_punctuation_is_escaped(text: str) -> None:
    shown = as_markdown(text)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown) == text
    assert not re.search(r"(?<!\\)[<*_`\[$#|~:]", shown)


def test_lines_and_invisible_characters() -> None:
    assert as_markdown("a\n\nb\tc") == "a b c"
    assert as_markdown("a\u202eb\x1b") == r"aU\+202EbU\+001B"
