"""The app started in a folder that somebody else has filled, in every way that it is started: nothing of it counts.

Each file there that could be imported or run leaves a mark. The environment is a person's own; the folder is not.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from .conftest import free_port, stop, wait_until_healthy

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]

OTHERS = (
    "streamlit", "click", "numpy", "tiktoken", "platformdirs", "rich", "regex", "sqlalchemy", "httpx", "starlette",
    "pip", "openai_harmony", "pydantic", "pydantic_core", "pages", "samples", "harmony", "ui", "live",
)  # fmt: skip
"""Modules that we, our libraries or our children import."""

PYTHONS = (
    "sitecustomize",
    "usercustomize",
    "json",
    "typing",
    "struct",
    "signal",
    "pathlib",
    "multiprocessing",
    "runpy",
)

CONFIG = """
[server]
address = "0.0.0.0"
port = 1
baseUrlPath = "elsewhere"
enableCORS = false
enableXsrfProtection = false
enableStaticServing = true
allowedHosts = ["*"]
sslCertFile = "/nowhere"
[global]
developmentMode = true
[client]
showErrorDetails = "full"
[browser]
serverAddress = "evil.invalid"
gatherUsageStats = true
[theme]
base = "http://evil.invalid/theme.toml"
"""


class Hostile:
    """The folder, what it holds, and what came of it."""

    def __init__(self, tmp_path: Path, modules: Sequence[str]) -> None:
        self.folder, self.home = tmp_path / "hostile", tmp_path / "home"
        self.mark, self.asked = tmp_path / "marks", tmp_path / "asked"
        self.home.mkdir()
        evil = self.folder / "evil"
        evil.mkdir(parents=True)
        for folder in (self.folder, evil):
            for name in modules:
                self._module(folder / f"{name}.py")
        self._write(".streamlit/config.toml", CONFIG)
        stolen = f"sqlite:///{self.folder / 'stolen.db'}"
        self._write(
            ".streamlit/secrets.toml",
            f'PYTHONPATH = "{evil}"\nHARMONYLENS_DATABASE_URL = "{stolen}"\nHARMONYSCOPE_DATABASE_URL = "{stolen}"\n'
            f'HARMONYLENS_CACHE = "{evil}"\nPATH = "{evil}"\n[connections.harmonylens]\nurl = "{stolen}"\n',
        )
        self._write(".env", f"PYTHONPATH={evil}\nHARMONYLENS_DATABASE_URL={stolen}\nSTREAMLIT_SERVER_ADDRESS=0.0.0.0\n")
        self._write("pip.conf", "[global]\nindex-url = http://evil.invalid/simple\n")
        self._write("uv.toml", 'index-url = "http://evil.invalid/simple"\n')
        self._write("pyvenv.cfg", f"home = {evil}\n")
        self._write("static/index.html", "<script>1</script>")
        self._write("pages/evil.py", f"open({str(self.mark)!r}, 'a').write('a page')\n")
        self._write("git", f"#!/bin/sh\necho git >> {self.mark}\n")
        (self.folder / "git").chmod(0o755)
        subprocess.run(["git", "init", "-q", "."], cwd=self.folder, check=True, capture_output=True)
        for key in ("core.fsmonitor", "core.pager", "core.sshCommand"):
            subprocess.run(["git", "config", key, str(self.folder / "git")], cwd=self.folder, check=True)

    def package(self) -> None:
        """A package of our own name, too."""
        self._module(self.folder / "inspector" / "__init__.py")
        self._module(self.folder / "inspector" / "cli.py")

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def _module(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"open({str(self.mark)!r}, 'a').write({file.name!r} + ' was imported\\n')\n")

    @property
    def environment(self) -> dict[str, str]:
        """A person's: a home of their own, nothing set, and a witness of every connection to elsewhere."""
        witness = self.home / "witness"
        witness.mkdir(exist_ok=True)
        (witness / "sitecustomize.py").write_text(
            "import sys\n"
            "def hook(event, given):\n"
            "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
            "        host = given[0] if event == 'socket.getaddrinfo' else given[1]\n"
            "        host = host[0] if isinstance(host, tuple) else host\n"
            "        if host not in ('127.0.0.1', '::1', 'localhost', None, ''):\n"
            f"            with open({str(self.asked)!r}, 'a') as file: print(event, given[1:], file=file)\n"
            "sys.addaudithook(hook)\n"
        )
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("HARMONYLENS_", "PYTHON", "XDG_", "STREAMLIT_"))
        }
        return {**kept, "HOME": str(self.home), "PYTHONPATH": str(witness)}

    @property
    def default_file(self) -> Path:
        """Where samples are saved that nobody named a place for."""
        return self.home / ".local" / "share" / "harmonylens" / "samples.sqlite3"

    @contextmanager
    def serving(self, command: Sequence[str], host: str = "127.0.0.1") -> Iterator[str]:
        port = free_port()
        log = self.home / "log.txt"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [word.format(port=port) for word in command],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        url = f"http://{host}:{port}"
        try:
            wait_until_healthy(url, server, log)
            yield url
        finally:
            stop(server)

    def check(self) -> None:
        """Nothing of the folder ran, and nobody was asked for anything."""
        assert not self.mark.exists(), self.mark.read_text()
        assert not (self.folder / "stolen.db").exists()
        assert not self.asked.exists(), self.asked.read_text()


