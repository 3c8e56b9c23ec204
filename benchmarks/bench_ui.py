"""``make bench-ui``: the app in a real Chromium, from "Inspect" to everything on screen, and what looking costs.

For 1,000, 10,000 and 131,072 tokens, healthy and broken, measured in interleaved rounds against the empty app of
the same run: the time from handing a file over until tokens, findings and all three panes stand; how long a
pointed-at token takes to light up everywhere; frames per second while scrolling steadily and page by page; bytes that
an interaction brings down; memory of browser and server. Chromium runs without a GPU, and shares the machine's
cores with the server and this script. Numbers go to ``benchmarks/results/ui.json``; ``--check`` makes missed aims
the exit code.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from transcripts import transcript  # beside this file

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "ui.json"
SIZES: Final = (1_000, 10_000, 131_072)
BODY: Final = 200
WOUNDS: Final = {"slip_every": 4, "respelled_every": 1_000}

AIM_OVER_EMPTY_MS: Final = 1000.0
AIM_LINK_MS: Final = 10.0
AIM_FPS: Final = 50.0
AIM_BYTES: Final = 5_000

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc")  # fmt: skip

INIT: Final = """
window.hsBench = {
  root() {
    for (const host of document.querySelectorAll('*')) {
      const found = host.shadowRoot?.querySelector('.hs .main');
      if (found) return found.closest('.hs');
    }
    return null;
  },
  stands() {
    const root = this.root();
    if (!root || root.classList.contains('waiting')) return false;
    const panes = [...root.querySelectorAll('.panes > .pane')];
    return root.querySelector('.hero .t') && root.querySelector('.findings .list')?.childElementCount > 0
      && panes.length === 3
      && panes.every((pane) => pane.querySelector('.message, .note-error, .t, .quiet:not([hidden])'));
  },
  empty() {
    for (const host of document.querySelectorAll('*')) if (host.shadowRoot?.querySelector('.card')) return true;
    return false;
  },
  until(what) {
    return new Promise((done) => {
      const look = () => {
        if (this[what]()) requestAnimationFrame(() => done(performance.now()));
        else requestAnimationFrame(look);
      };
      look();
    });
  },
  // Armed before the file is handed over: from its arrival in the page to the frame after everything stands.
  arm() {
    this.result = new Promise((done) => {
      document.addEventListener('change', () => {
        const began = performance.now();
        this.until('stands').then((now) => done(now - began));
      }, { capture: true, once: true });
    });
  },
  async link(count) {
    const root = this.root();
    const times = [];
    const boxes = [...root.querySelectorAll('.hero .scroller .t')];
    for (let n = 0; n < count; n += 1) {
      const box = boxes[(n * 37) % boxes.length];
      const began = performance.now();
      box.dispatchEvent(new MouseEvent('mouseover', { bubbles: true, composed: true }));
      box.getBoundingClientRect();
      times.push(performance.now() - began);
      await new Promise((next) => requestAnimationFrame(next));
    }
    return times;
  },
  scroll(pages, seconds) {
    const box = this.root().querySelector('.hero .scroller');
    box.scrollTop = 0;
    return new Promise((done) => {
      let frames = -1, began = 0;
      const step = (now) => {
        if (frames < 0) began = now;
        frames += 1;
        if (now - began >= seconds * 1000) { done((frames * 1000) / (now - began)); return; }
        const end = box.scrollHeight - box.clientHeight;
        box.scrollTop = box.scrollTop >= end - 1 ? 0 : Math.min(end, box.scrollTop + (pages ? box.clientHeight : 24));
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    });
  },
};
"""


def chromium() -> str:
    """The system's Chromium.

    Raises:
        SystemExit: there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise SystemExit("No Chromium was found: install `chromium`, then run this again.")


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    """The app on a free port of this machine: its address and its process id."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from inspector.app import run; run(port={port}, open_browser=False)"
    with (folder / "server.txt").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # between two looks at the port; nothing else tells that it is open
    raise SystemExit("The app did not start; run `make app` to see why.")


class Wire:
    """Bytes that came down the web socket since the last question."""

    def __init__(self, cdp: CDPSession) -> None:
        self.down = 0
        cdp.on("Network.webSocketFrameReceived", self._frame)
        cdp.send("Network.enable")

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        # Binary frames are reported in base64.
        size = len(response["payloadData"])
        self.down += size * 3 // 4 if response["opcode"] == 2 else size

    def take(self) -> int:
        """The bytes since the last call."""
        taken, self.down = self.down, 0
        return taken


def open_page(browser: Browser, url: str) -> tuple[Page, CDPSession, float]:
    """A fresh page with the empty app on it, and the milliseconds from navigation until it stood."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(INIT)
    cdp = page.context.new_cdp_session(page)
    page.goto(url, wait_until="commit")
    took: float = page.evaluate("hsBench.until('empty')")
    return page, cdp, took


def shown(page: Page, file: Path) -> float:
    """Milliseconds from handing ``file`` over until everything stands."""
    page.evaluate("hsBench.arm()")
    page.locator("input[type=file]").first.set_input_files(file)
    took: float = page.evaluate("hsBench.result")
    return took


def interactions(page: Page, wire: Wire, broken: bool) -> dict[str, int]:
    """Bytes down for what a person does; an interaction ends when nothing has come for a while."""

    def cost(act: Any) -> int:
        settle(page, wire)
        wire.take()
        act()
        settle(page, wire)
        return wire.take()

    page.wait_for_timeout(3000)  # what the libraries themselves say arrives late, and is no interaction
    box = page.locator(".hero .scroller .t").nth(20)
    costs = {
        "point at a token": cost(lambda: box.hover()),
        "select a token": cost(lambda: box.click()),
    }
    if broken:
        costs["flip a switch"] = cost(lambda: page.locator(".finding .switch").first.click())
    return costs


def settle(page: Page, wire: Wire) -> None:
    """Return once the web socket has been silent for 0.7 s: longer than any delay between two messages."""
    last = -1
    while wire.down != last:
        last = wire.down
        page.wait_for_timeout(700)


def memory_mb(pid: int, name: str = "Rss") -> float:
    """Resident (``Rss``) or private (``Private``) memory of a process in MB, as Linux counts it."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith(name)) / 1024


def tab_mb(browser: Browser) -> float:
    """Private memory of the largest renderer after a garbage collection."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return max(memory_mb(p["id"], "Private") for p in processes if p["type"] == "renderer")


def one(browser: Browser, url: str, pid: int, file: Path, broken: bool) -> dict[str, Any]:
    """All figures of one transcript on a fresh page."""
    page, cdp, empty = open_page(browser, url)
    wire = Wire(cdp)
    took = shown(page, file)
    links = page.evaluate("hsBench.link(120)")
    row = {
        "empty_ms": empty,
        "shown_ms": took,
        "link_ms": statistics.median(links),
        "link_p95_ms": statistics.quantiles(links, n=20)[-1],
        "fps_steady": page.evaluate("hsBench.scroll(false, 2.5)"),
        "fps_pages": page.evaluate("hsBench.scroll(true, 2.5)"),
        "bytes": interactions(page, wire, broken),
    }
    page.evaluate("gc()")
    row["tab_mb"] = tab_mb(browser)
    row["server_mb"] = memory_mb(pid)
    page.context.close()
    return row


def middle(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure."""
    out: dict[str, Any] = {}
    for key, value in rows[0].items():
        if isinstance(value, dict):
            out[key] = {name: int(statistics.median(row[key][name] for row in rows)) for name in value}
        else:
            out[key] = round(statistics.median(row[key] for row in rows), 1)
    return out


def write_files(folder: Path, sizes: tuple[int, ...]) -> dict[tuple[int, bool], Path]:
    """One record file for each size, healthy and broken."""
    files = {}
    for size in sizes:
        for broken in (False, True):
            ids = transcript(size, BODY, **(WOUNDS if broken else {}))
            path = folder / f"{size}-{'broken' if broken else 'healthy'}.jsonl"
            path.write_text(json.dumps({"id": path.stem, "role": None, "token_ids": ids}) + "\n", encoding="utf-8")
            files[(size, broken)] = path
    return files


def missed(row: dict[str, Any]) -> list[str]:
    """The aims that a row misses, in words."""
    over = row["shown_ms"] - row["empty_ms"]
    checks = [
        (over <= AIM_OVER_EMPTY_MS, f"{over:.0f} ms over the empty app"),
        (row["link_p95_ms"] <= AIM_LINK_MS, f"link {row['link_p95_ms']} ms"),
        (row["fps_pages"] >= AIM_FPS, f"{row['fps_pages']} frames per second page-wise"),
        (max(row["bytes"].values()) < AIM_BYTES, f"{max(row['bytes'].values())} bytes per interaction"),
    ]
    return [words for met, words in checks if not met]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--check", action="store_true", help="exit with 1 when an aim is missed")
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args()
    rounds: dict[tuple[int, bool], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        files = write_files(folder, tuple(asked.sizes))
        with server(folder) as (url, pid):
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            open_page(browser, url)[0].context.close()  # the first visit of all warms the server
            for _ in range(asked.rounds):
                for (size, broken), file in files.items():
                    rounds.setdefault((size, broken), []).append(one(browser, url, pid, file, broken))
            version = browser.version
            browser.close()
    rows = []
    failed = False
    for (size, broken), measured in rounds.items():
        row = {"tokens": size, "broken": broken, **middle(measured)}
        row["missed"] = missed(row)
        failed = failed or bool(row["missed"])
        rows.append(row)
        print(json.dumps(row))
    if not asked.no_write:
        about = {"date": date.today().isoformat(), "rounds": asked.rounds, "cores": os.cpu_count(),
                 "machine": platform.machine(), "chromium": version, "python": platform.python_version()}  # fmt: skip
        RESULTS.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 1 if asked.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
