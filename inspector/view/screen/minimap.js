/* The whole transcript as a strip: messages in the colour of their channel, findings as ticks. A picture for the
   eye only; everything it leads to is reached by keyboard through the tokens and the findings. */

const STRIP_WIDTH = 14;

class MiniMap {
  constructor(host, view) {
    this.view = view;
    this.canvas = el("canvas", { class: "map", "aria-hidden": "true", width: STRIP_WIDTH, onclick: (event) => this._jump(event) });
    host.append(this.canvas);
  }

  show(transcript, findings) {
    this.transcript = transcript;
    this.findings = findings;
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
    const colour = (name) => style.getPropertyValue(name).trim() || "gray";
    const total = Math.max(layout.height, height);
    const y = (top) => (top / total) * height;
    for (let n = 0; n < this.transcript.nodeCount; n += 1) {
      const node = this.transcript.node(n);
      const top = y(layout.lineTops[layout.lineOf(node.start)]);
      const end = y(layout.lineTops[layout.lineOf(Math.max(node.start, node.end - 1))] + LINE_HEIGHT);
      paint.fillStyle = colour(`--${channelClass(node)}`);
      paint.fillRect(2, top + 0.5, 5, Math.max(1, end - top - 1.5));
    }
    for (const { span, severity } of this.findings) {
      paint.fillStyle = colour(`--${severity}`);
      paint.fillRect(8, y(layout.lineTops[layout.lineOf(span[0])]) + 1, 6, 3);
    }
    if (layout.height > height) {
      paint.strokeStyle = colour("--soft");
      paint.strokeRect(0.5, y(scroller.scrollTop) + 0.5, STRIP_WIDTH - 1, Math.max(6, y(height)) - 1);
    }
  }

  _jump(event) {
    const { layout, scroller } = this.view;
    if (!layout) return;
    const share = event.offsetY / this.canvas.clientHeight;
    scroller.scrollTop = share * Math.max(layout.height, scroller.clientHeight) - scroller.clientHeight / 2;
  }
}
