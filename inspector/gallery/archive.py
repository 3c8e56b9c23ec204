"""Opening bundles that people send each other: in memory, with caps, nothing written to disk.

What an archive says of itself is not believed: sizes are counted while it is read, names are names and never paths.
Other than :func:`inspector.ingest.unpacking.unzip`, which is for a file that is whole or worthless, a damaged member
costs that member only.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..budgets import MAX_DIRECTORY, MAX_GALLERY, MAX_MEMBER, MAX_MEMBERS, MAX_SAMPLES
from ..ingest.unpacking import directory_size, in_words, is_gzip, is_plain_file, is_zip
from ..ingest.values import quoted
from .sample import SampleError

_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read, in members and in bytes after decompression.

    ``directory`` caps the zip's own list of its members, which is read before anything else can be judged.
    """

    members: int = MAX_MEMBERS
    member: int = MAX_MEMBER
    total: int = MAX_GALLERY
    samples: int = MAX_SAMPLES
    directory: int = MAX_DIRECTORY


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name as it is written there, for people, and what it holds.

    ``refused`` is the sentence that stands in for the content of a member that is not read. ``unpacked`` counts the
    bytes that were decompressed for it, or may have been: also a member that turns out to be damaged took time.
    """

    name: str
    data: bytes = b""
    refused: str = ""
    unpacked: int = 0


def zip_members(data: bytes, endings: tuple[str, ...], limits: Limits = LIMITS) -> Iterator[Member]:
    """The members of a zip whose names have one of these ``endings``, in their order.

    Folders, links and files of other kinds are passed over; what they are is not looked at. A member that cannot
    be read gives its sentence and does not stop the rest; a cap ends the reading.

    Raises:
        SampleError: no zip that can be read, or more in it than is read.
    """
    _check_directory(data, limits)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise SampleError(f"the zip cannot be opened ({error}); expected a .harmonylens bundle") from error
    with archive:
        entries = archive.infolist()
        if len(entries) > limits.members:
            raise SampleError(f"the zip has {len(entries):,} members; at most {limits.members:,} are read")
        wanted = [entry for entry in entries if entry.filename.lower().endswith(endings) and is_plain_file(entry)]
        declared = sum(entry.file_size for entry in wanted)
        if declared > limits.total:
            raise SampleError(
                f"the zip unpacks to {in_words(declared)}; at most {in_words(limits.total)} are read, split it"
            )
        left = limits.total
        for entry in wanted:
            cap = min(limits.member, left)
            try:
                content = _unpacked(archive, entry, cap)
            except SampleError as error:
                yield Member(
                    entry.filename, refused=str(error), unpacked=entry.file_size if entry.file_size <= cap else 0
                )
                if left < limits.member:
                    return
                continue
            left -= len(content)
            yield Member(entry.filename, content, unpacked=len(content))


def _check_directory(data: bytes, limits: Limits) -> None:
    """Refuse a zip whose list of members is huge before :mod:`zipfile` turns it into objects."""
    size = directory_size(data)
    if size is None:
        raise SampleError("the zip is cut off: its list of members is missing; fetch the file again")
    if size > limits.directory:
        raise SampleError(f"the zip's list of members is too long; at most {limits.members:,} members are read")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, cap: int) -> bytes:
    name = quoted(entry.filename, 60)
    if entry.flag_bits & 1:
        raise SampleError(f"{name} is encrypted; take the password off")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SampleError(f"{name} is compressed in a way that is not read here; use deflate, which every tool writes")
    too_large = f"{name} unpacks to more than {in_words(cap)}, split it"
    if entry.file_size > cap:
        raise SampleError(too_large)
    pieces: list[bytes] = []
    count = 0
    try:
        with archive.open(entry) as file:
            while piece := file.read(_CHUNK):
                count += len(piece)
                if count > cap:
                    raise SampleError(too_large)
                pieces.append(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, SampleError):
            raise
        raise SampleError(f"{name} is damaged ({error})") from error
    content = b"".join(pieces)
    if is_zip(content) or is_gzip(content):
        raise SampleError(f"{name} is an archive itself; archives in archives are not opened")
    return content
