"""The figures of the section "Probabilities", as plain values for plotly.

Text from a transcript goes into them as text: plotly reads a markup of its own, which is escaped.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any, Final

from ..report.visible import visible
from ..tokens import Span, Transcript
from ..view.plots import Alternative, Place, Unit, entropy, envelope, surprise, token_text
from .component import HELD_FROM

COLOURS: Final = {
    "light": {"one": "#4857b0", "two": "#955a00", "legal": "#1d6e41", "illegal": "#b8242f", "rest": "#9aa1ad"},
    "dark": {"one": "#9dabf5", "two": "#e4ad53", "legal": "#6dca92", "illegal": "#ff858b", "rest": "#6b7078"},
}
"""As in the screen's palette; a figure cannot refer to it."""

ALTERNATIVES: Final = 10
"""Of a token, those that are drawn: the figure comes down with every choice of a token."""

AROUND: Final = 12
"""Tokens to each side of the chosen one, in the small figure."""

_MAX_LABEL: Final = 24
_MAX_TICKS: Final = 20
_MAX_NOTES: Final = 40
_ONE_FINDING: Final = 3
"""Tokens between two places of structure that one finding can cover."""

Figure = dict[str, Any]


def _label(token: int, limit: int = _MAX_LABEL) -> str:
    """A token as a figure can show it: nothing in it is taken for the figure's own markup."""
    text = visible(token_text(token)) or f"? {token}"
    return html.escape(text if len(text) <= limit else f"{text[:limit]}…", quote=False)


def _layout(height: int, **more: Any) -> Figure:
    return {
        # Some template of our own: Streamlit's would travel with the figure, and the browser lays its theme over this.
        "template": {"layout": {"font": {"size": 12}}},
        "height": height,
        "margin": {"l": 46, "r": 10, "t": 26, "b": 36},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        "hovermode": "closest",
        "dragmode": "pan",
        **more,
    }


def _held(figure: Figure) -> Figure:
    """The figure, long enough for Streamlit to send it once: a shorter one comes down with every rerun."""
    missing = HELD_FROM - len(json.dumps(figure, separators=(",", ":")))
    if missing > 0:
        figure["layout"]["meta"] = " " * missing
    return figure


def trace_figure(
    transcript: Transcript, unit: Unit, theme: str, span: Span | None = None
) -> tuple[Figure, list[list[int]]]:
    """Surprise and entropy of all tokens or of those in ``span``, and by trace the token of each point."""
    within = Span(0, len(transcript.ids)) if span is None else span
    colours = COLOURS[theme]
    data: list[Figure] = []
    tokens: list[list[int]] = []
    for name, values, colour in (
        ("surprise", surprise(transcript, unit, within), colours["one"]),
        ("entropy", entropy(transcript, unit)[within.start : within.end], colours["two"]),
    ):
        known = envelope(values)
        if all(values[index] != values[index] for index in known):
            continue
        places = [within.start + index for index in known]
        tokens.append(places)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": places,
                "y": [_rounded(values[i]) for i in known],
                "text": [_label(transcript.ids[i]) for i in places],
                "hovertemplate": f"%{{x}} <b>%{{text}}</b><br>{name} %{{y}} {unit}<extra></extra>",
                "line": {"width": 1, "color": colour, "dash": "solid" if name == "surprise" else "dot"},
                "marker": {"size": 4 if name == "surprise" else 3, "color": colour},
                "unselected": {"marker": {"opacity": 1}},
            }
        )
    axes = {"xaxis": {"title": {"text": "token"}}, "yaxis": {"title": {"text": unit}, "rangemode": "tozero"}}
    return _held({"data": data, "layout": _layout(240, **axes)}), tokens


def _rounded(value: float) -> float | None:
    """A value for JSON, which has no word for "not known" but null."""
    return None if value != value else round(float(value), 3)


