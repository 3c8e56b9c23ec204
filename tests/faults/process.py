"""Runs the command as a process of its own, and looks at what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "inspector"]
HEADER = "<|channel|>analysis<|message|>x<|end|><|start|>assistant"
DOUBLE = f"{HEADER}<|channel|>analysis<|channel|>commentary<|message|>I will.<|end|>"
CLEAN = "<|channel|>final<|message|>Hello.<|return|>"
NEVER = ("Traceback", "Exception ignored", "defect of harmonylens", "codec can't")
"""What nobody is to read for a fault that is not the program's."""


@dataclass(frozen=True)
class Ran:
    """What a run left."""

    code: int
    out: str
    err: str

    def check(self, code: int) -> Ran:
        """It ended with ``code`` and without alarm."""
        told = self.out + self.err
        assert not [word for word in NEVER if word in told], told
        assert self.code == code, (self.code, self.err)
        return self

    def sentence(self, code: int = 2) -> str:
        """It ended with ``code`` and one sentence, which this is."""
        self.check(code)
        assert self.err.startswith("harmonylens: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith((".\n", "?\n")), self.err
        return self.err


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's, with changes; None takes a variable away."""
    found: dict[str, str | None] = {**os.environ, "NO_COLOR": "1", **(changes or {})}
    return {name: value for name, value in found.items() if value is not None}


def run(
    *args: object,
    stdin: bytes | str = b"",
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    before: Callable[[], Any] | None = None,
) -> Ran:
    """Run the command to its end; ``before`` runs in the process before the command does."""
    ran = subprocess.run(
        [*COMMAND, *map(str, args)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        preexec_fn=before,
        timeout=60,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace"))


def shell(line: str, *, env: Mapping[str, str | None] | None = None, cwd: Path | None = None) -> Ran:
    """Run a line of a shell, in which ``harmonylens`` is the command; the code is that of the last that failed."""
    # pipefail is bash's; a shell that lacks it would hide the code of the command in a pipe.
    ran = subprocess.run(
        ["bash", "-c", f'set -o pipefail\nharmonylens() {{ "{sys.executable}" -m inspector "$@"; }}\n{line}'],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        timeout=60,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace"))


def heed_interrupts() -> None:
    """For ``before``: whoever runs the tests in the background of a shell has them ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(*args: object, env: Mapping[str, str | None] | None = None) -> subprocess.Popen[bytes]:
    """The command under way, its three streams pipes, without buffers in which something could stay behind."""
    return subprocess.Popen(
        [*COMMAND, *map(str, args)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        preexec_fn=heed_interrupts,
    )


def ended(child: subprocess.Popen[bytes], head: bytes = b"") -> Ran:
    """What it left, once every process that has its output is gone, those that it started among them."""
    try:
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    return Ran(child.returncode, (head + out).decode(errors="replace"), err.decode(errors="replace"))


def records(count: int, text: str = DOUBLE) -> bytes:
    """So many transcript records."""
    return b"".join(
        json.dumps({"id": f"r{number}", "role": "assistant", "text": text}).encode() + b"\n" for number in range(count)
    )


def workers_of(child: subprocess.Popen[bytes]) -> list[int]:
    """The numbers of its worker processes (Linux)."""
    found = []
    for number in Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes():
            found.append(int(number))
    return found
