/* The part "steps" (inspector/view/steps.py) in the browser: the parser's states, release by release, and what is legal. */

/** Runs of numbers, told as [distance, number] pairs: `at(position)` in a few comparisons. */
class Runs {
  constructor(pairs) {
    this.starts = new Uint32Array(pairs.length / 2);
    this.numbers = new Int32Array(pairs.length / 2);
    let at = 0;
    for (let k = 0; k < this.starts.length; k += 1) {
      at += pairs[2 * k];
      this.starts[k] = at;
      this.numbers[k] = pairs[2 * k + 1];
    }
  }

  indexAt(position) {
    return lastAtOrBefore(this.starts, position);
  }
}

/** One release's way through the transcript. */
class Way {
  constructor({ release, runs, error }, fields, count) {
    Object.assign(this, { release, error, fields, count });
    this.runs = new Runs(runs);
    this.messages = new Uint32Array(this.runs.numbers.length);
    for (let k = 1; k < this.messages.length; k += 1) {
      const complete = this._state(k) === "ExpectStart" && this._state(k - 1) === "Content";
      this.messages[k] = this.messages[k - 1] + (complete ? 1 : 0);
    }
  }

  _state(k) {
    return this.fields[this.runs.numbers[k]][0];
  }

  /** The fields of the state at a position (before that token), or null where the parser has stopped. */
  at(position) {
    if (this.error && position > this.error.token) return null;
    const k = this.runs.indexAt(position);
    const [state, role, channel, recipient, type] = this.fields[this.runs.numbers[k]];
    return { state, role, channel, recipient, type, messages: String(this.messages[k]) };
  }

  /** The next (by = 1) or previous (by = -1) token behind which the state is another one, or null. */
  change(i, by) {
    const { starts } = this.runs;
    const last = this.error ? Math.min(this.error.token, this.count - 1) : -1;
    if (by > 0) {
      const k = this.runs.indexAt(i + 1) + 1;
      if (k < starts.length) return starts[k] - 1;
      return last > i ? last : null;
    }
    if (last >= 0 && i > last) return last;
    const k = this.runs.indexAt(i);
    return k > 0 ? starts[k] - 1 : null;
  }

  /** How many messages there are once the input has ended. */
  get total() {
    const k = this.messages.length - 1;
    return this.messages[k] + (this._state(k) === "Content" ? 1 : 0);
  }
}

/** The part "steps", ready to be asked. */
class StepBook {
  constructor({ count, fields, releases, legal, illegal }) {
    this.count = count;
    this.ways = [];
    for (const release of releases) {
      const told = release.same === undefined ? release : { ...releases[release.same], release: release.release };
      this.ways.push(new Way(told, fields, count));
    }
    this.places = legal.places;
    this.runs = new Runs(legal.runs);
    this.illegalStarts = new Uint32Array(illegal.length / 2);
    this.illegalEnds = new Uint32Array(illegal.length / 2);
    let end = 0;
    for (let k = 0; k < this.illegalStarts.length; k += 1) {
      this.illegalStarts[k] = end + illegal[2 * k];
      this.illegalEnds[k] = end = this.illegalStarts[k] + illegal[2 * k + 1];
    }
  }

  /** What may stand at a position, or null where a header went astray. */
  place(position) {
    const k = this.runs.indexAt(position);
    return this.places[this.runs.numbers[k]] ?? null;
  }

  isIllegal(i) {
    const k = lastAtOrBefore(this.illegalStarts, i);
    return k >= 0 && i < this.illegalEnds[k];
  }

  /** The last token before a position that is not legal, or -1. */
  strayBefore(position) {
    const k = lastAtOrBefore(this.illegalStarts, position - 1);
    return k < 0 ? -1 : Math.min(this.illegalEnds[k], position) - 1;
  }
}
