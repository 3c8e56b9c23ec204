"""The tables of the sample store, for SQLite and PostgreSQL alike, and how they come to be.

Transcripts are written once and never change: their name is their content. Everything else is a revision, and
revisions are only ever added. ``(sample_id, number)`` is unique, so two people cannot take the same number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    event,
    insert,
    inspect,
    select,
    text,
    update,
)

from ..renamed import OLD_NAME
from .saved import StoreError

METADATA: Final = MetaData()

PREFIX: Final = f"{OLD_NAME}_"
"""Of the tables' names. As before the product was renamed: a team's older apps read the same tables."""


class Bytes(TypeDecorator[bytes]):
    """Bytes, and whatever else SQLite may hold in their place: who unpacks them says that it is damaged."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        """The value as it is: SQLAlchemy's own way raises for a text, and ends the whole query."""
        return lambda value: bytes(value) if isinstance(value, bytearray | memoryview) else value


SCHEMA: Final = Table(
    f"{PREFIX}schema",
    METADATA,
    # One row only; the key says so to a database that two apps prepare at once.
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

TRANSCRIPTS: Final = Table(
    f"{PREFIX}transcripts",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("tokens", Integer, nullable=False),
    Column("content", Bytes, nullable=False),
    Column("at", String(32), nullable=False),
)

REVISIONS: Final = Table(
    f"{PREFIX}revisions",
    METADATA,
    Column("sample_id", String(64), ForeignKey(f"{PREFIX}transcripts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer),
    Column("kind", String(16), nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", String(32), nullable=False, index=True),
    Column("title", Text, nullable=False),
    # Every tag between two newlines, so that one can be asked for.
    Column("tags", Text, nullable=False),
    Column("search", Text, nullable=False),
    # JSON for lists: the beginning of the story, codes, what is drawn of it.
    Column("card", Text, nullable=False),
    # Compressed canonical JSON: all that can be edited.
    Column("body", Bytes, nullable=False),
)

Migration = Callable[[Connection], None]

MIGRATIONS: Final[list[Migration]] = []
"""The step at index i brings schema i + 1 to schema i + 2. Steps are only ever added."""

_LOCK: Final = 0x48415256
"""The number of the lock that PostgreSQL gives to one preparing app at a time."""

_BUSY_S: Final = 20
_CONNECT_S: Final = 5
_TUNED: Final = "harmonylens_tuned"


def schema_version() -> int:
    """The schema that this version of the app writes."""
    return 1 + len(MIGRATIONS)


def tune(engine: Engine) -> None:
    """Make SQLite wait for others instead of failing, and a server that does not answer fail. Idempotent."""
    # An engine outlives this module where Streamlit reads changed sources anew: it carries the mark itself.
    if getattr(engine.dialect, _TUNED, False):
        return
    setattr(engine.dialect, _TUNED, True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connected)
        event.listen(engine, "begin", _begun)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "do_connect", _connecting)


def _connecting(dialect: object, record: object, arguments: object, options: dict[str, Any]) -> None:
    options.setdefault("connect_timeout", _CONNECT_S)


def _connected(connection: Any, _: object) -> None:
    # Python's own handling of transactions would begin them too late; see _begun.
    connection.isolation_level = None
    # One text that is no UTF-8 would end the list that it stands in.
    connection.text_factory = _text
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Readers read while someone writes. A file that can only be read keeps the mode it has, and reading works.
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode = WAL")
    finally:
        cursor.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _begun(connection: Connection) -> None:
    # A writer takes the lock before it reads, so what it read cannot change before it writes.
    writes = connection.get_execution_options().get("harmonylens_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def prepare(engine: Engine) -> None:
    """Make the tables, or bring those of an older version up to date.

    Raises:
        StoreError: a newer version of the app wrote them.
        sqlalchemy.exc.SQLAlchemyError: the database refuses.
    """
    with engine.connect() as connection:
        found = _version(connection)
    if found is not None and found == schema_version():
        return
    if found is not None:
        _not_newer(found)
    with engine.execution_options(harmonylens_writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        # Another app may have been here between the two looks.
        found = _version(connection)
        if found is None:
            METADATA.create_all(connection)
            connection.execute(insert(SCHEMA).values(id=1, version=schema_version()))
            return
        _not_newer(found)
        for step in MIGRATIONS[found - 1 :]:
            step(connection)
        connection.execute(update(SCHEMA).values(version=schema_version()))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(SCHEMA.name):
        return None
    found = connection.execute(select(SCHEMA.c.version)).scalar()
    return None if found is None else int(found)


def _not_newer(found: int) -> None:
    if found > schema_version():
        raise StoreError(
            f"The samples were saved by a newer harmonylens (schema {found}, this one knows {schema_version()}): "
            "update harmonylens to open them."
        )
