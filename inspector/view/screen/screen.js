/* The screen: puts the parts together. What a person does to one part reaches the others through here. */

const SELECTION_DELAY = 250;
const PANELS = [["outline", "Outline", "o"], ["step", "Step", "s"]];

class Screen {
  constructor(host) {
    this.root = el("div", { class: "hs" });
    host.append(this.root);
    this.mode = "text";
    this.open = new Set();
    this.lanes = { origin: false, logprob: false };
    this.source = new SourceLine(this.root);
    this.verdict = new VerdictBar(this.root, { release: (name) => this._release(name), go: (i) => this._pick(i) });
    const main = el("div", { class: "main" });
    this.root.append(main);
    this.tools = new Toolbar(main, {
      mode: (name) => this._setMode(name), toggle: (name) => this._toggle(name), lane: (name) => this._lane(name), ready: () => this.finder.prepare(),
      find: (query, exact) => this.finder.find(query, exact), hit: (by) => this.finder.hit(by), leave: () => this.focusTokens(), goTo: (i) => this._goTo(i),
      finding: (by) => this._step(by), sheet: () => this.keys.sheet.open(), scope: () => this._scope(),
      copy: (form) => this._copy(form), repaired: (form) => this._copyRepaired(form),
    }, PANELS);
    this.mapHost = el("div", { class: "map-host" });
    const hero = el("div", { class: "hero" });
    main.append(this.mapHost, hero);
    this._hero(hero);
    this.findings = new FindingsList(main, {
      hover: (finding) => this.links.finding(finding), go: (finding) => this._go(finding),
      change: () => this._changed(), rule: (code) => this.send?.trigger?.("open_rule", code), prompt: () => this._toPrompt(),
    });
    const panes = el("div", { class: "panes" });
    main.append(panes);
    const on = { hover: (link) => this.links.light(link ?? NOTHING), go: (i) => this._pick(i) };
    this.strict = new MessagePane(panes, "Strict", on);
    this.repaired = new MessagePane(panes, "Repaired", on);
    this.prompt = new PromptPane(panes, {
      hover: (i) => this.links.token(i), select: (i) => this._pick(i),
      light: (link) => this.links.light(link), style: (name) => this.send?.setState?.("style", name),
    });
    this.links = new Links(() => this._lit(), this.status);
    this.finder = new Finder(this.tools.find, {
      transcript: () => this.transcript, findings: () => this.feed.findings, active: () => this.tokens.active,
      show: (matches, current) => this.tokens.setMatches(matches, current), go: ([from, to]) => this._goMatch(from, to),
    });
    this.keys = new Shortcuts(this.root, this._actions());
    this.root.addEventListener("copy", (event) => this._copyEvent(event));
    this.stop = this._listen();
    // Boxes are measured: with the fonts that are there now, and again with those that arrive.
    this.fontsLoaded = () => this._refresh();
    document.fonts.addEventListener("loadingdone", this.fontsLoaded);
  }

  _hero(hero) {
    const stage = el("div", { class: "stage" });
    this.contents = new ContentsPanel(stage, {
      go: (i) => this._pick(i), hover: (link) => this.links.light(link ?? NOTHING), folds: (set) => this._setFolds(set), close: () => this._toggle("outline"),
    });
    const surface = el("div", { class: "surface" });
    this.diffHost = el("div", { class: "diff-host", hidden: true });
    stage.append(surface, this.diffHost);
    hero.append(stage);
    this.surface = surface;
    this.tokens = new TokenView(surface, {
      label: "Tokens of the transcript",
      on: {
        hover: (i) => this.links.token(i), select: (i) => this._select(i), scroll: () => this.map.scrolled(),
        range: (range) => this.status.selected(range), fold: () => this._folded(),
        walk: (i) => this._shown().forEach((panel) => panel.at(i)),
      },
    });
    this.map = new MiniMap(this.mapHost, this.tokens);
    this.stepHost = el("div", { class: "step-host", hidden: true });
    hero.append(this.stepHost);
    this.status = new StatusLine(hero);
    this.finish = new FinishLine(hero, { go: (finding) => this._go(finding) });
  }

