"""Saved samples: the connection to their database, and what the pages ask of it.

``HARMONYLENS_DATABASE_URL`` names the database; else it is a SQLite file in the user's data folder, which is made by
the first save and which nobody else can read. Nothing else says where it is: Streamlit's secrets would be those of
whatever folder the app is started in. Nothing here is imported or opened before it is needed: most visits to a page
need no database.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import streamlit as st

from ..gallery import Gallery, Sample
from ..gallery.content import is_address
from ..gallery.damaged import can_be_drawn
from ..gallery.private import make_file, make_folder, tighten
from ..gallery.saved import Revision, Row, Saved, StoreError
from ..ingest import switches_of
from ..inspection import NEWEST
from ..renamed import NAMES, variable
from ..report.cards import DAMAGED
from ..report.visible import visible
from ..view.viewmodel import digest
from .moments import moment
from .state import Bench

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ..gallery.database import SampleStore

URL: Final = "HARMONYLENS_DATABASE_URL"
GALLERY: Final = "saved"
MOST_LISTED: Final = 1000

_OPENED: Final = "harmonylens.saved"
_NO_HOME: Final = f"This user has no home folder; set {URL} to a place that can be read and written."
_PAUSE_S: Final = 15
"""How long a database that failed is left alone before a page asks it again."""

_ADDRESS: Final = re.compile(r"(?P<id>[a-z2-7]{13,52})(?:@(?P<number>[1-9][0-9]{0,8}))?")
_FAILED: Final[dict[str, tuple[float, str]]] = {}
_STORES: Final[dict[str, SampleStore]] = {}
"""One store for each address, so that a database is prepared once."""

_LOCK: Final = Lock()


def store(*, to_write: bool = False) -> SampleStore | None:
    """The store of saved samples; None when nothing was ever saved here, unless ``to_write``.

    Raises:
        StoreError: the database cannot be used; the message is a sentence for people.
    """
    url = variable(URL).strip()
    if not url:
        file = default_file()
        if not _is_there(file) and not to_write:
            return None
        _keep_private(file)
        url = f"sqlite:///{file}"
    then, sentence = _FAILED.get(url, (0.0, ""))
    if sentence and time.monotonic() - then < _PAUSE_S:
        raise StoreError(sentence)
    try:
        found = _store_of(url)
        found.prepare()
    except StoreError as error:
        _FAILED[url] = (time.monotonic(), str(error))
        raise
    _FAILED.pop(url, None)
    return found


def default_file() -> Path:
    """The SQLite file of a person who named no database.

    Raises:
        StoreError: they have no home folder, or one that cannot be entered.
    """
    from platformdirs import user_data_path

    try:
        file, old = (user_data_path(name, appauthor=False) / "samples.sqlite3" for name in NAMES)
    except RuntimeError:
        raise StoreError(_NO_HOME) from None
    if not file.is_absolute():  # "~", taken for a folder of the current one
        raise StoreError(_NO_HOME)
    # What was saved under the old name stays where it is: an older version may still be at work on it.
    return file if _is_there(file) or not _is_there(old) else old


def _is_there(file: Path) -> bool:
    """Whether the file exists.

    Raises:
        StoreError: that cannot be known, since a folder on the way to it cannot be entered.
    """
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(
            f"The folder {file.parent} cannot be entered ({error.strerror or error}); set {URL} to a place that can be "
            "read and written."
        ) from error
    return True


def address_parts(address: str) -> tuple[str, int | None] | None:
    """The id and the revision (``ID@2``) that an address names; None when it is no saved sample's."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not is_address(found["id"]):
        return None
    return found["id"], int(found["number"]) if found["number"] else None


def find_saved(address: str) -> Sample | None:
    """The saved sample that ``?sample=ID`` or ``?sample=ID@REVISION`` names; None when there is none.

    What this session has opened stays as it was: nothing changes under a person who reads. :func:`forget_opened`
    makes the next look a fresh one.
    """
    opened = opened_saved()
    if opened is not None and opened[0] == address:
        return opened[1].sample
    parts = address_parts(address)
    if parts is None:
        return None
    try:
        held = store()
        found = None if held is None else held.get(*parts)
    except StoreError:
        return None  # why_not_saved says it
    if found is None or (found.deleted and parts[1] is None):
        return None
    st.session_state[_OPENED] = (address, found)
    return found.sample


def opened_saved() -> tuple[str, Saved] | None:
    """The address and the saved sample that this session has opened."""
    held = st.session_state.get(_OPENED)
    return held if isinstance(held, tuple) else None


def forget_opened() -> None:
    """Look at the database again the next time."""
    st.session_state.pop(_OPENED, None)


