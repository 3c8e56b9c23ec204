"""An inspection as one HTML file: the screen of the app, its data, and the transcript itself, without a server.

The file fetches nothing and runs nothing but the scripts that are named by their hash in its Content-Security-Policy.
No text of a transcript stands in it as such: data is deflated and in base64, a title is escaped. It holds the
transcript's record, so that it opens again in harmonylens (:mod:`inspector.ingest.html`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from typing import Any, Final

from .. import __version__
from ..gallery import sample_record
from ..ingest import transcript_record
from ..ingest.carried import TRANSCRIPT_SCHEMA
from ..ingest.html import DATA_TYPE, packed, packed_record
from ..view.assets import (
    cards_code,
    cards_style,
    feed_code,
    page_code,
    page_style,
    screen_code,
    screen_style,
)
from ..view.feed import Settings, pack_feed
from ..view.steps import steps_value
from ..view.viewmodel import digest, pack_view
from .subject import Subject
from .visible import visible

_EXPORT: Final = re.compile(r"^export default (?=function|\()", re.MULTILINE)
_ENDS_SCRIPT: Final = re.compile(r"</script|<!--|<script", re.IGNORECASE)
_MARK: Final = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#262a33" stroke="#7f8794" '
    'stroke-opacity="0.35"/><rect x="6" y="8" width="9" height="8" rx="4" fill="#fff"/><rect x="17" y="8" width="9" '
    'height="8" rx="2" fill="#86a8ff"/><path d="M6 22.5q2.5-3.6 5 0t5 0 5 0 5 0" fill="none" stroke="#ff858b" '
    'stroke-width="2.4" stroke-linecap="round"/></svg>'
)
_NO_SCRIPT: Final = (
    "This page draws its tokens with a script of its own, which this browser does not run. The transcript in it opens "
    "in harmonylens."
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the components of a page.

    Attributes:
        kind: "sample" (one transcript), "index" (a list that leads to other pages) or "gallery" (both in one).
        title: of the page.
        name: of the sample that a page of kind "sample" shows.
        about: a sentence or two above a list.
        home: the address of the list that a sample's page leads back to, "" for none, and its title.
        assets: the folder of a site's script and style, relative to the page; "" when the page holds both itself.
        bundle: the address of the gallery's bundle, "" for none.
    """

    kind: str
    title: str
    name: str = ""
    about: str = ""
    home: str = ""
    home_title: str = ""
    assets: str = ""
    bundle: str = ""


def export_html(subject: Subject) -> bytes:
    """The file of one transcript, UTF-8; the same bytes for the same subject."""
    frame = Frame("sample", subject.title, subject.name)
    return page(frame, blocks_of(subject))


def blocks_of(subject: Subject) -> Iterator[str]:
    """The script elements that hold one sample: its record, its tokens, its messages."""
    inspection = subject.inspection
    settings = Settings(
        off=subject.switches.off,
        choices=subject.switches.choices,
        style=subject.style,
        styles=(subject.style,),
        title=subject.card.title,
        story=subject.card.story,
        read_as=subject.read_as,
    )
    sample = subject.sample
    record = (
        {"schema": TRANSCRIPT_SCHEMA, **transcript_record(inspection.transcript)}
        if sample is None
        else sample_record(replace(sample, transcript=inspection.transcript))
    )
    yield block("record", packed_record(record), subject.name)
    yield block("tokens", packed(pack_view(inspection)), subject.name, subject.title)
    yield block("message", packed(pack_feed(inspection, settings)), subject.name)
    for part, value in ({"steps": steps_value(inspection)} | dict(subject.parts)).items():
        message = {"digest": digest(inspection.transcript), "part": part, "value": value}
        yield block("message", packed(_json(message)), subject.name)


def cards_block(cards: Mapping[str, Any]) -> str:
    """The script element that holds a list of cards, see :mod:`inspector.report.site`."""
    return block("cards", packed(_json(cards)))


def block(what: str, data: str, name: str = "", title: str = "") -> str:
    """A script element that no browser runs. ``data`` is base64."""
    named = f' data-name="{_text(name)}"' + (f' data-title="{_text(title)}"' if title else "")
    return f'<script type="{DATA_TYPE}" data-what="{what}"{named}>{data}</script>\n'


