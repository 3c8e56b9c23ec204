"""The token view as a Streamlit component: two of them, so that a flipped switch does not send the tokens again.

``screen`` holds the code, the style and the tokens: a large message that stays the same and that Streamlit
therefore sends once. ``feed`` is a few lines of code and the small message that changes; it also carries back what
a person did. They find each other in the page by the transcript's digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

_FOLDER: Final = Path(__file__).resolve().parent
PARTS: Final = (
    "container",
    "glyphs",
    "document",
    "sequence",
    "layout",
    "dom",
    "tokens",
    "store",
    "verdict",
    "findings",
    "cards",
    "prompt",
    "minimap",
    "status",
    "facts",
    "screen",
)
"""The files of the view, in order: each uses only what stands before it."""

Renderer = Callable[..., Any]


@cache
def view_code() -> str:
    """The code of the token view: its files, one after the other."""
    return "\n".join(_text(f"token_view/{name}.js") for name in PARTS)


@cache
def view_style() -> str:
    """The style of the token view."""
    return _text("token_view/palette.css") + _text("token_view/view.css")


def _cards_code() -> str:
    return _text("token_view/dom.js") + _text("cards/cards.js")


def _cards_style() -> str:
    return _text("token_view/palette.css") + _text("cards/cards.css")


def _feed_code() -> str:
    return _text("token_view/feed.js")


def _hidden() -> str:
    return ":host { display: none; }\n"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def registered(name: str, *, js: Callable[[], str], css: Callable[[], str] | None = None) -> Renderer:
    """The component called ``name``, registered once for the server that is running."""
    # A registration belongs to a server; tests run several in one process, one after the other.
    server = id(st.runtime.get_instance()) if st.runtime.exists() else 0
    found = _REGISTERED.get((server, name))
    if found is None:
        found = st.components.v2.component(name, js=js(), css=css() if css is not None else None)
        _REGISTERED[(server, name)] = found
    return found


_REGISTERED: Final[dict[tuple[int, str], Renderer]] = {}


def _nothing() -> None:
    """A change of state needs a listener to be reported at all."""


def show_screen(tokens: bytes, feed: bytes, *, key: str, on: Mapping[str, Callable[[], None]]) -> None:
    """Mount both components.

    Args:
        tokens: from :func:`inspector.ui.viewmodel.pack_view`.
        feed: from :func:`inspector.ui.feed.pack_feed`.
        key: of the session state in which ``f"{key}.feed"`` then holds what a person did: ``fixes``
            ({digest, off, choices}), ``selection`` ({digest, token}), ``style`` (a name) and the trigger
            ``open_rule`` (a code).
        on: callbacks by the name of what changed.
    """
    with st.container(gap=None):
        registered("harmonyscope_screen", js=view_code, css=view_style)(key=f"{key}.screen", data=tokens)
        registered("harmonyscope_feed", js=_feed_code, css=_hidden)(
            key=f"{key}.feed",
            data=feed,
            on_fixes_change=on.get("fixes", _nothing),
            on_selection_change=on.get("selection", _nothing),
            on_style_change=on.get("style", _nothing),
            on_open_rule_change=on.get("open_rule", _nothing),
        )


def show_checks(checks: bytes, *, key: str) -> None:
    """Mount what the libraries themselves said (see :mod:`inspector.ui.checks`); draws nothing of its own."""
    registered("harmonyscope_feed", js=_feed_code, css=_hidden)(key=f"{key}.checks", data=checks)


def show_cards(cards: Mapping[str, Any], *, key: str, on_open: Callable[[], None]) -> None:
    """Mount a list of cards or rows.

    Args:
        cards: ``kind`` ("samples" or "rules"), ``groups`` ([{title, items}]), ``none`` (what to say when nothing
            fits), optionally ``filter`` ({placeholder, tags: [[tag, title]]}) and ``compact``. Every item has
            ``name``, ``href``, ``search`` (lower case) and ``marks``.
        key: of the session state, whose trigger ``open`` then holds the name of what was opened.
        on_open: called when something is opened.
    """
    data = json.dumps(cards, ensure_ascii=False, separators=(",", ":")).encode()
    registered("harmonyscope_cards", js=_cards_code, css=_cards_style)(key=key, data=data, on_open_change=on_open)
