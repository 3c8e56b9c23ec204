"""The token view as a Streamlit component: two of them, so that a flipped switch does not send the tokens again.

``screen`` holds the code, the style and the tokens: a large message that stays the same and that Streamlit
therefore sends once. ``feed`` is a few lines of code and the small message that changes; it also carries back what
a person did. They find each other in the page by the transcript's digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from ..view.assets import cards_code, cards_style, feed_code, screen_code, screen_style

Renderer = Callable[..., Any]


def hidden() -> str:
    """The style of a component that draws nothing."""
    return ":host { display: none; }\n"


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


_SHORT: Final = 600
"""Bytes of a message that may as well come again."""

HELD_FROM: Final = 10_240
"""Bytes from which Streamlit sends a message once and then refers to it (``global.minCachedMessageSize``)."""


def show_screen(
    tokens: bytes, feed: bytes, *, key: str, on: Mapping[str, Callable[[], None]], base: bytes = b""
) -> None:
    """Mount both components.

    Args:
        tokens: from :func:`inspector.view.viewmodel.pack_view`.
        feed: from :func:`inspector.view.feed.pack_feed` or ``pack_change``.
        key: of the session state in which ``f"{key}.feed"`` then holds what a person did: ``fixes``
            ({digest, off, choices}), ``selection`` ({digest, token}), ``style`` (a name) and the trigger
            ``open_rule`` (a code).
        on: callbacks by the name of what changed.
        base: the whole feed that ``feed`` is a change to, if it is one.
    """
    with st.container(gap=None):
        registered("harmonylens_screen", js=screen_code, css=screen_style)(key=f"{key}.screen", data=tokens)
        if base:
            message = b'{"digest":%b,"part":"base","value":%b}' % (
                json.dumps(json.loads(base)["digest"]).encode(),
                base,
            )
            # A shorter one would come down with every flipped switch: blanks make it one that is held.
            show_part("base", message.ljust(HELD_FROM), key=key)
        registered("harmonylens_feed", js=feed_code, css=hidden)(
            key=f"{key}.feed",
            data=feed,
            on_fixes_change=on.get("fixes", _nothing),
            on_selection_change=on.get("selection", _nothing),
            on_style_change=on.get("style", _nothing),
            on_open_rule_change=on.get("open_rule", _nothing),
        )


def show_part(part: str, message: bytes, *, key: str) -> None:
    """Mount a message that arrives after the screen stands; it draws nothing of its own.

    Args:
        part: its name, which :func:`pack_part` wrote into it: "checks", "steps", "go" ...
        message: from :func:`pack_part`.
        key: of the screen it belongs to.
    """
    registered("harmonylens_feed", js=feed_code, css=hidden)(key=f"{key}.{part}", data=message)


def pack_part(digest: str, part: str, value: Any) -> bytes:
    """A message for :func:`show_part`: ``value`` (JSON) about the transcript of this ``digest``."""
    body = {"digest": digest, "part": part, "value": value}
    message = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    # What is too long to come down with every run, and too short to be held, gets blanks.
    return message if len(message) < _SHORT else message.ljust(HELD_FROM)


def show_cards(cards: Mapping[str, Any], *, key: str, on_open: Callable[[], None] = _nothing) -> None:
    """Mount a list of cards or rows.

    Args:
        cards: ``kind`` ("samples" or "rules"), ``groups`` ([{title, items}]), ``none`` (what to say when nothing
            fits), optionally ``filter`` ({placeholder, tags: [[tag, title]]}) and ``compact``. Every item has
            ``name``, ``href``, ``search`` (lower case) and ``marks``.
        key: of the session state, whose trigger ``open`` then holds the name of what was opened.
        on_open: called when something on this page is opened; what stands on another page, the browser goes to.
    """
    data = json.dumps(cards, ensure_ascii=False, separators=(",", ":")).encode()
    registered("harmonylens_cards", js=cards_code, css=cards_style)(key=key, data=data, on_open_change=on_open)
