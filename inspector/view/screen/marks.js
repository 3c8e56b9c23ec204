/* What findings put on the tokens: underlines, their codes, and the places between two tokens that they point at. */

const MARK_BITS = { info: 1, warning: 2, error: 3 };

class TokenMarks {
  /** Of findings ({span, severity, code, name}); `broke` is the token at which strict parsing broke, `cause` our span of why. */
  constructor(count, findings, broke, cause) {
    this.count = count;
    this.bits = new Uint8Array(count);
    this.ordered = [...findings].sort((a, b) => a.span[0] - b.span[0]);
    this.starts = this.ordered.map(({ span }) => span[0]);
    // Where several lie on a token, the worst of them is seen.
    for (const bit of Object.values(MARK_BITS)) {
      for (const { span: [start, end], severity } of findings) if (MARK_BITS[severity] === bit) this.bits.fill(bit, start, end);
    }
    // Our own span of the cause, where no finding tells it more narrowly.
    const told = cause && findings.some(({ span, severity }) => severity === "error" && span[0] < cause[1] && cause[0] < span[1]);
    if (cause && !told) this.bits.fill(MARK_BITS.error, cause[0], cause[1]);
    const points = findings.filter(({ span }) => span[0] === span[1]).map(({ span }) => span[0]);
    if (broke !== null && broke >= count) points.push(count);
    this.points = [...new Set(points)].sort((a, b) => a - b);
  }

  /** The codes of the findings that begin in [from, to), as one element for the margin, or none. */
  codes(from, to) {
    const found = [];
    const end = to >= this.count ? to + 1 : to;
    for (let at = lastAtOrBefore(this.starts, from - 1) + 1; at < this.starts.length && this.starts[at] < end; at += 1) {
      found.push(this.ordered[at]);
    }
    if (!found.length) return [];
    found.sort((a, b) => MARK_BITS[b.severity] - MARK_BITS[a.severity]);
    return [el("span", { class: `code ${found[0].severity}`, title: found.map((f) => `${f.code} ${f.name}`).join(", ") },
      el("span", { class: "sign" }, `${SEVERITY_SIGNS[found[0].severity]} `), found[0].code,
      found.length > 1 && el("span", { class: "also" }, ` +${found.length - 1}`))];
  }
}

/** The triangle that folds message `n`, or null where nothing is folded. */
function foldToggle(view, n, folded) {
  if (view.compact || n < 0) return null;
  return el("span", { class: "fold", title: `${folded ? "Unfold" : "Fold"} ${nodeWords(view.transcript, n)} (.)` }, folded ? "▸" : "▾");
}

/** What stands for the hidden rest of a folded message; `named` says which message it is. */
function foldChip(view, { node, at, end }, named) {
  const words = foldWords(at, end);
  return el("span", { class: "t rest", title: "Unfold (.)" }, named ? `${nodeWords(view.transcript, node)} ${words}` : words);
}
