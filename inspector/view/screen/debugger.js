/* The step debugger: walks the parser through the tokens and tells its state before and after each of them, release
   by release, and what may follow. */

const STEP_FIELDS = [["state", "State"], ["role", "Role"], ["channel", "Channel"], ["recipient", "Recipient"], ["type", "Content type"], ["messages", "Messages"]];

/** The state of one release before and after a token, as a table whose rows stay where they are. */
class StepTable {
  /** `on` = {all()}: shows every release. */
  constructor(host, on) {
    this.on = on;
    this.caption = el("caption", {});
    this.cells = new Map();
    const rows = STEP_FIELDS.map(([name, title]) => {
      const pair = [el("td", {}), el("td", {})];
      this.cells.set(name, pair);
      return el("tr", {}, el("th", { scope: "row", title: name === "messages" && "Messages that are complete" }, title), ...pair);
    });
    this.said = el("div", { class: "sd-said", tabindex: "0", role: "group", "aria-label": "What the release says" });
    this.root = el("table", { class: "sd-table" }, this.caption,
      el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, "before"), el("th", { scope: "col" }, "after"))),
      el("tbody", {}, ...rows), el("tfoot", {}, el("tr", {}, el("td", { colspan: "3" }, this.said))));
    host.append(this.root);
  }

  /** `reader`: a release that still reads where this one has stopped, or null; `alone`: it is not shown beside this one. */
  show(way, i, reader, alone) {
    this.caption.textContent = way.release;
    const before = way.at(i);
    const raises = way.error?.token === i;
    const after = raises ? null : way.at(i + 1);
    for (const [name] of STEP_FIELDS) {
      const [was, is] = this.cells.get(name);
      const changed = Boolean(before && after) && before[name] !== after[name];
      this._fill(was, name, before, before ? null : "stopped");
      this._fill(is, name, after, raises ? "raises" : "stopped");
      is.classList.toggle("sd-changed", changed || (raises && name === "state"));
      if (changed) is.prepend(el("span", { class: "sd-sign", "aria-hidden": "true" }, "→ "), el("span", { class: "unseen" }, "now "));
    }
    this.said.replaceChildren(...this._said(way, i, reader, alone));
    this.root.dataset.state = raises ? "raises" : before ? "reads" : "stopped";
  }

  _fill(cell, name, state, instead) {
    const value = state ? state[name] : name === "state" ? instead : null;
    const empty = value === null || value === undefined;
    cell.classList.toggle("sd-none", empty);
    // A header can say "to=" and nothing: a recipient that is there and empty.
    cell.replaceChildren(...(empty ? ["–"] : value === "" ? ["“”"] : visibleText(value)));
    cell.title = empty ? "" : cell.textContent;
  }

  _said(way, i, reader, alone) {
    const { error, count } = way;
    if (error && error.token === i) return [el("b", { class: "sd-bad" }, "● raises here: "), el("code", {}, ...visibleText(error.text))];
    if (error && error.token < i) {
      const told = el("span", { class: "quiet" }, `stopped at token ${NUMBERS.format(error.token)}${reader ? `; ${reader.release} reads on ` : ": this token is not read"}`);
      return reader && alone ? [told, el("button", { class: "link", type: "button", onclick: () => this.on.all() }, "show all releases")] : [told];
    }
    if (i < count - 1) return [el("span", { class: "quiet" }, "reads on")];
    if (error) return [el("b", { class: "sd-bad" }, "● raises at the end: "), el("code", {}, ...visibleText(error.text))];
    return [el("span", { class: "sd-good" }, `✓ at the end of the input: ${plural(way.total, "message")}`)];
  }
}

