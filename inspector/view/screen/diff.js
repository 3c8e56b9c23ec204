/* The diff: emitted, repaired and re-encoded tokens beside each other, or one pair of them as − and + lines.

   It is a panel (show, light, at, refresh, destroy). All columns are cells of the same rows, so there is one place to
   scroll, and only the rows in sight are in the document. */

const DIFF_TITLES = ["Emitted", "Repaired", "Next prompt"];
const DIFF_OVERSCAN = 4;
const THREE_COLUMNS = 700;
const TWO_COLUMNS = 460;

class DiffView {
  /** `on` = {hover(token|null), select(token)}, in indexes of the emitted tokens. */
  constructor(host, on) {
    this.on = on;
    this.lit = { from: -1, to: -1, node: -1 };
    this.active = -1;
    this.current = -1;
    this.unified = false;
    this.pair = 0;
    this.fold = { side: false, unified: true };
    this.unfolded = new Set();
    this.rows = new Map();
    this._build(host);
    this.observer = new ResizeObserver(() => this._resized());
    this.observer.observe(this.root);
  }

  _build(host) {
    const mode = (unified, title) => el("button", {
      class: "diff-mode", type: "button", role: "radio", "aria-checked": String(unified === this.unified), tabindex: unified ? "-1" : "0",
      onclick: () => this._mode(unified), onkeydown: (event) => this._other(event),
    }, title);
    this.modes = el("div", { class: "diff-modes", role: "radiogroup", "aria-label": "How the difference is drawn" },
      mode(false, "Side by side"), mode(true, "Unified"));
    this.pairs = el("select", { class: "style", "aria-label": "Which two are compared", onchange: () => this._choosePair(Number(this.pairs.value)) },
      ...DIFF_PAIRS.map(([left, right], p) => el("option", { value: p }, `${titleOf(left)} → ${titleOf(right)}`)));
    const step = (by, sign, title, key) => el("button", {
      class: "diff-step", type: "button", "aria-label": title, title: `${title} (${key})`, "aria-keyshortcuts": key, onclick: () => this.step(by),
    }, sign);
    this.folding = el("button", { class: "diff-fold", type: "button", "aria-pressed": "false", onclick: () => this._folding() }, "Fold unchanged");
    this.count = el("span", { class: "diff-count", role: "status" });
    this.bar = el("div", { class: "diff-bar" }, this.modes, this.pairs, this.folding, el("span", { class: "diff-walk" },
      this.count, step(-1, "↑", "Previous change", "k"), step(1, "↓", "Next change", "j")));
    this.heads = el("div", { class: "diff-heads", role: "row" });
    this.lines = el("div", { class: "diff-lines", role: "rowgroup" });
    this.scroller = el("div", {
      class: "diff-scroller", role: "table", tabindex: "0", "aria-label": "Difference between emitted, repaired and re-encoded tokens",
      onscroll: () => this._schedule(),
      onmouseover: (event) => this._point(event),
      onmouseleave: () => this.on.hover(null),
      onclick: (event) => this._click(event),
    }, el("div", { class: "diff-top", role: "rowgroup" }, this.heads), this.lines);
    this.why = el("p", { class: "diff-why", "aria-live": "polite" });
    this.root = el("section", { class: "diff-view", "aria-label": "Diff", onkeydown: (event) => this._key(event) }, this.bar,
      el("div", { class: "diff-frame" }, this.scroller, el("div", { class: "diff-ring" })), this.why);
    host.append(this.root);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  /** Takes what there is to compare; nothing is done when it is what it was. */
  show({ transcript, feed }) {
    if (this.transcript === transcript && this.feed === feed && this.read === transcript.count) return;
    if (this.transcript !== transcript) {
      this.active = -1;
      this.current = -1;
      this.unfolded.clear();
    }
    Object.assign(this, { transcript, feed, read: transcript.count });
    const { prompt } = feed;
    this.lack = !prompt ? "No next prompt was made." : prompt.error ? `This prompt cannot be made: ${prompt.error}` : "";
    this.alignment = new Alignment(transcript, feed.repair.edits, this.lack ? null : prompt.edits);
    const repaired = new Sequence(transcript, feed.repair.edits);
    const reencoded = new Sequence(transcript, this.lack ? [] : prompt.edits);
    this.places = [(i) => i, (i) => repaired.toEdited(i), (i) => reencoded.toEdited(i)];
    this.causes = new Map(feed.findings.map((f) => [f.key, { code: f.code, name: f.name, message: f.message }]));
    (prompt?.drift ?? []).forEach((d, n) => this.causes.set(`drift:${n}`, { code: d.code, name: d.cause, message: d.message }));
    this._layout();
  }

  /** Lays out again: the width changed or a font arrived. */
  refresh() {
    this._layout();
  }

  _resized() {
    if (this.root.clientWidth !== this.laidOut) this._layout();
    else this._render();
  }

  /** The columns that are drawn, as a mask. */
  _shown(width) {
    this.narrow = width < TWO_COLUMNS;
    this.flat = this.unified || this.narrow;
    if (!this.flat && width >= THREE_COLUMNS) return EMITTED | REPAIRED | PROMPT;
    return DIFF_PAIRS[this.pair][0] | DIFF_PAIRS[this.pair][1];
  }

  _layout() {
    const width = this.root.clientWidth;
    if (!this.alignment || width <= 0) return;
    const anchor = this._anchor();
    this.laidOut = width;
    const shown = this._shown(width);
    if (shown !== this.shown) this.unfolded.clear();
    this.shown = shown;
    this.columns = [0, 1, 2].filter((c) => shown & (1 << c));
    this.root.classList.toggle("flat", this.flat);
    this.root.classList.toggle("narrow", this.narrow);
    const style = getComputedStyle(this.scroller);
    const px = (name) => parseFloat(style.getPropertyValue(name)) || 0;
    const inner = this.scroller.clientWidth;
    const room = this.flat ? inner - px("--diff-gutter") - px("--diff-margin") : inner / this.columns.length - px("--diff-gutter") - px("--diff-pad");
    const family = style.fontFamily;
    const ruler = new Ruler({ text: `${style.fontSize} ${family}`, marker: `600 11px ${family}`, chip: `10px ${family}` });
    const missing = Boolean(this.lack) && (shown & PROMPT) !== 0;
    const fold = this.fold[this.flat ? "unified" : "side"];
    this.model = missing && this.columns.length === 2 ? null : new DiffRows(this.alignment, {
      shown: shown & this.alignment.mask, unified: this.flat, ruler, width: Math.max(60, room - 2), unfolded: fold ? this.unfolded : null,
    });
    this.drawer = this.model && new DiffDrawer({
      model: this.model, columns: this.columns, flat: this.flat, causes: this.causes, unfold: (number) => this._unfold(number),
      places: this.places,
    });
    this.scroller.style.setProperty("--columns", this.flat ? 1 : this.columns.length);
    this.lines.style.height = `${(this.model?.count ?? 0) * LINE_HEIGHT}px`;
    this.scroller.setAttribute("aria-rowcount", (this.model?.count ?? 0) + 1);
    this._chrome(fold);
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    if (anchor !== null && this.model) this._restore(anchor);
    this._render();
  }

  /** The bar and the heads, in the state that things are in. */
  _chrome(fold) {
    const { prompt, repair } = this.feed;
    [...this.modes.children].forEach((button, n) => {
      const on = Boolean(n) === this.flat;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
      button.disabled = n === 0 && this.narrow;
      button.title = button.disabled ? "There is no room for two columns here" : "";
    });
    this.pairs.hidden = this.columns.length === 3;
    this.pairs.value = String(this.pair);
    this.folding.setAttribute("aria-pressed", String(fold));
    const changes = this.model?.changes ?? 0;
    this.current = Math.min(this.current, changes - 1);
    this._tell();
    const counts = [this.transcript.count, repair.count, prompt && !prompt.error ? prompt.count : null];
    const head = (c) => el("div", { class: "diff-head", role: "columnheader" }, el("b", {}, DIFF_TITLES[c]), " ",
      counts[c] === null ? el("span", { class: "lack" }, ...visibleText(this.lack)) : el("span", { class: "quiet" }, plural(counts[c], "token")));
    const lack = !this.model;
    const empty = this.model && !this.model.count;
    this.heads.replaceChildren(...(this.flat && !lack
      ? [el("div", { class: "diff-head", role: "columnheader" }, ...this.columns.flatMap((c, n) => [
        el("span", { class: "sign", "aria-hidden": "true" }, n ? "+ " : "− "), el("b", {}, DIFF_TITLES[c]), " ", el("span", { class: "quiet" }, `${plural(counts[c], "token")}  `)]))]
      : this.columns.map(head)));
    this.lines.classList.toggle("empty", Boolean(empty));
  }

  /** "3 of 12 changes", and under the rows why the current one is there. */
  _tell() {
    const changes = this.model?.changes ?? 0;
    this.count.textContent = !changes ? "no difference" : this.current < 0 ? plural(changes, "change") : `${this.current + 1} of ${plural(changes, "change")}`;
    for (const button of this.bar.querySelectorAll(".diff-step")) button.disabled = !changes;
    const parts = this.current < 0 ? [] : this.drawer.causesOf(this._stretch(this.current));
    if (!parts.length) {
      this.why.replaceChildren(el("span", { class: "quiet" }, changes ? "Walk the changes: " : ""), ...(changes ? [el("kbd", {}, "j"), " ", el("kbd", {}, "k")] : []));
      return;
    }
    const shown = parts.slice(0, 3).flatMap(({ code, name, message }) => [el("b", {}, code), ` ${name.replaceAll("-", " ")} `, el("span", { class: "quiet" }, ...visibleText(message), " ")]);
    this.why.replaceChildren(...shown, parts.length > 3 ? `and ${parts.length - 3} more` : "");
  }

  _stretch(change) {
    return this.model.stretches.find((stretch) => stretch.change === change);
  }

  _schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this._render();
    });
  }

  _render() {
    const { model } = this;
    if (!model) return;
    const top = this.scroller.scrollTop - this.lines.offsetTop;
    const first = Math.max(0, Math.floor(top / LINE_HEIGHT) - DIFF_OVERSCAN);
    const last = Math.min(model.count - 1, Math.ceil((top + this.scroller.clientHeight) / LINE_HEIGHT) + DIFF_OVERSCAN);
    for (const [number, row] of this.rows) {
      if (number >= first && number <= last) continue;
      row.remove();
      this.rows.delete(number);
    }
    const fresh = document.createDocumentFragment();
    const made = [];
    for (let number = first; number <= last; number += 1) {
      if (this.rows.has(number)) continue;
      const row = this.drawer.row(number);
      this.rows.set(number, row);
      made.push(row);
      fresh.append(row);
    }
    this.lines.append(fresh);
    this._paint(made);
  }

  /** Lights up tokens [from, to) and their message in every column; nothing moves. */
  light(link) {
    this.lit = { from: -1, to: -1, node: -1, ...link };
    this._paint();
  }

  /** Token `i` is the selected one: marked, and brought into sight. */
  at(i) {
    this.active = i;
    if (!this.model) return;
    let row = this.model.rowOf(i);
    if (row < 0 && this.fold[this.flat ? "unified" : "side"]) {
      const number = this.model.stretchOf(i);
      if (number >= 0) {
        this.unfolded.add(number);
        this._layout();
        row = this.model.rowOf(i);
      }
    }
    if (row >= 0) this._reveal(row);
    this._paint();
  }

  _paint(rows = this.rows.values()) {
    const { from, to, node } = this.lit;
    for (const row of rows) {
      row.classList.toggle("current", this.current >= 0 && Number(row.dataset.change) === this.current);
      for (const cell of row.children) cell.classList.toggle("lit", node >= 0 && Number(cell.dataset.node) === node);
      for (const box of row.getElementsByClassName("t")) {
        const [start, end] = [Number(box.dataset.i), Number(box.dataset.to)];
        box.classList.toggle("lit", start < to && from < end);
        box.classList.toggle("active", start <= this.active && this.active < end);
      }
    }
  }

  _reveal(row) {
    const top = row * LINE_HEIGHT;
    const head = this.lines.offsetTop;
    const height = this.scroller.clientHeight;
    const seen = this.scroller.scrollTop;
    if (top < seen || top + LINE_HEIGHT + head > seen + height) this.scroller.scrollTop = Math.max(0, top - (height - head) / 3);
    this._render();
  }

  /** Goes to the next (1) or previous (-1) change, round and round. */
  step(by) {
    const changes = this.model?.changes ?? 0;
    if (!changes) return;
    const next = this.current < 0 ? (by > 0 ? 0 : changes - 1) : (this.current + by + changes) % changes;
    this.current = next;
    this._reveal(this.model.firstRows[next]);
    this._tell();
    this._paint();
    const items = this._stretch(next).lanes[0].items;
    const item = items[0] >= 0 ? items[0] : this.alignment.freshOf(items[0]).start;
    if (this.transcript.count) this._select(Math.min(item, this.transcript.count - 1));
  }

  _select(i) {
    this.active = i;
    this._paint();
    this.on.select(i);
  }

  _tokenOf(event) {
    const box = event.target.closest?.(".t");
    return box && this.transcript?.count ? Math.min(Number(box.dataset.i), this.transcript.count - 1) : null;
  }

  _point(event) {
    const i = this._tokenOf(event);
    if (i !== null) this.on.hover(i);
  }

  _click(event) {
    const i = this._tokenOf(event);
    if (i === null) return;
    const change = Number(event.target.closest(".diff-row").dataset.change);
    if (change >= 0) {
      this.current = change;
      this._tell();
    }
    this._select(i);
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const by = { j: 1, k: -1 }[event.key];
    const to = event.target === this.scroller ? this._walk(event.key) : undefined;
    if (!by && to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (by) this.step(by);
    else {
      this.at(to);
      this._select(to);
    }
  }

  /** The token that a key walks to, as in the tokens themselves; lines and pages only scroll. */
  _walk(key) {
    if (!this.transcript?.count) return undefined;
    const last = this.transcript.count - 1;
    const at = Math.max(0, Math.min(this.active ?? 0, last));
    const places = {
      ArrowRight: () => Math.min(last, this.transcript.drawnEnd(at)), ArrowLeft: () => Math.max(0, this.transcript.drawnAt(at) - 1),
      Home: () => 0, End: () => last,
    };
    return places[key]?.();
  }

  _mode(unified) {
    if (this.unified === unified) return;
    this.unified = unified;
    this.current = -1;
    this._layout();
  }

  _other(event) {
    if (!["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const [side, flat] = this.modes.children;
    const other = event.currentTarget === side ? flat : side;
    if (other.disabled) return;
    other.click();
    other.focus();
  }

  _choosePair(pair) {
    this.pair = pair;
    this.current = -1;
    this._layout();
  }

  _folding() {
    const which = this.flat ? "unified" : "side";
    this.fold[which] = !this.fold[which];
    this.unfolded.clear();
    this._layout();
  }

  _unfold(number) {
    this.unfolded.add(number);
    this._layout();
    this.scroller.focus({ preventScroll: true });
  }

  /** The first emitted token in sight and how far from the top it stands, or null. */
  _anchor() {
    if (!this.model || !this.rows.size || this.scroller.scrollTop < LINE_HEIGHT) return null;
    const first = Math.floor(this.scroller.scrollTop / LINE_HEIGHT);
    for (const [number, row] of [...this.rows].sort((a, b) => a[0] - b[0])) {
      const box = number >= first && row.querySelector(".t[data-i]");
      if (box) return { i: Number(box.dataset.i), offset: number * LINE_HEIGHT - this.scroller.scrollTop };
    }
    return null;
  }

  _restore({ i, offset }) {
    const row = this.model.rowOf(i);
    if (row >= 0) this.scroller.scrollTop = row * LINE_HEIGHT - offset;
  }
}

function titleOf(bit) {
  return DIFF_TITLES[{ [EMITTED]: 0, [REPAIRED]: 1, [PROMPT]: 2 }[bit]];
}
