/* What scrolls: a box with lines of a layout, of which only those in sight are in the document. Whatever changes, the
   line that a person looks at stays where it is. */

const OVERSCAN = 5;
const REST_DELAY = 140;
const SPRINT_DELAY = 300;

/** A class that extends it has `scroller`, `header`, `sheet`, `layout`, `active`, `quick`, and says how a line is drawn: _row(line).
    Who draws a picture of the layout sets `laid`, to be told of a new one. */
class LineScroller {
  constructor() {
    this.rows = new Map();
    this.scrolled = 0;
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
  }

  _fit() {
    this._clear();
    this.quick.reset();
    this.sheet.style.height = `${this.layout.height}px`;
    this.scroller.classList.toggle("empty", this.layout.lineCount === 0);
    this.headed = this.header.hidden ? 0 : this.header.offsetHeight;
    this.offset = this.sheet.offsetTop;
    this._render();
    this.laid?.();
  }

  _resized() {
    if (!this.scroller.clientWidth) {
      this.asleep = true;
      return;
    }
    this._wake();
    if (!this.layout || this.scroller.clientWidth !== this.laidOut) this.refresh();
    else this._render();
  }

  /** A view that was hidden has forgotten how far it was scrolled. */
  _wake() {
    if (!this.asleep || !this.scroller.clientWidth) return;
    this.asleep = false;
    this.scroller.scrollTop = this.scrolled;
    if (this.missed && this.layout) this._reveal(false);
    this.missed = false;
  }

  /** Does `change` so that the line a person looks at stays where it is. */
  _keeping(change) {
    this._wake();
    const place = this._place();
    change();
    if (!this.layout) return;
    if (!this.scroller.clientWidth) {
      // It is laid out again when it comes into sight; until then no row stands for what was there before.
      this._clear();
      this.laidOut = -1;
      return;
    }
    this._fit();
    this._back(place);
  }

  /** The active token if it is in sight, else the first one that is, and its distance from the top. */
  _place() {
    if (!this.layout?.lineCount) return null;
    const top = this.scroller.scrollTop;
    const y = (line) => this.layout.topOf(line) + this.offset - top;
    const active = y(this.layout.lineOf(this.active));
    if (active >= this.headed && active < this.scroller.clientHeight) return { i: this.active, y: active };
    const line = this.layout.lineAt(top + this.headed - this.offset);
    return { i: this.layout.extentOf(this.layout.items[this.layout.firstOf(line)])[0], y: y(line) };
  }

  _back(place) {
    if (!place || !this.layout?.lineCount) return;
    const top = Math.max(0, this.layout.topOf(this.layout.lineOf(place.i)) + this.offset - place.y);
    if (Math.abs(top - this.scroller.scrollTop) < 1) return;
    this.scroller.scrollTop = top;
    this._render();
  }

  _clear() {
    this.sheet.replaceChildren();
    this.rows.clear();
  }

  _schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.tip.hide();
      if (this._sprints()) this._sprint();
      else this._render();
      this.on.scroll?.();
    });
  }

  /** Whether a person leafs on before there was time to look: a page, and another one right after it. */
  _sprints() {
    const { scroller, layout, mode } = this;
    if (mode !== "text" || !layout?.lineCount || Math.abs(scroller.scrollTop - this.scrolled) < 0.6 * scroller.clientHeight) return false;
    const now = performance.now();
    const soon = now - (this.leapt ?? -Infinity) < SPRINT_DELAY;
    this.leapt = now;
    return soon;
  }

  _sprint() {
    this.scrolled = this.scroller.scrollTop;
    this.quick.draw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this._render(OVERSCAN), REST_DELAY);
  }

  /** Draws the lines in sight and drops the others; those just out of sight follow once nothing scrolls. */
  _render(overscan = 0) {
    const { layout } = this;
    this.quick.hide();
    if (!layout || !layout.lineCount || !this.scroller.clientWidth) return;
    this.scrolled = this.scroller.scrollTop;
    const top = this.scrolled - this.offset;
    const first = layout.lineAt(Math.max(0, top + this.headed));
    const last = layout.lineAt(top + this.scroller.clientHeight);
    for (const [line, row] of this.rows) {
      if (line < first - OVERSCAN || line > last + OVERSCAN) {
        row.remove();
        this.rows.delete(line);
      }
    }
    const fresh = document.createDocumentFragment();
    const end = Math.min(layout.lineCount - 1, last + overscan);
    for (let line = Math.max(0, first - overscan); line <= end; line += 1) {
      if (this.rows.has(line)) continue;
      const row = this._row(line);
      this.rows.set(line, row);
      this._paint(row);
      fresh.append(row);
    }
    if (fresh.firstChild) this.sheet.append(fresh);
    clearTimeout(this.resting);
    if (!overscan) this.resting = setTimeout(() => this._render(OVERSCAN), REST_DELAY);
  }

  /** Scrolls until the active token is in sight: no further than needed when it is `near`. */
  _reveal(near) {
    if (!this.scroller.clientWidth) {
      this.missed = true;
      return;
    }
    const { layout, scroller, offset, headed } = this;
    const top = layout.topOf(layout.lineOf(this.active)) + offset;
    const { scrollTop, clientHeight } = scroller;
    const below = top + layout.lineHeight - (scrollTop + clientHeight);
    const above = scrollTop + headed - top;
    if (above <= 0 && below <= 0) return;
    const far = Math.max(above, below) > 3 * layout.lineHeight;
    scroller.scrollTop = Math.max(0, !near || far ? top - clientHeight / 3 : above > 0 ? scrollTop - above - 6 : scrollTop + below + 6);
    this._render();
  }
}
