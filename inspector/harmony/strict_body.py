"""The text of a body exactly as the strict parser gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..tokens import is_known, vocabulary

_REPLACEMENT: Final = "\ufffd"

# The pieces that bytes fall into when they are read as UTF-8: characters, the beginning of a character that is
# not gone on with (Unicode's "maximal subpart"), and bytes that can begin nothing. Always matches.
_PIECES: Final = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
    rb"|[\xf1-\xf3][\x80-\xbf]{3})++"
    rb"|(?P<begun>[\xc2-\xdf]|\xe0[\xa0-\xbf]?|\xed[\x80-\x9f]?|[\xe1-\xec\xee\xef][\x80-\xbf]?"
    rb"|\xf0(?:[\x90-\xbf][\x80-\xbf]?)?|\xf4(?:[\x80-\x8f][\x80-\xbf]?)?|[\xf1-\xf3][\x80-\xbf]{0,2})"
    rb"|(?P<bad>[\x80-\xff])"
)


def body_text(ids: Sequence[int]) -> str:
    """The content of a message whose body is ``ids``, all of them known.

    Special tokens are their printed form; each maximal piece of invalid UTF-8 is one U+FFFD (Rust's rule and
    Python's are the same).
    """
    return vocabulary().decode_bytes(ids).decode("utf-8", "replace")


def body_text_with_unknown(ids: Sequence[int]) -> str:
    """As :func:`body_text` when some ids may be unknown: the first of them loses the rest of the message.

    The library decodes as tokens arrive. From an unknown id on it holds all further tokens back, and at the
    end they become one U+FFFD, written *before* the bytes that were still waiting for the rest of a character
    (or for their turn: one broken piece is replaced per token).
    """
    cut = next((i for i, token in enumerate(ids) if not is_known(token)), None)
    if cut is None:
        return body_text(ids)
    table = vocabulary()
    pieces = [table.token_bytes(token) or b"" for token in ids[:cut]]
    data = b"".join(pieces)
    written = _written(pieces, data)
    return data[:written].decode("utf-8", "replace") + _REPLACEMENT + data[written:].decode("utf-8", "replace")


def _written(pieces: list[bytes], data: bytes) -> int:
    """How many bytes of ``data`` the library has turned into text once it has seen all ``pieces``."""
    # (start, end, known): a broken piece, and how many bytes must have been seen to know that it is broken.
    broken = [
        (match.start(), match.end(), match.end() + (match["bad"] is None))
        for match in _PIECES.finditer(data)
        if match["bad"] is not None or match["begun"] is not None
    ]
    turn = 0
    seen = written = 0
    for piece in pieces:
        seen += len(piece)
        if turn < len(broken) and broken[turn][2] <= seen:
            written = broken[turn][1]
            turn += 1
        else:
            # Nothing broken is in sight: all is written but for a character that is still incomplete.
            written = max(written, seen - _incomplete(data, seen))
    return written


def _incomplete(data: bytes, end: int) -> int:
    """How many bytes before ``end`` begin a character that needs more than what stands before ``end``."""
    for back in range(1, min(3, end) + 1):
        byte = data[end - back]
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < need else 0
        if byte < 0x80:
            return 0
    return 0
