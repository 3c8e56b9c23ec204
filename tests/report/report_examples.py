"""Inspections made by hand, so that the reports are tested without the engine."""

from __future__ import annotations

from collections.abc import Callable

from inspector.finding import Applicability, Diagnostic, Effect, Fix, Severity
from inspector.harmony.message import Message
from inspector.harmony.tree import Tree
from inspector.harmony.verdict import StrictError, Verdict
from inspector.inspection import AppliedEdit, Inspection, Repair
from inspector.prompt.drift import Drift, NextPrompt
from inspector.serving.finish import Finish
from inspector.tokens import Edit, Span, Transcript, apply_edits, vocabulary

OLD = "openai-harmony 0.0.8"
NEW = "oss-harmony 0.0.11"


def ids_of(text: str) -> tuple[int, ...]:
    return tuple(vocabulary().encode_markers(text))


def plain(text: str, *, content: str | None = None, finish: Finish | None = None) -> Inspection:
    """A transcript in which nothing is found; its one message holds ``content``."""
    ids = ids_of(text)
    messages = (Message("assistant", text if content is None else content, channel="final"),)
    return Inspection(
        transcript=Transcript(ids, source="pasted text"),
        tree=Tree(Transcript(ids), ()),
        strict=(
            Verdict(OLD, "strict", messages, None),
            Verdict(NEW, "strict", messages, None, source="native"),
        ),
        diagnostics=(),
        repair=Repair(ids, "assistant", True, None, messages, (), ()),
        next_prompt=NextPrompt(NEW, ids, ()),
        finish=finish or Finish("stop", None, None, None, False, False),
    )


def founding() -> Inspection:
    """The founding report's first line: two channels in the header of a second message."""
    ids = ids_of(
        "<|channel|>analysis<|message|>Run the tests.<|end|><|start|>assistant<|channel|>analysis"
        "<|channel|>commentary<|message|>I will run the test suite now.<|end|>"
    )
    separator = 15
    assert ids[separator] == 200008
    first = Message("assistant", "Run the tests.", channel="analysis")
    second = Message("assistant", "I will run the test suite now.", channel="analysis")
    error = StrictError("Unknown role: assistant<|channel|>commentary", separator, Span(12, 15), "E6")
    later = StrictError("Unexpected EOS while waiting for message header to complete", len(ids), Span(24, 25), "E2")
    drop = Edit(12, 15)
    keep = Edit(10, 12)
    found = Diagnostic(
        code="HS201",
        name="duplicate-channel",
        severity=Severity.ERROR,
        effect=Effect.RAISES,
        message="The header names two channels, analysis and commentary; the first is kept.",
        span=Span(12, 15),
        fix=Fix("Drop the second channel", Applicability.UNSAFE, edits=(drop,)),
        alternatives=(
            Fix("Keep the last channel, commentary: the text becomes a preamble that a user is shown",
                Applicability.UNSAFE, edits=(keep,)),
        ),
        key="HS201@12",
        note="oss-harmony 0.0.10 and later keep the first; llama.cpp keeps the last.",
    )  # fmt: skip
    told = Diagnostic(
        code="HS502",
        name="no-final",
        severity=Severity.WARNING,
        effect=Effect.MISREADS,
        message="The turn ends without a final message.",
        span=Span(len(ids), len(ids)),
        key="HS502@25",
    )
    repaired = tuple(apply_edits(ids, [drop]))
    return Inspection(
        transcript=Transcript(ids, id="run-7", source="runs.jsonl line 7", finish_reason="length",
                              reported=frozenset({"finish_reason"}), tools=("functions.bash",)),
        tree=Tree(Transcript(ids), ()),
        strict=(
            Verdict(OLD, "strict", (first,), error, (later,)),
            Verdict(NEW, "strict", (first, second), None, source="native"),
            Verdict(OLD, "lenient", (first,), error),
        ),
        diagnostics=(found,),
        repair=Repair(
            repaired, "assistant", True, None, (first, second), (AppliedEdit(drop, (found.key,)),), (found.key,)
        ),
        next_prompt=NextPrompt(
            NEW,
            repaired[:-1] + ids_of("<|call|>"),
            (Drift("closing-token", "HP112", Span(24, 25), Span(21, 22), "Another token closes it."),),
        ),
        finish=Finish("stop", "length", 200007, None, False, False, (told,)),
    )  # fmt: skip


