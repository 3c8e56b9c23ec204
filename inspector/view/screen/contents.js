/* The outline: every message as two lines, only those in sight in the document. */

const ENTRY_HEIGHT = 44;
const ENTRY_WORDS = 70;
const CHANNEL_FILTERS = [["", "All messages"], ["analysis", "analysis"], ["commentary", "commentary"], ["final", "final"], ["-", "other"]];

class ContentsPanel {
  /** `on` = {go(token), hover({node, from, to}|null), folds(Set), close()} */
  constructor(host, on) {
    this.on = on;
    this.rows = new Map();
    this.folds = new Set();
    this.active = 0;
    this.filter = el("select", { "aria-label": "Messages that are listed", onchange: () => this._filter() });
    this.entries = el("div", { class: "entries", role: "list", "aria-label": "Messages" });
    this.scroller = el("div", {
      class: "contents-list", onscroll: () => this._schedule(), onkeydown: (event) => this._key(event),
      onmouseleave: () => on.hover(null),
    }, this.entries);
    this.root = el("nav", { class: "contents", "aria-label": "Outline", hidden: true },
      el("header", {}, this.filter,
        el("button", { class: "tool", type: "button", title: "Fold the listed messages", onclick: () => this._all(true) }, "Fold"),
        el("button", { class: "tool", type: "button", title: "Unfold the listed messages", onclick: () => this._all(false) }, "Unfold"),
        el("button", { class: "tool round", type: "button", "aria-label": "Close the outline", title: "Close (o)", onclick: () => on.close() }, "✕")),
      this.scroller);
    host.append(this.root);
    this.observer = new ResizeObserver(() => this._render());
    this.observer.observe(this.scroller);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  show({ transcript, feed }) {
    const grown = this.transcript === transcript && this.count !== transcript.nodeCount;
    const other = this.transcript !== transcript;
    Object.assign(this, { transcript, feed, count: transcript.nodeCount });
    this.signs = new Map();
    for (const { span: [start], severity } of feed.findings) {
      const n = transcript.nodeAt(Math.min(start, transcript.count - 1));
      const held = this.signs.get(n);
      this.signs.set(n, { severity: held && MARK_BITS[held.severity] > MARK_BITS[severity] ? held.severity : severity, count: (held?.count ?? 0) + 1 });
    }
    if (other) this.active = 0;
    if (other || grown) this._options();
    this._filter();
  }

  /** How many messages each channel has. */
  _options() {
    const counts = new Map();
    for (let n = 0; n < this.count; n += 1) {
      const key = this._channelOf(n);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const before = this.filter.value;
    this.filter.replaceChildren(...CHANNEL_FILTERS.filter(([value]) => !value || counts.has(value)).map(([value, title]) =>
      el("option", { value }, `${title} (${NUMBERS.format(value ? counts.get(value) : this.count)})`)));
    this.filter.value = counts.has(before) ? before : "";
  }

  _channelOf(n) {
    const { label, isMessage } = this.transcript.node(n);
    return isMessage && CHANNEL_CLASSES[label.channel] ? label.channel : "-";
  }

  _filter() {
    const wanted = this.filter.value;
    this.listed = [];
    for (let n = 0; n < this.count; n += 1) if (!wanted || this._channelOf(n) === wanted) this.listed.push(n);
    this.active = Math.min(this.active, Math.max(0, this.listed.length - 1));
    this.entries.style.height = `${this.listed.length * ENTRY_HEIGHT}px`;
    this._redraw();
  }

  _all(fold) {
    for (const n of this.listed) {
      if (fold) this.folds.add(n);
      else this.folds.delete(n);
    }
    this.on.folds(new Set(this.folds));
    this._redraw();
  }

  _fold(n) {
    if (!this.folds.delete(n)) this.folds.add(n);
    this.on.folds(new Set(this.folds));
    this._redraw();
  }

  /** The view folds too: its state is shown here. */
  folded(folds) {
    this.folds = new Set(folds);
    this._redraw();
  }

  _schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this._render();
    });
  }

  _redraw() {
    const control = this.root.getRootNode().activeElement?.dataset?.control;
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this._render();
    if (control) this.entries.querySelector(`[data-control="${control}"]`)?.focus({ preventScroll: true });
  }

  _render() {
    if (this.root.hidden || !this.listed) return;
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / ENTRY_HEIGHT) - 3);
    const last = Math.min(this.listed.length - 1, Math.ceil((scrollTop + clientHeight) / ENTRY_HEIGHT) + 3);
    for (const [k, row] of this.rows) {
      if (k >= first && k <= last) continue;
      row.remove();
      this.rows.delete(k);
    }
    for (let k = first; k <= last; k += 1) {
      if (this.rows.has(k)) continue;
      const row = this._entry(k);
      this.rows.set(k, row);
      const after = [...this.rows.keys()].filter((other) => other > k).sort((a, b) => a - b)[0];
      this.entries.insertBefore(row, after === undefined ? null : this.rows.get(after));
    }
    this._light();
  }

  _entry(k) {
    const n = this.listed[k];
    const { transcript } = this;
    const node = transcript.node(n);
    const { text } = new Sequence(transcript, []).text(node.isMessage ? node.bodyStart : node.start, node.isMessage ? node.bodyEnd : node.end, ENTRY_WORDS);
    const sign = this.signs.get(n);
    const folded = this.folds.has(n);
    const row = el("div", {
      class: `entry ${lineClass(transcript, n)}`, role: "listitem", "aria-setsize": this.listed.length, "aria-posinset": k + 1,
      onmouseenter: () => this.on.hover({ node: n, from: node.start, to: node.end }),
    },
      el("button", {
        class: "fold", type: "button", tabindex: "-1", "aria-expanded": String(!folded), "aria-label": `Message ${n + 1} in the tokens`,
        title: folded ? "Unfold" : "Fold", "data-control": `fold-${n}`, onclick: () => this._fold(n),
      }, folded ? "▸" : "▾"),
      el("button", { class: "to", type: "button", tabindex: k === this.active ? "0" : "-1", "data-control": `to-${n}`, onclick: () => this._go(k) },
        el("span", { class: "title" }, el("span", { class: "n" }, String(n + 1)),
          el("span", { class: "fields" }, ...(node.isMessage ? fieldNodes(node.label) : ["outside of any message"])),
          el("span", { class: "size" }, NUMBERS.format(node.end - node.start), el("span", { class: "unseen" }, " tokens"))),
        el("span", { class: "words" }, sign && el("span", { class: `sign ${sign.severity}` }, `${SEVERITY_SIGNS[sign.severity]} `,
          el("span", { class: "unseen" }, `${plural(sign.count, "finding")}. `)), plainVisible(text.slice(0, ENTRY_WORDS)) || "(empty)")));
    row.style.top = `${k * ENTRY_HEIGHT}px`;
    row.dataset.node = n;
    return row;
  }

  _go(k) {
    this._activate(k);
    this.on.go(this.transcript.node(this.listed[k]).start);
    // Where there is no room beside the tokens, the outline lies over them.
    if (getComputedStyle(this.root).position === "absolute") this.on.close();
  }

  _activate(k) {
    this.active = k;
    for (const [at, row] of this.rows) row.querySelector(".to").tabIndex = at === k ? 0 : -1;
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.listed.length) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ENTRY_HEIGHT) - 1);
    const end = this.listed.length - 1;
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: end }[event.key];
    const n = this.listed[this.active];
    if (to !== undefined) {
      event.preventDefault();
      this._activate(Math.max(0, Math.min(end, to)));
      this.reveal(this.active);
      this.rows.get(this.active)?.querySelector(".to").focus({ preventScroll: true });
    } else if ((event.key === "ArrowLeft") === !this.folds.has(n) && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      this._fold(n);
    }
  }

  /** Brings the k-th listed message into sight within the list. */
  reveal(k) {
    const top = k * ENTRY_HEIGHT;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + ENTRY_HEIGHT > scrollTop + clientHeight) this.scroller.scrollTop = top + ENTRY_HEIGHT - clientHeight;
    this._render();
  }

  /** The token that is active now: its message is the marked one. */
  at(i) {
    if (!this.transcript) return;
    this.current = this.transcript.nodeAt(i);
    const k = this.listed ? lastAtOrBefore(this.listed, this.current) : -1;
    if (k < 0 || this.root.hidden) return;
    if (this.listed[k] === this.current) {
      this._activate(k);
      this.reveal(k);
    }
    this._light();
  }

  light(link) {
    this.lit = link;
    this._light();
  }

  _light() {
    for (const row of this.rows.values()) {
      const n = Number(row.dataset.node);
      row.classList.toggle("lit", n === this.lit?.node);
      row.classList.toggle("here", n === this.current);
    }
  }

  refresh() {
    this._redraw();
  }
}
