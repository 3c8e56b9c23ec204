"""The page's own style, and what only the browser knows, in the very document that the browser asks for first.

Streamlit draws a page's style as it draws everything else: once its code is there and the script has said so. Until
then the page would stand in Streamlit's own order, and jump. See :func:`inspector.ui.chrome.frame` for where the app
is started by ``streamlit run``, without this.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD: Final = b"</head>"
_OPENING: Final = r"""<script>
{
  // Whatever this tab showed last, or its link carries, is asked for once the page is there (view/link/address.js).
  // Until it comes, the start page is not shown in its place; if nothing comes, it is.
  const kept = history.state?.harmonylens;
  const own = typeof kept === "string" && kept !== "start" && kept !== "sample";
  const plain = location.pathname.endsWith("/") && !new URLSearchParams(location.search).has("sample");
  if (plain && (own || /^#h\d/.test(location.hash))) {
    const root = document.documentElement;
    root.dataset.opening = "";
    setTimeout(() => delete root.dataset.opening, 8000);
  }
}
</script>
"""
_VALIDATORS: Final = ("etag", "last-modified", "accept-ranges")
"""What says that a browser's copy is still good: the copy holds a style that an update may have changed."""


class EarlyStyle:
    """ASGI middleware that puts a style into the head of every HTML document."""

    def __init__(self, app: ASGIApp, style: str) -> None:
        self.app = app
        # Streamlit's own rules come later in the document: nested in another selector ours win all the same.
        self.style = f"<style>\n:root {{\n{style}}}\n</style>\n{_OPENING}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and change the answer where it is a document."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if "text/html" in Headers(scope=scope).get("accept", ""):
            # A document that was packed on its way here could not be changed.
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, _Answer(send, self.style).take)


class _Answer:
    """One answer: a document is held until it is whole, all else passes."""

    def __init__(self, send: Send, style: bytes) -> None:
        self.send = send
        self.style = style
        self.start: Message | None = None
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        """The next message of the application."""
        if message["type"] == "http.response.start" and _is_document(message):
            self.start = message
        elif self.start is None or message["type"] != "http.response.body":
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        body = bytes(self.body).replace(_HEAD, self.style + _HEAD, 1)
        headers = MutableHeaders(scope=start)
        headers["content-length"] = str(len(body))
        for name in _VALIDATORS:
            if name in headers:
                del headers[name]
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def _is_document(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and headers.get("content-type", "").startswith("text/html")
        and "content-encoding" not in headers
    )
