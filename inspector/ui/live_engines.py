"""The engine of the Live page: a server that is there, one that is started here, or a transcript that is replayed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from operator import is_
from typing import Final

import streamlit as st

from ..live.asked import EngineAsked
from ..live.gate import GATE
from ..live.jobs import Job
from ..live.loop import live_loop
from ..renamed import variable
from ..samplers import EngineError, Replay
from ..samplers.engine import Engine
from ..samplers.server import ServerInfo, VllmServer
from ..tokens import Transcript
from .live_job import job_shown
from .live_servers import TAB as _OWN
from .live_servers import follow, has_ended, is_asked_by, is_changing, is_ending, is_under_way, running, server_starter
from .live_state import Connecting, LiveBench, live_bench, stop_sampling
from .loading import known
from .plain import as_markdown
from .samples import examples, find_sample
from .state import bench

OPEN: Final = "live.engine"
"""Session state: whether the panel is open."""

API_KEY: Final = "HARMONYLENS_API_KEY"
"""The environment variable that holds the API key of the server, where the page is given none."""

_CLOSE_S: Final = 10
_AT_ONCE_S: Final = 1.0
"""Most servers have answered within this, and nothing needs to be shown meanwhile."""

_SERVER: Final = "vLLM server"
_REPLAY: Final = "Replay"
_TAB: Final = "live.engine.tab"


def engine_panel(work: LiveBench) -> None:
    """Draw it: what samples now, and how to choose another."""
    settle(work)
    # With another label it is another widget to Streamlit, which would close it whenever a server gets on.
    st.session_state[OPEN] = st.session_state.get(OPEN, False)
    panel = st.popover(as_markdown(_label(work)), key=OPEN, icon=":material/memory:", on_change=_turned)
    if not panel.open:
        if is_changing():
            follow()
        return
    with panel, st.container(key="live-engine", gap="small"):
        # Known only while the panel is open: each time it opens on what is of interest then.
        st.session_state.setdefault(_TAB, _first_tab(work))
        tabs = st.tabs([_SERVER, _OWN, _REPLAY], key=_TAB, on_change="rerun")
        for tab, name in zip(tabs, (_SERVER, _OWN, _REPLAY), strict=True):
            with tab:
                if name == _SERVER:
                    _server(work)
                elif name == _OWN:
                    server_starter(_use_started)
                else:
                    _replay()
                # Where it was asked for, and not beneath the other ways to an engine.
                if work.problem and name == (work.problem_at or _SERVER):
                    st.error(as_markdown(work.problem))


def _turned() -> None:
    """Opened or closed: what was complained of before is no longer of interest."""
    live_bench().problem = ""


def connecting(work: LiveBench) -> None:
    """Draw how connecting goes on, with a button that ends it."""
    if work.connecting is not None:
        job_shown(work.connecting.job, f"Connecting to {as_markdown(work.connecting.server.address.shown)} …",
                  "live.connect.stop")  # fmt: skip


def _label(work: LiveBench) -> str:
    if work.connecting is not None:
        return "Connecting …"
    about = work.about or "Choose an engine"
    if work.engine is not None and work.asked is not None and work.asked.is_own and has_ended(work.engine):
        about = f"Ended: {about}"
    return about + {"starting": " · a server is loading", "ready": " · a server is ready"}.get(_waiting(work), "")


def _waiting(work: LiveBench) -> str:
    """The state of the server that was started here, where it goes on and is not what samples; else ""."""
    server = running()
    if server is None or not is_under_way(server) or is_ending(server) or is_asked_by(work.engine, server):
        return ""
    return server.state


def _first_tab(work: LiveBench) -> str:
    """Where the panel opens: at what went wrong, or at the server that is to be followed or used."""
    if work.problem:
        return work.problem_at or _SERVER
    return _OWN if _waiting(work) or is_changing() else _SERVER


def _server(work: LiveBench) -> None:
    """The fields of a server, and what it turned out to be."""
    has_key = GATE.is_private and bool(variable(API_KEY))
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
    work.problem, work.problem_at = "", _SERVER
    url, model = st.session_state.get("live.url", "").strip(), st.session_state.get("live.model", "").strip()
    key = st.session_state.get("live.key") or ""
    if not url:
        work.problem = "Give the base URL of the server, such as http://127.0.0.1:8000."
        return
    connect(work, url, model, key)


def connect(work: LiveBench, url: str, model: str, key: str) -> None:
    """Ask a server what it is, and use it if it can be used; ``problem`` says why not."""
    known = key or (variable(API_KEY) if GATE.is_private else None)
    work.problem_at = _SERVER
    try:
        server = VllmServer(url, model=model or None, api_key=known)
    except EngineError as error:
        work.problem = str(error)
        return
    _take(work, server, EngineAsked(url=url, model=model, has_key=bool(key)))


def _use_started() -> None:
    work, server = live_bench(), running()
    work.problem, work.problem_at = "", _OWN
    if server is not None:
        _take(work, server.connect(), EngineAsked(url=server.base_url, is_own=True))


def connect_again(work: LiveBench, asked: EngineAsked) -> None:
    """Choose the engine once more that had been chosen before the page was loaded anew."""
    own = running()
    if asked.replay is not None:
        # The one before may have been closed, and belongs to another session.
        use(work, Replay(asked.replay.transcript, asked.replay.rate), asked)
    elif asked.is_own:
        if own is not None and own.state == "ready" and own.base_url == asked.url:
            _take(work, own.connect(), asked)
    elif asked.has_key:
        work.notice = f"{asked.about} was given an API key, which is not kept: connect it again."
    else:
        connect(work, asked.url, asked.model, "")


def _take(work: LiveBench, server: VllmServer, asked: EngineAsked) -> None:
    """Begin to ask a server what it is."""
    _drop(work)
    job = Job(server.check)
    work.connecting = Connecting(server, asked, job)
    job.start()
    st.session_state[OPEN] = False
    if job.wait(_AT_ONCE_S):
        settle(work)


def _drop(work: LiveBench) -> None:
    before, work.connecting = work.connecting, None
    if before is not None:
        before.job.stop()
        live_loop().submit(before.server.close())


def settle(work: LiveBench) -> None:
    """Take what came of connecting, if it is over."""
    trying = work.connecting
    if trying is None or trying.job.state == "running":
        return
    info = trying.job.result
    if info is not None and not info.problem:
        work.connecting = None
        about = _about(trying.server, info)
        use(work, trying.server, replace(trying.asked, about=about))
        st.session_state[OPEN] = False
        return
    _drop(work)
    if trying.job.state != "stopped":
        work.problem = info.problem if info is not None else trying.job.error
    work.problem_at = _OWN if trying.asked.is_own else _SERVER
    # What was filled in is still there, to be mended.
    st.session_state[OPEN] = True


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
    work.problem, work.problem_at = "", _REPLAY
    name = st.session_state.get("live.replay.name", "")
    transcript = _transcript(name)
    if transcript is None:
        work.problem = "This transcript is no longer there: choose another."
        return
    rate = float(st.session_state.get("live.replay.rate", 40))
    replay = Replay(transcript, rate)
    use(work, replay, EngineAsked(replay=replay, about=f"Replay: {_choices().get(name, name)}"))
    st.session_state[OPEN] = False


def _transcript(name: str) -> Transcript | None:
    if name:
        sample = find_sample(name)
        return sample.transcript if sample is not None else None
    loaded = known(bench())
    return loaded.transcripts[min(bench().record, len(loaded.transcripts) - 1)] if loaded is not None else None


def use(work: LiveBench, engine: Engine, asked: EngineAsked) -> None:
    """Sample with this engine from now on; what the one before still samples is stopped, and it is closed."""
    _drop(work)
    if work.engine is not None:
        stop_sampling(work, partial(is_, work.engine))
    before, work.engine = work.engine, engine
    work.asked, work.about, work.problem, work.notice = asked, asked.about, "", ""
    if before is not None:
        _close(before)


def _close(engine: Engine) -> None:
    # It is let go of in any case.
    with suppress(EngineError, TimeoutError):
        live_loop().wait(engine.close(), _CLOSE_S)
