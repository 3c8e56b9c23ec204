/* The whole transcript as a strip: messages in the colour of their channel, findings as ticks in a column of their
   own, differences from the next prompt in a third, and a frame around what is in sight. A picture for the eye only;
   everything it leads to is reached by keyboard through the tokens and the findings. It is drawn when something
   changed; scrolling moves the frame. */

const STRIP_WIDTH = 18;
const MAX_TICKS_PER_PIXEL = 2;

class MiniMap {
  constructor(host, view) {
    this.view = view;
    this.canvas = el("canvas", { class: "map", "aria-hidden": "true" });
    this.frame = el("div", { class: "map-frame", "aria-hidden": "true", hidden: true });
    this.root = el("div", { class: "map-strip", onmousedown: (event) => this._press(event) }, this.canvas, this.frame);
    host.append(this.root);
    view.laid = () => {
      cancelAnimationFrame(this.waiting);
      this.waiting = requestAnimationFrame(() => this.draw());
    };
  }

  /** `drift` are the differences of the next prompt, as the feed names them. */
  show(transcript, findings, drift = []) {
    Object.assign(this, { transcript, findings, drift });
    this.draw();
  }

  draw() {
    const { layout, scroller } = this.view;
    if (!layout || !this.transcript) return;
    const height = Math.max(20, scroller.clientHeight);
    const ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: STRIP_WIDTH * ratio, height: height * ratio });
    this.canvas.style.height = `${height}px`;
    const paint = this.canvas.getContext("2d");
    paint.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    const colours = new Map();
    const colour = (name) => {
      if (!colours.has(name)) colours.set(name, style.getPropertyValue(`--${name}`).trim() || "gray");
      return colours.get(name);
    };
    this.height = height;
    this.total = Math.max(layout.height, height);
    this._messages(paint, colour);
    const severities = ["info", "warning", "error"];
    for (const severity of severities) {
      const places = this.findings.filter((f) => f.severity === severity).map(({ span }) => span[0]);
      paint.fillStyle = colour(severity);
      // The worst is drawn last, and is the widest: its colour is not its only sign.
      const width = 3 + severities.indexOf(severity);
      this._ticks(places, 2, (y) => paint.fillRect(8, y, width, 3));
    }
    paint.fillStyle = colour("recipient");
    this._ticks(this.drift.map(({ emitted }) => emitted[0]), 1, (y) => paint.fillRect(15, y, 3, 2));
    this.scrolled();
  }

  /** How far down the strip a distance from the top of the lines is. */
  _y(top) {
    return (top / this.total) * this.height;
  }

  _messages(paint, colour) {
    const { layout } = this.view;
    const { transcript } = this;
    let line = 0;
    let drawn = -1;
    for (let n = 0; n < transcript.nodeCount && layout.lineCount; n += 1) {
      const node = transcript.node(n);
      line = layout.lineOf(node.start);
      const top = this._y(layout.topOf(line));
      const after = n + 1 < transcript.nodeCount ? layout.topOf(layout.lineOf(transcript.nodeStarts[n + 1])) : layout.height;
      const end = this._y(after);
      // Thousands of short messages share a pixel: one of them is drawn, strays always.
      if (end < drawn + 0.5 && !node.isStray) continue;
      drawn = end;
      paint.fillStyle = colour(channelClass(node));
      paint.fillRect(1, top + 0.5, 5, Math.max(1, end - top - 1));
    }
  }

  /** Draws a tick for each place, not more than a few for each pixel. */
  _ticks(places, above, draw) {
    const { layout } = this.view;
    const taken = new Map();
    for (const place of places) {
      if (!layout.lineCount) return;
      const y = Math.min(this.height - 3, Math.max(0, this._y(layout.topOf(layout.lineOf(place))) + above - 1));
      const pixel = Math.round(y);
      const count = taken.get(pixel) ?? 0;
      taken.set(pixel, count + 1);
      if (count < MAX_TICKS_PER_PIXEL) draw(y);
    }
  }

  /** Moves the frame to what is in sight. */
  scrolled() {
    const { layout, scroller } = this.view;
    this.frame.hidden = !layout || !(layout.height > this.height);
    if (this.frame.hidden) return;
    const size = Math.max(6, this._y(this.height));
    this.frame.style.height = `${size}px`;
    this.frame.style.transform = `translateY(${Math.min(this._y(scroller.scrollTop), this.height - size)}px)`;
  }

  /** Jumps to where the strip is pressed, and follows while the button is down. */
  _press(event) {
    if (event.button !== 0 || !this.view.layout) return;
    event.preventDefault();
    const jump = ({ clientY }) => {
      const { scroller } = this.view;
      const share = (clientY - this.canvas.getBoundingClientRect().top) / this.canvas.clientHeight;
      scroller.scrollTop = share * this.total - scroller.clientHeight / 2;
    };
    const stop = () => {
      document.removeEventListener("mousemove", jump);
      document.removeEventListener("mouseup", stop);
    };
    document.addEventListener("mousemove", jump);
    document.addEventListener("mouseup", stop);
    jump(event);
  }
}
