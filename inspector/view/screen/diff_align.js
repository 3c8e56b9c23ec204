/* What the emitted, the repaired and the re-encoded tokens have in common: one alignment of three sequences.

   Repair and next prompt arrive as edits of the emitted tokens. Edits of both that touch make up a hunk; outside of
   hunks all three are equal. Inside, tokens kept from the original are the same token; what the repair and the prompt
   both wrote is found by comparing ids. The outcome is a list of blocks, each a run of tokens and the columns that
   have it. Read one column of all blocks and you have exactly that column's tokens. */

const EMITTED = 1;
const REPAIRED = 2;
const PROMPT = 4;
const MAX_TABLE = 40000;
const DIFF_PAIRS = [[EMITTED, REPAIRED], [REPAIRED, PROMPT], [EMITTED, PROMPT]];

/** The edits of one column: fresh tokens as places in the dictionary, without what an edit merely repeats. */
class DiffColumn {
  constructor(transcript, edits) {
    this.edits = edits.map(([start, end, ids, keys]) => {
      let places = ids.map((id) => transcript.dictionary.placeOf(id));
      let [from, to] = [start, end];
      let same = 0;
      while (same < places.length && from < to && places[same] === transcript.index[from]) { same += 1; from += 1; }
      places = places.slice(same);
      while (places.length && from < to && places[places.length - 1] === transcript.index[to - 1]) { places.pop(); to -= 1; }
      return { start: from, end: to, places, keys };
    });
    this.starts = this.edits.map((edit) => edit.start);
  }

  /** The edit that takes token `i` out, or null. */
  over(i) {
    const at = lastAtOrBefore(this.starts, i);
    // Insertions at the same place stand behind an edit that begins there.
    for (let e = at; e >= 0 && e >= at - 1; e -= 1) if (i < this.edits[e].end) return this.edits[e];
    return null;
  }
}

