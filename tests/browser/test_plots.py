"""The plots of the Inspect page in a real Chromium, over a synthetic transcript (see :mod:`synthetic`)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from inspector import inspect

from .synthetic import record, record_line

pytestmark = pytest.mark.browser

PLOTLY_S = 60_000
"""How long a busy machine may take to load and start plotly, once."""

MAX_PER_SELECTION = 3_000
"""Bytes of plots that may come down when a token is chosen."""


class Frames:
    """What the server sent of the plots."""

    def __init__(self, page: Page) -> None:
        self.received: list[bytes] = []
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))

    def _frame(self, frame: str | bytes) -> None:
        data = frame if isinstance(frame, bytes) else frame.encode()
        if b"-plots." in data or b"Token " in data:
            self.received.append(data)


def opened(page: Page, url: str, file: Path) -> Locator:
    """The section with its plots drawn, of a transcript that is uploaded."""
    page.goto(url)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".hero .t").first).to_be_visible()
    section = page.get_by_test_id("stExpander").filter(has_text="Probabilities")
    expect(section.locator(".js-plotly-plot")).to_have_count(0)
    section.get_by_text("Probabilities").click()
    expect(section.locator(".barlayer .point").first).to_be_attached(timeout=PLOTLY_S)
    expect(section.locator(".scatterlayer .point").first).to_be_attached(timeout=PLOTLY_S)
    return section


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "synthetic.jsonl"
    path.write_text(record_line())
    return path


def token(page: Page, index: int) -> Locator:
    return page.locator(f".hero .t[data-i='{index}']")


def test_points_lead_to_tokens_and_tokens_to_their_alternatives(page: Page, app_url: str, file: Path) -> None:
    frames = Frames(page)
    plots = opened(page, app_url, file)
    told = record()
    # The token at which the screen opens is spoken of before any is chosen.
    broke = next(v.error.token for v in inspect(told["token_ids"], role="assistant").strict if v.error is not None)
    expect(plots).to_contain_text(f"Token {broke},")
    plots.locator(".scatterlayer .trace").first.locator(".point").nth(150).click(force=True)
    expect(token(page, 150)).to_have_class(re.compile(r"\bactive\b"))
    expect(plots).to_contain_text("Token 150,")
    # A bar of the last figure is a place of structure: the first is the first token. It is where it was.
    structure = plots.locator(".js-plotly-plot").last
    structure.locator(".barlayer .trace").first.locator(".point").first.click(force=True)
    expect(token(page, 0)).to_have_class(re.compile(r"\bactive\b"))
    expect(plots).to_contain_text("Token 0, <|channel|>")
    expect(structure).to_contain_text("HS201")
    # The other way: a token is chosen in the view. The long figures do not come down again.
    chosen = 2
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    frames.received.clear()
    token(page, chosen).click()
    expect(plots).to_contain_text(
        f"Token {chosen}, <|message|>: probability {100 * math.exp(told['logprobs'][chosen]):.2f}%"
    )
    expect(plots.locator(".js-plotly-plot").nth(1)).to_contain_text("▸ <|message|>")
    assert 0 < sum(map(len, frames.received)) < MAX_PER_SELECTION
    # Text of a token is text: plotly would make bold letters and links of it.
    expect(plots.locator(".js-plotly-plot").nth(1)).to_contain_text("<|message|>")
    expect(plots.locator(".js-plotly-plot a")).to_have_count(0)
    assert not any(b"plots.trace" in frame or b"plots.structure" in frame for frame in frames.received)


def test_without_logprobs_there_is_a_line_and_no_plot(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    expect(page.get_by_text("No plots: a record with")).to_be_visible()
    expect(page.get_by_test_id("stExpander").filter(has_text="Probabilities")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pictures(browser: Browser, app_url: str, file: Path, artifacts: Path, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 1400}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    plots = opened(page, app_url, file)
    token(page, 68).click()
    expect(plots.locator(".js-plotly-plot").nth(1)).to_contain_text("▸")
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    plots.screenshot(path=artifacts / f"plots-{width}-{scheme}.png")
    context.close()
