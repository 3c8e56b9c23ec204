"""The engine of the Live page: a server that is there, one that is started here, or a transcript that is replayed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

import streamlit as st

from ..live.gate import GATE
from ..live.loop import live_loop
from ..samplers import EngineError, Replay
from ..samplers.engine import Engine
from ..samplers.server import CHECK_S, ServerInfo, VllmServer
from ..tokens import Transcript
from .live_servers import running, server_starter
from .live_state import LiveBench, live_bench
from .loading import known
from .plain import as_markdown
from .samples import examples, find_sample
from .state import bench

OPEN: Final = "live.engine"
"""Session state: whether the panel is open."""

API_KEY: Final = "HARMONYSCOPE_API_KEY"
"""The environment variable that holds the API key of the server, where the page is given none."""

_CLOSE_S: Final = 10


def engine_panel(work: LiveBench) -> None:
    """Draw it: what samples now, and how to choose another."""
    panel = st.popover(as_markdown(_label(work)), key=OPEN, icon=":material/memory:", on_change="rerun")
    if panel.open:
        with panel, st.container(key="live-engine", gap="small"):
            server, own, replay = st.tabs(["vLLM server", "Start one here", "Replay"], key="live.engine.tab")
            with server:
                _server(work)
            with own:
                server_starter(_use_started)
            with replay:
                _replay()
            if work.problem:
                st.error(as_markdown(work.problem))


def _label(work: LiveBench) -> str:
    server = running()
    if work.engine is not None and server is not None and server.error and server.base_url in work.engine.name:
        return f"Ended: {work.about}"
    if work.about:
        return work.about
    told = {"starting": " (vLLM is loading)", "ready": " (one runs here)"}
    return "Choose an engine" + (told.get(server.state, "") if server is not None else "")


def _server(work: LiveBench) -> None:
    """The fields of a server, and what it turned out to be."""
    has_key = GATE.is_private and bool(os.environ.get(API_KEY))
    with st.form("live.server", border=False):
        st.text_input("Base URL", key="live.url", placeholder="http://127.0.0.1:8000", persist_state="session")
        with st.container(horizontal=True, gap="small"):
            st.text_input("Model", key="live.model", placeholder="the first it serves", persist_state="session")
            st.text_input(
                "API key",
                type="password",
                key="live.key",
                placeholder=f"from {API_KEY}" if has_key else "if it wants one",
                help="Sent to this server only; not stored, not exported, gone when the page is reloaded.",
                autocomplete="off",
            )
        st.form_submit_button("Connect", type="primary", on_click=_connect)
    st.caption(
        "vLLM 0.20 or later. Only this address is contacted. Token ids go in and come out (`/v1/completions` with "
        "`return_token_ids`); nothing is decoded and encoded again."
    )


def _connect() -> None:
    work = live_bench()
    work.problem = ""
    url, model = st.session_state.get("live.url", "").strip(), st.session_state.get("live.model", "").strip()
    key = st.session_state.get("live.key") or (os.environ.get(API_KEY) if GATE.is_private else None)
    if not url:
        work.problem = "Give the base URL of the server, such as http://127.0.0.1:8000."
        return
    connect(work, url, model or None, key)


def connect(work: LiveBench, url: str, model: str | None, key: str | None) -> None:
    """Ask a server what it is, and use it if it can be used; ``problem`` says why not."""
    try:
        server = VllmServer(url, model=model, api_key=key)
    except EngineError as error:
        work.problem = str(error)
        return
    _take(work, server)


def _use_started() -> None:
    live_bench().problem = ""
    server = running()
    if server is not None:
        _take(live_bench(), server.connect())


def _take(work: LiveBench, server: VllmServer) -> None:
    try:
        info = live_loop().wait(server.check(), CHECK_S + _CLOSE_S)
    except (EngineError, TimeoutError) as error:
        work.problem = str(error) or "The server did not answer in time: try again."
        _close(server)
        return
    if info.problem:
        work.problem = info.problem
        _close(server)
        return
    use(work, server, _about(server, info))
    st.session_state[OPEN] = False


def _about(server: VllmServer, info: ServerInfo) -> str:
    version = f"vLLM {info.version}" if info.version else "Server"
    return f"{version} · {info.model} · {server.address.shown}"


def _replay() -> None:
    """A transcript in the place of an engine."""
    st.markdown("Streams a transcript token by token through the code that live tokens take, whatever the prompt.")
    choices = _choices()
    with st.form("live.replay", border=False):
        st.selectbox("Transcript", list(choices), format_func=choices.__getitem__, key="live.replay.name")
        st.number_input("Tokens per second", 1, 5000, 40, key="live.replay.rate")
        st.form_submit_button("Replay it", type="primary", on_click=_take_replay)


def _choices() -> dict[str, str]:
    samples = {sample.name: sample.title for sample in examples()}
    loaded = None if bench().is_empty else known(bench())
    return {"": "What is open in Inspect", **samples} if loaded is not None and loaded.transcripts else samples


def _take_replay() -> None:
    work = live_bench()
    name = st.session_state.get("live.replay.name", "")
    transcript = _transcript(name)
    if transcript is None:
        work.problem = "This transcript is no longer there: choose another."
        return
    rate = float(st.session_state.get("live.replay.rate", 40))
    use(work, Replay(transcript, rate), f"Replay: {_choices().get(name, name)}")
    st.session_state[OPEN] = False


def _transcript(name: str) -> Transcript | None:
    if name:
        sample = find_sample(name)
        return sample.transcript if sample is not None else None
    loaded = known(bench())
    return loaded.transcripts[min(bench().record, len(loaded.transcripts) - 1)] if loaded is not None else None


def use(work: LiveBench, engine: Engine, about: str) -> None:
    """Sample with this engine from now on; the one before is closed, and what it still samples ends."""
    before, work.engine = work.engine, engine
    work.about, work.problem, work.notice = about, "", ""
    if before is not None:
        _close(before)


def _close(engine: Engine) -> None:
    # It is let go of in any case, and what it still streams ends with it.
    with suppress(EngineError, TimeoutError):
        live_loop().wait(engine.close(), _CLOSE_S)
