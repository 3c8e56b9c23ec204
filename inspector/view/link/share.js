/* A link to copy. Only the browser knows where the app is: Python gives what stands behind that. */

const made = new WeakMap();
const SHOWN = 4000;

function build(parent) {
  const view = { address: "" };
  view.field = el("input", { class: "address", readonly: true, spellcheck: "false", onfocus: () => view.field.select(), oncopy: (event) => copyAll(event, view) });
  view.said = el("span", { class: "said", role: "status" });
  view.copy = el("button", { class: "copy", type: "button", onclick: () => copy(view) }, "Copy");
  view.box = el("div", { class: "hs share" }, view.field, view.copy, view.said);
  parent.append(view.box);
  return view;
}

/* A key copies all of a link of which the field shows only the beginning, unless a part of that was chosen. */
function copyAll(event, view) {
  const { value, selectionStart, selectionEnd } = view.field;
  if (!event.clipboardData || selectionStart > 0 || selectionEnd < value.length) return;
  event.clipboardData.setData("text/plain", view.address);
  event.preventDefault();
}

async function copy(view) {
  try {
    await navigator.clipboard.writeText(view.address);
    view.said.textContent = "Copied";
  } catch {
    // No clipboard outside of a secure context: a key copies what is selected, if it is all there.
    view.field.value = view.address;
    view.field.focus();
    view.said.textContent = "Press Ctrl+C";
  }
}

export default function ({ data, parentElement }) {
  if (!made.has(parentElement)) made.set(parentElement, build(parentElement));
  const view = made.get(parentElement);
  view.box.dataset.theme = themeOf(view.box);
  const { tail, label } = JSON.parse(new TextDecoder().decode(data));
  const address = location.origin + location.pathname + tail;
  if (address === view.address) return;
  view.address = address;
  // A field that holds all of a long link is slow to draw; the button and the keys copy all of it.
  view.field.value = address.length > SHOWN ? `${address.slice(0, SHOWN)}…` : address;
  view.field.setAttribute("aria-label", label);
  view.copy.setAttribute("aria-label", `Copy: ${label}`);
  view.said.textContent = "";
}