class StepPanel {
  /** `on` = {select(i), page(by)}: what a person steps to is selected in the token view, which in turn calls `at`; `page` is
      the token a page further there (or null). */
  constructor(host, on) {
    this.on = on;
    this.i = 0;
    this.both = false;
    const button = (sign, name, keys, act) => el("button", {
      class: "sd-button", type: "button", title: keys ? `${name} (${keys})` : name, "aria-label": name, onclick: act,
    }, sign);
    this.buttons = {
      changeBack: button("⇤", "Previous change of state", "⇧ ←", () => this._change(-1)),
      back: button("‹", "Previous token", "←", () => this._to(this.i - 1)),
      forward: button("›", "Next token", "→", () => this._to(this.i + 1)),
      change: button("⇥", "Next change of state", "⇧ →", () => this._change(1)),
      finding: button("next finding", "Continue to the next finding", "n", () => this._finding()),
      broke: button("where it breaks", "Continue to where it breaks", "b", () => this._broke()),
    };
    this.slider = el("input", {
      type: "range", class: "sd-slider", min: "0", max: "0", value: "0", "aria-label": "Token that the parser reads",
      oninput: () => this._to(Number(this.slider.value)),
    });
    this.place = el("span", { class: "sd-place" });
    this.token = el("span", { class: "sd-token" });
    const { changeBack, back, forward, change, finding, broke } = this.buttons;
    this.compare = el("input", { type: "checkbox", onchange: () => this._compare(this.compare.checked) });
    this.compareLabel = el("label", { class: "sd-compare" }, this.compare, "all releases");
    this.tables = el("div", { class: "sd-tables" });
    this.tableList = [];
    this.markers = el("div", { class: "sd-markers" });
    this.text = el("p", { class: "sd-text", tabindex: "0", role: "group", "aria-label": "What text is legal next" });
    this.judged = el("p", { class: "sd-verdict", role: "status" });
    this.body = el("div", { class: "sd-body" }, this.tables,
      el("section", { class: "sd-legal", "aria-label": "Legal next" }, el("h3", {}, "Legal next"), this.markers, this.text, this.judged));
    this.missing = el("p", { class: "sd-missing quiet", hidden: true });
    this.root = el("section", { class: "steps", "aria-label": "Step debugger", onkeydown: (event) => this._key(event) },
      el("div", { class: "sd-bar" }, el("span", { class: "sd-walk" }, changeBack, back, this.slider, forward, change),
        el("span", { class: "sd-go" }, "continue to", finding, broke), this.compareLabel),
      el("div", { class: "sd-reads" }, this.place, this.token), this.body, this.missing);
    host.append(this.root);
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  /** Shows the transcript's steps; the release follows the `verdict` that is shown. */
  show({ transcript, feed, verdict, parts }) {
    if (this.transcript !== transcript) this.i = 0;
    Object.assign(this, { transcript, feed, verdict });
    const value = parts?.steps;
    if (value !== this.value) {
      this.value = value;
      this.book = value ? new StepBook(value) : null;
    }
    this.starts = [...new Set((feed?.findings ?? []).map(({ span }) => Math.min(span[0], transcript.count - 1)))].sort((a, b) => a - b);
    this.slider.max = String(Math.max(0, transcript.count - 1));
    const ready = Boolean(this.book) && transcript.count > 0;
    this.missing.hidden = ready;
    this.missing.textContent = transcript.count ? "The parser's steps are still being worked out." : "There are no tokens to step through.";
    for (const part of this.root.children) if (part !== this.missing) part.hidden = !ready;
    this.compareLabel.hidden = (this.book?.ways.length ?? 0) < 2;
    if (ready) this._tables();
  }

  /** The tables of the releases that are shown. */
  _tables() {
    const chosen = this.book.ways.find((way) => way.release === this.verdict?.release) ?? this.book.ways[0];
    this.ways = this.both ? [chosen, ...this.book.ways.filter((way) => way !== chosen)] : chosen ? [chosen] : [];
    this.body.classList.toggle("sd-both", this.ways.length > 1);
    while (this.tableList.length > this.ways.length) this.tableList.pop().root.remove();
    while (this.tableList.length < this.ways.length) this.tableList.push(new StepTable(this.tables, { all: () => this._all() }));
    this.at(this.i);
  }

  /** Another token was selected. */
  at(i) {
    const { transcript } = this;
    if (!transcript) return;
    // The token view selects a character that several tokens make up as a whole: stepping goes on within it.
    const within = i === transcript.drawnAt(this.i) && this.i < transcript.drawnEnd(i);
    this.i = within ? this.i : Math.max(0, Math.min(i, transcript.count - 1));
    if (this.book && transcript.count) this._draw();
  }

  _draw() {
    const { transcript, book, i } = this;
    this.slider.value = String(i);
    this.slider.setAttribute("aria-valuetext", `token ${i} of ${transcript.count}`);
    this.place.textContent = `token ${i.toLocaleString("en")} of ${transcript.count.toLocaleString("en")}`;
    const told = [...this._glyph(i), el("span", { class: "quiet" }, ` id ${transcript.dictionary.ids[transcript.index[i]]}`)];
    if (book.isIllegal(i)) told.push(el("span", { class: "sd-here" }, "✗ not legal here"));
    this.token.replaceChildren(...told);
    const reader = this._reader(i);
    this.ways.forEach((way, n) => this.tableList[n].show(way, i, reader, this.ways.length === 1));
    this._legal(i < book.count ? book.place(i + 1) : null, i + 1);
    const [way] = this.ways;
    this._enable("back", i > 0);
    this._enable("forward", i < transcript.count - 1);
    this._enable("changeBack", this._nextChange(-1) !== null);
    this._enable("change", this._nextChange(1) !== null);
    this._enable("finding", this.starts.some((start) => start > i));
    this._enable("broke", Boolean(way?.error) && Math.min(way.error.token, transcript.count - 1) !== i);
  }

  _enable(name, on) {
    this.buttons[name].setAttribute("aria-disabled", String(!on));
  }

  /** A token as it is drawn elsewhere, in a room of its own. */
  _glyph(i) {
    const { transcript } = this;
    const cells = transcript.dictionary.cells(transcript.index[i]);
    const bare = cells.length === 1 && (cells[0].kind === "marker" || cells[0].kind === "unknown");
    return [el("span", { class: `t ${bare ? cells[0].kind : ""}`, title: bare ? cells[0].help : undefined }, ...(bare ? [cells[0].text] : cellNodes(cells)))];
  }

  _legal(place, position) {
    const { transcript, book } = this;
    if (!place) {
      const stray = book.strayBefore(position);
      this.markers.replaceChildren(el("span", { class: "quiet" }, "–"));
      this.text.textContent = position > book.count ? "These tokens are still being worked out." : `Nothing well-formed can follow token ${stray} in this header: what is legal can be told again once the body begins.`;
    } else {
      const chips = place.markers.map(([name, why]) => el("span", { class: "t marker", title: why, "aria-label": `marker ${name}. ${why}` }, name));
      this.markers.replaceChildren(...(chips.length ? chips : [el("span", { class: "quiet" }, "no marker")]));
      const words = place.text.length ? place.text.join("; or ") : "no ordinary text";
      const why = place.markers.map(([, sentence]) => sentence).join(" ");
      this.text.replaceChildren(el("b", {}, "Text: "), words, ". ", el("span", { class: "quiet" }, why));
    }
    this.judged.replaceChildren(...this._verdict(place, position));
    this.judged.dataset.ok = String(!this.judged.textContent.startsWith("✗"));
  }

  _verdict(place, position) {
    const { transcript, book } = this;
    if (position >= transcript.count) {
      if (!place) return ["The transcript ends here."];
      return [place.end ? "✓ the transcript may end here" : "✗ the transcript ends here, within a message"];
    }
    const glyph = this._glyph(position);
    if (book.isIllegal(position)) return ["✗ the next token, ", ...glyph, ", is not legal here"];
    if (!place) return ["the next token, ", ...glyph, ", cannot be judged"];
    return ["✓ the next token, ", ...glyph, ", is legal here"];
  }

  /** Goes to a token and has it selected. The token view follows once a frame: a slider is dragged faster. */
  _to(i) {
    if (!this.book || i < 0 || i >= this.transcript.count) return;
    this.i = i;
    this._draw();
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.on.select(this.i);
    });
  }

  /** A release that reads token `i`, for where the chosen one has stopped; or null. */
  _reader(i) {
    return this.book.ways.find(({ error }) => !error || error.token >= i) ?? null;
  }

  /** The next (`by` 1) or previous (-1) change of state; behind the break that of a release which reads on, else the
      next message. Null when there is none. */
  _nextChange(by) {
    const { i, transcript } = this;
    const way = this.ways?.[0];
    if (!way) return null;
    const stop = way.error?.token ?? Infinity;
    if (by > 0 ? i < stop : i <= stop) return way.change(i, by);
    const reader = this._reader(by > 0 ? i + 1 : i);
    if (reader) {
      const to = reader.change(i, by);
      return by < 0 ? Math.max(to ?? stop, stop) : to;
    }
    const n = transcript.nodeAt(i);
    if (by > 0) return n + 1 < transcript.nodeCount ? transcript.node(n + 1).start : null;
    const start = transcript.node(n).start;
    return Math.max(stop, start < i || n === 0 ? start : transcript.node(n - 1).start);
  }

  /** Every release beside the chosen one; the keyboard goes on where that is switched. */
  _all() {
    this.compare.checked = true;
    this._compare(true);
    this.compare.focus();
  }

  _change(by) {
    const to = this.book ? this._nextChange(by) : null;
    if (to !== null) this._to(to);
  }

  _finding() {
    const next = this.starts?.find((start) => start > this.i);
    if (next !== undefined) this._to(next);
  }

  _broke() {
    const error = this.ways?.[0]?.error;
    if (error) this._to(Math.min(error.token, this.transcript.count - 1));
  }

  _compare(both) {
    this.both = both;
    if (this.book) this._tables();
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // As in the tokens; the slider of the browser would take PageDown for less.
    const scrolls = event.target === this.text || event.target.classList.contains("sd-said");
    const page = (by) => () => this._to(Math.max(0, Math.min(this.transcript.count - 1, this.on.page?.(by) ?? this.i + 20 * by)));
    const far = scrolls ? {} : { PageDown: page(1), PageUp: page(-1), Home: () => this._to(0), End: () => this._to(this.transcript.count - 1) };
    const keys = {
      ArrowLeft: () => (event.shiftKey ? this._change(-1) : this._to(this.i - 1)),
      ArrowRight: () => (event.shiftKey ? this._change(1) : this._to(this.i + 1)),
      n: () => this._finding(),
      b: () => this._broke(),
      ...far,
    };
    if (!keys[event.key] || !this.book) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** Nothing of it follows what is pointed at. */
  light() {}

  /** Nothing of it is measured. */
  refresh() {}
}
