/* The rows of the diff: every stretch of the alignment broken into lines, lines beside each other into rows. */

const DIFF_CONTEXT = 2;
const MAX_JOINED = 6;

/** A run of tokens broken into lines of a width. An item that is wider than a line takes several. */
class DiffRun {
  constructor(alignment, items, ruler, width) {
    Object.assign(this, { alignment, items, ruler, width });
    this.transcript = alignment.transcript;
    this.drawn = this._drawn();
    this._break();
  }

  /** Where each drawn thing begins among the items: a character over several tokens is one. */
  _drawn() {
    const { items, transcript } = this;
    const starts = [];
    for (let k = 0; k < items.length;) {
      starts.push(k);
      k += items[k] >= 0 ? this._groupAt(k) : this._joinedAt(k);
    }
    starts.push(items.length);
    return Int32Array.from(starts);
  }

  /** How many tokens from k on make up one character of the original, all of them in this run. */
  _groupAt(k) {
    const end = this.transcript.groups.get(this.items[k]);
    if (end === undefined) return 1;
    const count = end - this.items[k];
    return this.items[k + count - 1] === end - 1 ? count : 1;
  }

  /** The same for fresh tokens, by their bytes. */
  _joinedAt(k) {
    const { dictionary } = this.transcript;
    const { alignment, items } = this;
    const text = (at) => items[at] < 0 && !dictionary.markers.has(alignment.placeOf(items[at])) && !dictionary.isUnknown(alignment.placeOf(items[at]));
    if (!text(k) || decodeOrNull(dictionary.data[alignment.placeOf(items[k])]) !== null) return 1;
    const parts = [dictionary.data[alignment.placeOf(items[k])]];
    for (let n = 1; n < MAX_JOINED && k + n < items.length && text(k + n); n += 1) {
      parts.push(dictionary.data[alignment.placeOf(items[k + n])]);
      if (decodeOrNull(concatenated(parts)) !== null) return n + 1;
    }
    return 1;
  }

  /** What is drawn for the d-th thing. */
  cellsOf(d) {
    const [from, to] = [this.drawn[d], this.drawn[d + 1]];
    const { dictionary } = this.transcript;
    if (to - from === 1) return dictionary.cells(this.alignment.placeOf(this.items[from]));
    const parts = [];
    for (let k = from; k < to; k += 1) parts.push(dictionary.data[this.alignment.placeOf(this.items[k])]);
    return cellsOfBytes(concatenated(parts));
  }

  /** Fills lineStarts (the first drawn thing of each line) and lineParts (which part of a long one). */
  _break() {
    const { transcript, width } = this;
    const widths = [];
    const starts = [];
    const parts = [];
    let x = 0;
    let force = true;
    for (let d = 0; d + 1 < this.drawn.length; d += 1) {
      const item = this.items[this.drawn[d]];
      const single = this.drawn[d + 1] - this.drawn[d] === 1;
      const place = this.alignment.placeOf(item);
      let size = single ? widths[place] : undefined;
      if (size === undefined) {
        size = TOKEN_EXTRA;
        for (const cell of this.cellsOf(d)) size += this.ruler.cell(cell);
        if (single) widths[place] = size;
      }
      if (force || x + size > width || this._opens(d)) {
        starts.push(d);
        parts.push(0);
        x = 0;
      }
      force = false;
      if (size > width) {
        const count = this.slices(d).length;
        for (let part = 1; part < count; part += 1) {
          starts.push(d);
          parts.push(part);
        }
        x = width;
      }
      x += size;
      const cells = this.cellsOf(d);
      const last = cells[cells.length - 1];
      if (last && last.kind === "nl" && (item < 0 || transcript.kindAt(item) === "body")) force = true;
    }
    this.lineStarts = Int32Array.from(starts);
    this.lineParts = Int32Array.from(parts);
  }

  /** Whether a message begins with the d-th thing. */
  _opens(d) {
    const item = this.items[this.drawn[d]];
    if (item < 0) return this.transcript.dictionary.markers.get(this.alignment.placeOf(item))?.[0] === "start";
    const n = this.transcript.nodeAt(item);
    return n >= 0 && this.transcript.nodeStarts[n] === item;
  }

  /** A thing that is wider than a line, cut into rows of cells. */
  slices(d) {
    const room = Math.max(40, this.width - TOKEN_EXTRA);
    const rows = [[]];
    let x = 0;
    for (const cell of this.cellsOf(d)) {
      for (const text of cell.kind === "" ? Array.from(cell.text) : [cell.text]) {
        const size = this.ruler.cell({ ...cell, text });
        if (x + size > room && rows[rows.length - 1].length) {
          rows.push([]);
          x = 0;
        }
        const row = rows[rows.length - 1];
        const last = row[row.length - 1];
        if (cell.kind === "" && last && last.kind === "") last.text += text;
        else row.push({ ...cell, text });
        x += size;
      }
    }
    return rows;
  }

  get lineCount() {
    return this.lineStarts.length;
  }

