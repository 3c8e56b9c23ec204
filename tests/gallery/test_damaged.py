"""One damaged row of the database: it is named and says what can be done, and every other sample is there."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from inspector.gallery import Sample
from inspector.gallery.content import content_of, packed
from inspector.gallery.damaged import ADVICE, can_be_drawn, revision_of, row_of
from inspector.gallery.database import SampleStore
from inspector.gallery.saved import StoreError
from inspector.report.cards import sample_card
from inspector.tokens import Transcript


def sample(number: int) -> Sample:
    return Sample(
        "", f"Sample {number}", "It was so.", "", Transcript((200005, 35644, 200008, number)), (), tags=("x",)
    )


class Database:
    """Three saved samples, the second of which is to be damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SampleStore(create_engine(f"sqlite:///{path}"))
        self.ids = [self.store.save(sample(n), look=sample_card(sample(n))).id for n in range(3)]
        self.store.edit(self.ids[1], based_on=1, title="Sample 1, edited")

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path)
        yield connection
        connection.commit()
        connection.close()

    def damage(self, table: str, column: str, value: Any) -> None:
        key = "id" if table == "transcripts" else "sample_id"
        with self.opened() as connection:
            connection.execute(f"UPDATE harmonyscope_{table} SET {column} = ? WHERE {key} = ?", (value, self.ids[1]))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "samples.sqlite3")


NOT_ASCII = b"\xff\xfe\xfa"

OF_LISTS: list[tuple[str, str, Any, str]] = [
    ("revisions", "card", "{", "what lists show of it cannot be read"),
    ("revisions", "card", "[" * 100_000, "what lists show of it cannot be read"),
    ("revisions", "card", "[1]", "what lists show of it cannot be read"),
    ("revisions", "card", b"\x00\x01", "what lists show of it cannot be read"),
    ("revisions", "card", '{"story": 5, "tags": [], "rules": [], "raises": [], "look": {}}', "what lists show"),
    ("revisions", "card", '{"story": "", "tags": [5], "rules": [], "raises": [], "look": {}}', "what lists show"),
    ("revisions", "card", '{"story": "", "tags": [], "rules": [], "raises": [], "look": []}', "what lists show"),
    ("revisions", "at", "yesterday", "its time cannot be right"),
    ("revisions", "at", b"\x00", "its time cannot be right"),
    ("revisions", "kind", "burn", "its kind cannot be right"),
    ("revisions", "author", b"\x00", "its author cannot be right"),
    ("revisions", "title", b"\x00", "its title cannot be right"),
    ("revisions", "parent", "x", "its parent cannot be right"),
    ("transcripts", "tokens", "many", "its number of tokens cannot be right"),
    ("transcripts", "tokens", -5, "its number of tokens cannot be right"),
    ("transcripts", "tokens", 2**62, "its number of tokens cannot be right"),
]


@pytest.mark.parametrize(("table", "column", "value", "said"), OF_LISTS)
def test_a_list_has_all_of_them_and_says_which_is_damaged(
    database: Database, table: str, column: str, value: Any, said: str
) -> None:
    database.damage(table, column, value)
    rows = {row.id: row for row in database.store.list()}
    assert set(rows) == set(database.ids)
    assert [bool(rows[id].damage) for id in database.ids] == [False, True, False]
    sentence = rows[database.ids[1]].damage
    assert sentence.startswith(f"The saved sample {database.ids[1]} is damaged: ")
    assert said in sentence
    assert sentence.endswith(ADVICE)
    assert len(database.store.history(database.ids[1])) == 2
    json.dumps([row.look for row in rows.values()])


@pytest.mark.parametrize("id", ["", "no address", "x" * 5000, "\x00\n", "🙂"])
def test_an_id_that_cannot_be(database: Database, id: str) -> None:
    with database.opened() as connection:
        for table, key in (("transcripts", "id"), ("revisions", "sample_id")):
            connection.execute(f"UPDATE harmonyscope_{table} SET {key} = ? WHERE {key} = ?", (id, database.ids[1]))
    rows = database.store.list()
    assert len(rows) == 3
    (bad,) = [row for row in rows if row.damage]
    assert "its id is no id of a sample" in bad.damage
    assert len(bad.damage) < 500
    assert bad.damage.isprintable()


def test_a_text_that_is_no_utf_8_ends_no_list(database: Database) -> None:
    with database.opened() as connection:
        where = (NOT_ASCII, database.ids[1])
        connection.execute("UPDATE harmonyscope_revisions SET title = CAST(? AS TEXT) WHERE sample_id = ?", where)
    rows = {row.id: row for row in database.store.list()}
    assert len(rows) == 3
    assert rows[database.ids[1]].title == "\ufffd" * 3


