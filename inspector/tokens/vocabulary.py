"""The vocabulary o200k_harmony, offline.

The ranks come from the table that oss-harmony embeds. On first use they are written to the cache as
``o200k_base.tiktoken`` (the published file, byte for byte: its sha256 is checked), and under the name that
tiktoken looks for, so that tiktoken and openai-harmony 0.0.8 load without a network.

Decoding is a table look-up here; encoding is tiktoken's. Encoding text never yields a special token: a
marker is an id, and characters that spell one are a look-alike. :meth:`Vocabulary.encode_markers` is the one
door through which pasted text becomes markers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..files import write_atomically
from .cache import cache_dir, spare_dir
from .markers import FIRST_SPECIAL, VOCABULARY_SIZE, special_text

if TYPE_CHECKING:
    import tiktoken

SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""Of the published ``o200k_base.tiktoken``; openai-harmony 0.0.8 and tiktoken check the same value."""

_RANKED: Final = 199998
_TIKTOKEN_NAME: Final = hashlib.sha1(
    b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken", usedforsecurity=False
).hexdigest()

_UPPER: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CONTRACTION: Final = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERN: Final = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
"""How o200k cuts text into the pieces that are then encoded; a test compares it with tiktoken's own."""

_LONG_RUN: Final = 50_000
"""Runs of white space longer than this are encoded in pieces: tiktoken 0.14 panics at 1,000,000 spaces."""

_LONG_TEXT: Final = 500_000
"""Shorter texts cannot hold a run that is too long; they are not searched for one."""

_SPECIAL_TEXT: Final = re.compile(
    r"<\|(?:startoftext|endoftext|return|constrain|channel|start|end|message|call|reserved_(\d{6}))\|>"
)


class VocabularyError(RuntimeError):
    """The vocabulary could not be had; the message says what to do."""


class _NowhereToKeepError(VocabularyError):
    """No folder takes its file."""


