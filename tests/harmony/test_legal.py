"""What is legal: the automaton against a regular expression, the releases, and the samples."""

from __future__ import annotations

import re
from collections import deque
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector import inspect
from inspector.gallery import load_samples
from inspector.harmony.grammar import SPECIALS
from inspector.harmony.legal import LOST, Grammar, Walk, grammar, split, structural_positions
from inspector.harmony.message import CHANNELS, ROLES
from inspector.harmony.strict import strict_parse
from inspector.harmony.verdict import Dialect
from inspector.harmony.words import CONTENT_TYPES
from inspector.tokens import (
    CHANNEL,
    CONSTRAIN,
    END,
    MARKERS,
    MESSAGE,
    RETURN,
    START,
    VOCABULARY_SIZE,
    vocabulary,
)

SAMPLES = load_samples()

# The reference: the whole text of a message, written as one expression. Nothing of it is shared with the automaton.
_NAME = (
    r"(?:python|browser|container|(?!(?:analysis|commentary|final))(?!(?:assistant|user|system|developer)[A-Za-z])"
    r"[A-Za-z_][\w-]*(?:\.[\w-]+)+)"
)
_AUTHOR = r"(?!(?:assistant|user|system|developer))" + _NAME
_TYPE = rf"(?: (?:<\|constrain\|>)?(?:{'|'.join(sorted(CONTENT_TYPES))}))?"
_BODY = r"<\|message\|>[^<]*"
_CALLS = "(?:analysis|commentary)"
_MESSAGE = re.compile(
    rf"(?:(?P<other>user|system|developer){_BODY}<\|end\|>"
    rf"|assistant<\|channel\|>{_CALLS}{_BODY}<\|end\|>"
    rf"|assistant<\|channel\|>final{_BODY}<\|(?:end|return)\|>"
    rf"|assistant<\|channel\|>{_CALLS} to={_NAME}{_TYPE}{_BODY}<\|call\|>"
    rf"|assistant to={_NAME}<\|channel\|>{_CALLS}{_TYPE}{_BODY}<\|call\|>"
    rf"|{_AUTHOR} to=assistant<\|channel\|>{_CALLS}{_BODY}<\|end\|>"
    rf"|{_AUTHOR}<\|channel\|>{_CALLS} to=assistant{_BODY}<\|end\|>)",
    re.ASCII,
)

WORDS = (
    *ROLES, *CHANNELS, " to=", "to", "=", " ", "functions.ls", "functions", ".", "python", "browser.open", "json", "x",
    " json", " code", "code", "assistantfinal", "user_data.find", "to=assistant", " to=assistant", "commentary.x", "-",
    "9", "é",
)  # fmt: skip
PIECES = st.one_of(
    st.sampled_from([f"<|{MARKERS[token]}|>" for token in SPECIALS]),
    st.sampled_from(WORDS),
    st.text("azZ_.-9 =", max_size=3),
)


