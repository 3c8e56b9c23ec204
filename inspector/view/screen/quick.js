/* Lines while a person leafs through many pages a second: the same boxes at the same places, painted on a canvas over
   the view. It costs a third of elements. As soon as the scrolling rests, elements stand in its place. */

class QuickPainter {
  constructor(view) {
    this.view = view;
    this.canvas = el("canvas", { class: "quick", "aria-hidden": "true", hidden: true });
    this.looks = new Map();
  }

  /** The sizes, colours and fonts may be others now. */
  reset() {
    this.looks.clear();
    this.hide();
  }

  hide() {
    this.canvas.hidden = true;
  }

  draw() {
    const { scroller, layout, offset } = this.view;
    const { clientWidth: width, clientHeight: height, scrollTop } = scroller;
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    if (!this.looks.size) this._measure();
    const paint = this.canvas.getContext("2d", { alpha: false });
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.font = null;
    paint.fillStyle = this.ground;
    paint.fillRect(0, 0, width, height);
    const top = scrollTop - offset;
    const last = layout.lineAt(top + height);
    for (let line = layout.lineAt(Math.max(0, top)); line <= last; line += 1) this._line(paint, line, layout.topOf(line) - top, width);
    Object.assign(this.canvas.style, { left: `${scroller.offsetLeft}px`, top: `${scroller.offsetTop}px`, width: `${width}px`, height: `${height}px` });
    this.canvas.hidden = false;
  }

  /** What does not depend on a token: read from the styles once, so that both ways of drawing agree. */
  _measure() {
    const { scroller } = this.view;
    const style = getComputedStyle(scroller);
    this.family = style.fontFamily;
    this.gutter = parseFloat(style.getPropertyValue("--gutter")) || 0;
    this.wide = (parseFloat(style.getPropertyValue("--margin")) || 0) > 40;
    this.ground = style.getPropertyValue("--panel").trim() || "#fff";
    this.number = this._look("line", "index");
    this.fold = this._look("line", "fold");
    const context = this.canvas.getContext("2d", { alpha: false });
    context.font = `${style.fontSize} ${this.family}`;
    const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText("x");
    Object.assign(this, { ascent, descent, baseline: Math.round((LINE_HEIGHT - ascent - descent) / 2 + ascent) });
  }

  /** How a box of these classes looks, in a line of that one. */
  _look(line, name, inside = "") {
    const key = `${line}|${inside}|${name}`;
    let look = this.looks.get(key);
    if (look) return look;
    const probe = el("span", { class: name }, "x");
    const row = el("div", { class: line }, inside ? el("span", { class: inside }, probe) : probe);
    this.view.sheet.append(row);
    const style = getComputedStyle(probe);
    const shown = style.backgroundColor;
    const image = style.backgroundImage;
    look = {
      ink: style.color, ground: shown === "rgba(0, 0, 0, 0)" || shown === "transparent" ? null : shown,
      font: `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`, round: parseFloat(style.borderTopLeftRadius) > 4,
      border: style.borderTopStyle === "none" ? null : style.borderTopColor, lined: style.textDecorationLine, deco: style.textDecorationColor,
      hatch: image.includes("repeating") ? /rgba?\([^()]*\)/.exec(image.slice(image.indexOf("repeating")))[0] : null,
      lane: image.startsWith("linear") ? { ink: /rgba?\([^()]*\)/.exec(image)[0], height: parseFloat(style.backgroundSize.split(" ")[1]) } : null,
      bar: style.getPropertyValue("--channel").trim() || style.getPropertyValue("--line").trim(),
    };
    row.remove();
    this.looks.set(key, look);
    return look;
  }

  _line(paint, line, top, width) {
    const { layout, transcript, lines, selection, marks } = this.view;
    const [from, to] = layout.rangeOf(line);
    const part = layout.partAt(line);
    const start = layout.extentOf(layout.items[from])[0];
    const n = transcript.nodeAt(Math.min(start, transcript.count - 1));
    const channel = n >= 0 ? `line ${channelClass(transcript.node(n))}` : "line";
    const base = top + this.baseline;
    paint.globalAlpha = 0.75;
    paint.fillStyle = this._look(channel, "index").bar;
    paint.fillRect(this.gutter - 10, top, 3, LINE_HEIGHT);
    paint.globalAlpha = 1;
    if (part === 0 && layout.items[from] >= 0) {
      this._font(paint, this.number.font);
      paint.fillStyle = this.number.ink;
      paint.textAlign = "right";
      paint.fillText(String(layout.items[from]), this.gutter - 25, base);
      if (!this.view.compact && transcript.nodeStarts[n] === layout.items[from]) {
        paint.textAlign = "center";
        this._text(paint, this.fold.font, this.fold.ink, this.view.folded.has(n) ? "▸" : "▾", this.gutter - 17.5, base);
      }
      paint.textAlign = "left";
    }
    let x = this.gutter;
    for (let k = from; k < to; k += 1) {
      const item = layout.items[k];
      const cells = layout.partsOf(item) > 1 ? layout.slices(item)[part] ?? [] : layout.cellsOf(item);
      let name = item >= 0 ? lines.token(item, item).name : this._nameOf(item);
      if (selection && item >= selection.from && item < selection.to) name += " sel";
      x += this._box(paint, this._look(channel, name), item, cells, x, base, channel);
    }
    if (part === 0 && this.wide) this._codes(paint, marks.codes(start, layout.extentOf(layout.items[to - 1])[1])[0], width, base);
  }

