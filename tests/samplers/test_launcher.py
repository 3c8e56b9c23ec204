"""A server as a child of the app, with a script in the place of vLLM: how it starts, fails, and never outlives us."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers import launcher_log
from inspector.samplers.engine import EngineError
from inspector.samplers.launcher import ServerProcess, checked_options

from ..aio import run as finish

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the ends of processes are watched as Linux lets us"),
]

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import http.server, json, os, signal, subprocess, sys
_, serve, model, *rest = sys.argv
assert serve == "serve" and rest[-4:-1] == ["--host", "127.0.0.1", "--port"], sys.argv
key = os.environ["VLLM_API_KEY"]
assert key not in " ".join(sys.argv)
engine = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"])
print("(APIServer pid=1) INFO 11-26 19:09:05 [api_utils.py:286] non-default args: {'x': 1}", rest, flush=True)
print(f"engine {engine.pid}", os.environ.get("MARK", ""), "\\x1b[31mred\\x1b[0m", "key", key, flush=True)
if model == "fails":
    print("(EngineCore pid=7) ERROR 11-26 19:00:00 [core.py:900] ValueError: No memory is left: take less.")
    print("(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.")
    print("  cleaning up")
    sys.exit(3)
print("Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00]", end="\\r", flush=True)
if model == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if model == "slow":
    print("(EngineCore pid=7) INFO 11-26 19:09:05 [core.py:1] Capturing CUDA graphs", flush=True)
    signal.pause()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.path in ("/health", "/version") or self.headers.get("Authorization") == f"Bearer {key}"
        body = json.dumps({"data": [{"id": model, "owned_by": "vllm"}]} if allowed else {"error": "Unauthorized"})
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(rest[-1])), Handler).serve_forever()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that holds the script where vLLM's command would be."""
    main = tmp_path / "vllm" / "entrypoints" / "cli" / "main.py"
    main.parent.mkdir(parents=True)
    main.write_text(SCRIPT)
    return tmp_path


class Started:
    """Servers that a test has started; they are ended after it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.servers: list[ServerProcess] = []

    def __call__(self, model: str, **options: Any) -> ServerProcess:
        env = {"PYTHONPATH": str(self.path), "MARK": "seen"}
        server = ServerProcess(model, env=env, **{"grace_s": 20.0, **options})
        self.servers.append(server)
        server.start()
        return server


@pytest.fixture
def started(path: Path) -> Iterator[Started]:
    made = Started(path)
    yield made
    for server in made.servers:
        server.stop()


def engine_of(server: ServerProcess) -> int:
    """The child that the script has started, as vLLM starts its engine."""
    return int(next(line.split()[1] for line in server.log if line.startswith("engine ")))


def has_ended(pid: int, limit_s: float = 60.0) -> bool:
    """Whether a process ends within the limit, or has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], limit_s)[0])
    finally:
        os.close(handle)


def test_it_starts_is_ready_and_is_ended_with_its_children(started: Started) -> None:
    server = started("tiny", options=["--max-model-len", "64"])
    server.wait_ready(60)
    assert server.state == "ready"
    assert server.progress == f"Ready at {server.base_url.removeprefix('http://')}."
    log = server.log
    assert "['--max-model-len', '64', '--host', '127.0.0.1', '--port'" in log[0]
    assert "seen red key [API key]" in log[1]
    assert "50% Completed" in log[2]
    pid, engine = server.pid, engine_of(server)
    assert pid is not None
    info = finish(server.connect().check())
    assert [one.id for one in info.models] == ["tiny"]
    server.stop()
    server.stop()
    assert (server.state, server.progress, server.error) == ("ended", "Stopped.", "")
    assert has_ended(pid, 0)
    assert has_ended(engine)
    assert "nothing listens" in finish(server.connect().check()).problem


def test_nobody_else_on_the_machine_uses_it(started: Started) -> None:
    from inspector.samplers.server import VllmServer

    server = started("tiny")
    server.wait_ready(60)
    assert "wants an API key" in finish(VllmServer(server.base_url).check()).problem
    assert server._key not in repr(server) + str(vars(server.connect()))