def encode(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


def end_of(rules: Grammar, state: int, ids: list[int]) -> int:
    for token in ids:
        state = rules.advance(state, token)
        if state == LOST:
            return LOST
    return state


@given(st.lists(PIECES, max_size=9))
def test_a_message_is_well_formed_when_the_expression_says_so(pieces: list[str]) -> None:
    text = "<|start|>" + "".join(pieces)
    rules = grammar()
    state = end_of(rules, rules.between, encode(text))
    expected = _MESSAGE.fullmatch(text.removeprefix("<|start|>")) is not None
    assert (state in {rules.behind(END), rules.behind(RETURN)}) == expected


def _headers() -> list[str]:
    names = ["functions.ls", "python", "browser.open", "user_data.find", "a.b.c-d_9"]
    types = ["", " json", " <|constrain|>json", " code"]
    out = [f"assistant<|channel|>{channel}" for channel in CHANNELS]
    out += ["user", "system", "developer"]
    for name in names:
        for channel in ("analysis", "commentary"):
            out += [f"assistant<|channel|>{channel} to={name}{kind}" for kind in types]
            out += [f"assistant to={name}<|channel|>{channel}{kind}" for kind in types]
            if not name.startswith("user"):
                out += [f"{name} to=assistant<|channel|>{channel}", f"{name}<|channel|>{channel} to=assistant"]
    return out


HEADERS = _headers()


@pytest.mark.parametrize("header", HEADERS)
def test_what_is_well_formed_is_read_alike_by_all_releases(header: str) -> None:
    """And says what it seems to say: role, channel, recipient and content type."""
    stops = [
        stop for stop in ("<|end|>", "<|return|>", "<|call|>") if _MESSAGE.fullmatch(f"{header}<|message|>Hm.{stop}")
    ]
    assert stops
    for stop in stops:
        ids = encode(f"<|start|>{header}<|message|>Hm.{stop}")
        assert Walk(ids, None).illegal == []
        verdicts = [strict_parse(ids, None, dialect) for dialect in Dialect]
        assert all(verdict.ok for verdict in verdicts)
        first, second = (verdict.messages for verdict in verdicts)
        assert first == second
        (message,) = first
        channel = re.search(r"<\|channel\|>(\w+)", header)
        recipient = re.search(r" to=(\S+?)(?= |<|$)", header)
        kind = re.search(r" (<\|constrain\|>\w+|json|code)$", header)
        assert message.channel == (channel[1] if channel else None)
        assert message.recipient == (recipient[1] if recipient else None)
        assert message.content_type == (kind[1] if kind else None)
        speaker = re.match(r"[\w.-]+", header)
        assert speaker is not None
        assert (message.name or message.role) == speaker[0]


BIT = st.integers(0, 2**20)


@given(st.lists(BIT, min_size=1, max_size=40), st.sampled_from([None, "assistant", "user"]))
def test_no_dead_ends_and_what_is_legal_parses(choices: list[int], role: str | None) -> None:
    """Any row of legal tokens can be completed; completed, every release reads it, and reads it alike."""
    rules = grammar()
    state = rules.between if role is None else rules.header(role)
    ids: list[int] = []
    for choice in choices:
        # The first half of the choices takes markers where there are some: bodies would swallow everything.
        markers = sorted(rules.legal(state).specials)
        legal = markers if markers and choice % 2 else np.flatnonzero(rules.mask(state)).tolist()
        token = legal[(choice // 2) % len(legal)]
        ids.append(token)
        state = rules.advance(state, token)
        assert state != LOST
    ids += completion(rules, state)
    assert Walk(ids, role).illegal == []
    verdicts = [strict_parse(ids, role, dialect) for dialect in Dialect]
    assert all(verdict.ok for verdict in verdicts)
    assert verdicts[0].messages == verdicts[1].messages
    if ids:
        again = inspect(ids, role=role).next_prompt
        assert again is not None
        assert again.error is None


def completion(rules: Grammar, state: int) -> list[int]:
    """The shortest way to where a transcript may end, by search over single bytes and markers."""
    symbols = (*range(256), *SPECIALS)  # ids below 256 are the single bytes
    seen = {state}
    waiting: deque[tuple[int, list[int]]] = deque([(state, [])])
    while waiting:
        here, ids = waiting.popleft()
        if rules.may_end(here):
            return ids
        for token in symbols:
            following = rules.advance(here, token)
            if following != LOST and following not in seen:
                seen.add(following)
                waiting.append((following, [*ids, token]))
    raise AssertionError(f"nothing completes state {state}")


@pytest.mark.parametrize(
    "options", [{}, {"tools": ("functions.ls", "bash", "日本", "no name")}, {"only_declared": True}]
)
def test_every_state_can_be_completed_and_says_what_is_legal(options: dict[str, object]) -> None:
    rules = grammar(**options)  # type: ignore[arg-type]
    for state in range(rules.states):
        completion(rules, state)
        legal = rules.legal(state)
        assert legal.markers or legal.text
        assert all(marker.why.endswith(".") for marker in legal.markers)
        for wording in legal.text:
            for word in wording.words:
                # What is offered can be written.
                assert end_of(rules, state, vocabulary().encode(word)) != LOST


@pytest.mark.parametrize("state", ["between", "assistant", "channel", "recipient", "body"])
def test_the_mask_is_the_predicate(state: str) -> None:
    rules = grammar()
    begun = {
        "between": rules.between,
        "assistant": rules.header("assistant"),
        "channel": end_of(rules, rules.header("assistant"), [CHANNEL]),
        "recipient": end_of(rules, rules.header("assistant"), encode("<|channel|>analysis to=fun")),
        "body": rules.body("assistant", "final", None),
    }[state]
    mask = rules.mask(begun)
    assert mask.shape == (VOCABULARY_SIZE,)
    fresh = Grammar()  # remembers nothing of what the mask may have asked
    assert all(bool(mask[token]) == (fresh.advance(begun, token) != LOST) for token in range(0, VOCABULARY_SIZE, 7))
    assert all(bool(mask[token]) == fresh.legal(begun).is_legal(token) for token in (*SPECIALS, 0, 200000, 199999))
    assert {t for t in np.flatnonzero(mask).tolist() if t >= 199998} == rules.legal(begun).specials


def test_declared_tools() -> None:
    closed = grammar(("functions.ls", "bash"), True)
    loose = grammar(("bash",))
    call = "<|channel|>commentary to={} <|constrain|>json<|message|>{{}}<|call|>"
    for name, allowed in [
        ("bash", (True, True)),
        ("functions.ls", (True, True)),
        ("functions.rm", (False, True)),
        ("zsh", (False, False)),
    ]:
        ids = encode(call.format(name))
        assert (not Walk(ids, "assistant", closed).illegal, not Walk(ids, "assistant", loose).illegal) == allowed
    assert (
        not grammar((), True)
        .legal(end_of(grammar((), True), grammar((), True).header("assistant"), encode("<|channel|>commentary")))
        .text
    )


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.family == "healthy"], ids=lambda s: s.name)
def test_healthy_samples_are_legal_at_every_token(sample) -> None:
    walk = Walk(sample.transcript.ids, sample.transcript.role)
    assert walk.illegal == []
    for position, token in enumerate(sample.transcript.ids):
        legal = walk.at(position)
        assert legal is not None
        assert legal.is_legal(token)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.errors], ids=lambda s: s.name)
