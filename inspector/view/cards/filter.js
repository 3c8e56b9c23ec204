/* The filters of a page of galleries: words, rule, kind, tag, outcome, gallery. They live in the browser; the address
   keeps them, so that the view can be linked and Back finds it as it was left. */

const FACETS = {
  rule: { title: "Rule", of: (item) => item.rules },
  kind: { title: "Kind", of: (item) => [item.family] },
  tag: { title: "Tag", of: (item) => item.tags },
  show: { title: "Outcome", of: (item) => [item.outcome] },
  in: { title: "Gallery", of: (item) => [item.gallery] },
};

const FILTER_KEYS = ["q", ...Object.keys(FACETS)];

class Filters {
  /** `changed` is called when the choice is another one. */
  constructor(changed) {
    this.changed = changed;
    this.chosen = Object.fromEntries(FILTER_KEYS.map((key) => [key, ""]));
  }

  get isEmpty() {
    return FILTER_KEYS.every((key) => !this.chosen[key]);
  }

  set(key, value) {
    if (this.chosen[key] === value) return;
    this.chosen[key] = value;
    this.changed();
  }

  /** Choose this and nothing else, without telling. */
  only(key, value) {
    for (const other of FILTER_KEYS) this.chosen[other] = other === key ? value : "";
  }

  clear() {
    for (const key of FILTER_KEYS) this.chosen[key] = "";
    this.changed();
  }

  /** Take the choice from the address, or from what the history's entry kept where the address says nothing. */
  read() {
    const said = new URLSearchParams(location.search);
    const kept = history.state?.gallery?.chosen ?? {};
    const named = FILTER_KEYS.some((key) => said.has(key));
    for (const key of FILTER_KEYS) this.chosen[key] = String((named ? said.get(key) : kept[key]) ?? "").slice(0, 500);
  }

