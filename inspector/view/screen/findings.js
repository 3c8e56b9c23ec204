/* The findings beside the tokens: what is wrong, why, and a switch for each fix. */

const EFFECT_TITLES = {
  raises: "Breaks a strict parser",
  misreads: "Lost or read wrongly, without an error",
  drifts: "Differs in the next prompt",
};
const APPLICABILITY_WORDS = {
  safe: "safe, the meaning is certain", unsafe: "a choice was made", display: "shown only",
};
const FIRST_FINDINGS = 60;

/** The switches as one string, to tell two states apart. */
function signature({ off, choices }) {
  return JSON.stringify([[...off].sort(), [...choices].map(([key, number]) => [key, Number(number)]).sort()]);
}

class FindingsList {
  /** `on` = {hover(finding|null), go(finding), change(), rule(code)}; `fixes` = {off: Set, choices: Map}. */
  constructor(host, on) {
    this.on = on;
    this.fixes = { off: new Set(), choices: new Map() };
    this.cards = new Map();
    this.list = el("div", { class: "list" });
    this.root = el("aside", { class: "findings", "aria-label": "Findings" }, this.list);
    host.append(this.root);
  }

  show(feed, transcript) {
    this.feed = feed;
    this.transcript = transcript;
    const told = { off: new Set(feed.settings.off), choices: new Map(Object.entries(feed.settings.choices)) };
    // Python answers one flip after the other: an answer to an older one must not undo what was switched since.
    const late = this.flipped === transcript.digest && signature(told) !== signature(this.fixes);
    if (!late) {
      this.fixes = told;
      this.flipped = null;
    }
    this._draw(FIRST_FINDINGS);
  }

  _draw(limit) {
    // The control that was just used is built anew: it must keep the focus.
    const focused = this.root.getRootNode().activeElement?.dataset?.control;
    this.cards.clear();
    const { findings, more_findings: more } = this.feed;
    const groups = [];
    let left = limit;
    for (const [effect, title] of Object.entries(EFFECT_TITLES)) {
      const members = findings.filter((finding) => finding.effect === effect);
      if (!members.length) continue;
      const shown = members.slice(0, Math.max(0, left));
      left -= shown.length;
      groups.push(el("section", { class: "group" },
        el("h3", {}, title, el("span", { class: "count" }, String(this.feed.counts[effect] ?? members.length))),
        ...shown.map((finding) => this._card(finding))));
    }
    if (!findings.length) groups.push(el("p", { class: "quiet" }, "No findings: the tokens say what they mean."));
    const hidden = findings.length - limit;
    if (hidden > 0) {
      groups.push(el("button", { class: "more", type: "button", onclick: () => this._draw(limit * 4) }, `Show ${plural(hidden, "more finding")}`));
    }
    if (more) groups.push(el("p", { class: "quiet" }, `${plural(more, "further finding")} not shown here.`));
    this.list.replaceChildren(...groups);
    if (focused) this.list.querySelector(`[data-control="${CSS.escape(focused)}"]`)?.focus();
  }

  _card(finding) {
    const [start, end] = finding.span;
    const off = this.fixes.off.has(finding.key);
    const place = start === end ? (start >= this.transcript.count ? "end" : `before ${start}`) : rangeText(start, end);
    const card = el("article", {
      class: `finding ${finding.severity}${off ? " off" : ""}`,
      onmouseenter: () => this.on.hover(finding),
      onmouseleave: () => this.on.hover(null),
    },
      el("header", {},
        el("button", { class: "where", type: "button", "data-control": `go-${finding.key}`, onclick: () => this.on.go(finding), title: "Show it in the transcript" },
          el("span", { class: "sign", "aria-hidden": "true" }, SEVERITY_SIGNS[finding.severity]),
          el("span", { class: "unseen" }, `${finding.severity}: `),
          el("b", {}, finding.code), " ", finding.name, el("span", { class: "place" }, ` ${place}`)),
        el("button", { class: "about", type: "button", "aria-label": `About rule ${finding.code}`, title: "What this rule says", onclick: () => this.on.rule(finding.code) }, "?")),
      el("p", {}, ...visibleText(finding.message)),
      finding.note && el("p", { class: "note" }, ...visibleText(finding.note)),
      this._controls(finding, off));
    this.cards.set(finding.key, card);
    return card;
  }

