/* A small note beside the token that is pointed at or walked to: what a marker means, which character cannot be seen.
   The status line says the same; the note saves the way there. */

const TIP_DELAY = 350;

class TokenTip {
  constructor(host, view) {
    this.view = view;
    this.host = host;
    this.root = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
    host.append(this.root);
  }

  destroy() {
    clearTimeout(this.waiting);
  }

  /** The pointer is over the box of token `i`. */
  over(box, i) {
    if (box === this.box) return;
    this.hide();
    this.box = box;
    if (box && this._words(box, i)) this.waiting = setTimeout(() => this._show(box, this._words(box, i)), TIP_DELAY);
  }

  /** The keys led to token `i`. */
  at(i) {
    this.hide();
    const box = this.view.boxAt(i);
    const words = box && this._words(box, i);
    if (words) this._show(box, words);
  }

  hide() {
    clearTimeout(this.waiting);
    this.box = null;
    this.root.hidden = true;
  }

  _words(box, i) {
    const { transcript } = this.view;
    if (box.classList.contains("rest") || box.classList.contains("new")) return null;
    const drawn = transcript.drawnAt(i);
    const helps = transcript.cellsAt(drawn).map(({ help }) => help).filter(Boolean);
    const notes = [...new Set(helps)].slice(0, 3);
    if (transcript.alike.has(i)) notes.push("Looks like a marker and is ordinary text: to a parser it marks nothing.");
    if (transcript.drawnEnd(drawn) - drawn > 1) notes.push(`One character that ${transcript.drawnEnd(drawn) - drawn} tokens make up.`);
    return notes.length ? notes.join(" · ") : null;
  }

  _show(box, words) {
    if (!box.isConnected) return;
    this.box = box;
    this.root.textContent = words;
    this.root.hidden = false;
    const frame = this.host.getBoundingClientRect();
    const { left, bottom, top } = box.getBoundingClientRect();
    const room = frame.width - this.root.offsetWidth - 8;
    this.root.style.left = `${Math.max(8, Math.min(left - frame.left, room))}px`;
    const below = bottom + 6 + this.root.offsetHeight <= frame.bottom;
    this.root.style.top = `${(below ? bottom + 5 : top - this.root.offsetHeight - 5) - frame.top}px`;
  }
}

/** The active token as a sentence for a screen reader. */
function tokenWords(transcript, i, findings) {
  const { dictionary } = transcript;
  const drawn = transcript.drawnAt(i);
  const end = transcript.drawnEnd(drawn);
  const marker = dictionary.markers.get(transcript.index[i]);
  const ids = transcript.ids(drawn, end).join(" ");
  const said = transcript.cellsAt(drawn).map(({ kind, text, help }) => (kind === "" || kind === "unknown" ? text : help)).join(" ").trim();
  const n = transcript.nodeAt(i);
  const node = n >= 0 ? transcript.node(n) : null;
  const found = findings.filter(({ span: [from, to] }) => from < end && Math.max(to, from + 1) > drawn);
  return [
    `token ${rangeText(drawn, end)} of ${transcript.count.toLocaleString("en")}`,
    marker ? `marker ${marker[0]}` : `${transcript.alike.has(i) ? "looks like a marker, is ordinary text" : KIND_WORDS[transcript.kindAt(i)]} “${said || "blank"}”`,
    `id ${ids}`,
    !node || node.isStray ? "outside of any message" : `in message ${n + 1} of ${transcript.nodeCount}`,
    ...found.slice(0, 3).map(({ code, name }) => `${code} ${name}`),
    marker && marker[1],
  ].filter(Boolean).join(", ");
}
