"""Token ids in every notation that people paste, and a sentence for what is none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.ingest import read
from inspector.tokens import START

ANY = st.lists(st.one_of(st.integers(0, 201_100), st.integers(-(2**63), 2**64 - 1)), min_size=1, max_size=40)


def ids(data: str | bytes, **options: object) -> tuple[int, ...]:
    loaded = read(data, format="ids", **options)  # type: ignore[arg-type]
    assert loaded.problems == (), data
    (transcript,) = loaded.transcripts
    return transcript.ids


NOTATIONS = [
    "[{0}]".format,
    "({0})".format,
    "{0}".format,
    "array([{0}])".format,
    "np.array([{0}], dtype=np.int64)".format,
    "tensor([[{0}]], device='cuda:0', dtype=torch.int32)".format,
    "token_ids = [{0}]".format,
    '"output_token_ids": [{0}]'.format,
    "```\n[{0}]\n```".format,
    "list([{0}])".format,
]


@given(ANY, st.sampled_from(NOTATIONS), st.sampled_from([", ", ",", "; ", " ", "\n", ",\n  ", "\r\n", "\t"]))
def test_any_integers_in_any_notation(numbers: list[int], notation: object, separator: str) -> None:
    assert callable(notation)
    assert ids(notation(separator.join(map(str, numbers)))) == tuple(numbers)


def test_numpy_and_python_print_them_so() -> None:
    import numpy as np

    many = np.arange(199_990, 200_090)
    with np.printoptions(threshold=10_000):
        for text in (str(many), repr(many), repr(list(many)), str(many.tolist()), repr(tuple(many.tolist()))):
            assert ids(text) == tuple(many.tolist())
    assert ids(repr([np.int64(5), np.int64(6)])) == (5, 6)


def test_ways_to_write_an_integer() -> None:
    assert ids("200_006, 0x30d46, +5, -7") == (200006, 200006, 5, -7)


def test_an_empty_list_is_an_empty_transcript() -> None:
    loaded = read("[]", format="ids")
    assert ([t.ids for t in loaded.transcripts], loaded.problems) == ([()], ())


def test_rows_are_transcripts() -> None:
    loaded = read("[[1, 2], [3], []]")
    assert [(t.ids, t.id) for t in loaded.transcripts] == [((1, 2), "row 1"), ((3,), "row 2")]


SENTENCES = [
    ("1 2\n3 abc 4", "line 2, column 3: expected an integer, found 'abc'", (1, 2, 3)),
    ("[1, NaN]", "line 1, column 5: expected an integer, found 'NaN'", (1,)),
    ("[1, 1e5]", "line 1, column 5: expected an integer, found '1e5'", (1,)),
    ("[1, true]", "line 1, column 5: expected an integer, found 'true'", (1,)),
    ("[1, 2.0]", "line 1, column 5: expected an integer, found '2.0'", (1,)),
    ("[1, null]", "line 1, column 5: expected an integer, found 'null'", (1,)),
    ('[1, "2"]', "line 1, column 5: expected an integer, found '\"2\"'", (1,)),
    ("[1 2 ... 9]", "line 1, column 6: the list was shortened where it was printed ('...')", (1, 2)),
    ("[1, 2", "line 1, column 6: the list is not closed: expected ']'", (1, 2)),
    ("1, 2]", "line 1, column 5: expected an integer, found a closing ']' that nothing opened", (1, 2)),
    ("[1, 2)", "line 1, column 6: expected an integer, found a closing ')' that nothing opened", (1, 2)),
    ("```\n[1,\n x]\n```", "line 3, column 2: expected an integer, found 'x'", (1,)),
    ("[1, 18446744073709551616]", "line 1, column 5: expected a token id, found a number beyond 64 bits", (1,)),
    ("1\n-9223372036854775809", "line 2, column 1: expected a token id, found a number beyond 64 bits", (1,)),
    ("[1, 0x10000000000000000]", "line 1, column 5: expected a token id, found a number beyond 64 bits", (1,)),
    ("[1, 1" + "_0" * 20 + "]", "line 1, column 5: expected a token id, found a number beyond 64 bits", (1,)),
    ("[1, 0x" + "f" * 100_000 + "]", "line 1, column 5: expected a token id, found a number beyond 64 bits", (1,)),
    ("1 " + "9" * 5000, "line 1, column 3: expected a token id, found a number beyond 64 bits", (1,)),
]


@pytest.mark.parametrize(("data", "sentence", "kept"), SENTENCES)
def test_one_sentence_with_the_place_and_what_came_before_is_kept(
    data: str, sentence: str, kept: tuple[int, ...]
) -> None:
    loaded = read(data, format="ids")
    (problem,) = loaded.problems
    assert problem.sentence.startswith(sentence)
    assert str(problem) == problem.sentence
    assert problem.sentence.startswith(f"line {problem.line}, column {problem.column}: ")
    assert [t.ids for t in loaded.transcripts] == [kept]


def test_nothing_readable_is_no_transcript() -> None:
    loaded = read("abc", format="ids")
    assert loaded.transcripts == ()
    assert len(loaded.problems) == 1


def test_hostile_text_is_escaped_and_cut_in_the_sentence() -> None:
    sentence = read("1 \x1b[31m" + "x" * 500, format="ids").problems[0].sentence
    assert "\x1b" not in sentence
    assert len(sentence) < 200


def test_the_role_by_the_first_token() -> None:
    assert read(f"[{START}, 1]").transcripts[0].role is None
    assert read("[1, 2]").transcripts[0].role == "assistant"
    assert read("[1, 2]", role=None).transcripts[0].role is None
    assert read(f"[{START}]", role="assistant").transcripts[0].role == "assistant"


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    for form in ("ids", "text", "records", "auto"):
        loaded = read(text, format=form)
        assert loaded.transcripts or loaded.problems


@pytest.mark.parametrize("data", ["1 " * 300_000, "[" * 200_000, "[[1]," * 60_000, "1_" * 200_000, "'" * 200_000])
def test_huge_input_costs_linear_time(data: str) -> None:
    begun = time.process_time()
    read(data)
    assert time.process_time() - begun < 5
