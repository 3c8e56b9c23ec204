/* Lines of boxes: the text of the transcript, as little markup for a token as it can be drawn with. A box is found by
   its place in its line, not by attributes of its own; what a screen reader says comes from one hidden option. */

// Only letters of other scripts can reorder what stands beside them.
const FOREIGN = /[^\x00-\u02ff]/;

/** Puts the cells of a token into its box. */
function fillBox(box, cells) {
  if (cells.length === 1 && (cells[0].kind === "" || cells[0].kind === "marker" || cells[0].kind === "unknown")) box.textContent = cells[0].text;
  else box.append(...cellNodes(cells));
}

class LinePainter {
  /** Draws lines of `view`: its layout, transcript, marks and lanes. */
  constructor(view) {
    this.view = view;
  }

  header() {
    return [];
  }

  /** Fills an empty row; `row.leads` children stand before the boxes, one box for each item of the line. */
  draw(row, line) {
    const { view } = this;
    const { layout, transcript } = view;
    const [from, to] = layout.rangeOf(line);
    const part = layout.partAt(line);
    const first = layout.items[from];
    const index = document.createElement("span");
    index.className = "index";
    if (part === 0 && first >= 0) index.textContent = first;
    row.append(index);
    row.leads = 1;
    if (part === 0 && first >= 0 && transcript.nodeStarts[row.node] === first) {
      const toggle = foldToggle(view, row.node, view.folded.has(row.node));
      if (toggle) {
        row.append(toggle);
        row.leads = 2;
      }
    }
    for (let k = from; k < to; k += 1) row.append(this._box(layout.items[k], part));
    if (part === 0) row.append(...view.marks.codes(row.from, row.to));
  }

  _box(item, part) {
    const { layout, transcript } = this.view;
    if (item >= 0) {
      const { name, cells } = this.token(item, item);
      const box = document.createElement("span");
      box.className = name;
      box.setAttribute("data-i", item);
      fillBox(box, layout.partsOf(item) > 1 ? layout.slices(item)[part] ?? [] : cells);
      return box;
    }
    const added = layout.addedOf(item);
    if (added.kind === "fold") return foldChip(this.view, added, false);
    const box = document.createElement("span");
    if (added.kind === "point") {
      box.className = "point";
      box.title = added.at >= transcript.count ? "the end of the transcript" : `between ${added.at - 1} and ${added.at}`;
      box.textContent = "‸";
      return box;
    }
    box.className = "t new iso";
    box.setAttribute("data-at", added.at);
    if (added.n === 0) box.append(el("span", { class: "sign" }, "+"));
    box.append(...cellNodes(layout.partsOf(item) > 1 ? layout.slices(item)[part] ?? [] : layout.cellsOf(item)));
    return box;
  }

  /** Class and cells of a token's box; `drawn` is the first token of the character that token `i` is a part of. */
  token(drawn, i) {
    const { marks, layout, transcript, broke, lanes } = this.view;
    const end = transcript.drawnEnd(drawn);
    const cells = transcript.cellsAt(drawn);
    const kind = cells.length === 1 ? cells[0].kind : "";
    let name = kind === "marker" || kind === "unknown" ? `t ${kind}` : `t k-${transcript.kindAt(i)}`;
    if (marks.bits[i]) name += ` mark${marks.bits[i]}`;
    if (layout.deleted[i]) name += " gone";
    if (transcript.alike.has(i)) name += " alike";
    if (broke !== null && broke >= drawn && broke < end) name += " broke";
    if (end - drawn > 1) name += " group";
    if (cells.foreign ??= cells.some(({ text }) => FOREIGN.test(text))) name += " iso";
    if (lanes.origin || lanes.logprob) name += laneClasses(transcript, i, lanes, layout.deleted[i]);
    return { name, cells };
  }
}
