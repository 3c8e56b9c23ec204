"""The diff of emitted, repaired and re-encoded tokens: the real code in a real Chromium, against the engine's ids."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from inspector import Inspection, Transcript, inspect
from inspector.gallery import load_sample, load_samples
from inspector.tokens import Edit, apply_edits, vocabulary
from inspector.view.assets import screen_code, screen_style
from inspector.view.feed import Settings, pack_feed
from inspector.view.viewmodel import pack_view

pytestmark = pytest.mark.browser

SHELL = """<!doctype html><meta charset=utf-8><style>{style}</style>
<body style="margin: 0"><div class="hs" data-theme="{theme}" style="border: 0"><div id="host"></div></div>
<script>{code}</script>"""

READ = """([packed, feed]) => {
  const transcript = new Transcript(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)));
  const read = readFeed(JSON.parse(feed));
  transcript.dictionary.add(read.extra);
  return { transcript, feed: read };
}"""

COLUMNS = f"""([packed, feed, rows]) => {{
  const given = ({READ})([packed, feed]);
  const repair = rows ? rows[0] : given.feed.repair.edits;
  const prompt = rows ? rows[1] : given.feed.prompt && !given.feed.prompt.error ? given.feed.prompt.edits : null;
  const ruler = new Ruler({{ text: "13px monospace", marker: "600 11px monospace", chip: "10px monospace" }});
  const alignment = new Alignment(given.transcript, repair, prompt);
  const out = {{ drawn: [], wrong: [], common: [] }};
  for (const shown of prompt ? [7, 3, 6, 5] : [3]) {{
    for (const unified of shown === 7 ? [false] : [false, true]) {{
      const rows = new DiffRows(alignment, {{ shown, unified, ruler, width: 150, unfolded: null }});
      for (const column of [0, 1, 2]) {{
        if (shown & (1 << column)) out.drawn.push([column, rows.idsOf(column).map(Number)]);
      }}
      for (const band of rows.bands) {{
        const lines = Math.max(...band.lanes.map((lane) => lane.run.lineCount - lane.from));
        if (lines < band.count) out.wrong.push(`rows without tokens, columns ${{shown}}`);
        const taken = band.lanes.reduce((sum, lane) => (sum & lane.mask ? NaN : sum | lane.mask), 0);
        if (!(taken > 0)) out.wrong.push(`two runs in one cell, columns ${{shown}}`);
      }}
      const same = rows.stretches.filter((stretch) => stretch.change < 0);
      out.common.push([shown, same.reduce((sum, {{ lanes }}) => sum + lanes[0].items.length, 0), rows.changes]);
    }}
  }}
  return out;
}}"""

OPEN = f"""([given, lack, width]) => {{
  globalThis.view?.destroy();
  const read = ({READ})(given);
  if (lack !== null) read.feed.prompt = lack ? {{ ...read.feed.prompt, error: lack }} : null;
  globalThis.told = [];
  const host = document.getElementById("host");
  host.style.width = `${{width}}px`;
  globalThis.view = new DiffView(host, {{
    hover: (i) => {{
      told.push(["hover", i]);
      view.light(i === null ? {{}} : {{ from: i, to: i + 1, node: read.transcript.nodeAt(i) }});
    }},
    select: (i) => {{
      told.push(["select", i]);
      view.at(i);
    }},
  }});
  globalThis.given = read;
  view.show({{ ...read, verdict: null, parts: {{}} }});
}}"""


@pytest.fixture(scope="module")
def shell(browser: Browser) -> Iterator[Page]:
    """A page with the code of the screen and nothing else."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    load(page)
    yield page
    context.close()
    assert errors == []


def load(page: Page, theme: str = "light") -> None:
    """Put the code into the page; its last statement is the component's export, which a plain script has not."""
    code = screen_code().replace("export default function", "globalThis.mountScreen = function")
    page.set_content(SHELL.format(style=screen_style(), theme=theme, code=code.replace("</script", "<\\/script")))


def given(inspection: Inspection) -> list[str]:
    packed = base64.b64encode(pack_view(inspection)).decode()
    return [packed, pack_feed(inspection, Settings(style="newest")).decode()]


def open_diff(page: Page, inspection: Inspection, *, width: int = 1000, lack: str | None = None) -> None:
    """A diff as the screen opens it; what it tells is kept in ``told``. ``lack`` is why there is no prompt."""
    page.evaluate(OPEN, [given(inspection), lack, width])


