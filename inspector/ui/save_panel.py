"""The save panel of the Inspect page: save what is on screen, edit what is saved, its history, delete it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..gallery.saved import Revision, Saved, StoreError, Written
from ..view.assets import share_code, share_style
from .chrome import guarded
from .component import registered
from .inspecting import Given
from .moments import moment
from .plain import as_markdown
from .saving import Draft, delete, edit, open_saved, restore, save, shown_as, suggested
from .state import Bench
from .store import address_parts, deleted, opened_saved, store

OPEN: Final = "w.save"
"""Session state: whether the panel is open."""

_DRAFT: Final = "harmonylens.draft"
_TOLD: Final = "harmonylens.told"
_DELETING: Final = "harmonylens.deleting"
_AUTHOR: Final = "harmonylens.author"
_SEEN: Final = "harmonylens.seen"
_LISTED: Final = 12
_TYPED: Final = ("title", "story", "tags")
_DID: Final = {"save": "saved", "edit": "edited", "delete": "deleted", "restore": "restored"}


def save_panel(work: Bench, given: Given) -> None:
    """Draw it. The database is asked only while the panel is open."""
    panel = st.popover("Save", key=OPEN, icon=":material/bookmark:", on_change="rerun")
    if panel.open:
        with panel, st.container(key="save", gap="small"):
            _content(work, given)
    else:
        _keep_typed()
        if not _has_typed():
            st.session_state.pop(_SEEN, None)


@guarded
def _content(work: Bench, given: Given) -> None:
    # Slots that are the same in every state: what is drawn anew takes the place of what was there.
    slots = _Slots(*(st.container(gap="small") for _ in range(4)))
    try:
        newest = shown_as(given)
    except StoreError as error:
        with slots.head:
            st.markdown(as_markdown(str(error)))
            st.caption("Everything else works without saving.")
        return
    seen = _seen(given, newest)
    try:
        if seen is None:
            _new(work, given, newest, slots)
        elif seen.deleted and newest is not None:
            _gone(newest.id, newest.newest, slots)
        else:
            _known(work, given, seen, newest or seen, slots)
    except StoreError as error:
        with slots.tail:
            st.markdown(as_markdown(str(error)))


@dataclass(frozen=True, slots=True)
class _Slots:
    head: DeltaGenerator
    fields: DeltaGenerator
    buttons: DeltaGenerator
    tail: DeltaGenerator


def restore_offer(work: Bench) -> None:
    """Where the address names a sample that was deleted: a button that brings it back."""
    parts = address_parts(st.query_params.get("sample", ""))
    if work.sample or parts is None:
        return
    try:
        if deleted(parts[0]) is not None and st.button("Restore it", key="w.save.restore"):
            _done(restore(parts[0], None, _author()))
            open_saved(work, parts[0])
    except StoreError as error:
        st.error(as_markdown(str(error)))


def _seen(given: Given, newest: Saved | None) -> Saved | None:
    """The saved sample as the person who fills in the fields has seen it, None for none yet.

    It stays while the panel is open, and after it was closed as long as something is typed in it: what others save
    and delete meanwhile must not take away what a person is about to save.
    """
    opened = opened_saved()
    if opened is not None and (newest is None or opened[1].id != newest.id):
        opened = None
    what = (given.digest, opened and (opened[0], opened[1].revision.number))
    held = st.session_state.get(_SEEN)
    if isinstance(held, tuple) and held[0] == what and (held[1] is None or not held[1].deleted):
        found: Saved | None = held[1]
        return found
    seen = newest if opened is None or newest is None or newest.deleted else opened[1]
    st.session_state[_SEEN] = (what, seen)
    return seen


def _keep_typed() -> None:
    """Take what was typed in the moment before the panel was closed: the fields are not drawn in the run that hears
    of both."""
    held = st.session_state.get(_DRAFT)
    if isinstance(held, tuple):
        of, draft, suggestion = held
        said = {name: st.session_state.get(f"w.save.{of}.{name}", getattr(draft, name)) for name in _TYPED}
        st.session_state[_DRAFT] = (of, Draft(**said), suggestion)


def _has_typed() -> bool:
    """Whether the fields say something else than what was suggested."""
    held = st.session_state.get(_DRAFT)
    return isinstance(held, tuple) and held[1] != held[2]


def _new(work: Bench, given: Given, newest: Saved | None, slots: _Slots) -> None:
    """What is on screen is not saved yet, or was not when the panel was opened."""
    with slots.head:
        st.markdown("**Save what is on screen**, with the switches as they are set")
        if newest is not None:
            st.caption(
                f"{as_markdown(_by(newest.newest))} {_DID[newest.newest.kind]} this meanwhile; saving keeps both."
            )
    with slots.fields:
        draft = _fields(given.digest, suggested(work, given))
    if slots.buttons.button("Save", key="w.save.save", type="primary", width=120):
        written = save(work, given, draft, _author())
        _done(written)
        # Of several transcripts in one input, the others stay at hand.
        if "w.record" in st.session_state:
            st.rerun()
        open_saved(work, written.id)


def _known(work: Bench, given: Given, seen: Saved, newest: Saved, slots: _Slots) -> None:
    """What is on screen is saved: its link, its words, its history."""
    with slots.head:
        _link(seen, newest)
    with slots.fields:
        draft = _fields(f"{seen.id}@{seen.revision.number}", suggested(work, given, seen))
    with slots.buttons, st.container(horizontal=True, gap="small"):
        if st.button("Save changes", key="w.save.edit", type="primary"):
            written = edit(work, given, seen, draft, _author())
            _done(written)
            open_saved(work, written.id)
        if not newest.deleted and st.button("Delete …", key="w.save.delete"):
            st.session_state[_DELETING] = newest.id
    with slots.tail:
        if st.session_state.get(_DELETING) == newest.id:
            _confirm(work, newest)
        _history(work, newest, seen.revision.number)


def _link(seen: Saved, newest: Saved) -> None:
    """What happened last, the short link, and whether others came since."""
    said = st.session_state.pop(_TOLD, None) or _standing(seen)
    st.markdown(as_markdown(said))
    registered("harmonylens_share", js=share_code, css=share_style)(
        key="save.link", data=json.dumps({"tail": f"?sample={newest.id}", "label": "Short link"}).encode(), height=36
    )
    if newest.deleted:
        st.caption(f"{as_markdown(_by(newest.newest))} deleted it after you opened it; saving brings it back.")
    elif seen.newest.number != seen.revision.number:
        st.caption("This is an older revision; saving it again keeps what came after it in the history.")
    elif newest.revision.number > seen.revision.number:
        later = f"{_by(newest.revision)} saved revision {newest.revision.number} after you opened this"
        st.caption(f"{as_markdown(later)}; saving keeps both.")


def _confirm(work: Bench, saved: Saved) -> None:
    """The question before a sample is deleted."""
    with st.container(border=True, gap="small"):
        st.markdown("Delete it for everyone who has this database? Its link will say so, and it can be restored.")
        with st.container(horizontal=True, gap="small"):
            if st.button("Delete it", key="w.save.delete.yes", type="primary"):
                st.session_state.pop(_DELETING)
                st.session_state.pop(_SEEN, None)
                delete(work, saved.id, _author())
                st.rerun()
            st.button("Keep it", key="w.save.delete.no", on_click=_keep)


def _keep() -> None:
    st.session_state.pop(_DELETING, None)


def _gone(id: str, tombstone: Revision, slots: _Slots) -> None:
    """What is on screen was saved once, and deleted."""
    slots.head.markdown(
        as_markdown(f"This transcript was saved as {id}; {_by(tombstone)} deleted it, {moment(tombstone.at)}.")
    )
    if slots.buttons.button("Restore it", key="w.save.back", type="primary"):
        _done(restore(id, None, _author()))
        st.rerun()


def _history(work: Bench, saved: Saved, shown: int) -> None:
    """The revisions, the newest first; each can be opened, and brought back."""
    held = store()
    if held is None or saved.newest.number == 1:
        return
    revisions = held.history(saved.id)
    with st.expander(f"History: {len(revisions):,} revisions"):
        for revision in revisions[:_LISTED]:
            number = revision.number
            with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"revision-{number}"):
                st.markdown(
                    f"**{number}** {as_markdown(f'{_DID[revision.kind]} by {_by(revision)}, {moment(revision.at)}')}"
                    f"  \n{as_markdown(revision.title[:120])}"
                    + (f"  \n{as_markdown(f'Damaged: {revision.damage}.')}" if revision.damage else ""),
                    width="stretch",
                )
                if number == shown:
                    st.markdown("*shown*", width="content")
                elif revision.kind != "delete" and st.button("Open", key=f"w.save.open.{number}", type="tertiary"):
                    open_saved(work, saved.id, None if number == saved.newest.number else number)
                older = number != saved.newest.number and revision.kind != "delete"
                if older and st.button("Restore", key=f"w.save.restore.{number}", type="tertiary"):
                    _done(restore(saved.id, number, _author()))
                    open_saved(work, saved.id)
        if len(revisions) > _LISTED:
            st.caption(f"and {len(revisions) - _LISTED:,} older ones")


def _fields(of: str, suggestion: Draft) -> Draft:
    """The fields. What was typed stays when the panel is closed, until another transcript or revision is shown."""
    held = st.session_state.get(_DRAFT)
    draft = held[1] if isinstance(held, tuple) and held[0] == of else suggestion
    key = f"w.save.{of}"
    # As defaults and not through the session's state: a browser that closes and opens the panel at once shows those.
    title = st.text_input("Title", draft.title, key=f"{key}.title", max_chars=200)
    story = st.text_area(
        "Story", draft.story, key=f"{key}.story", height=96, max_chars=20_000, placeholder="What happened, who loses it"
    )
    tags = st.text_input("Tags", draft.tags, key=f"{key}.tags", placeholder="nightly, tool calls", max_chars=1000)
    st.session_state[_AUTHOR] = st.text_input("Your name", _author(), key="w.save.author", max_chars=80)
    draft = Draft(title, story, tags)
    st.session_state[_DRAFT] = (of, draft, suggestion)
    return draft


def _done(written: Written) -> None:
    """Remember what happened, to be told above the link."""
    for name in (_DRAFT, _SEEN):
        st.session_state.pop(name, None)
    st.session_state[_TOLD] = told(written)


def told(written: Written) -> str:
    """What a save did, in a sentence or two."""
    number = written.revision.number
    if not written.changed:
        return f"Nothing differs from revision {number}, so nothing was saved."
    said = f"{_DID[written.revision.kind].capitalize()} as revision {number}."
    if not written.meanwhile:
        return said
    last = written.meanwhile[-1]
    what = f"{_by(last)} {_DID[last.kind]} it at {moment(last.at)} meanwhile (revision {last.number})"
    if len(written.meanwhile) == 1:
        return f"{said} {what}; both are kept."
    return f"{said} {what}, the last of {len(written.meanwhile):,} revisions; all are kept."


def _standing(saved: Saved) -> str:
    revision = saved.revision
    return f"Saved as revision {revision.number} by {_by(revision)}, {moment(revision.at)}."


def _by(revision: Revision) -> str:
    return revision.author or "somebody"


def _author() -> str:
    return str(st.session_state.get(_AUTHOR, ""))
