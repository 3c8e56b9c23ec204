"""The folder that a site is written into: nothing is written or deleted beyond it, whatever links lie in it.

Folders and files are opened from their parent, without following links, so what is looked at is what is written or
deleted, also while somebody else is at work there. A file is written beside its place and then put there as a whole.
What may be deleted later is what still has the content that was written: the mark keeps a hash of each file, and until
the site is complete the journal (:mod:`inspector.report.site_journal`) does.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Final

from .. import __version__
from ..gallery.bundle import SITE_MARKS
from ..renamed import NAME, NAMES, OLD_NAME, is_ours
from .site_journal import HEAD, JOURNAL, Begun, begun

MARK: Final = SITE_MARKS[0]
"""The file that says of a folder that it is a site of ours, and which files of it are."""

_SCHEMA: Final = f"{NAME}-site/2"
_OF_A_SITE: Final = re.compile(
    "index\\.html|samples/[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\\.html"
    f"|({'|'.join(NAMES)})/[a-z]{{1,20}}\\.(js|css)|gallery\\.({'|'.join(NAMES)})|({'|'.join(NAMES)})-site\\.json"
)
"""What a site may hold. A list of files can be tampered with: of others not even the right content counts."""

_MOST_MARK: Final = 64 * 1024 * 1024
"""Bytes of a mark: it has about 100 for each of at most 100,000 samples."""

_HAS_DESCRIPTORS: Final = os.open in os.supports_dir_fd
_STAY: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe that has come in the place of a file is not waited for."""

_PAGE: Final = f'<meta name="generator" content="{OLD_NAME} '.encode()
_BEFORE_HASHES: Final[Mapping[str, bytes]] = {
    "index.html": _PAGE,
    f"{OLD_NAME}/page.js": b'(() => {\n"use strict";\nconst mountScreen',
    f"{OLD_NAME}/page.css": b"/* The frame of an exported page.",
    f"{OLD_NAME}/screen.css": b"/* The colours, once for each theme.",
    f"{OLD_NAME}/cards.css": b"/* The colours, once for each theme.",
    f"gallery.{OLD_NAME}": b"manifest.json",
    f"{OLD_NAME}-site.json": f'"schema": "{OLD_NAME}-site/'.encode(),
}
"""What 0.2.0 and before wrote, whose marks keep names only: by the name, what is within its first bytes. All pages of
samples begin as the index does."""

_FIRST_BYTES: Final = 4096


Hashes = tuple[str, ...]
"""Of a file: of each content that was written into it. After a build that was cut off it is one of several."""


class SiteError(ValueError):
    """A site that cannot be written; the message is one sentence that says what to do."""


