"""The app as a person starts it, and a Chromium that looks at it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 60


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers; fail with its log when it ends or takes too long."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the app ended with {server.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            # Nothing to wait on but the port itself; the pause is between two looks at it.
            time.sleep(0.1)
    pytest.fail(f"the app did not answer within {START_S} s:\n{log.read_text()}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server that was started here, for certain."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


Serve = Callable[[list[str], Path], AbstractContextManager[str]]
"""Runs Python with these arguments in this folder, ``{port}`` filled in; the address while it serves."""


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Starts a server and stops it."""

    @contextmanager
    def running(arguments: list[str], folder: Path) -> Iterator[str]:
        port = free_port()
        log = folder / "log.txt"
        command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
        with log.open("wb") as out:
            server = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_healthy(url, server, log)
            yield url
        finally:
            stop(server)

    return running


@pytest.fixture(scope="module")
def own_app_url(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with a database of its own: for tests that save samples."""
    folder = tmp_path_factory.mktemp("own")
    code = "from inspector.app import run; run(port={port}, open_browser=False)"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARMONYLENS_DATABASE_URL", f"sqlite:///{folder / 'samples.sqlite3'}")
        with serve(["-c", code], folder) as url:
            yield url


@pytest.fixture(scope="session")
def app_url(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started from a folder that is not the project's."""
    code = "from inspector.app import run; run(port={port}, open_browser=False)"
    with serve(["-c", code], tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all tests."""
    # What is waited for does come; on a busy machine it takes more than the usual five seconds.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield chromium
        chromium.close()


class Watch:
    """What a page did that it should not have: script errors, requests to elsewhere, dialogs."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._requested(request.url))

    def _dialog(self, dialog: object) -> None:
        self.errors.append("a dialog was opened")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _requested(self, url: str) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:|about:", url):
            self.elsewhere.append(url)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at desk width; nothing it runs may fail, and nothing may be fetched from elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    assert watch.errors == []
    assert watch.elsewhere == []


@pytest.fixture(scope="session")
def artifacts(root: Path) -> Path:
    """Where screenshots go, for people to look at."""
    folder = root / "test-artifacts"
    folder.mkdir(exist_ok=True)
    return folder
