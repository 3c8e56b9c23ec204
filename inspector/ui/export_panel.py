"""The export panel of the Inspect page: what is on screen as a file, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from ..ingest import Card, card_of
from ..report.exports import FORMATS, Format, file_name
from ..report.subject import Subject, subject
from ..workers import inspecting_deadline, workers
from .apart import this_session
from .checks import known_checks
from .chrome import guarded
from .inspecting import Given
from .samples import find_sample
from .saving import switches_on
from .state import Bench

OPEN: Final = "w.export"
"""Session state: whether the panel is open."""


def export_panel(work: Bench, given: Given) -> None:
    """Draw it. A file is only made when its button is pressed."""
    panel = st.popover("Export", key=OPEN, icon=":material/download:", on_change="rerun")
    if panel.open:
        with panel, st.container(key="export", gap="small"):
            _content(work, given)


@guarded
def _content(work: Bench, given: Given) -> None:
    st.markdown("**What is on screen, as a file**, with the switches as they are set")
    about = exported(work, given)
    for form in FORMATS.values():
        with st.container(
            key=f"export-{form.name}", horizontal=True, vertical_alignment="center", gap="small", wrap=False
        ):
            st.download_button(
                form.title,
                _maker(form, about),
                file_name=file_name(about, form),
                mime=form.mime,
                key=f"w.export.{form.name}",
                on_click="ignore",
                width=150,
            )
            st.caption(form.line[:1].upper() + form.line[1:] + ".")
    again = [form.title for form in FORMATS.values() if form.reopens]
    st.caption(f"{', '.join(again[:-1])} and {again[-1].lower()} open here again as they were.")


def exported(work: Bench, given: Given) -> Subject:
    """What is exported: what is on screen, called as it is called there."""
    sample = find_sample(work.sample) if work.sample else None
    transcript = given.inspection.transcript
    card = Card(sample.title, sample.story, sample.tags) if sample is not None else card_of(transcript)
    # What the tokens or the tools were changed to is no longer what the sample states.
    same = sample is not None and (sample.transcript.ids, sample.transcript.role, sample.transcript.tools) == (
        transcript.ids, transcript.role, transcript.tools,
    )  # fmt: skip
    checks = known_checks(given.inspection)
    return subject(
        given.inspection,
        switches_on(work, given),
        card=card,
        name=sample.name if sample is not None else "",
        parts={"checks": checks} if checks else {},
        sample=sample if same else None,
    )


def _maker(form: Format, about: Subject) -> Callable[[], bytes]:
    """Makes the file in a worker; it is called in a thread of its own, which belongs to no session."""
    session, deadline = this_session(), inspecting_deadline(len(about.transcript.ids))
    return lambda: workers().call(session, form.write, deadline, None, about)
