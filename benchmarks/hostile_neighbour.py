"""``make bench-neighbours``: honest sessions alone, and beside one that sends what is slow or eats memory.

The app is started on a loopback port with one change: an input that begins with a secret word is "read" by a pattern
that never ends and holds the interpreter's lock, or by eating memory until there is none. So what is measured is the
wall around hostile input, and not one of the inputs that happen to be slow today. 19 honest sessions speak Streamlit's
protocol over web sockets, as a browser does: each opens the page, thinks, pastes a damaged transcript of 2,000 tokens,
waits until everything about it has come, and begins again. The hostile one pastes without thinking. Meanwhile the
health check is asked twice a second.

Numbers go to ``benchmarks/results/hostile_neighbour.json``. ``--without-workers`` shows what happens when the work is
done in the app's own process; ``--check`` makes missed aims the exit code.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from transcripts import transcript  # beside this file
from websockets.asyncio.client import ClientConnection, connect

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "hostile_neighbour.json"
HONEST: Final = 19
TOKENS: Final = 2_000
THINK_S: Final = 30.0
ANSWER_S: Final = 120.0

AIM_FACTOR: Final = 2.0
AIM_HEALTH_MS: Final = 1_000.0

SLOW: Final = "hostile-slow"
LARGE: Final = "hostile-large"

PLANTED: Final = f'''
"""An input that is slow or large by construction, beside the real reader."""
import re

from inspector.ingest import read as real


def read(data, **options):
    text = data if isinstance(data, str) else ""
    if text.startswith({SLOW!r}):
        re.match(r"(a|a)*$", "a" * 64 + "b")
    if text.startswith({LARGE!r}):
        held = []
        while True:
            held.append(bytearray(2**24))
    return real(data, **options)
'''

START: Final = """
import sys
sys.path.insert(0, sys.argv[1])
import planted
from inspector.ui import apart, state
state.read = planted.read
if sys.argv[3] == "without":
    class Here:
        def call(self, holder, function, deadline, wanted, /, *args, **kwargs):
            return function(*args, **kwargs)
    here = Here()
    apart.workers = lambda: here
from inspector.app import run
run(port=int(sys.argv[2]), open_browser=False)
"""


@dataclass(slots=True)
class Seen:
    """What the sessions of one phase have seen."""

    waits_ms: list[float] = field(default_factory=list)
    health_ms: list[float] = field(default_factory=list)
    hostile_sent: int = 0
    told: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """The figures."""
        return {
            "inspections": len(self.waits_ms),
            "median_ms": round(statistics.median(self.waits_ms), 1),
            "p95_ms": round(statistics.quantiles(self.waits_ms, n=20)[-1], 1),
            "worst_ms": round(max(self.waits_ms), 1),
            "health_median_ms": round(statistics.median(self.health_ms), 1),
            "health_worst_ms": round(max(self.health_ms), 1),
            "hostile_inputs": self.hostile_sent,
            "hostile_was_told": sorted(self.told),
            "failed": self.failed[:5],
        }


@contextmanager
def server(workers: bool) -> Iterator[tuple[int, int]]:
    """The app on a free port of this machine: the port and the process id."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "planted.py").write_text(PLANTED)
        database = f"sqlite:///{folder / 'samples.sqlite3'}"
        with (folder / "server.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", START, name, str(port), "with" if workers else "without"],
                stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HARMONYLENS_DATABASE_URL": database},
            )  # fmt: skip
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
            process.kill()
            process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)  # between two looks at the port; nothing else tells that it is open
    raise SystemExit("The app did not start; run `make app` to see why.")


@asynccontextmanager
async def visit(port: int) -> AsyncIterator[tuple[ClientConnection, dict[str, str]]]:
    """A session on the empty page: its socket, and the ids of its widgets by their keys."""
    address = f"127.0.0.1:{port}"
    async with connect(
        f"ws://{address}/_stcore/stream", origin=f"http://{address}", subprotocols=["streamlit"], max_size=None,
        open_timeout=ANSWER_S, ping_interval=None,
    ) as line:  # fmt: skip
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        await line.send(asked.SerializeToString())
        ids: dict[str, str] = {}
        async for element in run_of(line):
            kind = element.WhichOneof("type")
            name = getattr(getattr(element, kind), "id", "") if kind in ("text_area", "button") else ""
            if name:
                ids[kind] = name
        yield line, ids


async def run_of(line: ClientConnection) -> AsyncIterator[Any]:
    """The elements that come until the script has run to its end."""
    async with asyncio.timeout(ANSWER_S):
        while True:
            message = ForwardMsg()
            message.ParseFromString(await line.recv())
            if message.WhichOneof("type") == "script_finished":
                return
            if message.WhichOneof("type") == "delta" and message.delta.HasField("new_element"):
                yield message.delta.new_element


