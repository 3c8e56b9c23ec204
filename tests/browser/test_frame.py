"""The frame of the pages: the empty page, the rules, the panels of the first row; axe, widths, what moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    window.shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput).map((entry) => entry.value));
  }).observe({ type: "layout-shift", buffered: true });
  window.moved = () => window.shifts.reduce((sum, value) => sum + value, 0);
}"""


def start(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="What did the model really say?")).to_be_visible()
    expect(page.locator("a.card").first).to_be_visible()


def rules(page: Page, url: str) -> None:
    page.goto(f"{url}/rules")
    expect(page.locator("a.row").first).to_be_visible()


def rule(page: Page, url: str) -> None:
    page.goto(f"{url}/rules?rule=HS201")
    expect(page.get_by_role("heading", name="HS201")).to_be_visible()
    expect(page.locator("a.card").first).to_be_visible()


def share(page: Page, url: str) -> None:
    page.goto(f"{url}/?sample=lost-call")
    expect(page.locator(".hero .t").first).to_be_visible()
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("textbox", name="Link that carries the transcript")).to_be_visible()


def box(page: Page, url: str) -> None:
    page.goto(f"{url}/?sample=lost-call")
    expect(page.locator(".hero .t").first).to_be_visible()
    page.get_by_role("button", name="Input", exact=True).click()
    expect(page.get_by_role("textbox", name="Model output")).to_be_visible()


@pytest.mark.parametrize("opened", [start, rules, rule, share, box], ids=lambda opened: opened.__name__)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_and_the_width_of_a_phone(
    browser: Browser, app_url: str, artifacts: Path, opened: Any, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    opened(page, app_url)
    found = Axe().run(page).response["violations"]
    page.screenshot(path=artifacts / f"{opened.__name__}-1280-{scheme}.png")
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.get_by_role("link", name="Rules", exact=True)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    page.screenshot(path=artifacts / f"{opened.__name__}-390-{scheme}.png")
    context.close()
    serious = [
        (v["id"], [node["html"][:160] for node in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_while_a_page_loads(page: Page, app_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(f"({SHIFTS})()")
    start(page, app_url)
    expect(page.get_by_text("64MB per file")).to_be_visible()
    # Up to 0.1 counts as good with those who measure it on the web.
    assert page.evaluate("window.moved()") < 0.05
    page.goto(f"{app_url}/?sample=lost-call")
    expect(page.locator(".hero .t").first).to_be_visible()
    expect(page.get_by_text("the library itself says the same")).to_be_visible()
    assert page.evaluate("window.moved()") < 0.05


def test_the_panels_are_reached_and_left_by_keyboard(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=lost-call")
    expect(page.locator(".hero .t").first).to_be_visible()
    button = page.get_by_role("button", name="Input", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Model output")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="Model output")).to_have_count(0)
    share_button = page.get_by_role("button", name="Share", exact=True)
    share_button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Link that carries the transcript")).to_be_visible()
