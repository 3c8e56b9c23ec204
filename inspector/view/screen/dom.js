/* Small helpers to build elements. Text only ever goes in through textContent. */

/** An element with attributes, properties and children; a string child becomes text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
  return element;
}

/** Cells as nodes: plain text as text, everything else as a small labelled box. */
function cellNodes(cells) {
  return cells.map((cell) => {
    if (cell.kind === "") return document.createTextNode(cell.text);
    return el("span", { class: `cell ${cell.kind}`, title: cell.help }, cell.text);
  });
}

/** Text from a transcript for a card: newlines stay newlines, everything invisible is named. */
function visibleText(text) {
  const nodes = [];
  for (const cell of cellsOfText(text)) {
    if (cell.kind === "nl") nodes.push(document.createTextNode("\n"));
    else if (cell.kind === "") nodes.push(document.createTextNode(cell.text));
    else nodes.push(el("span", { class: `cell ${cell.kind}`, title: cell.help }, cell.text));
  }
  return nodes;
}

// Made once: each toLocaleString() would make one of its own.
const NUMBERS = new Intl.NumberFormat("en");

function plural(count, word) {
  return `${NUMBERS.format(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** Has a box with a height of its own say whether its text goes on below, and makes it scroll by keyboard where it does. */
function goingOn(box, label) {
  const mark = () => {
    const longer = box.scrollHeight > box.clientHeight + 2;
    box.classList.toggle("goes-on", longer && box.scrollTop + box.clientHeight < box.scrollHeight - 2);
    if (longer) Object.entries({ tabindex: "0", role: "group", "aria-label": label }).forEach(([name, value]) => box.setAttribute(name, value));
    else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  };
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
  return box;
}

/** "27" or "27–34" for the tokens [start, end). */
function rangeText(start, end) {
  return end - start <= 1 ? String(start) : `${start}–${end - 1}`;
}

const SEVERITY_SIGNS = { error: "●", warning: "▲", info: "○" };

/** "dark" or "light": what Streamlit's theme gives the page, judged by the lightness of its background. */
function themeOf(element) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "#ffffff";
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
}
