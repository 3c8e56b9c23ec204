"""The code and the style that the browser runs, as texts: files of :mod:`inspector.view`, one after the other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parent

SCREEN_CODE: Final = (
    "container",
    "glyphs",
    "document",
    "sequence",
    "reading",
    "ruler",
    "layout",
    "dom",
    "marks",
    "lines",
    "table",
    "lanes",
    "pointing",
    "tip",
    "quick",
    "scrolling",
    "tokens",
    "store",
    "verdict",
    "findings",
    "cards",
    "prompt",
    "minimap",
    "status",
    "facts",
    "diff_align",
    "diff_rows",
    "diff_draw",
    "diff",
    "links",
    "search",
    "finder",
    "copying",
    "contents",
    "toolbar",
    "shortcuts",
    "steps",
    "debugger",
    "screen",
    "acting",
)
"""The files of the screen, in order: each uses only what stands before it."""

SCREEN_STYLE: Final = ("palette", "view", "tools", "tokens", "diff", "debugger")
"""The style sheets of the screen, in order."""


@cache
def screen_code() -> str:
    """The code of the screen. It ends in the component's ``export default``."""
    return "\n".join(_text(f"screen/{name}.js") for name in SCREEN_CODE)


@cache
def screen_style() -> str:
    """The style of the screen."""
    return "".join(_text(f"screen/{name}.css") for name in SCREEN_STYLE)


LIVE_CODE: Final = ("stream", "rows", "blocked", "sides", "live")
"""The files of the live view, in order; they use the screen's."""


@cache
def live_code() -> str:
    """The code of the live view: the screen's, without its own entry, and what streams into it."""
    screen = screen_code()
    own = [_text(f"live/{name}.js") for name in LIVE_CODE]
    return "\n".join((screen[: screen.rindex("export default")], *own))


@cache
def live_style() -> str:
    """The style of the live view."""
    return screen_style() + _text("live/live.css")


@cache
def feed_code() -> str:
    """The code of the component that hands small messages to the screen."""
    code = _text("screen/feed.js")
    return code[code.index("export") :]


@cache
def cards_code() -> str:
    """The code of a list of cards or rows."""
    names = ("screen/dom.js", "cards/strip.js", "cards/filter.js", "cards/keys.js", "cards/cards.js")
    return "\n".join(map(_text, names))


@cache
def handover_code() -> str:
    """The code that hands a file to the browser's downloads."""
    return _text("cards/handover.js")


@cache
def cards_style() -> str:
    """The style of a list of cards or rows."""
    return _text("screen/palette.css") + _text("cards/cards.css")


@cache
def address_code() -> str:
    """The code that keeps the address of the Inspect page."""
    return _text("link/address.js")


@cache
def share_code() -> str:
    """The code of a link to copy."""
    return _text("screen/dom.js") + _text("link/share.js")


@cache
def share_style() -> str:
    """The style of a link to copy."""
    return _text("screen/palette.css") + _text("link/share.css")


@cache
def page_code() -> str:
    """The code of an exported page; it wants ``mountScreen``, ``mountFeed`` and ``mountCards`` before it."""
    return _text("page/page.js")


@cache
def page_style() -> str:
    """The style of an exported page's frame."""
    return _text("page/page.css")


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
