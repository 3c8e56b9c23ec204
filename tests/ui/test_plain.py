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
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown.replace(":small[]", "")) == text
    assert not re.search(r"(?<!\\)[<*_`\[$#|~:]", shown.replace(":small[]", ""))


@pytest.mark.parametrize(
    "command",
    ["harmonylens inspect FILE", "harmonylens scan FILE", "harmonylens app --allow-live --allow-start", "make app"],
)
def test_a_command_of_ours_is_shown_as_code(command: str) -> None:
    assert as_markdown(f"[cut off]; use `{command}` for *one*.") == rf"\[cut off\]\; use `{command}` for \*one\*\."


@pytest.mark.parametrize(
    "text",
    [
        "`rm FILE`",
        "`harmonylens <b>x</b>`",
        "`harmonylens inspect $x$`",
        "`harmonylens http://x.y`",
        "`harmonylens :red[x]`",
        "``harmonylens inspect FILE`",
        "`harmonylens inspect FILE``",
        "\\`harmonylens inspect FILE`",
        "`harmonylens inspect FILE",
    ],
)
def test_whatever_else_stands_in_backticks_is_text(text: str) -> None:
    shown = as_markdown(text)
    assert re.search(r"(?<!\\)`", shown.replace("\\\\", "")) is None


def test_lines_and_invisible_characters() -> None:
    assert as_markdown("a\n\nb\tc") == "a b c"
    assert as_markdown("abc@99 is") == r"abc\@99 is", "no address"
    assert as_markdown("a\u202eb\x1b") == r"aU\+202EbU\+001B"


@pytest.mark.parametrize("text", ["http://x.y", "see HTTPS://x.y/z", "www.x.y", "a.b@c.org"])
def test_addresses_do_not_become_links(text: str) -> None:
    shown = re.sub(r"\\(.)", r"\1", as_markdown(text))
    assert not re.search(r"(?i)https?://|www(?=\.)|[-.\w+]@", shown)
    assert shown.replace(":small[]", "") == text
    assert shown.isprintable(), "nothing invisible is copied along"


def test_characters_without_a_width_are_named() -> None:
    assert as_markdown("a\u3164\u034f\U000e0041b") == r"aU\+3164U\+034FU\+E0041b"
