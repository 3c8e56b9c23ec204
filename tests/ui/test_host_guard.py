"""Who may come in: the app's own pages, under its own names."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import uvicorn
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from inspector.app import LOOPBACK, run
from inspector.ui.host_guard import HostGuard, origins_of


async def nothing(scope: object, receive: object, send: object) -> None:
    """No application: only the guard is asked."""


GUARD = HostGuard(nothing, (*LOOPBACK, "Tools.example.org", "dev.localhost", "192.0.2.7", "2001:DB8:0:0:0:0:0:7"))


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
        # As browsers never write it, and as others may read it.
        ("LOCALHOST:8501", "http://localhost:8501", True),
        ("localhost.:8501", None, False),
        ("tools.example.org.", None, False),
        ("xlocalhost:8501", None, False),
        ("localhostx:8501", None, False),
        ("localhost.evil.example:8501", None, False),
        ("evil.example.localhost:8501", None, False),
        ("tools.example.org.evil.example", None, False),
        ("evil-tools.example.org", None, False),
        ("example.org", None, False),
        ("evil.example@localhost:8501", None, False),
        ("localhost:8501@evil.example", None, False),
        ("localhost:8501/evil.example", None, False),
        ("localhost/", None, False),
        ("localhost?evil.example", None, False),
        ("localhost#evil.example", None, False),
        ("localhost\\evil.example", None, False),
        ("localhost,evil.example", None, False),
        ("localhost evil.example", None, False),
        (" localhost", None, False),
        ("localhost\t", None, False),
        ("localhost:", None, False),
        ("localhost:0x50", None, False),
        ("localhost:+80", None, False),
        ("localhost:65536", None, False),
        ("localhost:8501:8501", None, False),
        ("localhost%00", None, False),
        ("http://localhost:8501", None, False),
        ("//localhost:8501", None, False),
        ("::1", None, False),
        ("::1:8501", None, False),
        ("[::1%25eth0]:8501", None, False),
        ("[::1%eth0]:8501", None, False),
        ("[::1]evil.example", None, False),
        ("[::1].evil.example:8501", None, False),
        ("[[::1]]", None, False),
        ("[localhost]", None, False),
        ("[127.0.0.1]", None, False),
        ("[0:0:0:0:0:0:0:1]:8501", None, False),
        ("[::ffff:127.0.0.1]:8501", None, False),
        ("127.1:8501", None, False),
        ("0x7f.0.0.1:8501", None, False),
        ("2130706433:8501", None, False),
        ("127.0.0.1.:8501", None, False),
        ("127.0.0.1:8501", "http://127.0.0.1:8501/", False),
        ("127.0.0.1:8501", "http://evil.example@127.0.0.1:8501", False),
        ("127.0.0.1:8501", "http://127.0.0.1:8501 http://evil.example", False),
        ("127.0.0.1:8501", "http://127.0.0.1:8501@evil.example", False),
        ("127.0.0.1:8501", "http://evil.example#http://127.0.0.1:8501", False),
        ("127.0.0.1:8501", "//127.0.0.1:8501", False),
        ("127.0.0.1:8501", "127.0.0.1:8501", False),
        ("127.0.0.1:8501", "file://127.0.0.1:8501", False),
        ("127.0.0.1:8501", "chrome-extension://127.0.0.1:8501", False),
        ("127.0.0.1:8501", "https://tools.example.org.", False),
        ("127.0.0.1:8501", "https://tools.example.org.evil.example", False),
        ("127.0.0.1:8501", "https://x.tools.example.org", False),
        # Another program, at another port of the machine that goes by an allowed name.
        ("tools.example.org:8501", "http://tools.example.org:3000", False),
        ("tools.example.org", "https://tools.example.org:8443", False),
        ("dev.localhost:8501", "http://dev.localhost:8501", True),
        ("127.0.0.1:8501", "http://dev.localhost:3000", False),
        ("192.0.2.7:8501", "http://192.0.2.7:8501", True),
        ("192.0.2.7:8501", "http://192.0.2.7:3000", False),
        ("[2001:db8::7]:8501", "http://[2001:db8::7]:8501", True),
    ],
)
def test_only_pages_of_our_own_come_in(host: str, origin: str | None, in_: bool) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    assert GUARD.lets_in(Headers(headers)) is in_


def test_a_header_that_is_said_twice_says_nothing() -> None:
    ours, origin = (b"host", b"localhost:8501"), (b"origin", b"http://localhost:8501")
    assert GUARD.lets_in(Headers(raw=[ours, origin]))
    for more in (ours, origin, (b"host", b"evil.example"), (b"origin", b"http://evil.example")):
        assert not GUARD.lets_in(Headers(raw=[ours, origin, more]))
        assert not GUARD.lets_in(Headers(raw=[more, ours, origin]))
    assert not GUARD.lets_in(Headers(raw=[]))


PARSERS = [name for name in ("h11", "httptools") if find_spec(name) is not None]


@pytest.fixture(scope="module", params=PARSERS)
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Of a server with the guard, with each of the parsers that uvicorn may use and that are installed."""
    served = HostGuard(PlainTextResponse("in"), LOOPBACK)
    config = uvicorn.Config(served, http=request.param, lifespan="off", log_level="critical")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(
    ("heads", "status"),
    [
        (["Host: localhost"], {200}),
        (["Host: localhost", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"], {200}),
        (["Host: evil.example"], {403}),
        (["Host: localhost", "Host: evil.example"], {400, 403}),
        (["Host: evil.example", "Host: localhost"], {400, 403}),
        (["Host: localhost", "Host: localhost"], {400, 403}),
        (["Host: localhost", "X: y", "hOsT: evil.example"], {400, 403}),
        (["Host: localhost", "Host : evil.example"], {400, 403}),
        (["Host: localhost", " evil.example"], {400, 403}),
        (["Host: localhost, evil.example"], {400, 403}),
        (["Host:"], {400, 403}),
        ([], {400, 403}),
    ],
)
def test_hosts_as_they_come_over_the_wire(port: int, heads: list[str], status: set[int]) -> None:
    asked = "\r\n".join(["GET / HTTP/1.1", *heads, "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(asked.encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert int(answer.split()[1]) in status, answer


def test_origins_are_written_as_browsers_write_them() -> None:
    assert origins_of(["Tools.example.org", "[::1]"]) == [
        "https://[::1]",
        "http://[::1]",
        "https://tools.example.org",
        "http://tools.example.org",
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "tools.example.org"])
def test_beyond_this_machine_only_when_it_is_meant(host: str) -> None:
    with pytest.raises(ValueError, match="without a login; pass expose_to_network=True"):
        run(host=host, open_browser=False)