def test_what_breaks_a_release_is_illegal_by_then(sample) -> None:
    """The first token that is not legal stands where a release raises, or before; but for what was cut off."""
    found = inspect(sample.transcript)
    walk = Walk(sample.transcript.ids, sample.transcript.role)
    raised = [v.error.token for v in found.strict if v.error is not None and v.mode == "strict"]
    if sample.name in {"cut-after-channel", "cut-in-header"}:
        assert walk.illegal == []
        assert raised == [len(sample.transcript.ids)] * 2
        assert not walk.at(len(sample.transcript.ids)).may_end
        return
    assert walk.illegal[0] <= min(raised)


# Samples that no release breaks on, with findings, in which every token is legal: it is the content, the order of the
# turns, or what a server said of it that is wrong.
LEGAL_THROUGHOUT = {
    "builtin-python", "builtin-undeclared", "singular-prefix", "json-with-a-bracket-too-many", "cut-in-arguments",
    "empty-answer", "empty-arguments", "invented-tool-result", "cut-call-reported-as-call", "glued-to-the-recipient",
    "next-question-invented",
}  # fmt: skip


def test_what_is_found_without_a_break_is_illegal_where_the_finding_is() -> None:
    legal, beside = set(), set()
    for sample in SAMPLES:
        found = inspect(sample.transcript)
        if sample.errors or not sample.rules:
            continue
        walk = Walk(sample.transcript.ids, sample.transcript.role)
        spans = [d.span for d in (*found.diagnostics, *found.finish.findings)]
        if not walk.illegal:
            legal.add(sample.name)
        elif not any(span.start <= walk.illegal[0] <= span.end for span in spans):
            beside.add(sample.name)
    assert legal == LEGAL_THROUGHOUT
    # One token beside: "to" might have begun a tool's name; a blank before what is said of the marker behind it.
    assert beside == {"recipient-for-role", "structured-answer"}


def test_structural_positions_are_headers_and_specials() -> None:
    text = "<|channel|>analysis<|message|>One two<|start|> three.<|end|>"
    text += "<|start|>assistant<|channel|>final<|message|>Four.<|return|>"
    ids = encode(text)
    found = structural_positions(ids, "assistant")
    inside = [i for i, _ in found if ids[i] not in SPECIALS]
    assert [vocabulary().decode([ids[i]]) for i in inside] == ["analysis", "assistant", "final"]
    assert {i for i, token in enumerate(ids) if token in SPECIALS} < {i for i, _ in found}
    assert [i for i, legal in found if not legal.is_legal(ids[i])] == [ids.index(START)]


def test_a_header_that_went_astray_is_judged_again_in_its_body() -> None:
    ids = encode("<|channel|>final<|channel|>commentary<|message|>x<|return|>")
    walk = Walk(ids, "assistant")
    assert walk.illegal == [ids.index(CHANNEL, 1)]
    assert walk.at(ids.index(CHANNEL, 1) + 1) is None
    body = walk.at(ids.index(MESSAGE) + 1)
    assert body is not None
    assert body.specials == {END, RETURN}  # as oss-harmony reads it: channel final


def test_split_adds_up() -> None:
    legal = grammar().legal(grammar().header("assistant"))
    to = encode(" to")[0]
    top = [(CHANNEL, log(0.5)), (to, log(0.125)), (END, log(0.25)), (250_000, log(0.0625))]
    assert split(top, legal) == pytest.approx((0.625, 0.3125, 0.0625))
    assert split([], legal) == (0.0, 0.0, 1.0)
    assert split([(CHANNEL, 1e-9), (END, -1e300)], legal) == (1.0, 0.0, 0.0)


ANY = st.lists(st.one_of(st.sampled_from(SPECIALS), st.integers(0, 255), st.integers(-(2**63), 2**63)), max_size=30)


@given(ANY, st.sampled_from([None, *ROLES]))
def test_any_ints_can_be_walked(ids: list[int], role: str | None) -> None:
    walk = Walk(ids, role)
    assert walk.illegal == sorted(set(walk.illegal))
    for position, token in enumerate(ids):
        legal = walk.at(position)
        assert (legal is not None and not legal.is_legal(token)) == (position in walk.illegal)
    runs = walk.runs()
    for position in range(len(ids) + 1):
        assert [state for start, state in runs if start <= position][-1] == walk.state(position)
    # Wherever nothing can be said, it is because something before it in this header was not legal.
    lost = [p for p in range(len(ids) + 1) if walk.at(p) is None]
    assert all(any(i < p for i in walk.illegal) for p in lost)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown role 'Assistant'"):
        Walk([CONSTRAIN], "Assistant")
    with pytest.raises(IndexError):
        grammar().legal(LOST)
