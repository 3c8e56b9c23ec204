/* The token view: every token a box, only the lines in sight in the document.

   It draws what it is given and reports what a person points at; it knows nothing of findings beyond their spans.
   For a screen reader it is a list of one option, the active token in words: the drawn boxes are a picture. */

const NO_LANES = { origin: false, logprob: false };

class TokenView extends LineScroller {
  /** `host` gets the view; `label` names it for a screen reader; `on` = {hover(token|null), select(token), range({from, to}|null),
      walk(token) when a key went there, step(by), scroll(), fold(node)}, all but the first two optional. */
  constructor(host, { label, on, compact = false }) {
    super();
    this.on = on;
    this.compact = compact;
    this.id = `v${(TokenView.made = (TokenView.made ?? 0) + 1)}`;
    this.active = 0;
    this.lit = { from: -1, to: -1, node: -1 };
    this.selection = null;
    this.matches = null;
    this.match = -1;
    this.folded = new Set();
    this.lanes = NO_LANES;
    this.matches = null;
    this.mode = "text";
    this.lines = new LinePainter(this);
    this.table = new TablePainter(this);
    this.legend = el("div", { class: "lane-legend", hidden: true });
    this.header = el("div", { class: "columns", "aria-hidden": "true", hidden: true });
    this.sheet = el("div", { class: "lines", "aria-hidden": "true" });
    this.option = el("div", { class: "option", role: "option", id: `${this.id}-none`, "aria-selected": "false" }, "no tokens");
    this.pointing = new Pointing(this);
    this.scroller = el("div", {
      class: compact ? "scroller compact" : "scroller", role: "listbox", tabindex: "0", "aria-label": label, "aria-multiselectable": "true",
      "aria-activedescendant": `${this.id}-none`,
      onscroll: () => this._schedule(), ...this.pointing.handlers(),
      onfocus: () => this._announce(), onblur: () => this._repaint(),
    }, this.option, this.header, this.sheet);
    this.tip = new TokenTip(host, this);
    this.quick = new QuickPainter(this);
    host.append(this.legend, this.scroller, this.quick.canvas);
    this.observer = new ResizeObserver(() => this._resized());
    this.observer.observe(this.scroller);
  }

  destroy() {
    super.destroy();
    this.observer.disconnect();
    this.pointing.destroy();
    this.tip.destroy();
  }

  /** Shows a transcript with edits and findings ({span, severity, code, key}); `broke` is where strict parsing broke. */
  show(transcript, { edits, findings, broke = null, cause = null }) {
    const other = this.transcript !== transcript;
    Object.assign(this, { transcript, edits, findings, broke, cause });
    this._mark();
    if (other) {
      this.active = 0;
      this.folded = new Set();
      this.layout = null;
      this.matches = null;
      this.clearSelection();
    }
    this._legend();
    if (other) this._layout();
    else this._keeping(() => this.layout?.update({ edits, points: this.marks.points }));
  }

