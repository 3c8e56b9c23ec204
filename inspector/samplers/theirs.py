"""Other people's code, samplers and tools: loading it, and saying what it raised and where."""

from __future__ import annotations

import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_LONGEST: Final = 300
_OURS: Final = str(Path(__file__).parents[1])
_SITES: Final = ("site-packages", "dist-packages")
_PYTHONS: Final = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))


class TheirError(Exception):
    """It raised; the message is what and where, a phrase for a sentence. The cause is the exception itself."""


def load(loader: Callable[[], Any]) -> Any:
    """What ``loader`` imports.

    Raises:
        TheirError: it cannot be imported, for whatever reason.
    """
    try:
        return loader()
    except (Exception, SystemExit) as error:
        # A script that was not meant to be imported ends the program.
        raise TheirError(raised(error)) from error


def raised(error: BaseException, module: str = "") -> str:
    """What was raised and in which line of theirs: "ValueError: no (/home/me/mine.py, line 3, in sample)".

    Args:
        error: of a group, the first of its exceptions is told.
        module: theirs, where it is known: a line of what it calls in other libraries is not the one to look at.
    """
    error = first(error)
    what = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
    place = _place(error, module)
    return f"{what} ({place})" if place else what


def first(error: BaseException) -> BaseException:
    """The first exception of a group of groups; another is itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _words(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split()).removesuffix(".")
    except Exception:  # noqa: BLE001
        # Their exception cannot even say what it is.
        return ""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _place(error: BaseException, module: str) -> str:
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{error.filename}, line {error.lineno}"
    frames = [one for one in traceback.extract_tb(error.__traceback__) if _is_theirs(one.filename)]
    home = _home(module)
    own = [one for one in frames if one.filename.startswith(home)] if home else []
    chosen = own or [one for one in frames if not any(site in one.filename for site in _SITES)] or frames
    if not chosen:
        return ""
    return f"{chosen[-1].filename}, line {chosen[-1].lineno}, in {chosen[-1].name}"


def _is_theirs(filename: str) -> bool:
    if filename.startswith(("<frozen", _OURS)):
        return False
    return not filename.startswith(_PYTHONS) or any(site in filename for site in _SITES)


def _home(module: str) -> str:
    """What the file names of their package begin with; of a lone module, its folder, unless others live there too."""
    file = getattr(sys.modules.get(module.partition(".")[0]), "__file__", None)
    if not file:
        return ""
    path = Path(file)
    return str(path if path.parent.name in _SITES else path.parent)
