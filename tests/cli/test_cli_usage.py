"""Bad usage and bad input: one sentence on standard error, exit code 2, never a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inspector.cli import input as cli_input

COMMAND = [sys.executable, "-m", "inspector"]

Run = Callable[..., Any]


def one_sentence(ran: Any) -> str:
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("harmonylens: ")
    assert ran.err.count("\n") == 1
    assert ran.err.endswith((".\n", "?\n"))
    return str(ran.err)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["inspect"], "Missing argument 'FILE|-'"),
        (["inspect", "-x", "f"], "No such option"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["inspect", "-", "--format", "xml"], "'xml' is not one of"),
        (["inspect", "-", "--role", "king"], "'king' is not one of"),
        (["inspect", "-", "--choose", "HS201"], "expected KEY=N"),
        (["inspect", "-", "--choose", "=1"], "expected KEY=N"),
        (["inspect", "-", "--tools", "@/does/not/exist.json"], "/does/not/exist.json does not exist"),
        (["app", "--port", "0"], "0 is not in the range"),
    ],
)
def test_bad_usage(run: Run, args: list[str], said: str) -> None:
    assert said in one_sentence(run(*args, stdin="x"))


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    assert "gone.txt does not exist" in one_sentence(run("inspect", tmp_path / "gone.txt"))


def test_a_folder(run: Run, tmp_path: Path) -> None:
    assert "is a folder" in one_sentence(run("inspect", tmp_path))


def test_a_name_that_no_file_can_have(run: Run) -> None:
    assert "cannot be read" in one_sentence(run("inspect", "a\0b"))


def test_a_hostile_name_stays_a_name(run: Run) -> None:
    assert "\x1b" not in one_sentence(run("inspect", "\x1b[2Jgone"))


def test_a_file_that_may_not_be_read(run: Run) -> None:
    # Root may read everything, but nobody can open a name that is too long.
    assert "cannot be read: File name too long" in one_sentence(run("inspect", "a" * 5000))


@pytest.mark.parametrize("data", [b"\x7fELF\0\0\xff\xfe", b"\x89PNG\r\n\x1a\n\0\0", b"\x80\x04\x95\0\0"])
def test_a_binary_file(run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "data.bin").write_bytes(data)
    assert "is a binary file" in one_sentence(run("inspect", tmp_path / "data.bin"))


def test_empty_standard_input(run: Run) -> None:
    assert "standard input is empty" in one_sentence(run("inspect", "-"))


@pytest.mark.parametrize("through", ["file", "stdin"])
def test_a_huge_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: str) -> None:
    monkeypatch.setattr(cli_input, "MAX_BYTES", 1000)
    if through == "file":
        (tmp_path / "huge").write_bytes(b"x" * 1001)
        ran = run("inspect", tmp_path / "huge")
    else:
        ran = run("inspect", "-", stdin=b"x" * 1001)
    assert "use `harmonylens scan`" in one_sentence(ran)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('["bash", "python", "functions.read", "browser.open"]', "bash python read open"),
        ('[{"type": "function", "function": {"name": "bash"}}]', "bash"),
        ('{"tools": [{"name": "bash"}]}', "bash"),
    ],
)
def test_tools_from_a_file(tmp_path: Path, value: str, names: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(value)
    found = cli_input.parse_tools([f"@{path}"])
    assert [name.rsplit(".", 1)[-1] for name in found] == names.split()
    assert "functions.bash" in found


def test_tools_by_name() -> None:
    assert cli_input.parse_tools(["bash, python", "mcp.search,bash"]) == (
        "functions.bash",
        "python",
        "mcp.search",
    )


@pytest.mark.parametrize("value", ["{", "{}", "3", "[3]", '[{"function": {}}]', '[""]'])
def test_tools_that_are_none(tmp_path: Path, value: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(value)
    with pytest.raises(cli_input.InputError, match=r"tools\.json"):
        cli_input.parse_tools([f"@{path}"])


def test_a_defect_gives_a_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: str) -> bytes:
        raise RuntimeError("boom \x1b[2J")

    monkeypatch.delenv("HARMONYLENS_TRACEBACK", raising=False)
    monkeypatch.setattr("inspector.cli.inspect.read_bytes", broken)
    said = one_sentence(run("inspect", "-"))
    assert "defect of harmonylens" in said
    assert "RuntimeError: boom" in said
    assert "\x1b" not in said
    monkeypatch.setenv("HARMONYLENS_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="boom"):
        run("inspect", "-")


def test_the_version(run: Run) -> None:
    from importlib.metadata import version

    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"harmonylens {version('harmonylens')}\n")


@pytest.mark.parametrize("command", ["", "inspect", "scan", "rules", "releases", "app"])
def test_help(run: Run, command: str) -> None:
    ran = run(*filter(None, [command]), "--help")
    assert ran.code == 0
    assert f"Usage: harmonylens {command}".strip() in ran.out


def test_an_interrupt_is_no_traceback() -> None:
    """Ctrl-C while a scan waits for more."""
    line = b'{"id": "a", "role": "assistant", "text": "<|channel|>final<|message|>Hi.<|return|>"}\n'
    # Whoever runs the tests in the background of a shell has them ignore the signal, and what they start inherits it.
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*COMMAND, "scan", "-"], **pipes, preexec_fn=heeded) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(line * 2)
        child.stdin.flush()
        assert b"line 1 (a): " in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=30) == 130
        assert child.stderr.read() == b"harmonylens: interrupted after 1 record; the others are left out.\n"


def test_no_arguments_open_the_app(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspector.app as module

    calls: list[dict[str, object]] = []
    monkeypatch.setattr(module, "run", lambda **options: calls.append(options))
    assert run().code == 0
    assert run("app", "--port", "8123", "--no-browser").code == 0
    usual = {"host": module.HOST, "allowed": module.LOOPBACK, "expose_to_network": False, "allow_live": None,
             "allow_start": False}  # fmt: skip
    assert calls == [{"port": None, "open_browser": True, **usual}, {"port": 8123, "open_browser": False, **usual}]
