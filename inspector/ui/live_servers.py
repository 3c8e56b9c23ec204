"""Servers that the app itself starts: ``vllm serve`` as a child, for every session of this app, ended with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final
from weakref import WeakSet

import streamlit as st

from ..live.gate import GATE
from ..samplers.engine import Engine, EngineError
from ..samplers.launcher import ServerProcess
from ..samplers.launcher_log import without_routes
from ..samplers.server import VllmServer
from ..samplers.vllm_python import NO_FLOAT32, version_in
from .live_state import live_bench, stop_sampling
from .plain import as_markdown

PROCESSORS: Final = (
    "inspector.vllm_side.guard:Guard",
    "inspector.vllm_side.injecting:InjectingLogitsProcessor",
)
"""Our logits processors, as ``vllm serve --logits-processors`` takes them."""

TAB: Final = "Start one here"
"""The tab of the engine panel that this is drawn in."""

_STARTED: Final[list[ServerProcess]] = []
"""Those under way, and the one that was started last: one at most is under way."""

_ENDING: Final[WeakSet[ServerProcess]] = WeakSet()
"""Those that a person has stopped."""

_AT_ONCE_S: Final = 1.0
_STARTING: Final = Lock()
"""Held from the look for one that is under way until the new one is known: a double click runs the page twice."""

_ENGINE: Final = Path(__file__).resolve().parents[2] / ".engine"
SMALL: Final = "--max-model-len 4096 --max-num-seqs 64 --dtype float32 --enforce-eager --no-enable-chunked-prefill"
"""For the CPU build with a small model: several times faster in float32, and vLLM 0.32 ends on a CPU when the prompt of
a request with a seed is read in parts."""
_LINES: Final = 40
_KEPT: Final[dict[str, Any]] = {"persist_state": "session"}


def running() -> ServerProcess | None:
    """The server that was started last, in whatever state it is; None before the first."""
    return _STARTED[-1] if _STARTED else None


def is_under_way(server: ServerProcess) -> bool:
    """Whether it loads or runs, or has still to end."""
    return server.state in ("starting", "ready")


def is_ending(server: ServerProcess) -> bool:
    """Whether it was told to end, and has not yet."""
    return server in _ENDING and is_under_way(server)


def is_asked_by(engine: Engine | None, server: ServerProcess) -> bool:
    """Whether an engine asks this server."""
    return isinstance(engine, VllmServer) and engine.address.root == server.base_url


def has_ended(engine: Engine | None) -> bool:
    """Whether no server that this app has started, and that goes on, is where an engine asks for one."""
    return not any(is_asked_by(engine, server) for server in _STARTED if is_under_way(server) and not is_ending(server))


@st.fragment(run_every=2.0)
def follow() -> None:
    """Draw nothing, and the page anew once the server that loads is ready or has failed."""
    if not is_changing():
        st.rerun()


def is_changing() -> bool:
    """Whether the server will soon be in another state: it loads, or ends."""
    server = running()
    return server is not None and (server.state == "starting" or is_ending(server))


def server_starter(on_use: Callable[[], None]) -> None:
    """Draw the fields, or how the server fares; ``on_use`` is called when a ready one is wanted."""
    if GATE.reason_not_to_start:
        st.info(as_markdown(GATE.reason_not_to_start))
        return
    server = running()
    if is_changing():
        _progress()
        return
    if server is not None and server.state == "ready":
        st.markdown(as_markdown(f"{server.model} runs at {server.base_url}, with this app."))
        with st.container(horizontal=True, gap="small"):
            st.button("Use it", type="primary", key="live.started.use", on_click=on_use)
            st.button("Stop it", key="live.started.stop", on_click=_stop)
        _log(server)
        _whole_log(server)
        return
    if server is not None and server.error:
        st.error(as_markdown(server.error))
        _log(server)
        _whole_log(server)
    _fields()


def _fields() -> None:
    at_hand = (_ENGINE / "bin" / "python").is_file()
    # One that was trained speaks; the tiny one has random weights.
    models = sorted((_ENGINE / "models").glob("*/config.json"), key=lambda file: file.parent.name == "speaks")
    python = str(_ENGINE / "bin" / "python") if at_hand else ""
    model = str(models[-1].parent) if at_hand and models else ""
    with st.form("live.start", border=False):
        st.text_input("Model", model, key="live.start.model", placeholder="openai/gpt-oss-20b, or a folder", **_KEPT)
        st.text_input(
            "Python that has vLLM", python, key="live.start.python", placeholder="/path/to/venv/bin/python", **_KEPT
        )
        options = _small_for(python) if at_hand else ""
        # They are long: a line that scrolls would hide most of them.
        st.text_area("Options of vllm serve", options, key="live.start.options", height=92, **_KEPT)
        st.toggle("Load the guard and the injecting processor", True, key="live.start.processors", **_KEPT)
        st.form_submit_button("Start it", type="primary", on_click=_start)


def _small_for(python: str) -> str:
    """:data:`SMALL` without what the vLLM of an interpreter cannot."""
    can = (version_in(python) or NO_FLOAT32) >= NO_FLOAT32
    return SMALL if can else SMALL.replace(" --dtype float32", "")


def _start() -> None:
    work, said = live_bench(), st.session_state
    work.problem, work.problem_at = "", TAB
    try:
        options = shlex.split(said.get("live.start.options", ""))
    except ValueError as error:
        work.problem = f"The options cannot be read ({error}): write them as on a command line."
        return
    if said.get("live.start.processors"):
        options += ["--logits-processors", *PROCESSORS]
    python = said.get("live.start.python", "").strip()
    if not python:
        work.problem = "Name the Python of the environment that vLLM is installed in."
        return
    try:
        start_one(said.get("live.start.model", "").strip(), python, options)
    except EngineError as error:
        work.problem = str(error)


def start_one(model: str, python: str, options: Sequence[str]) -> None:
    """Start a server, unless one is under way: pressed twice, or in two tabs, one is enough for this machine.

    Raises:
        EngineError: it cannot be started, or this app starts none.
    """
    if GATE.reason_not_to_start:
        raise EngineError(GATE.reason_not_to_start)
    with _STARTING:
        if any(map(is_under_way, _STARTED)):
            return
        server = ServerProcess(model, python=python, options=options)
        server.start()
        _STARTED[:] = [server]


def _stop() -> None:
    work = live_bench()
    for server in [one for one in _STARTED if is_under_way(one) and not is_ending(one)]:
        _ENDING.add(server)
        # What it samples was stopped by a person as well: it is no failure of the server.
        stop_sampling(work, partial(is_asked_by, server=server))
        # It may take its time, in which Streamlit runs the page again and forgets to draw what this run has changed.
        ending = Thread(target=server.stop, name="vllm-stop", daemon=True)
        ending.start()
        ending.join(_AT_ONCE_S)


@st.fragment(run_every=1.0)
def _progress() -> None:
    """How the start or the end goes on, looked at once a second while the panel is open."""
    server = running()
    if server is None or not is_changing():
        st.rerun()
    if is_ending(server):
        st.markdown(as_markdown(f"{server.model} is ending: it has {server.grace_s:g} s before it is killed."))
    else:
        st.markdown(as_markdown(f"{server.progress} A small model takes about a minute, gpt-oss several."))
        st.button("Stop", key="live.starting.stop", on_click=_stop)
    _log(server)


def _log(server: ServerProcess) -> None:
    st.caption("Its log, the newest line first")
    lines = "\n".join(reversed(without_routes(server.log)[-_LINES:]))
    st.code(lines or "(nothing yet: importing vLLM is silent)", language=None, wrap_lines=True, height=220)


def _whole_log(server: ServerProcess) -> None:
    """What is left out above, for whoever wants it."""
    st.download_button("The whole log", "\n".join(server.log), "vllm.log", key="live.started.log", on_click="ignore")
