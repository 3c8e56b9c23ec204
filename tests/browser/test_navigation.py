"""The address, Back, Forward and reload: every entry of the tab's history shows what it showed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from inspector.tokens import vocabulary

pytestmark = pytest.mark.browser

FIRST = (
    "<|channel|>analysis<|message|>First the tests.<|end|><|start|>assistant<|channel|>final<|message|>Done.<|return|>"
)
SECOND = "<|channel|>final<|message|>Something else entirely.<|return|>"
START = "What did the model really say?"


def start_page(page: Page) -> None:
    expect(page.get_by_role("heading", name=START)).to_be_visible()
    expect(page.locator(".hero .t")).to_have_count(0)


def shows(page: Page, text: str) -> None:
    """The transcript of ``text`` is on the screen, by its number of tokens."""
    expect(page.get_by_label("Source")).to_contain_text(f"{len(vocabulary().encode_markers(text))} tokens")


def inspect(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Model output").fill(text)
    page.get_by_role("button", name="Inspect", exact=True).click()
    shows(page, text)


def open_input(page: Page) -> None:
    page.get_by_role("button", name="Input", exact=True).click()
    expect(page.get_by_role("textbox", name="Model output")).to_be_visible()


def test_back_from_a_sample_is_the_start_page(page: Page, app_url: str) -> None:
    page.goto(app_url)
    card = page.locator("a.card").first
    title = card.locator("h3").inner_text()
    card.click()
    expect(page.get_by_label("Source")).to_contain_text(title)
    page.go_back()
    start_page(page)
    assert "sample" not in page.url
    page.go_forward()
    expect(page.get_by_label("Source")).to_contain_text(title)
    page.reload()
    expect(page.get_by_label("Source")).to_contain_text(title)


def test_back_from_a_sample_of_the_gallery_is_the_gallery(page: Page, app_url: str) -> None:
    page.goto(app_url)
    start_page(page)
    page.get_by_role("link", name="Gallery").click()
    # The start page has cards of its own.
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name=START)).to_have_count(0)
    card = page.locator("a.card").first
    card.click()
    expect(page.locator(".hero .t").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    page.go_back()
    start_page(page)


def test_own_inputs_have_entries_and_survive_a_reload(page: Page, app_url: str) -> None:
    page.goto(app_url)
    inspect(page, FIRST)
    open_input(page)
    inspect(page, SECOND)
    page.go_back()
    shows(page, FIRST)
    page.go_back()
    start_page(page)
    page.go_forward()
    shows(page, FIRST)
    page.reload()
    shows(page, FIRST)
    page.go_forward()
    shows(page, SECOND)
    open_input(page)
    expect(page.get_by_role("textbox", name="Model output")).to_have_value(SECOND)


def test_an_edited_sample_is_an_input_of_ones_own(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=healthy-answer")
    expect(page.locator(".hero .t").first).to_be_visible()
    open_input(page)
    inspect(page, SECOND)
    expect(page).not_to_have_url(re.compile("sample"))
    page.wait_for_function("() => history.state?.harmonylens?.length > 10")
    page.reload()
    shows(page, SECOND)
    page.go_back()
    expect(page.get_by_label("Source")).not_to_contain_text("Something")
    expect(page).to_have_url(re.compile("sample=healthy-answer"))
    expect(page.locator(".hero .t").first).to_be_visible()


def test_other_pages_and_back_again(page: Page, app_url: str) -> None:
    page.goto(app_url)
    inspect(page, FIRST)
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    page.locator("a.row").first.click()
    expect(page).to_have_url(re.compile(r"rules\?rule=HS"))
    page.get_by_role("link", name="Inspect").click()
    shows(page, FIRST)
    assert "rule" not in page.url
    page.reload()
    shows(page, FIRST)
    # As fast as a person who looks: Streamlit itself loses its place when a page is left before it was drawn.
    page.go_back()
    expect(page.get_by_role("button", name="All rules")).to_be_visible()
    page.go_back()
    expect(page.locator("a.row").first).to_be_visible()
    page.go_back()
    shows(page, FIRST)
    page.go_back()
    start_page(page)


def test_a_sample_is_still_there_after_another_page(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=lost-call")
    expect(page.get_by_label("Source")).to_contain_text("The call that never arrived")
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    page.get_by_role("link", name="Inspect").click()
    expect(page.get_by_label("Source")).to_contain_text("The call that never arrived")
    expect(page).to_have_url(re.compile("sample=lost-call"))
    page.go_back()
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Source")).to_contain_text("The call that never arrived")


def test_typed_text_survives_another_page(page: Page, app_url: str) -> None:
    page.goto(app_url)
    box = page.get_by_role("textbox", name="Model output")
    box.fill(SECOND)
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    page.get_by_role("link", name="Inspect").click()
    expect(box).to_have_value(SECOND)
    page.get_by_role("button", name="Inspect", exact=True).click()
    shows(page, SECOND)


@pytest.mark.parametrize("text", ["", "  \n ", "[]", "{}", "[[]]", "null", '""'])
def test_an_empty_input_gets_a_sentence(page: Page, app_url: str, text: str) -> None:
    page.goto(app_url)
    page.get_by_role("textbox", name="Model output").fill(text)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("There is nothing to inspect yet")
    start_page(page)


def test_a_pasted_address_is_not_fetched(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("textbox", name="Model output").fill("https://example.org/run/7")
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("paste what is behind it")


def test_a_very_large_paste_becomes_a_file(page: Page, app_url: str) -> None:
    page.goto(app_url)
    box = page.get_by_role("textbox", name="Model output")
    expect(box).to_be_visible()
    # The clipboard itself is out of reach without a permission; the event is what the browser makes of it.
    box.evaluate(
        """(box) => {
          const clipboardData = new DataTransfer();
          const word = "Look at every file in turn. ";
          clipboardData.setData("text/plain", "<|channel|>final<|message|>" + word.repeat(30000) + "<|return|>");
          const told = { clipboardData, bubbles: true, cancelable: true, composed: true };
          box.dispatchEvent(new ClipboardEvent("paste", told));
        }"""
    )
    expect(page.get_by_label("Source")).to_contain_text("210,005 tokens", timeout=60_000)
    open_input(page)
    expect(page.get_by_text("Shown now: pasted text")).to_be_visible()
    expect(box).to_have_value("")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_has_its_name_in_the_head(page: Page, app_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(app_url)
    for name in ("Gallery", "Rules", "Inspect"):
        link = page.get_by_role("link", name=name, exact=True)
        expect(link).to_be_in_viewport(ratio=1)
        link.click()
        heading = START if name == "Inspect" else name
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_reload_goes_back_to_the_chosen_token(page: Page, app_url: str) -> None:
    page.goto(app_url)
    inspect(page, FIRST)
    page.locator(".hero .t[data-i='4']").click()
    # The address row keeps the choice as soon as Python was told: the shared link says so.
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("token 4 chosen")).to_be_visible()
    page.reload()
    expect(page.locator(".hero .t[data-i='4']")).to_have_class(re.compile(r"\bactive\b"))


def test_a_reload_does_not_show_the_start_page_first(page: Page, app_url: str) -> None:
    page.add_init_script(
        """{
          window.shown = [];
          const look = () => {
            const box = document.querySelector(".st-key-tall");
            window.shown.push(Boolean(box?.checkVisibility({ visibilityProperty: true })));
            requestAnimationFrame(look);
          };
          document.addEventListener("DOMContentLoaded", look);
        }"""
    )
    page.goto(app_url)
    inspect(page, FIRST)
    assert page.evaluate("window.shown.some(Boolean)")
    page.reload()
    shows(page, FIRST)
    expect(page.locator(".hero .t").first).to_be_visible()
    assert not page.evaluate("window.shown.some(Boolean)")
    expect(page.locator("html")).not_to_have_attribute("data-opening", "")


@pytest.mark.parametrize("path", ["", "gallery", "rules"])
def test_a_question_mark_lists_the_keys_on_every_page(page: Page, app_url: str, path: str) -> None:
    page.goto(f"{app_url}/{path}")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(page.locator("a.card, a.row").first).to_be_visible()
    page.locator("body").press("?")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    box = page.get_by_role("textbox").or_(page.get_by_role("searchbox")).first
    box.press("?")
    expect(box).to_have_value("?")
    expect(sheet).to_be_hidden()
