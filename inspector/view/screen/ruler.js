/* How wide what is drawn for a token will be, without drawing it. */

const TOKEN_EXTRA = 3;
const MARKER_EXTRA = 18;
const CHIP_EXTRA = 8;

/** Widths of texts in the fonts of the view. Printable ASCII of a monospaced font needs no measuring. */
class Ruler {
  constructor(fonts) {
    this.context = document.createElement("canvas").getContext("2d");
    this.fonts = fonts;
    this.columns = {};
    for (const [name, font] of Object.entries(fonts)) {
      this.context.font = font;
      this.columns[name] = this.context.measureText("0").width;
    }
  }

  width(text, name) {
    if (/^[ -~]*$/.test(text)) return text.length * this.columns[name];
    this.context.font = this.fonts[name];
    return this.context.measureText(text).width;
  }

  cell(cell) {
    if (cell.kind === "marker" || cell.kind === "unknown") return this.width(cell.text, "marker") + MARKER_EXTRA - TOKEN_EXTRA;
    if (cell.kind === "ctl" || cell.kind === "byte") return this.width(cell.text, "chip") + CHIP_EXTRA;
    return this.width(cell.text, "text");
  }
}
