"""Saving in a real Chromium: two people, one transcript, a link between them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

BROKEN = (
    "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>analysis<|channel|>analysis<|message|>Run the {} tests.<|end|>"
)
ADDRESS = re.compile(r"\?sample=[a-z2-7]{13}$")


def inspect(page: Page, url: str, text: str) -> None:
    page.goto(url)
    page.get_by_label("Model output").fill(text)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_label("Transcript tokens").or_(page.locator(".verdict")).first).to_be_visible()


def panel(page: Page) -> Locator:
    """The save panel, opened."""
    body = page.get_by_test_id("stPopoverBody")
    if not body.is_visible():
        page.get_by_test_id("stPopover").get_by_role("button", name="Save").click()
    # What was drawn before stays in the page, hidden, until the run has ended.
    expect(body.get_by_label("Title")).to_have_count(1)
    expect(body.get_by_label("Title")).to_be_visible()
    return body


def save(page: Page, title: str, author: str) -> str:
    """Save what is on screen and return the short link as the panel shows it."""
    body = panel(page)
    body.get_by_label("Title").fill(title)
    body.get_by_label("Your name").fill(author)
    body.get_by_role("button", name="Save", exact=True).click()
    expect(body.get_by_text("Saved as revision 1")).to_be_visible()
    expect(page).to_have_url(ADDRESS)
    return body.get_by_label("Short link", exact=True).input_value()


def test_two_people_edit_one_sample_and_nothing_is_lost(page: Page, own_app_url: str, browser: Browser) -> None:
    inspect(page, own_app_url, BROKEN.format("two"))
    link = save(page, "Ann saw it first", "Ann")
    assert link == page.url
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    try:
        bob = context.new_page()
        bob.goto(link)
        expect(bob.get_by_label("Source")).to_contain_text("Ann saw it first")
        theirs = panel(bob)
        theirs.get_by_label("Title").fill("Bob knows better")
        theirs.get_by_label("Your name").fill("Bob")
        theirs.get_by_role("button", name="Save changes").click()
        expect(theirs.get_by_text("Edited as revision 2.")).to_be_visible()
        expect(bob.get_by_label("Source")).to_contain_text("Bob knows better")
        ours = panel(page)
        ours.get_by_label("Title").fill("Ann insists")
        ours.get_by_role("button", name="Save changes").click()
        expect(
            ours.get_by_text(re.compile(r"Edited as revision 3\. Bob edited it at .* both are kept"))
        ).to_be_visible()
        expect(page.get_by_label("Source")).to_contain_text("Ann insists")
        ours.get_by_text("History: 3 revisions").click()
        ours.get_by_role("button", name="Open").first.click()
        expect(page).to_have_url(re.compile(r"\?sample=[a-z2-7]{13}(@|%40)2$"))
        expect(page.get_by_label("Source")).to_contain_text("Bob knows better")
        bob.reload()
        expect(bob.get_by_label("Source")).to_contain_text("Ann insists")
    finally:
        context.close()


def test_a_sample_is_deleted_and_restored(page: Page, own_app_url: str, browser: Browser) -> None:
    inspect(page, own_app_url, BROKEN.format("gone"))
    link = save(page, "Not for long", "Ann")
    body = panel(page)
    body.get_by_role("button", name="Delete …").click()
    body.get_by_role("button", name="Delete it").click()
    expect(body.get_by_text("Ann deleted it")).to_be_visible()
    expect(page).not_to_have_url(ADDRESS)
    page.goto(link)
    expect(page.get_by_text("was deleted by Ann")).to_be_visible()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Source")).to_contain_text("Not for long")
    page.goto(f"{own_app_url}/gallery")
    card = page.locator("a.card").filter(has_text="Not for long")
    expect(card).to_be_visible()
    card.click()
    expect(page).to_have_url(link)


def test_hostile_words_stay_words(page: Page, own_app_url: str) -> None:
    inspect(page, own_app_url, BROKEN.format("hostile"))
    title = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b** $x$ :material/star: \u202egnp.exe"
    save(page, title, "<script>alert(1)</script>")
    expect(page.get_by_label("Source")).to_contain_text("<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b**")
    body = panel(page)
    body.get_by_label("Tags").fill("<svg onload=alert(1)>, {{7*7}}")
    body.get_by_role("button", name="Save changes").click()
    expect(body.get_by_text("Edited as revision 2.")).to_be_visible()
    body.get_by_text("History: 2 revisions").click()
    expect(body.get_by_text("saved by <script>alert(1)</script>")).to_be_visible()
    expect(body.get_by_text("<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b**").first).to_be_visible()
    assert body.locator("img, script, svg[onload], a[href^=javascript]").count() == 0


def test_what_is_typed_stays_when_the_panel_is_closed(page: Page, own_app_url: str) -> None:
    inspect(page, own_app_url, BROKEN.format("closed"))
    body = panel(page)
    body.get_by_label("Title").fill("Half a tit")
    page.keyboard.press("Tab")
    page.get_by_test_id("stPopover").get_by_role("button", name="Save").click()
    expect(body).to_be_hidden()
    expect(panel(page).get_by_label("Title")).to_have_value("Half a tit")


def test_the_panel_fits_in_light_and_dark(page: Page, own_app_url: str, artifacts: Path) -> None:
    inspect(page, own_app_url, BROKEN.format("fitting"))
    save(page, "The same channel twice", "Ann")
    body = panel(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            expect(body.get_by_role("button", name="Copy: Short link")).to_be_in_viewport(ratio=1)
            expect(body.get_by_role("button", name="Delete …")).to_be_in_viewport(ratio=1)
            box = body.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=artifacts / f"save-{width}-{scheme}.png")


def test_records_keep_what_was_reported(page: Page, own_app_url: str) -> None:
    record = {
        "id": "run 7",
        "role": "assistant",
        "text": BROKEN.format("reported"),
        "finish_reason": "length",
        "stop_reason": None,
    }
    inspect(page, own_app_url, json.dumps(record))
    link = save(page, "Cut off", "Ann")
    page.goto(link)
    expect(page.get_by_label("Source")).to_contain_text("Cut off")
    expect(page.get_by_text("length", exact=True).first).to_be_visible()
