"""Streamlit in a folder that somebody else has filled: what it reads there, whom it asks, what it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspector.ui import own_streamlit

CONFIG = """
[server]
address = "0.0.0.0"
enableCORS = false
enableXsrfProtection = false
enableStaticServing = true
cookieSecret = "known"
trustedUserHeaders = '{"X-User" = "name"}'
[global]
developmentMode = true
[browser]
serverAddress = "evil.invalid"
gatherUsageStats = true
[client]
showErrorDetails = "full"
[secrets]
files = ["SECRETS"]
[theme]
base = "http://evil.invalid/theme.toml"
"""
SECRETS = """
PYTHONPATH = "/evil"
HARMONYLENS_DATABASE_URL = "sqlite:////evil/stolen.db"
[connections.harmonylens]
url = "sqlite:////evil/stolen.db"
[auth]
cookie_secret = "known"
"""

LOOK = """
import json, os, sys
from streamlit import config, git_util
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import is_url_from_allowed_origins
from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed
from inspector.ui.own_streamlit import SETTINGS, isolate

done = []
def hook(event, given):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.", "os.exec")):
        done.append([event, str(given)])
sys.addaudithook(hook)
isolate()
from streamlit.web import bootstrap
bootstrap.load_config_options({"server.port": 4321})
config._main_script_path = str(SETTINGS.parent.parent / "app.py")
bootstrap.prepare_streamlit_environment(config._main_script_path)
origins = ["http://[::1]:4321", "http://evil.invalid", "null", "", "http://localhost.evil.invalid", "file:///etc"]
options = {name: [config.get_where_defined(name), repr(config.get_option(name))] for name in config._config_options}
config.set_option("server.address", "0.0.0.0")
config.set_option("server.headless", True)
bootstrap._print_url(False)
print()
print(json.dumps({
    "options": options,
    "secrets": secrets_singleton.load_if_toml_exists(),
    "environment": dict(os.environ),
    "allowed": [is_url_from_allowed_origins(one) or _is_origin_allowed(one, "localhost:4321") for one in origins],
    "repository": git_util.GitRepo(config._main_script_path).is_valid(),
    "done": done,
}))
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder, which is the person's home as well, with settings and secrets of somebody else's."""
    settings = tmp_path / ".streamlit"
    settings.mkdir()
    (settings / "config.toml").write_text(CONFIG.replace("SECRETS", str(settings / "secrets.toml")))
    (settings / "secrets.toml").write_text(SECRETS)
    return tmp_path


def look(hostile: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HARMONYLENS_")}
    told = subprocess.run(
        [sys.executable, "-P", "-c", LOOK], cwd=hostile, env={**environment, "HOME": str(hostile)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def test_nothing_is_read_asked_or_run(hostile: Path) -> None:
    found = look(hostile)
    assert {where for where, _ in found["options"].values()} <= {
        str(own_streamlit.SETTINGS),
        "<default>",
        "command-line argument or environment variable",
    }
    values = {name: value for name, (_, value) in found["options"].items()}
    assert values["server.enableCORS"] == values["server.enableXsrfProtection"] == "True"
    assert values["server.enableStaticServing"] == values["global.developmentMode"] == "False"
    assert values["browser.gatherUsageStats"] == "False"
    assert values["client.showErrorDetails"] == "'none'"
    assert values["secrets.files"] == "[]"
    assert "known" not in values["server.cookieSecret"]
    assert found["secrets"] is False
    assert not {"PYTHONPATH", "HARMONYLENS_DATABASE_URL"} & set(found["environment"])
    assert found["allowed"] == [False] * 6
    assert found["repository"] is False
    assert found["done"] == []


def test_without_it_all_of_that_happens(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: with nothing replaced, Streamlit does read, ask and run."""
    monkeypatch.setattr(sys.modules[__name__], "LOOK", LOOK.replace("\nisolate()\n", "\n"))
    (hostile / ".streamlit" / "config.toml").write_text("[client]\nshowErrorDetails = 'full'\n")
    found = look(hostile)
    assert str(hostile / ".streamlit" / "config.toml") in {where for where, _ in found["options"].values()}
    assert found["secrets"] is True
    assert found["environment"]["PYTHONPATH"] == "/evil"
    events = {event for event, _ in found["done"]}
    assert {"socket.connect", "socket.getaddrinfo", "subprocess.Popen"} <= events


def test_another_streamlit_is_not_used_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_streamlit, "_REPLACED", {("streamlit.config", "get_settings_of_2030"): lambda: None})
    with pytest.raises(own_streamlit.ForeignSettings, match=r"no streamlit\.config\.get_settings_of_2030"):
        own_streamlit.isolate()


def test_settings_from_elsewhere_end_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_streamlit, "_REPLACED", {})
    monkeypatch.setattr(own_streamlit, "_defined", lambda: {"<default>", "/evil/.streamlit/config.toml"})
    with pytest.raises(own_streamlit.ForeignSettings, match=r"from /evil/\.streamlit/.*, which must not be read"):
        own_streamlit.isolate()