class Vocabulary:
    """Bytes of every token, decoding and encoding. Use :func:`vocabulary` to get the shared one.

    Attributes:
        path: the file that it was read from; None where no folder takes one.
    """

    def __init__(self, table: list[bytes], path: Path | None) -> None:
        self.path = path
        self._table = table

    def token_bytes(self, token: int) -> bytes | None:
        """The bytes of a token (a special token's printed form), or None for an unknown id."""
        return self._table[token] if 0 <= token < VOCABULARY_SIZE else None

    def join(self, ids: Iterable[int]) -> bytes:
        """The bytes of ids that are all known (not checked)."""
        return b"".join(map(self._table.__getitem__, ids))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of known ids, joined. Unknown ids give nothing."""
        table = self._table
        return b"".join([table[i] for i in ids if 0 <= i < VOCABULARY_SIZE])

    def decode(self, ids: Iterable[int]) -> str:
        """Text for display: invalid UTF-8 becomes U+FFFD, unknown ids give nothing."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def encode(self, text: str) -> list[int]:
        """Ordinary tokens for ``text``: text that spells a marker becomes ordinary tokens too.

        Lone surrogates become U+FFFD. Where white space runs beyond 50,000 characters it is encoded in
        pieces, so the ids may differ there from what tiktoken would give if it did not panic.
        """
        if not text:
            return []
        encoding = self._encoding
        if len(text) < _LONG_TEXT:
            return encoding.encode_ordinary(text)
        ids: list[int] = []
        for piece in _split_long_runs(text):
            ids += encoding.encode_ordinary(piece)
        return ids

    def encode_markers(self, text: str) -> list[int]:
        """As :meth:`encode`, but text that spells a special token of Harmony becomes that token.

        ``<|endofprompt|>`` (tiktoken's name of 200018), ``<|refusal|>`` and ``<|untrusted|>`` are not in
        Harmony's vocabulary and stay text.
        """
        ids: list[int] = []
        at = 0
        for match in _SPECIAL_TEXT.finditer(text):
            token = _special_id(match.group())
            if token is None:
                continue
            ids += self.encode(text[at : match.start()])
            ids.append(token)
            at = match.end()
        return ids + self.encode(text[at:])

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        import tiktoken

        # Built from the table at hand: tiktoken.get_encoding would parse the file once more, which costs more
        # than all the rest of a short inspection.
        ranks = dict(zip(self._table[:_RANKED], range(_RANKED), strict=True))
        return tiktoken.Encoding("o200k_harmony", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The shared vocabulary, made on first use (0.1 s; about 2 s on the very first run of all).

    Where no file can be kept, it is made anew in every process, in those 2 s.

    Raises:
        VocabularyError: oss-harmony's table is missing or is not the published one.
    """
    path: Path | None = None
    try:
        path = vocabulary_file()
        data = path.read_bytes()
    except _NowhereToKeepError:
        data = _embedded_table()
    table: list[bytes] = []
    decode = binascii.a2b_base64
    for line in data.splitlines():
        table.append(decode(line[: line.index(b" ")]))
    table += [special_text(i).encode() for i in range(FIRST_SPECIAL, VOCABULARY_SIZE)]
    return Vocabulary(table, path)


def vocabulary_file() -> Path:
    """The checked ``o200k_base.tiktoken`` in the cache, written from oss-harmony's table when missing.

    Its folder is what ``TIKTOKEN_ENCODINGS_BASE`` of openai-harmony wants; the folder ``tiktoken`` beside it
    is what ``TIKTOKEN_CACHE_DIR`` of tiktoken wants.

    Raises:
        VocabularyError: no folder takes it; or as :func:`vocabulary`.
    """
    tried = []
    # A folder that cannot be written to must not stand in the way of reading a transcript.
    for folder in (cache_dir, spare_dir):
        try:
            place = folder()
            try:
                return _vocabulary_in(place / "vocabulary")
            except OSError as error:
                tried.append(f"in {place} ({error.strerror})")
        except OSError as error:
            tried.append(f"in a folder of this user ({error.strerror})")
    raise _NowhereToKeepError(
        f"The vocabulary can be kept neither {' nor '.join(tried)}: set HARMONYLENS_CACHE to a folder that can be "
        "written to."
    )


def _vocabulary_in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)  # before the table is made, which takes its time
    path = folder / "o200k_base.tiktoken"
    for_tiktoken = folder / "tiktoken" / _TIKTOKEN_NAME
    if not _is_published(path):
        write_atomically(path, _embedded_table())
    if not _is_published(for_tiktoken):
        write_atomically(for_tiktoken, path.read_bytes())
    return path


def _is_published(path: Path) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def _embedded_table() -> bytes:
    try:
        from openai_harmony import HarmonyEncodingName, load_harmony_encoding
    except ImportError as error:
        raise VocabularyError("oss-harmony is not installed: run `pip install 'oss-harmony>=0.0.11'`.") from error
    inner = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)._inner
    lines = []
    for rank in range(_RANKED):
        lines.append(base64.b64encode(bytes(inner.decode_bytes([rank]))) + b" %d\n" % rank)
    data = b"".join(lines)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise VocabularyError(
            "The vocabulary of the installed oss-harmony is not o200k_base as published (its sha256 differs): "
            "install oss-harmony 0.0.11."
        )
    return data


def _special_id(text: str) -> int | None:
    return _SPECIAL_IDS.get(text)


_SPECIAL_IDS: Final = {special_text(i): i for i in range(FIRST_SPECIAL, VOCABULARY_SIZE)}
# Only from where a run begins: from within a shorter one the search would start anew at every blank of it.
_WHITE_RUN: Final = re.compile(rf"(?<!\s)\s{{{_LONG_RUN},}}+")


def _split_long_runs(text: str) -> Iterable[str]:
    at = 0
    for match in _WHITE_RUN.finditer(text):
        if match.start() > at:
            yield text[at : match.start()]
        for start in range(match.start(), match.end(), _LONG_RUN):
            yield text[start : min(start + _LONG_RUN, match.end())]
        at = match.end()
    if at < len(text):
        yield text[at:]
