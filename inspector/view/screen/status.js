/* The line under the tokens: everything about the one that is pointed at. It is always there, so nothing moves. */

const KIND_WORDS = {
  marker: "marker", role: "role", name: "name", channel: "channel", recipient: "recipient",
  content_type: "content type", space: "space", body: "body", error: "belongs to nothing",
};

class StatusLine {
  constructor(host) {
    this.root = el("div", { class: "status" });
    host.append(this.root);
    this.rest();
  }

  rest() {
    const keys = [["←→", "token"], ["↑↓", "line"], ["n p", "finding"]];
    this.root.replaceChildren(el("span", { class: "quiet" }, "Point at a token, or walk with the keys: "),
      ...keys.flatMap(([key, what]) => [el("kbd", {}, key), el("span", { class: "quiet" }, ` ${what} `)]));
  }

  /** Tells about token `i` and the findings on it. */
  show(transcript, i, findings) {
    const { dictionary } = transcript;
    const drawn = transcript.drawnAt(i);
    const end = transcript.drawnEnd(drawn);
    const ids = [];
    for (let k = drawn; k < end; k += 1) ids.push(dictionary.ids[transcript.index[k]]);
    const place = transcript.index[i];
    const marker = dictionary.markers.get(place);
    const kind = transcript.alike.has(i) ? "looks like a marker, is ordinary text" : KIND_WORDS[transcript.kindAt(i)];
    const n = transcript.nodeAt(i);
    const parts = [
      el("b", {}, rangeText(drawn, end)),
      el("span", { class: "glyph" }, ...(marker ? [`<|${marker[0]}|>`] : cellNodes(transcript.cellsAt(drawn)))),
      el("span", { class: "quiet" }, `id ${ids.join(" ")}`),
      el("span", {}, marker && transcript.kindAt(i) !== "marker" ? `special token in ${kind === "body" ? "a body" : `the ${kind}`}` : kind),
    ];
    if (marker) parts.push(el("span", { class: "help" }, marker[1]));
    else parts.push(el("span", { class: "quiet bytes" }, this._bytes(transcript, drawn, end)));
    if (n >= 0) {
      const node = transcript.node(n);
      parts.push(el("span", { class: "quiet" }, node.isStray ? "outside of any message" : `message ${n + 1} of ${transcript.nodeCount}`));
    }
    for (const finding of findings.slice(0, 2)) {
      parts.push(el("span", { class: `flag ${finding.severity}` }, `${SEVERITY_SIGNS[finding.severity]} ${finding.code} ${finding.name}`));
    }
    this.root.replaceChildren(...parts);
  }

  _bytes(transcript, from, to) {
    const bytes = [...concatenated(transcript.partsOf(from, to))];
    const hex = bytes.slice(0, 12).map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    return bytes.length ? `bytes ${hex}${bytes.length > 12 ? " …" : ""}` : "no bytes: not in the vocabulary";
  }
}
