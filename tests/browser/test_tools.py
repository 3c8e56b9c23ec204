"""The tools around the tokens: find, outline, copying, keys; and axe's judgement of the whole page."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from inspector import Transcript, inspect
from inspector.gallery import load_sample, load_samples
from inspector.report.html import export_html
from inspector.report.subject import Subject
from inspector.tokens import vocabulary
from inspector.view.feed import Settings, pack_change, pack_feed

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "duplicate-channel-lost-call"
SERIOUS = {"serious", "critical"}


def open_sample(page: Page, url: str, name: str = SAMPLE) -> Locator:
    """The listbox of the tokens, focused."""
    page.goto(f"{url}/?sample={name}")
    return focus_tokens(page)


def focus_tokens(page: Page) -> Locator:
    box = page.get_by_role("listbox", name="Tokens of the transcript")
    expect(page.locator(".hero .t").first).to_be_visible()
    box.focus()
    return box


def upload(page: Page, url: str, folder: Path, ids: list[int]) -> None:
    file = folder / "run.jsonl"
    file.write_text(json.dumps({"id": "run", "token_ids": ids, "role": None}))
    page.goto(url)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".hero .t").first).to_be_visible(timeout=20_000)


def conversation(messages: int) -> list[int]:
    """A whole conversation: thoughts and answers in turn, each with its number."""
    encode = vocabulary().encode_markers
    rows = [
        f"<|start|>assistant<|channel|>{'final' if n % 2 else 'analysis'}<|message|>Number {n}.<|end|>"
        for n in range(messages)
    ]
    return list(encode("".join(rows)))


def test_find_reads_text_ids_rules_and_messages(page: Page, app_url: str) -> None:
    open_sample(page, app_url)
    ids = load_sample(SAMPLE).transcript.ids
    box = page.get_by_role("searchbox", name="Find in the transcript")
    count = page.locator(".find .count")
    page.keyboard.press("f")
    expect(box).to_be_focused()
    expect(page.locator("#hs-find-hint")).to_be_visible()
    text = vocabulary().decode(ids)
    asked = {
        "COMMENTARY": text.count("commentary"),
        "parser module": text.count("parser module"),
        "id:200005": ids.count(200005),
        "#200005": ids.count(200005),
        f"{ids[0]} {ids[1]}": sum(pair == ids[:2] for pair in pairwise(ids)),
        "HS201": 1,
        "lost call": 1,
        "msg:2": 1,
        "channel:analysis": 1,
        "role:assistant channel:comm": 1,
    }
    for query, expected in asked.items():
        box.fill(query)
        expect(count).to_have_text(re.compile(rf"\d+ of {expected}$"))
        assert expected > 0, query
    box.fill("no such words")
    expect(count).to_have_text("none")
    expect(page.locator(".hero .t.found")).to_have_count(0)


def test_find_walks_the_matches_and_escape_leads_back(page: Page, app_url: str) -> None:
    tokens = open_sample(page, app_url)
    page.keyboard.press("Home")
    page.keyboard.press("/")
    page.keyboard.type("comment")
    count = page.locator(".find .count")
    expect(count).to_have_text("1 of 2")
    expect(page.locator(".hero .t.found")).to_have_count(2)
    expect(page.locator(".hero .t.found.now")).to_have_attribute("data-i", "16")
    page.keyboard.press("Enter")
    expect(page.locator(".hero .t.found.now")).to_have_attribute("data-i", "19")
    page.keyboard.press("Enter")
    expect(count).to_have_text("1 of 2")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("2 of 2")
    page.keyboard.press("Escape")
    expect(tokens).to_be_focused()
    expect(page.locator(".hero .t.found")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator(".hero .t.found")).to_have_count(0)
    expect(tokens).to_be_focused()


def test_find_with_upper_and_lower_case_apart(page: Page, app_url: str) -> None:
    open_sample(page, app_url)
    page.get_by_role("searchbox", name="Find in the transcript").fill("two")
    expect(page.locator(".find .count")).to_have_text("1 of 1")
    page.get_by_role("button", name="Match upper and lower case").click()
    expect(page.locator(".find .count")).to_have_text("none")


def test_a_find_unfolds_what_is_folded(page: Page, app_url: str) -> None:
    open_sample(page, app_url)
    page.keyboard.press("o")
    outline = page.get_by_role("navigation", name="Outline")
    outline.get_by_role("button", name="Fold", exact=True).click()
    expect(page.locator(".hero .t.rest")).to_have_count(2)
    page.keyboard.press("f")
    page.keyboard.type("warnings")
    expect(page.locator(".hero .t.found.now")).to_be_visible()
    expect(page.locator(".hero .t.rest")).to_have_count(1)


def test_findings_and_tokens_are_gone_to_by_key(page: Page, app_url: str) -> None:
    tokens = open_sample(page, app_url)
    page.keyboard.press("Home")
    count = page.get_by_role("group", name="Findings").locator(".count")
    expect(count).to_have_text("3 findings")
    page.keyboard.press("n")
    expect(count).to_have_text("1 of 3")
    expect(page.locator(".hero .t.active")).to_have_attribute("data-i", "13")
    page.keyboard.press("n")
    expect(count).to_have_text("2 of 3")
    page.keyboard.press("g")
    page.keyboard.type("token 30")
    page.keyboard.press("Enter")
    expect(page.locator(".hero .t.active")).to_have_attribute("data-i", "30")
    expect(tokens).to_be_focused()
    page.keyboard.press("[")
    expect(page.locator(".hero .t.active")).to_have_attribute("data-i", "0")
    page.keyboard.press("g")
    page.keyboard.type("32")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Go to token")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".status .said")).to_contain_text("There is no such token: the transcript has 32 tokens")


def test_the_outline_of_many_messages_draws_those_in_sight(page: Page, app_url: str, tmp_path: Path) -> None:
    upload(page, app_url, tmp_path, conversation(6_000))
    focus_tokens(page)
    page.keyboard.press("o")
    outline = page.get_by_role("navigation", name="Outline")
    entries = outline.get_by_role("listitem")
    expect(entries.first).to_contain_text("Number 0.")
    assert entries.count() < 60
    channels = outline.get_by_role("combobox")
    channels.select_option("final")
    expect(channels).to_contain_text("final (3,000)")
    expect(entries.first).to_contain_text("Number 1.")
    entries.first.locator(".to").focus()
    page.keyboard.press("End")
    last = entries.filter(has_text="Number 5999.")
    expect(last.locator(".to")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".hero .line .t.active")).to_be_visible()
    expect(page.locator(".status .told")).to_contain_text("message 6000 of 6000")
    expect(last).to_have_class(re.compile(r"\bhere\b"))


def test_a_message_is_folded_in_the_outline_and_in_the_tokens(page: Page, app_url: str) -> None:
    tokens = open_sample(page, app_url)
    page.keyboard.press("Home")
    page.keyboard.press("o")
    fold = page.get_by_role("navigation", name="Outline").get_by_role("button", name="Message 1 in the tokens")
    expect(fold).to_have_attribute("aria-expanded", "true")
    tokens.focus()
    page.keyboard.press(".")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".hero .t.rest")).to_have_count(1)
    fold.click()
    expect(page.locator(".hero .t.rest")).to_have_count(0)
    expect(fold).to_be_focused()


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_copies_of_the_selection_the_message_and_the_repair(page: Page, app_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_sample(page, app_url)
    transcript = load_sample(SAMPLE).transcript
    ids = transcript.ids
    said = page.locator(".status .said")
    page.keyboard.press("Home")
    page.keyboard.press("c")
    menu = page.get_by_role("menu", name="Copy")
    expect(menu).to_contain_text("Message 1, tokens 0–12")
    menu.get_by_role("menuitem", name="Copy as ids").click()
    expect(said).to_have_text("Copied 13 tokens as ids.")
    assert copied(page) == " ".join(map(str, ids[:13]))
    focus_tokens(page)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+c")
    expect(said).to_have_text(re.compile(r"Copied \d tokens as text\."))
    text = copied(page)
    assert text.startswith("<|channel|>analysis<|message|>")
    assert vocabulary().decode(ids).startswith(text)
    page.keyboard.press("c")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(said).to_have_text("Copied the repaired transcript as ids.")
    assert copied(page) == " ".join(map(str, inspect(transcript).repair.ids))
    page.keyboard.press("c")
    menu.get_by_role("menuitem", name="Copy as a Python list").click()
    expect(said).to_contain_text("as a Python list")
    assert json.loads(copied(page)) == list(ids[: len(json.loads(copied(page)))])
    page.keyboard.press("c")
    menu.get_by_role("menuitem", name="Copy repaired text").click()
    expect(said).to_have_text("Copied the repaired transcript as text.")
    assert copied(page) == inspect(transcript).repair.text


def test_a_copy_says_what_its_text_cannot_and_gives_way(page: Page, app_url: str, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ids = [*vocabulary().encode_markers("<|start|>assistant<|channel|>final<|message|>One"), 300_000, 400_000, 200_002]
    upload(page, app_url, tmp_path, ids)
    focus_tokens(page)
    said = page.locator(".status .said")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    expect(said).to_have_text(f"Copied {len(ids)} tokens as text; 2 unknown ids cannot be text.")
    assert copied(page).count("<|?|>") == 2
    page.keyboard.press("c")
    page.get_by_role("menuitem", name="Copy as text").click()
    expect(said).to_have_text(f"Copied {len(ids)} tokens as text; 2 unknown ids cannot be text.")
    box = page.locator(".status").bounding_box()
    line = said.bounding_box()
    assert box
    assert line
    assert line["y"] + line["height"] <= box["y"] + box["height"]
    assert said.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    page.evaluate("() => new Promise((done) => setTimeout(done, 1600))")  # as long as it can be read at least
    page.locator(".hero .t[data-i='2']").hover()
    expect(said).to_have_text("")


def test_the_hint_of_find_stays_on_a_phone(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    open_sample(page, app_url)
    page.keyboard.press("f")
    hint = page.locator("#hs-find-hint")
    expect(hint).to_be_visible()
    edges = "e => { const { left, right } = e.getBoundingClientRect(); return [left, right]; }"
    (left, right), (start, end) = hint.evaluate(edges), page.locator(".hs").evaluate(edges)
    assert start <= left < right <= end
    assert hint.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_copying_without_a_clipboard_api(page: Page, app_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', { configurable: true, get: () => undefined })"
    )
    open_sample(page, app_url)
    page.keyboard.press("Home")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.locator(".status .said")).to_have_text("Copied 13 tokens as text.")
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    page.keyboard.press("f")
    page.keyboard.press("Control+v")
    pasted = page.get_by_role("searchbox", name="Find in the transcript")
    expect(pasted).to_have_value(vocabulary().decode(load_sample(SAMPLE).transcript.ids[:13]))


def test_the_sheet_of_keys_opens_from_anywhere_but_a_box(page: Page, app_url: str) -> None:
    tokens = open_sample(page, app_url)
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(tokens).to_be_focused()
    page.evaluate("document.querySelector('header, body').click(); document.activeElement.blur()")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    tokens.focus()
    page.keyboard.press("f")
    page.keyboard.type("what?")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("searchbox", name="Find in the transcript")).to_have_value("what?")


def test_a_flipped_switch_brings_down_little(page: Page, app_url: str, tmp_path: Path) -> None:
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    slip = "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>Number {}, at some length.<|end|>"
    upload(page, app_url, tmp_path, list(vocabulary().encode_markers("".join(slip.format(n) for n in range(300)))))
    expect(page.locator(".verdict .source.same")).to_be_visible()
    repaired = page.get_by_role("region", name="Repaired")
    expect(repaired).to_contain_text("300 of 300 fixes on")
    # What arrives later than the screen is there, and all that the run has to say.
    page.wait_for_function(
        "() => [...globalThis[Symbol.for('harmonylens')].parts.values()].some((parts) => parts.checks && parts.steps)"
        " && document.querySelector('.stApp').dataset.testScriptState === 'notRunning'"
    )
    assert sum(received) > 50_000
    received.clear()
    page.locator(".finding .switch").nth(2).click()
    expect(repaired).to_contain_text("299 of 300 fixes on")
    expect(page.get_by_role("status").filter(has_text="Running")).to_have_count(0)
    assert sum(received) < 5_000


def test_the_browser_reads_a_change_as_it_reads_the_whole(page: Page) -> None:
    folder = ROOT / "inspector" / "view" / "screen"
    code = "\n".join((folder / f"{name}.js").read_text() for name in ("glyphs", "document", "sequence", "reading"))
    page.goto("about:blank")
    page.add_script_tag(content=code)

    def read(message: bytes, base: bytes | None) -> Any:
        texts = [message.decode(), base.decode() if base is not None else None]
        return page.evaluate("([m, b]) => readFeed(JSON.parse(m), b && JSON.parse(b))", texts)

    for sample in load_samples():
        transcript: Transcript = sample.transcript
        found = inspect(transcript)
        base = pack_feed(found, Settings())
        off = frozenset(d.key for d in found.diagnostics[::2])
        choices = {d.key: 1 for d in found.diagnostics if d.alternatives}
        settings = Settings(off=off, choices=choices, style="vLLM 0.32")
        after = inspect(transcript, off=off, choices=choices, style="vLLM 0.32")
        whole = read(pack_feed(after, settings), None)
        assert read(pack_change(after, settings, base), base) == whole, sample.name
        assert [f["key"] for f in whole["findings"]][: len(after.diagnostics)] == [d.key for d in after.diagnostics]
        assert read(pack_change(after, settings, base), None) is None


def test_an_exported_page_shows_how_the_switches_stand_and_says_where_they_work(
    browser: Browser, tmp_path: Path
) -> None:
    # From disk: the page fixture takes that for elsewhere.
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    file = tmp_path / "page.html"
    file.write_bytes(export_html(Subject(inspect(load_sample(SAMPLE).transcript), name="page")))
    page.goto(file.as_uri())
    expect(page.locator(".hero .t").first).to_be_visible(timeout=20_000)
    switch = page.locator(".finding .switch").first
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(switch).to_be_disabled()
    expect(page.get_by_text("Open this transcript in harmonylens to switch fixes.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^About rule"))).to_have_count(0)
    prompt = page.get_by_role("region", name="Next prompt")
    expect(prompt.get_by_role("combobox")).to_have_count(0)
    expect(prompt).to_contain_text("oss-harmony 0.0.11")
    page.locator(".hero .scroller").focus()
    page.keyboard.press("f")
    page.keyboard.type("channel")
    expect(page.locator(".find .count")).to_have_text(re.compile(r"\d of \d"))
    context.close()
    assert errors == []


# Streamlit's own markup, which cannot be mended from here. Nothing is excluded at present.
NOT_OURS: tuple[str, ...] = ()

STATES = {
    "text": [],
    "find": ["f"],
    "copy": ["c"],
    "outline": ["o"],
    "step": ["s"],
    "table": ["t"],
    "diff": ["d"],
    "sheet": ["?"],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, app_url: str, artifacts: Path, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    page = context.new_page()
    axe = Axe()
    found: list[str] = []
    for state, keys in STATES.items():
        open_sample(page, app_url, "aborted-plan-in-header")
        expect(page.locator(".verdict .source.same")).to_be_visible()
        for key in keys:
            page.keyboard.press(key)
        page.screenshot(path=artifacts / f"tools-{state}-{scheme}.png")
        exclude = [[selector] for selector in NOT_OURS]
        result = axe.run(page, context={"include": [["html"]], "exclude": exclude}).response
        for violation in result["violations"]:
            if violation["impact"] in SERIOUS:
                nodes = [(node["target"], node["any"][:1] or node["all"][:1]) for node in violation["nodes"][:4]]
                found.append(f"{state}: {violation['id']}: {nodes}")
    context.close()
    assert found == []


def test_a_token_is_gone_to_by_a_well_formed_number_only(page: Page, app_url: str) -> None:
    open_sample(page, app_url)
    box = page.get_by_role("textbox", name="Go to token")
    for wrong in ("1.2", "1,2", "1 2", "1e1", "-1", "x"):
        box.fill(wrong)
        box.press("Enter")
        expect(box).to_have_attribute("aria-invalid", "true")
    for right, index in (("12", 12), ("#7", 7), ("token 3", 3)):
        box.fill(right)
        box.press("Enter")
        expect(page.locator(f".hero .t[data-i='{index}']")).to_have_class(re.compile(r"\bactive\b"))


def test_b_goes_to_the_break_and_n_visits_findings_that_begin_at_one_token(page: Page, app_url: str) -> None:
    name = "aborted-plan-in-header"
    open_sample(page, app_url, name)
    inspection = inspect(load_sample(name).transcript)
    error = inspection.verdict("oss-harmony 0.0.11").error
    assert error is not None
    page.keyboard.press("Home")
    page.keyboard.press("b")
    expect(page.locator(f".hero .t[data-i='{error.token}']")).to_have_class(re.compile(r"\bactive\b"))
    page.keyboard.press("Home")
    starts = [d.span.start for d in inspection.diagnostics]
    assert len(set(starts)) < len(starts)
    count = page.locator(".tools .count[aria-live]")
    total = page.locator(".finding").count()
    seen = []
    for _ in range(total):
        page.keyboard.press("n")
        expect(count).to_contain_text(f"of {total}")
        seen.append(count.inner_text())
    assert sorted(seen) == [f"{n} of {total}" for n in range(1, total + 1)]


def test_what_was_found_is_told_below(page: Page, app_url: str) -> None:
    open_sample(page, app_url)
    page.keyboard.press("f")
    page.keyboard.type("id:200012")
    page.keyboard.press("Enter")
    expect(page.locator(".status .told")).to_contain_text("id 200012")