def unmended() -> Inspection:
    """A transcript that stays broken, with a fix that is only shown and a prompt that cannot be rendered."""
    ids = (*ids_of("<|channel|>final to=x to=y"), 999_999, -4, 2**63)
    error = StrictError("could not decode header", len(ids), Span(0, len(ids)), "E3")
    shown = Diagnostic(
        code="HS105", name="unknown-id", severity=Severity.ERROR, effect=Effect.RAISES,
        message="Three ids stand for nothing.", span=Span(len(ids) - 3, len(ids)),
        fix=Fix("Remove them", Applicability.DISPLAY), key="HS105@9",
    )  # fmt: skip
    return Inspection(
        transcript=Transcript(ids, role=None, source="-"),
        tree=Tree(Transcript(ids), ()),
        strict=(Verdict(NEW, "strict", (), error),),
        diagnostics=(shown,),
        repair=Repair(ids, None, False, error, (), (), ()),
        next_prompt=NextPrompt("vLLM 0.32", (), (), "A tool's name holds the text of a special token."),
        finish=Finish(None, None, None, None, False, True),
    )


def hostile() -> Inspection:
    """Terminal escapes, bidirectional overrides, invisible characters, floods of marks, joined emoji."""
    nasty = "\x1b[31mred\x1b]0;title\x07\r\u202egnp.exe\u2066\u200b\u00a0\u3164"
    nasty += "e\u0301\u0301\u0301\u0301\x9b2J\u2028👩\u200d👩\u200d👧"
    base = plain(nasty + "<|end|>", content=f"{nasty}\n\u0301start\ttab\n" + "x" * 3000)
    message = Message(nasty, nasty, name=nasty, channel=nasty, recipient=nasty, content_type=nasty)
    error = StrictError(f"Unknown role: {nasty * 200}", 3, Span(0, 4), "E6")
    found = Diagnostic(
        code="HS999", name="nasty", severity=Severity.INFO, effect=Effect.MISREADS, message=nasty,
        span=Span(0, 9), fix=Fix(nasty, Applicability.SAFE, edits=(Edit(0, 9, ids_of(nasty)),)),
        key=f"HS999@{nasty}", note=nasty,
    )  # fmt: skip
    return Inspection(
        transcript=Transcript(base.transcript.ids, role=nasty, id=nasty, source=nasty, finish_reason=nasty),
        tree=base.tree,
        strict=(Verdict(NEW, "strict", (message,), error),),
        diagnostics=(found,),
        repair=Repair(base.repair.ids, nasty, False, error, (message, *base.repair.messages), (), ()),
        next_prompt=NextPrompt(NEW, (), (Drift("x", "HP1", Span(0, 5), Span(0, 0), nasty),)),
        finish=Finish("stop", nasty, nasty, nasty, True, True),
    )


def many(count: int = 234) -> Inspection:
    """More findings, messages and differences than a report prints, on 131,072 tokens."""
    ids = ids_of("<|start|>assistant<|channel|>final<|message|>word word word<|end|>") * 13_200
    ids = ids[:131_072]
    messages = tuple(Message("assistant", "word " * 5000, channel="final") for _ in range(1800))
    found = tuple(
        Diagnostic("HS300" if i % 3 else "HS301", "odd", Severity.INFO if i % 3 else Severity.WARNING,
                   Effect.MISREADS, f"Finding {i}.", Span(i * 500, i * 500 + 400), key=f"HS30@{i}")
        for i in range(count)
    )  # fmt: skip
    drift = tuple(Drift("order", "HP101", Span(i, i + 90), Span(i, i + 80), f"Difference {i}.") for i in range(50))
    return Inspection(
        transcript=Transcript(ids, source="long.json"),
        tree=Tree(Transcript(ids), ()),
        strict=(Verdict(NEW, "strict", messages, None),),
        diagnostics=found,
        repair=Repair(ids, "assistant", True, None, messages, (), ()),
        next_prompt=NextPrompt(NEW, ids, drift),
        finish=Finish("stop", "stop", None, None, True, False),
    )


EXAMPLES: dict[str, Callable[[], Inspection]] = {
    "founding": founding,
    "unmended": unmended,
    "hostile": hostile,
    "many": many,
    "plain": lambda: plain("<|channel|>final<|message|>Hello.<|return|>", content="Hello."),
}