def test_each_column_of_every_sample_is_exactly_its_tokens(shell: Page) -> None:
    changed = 0
    for sample in load_samples():
        inspection = inspect(sample.transcript)
        prompt = inspection.next_prompt
        ids = [list(inspection.transcript.ids), list(inspection.repair.ids), list(prompt.ids) if prompt else []]
        found = shell.evaluate(COLUMNS, [*given(inspection), None])
        assert found["wrong"] == [], sample.name
        for column, drawn in found["drawn"]:
            assert drawn == ids[column], (sample.name, column)
        pairs = {3: ids[0] != ids[1], 6: ids[1] != ids[2], 5: ids[0] != ids[2]}
        for mask, _, changes in found["common"]:
            if mask in pairs and ((prompt is not None and prompt.error is None) or mask == 3):
                assert (changes > 0) == pairs[mask], (sample.name, mask)
                changed += pairs[mask]
    assert changed > 50


def some_edits(chance: random.Random, count: int) -> list[Edit]:
    """Sorted edits that do not overlap, over a vocabulary so small that equal ids stand everywhere, crosswise too."""
    edits: list[Edit] = []
    at = 0
    while at <= count and chance.random() < 0.85:
        start = chance.randint(at, min(count, at + 4))
        end = min(count, start + chance.choice([0, 0, 1, 1, 2, 5]))
        ids = tuple(chance.choice(WORDS) for _ in range(chance.choice([0, 1, 1, 2, 4])))
        edits.append(Edit(start, end, ids))
        at = end + 1
    return edits


WORDS = (200005, 200008, 35644, 17196, 12606, 815)


def test_any_edits_are_drawn_exactly_and_nothing_kept_is_lost(shell: Page) -> None:
    chance = random.Random(4)
    # Written crosswise: each column keeps what the other has written anew before or behind it.
    cases = [((35644, 17196), [Edit(0, 0, (815,)), Edit(1, 2)], [Edit(0, 1), Edit(2, 2, (815,))])]
    cases += [((5, 7, 9), [Edit(0, 1, (9,)), Edit(2, 3)], [Edit(0, 2)])]
    for _ in range(150):
        ids = tuple(chance.choice(WORDS) for _ in range(chance.randint(0, 14)))
        cases.append((ids, some_edits(chance, len(ids)), some_edits(chance, len(ids))))
    ids = tuple(chance.choice(WORDS) for _ in range(3000))
    cases.append((ids, [Edit(10, 2900, tuple(ids[0:1200]))], [Edit(5, 2950, tuple(ids[300:2000]))]))
    for ids, repair, prompt in cases:
        inspection = inspect(Transcript(ids))
        # The dictionary knows the ids of the transcript and of these edits.
        packed, feed = given(inspection)
        body = json.loads(feed)
        known = {row[0] for row in body["extra"]} | set(ids)
        body["extra"] += [[t, list(vocabulary().token_bytes(t) or b"")] for t in {*WORDS, 9} - known]
        rows = [[[e.start, e.end, list(e.ids), [f"k{n}"]] for n, e in enumerate(edits)] for edits in (repair, prompt)]
        found = shell.evaluate(COLUMNS, [packed, json.dumps(body), rows])
        columns = [list(ids), apply_edits(ids, repair), apply_edits(ids, prompt)]
        assert found["wrong"] == [], (ids, repair, prompt)
        for column, drawn in found["drawn"]:
            assert drawn == columns[column], (ids, repair, prompt, column)
        kept = [kept_by(edits, len(ids)) for edits in ([], repair, prompt)]
        least = {3: kept[0] & kept[1], 6: kept[1] & kept[2], 5: kept[0] & kept[2], 7: kept[1] & kept[2]}
        for mask, common, _ in found["common"]:
            assert common >= len(least[mask]), (ids, repair, prompt, mask)


def kept_by(edits: list[Edit], count: int) -> set[int]:
    gone = {i for edit in edits for i in range(edit.start, edit.end)}
    return set(range(count)) - gone


def row_of(page: Page, index: int) -> Locator:
    """The row in which an emitted token stands in the first column."""
    return page.locator(".diff-row").filter(has=page.locator(f".diff-cell:first-child .t[data-i='{index}']"))


def ids_in(cells: Locator) -> list[int]:
    return [int(t) for text in cells.evaluate_all("all => all.map((e) => e.dataset.ids)") for t in text.split()]


