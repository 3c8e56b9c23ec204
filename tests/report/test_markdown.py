"""The Markdown of an issue, as a Markdown parser reads it: nothing of a transcript gets out of its fence."""

from __future__ import annotations

import re

import pytest
from exporting import SAMPLES, hostile, long_transcript
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from inspector.ingest import Card
from inspector.report.markdown import MOST_CHARACTERS, escaped, export_markdown, fenced
from inspector.report.subject import Subject, inspected, inspected_sample
from inspector.tokens import Transcript, vocabulary

PARSER = MarkdownIt("gfm-like", {"linkify": False})
TITLES = {"What the releases do", "The tokens around it", "The tokens", "Findings", "How to reproduce"}


def parsed(subject: Subject) -> tuple[str, list[Token]]:
    text = export_markdown(subject).decode()
    return text, PARSER.parse(text)


def check(subject: Subject) -> str:
    """Only our own markup is there; returns the text."""
    text, tokens = parsed(subject)
    assert len(text.encode()) <= MOST_CHARACTERS
    for token in tokens:
        assert token.type not in (
            "code_block",
            "table_open",
            "bullet_list_open",
            "ordered_list_open",
            "blockquote_open",
        )
        if token.type == "html_block":
            assert re.fullmatch(r"(</?details( open)?>|<summary><b>[^<>]*</b></summary>|\s)+", token.content)
        for child in token.children or []:
            assert child.type in ("text", "strong_open", "strong_close", "text_special", "html_inline", "softbreak")
            if child.type == "html_inline":
                assert child.content == "<!-- -->"
    first, *titles = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    assert first
    assert set(titles) <= TITLES
    return text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_every_sample_is_an_issue_of_our_own_markup_alone(sample) -> None:
    text = check(inspected_sample(sample))
    for release, error in sample.errors.items():
        assert f"**{release}** raises at" in text
        if error.isascii() and error.isprintable() and len(error) < 400:
            assert error in text
    assert str(list(sample.transcript.ids[:5]))[1:-1] in text


def test_a_hostile_transcript_stays_in_its_fences() -> None:
    text = check(hostile())
    assert "window.pwned=1" in text
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_a_heading_shows_the_title_letter_by_letter() -> None:
    nasty = "*a* _b_ [c](d) <e> `f` #1 @someone $x$ ~z~ www.evil.invalid https://evil.invalid a|b \\ &amp; 1. - +"
    _, tokens = parsed(inspected(SAMPLES[0].transcript, card=Card(nasty, nasty)))
    for start in ("heading_open", "paragraph_open"):
        at = [n for n, token in enumerate(tokens) if token.type == start][0 if start == "heading_open" else 1]
        shown = "".join(c.content for c in tokens[at + 1].children or [] if c.type in ("text", "text_special"))
        assert shown == nasty
    text = export_markdown(inspected(SAMPLES[0].transcript, card=Card(nasty))).decode()
    assert not re.search(r"[@#](someone|1)", text), "nobody is mentioned and nothing is referred to"


@given(st.text(max_size=60))
def test_nothing_closes_a_fence(text: str) -> None:
    tokens = PARSER.parse(fenced(text))
    assert [token.type for token in tokens] == ["fence"]


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_escaped_text_is_text(text: str) -> None:
    tokens = PARSER.parse(f"### {escaped(text)} .")
    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    children = tokens[1].children or []
    assert all(child.type in ("text", "text_special") or child.content == "<!-- -->" for child in children)


def test_a_whole_context_fits_into_an_issue_and_says_what_is_left_out() -> None:
    text = check(inspected(long_transcript()))
    assert "too many for an issue" in text
    assert "further findings not shown here" in text


def test_one_token_run_of_a_megabyte_fits_too() -> None:
    ids = vocabulary().encode_markers("<|channel|>final to=" + "`" * 200_000 + "\n" * 2000 + "x" * 500_000)
    check(inspected(Transcript(tuple(ids), "assistant")))


def test_the_code_to_reproduce_it_has_the_ids() -> None:
    sample = SAMPLES[0]
    text = export_markdown(inspected_sample(sample)).decode()
    code = text.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(code.split("encoding =")[0].replace("from openai_harmony", "#"), names)
    assert names["IDS"] == list(sample.transcript.ids)
