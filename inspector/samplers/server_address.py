"""The base URL of a server as people write it, read into the one address that is contacted, or a sentence why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from .engine import EngineError

_EXAMPLE: Final = "expected something like http://127.0.0.1:8000"
_INVISIBLE: Final = str.maketrans("", "", "\u200b\u2060\ufeff")
"""What has no width and comes along when an address is copied from a page."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ROUTES: Final = re.compile(r"(/v1|/inference/v1)(/(completions|chat/completions|models|responses|generate))?\Z")
"""What people copy along with the address: the path of a route, or the base URL of OpenAI's clients."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is.

    Attributes:
        root: scheme, host, port and the path before ``/v1``; no slash at the end.
        shown: the same without the scheme, for people.
    """

    root: str
    shown: str

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.root.startswith("https:")


def parse_address(text: str) -> Address:
    """Read a base URL. What can only mean one thing is mended: a route behind it, a slash at its end, characters of no
    width, and the missing scheme of a loopback address. Elsewhere the scheme is the person's word: a key may be sent
    there.

    >>> parse_address("localhost:8000/v1/").root
    'http://localhost:8000'

    Raises:
        EngineError: it is no address of a server; the sentence repeats no password that stands in it.
    """
    given = text.translate(_INVISIBLE).strip()
    if not given:
        raise EngineError(f"The server's address is empty: {_EXAMPLE}.")
    if any(ch.isspace() or not ch.isprintable() or ch == "\\" for ch in given):
        raise EngineError(f"The server's address has a space or another character that no address has: {_EXAMPLE}.")
    has_scheme = _SCHEME.match(given) is not None
    try:
        parts = urlsplit(given if has_scheme else f"http://{given}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise EngineError(f"The server's address has a host or a port that cannot be: {_EXAMPLE}.") from None
    if parts.scheme not in ("http", "https"):
        raise EngineError(f"The server's address begins with {parts.scheme[:20]}://: {_EXAMPLE}, or https://.")
    if "@" in parts.netloc:
        raise EngineError("The server's address has a name or a password in it: give the key as API key instead.")
    if not host or port == 0:
        raise EngineError(f"The server's address names no host or no port that can be contacted: {_EXAMPLE}.")
    if parts.query or parts.fragment:
        raise EngineError(f"The server's address has a ? or a # in it: {_EXAMPLE}.")
    if not has_scheme and not _is_loopback(host):
        raise EngineError(
            f"The server's address has no scheme: write http://{given[:100]} or, if it encrypts, https://{given[:100]}."
        )
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    shown = parts.netloc.lower() + _ROUTES.sub("", path)
    return Address(f"{parts.scheme}://{shown}", shown)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