  _nameOf(item) {
    const { kind } = this.view.layout.addedOf(item);
    return kind === "new" ? "t new" : kind === "fold" ? "t rest" : "point";
  }

  /** Paints one box; returns how far the next one stands. */
  _box(paint, look, item, cells, x, base, channel) {
    const { layout } = this.view;
    const added = item < 0 ? layout.addedOf(item) : null;
    if (added && added.kind !== "new") {
      const size = layout._widthOf(item);
      this._text(paint, look.font, look.ink, added.kind === "fold" ? foldWords(added.at, added.end) : "‸", x + (added.kind === "fold" ? 13 : 0), base);
      return size;
    }
    const chip = !added && cells.length === 1 && (cells[0].kind === "marker" || cells[0].kind === "unknown");
    let size = layout._cellsWidth(cells);
    if (added && added.n === 0) size += SIGN_WIDTH;
    const inset = chip ? 2 : 0;
    const [top, height] = chip ? [base - this.ascent + 1, this.ascent + this.descent + 1] : [base - this.ascent - 3, this.ascent + this.descent + 6];
    const span = size - (chip ? 4 : 1);
    if (look.ground || (chip && look.border)) {
      paint.fillStyle = paint.strokeStyle = look.ground ?? look.border;
      if (chip) {
        paint.beginPath();
        paint.roundRect(x + inset, top, span, height, 9);
        if (look.ground) paint.fill();
        else paint.stroke();
      } else paint.fillRect(x, top, span, height);
    }
    if (look.hatch) {
      paint.globalAlpha = 0.4;
      paint.fillStyle = look.hatch;
      paint.fillRect(x, top, span, height);
      paint.globalAlpha = 1;
    }
    if (look.lane) {
      paint.fillStyle = look.lane.ink;
      paint.fillRect(x + inset, top + height + 2 - look.lane.height, span, look.lane.height);
    }
    let at = x + (chip ? 9 : 1);
    if (added && added.n === 0) {
      this._text(paint, look.font, look.ink, "+", at, base);
      at += SIGN_WIDTH;
    }
    for (const cell of cells) at += this._cell(paint, look, cell, at, base, chip, channel);
    this._lines(paint, look, x + inset, span, base);
    return size;
  }

  /** Paints a cell; returns its width. */
  _cell(paint, look, cell, x, base, chip, channel) {
    const size = this.view.layout.ruler.cell(cell);
    if (cell.kind === "" || chip) this._text(paint, look.font, look.ink, cell.text, x, base);
    else {
      const own = this._look(channel, `cell ${cell.kind}`, "t");
      const boxed = cell.kind === "ctl" || cell.kind === "byte";
      this._text(paint, own.font, own.ink, cell.text, x + (boxed ? 4 : 0), base);
      if (boxed) {
        paint.strokeStyle = own.ink;
        paint.strokeRect(x + 1.5, base - 10.5, size - 3, 14);
      }
    }
    return size;
  }

  _text(paint, font, ink, text, x, base) {
    if (!text.trim()) return;
    this._font(paint, font);
    paint.fillStyle = ink;
    paint.fillText(text, x, base);
  }

  /** Setting a font costs more than a text, and most boxes share one. */
  _font(paint, font) {
    if (this.font === font) return;
    paint.font = font;
    this.font = font;
  }

  _lines(paint, look, x, span, base) {
    if (look.lined === "none") return;
    paint.fillStyle = look.deco;
    if (look.lined.includes("underline")) paint.fillRect(x, base + 4, span, 1.5);
    if (look.lined.includes("line-through")) paint.fillRect(x, base - 4.5, span, 1.5);
  }

  _codes(paint, code, width, base) {
    if (!code) return;
    const look = this._look("line", code.className);
    this._font(paint, look.font);
    paint.fillStyle = look.ink;
    paint.textAlign = "right";
    paint.fillText(code.textContent, width - 10, base);
    paint.textAlign = "left";
  }
}
