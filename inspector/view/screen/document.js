/* The transcript in the browser: its dictionary, its tokens, its tree. Filled once; tokens that are generated later
   are appended together with the new reading of the tail. */

class Dictionary {
  constructor(head, sections) {
    this.ids = [];
    this.data = [];
    this.known = new Map();
    this.markers = new Map();
    this.cellCache = [];
    // Where an entry of the sender stands here: edits may have added ids of their own in between.
    this.places = [];
    this.extend(head, sections, 0);
  }

  /** Adds the sender's entries from number `first` on; `sections` holds them alone. */
  extend(head, sections, first) {
    const { ids, lengths, bytes } = sections;
    let at = 0;
    for (let k = 0; k < ids.length; k += 1) {
      const id = head.huge[first + k] ?? String(ids[k]);
      const data = bytes.subarray(at, at + lengths[k]);
      at += lengths[k];
      const place = this.known.get(id) ?? this._put(id, data);
      this.places.push(place);
      const marker = head.markers[first + k];
      if (marker) this.markers.set(place, marker);
    }
  }

  /** Adds ids that only edits have; each row is [id, bytes] or [id, bytes, name, help]. */
  add(rows) {
    for (const [id, bytes, name, help] of rows) {
      if (this.known.has(String(id))) continue;
      const place = this._put(String(id), Uint8Array.from(bytes));
      if (name !== undefined) this.markers.set(place, [name, help]);
    }
  }

  _put(id, data) {
    const place = this.ids.push(id) - 1;
    this.data.push(data);
    this.known.set(id, place);
    return place;
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
    this.dictionary = new Dictionary(head, sections);
    this.index = sections.index;
    this.leafStarts = sections.leaf_starts;
    this.leafKinds = sections.leaf_kinds;
    this.origins = sections.origins ?? null;
    this.logprobs = sections.logprobs ?? null;
    this._setNodes(sections.nodes);
    this.groups = new Map();
    this.groupOf = new Map();
    this.alike = new Set();
    this.groupCells = new Map();
    this.groupPairs = [];
    this.alikePairs = [];
    this._setGroups(0, sections.groups);
    this._setAlike(0, sections.alike);
  }

  /** Takes a packed appendix (see pack_appendix): more tokens, and the tail of the reading that they changed.

      Returns the first token from which on lines may break otherwise. Throws an Error with one sentence when the
      appendix does not continue these tokens. */
  append(bytes) {
    const { head, sections } = unpackContainer(bytes);
    const { kept } = head;
    if (!kept || head.digest !== this.digest || head.base !== this.count || kept.index !== this.count) {
      throw new Error("These tokens do not continue the ones that are shown: reload the page.");
    }
    let from = Math.min(this._firstChangedLeaf(kept, sections), this._firstChangedNode(kept, sections), this.count);
    from = Math.min(from, this.groupPairs[kept.groups] ?? from, sections.groups[0] ?? from);
    this.dictionary.extend(head, sections, kept.ids);
    const { places } = this.dictionary;
    this.index = joined(Uint32Array, this.index, kept.index, Uint32Array.from(sections.index, (entry) => places[entry]));
    this.leafStarts = joined(Uint32Array, this.leafStarts, kept.leaf_starts, sections.leaf_starts);
    this.leafKinds = joined(Uint8Array, this.leafKinds, kept.leaf_kinds, sections.leaf_kinds);
    this.origins = sections.origins ? joined(Uint8Array, this.origins ?? [], kept.origins, sections.origins) : null;
    this.logprobs = sections.logprobs ? joined(Float32Array, this.logprobs ?? [], kept.logprobs, sections.logprobs) : null;
    this._setGroups(kept.groups, sections.groups);
    this._setAlike(kept.alike, sections.alike);
    this.head.labels = [...this.head.labels.slice(0, kept.labels), ...head.labels];
    this._setNodes(joined(Uint32Array, this.nodeRows, kept.nodes, sections.nodes));
    Object.assign(this, { count: head.count, role: head.role, strict: head.strict });
    this.head.open = head.open;
    return from;
  }

  _firstChangedLeaf(kept, { leaf_starts: starts }) {
    const leaf = Math.min(kept.leaf_starts, kept.leaf_kinds);
    const fresh = leaf < kept.leaf_starts ? this.leafStarts[leaf] : starts[0];
    return Math.min(this.leafStarts[leaf] ?? Infinity, fresh ?? Infinity);
  }

  /** A node that only grew, or whose message says something else, breaks no line anew. */
  _firstChangedNode(kept, { nodes }) {
    const first = kept.nodes / NODE_FIELDS;
    for (let k = 0; first + k < this.nodeCount || k * NODE_FIELDS < nodes.length; k += 1) {
      const old = this.nodeStarts[first + k] ?? Infinity;
      const fresh = nodes[k * NODE_FIELDS] ?? Infinity;
      if (old !== fresh) return Math.min(old, fresh);
    }
    return Infinity;
  }

  _setNodes(rows) {
    this.nodeRows = rows;
    this.nodeCount = rows.length / NODE_FIELDS;
    this.nodeStarts = new Uint32Array(this.nodeCount);
    for (let n = 0; n < this.nodeCount; n += 1) this.nodeStarts[n] = rows[n * NODE_FIELDS];
  }

  _setGroups(kept, pairs) {
    for (let g = kept; g < this.groupPairs.length; g += 2) {
      this.groups.delete(this.groupPairs[g]);
      this.groupCells.delete(this.groupPairs[g]);
      for (let i = this.groupPairs[g]; i < this.groupPairs[g + 1]; i += 1) this.groupOf.delete(i);
    }
    this.groupPairs.length = kept;
    for (let g = 0; g < pairs.length; g += 2) {
      this.groupPairs.push(pairs[g], pairs[g + 1]);
      this.groups.set(pairs[g], pairs[g + 1]);
      for (let i = pairs[g]; i < pairs[g + 1]; i += 1) this.groupOf.set(i, pairs[g]);
    }
  }

  _setAlike(kept, pairs) {
    for (let a = kept; a < this.alikePairs.length; a += 2) {
      for (let i = this.alikePairs[a]; i < this.alikePairs[a + 1]; i += 1) this.alike.delete(i);
    }
    this.alikePairs.length = kept;
    for (const edge of pairs) this.alikePairs.push(edge);
    // Neighbours may share a token, so the last one that stayed is entered again.
    for (let a = Math.max(0, kept - 2); a < this.alikePairs.length; a += 2) {
      for (let i = this.alikePairs[a]; i < this.alikePairs[a + 1]; i += 1) this.alike.add(i);
    }
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

  /** The text of the tokens [from, to): markers as they are printed, U+FFFD for what is no text. */
  text(from, to) {
    const { dictionary } = this;
    const parts = [];
    for (let i = Math.max(0, from); i < Math.min(to, this.count); i += 1) {
      const place = this.index[i];
      parts.push(dictionary.isUnknown(place) ? UNKNOWN_BYTES : dictionary.data[place]);
    }
    return LENIENT_DECODER.decode(concatenated(parts));
  }

  /** The ids of the tokens [from, to), as strings: some are beyond what a number holds. */
  ids(from, to) {
    return Array.from(this.index.subarray(Math.max(0, from), Math.min(to, this.count)), (place) => this.dictionary.ids[place]);
  }
}

/** The first `kept` elements of `old`, then all of `fresh`, as a typed array. */
function joined(Type, old, kept, fresh) {
  const out = new Type(kept + fresh.length);
  out.set(old.length > kept ? old.slice(0, kept) : old);
  out.set(fresh, kept);
  return out;
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
