"""Work in a process that can be killed: what is done when it takes too long, too much, or dies; and who waits."""

from __future__ import annotations

import faulthandler
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from inspector.isolation import CutOff, Limits, Pool, Reason

SMALL = Limits(memory=2**28, answer=2**20, patience=30.0)
SOON = 60.0
"""A deadline that nothing here reaches."""


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(2, SMALL)
    yield made
    made.close()


def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so; nothing tells us when another process has ended or begun."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_a_value_comes_back_and_the_process_stays(pool: Pool) -> None:
    assert pool.call("a", operator.add, SOON, None, (1, 2), (3,)) == (1, 2, 3)
    assert pool.call("a", os.getpid, SOON, None) == pool.call("a", os.getpid, SOON, None) != os.getpid()
    assert len(pool.pids) == 1, "a second one is started when it is needed"


def test_an_exception_is_raised_here_with_the_place_where_it_was_raised(pool: Pool) -> None:
    with pytest.raises(ValueError, match="invalid literal for int") as caught:
        pool.call("a", int, SOON, None, "seven")
    assert "In the worker process" in "".join(caught.value.__notes__)
    assert pool.call("a", int, SOON, None, "7") == 7


def test_an_exception_that_does_not_travel_is_told_in_words(pool: Pool) -> None:
    code = "class Own(Exception): pass\nraise Own('of its own')"
    with pytest.raises(RuntimeError, match="Own: of its own"):
        pool.call("a", exec, SOON, None, code, {"__name__": "nowhere"})


def test_the_deadline_kills_and_the_next_request_works(pool: Pool) -> None:
    before = pool.call("a", os.getpid, SOON, None)
    with pytest.raises(CutOff, match="it took more than 1 s") as caught:
        pool.call("a", time.sleep, 0.6, None, SOON)
    assert caught.value.reason is Reason.LATE
    assert not runs(before)
    assert pool.call("a", os.getpid, SOON, None) != before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux holds a process to its memory")
@pytest.mark.parametrize(("function", "args"), [(bytearray, (2**29,)), (list, (range(10**8),)), (len, ("x" * 2**28,))])
def test_the_memory_limit_is_a_sentence_and_the_next_request_works(
    pool: Pool, function: Callable[..., object], args: tuple[object, ...]
) -> None:
    with pytest.raises(CutOff, match="it needed more than 256 MB of memory") as caught:
        pool.call("a", function, SOON, None, *args)
    assert caught.value.reason is Reason.MEMORY
    assert pool.call("a", abs, SOON, None, -1) == 1


def test_an_answer_that_is_too_large_is_not_read(pool: Pool) -> None:
    with pytest.raises(CutOff, match="larger than 1 MB") as caught:
        pool.call("a", bytes, SOON, None, 2**20 + 1)
    assert caught.value.reason is Reason.LARGE
    assert pool.call("a", abs, SOON, None, -1) == 1


@pytest.mark.parametrize(
    ("function", "args", "how"),
    [(os._exit, (3,), "exit status 3"), (faulthandler._sigsegv, (), f"signal {int(signal.SIGSEGV)}")],
)
def test_a_process_that_dies_is_a_sentence(
    pool: Pool, function: Callable[..., object], args: tuple[object, ...], how: str
) -> None:
    with pytest.raises(CutOff, match=how) as caught:
        pool.call("a", function, SOON, None, *args)
    assert caught.value.reason is Reason.CRASHED
    assert pool.call("a", abs, SOON, None, -1) == 1


def test_a_process_that_cannot_be_started_is_a_sentence(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CutOff, match="could not be started") as caught:
        pool.call("a", abs, SOON, None, -1)
    assert caught.value.reason is Reason.CRASHED


def test_a_process_that_ends_while_it_is_prepared_is_a_sentence() -> None:
    pool = Pool(1, SMALL, first=partial(os._exit, 4))
    try:
        with pytest.raises(CutOff, match=r"could not be started \(exit status 4\)"):
            pool.call("a", abs, SOON, None, -1)
    finally:
        pool.close()


def test_a_system_exit_there_ends_nothing_here(pool: Pool) -> None:
    with pytest.raises(CutOff, match="SystemExit"):
        pool.call("a", sys.exit, SOON, None, 1)
    assert pool.call("a", abs, SOON, None, -1) == 1


