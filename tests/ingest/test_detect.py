"""What an input is taken for, in words."""

from __future__ import annotations

import doctest

import pytest

import inspector.ingest.reading
from inspector.ingest import detect, read

WORDS = [
    ("200005 35644 200008", "ids", "token ids, space-separated, 3 tokens"),
    ("[200005, 35644]", "ids", "token ids, a list, 2 tokens"),
    ("(200005, 35644)", "ids", "token ids, a tuple, 2 tokens"),
    ("200005,35644,1", "ids", "token ids, comma-separated, 3 tokens"),
    ("1;2;3", "ids", "token ids, semicolon-separated, 3 tokens"),
    ("1\n2\n3\n", "ids", "token ids, one per line, 3 tokens"),
    ("[200005 35644\n 200008]", "ids", "token ids, a list without commas, 3 tokens"),
    ("array([1, 2], dtype=int64)", "ids", "token ids, as array prints them, 2 tokens"),
    ("tensor([[1, 2], [3, 4]], device='cuda:0')", "ids", "token ids, as tensor prints them, 4 tokens in 2 rows"),
    ("200012", "ids", "token ids, a lone number, 1 token"),
    ("[42]", "ids", "token ids, a list, 1 token"),
    ("<|channel|>final<|message|>x", "text", "text with 2 markers, 28 characters"),
    ("hello", "text", "text without markers, 5 characters"),
    ('{"id": "a", "token_ids": [1]}', "records", "a transcript record (one JSON object)"),
    ('{"token_ids": [1]}\n{"text": "x"}\n', "records", "transcript records (JSON lines), 2 lines"),
    ('[{"token_ids": [1]}]', "records", "transcript records (a JSON array of objects)"),
    ('{\n "text": "x"\n}', "records", "a transcript record (a JSON object)"),
]


@pytest.mark.parametrize(("data", "form", "why"), WORDS)
def test_detection_says_what_it_took_the_input_for(data: str, form: str, why: str) -> None:
    found = detect(data)
    if why.startswith("a transcript record (one"):
        assert (found.format, found.why) == (form, why)
    assert found.format == form
    assert found.why == why
    assert found.confidence > 0.6
    assert detect(data.encode()) == found


@pytest.mark.parametrize(
    "data",
    [
        "42",
        "2024-11-21",
        "3.14 2.71",
        "the 3 of us paid 42, 43 and 44 each",
        "[1] Smith wrote 5 books in 1990",
        "[see](http://x/1)",
        "In 2023, 14 people. In 2024, 15 people.",
        '{"cmd": "ls"}<|call|>',
        '{"a": 1}',
        "analysis12345 67890",
    ],
)
def test_prose_with_numbers_is_text(data: str) -> None:
    assert detect(data).format == "text"


def test_what_could_be_either_is_said_to_be_uncertain() -> None:
    assert detect("42").confidence == 0.5
    assert "choose token ids" in detect("42").why
    assert detect('{"a": 1}').confidence == 0.5
    assert read("42", format="ids").transcripts[0].ids == (42,)


@pytest.mark.parametrize("data", ["[1, NaN, 2]", "[1e5, 2]", "[true]", "200005 35644 abc 200008 12 13 14", "[1, 2.5]"])
def test_a_list_with_something_wrong_in_it_is_still_a_list(data: str) -> None:
    assert detect(data).format == "ids"
    assert read(data).problems


def test_a_broken_first_line_does_not_hide_the_records() -> None:
    assert detect('{bad\n{"token_ids": [1]}').format == "records"
    assert detect('# runs\n{"token_ids": [1]}').format == "records"


def test_the_name_of_a_file_helps() -> None:
    assert detect("oops", "runs.jsonl").format == "records"
    assert detect("oops", "runs.txt").format == "text"


@pytest.mark.parametrize("data", ["", "  \n", b"\xef\xbb\xbf"])
def test_nothing_is_called_nothing(data: str | bytes) -> None:
    loaded = read(data)
    assert loaded.transcripts == ()
    assert "empty" in loaded.problems[0].sentence


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="expected auto, text, ids, records"):
        read("x", format="yaml")


def test_the_documented_examples() -> None:
    assert doctest.testmod(inspector.ingest.reading).failed == 0
