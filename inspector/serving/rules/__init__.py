"""The finish rules, one module each: a card (``RULE``) and a check over an :class:`~..ending.Ending`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from ...finding import Diagnostic, Rule
from ..ending import Ending
from . import (
    arguments_cut,
    builtin_on_chat,
    call_ended_by_return,
    finish_mismatch,
    lost_call,
    no_final_message,
    non_spec_reason,
    raw_output_shown,
    stop_mismatch,
    tokens_after_call,
    tokens_lost,
    tool_calls_without_call,
    truncated,
    truncated_as_tool_calls,
    wrong_terminator,
)


class FinishRule(Protocol):
    """A module in here."""

    RULE: Rule

    def check(self, ending: Ending) -> Iterator[Diagnostic]:
        """What the rule finds in an end."""


MODULES: Final[tuple[FinishRule, ...]] = (
    lost_call,
    truncated_as_tool_calls,
    tool_calls_without_call,
    call_ended_by_return,
    wrong_terminator,
    non_spec_reason,
    no_final_message,
    truncated,
    tokens_lost,
    builtin_on_chat,
    arguments_cut,
    tokens_after_call,
    finish_mismatch,
    stop_mismatch,
    raw_output_shown,
)

RULES: Final[tuple[Rule, ...]] = tuple(module.RULE for module in MODULES)
"""The cards, by code."""


def check_all(ending: Ending) -> tuple[Diagnostic, ...]:
    """Every finding about an end: the lost-call alarm first, then the worst first, then by code."""
    if not ending.judged:
        return ()
    found = [diagnostic for module in MODULES for diagnostic in module.check(ending)]
    alarm = lost_call.RULE.code
    return tuple(sorted(found, key=lambda d: (d.code != alarm, -d.severity.rank, d.code, d.span)))
