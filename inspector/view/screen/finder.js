/* What the find box does: the matches of its query, the one that is gone to, and the way back to the tokens. */

class Finder {
  /** `on` = {transcript(), findings(), active(), show(matches, current), go(match), leave()} */
  constructor(box, on) {
    this.box = box;
    this.on = on;
    this.drop();
  }

  /** Another transcript, or tokens that were added to it: the same query is asked again. */
  renew() {
    const transcript = this.on.transcript();
    if (this.search?.transcript !== transcript) this.search = new Search(transcript);
    if (this.query) this._find();
  }

  /** Puts the text together before it is asked for. */
  prepare() {
    this.search?.prepare();
  }

  find(query, exact) {
    Object.assign(this, { query, exact });
    this._find();
    if (this.matches.length) this.on.go(this._match());
  }

  _find() {
    this.matches = this.search.find(this.query, this.on.findings(), this.exact);
    this.current = this.matches.from(this.on.active());
    this._show();
  }

  _match() {
    return [this.matches.starts[this.current], this.matches.ends[this.current]];
  }

  _show() {
    this.box.show(this.matches, this.current);
    this.on.show(this.matches, this.current);
  }

  /** Goes to the next match (`by` 1) or the one before (-1), around the end. */
  hit(by) {
    const { length } = this.matches;
    if (!length) return;
    this.current = (this.current + by + length) % length;
    this._show();
    this.on.go(this._match());
  }

  /** Nothing is looked for any more; true when something was. */
  drop() {
    const was = Boolean(this.query);
    Object.assign(this, { query: "", exact: false, matches: new Matches(), current: 0 });
    this.box.input.value = "";
    this._show();
    return was;
  }
}
