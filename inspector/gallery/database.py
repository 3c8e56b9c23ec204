"""The store of saved samples: SQLite in one file, or PostgreSQL for a team; the same code for both.

A transcript's address is its content (:mod:`inspector.gallery.content`), so saving it twice is saving it once. What
people say about it is a list of revisions that only grows: editing, deleting and restoring each add one. Nobody's
work is lost when two people save at once, because each gets a number of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, and_, func, insert, select, update
from sqlalchemy import Row as Found
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError

from ..ingest.carried import Switches, switches_of
from ..tokens import Transcript
from .bodies import NO_TOKENS, body_for, body_of, columns, plain, sample_of
from .content import ID_LENGTH, MAX_BYTES, content_of, digest_of, packed, unpacked
from .damaged import damage, revision_of, row_of
from .failures import speaking
from .sample import Sample
from .saved import Kind, Revision, Row, Saved, StoreError, Written
from .tables import REVISIONS, TRANSCRIPTS, prepare, tune

MAX_AUTHOR: Final = 80
_ATTEMPTS: Final = 25
_EDITABLE: Final = frozenset({"title", "story", "tags", "expected", "rules", "drift", "errors"})
T = TypeVar("T")
Entry: TypeAlias = "Found[Any]"


class SampleStore:
    """Saved samples in a database. Safe for threads; make one per engine.

    Every method raises :class:`StoreError`, with a sentence for a person, when the database cannot do it.
    """

    def __init__(self, engine: Engine, *, id_length: int = ID_LENGTH) -> None:
        """Nothing is asked of the database yet.

        Args:
            engine: of SQLite (a file) or PostgreSQL.
            id_length: characters of a short address.

        Raises:
            StoreError: the engine is for a database in memory or of another kind.
        """
        backend = engine.dialect.name
        if backend not in ("sqlite", "postgresql"):
            raise StoreError(f"Samples are saved in SQLite or PostgreSQL; the database given is {backend}.")
        if backend == "sqlite" and engine.url.database in (None, "", ":memory:"):
            raise StoreError("A database in memory would forget what is saved; name a file: sqlite:////folder/file.")
        self.engine = engine
        self._id_length = id_length
        self._ready = False
        self._lock = threading.Lock()
        tune(engine)

    def prepare(self) -> None:
        """Make the tables, or bring them up to date; done by itself before the first use."""
        with self._lock, speaking(self.engine):
            if not self._ready:
                prepare(self.engine)
                self._ready = True

    # Reading

    def get(self, id: str, revision: int | None = None, *, tokens: bool = True) -> Saved | None:
        """A saved sample as its newest revision has it, or as ``revision`` has it; None when there is none.

        One that is damaged is a :class:`StoreError`, which names it and says what can be done. Without ``tokens`` the
        sample's transcript is empty but for what can be edited, and nothing large is read.
        """
        return self._read(lambda connection: self._saved(connection, plain(id), revision, tokens))

    def find(self, digest: str) -> str | None:
        """The id of the transcript with this full digest (:func:`inspector.gallery.content.digest_of`)."""
        query = select(TRANSCRIPTS.c.id).where(TRANSCRIPTS.c.digest == plain(digest))
        return self._read(lambda connection: connection.execute(query).scalar())

    def latest(self, id: str) -> Revision | None:
        """The newest revision, without its sample: cheap."""
        query = _history(plain(id)).limit(1)
        return self._read(lambda connection: next(map(revision_of, connection.execute(query)), None))

    def history(self, id: str) -> tuple[Revision, ...]:
        """All revisions, the newest first; empty when there is no such sample."""
        return self._read(lambda connection: tuple(map(revision_of, connection.execute(_history(plain(id))))))

    def list(
        self, text: str = "", tag: str = "", limit: int = 200, offset: int = 0, *, deleted: bool = False
    ) -> tuple[Row, ...]:
        """Saved samples, the one that changed last first; a damaged one is among them, with what is known of it.

        Args:
            text: only those with all of these words in title, story, tags, codes or id.
            tag: only those with this tag.
            limit, offset: which part of them.
            deleted: those that were deleted instead of those that are there.
        """
        newest = (
            select(REVISIONS.c.sample_id, func.max(REVISIONS.c.number).label("number"))
            .group_by(REVISIONS.c.sample_id)
            .subquery()
        )
        query = (
            select(*_LIGHT, REVISIONS.c.sample_id, REVISIONS.c.card, TRANSCRIPTS.c.tokens)
            .join(newest, and_(REVISIONS.c.sample_id == newest.c.sample_id, REVISIONS.c.number == newest.c.number))
            .join(TRANSCRIPTS, TRANSCRIPTS.c.id == REVISIONS.c.sample_id)
            .where(REVISIONS.c.kind == "delete" if deleted else REVISIONS.c.kind != "delete")
            .order_by(REVISIONS.c.at.desc(), REVISIONS.c.sample_id)
            .limit(limit)
            .offset(offset)
        )
        for word in plain(text).lower().split():
            query = query.where(REVISIONS.c.search.contains(word, autoescape=True))
        if tag:
            query = query.where(REVISIONS.c.tags.contains(f"\n{plain(tag)}\n", autoescape=True))
        return self._read(lambda connection: tuple(map(row_of, connection.execute(query))))

    # Writing

    def save(
        self,
        sample: Sample,
        *,
        switches: Switches | None = None,
        look: Mapping[str, Any] | None = None,
        author: str = "",
        based_on: int | None = None,
    ) -> Written:
        """Save a sample. Its name is not kept: its address is its content.

        When the same transcript is there, this is a new revision of it, or none at all when nothing differs.

        Args:
            sample: what to save.
            switches: what is switched on screen; what the transcript carries when not given.
            look: what lists draw of it, as JSON; it is given back as it is.
            author: who saves it, as they call themselves.
            based_on: the number of the revision that the person saw, 0 when they saw none: the revisions since then
                are :attr:`Written.meanwhile`. The newest one when not given.
        """
        content = content_of(sample.transcript)
        digest = digest_of(content)
        compressed = packed(content)
        body = body_for(sample, switches, look or {})
        values = {"tokens": len(sample.transcript.ids), "content": compressed, "at": _now()}

        def work(connection: Connection) -> Written:
            id = self._claim(connection, digest, values)
            newest = self._newest(connection, id)
            if newest is None:
                return self._add(connection, id, None, None, "save", author, body)
            self._mend(connection, id, digest, compressed)
            if newest.kind != "delete" and _body_or_none(newest.body) == body:
                return Written(id, revision_of(newest), changed=False)
            seen = newest.number if based_on is None else based_on
            return self._add(connection, id, newest, seen or None, "save", author, body)

        return self._write(work)

    def edit(
        self, id: str, *, based_on: int, switches: Switches | None = None, author: str = "", **changes: Any
    ) -> Written:
        """A new revision with other words.

        What was changed since ``based_on`` by someone else stays, unless this edit changes the same field; then
        this one counts and the other stands in the history. :attr:`Written.meanwhile` names the others' revisions.

        Args:
            id: of the sample.
            based_on: the number of the revision that the person saw.
            switches: what is switched on screen, when that changed.
            author: who edits it.
            changes: fields of :class:`Sample`: title, story, tags, expected, rules, drift, errors.
        """
        unknown = set(changes) - _EDITABLE
        if unknown:
            raise TypeError(f"not editable: {', '.join(sorted(unknown))}")

        def work(connection: Connection) -> Written:
            newest = self._locked(connection, plain(id))
            base = self._revision(connection, id, based_on)
            if base is None:
                raise StoreError(f"There is no revision {based_on} of {id}; open it again.")
            before = _body(id, base.body)
            sample = sample_of(id, NO_TOKENS, before)
            wanted = body_for(replace(sample, **changes), switches, before.get("look", {}))
            differing = {key for key in {*wanted, *before} if wanted.get(key) != before.get(key)}
            if not differing:
                return Written(id, revision_of(newest), changed=False)
            newer = _body_or_none(newest.body) or before
            kept = {key: value for key, value in newer.items() if key not in differing}
            merged = kept | {key: wanted[key] for key in differing if key in wanted}
            return self._add(connection, id, newest, based_on, "edit", author, merged)

        return self._write(work)

    def delete(self, id: str, *, author: str = "") -> Written:
        """Mark a sample as deleted: lists leave it out, its link says so, and it can be restored."""

        def work(connection: Connection) -> Written:
            newest = self._locked(connection, plain(id))
            if newest.kind == "delete":
                return Written(id, revision_of(newest), changed=False)
            # A damaged one can be deleted too: its words are those that can still be read.
            body = _body_or_none(newest.body) or _body_without(newest)
            return self._add(connection, id, newest, newest.number, "delete", author, body)

        return self._write(work)

    def restore(self, id: str, revision: int | None = None, *, author: str = "") -> Written:
        """Bring back what a revision said, as a new one; without a number, what was there before it was deleted."""

        def work(connection: Connection) -> Written:
            newest = self._locked(connection, plain(id))
            source = newest if revision is None else self._revision(connection, id, revision)
            if source is None:
                raise StoreError(f"There is no revision {revision} of {id}.")
            body = _body(id, source.body)
            if newest.kind != "delete" and body == _body_or_none(newest.body):
                return Written(id, revision_of(newest), changed=False)
            return self._add(connection, id, newest, newest.number, "restore", author, body)

        return self._write(work)

    # What the methods share

    def _read(self, work: Callable[[Connection], T]) -> T:
        self.prepare()
        with speaking(self.engine), self.engine.connect() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, again when someone else took the number that it wanted."""
        self.prepare()
        engine = self.engine.execution_options(harmonylens_writes=True)
        with speaking(self.engine):
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with engine.begin() as connection:
                        return work(connection)
                except (IntegrityError, OperationalError) as error:
                    if attempt == _ATTEMPTS or not _was_a_race(error):
                        raise
        raise AssertionError("unreachable")

    def _claim(self, connection: Connection, digest: str, values: Mapping[str, Any]) -> str:
        """The address of the transcript, which is in the table afterwards."""
        into = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        for length in range(self._id_length, len(digest) + 1):
            id = digest[:length]
            row = {"id": id, "digest": digest, **values}
            connection.execute(into(TRANSCRIPTS).values(row).on_conflict_do_nothing())
            held = connection.execute(select(TRANSCRIPTS.c.id).where(TRANSCRIPTS.c.digest == digest)).scalar()
            if held is not None:
                return str(held)
            # Another transcript has this address: take one more character.
        raise StoreError("Another transcript has the same digest, which should not be possible.")

    def _locked(self, connection: Connection, id: str) -> Entry:
        newest = self._newest(connection, id)
        if newest is None:
            raise StoreError(f"There is no saved sample {id[:60]!r}.")
        return newest

    def _newest(self, connection: Connection, id: str) -> Entry | None:
        # Writers of one sample queue up here; SQLite has queued them already (see tables.tune).
        connection.execute(select(TRANSCRIPTS.c.id).where(TRANSCRIPTS.c.id == id).with_for_update())
        query = select(*_FULL).where(REVISIONS.c.sample_id == id).order_by(REVISIONS.c.number.desc()).limit(1)
        return connection.execute(query).first()

    def _revision(self, connection: Connection, id: str, number: int) -> Entry | None:
        query = select(*_FULL).where(REVISIONS.c.sample_id == id, REVISIONS.c.number == number)
        return connection.execute(query).first()

    def _add(
        self,
        connection: Connection,
        id: str,
        newest: Entry | None,
        parent: int | None,
        kind: Kind,
        author: str,
        body: dict[str, Any],
    ) -> Written:
        number = 1 if newest is None else newest.number + 1
        row: dict[str, Any] = {
            "sample_id": id,
            "number": number,
            "parent": parent,
            "kind": kind,
            "author": " ".join(plain(author).split())[:MAX_AUTHOR],
            "at": _now(),
            **columns(id, body),
        }
        connection.execute(insert(REVISIONS).values(row))
        revision = Revision(number, parent, kind, row["author"], row["at"], row["title"])
        between = _history(id).where(REVISIONS.c.number > (parent or 0), REVISIONS.c.number < number)
        return Written(id, revision, meanwhile=tuple(map(revision_of, connection.execute(between)))[::-1])

    def _saved(self, connection: Connection, id: str, number: int | None, tokens: bool) -> Saved | None:
        newest = connection.execute(_history(id).limit(1)).first()
        if newest is None:
            return None
        row = self._revision(connection, id, newest.number if number is None else number)
        if row is None:
            return None
        content = self._content(connection, id) if tokens else NO_TOKENS
        sample = sample_of(id, content, _body(id, row.body))
        return Saved(id, revision_of(row), revision_of(newest), sample, switches_of(sample.transcript))

    def _content(self, connection: Connection, id: str) -> bytes:
        """The canonical bytes of a transcript.

        Raises:
            StoreError: they are not those that were saved.
        """
        query = select(TRANSCRIPTS.c.content, TRANSCRIPTS.c.digest).where(TRANSCRIPTS.c.id == id)
        held = connection.execute(query).first()
        if held is None:
            raise StoreError(damage(id, "its tokens are not there"))
        try:
            content = unpacked(held.content, MAX_BYTES)
        except StoreError as error:
            raise StoreError(damage(id, f"its tokens cannot be read ({_clause(error)})")) from error
        # An address is the beginning of its digest: other tokens under it would be another sample's.
        if digest_of(content) != held.digest or not str(held.digest).startswith(id):
            raise StoreError(damage(id, "its tokens are not those that its address stands for"))
        return content

    def _mend(self, connection: Connection, id: str, digest: str, compressed: bytes) -> None:
        """Write the content of a transcript again that is there and damaged: it is at hand, so it can be mended."""
        try:
            self._content(connection, id)
        except StoreError:
            where = TRANSCRIPTS.c.digest == digest
            connection.execute(update(TRANSCRIPTS).where(where).values(content=compressed))


