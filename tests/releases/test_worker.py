"""The worker: whatever the library does in it, the caller gets a value, and the next call works."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.harmony.message import Message
from inspector.harmony.verdict import Dialect
from inspector.releases import NativePool, NativeWorker, Release, available, header_length, native

RELEASE = next(release for release in available() if release.found == "environment")
CALL = (200005, 12606, 815, 316, 28, 44580, 3700, 220, 200003, 4108, 200008, 12083, 200012)
SLOW = (9050,) * 100_000
"""No message marker: the library needs seconds for it."""


@pytest.fixture
def worker() -> Iterator[NativeWorker]:
    with NativeWorker() as worker:
        yield worker


def gone(pid: int) -> bool:
    """True when no such process exists, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_messages_come_back(worker: NativeWorker) -> None:
    result = worker.parse(RELEASE, CALL)
    assert (result.status, result.answered, result.reason) == ("ok", True, "")
    assert result.messages == (Message("assistant", "{}", None, "commentary", "functions.x", "<|constrain|>json"),)


def test_a_release_may_be_named(worker: NativeWorker) -> None:
    assert worker.parse(RELEASE.title, CALL).messages == worker.parse(RELEASE, CALL).messages


def test_errors_come_back_to_the_letter(worker: NativeWorker) -> None:
    result = worker.parse(RELEASE, (9050,), None)
    assert (result.status, result.answered) == ("raised", True)
    assert result.error == "Unexpected token 9050 while expecting start token 200006"
    assert result.reason == f"{RELEASE.title} raised: {result.error}"
    assert (result.token, result.messages) == (None, ())


def test_the_token_is_found_when_asked_for(worker: NativeWorker) -> None:
    result = worker.parse(RELEASE, (*CALL, 9050, 9050), locate=True)
    assert result.token == len(CALL)
    assert [message.content for message in result.messages] == ["{}"]
    assert worker.parse(RELEASE, (200005,), locate=True).token == 1


def test_what_no_verdict_is(worker: NativeWorker) -> None:
    """Ids beyond 32 bits are refused before parsing: an answer, but not one of the parser."""
    for ids in ((-1,), (2**32,), (10**40,)):
        result = worker.parse(RELEASE, ids)
        assert (result.status, result.answered, result.error) == ("raised", False, None)
        assert "OverflowError" in result.reason


def test_lenient_parsing(worker: NativeWorker) -> None:
    ids = (200005, 17196, 200007)
    assert worker.parse(RELEASE, ids).status == "raised"
    assert [m.channel for m in worker.parse(RELEASE, ids, strict=False).messages] == ["final"]


def test_a_conversation_is_rendered(worker: NativeWorker) -> None:
    (message,) = worker.parse(RELEASE, CALL).messages
    start, assistant = 200006, 173781
    assert worker.render(RELEASE, [message]).ids == (start, assistant, *CALL, start, assistant)
    assert worker.render(RELEASE, [message.record()], next_role=None).ids == (start, assistant, *CALL)
    assert worker.render_message(RELEASE, message).ids == (start, assistant, *CALL)
    assert worker.render(RELEASE, [], next_role="user").ids == (start, 1428)


def test_analysis_is_dropped_when_asked(worker: NativeWorker) -> None:
    messages = [Message("assistant", "Hm.", channel="analysis"), Message("assistant", "Hi", channel="final")]
    short = worker.render(RELEASE, messages).ids
    long = worker.render(RELEASE, messages, auto_drop_analysis=False).ids
    assert len(short) < len(long)
    assert 35644 in long
    assert 35644 not in short


def test_rendering_errors_are_values(worker: NativeWorker) -> None:
    result = worker.render(RELEASE, [Message("assistant", "\ud800")])
    assert (result.status, result.answered) == ("raised", False)
    assert "ValueError" in result.reason


def test_a_late_answer_costs_the_worker_not_the_caller(worker: NativeWorker) -> None:
    worker.load(RELEASE)
    pid = worker.pid
    assert pid is not None
    began = time.monotonic()
    result = worker.parse(RELEASE, SLOW, deadline=0.3)
    assert (result.status, result.answered) == ("timeout", False)
    assert "no answer within 0.3 s" in result.reason
    assert time.monotonic() - began < 3
    assert gone(pid)
    assert worker.parse(RELEASE, CALL).ok


def test_a_panic_is_a_crash(worker: NativeWorker) -> None:
    """More than a million line breaks: the library's encoder overflows its stack and panics."""
    result = worker.render_message(RELEASE, Message("assistant", "\n" * 1_100_000))
    assert (result.status, result.answered) == ("crashed", False)
    assert "PanicException" in result.reason
    assert worker.pid is None
    assert worker.parse(RELEASE, CALL).ok


