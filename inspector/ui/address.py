"""The address of the Inspect page: what a link, a reload, Back and Forward open, and what the address bar says.

Samples stand in the query (``?sample=NAME``), which Streamlit reads. All else is known to the browser alone: the
fragment of a shared link, and the name of an input in the tab's history. A component tells it (``view/link``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import streamlit as st

from ..budgets import MAX_LINK_BODY
from ..gallery.link import LinkError, read_link
from ..ingest import transcript_record
from ..isolation import CutOff
from ..view.assets import address_code
from ..view.viewmodel import digest
from ..workers import reading_deadline, why_cut_off
from .apart import apart
from .component import hidden, registered
from .keeping import new_name
from .state import SAMPLE, START, Bench, bench, session_value

KEY: Final = "address"
LINKED: Final = "shared link"
PASTED: Final = "pasted text"

_LOST: Final = (
    "What this page showed is no longer kept, because the app was started anew or has shown much since: open it again."
)


def show_address(work: Bench) -> None:
    """Mount the component that keeps the address, and let the server keep the input."""
    work.keep()
    told = {"id": work.id, "session": work.session, "turn": work.turn, "answered": work.answered}
    registered("harmonylens_address", js=address_code, css=hidden)(
        key=KEY,
        data=json.dumps(told).encode(),
        on_at_change=_went,
        on_pasted_change=_pasted,
    )


def _went() -> None:
    """The browser came to an entry of its history that names something else than what is shown."""
    said = session_value(KEY, "at")
    if isinstance(said, Mapping):
        go(bench(), said.get("seq"), said.get("id"), said.get("link"))


def go(work: Bench, seq: object, name: object, payload: object) -> None:
    """Open what an entry of the tab's history names; what is not of the expected form is left out."""
    if not isinstance(seq, int) or not isinstance(name, str) or not isinstance(payload, str):
        return
    if seq <= work.answered:
        work.echo = False
        return
    # A payload is asked for twice: the second time without it, so that it does not travel again and again.
    work.answered, work.echo = seq, bool(payload)
    st.query_params.pop("sample", None)
    if name not in (START, SAMPLE, "") and work.restore(name):
        return
    if payload:
        open_link(work, payload)
        return
    work.clear()
    if name not in (START, SAMPLE, ""):
        work.notice = _LOST


def open_link(work: Bench, payload: str) -> bool:
    """Open what a link carries; False, with a sentence for the page, when it cannot be."""
    try:
        shared = apart(read_link, reading_deadline(MAX_LINK_BODY), payload)
    except (LinkError, CutOff) as error:
        work.clear()
        work.notice = why_cut_off("Reading the link", error) if isinstance(error, CutOff) else str(error)
        return False
    record = transcript_record(shared.transcript)
    work.clear()
    work.upload = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    work.filename = LINKED
    work.id = new_name()
    if shared.token is not None:
        work.go_to = (digest(shared.transcript), shared.token)
    return True


def _pasted() -> None:
    """A paste that is too large for the box becomes the input as a file does."""
    said = session_value(KEY, "pasted")
    if isinstance(said, Mapping) and isinstance(said.get("text"), str):
        st.query_params.pop("sample", None)
        bench().open_file(said["text"].encode("utf-8", "replace"), PASTED)
