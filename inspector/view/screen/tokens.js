/* The token view: every token a box, only the lines in sight in the document.

   It draws what it is given and reports what a person points at; it knows nothing of findings beyond their spans. */

const OVERSCAN = 4;
const MARK_BITS = { info: 1, warning: 2, error: 3 };

class TokenView {
  /** `host` gets the view; `on` = {hover(token|null), select(token), open(token)}; `label` names it for a screen reader. */
  constructor(host, { label, on, compact = false }) {
    this.on = on;
    this.compact = compact;
    this.id = `v${(TokenView.made = (TokenView.made ?? 0) + 1)}`;
    this.rows = new Map();
    this.active = 0;
    this.lit = { from: -1, to: -1, node: -1 };
    this.lines = el("div", { class: "lines", role: "presentation" });
    this.scroller = el("div", {
      class: compact ? "scroller compact" : "scroller", role: "listbox", tabindex: "0", "aria-label": label,
      "aria-orientation": "horizontal",
      onscroll: () => this._schedule(),
      onmouseover: (event) => this._point(event),
      onmouseleave: () => this.on.hover(null),
      onclick: (event) => this._click(event),
      onkeydown: (event) => this._key(event),
      onfocus: () => this._announce(),
      onblur: () => this._paintActive(),
    }, this.lines);
    host.append(this.scroller);
    this.observer = new ResizeObserver(() => this._resized());
    this.observer.observe(this.scroller);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** Shows a transcript with edits and findings ({span, severity, code, key}); `broke` is where strict parsing broke. */
  show(transcript, { edits, findings, broke = null, cause = null }) {
    const sameTokens = this.transcript === transcript;
    Object.assign(this, { transcript, edits, findings, broke });
    this.marks = new Uint8Array(transcript.count);
    this.ordered = [...findings].sort((a, b) => a.span[0] - b.span[0]);
    this.starts = this.ordered.map(({ span }) => span[0]);
    for (const { span: [start, end], severity } of findings) {
      const bit = MARK_BITS[severity];
      for (let i = start; i < Math.min(end, transcript.count); i += 1) this.marks[i] = Math.max(this.marks[i], bit);
    }
    // Our own span of the cause, where no finding tells it more narrowly.
    const told = cause && findings.some(({ span, severity }) => severity === "error" && span[0] < cause[1] && cause[0] < span[1]);
    if (cause && !told) for (let i = cause[0]; i < Math.min(cause[1], transcript.count); i += 1) this.marks[i] = MARK_BITS.error;
    const points = findings.filter(({ span }) => span[0] === span[1]).map(({ span }) => span[0]);
    if (broke !== null && broke >= transcript.count) points.push(transcript.count);
    this.points = [...new Set(points)].sort((a, b) => a - b);
    if (!sameTokens) this.active = 0;
    this._layout();
  }

  _layout() {
    if (!this.transcript) return;
    const style = getComputedStyle(this.scroller);
    const gutters = (parseFloat(style.getPropertyValue("--gutter")) || 0) + (parseFloat(style.getPropertyValue("--margin")) || 0);
    const width = this.scroller.clientWidth - gutters - 2;
    if (width <= 0) return;
    this.laidOut = this.scroller.clientWidth;
    const family = style.fontFamily;
    this.ruler = new Ruler({
      text: `${style.fontSize} ${family}`, marker: `600 11px ${family}`, chip: `10px ${family}`,
    });
    this.layout = new Layout(this.transcript, this.edits, this.points, this.ruler, Math.max(80, width));
    this.lines.style.height = `${this.layout.height}px`;
    this.scroller.classList.toggle("empty", this.layout.lineCount === 0);
    this._clear();
    this._render();
  }

  /** Lays out again when the width changed or a font arrived. */
  refresh() {
    this._layout();
  }

  _resized() {
    if (this.scroller.clientWidth !== this.laidOut) this._layout();
    else this._render();
  }

  _clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
  }

