"""Where harmonylens keeps files between runs: the vocabulary and the releases of the parser."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..renamed import NAME, variable


def cache_dir() -> Path:
    """The cache folder: ``$HARMONYLENS_CACHE`` when set, else the user's cache folder of this system."""
    named = variable("HARMONYLENS_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path(NAME, appauthor=False)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` so that another process sees either no file or the whole of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
