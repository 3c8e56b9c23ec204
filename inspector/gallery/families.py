"""The families into which the samples are sorted, one per kind of damage, in the order of the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "founding": "The founding report: every error text that started this project",
        "healthy": "Healthy output, to know what right looks like",
        "dup-channel": "More than one channel in a header",
        "channel-bad": "A channel that is none",
        "recipient-position": "The recipient in another place than expected",
        "recipient-name": "A recipient's name that is damaged or unusual",
        "role-garble": "A damaged role",
        "header-junk": "Words in a header that do not belong there",
        "constrain-garble": "The constrain marker in the wrong place",
        "content-type": "Ways to state the content type",
        "tool-channel": "Tool calls outside of commentary",
        "builtin": "Built-in tools",
        "missing-message": "A header that never reaches its body",
        "missing-start": "A message that is not opened, or the one before it not closed",
        "terminator": "The wrong end of a message",
        "truncation": "Output that was cut off",
        "empty": "Messages without content",
        "body-specials": "Markers inside a body",
        "hallucinated-turn": "The model speaks for others",
        "preamble-control": "Preambles: words for the user before a call",
        "special-vocab": "Special tokens that structure nothing, and markers spelled as text",
        "text-leak": "Markers lost on the way, their words left behind",
        "streaming-artefact": "Damage done by a pipeline in between",
        "whitespace-unicode": "White space and look-alike characters",
        "next-prompt": "Read rightly, but the next prompt says something else",
        "serving": "What the server reported does not fit the tokens",
    }
)
"""Name of the family (also the folder under ``samples/``) and its title."""
