"""Writing a file that somebody names: the whole of it, or what was there before.

A full disk, a Ctrl-C or a crash in the middle of writing must not cost a file that was there: the new one is written
beside it, under a name of its own, and takes its place when it is complete.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

_BESIDE: Final = ".harmonylens-"
"""How the names begin that files have until they are complete. The name proper would do, but for its length."""

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write ``data`` into the file ``path``, as :func:`whole_file` does; its folder is made when missing.

    Raises:
        OSError: as :func:`whole_file`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, replace=replace) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """A file to write into, which is ``path`` once the block has ended without an exception.

    Until then, and after an exception, what was there is there still, and nothing else. A file that is replaced hands
    on its mode and, where the system lets it, its owner; a symbolic link stays one, and what it leads to is replaced.
    What is no file (a pipe, ``/dev/stdout``) is written to as it is; so is a file in a folder that takes no new ones.

    Args:
        path: the file.
        replace: whether a file that is there may be replaced.

    Raises:
        FileExistsError: it may not.
        OSError: it cannot be written.
    """
    before = _stat(path)
    # Nothing that is there is lost by writing to a pipe or a terminal.
    passes_on = before is not None and (stat.S_ISCHR(before.st_mode) or stat.S_ISFIFO(before.st_mode))
    if not replace and not passes_on and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if before is not None and not stat.S_ISREG(before.st_mode):
        # A folder says so when it is opened.
        with open(path, "wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    beside = target.parent / f"{_BESIDE}{secrets.token_hex(8)}"
    try:
        handle = os.open(beside, _FLAGS, 0o666)
    except PermissionError:
        if before is None:
            raise
        with open(target, "wb") as file:
            yield file
        return
    try:
        with os.fdopen(handle, "wb") as file:
            if before is not None:
                _hand_on(before, beside)
            yield file
            file.flush()
            os.fsync(file.fileno())  # some file systems find out only now that they are full
        _put(beside, target, replace=replace)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _stat(path: Path) -> os.stat_result | None:
    """What is known of what is at ``path``, behind all links; None when there is nothing."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _hand_on(before: os.stat_result, beside: Path) -> None:
    """Give the new file the owner and the mode of the one that it will replace."""
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(beside, before.st_uid, before.st_gid)
    os.chmod(beside, before.st_mode & 0o777)


def _put(beside: Path, target: Path, *, replace: bool) -> None:
    """Let the complete file take its place.

    Raises:
        FileExistsError: somebody else made ``target`` meanwhile, and it may not be replaced.
    """
    if not replace:
        # Takes the name or fails; a reader sees an empty file for a moment.
        os.close(os.open(target, _FLAGS, 0o666))
    try:
        os.replace(beside, target)
    except OSError as error:
        if error.errno != errno.EBUSY:
            if not replace:
                target.unlink()
            raise
        # A file that was mounted by itself, as containers do: its name is taken for good.
        shutil.copyfile(beside, target)
