"""The Gallery page: every sample as a card, by family, opened by a click or by its address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ..gallery import Sample
from .chrome import guarded, page_file
from .component import show_cards
from .samples import all_samples, family_titles, sample_card
from .state import session_value


@guarded
def show() -> None:
    """Draw the page."""
    wanted = st.session_state.pop("open_sample", None)
    if wanted:
        st.switch_page(page_file("inspect"), query_params={"sample": wanted})
    samples = all_samples()
    st.markdown("#### Gallery")
    st.markdown(
        f"{len(samples)} transcripts, each with its story: every error text of the report that started this project, "
        "and at least one of every kind of damage. The strip shows a transcript's shape; red frames are where it hurts."
    )
    show_cards(gallery_cards(samples), key="gallery", on_open=_open)


def gallery_cards(samples: tuple[Sample, ...]) -> dict[str, Any]:
    """The content of the page, for :func:`inspector.ui.component.show_cards`."""
    titles = family_titles(samples)
    groups = [
        {"title": title, "items": [_item(s) for s in samples if s.family == family]} for family, title in titles.items()
    ]
    tags = [
        ["raises", "strict parsers raise"],
        ["silent", "damaged, yet accepted"],
        ["calls", "tool calls"],
        ["founding", "founding report"],
        ["healthy", "healthy"],
    ]
    return {
        "kind": "samples",
        "groups": groups,
        "none": "No sample has these words. Clear the search to see them all.",
        "filter": {"placeholder": "Search titles, stories, tags and rules", "tags": tags},
    }


def _item(sample: Sample) -> dict[str, Any]:
    card = sample_card(sample)
    marks = [sample.family, *sample.tags]
    if sample.errors:
        marks.append("raises")
    elif sample.rules:
        marks.append("silent")
    if any(message.recipient for message in sample.expected):
        marks.append("calls")
    words = (
        sample.name,
        sample.title,
        sample.story,
        sample.family,
        *sample.tags,
        *sample.rules,
        *sample.errors.values(),
    )
    return {
        **card,
        "href": f"./?sample={sample.name}",
        "marks": marks,
        "search": " ".join(words).lower(),
    }


def _open() -> None:
    st.session_state["open_sample"] = session_value("gallery", "open")
