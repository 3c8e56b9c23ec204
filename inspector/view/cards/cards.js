/* Cards of samples and rows of rules: filtered in the browser, opened by a click, each with an address of its own. */

const CARD_VIEWS = new WeakMap();
const FIRST_CARDS = 60;
const MORE_CARDS = 120;
const SETTLING = 2500;
const SEEN_OPENED = (globalThis[Symbol.for("harmonylens.opened")] ??= new Set());

class CardList {
  constructor(host) {
    this.root = el("div", { class: "hs" });
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    host.append(this.root);
    // Where these cards stand. The address may be another page's already while they are still there.
    [this.home, this.base] = [location.pathname, document.baseURI];
    this.keys = new CardKeys(this.root);
    this.words = "";
    this.tag = "";
    this.nodes = new Map();
    this.left = () => this._keep();
    this.handed = () => this.bar?.update(this.shown);
    document.addEventListener("harmonylens.handed", this.handed);
  }

  /** `ask` is null where nobody can answer; it is called as ask(what, value). */
  update(data, ask) {
    this.root.dataset.theme = themeOf(this.root);
    this.ask = ask;
    if (data === this.data) return;
    this.data = data;
    this.content = JSON.parse(new TextDecoder().decode(data));
    this.nodes.clear();
    this.root.classList.toggle("compact", Boolean(this.content.compact));
    this.list = el("div", { role: "region", "aria-label": this.content.kind === "rules" ? "Rules" : "Samples" });
    if (this.content.kind === "gallery") this._openGallery();
    else {
      this.root.replaceChildren(...(this.content.filter ? [this._bar()] : []), this.list);
      this._draw();
    }
  }

  destroy() {
    clearTimeout(this.writing);
    this.keys.destroy();
    cancelAnimationFrame(this.drawing);
    document.removeEventListener("scroll", this.left, true);
    document.removeEventListener("harmonylens.handed", this.handed);
  }

  /* A page of galleries. */

  _openGallery() {
    this.items = this.content.groups.flatMap((group) => group.items);
    if (!this.filters) {
      this.filters = new Filters(() => { this._drawGallery(); this._keep(); });
      this.filters.read();
      this.place = history.state?.gallery?.place ?? null;
    }
    this._takeOpened();
    this.bar = new FilterBar(this.filters, this.content, this.items, this.ask);
    this.root.replaceChildren(this.bar.node, this.list);
    this._drawGallery(this.place);
    this.filters.write(this.place);
    this.place = null;
    // Scrolling does not bubble; caught on its way down it is heard whatever element scrolls.
    document.addEventListener("scroll", this.left, { capture: true, passive: true });
  }

  /** A gallery that has just been opened is what one wants to see, once. */
  _takeOpened() {
    const [name, number] = this.content.opened ?? [];
    if (!number || SEEN_OPENED.has(number)) return;
    SEEN_OPENED.add(number);
    this.filters.only("in", name);
    this.place = null;
  }

  /** Draw what fits: the first cards at once, the others while the page is idle. */
  _drawGallery(place = null) {
    cancelAnimationFrame(this.drawing);
    const fits = new Set(this.filters.matching(this.items));
    this.shown = fits.size;
    this.bar.update(this.shown);
    const pending = [];
    const sections = [];
    for (const { title, items } of this.content.groups) {
      const shown = items.filter((item) => fits.has(item));
      if (!shown.length) continue;
      const grid = el("div", { class: "grid" });
      pending.push(...shown.map((item) => [grid, item]));
      sections.push(el("section", {}, el("h2", {}, title, el("span", { class: "quiet" }, String(shown.length))), grid));
    }
    if (!sections.length) sections.push(el("p", { class: "none" }, this.items.length ? this.content.none : this.content.empty ?? this.content.none));
    this.list.replaceChildren(...sections);
    const until = place ? pending.findIndex(([, item]) => item.name === place.name) : -1;
    const append = (count) => {
      for (const [grid, item] of pending.splice(0, count)) grid.append(this._node(item));
      if (pending.length) this.drawing = requestAnimationFrame(() => append(MORE_CARDS));
    };
    append(Math.max(FIRST_CARDS, until + FIRST_CARDS));
    if (until >= 0) this._scrollTo(place);
  }

  _node(item) {
    if (!this.nodes.has(item)) this.nodes.set(item, this._card(item));
    return this.nodes.get(item);
  }

  /** Bring a card to where it was, and hold it there while the page around it still settles; a person's own move ends it. */
  _scrollTo({ name, top }) {
    const card = [...this.list.querySelectorAll("a.card")].find((node) => node.dataset.name === name);
    if (!card) return;
    const end = performance.now() + SETTLING;
    const own = new AbortController();
    for (const type of ["wheel", "touchstart", "pointerdown", "keydown"]) {
      document.addEventListener(type, () => own.abort(), { capture: true, passive: true, signal: own.signal });
    }
    const hold = () => {
      if (own.signal.aborted || !card.isConnected) return;
      const off = card.getBoundingClientRect().top - top;
      if (Math.abs(off) >= 1) scrollerOf(this.root).scrollTop += off;
      if (performance.now() < end) requestAnimationFrame(hold);
      else own.abort();
    };
    hold();
  }

