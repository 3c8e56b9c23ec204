"""What the tokens say about finish and stop reasons, against what was reported."""

from __future__ import annotations

from dataclasses import dataclass

from ..finding import Diagnostic


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
