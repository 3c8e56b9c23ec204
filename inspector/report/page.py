"""What every part of a terminal report is printed on: the inspection, the width, the limits, the basic lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from .findings import plural
from .snippet import joined
from .visible import visible, width_of, wrap

if TYPE_CHECKING:
    from ..inspection import Inspection


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is printed; None prints all of it.

    ``verdicts`` "news" leaves out lenient verdicts that say the same as the strict ones; ``body_lines`` and
    ``error_lines`` clip long texts.
    """

    diagnostics: int | None = 20
    messages: int | None = 12
    drift: int | None = 10
    later: int | None = 3
    edits: int | None = 4
    verdicts: str | None = "news"
    body_lines: int = 4
    error_lines: int = 4


ALL: Final = Limits(None, None, None, None, None, None, body_lines=40)
"""What ``--all`` prints."""


@dataclass(frozen=True, slots=True)
class Page:
    """An inspection on its way to a terminal of ``width`` cells.

    ``off`` and ``choices`` are the switches that it was made with.
    """

    inspection: Inspection
    width: int
    limits: Limits
    off: frozenset[str]
    choices: Mapping[str, int]

    def wrapped(self, text: str, indent: int, limit: int | None) -> list[str]:
        """``text`` made visible, in lines that leave room for ``indent``; ``limit`` of them at most."""
        room = max(20, self.width - indent)
        if limit is None:
            return wrap(visible(text), room)
        lines = wrap(visible(text[: 2 * room * limit]), room)
        if len(lines) <= limit and len(text) <= 2 * room * limit:
            return lines
        return [*lines[: limit - 1], f"… {plural(len(text), 'character')} in all"]

    def remark(self, label: str, text: str, style: str) -> Iterator[Text]:
        lead = f"    = {label}: "
        # The first line leaves room for the label, the others are indented by six.
        first, *rest = wrap(visible(text), max(20, self.width - len(lead)))
        yield Text.assemble(("    = ", "blue"), (f"{label}: ", style), first)
        for line in wrap(" ".join(rest), self.width - 6) if rest else ():
            yield Text(f"      {line}")

    def more(self, count: int, kinds: Counter[str]) -> Iterator[Text]:
        what = ", ".join(f"{name} {number}" for name, number in kinds.most_common(6))
        for line in self.wrapped(f"and {count:,} more ({what}), --all shows them", 2, None):
            yield Text(f"  {line}", "dim")

    def diff_line(self, place: str, sign: str, ids: Sequence[int], style: str) -> Text:
        room = self.width - len(place) - 3
        shown = joined(ids, room)
        line = Text.assemble((place, "blue"), (f" {sign} {shown}", style))
        numbers = f"   {list(ids)}"
        if len(ids) <= 12 and width_of(shown) + len(numbers) <= room:
            line.append(numbers, "dim")
        return line
