/* Where every token stands: lines of boxes, computed once for a width, so that only the lines in sight are drawn.

   An item is what gets a box: a token (its index, >= 0) or something added (-1 - k, the k-th of `added`): a token
   that an edit inserts ("new"), a place between two tokens that a finding points at ("point"), the rest of a folded
   message ("fold"). When edits, folds or appended tokens change, what stands before the change is not laid out again. */

const LINE_HEIGHT = 27;
const MESSAGE_GAP = 11;
const SIGN_WIDTH = 9;
const POINT_WIDTH = 8;
const FOLD_EXTRA = 30;
const NO_FOLDS = new Set();

class Layout {
  /** Lays the items out in lines of `width` pixels. `points` are places between tokens (sorted, unique), `folds` the
      numbers of the messages that take one line. */
  constructor(transcript, edits, points, ruler, width, folds = NO_FOLDS) {
    Object.assign(this, { transcript, ruler, width, edits, points, folds });
    this.items = [];
    this.added = [];
    this.deleted = new Uint8Array(transcript.count);
    this.widthCache = [];
    this.lineItems = [];
    this.lineParts = [];
    this.lineTops = [];
    this._run(0);
  }

  /** Takes other edits, points or folds; `from` is the first token that may stand otherwise, for another reason. */
  update({ edits = this.edits, points = this.points, folds = this.folds }, from = Infinity) {
    const first = Math.min(from, firstOtherEdit(this.edits, edits), firstOtherPoint(this.points, points), this._firstOtherFold(folds));
    Object.assign(this, { edits, points, folds });
    if (first !== Infinity) this._run(first);
  }

  _firstOtherFold(folds) {
    let first = Infinity;
    for (const [some, others] of [[this.folds, folds], [folds, this.folds]]) {
      for (const n of some) if (!others.has(n)) first = Math.min(first, this.transcript.nodeStarts[n] ?? 0);
    }
    return first;
  }

  /** Drops what stands from the line of token `from - 1` on. Returns the token to go on with. */
  _cut(from) {
    let line = from > 0 && this.lineCount ? this.lineOf(from - 1) : 0;
    while (line > 0 && (this.items[this.firstOf(line)] < 0 || this.partAt(line))) line -= 1;
    const k = line > 0 ? this.firstOf(line) : 0;
    const token = line > 0 ? this.items[k] : 0;
    for (let j = k; j < this.items.length; j += 1) {
      if (this.items[j] < 0) {
        this.added.length = -1 - this.items[j];
        break;
      }
    }
    this.items.length = k;
    this._cutLines(line);
    const { count } = this.transcript;
    if (this.deleted.length < count) {
      const longer = new Uint8Array(Math.ceil(count * 1.5));
      longer.set(this.deleted.subarray(0, token));
      this.deleted = longer;
    } else this.deleted.fill(0, token);
    return token;
  }

  _cutLines(line) {
    this.lineItems.length = line;
    this.lineParts.length = line;
    this.lineTops.length = line;
    this.x = 0;
    this.force = true;
  }

  _run(from) {
    const { transcript, edits, points, folds, items, deleted } = this;
    const { count, nodeStarts, nodeCount } = transcript;
    let at = this._cut(from);
    let edit = 0;
    let point = 0;
    if (at > 0) {
      while (edit < edits.length && edits[edit][1] <= at) edit += 1;
      while (point < points.length && points[point] <= at) point += 1;
    }
    for (let e = edit; e < edits.length; e += 1) deleted.fill(1, Math.max(at, edits[e][0]), Math.max(at, edits[e][1]));
    let n = lastAtOrBefore(nodeStarts, at - 1);
    for (;;) {
      while (edit < edits.length && edits[edit][1] <= at) {
        const [, end, ids] = edits[edit];
        for (let k = 0; k < ids.length; k += 1) this._add({ kind: "new", place: transcript.dictionary.placeOf(ids[k]), edit, n: k, at: end });
        edit += 1;
      }
      while (point < points.length && points[point] <= at) this._add({ kind: "point", at: points[point++] });
      if (at >= count) break;
      let starts = false;
      while (n + 1 < nodeCount && nodeStarts[n + 1] <= at) {
        n += 1;
        starts = true;
      }
      if (starts && folds.size && folds.has(n)) {
        at = this._fold(n, at);
        while (edit < edits.length && edits[edit][0] < at && edits[edit][1] <= at) edit += 1;
        while (point < points.length && points[point] < at) point += 1;
        continue;
      }
      items.push(at);
      // What is put in before the very first token stays on its line.
      this._put(at, starts && at > 0);
      at = this._next(at);
    }
    this._end();
  }

  _next(at) {
    return this.transcript.drawnEnd(at);
  }

  /** The header of a folded message, as much of it as fits, and one item for the rest. Returns its end. */
  _fold(n, start) {
    const { end, bodyStart } = this.transcript.node(n);
    const room = this.width - this._foldWidth(start, end);
    let x = 0;
    let at = start;
    while (at < bodyStart) {
      x += this._widthOf(at);
      if (x > room) break;
      this.items.push(at);
      this._put(at, at === start && at > 0);
      at = this.transcript.drawnEnd(at);
    }
    if (at < end) this._add({ kind: "fold", at, end, node: n }, at === start && at > 0);
    this.force = true;
    return Math.max(at, end);
  }

