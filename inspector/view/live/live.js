/* A run as it goes: its samples, and the screen with the tokens of the one in view. */

const LIVE_VIEWS = new WeakMap();

class LiveView {
  constructor(host) {
    this.root = el("div", { class: "hs live" });
    host.append(this.root);
    this.line = new RunLine(this.root, { stop: () => this._stop() });
    this.prompt = new PromptTokens(this.root);
    this.again = el("p", { class: "again", hidden: true });
    this.root.append(this.again);
    this.rows = new SampleRows(this.root, { choose: (n) => this._choose(n) });
    this.blocked = new BlockedTokens(this.root, { go: (n, token) => this._toToken(n, token) });
    this.modes = el("div", { class: "live-modes", role: "group", "aria-label": "What is shown" },
      this._mode("one", "One sample"), this._mode("sides", "Side by side"));
    this.open = el("button", { class: "act", type: "button", onclick: () => this._ask("open") }, "Open in Inspect");
    this.save = el("button", { class: "act", type: "button", onclick: () => this._ask("save") }, "Save to the gallery");
    this.resample = el("button", { class: "act", type: "button", onclick: () => this._ask("resample") }, "Resample from the chosen token");
    this.acts = el("div", { class: "acts" }, this.modes, el("span", { class: "push" }), this.resample, this.save, this.open);
    this.root.append(this.acts);
    this.one = el("div", { class: "one" });
    this.beside = el("div", { class: "hs beside" });
    this.beside.hidden = true;
    host.append(this.one, this.beside);
    this.mode = "one";
  }

  _mode(name, title) {
    return el("button", { class: "mode", type: "button", "data-mode": name, "aria-pressed": "false", onclick: () => this._setMode(name) }, title);
  }

  /** Takes what Python says: which run it is. `send` tells Python what a person asks for. */
  update(data, send) {
    this.send = send;
    this.root.dataset.theme = this.beside.dataset.theme = themeOf(this.root);
    if (data === this.data) {
      this.screen?._theme();
      this.screen?._refresh();
      this.prompt.refresh();
      return;
    }
    this.data = data;
    const { run, base, beside, acts, blocked } = unpackContainer(data).head;
    this.blocked.show(blocked);
    if (run && run === this.run) return;
    this.prompt.show(new Transcript(data), !run);
    if (run === this.run) return;
    this._leave();
    this.run = run;
    for (const part of [this.line.root, this.acts]) part.hidden = !run;
    this.rows.root.hidden = this.again.hidden = true;
    this.line.begin();
    if (!run) return;
    this.base = new URL(`${base}/${run}`, new URL(".", document.baseURI)).href;
    this.chosen = 0;
    this.mode = "one";
    for (const button of [this.resample, this.save, this.open]) button.hidden = !acts;
    this.summary = null;
    this.line.button.disabled = false;
    this.line.button.textContent = "Stop";
    this.stream = new RunStream(this.base, (summary) => this._heard(summary), (sentence) => this._failed(sentence));
    if (beside) this._setMode("sides");
    else this._watch();
  }

  _heard(summary) {
    const ended = this.summary?.state === "running" && summary.state !== "running";
    this.summary = summary;
    this.line.show(summary);
    this._show();
    // Python draws the rest of the page anew once, when it is over.
    if (ended) this.send.state("ended", this.run);
  }

  /** What is wrong with the way to the run; "" once it is right again. */
  _failed(sentence) {
    const before = this.lost;
    this.lost = sentence;
    if (sentence || before) this._say();
  }

  /** What is wrong with the way to the tokens of the chosen sample. */
  _unshown(sentence) {
    const before = this.unshown;
    this.unshown = sentence;
    if (sentence || before) this._say();
  }

  /** The one sentence below the line: the nearest to what a person looks at. */
  _say() {
    const row = this.summary?.rows[this.chosen];
    const of = row && (row.judged?.defect || (row.done && row.error));
    this.line.tell(this.lost || this.unshown || of || this.summary?.error || "");
  }

  _show() {
    const { rows, again, note } = this.summary;
    this.rows.show(rows, this.chosen);
    const words = [note, again && againWords(again)].filter(Boolean).join(" ");
    this.again.hidden = !words;
    this.again.textContent = words;
    const row = rows[this.chosen];
    // Where nothing was sampled there is nothing to judge: the row, and this line, say why.
    this.one.hidden = this.mode !== "one" || (row.done && !row.tokens);
    this._say();
    this.modes.hidden = rows.length < 2;
    for (const button of this.modes.children) button.setAttribute("aria-pressed", String(button.dataset.mode === this.mode));
    const some = rows[this.chosen].tokens > 0;
    for (const button of [this.open, this.save]) button.disabled = !some;
    this.resample.disabled = !some || this.mode !== "one";
    if (this.mode === "sides") this.sides.show(rows, this.chosen);
  }

