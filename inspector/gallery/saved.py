"""What a store of samples hands out: saved samples, their revisions, rows for lists. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..ingest.carried import Switches
from .sample import Sample

Kind = Literal["save", "edit", "delete", "restore"]
"""What a revision did."""


class StoreError(Exception):
    """The store cannot do what was asked; the message is one sentence for a person, without passwords."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a sample's history.

    Attributes:
        number: from 1, without gaps.
        parent: the number of the revision that it was made from; None for the first.
        kind: what it did.
        author: as the person called themselves, "" for nobody.
        at: when, in UTC, as ISO 8601 with milliseconds ("2026-03-01T12:03:00.250Z"); "" where that is not known.
        title: the title from then on.
        damage: what of the row in the database cannot be, a clause; "" where it is whole.
    """

    number: int
    parent: int | None
    kind: Kind
    author: str
    at: str
    title: str
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A sample as one of its revisions has it.

    Attributes:
        id: its address, ``?sample=ID``; the same transcript has the same one everywhere.
        revision: which revision this is.
        newest: the newest revision; its kind is "delete" when the sample was deleted.
        sample: the sample; its name is the id, and its transcript carries the switches.
        switches: what was switched on screen.
    """

    id: str
    revision: Revision
    newest: Revision
    sample: Sample
    switches: Switches

    @property
    def deleted(self) -> bool:
        """Whether the newest revision deleted it."""
        return self.newest.kind == "delete"


@dataclass(frozen=True, slots=True)
class Written:
    """What a save, an edit, a deletion or a restoration did.

    Attributes:
        id: of the sample.
        revision: the revision that was made, or the newest one when nothing differed.
        changed: False when nothing differed and no revision was made.
        meanwhile: revisions of others that came between the one an edit was based on and this one.
    """

    id: str
    revision: Revision
    changed: bool = True
    meanwhile: tuple[Revision, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A saved sample as a list shows it: everything but the tokens.

    Attributes:
        id, revision: as in :class:`Saved`, of the newest revision.
        story: its beginning, at most 600 characters.
        rules: codes of what was found in it when it was saved.
        raises: names of the releases whose strict parser raises an error on it.
        tokens: how many there are.
        look: what lists draw of it, as it was given when it was saved.
        damage: why it cannot be shown as it was saved, in a sentence with what can be done; "" where it is whole.
    """

    id: str
    revision: Revision
    title: str
    story: str
    tags: tuple[str, ...]
    rules: tuple[str, ...]
    raises: tuple[str, ...]
    tokens: int
    look: Mapping[str, Any]
    deleted: bool = False
    damage: str = ""