/** Stretches [start, end) of the original that an edit of any column touches, in order, apart from each other. */
function hunksOf(columns) {
  const spans = columns.flatMap((column) => column.edits).filter((e) => e.end > e.start || e.places.length)
    .map((e) => [e.start, e.end]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const hunks = [];
  for (const [start, end] of spans) {
    const last = hunks[hunks.length - 1];
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else hunks.push([start, end]);
  }
  return hunks;
}

class Alignment {
  /** `repair` and `prompt` are edits of the emitted tokens, or null where there is no such column. */
  constructor(transcript, repair, prompt) {
    this.transcript = transcript;
    this.fresh = [];
    this.blocks = [];
    this.columns = [null, repair && new DiffColumn(transcript, repair), prompt && new DiffColumn(transcript, prompt)];
    this.mask = EMITTED | (repair ? REPAIRED : 0) | (prompt ? PROMPT : 0);
    let at = 0;
    for (const [start, end] of hunksOf(this.columns.filter(Boolean))) {
      this._keep(at, start);
      this._hunk(start, end);
      at = end;
    }
    this._keep(at, transcript.count);
  }

  _keep(from, to) {
    if (to <= from) return;
    const items = new Int32Array(to - from);
    for (let i = from; i < to; i += 1) items[i - from] = i;
    this.blocks.push({ mask: this.mask, items, keys: [[], [], []] });
  }

  /** A fresh token's code; what it says is in `fresh`: its place in the dictionary and where its edit is. */
  _new(place, edit) {
    this.fresh.push({ place, start: edit.start, end: edit.end });
    return -this.fresh.length;
  }

  freshOf(item) {
    return this.fresh[-1 - item];
  }

  /** The place in the dictionary of an item. */
  placeOf(item) {
    return item >= 0 ? this.transcript.index[item] : this.freshOf(item).place;
  }

  /** The tokens of one column in [start, end): codes, and for the fresh ones their edit. */
  _tokens(column, start, end) {
    const codes = [];
    const edits = [];
    let at = start;
    const keep = (to) => {
      for (; at < to; at += 1) { codes.push(at); edits.push(null); }
    };
    let e = column ? Math.max(0, lastAtOrBefore(column.starts, start - 1)) : 0;
    for (; column && e < column.edits.length && column.edits[e].start <= end; e += 1) {
      const edit = column.edits[e];
      if (edit.end < start || edit.start < start) continue;
      keep(edit.start);
      for (const place of edit.places) { codes.push(this._new(place, edit)); edits.push(edit); }
      at = Math.max(at, edit.end);
    }
    keep(end);
    return { codes, edits };
  }

  _hunk(start, end) {
    const rows = this.columns.map((column, c) => (c === 0 || column ? this._tokens(column, start, end) : { codes: [], edits: [] }));
    // The class of a token: equal tokens of different columns share one. Emitted tokens are 0, 1, 2 ...
    let classes = end - start;
    const classOf = rows.map(({ codes }) => codes.map((code) => (code >= 0 ? code - start : classes++)));
    const own = classOf.map((row) => [...row]);
    this.borrowed = new Map();
    if (this.columns[1] && this.columns[2]) this._pair(rows, classOf);
    const members = new Map();
    classOf.forEach((row, c) => row.forEach((k) => members.set(k, (members.get(k) ?? 0) | (1 << c))));
    this._merge(rows, classOf, own, members);
  }

  /** Finds what repair and prompt have in common within a hunk and gives it one class. */
  _pair([, repaired, prompt], [, inRepair, inPrompt]) {
    // By class, the token that was given it, so that a pair can be taken apart.
    const match = (b, c) => {
      if (repaired.codes[b] < 0) {
        inRepair[b] = inPrompt[c];
        this.borrowed.set(inPrompt[c], { c: 1, at: b });
      } else {
        inPrompt[c] = inRepair[b];
        this.borrowed.set(inRepair[b], { c: 2, at: c });
      }
    };
    // Two tokens of the original that are not the same one stay apart, though they say the same: one must be fresh.
    const equal = (b, c) => (repaired.codes[b] < 0 || prompt.codes[c] < 0) && this.placeOf(repaired.codes[b]) === this.placeOf(prompt.codes[c]);
    const where = new Map(prompt.codes.map((code, c) => [code, c]));
    let [b0, c0] = [0, 0];
    repaired.codes.forEach((code, b) => {
      const c = code >= 0 ? where.get(code) : undefined;
      if (c === undefined) return;
      pairEqual(b0, b, c0, c, equal, match);
      [b0, c0] = [b + 1, c + 1];
    });
    pairEqual(b0, repaired.codes.length, c0, prompt.codes.length, equal, match);
  }

  /** Puts the three rows of tokens into one order and writes it as blocks. */
  _merge(rows, classOf, own, members) {
    const heads = [0, 0, 0];
    const count = rows.reduce((sum, { codes }) => sum + codes.length, 0);
    let block = null;
    for (let taken = 0; taken < count;) {
      let ready = -1;
      for (let c = 0; c < 3; c += 1) {
        const k = classOf[c][heads[c]];
        if (k === undefined) continue;
        const mask = members.get(k);
        if (![0, 1, 2].every((d) => !(mask & (1 << d)) || classOf[d][heads[d]] === k)) continue;
        // What goes on as before comes first, so that runs stay whole.
        if (ready < 0 || (block && mask === block.mask)) ready = k;
        if (block && mask === block.mask) break;
      }
      if (ready < 0) {
        this._part(heads, classOf, own, members);
        continue;
      }
      const mask = members.get(ready);
      if (!block || block.mask !== mask) {
        block = { mask, items: [], keys: [new Set(), new Set(), new Set()] };
        this.blocks.push(block);
      }
      const codes = [];
      for (let c = 0; c < 3; c += 1) {
        if (!(mask & (1 << c))) continue;
        codes.push(rows[c].codes[heads[c]]);
        for (const key of rows[c].edits[heads[c]]?.keys ?? []) block.keys[c].add(key);
        heads[c] += 1;
        taken += 1;
      }
      // Emitted tokens come first: an item that is in the original is drawn as that.
      const item = Math.max(...codes);
      block.items.push(item);
      for (const c of [1, 2]) {
        if (item < 0 || mask & (1 << c) || !this.columns[c]) continue;
        for (const key of this.columns[c].over(item)?.keys ?? []) block.keys[c].add(key);
      }
    }
  }

  /** Equal ids that stand crosswise cannot both be in line: one pair that a head waits for is taken apart. */
  _part(heads, classOf, own, members) {
    for (let c = 0; c < 3; c += 1) {
      const k = classOf[c][heads[c]];
      const pair = this.borrowed.get(k);
      if (k === undefined || pair === undefined) continue;
      this.borrowed.delete(k);
      members.set(k, members.get(k) & ~(1 << pair.c));
      classOf[pair.c][pair.at] = own[pair.c][pair.at];
      members.set(own[pair.c][pair.at], 1 << pair.c);
      return;
    }
    throw new Error("The columns of the diff contradict each other.");
  }

  /** The tokens of a column as places in the dictionary. */
  placesOf(column) {
    const places = [];
    for (const { mask, items } of this.blocks) {
      if (mask & (1 << column)) for (const item of items) places.push(this.placeOf(item));
    }
    return places;
  }
}

/** Calls `match(b, c)` for a longest common subsequence of [b0, b1) and [c0, c1); of its ends only when those are long.

    Of several, the one that lies furthest back: where a message is left out, what follows it is matched with itself. */
function pairEqual(b0, b1, c0, c1, equal, match) {
  while (b0 < b1 && c0 < c1 && equal(b1 - 1, c1 - 1)) match(--b1, --c1);
  while (b0 < b1 && c0 < c1 && equal(b0, c0)) match(b0++, c0++);
  const rows = b1 - b0;
  const width = c1 - c0 + 1;
  if (!rows || width === 1 || rows * width > MAX_TABLE) return;
  const table = new Uint16Array((rows + 1) * width);
  for (let b = 1; b <= rows; b += 1) {
    for (let c = 1; c < width; c += 1) {
      table[b * width + c] = equal(b0 + b - 1, c0 + c - 1) ? table[(b - 1) * width + c - 1] + 1
        : Math.max(table[(b - 1) * width + c], table[b * width + c - 1]);
    }
  }
  let [b, c] = [rows, width - 1];
  while (b && c) {
    if (equal(b0 + b - 1, c0 + c - 1)) match(b0 + --b, c0 + --c);
    else if (table[(b - 1) * width + c] >= table[b * width + c - 1]) b -= 1;
    else c -= 1;
  }
}

/** The part of an alignment that the columns in `shown` (a mask) see: stretches {change, lanes: [{mask, items}], keys}.

    `change` counts the changes and is -1 for what all shown columns have. Lanes of a stretch stand beside each other.
    `keys` tells why: `of` by column the keys of its edits, `differ` which of DIFF_PAIRS differ (a bit each). */
function stretchesOf(alignment, shown) {
  const stretches = [];
  let changes = -1;
  let keys = null;
  const open = () => {
    if (keys === null) keys = { of: [new Set(), new Set(), new Set()], differ: 0 };
    return keys;
  };
  for (const block of alignment.blocks) {
    const mask = block.mask & shown;
    const last = stretches[stretches.length - 1];
    if (mask === shown) {
      keys = null;
      const lane = last && last.change < 0 ? last.lanes[0] : null;
      // The same run for the columns that are shown, cut by something that only the hidden one has.
      if (lane) lane.parts.push(block.items);
      else stretches.push({ change: -1, lanes: [{ mask, parts: [block.items] }], keys: null });
      continue;
    }
    const told = open();
    block.keys.forEach((set, c) => set.forEach((key) => told.of[c].add(key)));
    DIFF_PAIRS.forEach(([left, right], p) => {
      if (!(block.mask & left) !== !(block.mask & right)) told.differ |= 1 << p;
    });
    if (!mask) continue;
    const inside = last && last.change >= 0 && last.keys === told;
    if (!inside) changes += 1;
    const lanes = inside ? last.lanes : [];
    const same = lanes.length && lanes[lanes.length - 1].mask === mask ? lanes[lanes.length - 1] : null;
    if (same) same.parts.push(block.items);
    else if (inside && !lanes.some((lane) => lane.mask & mask)) lanes.push({ mask, parts: [block.items] });
    else stretches.push({ change: changes, lanes: [{ mask, parts: [block.items] }], keys: told });
  }
  for (const { lanes } of stretches) for (const lane of lanes) lane.items = joinedItems(lane.parts);
  return { stretches, changes: changes + 1 };
}

function joinedItems(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
