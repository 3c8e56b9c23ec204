"""The forest plot of an A/B experiment: for every failure, each arm's rate with its interval.

As plain values for plotly, and as a page of its own for ``harmonylens ab --plot``. Nothing here needs Streamlit.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any, Final

from ..report.visible import visible
from ..samplers.ab_result import Arm, Result, Row

Figure = dict[str, Any]

_ARMS: Final = {
    "light": ("#4857b0", "#955a00", "#1d6e41", "#b8242f"),
    "dark": ("#9dabf5", "#e4ad53", "#6dca92", "#ff858b"),
}
_INK: Final = {"light": "#1f2430", "dark": "#e3e5ea"}
_MUTED: Final = {"light": "#5d6472", "dark": "#9aa1ad"}
_GRID: Final = {"light": "#e2e4e9", "dark": "#363a42"}
_SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up")
"""Colours as in the screen's palette, which a figure cannot refer to. The shape tells the arms apart without them."""

RULES: Final = 12
"""Rules that are drawn, beside "malformed" and "strict"; the table of the page holds all."""

_STEP: Final = 20
_TITLE: Final = 26
_GAP: Final = 10
"""Pixels: an arm's line, the words above the lines of a failure, and the space below them."""


def forest_figure(result: Result, theme: str, limit: int = RULES) -> Figure:
    """Rates with their 95 % intervals, a band for every failure and in it a line for every arm.

    The words stand above the lines of a band and not beside them, so that a narrow screen leaves the lines their room.

    Args:
        result: it may be a running experiment's.
        theme: "light" or "dark".
        limit: rules at most.
    """
    rows = result.most(limit)
    band = _TITLE + _STEP * len(result.arms) + _GAP
    data = [_arm(at, arm, rows, band, theme) for at, arm in enumerate(result.arms)]
    height = band * len(rows)
    top, bottom = 12 + 20 * len(result.arms), 40
    highest = max((rate.high for row in rows for rate in row.rates), default=1.0)
    return {
        "data": data,
        "layout": {
            # A template of our own: Streamlit's would travel with the figure, and the browser lays its theme over it.
            "template": {"layout": {"font": {"size": 12}}},
            "font": {"color": _INK[theme]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "height": height + top + bottom,
            "margin": {"l": 12, "r": 16, "t": top, "b": bottom},
            "legend": {"orientation": "v", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
            "hovermode": "closest",
            "dragmode": False,
            "xaxis": {
                "range": [-0.012 * highest, min(1.0, highest * 1.05) + 0.012 * highest],
                "tickformat": ".0%" if highest > 0.1 else ".1%",
                "title": {"text": "share of the samples", "standoff": 6},
                "gridcolor": _GRID[theme],
                "zerolinecolor": _GRID[theme],
                "fixedrange": True,
                "nticks": 6,
            },
            "yaxis": {"range": [height, 0], "visible": False, "fixedrange": True},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": number * band,
                    "y1": number * band,
                    "line": {"width": 1, "color": _GRID[theme]},
                }
                for number in range(len(rows))
            ],
            "annotations": [
                note for number, row in enumerate(rows) for note in _words(row, number * band, theme)
            ],
        },
    }  # fmt: skip


