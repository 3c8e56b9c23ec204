"""What a person has typed and chosen, kept in plain session state.

Streamlit forgets a widget's value when its page is left, so the values live here and widgets are filled from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import streamlit as st

from ..budgets import APP
from ..ingest import Loaded, read, unpacked_at_most
from ..inspection import NEWEST
from ..tokens import Transcript, vocabulary
from ..workers import reading_deadline
from .apart import apart
from .keeping import Kept, new_name

_KEY: Final = "harmonylens.bench"

T = TypeVar("T")

ROLES: Final = ("auto", "assistant", "none", "user", "system", "developer", "tool")
"""What a person can say about the role that the tokens continue; "none" is a whole conversation."""

START: Final = "start"
"""The name of the empty page in a tab's history."""

SAMPLE: Final = "sample"
"""The name of an input whose address says it all."""


@dataclass(slots=True)
class Bench:
    """The work on one input.

    Attributes:
        text: what stands in the paste box.
        filename, upload: a file that was given instead; ``upload`` is None when there is none.
        format, role, markers, tools: how to read the input (see :func:`inspector.ingest.read`).
        sample: the gallery sample that the text stands for, "" once it was changed.
        linked: the sample that the address named last, so that a link opens once.
        record: which of several transcripts is shown.
        off, choices: the switches, by transcript (its digest).
        style: who renders the next prompt.
        selection: the chosen token, by transcript.
        replaced: the input was put there by us, so the widgets have to be filled anew.
        id: what the tab's history calls this input: :data:`START`, :data:`SAMPLE`, or a name of its own under which
            the server keeps it.
        session: of this server's session, which a reload ends.
        turn: counts what a person opened here, and what therefore has to be written into the address.
        answered: the last question of the address that was answered.
        echo: whether the browser has yet to take back a long question.
        revision: counts all changes of the input, for what was drawn from it.
        adopted: inputs and transcripts (digests) whose own switches were taken.
        places: the tokens to go back to, by transcript, since an input was opened again.
        go_to: a token (digest, index) that a link or a plot points at.
        asks: counts the wishes to go to a token, so that each is followed once.
        notice, hint: a sentence about what could not be opened, which stays until something is, and one about what to
            do instead, which is shown once.
    """

    text: str = ""
    filename: str = ""
    upload: bytes | None = None
    format: str = "auto"
    role: str = "auto"
    markers: bool = True
    tools: str = ""
    sample: str = ""
    linked: str = ""
    record: int = 0
    off: dict[str, frozenset[str]] = field(default_factory=dict)
    choices: dict[str, dict[str, int]] = field(default_factory=dict)
    style: str = NEWEST
    selection: dict[str, int] = field(default_factory=dict)
    replaced: bool = False
    id: str = START
    session: str = field(default_factory=new_name)
    turn: int = 0
    answered: int = 0
    echo: bool = False
    revision: int = 0
    adopted: set[tuple[str, str]] = field(default_factory=set)
    places: dict[str, int] = field(default_factory=dict)
    go_to: tuple[str, int] | None = None
    asks: int = 0
    notice: str = ""
    hint: str = ""

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to inspect."""
        return self.upload is None and not self.text.strip() and not self.sample

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The declared tools, as they were typed: separated by commas, blanks or lines."""
        return tuple(dict.fromkeys(self.tools.replace(",", " ").replace(";", " ").split()))

    def load(self) -> Loaded:
        """The transcripts in the input and what could not be read of it.

        Raises:
            inspector.isolation.CutOff: it takes too long or too much memory.
        """
        data: str | bytes = self.text if self.upload is None else self.upload
        role = None if self.role == "none" else self.role
        return apart(
            read,
            reading_deadline(unpacked_at_most(data, APP)),
            data,
            format=self.format,
            role=role,
            markers=self.markers,
            filename=self.filename or None,
            tools=self.tool_names,
            budget=APP,
        )

    def clear(self) -> None:
        """Nothing to inspect: the start page."""
        self.text, self.filename, self.upload, self.tools = "", "", None, ""
        self.format, self.role, self.markers = "auto", "auto", True
        self.sample = self.linked = self.notice = ""
        self.record = 0
        self.id = START
        self.replaced = True
        self.revision += 1

    def open_file(self, data: bytes, name: str) -> None:
        """Take a file for the input; ``name`` is what the page calls it."""
        if self.sample:
            # How the sample is read is no word on how to read this.
            self.clear()
        self.text, self.filename, self.upload = "", name, data
        self.linked = ""
        self.record = 0
        self.replaced = True
        self.renew()

    def renew(self) -> None:
        """The input is another one now, of a person's own."""
        self.id = new_name()
        self.notice = ""
        self.turn += 1
        self.revision += 1

    def keep(self) -> None:
        """Let the server keep this input as it is now, if it is a person's own."""
        if self.id in (START, SAMPLE) or self.is_empty:
            return
        copy = replace(
            self,
            off=dict(self.off),
            choices=dict(self.choices),
            selection=dict(self.selection),
            notice="",
            hint="",
            adopted=set(self.adopted),
        )
        _INPUTS.keep(self.id, copy, len(self.text) + len(self.upload or b""))

    def restore(self, name: str) -> bool:
        """Open an input that the server keeps; False when it does not."""
        found = _INPUTS.find(name)
        if found is None:
            return False
        for part in _INPUT_FIELDS:
            setattr(self, part, getattr(found, part))
        for digest in found.off:
            self.off[digest], self.choices[digest] = found.off[digest], found.choices.get(digest, {})
        self.selection |= found.selection
        self.places = dict(found.selection)
        self.adopted |= found.adopted
        self.notice = ""
        self.replaced = True
        self.revision += 1
        return True

    def take_fixes(self, said: object) -> None:
        """Keep the switches as the browser tells them; what is not of the expected form is left out."""
        if not isinstance(said, Mapping) or not isinstance(said.get("digest"), str):
            return
        off = said.get("off")
        choices = said.get("choices")
        if isinstance(off, list) and isinstance(choices, Mapping):
            self.off[said["digest"]] = frozenset(str(key) for key in off)
            self.choices[said["digest"]] = {
                str(key): number for key, number in choices.items() if isinstance(number, int) and number > 0
            }

    def point_at(self, digest: str, token: int) -> None:
        """Choose a token, and let the screen go there."""
        self.selection[digest] = token
        self.go_to = (digest, token)
        self.asks += 1

    def return_to(self, digest: str) -> None:
        """Let the screen go back to where a person was in a transcript, once after it was opened again."""
        token = self.places.pop(digest, None)
        if token is not None:
            self.point_at(digest, token)

    def take_selection(self, said: object) -> None:
        """Keep the chosen token."""
        if isinstance(said, Mapping) and isinstance(said.get("digest"), str) and isinstance(said.get("token"), int):
            self.selection[said["digest"]] = said["token"]


_INPUT_FIELDS: Final = (
    "text",
    "filename",
    "upload",
    "format",
    "role",
    "markers",
    "tools",
    "sample",
    "linked",
    "record",
    "style",
    "id",
)
_INPUTS: Final[Kept[Bench]] = Kept()


def in_session(key: str, kind: type[T]) -> T:
    """What this session holds under a key, made anew where it holds nothing of this kind."""
    found = st.session_state.get(key)
    if not isinstance(found, kind):
        found = kind()
        st.session_state[key] = found
    return found


def bench() -> Bench:
    """The work of this session."""
    return in_session(_KEY, Bench)


def as_input(transcript: Transcript) -> tuple[str, str]:
    """A transcript as a person would paste it, and its format: text where text says exactly this, ids otherwise."""
    text = vocabulary().decode(transcript.ids)
    if tuple(vocabulary().encode_markers(text)) == transcript.ids:
        return text, "text"
    return json.dumps(list(transcript.ids)), "ids"


def session_value(key: str, name: str) -> Any:
    """A value that a component holds in session state, or None."""
    holder = st.session_state.get(key)
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
