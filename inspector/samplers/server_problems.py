"""What went wrong with a server, in one sentence: what was seen, and what to do about it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import httpx

from .server_wire import PATHS, Route, WireError, error_words, load_json

_LONGEST: Final = 300
"""Characters of a server's own words that are shown."""

_TAG: Final = re.compile(r"<[^<>]{0,500}>")
_TITLE: Final = re.compile(r"<title[^>]{0,100}>([^<]{1,200})", re.IGNORECASE)


def plain(words: str, limit: int = _LONGEST) -> str:
    """Other people's text, for a sentence: one line, printable, shortened, without a full stop at its end."""
    kept = "".join(ch if ch.isprintable() else " " for ch in words[: 20 * limit])
    kept = " ".join(kept.split()).rstrip(" .")
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def body_words(body: bytes, content_type: str, hide: Callable[[str], str]) -> str:
    """What an answer that is no success says for itself, "" when it is of no use to a person.

    Args:
        hide: takes out what must not be shown, before anything is shortened.
    """
    if is_page(body, content_type):
        title = _TITLE.search(hide(body.decode("utf-8", "replace"))[:20_000])
        return plain(f"a web page, {plain(title[1], 100)!r}") if title else "a web page"
    try:
        words = error_words(load_json(body))
    except WireError:
        words = _TAG.sub(" ", body.decode("utf-8", "replace"))
    return plain(hide(words))


def is_page(body: bytes, content_type: str) -> bool:
    """Whether it is HTML."""
    return "html" in content_type.lower() or body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def refused(who: str, status: int, words: str, *, route: Route, model: str, has_key: bool, location: str = "") -> str:
    """The sentence for an answer whose status is no success.

    Args:
        who: the server, at the beginning of a sentence.
        words: from :func:`body_words`.
        location: where a redirect leads.
    """
    said = f": {words}" if words else ""
    if 300 <= status < 400:
        where = plain(location, 100) or "an address that it does not name"
        return f"{who} redirects to {where}, and nothing was sent there: give that address if it is the right one."
    if route == "generate" and "scale-out" in words.lower():
        return f"{who} has no {PATHS[route]}, because it was started without --enable-scale-out: start it with that."
    if status in (401, 403):
        if has_key:
            return f"{who} does not accept the API key (HTTP {status}{said}): check it."
        return f"{who} wants an API key (HTTP {status}{said}): give the one that it was started with."
    if status == 404 and model and "model" in words.lower():
        return f"{who} serves no model called {plain(model, 100)!r}{said}: choose one that it serves."
    if status in (404, 405):
        path = PATHS[route] if model else "/v1/models"
        return f"{who} has no {path} (HTTP {status}{said}): check that the address is that of a vLLM server."
    if status == 429:
        return f"{who} has too much to do (HTTP 429{said}): try again later or with fewer samples."
    if status in (502, 503, 504):
        return f"{who} is not ready, or what stands before it cannot reach it (HTTP {status}{said}): try again later."
    if status >= 500:
        return f"{who} failed (HTTP {status}{said}): its log says why."
    return f"{who} refused the request (HTTP {status}){said or ' and gave no reason: see its log'}."


def unreachable(who: str, error: httpx.HTTPError, silence_s: float, path: str = "", *, is_known: bool = False) -> str:
    """The sentence for an exchange that was not completed; ``path`` is what was asked for.

    Args:
        is_known: an answer has come from this server before, so that it speaks as the address says.
    """
    causes = list(_causes(error))
    untrusted = next((one for one in causes if isinstance(one, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return (
            f"{who} has a certificate that is not trusted ({plain(untrusted.verify_message, 100)}): "
            "name its issuer's file in SSL_CERT_FILE, or use the host name that the certificate is for."
        )
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return f"{who} does not speak TLS: check the port, or use http:// if it does not encrypt."
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return f"{who} does not answer: check the host and the port, and whether a firewall is between."
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        asked = f" when asked for {path}" if path else ""
        return f"{who} sent nothing for {silence_s:g} s{asked}: it may be overloaded or stuck; its log says more."
    if any(isinstance(one, socket.gaierror) for one in causes):
        return f"{who} cannot be found: the host's name is not known here; check how it is written."
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return f"{who} cannot be reached: nothing listens on that port; start the server or check the port."
    if isinstance(error, httpx.ConnectError):
        return f"{who} cannot be reached: check the host, the port and the network between."
    if isinstance(error, httpx.RemoteProtocolError) and is_known:
        return f"{who} closed the connection without a complete answer: it may have ended; its log says why."
    if isinstance(error, httpx.RemoteProtocolError):
        return f"{who} closed the connection without a complete answer: it may have ended, or it wants https://."
    return f"{who} was cut off ({type(error).__name__}): it may have ended; start it again or check the network."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions that led to it, members of groups included."""
    seen: list[BaseException] = [error]
    for one in seen:
        yield one
        further = [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
        seen += [cause for cause in further if cause is not None and cause not in seen]
