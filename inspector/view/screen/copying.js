/* What a person can take away: the selection, or the message of the active token, as text, ids or a Python list;
   and the repaired transcript. */

const COPIES = {
  text: { title: "as text", of: (transcript, from, to) => transcript.text(from, to) },
  ids: { title: "as ids", of: (transcript, from, to) => transcript.ids(from, to).join(" ") },
  list: { title: "as a Python list", of: (transcript, from, to) => `[${transcript.ids(from, to).join(", ")}]` },
};

/** How many of the tokens [from, to) have no text: ids that no vocabulary has. */
function lostIn({ index, dictionary }, from, to) {
  return index.subarray(from, to).reduce((sum, place) => sum + (dictionary.isUnknown(place) ? 1 : 0), 0);
}

/** Says what was copied, and how many ids it cannot say. */
function copiedWords(what, lost) {
  return lost ? `Copied ${what}; ${plural(lost, "unknown id")} cannot be text.` : `Copied ${what}.`;
}

/** The repaired transcript as "text" or "ids". */
function repairedCopy(sequence, form) {
  if (form === "text") return sequence.text(0, sequence.length, Infinity).text;
  const { transcript } = sequence;
  const ids = [];
  for (const piece of sequence.pieces(0, sequence.length)) {
    if (piece.ids) for (const id of piece.ids) ids.push(String(id));
    else for (const id of transcript.ids(piece.from, piece.to)) ids.push(id);
  }
  return ids.join(" ");
}

/** Puts a text on the clipboard; a promise of whether that worked. `host` is where a text can be selected. */
async function copyText(text, host) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    // No clipboard (a page that is not from localhost or https) or no permission: the old way is tried.
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
  }
  const focused = host.getRootNode().activeElement;
  const box = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  box.value = text;
  host.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  focused?.focus({ preventScroll: true });
  return done;
}

/** The button "Copy" and its menu. `on` = {scope() -> {label, from, to}, copy(form), repaired(form), closed()} */
class CopyMenu {
  constructor(host, on) {
    this.on = on;
    this.head = el("div", { class: "menu-head", role: "presentation" });
    this.menu = el("div", { class: "menu", role: "menu", "aria-label": "Copy", hidden: true, onkeydown: (event) => this._key(event) },
      this.head,
      ...Object.entries(COPIES).map(([form, { title }]) => this._item(`Copy ${title}`, () => on.copy(form))),
      el("div", { class: "menu-head", role: "presentation" }, "The repaired transcript"),
      this._item("Copy repaired text", () => on.repaired("text")),
      this._item("Copy repaired ids", () => on.repaired("ids")));
    this.button = el("button", {
      class: "tool", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", title: "Copy (c)", onclick: () => this.toggle(),
    }, "Copy", el("span", { class: "caret", "aria-hidden": "true" }, "▾"));
    this.root = el("div", { class: "copying" }, this.button, this.menu);
    this.root.addEventListener("focusout", (event) => {
      if (!this.root.contains(event.relatedTarget)) this._close();
    });
    host.append(this.root);
  }

  _item(title, act) {
    return el("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { this._close(); this.button.focus(); act(); } }, title);
  }

  toggle() {
    if (!this.menu.hidden) {
      this._close();
      return;
    }
    this.head.textContent = this.on.scope().label;
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.menu.querySelector("button").focus();
  }

  _close() {
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  _key(event) {
    const items = [...this.menu.querySelectorAll("button")];
    const at = items.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length].focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this._close();
      this.button.focus();
    }
  }
}
