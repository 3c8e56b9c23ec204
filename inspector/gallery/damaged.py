"""Rows of the samples' tables as values, whatever stands in them: a damaged one says so and takes no other with it.

What writes these tables writes them whole. A disk, another program or a person with a database browser may not; SQLite
keeps any value in any column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from .content import is_address
from .saved import Kind, Revision, Row

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_KINDS: Final = get_args(Kind)
_MOST_TOKENS: Final = 10**9
_LONGEST_NAME: Final = 60

ADVICE: Final = (
    "Open an older revision of it from its history, save its transcript again, or delete it; a copy of the database "
    "from before may have it whole."
)
"""What can be done with a damaged sample."""


def damage(id: object, what: str) -> str:
    """The sentence for a saved sample that is damaged.

    >>> damage("abc", "its words are no JSON").partition(": ")[0]
    'The saved sample abc is damaged'
    """
    return f"The saved sample {_shown(id)} is damaged: {what}. {ADVICE}"


def revision_of(row: Any) -> Revision:
    """A row of the revisions; a value that cannot be is replaced by one that can, and ``damage`` names it."""
    wrong: list[str] = []

    def kept(name: str, fits: bool, value: Any, other: Any) -> Any:
        if not fits:
            wrong.append(name)
        return value if fits else other

    number, parent, kind, at = row.number, row.parent, row.kind, row.at
    return Revision(
        number=kept("number", _is_count(number) and number > 0, number, 0),
        parent=kept("parent", parent is None or _is_count(parent), parent, None),
        kind=kept("kind", isinstance(kind, str) and kind in _KINDS, kind, "edit"),
        author=kept("author", isinstance(row.author, str), row.author, ""),
        at=kept("time", isinstance(at, str) and _MOMENT.fullmatch(at) is not None, at, ""),
        title=kept("title", isinstance(row.title, str), row.title, ""),
        damage=f"its {' and '.join(wrong)} cannot be right" if wrong else "",
    )


def row_of(row: Any) -> Row:
    """A saved sample as a list shows it; what of it cannot be read is left empty, and ``damage`` says so."""
    revision = revision_of(row)
    wrong = [revision.damage] if revision.damage else []
    if not (isinstance(row.sample_id, str) and is_address(row.sample_id)):
        wrong.append("its id is no id of a sample")
    if not (_is_count(row.tokens) and row.tokens <= _MOST_TOKENS):
        wrong.append("its number of tokens cannot be right")
    card = _card(row.card)
    if card is None:
        wrong.append("what lists show of it cannot be read")
        card = {"story": "", "tags": [], "rules": [], "raises": [], "look": {}}
    return Row(
        id=row.sample_id if isinstance(row.sample_id, str) else _shown(row.sample_id),
        revision=revision,
        title=revision.title,
        story=card["story"],
        tags=tuple(card["tags"]),
        rules=tuple(card["rules"]),
        raises=tuple(card["raises"]),
        tokens=row.tokens if _is_count(row.tokens) and row.tokens <= _MOST_TOKENS else 0,
        look=card["look"],
        deleted=row.kind == "delete",
        damage=damage(row.sample_id, "; ".join(wrong)) if wrong else "",
    )


def _card(text: object) -> dict[str, Any] | None:
    try:
        card = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(card, dict) or not isinstance(card.get("story"), str):
        return None
    if not all(_are_texts(card.get(name)) for name in ("tags", "rules", "raises")):
        return None
    return card if isinstance(card.get("look"), dict) else None


def can_be_drawn(look: Mapping[str, Any]) -> bool:
    """Whether it is what :func:`inspector.report.cards.sample_card` makes, or a part of it: a browser trusts it."""
    strip = look.get("strip", {})
    return (
        isinstance(look.get("outcome", ""), str)
        and _are_texts(look.get("shape", []))
        and _are_texts(look.get("rules", []))
        and _are_texts(look.get("raises", []))
        and isinstance(strip, dict)
        and isinstance(strip.get("k", ""), str)
        and all(_are_numbers(strip.get(name, [])) for name in ("w", "c", "e", "t"))
        and len(strip.get("w", [])) == len(strip.get("c", [])) == len(strip.get("k", ""))
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_numbers(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, int | float) for one in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _shown(id: object) -> str:
    text = id if isinstance(id, str) else repr(id)
    clean = "".join(ch if ch.isprintable() else "\ufffd" for ch in text[: 2 * _LONGEST_NAME])
    return clean if len(clean) <= _LONGEST_NAME else f"{clean[:_LONGEST_NAME]}…"
