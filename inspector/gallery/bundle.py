"""Galleries: samples from a folder or from a single file, and writing them as one.

A ``.harmonylens`` file is a zip (``manifest.json``, and members ``*.jsonl``, ``*.json``, ``*.toml``) or JSON lines,
whose first line may be the manifest; either may come as gzip. The manifest is
``{"schema": "harmonylens-gallery/1", "title": "...", "description": "..."}`` and may be missing. A page that
harmonylens exported is a gallery too. In a folder, records and bundles are read; a static site that harmonylens built
opens by the bundle in it.

A record that cannot be read becomes a sentence with its place; the others are kept.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ..budgets import GALLERY, MAX_LISTED
from ..ingest import Problem
from ..ingest.amount import amount
from ..ingest.html import is_page, out_of_page
from ..ingest.unpacking import UnpackError, in_words, inflate, is_gzip, is_zip, refusal
from ..ingest.values import quoted
from ..ingest.wrapping import Unwrapped
from ..renamed import NAME, NAMES, OLD_NAME, is_ours
from .archive import LIMITS, Limits, zip_members
from .record import address_name, sample_and_problems, sample_record, what_is_wrong
from .sample import Sample, SampleError
from .store import sample_from_toml
from .values import json_values

SCHEMA: Final = f"{NAME}-gallery/1"
_OLD_SCHEMA: Final = f"{OLD_NAME}-gallery/1"
"""What a manifest says of itself."""

ENDINGS: Final = (".harmonylens", ".harmonyscope", ".zip", ".jsonl", ".ndjson", ".json", ".toml", ".html", ".gz")
"""File names that can be a gallery."""

SITE_MARKS: Final = tuple(f"{name}-site.json" for name in NAMES)
"""The file that says of a folder that it is a static site of ours."""

SITE_BUNDLES: Final = tuple(f"gallery.{name}" for name in NAMES)
"""The bundle that such a site holds, its present name first."""

_BUNDLES: Final = tuple(f".{name}" for name in NAMES)
_MEMBERS: Final = (".jsonl", ".ndjson", ".json", ".toml")
_MANIFEST: Final = "manifest.json"
_THEN: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples under one name.

    Attributes:
        name: its address (``?sample=GALLERY:NAME``), see :func:`inspector.gallery.address_name`.
        title: a few words.
        description: a sentence or two, or "".
        samples: in the order of the file; their names are unique.
        problems: a sentence with its place for what could not be read; of many, the first.
        more_problems: how many more there are.
    """

    name: str
    title: str
    description: str
    samples: tuple[Sample, ...]
    problems: tuple[str, ...] = ()
    more_problems: int = 0
    by_name: Mapping[str, Sample] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {sample.name: sample for sample in self.samples})

    def under(self, name: str) -> Gallery:
        """The same gallery by another name."""
        return replace(self, name=name)


def open_gallery(path: Path, limits: Limits = LIMITS) -> Gallery:
    """The gallery in a folder (searched through) or a file.

    Raises:
        SampleError: it does not exist, or nothing of it can be read.
    """
    if path.is_dir():
        return _open_folder(path, limits)
    try:
        size = path.stat().st_size
        if size > limits.total:
            raise SampleError(f"{path}: the file has {in_words(size)}; at most {in_words(limits.total)} are read.")
        with path.open("rb") as file:
            data = file.read(limits.total + 1)  # a device or a pipe has no size, and may have no end
        if len(data) > limits.total:
            raise SampleError(f"{path}: the file has more than {in_words(limits.total)}, which is not read.")
    except OSError as error:
        raise SampleError(f"{path}: cannot be read: {error.strerror or error}.") from error
    return read_gallery(data, path.name, limits, shown=str(path))


def read_gallery(data: bytes, filename: str, limits: Limits = LIMITS, *, shown: str = "") -> Gallery:
    """The gallery that a file holds; what it is, its first bytes say.

    Args:
        data: the whole file.
        filename: for the gallery's name, and to tell TOML from JSON.
        limits: how much of it is read.
        shown: how messages name the file; ``filename`` when empty.

    Raises:
        SampleError: nothing of it can be read; one sentence that begins with the file.
    """
    shown = shown or printable(filename)
    collected = _Collected(limits)
    try:
        collected.take_file(data, filename, shown)
    except (SampleError, UnpackError) as error:
        raise SampleError(f"{shown}: {str(error).rstrip('.')}.") from error
    return collected.gallery(filename, shown)


