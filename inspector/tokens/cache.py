"""Where harmonylens keeps files between runs: the vocabulary and the releases of the parser."""

from __future__ import annotations

from pathlib import Path

from ..renamed import NAME, variable


def cache_dir() -> Path:
    """The cache folder: ``$HARMONYLENS_CACHE`` when set, else the user's cache folder of this system."""
    named = variable("HARMONYLENS_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path(NAME, appauthor=False)
