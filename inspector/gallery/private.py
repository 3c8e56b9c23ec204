"""Files that are nobody else's: what a person saves can be read by that person only, whatever their umask is."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_OTHERS: Final = 0o077
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""What SQLite writes for a database NAME: NAME itself, and these. New ones take the mode of the database."""


def make_folder(folder: Path) -> None:
    """A folder of the person's own, made or tightened: 0700.

    Raises:
        OSError: it cannot be made.
    """
    # Those above it are the system's to say; umask can only take away more.
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _tighten(folder)


def make_file(database: Path) -> None:
    """The empty file of a SQLite database, 0600, where none is: SQLite itself would let everyone read it.

    Raises:
        OSError: it cannot be made.
    """
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def tighten(database: Path) -> None:
    """Take from everybody else what rights they have to a database that is there, and to what SQLite keeps beside it.
    Where that cannot be, the log has a sentence."""
    for ending in _BESIDE:
        _tighten(database.with_name(database.name + ending))


def _tighten(path: Path) -> None:
    if os.name != "posix":
        return  # Windows has other rights; a person's own folders are theirs there.
    try:
        found = path.stat()
        if not found.st_mode & _OTHERS:
            return
        if found.st_uid != os.geteuid():
            raise PermissionError(0, "it belongs to somebody else")
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except FileNotFoundError:
        return
    except OSError as error:
        _LOG.warning(
            "Others on this machine may read %s, where samples are saved, and that cannot be changed: %s.",
            path,
            error.strerror or error,
        )
