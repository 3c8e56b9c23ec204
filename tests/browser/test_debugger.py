"""The step debugger in a real Chromium: the parser's way through a broken transcript, walked by a person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from inspector import inspect
from inspector.gallery import load_sample
from inspector.gallery.generate import healthy_records
from inspector.harmony.legal import Walk
from inspector.harmony.steps import steps
from inspector.harmony.verdict import Dialect

pytestmark = pytest.mark.browser

SAMPLE = "duplicate-channel-lost-call"
OLDEST, NEWEST = "openai-harmony 0.0.8", "oss-harmony 0.0.11"
DIALECTS = {OLDEST: Dialect.FIRST_ONLY, NEWEST: Dialect.ALL_CHANNELS}
ROWS = ("State", "Role", "Channel", "Recipient", "Content type", "Messages")


CELLS = "table => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"

BOXES = """panel => {
  const slider = panel.querySelector("input[type=range]");
  const parts = [...panel.querySelectorAll("*")]
    .filter((e) => /^sd-(bar|reads|tables|table|legal|text|verdict|markers|said)$/.test(e.className));
  return Array.from({ length: Number(slider.max) + 1 }, (_, token) => {
    slider.value = String(token);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (!panel.querySelector(".sd-place").textContent.startsWith(`token ${token} of`)) throw new Error("not there");
    return parts.map((e) => [e.offsetTop, e.offsetHeight, e.offsetWidth]).join();
  });
}"""
"""For every token: where the parts of the panel stand, and how large they are."""


def open_debugger(page: Page, address: str) -> Locator:
    page.goto(address)
    page.get_by_role("button", name="Step", exact=True).click()
    panel = page.get_by_role("region", name="Step debugger")
    expect(panel.get_by_role("table").first).to_be_visible(timeout=15_000)
    return panel


def go_to(panel: Locator, token: int) -> None:
    slider = panel.get_by_role("slider")
    slider.fill(str(token))
    expect(panel.locator(".sd-place")).to_contain_text(f"token {token:,} of")


def shown(table: Locator) -> dict[str, list[str]]:
    """Before and after, by row; a changed cell begins with its sign."""
    return {row[0]: [text.replace("→ now ", "→ ") for text in row[1:]] for row in table.evaluate(CELLS)}


def expected(release: str, token: int) -> dict[str, list[str]]:
    transcript = load_sample(SAMPLE).transcript
    way = steps(transcript.ids, transcript.role, DIALECTS[release], release=release)
    out: dict[str, list[str]] = {name: [] for name in ROWS}
    before = None
    for position in (token, token + 1):
        state = way.at(position)
        values: list[str | None] = [None] * 6
        if state is not None:
            values = [*state[:5], str(state.messages)]
        else:
            assert way.error is not None
            values[0] = "raises" if way.error.token == token and position > token else "stopped"
        for n, (name, value) in enumerate(zip(ROWS, values, strict=True)):
            changed = position > token and state is not None and before is not None and before[n] != value
            out[name].append(("→ " if changed else "") + (value or "–"))
        before = values if state is not None else None
    return out


def test_stepping_to_the_break_tells_every_state(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    error = inspect(load_sample(SAMPLE).transcript).verdict(OLDEST).error
    assert error is not None
    table = panel.get_by_role("table", name=OLDEST)
    go_to(panel, 0)
    walk = Walk(load_sample(SAMPLE).transcript.ids, "assistant")
    for token in range(error.token + 1):
        expect(panel.locator(".sd-place")).to_have_text(f"token {token} of 32")
        assert shown(table) == expected(OLDEST, token)
        expect(panel.locator(".sd-here")).to_have_count(1 if token in walk.illegal else 0)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(table.locator("tfoot")).to_have_text(f"● raises here: {error.text}")
    expect(page.locator(f".hero .t[data-i='{error.token}']")).to_have_class(re.compile(r"\bactive\b"))
    page.keyboard.press("ArrowRight")
    expect(table.locator("tfoot")).to_contain_text(f"stopped at token {error.token}")
    assert shown(table) == expected(OLDEST, error.token + 1)


def test_behind_the_break_another_release_reads_on(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    place = panel.locator(".sd-place")
    go_to(panel, 22)
    said = panel.locator("tfoot")
    expect(said).to_contain_text(f"stopped at token 21; {NEWEST} reads on")
    way = steps(load_sample(SAMPLE).transcript.ids, "assistant", Dialect.ALL_CHANNELS)
    later = [token for token in way.changes() if token > 22]
    assert later
    for token in later:
        page.keyboard.press("Shift+ArrowRight")
        expect(place).to_have_text(f"token {token} of 32")
    go_to(panel, 22)
    page.keyboard.press("Shift+ArrowLeft")
    expect(place).to_have_text("token 21 of 32")
    go_to(panel, 22)
    panel.get_by_role("button", name="show all releases").click()
    expect(panel.get_by_role("table")).to_have_count(2)
    expect(panel.get_by_label("all releases")).to_be_focused()


def test_the_slider_takes_the_keys_as_the_tokens_do(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    place = panel.locator(".sd-place")
    go_to(panel, 0)
    page.keyboard.press("PageDown")
    expect(place).not_to_have_text("token 0 of 32")
    page.keyboard.press("End")
    expect(place).to_have_text("token 31 of 32")
    page.keyboard.press("PageUp")
    expect(place).not_to_have_text("token 31 of 32")
    page.keyboard.press("Home")
    expect(place).to_have_text("token 0 of 32")


def test_both_releases_stand_side_by_side(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    panel.get_by_label("all releases").check()
    expect(panel.get_by_role("table")).to_have_count(2)
    go_to(panel, 21)
    for release in (OLDEST, NEWEST):
        assert shown(panel.get_by_role("table", name=release)) == expected(release, 21)
    page.get_by_role("radio", name=NEWEST).click()
    expect(panel.get_by_role("table").first).to_have_accessible_name(NEWEST)
    left, right = (panel.get_by_role("table").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]


def test_what_is_legal_next_is_told(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    legal = panel.get_by_role("region", name="Legal next")
    go_to(panel, 0)
    expect(legal).to_contain_text("a channel: analysis, commentary or final")
    expect(legal.locator(".sd-markers")).to_have_text("no marker")
    expect(legal).to_contain_text("✓ the next token, analysis, is legal here")
    go_to(panel, 17)
    expect(legal.locator(".sd-markers .marker")).to_have_text(["message"])
    expect(legal.get_by_role("status")).to_have_text("✗ the next token, channel, is not legal here")
    go_to(panel, 18)
    expect(legal).to_contain_text("Nothing well-formed can follow token 18 in this header")
    go_to(panel, 31)
    expect(legal).to_contain_text("the transcript may end here")


def test_continuing_and_changes_of_state(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    found = inspect(load_sample(SAMPLE).transcript)
    starts = sorted({d.span.start for d in (*found.diagnostics, *found.finish.findings)})
    place = panel.locator(".sd-place")
    go_to(panel, 0)
    following = panel.get_by_role("button", name="Continue to the next finding")
    for start in starts:
        following.click()
        expect(place).to_have_text(f"token {start} of 32")
    expect(following).to_have_attribute("aria-disabled", "true")
    go_to(panel, 0)
    panel.get_by_role("button", name="Continue to where it breaks").click()
    expect(place).to_have_text("token 21 of 32")
    go_to(panel, 0)
    way = steps(load_sample(SAMPLE).transcript.ids, "assistant", Dialect.FIRST_ONLY)
    for token in [*way.changes(), 21]:
        page.keyboard.press("Shift+ArrowRight")
        expect(place).to_have_text(f"token {token} of 32")
    page.keyboard.press("Shift+ArrowLeft")
    expect(place).to_have_text(f"token {way.changes()[-1]} of 32")
    page.keyboard.press("b")
    expect(place).to_have_text("token 21 of 32")
    page.keyboard.press("n")
    expect(place).to_have_text("token 31 of 32")


def test_the_token_view_and_the_debugger_follow_each_other(page: Page, app_url: str) -> None:
    panel = open_debugger(page, f"{app_url}/?sample={SAMPLE}")
    page.locator(".hero .t[data-i='3']").click()
    expect(panel.locator(".sd-place")).to_have_text("token 3 of 32")
    panel.get_by_role("button", name="Next token").click()
    expect(page.locator(".hero .t[data-i='4']")).to_have_class(re.compile(r"\bactive\b"))
    page.get_by_role("listbox", name="Tokens of the transcript").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".sd-place")).to_have_text("token 5 of 32")


def test_nothing_moves_while_stepping_and_it_fits_a_phone(page: Page, app_url: str, artifacts: Path) -> None:
    for width, height in ((1280, 1000), (390, 1300)):
        page.set_viewport_size({"width": width, "height": height})
        panel = open_debugger(page, f"{app_url}/?sample=tool-as-channel-comma-json")
        panel.get_by_label("all releases").check()
        assert len(set(panel.evaluate(BOXES))) == 1
        assert panel.evaluate("e => e.scrollWidth <= e.clientWidth")
        panel.screenshot(path=artifacts / f"debugger-{width}.png")


def test_stepping_answers_at_once_in_a_whole_context(page: Page, app_url: str, tmp_path: Path) -> None:
    ids: list[int] = []
    for record in healthy_records(10_000):
        ids += record["token_ids"]
        if len(ids) >= 131_072:
            break
    file = tmp_path / "context.txt"
    file.write_text(" ".join(map(str, ids[:131_072])))
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Step", exact=True).click()
    panel = page.get_by_role("region", name="Step debugger")
    expect(panel.get_by_role("table").first).to_be_visible(timeout=30_000)
    touched = panel.evaluate(
        """async (panel) => {
          const touched = [];
          const watch = new MutationObserver(() => {});
          watch.observe(panel, { subtree: true, childList: true, attributes: true, characterData: true });
          const next = panel.querySelector('[aria-label="Next token"]');
          const change = panel.querySelector('[aria-label="Next change of state"]');
          const slider = panel.querySelector("input[type=range]");
          const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          for (const at of [0, 40_000, 90_000, 131_000]) {
            slider.value = String(at);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await frame();
            for (let n = 0; n < 5; n += 1) {
              for (const button of [next, change]) {
                const before = panel.querySelector(".sd-place").textContent;
                watch.takeRecords();
                button.click();
                touched.push(watch.takeRecords().length);
                if (panel.querySelector(".sd-place").textContent === before) throw new Error(`stuck at ${before}`);
                await frame();
              }
            }
          }
          return touched;
        }"""
    )
    # A step writes what is in sight, wherever in the transcript it is.
    assert 0 < max(touched) < 500, touched
