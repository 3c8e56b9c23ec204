"""The token view alone, in a page of its own: what it draws, what a person does in it, and how it grows.

No server: the page holds the screen's code and style, the view and the map, and gets packed transcripts.
"""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from inspector import Inspection, inspect
from inspector.gallery import load_samples
from inspector.tokens import Transcript, vocabulary
from inspector.view.assets import screen_code, screen_style
from inspector.view.feed import Settings, pack_feed
from inspector.view.viewmodel import ORIGINS, pack_appendix, pack_view, view_of

pytestmark = pytest.mark.browser

FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tokens</title></head>
<body style="margin: 10px"><main><h1>Tokens</h1><div id="host"></div></main></body></html>"""

BENCH = """
{
  const shadow = document.getElementById("host").attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = STYLE;
  const root = el("div", { class: "hs", "data-theme": "light" });
  const main = el("div", { class: "main" });
  const [map, hero] = [el("div", { class: "map-host" }), el("div", { class: "hero" })];
  const surface = el("div", { class: "surface" });
  hero.append(surface);
  main.append(map, hero);
  root.append(main);
  shadow.append(style, root);
  const said = [];
  const names = ["hover", "select", "range", "fold", "step"];
  const on = Object.fromEntries(names.map((name) => [name, (value) => said.push([name, value])]));
  const view = new TokenView(surface, { label: "Tokens", on: { ...on, scroll: () => strip.scrolled() } });
  const strip = new MiniMap(map, view);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  window.bench = {
    view, said, root, shadeOf, readFeed,
    Transcript: class extends Transcript { constructor(text) { super(bytes(text)); } },
    show(tokens, message) {
      const feed = readFeed(message);
      const transcript = new Transcript(bytes(tokens));
      transcript.dictionary.add(feed.extra);
      view.show(transcript, { edits: feed.repair.edits, findings: feed.findings });
      strip.show(transcript, feed.findings, feed.prompt?.drift ?? []);
    },
    append(appendix) { view.appended(view.transcript.append(bytes(appendix))); },
    // Everything that the layout knows, and everything that is drawn when the view is as high as its lines.
    drawn() {
      const { layout, transcript } = view;
      return {
        items: [...layout.items], tops: [...layout.lineTops], firsts: [...layout.lineItems],
        lines: layout.lineTops.map((_, line) => {
          const row = view._row(line);
          return [row.className, ...[...row.children].map((box) => `${box.className}|${box.textContent}`)].join(" ");
        }),
        ids: transcript.ids(0, transcript.count), groups: [...transcript.groups], alike: [...transcript.alike].sort(),
      };
    },
  };
}
"""

TEXT = (
    "<|start|>user<|message|>Look at 日本 🫨.<|end|>"
    "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>First the tests.\n\nThen the docs. "
    + "More words to fill some lines. " * 30
    + "<|end|><|start|>assistant<|channel|>final<|message|>Done.<|return|>"
)


def bytes64(data: bytes) -> str:
    """Bytes as the page takes them."""
    return base64.b64encode(data).decode()


def open_bench(page: Page, width: int = 1280, height: int = 800) -> None:
    """A page with an empty view."""
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(FRAME)
    code = screen_code()
    code = code[: code.rindex("export default")]
    page.add_script_tag(content=f"{{const STYLE = {json.dumps(screen_style())};\n{code}\n{BENCH}}}")


def show(page: Page, inspection: Inspection) -> None:
    """Hand the view an inspection."""
    feed = json.loads(pack_feed(inspection, Settings()))
    page.evaluate("([tokens, feed]) => bench.show(tokens, feed)", [bytes64(pack_view(inspection)), feed])
    expect(page.locator(".t").first).to_be_visible()


def token(page: Page, index: int) -> Locator:
    """The box of a token."""
    return page.locator(f".lines [data-i='{index}']")


def ids_of(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


def selection(page: Page) -> dict[str, int] | None:
    found: dict[str, int] | None = page.evaluate("bench.view.selection")
    return found


def with_lanes() -> Transcript:
    ids = tuple(ids_of(TEXT))
    origins = tuple(ORIGINS[0] if i < 12 else ORIGINS[2] if 40 < i < 50 else ORIGINS[1] for i in range(len(ids)))
    logprobs = tuple(None if i < 12 else -0.02 * (i % 300) for i in range(len(ids)))
    return Transcript(ids, None, origins=origins, logprobs=logprobs)


def test_a_range_is_selected_with_the_mouse_and_copied(page: Page) -> None:
    open_bench(page)
    show(page, inspect(Transcript(tuple(ids_of(TEXT)), None)))
    start, end = token(page, 30).bounding_box(), token(page, 60).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 2, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"] + 30, start["y"] + 8)
    page.mouse.move(end["x"] + 2, end["y"] + 5, steps=4)
    page.mouse.up()
    assert selection(page) == {"from": 30, "to": 61}
    expect(page.locator(".t.sel")).to_have_count(31)
    token(page, 70).click(modifiers=["Shift"])
    assert selection(page) == {"from": 30, "to": 71}
    copied = page.evaluate(
        """() => {
      const data = new DataTransfer();
      bench.view.scroller.dispatchEvent(new ClipboardEvent('copy', { clipboardData: data, cancelable: true }));
      return data.getData('text/plain');
    }"""
    )
    assert copied == vocabulary().decode(ids_of(TEXT)[30:71])
    ranges = page.evaluate("bench.said.filter(([name]) => name === 'range').map(([, value]) => value)")
    assert ranges[-1] == {"from": 30, "to": 71}
    token(page, 40).click()
    assert selection(page) is None
    assert page.evaluate("bench.said.at(-1)") == ["select", 40]


def test_a_range_is_selected_with_the_keys(page: Page) -> None:
    open_bench(page)
    ids = ids_of(TEXT)
    show(page, inspect(Transcript(tuple(ids), None)))
    box = page.get_by_role("listbox", name="Tokens")
    box.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert selection(page) == {"from": 1, "to": 4}
    page.keyboard.press("Shift+ArrowDown")
    grown = selection(page)
    assert grown
    assert grown["from"] == 1
    assert grown["to"] > 8
    page.keyboard.press("Shift+End")
    assert selection(page) == {"from": 1, "to": len(ids)}
    page.keyboard.press("Shift+Home")
    assert selection(page) == {"from": 0, "to": 2}
    page.keyboard.press("Escape")
    assert selection(page) is None
    page.keyboard.press("ControlOrMeta+a")
    assert selection(page) == {"from": 0, "to": len(ids)}
    assert page.evaluate("bench.view.transcript.ids(0, 3)") == [str(i) for i in ids[:3]]
    assert page.evaluate("({ transcript: t }) => t.text(0, t.count)", page.evaluate_handle("bench.view")) == TEXT
    # A character that several tokens make up is selected whole.
    first = next(iter(page.evaluate("[...bench.view.transcript.groups.keys()]")))
    page.evaluate("(i) => bench.view.setSelection(i + 1, i + 2)", first)
    chosen = selection(page)
    assert chosen
    assert (chosen["from"], chosen["to"] - chosen["from"] > 1) == (first, True)


def test_a_screen_reader_hears_the_active_token(page: Page) -> None:
    open_bench(page)
    found = inspect(Transcript(tuple(ids_of(TEXT)), None))
    show(page, found)
    diagnostic = next(d for d in found.diagnostics if d.code == "HS201")
    box = page.get_by_role("listbox", name="Tokens")
    box.focus()
    page.evaluate("(i) => bench.view.pick(i)", diagnostic.span.start)
    option = box.get_by_role("option")
    expect(option).to_have_count(1)
    count = len(found.transcript.ids)
    words = f"token {diagnostic.span.start} of {count}, marker channel, id 200005, in message 2 of 3, HS201"
    expect(option).to_contain_text(words)
    expect(option).to_have_attribute("aria-posinset", str(diagnostic.span.start + 1))
    expect(option).to_have_attribute("aria-setsize", str(count))
    expect(box).to_have_attribute("aria-activedescendant", option.get_attribute("id") or "")
    page.keyboard.press("ArrowRight")
    expect(option).to_contain_text(f"token {diagnostic.span.start + 1} of {count}")
    expect(page.get_by_role("listbox").locator("[aria-hidden=true] .t").first).to_be_visible()
    results = Axe().run(page)
    assert results.response["violations"] == []


def test_a_marker_is_explained_beside_it(page: Page) -> None:
    open_bench(page)
    show(page, inspect(Transcript(tuple(ids_of(TEXT)), None)))
    page.locator(".t.marker", has_text="channel").first.hover()
    expect(page.locator(".tip")).to_contain_text("The channel follows")
    page.get_by_role("listbox", name="Tokens").focus()
    page.keyboard.press("Home")
    expect(page.locator(".tip")).to_contain_text("role")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tip")).to_be_hidden()


def test_a_message_is_folded_and_found_again(page: Page) -> None:
    open_bench(page)
    ids = ids_of(TEXT)
    show(page, inspect(Transcript(tuple(ids), None)))
    before = page.evaluate("bench.view.layout.lineCount")
    page.locator(".fold").nth(1).click()
    chip = page.locator(".t.rest")
    expect(chip).to_have_count(1)
    hidden = page.evaluate("bench.view.layout.added[0]")
    assert (hidden["node"], ids[hidden["at"] - 1], ids[hidden["end"] - 1]) == (1, 200008, 200007)
    expect(chip).to_have_text(f"… {hidden['end'] - hidden['at']} tokens")
    assert page.evaluate("bench.view.layout.lineCount") < before - 3
    assert page.evaluate("[...bench.view.folded]") == [1]
    assert page.evaluate("bench.said.at(-1)") == ["fold", 1]
    # What is folded away is selected as one.
    page.evaluate("(i) => bench.view.setSelection(0, i)", len(ids))
    expect(chip).to_have_class("t rest sel")
    page.evaluate("(i) => bench.view.go(i)", hidden["at"] + 20)
    expect(chip).to_have_count(0)
    assert page.evaluate("bench.view.active") == hidden["at"] + 20
    page.get_by_role("listbox", name="Tokens").focus()
    page.keyboard.press(".")
    expect(chip).to_have_count(1)
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".t.rest, .t.active")).not_to_have_count(0)
    chip.click()
    expect(chip).to_have_count(0)
    assert page.evaluate("bench.view.layout.lineCount") == before


def test_the_table_says_what_is_known_of_each_token(page: Page) -> None:
    open_bench(page)
    found = inspect(with_lanes())
    show(page, found)
    page.evaluate("bench.view.setMode('table')")
    expect(page.locator(".columns > span")).to_have_text(
        ["Token", "Id", "Bytes", "Text", "Logprob", "State", "Leaf", "Finding"]
    )
    diagnostic = next(d for d in found.diagnostics if d.code == "HS201")
    page.evaluate("(i) => bench.view.pick(i)", diagnostic.span.start)
    row = page.locator(".line").filter(has=page.locator(f"[data-i='{diagnostic.span.start}']"))
    expect(row.locator(".col-id")).to_have_text("200005")
    expect(row.locator(".col-bytes")).to_contain_text("3c 7c 63")
    expect(row.locator(".col-state")).to_have_text("header of message 2")
    expect(row.locator(".col-leaf")).to_have_text("marker")
    expect(row.locator(".col-codes")).to_contain_text("HS201")
    logprob = (found.transcript.logprobs or ())[diagnostic.span.start]
    expect(row.locator(".col-logprob")).to_have_text(f"{logprob:.3f}".replace("-", "−"))
    expect(row.locator(".t")).to_have_class("t marker mark3 gone active")
    page.get_by_role("listbox", name="Tokens").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    assert selection(page) == {"from": diagnostic.span.start + 1, "to": diagnostic.span.start + 3}
    page.set_viewport_size({"width": 390, "height": 700})
    expect(page.locator(".columns .col-bytes")).to_be_hidden()
    expect(row.locator(".col-text")).to_be_visible()
    assert page.locator(".scroller").evaluate("e => e.scrollWidth - e.clientWidth") <= 1


def test_what_the_repair_puts_in_is_a_row_of_its_own(page: Page) -> None:
    open_bench(page)
    found = inspect("<|channel|>analysis<|message|>Think.<|start|>assistant<|channel|>final<|message|>Done.<|return|>")
    added = [token for applied in found.repair.edits for token in applied.edit.ids]
    assert added
    show(page, found)
    page.evaluate("bench.view.setMode('table')")
    expect(page.locator(".line.is-new .col-id")).to_have_text([str(i) for i in added])
    expect(page.locator(".line.is-new .col-index")).to_have_text(["+"] * len(added))


def test_lanes_are_drawn_with_a_legend_in_words(page: Page) -> None:
    open_bench(page)
    show(page, inspect(with_lanes()))
    expect(page.locator(".lane-legend")).to_be_hidden()
    page.evaluate("bench.view.setLanes({ origin: true, logprob: true })")
    expect(page.locator(".lane-legend")).to_contain_text("from the prompt")
    expect(page.locator(".lane-legend")).to_contain_text("less than 0.01")
    for i, name in ((3, "o0"), (20, "o1"), (45, "o2"), (13, "p1"), (50, "p2")):
        assert name in (token(page, i).get_attribute("class") or "").split(), (i, name)
    assert page.evaluate("[NaN, 0, -0.2, -1, -3, -9].map(bench.shadeOf)") == [-1, 0, 1, 2, 3, 4]
    show(page, inspect(TEXT))
    expect(page.locator(".lane-legend")).to_be_hidden()


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const out = [];
  for (const theme of ["light", "dark"]) {
    bench.root.dataset.theme = theme;
    for (const box of bench.root.querySelectorAll(".lines .t:is(.p1, .p2, .p3, .p4):not(.marker)")) {
      const style = getComputedStyle(box);
      const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
      out.push({ theme, kind: box.className, contrast: (a + 0.05) / (b + 0.05), ink: style.color });
    }
  }
  return out;
}"""


