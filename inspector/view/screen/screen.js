/* The screen: puts the parts together and links them. Everything that lights up does so here, in the browser. */

const NOTHING = { node: -1, from: -1, to: -1 };
const SELECTION_DELAY = 250;

class Screen {
  constructor(host) {
    this.root = el("div", { class: "hs" });
    // Streamlit's own shortcuts (r, c) must not fire while a person walks the tokens.
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    host.append(this.root);
    this.source = new SourceLine(this.root);
    this.verdict = new VerdictBar(this.root, { release: (name) => this._release(name), go: (i) => this.tokens.pick(i) });
    const main = el("div", { class: "main" });
    const hero = el("div", { class: "hero" });
    this.root.append(main);
    this.mapHost = el("div", { class: "map-host" });
    main.append(this.mapHost, hero);
    this.tokens = new TokenView(hero, {
      label: "Tokens of the transcript",
      on: {
        hover: (i) => this._token(i), select: (i) => this._select(i), step: (by) => this._step(by),
        scroll: () => this.map.draw(),
      },
    });
    this.map = new MiniMap(this.mapHost, this.tokens);
    this.status = new StatusLine(hero);
    this.finish = new FinishLine(hero, { go: (finding) => this._go(finding) });
    this.findings = new FindingsList(main, {
      hover: (finding) => this._finding(finding), go: (finding) => this._go(finding),
      change: () => this._changed(), rule: (code) => this.send?.trigger("open_rule", code),
    });
    const panes = el("div", { class: "panes" });
    main.append(panes);
    const on = { hover: (link) => this._light(link ?? NOTHING), go: (i) => this.tokens.pick(i) };
    this.strict = new MessagePane(panes, "Strict", on);
    this.repaired = new MessagePane(panes, "Repaired", on);
    this.prompt = new PromptPane(panes, {
      hover: (i) => this._token(i), select: (i) => this.tokens.pick(i), rule: () => {},
      light: (link) => this._light({ ...NOTHING, ...link }),
      style: (name) => this.send?.setState("style", name),
    });
    this.stop = this._listen();
    // Boxes are measured: with the fonts that are there now, and again with those that arrive.
    this.fontsLoaded = () => this._refresh();
    document.fonts.addEventListener("loadingdone", this.fontsLoaded);
  }

  _listen() {
    const listener = (digest, part) => {
      if (digest !== this.transcript?.digest) return;
      if (part === "checks") this._verdictBar();
      else if (part === "") this._feed();
    };
    shared().listeners.add(listener);
    return () => shared().listeners.delete(listener);
  }