def test_a_killed_worker_is_replaced(worker: NativeWorker) -> None:
    worker.load(RELEASE)
    pid = worker.pid
    assert pid is not None
    killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    killer.start()
    result = worker.parse(RELEASE, SLOW, deadline=30)
    assert (result.status, result.answered) == ("crashed", False)
    assert result.reason == f"{RELEASE.title} gave no answer: the worker process ended (signal 9)."
    assert worker.parse(RELEASE, CALL).ok
    assert worker.pid != pid


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_stopped_worker_is_replaced(worker: NativeWorker) -> None:
    """It reads nothing: a request that is larger than the pipe must not block for ever."""
    worker.load(RELEASE)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    assert worker.parse(RELEASE, (200008, *SLOW), deadline=0.5).status == "timeout"
    assert worker.parse(RELEASE, CALL).ok


def test_long_headers_are_not_sent(worker: NativeWorker) -> None:
    result = worker.parse(RELEASE, (9050,) * 200_001)
    assert (result.status, result.answered) == ("skipped", False)
    assert "200,001 tokens would be read as headers" in result.reason
    assert worker.pid is None


def test_releases_that_are_not_here(worker: NativeWorker) -> None:
    result = worker.parse("openai-harmony 0.0.1", CALL)
    assert result.status == "unavailable"
    assert result.reason == (
        "openai-harmony 0.0.1 is not on this machine: run `harmonylens releases add openai-harmony==0.0.1`."
    )
    assert worker.parse("rubbish", CALL).status == "unavailable"
    nowhere = Release("oss-harmony", "0.0.99", Dialect.ALL_CHANNELS, Path("/nonexistent"), "cache")
    assert worker.parse(nowhere, CALL).reason.startswith("oss-harmony 0.0.99 cannot be loaded: ")


def test_threads_may_share_a_worker(worker: NativeWorker) -> None:
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append((n, worker.parse(RELEASE, (200008, *[9050] * n)))))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for n, _ in results) == list(range(20))
    assert all(result.messages[0].content == "Run" * n for n, result in results)


def test_closing_ends_a_call_that_is_under_way() -> None:
    worker = NativeWorker()
    worker.load(RELEASE)
    pid = worker.pid
    assert pid is not None
    box: list[str] = []
    thread = threading.Thread(target=lambda: box.append(worker.parse(RELEASE, SLOW, deadline=60).status))
    thread.start()
    while not worker._lock.locked():
        assert thread.is_alive()
    began = time.monotonic()
    worker.close()
    thread.join()
    assert time.monotonic() - began < 5
    assert box == ["crashed"]
    assert worker.pid is None
    assert gone(pid)


def test_a_pool_keeps_its_workers_warm() -> None:
    pool = NativePool(2)
    with pool.worker() as first:
        first.load(RELEASE)
        with pool.worker() as second:
            assert second is not first
    with pool.worker() as again:
        assert again is first
        pid = first.pid
    pool.close()
    assert pid is not None
    assert gone(pid)


def test_the_shared_pool_is_one() -> None:
    assert native() is native()


_PROGRAM = """
import sys, threading
from inspector.releases import available, native
release = next(r for r in available() if r.found == "environment")
with native().worker() as worker:
    worker.load(release)
    print(worker.pid, flush=True)
    if sys.argv[1] == "busy":
        threading.Thread(
            target=worker.parse, args=(release, (9050,) * 100_000), kwargs={"deadline": 60.0}, daemon=True
        ).start()
    if sys.argv[1] == "wait":
        sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["done", "busy"])
def test_a_worker_ends_with_its_parent(how: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, timeout=60, check=True)
    assert gone(int(done.stdout))
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system cannot await the end of a grandchild")
def test_a_worker_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([handle], [], [], 30)
        assert ended, "the worker outlived its parent"
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("ids", "role", "length"),
    [
        ((), None, 0),
        ((), "assistant", 0),
        (CALL, "assistant", 11),
        (CALL, None, 0),
        ((200006, 173781, *CALL, 200006, 9050), None, 15),
        ((200006, 200008, 9050, 200006, 200007, 9050, 200006), None, 2),
    ],
)
def test_header_length(ids: tuple[int, ...], role: str | None, length: int) -> None:
    assert header_length(ids, role) == length


def test_the_worker_imports_nothing_of_ours() -> None:
    """It starts in a tenth of a second, and nothing of the engine is in the process that may crash."""
    from inspector.releases import serve

    source = Path(serve.__file__).read_text()
    assert "from ." not in source
    assert "import inspector" not in source