async def paste(line: ClientConnection, ids: dict[str, str], text: str) -> tuple[float, bool, str]:
    """Put a text into the box and press Inspect: milliseconds until all has come, whether the tokens have, and an
    error that is shown."""
    asked = BackMsg()
    box = asked.rerun_script.widget_states.widgets.add()
    box.id, box.string_value = ids["text_area"], text
    button = asked.rerun_script.widget_states.widgets.add()
    button.id, button.trigger_value = ids["button"], True
    began = time.perf_counter()
    await line.send(asked.SerializeToString())
    shown, error = False, ""
    async for element in run_of(line):
        kind = element.WhichOneof("type")
        if kind == "bidi_component" and element.bidi_component.component_name == "harmonylens_screen":
            shown = True
        if kind == "alert":
            error = element.alert.body
    return (time.perf_counter() - began) * 1000, shown, error


async def honest(port: int, seen: Seen, text: str, number: int, over: asyncio.Event) -> None:
    """Somebody who looks at one transcript after the other until it is over."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, THINK_S))
    while not over.is_set():
        try:
            async with visit(port) as (line, ids):
                await asyncio.sleep(chance.uniform(0, THINK_S))
                took, shown, error = await paste(line, ids, text)
        except (OSError, TimeoutError) as trouble:
            seen.failed.append(f"{type(trouble).__name__}: {trouble}"[:200])
            seen.waits_ms.append(ANSWER_S * 1000)
            continue
        seen.waits_ms.append(took)
        if not shown:
            seen.failed.append(error or "no tokens came")


async def hostile(port: int, seen: Seen, over: asyncio.Event) -> None:
    """Somebody who sends slow and large inputs, one after the other, each in a session of its own."""
    while not over.is_set():
        text = f"{(SLOW, LARGE)[seen.hostile_sent % 2]} {seen.hostile_sent}"
        try:
            async with visit(port) as (line, ids):
                seen.hostile_sent += 1
                _, _, error = await paste(line, ids, text)
        except (OSError, TimeoutError) as trouble:
            error = f"no answer ({type(trouble).__name__})"
        seen.told.add(error.replace("\\", "")[:120])


async def health(port: int, seen: Seen, over: asyncio.Event) -> None:
    """Ask twice a second whether the app is there."""

    def ask() -> float:
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=ANSWER_S):
                return (time.perf_counter() - began) * 1000
        except OSError:
            return ANSWER_S * 1000

    while not over.is_set():
        seen.health_ms.append(await asyncio.to_thread(ask))
        await asyncio.sleep(0.5)


async def phase(port: int, seconds: float, text: str, with_hostile: bool) -> Seen:
    """Everybody for so many seconds."""
    seen, over = Seen(), asyncio.Event()
    tasks = [honest(port, seen, text, number, over) for number in range(HONEST)] + [health(port, seen, over)]
    if with_hostile:
        tasks.append(hostile(port, seen, over))
    everybody = asyncio.gather(*tasks)
    try:
        await asyncio.wait_for(asyncio.shield(everybody), seconds)
    except TimeoutError:
        over.set()
    await everybody
    return seen


async def measure(port: int, seconds: float) -> tuple[Seen, Seen]:
    """The honest sessions alone, then with the hostile one."""
    from inspector.tokens import vocabulary

    text = vocabulary().decode(transcript(TOKENS, 200, slip_every=4, respelled_every=1_000))
    async with visit(port) as (line, ids):
        await paste(line, ids, text)  # the first visit of all warms the server
    return await phase(port, seconds, text, False), await phase(port, seconds, text, True)


def missed(alone: dict[str, Any], beside: dict[str, Any]) -> list[str]:
    """The aims that were missed, in words."""
    checks = [
        (beside[name] <= AIM_FACTOR * alone[name], f"{name}: {beside[name]} beside, {alone[name]} alone")
        for name in ("median_ms", "p95_ms")
    ]
    checks.append((beside["health_worst_ms"] <= AIM_HEALTH_MS, f"health check {beside['health_worst_ms']} ms"))
    checks.append((not beside["failed"] and not alone["failed"], f"failed: {alone['failed'] + beside['failed']}"))
    return [words for met, words in checks if not met]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0, help="of each of the two phases")
    parser.add_argument("--check", action="store_true", help="exit with 1 when an aim is missed")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--without-workers", action="store_true", help="all in the app's own process; writes nothing")
    asked = parser.parse_args()
    with server(not asked.without_workers) as (port, _):
        seen = asyncio.run(measure(port, asked.seconds))
    alone, beside = (one.row() for one in seen)
    failed = missed(alone, beside)
    result = {
        "date": date.today().isoformat(), "cores": os.cpu_count(), "machine": platform.machine(),
        "python": platform.python_version(), "seconds": asked.seconds, "honest_sessions": HONEST, "tokens": TOKENS,
        "alone": alone, "beside_a_hostile_one": beside, "missed": failed,
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    if not (asked.no_write or asked.without_workers):
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if asked.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