  _schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this._render();
      this.on.scroll?.();
    });
  }

  /** Draws the lines in sight and drops the others. */
  _render() {
    const { layout } = this;
    if (!layout || !layout.lineCount) return;
    const top = this.scroller.scrollTop;
    const first = Math.max(0, layout.lineAt(top) - OVERSCAN);
    const last = Math.min(layout.lineCount - 1, layout.lineAt(top + this.scroller.clientHeight) + OVERSCAN);
    for (const [line, row] of this.rows) {
      if (line < first || line > last) {
        row.remove();
        this.rows.delete(line);
      }
    }
    const fresh = document.createDocumentFragment();
    const rows = [];
    for (let line = first; line <= last; line += 1) {
      if (this.rows.has(line)) continue;
      const row = this._line(line);
      this.rows.set(line, row);
      rows.push(row);
      fresh.append(row);
    }
    if (this.lit.to > this.lit.from || this.lit.node >= 0) this._paintLit(rows);
    this.lines.append(fresh);
    this._paintActive();
  }

  _line(line) {
    const { layout, transcript } = this;
    const [from, to] = layout.rangeOf(line);
    const firstItem = layout.items[from];
    const position = firstItem >= 0 ? firstItem : layout.addedOf(firstItem).at;
    const n = transcript.nodeAt(Math.min(position, transcript.count - 1));
    const row = el("div", { class: `line ${n >= 0 ? channelClass(transcript.node(n)) : ""}`, role: "presentation" });
    row.style.top = `${layout.lineTops[line]}px`;
    row.dataset.node = n;
    const part = layout.lineParts[line];
    row.append(el("span", { class: "index", "aria-hidden": "true" }, part === 0 && firstItem >= 0 ? String(firstItem) : ""));
    for (let k = from; k < to; k += 1) row.append(this._box(layout.items[k], part));
    const last = layout.items[to - 1];
    this._codes(row, position, (last >= 0 ? last : layout.addedOf(last).at) + 1, part);
    return row;
  }

  _box(item, part) {
    const { layout, transcript } = this;
    if (item < 0) {
      const added = layout.addedOf(item);
      if (added.kind === "point") {
        const atEnd = added.at >= transcript.count;
        return el("span", { class: "point", "aria-hidden": "true", title: atEnd ? "the end of the transcript" : `between ${added.at - 1} and ${added.at}` }, "‸");
      }
      const box = el("span", { class: "t new", role: "option", "aria-selected": "false", title: "inserted" });
      if (added.n === 0) box.append(el("span", { class: "sign", "aria-hidden": "true" }, "+"));
      box.append(...this._drawn(layout.cellsOf(item), false));
      box.dataset.edit = added.edit;
      box.dataset.at = added.at;
      return box;
    }
    const end = transcript.drawnEnd(item);
    const cells = layout.partsOf(item) > 1 ? layout.slices(item)[part] : layout.cellsOf(item);
    const marker = cells.length === 1 && (cells[0].kind === "marker" || cells[0].kind === "unknown");
    const classes = ["t", marker ? cells[0].kind : `k-${transcript.kindAt(item)}`];
    if (this.marks[item]) classes.push(`mark${this.marks[item]}`);
    if (layout.deleted[item]) classes.push("gone");
    if (transcript.alike.has(item)) classes.push("alike");
    if (this.broke !== null && this.broke >= item && this.broke < end) classes.push("broke");
    if (end - item > 1) classes.push("group");
    const box = el("span", {
      class: classes.join(" "), role: "option", id: `${this.id}-${item}`, "aria-selected": "false",
      "aria-posinset": item + 1, "aria-setsize": transcript.count, title: marker ? cells[0].help : undefined,
      "aria-label": marker ? `marker ${cells[0].text}` : undefined,
    });
    box.dataset.i = item;
    box.append(...this._drawn(cells, marker));
    return box;
  }

  _drawn(cells, bare) {
    return bare ? [document.createTextNode(cells[0].text)] : cellNodes(cells.map((c) => (c.kind === "marker" ? { ...c, kind: "marker" } : c)));
  }

  /** The codes of the findings that begin on a line, in its margin. */
  _codes(row, from, to, part) {
    if (part) return;
    const found = [];
    const end = to >= this.transcript.count ? to + 1 : to;
    for (let at = lastAtOrBefore(this.starts, from - 1) + 1; at < this.starts.length && this.starts[at] < end; at += 1) {
      found.push(this.ordered[at]);
    }
    if (!found.length) return;
    found.sort((a, b) => MARK_BITS[b.severity] - MARK_BITS[a.severity]);
    row.append(el("span", {
      class: `code ${found[0].severity}`, "aria-hidden": "true", title: found.map((f) => `${f.code} ${f.name}`).join(", "),
    }, el("span", { class: "sign" }, `${SEVERITY_SIGNS[found[0].severity]} `), found[0].code,
      found.length > 1 && el("span", { class: "also" }, ` +${found.length - 1}`)));
  }

  /** Lights up tokens [from, to) and a message; nothing moves. */
  light(lit) {
    this.lit = lit;
    this._paintLit();
  }

  _paintLit(rows = this.rows.values()) {
    const { from, to, node } = this.lit;
    for (const row of rows) {
      row.classList.toggle("lit", node >= 0 && Number(row.dataset.node) === node);
      for (const box of row.getElementsByClassName("t")) {
        const i = Number(box.dataset.i ?? box.dataset.at);
        box.classList.toggle("lit", i >= from && i < to);
      }
    }
  }

  /** Brings token `i` into sight and makes it the active one. */
  go(i) {
    if (!this.layout || !this.transcript.count) return;
    this.active = this.transcript.drawnAt(Math.max(0, Math.min(i, this.transcript.count - 1)));
    const top = this.layout.lineTops[this.layout.lineOf(this.active)];
    const height = this.scroller.clientHeight;
    if (top < this.scroller.scrollTop + 4 || top + LINE_HEIGHT > this.scroller.scrollTop + height) {
      this.scroller.scrollTop = Math.max(0, top - height / 3);
    }
    this._render();
    this._announce();
  }

  _announce() {
    this.scroller.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this._paintActive();
  }

  _paintActive() {
    for (const box of this.lines.querySelectorAll(".active")) {
      box.classList.remove("active");
      box.setAttribute("aria-selected", "false");
    }
    const box = this.lines.querySelector(`[data-i="${this.active}"]`);
    if (box && this.chosen) {
      box.classList.add("active");
      box.setAttribute("aria-selected", "true");
    }
  }

  get chosen() {
    return this.picked || this.scroller.matches(":focus");
  }

  _tokenOf(event) {
    const box = event.target.closest?.(".t");
    if (!box) return null;
    return Number(box.dataset.i ?? box.dataset.at);
  }

  _point(event) {
    const i = this._tokenOf(event);
    if (i !== null) this.on.hover(Math.min(i, this.transcript.count - 1));
  }

  _click(event) {
    const i = this._tokenOf(event);
    if (i === null || !this.transcript.count) return;
    this.pick(Math.min(i, this.transcript.count - 1));
  }

  /** Makes token `i` the selected one and says so. */
  pick(i) {
    this.picked = true;
    this.go(i);
    this.on.select(this.active);
  }

  _key(event) {
    const move = (to) => {
      event.preventDefault();
      this.picked = true;
      this.go(to);
      this.on.hover(this.active);
    };
    const { transcript, layout } = this;
    if (!layout || !transcript.count || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / LINE_HEIGHT) - 1);
    const keys = {
      ArrowRight: () => move(transcript.drawnEnd(this.active)),
      ArrowLeft: () => move(this.active - 1),
      ArrowDown: () => move(this._below(1)),
      ArrowUp: () => move(this._below(-1)),
      PageDown: () => move(this._below(page)),
      PageUp: () => move(this._below(-page)),
      Home: () => move(0),
      End: () => move(transcript.count - 1),
      Enter: () => this.on.select(this.active),
      " ": () => { event.preventDefault(); this.on.select(this.active); },
      n: () => this.on.step?.(1),
      p: () => this.on.step?.(-1),
    };
    keys[event.key]?.();
  }

  /** The token about as far along the line `by` lines further. */
  _below(by) {
    const { layout } = this;
    const line = layout.lineOf(this.active);
    const target = Math.max(0, Math.min(layout.lineCount - 1, line + by));
    const along = layout.itemOf(this.active) - layout.lineItems[line];
    const [from, to] = layout.rangeOf(target);
    let k = Math.min(from + along, to - 1);
    while (k > 0 && layout.items[k] < 0) k -= 1;
    return Math.max(0, layout.items[k]);
  }
}

const CHANNEL_CLASSES = { analysis: "c-analysis", commentary: "c-commentary", final: "c-final" };

/** The colour class of a message: by its channel, else by what it is. */
function channelClass(node) {
  if (node.isStray || !node.isMessage) return "c-stray";
  return CHANNEL_CLASSES[node.label.channel] ?? "c-other";
}
