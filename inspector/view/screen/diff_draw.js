/* One row of the diff as elements: a cell for each column, the tokens in it, and in its margin why it differs. */

class DiffDrawer {
  /** `columns` are those shown (0, 1, 2), `causes` maps keys of edits to {code, name, message}; `unfold(number)` opens what is folded;
      `places` give for each column where a token of the original stands in it. */
  constructor({ model, columns, flat, causes, unfold, places }) {
    Object.assign(this, { model, columns, flat, causes, unfold, places, alignment: model.alignment, transcript: model.alignment.transcript });
  }

  /** Why a column differs from the one that is shown before it. */
  causesIn(stretch, column) {
    const before = this.columns[this.columns.indexOf(column) - 1];
    if (before === undefined || !stretch.keys) return [];
    const pair = DIFF_PAIRS.findIndex(([left, right]) => left === 1 << before && right === 1 << column);
    if (!(stretch.keys.differ & (1 << pair))) return [];
    const own = stretch.keys.of[column];
    // The prompt kept what the repair had changed: then the repair's own finding is the reason.
    return [...(own.size ? own : stretch.keys.of[before])].map((key) => this.causes.get(key) ?? { code: key.split("@")[0], name: "", message: "" });
  }

  /** The same for all shown columns, each reason once. */
  causesOf(stretch) {
    const byCode = new Map();
    for (const column of this.columns) for (const cause of this.causesIn(stretch, column)) byCode.set(`${cause.code} ${cause.message}`, cause);
    return [...byCode.values()];
  }

  /** The element of row `number`. */
  row(number) {
    const band = this.model.bandAt(number);
    const row = el("div", { class: `diff-row ${band.kind === "fold" ? "folded-rows" : band.kind}`, role: "row", "aria-rowindex": number + 2 });
    row.style.top = `${number * LINE_HEIGHT}px`;
    row.dataset.row = number;
    if (band.kind === "fold") {
      row.append(el("div", { class: "diff-cell", role: "cell" },
        el("button", { class: "diff-open", type: "button", onclick: () => this.unfold(band.number) }, `… ${plural(band.tokens, "unchanged token")}`)));
      return row;
    }
    const { stretch } = band;
    const opens = band.kind === "change" && this.model.firstRows[stretch.change] === number;
    row.dataset.change = stretch.change;
    const line = number - band.at;
    if (this.flat) {
      const [lane] = band.lanes;
      const cell = this._cell(lane, line, this.columns[lane.sign === "+" ? 1 : 0]);
      if (lane.sign) cell.prepend(el("span", { class: `diff-sign ${lane.sign === "+" ? "plus" : "minus"}` }, lane.sign));
      if (opens) cell.append(this._code(this.causesOf(stretch)));
      row.append(cell);
      return row;
    }
    for (const column of this.columns) {
      const lane = band.lanes.find(({ mask, run, from }) => mask & (1 << column) && from + line < run.lineCount);
      const lacking = !(this.alignment.mask & (1 << column));
      const cell = lane ? this._cell(lane, line, column) : el("div", { class: lacking ? "diff-cell" : "diff-cell void", role: "cell" });
      const causes = opens && !lacking ? this.causesIn(stretch, column) : [];
      if (causes.length) {
        cell.querySelector(".index")?.remove();
        cell.prepend(this._code(causes));
      }
      row.append(cell);
    }
    return row;
  }

  /** One line of one column. */
  _cell(lane, line, column) {
    const things = [...lane.run.line(lane.from + line)];
    const head = things[0].items[0];
    const { transcript } = this;
    const n = transcript.nodeAt(head >= 0 ? head : Math.min(this.alignment.freshOf(head).start, transcript.count - 1));
    const cell = el("div", { class: `diff-cell ${n >= 0 ? channelClass(transcript.node(n)) : ""}`, role: "cell" });
    cell.dataset.node = n;
    const place = head >= 0 && things[0].first ? this.places[column](head) : null;
    cell.append(el("span", { class: "index", "aria-hidden": "true" }, place === null ? "" : String(place)));
    const at = this.columns.indexOf(column);
    const has = (c) => c === undefined || !(this.alignment.mask & (1 << c)) || Boolean(lane.mask & (1 << c));
    const marks = lane.sign ? [lane.sign === "+" && "new", lane.sign === "−" && "gone"] : [!has(this.columns[at - 1]) && "new", !has(this.columns[at + 1]) && "gone"];
    for (const thing of things) cell.append(this._box(thing, marks.filter(Boolean)));
    return cell;
  }

  /** A token, or the tokens of one character. */
  _box({ items, cells }, marks) {
    const { transcript, alignment } = this;
    const item = items[0];
    const bare = cells.length === 1 && (cells[0].kind === "marker" || cells[0].kind === "unknown");
    const classes = ["t", bare ? cells[0].kind : item >= 0 ? `k-${transcript.kindAt(item)}` : "k-body", ...marks];
    if (item >= 0 && transcript.alike.has(item)) classes.push("alike");
    if (items.length > 1) classes.push("group");
    const box = el("span", { class: classes.join(" "), title: bare ? cells[0].help : undefined });
    const fresh = item < 0 ? alignment.freshOf(item) : null;
    box.dataset.i = fresh ? fresh.start : item;
    box.dataset.to = fresh ? Math.max(fresh.end, fresh.start + 1) : item + items.length;
    box.dataset.ids = Array.from(items, (each) => transcript.dictionary.ids[alignment.placeOf(each)]).join(" ");
    box.append(...(bare ? [document.createTextNode(cells[0].text)] : cellNodes(cells)));
    return box;
  }

  /** The codes of what made a difference. */
  _code(causes) {
    const codes = [...new Set(causes.map(({ code }) => code))];
    return el("span", { class: "diff-code", title: causes.slice(0, 6).map(({ code, name, message }) => `${code} ${name}: ${message}`).join("\n") },
      codes[0], codes.length > 1 && el("span", { class: "also" }, ` +${codes.length - 1}`));
  }
}
