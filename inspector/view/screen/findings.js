/* The findings beside the tokens: what is wrong, why, and a switch for each fix. */

const EFFECT_TITLES = {
  raises: "Breaks a strict parser",
  misreads: "Lost or read wrongly, without an error",
  drifts: "Differs in the next prompt",
};
const APPLICABILITY_WORDS = {
  safe: "safe, the meaning is certain", unsafe: "one of several readings", display: "shown only",
};
const FIRST_FINDINGS = 60;
const RULE_SWITCH_FROM = 4;
const FIXED_SENTENCE = "Open this transcript in harmonylens to switch fixes.";

/** The switches as one string, to tell two states apart. */
function signature({ off, choices }) {
  return JSON.stringify([[...off].sort(), [...choices].map(([key, number]) => [key, Number(number)]).sort()]);
}

/** Whether there is anything to switch. */
function canMend({ fix, alternatives }) {
  return Boolean((fix && fix.mends) || alternatives.length);
}

class FindingsList {
  /** `on` = {hover(finding|null), go(finding), change(), rule(code), prompt()}; `fixes` = {off: Set, choices: Map}. */
  constructor(host, on) {
    this.on = on;
    this.fixes = { off: new Set(), choices: new Map() };
    this.cards = new Map();
    this.list = el("div", { class: "list" });
    this.root = el("aside", { class: "findings", "aria-label": "Findings" }, this.list);
    host.append(this.root);
  }