def test_one_holder_has_one_worker_and_others_do_not_wait_for_it(pool: Pool) -> None:
    released = threading.Event()
    with ThreadPoolExecutor() as threads:
        slow = [
            threads.submit(pool.call, "hostile", time.sleep, SOON, lambda: not released.is_set(), SOON)
            for _ in range(3)
        ]
        until(lambda: len(pool.pids) == 1)
        pids = {pool.call(f"honest {n}", os.getpid, SOON, None) for n in range(5)}
        assert len(pids) == 1, "of the two workers the hostile one has one"
        assert not any(future.done() for future in slow)
        released.set()
        for future in slow:
            with pytest.raises(CutOff) as caught:
                future.result(SOON)
            assert caught.value.reason is Reason.LEFT


def test_once_one_was_killed_all_are_kept_running(pool: Pool) -> None:
    pid = pool.call("a", os.getpid, SOON, None)
    assert pool.pids == [pid]
    with pytest.raises(CutOff):
        pool.call("a", time.sleep, 0.6, None, SOON)
    until(lambda: len(pool.pids) == 2)
    assert pid not in pool.pids


def test_after_close_nothing_starts_by_itself_and_all_works_again(pool: Pool) -> None:
    pool.call("a", abs, SOON, None, -1)
    pool.close()
    assert pool.pids == []
    assert pool.call("a", abs, SOON, None, -1) == 1


def test_who_came_first_is_served_first() -> None:
    pool = Pool(1, SMALL)
    served: list[str] = []
    released = threading.Event()

    def ask(name: str) -> None:
        pool.call(name, abs, SOON, None, -1)
        served.append(name)

    try:
        with ThreadPoolExecutor() as threads:
            first = threads.submit(pool.call, "slow", time.sleep, SOON, lambda: not released.is_set(), SOON)
            until(lambda: bool(pool._holding))
            for number, name in enumerate(("one", "two", "three")):
                threads.submit(ask, name)
                until(lambda count=number + 1: len(pool._line) == count)  # type: ignore[misc]
            released.set()
            assert isinstance(first.exception(SOON), CutOff)
        assert served == ["one", "two", "three"]
    finally:
        pool.close()


def test_who_waits_in_vain_is_told_so() -> None:
    pool = Pool(1, Limits(memory=2**28, patience=0.3))
    released = threading.Event()
    try:
        pool.prepare()
        until(lambda: bool(pool._idle))
        with ThreadPoolExecutor() as threads:
            threads.submit(pool.call, "slow", time.sleep, SOON, lambda: not released.is_set(), SOON)
            until(lambda: bool(pool._holding))
            with pytest.raises(CutOff, match="no free worker") as caught:
                pool.call("other", abs, SOON, None, -1)
            assert caught.value.reason is Reason.BUSY
            assert not pool._line, "nobody is left in the line"
            released.set()
    finally:
        pool.close()


def test_work_that_nobody_waits_for_any_more_ends(pool: Pool) -> None:
    pid = pool.call("a", os.getpid, SOON, None)
    with pytest.raises(CutOff) as caught:
        pool.call("a", time.sleep, SOON, lambda: False, SOON)
    assert caught.value.reason is Reason.LEFT
    assert not runs(pid)


def test_close_ends_what_is_under_way(pool: Pool) -> None:
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(pool.call, "a", time.sleep, SOON, None, SOON)
        until(lambda: bool(pool.pids))
        pids = pool.pids
        until(lambda: bool(pool._holding))
        pool.close()
        assert isinstance(slow.exception(SOON), CutOff)
    assert not any(map(runs, pids))


PARENT = """
import sys, threading, time
from inspector.isolation import Limits, Pool
pool = Pool(2, Limits())
pool.call("a", abs, 60.0, None, -1)
threading.Thread(target=pool.call, args=("a", {busy}, 60.0, None, {arg}), daemon=True).start()
pool.call("b", abs, 60.0, None, -1)
print(*pool.pids, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(("busy", "arg"), [("time.sleep", "600"), ("exec", "'while True: pass'")])
def test_nothing_is_left_when_the_parent_is_killed(root: Path, how: signal.Signals, busy: str, arg: str) -> None:
    code = PARENT.format(busy=busy, arg=arg)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(runs, pids))
        parent.send_signal(how)
        parent.wait(30)
        until(lambda: not any(map(runs, pids)))
