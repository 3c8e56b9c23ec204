"""The Gallery page: the open galleries as cards, filtered in the browser, opened by a click or by an address."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import streamlit as st

from ..gallery import Gallery, Sample, SampleError, sample_address, sample_link
from ..gallery.bundle import ENDINGS, gallery_of
from ..gallery.saved import StoreError
from ..isolation import CutOff
from ..report.cards import MOST_INSPECTED, MOST_READ, gallery_items, gallery_page, gallery_title
from ..report.whole import left_out_words, whole_bundle
from ..unread import defect
from ..view.assets import cards_code, cards_style, handover_code
from ..view.bounds import MOST_DESCRIPTION, MOST_TITLE, cut
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .chrome import guarded
from .component import hidden, registered
from .galleries import close_gallery, open_galleries, open_upload, reopen, session_galleries
from .keeping import Kept
from .plain import as_markdown
from .samples import find_sample, no_such_sample
from .state import session_value
from .store import saved_gallery

KEY: Final = "gallery"
MOST_PROBLEMS: Final = 20
SLOW_TOKENS: Final = 10_000
"""Tokens of new samples from which their cards can take half a second."""

_UPLOADS: Final = "gallery.uploads"
_POPOVER: Final = "w.gallery.open"
_NOTICE: Final = "gallery.notice"
_OPENED: Final = "gallery.opened"
_WANTED: Final = "gallery.bundle"
_ITEMS: Final[Kept[tuple[Gallery, list[dict[str, Any]]]]] = Kept(inputs=12)


@guarded
def show() -> None:
    """Draw the page."""
    named = st.query_params.get("in", "")
    if named:
        reopen(named)
    galleries = open_galleries()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("#### Gallery", width="content")
        _opener()
    st.markdown(
        "Transcripts with their stories: those that ship, those that you save, those that you open. "
        "Strips show their shape: headers tall, bodies low, damage framed in red."
    )
    _problems(galleries)
    shown = in_order(galleries)
    with _quiet(shown):
        items = [(gallery, items_of(gallery)) for gallery in shown]
    content = gallery_page(
        [*_saved(), *items],
        closable=[gallery.name for gallery in session_galleries()],
        opened=st.session_state.get(_OPENED),
    )
    registered("harmonylens_cards", js=cards_code, css=cards_style)(
        key=KEY,
        data=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
        on_bundle_change=_bundle,
        on_close_change=_close,
    )
    _hand_over()


def in_order(galleries: Sequence[Gallery]) -> list[Gallery]:
    """Those that have samples, what was opened and configured first, then what ships."""
    shipped, *others = galleries
    return [gallery for gallery in (*reversed(others), shipped) if gallery.samples]


def _saved() -> list[tuple[Gallery, list[dict[str, Any]]]]:
    """What people have saved, with its cards; a sentence on the page where the database cannot be used."""
    try:
        saved = saved_gallery()
    except StoreError as error:
        st.warning(as_markdown(str(error)))
        return []
    return [saved] if saved is not None else []


def items_of(gallery: Gallery) -> list[dict[str, Any]]:
    """The cards of a gallery; those of the galleries that were shown last are kept.

    None at all, with a sentence on the page, where making them was cut off; that is kept too.
    """
    known = _known_items(gallery)
    if known is not None:
        return known
    count = sum(len(sample.transcript) for sample in gallery.samples)
    deadline = inspecting_deadline(min(count, MOST_INSPECTED + MOST_READ))
    try:
        items = apart(gallery_items, deadline, gallery, sample_address, sample_link)
    except CutOff as error:
        st.error(as_markdown(why_cut_off(f"Reading the samples of {cut(gallery.title, MOST_TITLE)}", error)))
        items = []
    _ITEMS.keep(str(id(gallery)), (gallery, items), 1)
    return items


def _known_items(gallery: Gallery) -> list[dict[str, Any]] | None:
    known = _ITEMS.find(str(id(gallery)))
    # An id is given again once its owner is gone; here the owner is held, so this only guards against a mistake.
    return known[1] if known is not None and known[0] is gallery else None


@contextmanager
def _quiet(galleries: Sequence[Gallery]) -> Iterator[None]:
    """Says what is being done, where that can take more than half a second."""
    fresh = [gallery for gallery in galleries if _known_items(gallery) is None]
    if sum(len(sample.transcript) for gallery in fresh for sample in gallery.samples) < SLOW_TOKENS:
        yield
        return
    with st.spinner("Reading the samples …"):
        yield


def _opener() -> None:
    turn = st.session_state.setdefault(_UPLOADS, 0)
    # A new name for each turn empties the uploader and closes the box around it; its state is told, or a box that
    # was never known to be open could not be closed.
    with st.popover("Open a gallery", icon=":material/folder_open:", key=f"{_POPOVER}.{turn}", on_change="rerun"):
        st.markdown(
            "A `.harmonylens` bundle, or transcript records as JSON lines, JSON or TOML samples. "
            "It is read into memory for this session; nothing is stored."
        )
        st.file_uploader(
            "Gallery files",
            type=[ending.removeprefix(".") for ending in ENDINGS],
            accept_multiple_files=True,
            key=f"w.gallery.{turn}",
            on_change=_uploaded,
            label_visibility="collapsed",
        )
        st.caption("A record is a line such as")
        st.code(
            '{"id": "run 7", "token_ids": [200005, 35644], "title": "…", "tags": ["night"]}',
            language=None,
            wrap_lines=True,
        )
        st.caption("Folders and galleries for everybody: `harmonylens app --gallery PATH`.")


def _uploaded() -> None:
    files = st.session_state[f"w.gallery.{st.session_state[_UPLOADS]}"]
    notice: list[str] = []
    opened: list[str] = []
    for file in files or []:
        try:
            gallery = open_upload(file.getvalue(), file.name)
        except SampleError as error:
            notice.append(str(error))
        except Exception as error:  # noqa: BLE001
            # Of several files the others are opened.
            notice.append(f"{file.name}: {defect(error, 'opening this file')}")
        else:
            opened.append(gallery.name)
    # One that was opened is what one wants to see; of several, all.
    st.session_state[_OPENED] = (opened[0] if len(opened) == 1 else "", secrets.token_hex(8)) if opened else None
    st.session_state[_NOTICE] = notice
    st.session_state[_UPLOADS] += 1
    st.session_state[f"{_POPOVER}.{st.session_state[_UPLOADS]}"] = False


def _problems(galleries: Sequence[Gallery]) -> None:
    for sentence in st.session_state.pop(_NOTICE, []):
        st.error(as_markdown(cut(sentence, MOST_DESCRIPTION)))
    for gallery in galleries:
        if not gallery.problems:
            continue
        if not gallery.samples:
            st.error(as_markdown(cut(gallery.problems[0], MOST_DESCRIPTION)))
            continue
        count = len(gallery.problems) + gallery.more_problems
        what = "one thing was left out" if count == 1 else f"{count:,} things were left out"
        with st.expander(f"{as_markdown(gallery_title(gallery))}: {what}", icon=":material/warning:"):
            for sentence in gallery.problems[:MOST_PROBLEMS]:
                st.markdown(f"- {as_markdown(cut(sentence, MOST_DESCRIPTION))}")
            if count > min(MOST_PROBLEMS, len(gallery.problems)):
                st.caption(f"and {count - min(MOST_PROBLEMS, len(gallery.problems)):,} more")


def _close() -> None:
    name = session_value(KEY, "close")
    if isinstance(name, str):
        close_gallery(name)


def _bundle() -> None:
    names = session_value(KEY, "bundle")
    if isinstance(names, Sequence) and not isinstance(names, str):
        st.session_state[_WANTED] = [name for name in names if isinstance(name, str)]


def _hand_over() -> None:
    """Give the browser the bundle that was asked for, once."""
    wanted = st.session_state.pop(_WANTED, None)
    if not wanted:
        return
    name, data = "", b""
    try:
        gallery = chosen_gallery(wanted, find_sample)
        data, left_out = whole_bundle(gallery)
        name = f"{gallery.name}.harmonylens"
        lost = [address for address in wanted if find_sample(address) is None]
        left_out += [no_such_sample(address) for address in lost]
        if left_out:
            st.warning(as_markdown(left_out_words(left_out)))
    except SampleError as error:
        st.error(as_markdown(str(error)))
    head = json.dumps({"name": name, "id": secrets.token_hex(8)}).encode()
    registered("harmonylens_handover", js=handover_code, css=hidden)(key="gallery.handover", data=head + b"\n" + data)


def chosen_gallery(addresses: Sequence[str], find: Callable[[str], Sample | None]) -> Gallery:
    """The samples of these addresses as a gallery of their own.

    Raises:
        SampleError: none of them is there any more.
    """
    samples = [sample for sample in map(find, addresses) if sample is not None]
    if not samples:
        raise SampleError("None of these samples is open any more: reload the page.")
    count = len(samples)
    if count == 1:
        return gallery_of(samples[0].name, samples[0].title, "", samples)
    return gallery_of(f"samples-{count}", f"{count:,} samples", "", samples)
