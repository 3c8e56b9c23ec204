"""Tokens as a compiler shows source: their indexes above, the tokens between, the blamed ones underlined.

Each token is one cell and cells are divided by one blank; a blank inside a token is drawn as ``·``, so the
two cannot be confused. A character spread over several tokens stands at the first of them, the others show
``⋯``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from ..tokens import FIRST_SPECIAL, Span, WideText, is_known, is_special, printable, special_text
from .visible import clip, pad, visible, width_of

BEFORE: Final = 6
AFTER: Final = 4
"""Tokens of context on either side of a span."""

_HEAD: Final = 14
_TAIL: Final = 5
_CELL: Final = 30
_NEAR: Final = 12
_GUTTER: Final = "    | "


@dataclass(frozen=True, slots=True)
class Mark:
    """A second place to point at: where a release raises. ``token`` may be ``len(ids)``, the end."""

    token: int
    label: str


@dataclass(frozen=True, slots=True)
class _Cell:
    token: int  # the first token of the cell; len(ids) for the end of the transcript
    label: str
    sign: str
    style: str
    primary: bool
    marked: bool
    caret_before: bool  # an empty span points at the gap before this cell

    @property
    def width(self) -> int:
        return max(width_of(self.sign), width_of(self.label))


def token_sign(ids: Sequence[int], index: int) -> str:
    """What one token looks like in a report."""
    return next(iter(token_signs(ids, index, index + 1)))


def token_signs(ids: Sequence[int], start: int, end: int) -> Iterator[str]:
    """What the tokens ``[start, end)`` look like: printable, unclipped, blanks drawn."""
    # Three more on either side, because a character is spread over four tokens at most.
    low, high = max(0, start - 3), min(len(ids), end + 3)
    wide = WideText(ids[low:high], low)
    for index in range(start, end):
        token = ids[index]
        if is_special(token):
            yield special_text(token)
        elif not is_known(token):
            yield f"<?{token}>"
        else:
            text = wide.of(index)
            yield visible(printable(text)).replace(" ", "·") if text else "⋯"


def joined(ids: Sequence[int], limit: int) -> str:
    """The text of ``ids`` on one line, visible, clipped to ``limit`` cells; blanks at its ends are drawn."""
    # Clip by tokens first: a token is at least a character, but for the parts of one, four at most.
    text = "".join(_pieces(ids[: 4 * limit + 4]))
    core = text.strip(" ")
    if not core:
        return clip("·" * len(text), limit)
    start = text.index(core)
    return clip("·" * start + core + "·" * (len(text) - start - len(core)), limit)


def _pieces(ids: Sequence[int]) -> Iterator[str]:
    wide = WideText(ids)
    for index, token in enumerate(ids):
        if is_known(token):
            yield visible(printable(wide.of(index)))
        else:
            yield f"<?{token}>"


def snippet(ids: Sequence[int], span: Span, width: int, *, style: str, marks: Sequence[Mark] = ()) -> Iterator[Text]:
    """Lines of at most ``width`` cells that show ``span`` underlined, with its surroundings.

    Long spans are shown by their two ends. ``marks`` that lie near are underlined with ``-``; each has a line
    of its own that says what it is.
    """
    near = [m for m in marks if span.start - _NEAR <= m.token <= span.end + _NEAR]
    cells = _cells(ids, span, [m.token for m in near], width - len(_GUTTER) - 1)
    row: list[_Cell] = []
    used = 0
    for cell in cells:
        if row and used + 1 + cell.width > width - len(_GUTTER):
            yield from _row(row, style)
            row, used = [], 0
        row.append(cell)
        used += 1 + cell.width
    if row:
        yield from _row(row, style)
    for mark in marks:
        place = "the end" if mark.token >= len(ids) else f"token {mark.token}"
        sign = "-" if mark in near and mark.token not in range(span.start, span.end) else " "
        yield Text.assemble((_GUTTER, "blue"), (f"{sign} ", "blue"), (clip(f"{place}: {mark.label}", width - 8), "dim"))


def _cells(ids: Sequence[int], span: Span, marks: Sequence[int], limit: int) -> Iterator[_Cell]:
    start = max(0, min([span.start - BEFORE, *(m - 1 for m in marks)]))
    end = min(len(ids), max([span.end + AFTER, *(m + 2 for m in marks)]))
    gap = range(span.start + _HEAD, span.end - _TAIL) if len(span) > _HEAD + _TAIL + 1 else range(0)
    index = start
    while index < end:
        if gap and index == gap.start:
            sign = f"… {len(gap):,} more tokens …"
            yield _Cell(index, "", sign, "dim", True, False, False)
            index = gap.stop
            continue
        # A run between two gaps is read in one go, so that characters spread over tokens are seen whole.
        stop = gap.start if gap and index < gap.start else end
        for at, sign in enumerate(token_signs(ids, index, stop), index):
            yield _Cell(
                at,
                str(at),
                clip(sign, max(4, min(_CELL, limit))),
                _token_style(ids[at]),
                span.start <= at < span.end,
                at in marks,
                span.start == span.end == at,
            )
        index = stop
    if end == len(ids) and (span.start == span.end == len(ids) or len(ids) in marks or span.start >= len(ids)):
        at_end = span.start >= len(ids)
        yield _Cell(len(ids), str(len(ids)), "(end)", "dim", at_end, len(ids) in marks and not at_end, False)


def _token_style(token: int) -> str:
    if token >= FIRST_SPECIAL or token < 0:
        return "magenta" if is_special(token) else "red"
    return ""


def _row(cells: Sequence[_Cell], style: str) -> Iterator[Text]:
    labels, signs = Text(_GUTTER), Text(_GUTTER)
    starts: list[int] = []  # the column of each cell, right of the gutter
    at = 1
    for cell in cells:
        starts.append(at)
        at += cell.width + 1
        labels.append(" " + pad(cell.label, cell.width), "dim")
        signs.append(" ")
        signs.append(pad(cell.sign, cell.width), cell.style)
    under = [" "] * at
    for cell, start in zip(cells, starts, strict=True):
        end = start + width_of(cell.sign)
        if cell.marked and not cell.primary:
            under[start:end] = "-" * (end - start)
        if cell.caret_before:
            under[start - 1] = "^"
    primary = [(x, x + width_of(c.sign)) for c, x in zip(cells, starts, strict=True) if c.primary]
    if primary:
        # One line from the first to the last, through the blanks between them.
        start, end = primary[0][0], primary[-1][1]
        under[start:end] = "^" * (end - start)
    carets = Text(_GUTTER + "".join(under))
    for line in (labels, signs, carets):
        line.stylize("blue", 0, len(_GUTTER))
    carets.highlight_regex(r"\^+", style)
    carets.highlight_regex(r"-+", "blue")
    for line in (labels, signs, carets):
        line.rstrip()
        if line is not carets or "^" in line.plain or "-" in line.plain:
            yield line
