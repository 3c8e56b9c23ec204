"""The server as it is started: this machine only, our settings in force, from any folder."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.browser


def handshake(url: str, host: str, origin: str) -> str:
    """The first line of the answer to a websocket that claims to be for ``host`` and from ``origin``."""
    port = urlsplit(url).port
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(request.encode())
        return connection.recv(4096).decode("latin-1").split("\r\n")[0]


def test_only_this_machine_and_its_own_pages_get_in(app_url: str) -> None:
    own = urlsplit(app_url).netloc
    assert " 101 " in handshake(app_url, own, app_url)
    assert " 403 " in handshake(app_url, own, "http://evil.invalid")
    assert " 403 " in handshake(app_url, "evil.invalid", "http://evil.invalid")


def test_plain_requests_for_another_host_are_refused_and_answers_are_guarded(app_url: str) -> None:
    connection = HTTPConnection(urlsplit(app_url).netloc, timeout=10)
    with closing(connection):
        for host, origin, status in (
            ("evil.invalid", None, 403),
            (None, "http://evil.invalid", 403),
            (None, None, 200),
        ):
            headers = {name: value for name, value in (("Host", host), ("Origin", origin)) if value}
            connection.request("GET", "/", headers=headers)
            said = connection.getresponse()
            said.read()
            assert said.status == status
    assert said.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in said.headers["Content-Security-Policy"]


def test_it_listens_on_loopback_only(app_url: str) -> None:
    port = urlsplit(app_url).port
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with closing(socket.socket()) as probe:
            assert probe.connect_ex((str(address), port)) != 0
    listening = Path("/proc/net/tcp")
    if listening.exists():
        rows = [line.split() for line in listening.read_text().splitlines()[1:]]
        local = {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
        assert local == {"0100007F"}


def test_streamlit_run_from_another_folder(
    root: Path, tmp_path: Path, serve: Callable[[list[str], Path], AbstractContextManager[str]]
) -> None:
    script = str(root / "inspector" / "app.py")
    # The script itself must find the package and its settings.
    with serve(["-m", "streamlit", "run", script, "--server.port", "{port}"], tmp_path) as url:
        assert " 101 " in handshake(url, urlsplit(url).netloc, url)
        assert " 403 " in handshake(url, "evil.invalid", "http://evil.invalid")


def answer(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> int:
    """The status of the answer to one request."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_uploads_need_the_token_and_have_a_cap(app_url: str) -> None:
    path = "/_stcore/upload_file/00000000-0000-0000-0000-000000000000/1"
    assert answer(app_url, "PUT", path, b"x") == 403
    cookie = {"Cookie": "_streamlit_xsrf=2|00000000|00|0", "X-Xsrftoken": "2|11111111|22|1"}
    assert answer(app_url, "PUT", path, b"x", **cookie) == 403


def test_no_file_of_the_machine_is_served(app_url: str) -> None:
    for path in ("/app/static/app.py", "/static/../app.py", "/static/%2e%2e/%2e%2e/app.py", "/.streamlit/config.toml"):
        connection = HTTPConnection(urlsplit(app_url).netloc, timeout=10)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        assert b"st.set_page_config" not in body
        assert b"enableXsrfProtection" not in body


def test_another_name_only_when_it_is_allowed(
    tmp_path: Path, serve: Callable[[list[str], Path], AbstractContextManager[str]]
) -> None:
    code = (
        "from inspector.app import LOOPBACK, run; "
        "run(port={port}, open_browser=False, allowed=(*LOOPBACK, 'tools.example.org'))"
    )
    with serve(["-c", code], tmp_path) as url:
        assert " 101 " in handshake(url, "tools.example.org", "http://tools.example.org")
        assert " 101 " in handshake(url, urlsplit(url).netloc, url)
        assert " 403 " in handshake(url, "evil.invalid", "http://evil.invalid")
        assert " 403 " in handshake(url, "tools.example.org", "http://evil.invalid")


def test_the_document_brings_the_style_of_the_page(app_url: str) -> None:
    connection = HTTPConnection(urlsplit(app_url).netloc, timeout=10)
    with closing(connection):
        for path in ("/", "/gallery"):
            connection.request("GET", path, headers={"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, br"})
            said = connection.getresponse()
            assert said.status == 200
            assert ".st-key-pages" in said.read().decode().partition("</head>")[0]
