"""What every room's tests share: repeatable hypothesis, the root, a network out of reach, a Chromium."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# "fixed" draws the same examples every time. HYPOTHESIS_PROFILE=wild explores, for a person at a desk.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("wild", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

_NO_NETWORK = '''"""Loaded by Python at start: any way out of this machine raises."""
import socket

HERE = ("127.0.0.1", "::1", "localhost", None, "")
_connect = socket.socket.connect


def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in HERE:
        raise OSError(f"network use in a test that forbids it: {address}")
    return _connect(self, address)


def getaddrinfo(host, *args, **kwargs):
    if host not in HERE:
        raise OSError(f"name look-up in a test that forbids it: {host}")
    return _getaddrinfo(host, *args, **kwargs)


_getaddrinfo = socket.getaddrinfo
socket.socket.connect = connect
socket.getaddrinfo = getaddrinfo
'''


@pytest.fixture(scope="session", autouse=True)
def saved_samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of the tests' own: a person's saved samples are none of their business."""
    url = f"sqlite:///{tmp_path_factory.mktemp('saved') / 'samples.sqlite3'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARMONYLENS_DATABASE_URL", url)
        yield url


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture
def offline_env(tmp_path: Path) -> dict[str, str]:
    """An environment for a child process in which the network is out of reach and the cache is empty.

    Python's sockets refuse everything but loopback; native code finds proxies that nobody listens on.
    """
    folder = tmp_path / "no_network"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_NO_NETWORK)
    nowhere = "http://127.0.0.1:9"
    env = {k: v for k, v in os.environ.items() if not k.upper().startswith(("TIKTOKEN_", "HARMONYLENS_"))}
    env |= dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), nowhere)
    env |= {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
    env["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    env["HARMONYLENS_DATABASE_URL"] = f"sqlite:///{tmp_path / 'samples.sqlite3'}"
    env["HARMONYLENS_CACHE"] = str(tmp_path / "cache")
    env["TMPDIR"] = str(tmp_path)
    return env


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium for the browser tests. Without one they are skipped at a desk and fail in CI."""
    named = os.environ.get("HARMONYLENS_CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
    )
    if found is None:
        reason = "no Chromium found: install one, or name it in HARMONYLENS_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def pytest_report_header() -> str:
    profile = os.environ.get("HYPOTHESIS_PROFILE", "fixed")
    return f"harmonylens: Python {sys.version.split()[0]}, hypothesis profile {profile}"
