/* Samples side by side: the tokens of each, and the first one at which it leaves the first of them. */

const MOST_SIDES = 4;

class Side {
  constructor(host, base, number, on) {
    this.number = number;
    this.title = el("b", {});
    this.said = el("span", { class: "said" });
    this.jump = el("button", { class: "link", type: "button", onclick: () => on.part() });
    this.surface = el("div", { class: "surface" });
    this.root = el("section", { class: "side", "aria-label": `Sample ${number + 1}` }, el("header", {}, this.title, this.said, this.jump), this.surface);
    host.append(this.root);
    this.view = new TokenView(this.surface, { label: `Tokens of sample ${number + 1}`, on: { hover: () => {}, select: () => {} } });
    this.view.setLanes({ logprob: true });
    this.stream = new SampleStream(base, number, {
      whole: (bytes) => {
        this.transcript = new Transcript(bytes);
        this.view.show(this.transcript, { edits: [], findings: [] });
        this._mark();
      },
      more: (bytes) => {
        this.view.appended(this.transcript.append(bytes), true);
        this._mark();
      },
      ended: () => {},
    }, () => {}, 200);
  }

  show(row, parts) {
    const verdict = verdictWords(row);
    this.title.textContent = row.title || `#${row.n + 1}`;
    this.said.textContent = [verdict.text, `${NUMBERS.format(row.tokens)} tok`, reasonText(row)].filter(Boolean).join(" · ");
    this.said.dataset.state = verdict.state;
    this.jump.hidden = parts < 0;
    const words = this.number ? "parts" : "another parts";
    this.jump.textContent = parts < 0 ? "" : `${words} at token ${parts}`;
    if (this.part === parts) return;
    this.part = parts;
    this._mark();
  }

  _mark() {
    const at = this.part ?? -1;
    if (!this.transcript || at < 0 || at >= this.transcript.count) return;
    this.view.setMatches({ length: 1, within: (from, to) => at >= from && at < to, at: (from, to) => (at >= from && at < to ? 0 : -1) }, 0);
  }

  toPart() {
    if (this.part >= 0) this.view.go(this.part);
  }

  destroy() {
    this.stream.stop();
    this.view.destroy();
    this.root.remove();
  }
}

class Sides {
  constructor(host, base) {
    this.base = base;
    this.root = el("div", { class: "sides" });
    this.sides = [];
    host.append(this.root);
  }

  /** Shows the first sample, the one in view, and as many of the others as there is room for. */
  show(rows, chosen) {
    const wanted = [...new Set([0, chosen, ...rows.map((row) => row.n)])].slice(0, Math.min(MOST_SIDES, rows.length)).sort((a, b) => a - b);
    if (wanted.join() !== this.sides.map((side) => side.number).join()) {
      for (const side of this.sides) side.destroy();
      this.root.dataset.count = wanted.length;
      this.sides = wanted.map((n) => new Side(this.root, this.base, n, { part: () => this._toPart(n) }));
    }
    const first = rows.map((row) => row.parts).filter((at) => at >= 0);
    for (const side of this.sides) side.show(rows[side.number], side.number ? rows[side.number].parts : first.length ? Math.min(...first) : -1);
  }

  /** All of them go to where one of them leaves the first. */
  _toPart(n) {
    const { part } = this.sides.find((side) => side.number === n);
    for (const side of this.sides) if (side.transcript && part < side.transcript.count) side.view.go(part);
  }

  destroy() {
    for (const side of this.sides) side.destroy();
    this.sides = [];
    this.root.remove();
  }
}