COMMAND = str(Path(sys.executable).with_name("harmonylens"))
APP = ("app", "--port", "{port}", "--no-browser")
WAYS = {
    "command": (COMMAND, *APP),
    "safe module": (sys.executable, "-P", "-m", "inspector", *APP),
    "module": (sys.executable, "-m", "inspector", *APP),
    # Streamlit has read the folder before it runs a line of ours; flags win over what it has read.
    "streamlit": (
        *(sys.executable, "-P", "-m", "streamlit", "run", str(ROOT / "inspector" / "app.py")),
        *("--server.port", "{port}", "--server.baseUrlPath", "", "--server.sslCertFile", ""),
        *("--global.developmentMode", "false"),
    ),
}


def handshake(url: str, **headers: str) -> int:
    """The status of the answer to a web socket with these headers."""
    asked = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
    }
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("GET", "/_stcore/stream", headers={**asked, **headers})
        return connection.getresponse().status


def answer(url: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        said = connection.getresponse()
        return said.status, dict(said.headers), said.read().decode("utf-8", "replace")


def listening(port: int | None) -> set[str]:
    """The addresses at which this machine listens at a port, as the kernel writes them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        found |= {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
    return found


@pytest.mark.parametrize("way", ["command", "safe module", "module"])
def test_the_app_is_as_it_is_elsewhere(tmp_path: Path, way: str) -> None:
    # `python -m` looks for our own package in the folder first, and for Python's own modules while it does: that is
    # Python's, and -P is against it.
    hostile = Hostile(tmp_path, OTHERS if way == "module" else (*OTHERS, *PYTHONS))
    if way != "module":
        hostile.package()
    with hostile.serving(WAYS[way]) as url:
        assert listening(urlsplit(url).port) == {"0100007F"}
        status, headers, _ = answer(url, "/", Origin=url)
        assert status == 200
        assert "Access-Control-Allow-Origin" not in headers
        assert answer(url, "/", Host="evil.invalid")[0] == 403
        assert "<script>1</script>" not in answer(url, "/app/static/index.html")[2]
        here = f"[::1]:{urlsplit(url).port}"
        for origin in (f"http://{here}", "http://evil.invalid", "null"):
            for path in ("/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b"):
                answer(url, path, Origin=origin, Host=here)
        assert handshake(url, Host=here, Origin=f"http://{here}") == 101
        assert handshake(url, Host=urlsplit(url).netloc, Origin=f"http://{here}") == 101
        assert handshake(url, Host=here, Origin="http://evil.invalid") == 403
    hostile.check()


def test_inspecting_and_saving_there(page: Page, tmp_path: Path) -> None:
    hostile = Hostile(tmp_path, (*OTHERS, *PYTHONS))
    hostile.package()
    with hostile.serving(WAYS["command"]) as url:
        page.goto(url)
        text = "<|channel|>analysis<|channel|>analysis<|message|>Run the tests.<|end|>"
        page.get_by_role("textbox", name="Model output").fill(text)
        page.get_by_role("button", name="Inspect", exact=True).click()
        expect(page.locator(".hero .t").first).to_be_visible()
        # The library itself was asked, in its worker.
        expect(
            page.locator("[data-native='same']").or_(page.get_by_text("the library itself says the same")).first
        ).to_be_attached()
        page.get_by_test_id("stPopover").get_by_role("button", name="Save").click()
        body = page.get_by_test_id("stPopoverBody")
        body.get_by_label("Title").fill("Saved in a strange folder")
        body.get_by_role("button", name="Save", exact=True).click()
        expect(body.get_by_text("Saved as revision 1")).to_be_visible()
        assert page.evaluate("window.isSecureContext")
    hostile.check()
    with closing(sqlite3.connect(hostile.default_file)) as saved:
        assert saved.execute("select title from harmonyscope_revisions").fetchall() == [("Saved in a strange folder",)]
    assert stat.S_IMODE(hostile.default_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(hostile.default_file.parent.stat().st_mode) == 0o700


def test_streamlit_run_shows_nothing_under_settings_of_the_folder(page: Page, tmp_path: Path) -> None:
    hostile = Hostile(tmp_path, (*OTHERS, *PYTHONS))
    hostile.package()
    # It would be asked for before anything of ours runs: docs/security.md says so.
    settings = hostile.folder / ".streamlit" / "config.toml"
    settings.write_text(CONFIG.partition("[theme]")[0])
    with hostile.serving(WAYS["streamlit"]) as url:
        assert listening(urlsplit(url).port) == {"0100007F"}, "our own settings win where both say something"
        page.goto(url)
        expect(page.get_by_text("takes no settings from the folder that it is started in")).to_be_visible()
        expect(page.get_by_role("textbox", name="Model output")).to_have_count(0)
    hostile.check()
    settings.unlink()
    with hostile.serving(WAYS["streamlit"]) as url:
        page.goto(url)
        expect(page.get_by_role("textbox", name="Model output")).to_be_visible()
    # The secrets are still there: our settings name none.
    hostile.check()


def test_the_other_commands_there(tmp_path: Path) -> None:
    hostile = Hostile(tmp_path, (*OTHERS, *PYTHONS))
    hostile.package()
    runs = hostile.home / "runs.jsonl"
    runs.write_text('{"text": "<|channel|>final<|message|>Yes.<|return|>"}\n' * 40)
    for arguments in (("scan", "--jobs", "2", str(runs)), ("inspect", str(runs)), ("releases", "list"), ("rules",)):
        ran = subprocess.run(
            [COMMAND, *arguments],
            cwd=hostile.folder,
            env=hostile.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode in (0, 1), (arguments, ran.stderr)
    # pip runs, and gets as far as to find no index.
    added = subprocess.run(
        [COMMAND, "releases", "add", "openai-harmony==0.0.7"],
        cwd=hostile.folder,
        env={**hostile.environment, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert added.returncode == 2
    assert "No matching distribution found for openai-harmony==0.0.7" in added.stderr
    hostile.check()


def test_exposed_it_asks_nobody_who_it_is(tmp_path: Path) -> None:
    hostile = Hostile(tmp_path, OTHERS)
    command = (COMMAND, *APP, "--host", "127.0.0.2", "--expose-to-network", "--allow-host", "tools.example.org")
    with hostile.serving(command, "127.0.0.2") as url:
        own = urlsplit(url).netloc
        assert handshake(url, Host=own, Origin=url) == 101
        assert handshake(url, Host="tools.example.org", Origin="https://tools.example.org") == 101
        # A proxy that asks in its own name.
        assert handshake(url, Host=own, Origin="https://tools.example.org") == 101
        for origin in ("http://evil.invalid", "http://127.0.0.2:1", "https://tools.example.org.evil.invalid", "null"):
            assert handshake(url, Host=own, Origin=origin) == 403
            assert answer(url, "/_stcore/health", Host=own, Origin=origin)[0] == 403
    hostile.check()