def test_lanes_leave_the_hatch_and_the_colours_of_fields(page: Page) -> None:
    open_bench(page)
    header = ids_of("<|start|>assistant<|channel|>commentary to=functions.run <|constrain|>json<|message|>")
    body = vocabulary().encode(" looks <|end|> like <|channel|>")
    ids = tuple((header + body + ids_of("<|call|>")) * 4)
    each = len(ids) // 4
    logprobs = tuple((-0.5, -1.5, -3.0, -9.0)[i // each] for i in range(len(ids)))
    found = inspect(Transcript(ids, None, origins=(ORIGINS[1],) * len(ids), logprobs=logprobs))
    show(page, found)
    page.evaluate("bench.view.setLanes({ origin: true, logprob: true })")
    hatched = page.locator(".lines .t.alike")
    assert hatched.count() >= 8
    for image in hatched.evaluate_all("all => all.map((box) => getComputedStyle(box).backgroundImage)"):
        assert "repeating-linear-gradient" in image
        assert image.startswith("linear-gradient")
    expect(page.locator(".lane-legend")).to_contain_text("looks like a marker")
    boxes = page.evaluate(CONTRAST)
    assert [box for box in boxes if box["contrast"] < 4.5] == []
    for theme in ("light", "dark"):
        for shade in ("p1", "p2", "p3", "p4"):
            of = {k: {b["ink"] for b in boxes if b["theme"] == theme and {shade, k} <= set(b["kind"].split())}
                  for k in ("k-recipient", "k-channel", "k-body")}  # fmt: skip
            assert all(of.values())
            assert of["k-recipient"].isdisjoint(of["k-body"])
            assert of["k-channel"].isdisjoint(of["k-body"])


def test_control_characters_have_names_in_letters(page: Page) -> None:
    open_bench(page)
    show(page, inspect("<|channel|>final<|message|>a\x00b\x07c\x08d\x1be\x7ff\rg\th<|return|>"))
    names = ["NUL", "BEL", "BS", "ESC", "DEL", "CR", "TAB"]
    expect(page.locator(".lines .cell.ctl")).to_have_text(names)
    page.evaluate("bench.view.setMode('table')")
    expect(page.locator(".lines .cell.ctl")).to_have_text(names)


@pytest.mark.parametrize("width", [390, 600, 900])
def test_the_table_shows_ids_markers_and_findings_whole(page: Page, width: int) -> None:
    open_bench(page, width=width)
    ids = [*ids_of("<|channel|>final<|message|>"), 200014, 4_294_967_295, *ids_of("<|return|>")]
    show(page, inspect(Transcript(tuple(ids), "assistant")))
    page.evaluate("bench.view.setMode('table')")
    cells = page.locator(".line :is(.col-id, .col-codes), .line .marker:has-text('reserved_200014')")
    assert cells.count() > len(ids)
    cut = cells.evaluate_all("all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)")
    assert cut == []
    edge = page.locator(".line").first.evaluate("e => e.getBoundingClientRect().right")
    assert all(box <= edge for box in cells.evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)"))


def test_the_map_jumps_and_frames(page: Page) -> None:
    open_bench(page, height=500)
    show(page, inspect(Transcript(tuple(ids_of(TEXT * 12)), None)))
    strip = page.locator(".map-strip")
    box = strip.bounding_box()
    assert box
    before = page.locator(".map-frame").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] * 0.8)
    scrolled = page.locator(".scroller").evaluate("e => e.scrollTop / (e.scrollHeight - e.clientHeight)")
    assert 0.6 < scrolled <= 1
    expect(page.locator(".map-frame")).to_be_visible()
    page.wait_for_function(
        "(y) => bench.root.querySelector('.map-frame').getBoundingClientRect().top > y + 50",
        arg=(before or box)["y"],
    )
    expect(page.locator(".t").first).to_be_visible()