def test_what_is_kept_stands_on_one_row_and_what_is_not_is_padded(shell: Page) -> None:
    inspection = inspect(load_sample("duplicate-channel-lost-call").transcript)
    edits = inspection.repair.edits
    assert [(e.edit.start, e.edit.end, e.edit.ids) for e in edits] == [(18, 21, ())]
    open_diff(shell, inspection)
    expect(shell.get_by_role("columnheader")).to_have_text(
        ["Emitted 32 tokens", "Repaired 29 tokens", "Next prompt 29 tokens"]
    )
    for index in (0, 17, 21, 30):
        places = shell.locator(f".t[data-i='{index}']").evaluate_all(
            "all => all.map((e) => [e.closest('.diff-row').dataset.row, e.offsetLeft])"
        )
        assert len(places) == 3
        assert len({tuple(place) for place in places}) == 1
    gone = row_of(shell, 18)
    expect(gone.locator(".void")).to_have_count(2)
    expect(gone.locator(".diff-code")).to_have_text("HS201")
    expect(gone.locator(".t.gone")).to_have_count(3)
    # The repair kept what ends the message, the next prompt did not: only its own column says why.
    end = row_of(shell, 31)
    expect(end.locator(".diff-code")).to_have_text("HS713")
    expect(end.locator(".diff-cell").nth(1).locator(".t")).to_have_class(re.compile("gone"))
    expect(end.locator(".diff-cell").nth(2).locator(".t")).to_have_class(re.compile("new"))
    prompt = inspection.next_prompt
    assert prompt is not None
    columns = (inspection.transcript.ids, inspection.repair.ids, prompt.ids)
    for number, ids in enumerate(columns, 1):
        assert ids_in(shell.locator(f".diff-cell:nth-child({number}) .t")) == list(ids)


def test_unified_has_signs_causes_and_folds(shell: Page) -> None:
    inspection = inspect(load_sample("duplicate-channel-lost-call").transcript)
    open_diff(shell, inspection, width=420)
    expect(shell.get_by_role("radio", name="Side by side")).to_be_disabled()
    shell.get_by_label("Which two are compared").select_option("Emitted → Next prompt")
    expect(shell.locator(".diff-count")).to_have_text("2 changes")
    expect(shell.locator(".diff-sign")).to_have_text(["−", "−", "+"])
    expect(shell.locator(".diff-row.change .diff-code")).to_have_text(["HS729", "HS713"])
    fold = shell.get_by_role("button", name=re.compile("unchanged token"))
    hidden = int(re.sub(r"\D", "", fold.first.inner_text()))
    shown = len(ids_in(shell.locator(".diff-row.same .t, .diff-row:has(.minus) .t")))
    assert fold.count() == 1
    assert hidden + shown == len(inspection.transcript.ids)
    fold.click()
    expect(fold).to_have_count(0)
    prompt = inspection.next_prompt
    assert prompt is not None
    assert ids_in(shell.locator(".diff-row.same .t, .diff-row:has(.minus) .t")) == list(inspection.transcript.ids)
    assert ids_in(shell.locator(".diff-row.same .t, .diff-row:has(.plus) .t")) == list(prompt.ids)


def test_two_columns_where_three_do_not_fit(shell: Page) -> None:
    open_diff(shell, inspect(load_sample("duplicate-channel-lost-call").transcript), width=600)
    head = shell.get_by_role("columnheader")
    expect(head).to_have_text(["Emitted 32 tokens", "Repaired 29 tokens"])
    shell.get_by_label("Which two are compared").select_option("Repaired → Next prompt")
    expect(head).to_have_text(["Repaired 29 tokens", "Next prompt 29 tokens"])
    expect(shell.locator(".diff-count")).to_have_text("1 change")
    expect(shell.locator(".diff-code")).to_have_text("HS713")


def test_pointing_and_choosing_are_told_and_light_up_everywhere(shell: Page) -> None:
    open_diff(shell, inspect(load_sample("duplicate-channel-lost-call").transcript))
    shell.locator(".diff-cell:nth-child(3) .t[data-i='22']").hover()
    expect(shell.locator(".t.lit")).to_have_count(3)
    assert shell.evaluate("told.at(-1)") == ["hover", 22]
    shell.locator(".diff-cell:nth-child(2) .t[data-i='16']").click()
    assert shell.evaluate("told.at(-1)") == ["select", 16]
    expect(shell.locator(".t.active")).to_have_count(3)
    # What the prompt wrote anew stands where its edit is.
    shell.locator(".diff-cell:nth-child(3) .t.new").click()
    assert shell.evaluate("told.at(-1)") == ["select", 31]


