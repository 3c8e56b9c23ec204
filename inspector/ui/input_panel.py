"""The input: a paste box, a file, what the input is taken for and how to overrule it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from .state import ROLES, Bench, bench

_FORMATS: Final = {"auto": "Detect", "text": "Text", "ids": "Token ids", "records": "Records"}
_ROLE_WORDS: Final = {"auto": "Detect", "none": "nothing: a whole conversation"}
_PLACEHOLDER: Final = (
    "<|channel|>analysis<|message|>Run the tests first.<|end|><|start|>assistant<|channel|>commentary ...\n"
    "or token ids in any notation: 200005, 35644, 200008, 12870 ...\n"
    'or transcript records, one JSON object per line: {"id": "run 7", "token_ids": [200005, 35644]}'
)
_UPLOADS: Final = "harmonyscope.uploads"


def input_panel(work: Bench, *, tall: bool = False) -> None:
    """Draw the widgets, filled from ``work``; "Inspect" takes what a person put there back into it.

    A form: nothing moves while a person still types and chooses.
    """
    _fill(work)
    left, right = st.columns([3, 1], gap="medium")
    with left, st.form("w.form", border=False):
        st.text_area(
            "Model output, token ids or transcript records",
            key="w.text",
            height=230 if tall else 150,
            placeholder=_PLACEHOLDER,
            label_visibility="collapsed",
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox(
                "Read it as", list(_FORMATS), format_func=lambda name: _FORMATS[name], key="w.format", width=170
            )
            st.selectbox(
                "It continues after",
                ROLES,
                format_func=lambda role: _ROLE_WORDS.get(role, f"<|start|>{role}"),
                key="w.role",
                width=220,
            )
            st.text_input(
                "Declared tools",
                key="w.tools",
                placeholder="functions.bash, functions.search",
                width=250,
                help="Names settle what a damaged recipient means. A name that is not declared is never invented.",
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.form_submit_button("Inspect", type="primary", width=150, on_click=_submitted)
            st.toggle(
                "Text that spells a marker is one",
                key="w.markers",
                help="Off: the characters stay ordinary text, as in a transcript that quotes markers.",
            )
    with right:
        st.file_uploader(
            "A file: text, token ids, or records",
            key=f"w.file.{st.session_state.setdefault(_UPLOADS, 0)}",
            on_change=_file_changed,
        )
        if not tall:
            st.button("Start over", width="stretch", key="w.clear", on_click=_clear)


def _fill(work: Bench) -> None:
    """Give the widgets their values: on a page's first run, and after the input was replaced."""
    values = {
        "w.text": work.text,
        "w.format": work.format,
        "w.role": work.role,
        "w.tools": work.tools,
        "w.markers": work.markers,
    }
    for key, value in values.items():
        if work.replaced or key not in st.session_state:
            st.session_state[key] = value
    work.replaced = False


def _submitted() -> None:
    """Take the form's values. Role and tools can be told of a sample; anything else makes it another input."""
    work, said = bench(), st.session_state
    work.role, work.tools = said["w.role"], said["w.tools"]
    read_before = (work.text, work.format, work.markers)
    work.format, work.markers = said["w.format"], said["w.markers"]
    if said["w.text"] != work.text:
        work.text = said["w.text"]
        _forget_file(work)
    if (work.text, work.format, work.markers) != read_before:
        _forget_sample(work)


def _file_changed() -> None:
    work = bench()
    file = st.session_state[f"w.file.{st.session_state[_UPLOADS]}"]
    if file is None:
        work.upload, work.filename = None, ""
    else:
        work.upload, work.filename = file.getvalue(), file.name
        work.text = ""
        work.replaced = True
    work.record = 0
    _forget_sample(work)


def _clear() -> None:
    work = bench()
    work.text, work.tools, work.format, work.role, work.markers = "", "", "auto", "auto", True
    work.replaced = True
    _forget_file(work)
    _forget_sample(work)


def _forget_file(work: Bench) -> None:
    if work.upload is not None:
        work.upload, work.filename = None, ""
        # A file uploader is emptied by giving it another name.
        st.session_state[_UPLOADS] += 1
    work.record = 0


def _forget_sample(work: Bench) -> None:
    """The input is no longer the sample that the address names."""
    work.sample = work.linked = ""
    st.query_params.pop("sample", None)
