/* The keys, in one place: what they do, and the sheet that lists them. */

const KEY_GROUPS = [
  ["Walk", [["← →", "token"], ["↑ ↓", "line"], ["PgUp PgDn", "page"], ["Home End", "first and last token"], ["[ ]", "message before, message after"],
    ["n p", "next and previous finding"], ["b", "where the parser breaks"], ["g", "go to a token"]]],
  ["Find", [["f /", "find"], ["Enter", "next match"], ["⇧ Enter", "previous match"], ["Esc", "back to the tokens, then drop matches and selection"]]],
  ["Select and copy", [["⇧ ← →", "extend the selection"], ["Ctrl A", "select all tokens"], ["Ctrl C", "copy the selection as text"], ["c", "copy menu"]]],
  ["Show", [["t", "table, and back"], ["d", "diff, and back"], ["j k", "next and previous change in the diff"], ["o", "outline of the messages"], ["s", "step through the parser"], [".", "fold or unfold the message"], ["?", "this sheet"]]],
  ["In the step debugger", [["← →", "token"], ["⇧ ← →", "change of state"], ["n", "next finding"]]],
];

/** Calls `actions[key]` for keys that are pressed anywhere within `root` but where a person types. */
class Shortcuts {
  constructor(root, actions) {
    this.actions = actions;
    this.sheet = new ShortcutSheet(root);
    this.inside = (event) => {
      // Streamlit's own shortcuts (r, c) must not fire while a person walks the tokens.
      event.stopPropagation();
      this._key(event);
    };
    root.addEventListener("keydown", this.inside);
    this.outside = (event) => {
      if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      event.preventDefault();
      this.sheet.open();
    };
    document.addEventListener("keydown", this.outside);
  }

  destroy() {
    document.removeEventListener("keydown", this.outside);
  }

  _key(event) {
    if (event.defaultPrevented || isTyping(event) || this.sheet.isOpen) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = this.actions[event.key];
    if (act && act(event) !== false) event.preventDefault();
  }
}

/** Whether a key goes into a box. */
function isTyping(event) {
  const [target] = event.composedPath();
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=radio]), textarea, select"));
}

class ShortcutSheet {
  constructor(root) {
    const groups = KEY_GROUPS.map(([title, keys]) => el("section", {}, el("h3", {}, title), el("dl", {},
      ...keys.map(([key, what]) => el("div", {}, el("dt", {}, ...key.split(" ").map((part) => el("kbd", {}, part))), el("dd", {}, what))))));
    this.dialog = el("dialog", { class: "sheet", "aria-label": "Keyboard shortcuts", onclick: (event) => event.target === this.dialog && this.dialog.close() },
      el("header", {}, el("h2", {}, "Keyboard shortcuts"),
        el("button", { class: "tool round", type: "button", "aria-label": "Close", onclick: () => this.dialog.close() }, "✕")),
      el("div", { class: "groups" }, ...groups));
    root.append(this.dialog);
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    if (!this.dialog.open) this.dialog.showModal();
  }
}
