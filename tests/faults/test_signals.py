"""Ctrl-C, SIGTERM and SIGKILL: nothing is left behind, what came is told, nobody reads a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from .process import COMMAND, Ran, ended, environment, heed_interrupts, records, started, workers_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def begun(child: subprocess.Popen[bytes], lines: int) -> bytes:
    """The first lines of its output: so far it has come."""
    assert child.stdout is not None
    return b"".join(child.stdout.readline() for _ in range(lines))


def fed(child: subprocess.Popen[bytes], data: bytes) -> None:
    assert child.stdin is not None
    child.stdin.write(data)
    child.stdin.flush()


def counted(ran: Ran) -> int:
    """How many transcripts the histogram counts."""
    (line,) = [line for line in ran.out.splitlines() if " transcripts, " in line]
    return int(line.split()[0].replace(",", ""))


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_scan_that_is_ended_tells_what_came(jobs: int, number: int, code: int, word: str) -> None:
    """And no worker of it is left: its output ends only when nobody has it any more."""
    child = started("scan", "--jobs", jobs, "-")
    fed(child, records(200))
    head = begun(child, 64)
    child.send_signal(number)
    ran = ended(child, head).check(code)
    results = [line for line in ran.out.splitlines() if line.startswith("standard input line ")]
    assert len(results) == counted(ran) >= 64
    # In order; a batch that a worker was at is missing, one behind it that was done is not.
    numbers = [int(line.split()[3]) for line in results]
    assert numbers == sorted(set(numbers))
    assert f"harmonylens: {word} after {len(results)} records; the others are left out.\n" == ran.err


def test_a_record_is_written_whole_or_not_at_all() -> None:
    child = started("scan", "--format", "jsonl", "-")
    fed(child, records(200))
    head = begun(child, 3)
    child.send_signal(signal.SIGTERM)
    ran = ended(child, head).check(143)
    assert ran.out.endswith("}\n")
    assert f"{len(ran.out.splitlines())} transcripts, " in ran.err


def test_no_worker_outlives_a_scan_that_is_killed() -> None:
    child = started("scan", "--jobs", "2", "-")
    fed(child, records(200))
    begun(child, 1)
    child.kill()
    # Comes back only when nobody has its output any more.
    assert "Traceback" not in ended(child).err


def test_workers_that_are_just_starting_end_with_their_scan(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_bytes(records(3000))
    child = started("scan", "--jobs", "4", "--summary", tmp_path / "runs.jsonl")
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.4)
    child.kill()
    ended(child)


@linux
def test_a_worker_that_is_killed_costs_nothing() -> None:
    child = started("scan", "--jobs", "2", "-")
    fed(child, records(400))
    head = begun(child, 64)
    victim = workers_of(child)[0]
    os.kill(victim, signal.SIGKILL)
    ran = ended(child, head).check(1)
    assert counted(ran) == 400
    assert "unreadable" not in ran.out


@linux
def test_an_interrupt_from_the_terminal_reaches_workers_too() -> None:
    """The whole group of processes gets it, and only the command says something."""
    child = subprocess.Popen(
        [*COMMAND, "scan", "--jobs", "2", "-"],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=heed_interrupts,
        start_new_session=True,
    )
    fed(child, records(200))
    head = begun(child, 1)
    os.killpg(child.pid, signal.SIGINT)
    ran = ended(child, head).check(130)
    assert ran.err.count("\n") == 1, ran.err


def test_two_interrupts_in_a_row() -> None:
    child = started("scan", "--jobs", "2", "-")
    fed(child, records(200))
    head = begun(child, 1)
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)
    ran = ended(child, head)
    assert ran.code in (130, -signal.SIGINT)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("patience", [0.1, 0.4])
def test_a_command_that_is_just_starting(patience: float, number: int, code: int) -> None:
    child = started("inspect", "-")
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=patience)
    child.send_signal(number)
    ran = ended(child)
    # Before Python itself is ready the system ends the process, which shells report alike.
    assert ran.code in (code, -number)
    assert "inspector" not in ran.err, ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_last_sentence_stands_alone(number: int) -> None:
    """No empty line before it: that is for a terminal, which has shown ^C."""
    child = started("inspect", "-")
    fed(child, b"x")
    # It is waiting for the end of its input, or still being loaded.
    assert child.stderr is not None
    with suppress(subprocess.TimeoutExpired):
        child.wait(1)
    child.send_signal(number)
    word, code = ("interrupted", 130) if number == signal.SIGINT else ("terminated", 143)
    ran = ended(child).check(code)
    assert (ran.out, ran.err) == ("", f"harmonylens: {word}.\n")


def test_an_interruption_while_something_is_loaded_loads_nothing_more() -> None:
    """What is half loaded can often not be loaded once more: the sentence does without."""
    code = (
        "import sys\n"
        "from inspector.cli import command\n"
        "def stop(*_, **__): raise KeyboardInterrupt\n"
        "command.cli.main = stop\n"
        "known = set(sys.modules)\n"
        "assert command.main(['rules']) == 130\n"
        "print(sorted(name for name in set(sys.modules) - known if name.startswith(('numpy', 'inspector'))))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[]\n", "harmonylens: interrupted.\n")


def test_ctrl_c_twice_on_the_app_is_no_traceback(tmp_path: Path) -> None:
    child = started("app", "--no-browser", env={"HOME": str(tmp_path)})
    assert child.stdout is not None
    head = b""
    while b"harmonylens is at " not in head:
        line = child.stdout.readline()
        assert line, ended(child, head)
        head += line
    child.send_signal(signal.SIGINT)
    # Between the two it begins to end; whether the second comes before that is done is not for us to say.
    with suppress(subprocess.TimeoutExpired):
        child.wait(0.1)
    child.send_signal(signal.SIGINT)
    ran = ended(child, head)
    # By the time of the second it may have been told, and only the interpreter be left: that ends at once.
    ran.check(ran.code if ran.code == -signal.SIGINT else 130)
    assert ran.err == "harmonylens: interrupted.\n"
