"""The gallery and the rules in a real Chromium: searched, opened, linked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inspector.gallery import load_sample, load_samples
from inspector.report.rules import all_rules

pytestmark = pytest.mark.browser


def test_the_gallery_is_searched_and_a_sample_opened(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/gallery")
    cards = page.locator("a.card")
    expect(cards).to_have_count(len(load_samples()))
    page.get_by_role("searchbox").fill("brackets recipient")
    expect(cards.filter(has_text="A remark in brackets")).to_have_count(1)
    assert cards.count() < 10
    page.get_by_role("searchbox").fill("no sample has such words")
    expect(page.get_by_text("No sample has these words")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="founding report").click()
    expect(cards).to_have_count(sum(s.family == "founding" for s in load_samples()))
    sample = load_sample("chatter-in-brackets")
    link = cards.filter(has_text=sample.title)
    assert link.get_attribute("href") == "./?sample=chatter-in-brackets"
    link.click()
    expect(page.get_by_label("Source")).to_contain_text(sample.title)
    expect(page).to_have_url(f"{app_url}/?sample=chatter-in-brackets")


def test_the_rules_are_searched_and_one_opened(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/rules")
    rows = page.locator("a.row")
    expect(rows).to_have_count(len(all_rules()))
    page.get_by_role("searchbox").fill("hs201")
    expect(rows.first).to_contain_text("duplicate-channel")
    rows.first.press("Enter")
    expect(page.get_by_role("heading", name="duplicate-channel")).to_be_visible()
    expect(page.get_by_text("Why is this bad")).to_be_visible()
    expect(page).to_have_url(f"{app_url}/rules?rule=HS201")
    page.get_by_role("button", name="All rules").click()
    expect(rows.first).to_be_visible()
    expect(page).to_have_url(f"{app_url}/rules")
