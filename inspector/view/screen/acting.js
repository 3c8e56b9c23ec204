/* What a person does on the screen: going to places, folding, copying, opening panels. The methods of the screen that
   answer the tokens, the toolbar and the keys. */

Object.assign(Screen.prototype, {
  /** The keyboard goes on where the tokens are, in whichever way they are shown. */
  focusTokens() {
    const place = this.mode === "diff" ? this.diffHost.querySelector("[tabindex='0']:not(button)") : this.tokens.scroller;
    place?.focus({ preventScroll: true });
  },

  /** Makes token `i` the selected one; where it is folded away, it is unfolded. */
  _pick(i) {
    this.tokens.pick(i);
  },

  _goTo(i) {
    if (!(i >= 0 && i < this.transcript.count)) {
      this.status.say(`There is no such token: the transcript has ${plural(this.transcript.count, "token")}, from 0 on.`);
      return false;
    }
    this._pick(i);
    this.focusTokens();
    return true;
  },

  _goMatch(from, to) {
    this.tokens.go(from);
    this.links.token(from);
    this.links.light({ node: this.transcript.nodeAt(from), from, to });
  },

  _go(finding) {
    this.gone = finding;
    this._pick(Math.min(finding.span[0], Math.max(0, this.transcript.count - 1)));
    this.links.finding(finding);
    this.findings.reveal(finding.key);
    this.tools.counted(this.links.numberOf(finding), this.feed.findings.length);
  },

  /** To the tokens of the next prompt. */
  _toPrompt() {
    this.prompt.root.scrollIntoView({ block: "nearest" });
    this.prompt.view.scroller.focus({ preventScroll: true });
  },

  _step(by) {
    const finding = this.links.next(this.tokens.active, by, this.gone);
    if (finding) this._go(finding);
  },

  /** To where the chosen release breaks. */
  _toBreak() {
    const { broke } = this.tokens;
    if (broke === null) this.status.say(`${this.chosen?.release ?? "The strict parser"} accepts this transcript.`);
    else this._pick(Math.min(broke, Math.max(0, this.transcript.count - 1)));
  },

  /** Goes to the first token of the next message or the one before. */
  _message(by) {
    const { transcript } = this;
    const n = transcript.nodeAt(this.tokens.active);
    const to = Math.max(0, Math.min(transcript.nodeCount - 1, n + by));
    if (transcript.nodeCount) this._pick(transcript.node(to).start);
  },

  /** A token was chosen: the only thing about looking around that Python is told. */
  _select(i) {
    this.links.token(i);
    const found = this.links.on(i);
    if (found.length) this.findings.reveal(found[0].key);
    this.status.say("");
    shared().places.set(this.transcript.digest, i);
    for (const panel of this._shown()) panel.at(i);
    clearTimeout(this.selecting);
    const { digest } = this.transcript;
    this.selecting = setTimeout(() => this.send?.setState?.("selection", { digest, token: i, count: (this.selected = (this.selected ?? 0) + 1) }), SELECTION_DELAY);
  },

  /** Python asks for a token (a click on a plot, for one): each wish is followed once. */
  _told() {
    const { go } = this.parts;
    // A wish that is here before the findings waits for them: with them the screen opens at a place of its own.
    if (!go || this.fed !== this.transcript.digest || shared().told === go.number) return;
    shared().told = go.number;
    this._pick(go.token);
    // Where Python chose the token itself it need not be told: one run of its code would cut off the other.
    if (go.known) clearTimeout(this.selecting);
  },

  _changed() {
    const { off, choices } = this.findings.fixes;
    this.send.setState?.("fixes", { digest: this.transcript.digest, off: [...off], choices: Object.fromEntries(choices) });
  },

  _escape() {
    const found = this.finder.drop();
    const selected = this.tokens.selection;
    this.tokens.clearSelection();
    this.focusTokens();
    return found || Boolean(selected);
  },

  _setFolds(folds) {
    this.tokens.setFolds(folds);
    this._folded();
  },

  /** The tokens were folded otherwise: the outline and the map show it too. */
  _folded() {
    this.map.draw();
    if (this.open.has("outline")) this.contents.folded(this.tokens.folded);
  },

  _setMode(name) {
    if (name === this.mode) return;
    const focused = this.root.getRootNode().activeElement;
    const inside = focused === null || this.surface.contains(focused) || this.diffHost.contains(focused);
    this.mode = name;
    const diff = name === "diff";
    this.surface.hidden = diff;
    this.diffHost.hidden = !diff;
    this.mapHost.classList.toggle("away", diff);
    if (diff) {
      this.diff ??= new DiffView(this.diffHost, this._panelOn());
      this._panels();
      this.diff.at(this.tokens.active);
    } else {
      this.tokens.setMode(name);
      this.map.draw();
    }
    if (inside) this.focusTokens();
    this._tools();
  },

  _toggle(name) {
    if (!this.open.delete(name)) this.open.add(name);
    const on = this.open.has(name);
    if (name === "outline") {
      this.contents.root.hidden = !on;
      this.surface.parentElement.classList.toggle("with-contents", on);
    } else {
      this.stepHost.hidden = !on;
      if (on) this.stepper ??= new StepPanel(this.stepHost, this._panelOn());
    }
    if (on) {
      this._panels();
      const panel = name === "outline" ? this.contents : this.stepper;
      if (name === "outline") panel.folded(this.tokens.folded);
      panel.at(this.tokens.active);
    } else if (!this.root.getRootNode().activeElement) this.focusTokens();
    this._tools();
  },

  _lane(name) {
    this.lanes = { ...this.lanes, [name]: !this.lanes[name] };
    this.tokens.setLanes(this.lanes);
    this._tools();
  },

  /** The token a page further in the tokens, or null while they are not in sight. */
  _page(by) {
    return this.mode === "diff" || !this.tokens.layout ? null : this.tokens.pointing.target(by > 0 ? "PageDown" : "PageUp");
  },

  _panelOn() {
    return { page: (by) => this._page(by), hover: (i) => this.links.token(i), select: (i) => this._pick(i), light: (link) => this.links.light(link ?? NOTHING) };
  },

  /** The panels that are in sight: the others cost nothing. */
  _shown() {
    const shown = [];
    if (this.open.has("outline")) shown.push(this.contents);
    if (this.open.has("step")) shown.push(this.stepper);
    if (this.mode === "diff") shown.push(this.diff);
    return shown;
  },

  _panels() {
    if (!this.feed) return;
    for (const panel of this._shown()) panel.show({ transcript: this.transcript, feed: this.feed, verdict: this.chosen, parts: this.parts });
  },

  /** What would be copied: the selection, else the message of the active token. */
  _scope() {
    const { selection } = this.tokens;
    if (selection) {
      const { from, to } = selection;
      return { label: `${plural(to - from, "selected token")}, ${rangeText(from, to)}`, from, to };
    }
    const n = this.transcript.nodeAt(this.tokens.active);
    if (n < 0) return { label: "Nothing to copy", from: 0, to: 0 };
    const { start, end } = this.transcript.node(n);
    return { label: `Message ${n + 1}, tokens ${rangeText(start, end)}`, from: start, to: end };
  },

  async _copy(form) {
    const { from, to } = this._scope();
    const lost = form === "text" ? lostIn(this.transcript, from, to) : 0;
    await this._copied(COPIES[form].of(this.transcript, from, to), `${plural(to - from, "token")} ${COPIES[form].title}`, lost);
  },

  async _copyRepaired(form) {
    const { repaired } = this.links;
    const lost = form === "text" ? [...repaired.pieces(0, repaired.length)].reduce((sum, { ids, from, to }) => sum + (ids ? 0 : lostIn(this.transcript, from, to)), 0) : 0;
    await this._copied(repairedCopy(repaired, form), `the repaired transcript as ${form}`, lost);
  },

  /** `lost`: ids that the text cannot say. */
  async _copied(text, what, lost) {
    const done = await copyText(text, this.root);
    this.status.say(done ? copiedWords(what, lost) : "The browser does not let this page copy: select the text and copy it yourself.");
  },

  /** Ctrl+C in the tokens, which copied the selection: says so. */
  _copyEvent(event) {
    const { selection } = this.tokens;
    if (!event.defaultPrevented || !selection) return;
    const { from, to } = selection;
    this.status.say(copiedWords(`${plural(to - from, "token")} as text`, lostIn(this.transcript, from, to)));
  },
});

const SCREENS = new WeakMap();

export default function ({ data, parentElement }) {
  let screen = SCREENS.get(parentElement);
  if (!screen) {
    screen = new Screen(parentElement);
    SCREENS.set(parentElement, screen);
  }
  screen.update(data);
  return () => {
    screen.destroy();
    SCREENS.delete(parentElement);
  };
}