def test_changes_are_walked_by_key(shell: Page) -> None:
    open_diff(shell, inspect(load_sample("markers-spelled-as-text").transcript))
    table = shell.get_by_role("table")
    table.focus()
    expect(table).to_be_focused()
    shell.keyboard.press("j")
    expect(shell.locator(".diff-count")).to_have_text("1 of 3 changes")
    expect(shell.locator(".diff-why")).to_contain_text("HS301 look alike marker")
    shell.keyboard.press("j")
    shell.keyboard.press("j")
    expect(shell.locator(".diff-count")).to_have_text("3 of 3 changes")
    shell.keyboard.press("j")
    expect(shell.locator(".diff-count")).to_have_text("1 of 3 changes")
    shell.keyboard.press("k")
    expect(shell.locator(".diff-count")).to_have_text("3 of 3 changes")
    expect(shell.locator(".diff-row.current").first).to_be_visible()
    assert shell.evaluate("told.at(-1)")[0] == "select"


@pytest.mark.parametrize("lack", ["", "the name of a tool holds <|channel|>"])
def test_a_prompt_that_was_not_made_is_said_in_its_column(shell: Page, lack: str) -> None:
    inspection = inspect(load_sample("duplicate-channel-lost-call").transcript)
    open_diff(shell, inspection, lack=lack)
    head = shell.get_by_role("columnheader").last
    expect(head).to_contain_text(f"This prompt cannot be made: {lack}" if lack else "No next prompt was made.")
    assert ids_in(shell.locator(".diff-cell:nth-child(2) .t")) == list(inspection.repair.ids)
    expect(shell.locator(".diff-cell:nth-child(3) .t")).to_have_count(0)
    open_diff(shell, inspection, lack=lack, width=600)
    shell.get_by_label("Which two are compared").select_option("Emitted → Next prompt")
    expect(head).to_contain_text("prompt")
    expect(shell.locator(".diff-row")).to_have_count(0)


def test_131072_tokens_scroll_together_and_only_rows_in_sight_exist(shell: Page) -> None:
    encode = vocabulary().encode_markers
    good = (
        encode("<|channel|>analysis<|message|>First the tests, then the docs: line by line.<|end|><|start|>assistant")
        * 4
    )
    twice = encode("<|channel|>analysis<|channel|>commentary<|message|>Then the docs.<|end|><|start|>assistant")
    ids = ((good + twice) * (1 + 131_072 // len(good + twice)))[:131_072]
    inspection = inspect(ids)
    assert len(inspection.repair.edits) > 1000
    open_diff(shell, inspection)
    scrollers = shell.evaluate(
        "() => [...document.querySelectorAll('.diff-view *')].filter((e) => e.scrollHeight > e.clientHeight + 40"
        " && /auto|scroll/.test(getComputedStyle(e).overflowY)).map((e) => e.className)"
    )
    assert scrollers == ["diff-scroller"]
    for index in (131_000, 5, 66_000):
        shell.evaluate("(i) => view.at(i)", index)
        expect(shell.locator(f".diff-cell:first-child .t[data-i='{index}']")).to_be_visible()
        assert shell.locator(".diff-row").count() < 60
    touched = shell.evaluate(
        """() => {
          const watch = new MutationObserver(() => {});
          watch.observe(document.querySelector('.diff-view'), { subtree: true, childList: true, attributes: true });
          for (let k = 0; k < 20; k += 1) {
            view.light({ from: 66000 + k, to: 66001 + k, node: given.transcript.nodeAt(66000 + k) });
          }
          return watch.takeRecords().length;
        }"""
    )
    # What is lit and what no longer is: no more than the rows in sight, however long the transcript.
    assert 0 < touched / 20 < 200


def test_the_diff_takes_the_place_of_the_tokens(page: Page, app_url: str, artifacts: Path) -> None:
    page.goto(f"{app_url}/?sample=markers-spelled-as-text")
    expect(page.locator(".hero .t").first).to_be_visible()
    page.get_by_role("radio", name="Diff").click()
    table = page.get_by_role("table", name="Difference between")
    expect(table.get_by_role("columnheader")).to_have_count(3)
    expect(page.get_by_role("listbox", name="Tokens of the transcript")).to_be_hidden()
    # A switch is thrown: the repaired column follows.
    expect(table.locator(".t.new").first).to_be_visible()
    page.screenshot(path=artifacts / "diff-1280.png")
    for switch in page.locator(".finding .switch[aria-checked='true']").all():
        switch.click()
    expect(table.get_by_role("columnheader").nth(1)).to_have_text("Repaired 41 tokens")
