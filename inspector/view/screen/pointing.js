/* What a person does in a token view with the mouse and the keys: point, pick, walk, select, fold, copy. */

class Pointing {
  constructor(view) {
    this.view = view;
    this.anchor = 0;
    this.hovered = null;
    this.dragged = (event) => this._drag(event);
    this.released = () => this._release();
  }

  destroy() {
    this._release();
  }

  handlers() {
    const { view } = this;
    return {
      onmouseover: (event) => this._hover(event),
      onmouseleave: () => {
        this.hovered = null;
        view.tip.hide();
        view.on.hover(null);
      },
      onmousedown: (event) => this._press(event),
      onclick: (event) => this._click(event),
      onkeydown: (event) => this._key(event),
      oncopy: (event) => this._copy(event),
    };
  }

  /** The number of the item whose box an event is on, or -1. */
  _itemOf(event) {
    const { layout } = this.view;
    const row = event.target.closest?.(".line");
    if (!row || !layout) return -1;
    if (this.view.mode === "table") return layout.firstOf(row.line);
    const box = event.target.closest(".t");
    return box ? layout.firstOf(row.line) + Array.prototype.indexOf.call(row.children, box) - row.leads : -1;
  }

  /** The token an event is on, or -1; what is put in stands for the token it stands before. */
  _tokenOf(event) {
    const k = this._itemOf(event);
    if (k < 0) return -1;
    const { layout, transcript } = this.view;
    return Math.min(layout.extentOf(layout.items[k])[0], transcript.count - 1);
  }

  _hover(event) {
    const i = this._tokenOf(event);
    if (i < 0 || this.pressed) return;
    this.view.tip.over(event.target.closest(".t"), i);
    if (i === this.hovered) return;
    this.hovered = i;
    this.view.on.hover(i);
  }

  _press(event) {
    if (event.button !== 0 || !this.view.transcript?.count) return;
    const i = this._tokenOf(event);
    if (i < 0 || event.target.closest(".fold")) return;
    this.dragging = false;
    this.pressed = true;
    if (event.shiftKey) {
      if (!this.view.selection) this.anchor = this.view.active;
      this._extend(i);
    } else this.anchor = i;
    this.last = i;
    document.addEventListener("mousemove", this.dragged);
    document.addEventListener("mouseup", this.released);
  }

  _drag(event) {
    if (!(event.buttons & 1)) {
      this._release();
      return;
    }
    const i = this._tokenAt(event.clientX, event.clientY);
    this._scrollWhile(event);
    if (i < 0 || i === this.last) return;
    this.last = i;
    this.dragging = true;
    this._extend(i);
    this.view.step(i, true);
  }

  /** The token nearest to a point of the window. */
  _tokenAt(x, y) {
    const { layout, scroller, offset, headed, transcript } = this.view;
    if (!layout?.lineCount) return -1;
    const box = scroller.getBoundingClientRect();
    const inside = Math.max(headed, Math.min(y - box.top, scroller.clientHeight - 1));
    const row = this.view.rows.get(layout.lineAt(inside + scroller.scrollTop - offset));
    if (!row) return -1;
    const [from, to] = layout.rangeOf(row.line);
    let k = from;
    if (this.view.mode === "text") while (k + 1 < to && this.view.boxOf(row, k + 1 - from).getBoundingClientRect().left <= x) k += 1;
    return Math.min(layout.extentOf(layout.items[k])[0], transcript.count - 1);
  }

  /** Scrolls on while the button is held above or below the view. */
  _scrollWhile({ clientX, clientY }) {
    clearInterval(this.scrolling);
    const { scroller } = this.view;
    const box = scroller.getBoundingClientRect();
    const by = clientY < box.top ? clientY - box.top : clientY > box.bottom ? clientY - box.bottom : 0;
    if (!by) return;
    this.scrolling = setInterval(() => {
      scroller.scrollTop += Math.sign(by) * Math.min(80, 8 + Math.abs(by) / 2);
      const i = this._tokenAt(clientX, clientY);
      if (i >= 0) this._extend(i);
    }, 40);
  }

  _release() {
    this.pressed = false;
    clearInterval(this.scrolling);
    document.removeEventListener("mousemove", this.dragged);
    document.removeEventListener("mouseup", this.released);
  }

