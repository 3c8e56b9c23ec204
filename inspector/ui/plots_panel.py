"""The section "Probabilities" of the Inspect page: plots of what the model gave to the tokens, and to others.

A figure is a plain value (``dict``): Streamlit brings plotly in when the first one is drawn, not before. The long
plots stay the same while a person looks around, so the server refers to them instead of sending them again; what
follows the chosen token is one small figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import streamlit as st

from ..isolation import CutOff
from ..report.visible import visible
from ..tokens import Span
from ..view.plots import Unit, alternatives, has_plots, places, telling, token_text
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .inspecting import Given
from .plain import as_markdown
from .plot_figures import ALTERNATIVES, Figure, chosen_figure, labels, structure_figure, trace_figure
from .state import Bench, session_value

_UNITS: Final[tuple[Unit, ...]] = ("bits", "nats")
_HELD: Final = "harmonylens.plots"
WINDOW: Final = 2000
"""Tokens of a trace that shows a stretch: as many as have a point each."""

_CONFIG: Final = {"displayModeBar": False}


@dataclass(frozen=True, slots=True)
class _Plots:
    """What does not change with the chosen token: figures, and by figure which token each point is."""

    tokens: bytes
    unit: Unit
    theme: str
    trace: Figure
    trace_tokens: list[list[int]]
    structure: Figure | None
    structure_tokens: list[int]
    structure_count: int
    unnamed: int
    window: Span | None


def plots_panel(work: Bench, given: Given) -> None:
    """Draw it; nothing but a line where the transcript has no logprobs."""
    transcript = given.inspection.transcript
    if not has_plots(transcript):
        if transcript.ids:
            st.caption("No plots: a record with `logprobs` (and `top`, the alternatives) shows its probabilities here.")
        return
    section = st.expander("Probabilities", key="plots", on_change="rerun")
    if not section.open:
        return
    with section:
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            unit = st.radio("Unit", _UNITS, horizontal=True, key="plots.unit", label_visibility="collapsed")
            window = _window(work, given)
        try:
            plots = _plots(given, unit, window)
        except CutOff as error:
            st.error(as_markdown(why_cut_off("Reading the probabilities", error)))
            return
        _chart(
            work,
            given.digest,
            plots.trace,
            plots.trace_tokens,
            key="plots.trace",
            title=f"Surprise and entropy of each token, in {unit}",
        )
        st.caption(
            "Surprise is minus the logarithm of a token's probability. Entropy is a lower bound: what the alternatives "
            "leave over counts as one outcome. Click a point to go to its token."
        )
        _chosen(work, given, unit)
        _structure(work, given, plots)


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def _window(work: Bench, given: Given) -> Span | None:
    """The tokens that the trace shows, None for all. A window moves in steps: a choice near by sends nothing."""
    count = len(given.inspection.transcript.ids)
    if count <= WINDOW:
        return None
    around = f"{WINDOW:,} tokens around the chosen one"
    shown = st.selectbox(
        "Tokens of the plot",
        ("The whole transcript", around),
        key="plots.window",
        label_visibility="collapsed",
        width=290,
    )
    if shown != around:
        return None
    step = WINDOW // 2
    start = max(0, min(_index(work, given) // step * step - step // 2, count - WINDOW))
    return Span(start, start + WINDOW)


def _index(work: Bench, given: Given) -> int:
    """The chosen token; before anybody chose one, that at which the screen opens."""
    index = work.selection.get(given.digest)
    found = given.inspection
    if index is not None and 0 <= index < len(found.transcript.ids):
        return index
    broke = next((v.error.token for v in found.strict if v.mode == "strict" and v.error is not None), None)
    first = min((d.span.start for d in found.diagnostics), default=0) if broke is None else broke
    return max(0, min(first, len(found.transcript.ids) - 1))


def _plots(given: Given, unit: Unit, window: Span | None) -> _Plots:
    """The figures of a transcript; made once for a session's transcript, unit, theme and window."""
    # Always there, so that nothing below it moves.
    slot = st.empty()
    held = st.session_state.get(_HELD)
    theme = _theme()
    last = held if isinstance(held, _Plots) and held.tokens is given.tokens and held.theme == theme else None
    if last is not None and (last.unit, last.window) == (unit, window):
        return last
    transcript = given.inspection.transcript
    if last is not None:
        # Another unit or stretch: the places of structure stay.
        trace, tokens = trace_figure(transcript, unit, theme, window)
        made = replace(last, unit=unit, window=window, trace=trace, trace_tokens=tokens)
    else:
        with slot, st.spinner(f"Reading the probabilities of {len(transcript.ids):,} tokens …"):
            found = apart(places, inspecting_deadline(len(transcript.ids)), given.inspection)
            shown = telling(found)
            trace, tokens = trace_figure(transcript, unit, theme, window)
        structure = structure_figure(shown, theme) if shown else None
        indexes = [place.index for place in shown]
        unnamed = labels(shown)[1]
        made = _Plots(given.tokens, unit, theme, trace, tokens, structure, indexes, len(found), unnamed, window)
    st.session_state[_HELD] = made
    return made


