/* The line above the tokens: what is shown, what is looked for, where to go. Counts have a fixed room, so nothing shifts. */

const MODES = [["text", "Text", "Text"], ["table", "Table", "Table (t)"], ["diff", "Diff", "Diff (d)"]];
const LANES = [["origin", "Origin", "Where each token comes from: the prompt, the model, or put in"],
  ["logprob", "Logprob", "How likely each token was to the model"]];

class Toolbar {
  /** `on` = {mode(name), toggle(name), lane(name), find(query, exact), hit(by), leave(), goTo(token), finding(by), sheet(),
      scope(), copy(form), repaired(form)}; `panels` names the toggles that there are. */
  constructor(host, on, panels) {
    this.on = on;
    this.modes = el("div", { class: "modes", role: "radiogroup", "aria-label": "How the tokens are shown" });
    this.modeButtons = new Map(MODES.map(([name, title, help]) => [name, el("button", {
      class: "mode", type: "button", role: "radio", "aria-checked": "false", tabindex: "-1", title: help,
      onclick: () => on.mode(name), onkeydown: (event) => this._walk(event),
    }, title)]));
    this.modes.append(...this.modeButtons.values());
    this.toggles = new Map(panels.map(([name, title, key]) => [name, this._toggle(title, `${title} (${key})`, () => on.toggle(name))]));
    this.lanes = new Map(LANES.map(([name, title, help]) => [name, this._toggle(title, help, () => on.lane(name))]));
    for (const lane of this.lanes.values()) lane.hidden = true;
    this.find = new FindBox(on);
    this.goBox = el("input", {
      class: "goto", type: "text", inputmode: "numeric", placeholder: "Token", "aria-label": "Go to token", title: "Go to a token (g)",
      onkeydown: (event) => this._goTo(event), oninput: () => this.goBox.removeAttribute("aria-invalid"),
    });
    this.count = el("span", { class: "count", "aria-live": "off" });
    this.findings = el("div", { class: "stepper", role: "group", "aria-label": "Findings" },
      this._small("‹", "Previous finding (p)", () => on.finding(-1)), this.count, this._small("›", "Next finding (n)", () => on.finding(1)));
    this.root = el("div", { class: "tools", role: "toolbar", "aria-label": "Tools for the tokens" },
      el("div", { class: "shown" }, this.modes, ...this.toggles.values(), ...this.lanes.values()),
      this.find.root, this.goBox, this.findings);
    const last = el("div", { class: "last" });
    this.root.append(last);
    this.copying = new CopyMenu(last, on);
    last.append(el("button", { class: "tool round", type: "button", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (?)", onclick: () => on.sheet() }, "?"));
    host.append(this.root);
  }

  _toggle(title, help, act) {
    return el("button", { class: "tool", type: "button", "aria-pressed": "false", title: help, onclick: act }, title);
  }

  _small(sign, title, act) {
    return el("button", { class: "step", type: "button", "aria-label": title.replace(/ \(.*/, ""), title, onclick: act }, sign);
  }

  _walk(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const buttons = [...this.modeButtons.values()].filter((button) => !button.hidden);
    const next = buttons[(buttons.indexOf(event.currentTarget) + by + buttons.length) % buttons.length];
    next.click();
    next.focus();
  }

  /** Shows which mode, panels and lanes are on, and which lanes there is data for. */
  show({ mode, modes, open, lanes, has }) {
    for (const [name, button] of this.modeButtons) {
      button.hidden = !modes.includes(name);
      button.setAttribute("aria-checked", String(name === mode));
      button.tabIndex = name === mode ? 0 : -1;
    }
    for (const [name, button] of this.toggles) button.setAttribute("aria-pressed", String(open.has(name)));
    for (const [name, button] of this.lanes) {
      button.hidden = !has[name];
      button.setAttribute("aria-pressed", String(lanes[name]));
    }
  }

  /** "3 of 12": the finding that was gone to last, of all. */
  counted(number, total) {
    this.count.textContent = !total ? "no findings" : number > 0 ? `${number} of ${total}` : plural(total, "finding");
    for (const button of this.findings.querySelectorAll("button")) button.disabled = !total;
  }

  /** A token's number, as typed; a wrong one is marked and stays. */
  _goTo(event) {
    if (event.key === "Escape") this.on.leave();
    if (event.key !== "Enter") return;
    const typed = /^(?:token)?\s*(?:#\s*)?(\d+|\d{1,3}(?:[,. ]\d{3})+)$/i.exec(this.goBox.value.trim());
    const token = typed ? Number(typed[1].replace(/[,. ]/g, "")) : NaN;
    if (this.on.goTo(token)) this.goBox.value = "";
    else this.goBox.setAttribute("aria-invalid", "true");
  }
}

/** The box to find in, its count and its hint. */
class FindBox {
  constructor(on) {
    this.on = on;
    this.input = el("input", {
      type: "search", placeholder: "Find", "aria-label": "Find in the transcript", title: "Find (f or /)", spellcheck: "false", autocomplete: "off",
      "aria-describedby": "hs-find-hint", oninput: () => this._changed(), onkeydown: (event) => this._key(event), onfocus: () => on.ready(),
    });
    this.exact = el("button", {
      class: "case", type: "button", "aria-pressed": "false", "aria-label": "Match upper and lower case", title: "Match upper and lower case",
      onclick: () => {
        this.exact.setAttribute("aria-pressed", String(this.exact.getAttribute("aria-pressed") !== "true"));
        this._changed();
      },
    }, "Aa");
    this.count = el("span", { class: "count", role: "status" });
    const step = (sign, title, by) => el("button", { class: "step", type: "button", "aria-label": title, title, disabled: true, onclick: () => on.hit(by) }, sign);
    this.steps = [step("‹", "Previous match (shift+Enter)", -1), step("›", "Next match (Enter)", 1)];
    this.hint = el("div", { class: "hint-line", id: "hs-find-hint" }, ...FIND_FORMS.map(([what, form]) => el("span", {}, what && `${what} `, el("code", {}, form))));
    this.root = el("div", { class: "find", role: "search" }, this.input, this.exact, this.count, ...this.steps, this.hint);
  }

  get query() {
    return this.input.value;
  }

  _changed() {
    this.on.find(this.input.value, this.exact.getAttribute("aria-pressed") === "true");
  }

  /** Tells how many there are, and the number of the one that is gone to. */
  show(matches, current) {
    const total = matches.length;
    this.count.textContent = !this.input.value.trim() ? "" : total ? `${NUMBERS.format(current + 1)} of ${NUMBERS.format(total)}` : "none";
    this.input.classList.toggle("none", Boolean(this.input.value.trim()) && !total);
    for (const button of this.steps) button.disabled = !total;
  }

  open() {
    this.input.focus();
    this.input.select();
  }

  _key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.on.hit(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      // Chromium empties a search box on Escape: what was looked for stays lit.
      event.preventDefault();
      this.on.leave();
    }
  }
}