def _arm(at: int, arm: Arm, rows: Sequence[Row], band: int, theme: str) -> Figure:
    rates = [row.rates[at] for row in rows]
    colour = _ARMS[theme][at % len(_ARMS[theme])]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{html.escape(arm.style, quote=False)} ({arm.samples:,} samples)",
        "x": [round(rate.share, 5) for rate in rates],
        "y": [number * band + _TITLE + _STEP * (at + 0.5) for number in range(len(rows))],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [round(rate.high - rate.share, 5) for rate in rates],
            "arrayminus": [round(rate.share - rate.low, 5) for rate in rates],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        "marker": {"color": colour, "size": 9, "symbol": _SYMBOLS[at % len(_SYMBOLS)]},
        "text": [
            f"<b>{html.escape(row.code)}</b> {html.escape(row.title)}<br>{rate.count:,} of {rate.total:,}: "
            f"{rate.share:.1%}, 95 % interval {rate.low:.1%} to {rate.high:.1%}"
            for row, rate in zip(rows, rates, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _words(row: Row, top: float, theme: str) -> list[Figure]:
    """What stands above the lines of a band: the failure, and where there are two arms, the p of their difference."""
    common = {"xref": "paper", "y": top + 3, "yanchor": "top", "showarrow": False}
    name = row.title if row.severity is None else f"{row.code} {row.title}"
    notes = [
        {**common, "x": 0, "xanchor": "left", "text": f"<b>{html.escape(name, quote=False)}</b>", "font": {"size": 12}}
    ]
    if len(row.comparisons) == 1:
        text = f"{p_name(row)} {p_words(row.comparisons[0].p_holm)}"
        notes.append({**common, "x": 1, "xanchor": "right", "text": text, "font": {"size": 11, "color": _MUTED[theme]}})
    return notes


def p_name(row: Row) -> str:
    """What the p of a row is: for the rules that Holm's correction is of, it says so."""
    return "p" if row.severity is None else "p (Holm)"


def p_words(value: float) -> str:
    """A p as text: "= 0.042" or "< 0.001"."""
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


def page(result: Result) -> str:
    """A page that needs nothing else: the figure, in the reader's own theme, and all numbers as a table."""
    from plotly.offline import get_plotlyjs

    figures = {theme: forest_figure(result, theme) for theme in _INK}
    # Inside a script element nothing may look like its end.
    told = json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.format(
        title="Malformed answers by rendering",
        about=html.escape(visible(_about(result))),
        table=_table(result),
        plotly=get_plotlyjs(),
        figures=told,
    )


def _about(result: Result) -> str:
    params = result.params
    same = f", {len(result.same)} more rendered alike in every style and not sampled" if result.same else ""
    left = f", {len(result.refusals)} left out" if result.refusals else ""
    lost = "".join(
        f" {count:,} {what} and are in no rate."
        for count, what in (
            (sum(arm.unfinished for arm in result.arms), "answers were cut within a header"),
            (sum(arm.failed for arm in result.arms), "requests failed"),
        )
        if count
    )
    short = "" if result.is_complete else f" Only {result.done:,} of {result.planned:,} samples were drawn."
    return (
        f"{result.sampled} conversations{same}{left}; {result.n} samples of each in each style from {result.engine}; "
        f"temperature {params.temperature:g}, top_p {params.top_p:g}, max_tokens {params.max_tokens}, "
        f"seed {params.seed}.{lost}{short} Intervals are Wilson's and Newcombe's, 95 %; p is that of Fisher's exact "
        "test, and in brackets Holm's correction of it over all rules."
    )


def _table(result: Result) -> str:
    letters = "ABCDEFGH"
    heads = "".join(
        f"<th>{letter}: {html.escape(visible(arm.style))}</th>"
        for letter, arm in zip(letters, result.arms, strict=False)
    )
    pairs = [(one.first, one.second) for one in result.rows[0].comparisons]
    differences = "".join(f"<th>{letters[second]} &minus; {letters[first]}</th>" for first, second in pairs)
    lines = []
    for row in result.rows:
        name = row.title if row.severity is None else f"{row.code} {row.title}"
        cells = "".join(
            f"<td>{rate.share:.1%} <small>[{rate.low:.1%}, {rate.high:.1%}]<br>{rate.count:,} of {rate.total:,}</small>"
            "</td>"
            for rate in row.rates
        )
        for one in row.comparisons:
            told = one.difference
            together = "" if row.severity is None else f" (Holm: {p_words(one.p_holm).removeprefix('= ')})"
            cells += (
                f"<td>{100 * told.value:+.1f} <small>[{100 * told.low:+.1f}, {100 * told.high:+.1f}]"
                f"<br>p {p_words(told.p)}{together}</small></td>"
            )
        lines.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return f"<thead><tr><th></th>{heads}{differences}</tr></thead><tbody>{''.join(lines)}</tbody>"


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem;
  background: light-dark(#fff, #17191e); color: light-dark(#1f2430, #e3e5ea); }}
h1 {{ font-size: 1.35rem; margin: .2rem 0 .5rem; }}
p {{ color: light-dark(#5d6472, #9aa1ad); margin: 0 0 1rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }}
th, td {{ border-bottom: 1px solid light-dark(#e2e4e9, #363a42); padding: .3rem .7rem .3rem 0; text-align: left;
  vertical-align: top; white-space: nowrap; }}
tbody th {{ font-weight: 500; white-space: normal; min-width: 8rem; }}
small {{ color: light-dark(#5d6472, #9aa1ad); }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{about}</p>
<div id="figure" role="img" aria-label="Rates with their intervals; the table below holds the same numbers."></div>
<div class="scroll" tabindex="0" role="region" aria-label="All rates"><table>{table}</table></div>
<script>{plotly}</script>
<script>
const figures = {figures};
const dark = matchMedia("(prefers-color-scheme: dark)");
const draw = () => {{
  const figure = figures[dark.matches ? "dark" : "light"];
  Plotly.react("figure", figure.data, figure.layout, {{responsive: true, displayModeBar: false}});
}};
dark.addEventListener("change", draw);
draw();
</script>
</body>
</html>
"""
