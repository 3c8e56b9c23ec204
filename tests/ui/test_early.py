"""The page's style stands in the document that the browser asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from inspector.ui.early import EarlyStyle

from ..aio import run

PAGE = "<html><head><title>x</title></head><body>\u00e9</body></html>"
STYLE = "body { color: red; }\n"
STYLED = f"<html><head><title>x</title><style>\n:root {{\n{STYLE}}}\n</style>\n"


async def whole(request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"etag": '"1"', "last-modified": "yesterday", "x-kept": "yes"})


async def pieces(request: Request) -> Response:
    return StreamingResponse((PAGE[n : n + 5] for n in range(0, len(PAGE), 5)), media_type="text/html")


async def other(request: Request) -> Response:
    return PlainTextResponse(PAGE, headers={"etag": '"1"'})


async def packed(request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"content-encoding": "gzip"})


async def missing(request: Request) -> Response:
    return HTMLResponse(PAGE, status_code=404)


APP = EarlyStyle(Starlette(routes=[Route(f"/{f.__name__}", f) for f in (whole, pieces, other, packed, missing)]), STYLE)


def get(path: str) -> tuple[int, Mapping[str, str], str]:
    sent: list[Any] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    # Before 2.4 a streamed answer listens for the end of the connection, which never comes here.
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "path": path, "headers": []}
    run(APP({**scope, "query_string": b"", "root_path": ""}, receive, send))
    start, *bodies = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(body.get("body", b"") for body in bodies).decode()


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
def test_a_document_has_the_style_in_its_head(path: str) -> None:
    status, headers, body = get(path)
    assert status == 200
    assert body.startswith(STYLED)
    assert body.endswith(PAGE[PAGE.index("</head>") :])
    assert headers["content-length"] == str(len(body.encode()))


def test_no_copy_of_a_document_outlives_an_update() -> None:
    _, headers, _ = get("/whole")
    assert headers.keys() & {"etag", "last-modified"} == set()
    assert headers["x-kept"] == "yes"


@pytest.mark.parametrize("path", ["/other", "/packed", "/missing"])
def test_all_else_passes_as_it_is(path: str) -> None:
    assert get(path)[2] == PAGE


def test_web_sockets_pass() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    run(EarlyStyle(app, STYLE)({"type": "websocket", "path": "/ws"}, None, None))  # type: ignore[arg-type]
    assert seen == ["/ws"]
