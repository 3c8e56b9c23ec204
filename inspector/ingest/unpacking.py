"""Compressed data from elsewhere, taken apart under a limit; and files that are never opened.

Everything in harmonylens that reads compressed data (a share link, a bundle, an exported page, a ``.gz`` file) goes
through here, so that data which would unpack to more than expected costs no more than the limit and one sentence.
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from ..budgets import CLI, MAX_DIRECTORY, MAX_MEMBERS, MAX_STREAMS

_CHUNK: Final = 2**16
_FIRST_CHUNK: Final = 2**10
_ZEROS: Final = re.compile(rb"\0*+\Z")
_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x07"
_MOST_COMMENT: Final = 0xFFFF
_WINDOW: Final = {"raw": -15, "zlib": 15, "gzip": 31}

LZMA: Final[tuple[dict[str, Any], ...]] = (
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 8 * 2**20},
)
"""How "lzma" data is packed: a raw LZMA2 stream with a dictionary of 8 MiB. Links depend on it: it never changes."""
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class UnpackError(ValueError):
    """Compressed data that is damaged or would grow beyond its limit; the message is one sentence.

    ``size`` is how many bytes came out of it before: they have been paid for, and count for the limit of the whole.
    """

    def __init__(self, what: str, size: int = 0) -> None:
        super().__init__(what)
        self.size = size


class TooLargeError(UnpackError):
    """Data that unpacks to more than its limit: nothing behind it is read."""


def inflate(
    data: bytes,
    limit: int = CLI.unpacked,
    *,
    form: Literal["raw", "zlib", "gzip", "lzma"] = "raw",
    what: str = "The data",
) -> bytes:
    """Compressed ``data``, unpacked. Never holds much more than ``limit`` bytes.

    Args:
        data: the compressed bytes, to their end: anything behind the stream is damage (but for further gzip members).
        limit: the most bytes that the result may have.
        form: what is around the deflate stream; or "lzma", packed as :data:`LZMA` says.
        what: what the sentence of an error calls the data, with a capital letter.

    Raises:
        UnpackError: the data is damaged, cut short, or unpacks to more than ``limit`` bytes.
    """
    if form == "lzma":
        return _unlzma(data, limit, what)
    out: list[bytes] = []
    size = at = 0
    for _ in range(MAX_STREAMS):
        at, size = _stream(data, at, out, size, limit, _WINDOW[form], what)
        if _ZEROS.match(data, at):
            return out[0] if len(out) == 1 else b"".join(out)
        if form != "gzip":
            raise UnpackError(f"{what} is damaged: {len(data) - at:,} bytes follow its end.", size)
    raise UnpackError(f"{what} is put together from more than {MAX_STREAMS:,} gzip streams; pack it as one.", size)


def _stream(data: bytes, at: int, out: list[bytes], size: int, limit: int, window: int, what: str) -> tuple[int, int]:
    """Unpack the stream that begins at ``at`` behind what is in ``out``; where it ends, and the size of all."""
    stream = zlib.decompressobj(window)
    view = memoryview(data)
    # What is handed over and not used is copied: a little at first, for a file of many short streams.
    chunk = _FIRST_CHUNK
    rest: bytes | memoryview = b""
    while not stream.eof:
        if not rest:
            rest, at = view[at : at + chunk], min(len(data), at + chunk)
            chunk = min(chunk * 2, _CHUNK)
        try:
            piece = stream.decompress(rest, min(_CHUNK * 16, limit - size + 1))
        except zlib.error as error:
            raise UnpackError(f"{what} is damaged: it cannot be decompressed.", size) from error
        rest = stream.unconsumed_tail
        size += len(piece)
        if size > limit:
            raise TooLargeError(f"{what} unpacks to more than {in_words(limit)}, and was not opened.", size)
        if piece:
            out.append(piece)
        elif not rest and not stream.eof and at >= len(data):
            raise UnpackError(f"{what} is cut short.", size)
    return at - len(stream.unused_data), size


def _unlzma(data: bytes, limit: int, what: str) -> bytes:
    stream = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=LZMA)
    try:
        body = stream.decompress(data, limit + 1)
    except lzma.LZMAError as error:
        raise UnpackError(f"{what} is damaged: it cannot be decompressed.") from error
    if len(body) > limit:
        raise TooLargeError(f"{what} unpacks to more than {in_words(limit)}, and was not opened.", len(body))
    if not stream.eof:
        raise UnpackError(f"{what} is cut short.", len(body))
    if stream.unused_data:
        raise UnpackError(f"{what} is damaged: {len(stream.unused_data):,} bytes follow its end.")
    return body


def unzip(
    data: bytes,
    limit: int = CLI.unpacked,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    what: str = "The archive",
) -> Iterator[tuple[str, bytes]]:
    """The files of a zip archive as (name, bytes), in its order; a damaged one ends it. See :func:`zip_files`.

    Raises:
        UnpackError: as :func:`zip_files`, or a file that cannot be read.
    """
    for name, body in zip_files(data, limit, wanted=wanted, what=what):
        if isinstance(body, UnpackError):
            raise body
        yield name, body


def zip_files(
    data: bytes,
    limit: int = CLI.unpacked,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    what: str = "The archive",
) -> Iterator[tuple[str, bytes | UnpackError]]:
    """The files of a zip archive as (name, bytes), in its order; nothing is written anywhere.

    A file that is damaged, encrypted or packed otherwise than by deflate gives its error in place of its bytes, and
    the others are read. Folders, links and hidden files are passed over. Names are as the archive has them and must
    never become paths. ``limit`` holds for all files together, as they really unpack and not as the archive claims.

    Raises:
        UnpackError: no zip archive, more than :data:`MAX_MEMBERS` files, or more than ``limit`` bytes.
    """
    size = directory_size(data)
    if size is None:
        raise UnpackError(f"{what} is no zip archive, or is damaged.")
    if size > MAX_DIRECTORY:
        raise UnpackError(f"{what} has a list of files that is too long; at most {MAX_MEMBERS:,} are read.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise UnpackError(f"{what} is no zip archive, or is damaged.") from error
    with archive:
        if len(entries) > MAX_MEMBERS:
            raise UnpackError(f"{what} has {len(entries):,} files; at most {MAX_MEMBERS:,} are read.")
        left = limit
        for entry in entries:
            if not is_plain_file(entry) or not wanted(entry.filename):
                continue
            try:
                body = _member(archive, entry, left, limit, what)
            except TooLargeError:
                raise
            except UnpackError as error:
                # Bytes that a damaged file gave are paid for: thousands of such files may lie upon each other.
                left -= error.size
                yield entry.filename, error
                continue
            left -= len(body)
            yield entry.filename, body


def directory_size(data: bytes) -> int | None:
    """Bytes of a zip archive's own list of its files, as it says; None where the archive has no end.

    :mod:`zipfile` makes an object of every entry before anything can be judged, so this is asked first. A list in
    the form for huge archives counts as longer than any that is read.
    """
    at = len(data) - _END.size
    if not (at >= 0 and data[at : at + 4] == _END_MARK and data[-2:] == b"\0\0"):
        at = data.rfind(_END_MARK, max(0, len(data) - _END.size - _MOST_COMMENT))
    if at < 0 or at + _END.size > len(data):
        return None
    if data[max(0, at - 20) : at].startswith(_END_64):
        return sys.maxsize
    return int(_END.unpack_from(data, at)[5])


def is_plain_file(entry: zipfile.ZipInfo) -> bool:
    """Whether a member of an archive is a file: no folder, no link, nothing hidden."""
    mode = entry.external_attr >> 16
    hidden = entry.filename.startswith("__MACOSX/") or entry.filename.rsplit("/", 1)[-1].startswith(".")
    return not entry.is_dir() and not hidden and (not stat.S_IFMT(mode) or stat.S_ISREG(mode))


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, limit: int, what: str) -> bytes:
    if entry.flag_bits & 1:
        raise UnpackError(f"{what} is encrypted; give it without a password.")
    if entry.compress_type not in _METHODS:
        raise UnpackError(f"{what} is packed in a way that is not read here; pack it with deflate.")
    body = bytearray()
    try:
        with archive.open(entry) as file:
            while piece := file.read(min(_CHUNK, left - len(body) + 1)):
                body += piece
                if len(body) > left:
                    raise TooLargeError(f"{what} unpacks to more than {in_words(limit)}, and was not opened.")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, UnpackError):
            raise
        # What the last piece gave before it failed is not known.
        size = len(body) + min(_CHUNK, entry.file_size)
        raise UnpackError(f"{what} is damaged: one of its files cannot be decompressed.", size) from error
    return bytes(body)


def in_words(size: int) -> str:
    """A size for a sentence: ``64 MB``, ``2 kB``, ``12 bytes``."""
    for unit, name in ((2**20, "MB"), (2**10, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{size:,} bytes"


_PICKLE_NAMES: Final = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy", ".npz", ".dill")
_PACKED: Final = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "RAR"),
)
_BINARY: Final = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x7fELF", "a program"),
)
_EXPECTED: Final = "expected text, token ids or transcript records"


def refusal(data: bytes, filename: str | None = None) -> str | None:
    """Why a file is not opened at all, as part of a sentence; None when it may be read.

    Pickles, and files whose usual reader unpickles (``.pkl``, ``.pt``, ``.npy``), can run code and are never opened,
    whatever is in them.
    """
    name = (filename or "").lower()
    if name.endswith(_PICKLE_NAMES) or _is_pickle(data):
        return (
            "files of this kind can run code when they are opened, and are never opened here; "
            "save the token ids as JSON Lines instead"
        )
    for mark, kind in _PACKED:
        if data.startswith(mark):
            return f"this is compressed with {kind}; unpack it first, or use gzip"
    for mark, kind in _BINARY:
        if data.startswith(mark):
            return f"this is {kind}; {_EXPECTED}"
    return None


def _is_pickle(data: bytes) -> bool:
    """A pickle of protocol 2 or later: its first two bytes say so, and it ends in a full stop."""
    return data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and data[-1:] == b"."


def is_gzip(data: bytes) -> bool:
    """Whether ``data`` begins as a gzip file does."""
    return data[:3] == b"\x1f\x8b\x08"


def is_zip(data: bytes) -> bool:
    """Whether ``data`` begins as a zip archive does."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")
