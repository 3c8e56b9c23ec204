/* Finding: what a person types into the box as places in the transcript. The text is put together once, with where
   each token begins in it, so that what is looked for may run across tokens. */

const LABEL_WORDS = { channel: "channel", to: "recipient", recipient: "recipient", role: "role", name: "name", type: "content_type" };
const FIND_FORMS = [["text", "parser"], ["ids", "id:200005"], ["ids in a row", "200005 35644"], ["a rule", "HS201"],
  ["a message", "msg:12"], ["a header", "to:functions.bash"], ["", "channel:final"], ["", "role:tool"]];

/** Places [starts[k], ends[k]) in order; `what` says in a word how the query was read. */
class Matches {
  constructor(what = "", starts = [], ends = []) {
    Object.assign(this, { what, starts, ends });
  }

  get length() {
    return this.starts.length;
  }

  /** The number of the first match at or after token `i`, else 0. */
  from(i) {
    const before = lastAtOrBefore(this.starts, i - 1) + 1;
    return before < this.length ? before : 0;
  }

  /** The number of a match that shares a token with [from, to), or -1. Matches of one query end in the order they begin. */
  at(from, to) {
    const k = lastAtOrBefore(this.starts, to - 1);
    return k >= 0 && this.ends[k] > from ? k : -1;
  }

  /** Whether any match has a token in [from, to). */
  within(from, to) {
    return this.at(from, to) >= 0;
  }
}

class Search {
  constructor(transcript) {
    this.transcript = transcript;
  }

  /** Makes the text: about 20 ms for the longest transcripts. A transcript that grew is read again. */
  prepare() {
    const { transcript } = this;
    if (this.starts && this.read === transcript.count) return;
    const { dictionary, groups, index, count } = transcript;
    const texts = [];
    const starts = new Uint32Array(count + 1);
    const pieces = [];
    let at = 0;
    let i = 0;
    const add = (text, end) => {
      starts[i] = at;
      pieces.push(text);
      at += text.length;
      // The other tokens of one character stand at its end: what is found in it is found at its first token.
      for (i += 1; i < end; i += 1) starts[i] = at;
    };
    while (i < count) {
      const end = groups.get(i);
      if (end !== undefined) {
        add(LENIENT_DECODER.decode(concatenated(transcript.partsOf(i, end))), end);
        continue;
      }
      const place = index[i];
      texts[place] ??= dictionary.isUnknown(place) ? UNKNOWN_TEXT : LENIENT_DECODER.decode(dictionary.data[place]);
      add(texts[place], i + 1);
    }
    starts[count] = at;
    Object.assign(this, { text: pieces.join(""), starts, read: count, lower: null });
  }

  /** What a query finds, among these findings; `exact` keeps upper and lower case apart. */
  find(query, findings, exact) {
    const words = query.trim();
    if (!words) return new Matches();
    return this._quoted(words, exact) ?? this._ids(words) ?? this._rule(words, findings) ?? this._message(words)
      ?? this._labels(words) ?? this._plain(query, exact);
  }

  _quoted(words, exact) {
    return /^".+"$/s.test(words) ? this._plain(words.slice(1, -1), exact) : null;
  }

  _ids(words) {
    const named = /^(?:ids?:|#)\s*(-?\d+(?:[\s,]+-?\d+)*)$/i.exec(words) ?? /^\[?(-?\d+(?:[\s,]+-?\d+)+)\]?$/.exec(words);
    if (!named) return null;
    const { dictionary, index, count } = this.transcript;
    const places = named[1].split(/[\s,]+/).map((id) => dictionary.placeOf(id));
    const found = new Matches(places.length > 1 ? "ids in a row" : "id");
    if (places.includes(undefined)) return found;
    const size = places.length;
    for (let i = 0; i + size <= count; i += 1) {
      let same = 0;
      while (same < size && index[i + same] === places[same]) same += 1;
      if (same < size) continue;
      found.starts.push(i);
      found.ends.push(i + size);
    }
    return found;
  }

  _rule(words, findings) {
    const code = /^HS\d{0,3}$/i.test(words) ? words.toUpperCase() : null;
    const name = words.toLowerCase().replaceAll(" ", "-");
    const mine = findings.filter((f) => (code ? f.code.startsWith(code) : f.name === name));
    if (!code && !mine.length) return null;
    const spans = mine.map(({ span: [start, end] }) => [start, Math.max(end, start + 1)]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return new Matches("rule", spans.map(([start]) => start), spans.map(([, end]) => end));
  }

  _message(words) {
    const named = /^(?:message\s+|message:|msg:|msg\s+)(\d+)$/i.exec(words);
    if (!named) return null;
    const n = Number(named[1]) - 1;
    return n >= 0 && n < this.transcript.nodeCount ? this._headers([n], "message") : new Matches("message");
  }

  /** channel:final, to:functions.bash, role:tool: each word has to fit, from its beginning on. */
  _labels(words) {
    const asked = words.split(/\s+/).map((word) => /^([a-z]+):(.+)$/i.exec(word));
    if (!asked.every((found) => found && LABEL_WORDS[found[1].toLowerCase()])) return null;
    const wanted = asked.map(([, field, value]) => [LABEL_WORDS[field.toLowerCase()], value.toLowerCase()]);
    const nodes = [];
    for (let n = 0; n < this.transcript.nodeCount; n += 1) {
      const { label, isMessage } = this.transcript.node(n);
      if (isMessage && wanted.every(([field, value]) => (label[field] ?? "").toLowerCase().startsWith(value))) nodes.push(n);
    }
    return this._headers(nodes, "header");
  }

  _headers(nodes, what) {
    const spans = nodes.map((n) => this.transcript.node(n));
    return new Matches(what, spans.map((node) => node.start), spans.map((node) => Math.max(node.start + 1, Math.min(node.bodyStart, node.end))));
  }

  _plain(query, exact) {
    this.prepare();
    const { starts } = this;
    const found = new Matches("text");
    if (!exact) this.lower ??= sameLengthLower(this.text);
    const text = exact ? this.text : this.lower;
    const wanted = exact ? query : sameLengthLower(query);
    let token = 0;
    const tokenAt = (offset) => {
      // Matches come in order: the next token is most often near. Else it is searched for.
      for (let near = 0; near < 8; near += 1) {
        if (starts[token + 1] > offset) return token;
        token += 1;
      }
      token = lastAtOrBefore(starts, offset);
      return token;
    };
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      found.starts.push(tokenAt(at));
      found.ends.push(this.transcript.drawnEnd(tokenAt(at + wanted.length - 1)));
    }
    return found;
  }
}

/** In lower case, character by character where the whole would change its length. */
function sameLengthLower(text) {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char)).join("");
}
