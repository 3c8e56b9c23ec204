"""Content addressing: a transcript as canonical bytes, and the address that these bytes have everywhere.

What makes the transcript counts (ids, role, tools, what a server reported, origins, logprobs, alternatives, the
prompt); what people say about it (title, story, tags, its name at the source, its meta) does not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from typing import Any, Final

from ..ingest import transcript_record
from ..tokens import Transcript
from .saved import StoreError

FIELDS: Final = (
    "role",
    "token_ids",
    "finish_reason",
    "stop_reason",
    "prompt_token_ids",
    "tools",
    "origins",
    "logprobs",
    "top",
)
"""The fields of a transcript record that make the transcript. Another choice would change every address."""

ID_LENGTH: Final = 13
"""Characters of a short address, five bits each. More are taken where two transcripts begin alike."""

MAX_BYTES: Final = 192 * 1024 * 1024
"""Of a transcript's canonical JSON: several times what 131,072 tokens with five alternatives each take."""

_ID: Final = re.compile(rf"[a-z2-7]{{{ID_LENGTH},52}}")
_LEVEL: Final = 4
"""Of zlib: JSON of numbers gets 2 % smaller above it, and saving takes twice as long."""


def is_address(text: str) -> bool:
    """Whether ``text`` can be the address of a saved sample."""
    return _ID.fullmatch(text) is not None


def content_of(transcript: Transcript) -> bytes:
    """The canonical JSON of what makes the transcript, ASCII.

    Raises:
        StoreError: it is larger than can be saved.
    """
    record = transcript_record(transcript)
    return canonical({name: record[name] for name in FIELDS if name in record}, MAX_BYTES, "The transcript")


def digest_of(content: bytes) -> str:
    """The full address of canonical bytes: 256 bits, 52 lower-case letters and digits."""
    digest = hashlib.blake2b(content, digest_size=32).digest()
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def canonical(value: Any, limit: int, what: str) -> bytes:
    """JSON with sorted keys and no blanks.

    Args:
        value: made of dicts, lists, text, numbers, booleans and None.
        limit: in bytes.
        what: it is, for the sentence: "The transcript".

    Raises:
        StoreError: it takes more than ``limit`` bytes, or holds what JSON cannot say.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{what} cannot be saved: it holds what JSON has no word for ({error}).") from error
    if len(text) > limit:
        raise StoreError(f"{what} takes {_size(len(text))} of JSON; at most {_size(limit)} can be saved.")
    return text.encode("ascii")


def packed(data: bytes) -> bytes:
    """Compressed bytes for a table."""
    return zlib.compress(data, _LEVEL)


def unpacked(data: bytes, limit: int) -> bytes:
    """The bytes that were packed.

    Raises:
        StoreError: they are damaged, or larger than ``limit``.
    """
    if not isinstance(data, bytes):
        raise StoreError("The saved data is damaged: it is no bytes.")
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(data, limit + 1)
    except zlib.error as error:
        raise StoreError("The saved data is damaged: it cannot be decompressed.") from error
    if len(found) > limit:
        raise StoreError(f"The saved data is larger than {_size(limit)} when decompressed and was not opened.")
    if not reader.eof:
        raise StoreError("The saved data is damaged: its end is missing.")
    return found


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:,.1f} MB" if count >= 1024 * 1024 else f"{count / 1024:,.0f} KB"