  /** Selects from the anchor to token `i`, both included. */
  _extend(i) {
    const [from, to] = [Math.min(this.anchor, i), Math.max(this.anchor, i)];
    this.view.setSelection(from, this._extentAt(to)[1]);
  }

  _extentAt(i) {
    const { layout } = this.view;
    const [start, end] = layout.extentOf(layout.items[layout.itemOf(i)]);
    return [start, Math.max(end, i + 1)];
  }

  _click(event) {
    const { view } = this;
    if (!view.transcript?.count) return;
    const { layout } = view;
    const row = event.target.closest?.(".line");
    if (event.target.closest?.(".fold") && row) {
      view.toggleFold(row.node);
      return;
    }
    const k = this._itemOf(event);
    if (k < 0) return;
    if (this.dragging || event.shiftKey) {
      this.dragging = false;
      return;
    }
    const item = layout.items[k];
    if (item < 0 && layout.addedOf(item).kind === "fold") {
      view.toggleFold(layout.addedOf(item).node);
      return;
    }
    view.clearSelection();
    view.pick(this._tokenOf(event));
  }

  _key(event) {
    const { view } = this;
    const { transcript, layout } = view;
    if (!layout || !transcript?.count || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "a" && !event.shiftKey) {
        event.preventDefault();
        this.anchor = 0;
        view.setSelection(0, transcript.count);
      }
      return;
    }
    const to = this.target(event.key);
    if (to !== null) {
      event.preventDefault();
      this._move(to, event.shiftKey);
      return;
    }
    const keys = {
      Enter: () => view.on.select(view.active),
      " ": () => view.on.select(view.active),
      Escape: () => view.clearSelection(),
      ".": () => view.toggleFold(transcript.nodeAt(view.active)),
      n: () => view.on.step?.(1),
      p: () => view.on.step?.(-1),
    };
    if (!keys[event.key] || (event.key === "Escape" && !view.selection)) return;
    if (event.key === " " || event.key === "Escape") event.preventDefault();
    keys[event.key]();
  }

  _move(to, extending) {
    const { view } = this;
    if (extending && !view.selection) this.anchor = view.active;
    view.picked = true;
    view.step(to, true);
    if (extending) this._extend(view.active);
    else view.clearSelection();
    view.on.hover(view.active);
    view.on.walk?.(view.active);
    view.tip.at(view.active);
  }

  /** The token that a key leads to, or null for any other key. */
  target(key) {
    const { view } = this;
    const { layout, transcript } = view;
    const page = Math.max(1, Math.floor((view.scroller.clientHeight - view.headed) / layout.lineHeight) - 1);
    switch (key) {
      case "ArrowRight": return view.mode === "table" ? this._below(1) : this._extentAt(view.active)[1];
      case "ArrowLeft": return view.mode === "table" ? this._below(-1) : this._before();
      case "ArrowDown": return this._below(1);
      case "ArrowUp": return this._below(-1);
      case "PageDown": return this._below(page);
      case "PageUp": return this._below(-page);
      case "Home": return 0;
      case "End": return transcript.count - 1;
      default: return null;
    }
  }

  _before() {
    const { layout, active } = this.view;
    let k = layout.itemOf(active) - 1;
    while (k > 0 && this._isNothing(layout.items[k])) k -= 1;
    return k < 0 || this._isNothing(layout.items[k]) ? active : layout.extentOf(layout.items[k])[0];
  }

  _isNothing(item) {
    const [start, end] = this.view.layout.extentOf(item);
    return start === end;
  }

  /** The token about as far along the line `by` lines further. */
  _below(by) {
    const { layout, active } = this.view;
    const line = layout.lineOf(active);
    const along = layout.itemOf(active) - layout.firstOf(line);
    const target = Math.max(0, Math.min(layout.lineCount - 1, line + by));
    const [from, to] = layout.rangeOf(target);
    let k = Math.min(from + along, to - 1);
    const aside = by < 0 ? -1 : 1;
    while (k >= 0 && k < layout.items.length && this._isNothing(layout.items[k])) k += aside;
    return k < 0 || k >= layout.items.length ? active : layout.extentOf(layout.items[k])[0];
  }

  /** The selected tokens as text, where the system's own copy is asked for. */
  _copy(event) {
    const { selection, transcript } = this.view;
    if (!selection) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", transcript.text(selection.from, selection.to));
  }
}
