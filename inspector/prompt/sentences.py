"""A difference told in one sentence."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..tokens import vocabulary
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
    else:
        change = f"{old} returns as {new}"
    return SENTENCES[cause].format(change=change, old=old, new=new)


def quoted(ids: tuple[int, ...]) -> str:
    """The text of ``ids`` in quotes, control and invisible characters escaped, cut after 60 characters."""
    text = vocabulary().decode(ids[:_TOKENS])
    long = len(ids) > _TOKENS or len(text) > _CHARACTERS
    # repr escapes what is not printable: control, bidirectional and zero-width characters, lone surrogates.
    return repr(text[:_CHARACTERS])[:-1] + "…'" if long else repr(text)
