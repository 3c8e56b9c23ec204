"""The share panel of the Inspect page: a link that carries the transcript, a short one to a sample, or the file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import streamlit as st

from ..gallery.link import MAX_LINK, LinkError, left_out, write_link
from ..ingest import Card, card_of, carrying, switches_of, transcript_record
from ..ingest.unpacking import in_words
from ..ingest.values import plural
from ..tokens import Transcript
from ..view.assets import share_code, share_style
from .chrome import guarded
from .component import registered
from .inspecting import Given
from .plain import as_markdown
from .samples import find_sample
from .state import Bench

OPEN: Final = "w.share"
"""Session state: whether the panel is open."""


def share_panel(work: Bench, given: Given) -> None:
    """Draw it. A link is only made while the panel is open."""
    panel = st.popover("Share", key=OPEN, icon=":material/link:", on_change="rerun")
    if panel.open:
        with panel:
            _content(work, given)


@guarded
def _content(work: Bench, given: Given) -> None:
    transcript = _as_shown(work, given)
    token = work.selection.get(given.digest)
    sample = find_sample(work.sample) if work.sample else None
    if sample is not None and sample.transcript.tools == transcript.tools:
        st.markdown("**This sample**, as everyone who has this gallery can open it")
        _link(f"?sample={quote(work.sample, safe=':')}", "Link to this sample", "sample")
    st.markdown("**A link that carries the transcript**")
    try:
        payload = write_link(transcript, token)
    except LinkError as error:
        st.markdown(f"{as_markdown(str(error))} Send the file instead.")
    else:
        if len(payload) > MAX_LINK:
            st.markdown(
                f"It would have {len(payload):,} characters; one that opens for certain has at most {MAX_LINK:,}: "
                "send the file instead."
            )
        else:
            _link(f"#{payload}", "Link that carries the transcript", "carrier")
            st.caption(_inside(transcript, token, len(payload)))
    record = json.dumps(transcript_record(transcript), ensure_ascii=False)
    data = record.encode("utf-8", "replace")
    st.download_button(
        f"Save the file ({in_words(len(data))})",
        data,
        file_name="transcript.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _as_shown(work: Bench, given: Given) -> Transcript:
    """The transcript with the switches that are set and what it is called."""
    transcript = given.inspection.transcript
    name = given.digest
    card = card_of(transcript)
    sample = find_sample(work.sample) if work.sample else None
    if sample is not None:
        card = Card(sample.title, sample.story, sample.tags)
    switches = replace(
        switches_of(transcript),
        off=work.off.get(name, frozenset()),
        choices=work.choices.get(name, {}),
        style=work.style,
    )
    return carrying(replace(transcript, source=""), switches, card)


def _link(tail: str, label: str, name: str) -> None:
    registered("harmonylens_share", js=share_code, css=share_style)(
        key=f"share.{name}", data=json.dumps({"tail": tail, "label": label}).encode(), height=36
    )


def _inside(transcript: Transcript, token: int | None, length: int) -> str:
    parts = [plural(len(transcript.ids), "token"), "the switches as they are set"]
    if transcript.tools:
        parts.append(plural(len(transcript.tools), "declared tool"))
    if token is not None:
        parts.append(f"token {token:,} chosen")
    out = left_out(transcript)
    without = f" Without {_listed(out)}." if out else ""
    return (
        f"{length:,} characters: {', '.join(parts)}.{without} All of it stands behind the #, which browsers send to no "
        "server on the way: no proxy and no access log sees it. Whoever has the link has the transcript."
    )


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
