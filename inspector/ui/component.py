"""The token view as a Streamlit component: two of them, so that a flipped switch does not send the tokens again.

``screen`` holds the code, the style and the tokens: a large message that stays the same and that Streamlit
therefore sends once. ``feed`` is a few lines of code and the small message that changes; it also carries back what
a person did. They find each other in the page by the transcript's digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

_FOLDER: Final = Path(__file__).resolve().parent / "token_view"
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
    "finish",
    "screen",
)
"""The files of the view, in order: each uses only what stands before it."""

Renderer = Callable[..., Any]


@cache
def view_code() -> str:
    """The code of the token view: its files, one after the other."""
    return "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in PARTS)


@cache
def view_style() -> str:
    """The style of the token view."""
    return "\n".join((_FOLDER / f"{name}.css").read_text(encoding="utf-8") for name in ("palette", "view"))


def registered(name: str, *, js: Callable[[], str], css: Callable[[], str] | None = None) -> Renderer:
    """The component called ``name``, registered once for the server that is running."""
    # A registration belongs to a server; tests run several in one process, one after the other.
    server = id(st.runtime.get_instance()) if st.runtime.exists() else 0
    found = _REGISTERED.get((server, name))
    if found is None:
        found = st.components.v2.component(name, js=js(), css=css() if css is not None else None)
        _REGISTERED.clear() if len(_REGISTERED) > 16 else None
        _REGISTERED[(server, name)] = found
    return found


_REGISTERED: Final[dict[tuple[int, str], Renderer]] = {}


def _nothing() -> None:
    """A change of state needs a listener to be reported at all."""


def show_screen(
    tokens: bytes, feed: bytes, *, key: str, on: Mapping[str, Callable[[], None]]
) -> None:
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


def _feed_code() -> str:
    return (_FOLDER / "feed.js").read_text(encoding="utf-8")


def _hidden() -> str:
    return ":host { display: none; }\n"
