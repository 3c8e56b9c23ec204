/* The address of the Inspect page, kept in step with what it shows. It draws nothing.

   An entry of the tab's history is one of: a sample (?sample=NAME, which Python reads itself), a shared link (#h1...),
   a person's own input (a name in history.state under which the server keeps it), or the start page (named "start").
   Coming to an entry by a link, a reload, Back or Forward asks Python to open it ("at": a state and no trigger, since
   triggers are lost when Streamlit is about to run the page anyway). When Python opened
   something itself, it is written into the address. A fresh entry without any name is Streamlit's, from a click on the
   page's name: it gets the name of what is shown.

   Also here, because only the browser can know: text that was typed and not yet submitted survives a look at another
   page, and a very large paste goes straight to Python, since it would freeze the box. */

const LARGE_PASTE = 400_000;
const BOX = '[class*="st-key-w-text"] textarea';

const own = (globalThis[Symbol.for("harmonylens.address")] ??= { seq: 0, pending: 0, links: new Map() });

function here() {
  const named = history.state?.harmonylens;
  return {
    id: typeof named === "string" ? named : "",
    link: /^#h\d/.test(location.hash) ? location.hash.slice(1) : "",
    sample: new URLSearchParams(location.search).has("sample"),
  };
}

function ask() {
  const { id, link } = here();
  own.pending = ++own.seq;
  own.asked = link;
  own.setState("at", { seq: own.seq, id, link });
}

function name(id, push = false) {
  const hash = push ? "" : here().link || own.links.get(id) || "";
  const url = location.pathname + (push ? "" : location.search) + (hash ? `#${hash}` : "");
  history[push ? "pushState" : "replaceState"]({ ...history.state, harmonylens: id }, "", url);
  if (hash) own.links.set(id, hash);
}

/* Python said what it shows; the address follows, or is asked for. */
function follow() {
  const { id, session, turn, answered } = own.data;
  const changed = own.session === session && own.turn !== turn;
  [own.session, own.turn] = [session, turn];
  if (changed) forget();
  const at = here();
  if (own.pending) {
    if (answered !== own.pending) return;
    own.pending = 0;
    // States travel with whatever is done next: a long link should do so once.
    if (own.asked) own.setState("at", { seq: own.seq, id: "", link: (own.asked = "") });
    if (!at.sample && id !== "sample") name(id);
  } else if (at.sample || id === "sample") {
    return;
  } else if (at.link && !at.id) ask();
  else if (!at.id) name(id);
  else if (at.id !== id) changed ? name(id, true) : ask();
}

/* Back, Forward, or another fragment in the address bar. */
function arrived() {
  if (!own.send || location.pathname !== own.home) return;
  const at = here();
  if (at.sample) own.pending = 0;
  else if (!at.id || at.id !== own.data.id) ask();
}

/* A click on the name of the page that is shown already makes an entry without a name. */
function renamed() {
  const at = here();
  if (own.send && !own.pending && location.pathname === own.home && !at.sample && !at.id && !at.link && own.data.id !== "sample") name(own.data.id);
}

/* What was asked for is here: the page is shown (see inspector/ui/early.py) once the start page has gone, or at once
   where it stays, because there is nothing else or there is something to say. */
function opened() {
  const { dataset } = document.documentElement;
  if (dataset.opening === undefined) return;
  const stays = own.data.id === "start" || document.querySelector("[data-testid=stAlert]");
  if (stays || !document.querySelector(".st-key-tall")) delete dataset.opening;
  else requestAnimationFrame(opened);
}

function forget() {
  own.draft = null;
}

function typed(event) {
  if (event.target?.matches?.(BOX)) own.draft = { id: own.data?.id, text: event.target.value };
}

function pasted(event) {
  const text = event.target?.matches?.(BOX) ? event.clipboardData?.getData("text/plain") ?? "" : "";
  if (text.length < LARGE_PASTE || !own.send) return;
  event.preventDefault();
  own.send("pasted", { text });
}

/* Puts typed text back into a box that was drawn anew. */
function restore() {
  const box = own.draft && document.querySelector(BOX);
  if (!box || box === own.box) return;
  own.box = box;
  if (own.draft.id !== own.data?.id || own.draft.text === box.value) return;
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, own.draft.text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

if (!own.listening) {
  own.listening = true;
  addEventListener("popstate", () => own.arrived());
  globalThis.navigation?.addEventListener("currententrychange", (event) => event.navigationType === "push" && own.renamed());
  document.addEventListener("input", typed, true);
  document.addEventListener("paste", pasted, true);
  new MutationObserver(() => own.draft && restore()).observe(document.body, { childList: true, subtree: true });
}
[own.arrived, own.renamed] = [arrived, renamed];

export default function ({ data, setStateValue, setTriggerValue }) {
  own.data = JSON.parse(new TextDecoder().decode(data));
  [own.send, own.setState] = [setTriggerValue, setStateValue];
  own.home = location.pathname;
  follow();
  if (!own.pending) opened();
  return () => {
    own.send = null;
  };
}
