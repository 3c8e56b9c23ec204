/* The two lines under the tokens: everything about the one that is pointed at. They are always there, so nothing moves. */

// A confirmation can be read before it gives way to the next token; a menu that closes leaves the mouse on one at once.
const SAID_LEAST = 1500;

const KIND_WORDS = {
  marker: "marker", role: "role", name: "name", channel: "channel", recipient: "recipient",
  content_type: "content type", space: "space", body: "body", error: "belongs to nothing",
};

class StatusLine {
  constructor(host) {
    this.parts = el("div", { class: "told" });
    this.range = el("span", { class: "range" });
    this.told = -1;
    this.saidAt = 0;
    this.said = el("span", { class: "said", role: "status" });
    this.root = el("div", { class: "status" }, this.parts, el("div", { class: "aside" }, this.range, this.said));
    host.append(this.root);
    this.rest();
  }

  rest() {
    if (matchMedia("(hover: none)").matches) {
      this.parts.replaceChildren(el("div", { class: "quiet" }, "Tap a token: what it is, and what belongs to it, is told here."));
      return;
    }
    const keys = [["←→", "token"], ["↑↓", "line"], ["n p", "finding"], ["f", "find"], ["?", "all keys"]];
    this.parts.replaceChildren(el("div", {}, el("span", { class: "quiet" }, "Point at a token, or walk with the keys: "),
      ...keys.flatMap(([key, what]) => [el("kbd", {}, key), el("span", { class: "quiet" }, ` ${what} `)])));
  }

  /** Tells about token `i`, the findings on it and its `places` ({repaired, prompt, hasPrompt}; null: taken out). */
  show(transcript, i, findings, places) {
    const { dictionary } = transcript;
    if (i !== this.told && performance.now() - this.saidAt > SAID_LEAST) this.say("");
    this.told = i;
    const drawn = transcript.drawnAt(i);
    const end = transcript.drawnEnd(drawn);
    const ids = [];
    for (let k = drawn; k < end; k += 1) ids.push(dictionary.ids[transcript.index[k]]);
    const place = transcript.index[i];
    const marker = dictionary.markers.get(place);
    const kind = transcript.alike.has(i) ? "looks like a marker, is ordinary text" : KIND_WORDS[transcript.kindAt(i)];
    const n = transcript.nodeAt(i);
    const first = [
      el("b", {}, rangeText(drawn, end)),
      el("span", { class: "glyph" }, ...(marker ? [`<|${marker[0]}|>`] : cellNodes(transcript.cellsAt(drawn)))),
      el("span", { class: "quiet" }, `id ${ids.join(" ")}`),
      el("span", {}, marker && transcript.kindAt(i) !== "marker" ? `special token in ${kind === "body" ? "a body" : `the ${kind}`}` : kind),
    ];
    if (n >= 0) {
      const node = transcript.node(n);
      first.push(el("span", { class: "quiet" }, node.isStray ? "outside of any message" : `${placeWord(transcript, i)} of message ${n + 1} of ${transcript.nodeCount}`));
    }
    for (const finding of findings.slice(0, 2)) {
      first.push(el("span", { class: `flag ${finding.severity}` }, `${SEVERITY_SIGNS[finding.severity]} ${finding.code} ${finding.name}`));
    }
    const second = [el("span", { class: "places quiet" }, this._places(places))];
    const lanes = [transcript.origins && ORIGIN_WORDS[transcript.origins[i]], transcript.logprobs && this._probability(transcript.logprobs[i])];
    for (const words of lanes) if (words) second.push(el("span", { class: "quiet" }, words));
    if (marker) second.push(el("span", { class: "help" }, marker[1]));
    second.push(el("span", { class: "quiet bytes" }, this._bytes(transcript, drawn, end)));
    this.parts.replaceChildren(el("div", {}, ...first), el("div", {}, ...second));
  }

  _probability(logprob) {
    return Number.isNaN(logprob) ? "" : `probability ${Math.exp(logprob).toPrecision(2)}, logprob ${logprobText(logprob)}`;
  }

  _places({ repaired, prompt, hasPrompt }) {
    const one = (name, at) => `${name} ${at === null ? "without it" : at}`;
    return hasPrompt ? `${one("repaired", repaired)} · ${one("next prompt", prompt)}` : one("repaired", repaired);
  }

  /** The tokens that are selected, {from, to} or null. */
  selected(range) {
    this.range.textContent = range ? `${plural(range.to - range.from, "token")} selected, ${rangeText(range.from, range.to)}` : "";
  }

  /** Says what was done; it stays until something else is, or another token is pointed at a while later. */
  say(sentence) {
    this.saidAt = performance.now();
    this.said.textContent = sentence;
    this.said.title = sentence;
  }

  _bytes(transcript, from, to) {
    const bytes = [...concatenated(transcript.partsOf(from, to))];
    const hex = bytes.slice(0, 12).map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return bytes.length ? `bytes ${hex}${bytes.length > 12 ? " …" : ""}` : "no bytes: not in the vocabulary";
  }
}