def _open_folder(folder: Path, limits: Limits) -> Gallery:
    whole = _bundle_of_site(folder)
    if whole is not None:
        return open_gallery(whole, limits).under(address_name(folder.resolve().name))
    collected = _Collected(limits)
    files = list(_files(folder))
    packed = limits.total
    for path in files:
        shown = str(path)
        is_bundle = path.suffix.lower() in _BUNDLES
        try:
            size = path.stat().st_size
            if size > (packed if is_bundle else min(limits.member, collected.left)):
                collected.problem(f"{shown}: left out, {in_words(size)} are more than is read.")
                continue
            data = path.read_bytes()
        except OSError as error:
            collected.problem(f"{shown}: cannot be read: {error.strerror or error}.")
            continue
        if is_bundle:
            packed -= size
        before = collected.manifest
        try:
            if not collected.take_file(data, path.relative_to(folder).as_posix(), shown):
                break
        except (SampleError, UnpackError) as error:
            collected.problem(f"{shown}: {str(error).rstrip('.')}.")
        if is_bundle and len(files) > 1:
            # What one bundle says of itself is not true of the whole folder.
            collected.manifest = before
    return collected.gallery(folder.resolve().name, str(folder))


def _bundle_of_site(folder: Path) -> Path | None:
    """The bundle of all samples where the folder is a static site of ours."""
    if not any((folder / mark).is_file() for mark in SITE_MARKS):
        return None
    found = (folder / name for name in SITE_BUNDLES)
    return next((path for path in found if path.is_file() and not path.is_symlink()), None)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        wanted = path.suffix.lower() in (*_MEMBERS, *_BUNDLES) and path.name not in SITE_MARKS
        if wanted and not hidden and path.is_file() and not path.is_symlink():
            yield path


