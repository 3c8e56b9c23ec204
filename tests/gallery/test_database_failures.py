"""A database that fails says so in one sentence: where, why, what to do; never a password."""

from __future__ import annotations

import importlib
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from inspector.gallery import Sample, tables
from inspector.gallery.database import SampleStore
from inspector.gallery.failures import sentence, shown
from inspector.gallery.saved import StoreError
from inspector.tokens import Transcript

SAMPLE = Sample("", "A title", "", "", Transcript((200005, 35644, 200008)), ())


def store_at(path: Path, options: str = "") -> SampleStore:
    return SampleStore(create_engine(f"sqlite:///{path}{options}"))


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = store_at(tmp_path / "file" / "samples.sqlite3")
    with pytest.raises(StoreError, match=r"samples\.sqlite3 cannot be opened; check that its folder exists"):
        store.list()


def test_a_file_that_can_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "samples.sqlite3"
    saved = store_at(path).save(SAMPLE)
    # What a person without the right to write sees; the tests may run as root, who always has it.
    store = SampleStore(create_engine(f"sqlite:///file:{path}?mode=ro&uri=true"))
    assert [row.id for row in store.list()] == [saved.id]
    assert store.get(saved.id) is not None
    with pytest.raises(StoreError, match="can only be read; make it and its folder writable to save"):
        store.delete(saved.id)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    with pytest.raises(StoreError, match="is no database of samples, or it is damaged"):
        store_at(path).list()
    assert path.read_text().startswith("These are my notes.")


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "samples.sqlite3"
    monkeypatch.setattr(tables, "_BUSY_S", 0.05)
    store = store_at(path)
    store.save(SAMPLE)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="is in use by another program that does not let go; try again"):
        store.delete(store.list()[0].id)
    assert len(store.list()) == 1, "reading goes on"
    holder.execute("ROLLBACK")
    holder.close()


def test_an_engine_outlives_the_module(tmp_path: Path) -> None:
    # Streamlit forgets modules whose sources change and keeps the connection.
    engine = create_engine(f"sqlite:///{tmp_path / 'samples.sqlite3'}")
    SampleStore(engine).save(SAMPLE)
    importlib.reload(tables)
    tables.tune(engine)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM harmonyscope_revisions")).scalar_one() == 1


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    path = tmp_path / "samples.sqlite3"
    store = store_at(path)
    saved = store.save(SAMPLE)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    # Let go while the other one waits: whoever comes too early finds the lock, and waits as well.
    timer = threading.Timer(0.3, lambda: holder.execute("COMMIT"))
    timer.start()
    store.delete(saved.id)
    timer.join()
    holder.close()
    assert store.list() == ()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="would forget what is saved"):
        SampleStore(create_engine(url))


@pytest.mark.filterwarnings("ignore:No driver name")
def test_another_kind_of_database_is_refused() -> None:
    engine = create_engine("mssql+pyodbc://user:secret@127.0.0.1/db", module=sqlite3)
    with pytest.raises(StoreError, match="in SQLite or PostgreSQL; the database given is mssql") as failed:
        SampleStore(engine)
    assert "secret" not in str(failed.value)


def test_a_password_is_never_shown() -> None:
    engine = create_engine("postgresql+psycopg://ann:s3cret-w0rd@127.0.0.1:1/db?sslpassword=hidden-too")
    assert shown(engine.url) == "postgresql+psycopg://ann:***@127.0.0.1:1/db"
    from sqlalchemy.exc import OperationalError

    error = OperationalError("SELECT 1", {}, Exception("bad: s3cret-w0rd, hidden-too\nmore"))
    assert sentence(error, engine.url) == (
        "The database postgresql+psycopg://ann:***@127.0.0.1:1/db refused: bad: ***, ***."
    )
