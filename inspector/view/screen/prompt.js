/* The next prompt: the transcript's tokens with what the re-encoding drops and adds, and the causes by name. */

class PromptPane {
  /** `on` = {hover(token|null), select(token), style(name), light({from, to})} */
  constructor(host, on) {
    this.on = on;
    this.hint = el("span", { class: "hint" });
    this.styles = el("select", { class: "style", "aria-label": "Who renders the next prompt", onchange: () => on.style(this.styles.value) });
    this.style = el("span", { class: "hint", hidden: true });
    this.message = el("p", { class: "quiet" });
    this.tokens = el("div", { class: "prompt-tokens" });
    this.causes = el("ul", { class: "causes" });
    this.root = el("section", { class: "pane", "aria-label": "Next prompt" },
      el("h2", {}, "Next prompt", this.styles, this.style), this.hint, this.message, this.tokens, this.causes);
    host.append(this.root);
    this.view = new TokenView(this.tokens, {
      label: "Tokens of the next prompt, beside what was emitted", compact: true,
      on: { hover: on.hover, select: on.select },
    });
  }

  /** `fixed`: there is no Python behind the page that could make another prompt. */
  show(transcript, feed, fixed = false) {
    const { prompt, settings } = feed;
    this.styles.hidden = fixed;
    this.style.hidden = !fixed;
    this.style.textContent = prompt?.style ?? settings.style;
    const names = settings.styles.length ? settings.styles : [settings.style];
    this.styles.replaceChildren(...names.map((name) => el("option", { value: name, selected: name === settings.style }, name)));
    this.styles.value = settings.style;
    const error = prompt && prompt.error;
    this.tokens.hidden = !prompt || Boolean(error);
    if (!prompt) {
      this.hint.textContent = "";
      this.message.hidden = false;
      this.message.textContent = "No next prompt was made: there is no message to repeat.";
      this.causes.replaceChildren();
      return;
    }
    this.hint.textContent = error ? "" : `${plural(prompt.count, "token")}, ${prompt.drift.length ? `${plural(prompt.drift.length, "difference")} from what the model emitted` : "the transcript again, token for token"}`;
    this.message.hidden = !error;
    if (error) this.message.replaceChildren(...visibleText(`This prompt cannot be made: ${error}`));
    this.causes.replaceChildren(...this._causes(prompt));
    if (!error) this.view.show(transcript, { edits: prompt.edits, findings: [] });
  }

  /** Each cause once, with how often it occurs. */
  _causes(prompt) {
    const byCause = new Map();
    for (const drift of prompt.drift) {
      const entry = byCause.get(drift.cause) ?? { drift, count: 0, gone: 0, added: 0 };
      entry.count += 1;
      entry.gone += drift.emitted[1] - drift.emitted[0];
      entry.added += drift.reencoded[1] - drift.reencoded[0];
      byCause.set(drift.cause, entry);
    }
    const rows = [...byCause.values()].map(({ drift, count, gone, added }) => {
      const [from, to] = drift.emitted;
      return el("li", { onmouseenter: () => this.on.light({ from, to: Math.max(to, from + 1) }), onmouseleave: () => this.on.hover(null) },
        el("button", { class: "where", type: "button", title: "Show the first in the transcript", onclick: () => { this.view.go(from); this.on.select(from); } },
          el("b", {}, drift.code), " ", drift.cause.replaceAll("-", " "), count > 1 && ` ×${count}`),
        el("span", { class: "change" }, gone > 0 && el("del", {}, `−${gone}`), added > 0 && el("ins", {}, `+${added}`)),
        el("span", { class: "why" }, ...visibleText(drift.message)));
    });
    for (const poison of prompt.poisoned) {
      rows.push(el("li", {}, el("b", {}, "poisoned history"), " ",
        el("span", { class: "why" }, ...visibleText(`The ${poison.field} holds the text ${poison.text}: it breaks the next request.`))));
    }
    return rows;
  }
}
