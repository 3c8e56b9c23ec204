"""Stands between the app and a server that it has started, so that the server never outlives it.

Run as a file, with the standard library only: ``python -I -S launcher_child.py GRACE_S FD COMMAND...``. It starts the
command in a process group of its own, writes its process id to the descriptor FD, and ends the whole group when the
app asks for it (by closing standard input), when the app is gone (however it ended: standard input closes too), when
it is itself terminated, or when the command has ended and left children behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

NICE = "HARMONYLENS_NICE"
"""The environment variable that says how far the command steps back behind other processes, see nice(1)."""

_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In the new process: be terminated when the parent dies. Linux only; elsewhere the parent must not be killed."""
    os.nice(int(os.environ.get(NICE, "0")))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Permission is refused (by macOS) where only zombies are left.
        os.killpg(group, number)


def _parent_handle() -> int | None:
    """A descriptor that becomes readable when the app dies: a forked child of the app may hold our input open."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(os.getppid())
    except OSError:
        return None


def main(arguments: list[str]) -> int:
    """Start the command, wait for its end or the app's. The exit status is the command's: 128 + n for a signal n."""
    grace_s, report, command = float(arguments[0]), int(arguments[1]), arguments[2:]
    app = _parent_handle()
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent, close_fds=True
    )
    os.write(report, b"%d\n" % child.pid)
    os.close(report)
    watched = [0, wake, *([app] if app is not None else [])]
    while child.poll() is None:
        ready, _, _ = select.select(watched, [], [])
        numbers = os.read(wake, 4096) if wake in ready else b""
        if 0 in ready or app in ready or signal.SIGTERM in numbers or signal.SIGINT in numbers:
            _signal_group(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(grace_s)
            break
    _signal_group(child.pid, signal.SIGKILL)
    status = child.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