class SiteFolder:
    """An open folder; use it as a context manager.

    Args:
        out: the folder; made when missing. Where it is a link itself, the person has named what it leads to.

    Raises:
        SiteError: it is a file.
        OSError: it cannot be made or opened.
    """

    def __init__(self, out: Path) -> None:
        self.shown = out
        self.root = out.resolve()
        if self.root.exists() and not self.root.is_dir():
            raise SiteError(f"{out} is a file: name a folder for the site, or use --single for one file.")
        self.root.mkdir(parents=True, exist_ok=True)
        self._open = ExitStack()
        self._descriptors: dict[str, int] = {}
        self._hashes: dict[str, str] = {}
        self._journal: int | None = None
        self._left: list[Begun] = []
        if _HAS_DESCRIPTORS:
            self._keep("", os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | _STAY))

    def __enter__(self) -> SiteFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return next(self.root.iterdir(), None) is None

    def refuse_strangers(self, names: Iterable[str], marked: Mapping[str, Hashes], *, force: bool) -> None:
        """Look at what is in the places of files that are to be written, before any is.

        Args:
            names: of the files.
            marked: which of them are ours.
            force: files and links of others are to be replaced; a folder is never.

        Raises:
            SiteError: something that was not written by us, or was changed since.
            OSError: it cannot be read.
        """
        for name in names:
            try:
                file, parent = self._place(name, make=False)
                kind = _kind(file, parent)
                if kind == stat.S_IFDIR:
                    raise SiteError(
                        f"{self.shown / name} is a folder, where a file of the site has to be: move it away."
                    )
                if force:
                    continue
                data = self._read(name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if kind is None or (data is not None and name in marked and _was_written(name, data, marked[name])):
                continue
            what = "is a link" if kind == stat.S_IFLNK else "is not as it was written for the site"
            raise SiteError(f"{self.shown / name} {what}: move it away, or pass --force to have it replaced.")

    def put(self, name: str, data: bytes) -> None:
        """Write a file, in the place of one that is there.

        Raises:
            SiteError: its folder is a link.
            OSError: it cannot be written.
        """
        file, parent = self._place(name, make=True)
        new = _beside(file)
        self._hashes[name] = _hash(data)
        if self._journal is not None:
            _write(self._journal, Begun(name, self._hashes[name], Path(new).name).line())
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _STAY, 0o666, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(data)
            os.replace(new, file, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=parent)
            raise

    def begin(self) -> None:
        """Keep a journal from here on of what is put: should it be cut off, the next build knows what is ours.

        One that a build left goes on; what is in its place and none of ours is replaced, whoever it is from.

        Raises:
            OSError: it cannot be written.
        """
        file, parent = self._place(JOURNAL, make=False)
        there = self._read(JOURNAL, _MOST_MARK)
        if there is None or not there.startswith(HEAD):
            new = _kind(file, parent) is None
            if new:
                # As a whole it would have to be written beside it first, and what is cut off there is unknown.
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _STAY
                descriptor = os.open(file, flags, 0o666, dir_fd=parent)
                try:
                    _write(descriptor, HEAD)
                finally:
                    os.close(descriptor)
            else:
                self.put(JOURNAL, HEAD)
                del self._hashes[JOURNAL]
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | _AT_ONCE | _STAY, dir_fd=parent)
        self._open.callback(self._close_journal)
        self._journal = descriptor

    def finish(self) -> None:
        """The site is complete and marked: the journal goes, and what a build that was cut off left half-written.

        Raises:
            OSError: one of them cannot be deleted.
        """
        self._close_journal()
        for one in self._left:
            folder = one.name.rpartition("/")[0]
            self._delete(f"{folder}/{one.beside}" if folder else one.beside)
        self._delete(JOURNAL)

    def _close_journal(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def _delete(self, name: str) -> None:
        """Delete a regular file, if there is one."""
        try:
            file, parent = self._place(name, make=False)
        except (SiteError, FileNotFoundError, NotADirectoryError):
            return  # a link in the way, or nothing there
        if _kind(file, parent) == stat.S_IFREG:
            os.unlink(file, dir_fd=parent)

    def mark(self) -> bytes:
        """The content of the mark: the files that were put here, with their hashes."""
        files = dict(sorted(self._hashes.items()))
        return (json.dumps({"schema": _SCHEMA, "version": __version__, "files": files}, indent=1) + "\n").encode()

    def marked(self) -> dict[str, Hashes] | None:
        """The files that are ours by a mark or a journal, with the hashes that they may have ("" in a mark of 0.2.0).

        None without either.

        Raises:
            OSError: it cannot be read.
        """
        found: dict[str, Hashes] | None = None
        for name in SITE_MARKS:
            data = self._read(name, _MOST_MARK)
            if data is not None:
                told = _marked(data, name)
                found = None if told is None else {one: (hash,) for one, hash in told.items()}
                if found is not None and name == MARK:
                    found[MARK] = (_hash(data),)
                break
        journal = self._read(JOURNAL, _MOST_MARK)
        files = None if journal is None else begun(journal)
        if files is not None:
            self._left = [one for one in files if _OF_A_SITE.fullmatch(one.name)]
            found = {**(found or {}), JOURNAL: (_hash(journal or b""),)}
            for one in self._left:
                found[one.name] = (*found.get(one.name, ()), one.hash)
        return found

    def clear(self, marked: Mapping[str, Hashes]) -> None:
        """Delete the files of an earlier site that were not put here again; what is no longer as it was written stays.

        Raises:
            OSError: one of them cannot be deleted.
        """
        for name in sorted(marked.keys() - self._hashes.keys()):
            if not _OF_A_SITE.fullmatch(name):
                continue
            try:
                file, parent = self._place(name, make=False)
                data = self._read(name)
            except (SiteError, FileNotFoundError, NotADirectoryError):
                continue  # a link in the way, or nothing there
            if data is not None and _was_written(name, data, marked[name]):
                os.unlink(file, dir_fd=parent)

    def remove_folders(self, names: Iterable[str]) -> None:
        """Delete folders of a site that are empty."""
        parent = self._descriptors.get("")
        for name in names:
            with suppress(OSError):  # it is not there, or holds something
                os.rmdir(name if parent is not None else self.root / name, dir_fd=parent)

    def _place(self, name: str, *, make: bool) -> tuple[str, int | None]:
        """How to name a file to the system: within a folder that is open, or whole where folders cannot be."""
        folder, _, file = name.rpartition("/")
        if folder and folder not in self._descriptors:
            self._enter(folder, make=make)
        if _HAS_DESCRIPTORS:
            return file, self._descriptors[folder]
        return str(self.root / name), None

    def _enter(self, folder: str, *, make: bool) -> None:
        parent = self._descriptors.get("")
        path = folder if parent is not None else str(self.root / folder)
        if make:
            with suppress(FileExistsError):
                os.mkdir(path, dir_fd=parent)
        kind = _kind(path, parent)
        if kind is None:
            raise FileNotFoundError(folder)
        if kind != stat.S_IFDIR:
            raise SiteError(
                f"{self.shown / folder} is no folder of its own, and a site stays within {self.shown}: "
                "remove it, or name another folder."
            )
        if parent is not None:
            # Between the look and this it may have become a link: then it is not opened.
            self._keep(folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _STAY, dir_fd=parent))

    def _keep(self, folder: str, descriptor: int) -> None:
        self._descriptors[folder] = descriptor
        self._open.callback(os.close, descriptor)

    def _read(self, name: str, most: int = -1) -> bytes | None:
        """A regular file; None where there is none, or something else."""
        file, parent = self._place(name, make=False)
        if _kind(file, parent) != stat.S_IFREG:
            return None
        with os.fdopen(os.open(file, os.O_RDONLY | _AT_ONCE | _STAY, dir_fd=parent), "rb") as held:
            return held.read(most)


def _marked(data: bytes, name: str) -> dict[str, str] | None:
    try:
        mark = json.loads(data)
        if not is_ours(mark["schema"], "-site"):
            return None
        files = mark["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # a mark that says nothing: as if there were none
    if isinstance(files, dict):
        told = {one: hash for one, hash in files.items() if isinstance(hash, str)}
    elif isinstance(files, list):
        told = {one: "" for one in files if isinstance(one, str)}
    else:
        return None
    # A mark does not keep its own hash.
    return told if name == MARK else {**told, name: ""}


def _was_written(name: str, data: bytes, hashes: Hashes) -> bool:
    if "" not in hashes:
        return _hash(data) in hashes
    first = _PAGE if name.startswith("samples/") else _BEFORE_HASHES.get(name)
    return first is not None and first in data[:_FIRST_BYTES]


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _beside(file: str) -> str:
    path = Path(file)
    return str(path.with_name(f".{path.name[:100]}.{token_hex(8)}"))


def _kind(file: str, parent: int | None) -> int | None:
    """What is there (``stat.S_IFREG``, a link itself ...); None for nothing."""
    try:
        return stat.S_IFMT(os.stat(file, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return None