def drawn(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("bench.drawn()")
    return found


def test_appended_tokens_stand_as_if_they_had_always_been_there(page: Page) -> None:
    open_bench(page)
    rng = random.Random(7)
    chosen = rng.sample(load_samples(), 12)
    transcripts = [sample.transcript for sample in chosen] + [with_lanes()]
    for transcript in transcripts:
        count = len(transcript)
        ends = sorted({rng.randint(1, count) for _ in range(4)} | {count})
        first, *rest = [grown(transcript, end) for end in ends]
        view = view_of(first, stream="live")
        quiet = {"edits": [], "findings": []}
        page.evaluate(
            "([tokens, quiet]) => { const t = new bench.Transcript(tokens); bench.view.show(t, quiet); }",
            [bytes64(view.pack()), quiet],
        )
        for inspection in rest:
            following = view_of(inspection, stream="live")
            page.evaluate("(appendix) => bench.append(appendix)", bytes64(pack_appendix(view, following)))
            view = following
        appended = drawn(page)
        page.evaluate(
            "([tokens, quiet]) => { const t = new bench.Transcript(tokens); bench.view.show(t, quiet); }",
            [bytes64(view.pack()), quiet],
        )
        assert appended == drawn(page)


def grown(transcript: Transcript, end: int) -> Inspection:
    return inspect(
        Transcript(
            transcript.ids[:end],
            transcript.role,
            origins=transcript.origins and transcript.origins[:end],
            logprobs=transcript.logprobs and transcript.logprobs[:end],
        )
    )


def test_an_appendix_for_other_tokens_is_refused(page: Page) -> None:
    open_bench(page)
    transcript = Transcript(tuple(ids_of(TEXT)), None)
    parts = [view_of(grown(transcript, end), stream="live") for end in (20, 40, 60)]
    page.evaluate(
        "(tokens) => bench.view.show(new bench.Transcript(tokens), { edits: [], findings: [] })",
        bytes64(parts[0].pack()),
    )
    message = page.evaluate(
        "(appendix) => { try { bench.append(appendix); } catch (error) { return error.message; } }",
        bytes64(pack_appendix(parts[1], parts[2])),
    )
    assert message == "These tokens do not continue the ones that are shown: reload the page."


def test_changed_edits_and_folds_lay_out_as_from_scratch(page: Page) -> None:
    open_bench(page)
    on = inspect(Transcript(tuple(ids_of(TEXT * 3)), None))
    off = inspect(Transcript(tuple(ids_of(TEXT * 3)), None), off=[d.key for d in on.diagnostics][:2])
    show(page, on)
    fresh = drawn(page)
    feeds = [json.loads(pack_feed(found, Settings())) for found in (off, on)]
    switch = """(feeds) => feeds.map((feed) => {
      const { edits, findings } = { edits: bench.readFeed(feed).repair.edits, findings: bench.readFeed(feed).findings };
      bench.view.transcript.dictionary.add(feed.extra);
      bench.view.show(bench.view.transcript, { edits, findings });
      return bench.view.layout.items.length;
    })"""
    page.evaluate("bench.view.setFolds(new Set([1, 2, 4]))")
    page.evaluate(switch, feeds)
    page.evaluate("bench.view.setFolds(new Set([2]))")
    page.evaluate("bench.view.setFolds(new Set())")
    assert drawn(page) == fresh


@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_of_the_view(browser: Browser, artifacts: Path, width: int) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page()
        open_bench(page, width, 700)
        page.evaluate("(scheme) => { bench.root.dataset.theme = scheme; }", scheme)
        show(page, inspect(with_lanes()))
        page.evaluate("bench.view.setLanes({ origin: true, logprob: true }); bench.view.setSelection(60, 66)")
        page.screenshot(path=artifacts / f"tokens-lanes-{width}-{scheme}.png")
        page.evaluate("bench.view.setMode('table'); bench.view.go(24)")
        page.screenshot(path=artifacts / f"tokens-table-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_the_longest_transcript_is_leafed_through(page: Page) -> None:
    open_bench(page)
    ids = ids_of(TEXT * 700)[:131_072]
    show(page, inspect(Transcript(tuple(ids), None), next_prompt=False))
    # Page upon page is painted; elements come when the scrolling rests, at the place that was painted last.
    painted = page.evaluate(
        """() => new Promise((done) => {
      const box = bench.view.scroller;
      let frames = 0;
      let painted = 0;
      const step = () => {
        painted += bench.view.quick.canvas.hidden ? 0 : 1;
        frames += 1;
        if (frames === 40) { done(painted); return; }
        box.scrollTop += box.clientHeight;
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    })"""
    )
    assert painted > 20
    canvas = page.locator(".quick")
    expect(canvas).to_be_hidden()
    boxes = page.evaluate("[...bench.root.querySelectorAll('.lines .t[data-i]')].map((box) => Number(box.dataset.i))")
    assert len(boxes) < 2000
    visible = page.evaluate(
        "bench.view.layout.items[bench.view.layout.firstOf(bench.view.layout.lineAt(bench.view.scrolled))]"
    )
    assert visible in boxes
    assert visible > 1000
    # A single page further is no leafing: elements at once.
    page.evaluate("bench.view.leapt = 0; bench.view.scroller.scrollTop += bench.view.scroller.clientHeight")
    expect(page.locator(f".lines [data-i='{visible}']")).to_have_count(0)
    expect(canvas).to_be_hidden()
    page.evaluate("(i) => bench.view.go(i)", len(ids) - 1)
    expect(token(page, len(ids) - 1)).to_be_visible()


def test_painted_lines_look_like_elements(page: Page) -> None:
    open_bench(page)
    show(page, inspect(with_lanes()))
    page.evaluate("bench.view.setSelection(40, 44)")
    share = page.evaluate(
        """() => {
      const { view } = bench;
      view.quick.draw();
      const { canvas } = view.quick;
      const paint = canvas.getContext('2d');
      const frame = view.scroller.getBoundingClientRect();
      // Where an element's ground is, the same colour is painted: just inside of its upper left corner.
      const boxes = [...bench.root.querySelectorAll('.lines .t.k-body, .lines .t.k-channel')];
      const same = boxes.filter((box) => {
        const { left, top, height, width } = box.getBoundingClientRect();
        if (top < frame.top || top + height > frame.bottom || width < 4) return false;
        const [r, g, b] = paint.getImageData(left - frame.left + 1, top - frame.top + 2, 1, 1).data;
        return r !== 255 || g !== 255 || b !== 255;
      });
      return same.length / boxes.length;
    }"""
    )
    assert share > 0.95


def test_a_view_that_was_hidden_stands_where_it_stood(page: Page) -> None:
    open_bench(page, height=500)
    show(page, inspect(Transcript(tuple(ids_of(TEXT * 12)), None)))
    hide = "(hidden) => { bench.view.scroller.parentElement.hidden = hidden; }"
    asleep = "bench.view.scroller.clientWidth === 0 && bench.view.asleep"
    awake = "bench.view.scroller.clientWidth > 0 && !bench.view.asleep"
    page.evaluate("bench.view.go(1500)")
    before = page.evaluate("bench.view.scroller.scrollTop")
    page.evaluate(hide, True)
    page.wait_for_function(asleep)
    page.evaluate(hide, False)
    page.wait_for_function(awake)
    assert page.evaluate("bench.view.scroller.scrollTop") == before > 0
    expect(token(page, 1500)).to_be_visible()
    # What happens meanwhile is seen afterwards: another token, folds, the table.
    page.evaluate(hide, True)
    page.wait_for_function(asleep)
    page.evaluate("bench.view.setFolds(new Set([1])); bench.view.go(100)")
    page.evaluate(hide, False)
    page.wait_for_function(awake)
    expect(token(page, 100)).to_be_visible()
    page.evaluate(hide, True)
    page.wait_for_function(asleep)
    page.evaluate(hide, False)
    page.evaluate("bench.view.setMode('table')")
    expect(token(page, 100)).to_be_visible()
