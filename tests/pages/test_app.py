"""Starting the app: where its files are, which port it takes, when a browser opens."""

from __future__ import annotations

import socket
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware import Middleware
from starlette.routing import Route

from inspector import app
from inspector.live.gate import Gate
from inspector.live.route import PREFIX
from inspector.ui.chrome import page_file
from inspector.ui.early import EarlyStyle
from inspector.ui.host_guard import HostGuard


@pytest.mark.parametrize("name", ["inspect", "gallery", "rules"])
def test_pages_are_found_and_thin(name: str) -> None:
    code = page_file(name).read_text()
    assert f"from inspector.ui.{name}_page import show" in code
    assert len(code.splitlines()) < 10


def test_a_missing_page_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"lacks elsewhere\.py"):
        page_file("elsewhere")


def test_settings_lie_beside_the_script_and_are_safe() -> None:
    settings = tomllib.loads((app.APP.parent / ".streamlit" / "config.toml").read_text())
    server = settings["server"]
    assert server["address"] == "127.0.0.1"
    assert set(server["allowedHosts"]) == {"localhost", "127.0.0.1", "::1"}
    assert server["enableCORS"] is True
    assert server["enableXsrfProtection"] is True
    assert server["enableStaticServing"] is False
    assert server["fileWatcherType"] == "none"
    assert server["maxUploadSize"] <= 64
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"


def test_another_port_when_the_usual_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(app, "USUAL_PORT", port)
        assert app._free_port() != port


def test_a_browser_opens_once_the_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        app._open_when_up(app.HOST, port)
    assert opened == [f"http://127.0.0.1:{port}"]


def test_run_binds_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[dict[str, object]] = []

    class Fake:
        def __init__(
            self, script: Path, routes: list[Route], middleware: list[Middleware], lifespan: Callable[..., object]
        ) -> None:
            assert script == app.APP
            assert callable(lifespan)
            assert [m.cls for m in middleware] == [HostGuard, EarlyStyle]
            assert middleware[0].kwargs == {"allowed": app.LOOPBACK}
            assert {route.path.split("/")[1] for route in routes} == {PREFIX}

        def run(self, config: dict[str, object]) -> None:
            ran.append(config)

    gate = Gate()
    monkeypatch.setattr("inspector.live.gate.GATE", gate)
    monkeypatch.setattr("inspector.ui.own_streamlit.isolate", lambda: ran.append({"isolated": True}))
    monkeypatch.setattr("streamlit.App", Fake)
    monkeypatch.setattr(sys, "argv", ["harmonylens", "app"])
    app.run(port=4321, open_browser=False)
    assert (gate.served, gate.allowed, gate.starts, gate.is_private) == (True, True, False, True)
    assert gate.reason_not_to_start == ""
    assert ran == [
        {"isolated": True},
        {
            "logger.hideWelcomeMessage": True,
            "server.address": "127.0.0.1",
            "server.port": 4321,
            "server.headless": True,
            "server.allowedHosts": ["localhost", "127.0.0.1", "::1"],
            "server.corsAllowedOrigins": [
                *("https://127.0.0.1", "http://127.0.0.1"),
                *("https://[::1]", "http://[::1]"),
                *("https://localhost", "http://localhost"),
            ],
        },
    ]
    assert sys.argv == [str(app.APP)]


@pytest.mark.parametrize(
    ("options", "is_private"),
    [
        ({}, True),
        ({"allowed": (*app.LOOPBACK, "dev.localhost")}, True),
        ({"expose_to_network": True}, False),
        ({"allowed": (*app.LOOPBACK, "tools.example.org")}, False),
        ({"host": "192.0.2.7", "expose_to_network": True}, False),
    ],
)
@pytest.mark.parametrize(("allow_live", "allow_start"), [(None, False), (True, False), (True, True), (None, True)])
def test_live_generation_is_off_wherever_others_may_reach_the_app(
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    is_private: bool,
    allow_live: bool | None,
    allow_start: bool,
) -> None:
    class Fake:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def run(self, config: dict[str, object]) -> None:
            assert config

    gate = Gate()
    monkeypatch.setattr("inspector.live.gate.GATE", gate)
    monkeypatch.setattr("inspector.ui.own_streamlit.isolate", lambda: None)
    monkeypatch.setattr(app, "_free_port", lambda host, port: port)  # not every host here is this machine's
    monkeypatch.setattr("streamlit.App", Fake)
    monkeypatch.setattr(sys, "argv", ["harmonylens", "app"])
    app.run(port=4321, open_browser=False, allow_live=allow_live, allow_start=allow_start, **options)
    assert (gate.allowed, gate.is_private) == (is_private or bool(allow_live), is_private)
    assert (gate.reason == "") is gate.allowed
    assert (gate.reason_not_to_start == "") is (is_private or bool(allow_live and allow_start))