def chosen_figure(transcript: Transcript, index: int, shown: Sequence[Alternative], unit: Unit, theme: str) -> Figure:
    """The alternatives of a token, and beside them the surprise of the tokens around it.

    It is as high for every token of a transcript: what stands below it stays where it is.
    """
    room = max(5, min(ALTERNATIVES, 1 + max(map(len, transcript.top or ((),)), default=0)))
    colours = COLOURS[theme]
    first = max(0, index - AROUND)
    end = min(len(transcript.ids), index + AROUND + 1)
    around = [_rounded(value) for value in surprise(transcript, unit, Span(first, end))]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [round(row.probability, 6) for row in shown],
                "y": list(range(len(shown))),
                "text": [f"{row.probability:.1%}" for row in shown],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{x:.4%}<extra></extra>",
                "marker": {"color": [colours["one"] if row.chosen else colours["rest"] for row in shown]},
            },
            {
                "type": "bar",
                "x": list(range(first, first + len(around))),
                "y": around,
                "xaxis": "x2",
                "yaxis": "y2",
                "hovertemplate": f"%{{x}}: %{{y}} {unit}<extra></extra>",
                "marker": {
                    "color": [colours["one"] if first + n == index else colours["rest"] for n in range(len(around))]
                },
            },
        ],
        "layout": _layout(
            64 + 22 * room,
            showlegend=False,
            margin={"l": 150, "r": 10, "t": 8, "b": 36},
            bargap=0.25,
            xaxis={
                "domain": [0, 0.6],
                "title": {"text": "probability"},
                "tickformat": ".0%",
                "tickvals": [0, 0.5, 1],
                # Beside a whole bar there is still room for its number.
                "range": [0, 1.3],
            },
            yaxis={
                "range": [room - 0.5, -0.5],
                "tickvals": list(range(len(shown))),
                "ticktext": [f"{'▸ ' if row.chosen else ''}{_label(row.token, 14)} {row.token}" for row in shown],
            },
            xaxis2={"domain": [0.7, 1], "anchor": "y2", "title": {"text": f"around it, {unit}"}},
            yaxis2={"anchor": "x2", "rangemode": "tozero"},
        ),
    }


def structure_figure(found: Sequence[Place], theme: str) -> Figure:
    colours = COLOURS[theme]
    numbers = list(range(len(found)))
    words = [_hover(place) for place in found]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": numbers,
            "y": [round(getattr(place.mass, part), 4) for place in found],
            "text": words,
            "textposition": "none",
            "hovertemplate": f"{name} %{{y:.1%}}<br>%{{text}}<extra></extra>",
            "marker": {"color": colours[colour], "pattern": {"shape": pattern}},
            "unselected": {"marker": {"opacity": 1}},
        }
        for name, part, colour, pattern in (
            ("legal", "legal", "legal", ""),
            ("illegal", "illegal", "illegal", "/"),
            ("not reported", "unknown", "rest", "."),
        )
    ]
    every = max(1, -(-len(found) // _MAX_TICKS))
    layout = _layout(
        280,
        barmode="stack",
        bargap=0.15,
        margin={"l": 46, "r": 10, "t": 92, "b": 40},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.4,
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": 12},
        },
        annotations=_notes(found, colours["illegal"]),
        xaxis={
            "tickvals": numbers[::every],
            "ticktext": [str(place.index) for place in found[::every]],
        },
        yaxis={"range": [0, 1], "tickformat": ".0%"},
    )
    return _held({"data": data, "layout": layout})


def _hover(place: Place) -> str:
    expected = html.escape(place.expected if len(place.expected) <= 90 else f"{place.expected[:90]}…", quote=False)
    found = f"<br>{', '.join(place.codes)}" if place.codes else ""
    verdict = "legal" if place.legal else "<b>not</b> legal"
    return f"token {place.index}: expected {expected}<br>what stands there is {verdict}{found}"


def labels(found: Sequence[Place]) -> tuple[list[tuple[int, str]], int]:
    """What stands above the bars (number of the bar and text), and how many more there would be.

    The codes of findings where they begin, and a sign for what is not legal; over the whole width, and far enough from
    each other to be read.
    """
    drawn: list[tuple[int, str]] = []
    left = 0
    apart = -(-len(found) // _MAX_NOTES)
    last = None
    for number, place in enumerate(found):
        # A finding can cover several places; the same code further on is another finding.
        going_on = last is not None and place.index - last.index <= _ONE_FINDING
        fresh = [code for code in place.codes if last is None or not going_on or code not in last.codes]
        last = place
        text = " ".join(fresh[:2]) or ("" if place.legal or place.codes else "✗")
        if not text:
            continue
        if drawn and number - drawn[-1][0] < apart:
            left += 1
        else:
            drawn.append((number, text))
    return drawn, left


def _notes(found: Sequence[Place], colour: str) -> list[Figure]:
    return [
        {
            "x": number,
            "y": 1.02,
            "yref": "paper",
            "yanchor": "bottom",
            "text": text,
            "textangle": -60,
            "showarrow": False,
            "font": {"size": 11, "color": colour},
        }
        for number, text in labels(found)[0]
    ]
