"""Servers that the Live page starts: one at most, followed while it loads, and what is stopped has not failed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.live.gate import GATE
from inspector.live.jobs import Job
from inspector.live.runs import RUNS, LiveRun
from inspector.samplers.engine import EngineError
from inspector.samplers.server import VllmServer
from inspector.tokens import START, vocabulary
from inspector.ui import live_servers
from inspector.ui.live_ab import HeldAB
from inspector.ui.live_state import LiveBench, stop_sampling

from ..samplers.fake_server import FakeServer, LikeVllm, Request, event, piece

SAID = vocabulary().encode_markers("<|channel|>final<|message|>Yes.<|return|>")


class Endless(LikeVllm):
    """Begins every answer, and leaves it open until the client goes or ``cut`` is set."""

    def __init__(self) -> None:
        super().__init__(lambda _: SAID)
        self.cut = threading.Event()

    def complete(self, request: Request) -> None:
        prompt = request.body["prompt"]
        if prompt == [START]:
            # What it is asked when it is connected.
            super().complete(request)
            return
        request.stream([event(piece([SAID[0]], prompt=prompt))], ends=False)
        if not self.cut.is_set():
            request.until_left()


class Own:
    """In the place of a server that the app has started."""

    def __init__(self, url: str, state: str = "ready") -> None:
        self.base_url, self.state = url, state
        self.model, self.error, self.progress = "speaks", "", "Loading the weights."
        self.log = ("INFO [a.py:1] Loading", "INFO [launcher.py:46] Route: /health, Methods: GET")
        self.grace_s = 15.0
        self.on_stop: Callable[[], object] = lambda: None

    def connect(self) -> VllmServer:
        return VllmServer(self.base_url)

    def stop(self) -> None:
        self.on_stop()
        self.state = "ended"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The servers that the app has started, none at first."""
    servers: list[Any] = []
    monkeypatch.setattr(live_servers, "_STARTED", servers)
    return servers


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app is this machine's own."""
    for name in ("served", "allowed", "is_private"):
        monkeypatch.setattr(GATE, name, True)


@pytest.fixture
def app(root: Path, started: list[Any], private: None) -> AppTest:
    app = AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)
    app.switch_page(str(root / "pages" / "live.py"))
    return app.run()


@pytest.fixture
def endless() -> Iterator[FakeServer]:
    with FakeServer(Endless()) as server:
        yield server


def opened(app: AppTest) -> None:
    """Open the panel of engines."""
    app.session_state["live.engine"] = True
    app.run()
    assert not app.exception


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception


def label(app: AppTest) -> str:
    """What the button of the panel says."""
    found = next(block.proto.popover.label for block in blocks(app.main) if block.proto.HasField("popover"))
    return str(found).replace("\\", "")


