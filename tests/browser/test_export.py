"""Exported pages opened from the disk: everything is there, nothing is fetched, nothing of a transcript runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from inspector.gallery import Gallery, load_sample
from inspector.ingest import Card, Switches, read, switches_of
from inspector.report.html import export_html
from inspector.report.site import build_page, build_site
from inspector.report.subject import inspected, inspected_sample
from inspector.tokens import Transcript, vocabulary

pytestmark = pytest.mark.browser

PAYLOAD = (
    "</script><script>window.pwned=1</script><!--<script>--><img src=http://evil.invalid/x onerror=window.pwned=2>"
    "<style>body{display:none}</style>{{7*7}} \u202e\u2028\x1b[31m"
)
FOREIGN = """() => {
  const inner = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
  const all = [document, ...inner].flatMap((root) => [...root.querySelectorAll('img, iframe, .hs script, .hs style')]);
  return all.length;
}"""
ADD = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.pwned = 4'}))"
NAMES = ("duplicate-channel-lost-call", "invented-tool-result", "healthy-tool-call")


@pytest.fixture
def disk(browser: Browser) -> Iterator[Page]:
    """A page for files: no script may fail, nothing may be logged, nothing but files be asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(20_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "console", lambda said: wrong.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None
    )
    page.on("dialog", lambda dialog: wrong.append("a dialog"))
    page.on("request", lambda request: wrong.append(request.url) if not asked_from_disk(request.url) else None)
    yield page
    context.close()
    assert wrong == []


def asked_from_disk(url: str) -> bool:
    return re.match(r"file:|data:|blob:", url) is not None


def opened(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    expect(page.locator(".hero .t").first).to_be_visible()


def test_a_page_shows_the_whole_screen(disk: Page, tmp_path: Path, artifacts: Path) -> None:
    subject = inspected_sample(load_sample("duplicate-channel-lost-call"))
    path = tmp_path / "one.html"
    path.write_bytes(export_html(subject))
    opened(disk, path)
    expect(disk).to_have_title("The same channel twice, and no tool name · harmonylens")
    expect(disk.locator(".verdict")).to_contain_text("Strict parse broke at token 21")
    expect(disk.get_by_role("region", name="Repaired")).to_contain_text("ruff check src/parser.py")
    expect(disk.get_by_role("region", name="Next prompt")).to_contain_text("oss-harmony 0.0.11")
    expect(disk.locator(".finding")).to_have_count(3)
    # Hovering links the panes.
    disk.locator(".hero .t[data-i='3']").hover()
    expect(disk.get_by_role("region", name="Strict").locator(".message.lit")).to_have_count(1)
    # The keys walk, and find finds.
    disk.get_by_role("listbox", name="Tokens of the transcript").focus()
    disk.keyboard.press("End")
    expect(disk.locator(".status")).to_contain_text("200012")
    disk.get_by_role("searchbox", name="Find in the transcript").fill("parser")
    expect(disk.locator(".hero .t.found")).to_have_count(2)
    disk.get_by_role("searchbox", name="Find in the transcript").fill("")
    for width in (1280, 390):
        for theme in ("light", "dark"):
            disk.set_viewport_size({"width": width, "height": 900})
            button = disk.locator("#theme")
            if button.inner_text().lower() == theme:
                button.click()
            expect(disk.locator("html")).to_have_attribute("data-theme", theme)
            expect(disk.locator(".hs").first).to_have_attribute("data-theme", theme)
            disk.screenshot(path=artifacts / f"export-{theme}-{width}.png", full_page=True)
            assert disk.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_gives_its_transcript_back(disk: Page, tmp_path: Path) -> None:
    sample = load_sample("duplicate-channel-lost-call")
    path = tmp_path / "one.html"
    path.write_bytes(export_html(inspected(sample.transcript, Switches(off=frozenset({"HS201"})), card=Card("Mine"))))
    opened(disk, path)
    with disk.expect_download() as saving:
        disk.get_by_role("button", name="Save transcript").click()
    (transcript,) = read(saved(saving.value, tmp_path)).transcripts
    assert transcript.ids == sample.transcript.ids
    assert switches_of(transcript).off == {"HS201"}


def test_a_page_gives_logprobs_back_to_the_last_bit(disk: Page, tmp_path: Path) -> None:
    count = 100
    logprobs = tuple(None if n % 9 == 4 else -1 / (n + 3) for n in range(count))
    top = tuple(tuple((5 * n + k, -0.1 * k - 1 / 3) for k in range(n % 4)) for n in range(count))
    transcript = Transcript(
        (200005, 17196, 200008, *[9050] * (count - 3)), "assistant", "x", logprobs=logprobs, top=top
    )
    path = tmp_path / "one.html"
    path.write_bytes(export_html(inspected(transcript)))
    opened(disk, path)
    with disk.expect_download() as saving:
        disk.get_by_role("button", name="Save transcript").click()
    (again,) = read(saved(saving.value, tmp_path)).transcripts
    assert (again.logprobs, again.top) == (logprobs, top)


def saved(download: Download, folder: Path) -> bytes:
    path = folder / "saved"
    download.save_as(path)
    return path.read_bytes()


def test_a_hostile_transcript_runs_nothing(disk: Page, tmp_path: Path) -> None:
    text = (
        f"<|channel|>analysis<|message|>{PAYLOAD}<|end|>"
        f"<|start|>assistant<|channel|>final to={PAYLOAD}<|message|>x<|call|>"
    )
    ids = (*vocabulary().encode_markers(text), 167, 2**63, -3)
    subject = inspected(Transcript(ids, "assistant", PAYLOAD, tools=(PAYLOAD,)), card=Card(PAYLOAD, PAYLOAD))
    path = tmp_path / "hostile.html"
    path.write_bytes(export_html(subject))
    opened(disk, path)
    expect(disk.locator(".hero")).to_contain_text("pwned")
    assert disk.evaluate("window.pwned ?? null") is None
    assert disk.evaluate("getComputedStyle(document.body).display") != "none"
    assert disk.evaluate(FOREIGN) == 0


def test_a_script_that_was_added_does_not_run(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "one.html"
    path.write_bytes(export_html(inspected_sample(load_sample(NAMES[0]))))
    page = browser.new_page()
    opened(page, path)
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text))
    page.evaluate(ADD)
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    assert page.evaluate("window.pwned ?? null") is None
    assert any("inline script" in text for text in refused)
    assert any("Refused to connect" in text for text in refused)
    page.close()


