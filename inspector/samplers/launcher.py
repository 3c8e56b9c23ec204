"""``vllm serve`` as a child of the app: started in a given Python, watched while it loads, ended with the app."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, Final, Literal

from . import launcher_child
from .engine import EngineError
from .launcher_log import PHASES, clean, last_error, phase_after, phase_sentence, with_advice
from .server import VllmServer
from .server_problems import plain
from .vllm_python import has_gpu, runner_for, vllm_environment

State = Literal["new", "starting", "ready", "failed", "ended"]

HOST: Final = "127.0.0.1"
GRACE_S: Final = 15.0
"""Seconds that a server has to end by itself; vLLM's CPU build with a small model took 3."""

_KEEPER: Final = (sys.executable, "-I", "-S", str(Path(launcher_child.__file__)))
_POLL_S: Final = 0.25
_HEALTH_S: Final = 5.0
_OURS: Final = ("--host", "--port", "--api-key", "--uds", "--root-path", "--config", "--headless", "--ssl-keyfile",
                "--ssl-certfile", "--ssl-ca-certs")  # fmt: skip
"""Options that would move the server away from where it is looked for, or open it to others."""


class ServerProcess:
    """One run of ``vllm serve MODEL`` on a free port of the loopback interface, with an API key of its own.

    It may be used from any thread, and its properties looked at at any time. :meth:`again` makes another run.

    Args:
        model: a folder or a name, as ``vllm serve`` takes it.
        python: the interpreter of the environment that vLLM is installed in.
        options: further arguments of ``vllm serve``.
        env: further environment variables.
        port: None takes a free one.
        grace_s: seconds to end by itself before it is killed.
        log_lines: how many of the last lines of its output are kept.

    Raises:
        EngineError: the model or an option cannot be handed on.
    """

    def __init__(
        self,
        model: str,
        *,
        python: str = sys.executable,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        grace_s: float = GRACE_S,
        log_lines: int = 2000,
    ) -> None:
        self.model = checked_model(model)
        self.python = python
        self.options = checked_options(options)
        self.env = dict(env or {})
        self.grace_s = grace_s
        self.pid: int | None = None
        """Of vLLM itself, once it runs; its process group has the same number."""
        self._port = port
        self._key = secrets.token_urlsafe(32)
        self._lines: deque[str] = deque(maxlen=log_lines)
        self._lock = Lock()
        self._state: State = "new"
        self._error = ""
        self._phase = 0
        self._progress = ""
        self._stopping = False
        self._settled = Event()
        self._over = Event()
        self._waiting: list[Callable[[], object]] = []
        self._keeper: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def __repr__(self) -> str:
        return f"<ServerProcess {self.model!r} {self.state}>"

    @property
    def state(self) -> State:
        """``failed`` is an end that nobody asked for, also later than the start."""
        with self._lock:
            return self._state

    @property
    def progress(self) -> str:
        """What it does at present, in a sentence."""
        with self._lock:
            return self._progress

    @property
    def error(self) -> str:
        """Why it failed, in a sentence, "" while it has not."""
        with self._lock:
            return self._error

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines of its output, without colours."""
        with self._lock:
            return tuple(self._lines)

    @property
    def api_key(self) -> str:
        """Its own, made for this server: nobody else on this machine is to use it."""
        return self._key

    @property
    def base_url(self) -> str:
        """Where it listens.

        Raises:
            EngineError: it was never started.
        """
        if self._port is None:
            raise EngineError("The server has no address yet: start it.")
        return f"http://{HOST}:{self._port}"

    def connect(self, *, model: str | None = None) -> VllmServer:
        """An engine that asks this server. It goes on to work after :meth:`again`."""
        return VllmServer(self.base_url, model=model, api_key=self._key)

    def again(self) -> ServerProcess:
        """The same server for another run, on the same port and with the same key. This one must have ended."""
        with self._lock:
            if self._state not in ("failed", "ended"):
                raise EngineError(f"The server is {self._state}: stop it before it is started again.")
        further = ServerProcess(
            self.model,
            python=self.python,
            options=self.options,
            env=self.env,
            port=self._port,
            grace_s=self.grace_s,
            log_lines=self._lines.maxlen or 1,
        )
        further._key = self._key
        return further

    def start(self) -> None:
        """Start it and return at once.

        Raises:
            EngineError: it has been started before, or its Python cannot be run.
        """
        with self._lock:
            if self._state != "new":
                raise EngineError("This server was started before: use again() for another run.")
            python = shutil.which(os.path.expanduser(self.python))
            if python is None:
                raise EngineError(f"There is no Python at {self.python}: give that of the environment with vLLM in it.")
            if self._port is None:
                self._port = free_port()
            command = [python, "-m", "vllm.entrypoints.cli.main", "serve", self.model, *self.options]
            command += ["--host", HOST, "--port", str(self._port)]
            # The key goes by the environment: arguments can be read by everybody on the machine.
            given = {**runner_for(any(word.startswith("--logits-processors") for word in self.options)), **self.env}
            env = {**vllm_environment(given, python=python), "VLLM_API_KEY": self._key}
            if not has_gpu():
                # On a CPU it takes all of every core; who looks at its tokens shall not wait for it.
                env[launcher_child.NICE] = "10"
            told, report = os.pipe()
            try:
                self._keeper = subprocess.Popen(
                    [*_KEEPER, str(self.grace_s), str(report), *command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=env,
                    pass_fds=(report,),
                    start_new_session=True,
                )
            except OSError as error:
                os.close(told)
                raise EngineError(f"vLLM cannot be started: {error.strerror or error}.") from None
            finally:
                os.close(report)
            self._state, self._progress = "starting", PHASES[0][1]
            assert self._keeper.stdout is not None
        _RUNNING.add(self)
        reader = Thread(target=self._read, args=(told, self._keeper.stdout), name="vllm-log", daemon=True)
        reader.start()
        Thread(target=self._await_end, args=(self._keeper, reader), name="vllm-end", daemon=True).start()
        Thread(target=self._await_health, name="vllm-health", daemon=True).start()

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Return when it takes requests.

        Raises:
            EngineError: it ended instead, or has not got so far in ``timeout_s`` seconds (it goes on then).
        """
        if not self._settled.wait(timeout_s):
            raise EngineError(f"vLLM is not ready after {timeout_s:g} s ({self.progress[:-1]}): wait on, or stop it.")
        self._raise_unless_ready()

    async def ready(self) -> None:
        """:meth:`wait_ready` for an event loop; give it a time limit with ``asyncio.timeout``."""
        loop = asyncio.get_running_loop()
        settled = asyncio.Event()

        def tell() -> None:
            # The loop may be gone by then, and nobody waits in it any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settled.set)

        with self._lock:
            self._waiting.append(tell)
        if self._settled.is_set():
            settled.set()
        await settled.wait()
        self._raise_unless_ready()

    def stop(self) -> None:
        """End it, and return when it has ended: within ``grace_s`` seconds and a little. Harmless when it has."""
        with self._lock:
            self._stopping = True
            keeper = self._keeper
            if self._state == "new":
                self._state, self._progress = "ended", "It was never started."
                self._over.set()
        if keeper is not None and not self._over.is_set():
            assert keeper.stdin is not None
            with contextlib.suppress(OSError):
                keeper.stdin.close()
            if not self._over.wait(self.grace_s + 5):
                keeper.kill()
                self._over.wait(5)
        self._settle()

    def _raise_unless_ready(self) -> None:
        with self._lock:
            if self._state != "ready":
                raise EngineError(self._error or "The server was stopped: start it again.")

    def _settle(self) -> None:
        self._settled.set()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()

    def _read(self, told: int, output: IO[bytes]) -> None:
        """In a thread: the process id, then the log to its end. Progress bars end their lines with a CR."""
        with os.fdopen(told, "rb") as report:
            number = report.readline().strip()
        with self._lock:
            self.pid = int(number) if number else None
        rest = b""
        with output:
            while chunk := os.read(output.fileno(), 65536):
                *ended, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                if len(rest) > 65536:
                    ended, rest = [*ended, rest], b""
                for line in ended:
                    self._take(line)
        self._take(rest)

    def _take(self, raw: bytes) -> None:
        line = clean(raw.decode("utf-8", "replace").replace(self._key, "[API key]"))
        if not line:
            return
        with self._lock:
            self._lines.append(line)
            if self._state == "starting":
                self._phase = phase_after(self._phase, line)
                self._progress = phase_sentence(self._phase, line)

    def _await_health(self) -> None:
        """In a thread: until it answers, or has ended."""
        while not self._over.wait(_POLL_S):
            if not self._is_healthy():
                continue
            with self._lock:
                if self._state == "starting":
                    self._state, self._progress = "ready", f"Ready at {HOST}:{self._port}."
            self._settle()
            return

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_HEALTH_S)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _await_end(self, keeper: subprocess.Popen[bytes], reader: Thread) -> None:
        """In a thread: its end, and what to say about it."""
        status = keeper.wait()
        assert keeper.stdin is not None
        with contextlib.suppress(OSError):
            keeper.stdin.close()
        # What it said last; not waited for for ever, as a stray process may hold the pipe.
        reader.join(2.0)
        with self._lock:
            if self._stopping:
                self._state, self._progress = "ended", "Stopped."
            else:
                killed_by = -status if status < 0 else max(0, status - 128)
                how = f"was killed by signal {killed_by}" if killed_by else f"ended with status {status}"
                ran = self._state == "ready"
                # Who is killed while it runs says nothing of it: the last error in the log is of something else.
                said = (
                    "" if ran and killed_by else with_advice(plain(last_error(tuple(self._lines)))) or "it said nothing"
                )
                when = "while it ran" if ran else "before it was ready"
                self._state = "failed"
                self._error = f"vLLM {how} {when}{': ' if said else ''}{said} (its log says more)."
                self._progress = self._error
        _RUNNING.discard(self)
        self._over.set()
        self._settle()


