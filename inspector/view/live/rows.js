/* The samples of a run: a row for each, with what came of it so far, and the line above them. */

const STATE_WORDS = { running: "Sampling", done: "Done", stopped: "Stopped", failed: "Failed" };
const ENDED_WORDS = { max_turns: "turn limit", max_tokens: "token limit", cut_off: "cut off here", cancelled: "stopped", failed: "failed" };

function secondsText(seconds) {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/** "stop · 200012": a reason as the engine gave it; what is no text stands as it is. */
function reasonText(row) {
  if (!row.done) return "";
  if (row.finish === null) return ENDED_WORDS[row.ended_by] ?? "";
  return row.stop === null ? row.finish : `${row.finish} · ${row.stop}`;
}

/** How often a screen reader is told how far it has come, while it goes on. */
const SPOKEN_MS = 5000;

/** The line above the samples: state, counts, speed, the button that stops it. */
class RunLine {
  constructor(host, { stop }) {
    this.sign = el("span", { class: "pulse", "aria-hidden": "true" });
    this.state = el("b", {});
    this.facts = el("span", { class: "facts" });
    this.engine = el("span", { class: "engine quiet" });
    this.button = el("button", { class: "stop", type: "button", onclick: stop }, "Stop");
    this.note = el("p", { class: "note", hidden: true });
    this.spoken = el("span", { class: "unseen", "aria-live": "polite" });
    this.root = el("div", { class: "run-line" }, this.sign, this.state, this.facts, this.engine, this.button, this.spoken);
    host.append(this.root, this.note);
  }

  /** Another run is shown from now on: nothing that was said of the one before holds. */
  begin() {
    this.said = this.spoken.textContent = "";
    this.tell("");
  }

  show(summary) {
    const { state, tokens, seconds, rows, error } = summary;
    const over = rows.filter((row) => row.done).length;
    this.root.dataset.state = state;
    this.state.textContent = STATE_WORDS[state];
    this._speak(state, `${STATE_WORDS[state]}. ${plural(tokens, "token")} sampled.`);
    const parts = [plural(tokens, "token"), secondsText(seconds)];
    if (tokens && seconds > 0.05) parts.push(`${NUMBERS.format(Math.round(tokens / seconds))} tokens/s`);
    if (rows.length > 1) parts.unshift(`${over} of ${rows.length} samples ended`);
    this.facts.textContent = parts.join(" · ");
    this.engine.textContent = summary.engine;
    this.button.hidden = state !== "running";
    this.tell(error);
  }

  /** What is over is always told as it is; what goes on, seldom. */
  _speak(state, words) {
    const now = performance.now();
    if (state === "running" && this.said === state && now - this.spokenAt < SPOKEN_MS) return;
    if (this.spoken.textContent === words) return;
    this.spoken.textContent = words;
    this.said = state;
    this.spokenAt = now;
  }

  /** A sentence of the run itself, or of the way to it. */
  tell(sentence) {
    this.note.hidden = !sentence;
    this.note.textContent = sentence;
  }

  stopping() {
    this.button.disabled = true;
    this.button.textContent = "Stopping …";
  }
}

/** Rows of samples; one is in view. Arrow keys walk, as in a list. */
class SampleRows {
  constructor(host, on) {
    this.on = on;
    this.rows = [];
    this.root = el("div", { class: "samples", role: "listbox", "aria-label": "Samples", tabindex: "0", onkeydown: (event) => this._key(event) });
    host.append(this.root);
  }

  show(rows, chosen) {
    this.root.hidden = rows.length < 2;
    if (this.rows.length !== rows.length) this._make(rows.length);
    this.chosen = chosen;
    rows.forEach((row, n) => this._fill(this.rows[n], row, n === chosen));
    this.root.setAttribute("aria-activedescendant", `sample-${chosen}`);
  }

  _make(count) {
    this.rows = Array.from({ length: count }, (_, n) => {
      const parts = {
        name: el("span", { class: "name" }), verdict: el("span", { class: "said" }), tokens: el("span", { class: "tokens" }),
        ended: el("span", { class: "ended" }), parts: el("span", { class: "parts" }), tail: el("span", { class: "tail", "aria-hidden": "true" }),
      };
      const node = el("div", { class: "sample", role: "option", id: `sample-${n}`, onclick: () => this.on.choose(n) },
        el("div", { class: "facts" }, parts.name, parts.verdict, parts.tokens, parts.ended, parts.parts), parts.tail);
      return { node, ...parts };
    });
    this.root.replaceChildren(...this.rows.map(({ node }) => node));
  }

  _fill(parts, row, chosen) {
    const { judged } = row;
    parts.node.setAttribute("aria-selected", String(chosen));
    parts.node.dataset.done = row.done;
    const name = row.title || `#${row.n + 1}`;
    const verdict = verdictWords(row);
    const texts = {
      name, verdict: verdict.text, tokens: `${NUMBERS.format(row.tokens)} tok${row.turns > 1 ? ` · ${row.turns} turns` : ""}`,
      ended: reasonText(row), parts: row.parts < 0 ? "" : `parts at ${row.parts}`, tail: plainVisible(row.tail),
    };
    for (const [part, text] of Object.entries(texts)) if (parts[part].textContent !== text) parts[part].textContent = text;
    parts.verdict.dataset.state = verdict.state;
    parts.node.title = row.error || (judged && (judged.defect || judged.error)) || "";
  }

  _key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.max(0, Math.min(this.rows.length - 1, this.chosen + step));
    this.on.choose(to);
    this.rows[to].node.scrollIntoView({ block: "nearest" });
  }
}

/** What is known of a sample: {text, state}, state "ok", "broke", "found" or "". */
function verdictWords({ judged, done, error, ended_by: by }) {
  if (by === "failed" && error) return { text: "● failed", state: "broke" };
  if (judged?.defect) return { text: "● not read", state: "broke" };
  if (!judged || !judged.count) return { text: done ? "empty" : "…", state: "" };
  // What is not over yet may still become legal.
  if (!judged.ok) return { text: `● breaks at ${judged.token ?? "the end"}`, state: done ? "broke" : "open" };
  if (judged.findings) return { text: `▲ ${plural(judged.findings, "finding")}`, state: "found" };
  return { text: done ? "✓ accepted" : "✓ so far", state: "ok" };
}

/** The prompt as tokens, folded away once there is something to watch. */
class PromptTokens {
  constructor(host) {
    this.words = el("span", {});
    this.surface = el("div", { class: "surface" });
    this.root = el("details", { class: "prompt-line", ontoggle: () => this.refresh() }, el("summary", {}, this.words), this.surface);
    host.append(this.root);
    this.view = new TokenView(this.surface, { label: "Tokens of the prompt", on: { hover: () => {}, select: () => {} }, compact: true });
  }

  show(transcript, open) {
    this.words.textContent = `Prompt, ${plural(transcript.count, "token")}`;
    this.root.open = open;
    this.view.show(transcript, { edits: [], findings: [] });
  }

  refresh() {
    if (this.root.open) this.view.refresh();
  }

  destroy() {
    this.view.destroy();
  }
}