@dataclass(slots=True)
class _Collected:
    """What has been read so far."""

    limits: Limits
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more_problems: int = 0
    manifest: Mapping[str, Any] = field(default_factory=dict)
    together: int = 0
    left: int = field(init=False)
    """Bytes that may still be read, after they were decompressed."""

    _names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = self.limits.total

    def problem(self, sentence: str) -> None:
        """Keep a sentence, or count it: a file may have millions of bad lines."""
        if len(self.problems) < MAX_LISTED:
            self.problems.append(sentence)
        else:
            self.more_problems += 1

    def take_file(self, data: bytes, name: str, shown: str) -> bool:
        """Read one file, packed or not; False when there are as many samples as are read.

        Raises:
            SampleError, UnpackError: nothing of it can be read; a clause without the place.
        """
        if is_gzip(data):
            most = max(0, min(self.limits.member, self.left))
            data, name = inflate(data, most, form="gzip", what="its content"), name.removesuffix(".gz")
            if is_zip(data) or is_gzip(data):
                raise SampleError("it is an archive in an archive, which is not opened")
        if not is_zip(data):
            self.left -= len(data)
            unreadable = refusal(data, name)
            if unreadable:
                raise SampleError(unreadable)
            return self.take(data, name, shown)
        for member in zip_members(data, _MEMBERS, replace(self.limits, total=max(0, self.left))):
            self.left -= member.unpacked
            if member.refused:
                self.problem(f"{shown}: {member.refused}.")
            elif not self.take(member.data, member.name, f"{shown}: {printable(member.name)}"):
                return False
        return True

    def take(self, data: bytes, name: str, shown: str) -> bool:
        """Read what was one file; False when there are as many samples as are read."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.problem(f"{shown}: byte {error.start:,} is no UTF-8; expected samples as JSON lines, JSON or TOML.")
            return True
        if is_page(text):
            page = out_of_page(Unwrapped(text), GALLERY)
            for problem in page.problems:
                self.problem(f"{shown}:{problem.line}: {what_is_wrong(problem)}.")
            text = page.text
        try:
            if name.lower().endswith(".toml"):
                self._toml(text, name, shown)
            else:
                self._json(text, name, shown)
        except _Full as full:
            self.problem(f"{shown}: only the first {len(self.samples):,} samples are read{full}, split the gallery.")
            return False
        return True

    def _toml(self, text: str, name: str, shown: str) -> None:
        path = PurePosixPath(name)
        family = path.parent.name
        try:
            self._read(sample_from_toml(text, shown, address_name(path.stem), family))
        except SampleError as error:
            self.problem(str(error))

    def _json(self, text: str, name: str, shown: str) -> None:
        count = 0
        for found in json_values(text, GALLERY):
            count += 1
            if isinstance(found, Problem):
                self.problem(f"{shown}:{found.line}: {what_is_wrong(found)}.")
                continue
            value, source = found
            if count == 1 and self._is_manifest(value, name, shown):
                continue
            sample, problems = sample_and_problems(value, source, GALLERY)
            for problem in problems:
                self.problem(f"{shown}:{problem.line}: {what_is_wrong(problem)}.")
            if sample is not None:
                self._read(sample)

    def _is_manifest(self, value: object, name: str, shown: str) -> bool:
        if not isinstance(value, dict) or "token_ids" in value or "text" in value:
            return False
        schema = str(value.get("schema", ""))
        if not is_ours(schema, "-gallery") and PurePosixPath(name).name != _MANIFEST:
            return False
        if schema not in (SCHEMA, _OLD_SCHEMA):
            self.problem(f"{shown}: the manifest says {quoted(schema)}, expected {SCHEMA!r}; it was read as such.")
        if not self.manifest:
            self.manifest = value
        return True

    def _read(self, sample: Sample) -> None:
        self.together += amount(sample.transcript, GALLERY)
        if self.samples and self.together > GALLERY.together:
            most = f"{GALLERY.together:,} tokens, probabilities and values of meta"
            raise _Full(f" because a gallery has at most {most} together")
        self.add(sample)

    def add(self, sample: Sample) -> None:
        """Take a sample, under another name where its own is taken."""
        if len(self.samples) >= self.limits.samples:
            raise _Full
        name, number = sample.name, self._names.get(sample.name, 0)
        if number:
            # Counted from where the last search ended: thousands of one name stay cheap.
            while name in self._names:
                number += 1
                name = f"{sample.name}-{number}"
            self._names[sample.name] = number
            sample = renamed(sample, name)
        self._names[name] = 1
        self.samples.append(sample)

    def gallery(self, filename: str, shown: str) -> Gallery:
        stem = _stem(filename)
        if not self.samples:
            if self.problems:
                count = len(self.problems) - 1 + self.more_problems
                more = f" There are {count:,} more like this." if count else ""
                raise SampleError(f"{self.problems[0]}{more}")
            raise SampleError(
                f"{shown}: there are no samples in it; expected transcript records as JSON lines, or a "
                ".harmonylens bundle of them."
            )
        return Gallery(
            name=address_name(stem),
            title=_words(self.manifest.get("title")) or printable(stem),
            description=_words(self.manifest.get("description")),
            samples=tuple(self.samples),
            problems=tuple(self.problems),
            more_problems=self.more_problems,
        )


class _Full(Exception):
    """There is as much as is read; what of, as the end of a clause, where it is not the number of samples."""


def renamed(sample: Sample, name: str) -> Sample:
    """The same sample at another address."""
    return replace(sample, name=name, transcript=replace(sample.transcript, source=f"sample {name}"))


def gallery_of(name: str, title: str, description: str, samples: Iterable[Sample]) -> Gallery:
    """A gallery of these samples; names that occur twice are numbered."""
    collected = _Collected(LIMITS)
    for sample in samples:
        collected.add(sample)
    return Gallery(name, title, description, tuple(collected.samples))


def manifest(gallery: Gallery) -> dict[str, str]:
    """What a gallery says of itself in a file."""
    return {"schema": SCHEMA, "title": gallery.title, "description": gallery.description}


def jsonl_lines(samples: Iterable[Sample]) -> Iterator[str]:
    """The samples as JSON lines, in ASCII, each with its line break."""
    for sample in samples:
        yield json.dumps(sample_record(sample), separators=(",", ":")) + "\n"


def bundle(gallery: Gallery, limits: Limits = LIMITS) -> bytes:
    """A ``.harmonylens`` file (a zip) that opens to the same samples; the same bytes for the same gallery.

    Raises:
        SampleError: it would be larger than what is opened again.
    """
    lines = "".join(jsonl_lines(gallery.samples)).encode()
    if len(lines) > limits.member or len(gallery.samples) > limits.samples:
        raise SampleError(
            f"{len(gallery.samples):,} samples with {in_words(len(lines))} are more than a bundle holds "
            f"({limits.samples:,} samples, {in_words(limits.member)}); choose fewer."
        )
    head = json.dumps(manifest(gallery), indent=1).encode() + b"\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in ((_MANIFEST, head), ("samples.jsonl", lines)):
            # A fixed date and system: the bytes say nothing of when and where they were written.
            info = zipfile.ZipInfo(name, _THEN)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return file.getvalue()


def printable(text: str, limit: int = 80) -> str:
    """A name from elsewhere for a sentence: on one line, what does not print escaped, cut at ``limit``."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _stem(filename: str) -> str:
    name = PurePosixPath(filename.replace("\\", "/")).name
    for ending in (".gz", *ENDINGS):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name or "gallery"


def _words(value: object) -> str:
    return " ".join(value.encode("utf-8", "replace").decode().split())[:2000] if isinstance(value, str) else ""