def _chart(work: Bench, digest: str, figure: Figure, tokens: Sequence[Sequence[int]], *, key: str, title: str) -> None:
    """A long figure: a click on a point chooses its token."""
    st.plotly_chart(
        figure,
        key=key,
        config=_CONFIG,
        alt=title,
        selection_mode="points",
        on_select=partial(_pointed, work, digest, tokens, key),
    )


def _pointed(work: Bench, digest: str, tokens: Sequence[Sequence[int]], key: str) -> None:
    selection = session_value(key, "selection")
    points = selection.get("points") if isinstance(selection, Mapping) else None
    for point in points or ():
        curve, number = point.get("curve_number"), point.get("point_number", point.get("point_index"))
        if isinstance(curve, int) and isinstance(number, int) and curve < len(tokens) and number < len(tokens[curve]):
            work.point_at(digest, tokens[curve][number])
            return


def _chosen(work: Bench, given: Given, unit: Unit) -> None:
    """The alternatives of the chosen token, and the surprise of those around it."""
    transcript = given.inspection.transcript
    index = _index(work, given)
    rows = alternatives(transcript, index)
    name = f"Token {index}, {visible(token_text(transcript.ids[index])) or '?'}"
    # As high for a long sentence as for a short one: the figures below stay where they are.
    said_of_it = st.container(key="plots-said")
    if not rows:
        said_of_it.caption(as_markdown(f"{name}: no probability was recorded for it."))
        return
    shown = rows[:ALTERNATIVES]
    chosen = next((row for row in rows if row.chosen), None)
    if chosen is not None and chosen not in shown:
        shown[-1] = chosen
    said = "its own probability is not known" if chosen is None else f"probability {chosen.probability:.2%}"
    left = max(0.0, 1.0 - sum(row.probability for row in rows))
    of = f"{len(shown)} of {len(rows)}" if len(shown) < len(rows) else str(len(rows))
    told = f"{name}: {said}; {of} alternatives, {left:.2%} went to tokens that were not reported."
    said_of_it.caption(as_markdown(told))
    figure = chosen_figure(transcript, index, shown, unit, _theme())
    st.plotly_chart(figure, key="plots.chosen", config=_CONFIG, alt=f"Alternatives of {name}")


def _structure(work: Bench, given: Given, plots: _Plots) -> None:
    if plots.structure is None:
        return
    _chart(
        work,
        given.digest,
        plots.structure,
        [plots.structure_tokens] * 3,
        key="plots.structure",
        title="Probability given to legal and illegal tokens at each place of structure",
    )
    shown, count = len(plots.structure_tokens), plots.structure_count
    some = "" if shown == count else f" Drawn are the {shown} of {count:,} places that tell the most."
    if plots.unnamed:
        some += f" {plots.unnamed:,} more labels have no room: the pointer over a bar tells its finding."
    st.caption(
        "At each place where the format requires a marker or a header word: how much probability went to legal tokens, "
        f"to illegal ones, and to those that were not reported.{some}"
    )