  /** Takes tokens that the transcript got by append(); `from` is what that returned. Whoever is at the end stays there:
      also from the beginning on, where all was in sight, if `follow` says so. */
  appended(from, follow = false) {
    const atEnd = (follow || this.scroller.scrollTop > 0) && this.scroller.scrollTop + this.scroller.clientHeight >= this.scroller.scrollHeight - 2;
    this._mark();
    this._legend();
    this._keeping(() => this.layout?.update({ points: this.marks.points }, from));
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  _mark() {
    this.marks = new TokenMarks(this.transcript.count, this.findings, this.broke, this.cause);
  }

  get painter() {
    return this.mode === "table" ? this.table : this.lines;
  }

  /** "text" or "table". What a person looked at stays where it was. */
  setMode(mode) {
    if (mode === this.mode) return;
    this._wake();
    const place = this._place();
    this.mode = mode;
    this.scroller.classList.toggle("as-table", mode === "table");
    this.layout = null;
    this._layout();
    // The table's head must not cover it.
    this._back(place && { ...place, y: Math.max(place.y, this.headed + 6) });
  }

  /** Draws the messages with these numbers as one line each. */
  setFolds(folds) {
    this._keeping(() => {
      this.folded = new Set(folds);
      this.layout?.update({ folds: new Set(folds) });
    });
  }

  /** Folds or unfolds a message and says so. */
  toggleFold(n) {
    if (n < 0 || this.compact) return;
    const folds = new Set(this.folded);
    if (!folds.delete(n)) folds.add(n);
    this.setFolds(folds);
    this.on.fold?.(n);
  }

  /** Which lanes are drawn, where the transcript has the data. */
  setLanes(lanes) {
    this.lanes = { ...NO_LANES, ...lanes };
    this._legend();
    this._clear();
    this._resized();
  }

  _legend() {
    const parts = this.transcript ? laneLegend(this.transcript, this.lanes, this.findings) : [];
    this.legend.replaceChildren(...parts);
    this.legend.hidden = !parts.length;
  }

  _layout() {
    if (!this.transcript) return;
    const style = getComputedStyle(this.scroller);
    const gutters = (parseFloat(style.getPropertyValue("--gutter")) || 0) + (parseFloat(style.getPropertyValue("--margin")) || 0);
    const width = this.scroller.clientWidth - gutters - 2;
    if (width <= 0) return;
    this.laidOut = this.scroller.clientWidth;
    const family = style.fontFamily;
    if (this.mode === "table") this.scroller.style.setProperty("--ids", `${idsWidth(this.transcript.dictionary.ids)}px`);
    const ruler = new Ruler({ text: `${style.fontSize} ${family}`, marker: `600 11px ${family}`, chip: `10px ${family}` });
    const Kind = this.mode === "table" ? TableLayout : Layout;
    this.layout = new Kind(this.transcript, this.edits, this.marks.points, ruler, Math.max(80, width), this.folded);
    this.header.hidden = this.mode !== "table";
    this.header.replaceChildren(...this.painter.header());
    this._fit();
  }

  /** Lays out again when the width changed or a font arrived. */
  refresh() {
    this._keeping(() => this._layout());
  }

  _row(line) {
    const { layout, transcript } = this;
    const [from, to] = layout.rangeOf(line);
    const row = document.createElement("div");
    row.line = line;
    row.from = layout.extentOf(layout.items[from])[0];
    row.to = layout.extentOf(layout.items[to - 1])[1];
    row.node = transcript.nodeAt(Math.min(row.from, transcript.count - 1));
    row.className = `line ${lineClass(transcript, row.node)}`;
    row.style.top = `${layout.topOf(line)}px`;
    this.painter.draw(row, line);
    return row;
  }

  /** Lights up tokens [from, to) and a message; nothing moves. */
  light(lit) {
    const before = this.lit;
    this.lit = lit;
    for (const row of this.rows.values()) {
      if (overlaps(row, before) || overlaps(row, lit) || row.node === before.node || row.node === lit.node) this._paint(row);
    }
  }

  /** Marks what was found: `matches` answers within(from, to) and at(from, to), `current` is the number of the one to stand out. */
  setMatches(matches, current = -1) {
    this.matches = matches && matches.length ? matches : null;
    this.match = current;
    this._repaint();
  }

  _repaint() {
    for (const row of this.rows.values()) this._paint(row);
  }

  /** Brings the classes of a row and its boxes up to date: lit, selected, active. */
  _paint(row) {
    const { lit, selection, matches, layout } = this;
    const wasLit = row.isLit ?? false;
    row.isLit = lit.node >= 0 && row.node === lit.node;
    if (wasLit !== row.isLit) row.classList.toggle("lit", row.isLit);
    const active = this.chosen && this.active >= row.from && this.active < row.to;
    const touched = active || overlaps(row, lit) || (selection !== null && overlaps(row, selection)) || matches?.within(row.from, row.to);
    if (!touched && !row.touched) return;
    row.touched = touched;
    const [from, to] = layout.rangeOf(row.line);
    const chosen = this.active;
    for (let k = from; k < to; k += 1) {
      const box = this.boxOf(row, k - from);
      const item = layout.items[k];
      const [start, end] = layout.extentOf(item);
      const far = Math.max(end, start + 1);
      box.classList.toggle("lit", start < lit.to && far > lit.from);
      box.classList.toggle("sel", selection !== null && start < selection.to && end > selection.from);
      const match = matches ? matches.at(start, far) : -1;
      box.classList.toggle("found", match >= 0);
      box.classList.toggle("now", match >= 0 && match === this.match);
      box.classList.toggle("active", active && end > start && chosen >= start && chosen < end);
    }
  }

  boxOf(row, number) {
    return this.mode === "table" ? row.getElementsByClassName("t")[0] : row.children[row.leads + number];
  }

  /** The box of token `i` when it is drawn, else null. */
  boxAt(i) {
    if (!this.layout?.lineCount) return null;
    const row = this.rows.get(this.layout.lineOf(i));
    return row ? this.boxOf(row, this.layout.itemOf(i) - this.layout.firstOf(row.line)) : null;
  }

  /** Brings token `i` into sight and makes it the active one; a folded message around it is unfolded. */
  go(i) {
    if (!this.layout || !this.transcript.count) return;
    const place = Math.max(0, Math.min(i, this.transcript.count - 1));
    const item = this.layout.items[this.layout.itemOf(place)];
    if (item < 0 && this.layout.addedOf(item).kind === "fold") this.toggleFold(this.layout.addedOf(item).node);
    this.step(place);
  }

  /** As go(), but a folded message stays folded, and nothing scrolls further than it must. */
  step(i, near = false) {
    const before = this.active;
    this.active = this.transcript.drawnAt(Math.max(0, Math.min(i, this.transcript.count - 1)));
    this._reveal(near);
    for (const row of this.rows.values()) if ([before, this.active].some((a) => a >= row.from && a < row.to)) this._paint(row);
    this._announce();
  }

  /** Says the active token in words to who cannot see the boxes. */
  _announce() {
    this._repaintActive();
    if (!this.transcript?.count) return;
    const i = this.active;
    const option = el("div", {
      class: "option", role: "option", id: `${this.id}-${i}`, "aria-posinset": i + 1, "aria-setsize": this.transcript.count,
      "aria-selected": String(Boolean(this.picked) || (this.selection !== null && i >= this.selection.from && i < this.selection.to)),
    }, tokenWords(this.transcript, i, this.findings));
    this.option.replaceWith(option);
    this.option = option;
    this.scroller.setAttribute("aria-activedescendant", option.id);
  }

  _repaintActive() {
    for (const row of this.rows.values()) if (this.active >= row.from && this.active < row.to) this._paint(row);
  }

  get chosen() {
    return this.picked || this.scroller.matches(":focus");
  }

  /** Makes token `i` the selected one and says so. */
  pick(i) {
    this.picked = true;
    this.go(i);
    this.on.select(this.active);
  }

  /** Selects the tokens [from, to); whole characters, at least one token. */
  setSelection(from, to) {
    const { transcript } = this;
    if (!transcript?.count || to <= from) {
      this.clearSelection();
      return;
    }
    const start = transcript.drawnAt(Math.max(0, Math.min(from, transcript.count - 1)));
    const last = Math.max(start, Math.min(to, transcript.count) - 1);
    this._select({ from: start, to: transcript.drawnEnd(transcript.drawnAt(last)) });
  }

  clearSelection() {
    if (this.selection) this._select(null);
  }

  _select(selection) {
    const before = this.selection;
    if (before && selection && before.from === selection.from && before.to === selection.to) return;
    this.selection = selection;
    for (const row of this.rows.values()) {
      if ((before && overlaps(row, before)) || (selection && overlaps(row, selection))) this._paint(row);
    }
    this.on.range?.(selection);
  }
}

function overlaps(row, { from, to }) {
  return from <= row.to && to >= row.from;
}

const CHANNEL_CLASSES = { analysis: "c-analysis", commentary: "c-commentary", final: "c-final" };

/** The colour class of a message: by its channel, else by what it is. */
function channelClass(node) {
  if (node.isStray || !node.isMessage) return "c-stray";
  return CHANNEL_CLASSES[node.label.channel] ?? "c-other";
}