  destroy() {
    this.stop();
    document.fonts.removeEventListener("loadingdone", this.fontsLoaded);
    clearTimeout(this.selecting);
    this.tokens.destroy();
    this.prompt.view.destroy();
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

  _refresh() {
    this.tokens.refresh();
    this.prompt.view.refresh();
    this.map.draw();
  }

  _theme() {
    this.root.dataset.theme = themeOf(this.root);
  }

  _feed() {
    const held = shared().feeds.get(this.transcript.digest);
    this.root.classList.toggle("waiting", !held);
    if (!held) return;
    this.send = held;
    const { feed } = held;
    this.feed = feed;
    const { transcript } = this;
    transcript.dictionary.add(feed.extra);
    this.source.show(transcript, feed.settings);
    this._verdict();
    this.findings.show(feed, transcript);
    this.finish.show(feed.finish);
    this._repaired();
    this.prompt.show(transcript, feed);
    this._place();
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
      outline: feed.repair.messages, sequence: new Sequence(transcript, edits), edits,
      hint: `${this._fixes()} · strict ${ok ? "accepts" : "raises"}`,
      after: feed.repair.error ? [errorNote("The repaired transcript still breaks", feed.repair.error)] : [],
    });
    this.repaired.root.dataset.ok = ok;
  }

  /** Shows the chosen release: the verdict, where it broke, what it returned. */
  _verdict() {
    const { transcript, feed } = this;
    const verdicts = transcript.strict.filter((v) => v.mode === "strict");
    const chosen = verdicts.find((v) => v.release === shared().release) ?? verdicts.find((v) => !v.ok) ?? verdicts[0];
    this.chosen = chosen;
    this._verdictBar();
    const error = chosen?.error ?? null;
    this.tokens.show(transcript, {
      edits: feed.repair.edits, findings: feed.findings, broke: error && error.token, cause: error && error.cause,
    });
    this.map.show(transcript, feed.findings);
    if (!chosen) return;
    const after = [];
    if (error) {
      after.push(errorNote(error.token >= transcript.count ? "Raised at the end" : `Raised at token ${error.token}`, error, "No message reaches the caller."));
      for (const later of chosen.later.slice(0, 5)) after.push(errorNote("Once that is mended, it breaks again", later));
      const more = chosen.later.length - 5 + chosen.more_later;
      if (more > 0) after.push(el("p", { class: "quiet" }, `and ${plural(more, "more error")}`));
    }
    const count = countMessages(chosen.messages, transcript);
    this.strict.show({
      outline: chosen.messages, sequence: new Sequence(transcript, []),
      hint: error ? `${plural(count, "message")} complete before the break` : `${plural(count, "message")} returned`, after,
    });
    this.strict.root.dataset.ok = chosen.ok;
  }

  _verdictBar() {
    if (!this.feed) return;
    const { findings, repair } = this.feed;
    this.verdict.show({
      verdicts: this.transcript.strict.filter((v) => v.mode === "strict"), verdict: this.chosen, transcript: this.transcript,
      findings: findings.length, misread: this.feed.misread[this.chosen?.release] ? findings.filter((f) => f.severity === "error").length : 0,
      checks: shared().parts.get(this.transcript.digest)?.checks ?? {}, repair: { ...repair, ok: this._accepts() }, fixes: this._fixes(),
    });
  }

  /** How many fixes there are and how many are on, in words. */
  _fixes() {
    const could = this.feed.findings.filter((f) => (f.fix && f.fix.mends) || f.alternatives.length);
    if (!could.length) return "nothing to mend";
    // A fix that lies within another one is on, though it has no edit of its own.
    const off = new Set(this.feed.settings.off);
    const on = could.filter((f) => f.applied || (f.fix && f.fix.mends && ![f.key, f.code, f.name].some((word) => off.has(word))));
    return `${on.length} of ${could.length} ${could.length === 1 ? "fix" : "fixes"} on`;
  }

  _release(name) {
    shared().release = name;
    this._verdict();
    this._repaired();
  }

  /** Goes back to where a person was in this transcript. */
  _place() {
    const { digest } = this.transcript;
    if (this.placed === digest) return;
    this.placed = digest;
    const place = shared().places.get(digest);
    if (place !== undefined) {
      this.tokens.go(place);
      return;
    }
    const broke = this.tokens.broke;
    const first = broke ?? (this.feed.findings.length ? Math.min(...this.feed.findings.map((f) => f.span[0])) : 0);
    this.tokens.go(first);
  }

  _on(i) {
    return this.feed.findings.filter(({ span: [start, end] }) => start <= i && i < Math.max(end, start + 1));
  }

  _token(i) {
    if (i === null || !this.feed) {
      this._light(NOTHING);
      return;
    }
    const found = this._on(i);
    this.status.show(this.transcript, i, found);
    this._light({ node: this.transcript.nodeAt(i), from: i, to: i + 1 }, new Set(found.map((f) => f.key)));
  }

  _finding(finding) {
    if (!finding) {
      this._light(NOTHING);
      return;
    }
    const [start, end] = finding.span;
    this._light({ node: this.transcript.nodeAt(Math.min(start, this.transcript.count - 1)), from: start, to: Math.max(end, start + 1) }, new Set([finding.key]));
  }

  _light(link, keys = new Set()) {
    this.tokens.light(link);
    this.prompt.view.light(link);
    this.strict.light(link);
    this.repaired.light(link);
    this.findings.light(keys);
  }

  _go(finding) {
    this.tokens.pick(Math.min(finding.span[0], Math.max(0, this.transcript.count - 1)));
    this._finding(finding);
    this.findings.reveal(finding.key);
  }

  _step(by) {
    const ordered = [...this.feed.findings].sort((a, b) => a.span[0] - b.span[0]);
    if (!ordered.length) return;
    const at = this.tokens.active;
    const last = Math.max(0, this.transcript.count - 1);
    const places = ordered.map((f) => Math.min(f.span[0], last));
    const number = by > 0 ? places.findIndex((p) => p > at) : places.findLastIndex((p) => p < at);
    const finding = ordered[number >= 0 ? number : by > 0 ? 0 : ordered.length - 1];
    this._go(finding);
  }

  /** A token was chosen: the only thing about looking around that Python is told. */
  _select(i) {
    this._token(i);
    const found = this._on(i);
    if (found.length) this.findings.reveal(found[0].key);
    shared().places.set(this.transcript.digest, i);
    clearTimeout(this.selecting);
    const { digest } = this.transcript;
    this.selecting = setTimeout(() => this.send?.setState("selection", { digest, token: i }), SELECTION_DELAY);
  }

  _changed() {
    const { off, choices } = this.findings.fixes;
    this.send.setState("fixes", { digest: this.transcript.digest, off: [...off], choices: Object.fromEntries(choices) });
  }
}

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