  /** Write the choice into the address and into the history's entry, with the place on the page. */
  write(place) {
    const said = new URLSearchParams(location.search);
    for (const key of FILTER_KEYS) {
      if (this.chosen[key]) said.set(key, this.chosen[key]);
      else said.delete(key);
    }
    const query = said.toString();
    const state = { ...history.state, gallery: { chosen: { ...this.chosen }, place } };
    history.replaceState(state, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
  }

  get words() {
    return this.chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  }

  /** The items that fit all that is chosen, but for the facet `without`. */
  matching(items, without = "") {
    const words = this.words;
    const facets = Object.keys(FACETS).filter((key) => key !== without && this.chosen[key]);
    return items.filter((item) => facets.every((key) => FACETS[key].of(item).includes(this.chosen[key]))
      && words.every((word) => item.search.includes(word)));
  }

  /** How many items each value of a facet would leave, given the rest of the choice. */
  counts(items, key) {
    const counts = new Map();
    for (const item of this.matching(items, key)) {
      for (const value of FACETS[key].of(item)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  }
}

/** The controls of the filters. `ask` (may be null) says to Python what only it can do: ("bundle" | "close", value). */
class FilterBar {
  constructor(filters, content, items, ask) {
    this.filters = filters;
    this.items = items;
    this.ask = ask;
    this.search = el("input", {
      type: "search", placeholder: "Search titles, stories, rules, errors and the transcripts", "aria-label": "Search the samples",
      oninput: () => filters.set("q", this.search.value.trim() ? this.search.value : ""),
    });
    const kinds = content.kinds;
    const tags = [...new Set(items.flatMap((item) => item.tags))].sort().map((tag) => [tag, tag]);
    const rules = content.rules.map(([code, name]) => [code, `${code} ${name}`]);
    this.selects = [["rule", rules], ["kind", kinds], ["tag", tags]]
      .filter(([, options]) => options.length).map(([key, options]) => this._select(key, options));
    this.chips = content.outcomes.map(([value, title]) => this._chip("show", value, title));
    this.galleries = content.galleries.length > 1 || content.galleries.some(([, , , closable]) => closable)
      ? content.galleries.map((gallery) => this._gallery(gallery)) : [];
    this.status = el("span", { role: "status", class: "count" });
    this.clear = el("button", { class: "plain", type: "button", onclick: () => { filters.clear(); this.search.focus(); } }, "Clear filters");
    this.bundle = el("button", { class: "plain", type: "button", onclick: () => this._askForBundle() });
    this.node = el("div", { class: "bar filters" },
      this.galleries.length > 0 && el("div", { class: "line galleries", role: "group", "aria-label": "Open galleries" },
        ...this.galleries.map(({ node }) => node)),
      el("div", { class: "line fields" }, this.search, ...this.selects.map(({ node }) => node)),
      el("div", { class: "line" }, el("div", { class: "chips", role: "group", "aria-label": "Outcome" }, ...this.chips.map(({ node }) => node)),
        el("span", { class: "quiet found" }, this.status, this.clear, ask && this.bundle)));
  }

  _select(key, options) {
    const { title } = FACETS[key];
    const any = el("option", { value: "" }, `Any ${title.toLowerCase()}`);
    const entries = options.map(([value, words]) => ({ value, words, option: el("option", { value }, words) }));
    const select = el("select", { "aria-label": title, onchange: () => this.filters.set(key, select.value) }, any, ...entries.map(({ option }) => option));
    return { key, select, entries, node: el("span", { class: "select" }, select) };
  }

  _chip(key, value, words) {
    const count = el("span", { class: "number" });
    const node = el("button", {
      class: "chip", type: "button",
      onclick: () => this.filters.set(key, this.filters.chosen[key] === value ? "" : value),
    }, words, count);
    return { key, value, count, node };
  }

  _gallery([name, title, description, closable]) {
    const chip = this._chip("in", name, title);
    if (description) chip.node.title = description;
    if (!closable || !this.ask) return chip;
    const close = el("button", { class: "chip close", type: "button", "aria-label": `Close ${title}`, title: `Close ${title}`, onclick: () => {
      if (this.filters.chosen.in === name) this.filters.set("in", "");
      this.ask("close", name);
    } }, "×");
    return { ...chip, node: el("span", { class: "joined" }, chip.node, close) , pressed: chip.node };
  }

  _askForBundle() {
    this.bundle.disabled = true;
    this.bundle.textContent = "Preparing the bundle …";
    this.ask("bundle", this.filters.matching(this.items).map((item) => item.name));
  }

  /** Show what is chosen and how much is left; `shown` is the number of samples on the page. */
  update(shown) {
    const { chosen, isEmpty } = this.filters;
    const total = this.items.length;
    if (this.search.value.trim() !== chosen.q.trim()) this.search.value = chosen.q;
    for (const { key, select, entries } of this.selects) {
      const counts = this.filters.counts(this.items, key);
      for (const { value, words, option } of entries) {
        option.textContent = `${words} (${counts.get(value) ?? 0})`;
        option.disabled = !counts.get(value) && chosen[key] !== value;
      }
      // A value that an old link names and no sample has: it is shown, or nobody could see why the page is empty.
      const known = !chosen[key] || entries.some(({ value }) => value === chosen[key]);
      select.querySelector("option.unknown")?.remove();
      if (!known) select.append(el("option", { class: "unknown", value: chosen[key] }, `${chosen[key]} (0)`));
      select.value = chosen[key];
      select.classList.toggle("set", Boolean(chosen[key]));
    }
    for (const chip of [...this.chips, ...this.galleries]) {
      chip.count.textContent = ` ${(this.filters.counts(this.items, chip.key).get(chip.value) ?? 0).toLocaleString("en")}`;
      (chip.pressed ?? chip.node).setAttribute("aria-pressed", String(chosen[chip.key] === chip.value));
    }
    this.status.textContent = isEmpty ? plural(total, "sample") : `${shown.toLocaleString("en")} of ${plural(total, "sample")}`;
    this.clear.hidden = isEmpty;
    this.bundle.hidden = !shown;
    this.bundle.disabled = false;
    this.bundle.textContent = shown === 1 ? "Download it as a bundle" : `Download these ${shown.toLocaleString("en")} as a bundle`;
  }
}