  _lit() {
    const parts = [this.tokens, this.prompt.view, this.strict, this.repaired, this.findings];
    if (this.open.has("outline")) parts.push(this.contents);
    if (this.open.has("step")) parts.push(this.stepper);
    if (this.mode === "diff") parts.push(this.diff);
    return parts;
  }

  _actions() {
    return {
      n: () => this._step(1), p: () => this._step(-1), b: () => this._toBreak(), f: () => this.tools.find.open(), "/": () => this.tools.find.open(),
      g: () => this.tools.goBox.focus(), t: () => this._setMode(this.mode === "table" ? "text" : "table"),
      d: () => this._setMode(this.mode === "diff" ? "text" : "diff"), s: () => this._toggle("step"), o: () => this._toggle("outline"),
      c: () => this.tools.copying.toggle(), "]": () => this._message(1), "[": () => this._message(-1),
      // In the tokens it is their own key.
      ".": (event) => !event.composedPath().includes(this.tokens.scroller) && this.tokens.toggleFold(this.transcript.nodeAt(this.tokens.active)),
      "?": () => this.keys.sheet.open(), Escape: () => this._escape(),
    };
  }

  _listen() {
    const listener = (digest, part) => {
      if (digest !== this.transcript?.digest) return;
      if (part === "" || part === "base") this._feed();
      else if (part === "checks") this._verdictBar();
      else if (part === "go") this._told();
      else this._panels();
    };
    shared().listeners.add(listener);
    return () => shared().listeners.delete(listener);
  }

  destroy() {
    this.stop();
    this.keys.destroy();
    document.fonts.removeEventListener("loadingdone", this.fontsLoaded);
    clearTimeout(this.selecting);
    for (const part of [this.tokens, this.prompt.view, this.contents, this.stepper, this.diff]) part?.destroy();
  }

  /** Takes the tokens; what follows the switches comes from the other component, before or after. */
  update(bytes) {
    this._theme();
    if (bytes === this.bytes) {
      this._refresh();
      return;
    }
    this.bytes = bytes;
    this.transcript = new Transcript(bytes);
    this._feed();
  }

  /** Takes what continues the tokens that are shown, then the feed about all of them, which `hand` hands over. */
  append(bytes, hand) {
    this.tokens.appended(this.transcript.append(bytes), true);
    hand();
  }

  _refresh() {
    this.tokens.refresh();
    this.prompt.view.refresh();
    this.map.draw();
    for (const panel of this._shown()) panel.refresh();
  }

  _theme() {
    this.root.dataset.theme = themeOf(this.root);
  }

  _feed() {
    const held = shared().feeds.get(this.transcript.digest);
    const feed = held && readFeed(held.feed, shared().parts.get(this.transcript.digest)?.base);
    this.root.classList.toggle("waiting", !feed);
    if (!feed) return;
    this.root.classList.add("filled");
    this.fed = this.transcript.digest;
    this.send = held;
    this.feed = feed;
    // Without Python behind the page nothing can be switched.
    this.fixed = !held.setState;
    const { transcript } = this;
    transcript.dictionary.add(feed.extra);
    transcript.relabelled = relabelled(transcript, feed.repair);
    this.links.show(transcript, feed);
    this.source.show(transcript, feed.settings);
    this._verdict();
    this.findings.show(feed, transcript, this.fixed);
    this.finish.show(feed.finish, transcript.head.open);
    this._repaired();
    this.prompt.show(transcript, feed, this.fixed);
    this._place();
    this._told();
    this.finder.renew();
    this._tools();
    this._panels();
  }

