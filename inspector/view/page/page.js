/* An exported page: the same screen and the same cards as in the app, without a server.

   What they show stands in script elements that no browser runs, deflated and in base64. `data-what` says what an
   element holds (tokens, message, cards, record) and `data-name` of which sample. Before this file stand mountScreen,
   mountFeed and mountCards, the components' own code. */

const DATA_TYPE = "application/x-harmonylens";

/** The element that holds `what` of the sample called `name`, and all of them. */
function dataOf(what, name) {
  return [...document.querySelectorAll(`script[type="${DATA_TYPE}"][data-what="${what}"]`)].filter((e) => e.dataset.name === name);
}

async function unpacked(element) {
  const packed = Uint8Array.from(atob(element.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A record as JSON: numbers that stand behind it (see inspector/ingest/html.py) are put into their place. */
function recordText(bytes) {
  const end = bytes.indexOf(0);
  if (end < 0) return new TextDecoder().decode(bytes);
  const { packed, ...record } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const count = record.token_ids.length;
  let at = end + 1;
  const take = (type, number) => {
    const size = number * type.BYTES_PER_ELEMENT;
    // A copy begins at an aligned address.
    const array = new type(bytes.slice(at, (at += size)).buffer);
    return Array.from(array, (value) => (Number.isNaN(value) ? null : Math.max(value, -1e308)));
  };
  const types = { f4: Float32Array, f8: Float64Array };
  if (packed.logprobs) record.logprobs = take(types[packed.logprobs[0]], count);
  if (packed.top) {
    const sizes = take(Uint8Array, count);
    const ids = take(Int32Array, packed.top[1]);
    const values = take(types[packed.top[0]], packed.top[1]);
    let pair = 0;
    record.top = sizes.map((size) => Array.from({ length: size }, () => [ids[pair], values[pair++]]));
  }
  return JSON.stringify(record);
}

/** Light or dark as the reader's system has it, until the button says otherwise; kept for the other pages. */
class Theme {
  constructor(button, changed) {
    this.button = button;
    this.system = matchMedia("(prefers-color-scheme: dark)");
    this.chosen = this._kept();
    this.changed = changed;
    this.system.addEventListener("change", () => this.apply());
    button.addEventListener("click", () => {
      this.chosen = this.name === "dark" ? "light" : "dark";
      this._keep();
      this.apply();
    });
    this.apply();
  }

  get name() {
    return this.chosen ?? (this.system.matches ? "dark" : "light");
  }

  apply() {
    document.documentElement.dataset.theme = this.name;
    this.button.textContent = this.name === "dark" ? "Light" : "Dark";
    this.button.setAttribute("aria-label", `Show this page ${this.name === "dark" ? "light" : "dark"}`);
    this.changed();
  }

  // A browser may forbid a page from disk to keep anything: then the choice holds for this page alone.
  _kept() {
    try {
      const kept = localStorage.getItem("harmonylens.theme");
      return kept === "dark" || kept === "light" ? kept : null;
    } catch {
      return null;
    }
  }

  _keep() {
    try {
      localStorage.setItem("harmonylens.theme", this.chosen);
    } catch {
      this.kept = false;
    }
  }
}

class ExportedPage {
  constructor() {
    this.stage = document.getElementById("stage");
    this.note = document.getElementById("note");
    this.places = new Map();
    this.theme = new Theme(document.getElementById("theme"), () => this.again?.());
    this.save = document.getElementById("save");
    this.save?.addEventListener("click", () => this._save());
    addEventListener("hashchange", () => this.show());
  }

  /** The sample that this page shows: its only one, or the one that the address names; null for the list. */
  get name() {
    const { kind, name } = document.body.dataset;
    if (kind === "sample") return name;
    if (kind === "index") return null;
    // Names are made of letters, digits and hyphens: nothing in them is ever escaped.
    const wanted = location.hash.slice(1);
    return dataOf("tokens", wanted).length ? wanted : null;
  }

  async show() {
    const name = this.name;
    if (name === this.shown) return;
    this.places.set(this.shown, scrollY);
    this.shown = name;
    document.body.dataset.view = name === null ? "list" : "sample";
    // The list stays as it is beneath a sample: its search and its place are still there on the way back.
    const list = document.getElementById("list");
    if (list) list.hidden = name !== null;
    this.stage.hidden = name === null;
    try {
      await (name === null ? this._list(list) : this._sample(name));
    } catch (error) {
      this._fail(error);
      return;
    }
    if (this.shown === name) scrollTo(0, name === null ? this.places.get(null) ?? 0 : 0);
  }

  async _sample(name) {
    const [tokens] = dataOf("tokens", name);
    const data = await unpacked(tokens);
    const messages = await Promise.all(dataOf("message", name).map(unpacked));
    if (this.shown !== name) return;
    this.leave?.();
    this._title(tokens.dataset.title);
    for (const message of messages) mountFeed({ data: message, setStateValue: null, setTriggerValue: null });
    const host = this._host(this.stage, "screen");
    const draw = () => { this.leave = mountScreen({ data, parentElement: host, setStateValue: null, setTriggerValue: null }); };
    this.again = draw;
    draw();
    document.body.dataset.ready = name;
  }

  async _list(list) {
    this._title(document.body.dataset.title);
    if (!this.listed) {
      const [cards] = dataOf("cards", "");
      const data = await unpacked(cards);
      const host = this._host(list, "cards");
      this.listed = () => mountCards({ data, parentElement: host, setStateValue: null, setTriggerValue: null });
    }
    this.again = this.listed;
    this.listed();
    document.body.dataset.ready = "";
  }

  _title(text) {
    document.title = text ? `${text} · harmonylens` : "harmonylens";
    const crumb = document.getElementById("crumb");
    if (crumb) crumb.textContent = this.shown === null ? "" : text;
  }

  /** A fresh place for a component, with its style and out of reach of the page's own. */
  _host(parent, style) {
    const outer = document.createElement("div");
    const root = outer.attachShadow({ mode: "open" });
    root.append(document.getElementById(`${style}-style`).content.cloneNode(true));
    const inner = document.createElement("div");
    root.append(inner);
    parent.replaceChildren(outer);
    return inner;
  }

  /** Hands over the transcript record that this page was made from, as a file. */
  async _save() {
    const name = this.shown ?? "";
    const [record] = dataOf("record", name);
    if (!record) return;
    const text = recordText(await unpacked(record));
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${name}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  _fail(error) {
    this.note.hidden = false;
    this.note.textContent = typeof DecompressionStream === "undefined"
      ? "This browser cannot unpack the tokens in this page: open it in a browser of 2023 or later."
      : `This page is damaged and cannot be shown (${error.message}): export it again.`;
    console.error(error);
  }
}

new ExportedPage().show();
