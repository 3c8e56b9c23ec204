"""A difference told in one sentence."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..tokens import WideText, printable
from .causes import SENTENCES

_TOKENS: Final = 24
_CHARACTERS: Final = 60


@lru_cache(maxsize=4096)
def sentence(cause: str, emitted: tuple[int, ...], reencoded: tuple[int, ...]) -> str:
    """What happened, for a person; text from the transcript is quoted, escaped and cut short.

    Only the first 24 tokens of each side are quoted; more than that only shows as an ellipsis.
    """
    old, new = quoted(emitted), quoted(reencoded)
    if not reencoded:
        change = f"{old} is gone"
    elif not emitted:
        change = f"{new} is new"
    elif old == new:
        # Equal to the eye: show where the tokens begin.
        change = f"{_in_tokens(emitted)} returns as {_in_tokens(reencoded)}"
    else:
        change = f"{old} returns as {new}"
    return SENTENCES[cause].format(change=change)


def quoted(ids: tuple[int, ...]) -> str:
    """The text of ``ids`` in quotes, cut after 60 characters; what is not printable is escaped."""
    text = WideText(ids[:_TOKENS]).text
    more = "…" if len(ids) > _TOKENS or len(text) > _CHARACTERS else ""
    return f'"{_escaped(text[:_CHARACTERS])}{more}"'


def _in_tokens(ids: tuple[int, ...]) -> str:
    wide = WideText(ids[:_TOKENS])
    pieces = [_escaped(wide.of(index)) for index in range(min(len(ids), _TOKENS))]
    return f'"{"|".join(pieces)}{"…" if len(ids) > _TOKENS else ""}"'


def _escaped(text: str) -> str:
    """Control, bidirectional and invisible characters as escapes; specials and broken bytes as they are shown."""
    shown = (c if c.isprintable() or "\ud800" <= c <= "\udfff" else ascii(c)[1:-1] for c in text)
    return printable("".join(shown))
