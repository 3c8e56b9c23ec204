/* What the guard would have blocked in the samples of a run, each place a way to its token. */

class BlockedTokens {
  constructor(host, on) {
    this.on = on;
    this.words = el("span", {});
    this.means = el("p", { class: "means" });
    this.list = el("div", { class: "places" });
    this.left = el("p", { class: "quiet left" });
    this.root = el("details", { class: "blocked", hidden: true }, el("summary", {}, this.words), this.means, this.list, this.left);
    host.append(this.root);
  }

  /** Takes {words, means, rows, left}, or null where there is nothing to tell. */
  show(told) {
    const same = JSON.stringify(told ?? null);
    if (same === this.said) return;
    this.said = same;
    this.root.hidden = !told;
    if (!told) return;
    this.words.textContent = told.words;
    this.means.textContent = told.means;
    this.root.open = told.rows.length > 0;
    this.left.textContent = told.left ? `${plural(told.left, "more place")} would have lost something.` : "";
    this.list.replaceChildren(...told.rows.map((row) => this._row(row)));
  }

  _row(row) {
    const mass = row.mass === null ? "" : `${(100 * row.mass).toFixed(row.mass < 0.1 ? 1 : 0)} %`;
    return el("button", { class: "place", type: "button", onclick: () => this.on.go(row.sample, row.token), title: "Go to this token" },
      el("span", { class: "name" }, row.title), el("span", { class: "at" }, `token ${row.token}`),
      el("code", { class: "text" }, plainVisible(row.text) || `id ${row.id}`),
      el("span", { class: "share" }, mass),
      el("span", { class: "drawn", "data-drawn": String(row.drawn) }, row.drawn ? "● " : "○ ", el("span", { class: "word" }, row.drawn ? "sampled" : "not drawn")));
  }
}
