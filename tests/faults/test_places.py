"""No home, no name, no cache, no folder, no port: each command works, or says in a sentence what it lacks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from inspector.tokens.cache import cache_dir, spare_dir
from inspector.tokens.vocabulary import vocabulary, vocabulary_file
from tests.browser.conftest import free_port, stop, wait_until_healthy

from .process import CLEAN, run, shell

posix = pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
STRANGER = 54321
"""A number that no list of users has, as containers use them."""

as_stranger = pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root may become another"
)
# What root's own Python needs is read with a capability; nothing is written with it.
BECOME = f"exec setpriv --reuid {STRANGER} --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.txt").write_text(CLEAN)
    return tmp_path


@as_stranger
@pytest.mark.parametrize("env", [{"HOME": None}, {"HOME": "/nonexistent"}], ids=["no home", "a home that is not there"])
def test_a_user_that_nobody_knows(folder: Path, env: dict[str, str | None]) -> None:
    folder.chmod(0o777)
    env = {**env, "TMPDIR": str(folder), "HARMONYLENS_CACHE": None, "XDG_CACHE_HOME": None}
    (folder / "runs.jsonl").write_text(f'{{"id": "a", "role": "assistant", "text": "{CLEAN}"}}\n')
    shell(f'{BECOME} "{sys.executable}" -m inspector scan "$PWD/runs.jsonl"', env=env, cwd=folder).check(0)
    assert not (folder / "~").exists()


@posix
def test_a_cache_that_cannot_be_written(folder: Path) -> None:
    blocked = str(folder / "good.txt" / "cache")
    ran = run("inspect", "good.txt", cwd=folder, env={"HARMONYLENS_CACHE": blocked, "TMPDIR": str(folder / "gone")})
    ran.check(0)
    said = run("releases", "add", "openai-harmony==0.0.1", cwd=folder, env={"HARMONYLENS_CACHE": blocked})
    assert "HARMONYLENS_CACHE" in said.sentence()


class TestVocabulary:
    def nowhere(self) -> Path:
        raise FileNotFoundError(2, "No usable temporary directory found")

    def test_it_is_had_without_any_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = sys.modules["inspector.tokens.vocabulary"]  # the package's attribute of that name is a function
        monkeypatch.setattr(module, "cache_dir", self.nowhere)
        monkeypatch.setattr(module, "spare_dir", self.nowhere)
        assert vocabulary.__wrapped__().decode([200005, 35644]) == "<|channel|>analysis"

    def test_a_damaged_file_is_made_anew(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path))
        file = vocabulary_file()
        whole = file.read_bytes()
        file.write_bytes(whole[:1000])
        assert vocabulary_file().read_bytes() == whole

    def test_a_user_without_a_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HARMONYLENS_CACHE", raising=False)
        for answer in (Path("~/.cache/x"), None):

            def found(*_: object, answer: Path | None = answer, **__: object) -> Path:
                if answer is None:
                    raise RuntimeError("Could not determine home directory.")
                return answer

            monkeypatch.setattr("platformdirs.user_cache_path", found)
            with pytest.raises(FileNotFoundError, match="no home folder"):
                cache_dir()

    @posix
    def test_the_spare_place_needs_no_name_of_the_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("getpass.getuser", lambda: 1 / 0)
        assert spare_dir() == Path(tempfile.gettempdir()) / f"harmonylens-{os.getuid()}"


@posix
def test_a_current_folder_that_is_gone(folder: Path) -> None:
    (folder / "gone").mkdir()
    line = f'cd gone && rmdir ../gone && harmonylens export "{folder}/good.txt" --format json --out x.json'
    assert "x.json cannot be written" in shell(line, cwd=folder).sentence()


@posix
def test_the_app_needs_no_current_folder(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    port, log = free_port(), tmp_path / "log.txt"
    code = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    asked = ["-P", "-m", "inspector", "app", "--no-browser", "--port", str(port)]
    with log.open("wb") as out:
        app = subprocess.Popen([sys.executable, "-c", code, *asked], cwd=gone, stdout=out, stderr=out)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", app, log)
    finally:
        stop(app)
    assert log.read_text().split("\n")[:3] == ["", f"  harmonylens is at http://127.0.0.1:{port} (Ctrl-C ends it)", ""]
    assert "Streamlit" not in log.read_text()


def test_a_port_that_is_taken() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = run("app", "--no-browser", "--port", port).sentence()
    assert f"Port {port} of 127.0.0.1 is taken: give another with --port" in said


def test_an_address_that_is_not_here() -> None:
    from inspector.app import PortError, _free_port

    with pytest.raises(PortError, match=r"192\.0\.2\.1 is no address of this machine"):
        _free_port("192.0.2.1")
    assert _free_port() > 0
