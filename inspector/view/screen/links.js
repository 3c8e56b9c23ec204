/* What lights up together: a token, its message, its findings, its place in the repaired transcript and in the next
   prompt. All of it happens in the browser. */

const NOTHING = { node: -1, from: -1, to: -1 };

class Links {
  /** `parts` are told what is lit: anything with light(link, keys). */
  constructor(parts, status) {
    this.parts = parts;
    this.status = status;
    this.ordered = [];
  }

  show(transcript, feed) {
    this.transcript = transcript;
    this.ordered = [...feed.findings].sort((a, b) => a.span[0] - b.span[0] || a.span[1] - b.span[1]);
    this.starts = this.ordered.map(({ span }) => span[0]);
    this.repaired = new Sequence(transcript, feed.repair.edits);
    this.prompt = feed.prompt && !feed.prompt.error ? new Sequence(transcript, feed.prompt.edits) : null;
  }

  /** The findings on token `i`. */
  on(i) {
    return this.ordered.filter(({ span: [start, end] }) => start <= i && i < Math.max(end, start + 1));
  }

  /** Lights up everything about token `i`; null lights nothing. */
  token(i) {
    if (i === null || !this.transcript?.count) {
      this.light(NOTHING);
      return;
    }
    const found = this.on(i);
    this.status.show(this.transcript, i, found, { repaired: this.repaired.toEdited(i), prompt: this.prompt && this.prompt.toEdited(i), hasPrompt: this.prompt !== null });
    this.light({ node: this.transcript.nodeAt(i), from: i, to: i + 1 }, new Set(found.map((f) => f.key)));
  }

  finding(finding) {
    if (!finding) {
      this.light(NOTHING);
      return;
    }
    const [start, end] = finding.span;
    this.light({ node: this.transcript.nodeAt(Math.min(start, this.transcript.count - 1)), from: start, to: Math.max(end, start + 1) }, new Set([finding.key]));
  }

  light(link, keys = new Set()) {
    for (const part of this.parts()) part.light({ ...NOTHING, ...link }, keys);
  }

  /** The finding after token `at` (`by` 1) or before it (-1), around the ends; null when there is none. Several begin
      at one token: after `gone`, which was gone to last and begins there, comes the next of them. */
  next(at, by, gone = null) {
    const { ordered, starts } = this;
    if (!ordered.length) return null;
    const last = Math.max(0, this.transcript.count - 1);
    const places = starts.map((start) => Math.min(start, last));
    const before = this.numberOf(gone) - 1;
    if (before >= 0 && places[before] === at) return ordered[(before + by + ordered.length) % ordered.length];
    const number = by > 0 ? places.findIndex((place) => place > at) : places.findLastIndex((place) => place < at);
    return ordered[number >= 0 ? number : by > 0 ? 0 : ordered.length - 1];
  }

  /** The number of a finding in order of place, from 1. */
  numberOf(finding) {
    return finding ? this.ordered.findIndex(({ key, code }) => key === finding.key && code === finding.code) + 1 : 0;
  }
}
