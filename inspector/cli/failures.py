"""What may go wrong on any machine, in one sentence each. Everything else is a defect of the program."""

from __future__ import annotations

import errno
import os
from typing import Final

import click

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a write fails with when there is no room for it."""


def expected(error: BaseException) -> str | None:
    """The sentence for an exception that is nobody's mistake here; None for a defect.

    >>> expected(MemoryError())
    'there is not enough memory for this: give it in smaller pieces, or on a machine with more.'
    >>> expected(IndexError("list index out of range")) is None
    True
    """
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx is not None else "harmonylens"
        return f"{_sentence(error.format_message())} See `{where} --help`."
    if isinstance(error, click.ClickException):
        return _sentence(error.format_message())
    from ..tokens import VocabularyError

    if isinstance(error, VocabularyError):
        return _sentence(str(error))
    if isinstance(error, MemoryError):
        return "there is not enough memory for this: give it in smaller pieces, or on a machine with more."
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] != "inspector":
        return f"the package {error.name} cannot be found in this Python: install harmonylens anew."
    if isinstance(error, OSError):
        return _refused(error)
    return None


def _refused(error: OSError) -> str:
    """What the system did not let the program do."""
    reason = (error.strerror or str(error)).rstrip(".")
    if isinstance(error, FileNotFoundError) and error.filename is None and not _is_somewhere():
        return "the folder that this was started in is there no more: start it in another."
    if error.filename is not None:
        return f"{click.format_filename(error.filename)} cannot be used: {reason}."
    if error.errno in _FULL:
        return f"the output cannot be written: {reason}."
    return f"the system refused: {reason}."


def _sentence(text: str) -> str:
    bare = " ".join(text.split())
    return bare if bare.endswith((".", "?", "!")) else f"{bare}."


def _is_somewhere() -> bool:
    """Whether the current folder exists."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True