def test_why_it_failed_is_the_line_that_says_it(started: Started) -> None:
    server = started("fails")
    with pytest.raises(EngineError) as told:
        server.wait_ready(60)
    assert str(told.value) == (
        "vLLM ended with status 3 before it was ready: ValueError: No memory is left: take less (its log says more)."
    )
    assert (server.state, server.error, server.progress) == ("failed", str(told.value), str(told.value))
    assert has_ended(engine_of(server))
    server.stop()
    assert server.state == "failed"


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    server = ServerProcess("tiny", env={"PYTHONPATH": str(tmp_path)})
    server.start()
    with pytest.raises(EngineError, match=r"No module named '?vllm"):
        server.wait_ready(60)


def test_one_that_does_not_end_by_itself_is_killed(started: Started) -> None:
    server = started("stubborn", grace_s=0.2)
    server.wait_ready(60)
    pid = server.pid
    assert pid is not None
    server.stop()
    assert server.state == "ended"
    assert has_ended(pid, 0)


def test_one_that_is_stopped_while_it_starts(started: Started) -> None:
    server = started("slow")
    with pytest.raises(EngineError, match=r"not ready after 0.01 s \(.*\): wait on"):
        server.wait_ready(0.01)
    assert server.state == "starting"
    server.stop()
    with pytest.raises(EngineError, match="was stopped"):
        server.wait_ready(60)


def test_an_event_loop_waits_without_a_thread(started: Started) -> None:
    async def wait(server: ServerProcess) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await server.ready()
        await server.ready()

    async def refused(server: ServerProcess) -> None:
        waiting = asyncio.create_task(server.ready())
        await asyncio.sleep(0)
        await asyncio.to_thread(server.stop)
        with pytest.raises(EngineError, match="was stopped"):
            await waiting

    finish(wait(started("tiny")))
    finish(refused(started("slow")))


def test_one_that_dies_while_it_runs_can_be_had_again_at_the_same_place(started: Started) -> None:
    server = started("tiny")
    server.wait_ready(60)
    engine, connection = server.connect(), engine_of(server)
    with pytest.raises(EngineError, match="is ready: stop it"):
        server.again()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert has_ended(connection)
    server._over.wait(60)
    assert server.state == "failed"
    assert server.error == "vLLM was killed by signal 9 while it ran (its log says more)."
    further = server.again()
    started.servers.append(further)
    further.start()
    further.wait_ready(60)
    assert further.base_url == server.base_url
    assert finish(engine.check()).models[0].id == "tiny"


APP = """
import os, signal, sys
from inspector.samplers.launcher import ServerProcess
server = ServerProcess("tiny", env={"PYTHONPATH": sys.argv[1]}, grace_s=20)
server.start()
server.wait_ready(60)
engine = next(line.split()[1] for line in server.log if line.startswith("engine "))
forked = 0
if sys.argv[2] == "fork":
    forked = os.fork()
    if not forked:
        signal.pause()
print(server.pid, server._keeper.pid, engine, forked, flush=True)
if sys.argv[2] != "exit":
    signal.pause()
"""


