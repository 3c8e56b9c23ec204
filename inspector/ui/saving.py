"""What the save panel does: samples made from what is on screen, and where they go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from ..gallery import Sample
from ..gallery.content import content_of, digest_of
from ..gallery.saved import Saved, StoreError, Written
from ..ingest import Switches, card_of, carrying, switches_of
from ..inspection import NEWEST, Inspection
from ..isolation import CutOff
from ..report.cards import sample_card
from ..report.findings import findings
from ..tokens import Transcript
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .inspecting import Given, forget_answer, own_name
from .samples import find_sample
from .state import Bench
from .store import forget_opened, store

_DIGEST: Final = "harmonylens.digest"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person has typed; the tags are separated by commas."""

    title: str
    story: str = ""
    tags: str = ""

    @property
    def tag_list(self) -> tuple[str, ...]:
        """The tags, each once."""
        return tuple(dict.fromkeys(filter(None, (tag.strip() for tag in self.tags.split(",")))))


def shown_as(given: Given) -> Saved | None:
    """The saved sample of the transcript on screen, in its newest revision and without its tokens.

    Raises:
        StoreError: the database cannot be used, or the transcript is too large to be saved.
    """
    held = store()
    id = None if held is None else held.find(_digest(given))
    return None if held is None or id is None else held.get(id, tokens=False)


def _digest(given: Given) -> str:
    """The full address of the transcript on screen; a long one takes a while and is kept."""
    transcript = given.inspection.transcript
    held = st.session_state.get(_DIGEST)
    if isinstance(held, tuple) and held[0] is transcript:
        return str(held[1])
    digest = digest_of(content_of(transcript))
    st.session_state[_DIGEST] = (transcript, digest)
    return digest


def suggested(work: Bench, given: Given, saved: Saved | None = None) -> Draft:
    """What the fields hold before anybody types: what it is called already, else what was found in it."""
    if saved is not None:
        return Draft(saved.sample.title, saved.sample.story, ", ".join(saved.sample.tags))
    sample = find_sample(work.sample) if work.sample else None
    if sample is not None:
        return Draft(sample.title, sample.story, ", ".join(sample.tags))
    transcript = given.inspection.transcript
    card = card_of(transcript)
    names = list(dict.fromkeys(found.name.replace("-", " ") for found in findings(given.inspection)))
    found = ", ".join(names[:3]).capitalize() or "Nothing found"
    return Draft((card.title or own_name(transcript) or found)[:200], card.story, ", ".join(card.tags))


def save(work: Bench, given: Given, draft: Draft, author: str) -> Written:
    """Save what is on screen, where the person had seen nothing of it saved.

    Raises:
        StoreError: it cannot be saved.
    """
    held = store(to_write=True)
    if held is None:
        raise StoreError("There is no database to save to.")
    sample = _stated(given.inspection, draft)
    switches = switches_on(work, given)
    try:
        look = apart(sample_card, inspecting_deadline(len(sample.transcript)), sample)
    except CutOff as error:
        raise StoreError(why_cut_off("Drawing its card", error)) from error
    return held.save(sample, switches=switches, look=look, author=author, based_on=0)


def edit(work: Bench, given: Given, seen: Saved, draft: Draft, author: str) -> Written:
    """Save the words and the switches of what is on screen as a new revision of ``seen``.

    Raises:
        StoreError: it cannot be saved.
    """
    held = store(to_write=True)
    if held is None:
        raise StoreError("There is no database to save to.")
    sample = _stated(given.inspection, draft)
    switches = switches_on(work, given)
    # What was found follows from the switches; where they are as they were, it is the words alone that changed.
    statements = {}
    if switches != seen.switches:
        statements = {name: getattr(sample, name) for name in ("expected", "rules", "drift", "errors")}
    return held.edit(
        seen.id,
        based_on=seen.revision.number,
        switches=switches,
        author=author,
        title=sample.title,
        story=sample.story,
        tags=sample.tags,
        **statements,
    )


def delete(work: Bench, id: str, author: str) -> None:
    """Delete a saved sample; what is on screen stays, as an input of the person's own.

    Raises:
        StoreError: it cannot be deleted.
    """
    held = store(to_write=True)
    if held is not None:
        held.delete(id, author=author)
    forget_opened()
    if work.sample.partition("@")[0] == id:
        st.query_params.pop("sample", None)
        work.sample = work.linked = ""
        work.renew()


def restore(id: str, revision: int | None, author: str) -> Written:
    """Bring back what a revision said.

    Raises:
        StoreError: it cannot be restored.
    """
    held = store(to_write=True)
    if held is None:
        raise StoreError("There is no database to restore from.")
    return held.restore(id, revision, author=author)


def open_saved(work: Bench, id: str, revision: int | None = None) -> None:
    """Open a saved sample; the page is drawn anew and this does not return."""
    forget_opened()
    forget_answer()
    work.linked = ""
    st.query_params["sample"] = id if revision is None else f"{id}@{revision}"
    st.rerun()


def switches_on(work: Bench, given: Given) -> Switches:
    """The switches as they are set on screen."""
    name = given.digest
    return replace(
        switches_of(given.inspection.transcript),
        off=work.off.get(name, frozenset()),
        choices=work.choices.get(name, {}),
        style="" if work.style == NEWEST else work.style,
    )


def _stated(inspection: Inspection, draft: Draft) -> Sample:
    """The sample: the words that were typed, and what is found and read in the transcript now."""
    prompt = inspection.next_prompt
    strict = [(verdict.release, verdict.error) for verdict in inspection.strict if verdict.mode == "strict"]
    return Sample(
        name="",
        title=draft.title,
        story=draft.story,
        family="",
        transcript=_own(inspection.transcript),
        expected=inspection.repair.messages,
        rules=tuple(sorted({found.code for found in findings(inspection)})),
        drift=tuple(sorted({difference.code for difference in prompt.drift} if prompt else ())),
        errors={release: error.text for release, error in strict if error is not None},
        tags=draft.tag_list,
    )


def _own(transcript: Transcript) -> Transcript:
    """The transcript without the switches and words that it came with: those of the sample count."""
    return carrying(replace(transcript, source=""), Switches())
