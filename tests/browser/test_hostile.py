"""Text from a transcript stays text, wherever it is shown, and a large transcript stays usable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine

from inspector import inspect
from inspector.gallery.bundle import read_gallery
from inspector.gallery.database import SampleStore
from inspector.gallery.link import write_link
from inspector.ingest import transcript_record
from inspector.report.exports import FORMATS
from inspector.report.subject import inspected
from inspector.tokens import Transcript, vocabulary

from .. import hostile
from .conftest import Serve, Watch

pytestmark = pytest.mark.browser

PAYLOAD = (
    "<script>window.pwned=1</script><img src=http://evil.invalid/x onerror=window.pwned=2>"
    "<style>body{display:none}</style>**bold** [link](javascript:window.pwned=3) {{7*7}} ${7*7} $x^2$ :red[red]"
)
UNSEEN = "a\u202eb\u200bc\x1b[31md\x00e\u2066f\ufefff"

FOREIGN = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].filter(e => e.shadowRoot).map(e => e.shadowRoot)];
  const found = [];
  for (const root of roots) {
    const foreign = root.querySelectorAll('.hs script, .hs img, .hs style, .hs iframe, .hs svg');
    for (const e of foreign) found.push(e.outerHTML);
  }
  return {found, pwned: window.pwned ?? null, hidden: getComputedStyle(document.body).display === 'none'};
}"""
CLEAN: dict[str, object] = {"found": [], "pwned": None, "hidden": False}

