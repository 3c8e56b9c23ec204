"""``harmonylens app``: on this machine only, unless a flag says that the risk is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.app import LOOPBACK, address_of, is_loopback

Run = Callable[..., Any]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the app would have been started with."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr("inspector.app.run", lambda **given: found.append(given))
    return found


def test_this_machine_only(run: Run, started: list[dict[str, Any]]) -> None:
    assert run("app", "--port", "4321").code == 0
    assert run().code == 0
    usual = {
        "open_browser": True,
        "host": "127.0.0.1",
        "allowed": LOOPBACK,
        "expose_to_network": False,
        "allow_live": None,
        "allow_start": False,
    }
    assert started == [{"port": 4321, **usual}, {"port": None, **usual}]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "tools.example.org", ""])
def test_another_address_alone_is_refused_and_the_risk_is_named(
    run: Run, started: list[dict[str, Any]], host: str
) -> None:
    ran = run("app", "--host", host, "--allow-host", "tools.example.org")
    assert (ran.code, ran.out, started) == (2, "", [])
    assert "without a login" in ran.err
    assert "--expose-to-network" in ran.err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.5.5.5", "::1", "localhost"])
def test_loopback_needs_no_flag(run: Run, started: list[dict[str, Any]], host: str) -> None:
    ran = run("app", "--host", host, "--allow-host", "dev.localhost")
    assert (ran.code, ran.err) == (0, "")
    assert started[0]["host"] == host
    assert started[0]["allowed"] == (*dict.fromkeys((*LOOPBACK, host, "dev.localhost")),)
    assert is_loopback(host)


def test_exposed_it_says_so_and_names_who_is_served(run: Run, started: list[dict[str, Any]]) -> None:
    ran = run("app", "--host", "0.0.0.0", "--expose-to-network", "--allow-host", "tools.example.org")
    assert ran.code == 0
    assert "without a login" in ran.err
    assert started[0]["allowed"] == (*LOOPBACK, "tools.example.org")
    assert started[0]["open_browser"] is False
    assert run("app", "--host", "192.0.2.7", "--expose-to-network").code == 0
    assert started[1]["allowed"] == (*LOOPBACK, "192.0.2.7")
    assert [options["allow_live"] for options in started] == [None, None]
    assert run("app", "--host", "192.0.2.7", "--expose-to-network", "--allow-live").code == 0
    assert (started[2]["allow_live"], started[2]["allow_start"]) == (True, False)


EXPOSED = ("app", "--host", "192.0.2.7", "--expose-to-network")


def test_what_a_flag_opens_is_said(run: Run, started: list[dict[str, Any]]) -> None:
    assert "--allow-live" not in run(*EXPOSED).err
    ran = run(*EXPOSED, "--allow-live")
    assert "requests to any address that it reaches, in your own network too" in ran.err
    assert "run programs" not in ran.err
    ran = run(*EXPOSED, "--allow-live", "--allow-start")
    assert "requests to any address" in ran.err
    assert "can run programs on this machine, as you" in ran.err
    assert [(one["allow_live"], one["allow_start"]) for one in started] == [(None, False), (True, False), (True, True)]
    said = " ".join(run("app", "--help").out.split())
    assert "sample from servers, at any address that this machine reaches" in said
    assert "lets everyone who reaches the app run programs on this machine" in said


def test_to_start_is_not_meant_without_to_connect(run: Run, started: list[dict[str, Any]]) -> None:
    ran = run(*EXPOSED, "--allow-start")
    assert (ran.code, started) == (2, [])
    assert "--allow-live only" in ran.err


def test_where_nobody_else_is_nothing_is_said(run: Run, started: list[dict[str, Any]]) -> None:
    assert run("app", "--allow-live", "--allow-start").err == ""


def test_behind_a_proxy_it_is_exposed_all_the_same(run: Run, started: list[dict[str, Any]]) -> None:
    ran = run("app", "--expose-to-network", "--allow-host", "tools.example.org")
    assert ran.code == 0
    assert "without a login" in ran.err
    assert "give --host" in ran.err
    assert (started[0]["expose_to_network"], started[0]["open_browser"]) == (True, False)


def test_everywhere_needs_a_name(run: Run, started: list[dict[str, Any]]) -> None:
    ran = run("app", "--host", "0.0.0.0", "--expose-to-network")
    assert (ran.code, started) == (2, [])
    assert "--allow-host" in ran.err


@pytest.mark.parametrize("name", ["*", "", "a b", "http://x.org", "x.org/", "x.org:80", "*.", "-x"])
def test_a_host_is_a_name(run: Run, started: list[dict[str, Any]], name: str) -> None:
    ran = run("app", "--allow-host", name)
    assert (ran.code, started) == (2, [])
    assert "is no name of a host" in ran.err


def test_secrets_that_named_a_database_are_missed(
    run: Run, started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("app").err == ""
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('[connections.other]\nurl = "x"\n')
    assert run("app").err == ""
    secrets.write_text('[connections.harmonyscope]\nurl = "sqlite:///x"\n')
    ran = run("app")
    assert ran.code == 0
    assert "secrets.toml is not read any more" in ran.err
    assert "HARMONYLENS_DATABASE_URL" in ran.err


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("tools.example.org", "http://tools.example.org:80"),
        ("::1", "http://[::1]:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_what_a_browser_on_this_machine_opens(host: str, opened: str) -> None:
    assert address_of(host, 80) == opened
