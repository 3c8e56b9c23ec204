/* The table: one token a line, with everything that is known of it. The same items as in the text, laid out in rows
   of one height; a character over several tokens takes a row for each of them. */

const ROW_HEIGHT = 23;
const MAX_HEX = 16;

const TABLE_COLUMNS = [
  ["index", "Token"], ["id", "Id"], ["bytes", "Bytes"], ["text", "Text"], ["logprob", "Logprob"],
  ["state", "State"], ["leaf", "Leaf"], ["codes", "Finding"],
];

class TableLayout extends Layout {
  _next(at) {
    return at + 1;
  }

  _fold(n, start) {
    const { end } = this.transcript.node(n);
    this._add({ kind: "fold", at: start, end, node: n });
    return end;
  }

  _add(added) {
    // A place between two tokens has no row: its finding is named beside the token that follows.
    if (added.kind !== "point") super._add(added);
  }

  _put() {}

  _cutLines() {}

  _end() {
    this.height = this.items.length * ROW_HEIGHT;
  }

  get lineCount() {
    return this.items.length;
  }

  get lineHeight() {
    return ROW_HEIGHT;
  }

  topOf(line) {
    return line * ROW_HEIGHT;
  }

  firstOf(line) {
    return line;
  }

  partAt() {
    return 0;
  }

  lineAt(top) {
    return Math.max(0, Math.min(this.items.length - 1, Math.floor(top / ROW_HEIGHT)));
  }

  lineOf(i) {
    return this.itemOf(i);
  }

  rangeOf(line) {
    return [line, line + 1];
  }
}

/** Pixels for the longest of the ids: at least a marker's, at most 32 bits'. A longer one stands whole on its chip. */
function idsWidth(ids) {
  return Math.ceil(7.3 * Math.min(10, ids.reduce((most, id) => Math.max(most, id.length), 6))) + 6;
}

const LEAF_WORDS = { content_type: "content type", error: "stray" };

/** Draws rows of the table; see LinePainter for how it is used. */
class TablePainter {
  constructor(view) {
    this.view = view;
  }

  /** The row of headings; columns that have nothing to show are left out. */
  header() {
    const columns = TABLE_COLUMNS.filter(([name]) => name !== "logprob" || this.view.transcript?.logprobs);
    return columns.map(([name, title]) => el("span", { class: `col-${name}` }, title));
  }

  draw(row, line) {
    const { layout, transcript } = this.view;
    const item = layout.items[line];
    row.leads = 0;
    if (item < 0) {
      const added = layout.addedOf(item);
      if (added.kind === "fold") this._folded(row, added);
      else this._inserted(row, added, item);
      return;
    }
    const n = transcript.nodeAt(item);
    if (layout.deleted[item]) row.classList.add("is-gone");
    const starts = transcript.nodeStarts[n] === item;
    if (starts) row.classList.add("first");
    const box = this._box(item);
    this._columns(row, {
      index: [starts && foldToggle(this.view, n, false), String(item)],
      id: transcript.dictionary.ids[transcript.index[item]],
      bytes: hexOf(transcript.dictionary.data[transcript.index[item]]),
      text: box,
      logprob: transcript.logprobs ? logprobText(transcript.logprobs[item]) : null,
      state: stateWords(transcript, item),
      leaf: el("span", { class: `leaf k-${transcript.kindAt(item)}` }, transcript.alike.has(item) ? "look-alike" : LEAF_WORDS[transcript.kindAt(item)] ?? transcript.kindAt(item)),
      codes: this.view.marks.codes(item, item + 1),
    });
  }

  _box(item) {
    const { transcript } = this.view;
    const drawn = transcript.drawnAt(item);
    const box = document.createElement("span");
    const { name, cells } = this.view.lines.token(drawn, item);
    box.className = name;
    box.setAttribute("data-i", item);
    if (drawn === item) fillBox(box, cells);
    else {
      box.textContent = "″";
      box.title = `a part of the character that begins at token ${drawn}`;
    }
    return box;
  }

  _inserted(row, added, item) {
    const { transcript, layout } = this.view;
    row.classList.add("is-new");
    const box = document.createElement("span");
    box.className = "t new";
    box.setAttribute("data-at", added.at);
    fillBox(box, layout.cellsOf(item));
    this._columns(row, {
      index: "+", id: transcript.dictionary.ids[added.place], bytes: hexOf(transcript.dictionary.data[added.place]),
      text: box, logprob: transcript.logprobs ? "" : null, state: "put in by the repair", leaf: "", codes: [],
    });
  }

  _folded(row, added) {
    const { transcript } = this.view;
    row.classList.add("is-fold", "first");
    this._columns(row, {
      index: [foldToggle(this.view, added.node, true), String(added.at)], id: "", bytes: "", text: foldChip(this.view, added, true),
      logprob: transcript.logprobs ? "" : null, state: nodeWords(transcript, added.node), leaf: "", codes: this.view.marks.codes(added.at, added.end),
    });
  }

  _columns(row, values) {
    for (const [name] of TABLE_COLUMNS) {
      const value = values[name];
      if (value === null) continue;
      const cell = document.createElement("span");
      cell.className = `col-${name}`;
      if (typeof value === "string") cell.textContent = value;
      else if (Array.isArray(value)) cell.append(...value.filter(Boolean));
      else cell.append(value);
      row.append(cell);
    }
  }

  /** The box of the row's token. */
  boxesOf(row) {
    return row.getElementsByClassName("t");
  }
}

function hexOf(bytes) {
  const hex = Array.from(bytes.subarray(0, MAX_HEX), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > MAX_HEX ? `${hex} …` : hex;
}

/** The part of its message that a token stands in. */
function placeWord(transcript, i) {
  const { bodyStart, bodyEnd } = transcript.node(transcript.nodeAt(i));
  return i < bodyStart ? "header" : i < bodyEnd ? "body" : "end";
}

/** Where in the grammar a token stands, in words. */
function stateWords(transcript, i) {
  const n = transcript.nodeAt(i);
  if (n < 0 || transcript.node(n).isStray) return "outside of any message";
  return `${placeWord(transcript, i)} of message ${n + 1}`;
}

/** A message in a few words: its number, role and channel. */
function nodeWords(transcript, n) {
  const node = transcript.node(n);
  if (node.isStray) return "outside of any message";
  const { role, channel, recipient } = node.label;
  return [`message ${n + 1}`, role, channel, recipient && `to ${recipient}`].filter(Boolean).join(" ");
}
