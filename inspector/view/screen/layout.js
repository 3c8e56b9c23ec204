/* Where every token stands: lines of boxes, computed once for a width, so that only the lines in sight are drawn.

   An item is what gets a box: a token (its index, >= 0) or something added (-1 - k, the k-th of `added`): a token
   that an edit inserts, a place between two tokens that a finding points at, the end of the transcript. */

const LINE_HEIGHT = 27;
const MESSAGE_GAP = 11;
const TOKEN_EXTRA = 3;
const MARKER_EXTRA = 18;
const CHIP_EXTRA = 8;
const SIGN_WIDTH = 9;
const POINT_WIDTH = 8;

/** Widths of texts in the fonts of the view. Printable ASCII of a monospaced font needs no measuring. */
class Ruler {
  constructor(fonts) {
    this.context = document.createElement("canvas").getContext("2d");
    this.fonts = fonts;
    this.columns = {};
    for (const [name, font] of Object.entries(fonts)) {
      this.context.font = font;
      this.columns[name] = this.context.measureText("0").width;
    }
  }

  width(text, name) {
    if (/^[ -~]*$/.test(text)) return text.length * this.columns[name];
    this.context.font = this.fonts[name];
    return this.context.measureText(text).width;
  }

  cell(cell) {
    if (cell.kind === "marker" || cell.kind === "unknown") return this.width(cell.text, "marker") + MARKER_EXTRA - TOKEN_EXTRA;
    if (cell.kind === "ctl" || cell.kind === "byte") return this.width(cell.text, "chip") + CHIP_EXTRA;
    return this.width(cell.text, "text");
  }
}

class Layout {
  /** Lays the items out in lines of `width` pixels. `points` are places between tokens (sorted, unique). */
  constructor(transcript, edits, points, ruler, width) {
    Object.assign(this, { transcript, edits, ruler, width });
    this.added = [];
    this.deleted = new Uint8Array(transcript.count);
    this.items = this._items(points);
    this.widthCache = [];
    this._break();
  }

  _items(points) {
    const { transcript, edits } = this;
    const items = [];
    let point = 0;
    let at = 0;
    const keep = (end) => {
      while (at < end) {
        while (point < points.length && points[point] <= at) items.push(this._add({ kind: "point", at: points[point++] }));
        items.push(at);
        at = transcript.drawnEnd(at);
      }
    };
    edits.forEach(([start, end, ids], number) => {
      keep(start);
      for (let i = start; i < end; i += 1) this.deleted[i] = 1;
      keep(end);
      ids.forEach((id, n) => items.push(this._add({ kind: "new", place: transcript.dictionary.placeOf(id), edit: number, n, at: end })));
    });
    keep(transcript.count);
    while (point < points.length) items.push(this._add({ kind: "point", at: points[point++] }));
    return Int32Array.from(items);
  }

  _add(added) {
    this.added.push(added);
    return -this.added.length;
  }

  addedOf(item) {
    return this.added[-1 - item];
  }

  /** Cells of an item; a point has none. */
  cellsOf(item) {
    if (item >= 0) return this.transcript.cellsAt(item);
    const added = this.addedOf(item);
    return added.kind === "new" ? this.transcript.dictionary.cells(added.place) : [];
  }

  _widthOf(item) {
    if (item < 0) {
      const added = this.addedOf(item);
      if (added.kind === "point") return POINT_WIDTH;
      return this._cellsWidth(this.cellsOf(item)) + (added.n === 0 ? SIGN_WIDTH : 0);
    }
    if (this.transcript.groups.has(item)) return this._cellsWidth(this.cellsOf(item));
    const place = this.transcript.index[item];
    const cached = this.widthCache[place];
    if (cached !== undefined) return cached;
    const width = this._cellsWidth(this.cellsOf(item));
    this.widthCache[place] = width;
    return width;
  }

  _cellsWidth(cells) {
    let sum = TOKEN_EXTRA;
    for (const cell of cells) sum += this.ruler.cell(cell);
    return sum;
  }

  /** Fills lineItems (first item of each line), lineParts (which part of a long item), lineTops. */
  _break() {
    const { items, transcript, width } = this;
    const starts = new Set(transcript.nodeStarts);
    const lineItems = [];
    const lineParts = [];
    const lineTops = [];
    let top = 0;
    let x = 0;
    let open = false;
    let force = false;
    const newLine = (k, part) => {
      if (open) top += LINE_HEIGHT;
      if (part === 0 && items[k] > 0 && starts.has(items[k])) top += MESSAGE_GAP;
      lineItems.push(k);
      lineParts.push(part);
      lineTops.push(top);
      x = 0;
      open = true;
      force = false;
    };
    for (let k = 0; k < items.length; k += 1) {
      const item = items[k];
      const size = this._widthOf(item);
      if (!open || force || x + size > width || (item > 0 && starts.has(item))) newLine(k, 0);
      if (size > width) {
        for (let part = 1; part < this.partsOf(item); part += 1) newLine(k, part);
        x = width;
      }
      x += size;
      // A newline in a body breaks the line, as it does for a reader; in a header it would tear the header apart.
      if (item >= 0 && this._breaksAfter(item)) force = true;
    }
    this.lineItems = Int32Array.from(lineItems);
    this.lineParts = Int32Array.from(lineParts);
    this.lineTops = Int32Array.from(lineTops);
    this.height = lineTops.length ? top + LINE_HEIGHT : 0;
  }

  _breaksAfter(item) {
    const cells = this.cellsOf(item);
    return cells.length > 0 && cells[cells.length - 1].kind === "nl" && this.transcript.kindAt(item) === "body";
  }

  /** Characters of a long item that fit on a line. */
  _room() {
    return Math.max(4, Math.floor(this.width / this.ruler.columns.text) - 4);
  }

  /** How many lines an item takes that is wider than one. */
  partsOf(item) {
    const size = this._widthOf(item);
    if (size <= this.width) return 1;
    return Math.ceil(this.slices(item).length);
  }

  /** A long item cut into rows of cells. */
  slices(item) {
    const room = this._room() * this.ruler.columns.text;
    const rows = [[]];
    let x = 0;
    for (const cell of this.cellsOf(item)) {
      const pieces = cell.kind === "" ? Array.from(cell.text) : [cell.text];
      for (const text of pieces) {
        const piece = { ...cell, text };
        const size = this.ruler.cell(piece);
        if (x + size > room && rows[rows.length - 1].length) {
          rows.push([]);
          x = 0;
        }
        const row = rows[rows.length - 1];
        const last = row[row.length - 1];
        if (cell.kind === "" && last && last.kind === "") last.text += text;
        else row.push(piece);
        x += size;
      }
    }
    return rows;
  }

  get lineCount() {
    return this.lineItems.length;
  }

  /** The line at a distance from the top. */
  lineAt(top) {
    return Math.max(0, lastAtOrBefore(this.lineTops, top));
  }

  /** The line that holds token `i` (or the place before it). */
  lineOf(i) {
    const drawn = this.transcript.drawnAt(Math.min(i, this.transcript.count - 1));
    return Math.max(0, lastAtOrBefore(this.lineItems, this.itemOf(drawn)));
  }

  /** Where token `i` stands among the items. Items rise but for what was added between them. */
  itemOf(i) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.items[middle];
      const position = item >= 0 ? item : this.addedOf(item).at - 0.5;
      if (position < i) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Items [from, to) of a line. */
  rangeOf(line) {
    const from = this.lineItems[line];
    const next = line + 1 < this.lineCount ? this.lineItems[line + 1] : this.items.length;
    return [from, Math.max(next, from + 1)];
  }
}
