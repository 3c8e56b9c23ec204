"""The gallery and the rules in a real Chromium: filtered, opened, linked, taken along."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from inspector.gallery import bundle, gallery_of, load_sample, load_samples, open_gallery, sample_record
from inspector.report.rules import all_rules

pytestmark = pytest.mark.browser

SAMPLES = load_samples()


def open_file(page: Page, path: Path) -> None:
    chooser = page.locator("input[type=file]")
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("button", name="Open a gallery").click()
    # The one before may still be on its way out.
    expect(chooser).to_have_count(1)
    chooser.set_input_files(path)
    expect(chooser).to_have_count(0)


def test_the_gallery_is_filtered_and_the_address_keeps_it(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/gallery")
    cards, search = page.locator("a.card"), page.get_by_role("searchbox")
    expect(cards).to_have_count(len(SAMPLES))
    search.fill("brackets recipient")
    expect(cards.filter(has_text="A remark in brackets")).to_have_count(1)
    assert cards.count() < 10
    search.fill("no sample has such words")
    expect(page.get_by_text("No sample fits all of these")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(cards).to_have_count(len(SAMPLES))
    code, count = Counter(code for s in SAMPLES for code in {*s.rules, *s.drift}).most_common(1)[0]
    page.get_by_label("Rule", exact=True).select_option(code)
    expect(cards).to_have_count(count)
    expect(page.get_by_label("Rule", exact=True).locator("option:checked")).to_contain_text(f"({count})")
    page.get_by_role("button", name="strict parsers raise").click()
    both = sum(code in {*s.rules, *s.drift} and bool(s.errors) for s in SAMPLES)
    expect(cards).to_have_count(both)
    expect(page.get_by_role("status").filter(has_text="samples")).to_have_text(f"{both} of {len(SAMPLES)} samples")
    page.wait_for_url(f"**/gallery?rule={code}&show=raises")
    page.reload()
    expect(cards).to_have_count(both)
    expect(page.get_by_label("Rule", exact=True)).to_have_value(code)
    expect(page.get_by_role("button", name="strict parsers raise")).to_have_attribute("aria-pressed", "true")


def test_back_from_a_sample_finds_the_filters_and_the_place(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/gallery")
    cards = page.locator("a.card")
    expect(cards).to_have_count(len(SAMPLES))
    page.get_by_role("searchbox").fill("channel")
    expect(page.get_by_role("status").filter(has_text="of")).to_be_visible()
    shown = cards.count()
    card = cards.nth(shown - 6)
    card.scroll_into_view_if_needed()
    name, title = card.get_attribute("data-name"), card.locator("h3").inner_text()
    # Where it stood when it was clicked: until then fonts may arrive and move it.
    card.evaluate(
        "(e) => e.addEventListener('click', () => { window.stood = e.getBoundingClientRect().top; }, { capture: true })"
    )
    card.click()
    expect(page.get_by_label("Source")).to_contain_text(title)
    expect(page).to_have_url(f"{app_url}/?sample={name}")
    page.go_back()
    expect(page).to_have_url(f"{app_url}/gallery?q=channel")
    expect(cards).to_have_count(shown)
    page.wait_for_function(
        """(name) => {
          const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
          const cards = roots.flatMap((root) => [...root.querySelectorAll('a.card')]);
          const card = cards.find((e) => e.dataset.name === name);
          return card && Math.abs(card.getBoundingClientRect().top - window.stood) < 3;
        }""",
        arg=name,
    )
    page.go_forward()
    expect(page.get_by_label("Source")).to_contain_text(title)


def test_a_card_is_a_link_and_its_strip_says_what_stands_where(page: Page, app_url: str) -> None:
    sample = load_sample("chatter-in-brackets")
    page.goto(f"{app_url}/gallery?q=brackets")
    card = page.locator("a.card").filter(has_text=sample.title)
    assert card.get_attribute("href") == f"./?sample={sample.name}"
    before = card.bounding_box()
    card.locator(".strip").hover(position={"x": 2, "y": 6})
    expect(card.locator(".detail")).to_contain_text("header, tokens 0")
    card.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.mouse.move(0, 0)
    expect(card.locator(".detail")).to_contain_text(f"{len(sample.transcript.ids)} tokens, 1 damaged place, at ")
    assert card.bounding_box() == before
    with page.context.expect_page() as opened:
        card.click(modifiers=["ControlOrMeta"])
    expect(opened.value.get_by_label("Source")).to_contain_text(sample.title)


def test_a_bundle_is_taken_along_and_opens_again(page: Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/gallery?kind=dup-channel")
    wanted = [s for s in SAMPLES if s.family == "dup-channel"]
    button = page.get_by_role("button", name=f"Download these {len(wanted)} as a bundle")
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == f"samples-{len(wanted)}.harmonylens"
    path = tmp_path / "mine.harmonylens"
    download.value.save_as(path)
    assert open_gallery(path).samples == tuple(wanted)
    expect(button).to_be_enabled()
    open_file(page, path)
    mine = page.get_by_role("button", name=f"{len(wanted)} samples", exact=False).first
    expect(mine).to_have_attribute("aria-pressed", "true")
    cards = page.locator("a.card")
    expect(cards).to_have_count(len(wanted))
    name = cards.first.get_attribute("data-name")
    assert name is not None
    assert name.endswith(f":{wanted[0].name}")
    cards.first.click()
    expect(page.get_by_label("Source")).to_contain_text(wanted[0].title)
    # The link works in a tab of its own, and the gallery is found again by its address.
    other = page.context.new_page()
    other.goto(f"{app_url}/?sample={name}")
    expect(other.get_by_label("Source")).to_contain_text(wanted[0].title)
    other.goto(f"{app_url}/gallery?in={name.partition(':')[0]}")
    expect(other.locator("a.card")).to_have_count(len(wanted))
    other.get_by_role("button", name="Close").click()
    expect(other.locator("a.card")).to_have_count(len(SAMPLES))


def test_files_that_are_no_gallery_are_one_sentence(page: Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/gallery")
    expect(page.locator("a.card").first).to_be_visible()
    empty = tmp_path / "empty.zip"
    zipfile.ZipFile(empty, "w").close()
    open_file(page, empty)
    expect(page.get_by_role("alert")).to_contain_text("empty.zip: there are no samples in it")
    bomb = tmp_path / "bomb.harmonylens"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.jsonl", "w") as member:
        for _ in range(150):
            member.write(b"0" * (1 << 20))
    open_file(page, bomb)
    expect(page.get_by_role("alert")).to_contain_text("bomb.harmonylens: the zip unpacks to 150 MB")
    mixed = tmp_path / "mixed.jsonl"
    hostile = {
        "id": "日本 <b>x</b>",
        "title": "<img src=x onerror=alert(1)>\u202e",
        "token_ids": [200005],
        "tags": ["<i>"],
    }
    mixed.write_text(f"{json.dumps(hostile)}\n{{broken\n{json.dumps(hostile)}\n")
    open_file(page, mixed)
    expect(page.get_by_text("mixed: one thing was left out")).to_be_visible()
    expect(page.locator("a.card")).to_have_count(2)
    expect(page.locator("a.card h3").first).to_have_text("<img src=x onerror=alert(1)><U+202E>")
    page.locator("a.card").nth(1).click()
    expect(page.get_by_label("Source")).to_contain_text("<img src=x")


def test_of_two_thousand_samples_the_first_are_drawn_at_once(page: Page, app_url: str, tmp_path: Path) -> None:
    rows = [{**sample_record(SAMPLES[n % len(SAMPLES)]), "id": f"run {n}", "name": f"run-{n}"} for n in range(2000)]
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    page.goto(f"{app_url}/gallery")
    expect(page.locator("a.card").first).to_be_visible()
    open_file(page, path)
    cards = page.locator("a.card")
    expect(cards).to_have_count(2000)
    at_once = page.evaluate(
        """() => {
          const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
          const root = roots.find((e) => e.querySelector('.filters'));
          const search = root.querySelector('input[type=search]');
          search.value = 'run-19';
          search.dispatchEvent(new Event('input', { bubbles: true }));
          return root.querySelectorAll('a.card').length;
        }"""
    )
    expect(cards).to_have_count(111)
    # More than a screen holds; the others come with the next frames.
    assert at_once == 60


def test_axe_finds_nothing_serious(browser: Browser, app_url: str, tmp_path: Path) -> None:
    path = tmp_path / "team.harmonylens"
    path.write_bytes(bundle(gallery_of("team", "Team", "Ours.", SAMPLES[:3])))
    for width, scheme in ((1280, "light"), (390, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.goto(f"{app_url}/gallery")
        expect(page.locator("a.card").first).to_be_visible()
        open_file(page, path)
        expect(page.locator("a.card")).to_have_count(3)
        # Our part of the page: what stands around it is Streamlit's own.
        result: dict[str, Any] = Axe().run(page, context={"include": [[".stMain"]]}).response
        serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in serious] == []
        context.close()


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