def test_a_whole_context_opens(browser: Browser, tmp_path: Path) -> None:
    turn = vocabulary().encode_markers(
        "<|start|>assistant<|channel|>analysis<|message|>" + "Look at every file in turn. " * 20 + "<|end|>"
    )
    broken = vocabulary().encode_markers("<|start|>assistant<|channel|>final<|channel|>final<|message|>Done.<|return|>")
    ids = (turn[2:] + turn * (131_072 // len(turn)))[: 131_072 - len(broken)] + broken
    assert len(ids) == 131_072
    path = tmp_path / "long.html"
    path.write_bytes(export_html(inspected(Transcript(tuple(ids), "assistant"))))
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    # It opens at the break, at the far end.
    expect(page.locator(f".hero .t[data-i='{131_072 - len(broken) + 6}']")).to_be_visible(timeout=30_000)
    page.get_by_role("listbox", name="Tokens of the transcript").focus()
    page.keyboard.press("Home")
    expect(page.locator(".hero .t[data-i='0']")).to_be_visible()
    assert page.locator(".hero .t").count() < 3000
    page.close()
    assert errors == []


def gallery() -> Gallery:
    return Gallery("ours", "Three of them", "For the tests.", tuple(map(load_sample, NAMES)))


def test_a_site_leads_from_its_index_to_a_sample_and_back(disk: Page, tmp_path: Path, artifacts: Path) -> None:
    build_site(gallery(), tmp_path / "site")
    disk.goto((tmp_path / "site" / "index.html").as_uri())
    cards = disk.locator("a.card")
    expect(cards).to_have_count(3)
    disk.screenshot(path=artifacts / "site-index-1280.png")
    disk.get_by_role("searchbox").fill("channel twice")
    expect(cards).to_have_count(1)
    cards.first.click()
    expect(disk.locator(".hero .t").first).to_be_visible()
    assert disk.url.endswith("/samples/duplicate-channel-lost-call.html")
    disk.get_by_role("link", name="All samples").click()
    expect(disk.get_by_role("heading", name="Three of them")).to_have_count(1)
    expect(disk.locator("a.card").first).to_be_visible()
    with disk.expect_download() as saving:
        disk.get_by_role("link", name="All of them as one bundle").click()
    assert [t.id for t in read(saved(saving.value, tmp_path)).transcripts] == list(NAMES)


def test_a_single_page_holds_the_gallery(disk: Page, tmp_path: Path) -> None:
    path = tmp_path / "gallery.html"
    path.write_bytes(build_page(gallery()))
    disk.goto(path.as_uri())
    expect(disk.locator("a.card")).to_have_count(3)
    for name in NAMES[:2]:
        sample = load_sample(name)
        disk.locator("a.card", has_text=sample.title).click()
        expect(disk.locator(".hero .t").first).to_be_visible()
        expect(disk).to_have_title(f"{sample.title} · harmonylens")
        expect(disk.locator("#crumb")).to_have_text(sample.title)
        disk.go_back()
        expect(disk.locator("a.card")).to_have_count(3)
        expect(disk.locator("#stage")).to_be_hidden()
    # An address leads straight to a sample; one that nobody has leads to the list.
    disk.goto(f"{path.as_uri()}#{NAMES[2]}")
    expect(disk.locator(".verdict")).to_contain_text("accepts")
    disk.evaluate("location.hash = 'nothing%20at%20all'")
    expect(disk.locator("a.card")).to_have_count(3)


@pytest.mark.parametrize("single", [False, True])
def test_words_of_any_length_are_laid_out_at_once_and_hold_the_width(
    disk: Page, tmp_path: Path, artifacts: Path, single: bool
) -> None:
    long = replace(
        load_sample(NAMES[0]),
        title="t" * 100_000, story="s" * 200_000, family="f" * 3000, tags=tuple(f"{n}{'g' * 90}" for n in range(5000)),
    )  # fmt: skip
    whole = Gallery("g", "G" * 2000, "d" * 2000, (long, replace(load_sample(NAMES[2]), family="e" * 3000)))
    if single:
        path = tmp_path / "gallery.html"
        path.write_bytes(build_page(whole))
    else:
        build_site(whole, tmp_path)
        path = tmp_path / "index.html"
    disk.set_viewport_size({"width": 390, "height": 800})
    disk.goto(path.as_uri())
    expect(disk.locator("a.card")).to_have_count(2)
    disk.screenshot(path=artifacts / f"site-long-words-390-{single}.png", full_page=True)
    assert disk.evaluate("document.documentElement.scrollWidth") <= 390
    disk.locator("a.card").first.click()
    expect(disk.locator(".hero .t").first).to_be_visible()
    disk.screenshot(path=artifacts / f"site-long-words-sample-390-{single}.png")
    assert disk.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_damaged_page_says_so(browser: Browser, tmp_path: Path) -> None:
    data = export_html(inspected_sample(load_sample(NAMES[0]))).decode()
    damaged = re.sub(r'(data-what="tokens"[^>]*>)[A-Za-z0-9+/]{40}', r"\1" + "A" * 40, data)
    assert damaged != data
    path = tmp_path / "damaged.html"
    path.write_text(damaged)
    page = browser.new_page()
    page.goto(path.as_uri())
    expect(page.get_by_role("alert")).to_contain_text("is damaged and cannot be shown")
    page.close()


def test_the_panel_of_the_app_hands_over_every_format(page: Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    expect(page.locator(".hero .t").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Export").click()
    expected = {
        "HTML page": ("duplicate-channel-lost-call.html", b"<!doctype html>"),
        "JSON fixture": ("duplicate-channel-lost-call.json", b'{\n  "schema": "harmonylens/1"'),
        "pytest file": ("test_duplicate_channel_lost_call.py", b'"""The same channel twice'),
        "Bundle": ("duplicate-channel-lost-call.harmonylens", b"PK"),
    }
    for title, (name, beginning) in expected.items():
        with page.expect_download() as saving:
            page.get_by_role("button", name=title, exact=True).click()
        assert saving.value.suggested_filename == name
        assert saved(saving.value, tmp_path).startswith(beginning)
