# ruff: noqa: E501 - a text that is to be seen whole
"""Texts that try to be more than text: what every page, export and report has to show as it stands.

Each of them would, where it is believed, set ``window.pwned``, ask ``evil.invalid`` for something, hide the page, move
its layout, or steer a terminal.
"""

from __future__ import annotations

import json
from typing import Any

from inspector.ingest import Card, Switches, carrying
from inspector.tokens import Transcript, vocabulary

ESCAPE = "\x1b"

TEXTS: dict[str, str] = {
    "script": "<script>window.pwned='script'</script>",
    "script in a script": "</script><script>window.pwned='end'</script><!--<script>",
    "event handler": '<img src="http://evil.invalid/i" onerror="window.pwned=1"><svg onload=window.pwned=2>',
    "attribute": '" onmouseover="window.pwned=3" style="position:fixed;inset:0" x="\' onfocus=\'window.pwned=4\' autofocus',
    "frame": '<iframe srcdoc="<script>parent.pwned=5</script>"></iframe><object data="http://evil.invalid/o">',
    "style": "</style><style>*{display:none!important}body{background:url(http://evil.invalid/s)}</style>",
    "form": '<form action="http://evil.invalid/f"><button autofocus>send</button></form><base href="http://evil.invalid/">',
    "refresh": '<meta http-equiv="refresh" content="0;url=http://evil.invalid/m"><link rel=stylesheet href=//evil.invalid/l>',
    "markdown": "[link](javascript:window.pwned=6) ![image](http://evil.invalid/md.png) <http://evil.invalid/a> **b** `c`",
    "markdown blocks": "\n\n# heading\n\n- list\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<details open>\n\n---\n",
    "streamlit": ":red[red] :material/delete: :streamlit: $x^2$ $$y$$ :shortcode: :rainbow-background[r]",
    "templates": "{{7*7}} {%raw%} ${7*7} #{7*7} <%= 7*7 %> @(7*7) %s %(x)s {0} {x!r} $(id) `id` \\u003cscript\\u003e",
    "address": "javascript:window.pwned=7 data:text/html,<script>window.pwned=8</script> vbscript:x",
    "bidi": "start \u202eesrever\u202c \u2066isolated\u2069 \u200f\u061c\u200e \u2067 left open \u202d\u202a",
    "invisible": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh\u034fi\u2028j\u2029k\u0085l\U000e0041m\u3164n",
    "controls": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "terminal": (
        f"{ESCAPE}[2J{ESCAPE}[31mred{ESCAPE}[0m{ESCAPE}]0;title\x07{ESCAPE}]52;c;ZXZpbA=={ESCAPE}\\"
        f"{ESCAPE}]8;;http://evil.invalid{ESCAPE}\\link{ESCAPE}]8;;{ESCAPE}\\\x9b31m\x9d0;t\x9c\r\b\b\x07{ESCAPE}c{ESCAPE}P$q{ESCAPE}\\"
    ),
    "nul": "a\x00b\x00",
    "marks": "e" + "\u0301\u0327\u0489" * 300,
    "no break": "W" * 3000 + "\u00a0" * 300 + "=" * 2000,
    "component": json.dumps(
        {"digest": "x", "part": "base", "value": {"findings": [["<b>"]]}, "schema": "harmonylens/1"}
    ),
    "prototype": '{"__proto__": {"pwned": 9}, "constructor": {"prototype": {"pwned": 10}}} __proto__ constructor toString',
    "surrogate": "\ud800 lone \udfff".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "sarif": "file:///etc/passwd command:workbench.action [x](command:x) vscode://file/x",
    "python": "''' + __import__('os').system('touch pwned') + ''' \"\"\" \\ \\N{BULLET} \\x00 \nimport os\n# coding: utf-7",
}
"""By what they attempt."""

ALL = " ¶ ".join(TEXTS.values())
"""All of them in one text."""

MANY_MARKS = "e" + "\u0301" * 100_000

RUN = (72056, 78_125)
"""A token of 128 blanks and how many of it are 10 MB."""


def transcript() -> Transcript:
    """A broken transcript with hostile text wherever a transcript can have text."""
    encode = vocabulary().encode_markers
    ids = [
        *encode("<|channel|>analysis<|message|>"),
        *vocabulary().encode(ALL),
        *encode("<|end|><|start|>assistant<|channel|>commentary to=functions."),
        *vocabulary().encode(TEXTS["script"] + TEXTS["markdown"]),
        *encode("<|channel|>"),
        *vocabulary().encode(TEXTS["event handler"] + TEXTS["terminal"] + TEXTS["bidi"]),
        *encode(" <|constrain|>"),
        *vocabulary().encode(TEXTS["style"]),
        *encode("<|message|>"),
        *vocabulary().encode(json.dumps({"x": ALL})),
        *encode("<|call|><|start|>"),
        *vocabulary().encode(TEXTS["attribute"]),
        *encode("<|message|>"),
        *[199_998, 201_089, 2**40, -1, 2**63],
    ]
    told = Transcript(
        ids=tuple(ids),
        role="assistant",
        id=TEXTS["script"] + TEXTS["terminal"],
        tools=(f"functions.{TEXTS['event handler']}", TEXTS["markdown"], TEXTS["bidi"]),
        finish_reason=TEXTS["style"] + TEXTS["terminal"],
        stop_reason=TEXTS["script"],
        reported=frozenset({"finish_reason", "stop_reason"}),
        meta={TEXTS["script"]: TEXTS["terminal"]},
        source="hostile",
    )
    return carrying(told, Switches(), card())


def card() -> Card:
    """A hostile title, story and tags."""
    title = TEXTS["script"] + TEXTS["event handler"] + TEXTS["markdown"] + TEXTS["bidi"] + TEXTS["terminal"]
    return Card(title, ALL[:4000], (TEXTS["script"], TEXTS["streamlit"], TEXTS["style"], "x" * 300))


def records() -> list[dict[str, Any]]:
    """Sample records of a gallery: one for each text, with it in every field that is text."""
    out = []
    for number, text in enumerate(TEXTS.values()):
        out.append(
            {
                "schema": "harmonylens/transcript/1",
                "id": f"{number} {text}",
                "title": text,
                "story": text,
                "tags": [text, f"tag {text}"],
                "family": text,
                "role": "assistant",
                "token_ids": vocabulary().encode_markers(
                    f"<|channel|>analysis<|channel|>{text[:60]}<|message|>{text}<|end|>"
                ),
                "finish_reason": text,
                "tools": [text],
            }
        )
    return out