  /** What stands on a line: {items, cells, first} in order; `first` is false for the rest of a long one. */
  *line(number) {
    const from = this.lineStarts[number];
    const part = this.lineParts[number];
    const next = number + 1 < this.lineCount ? this.lineStarts[number + 1] : this.drawn.length - 1;
    for (let d = from; d < Math.max(next, from + 1); d += 1) {
      const long = part > 0 || (number + 1 < this.lineCount && this.lineStarts[number + 1] === d);
      yield {
        items: this.items.subarray ? this.items.subarray(this.drawn[d], this.drawn[d + 1]) : this.items.slice(this.drawn[d], this.drawn[d + 1]),
        cells: long ? this.slices(d)[part] : this.cellsOf(d), first: part === 0,
      };
    }
  }

  /** The line on which an original token stands, or -1. */
  lineOf(i) {
    const k = this.items.indexOf(i);
    if (k < 0) return -1;
    const d = lastAtOrBefore(this.drawn, k);
    let line = lastAtOrBefore(this.lineStarts, d);
    while (line > 0 && this.lineStarts[line - 1] === d) line -= 1;
    return line;
  }
}

/** Rows for a mask of columns. A band is {kind, at, count, stretch, lanes: [{run, mask, from, sign}]}. */
class DiffRows {
  /** `unfolded` holds the stretches (by number) that a person opened; null when nothing is folded. */
  constructor(alignment, { shown, unified, ruler, width, unfolded }) {
    const { stretches, changes } = stretchesOf(alignment, shown);
    Object.assign(this, { alignment, shown, unified, stretches, changes });
    this.firstRows = [];
    this.bands = [];
    this.count = 0;
    stretches.forEach((stretch, number) => {
      for (const lane of stretch.lanes) lane.run = new DiffRun(alignment, lane.items, ruler, width);
      if (stretch.change < 0) this._same(stretch, number, unfolded);
      else this._change(stretch, number);
    });
    this.tops = this.bands.map((band) => band.at);
  }

  _band(kind, count, stretch, lanes, more = {}) {
    if (count) this.bands.push({ kind, at: this.count, count, stretch, lanes, ...more });
    this.count += count;
  }

  _same(stretch, number, unfolded) {
    const [lane] = stretch.lanes;
    const count = lane.run.lineCount;
    const head = number === 0 ? 0 : DIFF_CONTEXT;
    const tail = number === this.stretches.length - 1 ? 0 : DIFF_CONTEXT;
    const lines = (from, to) => this._band("same", to - from, stretch, [{ ...lane, from, sign: "" }]);
    if (!unfolded || unfolded.has(number) || count <= head + tail + 1) {
      lines(0, count);
      return;
    }
    const { run } = lane;
    const tokens = (line) => (line < count ? run.drawn[run.lineStarts[line]] : run.items.length);
    lines(0, head);
    this._band("fold", 1, stretch, [], { number, tokens: tokens(count - tail) - tokens(head) });
    lines(count - tail, count);
  }

  _change(stretch, number) {
    if (this.firstRows[stretch.change] === undefined) this.firstRows[stretch.change] = this.count;
    if (!this.unified) {
      this._band("change", Math.max(...stretch.lanes.map((lane) => lane.run.lineCount)), stretch, stretch.lanes.map((lane) => ({ ...lane, from: 0, sign: "" })));
      return;
    }
    // All that goes, then all that comes: the stretches of a change follow each other.
    if (this.stretches[number - 1]?.change === stretch.change) return;
    let end = number;
    while (this.stretches[end]?.change === stretch.change) end += 1;
    const left = this.shown & -this.shown;
    const mine = this.stretches.slice(number, end);
    for (const [sign, wanted] of [["−", left], ["+", this.shown & ~left]]) {
      for (const part of mine) {
        for (const lane of part.lanes) {
          lane.run ??= new DiffRun(this.alignment, lane.items, mine[0].lanes[0].run.ruler, mine[0].lanes[0].run.width);
          if (lane.mask === wanted) this._band("change", lane.run.lineCount, part, [{ ...lane, from: 0, sign }]);
        }
      }
    }
  }

  bandAt(row) {
    return this.bands[lastAtOrBefore(this.tops, row)];
  }

  /** The number of the stretch that all columns have and that holds an original token, or -1. */
  stretchOf(i) {
    return this.stretches.findIndex((stretch) => stretch.change < 0 && stretch.lanes[0].items.indexOf(i) >= 0);
  }

  /** The row on which an original token stands in some column, or -1 (it may be folded away). */
  rowOf(i) {
    for (const band of this.bands) {
      for (const lane of band.lanes) {
        const line = lane.run.lineOf(i) - lane.from;
        if (line >= 0 && line < band.count) return band.at + line;
      }
    }
    return -1;
  }

  /** The tokens of a column (0, 1, 2) as they are drawn, as ids: what the rows say when they are read one after the other. */
  idsOf(column) {
    const { alignment } = this;
    const { dictionary } = alignment.transcript;
    const ids = [];
    for (const band of this.bands) {
      for (const lane of band.lanes) {
        if (!(lane.mask & (1 << column))) continue;
        for (let row = 0; row < band.count && lane.from + row < lane.run.lineCount; row += 1) {
          for (const { items, first } of lane.run.line(lane.from + row)) {
            if (first) for (const item of items) ids.push(dictionary.ids[alignment.placeOf(item)]);
          }
        }
      }
    }
    return ids;
  }
}