  /** `fixed`: there is no Python behind the page, so the switches only show how they stand. */
  show(feed, transcript, fixed = false) {
    Object.assign(this, { feed, transcript, fixed });
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
        el("h3", {}, title, el("span", { class: "count" }, NUMBERS.format(this.feed.counts[effect] ?? members.length))),
        ...this._cards(shown, members)));
    }
    if (!findings.length) groups.push(this._none());
    else if (this.fixed && findings.some(canMend)) groups.unshift(el("p", { class: "fixed quiet" }, this.fixedSentence ?? FIXED_SENTENCE));
    const hidden = findings.length - limit;
    if (hidden > 0) {
      groups.push(el("button", { class: "more", type: "button", onclick: () => this._draw(limit * 4) }, `Show ${plural(hidden, "more finding")}`));
    }
    if (more) groups.push(el("p", { class: "quiet" }, `${plural(more, "further finding")} not shown here.`));
    this.list.replaceChildren(...groups);
    if (focused) this.list.querySelector(`[data-control="${CSS.escape(focused)}"]`)?.focus();
  }

  _none() {
    return el("div", { class: "none" }, el("h3", {}, "No findings"),
      el("p", { class: "quiet" }, "No rule has anything to say about these tokens."), this._differences(),
      el("p", { class: "quiet" }, "What would stand here: where a strict parser breaks, what it reads wrongly without an error, and what differs in the next prompt, each with its rule and a switch for its fix."));
  }

  /** Where no rule speaks, the next prompt may still differ: by which causes, and the way there. */
  _differences() {
    const drift = this.feed.prompt?.drift ?? [];
    if (!drift.length) return null;
    const causes = [...new Set(drift.map(({ cause }) => cause.replaceAll("-", " ")))];
    return el("p", {}, "The ", el("button", { class: "link", type: "button", onclick: () => this.on.prompt() }, "next prompt"),
      ` shows ${plural(drift.length, "difference")}: ${causes.slice(0, 4).join(", ")}${causes.length > 4 ? ", …" : ""}.`);
  }

  /** Cards in order; where a rule has many fixes, a line before its first card switches them all. */
  _cards(shown, members) {
    const told = new Set();
    return shown.flatMap((finding) => {
      const card = this._card(finding);
      if (told.has(finding.code)) return [card];
      told.add(finding.code);
      const mine = members.filter((other) => other.code === finding.code && canMend(other));
      return mine.length >= RULE_SWITCH_FROM && !this.fixed ? [this._ruleSwitch(finding, mine), card] : [card];
    });
  }

  _ruleSwitch({ code, name }, mine) {
    const on = mine.filter((finding) => !this._isOff(finding)).length;
    const button = (title, off, idle) => el("button", {
      class: "all", type: "button", disabled: idle, "data-control": `all-${title}-${code}`, "aria-label": `${title}: fixes of ${code} ${name}`, onclick: () => this._switchRule(code, name, off),
    }, title);
    return el("div", { class: "rule-switch" }, el("span", {}, el("b", {}, code), ` ${NUMBERS.format(on)} of ${plural(mine.length, "fix").replace(/fixs$/, "fixes")} on`),
      button("All on", false, on === mine.length), button("All off", true, on === 0));
  }

  _switchRule(code, name, off) {
    const kept = [...this.fixes.off].filter((word) => word !== code && word !== name && !word.startsWith(`${code}@`));
    this.fixes.off = new Set(off ? [...kept, code] : kept);
    this._flipped();
  }

  /** A fix is off by its own switch or by its rule's. */
  _isOff({ key, code, name }) {
    const { off } = this.fixes;
    return off.has(key) || off.has(code) || off.has(name);
  }

  _card(finding) {
    const [start, end] = finding.span;
    const off = this._isOff(finding);
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
        !this.fixed && el("button", { class: "about", type: "button", "aria-label": `About rule ${finding.code}`, title: "What this rule says", onclick: () => this.on.rule(finding.code) }, "?")),
      el("p", {}, ...visibleText(finding.message)),
      finding.note && el("p", { class: "note" }, ...visibleText(finding.note)),
      this._controls(finding, off));
    this.cards.set(finding.key, card);
    return card;
  }

  _controls(finding, off) {
    const { fix, alternatives, key } = finding;
    if (!canMend(finding)) return el("p", { class: "only" }, "Shown only: there is nothing to switch.");
    const chosen = Number(this.fixes.choices.get(key) ?? 0);
    const readings = [fix, ...alternatives];
    const shown = readings[chosen] ?? fix;
    const control = el("button", {
      class: "switch", type: "button", role: "switch", "aria-checked": String(!off), disabled: this.fixed, "data-control": `switch-${key}`,
      "aria-label": `Fix ${finding.code} at ${finding.span[0]}: ${shown ? shown.title : "leave as it is"}`,
      onclick: () => this._toggle(finding),
    }, el("span", { class: "knob", "aria-hidden": "true" }));
    const state = off && el("span", { class: "state" }, "off · ");
    const title = alternatives.length ? el("span", { class: "title" }, state, "Read it as")
      : el("span", { class: "title" }, state, ...visibleText(fix.title), el("span", { class: "safety" }, ` · ${APPLICABILITY_WORDS[fix.applicability]}`));
    const parts = [el("div", { class: "fix" }, control, title)];
    if (alternatives.length) parts.push(this._readings(finding, readings, chosen, off));
    const diff = !off && shown ? this._diff(shown) : null;
    if (diff) parts.push(diff);
    return el("div", { class: "controls" }, ...parts);
  }

  _readings(finding, readings, chosen, off) {
    const name = `reading-${finding.key}`;
    const rows = readings.map((fix, number) => el("label", { class: number === chosen ? "chosen" : "" },
      el("input", {
        type: "radio", name, value: number, checked: number === chosen, disabled: off || this.fixed,
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
    const { key, code, name } = finding;
    if (off.has(code) || off.has(name)) {
      // The rule was off as a whole: now all of its fixes are, but for this one.
      off.delete(code);
      off.delete(name);
      for (const other of this.feed.findings) if (other.code === code && other.key !== key) off.add(other.key);
    } else if (!off.delete(key)) off.add(key);
    this._flipped();
  }

  _choose(finding, number) {
    if (number) this.fixes.choices.set(finding.key, number);
    else this.fixes.choices.delete(finding.key);
    this._flipped();
  }

  _flipped() {
    this.flipped = this.transcript.digest;
    this._draw(Math.max(FIRST_FINDINGS, this.cards.size));
    this.on.change();
  }

  /** Lights up the findings with these keys. */
  light(_, keys) {
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
