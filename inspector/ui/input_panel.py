"""The input: a paste box, a file, what the input is taken for and how to overrule it."""

from __future__ import annotations

import re
from typing import Any, Final

import streamlit as st

from ..gallery.link import payload_in
from ..ingest.unpacking import in_words
from .address import open_link
from .plain import as_markdown
from .state import ROLES, Bench, bench

OPEN: Final = "w.input"
"""Session state: whether the panel is open where it stands in a popover."""

NOTHING: Final = (
    "There is nothing to inspect yet: paste a model output, token ids or transcript records, or give a file."
)

_FORMATS: Final = {"auto": "Detect", "text": "Text", "ids": "Token ids", "records": "Records"}
_ROLE_WORDS: Final = {"auto": "Detect", "none": "nothing: a whole conversation"}
_PLACEHOLDER: Final = (
    "<|channel|>analysis<|message|>Run the tests first.<|end|><|start|>assistant<|channel|>commentary ...\n"
    "or token ids in any notation: 200005, 35644, 200008, 12870 ...\n"
    'or transcript records, one JSON object per line: {"id": "run 7", "token_ids": [200005, 35644]}'
)
_UPLOADS: Final = "harmonylens.uploads"
_TAKEN: Final = "harmonylens.taken"
"""In the session state: which uploaded file was taken last."""

_TURN: Final = "harmonylens.input"
_EMPTY: Final = re.compile(r"[\[\]{}\s]*|null|\"\s*\"|'\s*'")
_URL: Final = re.compile(r"\s*https?://\S+\s*")


def input_panel(work: Bench, *, tall: bool = False, over: bool = True) -> None:
    """Draw the widgets, filled from ``work``; "Inspect" takes what a person put there back into it.

    A form: nothing moves while a person still types and chooses.

    Args:
        tall: on a page of its own, with more room.
        over: whether to offer to start over.
    """
    with st.container(key="tall" if tall else "box"):
        _widgets(work, tall, over and not work.is_empty)


def _widgets(work: Bench, tall: bool, over: bool) -> None:
    turn = _turn(work)
    left, right = st.columns([3, 1], gap="medium")
    # The values are defaults, and nothing is written into the session's state: a browser that forgot a widget, because
    # it left one place of the page for another, shows the default, while Streamlit takes the state for known there.
    with left, st.form("w.form", border=False):
        st.text_area(
            "Model output, token ids or transcript records",
            work.text,
            key=f"w.text.{turn}",
            height=230 if tall else 180,
            placeholder=_PLACEHOLDER,
            label_visibility="collapsed",
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox(
                "Read it as",
                list(_FORMATS),
                list(_FORMATS).index(work.format),
                format_func=lambda name: _FORMATS[name],
                key=f"w.format.{turn}",
                width=170,
            )
            st.selectbox(
                "It continues after",
                ROLES,
                ROLES.index(work.role),
                format_func=lambda role: _ROLE_WORDS.get(role, f"<|start|>{role}"),
                key=f"w.role.{turn}",
                width=220,
            )
            st.text_input(
                "Declared tools",
                work.tools,
                key=f"w.tools.{turn}",
                placeholder="functions.bash, functions.search",
                width=250,
                help="Names settle what a damaged recipient means. A name that is not declared is never invented.",
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.form_submit_button("Inspect", type="primary", width=150, on_click=_submitted)
            st.toggle(
                "Text that spells a marker is one",
                work.markers,
                key=f"w.markers.{turn}",
                help="Off: the characters stay ordinary text, as in a transcript that quotes markers.",
            )
    with right:
        st.file_uploader(
            "A file: text, token ids, records",
            key=f"w.file.{st.session_state.setdefault(_UPLOADS, 0)}",
            on_change=_file_changed,
            help="Up to 64 MB; better than a paste above about 1 MB. Compressed with gzip is fine.",
        )
        if work.upload is not None:
            st.caption(f"Shown now: {as_markdown(work.filename[:80])}, {in_words(len(work.upload))}.")
        if over:
            st.button("Start over", width="stretch", key="w.clear", on_click=_clear)


def _turn(work: Bench) -> int:
    """The number in the widgets' names: another one after the input was replaced, so that they are filled anew."""
    turn: int = st.session_state.setdefault(_TURN, 0)
    if work.replaced:
        work.replaced = False
        turn += 1
        st.session_state[_TURN] = turn
    return turn


def _said(name: str, before: Any) -> Any:
    """What a widget says; ``before`` where a run was cut off before it drew it."""
    return st.session_state.get(f"w.{name}.{st.session_state[_TURN]}", before)


def _submitted() -> None:
    """Take the form's values. Role and tools can be told of a sample; anything else makes it another input."""
    work = bench()
    text = _said("text", work.text)
    if text != work.text or work.is_empty:
        if work.upload is None and _EMPTY.fullmatch(text):
            work.hint = NOTHING
            return
        if _is_address(work, text):
            _close()
            return
    work.role, work.tools = _said("role", work.role), _said("tools", work.tools)
    read_before = (work.text, work.format, work.markers)
    work.format, work.markers = _said("format", work.format), _said("markers", work.markers)
    if text != work.text:
        work.text = text
        _forget_file(work)
    if (work.text, work.format, work.markers) != read_before:
        _forget_sample(work)
        work.renew()
    work.revision += 1
    _close()


def _is_address(work: Bench, text: str) -> bool:
    """Whether somebody pasted an address instead of what is behind it; a link of ours is opened."""
    if not _URL.fullmatch(text) or len(text) > 4_000_000:
        return False
    payload = payload_in(text)
    if payload is None:
        work.hint = (
            "This is an address, and nothing is ever fetched from here: paste what is behind it, or give the file."
        )
        return False
    _forget_file(work)
    _forget_sample(work)
    if open_link(work, payload):
        work.turn += 1
    return True


def _close() -> None:
    if OPEN in st.session_state:
        st.session_state[OPEN] = False


def _file_changed() -> None:
    work = bench()
    file = st.session_state[f"w.file.{st.session_state[_UPLOADS]}"]
    # What is pressed while a run goes on that a file began has Streamlit call this once more, for the same file.
    if file is None or file.file_id == st.session_state.get(_TAKEN):
        return
    st.session_state[_TAKEN] = file.file_id
    # The role, the tools and the format that were chosen stay: they are how to read it.
    work.open_file(file.getvalue(), file.name)
    _forget_sample(work)
    _close()


def _clear() -> None:
    work = bench()
    _forget_file(work)
    _forget_sample(work)
    work.clear()
    work.turn += 1
    _close()


def _forget_file(work: Bench) -> None:
    if work.upload is not None:
        work.upload, work.filename = None, ""
        # A file uploader is emptied by giving it another name.
        st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
    work.record = 0


def _forget_sample(work: Bench) -> None:
    """The input is no longer the sample that the address names."""
    work.sample = work.linked = ""
    st.query_params.pop("sample", None)
