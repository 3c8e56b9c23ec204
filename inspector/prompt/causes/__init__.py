"""Why the next prompt differs from what was emitted: one module per cause.

Each module has the cause's card (``RULE``), its documentation (the module's docstring) and the sentence in
which a difference is told (``SENTENCE``). The documentation can be checked: its example is a transcript in
which the cause occurs, and "Repaired" shows the next prompt that it gives. See :mod:`.examples` for how they
are written.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule
from . import (
    analysis_dropped,
    arguments_reserialised,
    bare_recipient,
    broken_bytes_replaced,
    call_moved_to_commentary,
    constrain_normalised,
    constrain_removed,
    content_before_reasoning,
    content_type_dropped,
    content_type_forced,
    empty_message_dropped,
    final_becomes_preamble,
    header_completed,
    header_junk_dropped,
    header_order,
    header_spacing,
    mended,
    message_lost,
    messages_joined,
    not_representable,
    other,
    poisoned_name,
    preamble_becomes_final,
    recipient_prefixed,
    retokenised,
    special_text_defused,
    terminator_changed,
    tool_result_order,
    tool_result_unmatched,
    truncated_closed,
)

_MODULES: Final = (
    header_order,
    constrain_normalised,
    content_type_forced,
    constrain_removed,
    recipient_prefixed,
    call_moved_to_commentary,
    tool_result_order,
    analysis_dropped,
    content_before_reasoning,
    messages_joined,
    preamble_becomes_final,
    arguments_reserialised,
    terminator_changed,
    truncated_closed,
    message_lost,
    special_text_defused,
    broken_bytes_replaced,
    retokenised,
    header_junk_dropped,
    header_spacing,
    empty_message_dropped,
    not_representable,
    poisoned_name,
    content_type_dropped,
    final_becomes_preamble,
    bare_recipient,
    header_completed,
    tool_result_unmatched,
    mended,
    other,
)

CAUSES: Final[dict[str, Rule]] = {module.RULE.name: module.RULE for module in _MODULES}
"""Every cause by its name, in the order of their codes."""

SENTENCES: Final[dict[str, str]] = {module.RULE.name: module.SENTENCE for module in _MODULES}
"""For every cause the sentence in which a difference is told; see :mod:`inspector.prompt.sentences`."""

__all__ = ["CAUSES", "SENTENCES"]
