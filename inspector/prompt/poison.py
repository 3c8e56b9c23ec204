"""Special-token text where a name belongs.

A tool name such as ``bash<|channel|>commentary`` (leaked by an older server, sent back by the client) is only
text in the next prompt. vLLM 0.32, though, encodes the recipient a second time when it rewrites a call's
header, and oss-harmony's ``encode`` refuses text that spells a special token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..harmony.message import Message
from ..tokens import FIRST_SPECIAL, VOCABULARY_SIZE, Span, special_text
from .drift import Poison
from .plan import PromptMessage

_SPELLED: Final = frozenset(special_text(token) for token in range(FIRST_SPECIAL, VOCABULARY_SIZE))
_LOOKS_SPECIAL: Final = re.compile(r"<\|[a-z_]++\d*+\|>")


def spelled_special(text: str | None) -> str | None:
    """The first special token of Harmony that ``text`` spells out, or None."""
    if not text or "<|" not in text:
        return None
    return next((m.group() for m in _LOOKS_SPECIAL.finditer(text) if m.group() in _SPELLED), None)


def find_poison(messages: Sequence[Message]) -> tuple[Poison, ...]:
    """Every name, recipient and channel that spells a special token, in order."""
    found: list[Poison] = []
    for index, message in enumerate(messages):
        for field in ("name", "recipient", "channel"):
            text = spelled_special(getattr(message, field))
            if text is not None:
                place = (message.start, message.body_start) if message.start >= 0 else (0, 0)
                found.append(Poison(index, field, text, Span(*place)))
    return tuple(found)


def refusal(message: PromptMessage) -> str | None:
    """The error with which vLLM 0.32 refuses to write this message's header, or None.

    It is oss-harmony 0.0.11's, to the letter. Only calls are rewritten; other headers may spell anything.
    """
    if message.role != "assistant" or message.content_type is None:
        return None
    token = spelled_special(message.recipient)
    if token is None:
        return None
    return (
        f"Encountered text corresponding to disallowed special token {token!r}.\n"
        "If you want this text to be encoded as a special token, "
        f"pass it to `allowed_special`, e.g. `allowed_special={{'{token}', ...}}`.\n"
        "If you want this text to be encoded as normal text, disable the check for this token "
        f"by passing `disallowed_special=(enc.special_tokens_set - {{'{token}'}})`.\n"
        "To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    )
