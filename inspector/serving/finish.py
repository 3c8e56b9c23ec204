"""What the tokens say about finish and stop reasons, against what was reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..finding import Diagnostic
from ..harmony.message import Message
from ..harmony.verdict import Verdict
from ..tokens import Transcript


@dataclass(frozen=True, slots=True)
class Finish:
    """How the generation ended.

    Attributes:
        expected: OpenAI's word for it ("stop", "length", "tool_calls"), or None when it cannot be known.
        reported: what the record stated, None when it stated nothing.
        stop_expected: vLLM's stop_reason as the tokens say it should be (an id, or None for the primary EOS).
        stop_reported: as the record stated it.
        stop_stated: False when the record did not speak of a stop reason at all.
        truncated: True when generation was cut (no terminator).
        findings: what does not fit, the lost-call alarm first.
    """

    expected: str | None
    reported: str | None
    stop_expected: str | int | None
    stop_reported: str | int | None
    stop_stated: bool
    truncated: bool
    findings: tuple[Diagnostic, ...] = ()


def judge_finish(
    transcript: Transcript,
    messages: Sequence[Message],
    verdicts: Iterable[Verdict] = (),
    wanted: Callable[[str, str], bool] | None = None,
) -> Finish:
    """How ``transcript`` ended, and what does not fit. Never raises; linear in the last turn's length.

    Args:
        transcript: with the reasons that were reported, and in ``meta`` what the rules can use:
            ``tool_choice`` of the request, ``tool_calls`` (or ``message``) of the answer, ``endpoint`` (where it is
            "completions", "generate" or "engine" a tool call is reported as stop).
        messages: the tolerant reading of ``transcript`` itself (not of a repaired one: their places are used).
        verdicts: the releases' strict verdicts on it; they spare reading the tokens again.
        wanted: which rules to report, by code and name; all of them without it.

    Of a whole conversation (role None) only the assistant's messages at its end count, and without a reported
    reason a prompt or a history is not judged: ``expected`` is None then.
    """
    from .ending import Ending, How
    from .rules import check_all

    ending = Ending(transcript, messages, verdicts)
    return Finish(
        expected=ending.expected,
        reported=ending.finish,
        stop_expected=ending.stop_expected,
        stop_reported=ending.stop,
        stop_stated=ending.stop_stated,
        truncated=ending.judged and ending.how is How.CUT,
        findings=tuple(d for d in check_all(ending) if wanted is None or wanted(d.code, d.name)),
    )
