/* The transcript in the browser: its dictionary, its tokens, its tree. Filled once, never changed. */

class Dictionary {
  constructor(head, sections) {
    this.ids = Array.from(sections.ids, String);
    for (const [place, text] of Object.entries(head.huge)) this.ids[place] = text;
    this.data = [];
    let at = 0;
    for (const length of sections.lengths) {
      this.data.push(sections.bytes.subarray(at, at + length));
      at += length;
    }
    this.markers = new Map(Object.entries(head.markers).map(([place, marker]) => [Number(place), marker]));
    this.known = new Map(this.ids.map((id, place) => [id, place]));
    this.cellCache = [];
  }

  /** Adds ids that only edits have; each row is [id, bytes] or [id, bytes, name, help]. */
  add(rows) {
    for (const [id, bytes, name, help] of rows) {
      if (this.known.has(String(id))) continue;
      const place = this.ids.push(String(id)) - 1;
      this.data.push(Uint8Array.from(bytes));
      this.known.set(String(id), place);
      if (name !== undefined) this.markers.set(place, [name, help]);
    }
  }

  /** The place of an id; every id that is drawn has one. */
  placeOf(id) {
    return this.known.get(String(id));
  }

  isUnknown(place) {
    return this.data[place].length === 0;
  }

  /** What is drawn for an entry, as cells; a marker's cell is its name. */
  cells(place) {
    const cached = this.cellCache[place];
    if (cached !== undefined) return cached;
    const marker = this.markers.get(place);
    let cells;
    if (marker) cells = [{ text: marker[0], kind: "marker", help: marker[1] }];
    else if (this.isUnknown(place)) cells = [{ text: `? ${this.ids[place]}`, kind: "unknown", help: "not in the vocabulary" }];
    else cells = cellsOfBytes(this.data[place]);
    this.cellCache[place] = cells;
    return cells;
  }
}

const NODE_FIELDS = 6;
const NODE_INCOMPLETE = 1;
const NODE_STRAY = 2;
const EMPTY_LABEL = { role: "" };

class Transcript {
  constructor(bytes) {
    const { head, sections } = unpackContainer(bytes);
    Object.assign(this, { head, digest: head.digest, count: head.count, role: head.role, strict: head.strict });
    this.index = sections.index;
    this.dictionary = new Dictionary(head, sections);
    this.leafStarts = sections.leaf_starts;
    this.leafKinds = sections.leaf_kinds;
    this.nodeRows = sections.nodes;
    this.nodeCount = sections.nodes.length / NODE_FIELDS;
    this.nodeStarts = new Uint32Array(this.nodeCount);
    for (let n = 0; n < this.nodeCount; n += 1) this.nodeStarts[n] = this.nodeRows[n * NODE_FIELDS];
    this.groups = new Map();
    this.groupOf = new Map();
    for (let g = 0; g < sections.groups.length; g += 2) {
      this.groups.set(sections.groups[g], sections.groups[g + 1]);
      for (let i = sections.groups[g]; i < sections.groups[g + 1]; i += 1) this.groupOf.set(i, sections.groups[g]);
    }
    this.alike = new Set();
    for (let a = 0; a < sections.alike.length; a += 2) {
      for (let i = sections.alike[a]; i < sections.alike[a + 1]; i += 1) this.alike.add(i);
    }
    this.groupCells = new Map();
  }

  /** The node that token `i` is in, or -1. */
  nodeAt(i) {
    return i < 0 || i >= this.count ? -1 : lastAtOrBefore(this.nodeStarts, i);
  }

  /** A node's place and fields. */
  node(n) {
    const row = this.nodeRows.subarray(n * NODE_FIELDS, (n + 1) * NODE_FIELDS);
    const label = row[4] ? this.head.labels[row[4] - 1] : EMPTY_LABEL;
    return {
      start: row[0], end: row[1], bodyStart: row[2], bodyEnd: row[3], label, isMessage: row[4] > 0,
      isStray: (row[5] & NODE_STRAY) !== 0, isIncomplete: (row[5] & NODE_INCOMPLETE) !== 0,
    };
  }

  /** The kind of leaf that token `i` is in: "marker", "body", "channel" ... */
  kindAt(i) {
    return this.head.kinds[this.leafKinds[lastAtOrBefore(this.leafStarts, i)]];
  }

  /** What is drawn for the tokens from `i` on that belong together (one, as a rule). */
  cellsAt(i) {
    const end = this.groups.get(i);
    if (end === undefined) return this.dictionary.cells(this.index[i]);
    let cells = this.groupCells.get(i);
    if (cells === undefined) {
      cells = cellsOfBytes(concatenated(this.partsOf(i, end)));
      this.groupCells.set(i, cells);
    }
    return cells;
  }

  /** The first token of the character that token `i` is a part of. */
  drawnAt(i) {
    return this.groupOf.get(i) ?? i;
  }

  /** One past the last token that is drawn with token `i`. */
  drawnEnd(i) {
    return this.groups.get(i) ?? i + 1;
  }

  partsOf(start, end) {
    const parts = [];
    for (let i = start; i < end; i += 1) parts.push(this.dictionary.data[this.index[i]]);
    return parts;
  }
}

/** The last index whose value is <= `value` in a sorted array, or -1. */
function lastAtOrBefore(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function concatenated(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