def checked_model(model: str) -> str:
    """A model that can stand on a command line.

    Raises:
        EngineError: it cannot.
    """
    model = model.strip()
    if not model or model.startswith("-") or not model.isprintable():
        raise EngineError("The model is no name and no folder: give one as `vllm serve` takes it, openai/gpt-oss-20b.")
    return model


def checked_options(options: Sequence[str]) -> tuple[str, ...]:
    """Options of ``vllm serve`` without those that are ours to give. argparse takes ``_`` for ``-`` and any beginning
    of a name that is clear.

    Raises:
        EngineError: one of them is.
    """
    for option in options:
        if not isinstance(option, str) or "\0" in option:
            raise EngineError(f"An option of vLLM is no text: {option!r}.")
        name = option.split("=", 1)[0].replace("_", "-")
        ours = next((one for one in _OURS if len(name) > 2 and name.startswith("--") and one.startswith(name)), None)
        if ours is not None:
            raise EngineError(f"The option {plain(option, 60)} is not yours to give: the app chooses {ours} itself.")
    return tuple(options)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at present."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


_RUNNING: weakref.WeakSet[ServerProcess] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """End what runs when the app ends; when it is killed, ``launcher_child`` sees to it."""
    for server in list(_RUNNING):
        # A forked child of the app ends by itself, and has no threads that would notice the server's end.
        if server._owner == os.getpid():
            server.stop()