_LIGHT: Final = tuple(REVISIONS.c[name] for name in ("number", "parent", "kind", "author", "at", "title"))
_FULL: Final = (*_LIGHT, REVISIONS.c.body)


def _history(id: str) -> Any:
    return select(*_LIGHT).where(REVISIONS.c.sample_id == id).order_by(REVISIONS.c.number.desc())


def _was_a_race(error: IntegrityError | OperationalError) -> bool:
    """Whether trying again can help: a number was taken, or PostgreSQL gave up one of two transactions."""
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, IntegrityError) or state in ("40001", "40P01")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(id: str, packed_body: bytes) -> dict[str, Any]:
    """A revision's body.

    Raises:
        StoreError: it is damaged; the sentence names the sample.
    """
    try:
        return body_of(packed_body)
    except StoreError as error:
        raise StoreError(damage(id, f"its words cannot be read ({_clause(error)})")) from error


def _body_or_none(packed_body: bytes) -> dict[str, Any] | None:
    try:
        return body_of(packed_body)
    except StoreError:
        return None


def _body_without(row: Entry) -> dict[str, Any]:
    """A body for a revision whose own cannot be read."""
    title = revision_of(row).title.strip() or "damaged"
    return body_for(Sample("", title, "", "", Transcript(()), (), stated=False), None, {})


def _clause(error: StoreError) -> str:
    said = str(error).rstrip(".")
    return said.removeprefix("The saved data is damaged: ")
