"""Our model's verdicts beside what the libraries themselves say, release by release."""

from __future__ import annotations

import json
from typing import Any, Final

import streamlit as st

from ..harmony.verdict import Verdict
from ..inspection import Inspection
from ..releases import header_length, native_answer
from ..tokens import Transcript
from ..view.viewmodel import digest
from .component import pack_part

MAX_HEADER: Final = 150_000
"""Tokens in headers up to which the libraries are asked: each takes 0.02 to 0.1 ms, and the deadline holds."""

DEADLINE_S: Final = 4.0
"""How long a person's screen may wait for one release."""

_HELD: Final = "harmonylens.checks"


def pack_checks(inspection: Inspection) -> bytes:
    """The part "checks": ``{release: {state, text}}``; asked once for a transcript of a session.

    ``state`` is "same", "differs" or "model" (the library did not answer), ``text`` a sentence.
    """
    transcript = inspection.transcript
    name = digest(transcript)
    held = st.session_state.get(_HELD)
    if isinstance(held, tuple) and held[0] == name and isinstance(held[1], bytes):
        return held[1]
    checks = {
        verdict.release: check(transcript, verdict)
        for verdict in inspection.strict
        if verdict.mode == "strict" and verdict.source == "model"
    }
    packed = pack_part(name, "checks", checks)
    st.session_state[_HELD] = (name, packed)
    return packed


def known_checks(inspection: Inspection) -> dict[str, Any]:
    """What :func:`pack_checks` found for this transcript, without asking anybody: empty when it was not called yet."""
    held = st.session_state.get(_HELD)
    if not isinstance(held, tuple) or held[0] != digest(inspection.transcript):
        return {}
    value = json.loads(held[1])["value"]
    return value if isinstance(value, dict) else {}


def check(transcript: Transcript, expected: Verdict) -> dict[str, Any]:
    """What a release says itself, against what our model expects of it."""
    header = header_length(transcript.ids, transcript.role)
    if header > MAX_HEADER:
        why = f"{header:,} tokens would be read as headers, which takes the library too long"
        return {"state": "model", "text": f"predicted by our model: {why}"}
    said, result = native_answer(transcript, expected.release, deadline=DEADLINE_S)
    if said.source != "native":
        return {"state": "model", "text": f"predicted by our model. {result.reason}"}
    theirs = None if said.error is None else said.error.text
    ours = None if expected.error is None else expected.error.text
    if theirs == ours and said.messages == expected.messages:
        return {"state": "same", "text": "the library itself says the same"}
    words = f"raises “{theirs[:300]}”" if theirs is not None else "accepts, with other messages"
    return {"state": "differs", "text": f"the library itself {words}: our model of it is wrong here, please report it"}
