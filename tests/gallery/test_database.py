"""The store of saved samples, on SQLite and on a real PostgreSQL: the same tests for both."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, inspect, select, text, update

from inspector.gallery import Sample, load_samples, tables
from inspector.gallery.content import content_of, digest_of, is_address, packed, unpacked
from inspector.gallery.database import SampleStore
from inspector.gallery.saved import Saved, StoreError, Written
from inspector.gallery.tables import REVISIONS, SCHEMA, TRANSCRIPTS
from inspector.harmony.message import Message
from inspector.ingest.carried import Switches
from inspector.tokens import Transcript

FULL = Transcript(
    ids=(200005, 35644, 200008, -1, 2**63),
    role="assistant",
    id="run 7",
    origins=("prompt", "sampled", "sampled", "injected", "sampled"),
    logprobs=(None, -0.25, -1e-300, -3.5, -1.0),
    top=((), ((35644, -0.25), (7, -1.75)), (), (), ()),
    finish_reason="stop",
    stop_reason=None,
    reported=frozenset({"finish_reason", "stop_reason"}),
    prompt_ids=(200006, 17360),
    tools=("functions.bash",),
    meta={"seed": 7},
)


def engine_for(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), hide_parameters=True)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_for(database_url)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> SampleStore:
    return SampleStore(engine)


def sample(*ids: int, title: str = "A title", **words: object) -> Sample:
    return Sample("", title, "", "", Transcript(ids or (200005, 35644, 200008)), (), **words)  # type: ignore[arg-type]


def full() -> Sample:
    return Sample(
        name="whatever",
        title="The same channel twice",
        story="The model wrote its channel twice.",
        family="dup-channel",
        transcript=FULL,
        expected=(Message("assistant", "Run.", channel="analysis"), Message("tool", "", name="functions.bash")),
        rules=("HS201",),
        drift=("HS704",),
        errors={"openai-harmony 0.0.8": "Unknown role: x"},
        tags=("nightly", "seed 7"),
    )


def now(store: SampleStore, written: Written) -> Saved:
    """What a write left behind."""
    found = store.get(written.id)
    assert found is not None
    assert found.revision == written.revision
    return found


def numbers(store: SampleStore, id: str) -> list[int]:
    return [revision.number for revision in store.history(id)]


# What comes back


def test_everything_comes_back(store: SampleStore) -> None:
    switches = Switches(off=frozenset({"HS201@1"}), choices={"HS203@4": 2}, style="oss-harmony 0.0.11")
    given = full()
    saved = store.save(given, switches=switches, look={"strip": [1]}, author="Ann")
    again = store.get(saved.id)
    assert again is not None
    assert (again.revision, again.newest, again.switches) == (saved.revision, saved.revision, switches)
    for name in ("title", "story", "expected", "rules", "drift", "errors", "tags"):
        assert getattr(again.sample, name) == getattr(given, name), name
    for name in ("ids", "role", "id", "origins", "logprobs", "top", "finish_reason", "stop_reason", "reported"):
        assert getattr(again.sample.transcript, name) == getattr(FULL, name), name
    assert again.sample.transcript.prompt_ids == FULL.prompt_ids
    assert again.sample.transcript.tools == FULL.tools
    assert again.sample.transcript.meta["seed"] == 7
    assert again.sample.name == saved.id
    assert (again.revision.number, again.revision.kind, again.revision.author) == (1, "save", "Ann")
    assert not again.deleted
    assert again.revision.at.endswith("Z")


@pytest.mark.parametrize("shipped", load_samples()[::12], ids=lambda s: s.name)
def test_samples_that_ship_come_back(tmp_path: Path, shipped: Sample) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 's.db'}")
    store = SampleStore(engine)
    found = now(store, store.save(shipped)).sample
    engine.dispose()
    assert (found.transcript.ids, found.transcript.role, found.tools) == (
        shipped.transcript.ids,
        shipped.transcript.role,
        shipped.tools,
    )
    assert (found.transcript.finish_reason, found.transcript.reported) == (
        shipped.transcript.finish_reason,
        shipped.transcript.reported,
    )
    assert (found.expected, found.rules, found.errors) == (shipped.expected, shipped.rules, shipped.errors)


def test_a_whole_context_with_logprobs_and_alternatives(store: SampleStore) -> None:
    draw = random.Random(7)
    count = 131_072
    ids = tuple(draw.randrange(200_000) for _ in range(count))
    logprobs = tuple(-draw.random() * 9 for _ in range(count))
    top = tuple(tuple((draw.randrange(200_000), -draw.random() * 9) for _ in range(5)) for _ in range(count))
    saved = store.save(Sample("", "Long", "", "", Transcript(ids, logprobs=logprobs, top=top), ()))
    found = store.get(saved.id)
    assert found is not None
    transcript = found.sample.transcript
    assert (transcript.ids, transcript.logprobs, transcript.top) == (ids, logprobs, top)


def test_hostile_words_come_back_and_do_nothing_else(store: SampleStore) -> None:
    title = "'; DROP TABLE harmonyscope_revisions; -- <script>alert(1)</script> %s :x {0} \0 \ud800 \u202e 🏳️‍🌈"
    saved = store.save(sample(title=title, tags=("a\nb", "%", "_", "é\0")), author="\0 \ud800 Ann\n")
    found = now(store, saved).sample
    assert found.title == title.replace("\0", "\ufffd").replace("\ud800", "?")
    assert found.tags == ("a b", "%", "_", "é\ufffd")
    assert saved.revision.author == "\ufffd ? Ann"
    assert [row.id for row in store.list("drop table <SCRIPT>")] == [saved.id]
    assert store.list("\0\ud800;") == ()
    assert [row.id for row in store.list("é\ufffd")] == [saved.id]
    for id in ("'; --", "\0", "\ud800", "x" * 100_000, ""):
        assert store.get(id) is None
        assert store.history(id) == ()


# The address


def test_the_address_is_known_and_stays() -> None:
    # A change here makes every link that was ever sent lead nowhere.
    assert content_of(Transcript((200005, 35644, 200008))) == b'{"role":"assistant","token_ids":[200005,35644,200008]}'
    assert digest_of(content_of(Transcript((200005, 35644, 200008)))).startswith("phcfzrgweufng")
    assert digest_of(content_of(FULL)).startswith("niuj7asrodsis")


def test_words_do_not_change_the_address_and_content_does() -> None:
    def address(**values: object) -> str:
        known = {name: getattr(FULL, name) for name in FULL.__dataclass_fields__}
        return digest_of(content_of(Transcript(**{**known, **values})))

    here = address()
    assert address(meta={"other": 1}) == address(id="else") == address(source="a file") == here
    others = [
        address(role=None),
        address(role="user"),
        address(tools=()),
        address(finish_reason="length"),
        address(reported=frozenset({"finish_reason"})),
        address(logprobs=None),
        address(top=None),
        address(origins=None),
        address(prompt_ids=None),
        address(ids=(*FULL.ids[:4], 2**63 + 1)),
    ]
    assert len({here, *others}) == 11


@given(st.lists(st.integers(-(2**63), 2**64 - 1), max_size=30), st.sampled_from([None, "assistant", "user"]))
def test_the_address_is_that_of_the_content(ids: list[int], role: str | None) -> None:
    transcript = Transcript(tuple(ids), role)
    content = content_of(transcript)
    assert is_address(digest_of(content)[:13])
    assert json.loads(content) == {"role": role, "token_ids": ids}
    assert unpacked(packed(content), 10_000) == content


def test_no_sample_that_ships_has_a_name_like_an_address() -> None:
    assert [s.name for s in load_samples() if is_address(s.name)] == []
    assert not is_address("healthy-tool-call")
    assert not is_address("abc")


def test_addresses_that_begin_alike_grow(engine: Engine) -> None:
    store = SampleStore(engine, id_length=1)
    ids = {number: store.save(sample(number)).id for number in range(100)}
    assert len(set(ids.values())) == 100
    assert {len(id) for id in ids.values()} >= {1, 2}
    for number, id in ids.items():
        found = store.get(id)
        assert found is not None
        assert found.sample.transcript.ids == (number,)
        assert store.save(sample(number)).id == id


# Revisions


def test_saving_the_same_again_is_no_revision(store: SampleStore) -> None:
    first = store.save(full(), author="Ann")
    second = store.save(full(), author="Bob")
    assert (second.id, second.changed, second.revision) == (first.id, False, first.revision)
    third = store.save(sample(title="Another"))
    assert third.id != first.id


def test_saving_the_same_transcript_with_other_words_is_a_revision(store: SampleStore) -> None:
    first = store.save(sample(title="One"), author="Ann")
    second = store.save(sample(title="Two"), author="Bob")
    assert (second.id, second.revision.number, second.revision.parent) == (first.id, 2, 1)
    assert [(r.number, r.title, r.author) for r in store.history(first.id)] == [(2, "Two", "Bob"), (1, "One", "Ann")]
    old = store.get(first.id, 1)
    assert old is not None
    assert (old.sample.title, old.newest) == ("One", second.revision)
    assert store.get(first.id, 3) is None


def test_an_edit_changes_words_and_switches_only(store: SampleStore) -> None:
    saved = store.save(full())
    edited = store.edit(saved.id, based_on=1, title="Other", tags=("x",), switches=Switches(off=frozenset({"HS201@1"})))
    assert (edited.revision.number, edited.revision.kind, edited.revision.parent) == (2, "edit", 1)
    there = now(store, edited)
    assert (there.sample.title, there.sample.tags, there.sample.story) == ("Other", ("x",), full().story)
    assert there.switches.off == {"HS201@1"}
    assert there.sample.transcript.logprobs == FULL.logprobs
    assert there.sample.expected == full().expected
    back = now(store, store.edit(saved.id, based_on=2, switches=Switches()))
    assert back.switches == Switches()
    assert back.sample.title == "Other"


def test_an_edit_that_changes_nothing_is_none(store: SampleStore) -> None:
    saved = store.save(full())
    same = store.edit(saved.id, based_on=1, title=full().title, story=full().story, tags=full().tags)
    assert not same.changed
    assert numbers(store, saved.id) == [1]


def test_two_edits_from_one_base_are_both_kept(store: SampleStore) -> None:
    saved = store.save(full())
    ann = store.edit(saved.id, based_on=1, title="Ann's", author="Ann")
    bob = store.edit(saved.id, based_on=1, title="Bob's", author="Bob")
    assert ann.meanwhile == ()
    assert [(r.number, r.author, r.title) for r in bob.meanwhile] == [(2, "Ann", "Ann's")]
    assert (bob.revision.number, bob.revision.parent) == (3, 1)
    newest, first = store.get(saved.id), store.get(saved.id, 2)
    assert newest is not None
    assert first is not None
    assert (newest.sample.title, first.sample.title) == ("Bob's", "Ann's")


def test_edits_of_different_fields_meet(store: SampleStore) -> None:
    saved = store.save(full())
    store.edit(saved.id, based_on=1, title="Ann's", story=full().story, tags=full().tags)
    bob = now(store, store.edit(saved.id, based_on=1, title=full().title, story=full().story, tags=("bob",)))
    assert (bob.sample.title, bob.sample.tags) == ("Ann's", ("bob",))


def test_deleting_and_restoring(store: SampleStore) -> None:
    saved = store.save(full())
    gone = store.delete(saved.id, author="Ann")
    assert gone.revision.kind == "delete"
    assert store.list() == ()
    assert [row.id for row in store.list(deleted=True)] == [saved.id]
    found = store.get(saved.id)
    assert found is not None
    assert (found.deleted, found.revision.author, found.sample.title) == (True, "Ann", full().title)
    assert not store.delete(saved.id).changed
    back = store.restore(saved.id, author="Bob")
    there = now(store, back)
    assert (there.deleted, back.revision.kind, there.sample.title) == (False, "restore", full().title)
    assert numbers(store, saved.id) == [3, 2, 1]
    assert [row.id for row in store.list()] == [saved.id]


def test_restoring_a_revision(store: SampleStore) -> None:
    saved = store.save(sample(title="One"))
    store.edit(saved.id, based_on=1, title="Two")
    back = store.restore(saved.id, 1)
    assert (back.revision.number, now(store, back).sample.title) == (3, "One")
    assert not store.restore(saved.id, 3).changed
    with pytest.raises(StoreError, match="no revision 9"):
        store.restore(saved.id, 9)


def test_saving_what_was_deleted_brings_it_back(store: SampleStore) -> None:
    saved = store.save(full())
    store.delete(saved.id)
    again = store.save(full())
    assert (again.id, now(store, again).deleted, again.revision.number, again.changed) == (saved.id, False, 3, True)


def test_an_edit_of_what_was_deleted_meanwhile_is_kept(store: SampleStore) -> None:
    saved = store.save(full())
    store.delete(saved.id, author="Ann")
    kept = store.edit(saved.id, based_on=1, title="Still needed")
    assert [(r.kind, r.author) for r in kept.meanwhile] == [("delete", "Ann")]
    there = now(store, kept)
    assert (there.deleted, there.sample.title) == (False, "Still needed")


def test_what_is_not_there(store: SampleStore) -> None:
    assert store.get("ptcgqpwvl2hvd") is None
    assert store.latest("ptcgqpwvl2hvd") is None
    assert store.find(digest_of(content_of(FULL))) is None
    for change in (
        lambda: store.edit("ptcgqpwvl2hvd", based_on=1, title="x"),
        lambda: store.delete("ptcgqpwvl2hvd"),
        lambda: store.restore("ptcgqpwvl2hvd"),
    ):
        with pytest.raises(StoreError, match="no saved sample"):
            change()
    saved = store.save(full())
    with pytest.raises(StoreError, match="no revision 5"):
        store.edit(saved.id, based_on=5, title="x")
    with pytest.raises(TypeError, match="ids"):
        store.edit(saved.id, based_on=1, ids=())


def test_a_transcript_is_found_by_its_content(store: SampleStore) -> None:
    saved = store.save(full())
    assert store.find(digest_of(content_of(FULL))) == saved.id
    words = store.get(saved.id, tokens=False)
    assert words is not None
    assert (words.sample.title, words.sample.transcript.ids) == (full().title, ())
    newest = store.latest(saved.id)
    assert newest == saved.revision


# Lists


def test_lists_are_filtered_and_paged(store: SampleStore) -> None:
    first = store.save(sample(1, title="Straße nach Köln", tags=("nightly",)))
    second = store.save(sample(2, title="100% of_it", tags=("night",), rules=("HS201",)), look={"strip": [1, 2]})
    third = store.save(sample(3, title="third"))
    assert [row.id for row in store.list()] == [third.id, second.id, first.id]
    assert [row.id for row in store.list("KÖLN")] == [first.id]
    assert [row.id for row in store.list("nach straße")] == [first.id]
    assert [row.id for row in store.list("100%")] == [second.id]
    assert store.list("f%t") == ()
    assert [row.id for row in store.list("hs201")] == [second.id]
    assert [row.id for row in store.list(third.id)] == [third.id]
    assert [row.id for row in store.list(tag="night")] == [second.id]
    assert store.list(tag="n%") == ()
    assert [row.id for row in store.list(limit=1, offset=1)] == [second.id]
    row = store.list("100%")[0]
    assert (row.title, row.tags, row.rules, row.tokens, row.look) == (
        "100% of_it",
        ("night",),
        ("HS201",),
        1,
        {"strip": [1, 2]},
    )
    store.edit(first.id, based_on=1, title="First again")
    assert [row.id for row in store.list()] == [first.id, third.id, second.id]
    assert store.list("köln") == ()


def test_a_list_does_not_open_the_tokens(engine: Engine, store: SampleStore) -> None:
    saved = store.save(full())
    with engine.begin() as connection:
        connection.execute(update(TRANSCRIPTS).values(content=b"damaged"))
        connection.execute(update(REVISIONS).values(body=b"damaged"))
    assert [row.id for row in store.list()] == [saved.id]
    assert [r.number for r in store.history(saved.id)] == [1]


# Two people at once


def test_threads_that_save_and_edit_at_once_lose_nothing(engine: Engine) -> None:
    people, edits = 6, 5
    begin = threading.Barrier(people)
    told: list[Written] = []
    failed: list[Exception] = []

    def work(person: int) -> None:
        try:
            store = SampleStore(engine)
            begin.wait()
            saved = store.save(sample(title=f"person {person} edit 0"), author=f"person {person}")
            told.append(saved)
            for number in range(1, edits + 1):
                told.append(store.edit(saved.id, based_on=1, title=f"person {person} edit {number}"))
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work, args=(person,)) for person in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({saved.id for saved in told}) == 1
    everything = SampleStore(engine).history(told[0].id)
    assert [r.number for r in everything] == list(range(people * (edits + 1), 0, -1))
    wanted = {f"person {person} edit {number}" for person in range(people) for number in range(edits + 1)}
    assert {r.title for r in everything} == wanted
    # Whoever was overtaken was told by whom.
    for saved in told:
        expected = range((saved.revision.parent or saved.revision.number) + 1, saved.revision.number)
        assert [r.number for r in saved.meanwhile] == list(expected)


def test_processes_that_begin_with_an_empty_database_lose_nothing(database_url: str, root: Path) -> None:
    people, edits = 4, 4
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    script = Path(__file__).with_name("saving_at_once.py")
    running = [
        subprocess.Popen(
            [sys.executable, str(script), url, f"person {person}", str(edits)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for person in range(people)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready == "ready\n", process.communicate()[1]
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        ended = [process.communicate(timeout=120) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert [process.returncode for process in running] == [0] * people, [err for _, err in ended]
    told = [json.loads(out.splitlines()[-1]) for out, _ in ended]
    assert len({said["id"] for said in told}) == 1
    given_out = sorted(number for said in told for number in said["numbers"])
    assert given_out == list(range(1, people * (edits + 1) + 1))
    engine = engine_for(database_url)
    titles = {r.title for r in SampleStore(engine).history(told[0]["id"])}
    engine.dispose()
    assert titles == {f"person {person} {number}" for person in range(people) for number in range(edits + 1)}


def test_a_number_that_was_taken_is_no_loss(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = store.save(sample(title="One"))
    store.edit(saved.id, based_on=1, title="Two")
    real = SampleStore._newest
    calls = []

    def stale(self: SampleStore, connection, id):  # type: ignore[no-untyped-def]
        # The first look sees what was newest before another app wrote: what a lost lock would give.
        calls.append(id)
        return self._revision(connection, id, 1) if len(calls) == 1 else real(self, connection, id)

    monkeypatch.setattr(SampleStore, "_newest", stale)
    third = store.edit(saved.id, based_on=2, title="Three")
    assert (len(calls), third.revision.number) == (2, 3)
    assert [r.title for r in store.history(saved.id)] == ["Three", "Two", "One"]


# The schema


def test_a_newer_schema_is_one_sentence(engine: Engine, store: SampleStore) -> None:
    store.save(full())
    with engine.begin() as connection:
        connection.execute(update(SCHEMA).values(version=99))
    with pytest.raises(StoreError, match=r"by a newer harmonylens \(schema 99, this one knows 1\): update"):
        SampleStore(engine).list()


def test_an_older_schema_is_brought_forward_once(
    engine: Engine, store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = store.save(full())
    ran = []

    def step(connection) -> None:  # type: ignore[no-untyped-def]
        ran.append(1)
        connection.execute(text("ALTER TABLE harmonyscope_transcripts ADD COLUMN note TEXT"))

    monkeypatch.setattr(tables, "MIGRATIONS", [step])
    newer = SampleStore(engine)
    assert newer.get(saved.id) is not None
    SampleStore(engine).prepare()
    assert ran == [1]
    assert "note" in {column["name"] for column in inspect(engine).get_columns(TRANSCRIPTS.name)}
    with engine.connect() as connection:
        assert connection.execute(select(SCHEMA.c.version)).scalar_one() == 2


def test_a_step_that_fails_leaves_the_schema_as_it_was(
    engine: Engine, store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = store.save(full())

    def step(connection) -> None:  # type: ignore[no-untyped-def]
        connection.execute(text("ALTER TABLE harmonyscope_transcripts ADD COLUMN note TEXT"))
        connection.execute(text("SELECT nothing FROM nowhere"))

    monkeypatch.setattr(tables, "MIGRATIONS", [step])
    with pytest.raises(StoreError):
        SampleStore(engine).prepare()
    monkeypatch.undo()
    assert "note" not in {column["name"] for column in inspect(engine).get_columns(TRANSCRIPTS.name)}
    assert SampleStore(engine).get(saved.id) is not None


# Limits and damage


def test_words_that_are_too_long_are_refused(store: SampleStore) -> None:
    for wrong, why in (
        (sample(title=""), "needs a title"),
        (sample(title=" \n"), "needs a title"),
        (sample(title="x" * 201), "title has 201 characters; at most 200"),
        (sample(tags=("t" * 61,)), "has 61 characters; at most 60"),
        (sample(tags=tuple(map(str, range(31)))), "31 tags were given; at most 30"),
    ):
        with pytest.raises(StoreError, match=why):
            store.save(wrong)
    long = Sample("", "T", "s" * 20_001, "", Transcript((1,)), ())
    with pytest.raises(StoreError, match=r"story has 20,001 characters"):
        store.save(long)
    heavy = Sample("", "T", "", "", Transcript((1,), meta={"x": "y" * 5_000_000}), ())
    with pytest.raises(StoreError, match=r"4\.8 MB of JSON; at most 4\.0 MB"):
        store.save(heavy)
    assert store.list() == ()


def test_what_json_has_no_word_for_is_refused(store: SampleStore) -> None:
    with pytest.raises(StoreError, match="JSON has no word for"):
        store.save(Sample("", "T", "", "", Transcript((1,), top=(((10**5000, -1.0),),)), ()))


def test_a_bomb_is_not_opened(engine: Engine, store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = store.save(full())
    bomb = zlib.compress(b" " * 30_000_000)
    with engine.begin() as connection:
        connection.execute(update(REVISIONS).values(body=bomb))
    with pytest.raises(StoreError, match=r"larger than 4\.0 MB when decompressed"):
        store.get(saved.id)


@pytest.mark.parametrize("damage", [b"", b"no zlib", zlib.compress(b"{}")[:-2], zlib.compress(b"[]")])
def test_damaged_data_is_one_sentence(engine: Engine, store: SampleStore, damage: bytes) -> None:
    saved = store.save(full())
    with engine.begin() as connection:
        connection.execute(update(REVISIONS).values(body=damage))
    with pytest.raises(StoreError, match="is damaged"):
        store.get(saved.id)
    assert numbers(store, saved.id) == [1]


@pytest.mark.parametrize("damage", [b"", zlib.compress(b'{"role":null}'), zlib.compress(b'{"token_ids":["x"]}')])
def test_damaged_tokens_are_one_sentence(engine: Engine, store: SampleStore, damage: bytes) -> None:
    saved = store.save(full())
    with engine.begin() as connection:
        connection.execute(update(TRANSCRIPTS).values(content=damage))
    with pytest.raises(StoreError, match="is damaged"):
        store.get(saved.id)
