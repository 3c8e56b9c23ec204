"""Where harmonylens keeps files between runs: the vocabulary and the releases of the parser."""

from __future__ import annotations

import errno
import getpass
import os
import tempfile
from pathlib import Path

from ..renamed import NAME, variable


def cache_dir() -> Path:
    """The cache folder: ``$HARMONYLENS_CACHE`` when set, else the user's cache folder of this system.

    Raises:
        FileNotFoundError: this user has no home folder, and nothing names another place. A container may run as a
            number that no list of users has.
    """
    named = variable("HARMONYLENS_CACHE")
    try:
        if named:
            return Path(named).expanduser()
        from platformdirs import user_cache_path

        found = user_cache_path(NAME, appauthor=False)
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "this user has no home folder") from error
    # An earlier platformdirs hands out "~/.cache" as it stands, which would be a folder of that name where we are.
    if not found.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "this user has no home folder")
    return found


def spare_dir() -> Path:
    """The folder in the place of :func:`cache_dir` when nothing can be kept there: a temporary one of this user.

    Raises:
        FileNotFoundError: this system has no folder for temporary files that can be written to.
    """
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"{NAME}-{user}"
