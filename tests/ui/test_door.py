"""Who may come in: the app's own pages, under its own names."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from inspector.app import LOOPBACK, run
from inspector.ui.door import Door


async def nothing(scope: object, receive: object, send: object) -> None:
    """No application: only the door is asked."""


DOOR = Door(nothing, (*LOOPBACK, "tools.example.org"))


@pytest.mark.parametrize(
    ("host", "origin", "in_"),
    [
        ("127.0.0.1:8501", None, True),
        ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
        ("localhost:8501", "http://127.0.0.1:8501", True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("tools.example.org", "https://tools.example.org", True),
        # A proxy that asks in its own name.
        ("127.0.0.1:8501", "https://tools.example.org", True),
        # Pages of other programs on this machine.
        ("127.0.0.1:8501", "http://127.0.0.1:3000", False),
        ("127.0.0.1:8501", "http://localhost", False),
        ("127.0.0.1:8501", "https://localhost:8443", False),
        ("127.0.0.1:8501", "http://127.0.0.1:8501.evil.example", False),
        ("127.0.0.1:8501", "http://127.0.0.1.evil.example:8501", False),
        ("127.0.0.1:8501", "null", False),
        ("127.0.0.1:8501", "", False),
        ("evil.example", None, False),
        ("evil.example", "http://evil.example", False),
        ("", None, False),
    ],
)
def test_only_pages_of_our_own_come_in(host: str, origin: str | None, in_: bool) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert DOOR.lets_in(Headers(headers)) is in_


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "tools.example.org"])
def test_beyond_this_machine_only_when_it_is_meant(host: str) -> None:
    with pytest.raises(ValueError, match="without a login; pass expose_to_network=True"):
        run(host=host, open_browser=False)
