"""The wheel, as a stranger gets it: built, installed with its dependencies, run from another folder.

Building and installing need the package index that pip is set up for; what is installed then runs without a
network. ``-m 'not package'`` leaves these tests out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.package

BROKEN = "<|channel|>analysis<|message|>So.<|end|><|start|>final<|message|>Yes.<|return|>"


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=540, check=False, **options
    )


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, root)
    assert built.returncode == 0, f"pip wheel failed (does pip reach its index?)\n{built.stderr}"
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The ``bin`` folder of a fresh environment that has the wheel and its dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    made = run(sys.executable, "-m", "venv", folder / "venv")
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / "bin" / "python"
    got = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    assert got.returncode == 0, f"pip install failed (does pip reach its index?)\n{got.stderr}"
    yield python.parent
    shutil.rmtree(folder, ignore_errors=True)  # several hundred megabytes


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "some where else"
    folder.mkdir()
    return folder


def test_the_wheel_holds_the_package_and_what_lies_beside_it(wheel, root) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {"inspector/.streamlit/config.toml", "inspector/py.typed"}
    for folder, prefix in (("inspector", ""), ("pages", "inspector/"), ("samples", "inspector/")):
        for path in (root / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.name != ".keep":
                expected.add(prefix + path.relative_to(root).as_posix())
    assert names >= expected, f"missing: {sorted(expected - names)}"
    stray = {n for n in names - expected if ".dist-info/" not in n}
    assert stray == set()
    assert any(n.startswith("inspector/samples/founding/") for n in names)
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_version_and_rules(installed, elsewhere, offline_env) -> None:
    ran = run(installed / "harmonylens", "--version", cwd=elsewhere, env=offline_env)
    assert ran.stdout.startswith("harmonylens "), ran.stderr
    ran = run(installed / "harmonylens", "rules", cwd=elsewhere, env=offline_env)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) > 20


def test_inspect_from_another_folder_without_a_network(installed, elsewhere, offline_env) -> None:
    (elsewhere / "raw.txt").write_text(BROKEN)
    command = [installed / "harmonylens", "inspect", "raw.txt", "--format", "json"]
    ran = run(*command, cwd=elsewhere, env=offline_env)
    assert ran.returncode == 1, ran.stderr
    record = json.loads(ran.stdout)
    verdicts = {v["release"]: v["error"] for v in record["strict"]}
    assert verdicts["openai-harmony 0.0.8"] == "Unknown role: final", "predicted by the model: it is not installed"
    assert [m["content"] for m in record["repaired"]["messages"]] == ["So.", "Yes."]


def test_python_finds_the_samples_of_the_wheel(installed, elsewhere, offline_env) -> None:
    code = "from inspector.gallery import load_samples, samples_folder;print(len(load_samples()), samples_folder())"
    ran = run(installed / "python", "-c", code, cwd=elsewhere, env=offline_env)
    count, folder = ran.stdout.split(" ", 1)
    assert int(count) >= 70
    assert "site-packages" in folder


def test_importing_the_package_loads_no_screen(installed, elsewhere, offline_env) -> None:
    code = "import sys; from inspector import inspect; print('streamlit' in sys.modules)"
    ran = run(installed / "python", "-c", code, cwd=elsewhere, env=offline_env)
    assert ran.stdout.strip() == "False", ran.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(installed, elsewhere, offline_env, tmp_path) -> Iterator[tuple[int, Path]]:
    """The app of the wheel on a free port; its port and its log."""
    port, log = free_port(), tmp_path / "app.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [installed / "harmonylens", "app", "--port", str(port), "--no-browser"],
            cwd=elsewhere,
            env=offline_env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_healthy(server, port, log)
        yield port, log
    finally:
        stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and whatever it started; they are a process group of their own."""
    for kill in (signal.SIGTERM, signal.SIGKILL):
        if server.poll() is not None:
            return
        os.killpg(server.pid, kill)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            continue


def wait_until_healthy(server: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, f"the app ended with {server.returncode}:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                assert answer.read() == b"ok"
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)  # nobody tells when a port begins to listen
    pytest.fail(f"the app did not answer within {seconds} s:\n{log.read_text()}")


def own_addresses() -> list[str]:
    """127.0.0.2, and this machine's address on its network when it has one (no packet is sent)."""
    found = ["127.0.0.2"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return found  # no network at all
        found.append(probe.getsockname()[0])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_the_app_serves_on_loopback_only(served) -> None:
    port, _ = served
    for address in own_addresses():
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), timeout=5).close()


def test_the_app_answers_with_its_page(served) -> None:
    port, log = served
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert answer.status == 200
        assert b"<html" in answer.read().lower()
    assert "Traceback" not in log.read_text()