  _foldWidth(at, end) {
    return this.ruler.width(foldWords(at, end), "marker") + FOLD_EXTRA;
  }

  _add(added, starts = false) {
    this.added.push(added);
    this.items.push(-this.added.length);
    this._put(-this.added.length, starts);
  }

  addedOf(item) {
    return this.added[-1 - item];
  }

  /** Cells of an item; a point and a fold have none. */
  cellsOf(item) {
    if (item >= 0) return this.transcript.cellsAt(item);
    const added = this.addedOf(item);
    return added.kind === "new" ? this.transcript.dictionary.cells(added.place) : [];
  }

  /** The tokens [start, end) that an item stands for; what is added stands before a token and for none. */
  extentOf(item) {
    if (item >= 0) return [item, this._next(item)];
    const { kind, at, end } = this.addedOf(item);
    return [at, kind === "fold" ? end : at];
  }

  _widthOf(item) {
    if (item < 0) {
      const { kind, n, at, end } = this.addedOf(item);
      if (kind === "point") return POINT_WIDTH;
      if (kind === "fold") return this._foldWidth(at, end);
      return this._cellsWidth(this.cellsOf(item)) + (n === 0 ? SIGN_WIDTH : 0);
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

  /** Puts the last item on the line, or on a new one. */
  _put(item, starts) {
    const k = this.items.length - 1;
    const size = this._widthOf(item);
    if (this.force || starts || this.x + size > this.width) this._line(k, 0, starts);
    if (size > this.width) {
      const parts = this.partsOf(item);
      for (let part = 1; part < parts; part += 1) this._line(k, part, false);
      this.x = this.width;
    }
    this.x += size;
    // A newline in a body breaks the line, as it does for a reader; in a header it would tear the header apart.
    if (item >= 0 && this._breaksAfter(item)) this.force = true;
  }

  _line(k, part, starts) {
    const last = this.lineTops.length - 1;
    let top = last >= 0 ? this.lineTops[last] + LINE_HEIGHT : 0;
    if (starts && last >= 0) top += MESSAGE_GAP;
    this.lineItems.push(k);
    this.lineParts.push(part);
    this.lineTops.push(top);
    this.x = 0;
    this.force = false;
  }

  _end() {
    const last = this.lineTops.length - 1;
    this.height = last >= 0 ? this.lineTops[last] + LINE_HEIGHT : 0;
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
    return this._widthOf(item) <= this.width || (item < 0 && this.addedOf(item).kind !== "new") ? 1 : this.slices(item).length;
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

  get lineHeight() {
    return LINE_HEIGHT;
  }

  topOf(line) {
    return this.lineTops[line];
  }

  /** Number of the first item on a line. */
  firstOf(line) {
    return this.lineItems[line];
  }

  /** Which part of a long item a line holds. */
  partAt(line) {
    return this.lineParts[line];
  }

  /** The line at a distance from the top. */
  lineAt(top) {
    return Math.max(0, lastAtOrBefore(this.lineTops, top));
  }

  /** The line that holds token `i`, the first one of several. */
  lineOf(i) {
    const k = this.itemOf(i);
    let line = Math.max(0, lastAtOrBefore(this.lineItems, k));
    while (line > 0 && this.lineItems[line - 1] === k) line -= 1;
    return line;
  }

  /** Number of the item that token `i` is drawn in. Items rise but for what was added between them. */
  itemOf(i) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.items[middle];
      if (this._position(item) <= i) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  _position(item) {
    if (item >= 0) return item;
    const { kind, at } = this.addedOf(item);
    return kind === "fold" ? at : at - 0.5;
  }

  /** Items [from, to) of a line. */
  rangeOf(line) {
    const from = this.lineItems[line];
    const next = line + 1 < this.lineCount ? this.lineItems[line + 1] : this.items.length;
    return [from, Math.max(next, from + 1)];
  }
}

/** Where two sorted lists of edits begin to differ: the first token that is touched; Infinity when nowhere. */
function firstOtherEdit(before, after) {
  if (before === after) return Infinity;
  for (let e = 0; e < Math.max(before.length, after.length); e += 1) {
    const [one, other] = [before[e], after[e]];
    if (!one || !other) return (one ?? other)[0];
    const same = one[0] === other[0] && one[1] === other[1] && one[2].length === other[2].length && one[2].every((id, k) => id === other[2][k]);
    if (!same) return Math.min(one[0], other[0]);
  }
  return Infinity;
}

function firstOtherPoint(before, after) {
  for (let p = 0; p < Math.max(before.length, after.length); p += 1) {
    if (before[p] !== after[p]) return Math.min(before[p] ?? Infinity, after[p] ?? Infinity);
  }
  return Infinity;
}

function foldWords(at, end) {
  return `… ${plural(end - at, "token")}`;
}
