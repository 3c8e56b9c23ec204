"""What a database says when it fails, as one sentence for a person, without passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from .saved import StoreError

_LONGEST: Final = 300


@contextmanager
def speaking(engine: Engine) -> Iterator[None]:
    """Turn what the database raises into a :class:`StoreError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(sentence(error, engine.url)) from error


def sentence(error: SQLAlchemyError, url: URL) -> str:
    """One sentence: where, what happened, what to do."""
    said = _said(error, url)
    low = said.lower()
    if url.get_backend_name() == "sqlite":
        return _sqlite(said, low, url)
    where = shown(url)
    if isinstance(error, TimeoutError):
        return f"The database {where} is busy: no connection became free; try again."
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_connecting(low)):
        return f"The database {where} cannot be reached ({said}); check that it runs and that its address is right."
    if "read-only" in low or "permission denied" in low:
        return f"The database {where} does not let this user write ({said}); ask who runs it for the right to."
    return f"The database {where} refused: {said}."


def shown(url: URL) -> str:
    """An address without its password, and without options that can carry one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _sqlite(said: str, low: str, url: URL) -> str:
    file = url.database or ""
    if "readonly" in low or "read-only" in low:
        return f"The samples' file {file} can only be read; make it and its folder writable to save."
    if "unable to open" in low:
        return f"The samples' file {file} cannot be opened; check that its folder exists and can be written."
    if "locked" in low or "busy" in low:
        return f"The samples' file {file} is in use by another program that does not let go; try again."
    if "not a database" in low or "malformed" in low:
        return f"The file {file} is no database of samples, or it is damaged; move it away to begin a new one."
    if "full" in low:
        return f"The disk that holds the samples' file {file} is full; make room to save."
    return f"The samples' file {file} cannot be used: {said}."


def _is_connecting(low: str) -> bool:
    words = ("connect", "could not translate host", "authentication", "does not exist", "timeout", "terminating")
    return any(word in low for word in words)


def _said(error: SQLAlchemyError, url: URL) -> str:
    """The first line of what the driver said, which never repeats the statement; no password is in it."""
    raw = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    line = next((row.strip() for row in raw.splitlines() if row.strip()), type(error).__name__)
    for secret in _secrets(url):
        line = line.replace(secret, "***")
    return line[:_LONGEST].rstrip(". ")


def _secrets(url: URL) -> list[str]:
    found = [str(url.password)] if url.password is not None else []
    for value in url.query.values():
        found += [value] if isinstance(value, str) else list(value)
    return sorted((s for s in found if len(s) > 2), key=len, reverse=True)