  _choose(n) {
    if (n === this.chosen) return;
    this.wanted = undefined;
    this.chosen = n;
    if (this.mode === "one") this._watch();
    this._show();
  }

  /** To a token of a sample, in the view of one sample; it may still have to come. */
  _toToken(n, token) {
    const same = n === this.chosen && this.mode === "one" && this.screen;
    this.wanted = token;
    const other = n !== this.chosen;
    this.chosen = n;
    if (this.mode !== "one") this._setMode("one");
    else if (other) this._watch();
    this._show();
    if (same) this._arrive();
  }

  _arrive() {
    const { screen, wanted } = this;
    if (wanted === undefined || wanted >= screen.transcript.count) return;
    this.wanted = undefined;
    screen._goTo(wanted);
    screen.tokens.scroller.scrollIntoView({ block: "center" });
  }

  _setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.one.hidden = mode !== "one";
    this.beside.hidden = mode !== "sides";
    if (mode === "sides") {
      this.sample?.stop();
      this.sides = new Sides(this.beside, this.base);
    } else {
      this.sides.destroy();
      this.sides = null;
      this._watch();
    }
    if (this.summary) this._show();
  }

  /** Streams the chosen sample into a screen. */
  _watch() {
    this.sample?.stop();
    this.unshown = "";
    const trigger = (name, value) => { if (name === "open_rule") this.send.trigger("open_rule", value); };
    const hand = (feed) => takeMessage({ data: feed, setStateValue: null, setTriggerValue: trigger });
    this.sample = new SampleStream(this.base, this.chosen, {
      whole: (bytes, feed) => {
        this.screen ??= this._screen();
        hand(feed);
        this.screen.update(bytes);
        this._arrive();
      },
      more: (bytes, feed) => {
        this.screen.append(bytes, () => hand(feed));
        this._arrive();
      },
      ended: () => {},
    }, (sentence) => this._unshown(sentence));
  }

  _screen() {
    const screen = new Screen(this.one);
    screen.lanes = { origin: true, logprob: true };
    screen.findings.fixedSentence = "Open it in Inspect to switch fixes.";
    screen.tokens.setLanes(screen.lanes);
    return screen;
  }

  async _stop() {
    this.line.stopping();
    try {
      await answerOf(`${this.base}/stop`, { method: "POST" });
    } catch (error) {
      this.line.button.disabled = false;
      this.line.button.textContent = "Stop";
      this._failed(error instanceof Gone ? error.message : "The server did not take the stop: try again.");
    }
  }

  _ask(what) {
    const { picked = false, active = 0 } = this.screen?.tokens ?? {};
    // Where none was chosen, Inspect goes to the first that is wrong, as with any other transcript.
    const token = picked ? active : null;
    if (what === "resample" && !picked) {
      this.line.tell("Choose the token first from which it is drawn again: click one, or walk there with the arrow keys.");
      return;
    }
    this.send.trigger(what, { run: this.run, sample: this.chosen, token, count: (this.asked = (this.asked ?? 0) + 1) });
  }

  _leave() {
    this.wanted = undefined;
    this.lost = this.unshown = "";
    this.stream?.stop();
    this.sample?.stop();
    this.sides?.destroy();
    this.sides = null;
    this.screen?.destroy();
    this.screen = null;
    this.one.replaceChildren();
    this.one.hidden = false;
    this.beside.hidden = true;
  }

  destroy() {
    this._leave();
    this.prompt.destroy();
  }
}

/** How often what was watched for came back, in words. */
function againWords({ rules, count, of, low, high }) {
  const percent = (share) => `${Math.round(share * 100)} %`;
  const sure = of ? ` (95 %: ${percent(low)} to ${percent(high)})` : "";
  return `${rules.join(", ")} came back in ${count} of ${plural(of, "ended sample")}${sure}.`;
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let view = LIVE_VIEWS.get(parentElement);
  if (!view) {
    view = new LiveView(parentElement);
    LIVE_VIEWS.set(parentElement, view);
  }
  view.update(data, { state: setStateValue, trigger: setTriggerValue });
  return () => {
    view.destroy();
    LIVE_VIEWS.delete(parentElement);
  };
}
