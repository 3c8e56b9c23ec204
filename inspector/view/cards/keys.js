/* The sheet of keys on the pages without a transcript: what works there. */

const CARD_KEYS = [["Tab", "next link or button"], ["Enter", "open it"], ["?", "this sheet"]];

class CardKeys {
  constructor(root) {
    this.dialog = el("dialog", { class: "keys", "aria-label": "Keyboard shortcuts", onclick: (event) => event.target === this.dialog && this.dialog.close() },
      el("header", {}, el("h2", {}, "Keyboard shortcuts"), el("button", { type: "button", "aria-label": "Close", onclick: () => this.dialog.close() }, "✕")),
      el("dl", {}, ...CARD_KEYS.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)))),
      el("p", {}, "A transcript that is open has keys of its own: ? lists them there."));
    root.parentNode.append(this.dialog);
    this.dialog.classList.add("hs");
    this.root = root;
    this.pressed = (event) => this._key(event);
    // Caught on the way down: the cards keep their keys to themselves.
    document.addEventListener("keydown", this.pressed, true);
  }

  destroy() {
    document.removeEventListener("keydown", this.pressed, true);
    this.dialog.remove();
  }

  _key(event) {
    if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.root.isConnected) return;
    const [target] = event.composedPath();
    if (target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), textarea, select"))) return;
    event.preventDefault();
    this.dialog.dataset.theme = this.root.dataset.theme;
    if (!this.dialog.open) this.dialog.showModal();
  }
}
