"""The diff of emitted, repaired and re-encoded tokens: the real code in a real Chromium, against the engine's ids."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from inspector import Inspection, Transcript, inspect
from inspector.gallery import load_samples
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
  const {{ transcript }} = given;
  const repair = rows ? rows[0] : given.feed.repair.edits;
  const prompt = rows ? rows[1] : given.feed.prompt && !given.feed.prompt.error ? given.feed.prompt.edits : null;
  const ruler = new Ruler({{ text: "13px monospace", marker: "600 11px monospace", chip: "10px monospace" }});
  const alignment = new Alignment(transcript, repair, prompt);
  const out = {{ drawn: [], wrong: [], common: [] }};
  for (const mask of prompt ? [7, 3, 6, 5] : [3]) {{
    for (const unified of mask === 7 ? [false] : [false, true]) {{
      const rows = new DiffRows(alignment, {{ shown: mask, unified, ruler, width: 150, unfolded: null }});
      for (const column of [0, 1, 2]) if (mask & (1 << column)) out.drawn.push([column, rows.idsOf(column).map(Number)]);
      for (const band of rows.bands) {{
        const lines = Math.max(...band.lanes.map((lane) => lane.run.lineCount - lane.from));
        if (lines < band.count) out.wrong.push(`rows without tokens in mask ${{mask}}`);
        const taken = band.lanes.reduce((sum, lane) => (sum & lane.mask ? NaN : sum | lane.mask), 0);
        if (!(taken > 0)) out.wrong.push(`two runs in one cell, mask ${{mask}}`);
      }}
      out.common.push([mask, rows.stretches.filter((s) => s.change < 0).reduce((sum, s) => sum + s.lanes[0].items.length, 0), rows.changes]);
    }}
  }}
  return out;
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


def open_diff(page: Page, inspection: Inspection) -> None:
    """A diff as the screen opens it; what it tells is kept in ``told``."""
    page.evaluate(
        f"""(given) => {{
          globalThis.view?.destroy();
          const read = ({READ})(given);
          globalThis.told = [];
          globalThis.view = new DiffView(document.getElementById("host"), {{
            hover: (i) => {{ told.push(["hover", i]); view.light({{ from: i ?? -1, to: (i ?? -2) + 1, node: i === null ? -1 : read.transcript.nodeAt(i) }}); }},
            select: (i) => {{ told.push(["select", i]); view.at(i); }},
          }});
          globalThis.given = read;
          view.show({{ ...read, verdict: null, parts: {{}} }});
        }}""",
        given(inspection),
    )


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