@pytest.mark.parametrize("way", ["exit", "kill", "fork", "keeper"])
def test_no_server_outlives_the_app(path: Path, way: str) -> None:
    app = subprocess.Popen([sys.executable, "-c", APP, str(path), way], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert app.stdout is not None
    server, keeper, engine, forked = map(int, app.stdout.readline().split())
    try:
        if way in ("kill", "fork"):
            app.kill()
        elif way == "keeper":
            os.kill(keeper, signal.SIGKILL)
        assert has_ended(server)
        if way != "keeper":
            # The stand-in for vLLM's engine ignores SIGTERM; only the keeper ends it.
            assert has_ended(engine)
            assert has_ended(keeper)
    finally:
        app.kill()
        app.wait()
        app.stdout.close()
        for pid in (engine, forked):
            if pid and not has_ended(pid, 0):
                os.kill(pid, signal.SIGKILL)


def test_a_run_is_one_run() -> None:
    server = ServerProcess("tiny")
    assert server.state == "new"
    with pytest.raises(EngineError, match="no address yet"):
        server.connect()
    server.stop()
    assert (server.state, server.progress) == ("ended", "It was never started.")
    with pytest.raises(EngineError, match="started before"):
        server.start()


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    server = ServerProcess("tiny", python=str(tmp_path / "python"))
    with pytest.raises(EngineError, match="There is no Python at"):
        server.start()
    assert server.state == "new"


@pytest.mark.parametrize("model", ["", "  ", "--help", "a\nb"])
def test_a_model_that_is_none(model: str) -> None:
    with pytest.raises(EngineError, match="no name and no folder"):
        ServerProcess(model)


@pytest.mark.parametrize(
    "option", ["--host", "--host=0.0.0.0", "--port", "--por=1", "--api-key", "--api_key=x", "--uds", "--ssl-keyfile"]
)
def test_options_that_are_ours(option: str) -> None:
    with pytest.raises(EngineError, match="is not yours to give"):
        checked_options(["--enforce-eager", option, "x"])


def test_options_that_are_not() -> None:
    options = ["--logits-processors", "a:B", "--max-model-len=64", "-tp", "2", "--portable", "--hostess"]
    assert checked_options(options) == tuple(options)
    with pytest.raises(EngineError, match="is no text"):
        checked_options(["a\0b"])


LOG = (
    ("W1126 19:09:05.326000 5764 torch/_library/triton.py:53] Triton not available", "importing vLLM"),
    ("(APIServer pid=1) INFO 11-26 19:09:05 [api_utils.py:286] non-default args: {'model': 'x'}", "configuration"),
    ("(APIServer pid=1) INFO 11-26 19:09:23 [model.py:2152] Using max model len 4096", "imports vLLM again"),
    ("(EngineCore pid=2) INFO 11-26 19:09:50 [core.py:133] Initializing a V1 LLM engine (v0.32.0)", "the engine."),
    ("(Worker pid=3) INFO 11-26 19:10:07 [cpu_model_runner.py:68] Starting to load model x...", "Loading the weights."),
    ("Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:00<00:00]", "Loading the weights: 50 %."),
    ("(Worker pid=3) INFO 11-26 19:10:09 [default_loader.py:501] Loading weights took 0.25 seconds", "KV cache"),
    ("(Worker pid=3) INFO 11-26 19:10:09 [base_loader.py:82] Initializing model took 1 seconds", "KV cache"),
    ("(EngineCore pid=2) INFO 11-26 19:10:10 [kv_cache_utils.py:2327] CPU KV cache size: 9 tokens", "Warming up"),
    ("(APIServer pid=1) INFO 11-26 19:10:28 [entry.py:140] Starting vLLM server on http://127.0.0.1:1", "the port"),
    ("Loading safetensors checkpoint shards: 100% Completed", "the port"),
)  # fmt: skip


def test_phases_go_forward_only() -> None:
    phase = 0
    for line, said in LOG:
        phase = launcher_log.phase_after(phase, line)
        assert said in launcher_log.phase_sentence(phase, line)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], ""),
        (["", "  bye "], "bye"),
        (["usage: vllm serve", "main.py serve: error: unrecognized arguments: --x", "x"],
         "main.py serve: error: unrecognized arguments: --x"),
        (["(EngineCore pid=2) ERROR 11-26 19:00:00 [core.py:900] torch.OutOfMemoryError: CUDA out of memory.",
          "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above."],
         "torch.OutOfMemoryError: CUDA out of memory."),
        (["RuntimeError: Engine core initialization failed."], "RuntimeError: Engine core initialization failed."),
        (["OSError: [Errno 98] Address already in use", "bye"], "OSError: [Errno 98] Address already in use"),
    ],
)  # fmt: skip
def test_the_line_that_says_why(lines: list[str], said: str) -> None:
    assert launcher_log.last_error(lines) == said


def test_a_line_is_plain_and_short() -> None:
    assert launcher_log.clean("\x1b[1;31mred\x1b[0m\x07 \u202e") == "red"
    assert len(launcher_log.clean("x" * 10**6)) == launcher_log.LONGEST


def test_the_list_of_routes_is_left_out_and_nothing_else() -> None:
    said = "(APIServer pid=1) INFO 11-26 19:09:05 [launcher.py:46] "
    kept = ["Loading the model: Route: /x", f"{said}Started server process [1]"]
    routes = [f"{said}Available routes are:", f"{said}Route: /openapi.json, Methods: GET, HEAD"]
    assert launcher_log.without_routes([kept[0], *routes, kept[1]]) == kept