LINKS = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].filter(e => e.shadowRoot).map(e => e.shadowRoot)];
  return roots.flatMap(root => [...root.querySelectorAll('a[href], form, base, meta[http-equiv=refresh], [src]')])
    .map(e => e.href || e.action || e.src || e.outerHTML)
    .filter(address => !address.startsWith(location.origin))
    .filter(address => /^(javascript|data:text|vbscript|command|file):|evil/i.test(address));
}"""
"""Where a click, or the browser itself, would go that it must not."""


def holds(page: Page) -> None:
    """Nothing ran, nothing leads elsewhere, the layout stands and the controls are there."""
    assert page.evaluate(FOREIGN) == CLEAN
    assert page.evaluate(LINKS) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    scrolls = page.locator(".stMain")
    if scrolls.count():
        assert scrolls.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
        for name in ("Inspect", "Gallery", "Rules"):
            expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()


@pytest.fixture(scope="module")
def hostile_url(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app whose gallery and whose saved samples are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    bundle = folder / "hostile.jsonl"
    bundle.write_text("\n".join(json.dumps(record) for record in hostile.records()))
    url = f"sqlite:///{folder / 'saved.db'}"
    store = SampleStore(create_engine(url))
    store.prepare()
    for sample in read_gallery(bundle.read_bytes(), "hostile.jsonl").samples:
        tags = tuple(tag[:60] for tag in sample.tags)
        short = replace(sample, title=sample.title[:200], story=sample.story[:2000], tags=tags)
        store.save(short, author=hostile.TEXTS["script"])
    code = (
        "import os; "
        f"os.environ.update(HARMONYLENS_DATABASE_URL={url!r}, HARMONYLENS_GALLERIES={str(bundle)!r}); "
        "from inspector.app import run; run(port={port}, open_browser=False)"
    )
    with serve(["-c", code], folder) as address:
        yield address


def submit(page: Page, url: str, text: str) -> None:
    page.goto(url)
    page.get_by_role("textbox", name="Model output").fill(text)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.locator(".hero .t").first).to_be_visible()


def test_hostile_text_in_body_and_header_is_shown_as_text(page: Page, app_url: str) -> None:
    text = (
        f"<|channel|>analysis<|message|>{PAYLOAD} {UNSEEN}<|end|>"
        f"<|start|>assistant<|channel|>commentary to=functions.{PAYLOAD}<|message|>{{}}<|call|>"
    )
    submit(page, app_url, text)
    hero = page.locator(".hero .lines")
    expect(hero).to_contain_text("window")
    expect(page.locator(".error-text")).to_contain_text("unexpected tokens remaining")
    first = page.get_by_role("region", name="Repaired").locator(".message").first
    expect(first).to_contain_text("<script>window.pwned=1</script>")
    for sign in ("U+202E", "U+200B", "U+2066", "U+FEFF", "ESC", "NUL"):
        expect(hero.locator(".cell.ctl", has_text=sign).first).to_be_visible()
    assert "\u202e" not in hero.inner_text()
    for index in range(0, 40, 8):
        page.locator(f".hero .t[data-i='{index}']").hover()
    assert page.evaluate(FOREIGN) == CLEAN


def test_hostile_tools_names_and_problems(page: Page, app_url: str) -> None:
    record = {"id": PAYLOAD, "token_ids": vocabulary().encode_markers("<|channel|>final<|message|>x<|return|>"),
              "role": "assistant", "finish_reason": PAYLOAD}  # fmt: skip
    page.goto(app_url)
    page.get_by_role("textbox", name="Declared tools").fill(PAYLOAD)
    page.get_by_role("textbox", name="Model output").fill(f"{json.dumps(record)}\n{json.dumps(record)}\n{PAYLOAD}")
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.locator(".hero .t").first).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_contain_text("Line 3")
    expect(page.locator(".finish")).to_contain_text("<script>")
    assert page.evaluate(FOREIGN) == CLEAN
    assert page.get_by_test_id("stAlert").locator("a, strong, em, img").count() == 0


def test_look_alikes_broken_bytes_and_unknown_ids(page: Page, app_url: str) -> None:
    ids = [200005, 17196, 200008, *vocabulary().encode("<|end|>"), 2**63, 201500, -3, 167, 200013, 200002]
    submit(page, app_url, json.dumps(ids))
    for index in range(3, 3 + len(vocabulary().encode("<|end|>"))):
        assert "alike" in (page.locator(f".hero .t[data-i='{index}']").get_attribute("class") or "")
    expect(page.locator(".hero .t.unknown")).to_have_text([f"? {2**63}", "? 201500", "? -3"])
    expect(page.locator(".hero .t.marker")).to_have_text(["channel", "message", "reserved_200013", "return"])


def test_a_character_over_several_tokens_is_drawn_once(page: Page, app_url: str) -> None:
    text = "<|channel|>final<|message|>a 🫨 b<|return|>"
    ids = vocabulary().encode_markers(text)
    submit(page, app_url, text)
    group = page.locator(".hero .t.group")
    expect(group).to_have_count(1)
    expect(group).to_contain_text("🫨")
    start = int(group.get_attribute("data-i") or -1)
    group.hover()
    shown = page.locator(".status").inner_text()
    end = next(i for i in range(start, len(ids)) if vocabulary().decode(ids[start : i + 1]).endswith("🫨")) + 1
    assert "id " + " ".join(map(str, ids[start:end])) in shown


def test_a_token_longer_than_a_line_and_long_runs_hold_the_layout(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    submit(page, app_url, f"<|channel|>final<|message|>{'=' * 900}{' ' * 700}{'x' * 500}<|return|>")
    overflow = page.locator(".hero .scroller").evaluate("e => e.scrollWidth - e.clientWidth")
    assert overflow <= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_whole_context_at_once(page: Page, app_url: str, tmp_path: Path) -> None:
    turn = "<|start|>assistant<|channel|>analysis<|message|>" + "Look at every file in turn. " * 20 + "<|end|>"
    broken = "<|start|>assistant<|channel|>final<|channel|>final<|message|>Done.<|return|>"
    head, tail = vocabulary().encode_markers(turn)[1:], vocabulary().encode_markers(broken)
    body = vocabulary().encode_markers(turn)
    ids = head[1:] + body * ((131_072 - len(head) - len(tail) + 1) // len(body)) + tail
    file = tmp_path / "long.json"
    file.write_text(json.dumps(ids))
    error = inspect(ids).verdict("openai-harmony 0.0.8").error
    assert error is not None
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(file)
    # The view opens at the break, 131,000 tokens down.
    expect(page.locator(f".hero .t[data-i='{error.token}']")).to_be_visible(timeout=60_000)
    assert page.locator(".hero .t").count() < 3000
    page.get_by_role("listbox", name="Tokens of the transcript").focus()
    page.keyboard.press("Home")
    expect(page.locator(".hero .t[data-i='0']")).to_be_visible()
    expect(page.locator(".verdict .source")).not_to_contain_text("predicted", timeout=60_000)
    # What arrives later than the screen is there.
    page.wait_for_function(
        "() => [...globalThis[Symbol.for('harmonylens')].parts.values()].some((parts) => parts.checks && parts.steps)"
    )
    received.clear()
    page.locator(".finding .switch").first.click()
    expect(page.get_by_role("region", name="Repaired")).to_contain_text("0 of 1 fix on")
    # The release on the screen is 0.0.8, which still breaks; that the newest one would not is no comfort here.
    expect(page.locator(".verdict .after")).to_contain_text("not repaired")
    assert sum(received) < 20_000, "a switch must not send the tokens again"


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_hostile_at_once_in_every_mode(page: Page, app_url: str, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    file = tmp_path / "hostile.jsonl"
    file.write_text(json.dumps(transcript_record(hostile.transcript())))
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".hero .t").first).to_be_visible()
    expect(page.get_by_label("Source")).to_contain_text("<script>window.pwned='script'</script>")
    holds(page)
    for mode in ("Table", "Diff", "Text"):
        page.get_by_role("button", name=mode, exact=True).or_(page.get_by_role("radio", name=mode, exact=True)).click()
        holds(page)
    for tool in ("Outline", "Step"):
        page.get_by_role("button", name=tool, exact=True).click()
        holds(page)
    for panel in ("Save", "Share", "Export", "Input"):
        page.get_by_role("button", name=panel, exact=True).click()
        # Once its content is there, Python knows that it is open: who closes it earlier may see it come back.
        expect(page.get_by_test_id("stPopoverBody").get_by_role("button").first).to_be_visible()
        holds(page)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def test_a_hostile_gallery_and_hostile_saved_samples(page: Page, hostile_url: str, artifacts: Path) -> None:
    page.goto(f"{hostile_url}/gallery")
    expect(page.locator("a.card").filter(has_text="<script>window.pwned='script'</script>").first).to_be_visible()
    holds(page)
    page.get_by_role("searchbox").fill("<script>")
    expect(page.locator("a.card").first).to_be_visible()
    holds(page)
    page.set_viewport_size({"width": 390, "height": 800})
    holds(page)
    page.screenshot(path=artifacts / "hostile-gallery-390.png")
    page.locator("a.card").filter(has_text="<script>").first.click()
    expect(page.locator(".hero .t").first).to_be_visible()
    holds(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_hostile_link(page: Page, app_url: str, artifacts: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{app_url}/#{write_link(hostile.transcript(), 3)}")
    expect(page.get_by_label("Source")).to_contain_text("<script>window.pwned='script'</script>")
    holds(page)
    page.screenshot(path=artifacts / f"hostile-link-{width}.png")


def test_hostile_addresses(page: Page, app_url: str) -> None:
    for text in (hostile.TEXTS["script"], hostile.TEXTS["event handler"], hostile.TEXTS["markdown"]):
        for address in ("?sample=", "rules?rule=", "gallery?q=", "gallery?rule=", "#h1.", "#"):
            page.goto(f"{app_url}/{address}{quote(text)}")
            expect(page.get_by_role("heading").first).to_be_visible()
            holds(page)


def test_a_hostile_page_from_disk(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_bytes(FORMATS["html"].write(inspected(hostile.transcript())))
    context = browser.new_context(viewport={"width": 390, "height": 800}, offline=True)
    page = context.new_page()
    watch = Watch(page)
    page.goto(file.as_uri())
    expect(page.locator(".t").first).to_be_visible()
    holds(page)
    page.screenshot(path=artifacts / "hostile-page-390.png")
    context.close()
    assert watch.errors == []
    assert [url for url in watch.elsewhere if not url.startswith(file.as_uri())] == []


def test_ten_megabytes_of_one_token_and_a_tower_of_marks(page: Page, app_url: str, tmp_path: Path) -> None:
    token, count = hostile.RUN
    start, end = (200005, 17196, 200008), (200002,)
    marks = vocabulary().encode_markers(f"<|channel|>final<|message|>{hostile.MANY_MARKS}<|return|>")
    records = [
        transcript_record(Transcript(ids=tuple(marks), id="marks")),
        transcript_record(Transcript(ids=(*start, *[token] * count, *end), id="run")),
    ]
    file = tmp_path / "large.jsonl"
    file.write_text("\n".join(map(json.dumps, records)))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_label("Source")).to_contain_text(f"{len(marks):,} tokens", timeout=60_000)
    holds(page)
    page.get_by_role("combobox", name="Transcript").click()
    page.get_by_role("option", name="2. run").click()
    expect(page.get_by_label("Source")).to_contain_text(f"{count + 4:,} tokens", timeout=120_000)
    holds(page)
    box = page.get_by_role("listbox", name="Tokens of the transcript")
    box.focus()
    page.keyboard.press("End")
    expect(page.locator(".hero .t.marker", has_text="return")).to_be_visible()
    holds(page)
