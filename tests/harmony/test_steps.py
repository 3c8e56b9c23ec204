"""The parser step by step: its states over known transcripts, and what holds for any ints."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.gallery import load_samples
from inspector.harmony.message import ROLES
from inspector.harmony.steps import ParserState, steps
from inspector.harmony.strict import strict_parse
from inspector.harmony.verdict import Dialect
from inspector.tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, vocabulary

NEW, OLD = Dialect.ALL_CHANNELS, Dialect.FIRST_ONLY


def encode(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


def test_a_healthy_turn_changes_its_state_at_six_tokens() -> None:
    ids = encode("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>")
    found = steps(ids, "assistant", NEW, release="oss-harmony 0.0.11")
    separators = [i for i, token in enumerate(ids) if token == MESSAGE]
    end = ids.index(END)
    assert found.error is None
    assert found.stopped is None
    assert found.states == (
        ParserState("Header", "assistant"),
        ParserState("Content", "assistant", "analysis", since=separators[0] + 1),
        ParserState("ExpectStart", messages=1, since=end + 1),
        ParserState("Header", messages=1, since=end + 2),
        ParserState("Content", "assistant", "final", messages=1, since=separators[1] + 1),
        ParserState("ExpectStart", messages=2, since=len(ids)),
    )
    assert found.changes() == [separators[0], end, end + 1, separators[1], len(ids) - 1]
    assert found.at(0) == found.states[0]
    assert found.at(separators[1]) == found.states[3]
    assert found.at(len(ids)) == found.end == found.states[-1]


def test_it_stops_behind_the_token_that_raises() -> None:
    ids = encode("<|start|>final<|message|>Yes.<|end|>")
    found = steps(ids, None, OLD, release="openai-harmony 0.0.8")
    assert found.error is not None
    assert (found.error.token, found.error.text, found.error.kind) == (2, "Unknown role: final", "E6")
    assert found.at(2) == ParserState("Header", since=1)
    assert found.stopped == 3
    assert found.at(3) is found.at(len(ids)) is found.end is None
    with pytest.raises(IndexError, match="stopped at token 2"):
        found.raises(3, END)
    with pytest.raises(IndexError, match=r"0\.\.6"):
        found.at(len(ids) + 1)


def test_a_cut_header_raises_at_the_end() -> None:
    ids = encode("<|channel|>analysis")
    found = steps(ids, "assistant", NEW)
    assert found.error is not None
    assert found.error.token == len(ids)
    assert found.stopped is None
    assert found.at(len(ids)) == ParserState("Header", "assistant")
    assert found.end is None


def test_lenient_keeps_the_first_message_and_drops_the_others() -> None:
    ids = encode(
        "<|channel|>analysis to=x<|end|><|start|>assistant<|end|><|start|>assistant<|channel|>final<|message|>a"
    )
    found = steps(ids, "assistant", NEW, strict=False)
    assert [s.state for s in found.states] == ["Header", "ExpectStart", "Header", "ExpectStart", "Header", "Content"]
    assert [s.messages for s in found.states] == [0, 1, 1, 1, 1, 1]
    assert found.end == ParserState("ExpectStart", messages=2, since=len(ids))


@pytest.mark.parametrize("sample", load_samples(), ids=lambda s: s.name)
def test_it_ends_as_the_strict_model_does(sample) -> None:
    ids, role = sample.transcript.ids, sample.transcript.role
    for dialect in Dialect:
        for strict in (True, False):
            found, verdict = steps(ids, role, dialect, strict=strict), strict_parse(ids, role, dialect, strict=strict)
            if verdict.error is None:
                assert found.error is None
                assert found.end is not None
                assert found.end.messages == len(verdict.messages)
            else:
                assert found.error == (verdict.error.token, verdict.error.text, verdict.error.kind)


MARKER = st.sampled_from([START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL])
WORD = st.sampled_from([encode(w)[0] for w in ("assistant", "user", " to", "=", "final", " json", " ", "x")])
IDS = st.lists(st.one_of(MARKER, WORD, st.integers(0, 255), st.integers(-(2**63), 2**63)), max_size=40)


@given(IDS, st.sampled_from([None, *ROLES]), st.sampled_from(list(Dialect)), st.booleans())
def test_any_ints_give_states_that_fit(ids: list[int], role: str | None, dialect: Dialect, strict: bool) -> None:
    found = steps(ids, role, dialect, strict=strict)
    verdict = strict_parse(ids, role, dialect, strict=strict)
    assert (found.error is None) == verdict.ok
    if found.error is not None and verdict.error is not None:
        assert found.error == (verdict.error.token, verdict.error.text, verdict.error.kind)
    read = len(ids) if found.error is None else min(found.error.token + 1, len(ids))
    for position in range(read):
        raised = found.raises(position, ids[position])
        last = found.error is not None and position == found.error.token
        assert raised == (found.error.text if found.error is not None and last else None)
        before, after = found.at(position), found.at(position + 1)
        assert before is not None
        assert (after is None) == last
        # A state is another one exactly where one begins.
        assert (before != after) == (last or position in found.changes())


def test_what_is_accepted_in_a_header_shows_at_its_end() -> None:
    found = steps(encode("<|start|>assistant<|channel|>final two words more"), None, OLD)
    assert found.raises(2, END) is None
    assert found.raises(2, MESSAGE) is None
    assert found.raises(len(found.ids), CHANNEL) is None
    assert found.raises(len(found.ids), MESSAGE) == 'unexpected tokens remaining in message header: Some("two")'
    assert found.raises(0, MESSAGE) == "Unexpected token 200008 while expecting start token 200006"


@pytest.mark.parametrize(
    "unit", [(9050,), (START,), (MESSAGE,), (START, MESSAGE, END), (START, 173781, CHANNEL, 17196, MESSAGE, 9050, END)]
)
def test_cost_is_linear_and_states_are_few(unit: tuple[int, ...]) -> None:
    ids = unit * (131_072 // len(unit))
    began = time.process_time()
    found = steps(ids, "assistant" if unit[0] != START else None, NEW)
    for position in range(0, len(ids), 7):
        found.at(position)
    assert time.process_time() - began < 5
    assert len(found.states) <= 2 + 3 * ids.count(MESSAGE)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown role 'bot'"):
        steps([], "bot", NEW)
