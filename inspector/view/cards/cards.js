/* Cards of samples and rows of rules: filtered in the browser, opened by a click, each with an address of its own. */

const CARD_VIEWS = new WeakMap();

class CardList {
  constructor(host) {
    this.root = el("div", { class: "hs" });
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    host.append(this.root);
    this.words = "";
    this.tag = "";
  }

  update(data, open) {
    this.root.dataset.theme = themeOf(this.root);
    this.open = open;
    if (data === this.data) return;
    this.data = data;
    this.content = JSON.parse(new TextDecoder().decode(data));
    this.root.classList.toggle("compact", Boolean(this.content.compact));
    this.list = el("div", { role: "region", "aria-label": this.content.kind === "rules" ? "Rules" : "Samples", "aria-live": "polite" });
    this.root.replaceChildren(...(this.content.filter ? [this._bar()] : []), this.list);
    this._draw();
  }

  _bar() {
    const { filter } = this.content;
    this.chips = filter.tags.map(([tag, title]) => el("button", {
      class: "chip", type: "button", "aria-pressed": String(tag === this.tag),
      onclick: () => { this.tag = this.tag === tag ? "" : tag; this._draw(); },
    }, title));
    this.chipTags = filter.tags.map(([tag]) => tag);
    return el("div", { class: "bar" },
      el("input", { type: "search", placeholder: filter.placeholder, "aria-label": filter.placeholder, value: this.words,
        oninput: (event) => { this.words = event.target.value; this._draw(); } }),
      el("div", { class: "chips" }, ...this.chips));
  }

  _matches(item) {
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    const hay = item.search;
    return words.every((word) => hay.includes(word)) && (!this.tag || item.marks.includes(this.tag));
  }

  _draw() {
    (this.chips ?? []).forEach((chip, n) => chip.setAttribute("aria-pressed", String(this.chipTags[n] === this.tag)));
    const { groups, kind } = this.content;
    const sections = [];
    for (const { title, items } of groups) {
      const shown = items.filter((item) => this._matches(item));
      if (!shown.length) continue;
      const heading = title ? [el("h2", {}, title, el("span", { class: "quiet" }, String(shown.length)))] : [];
      const body = kind === "rules"
        ? el("div", { class: "rows" }, ...shown.map((rule) => this._row(rule)))
        : el("div", { class: "grid" }, ...shown.map((sample) => this._card(sample)));
      sections.push(el("section", {}, ...heading, body));
    }
    if (!sections.length) sections.push(el("p", { class: "none" }, this.content.none));
    this.list.replaceChildren(...sections);
  }

  _link(item, className, ...children) {
    // The address works on its own (new tab, copied link); a plain click stays in the session and keeps the input.
    return el("a", {
      class: className, href: item.href,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        this.open(item.name);
      },
    }, ...children);
  }

  _card(sample) {
    return this._link(sample, "card",
      el("h3", {}, sample.title), this._strip(sample.strip), el("p", { class: "story" }, sample.story),
      el("div", { class: "foot" },
        sample.raises.length
          ? el("span", { class: "raises" }, `● ${sample.raises.length === 1 ? `${sample.raises[0]} raises` : "strict parsers raise"}`)
          : el("span", { class: "accepts" }, "✓ strict parsers accept"),
        el("span", {}, plural(sample.count, "token")),
        sample.founding > 0 && el("span", {}, `seen ${sample.founding}×`),
        ...sample.rules.map((code) => el("code", {}, code))));
  }

  _strip(parts) {
    const total = parts.reduce((sum, part) => sum + Math.min(part[1], 40), 0) || 1;
    return el("div", { class: "strip", "aria-hidden": "true" }, ...parts.map(([kind, size, hurt]) => {
      const header = kind.endsWith("-header");
      const piece = el("i", { class: `k-${kind.replace("-header", "")}${header ? "" : " body"}${hurt ? " hurt" : ""}` });
      piece.style.width = `${(Math.min(size, 40) / total) * 100}%`;
      return piece;
    }));
  }

  _row(rule) {
    return this._link(rule, "row",
      el("code", {}, rule.name), el("span", { class: "name" }, rule.title), el("span", { class: "summary" }, rule.summary),
      el("span", { class: `effect sev-${rule.severity}` }, `${SEVERITY_SIGNS[rule.severity]} ${rule.effect}`));
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = CARD_VIEWS.get(parentElement);
  if (!view) CARD_VIEWS.set(parentElement, (view = new CardList(parentElement)));
  view.update(data, (name) => setTriggerValue("open", name));
  return () => CARD_VIEWS.delete(parentElement);
}
