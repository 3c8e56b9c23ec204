"""What holds of the strict model for any list of ints."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.harmony.message import ROLES
from inspector.harmony.strict import StrictModel, strict_parse
from inspector.harmony.strict_body import body_text_with_unknown
from inspector.harmony.strict_escapes import debug_string
from inspector.harmony.strict_header import WHITE_SPACE
from inspector.harmony.verdict import Dialect
from inspector.tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, VOCABULARY_SIZE, vocabulary

MARKER = st.sampled_from([START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL])
WORD = st.sampled_from(
    [vocabulary().encode(w)[0] for w in ("assistant", "user", " to", "=", "final", " json", " ", "x")]
)
BYTE = st.integers(0, 255)
ANY = st.integers(-(2**63), 2**63)
IDS = st.lists(st.one_of(MARKER, WORD, BYTE, st.integers(0, VOCABULARY_SIZE + 3), ANY), max_size=40)
ROLE = st.sampled_from([None, *ROLES])
DIALECT = st.sampled_from(list(Dialect))


@given(IDS, ROLE, DIALECT, st.booleans())
def test_any_ints_give_a_verdict_with_places(ids: list[int], role: str | None, dialect: Dialect, strict: bool) -> None:
    verdict = strict_parse(ids, role, dialect, strict=strict, release="some release")
    assert (verdict.release, verdict.mode) == ("some release", "strict" if strict else "lenient")
    at = 0
    for message in verdict.messages:
        assert at <= message.start <= message.body_start <= message.body_end <= message.end <= len(ids)
        at = message.end
    errors = [error for error in (verdict.error, *verdict.later) if error is not None]
    for error in errors:
        assert at <= error.token <= len(ids)
        assert 0 <= error.cause.start <= error.cause.end <= len(ids)
        assert error.kind in {f"E{n}" for n in range(1, 9)}
    # In the order of what is to blame: a header without an end is raised at the end, before what is behind it.
    assert [error.cause.start for error in errors] == sorted(error.cause.start for error in errors)


@given(st.lists(st.one_of(MARKER, WORD), max_size=40), ROLE, DIALECT)
def test_strict_and_lenient_agree_unless_a_stop_ends_a_header(
    ids: list[int], role: str | None, dialect: Dialect
) -> None:
    """The only thing that ``strict=False`` changes."""
    strict = strict_parse(ids, role, dialect)
    if strict.ok and not any(
        stop in ids[message.start : message.body_start] for message in strict.messages for stop in (END, RETURN, CALL)
    ):
        assert strict_parse(ids, role, dialect, strict=False).messages == strict.messages


@given(st.lists(st.one_of(MARKER, WORD), max_size=60), ROLE, DIALECT)
def test_later_errors_are_those_of_the_mended_transcript(ids: list[int], role: str | None, dialect: Dialect) -> None:
    """Take out what was unexpected between messages, and the next error comes first."""
    verdict = strict_parse(ids, role, dialect)
    if verdict.error is None or verdict.error.kind != "E1":
        return
    broken = verdict.error.token
    resumed = next((i for i in range(broken, len(ids)) if ids[i] == START), len(ids))
    mended = strict_parse([*ids[:broken], *ids[resumed:]], role, dialect)
    assert mended.messages[: len(verdict.messages)] == verdict.messages
    errors = [error for error in (mended.error, *mended.later) if error is not None]
    assert [error.text for error in errors] == [error.text for error in verdict.later]
    assert [error.token + resumed - broken for error in errors] == [error.token for error in verdict.later]


def _as_the_library_streams(ids: list[int]) -> str:
    """The obvious slow way: token by token, one broken piece replaced at a time, unknown ids hold all back."""
    text, waiting, held = "", b"", False
    for token in ids:
        piece = vocabulary().token_bytes(token)
        held = held or piece is None
        if held:
            continue
        waiting += piece or b""
        try:
            text, waiting = text + waiting.decode(), b""
        except UnicodeDecodeError as error:
            text += waiting[: error.start].decode()
            if error.reason == "unexpected end of data":
                waiting = waiting[error.start :]
            else:
                text += "\ufffd"
                waiting = waiting[error.end :]
    return text + ("\ufffd" if held else "") + waiting.decode("utf-8", "replace")


# Tokens that hold several broken pieces, or end within a character, besides the single bytes.
PIECES = st.sampled_from([194937, *vocabulary().encode("\U0001f9ff\U00013080\u16a0"), 9050, 200006])


@settings(max_examples=500)
@given(st.lists(st.one_of(BYTE, PIECES), max_size=12), st.lists(st.one_of(BYTE, st.just(201089)), max_size=3))
def test_bodies_are_decoded_as_they_stream(before: list[int], behind: list[int]) -> None:
    ids = [*before, 250_000, *behind]
    assert body_text_with_unknown(ids) == _as_the_library_streams(ids)
    assert body_text_with_unknown(before) == _as_the_library_streams(before)


@pytest.mark.parametrize(
    ("unit", "tail"),
    [
        ((9050,), ()),
        ((9050,), (MESSAGE,)),
        ((CHANNEL,), (MESSAGE,)),
        ((CHANNEL, 17196), (MESSAGE,)),
        ((CONSTRAIN,), (MESSAGE,)),
        ((220,), (MESSAGE,)),
        ((START,), ()),
        ((END,), ()),
        ((START, MESSAGE), ()),
        ((START, 173781, MESSAGE, 9050, END), ()),
        ((START, 173781, 17196, END), ()),
        ((START, MESSAGE, 162, 250_000, END), ()),
        ((194937,), (250_000,)),
        ((10**30,), ()),
    ],
)
@pytest.mark.parametrize("lead", [(), (MESSAGE,), (START, 173781, CHANNEL, 17196)])
def test_cost_is_linear(unit: tuple[int, ...], tail: tuple[int, ...], lead: tuple[int, ...]) -> None:
    """100,000 tokens of anything take well under a second; quadratic work would take minutes."""
    ids = (*lead, *unit * (100_000 // len(unit)), *tail)
    began = time.process_time()
    model = StrictModel(ids)
    for role in (None, "assistant"):
        for dialect in Dialect:
            for strict in (True, False):
                model.parse(role, dialect, strict=strict)
    assert time.process_time() - began < 10


def test_debug_escapes_follow_the_unicode_version_of_the_build() -> None:
    """U+088F and U+20C1 came with Unicode 17, U+10D4E with 16; none of them is known to Python 3.11."""
    for unicode_17 in (False, True):
        assert (
            debug_string("plain words, 'quotes' and caf\u00e9", unicode_17) == "\"plain words, 'quotes' and caf\u00e9\""
        )
        assert debug_string('\0\t\r\n\\"\x07', unicode_17) == '"\\0\\t\\r\\n\\\\\\"\\u{7}"'
        assert (
            debug_string("e\u0301\u200d\U000e0100\U0010ffff", unicode_17) == '"e\\u{301}\\u{200d}\\u{e0100}\\u{10ffff}"'
        )
        assert debug_string("\U00010d4e", unicode_17) == '"\U00010d4e"'
    assert debug_string("\u088f\u20c1", False) == '"\\u{88f}\\u{20c1}"'
    assert debug_string("\u088f\u20c1", True) == '"\u088f\u20c1"'


def test_builds_are_told_apart_by_dialect_or_name() -> None:
    """oss-harmony 0.0.9 speaks the older dialect, but was built with the newer tables."""
    ids = vocabulary().encode("\u088f x y")
    escaped, plain = '"\\u{88f}"', '"\u088f"'
    for dialect, release, expected in [
        (Dialect.FIRST_ONLY, "", escaped),
        (Dialect.FIRST_ONLY, "openai-harmony 0.0.8", escaped),
        (Dialect.FIRST_ONLY, "oss-harmony 0.0.9", plain),
        (Dialect.ALL_CHANNELS, "", plain),
        (Dialect.ALL_CHANNELS, "oss-harmony 0.0.11", plain),
    ]:
        error = strict_parse([*ids, MESSAGE], "assistant", dialect, release=release).error
        assert error is not None
        assert expected in error.text


def test_white_space_is_unicodes() -> None:
    assert [c for c in map(chr, range(0x110000)) if c.isspace() and c not in WHITE_SPACE] == list("\x1c\x1d\x1e\x1f")
    assert len(set(WHITE_SPACE)) == 25