def page(frame: Frame, blocks: Iterator[str]) -> bytes:
    """A whole page."""
    if frame.assets:
        policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:"
        style = f'<link rel="stylesheet" href="{frame.assets}/page.css">'
        screen, cards = (f'<link rel="stylesheet" href="{frame.assets}/{name}.css">' for name in ("screen", "cards"))
        script = f'<script src="{frame.assets}/page.js"></script>'
    else:
        code = script_code()
        policy = f"default-src 'none'; script-src '{_hash(code)}'; style-src 'unsafe-inline'; img-src data:"
        style, screen, cards = (f"<style>{text}</style>" for text in (page_style(), screen_style(), cards_style()))
        script = f"<script>{code}</script>"
    policy += "; base-uri 'none'; form-action 'none'"
    attributes = f'data-kind="{frame.kind}" data-name="{_text(frame.name)}" data-title="{_text(frame.title)}"'
    templates = ""
    if frame.kind != "index":
        templates += f'<template id="screen-style">{screen}</template>\n'
    if frame.kind != "sample":
        templates += f'<template id="cards-style">{cards}</template>\n'
    parts = [
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="harmonylens {__version__}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:image/svg+xml;base64,{_icon()}">\n'
        f"<title>{_text(frame.title)} · harmonylens</title>\n{style}\n</head>\n<body {attributes}>\n",
        _top(frame),
        f'<p id="note" role="alert" hidden></p>\n<noscript><p class="about">{_NO_SCRIPT}</p></noscript>\n',
        "<main>\n",
        _list(frame),
        '<div id="stage" hidden></div>\n</main>\n',
        _foot(frame),
        templates,
        *blocks,
        script,
        "\n</body>\n</html>\n",
    ]
    return "".join(parts).encode("utf-8", "replace")


@cache
def script_code() -> str:
    """The script of every page: the components, then what mounts them.

    Raises:
        ValueError: a component is not of the form that is expected, or its text would end the script element.
    """
    components = {"mountScreen": screen_code(), "mountFeed": feed_code(), "mountCards": cards_code()}
    pieces = ['(() => {\n"use strict";\n']
    for name, code in components.items():
        body, count = _EXPORT.subn("return ", code)
        if count != 1:
            raise ValueError(f"{name}: expected one `export default`, found {count}")
        # Each in a scope of its own: they share helpers of the same name.
        pieces.append(f"const {name} = (() => {{\n{body}\n}})();\n")
    pieces += [page_code(), "})();\n"]
    text = "".join(pieces)
    found = _ENDS_SCRIPT.search(text)
    if found is not None:
        raise ValueError(f"the code holds {found.group()!r}, which would end its script element")
    return text


def _top(frame: Frame) -> str:
    if frame.kind == "gallery":
        crumbs = '<a class="only-sample" href="#">All samples</a><span id="crumb" class="only-sample"></span>'
    elif frame.home:
        crumbs = f'<a href="{_text(frame.home)}">{_text(frame.home_title)}</a>'
    else:
        crumbs = ""
    save = (
        ""
        if frame.kind == "index"
        else '<button id="save" type="button" class="only-sample" title="The transcript with its switches, as a JSON '
        'record">Save transcript</button>'
    )
    return (
        f'<header class="top"><span class="brand">{_MARK}<span>harmonylens</span></span>'
        f'<nav class="crumbs" aria-label="Where this is">{crumbs}</nav>{save}'
        '<button id="theme" type="button">Theme</button></header>\n'
    )


def _list(frame: Frame) -> str:
    if frame.kind == "sample":
        return f'<h1 class="unseen">{_text(frame.title)}</h1>\n'
    about = f'<p class="about">{_text(frame.about)}</p>' if frame.about else ""
    return f'<section class="only-list"><h1>{_text(frame.title)}</h1>{about}</section>\n<div id="list" hidden></div>\n'


def _foot(frame: Frame) -> str:
    opens = (
        "The transcript is in this file: open it in harmonylens to flip switches, or run "
        "<code>harmonylens inspect FILE</code>."
    )
    if frame.kind == "index":
        opens = "Each page holds its transcript and opens again in harmonylens."
        if frame.bundle:
            opens += f' <a href="{_text(frame.bundle)}" download>All of them as one bundle</a>'
    return f'<footer class="foot"><span>harmonylens {__version__}</span><span>{opens}</span></footer>\n'


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _text(text: str) -> str:
    """``text`` for an element or an attribute, whatever it holds; what does not print is made visible."""
    return escape(visible(text), quote=True)


def _hash(code: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _icon() -> str:
    svg = _MARK.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ').replace(' aria-hidden="true"', "")
    return base64.b64encode(svg.encode()).decode()
