"""The front door of the server: who may come in, before Streamlit sees the request.

Streamlit checks web sockets only, and to judge a foreign origin it asks an outside service for this machine's
address. Here a request for a foreign host, or from a page of a foreign origin, is refused at once.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": "frame-ancestors 'self'",
    "referrer-policy": "no-referrer",
}
"""What every answer tells the browser: guess no types, show this in no foreign frame, tell nobody the address."""

REFUSED: Final = "This app answers only under its own name; --allow-host adds another.\n"
_POLICY_VIOLATION: Final = 1008


class Door:
    """ASGI middleware that lets in requests for, and from pages of, the ``allowed`` host names only."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self.allowed = frozenset(name.lower().strip("[]") for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with :data:`HEADERS` in the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif self.lets_in(Headers(scope=scope)):
            await self.app(scope, receive, _telling(send) if scope["type"] == "http" else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await PlainTextResponse(REFUSED, status_code=403)(scope, receive, send)

    def lets_in(self, headers: Headers) -> bool:
        """Whether a request with these headers is for us and from a page of ours.

        A page of ours has the very host and port that it asks. Behind a proxy that asks in its own name, it has one
        of the names that were allowed for that. This machine has several names for itself, but at another port
        another program may serve pages.
        """
        host, port = _host("//" + headers.get("host", ""))
        if host not in self.allowed:
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        name, its_port = _host(origin)
        return name in self.allowed and (port == its_port or not _is_this_machine(name))


def _host(address: str) -> tuple[str, int | None]:
    """Name and port of an address, with "" for a name that is none."""
    try:
        parts = urlsplit(address)
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None


def _is_this_machine(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _telling(send: Send) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return told