  /** Remember the choice and the place, a moment after the last change: browsers limit how often that may be done. */
  _keep() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this._keepNow(), 250);
  }

  _keepNow() {
    clearTimeout(this.writing);
    if (!this.filters || !this.root.isConnected || location.pathname !== this.home) return;
    const scroller = scrollerOf(this.root);
    const edge = scroller === document.scrollingElement ? 0 : scroller.getBoundingClientRect().top;
    const first = scroller.scrollTop > 0
      && [...this.list.querySelectorAll("a.card")].find((card) => card.getBoundingClientRect().bottom > edge);
    this.filters.write(first ? { name: first.dataset.name, top: first.getBoundingClientRect().top } : null);
  }

  /* A plain list. */

  _bar() {
    const { filter } = this.content;
    this.chips = filter.tags.map(([tag, title]) => el("button", {
      class: "chip", type: "button", "aria-pressed": String(tag === this.tag),
      onclick: () => { this.tag = this.tag === tag ? "" : tag; this._draw(); },
    }, title));
    this.chipTags = filter.tags.map(([tag]) => tag);
    this.status = el("span", { role: "status", class: "unseen" });
    return el("div", { class: "bar" },
      el("input", { type: "search", placeholder: filter.placeholder, "aria-label": filter.placeholder, value: this.words,
        oninput: (event) => { this.words = event.target.value; this._draw(); } }),
      el("div", { class: "chips" }, ...this.chips), this.status);
  }

  _matches(item) {
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    return words.every((word) => item.search.includes(word)) && (!this.tag || item.marks.includes(this.tag));
  }

  _draw() {
    (this.chips ?? []).forEach((chip, n) => chip.setAttribute("aria-pressed", String(this.chipTags[n] === this.tag)));
    const { groups, kind } = this.content;
    const sections = [];
    let count = 0;
    for (const { title, items } of groups) {
      const shown = items.filter((item) => this._matches(item));
      if (!shown.length) continue;
      count += shown.length;
      const heading = title ? [el("h2", {}, title, el("span", { class: "quiet" }, String(shown.length)))] : [];
      const body = kind === "rules"
        ? el("div", { class: "rows" }, ...shown.map((rule) => this._row(rule)))
        : el("div", { class: "grid" }, ...shown.map((sample) => this._card(sample)));
      sections.push(el("section", {}, ...heading, body));
    }
    if (!sections.length) sections.push(el("p", { class: "none" }, this.content.none));
    this.list.replaceChildren(...sections);
    if (this.status) this.status.textContent = plural(count, kind === "rules" ? "rule" : "sample");
  }

  /* Their entries. */

  _link(item, className, ...children) {
    // The address works on its own (new tab, copied link); a plain click stays in the session and keeps the input.
    return el("a", {
      class: className, href: item.href, "data-name": item.name,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
        if (this.filters) this._keepNow();
        if (!this.ask) return;
        event.preventDefault();
        const to = new URL(item.href, this.base);
        if (to.pathname === this.home && location.pathname === this.home) this.ask("open", item.name);
        else goTo(to.href);
      },
    }, ...children);
  }

  _card(sample) {
    const words = sample.shape.join(" · ") || (sample.count ? "a long one" : "no tokens");
    const detail = el("p", { class: "detail" }, words);
    const strip = stripNode(sample.strip);
    const codes = sample.rules.slice(0, 6);
    const link = this._link(sample, "card",
      el("h3", {}, sample.title), strip, detail, sample.story && el("p", { class: "story" }, sample.story),
      el("div", { class: "foot" },
        cardOutcome(sample), el("span", {}, plural(sample.count, "token")),
        sample.founding > 0 && el("span", {}, `seen ${sample.founding}×`),
        ...codes.map((code) => el("code", {}, code)),
        sample.rules.length > codes.length && el("span", {}, `+${sample.rules.length - codes.length}`),
        ...sample.tags.slice(0, 4).map((tag) => el("span", { class: "tag" }, tag))));
    strip.addEventListener("pointermove", (event) => {
      const { left, width } = strip.getBoundingClientRect();
      detail.textContent = stripWords(sample.strip, (event.clientX - left) / (width || 1));
    });
    const back = () => { detail.textContent = link.matches(":focus-visible") ? stripSummary(sample.strip, sample.count) : words; };
    strip.addEventListener("pointerleave", back);
    link.addEventListener("focus", back);
    link.addEventListener("blur", back);
    return link;
  }

  _row(rule) {
    return this._link(rule, "row",
      el("code", {}, rule.name), el("span", { class: "name" }, rule.title), el("span", { class: "summary" }, rule.summary),
      el("span", { class: `effect sev-${rule.severity}` }, `${SEVERITY_SIGNS[rule.severity]} ${rule.effect}`));
  }
}

function cardOutcome({ outcome, raises }) {
  if (outcome === "damaged") return el("span", { class: "raises" }, "● damaged");
  if (outcome === "raises") return el("span", { class: "raises" }, `● ${raises.length === 1 ? `${raises[0]} raises` : "strict parsers raise"}`);
  if (outcome === "silent") return el("span", { class: "silent" }, "▲ accepted, yet damaged");
  if (outcome === "drifts") return el("span", { class: "drifts" }, "○ next prompt differs");
  return outcome ? el("span", { class: "accepts" }, "✓ healthy") : el("span", {}, "not inspected yet");
}

/** Another page of the app, as if Forward had led there: one entry in the history, and Streamlit runs that page. (A
    page switch that Python asks for leaves two entries, and Back then ends between them.) */
function goTo(href) {
  history.pushState({}, "", href);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

/** What scrolls when the page is scrolled: Streamlit's main area, or the document. */
function scrollerOf(element) {
  for (let node = element; node; node = node.parentElement ?? node.getRootNode().host) {
    if (/(auto|scroll)/.test(getComputedStyle(node).overflowY) && node !== document.body && node !== document.documentElement) return node;
  }
  return document.scrollingElement;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let view = CARD_VIEWS.get(parentElement);
  if (!view) CARD_VIEWS.set(parentElement, (view = new CardList(parentElement)));
  view.update(data, setTriggerValue ?? null);
  return () => { view.destroy(); CARD_VIEWS.delete(parentElement); };
}
