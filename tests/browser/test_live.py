"""The Live page in a real browser: tokens as they come, every one of them, and what a person does with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, Route, expect

from inspector.gallery import load_samples
from inspector.live.hearing import Hearer

pytestmark = pytest.mark.browser

LOST = "duplicate-channel-lost-call"


def settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to run."""
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")


def choose_replay(page: Page, url: str, rate: int) -> None:
    """Open what ships as ``LOST`` on the Inspect page, and put its replay in the place of an engine."""
    page.goto(f"{url}/?sample={LOST}")
    expect(page.get_by_label("Source")).to_be_visible()
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Choose an engine").click()
    page.get_by_role("tab", name="Replay").click()
    rates = page.get_by_label("Tokens per second")
    rates.fill(str(rate))
    rates.press("Tab")
    page.get_by_role("button", name="Replay it").click()
    expect(page.get_by_role("button", name=re.compile("^Replay: "))).to_be_visible()
    settle(page)


def generate(page: Page, samples: int = 1) -> None:
    page.get_by_label("User").fill("Where is it?")
    page.get_by_label("User").press("Tab")
    if samples > 1:
        page.get_by_label("Samples", exact=True).fill(str(samples))
        page.get_by_label("Samples", exact=True).press("Tab")
    settle(page)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".run-line")).to_be_visible()


def boxes(page: Page) -> list[int]:
    """The places of the tokens that are drawn."""
    return page.locator(".one .surface .t[data-i]").evaluate_all("all => all.map((box) => Number(box.dataset.i))")


class Heard:
    """What the page was told of a run's first sample, put together as the page does it."""

    def __init__(self, page: Page) -> None:
        self.bodies: list[bytes] = []
        page.on("response", self._take)

    def _take(self, response: Response) -> None:
        if re.search(r"/_live/[^/?]+/0\?", response.url) and response.ok:
            self.bodies.append(response.body())

    def ids(self) -> list[int]:
        heard = Hearer()
        for body in self.bodies:
            heard.hear(body)
        return heard.ids


def test_tokens_come_one_after_the_other_and_every_one_is_shown(page: Page, app_url: str) -> None:
    ids = sample_ids()
    heard = Heard(page)
    choose_replay(page, app_url, 6)
    generate(page)
    line = page.locator(".run-line")
    expect(line).to_have_attribute("data-state", "running")
    expect(page.get_by_label("Verdict")).to_contain_text("so far")
    expect(page.get_by_label("Finish reasons")).to_contain_text("come with the last token")
    expect(line).to_have_attribute("data-state", "done")
    expect(page.locator(f".one .surface .t[data-i='{len(ids) - 1}']")).to_be_visible()
    assert sorted(set(boxes(page))) == list(range(len(ids)))
    assert heard.ids() == list(ids)
    assert len(heard.bodies) > 3, "they came in one piece"
    expect(page.get_by_label("Finish reasons")).to_contain_text("finish_reason should be")
    expect(page.locator(".run-line")).to_contain_text(f"{len(ids)} tokens")


def sample_ids() -> tuple[int, ...]:
    return next(sample.transcript.ids for sample in load_samples() if sample.name == LOST)


def test_a_run_is_stopped_and_keeps_what_has_come(page: Page, app_url: str) -> None:
    choose_replay(page, app_url, 1)
    generate(page)
    expect(page.locator(".one .surface .t[data-i='1']")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".run-line")).to_have_attribute("data-state", "stopped")
    kept = boxes(page)
    assert 2 <= len(set(kept)) < len(sample_ids())
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_samples_are_chosen_by_keyboard_and_shown_side_by_side(page: Page, app_url: str) -> None:
    choose_replay(page, app_url, 5000)
    generate(page, 3)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    rows = page.locator(".sample")
    expect(rows).to_have_count(3)
    page.get_by_role("listbox", name="Samples").press("ArrowDown")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("Source")).to_contain_text("Sample 2")
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator(".side")).to_have_count(3)
    for n in range(3):
        expect(page.locator(".side").nth(n).locator(".t[data-i='0']")).to_be_visible()
    page.get_by_role("button", name="One sample").click()
    expect(page.get_by_label("Source")).to_contain_text("Sample 2")


def test_a_sample_goes_to_inspect_with_its_prompt(page: Page, app_url: str) -> None:
    choose_replay(page, app_url, 5000)
    generate(page)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    settle(page)
    page.get_by_role("button", name="Open in Inspect", exact=True).click()
    expect(page).to_have_url(re.compile(rf"{app_url}/(\?.*)?$"))
    expect(page.get_by_label("Source")).to_contain_text(f"{len(sample_ids())} tokens")
    settle(page)
    page.get_by_role("button", name="Live", exact=True).click()
    page.get_by_role("button", name=re.compile("^Resample from token")).click()
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    expect(page.locator(".again")).to_contain_text("came back in")
    expect(page.locator(".sample")).to_have_count(8)


