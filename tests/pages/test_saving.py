"""Saving from the Inspect page, without a browser: what the panel says, what is stored, what a link opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from streamlit.testing.v1 import AppTest

from inspector.gallery.database import SampleStore
from inspector.ui import store as connection
from inspector.ui.save_panel import OPEN
from inspector.ui.state import Bench

BROKEN = (
    "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>analysis<|channel|>analysis<|message|>Run the tests.<|end|>"
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SampleStore:
    """The database that the app under test saves to, seen from beside it."""
    url = f"sqlite:///{tmp_path / 'samples.sqlite3'}"
    monkeypatch.setenv(connection.URL, url)
    monkeypatch.setattr(connection, "_FAILED", {})
    return SampleStore(create_engine(url))


@pytest.fixture
def app(root: Path, store: SampleStore) -> AppTest:
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.session_state[OPEN] = True
    return app


def bench_of(app: AppTest) -> Bench:
    found = app.session_state["harmonylens.bench"]
    assert isinstance(found, Bench)
    return found


def held(app: AppTest) -> Any:
    """What the screen was last given, with the switches that it was made under."""
    return app.session_state["harmonylens.held"]


def titled(app: AppTest, title: str) -> bool:
    """Whether the screen was told this title."""
    wanted = f'"title":{json.dumps(title)}'.encode()
    return any(wanted in bytes(element.proto.bytes) for element in app.get("bidi_component"))


def field(app: AppTest, label: str) -> Any:
    return next(e for e in (*app.text_input, *app.text_area) if e.label == label)


def press(app: AppTest, label: str) -> None:
    found = [b for b in app.button if b.label == label]
    assert found, [b.label for b in app.button]
    # The form of the input has no button of these names.
    found[-1].click()
    app.run()
    assert not app.exception


def said(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.warning, *app.error))


def inspect(app: AppTest, pasted: str) -> None:
    app.run()
    app.text_area[0].set_value(pasted)
    next(b for b in app.button if b.label == "Inspect").click()
    app.run()
    assert not app.exception


def named(app: AppTest) -> str:
    """The sample that the address names."""
    value = app.query_params.get("sample", "")
    return value if isinstance(value, str) else value[0]


def saved_link(app: AppTest, store: SampleStore) -> str:
    row = store.list()[0]
    assert named(app) == row.id
    return row.id


def test_what_is_pasted_is_saved_and_opened_by_its_link(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    assert field(app, "Title").value.startswith("Duplicate channel")
    field(app, "Title").set_value("Twice")
    field(app, "Story").set_value("The channel came twice.")
    field(app, "Tags").set_value("nightly, , seed 7,nightly")
    field(app, "Your name").set_value("Ann")
    press(app, "Save")
    id = saved_link(app, store)
    assert "Saved as revision 1" in said(app).replace("\\", "")
    saved = store.get(id)
    assert saved is not None
    assert (saved.sample.title, saved.sample.story) == ("Twice", "The channel came twice.")
    assert (saved.sample.tags, saved.revision.author) == (("nightly", "seed 7"), "Ann")
    assert saved.sample.rules[0] == "HS201"
    assert saved.sample.expected[1].content == "Run the tests."
    assert "openai-harmony 0.0.8" in saved.sample.errors
    assert store.list()[0].look["strip"]["k"]

    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.query_params["sample"] = id
    other.run()
    assert not other.exception
    assert bench_of(other).text == BROKEN
    assert titled(other, "Twice")


def test_the_switches_are_saved_and_set_again(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    digest, key = held(app).given.digest, held(app).given.inspection.diagnostics[0].key
    bench_of(app).take_fixes({"digest": digest, "off": [key], "choices": {}})
    app.run()
    press(app, "Save")
    id = saved_link(app, store)
    saved = store.get(id)
    assert saved is not None
    assert saved.switches.off == {key}
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.query_params["sample"] = id
    other.run()
    assert held(other).settings.off == {key}
    assert key not in held(other).given.inspection.repair.applied
    # Flipped back, saved again, and the first revision opened: each has its own.
    bench_of(other).take_fixes({"digest": held(other).given.digest, "off": [], "choices": {}})
    other.session_state[OPEN] = True
    other.run()
    press(other, "Save changes")
    assert store.get(id).switches.off == frozenset()  # type: ignore[union-attr]
    other.query_params["sample"] = f"{id}@1"
    other.run()
    assert bench_of(other).off[held(other).given.digest] == {key}
    other.query_params["sample"] = id
    other.run()
    assert bench_of(other).off[digest] == frozenset()


def test_a_second_person_is_told_and_both_are_kept(app: AppTest, store: SampleStore) -> None:
    inspect(app, BROKEN)
    press(app, "Save")
    id = saved_link(app, store)
    store.edit(id, based_on=1, title="Bob's title", author="Bob")
    app.run()
    assert "Bob saved revision 2 after you opened this" in said(app).replace("\\", "")
    field(app, "Title").set_value("Ann's title")
    press(app, "Save changes")
    words = said(app).replace("\\", "")
    assert "Edited as revision 3. Bob edited it at" in words
    assert "meanwhile (revision 2); both are kept." in words
    assert [r.title for r in store.history(id)][:2] == ["Ann's title", "Bob's title"]
    assert titled(app, "Ann's title")


def test_revisions_are_opened_and_restored(app: AppTest, store: SampleStore) -> None:
    inspect(app, BROKEN)
    field(app, "Title").set_value("One")
    press(app, "Save")
    id = saved_link(app, store)
    field(app, "Title").set_value("Two")
    press(app, "Save changes")
    press(app, "Open")
    assert named(app) == f"{id}@1"
    assert field(app, "Title").value == "One"
    assert "older revision" in said(app)
    press(app, "Restore")
    assert named(app) == id
    assert [(r.kind, r.title) for r in store.history(id)] == [("restore", "One"), ("edit", "Two"), ("save", "One")]


def test_deleting_asks_first_and_the_link_says_so(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    field(app, "Your name").set_value("Ann")
    press(app, "Save")
    id = saved_link(app, store)
    press(app, "Delete …")
    assert store.latest(id).kind == "save"  # type: ignore[union-attr]
    press(app, "Keep it")
    press(app, "Delete …")
    press(app, "Delete it")
    assert store.latest(id).kind == "delete"  # type: ignore[union-attr]
    assert named(app) == ""
    assert "Ann deleted it" in said(app).replace("\\", "")
    assert bench_of(app).text == BROKEN, "what is on screen stays"
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.query_params["sample"] = id
    other.run()
    assert f"The sample {id} was deleted by Ann" in said(other).replace("\\", "")
    press(other, "Restore it")
    assert store.latest(id).kind == "restore"  # type: ignore[union-attr]
    assert bench_of(other).text == BROKEN


def test_an_address_that_nobody_saved(app: AppTest) -> None:
    app.query_params["sample"] = "abcdefghijklm"
    app.run()
    assert not app.exception
    assert "No sample abcdefghijklm is saved here" in said(app).replace("\\", "")


def test_an_address_of_a_revision_that_is_not_there(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    press(app, "Save")
    id = saved_link(app, store)
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.query_params["sample"] = f"{id}@99"
    other.run()
    assert f"The sample {id} has no revision 99: the newest one is 1." in said(other).replace("\\", "")


def test_a_database_that_cannot_be_used_leaves_the_rest_alone(
    app: AppTest, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(connection.URL, f"sqlite:///{tmp_path / 'file' / 'samples.sqlite3'}")
    inspect(app, BROKEN)
    assert held(app).given.inspection.diagnostics
    assert "cannot be opened; check that its folder exists" in said(app).replace("\\", "")
    app.switch_page(str(root / "pages" / "gallery.py")).run()
    assert not app.exception
    assert "cannot be opened" in said(app).replace("\\", "")
    app.switch_page(str(root / "pages" / "inspect.py"))
    app.query_params["sample"] = "abcdefghijklm"
    app.run()
    assert not app.exception
    assert "cannot be opened" in said(app).replace("\\", "")


def test_a_newer_schema_is_said(app: AppTest, store: SampleStore) -> None:
    store.prepare()
    with store.engine.begin() as database:
        database.execute(text("UPDATE harmonyscope_schema SET version = 7"))
    inspect(app, BROKEN)
    assert "by a newer harmonylens (schema 7" in said(app).replace("\\", "")


def test_saved_samples_come_first_in_the_gallery(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    field(app, "Title").set_value("Mine")
    field(app, "Tags").set_value("nightly")
    press(app, "Save")
    id = saved_link(app, store)
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.run()
    other.switch_page(str(root / "pages" / "gallery.py")).run()
    assert not other.exception
    bodies = [bytes(e.proto.bytes) for e in other.get("bidi_component")]
    page = next(b for b in map(json.loads, bodies) if b.get("kind") == "gallery")
    first = page["groups"][0]
    assert first["title"] == "Saved here"
    assert [(i["name"], i["title"], i["tags"], i["href"]) for i in first["items"]] == [
        (id, "Mine", ["nightly"], f"./?sample={id}")
    ]
    assert first["items"][0]["rules"][0] == "HS201"
    assert first["items"][0]["outcome"] == "raises"
    assert set(first["items"][0]) == set(page["groups"][1]["items"][0])


def test_one_of_several_transcripts_is_saved_and_the_others_stay(app: AppTest, store: SampleStore) -> None:
    lines = [json.dumps({"id": f"run {n}", "role": "assistant", "text": BROKEN * n}) for n in (1, 2)]
    inspect(app, "\n".join(lines))
    press(app, "Save")
    assert named(app) == ""
    assert store.list()[0].title == "run 1"
    assert [len(s.options) for s in app.selectbox if s.label == "Transcript"] == [2]
    assert "Saved as revision 1" in said(app).replace("\\", "")


def test_a_save_is_kept_though_another_came_first(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    field(app, "Title").set_value("Ann's title")
    app.run()
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.session_state[OPEN] = True
    inspect(other, BROKEN)
    field(other, "Title").set_value("Bob's title")
    field(other, "Your name").set_value("Bob")
    press(other, "Save")
    press(app, "Save")
    words = said(app).replace("\\", "")
    assert "Saved as revision 2. Bob saved it at" in words
    assert "meanwhile (revision 1); both are kept." in words
    assert [r.title for r in store.history(saved_link(app, store))] == ["Ann's title", "Bob's title"]


def test_what_is_typed_stays_while_others_save_and_delete(app: AppTest, store: SampleStore, root: Path) -> None:
    inspect(app, BROKEN)
    press(app, "Save")
    id = saved_link(app, store)
    # Pasted again by somebody else: nothing in the address names what was saved.
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.session_state[OPEN] = True
    inspect(other, BROKEN)
    field(other, "Story").set_value("A long story.")
    other.run()
    store.edit(id, based_on=1, title="Renamed", author="Ann")
    store.delete(id, author="Ann")
    other.run()
    assert field(other, "Story").value == "A long story."
    assert "Ann deleted it after you opened it; saving brings it back." in said(other).replace("\\", "")
    press(other, "Save changes")
    assert "Edited as revision 4. Ann deleted it at" in said(other).replace("\\", "")
    newest = store.get(id)
    assert newest is not None
    assert (newest.deleted, newest.sample.title, newest.sample.story) == (False, "Renamed", "A long story.")


def test_a_panel_that_was_closed_with_nothing_typed_shows_what_is_saved_now(
    app: AppTest, store: SampleStore, root: Path
) -> None:
    inspect(app, BROKEN)
    other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    other.session_state[OPEN] = True
    inspect(other, BROKEN)
    press(other, "Save")
    app.run()
    assert "somebody saved this meanwhile; saving keeps both." in said(app).replace("\\", "")
    for opened in (False, True):
        app.session_state[OPEN] = opened
        app.run()
    assert "Saved as revision 1" in said(app).replace("\\", "")
    assert [b.label for b in app.button if b.label.startswith("Save")] == ["Save changes"]


def test_what_was_typed_just_before_the_panel_was_closed_is_kept(app: AppTest, store: SampleStore) -> None:
    inspect(app, BROKEN)
    # One run hears of both: what was typed, and that the panel is closed.
    field(app, "Title").set_value("Half a tit")
    app.session_state[OPEN] = False
    app.run()
    app.session_state[OPEN] = True
    app.run()
    assert field(app, "Title").value == "Half a tit"


def test_a_damaged_row_is_a_card_that_says_so_and_the_others_are_there(
    app: AppTest, store: SampleStore, root: Path
) -> None:
    from inspector.gallery import Sample
    from inspector.tokens import Transcript

    ids = [store.save(Sample("", f"Sample {n}", "So.", "", Transcript((200005, n)), ())).id for n in range(3)]
    with store.engine.begin() as connection:
        damaged = text("UPDATE harmonyscope_revisions SET card = '{', at = 'never' WHERE sample_id = :id")
        connection.execute(damaged, {"id": ids[1]})
        broken = text("UPDATE harmonyscope_transcripts SET content = 'no zlib' WHERE id = :id")
        connection.execute(broken, {"id": ids[1]})
    app.run()
    app.switch_page(str(root / "pages" / "gallery.py")).run()
    assert not app.exception
    assert not app.error
    data = [bytes(element.proto.bytes) for element in app.get("bidi_component")]
    (page,) = (json.loads(body) for body in data if b'"kind":"gallery"' in body)
    items = {item["name"]: item for group in page["groups"] for item in group["items"]}
    assert set(ids) <= set(items)
    assert [items[id]["outcome"] == "damaged" for id in ids] == [False, True, False]
    assert f"The saved sample {ids[1]} is damaged: " in items[ids[1]]["story"]
    # Its link says what is wrong with it; another one's opens.
    for id, opens in ((ids[1], False), (ids[2], True)):
        other = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
        other.query_params["sample"] = id
        other.run()
        assert not other.exception
        assert titled(other, "Sample 2") == opens
        assert any("its tokens cannot be read" in told.value for told in (*other.error, *other.warning)) != opens


def test_a_history_with_a_damaged_revision_is_shown(app: AppTest, store: SampleStore) -> None:
    from inspector.gallery import Sample
    from inspector.tokens import Transcript

    id = store.save(Sample("", "The first title", "So.", "", Transcript((200005, 35644)), ())).id
    for number in (1, 2):
        store.edit(id, based_on=number, title=f"Title {number}")
    with store.engine.begin() as connection:
        damaged = text("UPDATE harmonyscope_revisions SET kind = 'x', at = 'y' WHERE sample_id = :id AND number = 2")
        connection.execute(damaged, {"id": id})
    app.query_params["sample"] = id
    app.run()
    assert not app.exception
    said = " ".join(element.value for element in app.markdown)
    assert "at an unknown time" in said
    assert "Damaged: its kind and time cannot be right" in said.replace("\\", "")
