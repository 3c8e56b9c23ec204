"""Who may ask the server, decided before Streamlit sees the request.

Streamlit checks web sockets only, and to judge a foreign origin it asks an outside service for this machine's
address. Here a request for a foreign host, or from a page of a foreign origin, is refused at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final, NamedTuple

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

_AUTHORITY: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,44}\])(?::(?P<port>[0-9]{1,5}))?"
)
"""A host as browsers write it, the whole of it: no user, no path, no zone, nothing in front and nothing behind."""

_ORIGIN: Final = re.compile(f"https?://{_AUTHORITY.pattern}")
_MOST_PORT: Final = 65_535


class Place(NamedTuple):
    """The name, in small letters and without brackets, and the port that a browser asks or comes from."""

    name: str
    port: int | None


class HostGuard:
    """ASGI middleware that lets in requests for, and from pages of, the ``allowed`` host names only."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self.allowed = frozenset(map(as_browsers_write, allowed))

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
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or len(origins) > 1:
            return False
        host = _place(_AUTHORITY, hosts[0])
        if host is None or host.name not in self.allowed:
            return False
        if not origins:
            return True
        origin = _place(_ORIGIN, origins[0])
        if origin is None or origin.name not in self.allowed:
            return False
        if origin.name == host.name or _is_this_machine(origin.name):
            return origin.port == host.port
        return True


def origins_of(allowed: Collection[str]) -> list[str]:
    """What pages under allowed names call themselves; ports come and go."""
    names = sorted(map(as_browsers_write, allowed))
    written = [f"[{name}]" if ":" in name else name for name in names]
    return [f"{scheme}://{name}" for name in written for scheme in ("https", "http")]


def _place(pattern: re.Pattern[str], address: str) -> Place | None:
    """What a header says, or None where it is not written as browsers write it."""
    found = pattern.fullmatch(address)
    if found is None:
        return None
    port = None if found["port"] is None else int(found["port"])
    if port is not None and port > _MOST_PORT:
        return None
    return Place(found["name"].lower().strip("[]"), port)


def as_browsers_write(name: str) -> str:
    """A name or address that was allowed; browsers shorten an address of IPv6."""
    bare = name.lower().strip("[]")
    try:
        return ip_address(bare).compressed
    except ValueError:
        return bare


def _is_this_machine(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        # Those beneath are this machine's as well (RFC 6761).
        return name == "localhost" or name.endswith(".localhost")


def _telling(send: Send) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return told