def test_it_can_be_read_on_a_phone_and_in_the_dark(page: Page, app_url: str, artifacts: Path) -> None:
    choose_replay(page, app_url, 5000)
    generate(page, 2)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".hs.live")).to_have_attribute("data-theme", scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"it is wider than {width} px"
        page.screenshot(path=artifacts / f"live-{width}-{scheme}.png")


def test_hostile_tokens_stay_text(page: Page, app_url: str) -> None:
    hostile = "<|channel|>final<|message|><img src=x onerror=alert(1)><script>alert(2)</script>\u202e<|return|>"
    page.goto(app_url)
    page.get_by_label("Model output, token ids or transcript records").fill(hostile)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_label("Source")).to_be_visible()
    page.get_by_role("link", name="Live").click()
    settle(page)
    page.get_by_role("button", name="Choose an engine").click()
    page.get_by_role("tab", name="Replay").click()
    page.get_by_role("button", name="Replay it").click()
    expect(page.get_by_role("button", name=re.compile("^Replay: "))).to_be_visible()
    generate(page, 2)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    assert page.locator(".hs img, .hs script").count() == 0
    expect(page.locator(".sample .tail").first).to_contain_text("[U+202E]")


def test_where_no_token_was_chosen_inspect_is_at_the_first_that_is_wrong(page: Page, app_url: str) -> None:
    choose_replay(page, app_url, 5000)
    heat = page.get_by_role("spinbutton", name="Temperature")
    heat.fill("1.5")
    heat.press("Tab")
    generate(page)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    settle(page)
    page.get_by_role("button", name="Resample from the chosen token").click()
    expect(page.locator(".live > .note")).to_contain_text("Choose the token first")
    page.get_by_role("button", name="Open in Inspect", exact=True).click()
    expect(page.get_by_label("Source")).to_contain_text(f"{len(sample_ids())} tokens")
    settle(page)
    page.get_by_role("button", name="Live", exact=True).click()
    panel = page.locator(".st-key-live-inspect")
    expect(panel).to_contain_text("where it first goes wrong")
    expect(panel).not_to_contain_text("Token 0")
    expect(panel.get_by_role("spinbutton", name="Temperature")).to_have_value(re.compile(r"^1\.50?$"))


def test_a_screen_reader_is_told_of_the_run_that_is_shown(page: Page, app_url: str) -> None:
    choose_replay(page, app_url, 5000)
    generate(page)
    told = page.locator(".run-line .unseen")
    expect(told).to_have_text(f"Done. {len(sample_ids())} tokens sampled.")
    settle(page)
    page.get_by_text("Prompt and parameters").click()
    page.get_by_role("spinbutton", name="Samples").fill("3")
    page.get_by_role("spinbutton", name="Samples").press("Tab")
    settle(page)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(told).to_have_text(f"Done. {3 * len(sample_ids())} tokens sampled.")
    settle(page)
    page.get_by_role("button", name="Back to the run before").click()
    expect(told).to_have_text(f"Done. {len(sample_ids())} tokens sampled.")


def test_an_address_in_a_message_is_no_link_and_is_copied_as_it_is(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/live")
    settle(page)
    page.get_by_role("button", name="Choose an engine").click()
    url = page.get_by_label("Base URL")
    url.fill("host.example:8000")
    url.press("Tab")
    page.get_by_role("button", name="Connect").click()
    said = page.locator(".st-key-live-engine").get_by_role("alert")
    expect(said).to_contain_text("write http://host.example:8000 or, if it encrypts, https://host.example:8000.")
    expect(said.get_by_role("link")).to_have_count(0)
    said.get_by_text("no scheme").click(click_count=3)
    copied = page.evaluate("getSelection().toString()")
    assert "http://host.example:8000 or" in copied
    assert copied.isascii()


def test_a_sample_that_cannot_be_read_says_so_beside_the_others(page: Page, app_url: str) -> None:
    sentence = "harmonylens failed at reading this transcript (ValueError: no). Its tokens are kept."

    def damaged(route: Route) -> None:
        answer = route.fetch()
        summary = answer.json()
        for row in summary["rows"][:1]:
            row["judged"] = {**(row["judged"] or {"count": 1, "findings": 0}), "ok": False, "defect": sentence}
        route.fulfill(response=answer, json=summary)

    page.route(re.compile(r"/_live/[^/?]+\?seen="), damaged)
    choose_replay(page, app_url, 1000)
    generate(page, 2)
    said = page.locator(".samples .sample .said")
    expect(said.nth(0)).to_have_text("● not read")
    expect(said.nth(1)).not_to_have_text("● not read")
    expect(page.locator(".hs.live > p.note")).to_have_text(sentence)
    page.locator(".samples .sample").nth(1).click()
    expect(page.locator(".hs.live > p.note")).to_be_hidden()


def test_tokens_that_cannot_be_shown_are_a_sentence_and_asked_for_once(page: Page, app_url: str) -> None:
    asked: list[str] = []

    def refused(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=422, body="harmonylens failed at showing this sample (ValueError: no).\n")

    page.route(re.compile(r"/_live/[^/?]+/0\?have="), refused)
    choose_replay(page, app_url, 1000)
    generate(page)
    expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    expect(page.locator(".hs.live > p.note")).to_have_text(
        "harmonylens failed at showing this sample (ValueError: no)."
    )
    assert len(asked) == 1