def why_not_saved(address: str) -> str:
    """Why :func:`find_saved` found nothing, in a sentence for people (to be escaped); "" for other addresses."""
    parts = address_parts(address)
    if parts is None:
        return ""
    try:
        gone = deleted(parts[0])
        held = store() if gone is None else None
        newest = None if held is None else held.latest(parts[0])
        if held is not None and newest is not None:
            held.get(*parts)  # one that is damaged says so
    except StoreError as error:
        return str(error)
    if gone is not None:
        who = f" by {gone.author}" if gone.author else ""
        return f"The sample {parts[0]} was deleted{who} ({moment(gone.at)}); it can be restored."
    if newest is not None:
        return f"The sample {parts[0]} has no revision {parts[1]}: the newest one is {newest.number}."
    return f"No sample {address[:80]} is saved here: check the link, or ask who sent it which database it is in."


def deleted(id: str) -> Revision | None:
    """The revision that deleted a sample; None when it is there, or never was.

    Raises:
        StoreError: the database cannot be used.
    """
    held = store()
    newest = None if held is None else held.latest(id)
    return newest if newest is not None and newest.kind == "delete" else None


def take_switches(work: Bench, sample: Sample) -> None:
    """Set the switches as a saved sample has them, each time that it is opened; other samples change nothing."""
    if address_parts(work.sample) is None:
        return
    switches = switches_of(sample.transcript)
    name = digest(sample.transcript)
    work.off[name], work.choices[name] = switches.off, dict(switches.choices)
    work.style = switches.style or NEWEST


def saved_rows(limit: int = MOST_LISTED) -> tuple[Row, ...]:
    """What is saved, the one that changed last first.

    Raises:
        StoreError: the database cannot be used.
    """
    held = store()
    return () if held is None else held.list(limit=limit)


def saved_gallery() -> tuple[Gallery, list[dict[str, Any]]] | None:
    """What is saved as a gallery with its cards, for :func:`inspector.report.cards.gallery_page`; None for nothing.

    The gallery's samples have no tokens: lists need none.

    Raises:
        StoreError: the database cannot be used.
    """
    rows = saved_rows()
    if not rows:
        return None
    more = f" The {MOST_LISTED:,} that changed last are shown." if len(rows) == MOST_LISTED else ""
    gallery = Gallery(GALLERY, "Saved here", f"What was saved from the Inspect page.{more}", _light(rows))
    return gallery, [_item(row) for row in rows]


def _light(rows: tuple[Row, ...]) -> tuple[Sample, ...]:
    from ..tokens import Transcript

    empty = Transcript(())
    return tuple(Sample(row.id, row.title, row.story, "", replace(empty, id=row.id), (), tags=row.tags) for row in rows)


def _item(row: Row) -> dict[str, Any]:
    """A card as :func:`inspector.report.cards.gallery_items` makes it, from what was drawn when it was saved."""
    look: Mapping[str, Any] = row.look if can_be_drawn(row.look) else {}
    words = (row.id, row.title, row.story, *row.tags, *row.rules)
    return {
        "rules": [visible(code) for code in row.rules],
        "raises": [visible(release) for release in row.raises],
        "outcome": "",
        "shape": [],
        "strip": {"k": "", "w": [], "c": [], "e": [], "t": []},
        **look,
        "name": row.id,
        "title": visible(row.title) or "Damaged",
        # What stands in a damaged row says less than what is wrong with it.
        "story": visible(row.damage or row.story),
        "family": "",
        "tags": [visible(tag) for tag in row.tags],
        "count": row.tokens,
        "founding": 0,
        "href": f"./?sample={quote(row.id)}",
        "gallery": GALLERY,
        "marks": [look.get("outcome", "")],
        **({"outcome": DAMAGED, "marks": [DAMAGED]} if row.damage else {}),
        "search": " ".join(" ".join(words).lower().split()),
    }


def _store_of(url: str) -> SampleStore:
    from ..gallery.database import SampleStore

    with _LOCK:
        if url not in _STORES:
            _STORES[url] = SampleStore(_engine(url))
        return _STORES[url]


def _engine(url: str) -> Engine:
    """What connects to a database.

    Raises:
        StoreError: ``url`` is no address that can be connected to.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    # Shorter ways to say it, which would ask for another driver.
    address = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    try:
        engine = create_engine(address, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError:
        raise StoreError(
            f"{URL} needs the driver of its database, which is not installed; for PostgreSQL: "
            "pip install 'psycopg[binary]>=3.2'."
        ) from None
    except (ArgumentError, NoSuchModuleError, ValueError):
        # What the URL was is not said: a password may be in it. For the same reason no cause is kept.
        raise StoreError(
            f"{URL} is no address of a database; expected postgresql://user:password@host/name "
            "or sqlite:////folder/file."
        ) from None
    named = engine.url.database or ""
    if engine.dialect.name == "sqlite" and named and not named.startswith((":", "file:")):
        # One that is there stays as it is: whoever named it may share it with others. What SQLite cannot open, it says.
        with suppress(OSError):
            make_file(Path(named))
    return engine


def _keep_private(file: Path) -> None:
    """Make or tighten the file of a person who named no database, and its folder."""
    try:
        make_folder(file.parent)
        make_file(file)
    except OSError as error:
        raise StoreError(
            f"The folder {file.parent} cannot be made ({error.strerror or error}); set {URL} to a place that can be "
            "written."
        ) from error
    tighten(file)
