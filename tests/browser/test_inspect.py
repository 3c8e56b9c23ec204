"""The Inspect page in a real Chromium: what a person does with a broken transcript."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from inspector import inspect
from inspector.gallery import load_sample
from inspector.tokens import vocabulary

pytestmark = pytest.mark.browser

BROKEN = (
    "<|channel|>analysis<|message|>First the tests.<|end|>"
    "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>Then the docs.<|end|>"
)


def paste(page: Page, url: str, text: str) -> None:
    """Open the empty page and paste ``text`` as a person would."""
    page.goto(url)
    box = page.get_by_role("textbox", name="Model output")
    box.fill(text)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(tokens(page).first).to_be_visible()


def tokens(page: Page) -> Locator:
    return page.locator(".hero .t")


def token(page: Page, index: int) -> Locator:
    return page.locator(f".hero .t[data-i='{index}']")


def test_a_pasted_break_is_underlined_at_its_token(page: Page, app_url: str) -> None:
    paste(page, app_url, BROKEN)
    found = inspect(BROKEN)
    error = found.verdict("openai-harmony 0.0.8").error
    assert error is not None
    verdict = page.get_by_label("Verdict")
    expect(verdict).to_contain_text(f"Strict parse broke at token {error.token}")
    expect(verdict.locator(".error-text")).to_have_text(error.text)
    expect(token(page, error.token)).to_have_class(_has("broke"))
    diagnostic = next(d for d in found.diagnostics if d.code == "HS201")
    for index in range(diagnostic.span.start, diagnostic.span.end):
        expect(token(page, index)).to_have_class(_has("mark3"))
    decoration = token(page, diagnostic.span.start - 1).evaluate("e => getComputedStyle(e).textDecorationLine")
    assert decoration == "none"
    expect(page.locator(".hero .line .code", has_text="HS201")).to_be_visible()


def _has(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{name}\b")


def test_a_fix_is_switched_off_and_on(page: Page, app_url: str) -> None:
    # Both releases raise on this one, so the repaired transcript breaks again without the fix.
    page.goto(f"{app_url}/?sample=chatter-in-brackets")
    repaired = page.get_by_role("region", name="Repaired")
    switch = page.locator(".finding .switch").first
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(repaired).to_contain_text("strict accepts")
    expect(repaired).to_contain_text("functions.bash")
    expect(page.locator(".verdict .mended")).to_contain_text("accepted after repair, 1 of 1 fix on")
    expect(page.locator(".hero .t.gone").first).to_be_visible()
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(repaired).to_contain_text("strict raises")
    expect(repaired).to_contain_text("The repaired transcript still breaks")
    expect(page.locator(".verdict .unmended")).to_contain_text("0 of 1 fix on")
    expect(page.locator(".hero .t.gone")).to_have_count(0)
    switch.click()
    expect(repaired).to_contain_text("strict accepts")
    expect(page.locator(".hero .t.gone").first).to_be_visible()


def test_another_reading_is_chosen(page: Page, app_url: str) -> None:
    paste(page, app_url, BROKEN)
    repaired = page.get_by_role("region", name="Repaired")
    first = repaired.locator(".message").nth(1)
    expect(first).to_contain_text("analysis")
    readings = page.get_by_role("radiogroup", name="Readings of HS201").get_by_role("radio")
    expect(readings.first).to_be_checked()
    readings.nth(1).check()
    expect(first).to_contain_text("commentary")
    expect(page.get_by_role("region", name="Next prompt")).to_contain_text("difference")


def test_the_next_prompt_is_read_and_its_style_chosen(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    pane = page.get_by_role("region", name="Next prompt")
    expect(pane).to_contain_text("terminator changed")
    new = pane.locator(".t.new")
    expect(new).to_contain_text(["end"])
    transcript = load_sample("duplicate-channel-lost-call").transcript
    style = "vLLM 0.32"
    pane.get_by_label("Who renders the next prompt").select_option(style)
    prompt = inspect(transcript, style=style).next_prompt
    assert prompt is not None
    expect(pane).to_contain_text(f"{len(prompt.ids)} tokens")
    expect(pane.get_by_label("Who renders the next prompt")).to_have_value(style)


def test_a_sample_opens_by_its_address(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=channel-as-role")
    expect(page.get_by_label("Source")).to_contain_text(load_sample("channel-as-role").title)
    expect(page.get_by_label("Verdict")).to_contain_text("Strict parse broke at token")


def test_an_unknown_sample_gets_a_sentence(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=chanel-as-role")
    expect(page.get_by_text("There is no sample called")).to_contain_text("channel-as-role")
    expect(page.get_by_role("textbox", name="Model output")).to_be_visible()


def test_release_chooser_shows_the_other_verdict(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    verdict = page.get_by_label("Verdict")
    expect(verdict).to_contain_text("Strict parse broke at token 21")
    page.get_by_role("radio", name="oss-harmony 0.0.11").click()
    expect(verdict).to_contain_text("Strict parse accepts it")
    expect(page.get_by_role("region", name="Strict")).to_contain_text("2 messages returned")
    expect(page.locator(".hero .t.broke")).to_have_count(0)


def test_hovering_links_token_message_and_finding(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    token(page, 18).hover()
    expect(page.locator(".finding.lit")).to_contain_text(["HS201", "HS401"])
    expect(page.get_by_role("region", name="Repaired").locator(".message.lit")).to_contain_text("commentary")
    expect(page.locator(".status")).to_contain_text("id 200005")
    expect(page.locator(".status")).to_contain_text("The channel follows")
    # Taken out by the repair, and so not in the next prompt either.
    expect(page.locator(".status .places")).to_have_text("repaired without it · next prompt without it")
    token(page, 21).hover()
    expect(page.locator(".status .places")).to_have_text("repaired 18 · next prompt 18")
    page.get_by_role("region", name="Repaired").locator(".message").first.hover()
    expect(token(page, 3)).to_have_class(_has("lit"))
    page.locator(".finding", has_text="HS601").hover()
    expect(token(page, 31)).to_have_class(_has("lit"))


def test_walking_by_keyboard_and_streamlits_hotkeys_stay_quiet(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    box = page.get_by_role("listbox", name="Tokens of the transcript")
    expect(token(page, 0)).to_be_visible()
    box.focus()
    page.keyboard.press("Home")
    expect(token(page, 0)).to_have_class(_has("active"))
    page.keyboard.press("ArrowRight")
    expect(token(page, 1)).to_have_class(_has("active"))
    # What a screen reader hears: the active token in words, and the line under the tokens.
    spoken = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    expect(spoken).to_have_attribute("aria-posinset", "2")
    expect(spoken).to_contain_text("analysis")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(token(page, 31)).to_have_class(_has("active"))
    page.keyboard.press("p")
    expect(page.locator(".status")).to_contain_text("18")
    page.keyboard.press("n")
    expect(token(page, 31)).to_have_class(_has("active"))
    # "c" is ours here, and "r" nobody's: Streamlit neither clears its cache nor runs again.
    page.keyboard.press("c")
    expect(page.get_by_role("menu", name="Copy")).to_be_visible()
    page.keyboard.press("Escape")
    box.focus()
    page.keyboard.press("r")
    page.keyboard.press("ArrowLeft")
    expect(token(page, 30)).to_have_class(_has("active"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_keyboard_goes_on_in_the_tokens_after_inspect_and_not_after_a_link(page: Page, app_url: str) -> None:
    box = page.get_by_role("listbox", name="Tokens of the transcript")
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    expect(tokens(page).first).to_be_attached()
    expect(page.locator(".verdict .source.same")).to_be_visible()
    expect(box).not_to_be_focused()
    page.goto(app_url)
    paste(page, app_url, BROKEN)
    expect(box).to_be_focused()


def test_another_reading_changes_the_colour_of_the_message(page: Page, app_url: str) -> None:
    paste(page, app_url, BROKEN)
    slipped = page.locator(".hero .line", has=page.locator(".t[data-i='8']"))
    expect(slipped).to_have_class(_has("c-analysis"))
    page.get_by_role("radiogroup", name="Readings of HS201").get_by_role("radio").nth(1).check()
    expect(slipped).to_have_class(_has("c-commentary"))
    again = page.get_by_role("region", name="Next prompt").locator(".line", has=page.locator(".t[data-i='8']"))
    expect(again).to_have_class(_has("c-commentary"))


def test_a_rule_with_many_fixes_is_switched_as_a_whole(page: Page, app_url: str) -> None:
    slip = "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>Number {}.<|end|>"
    paste(page, app_url, "".join(slip.format(n) for n in range(6)))
    repaired = page.get_by_role("region", name="Repaired")
    expect(repaired).to_contain_text("6 of 6 fixes on")
    page.get_by_role("button", name="All off: fixes of HS201").click()
    expect(repaired).to_contain_text("0 of 6 fixes on")
    switches = page.locator(".finding .switch")
    expect(switches.nth(2)).to_have_attribute("aria-checked", "false")
    switches.nth(2).click()
    expect(repaired).to_contain_text("1 of 6 fixes on")
    expect(switches.nth(2)).to_have_attribute("aria-checked", "true")
    expect(switches.nth(3)).to_have_attribute("aria-checked", "false")
    page.get_by_role("button", name="All on: fixes of HS201").click()
    expect(repaired).to_contain_text("6 of 6 fixes on")


def test_bad_input_gets_a_sentence_with_its_place_and_is_kept(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("textbox", name="Model output").fill("200005 35644 <b>abc</b> 7")
    page.get_by_role("combobox", name="Read it as").click()
    page.get_by_role("option", name="Token ids").click()
    page.get_by_role("button", name="Inspect", exact=True).click()
    problem = page.get_by_test_id("stAlert")
    expect(problem).to_contain_text("Line 1, column 14")
    expect(problem).to_contain_text("<b>abc</b>")
    page.get_by_text("Input", exact=True).click()
    expect(page.get_by_role("textbox", name="Model output")).to_have_value("200005 35644 <b>abc</b> 7")


def test_the_input_survives_other_pages(page: Page, app_url: str) -> None:
    paste(page, app_url, BROKEN)
    fix = page.locator(".finding .switch").first
    fix.click()
    expect(page.get_by_role("region", name="Repaired")).to_contain_text("0 of 1 fix on")
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    page.get_by_role("link", name="Inspect").click()
    expect(tokens(page).first).to_be_visible()
    expect(fix).to_have_attribute("aria-checked", "false")


def test_a_file_is_uploaded(page: Page, app_url: str, tmp_path: Path) -> None:
    runs = tmp_path / "runs.jsonl"
    second = {"id": "second", "token_ids": [200005, 17196], "role": "assistant"}
    records = [{"id": "first", "text": BROKEN, "role": "assistant"}, second]
    runs.write_text("\n".join(map(json.dumps, records)))
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(runs)
    expect(tokens(page).first).to_be_visible()
    expect(page.get_by_label("Source")).to_contain_text(f"{len(vocabulary().encode_markers(BROKEN))} tokens")
    page.get_by_role("combobox", name="Transcript").click()
    page.get_by_role("option", name="2. second").click()
    expect(page.get_by_label("Source")).to_contain_text("2 tokens")
    expect(page.get_by_label("Verdict")).to_contain_text("the end")


def test_a_rule_opens_from_a_finding_and_a_sample_from_a_rule(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/?sample=chatter-in-brackets")
    page.get_by_role("button", name="About rule HS204").click()
    expect(page.get_by_role("heading", name="HS204")).to_be_visible()
    assert page.url.endswith("?rule=HS204")
    card = page.locator("a.card").first
    title = card.locator("h3").inner_text()
    card.click()
    expect(page.get_by_label("Source")).to_contain_text(title)


def test_without_findings_the_differences_of_the_next_prompt_are_named(page: Page, app_url: str) -> None:
    paste(page, app_url, "<|channel|>final<|message|>Done.<|return|>")
    expect(page.get_by_label("Verdict")).to_contain_text("1 message, no findings, 1 difference in the next prompt.")
    findings = page.get_by_role("complementary", name="Findings")
    expect(findings).to_contain_text("The next prompt shows 1 difference: terminator changed.")
    findings.get_by_role("button", name="next prompt").click()
    prompt = page.get_by_role("listbox", name="Tokens of the next prompt, beside what was emitted")
    expect(prompt).to_be_focused()
    expect(prompt).to_be_in_viewport()


def test_a_transcript_without_tokens_says_so(page: Page, app_url: str, tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    file.write_text(json.dumps({"id": "none", "token_ids": [], "role": None}))
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("region", name="Repaired")).to_contain_text("It has no tokens.")


def test_an_error_that_goes_on_below_its_box_shows_it_and_scrolls_by_keyboard(page: Page, app_url: str) -> None:
    paste(
        page, app_url, "<|start|>assistant<|channel|>analysis" + " stray words in a header" * 60 + "<|message|>x<|end|>"
    )
    text = page.locator(".verdict .error-text")
    expect(text).to_have_class(_has("goes-on"))
    text.focus()
    page.keyboard.press("End")
    expect(text).not_to_have_class(_has("goes-on"))
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    expect(text).to_have_text("Unknown role: assistant<|channel|>commentary")
    expect(text).not_to_have_attribute("tabindex", "0")
