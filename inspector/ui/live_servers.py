"""Servers that the app itself starts: ``vllm serve`` as a child, for every session of this app, ended with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st

from ..samplers.engine import EngineError
from ..samplers.launcher import ServerProcess
from ..samplers.vllm_python import NO_FLOAT32, version_in
from .live_state import live_bench
from .plain import as_markdown

PROCESSORS: Final = (
    "inspector.vllm_side.guard:Guard",
    "inspector.vllm_side.injecting:InjectingLogitsProcessor",
)
"""Our logits processors, as ``vllm serve --logits-processors`` takes them."""

_STARTED: Final[list[ServerProcess]] = []
_ENGINE: Final = Path(__file__).resolve().parents[2] / ".engine"
_SMALL: Final = "--max-model-len 4096 --max-num-seqs 64 --dtype float32 --enforce-eager --no-enable-chunked-prefill"
"""For the CPU build with a small model: several times faster in float32, and vLLM 0.32 ends on a CPU when the prompt of
a request with a seed is read in parts."""
_LINES: Final = 40
_KEPT: Final[dict[str, Any]] = {"persist_state": "session"}


def running() -> ServerProcess | None:
    """The server that was started last, in whatever state it is; None before the first."""
    return _STARTED[-1] if _STARTED else None


def server_starter(on_use: Callable[[], None]) -> None:
    """Draw the fields, or how the server fares; ``on_use`` is called when a ready one is wanted."""
    server = running()
    if server is not None and server.state == "starting":
        _progress()
        return
    if server is not None and server.state == "ready":
        st.markdown(as_markdown(f"{server.model} runs at {server.base_url}, with this app."))
        with st.container(horizontal=True, gap="small"):
            st.button("Use it", type="primary", key="live.started.use", on_click=on_use)
            st.button("Stop it", key="live.started.stop", on_click=_stop)
        _log(server)
        return
    if server is not None and server.error:
        st.error(as_markdown(server.error))
        _log(server)
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
        st.text_input("Options of vllm serve", _small_for(python) if at_hand else "", key="live.start.options", **_KEPT)
        st.toggle("Load the guard and the injecting processor", True, key="live.start.processors", **_KEPT)
        st.form_submit_button("Start it", type="primary", on_click=_start)


def _small_for(python: str) -> str:
    """:data:`_SMALL` without what the vLLM of an interpreter cannot."""
    can = (version_in(python) or NO_FLOAT32) >= NO_FLOAT32
    return _SMALL if can else _SMALL.replace(" --dtype float32", "")


def _start() -> None:
    work, said = live_bench(), st.session_state
    work.problem = ""
    known = running()
    if known is not None and known.state in ("starting", "ready"):
        # Pressed twice, or in two tabs: one is enough for this machine.
        return
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
        server = ServerProcess(said.get("live.start.model", "").strip(), python=python, options=options)
        server.start()
    except EngineError as error:
        work.problem = str(error)
        return
    _STARTED.append(server)
    work.problem = ""


def _stop() -> None:
    server = running()
    if server is not None:
        server.stop()


@st.fragment(run_every=1.0)
def _progress() -> None:
    """How the start goes on, looked at once a second while the panel is open."""
    server = running()
    if server is None or server.state != "starting":
        st.rerun()
    st.markdown(as_markdown(f"{server.progress} A small model takes about a minute, gpt-oss several."))
    st.button("Stop", key="live.starting.stop", on_click=_stop)
    _log(server)


def _log(server: ServerProcess) -> None:
    st.caption("Its log, the newest line first")
    lines = "\n".join(reversed(server.log[-_LINES:]))
    st.code(lines or "(nothing yet: importing vLLM is silent)", language=None, wrap_lines=True, height=220)