def blocks(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            if child.proto is not None:
                yield child
            yield from blocks(child)


def tab(app: AppTest) -> str:
    """The tab of the panel that is open."""
    return str(app.session_state["live.engine.tab"])


def work(app: AppTest) -> LiveBench:
    found = app.session_state["harmonylens.live"]
    assert isinstance(found, LiveBench)
    return found


def sampling(app: AppTest) -> LiveRun:
    """A run of two samples that have begun, and do not end by themselves."""
    next(one for one in app.text_area if one.label == "User").set_value("Hi")
    next(one for one in app.number_input if one.label == "Samples").set_value(2)
    press(app, "Generate")
    run = RUNS.find(work(app).run)
    assert run is not None
    begun = threading.Event()

    def look() -> None:
        if all(draft is not None and draft.ids for draft in run.drafts) or run.state != "running":
            begun.set()

    leave = run.listen(look)
    look()
    assert begun.wait(30)
    leave()
    assert run.state == "running"
    return run


def assert_stopped(run: LiveRun) -> None:
    run.wait(30)
    assert (run.state, run.error) == ("stopped", "")
    assert [run.rollout(number).ended_by for number in range(2)] == ["cancelled", "cancelled"]
    assert [run.rollout(number).ids for number in range(2)] == [(SAID[0],), (SAID[0],)]


@pytest.mark.usefixtures("private")
def test_of_two_starts_at_the_same_time_one_server_comes(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    made: list[Own] = []

    class Slow(Own):
        def __init__(self, model: str, **_: Any) -> None:
            super().__init__("http://127.0.0.1:1", "new")
            made.append(self)

        def start(self) -> None:
            # The other start would come as far as this, if it were let.
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            self.state = "starting"

    monkeypatch.setattr(live_servers, "ServerProcess", Slow)
    threads = [threading.Thread(target=live_servers.start_one, args=("tiny", "python", ())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert started == made
    assert len(made) == 1
    made[0].state = "failed"
    live_servers.start_one("tiny", "python", ())
    assert started == made[1:], "one that has ended makes room"


@pytest.mark.usefixtures("private")
def test_a_start_that_fails_leaves_the_place_free(started: list[Any]) -> None:
    for _ in range(2):
        with pytest.raises(EngineError, match="There is no Python at /nowhere"):
            live_servers.start_one("tiny", "/nowhere/python", ())
    assert started == []


def test_who_may_only_connect_starts_nothing(app: AppTest, started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *given, **_: ran.append(given))
    opened(app)
    app.session_state["live.engine.tab"] = live_servers.TAB
    app.run()
    # The fields were drawn while the app was private: what they send is refused all the same.
    monkeypatch.setattr(GATE, "is_private", False)
    next(field for field in app.text_input if field.label == "Model").set_value("tiny")
    next(field for field in app.text_input if field.label == "Python that has vLLM").set_value(sys.executable)
    press(app, "Start it")
    assert (ran, started) == ([], [])
    assert any("starts no servers" in said.value.replace("\\", "") for said in (*app.info, *app.error))
    assert not [field for field in app.text_input if field.label == "Python that has vLLM"]
    with pytest.raises(EngineError, match="--allow-start"):
        live_servers.start_one("tiny", sys.executable, ())
    assert (ran, started) == ([], [])
    monkeypatch.setattr(GATE, "starts", True)
    app.run()
    assert [field for field in app.text_input if field.label == "Python that has vLLM"]


def test_every_server_that_is_under_way_is_stopped(app: AppTest, started: list[Any]) -> None:
    started += [Own("http://127.0.0.1:1"), Own("http://127.0.0.1:2")]
    opened(app)
    press(app, "Stop it")
    assert [server.state for server in started] == ["ended", "ended"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("Options of vllm serve", "'open", "The options cannot be read"),
        ("Python that has vLLM", "", "Name the Python"),
        ("Python that has vLLM", "/nowhere/python", "There is no Python at /nowhere/python"),
        ("Model", "", "The model is no name and no folder"),
    ],
)
def test_why_none_is_started_is_said_where_it_was_asked_for(app: AppTest, field: str, value: str, said: str) -> None:
    opened(app)
    given = {"Model": "tiny", "Python that has vLLM": "python3", "Options of vllm serve": "", field: value}
    for one in (*app.text_input, *app.text_area):
        if one.label in given and one.key.startswith("live.start."):
            one.set_value(given[one.label])
    press(app, "Start it")
    shown = {one.label: [error.value for error in one.error] for one in app.tabs if one.label in TABS}
    assert said in " ".join(shown["Start one here"]).replace("\\", "")
    assert shown["vLLM server"] == shown["Replay"] == []


TABS = ("vLLM server", "Start one here", "Replay")


def test_the_panel_opens_at_the_server_that_loads_or_can_be_used(app: AppTest, started: list[Any]) -> None:
    opened(app)
    assert tab(app) == "vLLM server"
    assert label(app) == "Choose an engine"
    with FakeServer(LikeVllm(lambda _: SAID)) as fake:
        started.append(Own(fake.url, "starting"))
        for state, said in (("starting", "loading"), ("ready", "ready")):
            started[0].state = state
            app.session_state["live.engine"] = False
            app.run()
            assert label(app) == f"Choose an engine · a server is {said}"
            opened(app)
            assert tab(app) == "Start one here"
        press(app, "Use it")
        assert label(app) == work(app).about
        assert fake.url.removeprefix("http://") in label(app)
        opened(app)
        assert tab(app) == "vLLM server"


def test_the_panel_stays_open_while_a_server_gets_on(app: AppTest, started: list[Any]) -> None:
    opened(app)
    started.append(Own("http://127.0.0.1:1", "starting"))
    app.run()
    assert app.session_state["live.engine"] is True
    press(app, "Stop")
    assert started[0].state == "ended"
    assert any(button.label == "Start it" for button in app.button), "the panel is open, and another can be started"


def test_one_that_takes_its_time_to_end_is_followed(
    app: AppTest, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_servers, "_AT_ONCE_S", 0.05)
    last, over = threading.Event(), threading.Event()

    class Slow(Own):
        def stop(self) -> None:
            last.wait(30)
            super().stop()
            over.set()

    with FakeServer(LikeVllm(lambda _: SAID)) as fake:
        started.append(Slow(fake.url))
        opened(app)
        press(app, "Use it")
        about = work(app).about
        opened(app)
        press(app, "Stop it")
        assert label(app) == f"Ended: {about}"
        assert any("is ending" in one.value for one in app.markdown)
        assert not {"Stop it", "Start it", "Use it"} & {button.label for button in app.button}
        last.set()
        assert over.wait(30)
        app.run()
        assert "Start it" in {button.label for button in app.button}


def test_the_button_tells_of_a_server_beside_the_engine_that_is_connected(app: AppTest, started: list[Any]) -> None:
    with FakeServer(LikeVllm(lambda _: SAID)) as fake:
        opened(app)
        next(one for one in app.text_input if one.label == "Base URL").set_value(fake.url)
        press(app, "Connect")
        about = work(app).about
        assert label(app) == about
        started.append(Own("http://127.0.0.1:1", "starting"))
        app.run()
        assert label(app) == f"{about} · a server is loading"
        started[0].state = "ready"
        app.run()
        assert label(app) == f"{about} · a server is ready"
        started[0].state = "failed"
        app.run()
        assert label(app) == about


def test_routes_are_left_out_of_the_log_that_is_shown(app: AppTest, started: list[Any]) -> None:
    started.append(Own("http://127.0.0.1:1"))
    opened(app)
    assert [code.value for code in app.code] == ["INFO [a.py:1] Loading"]
    assert any(button.label == "The whole log" for button in app.get("download_button"))


def test_another_engine_stops_what_the_one_before_samples(app: AppTest, endless: FakeServer) -> None:
    opened(app)
    next(one for one in app.text_input if one.label == "Base URL").set_value(endless.url)
    press(app, "Connect")
    run = sampling(app)
    opened(app)
    press(app, "Replay it")
    assert work(app).about.startswith("Replay: ")
    assert_stopped(run)


def test_a_server_that_is_stopped_here_stops_what_it_samples_and_reads_as_ended(
    app: AppTest, started: list[Any], endless: FakeServer
) -> None:
    started.append(Own(endless.url))
    opened(app)
    press(app, "Use it")
    about = work(app).about
    run = sampling(app)
    # Before the server goes, not by its going.
    states: list[str] = []
    started[0].on_stop = lambda: states.append(run.state)
    opened(app)
    press(app, "Stop it")
    assert_stopped(run)
    assert states == ["stopped"]
    assert started[0].state == "ended"
    assert label(app) == f"Ended: {about}"


def test_runs_of_other_engines_go_on(app: AppTest, started: list[Any], endless: FakeServer) -> None:
    opened(app)
    next(one for one in app.text_input if one.label == "Base URL").set_value(endless.url)
    press(app, "Connect")
    run = sampling(app)
    started.append(Own("http://127.0.0.1:1"))
    opened(app)
    press(app, "Stop it")
    assert run.state == "running"
    run.stop()
    assert_stopped(run)


def test_an_experiment_is_stopped_with_the_engine_that_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    async def endless() -> Any:
        begun.set()
        await asyncio.Event().wait()

    held = HeldAB()
    held.job = Job(endless)
    held.job.start()
    assert begun.wait(10)
    session = {"harmonylens.ab": held}
    monkeypatch.setattr("inspector.ui.live_state.st.session_state", type("S", (), {"to_dict": lambda _: session})())
    engine = VllmServer("http://127.0.0.1:1")
    stop_sampling(LiveBench(), lambda one: one is engine)
    assert held.job.state == "running"
    stop_sampling(LiveBench(engine=engine), lambda one: one is engine)
    assert held.job.state == "stopped"


def test_a_server_that_has_answered_before_is_not_asked_for_https(app: AppTest, endless: FakeServer) -> None:
    opened(app)
    next(one for one in app.text_input if one.label == "Base URL").set_value(endless.url)
    press(app, "Connect")
    assert isinstance(endless.answer, Endless)
    endless.answer.cut.set()
    next(one for one in app.text_area if one.label == "User").set_value("Hi")
    press(app, "Generate")
    run = RUNS.find(work(app).run)
    assert run is not None
    run.wait(30)
    assert run.state == "failed"
    assert "closed the connection without a complete answer: it may have ended; its log says why." in run.error
