"""The invariants of reading and repair, over mutated transcripts and over any ints."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.finding import Severity
from inspector.harmony.message import Message
from inspector.harmony.strict import StrictModel
from inspector.harmony.verdict import Dialect, Verdict
from inspector.repair.engine import Choices, Outcome, diagnose_and_repair
from inspector.tokens import Scan, Transcript, apply_edits, vocabulary
from inspector.tokens.transcript import Origin

HEALTHY = [
    "<|channel|>analysis<|message|>Look at the log first.<|end|><|start|>assistant<|channel|>commentary"
    ' to=functions.read_log <|constrain|>json<|message|>{"path":"/var/log/a"}<|call|>',
    "<|channel|>final<|message|>It is 42.<|return|>",
    ' to=functions.search<|channel|>commentary json<|message|>{"q":"x"}<|call|>',
    "<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final"
    "<|message|>Hello.<|return|>",
    "<|start|>functions.read_log to=assistant<|channel|>commentary<|message|>line 1\nline 2<|end|>",
    "analysisWe should greet.assistantfinalHello there!",
    '<|channel|>analysis to=python code<|message|>print("é 🎉")<|call|>',
]
FRAGMENTS = [
    "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>",
    "assistant", "user", "analysis", "commentary", "final", " to=", "functions.x", " json", "code", '{"a":1}',
    '"', "}", "<|endoftext|>", " We", " think", ".", "\n", "\u200b", "\u202f", "<", "|>", "bash", "assistantfinal",
    "?", "é", "🎉", "to=functions.y",
]  # fmt: skip


def _encode(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


@st.composite
def mutated(draw: st.DrawFn) -> Transcript:
    """A healthy transcript with pieces cut out, put in, doubled and moved."""
    ids = _encode(draw(st.sampled_from(HEALTHY)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(ids)))
        match draw(st.integers(0, 4)):
            case 0:
                del ids[at : at + draw(st.integers(1, 4))]
            case 1 | 2:
                ids[at:at] = _encode(draw(st.sampled_from(FRAGMENTS)))
            case 3:
                piece = ids[at : at + draw(st.integers(1, 6))]
                to = draw(st.integers(0, len(ids)))
                ids[to:to] = piece
            case _:
                ids[at:at] = [draw(st.sampled_from([162, 222, 199999, 200013, 201088, 201089, -1, 2**40, 2**63]))]
    return Transcript(tuple(ids), draw(st.sampled_from(["assistant", "assistant", None])))


anything = st.builds(
    lambda ids, role: Transcript(tuple(ids), role),
    st.lists(
        st.one_of(
            st.integers(0, 260),
            st.integers(199990, 201100),
            st.integers(-(2**63), 2**64 - 1),
            st.sampled_from([200006, 200008]),
        ),
        max_size=40,
    ),
    st.sampled_from(["assistant", "user", "tool", None]),
)
transcripts = st.one_of(mutated(), mutated(), anything)


def judge(scan: Scan, role: str | None) -> Verdict:
    return StrictModel(scan.ids, scan.specials).parse(role, Dialect.ALL_CHANNELS)


def repaired(transcript: Transcript, choices: Choices | None = None) -> Outcome:
    return diagnose_and_repair(transcript, judge, choices)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(transcripts)
def test_every_token_is_in_exactly_one_leaf(transcript: Transcript) -> None:
    at = 0
    for leaf in repaired(transcript).tree.leaves():
        assert leaf.start == at
        assert leaf.end > leaf.start
        at = leaf.end
    assert at == len(transcript.ids)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(transcripts)
def test_repairs_hold(transcript: Transcript) -> None:
    outcome = repaired(transcript)
    after = outcome.repaired.transcript
    assert outcome.error is None
    assert judge(Scan(after.ids), after.role).error is None
    again = repaired(after)
    assert again.edits == ()
    assert [d.key for d in again.diagnostics if d.severity is Severity.ERROR] == []


@settings(max_examples=400, deadline=None, derandomize=True)
@given(transcripts)
def test_edits_are_the_whole_truth(transcript: Transcript) -> None:
    """What the edits do not name survives: the repaired ids are the original with the edits applied."""
    outcome = repaired(transcript)
    assert apply_edits(transcript.ids, [e for e, _ in outcome.edits]) == list(outcome.repaired.transcript.ids)
    keys = {d.key for d in outcome.diagnostics}
    for _, asked in outcome.edits:
        assert asked
        assert set(asked) <= keys


@settings(max_examples=400, deadline=None, derandomize=True)
@given(transcripts)
def test_hands_off(transcript: Transcript) -> None:
    """Without an error-level finding nothing is edited; a transcript that raises always has one."""
    outcome = repaired(transcript)
    errors = [d for d in outcome.diagnostics if d.severity is Severity.ERROR]
    if not errors:
        assert outcome.edits == ()
    if judge(Scan(transcript.ids), transcript.role).error is not None:
        assert errors


@settings(max_examples=200, deadline=None, derandomize=True)
@given(transcripts)
def test_every_fix_can_be_switched_off(transcript: Transcript) -> None:
    keys = frozenset(d.key for d in repaired(transcript).diagnostics)
    outcome = repaired(transcript, Choices(off=keys))
    assert outcome.edits == ()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(transcripts)
def test_every_other_reading_parses_too(transcript: Transcript) -> None:
    contested = [d for d in repaired(transcript).diagnostics if d.alternatives]
    for diagnostic in contested:
        for number, alternative in enumerate(diagnostic.alternatives, start=1):
            outcome = repaired(transcript, Choices(readings={diagnostic.key: number}))
            assert outcome.error is None, alternative.title


def test_messages_read_from_the_repaired_transcript_match_the_releases() -> None:
    """Where our reading can be said in Harmony at all, the newest release reads the same."""
    for text in HEALTHY:
        role = None if text.startswith("<|start|>") else "assistant"
        outcome = repaired(Transcript(tuple(_encode(text)), role))
        after = outcome.repaired.transcript
        verdict = judge(Scan(after.ids), after.role)

        def plain(messages: tuple[Message, ...]) -> list[object]:
            return [m.record() for m in messages]

        assert plain(outcome.repaired.messages) == plain(verdict.messages)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(mutated())
def test_what_was_put_in_is_never_called_the_model_s_own(transcript: Transcript) -> None:
    origins: list[Origin] = ["injected"] * len(transcript.ids)
    found = repaired(replace(transcript, origins=tuple(origins))).diagnostics
    assert not [one for one in found if one.code == "HS407"]


def test_a_result_that_was_put_in_stays_so_when_what_follows_it_is_repaired() -> None:
    called = _encode('<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a":1,"b":2}<|call|>')
    result = _encode("<|start|>functions.add<|channel|>commentary to=assistant<|message|>3<|end|><|start|>assistant")
    said = _encode("<|channel|>analysis<|channel|>final<|message|>It is 3.<|return|>")
    ids = (*called, *result, *said)
    known: list[Origin] = ["sampled"] * len(called)
    known += ["injected"] * len(result)
    known += ["sampled"] * len(said)
    for given_origins, codes in ((tuple(known), ["HS201"]), (None, ["HS407", "HS201"])):
        outcome = repaired(Transcript(ids, "assistant", origins=given_origins))
        assert [one.code for one in outcome.diagnostics] == codes
        assert outcome.error is None