  _controls(finding, off) {
    const { fix, alternatives, key } = finding;
    const mends = (fix && fix.mends) || alternatives.length;
    if (!mends) return el("p", { class: "only" }, "Shown only: there is nothing to switch.");
    const chosen = Number(this.fixes.choices.get(key) ?? 0);
    const readings = [fix, ...alternatives];
    const shown = readings[chosen] ?? fix;
    const control = el("button", {
      class: "switch", type: "button", role: "switch", "aria-checked": String(!off), "data-control": `switch-${key}`,
      "aria-label": `Fix ${finding.code} at ${finding.span[0]}: ${shown ? shown.title : "leave as it is"}`,
      onclick: () => this._toggle(finding),
    }, el("span", { class: "knob", "aria-hidden": "true" }));
    const title = alternatives.length ? null
      : el("span", { class: "title" }, ...visibleText(fix.title), el("span", { class: "safety" }, ` · ${APPLICABILITY_WORDS[fix.applicability]}`));
    const parts = [el("div", { class: "fix" }, control, title ?? el("span", { class: "title" }, "Read it as"))];
    if (alternatives.length) parts.push(this._readings(finding, readings, chosen, off));
    const diff = !off && shown ? this._diff(shown) : null;
    if (diff) parts.push(diff);
    return el("div", { class: "controls" }, ...parts);
  }

  _readings(finding, readings, chosen, off) {
    const name = `reading-${finding.key}`;
    const rows = readings.map((fix, number) => el("label", { class: number === chosen ? "chosen" : "" },
      el("input", {
        type: "radio", name, value: number, checked: number === chosen, disabled: off,
        "data-control": `${name}-${number}`, onchange: () => this._choose(finding, number),
      }),
      el("span", {}, ...visibleText(fix ? fix.title : "Leave it as it is"),
        number === 0 && el("span", { class: "safety" }, " · default"))));
    return el("div", { class: "readings", role: "radiogroup", "aria-label": `Readings of ${finding.code}` }, ...rows);
  }

  /** What a fix takes out and puts in, as text. */
  _diff(fix) {
    const parts = [];
    for (const [start, end, ids] of fix.edits.slice(0, 3)) {
      const gone = new Sequence(this.transcript, []).text(start, end, 160);
      const dictionary = this.transcript.dictionary;
      const bytes = concatenated(ids.slice(0, 60).map((id) => dictionary.data[dictionary.placeOf(id)]));
      const fresh = LENIENT_DECODER.decode(bytes);
      if (end > start) parts.push(el("del", {}, ...visibleText(gone.text), gone.cut && "…"));
      if (ids.length) parts.push(el("ins", {}, ...visibleText(fresh), ids.length > 60 && "…"));
    }
    if (!parts.length) return null;
    if (fix.edits.length > 3) parts.push(el("span", { class: "quiet" }, ` and ${fix.edits.length - 3} more`));
    return el("div", { class: "diff" }, ...parts);
  }

  _toggle(finding) {
    const { off } = this.fixes;
    if (!off.delete(finding.key)) off.add(finding.key);
    this.flipped = this.transcript.digest;
    this._draw(Math.max(FIRST_FINDINGS, this.cards.size));
    this.on.change();
  }

  _choose(finding, number) {
    if (number) this.fixes.choices.set(finding.key, number);
    else this.fixes.choices.delete(finding.key);
    this.flipped = this.transcript.digest;
    this._draw(Math.max(FIRST_FINDINGS, this.cards.size));
    this.on.change();
  }

  /** Lights up the findings with these keys. */
  light(keys) {
    for (const [key, card] of this.cards) card.classList.toggle("lit", keys.has(key));
  }

  /** Brings a finding into sight within its own list. */
  reveal(key) {
    const card = this.cards.get(key);
    if (!card) return;
    const box = this.root;
    if (box.scrollHeight <= box.clientHeight) return;
    box.scrollTop += card.getBoundingClientRect().top - box.getBoundingClientRect().top - 12;
  }
}