OF_GET: list[tuple[str, str, Any, str]] = [
    ("transcripts", "content", b"", "its tokens cannot be read"),
    ("transcripts", "content", b"no zlib", "its tokens cannot be read (it cannot be decompressed)"),
    ("transcripts", "content", zlib.compress(b"x" * 9999)[:-5], "its tokens cannot be read (its end is missing)"),
    ("transcripts", "content", "text", "its tokens cannot be read (it is no bytes)"),
    ("transcripts", "content", 5, "its tokens cannot be read (it is no bytes)"),
    ("transcripts", "content", packed(b"{"), "not those that its address stands for"),
    ("transcripts", "content", packed(content_of(sample(9).transcript)), "not those that its address stands for"),
    ("transcripts", "digest", "a" * 52, "not those that its address stands for"),
    ("revisions", "body", b"", "its words cannot be read"),
    ("revisions", "body", "text", "its words cannot be read (it is no bytes)"),
    ("revisions", "body", packed(b"{"), "its words cannot be read (what a revision says is no JSON)"),
    ("revisions", "body", packed(b"[" * 100_000), "its words cannot be read (what a revision says is no JSON)"),
    ("revisions", "body", packed(b"[]"), "its words cannot be read (a revision is no object)"),
]


@pytest.mark.parametrize(("table", "column", "value", "said"), OF_GET)
def test_a_damaged_one_says_so_when_it_is_opened_and_the_others_open(
    database: Database, table: str, column: str, value: Any, said: str
) -> None:
    database.damage(table, column, value)
    with pytest.raises(StoreError) as told:
        database.store.get(database.ids[1])
    assert str(told.value).startswith(f"The saved sample {database.ids[1]} is damaged: ")
    assert said in str(told.value)
    assert str(told.value).endswith(ADVICE)
    assert len(database.store.list()) == 3
    for n in (0, 2):
        held = database.store.get(database.ids[n])
        assert held is not None
        assert held.sample.transcript.ids == sample(n).transcript.ids


@pytest.mark.parametrize(("table", "column", "value", "said"), [one for one in OF_GET if one[1] != "digest"])
def test_it_can_be_deleted_and_saved_again(database: Database, table: str, column: str, value: Any, said: str) -> None:
    database.damage(table, column, value)
    written = database.store.delete(database.ids[1])
    assert written.revision.kind == "delete"
    assert [row.id for row in database.store.list(deleted=True)] == [database.ids[1]]
    again = database.store.save(sample(1))
    assert (again.id, again.changed) == (database.ids[1], True)
    held = database.store.get(database.ids[1])
    assert held is not None
    assert held.sample.transcript.ids == sample(1).transcript.ids
    assert held.sample.title == "Sample 1"


def test_saving_the_same_again_mends_its_tokens(database: Database) -> None:
    database.damage("transcripts", "content", b"broken")
    database.store.save(sample(1))
    held = database.store.get(database.ids[1], 1)
    assert held is not None
    assert held.sample.transcript.ids == sample(1).transcript.ids


def test_an_older_revision_opens_beside_a_damaged_one_and_is_brought_back(database: Database) -> None:
    with database.opened() as connection:
        where = (b"broken", database.ids[1], 2)
        connection.execute("UPDATE harmonyscope_revisions SET body = ? WHERE sample_id = ? AND number = ?", where)
    with pytest.raises(StoreError, match="its words cannot be read"):
        database.store.get(database.ids[1])
    with pytest.raises(StoreError, match="its words cannot be read"):
        database.store.restore(database.ids[1], 2)
    first = database.store.get(database.ids[1], 1)
    assert first is not None
    assert first.sample.title == "Sample 1"
    database.store.restore(database.ids[1], 1)
    held = database.store.get(database.ids[1])
    assert held is not None
    assert (held.sample.title, held.revision.number) == ("Sample 1", 3)


def test_tokens_that_are_gone(database: Database) -> None:
    with database.opened() as connection:
        connection.execute("DELETE FROM harmonyscope_transcripts WHERE id = ?", (database.ids[1],))
    with pytest.raises(StoreError, match="is damaged: its tokens are not there"):
        database.store.get(database.ids[1])
    assert len(database.store.list()) == 2


@pytest.mark.parametrize(
    "body",
    [{"expected": "x"}, {"errors": [1]}, {"tags": 7}],
)
def test_values_of_other_kinds_in_sound_json_are_named(database: Database, body: dict[str, Any]) -> None:
    database.damage("revisions", "body", packed(json.dumps({"title": "t", "story": "", **body}).encode()))
    with pytest.raises(StoreError, match=r'is damaged: "(expected|errors|tags)" must be an? [^.;]*\. Open an older'):
        database.store.get(database.ids[1])


ANY = st.none() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8) | st.booleans()


COLUMNS = ("number", "parent", "kind", "author", "at", "title", "sample_id", "card", "tokens")


@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS, ANY)))
def test_whatever_stands_in_a_row_is_a_value_or_a_sentence(values: dict[str, Any]) -> None:
    row = row_of(SimpleNamespace(**values))
    assert row.damage.isprintable()
    assert isinstance(row.title, str)
    assert isinstance(row.id, str)
    assert revision_of(SimpleNamespace(**values)).kind in ("save", "edit", "delete", "restore")


def test_what_is_drawn_of_a_sample_can_be_drawn_and_other_things_cannot() -> None:
    look = sample_card(sample(1))
    assert can_be_drawn(look)
    assert can_be_drawn({})
    for wrong in ({"strip": [1]}, {"strip": {"k": 5}}, {"strip": {"k": "ab", "w": [1], "c": [1]}}, {"shape": "x"},
                  {"outcome": 5}, {"strip": {"k": "a", "w": ["<b>"], "c": [1]}}, {"rules": [1]}):  # fmt: skip
        assert not can_be_drawn(wrong)
