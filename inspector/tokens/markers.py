"""The special tokens of o200k_harmony that structure a transcript, and the numbers of its vocabulary.

Ids and names were read off oss-harmony 0.0.11's embedded table and compared with tiktoken's
``o200k_harmony`` over the whole range. The two tables differ at exactly two ids: 200018 is
``<|endofprompt|>`` in tiktoken and ``<|reserved_200018|>`` in Harmony (we show Harmony's name), and 201088
exists in Harmony only.
"""

from __future__ import annotations

from typing import Final

STARTOFTEXT: Final = 199998
ENDOFTEXT: Final = 199999
RETURN: Final = 200002
CONSTRAIN: Final = 200003
CHANNEL: Final = 200005
START: Final = 200006
END: Final = 200007
MESSAGE: Final = 200008
CALL: Final = 200012

FIRST_SPECIAL: Final = 199998
"""Ids below this are ordinary tokens; ids from here to :data:`VOCABULARY_SIZE` are special."""

VOCABULARY_SIZE: Final = 201089
"""Ids at or above this stand for nothing (oss-harmony 0.0.11: "Invalid token for decoding")."""

STOPS: Final = frozenset({RETURN, END, CALL})
"""What ends a message for the parser (``HarmonyEncoding.stop_tokens()``)."""

MARKERS: Final[dict[int, str]] = {
    START: "start",
    CHANNEL: "channel",
    CONSTRAIN: "constrain",
    MESSAGE: "message",
    END: "end",
    CALL: "call",
    RETURN: "return",
}
"""The structural markers, by id, with their short names."""

MARKER_HELP: Final[dict[int, str]] = {
    START: "Opens a message; the role follows.",
    CHANNEL: "The channel follows: analysis (reasoning), commentary (tool calls, preambles) or final (the answer).",
    CONSTRAIN: "The content type of the body follows, json for most tool calls.",
    MESSAGE: "The header ends here, the body begins.",
    END: "Ends a message; another one may follow.",
    CALL: "Ends a tool call; the model waits for the tool's result.",
    RETURN: "Ends the turn; nothing follows.",
}

_NAMED: Final[dict[int, str]] = {
    STARTOFTEXT: "<|startoftext|>",
    ENDOFTEXT: "<|endoftext|>",
    **{token: f"<|{name}|>" for token, name in MARKERS.items()},
}


def is_special(token: int) -> bool:
    """True for every special token of the vocabulary, the reserved ones included."""
    return FIRST_SPECIAL <= token < VOCABULARY_SIZE


def is_known(token: int) -> bool:
    """True for an id that the vocabulary has."""
    return 0 <= token < VOCABULARY_SIZE


def special_text(token: int) -> str:
    """The printed form of a special token, ``<|reserved_N|>`` for those without a name.

    Raises:
        ValueError: ``token`` is not a special token.
    """
    if not is_special(token):
        raise ValueError(f"{token} is not a special token of o200k_harmony")
    return _NAMED.get(token) or f"<|reserved_{token}|>"
