"""What only a server can do: be away, come back, refuse a person. A real PostgreSQL on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from postgres_server import Server
from sqlalchemy import create_engine, text

from inspector.gallery import Sample
from inspector.gallery.database import SampleStore
from inspector.gallery.saved import StoreError
from inspector.tokens import Transcript
from inspector.ui import store as connection

SAMPLE = Sample("", "A title", "", "", Transcript((200005, 35644, 200008)), ())


@contextmanager
def store_at(url: str) -> Iterator[SampleStore]:
    """A store as the app makes it."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"),
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 5},
    )
    yield SampleStore(engine)
    engine.dispose()


def test_a_server_that_is_away_and_comes_back(postgres: Server) -> None:
    with store_at(postgres.new_database()) as store:
        saved = store.save(SAMPLE)
        postgres.stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached") as failed:
                store.list()
            assert postgres.password not in str(failed.value)
            assert f"tester:***@127.0.0.1:{postgres.port}" in str(failed.value)
        finally:
            postgres.start()
        assert [row.id for row in store.list()] == [saved.id]


def test_a_wrong_password(postgres: Server) -> None:
    with (
        store_at(postgres.address(password="not-the-password")) as store,
        pytest.raises(StoreError, match=r"cannot be reached \(.*password authentication failed") as failed,
    ):
        store.list()
    assert "not-the-password" not in str(failed.value)


def test_a_database_that_is_not_there(postgres: Server) -> None:
    with store_at(postgres.address("nowhere")) as store, pytest.raises(StoreError, match='"nowhere" does not exist'):
        store.list()


def test_a_person_who_may_only_read(postgres: Server) -> None:
    url = postgres.new_database()
    with store_at(url) as store:
        saved = store.save(SAMPLE)
        with store.engine.begin() as connection:
            connection.execute(text("CREATE USER reader PASSWORD 'reader-word'"))
            for table in ("schema", "transcripts", "revisions"):
                connection.execute(text(f"GRANT SELECT ON harmonyscope_{table} TO reader"))
        address = store.engine.url.set(username="reader", password="reader-word")
    with store_at(address.render_as_string(hide_password=False)) as store:
        assert [row.id for row in store.list()] == [saved.id]
        assert store.get(saved.id) is not None
        with pytest.raises(StoreError, match=r"does not let this user write \(permission denied"):
            store.edit(saved.id, based_on=1, title="Mine")


def test_transactions_that_the_database_gives_up_are_tried_again(postgres: Server) -> None:
    with store_at(postgres.new_database()) as store:
        saved = store.save(SAMPLE)
        # The strictest isolation that a team can configure: whoever waited reads what was, and has to begin again.
        engine = store.engine.execution_options(isolation_level="SERIALIZABLE")
        people, edits = 4, 5
        begin = threading.Barrier(people)

        def work(person: int) -> None:
            strict = SampleStore(engine)
            begin.wait()
            for number in range(edits):
                strict.edit(saved.id, based_on=1, title=f"{person} {number}")

        with ThreadPoolExecutor(people) as pool:
            list(pool.map(work, range(people)))
        titles = [revision.title for revision in store.history(saved.id)]
        assert len(titles) == 1 + people * edits
        assert set(titles) == {"A title", *(f"{p} {n}" for p in range(people) for n in range(edits))}


def test_nothing_is_left_open(postgres: Server) -> None:
    with store_at(postgres.new_database()) as store:
        saved = store.save(SAMPLE)
        with pytest.raises(StoreError):
            store.edit(saved.id, based_on=9, title="x")
        store.get(saved.id)
        store.list()
        with store.engine.connect() as connection:
            query = text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            assert connection.execute(query).scalar_one() == 0


def test_the_app_connects_as_a_team_would_say_it(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(connection.URL, postgres.new_database())
    held = connection.store()
    assert held is not None
    assert held.engine.url.drivername == "postgresql+psycopg"
    saved = held.save(SAMPLE, author="Ann")
    found = connection.find_saved(saved.id)
    assert found is not None
    assert found.transcript.ids == SAMPLE.transcript.ids
    listed = connection.saved_gallery()
    assert listed is not None
    assert [item["name"] for item in listed[1]] == [saved.id]
    held.delete(saved.id, author="Ann")
    assert "was deleted by Ann" in connection.why_not_saved(saved.id)
    held.engine.dispose()
