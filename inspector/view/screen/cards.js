/* Messages as cards: the strict parse, and the repaired transcript with its edits. */

const BODY_LIMIT = 1200;
const FIRST_CARDS = 40;

/** A list of cards under a heading; `on` = {hover({node, from, to}|null), go(token)}. */
class MessagePane {
  constructor(host, title, on) {
    this.on = on;
    this.cards = [];
    this.hint = el("span", { class: "hint" });
    this.body = el("div", { class: "cards" });
    this.root = el("section", { class: "pane", "aria-label": title }, el("h2", {}, title, this.hint), this.body);
    host.append(this.root);
  }

  /** Shows an outline of messages read from `sequence`, then `after` (elements); `none` is what an empty pane says. */
  show({ outline, sequence, hint, after = [], edits = [], none = "" }) {
    this.hint.textContent = hint;
    this.none = none;
    this.messages = [...this._messages(outline, sequence)];
    this.sequence = sequence;
    this.after = after;
    this.edits = edits;
    this._draw(FIRST_CARDS);
  }

  *_messages(outline, sequence) {
    const { transcript } = sequence;
    for (const row of outline) {
      if (!Array.isArray(row)) {
        yield { label: row, at: row.at, content: row.content, node: -1 };
        continue;
      }
      for (let n = row[0]; n <= row[1]; n += 1) {
        const node = transcript.node(n);
        if (node.isMessage) yield { label: node.label, original: [node.start, node.end, node.bodyStart, node.bodyEnd], node: n };
      }
    }
  }

  _draw(limit) {
    this.cards = [];
    const shown = this.messages.slice(0, limit).map((message) => this._card(message));
    const hidden = this.messages.length - limit;
    const more = hidden > 0
      ? [el("button", { class: "more", type: "button", onclick: () => this._draw(limit * 4) }, `Show ${plural(hidden, "more message")}`)]
      : [];
    const empty = !shown.length && !this.after.length && this.none ? [el("p", { class: "quiet none" }, this.none)] : [];
    this.body.replaceChildren(...shown, ...more, ...empty, ...this.after);
  }

  _card(message) {
    const { label } = message;
    const place = this._place(message);
    const from = place ? place[0] : -1;
    const to = place ? place[1] : -1;
    const { text, cut } = this._text(message);
    const body = el("div", { class: "body" }, ...visibleText(text), cut && el("span", { class: "quiet" }, " …"));
    const node = message.node >= 0 || from < 0 ? message.node : this.sequence.transcript.nodeAt(from);
    const card = el("article", {
      class: `message ${channelClass({ isMessage: true, label })}`,
      onmouseenter: () => this.on.hover({ node, from, to }),
      onmouseleave: () => this.on.hover(null),
      ondblclick: () => from >= 0 && this.on.go(from),
    },
      el("header", {}, ...fieldNodes(label),
        from >= 0 && el("button", { class: "place", type: "button", title: "Show it in the transcript", onclick: () => this.on.go(from) }, rangeText(from, to))),
      body, ...this._edits(from, to));
    if (!text) body.append(el("span", { class: "quiet" }, "(empty)"));
    this.cards.push({ card, node, from, to });
    return card;
  }

  /** Where a message stands in the original: [start, end). */
  _place(message) {
    if (message.original) return message.original;
    if (!message.at) return null;
    const [start, end] = message.at;
    return [this.sequence.toOriginal(start), Math.max(this.sequence.toOriginal(start), this.sequence.toOriginal(Math.max(start, end - 1)) + 1)];
  }

  _text(message) {
    if (message.content !== undefined) {
      return { text: message.content.slice(0, BODY_LIMIT), cut: message.content.length > BODY_LIMIT };
    }
    if (message.original) return new Sequence(this.sequence.transcript, []).text(message.original[2], message.original[3], BODY_LIMIT);
    return this.sequence.text(message.at[2], message.at[3], BODY_LIMIT);
  }

  /** The edits within a card's tokens, each as what went and what came. */
  _edits(from, to) {
    if (from < 0) return [];
    const mine = this.edits.filter(([start, end]) => start >= from && Math.max(start, end) <= to);
    return mine.slice(0, 6).map(([start, end, ids, keys]) => {
      const { transcript } = this.sequence;
      const { dictionary } = transcript;
      const gone = new Sequence(transcript, []).text(start, end, 120);
      const fresh = LENIENT_DECODER.decode(concatenated(ids.slice(0, 40).map((id) => dictionary.data[dictionary.placeOf(id)])));
      return el("div", { class: "diff", onmouseenter: () => this.on.hover({ node: -1, from: start, to: Math.max(end, start + 1) }) },
        el("span", { class: "by" }, keys.map((key) => key.split("@")[0]).join(" ")),
        end > start && el("del", {}, ...visibleText(gone.text), gone.cut && "…"),
        ids.length > 0 && el("ins", {}, ...visibleText(fresh)));
    });
  }

  /** Lights up the cards of a message or of the tokens [from, to). */
  light({ node, from, to }) {
    for (const entry of this.cards) {
      const same = node >= 0 && entry.node === node;
      const inside = from >= 0 && entry.from < to && from < entry.to;
      entry.card.classList.toggle("lit", same || inside);
    }
  }
}

/** The fields of a message, each in the colour of its kind. */
function fieldNodes(label) {
  const name = label.name ? [":", el("span", { class: "f-name" }, ...visibleText(label.name))] : [];
  const nodes = [el("span", { class: "f-role" }, ...visibleText(label.role || "?"), ...name)];
  if (label.channel) nodes.push(el("span", { class: "dot", "aria-hidden": "true" }, "·"), el("span", { class: "f-channel" }, ...visibleText(label.channel)));
  if (label.recipient) nodes.push(el("span", { class: "dot" }, "→"), el("span", { class: "f-recipient" }, ...visibleText(label.recipient)));
  if (label.content_type) nodes.push(el("span", { class: "f-type" }, ...visibleText(label.content_type)));
  return nodes;
}

/** A strict error as a card of its own. */
function errorNote(title, error, more = "") {
  return el("article", { class: "note-error" }, el("b", {}, title), goingOn(el("code", {}, ...visibleText(error.text)), "What the release says"), more && el("span", { class: "quiet" }, more));
}

/** What a release's strict parse returned, and where it broke. */
function showStrict(pane, verdict, transcript) {
  const { error } = verdict;
  const after = [];
  if (error) {
    after.push(errorNote(error.token >= transcript.count ? "Raised at the end" : `Raised at token ${error.token}`, error, "No message reaches the caller."));
    for (const later of verdict.later.slice(0, 5)) after.push(errorNote("Once that is mended, it breaks again", later));
    const more = verdict.later.length - 5 + verdict.more_later;
    if (more > 0) after.push(el("p", { class: "quiet" }, `and ${plural(more, "more error")}`));
  }
  const count = countMessages(verdict.messages, transcript);
  pane.show({
    outline: verdict.messages, sequence: new Sequence(transcript, []),
    hint: error ? `${plural(count, "message")} complete before the break` : `${plural(count, "message")} returned`, after,
    none: "There is no message in it: the parser returned an empty list.",
  });
  pane.root.dataset.ok = verdict.ok;
}