  _tools() {
    const { origins, logprobs } = this.transcript;
    this.tools.show({
      mode: this.mode, modes: ["text", "table", "diff"], open: this.open, lanes: this.lanes,
      has: { origin: Boolean(origins), logprob: Boolean(logprobs) },
    });
    this.tools.counted(this.links.numberOf(this.gone), this.feed?.findings.length ?? 0);
  }

  /** Whether the chosen release accepts the transcript with the fixes that are on. */
  _accepts() {
    const { repair } = this.feed;
    return this.chosen ? repair.after[this.chosen.release] ?? repair.ok : repair.ok;
  }

  _repaired() {
    const { feed, transcript } = this;
    const edits = feed.repair.edits;
    const ok = this._accepts();
    this.repaired.show({
      outline: feed.repair.messages, sequence: this.links.repaired, edits,
      hint: `${fixesInWords(feed)} · strict ${ok ? "accepts" : "raises"}`,
      after: feed.repair.error ? [errorNote("The repaired transcript still breaks", feed.repair.error)] : [],
      none: transcript.count ? "Nothing is left of it: every token was taken out." : "It has no tokens.",
    });
    this.repaired.root.dataset.ok = ok;
  }

  /** Shows the chosen release: the verdict, where it broke, what it returned. */
  _verdict() {
    const { transcript, feed } = this;
    const verdicts = transcript.strict.filter((v) => v.mode === "strict");
    this.chosen = verdicts.find((v) => v.release === shared().release) ?? verdicts.find((v) => !v.ok) ?? verdicts[0];
    this._verdictBar();
    const error = this.chosen?.error ?? null;
    this.tokens.show(transcript, {
      edits: feed.repair.edits, findings: feed.findings, broke: error && error.token, cause: error && error.cause,
    });
    this.map.show(transcript, feed.findings, feed.prompt?.drift ?? []);
    if (this.chosen) showStrict(this.strict, this.chosen, transcript);
  }

  _verdictBar() {
    if (!this.feed) return;
    const { findings, repair, misread } = this.feed;
    this.verdict.show({
      verdicts: this.transcript.strict.filter((v) => v.mode === "strict"), verdict: this.chosen, transcript: this.transcript,
      findings: findings.length, differences: this.feed.prompt?.drift.length ?? 0, misread: misread[this.chosen?.release] ? findings.filter((f) => f.severity === "error").length : 0,
      checks: this.parts.checks ?? {}, repair: { ...repair, ok: this._accepts() }, fixes: fixesInWords(this.feed),
    });
  }

  get parts() {
    return shared().parts.get(this.transcript.digest) ?? {};
  }

  _release(name) {
    shared().release = name;
    this._verdict();
    this._repaired();
    this._panels();
  }

  /** Goes back to where a person was in this transcript. */
  _place() {
    const { digest } = this.transcript;
    if (this.placed === digest) return;
    this.placed = digest;
    this.gone = null;
    const place = shared().places.get(digest);
    const { broke } = this.tokens;
    const first = broke ?? (this.feed.findings.length ? Math.min(...this.feed.findings.map((f) => f.span[0])) : 0);
    this.tokens.go(place ?? first);
    // A person who just asked for this transcript goes on in it by keyboard; whoever types is left alone.
    const { turn } = this.feed.settings;
    const focused = document.activeElement;
    const free = !focused || focused === document.body || focused.matches("button");
    if (turn && turn !== shared().turn && free) this.focusTokens();
    shared().turn = turn;
  }
}

/** How many fixes there are and how many are on, in words. */
function fixesInWords({ findings, settings }) {
  const could = findings.filter(canMend);
  if (!could.length) return "nothing to mend";
  // A fix that lies within another one is on, though it has no edit of its own.
  const off = new Set(settings.off);
  const on = could.filter((f) => f.applied || (f.fix && f.fix.mends && ![f.key, f.code, f.name].some((word) => off.has(word))));
  return `${on.length} of ${could.length} ${could.length === 1 ? "fix" : "fixes"} on`;
}
