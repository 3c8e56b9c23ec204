"""Every page at desk and phone width, dark and light: pictures for people, and what a machine can judge of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser

PAGES = {
    "empty": ("/", ".card"),
    "inspect": ("/?sample=aborted-plan-in-header", ".hero .t"),
    "gallery": ("/gallery", ".card"),
    "rules": ("/rules", ".row"),
    "rule": ("/rules?rule=HS201", ".card"),
}
SIZES = {1280: 1300, 390: 2200}

_SHADOWS = """
const roots = [document, ...[...document.querySelectorAll('*')].filter(e => e.shadowRoot).map(e => e.shadowRoot)];
"""

CONTRAST = (
    "() => {"
    + _SHADOWS
    + """
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement ?? e.getRootNode().host) {
      layers.push(rgba(getComputedStyle(e).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad = [];
  for (const root of roots) {
    for (const element of root.querySelectorAll('.hs *')) {
      const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent).join('').trim();
      if (!text || !element.checkVisibility() || element.closest('[aria-hidden=true]:not(.lines)')) continue;
      const below = ground(element);
      const ink = rgba(getComputedStyle(element).color);
      const [a, b] = [light(over(ink, below)), light(below)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) bad.push(`${element.className} ${JSON.stringify(text.slice(0, 30))} ${ratio.toFixed(2)}`);
    }
  }
  return [...new Set(bad)];
}"""
)

OVERFLOW = (
    "() => {"
    + _SHADOWS
    + """
  const wide = [];
  for (const root of roots) {
    for (const e of root.querySelectorAll('.hs, .hs > *, .panes > *, .findings, .card, .row, .message')) {
      const { right } = e.getBoundingClientRect();
      if (right > innerWidth + 1) wide.push(`${e.className} ${right}`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) wide.push(`the page: ${document.documentElement.scrollWidth}`);
  return wide;
}"""
)

UNNAMED = (
    "() => {"
    + _SHADOWS
    + """
  const found = [];
  for (const root of roots) {
    for (const e of root.querySelectorAll('.hs button, .hs a, .hs input, .hs select, .hs [role=listbox]')) {
      const name = e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim();
      if (!name) found.push(e.outerHTML.slice(0, 80));
    }
  }
  return found;
}"""
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", list(SIZES))
def test_pages_look_right(browser: Browser, app_url: str, artifacts: Path, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    page = context.new_page()
    for name, (address, stands) in PAGES.items():
        page.goto(app_url + address)
        expect(page.locator(stands).first).to_be_visible()
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
        if name == "inspect":
            expect(page.locator(".verdict .source.same")).to_be_visible()
        page.screenshot(path=artifacts / f"{name}-{width}-{scheme}.png")
        assert page.locator(".hs").first.get_attribute("data-theme") == scheme
        assert page.evaluate(CONTRAST) == [], f"{name}: contrast below 4.5"
        assert page.evaluate(OVERFLOW) == [], f"{name}: wider than the window"
        assert page.evaluate(UNNAMED) == [], f"{name}: controls without a name"
    context.close()
