/* The verdict bar: what the strict parser of a release made of the transcript, and a chooser of the release. */

class VerdictBar {
  /** `on` = {release(name), go(token)} */
  constructor(host, on) {
    this.on = on;
    this.headline = el("div", { class: "headline", role: "status" });
    this.detail = el("div", { class: "detail" });
    this.after = el("div", { class: "after", role: "status" });
    this.releases = el("div", { class: "releases", role: "radiogroup", "aria-label": "Release whose strict parse is shown" });
    this.root = el("section", { class: "verdict", "aria-label": "Verdict" },
      el("div", { class: "said" }, this.headline, this.detail, this.after), this.releases);
    host.append(this.root);
  }

  /** Shows `verdict`, one of `verdicts`. `findings` counts all,
      `differences` those of the next prompt, `misread` the errors that it swallows silently, `checks` says by
      release what the library itself says, `repair` and `fixes` what became of it. */
  show({ verdicts, verdict, transcript, findings, differences, misread, checks, repair, fixes }) {
    this.releases.replaceChildren(...verdicts.map((v) => this._choice(v, v === verdict)));
    if (!verdict) {
      this.root.dataset.state = "none";
      this.headline.textContent = "No release was asked.";
      this.detail.replaceChildren();
      this.after.replaceChildren();
      return;
    }
    const { error } = verdict;
    this.root.dataset.state = error ? "broke" : misread ? "misread" : "ok";
    this.headline.replaceChildren(...this._headline(verdict, transcript, misread));
    this.detail.replaceChildren(...this._detail(verdict, misread, findings, differences));
    this.after.replaceChildren(...this._after(verdict, checks[verdict.release], repair, fixes));
  }

  _headline({ error }, transcript, misread) {
    if (!error) {
      // What still grows can only be judged so far.
      const it = transcript.head.open ? "it so far" : "it";
      const words = misread ? `Strict parse accepts ${it}, and reads it wrongly` : `Strict parse accepts ${it}`;
      return [el("span", { class: "sign", "aria-hidden": "true" }, misread ? "▲" : "✓"), words];
    }
    const atEnd = error.token >= transcript.count;
    const place = el("button", { class: "link", type: "button", onclick: () => this.on.go(error.token) },
      atEnd ? "the end" : `token ${error.token}`);
    return [el("span", { class: "sign", "aria-hidden": "true" }, "●"), "Strict parse broke at ", place];
  }

  _detail(verdict, misread, findings, differences) {
    const parts = [];
    if (verdict.error) {
      parts.push(goingOn(el("code", { class: "error-text" }, ...visibleText(verdict.error.text)), "What the release says"));
    } else if (misread) {
      parts.push(`${plural(misread, "finding")} below ${misread === 1 ? "shows" : "show"} what no error was raised for.`);
    } else {
      parts.push(`${plural(countMessages(verdict.messages), "message")}, ${findings ? plural(findings, "finding") : differences ? `no findings, ${plural(differences, "difference")} in the next prompt` : "nothing to report"}.`);
    }
    return parts;
  }

  /** Who says so, and what the repair makes of it. */
  _after(verdict, check, repair, fixes) {
    const source = check ? check.text : verdict.source === "native" ? "said by the library itself" : "predicted by our model of it";
    const parts = [el("span", { class: `source ${check ? check.state : ""}` }, ...visibleText(source))];
    if (repair.edits.length) {
      parts.unshift(el("span", { class: repair.ok ? "mended" : "unmended" },
        repair.ok ? `✓ accepted after repair, ${fixes}` : `● still breaks after repair, ${fixes}`));
    } else if (verdict.error) {
      parts.unshift(el("span", { class: repair.ok ? "mended" : "unmended" },
        repair.ok ? "✓ the newest release accepts it as it is" : `● not repaired, ${fixes}`));
    }
    return parts;
  }

  _choice(verdict, chosen) {
    const id = verdict.release;
    return el("button", {
      class: "release", type: "button", role: "radio", "aria-checked": String(chosen),
      tabindex: chosen ? "0" : "-1",
      onclick: () => this.on.release(id),
      onkeydown: (event) => this._step(event),
    }, el("span", { class: verdict.ok ? "ok" : "no", "aria-hidden": "true" }, verdict.ok ? "✓" : "●"), id,
      el("span", { class: "unseen" }, verdict.ok ? ", accepts" : ", raises"));
  }

  _step(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const buttons = [...this.releases.children];
    const next = (buttons.indexOf(event.currentTarget) + by + buttons.length) % buttons.length;
    buttons[next].click();
    this.releases.children[next].focus();
  }
}

/** How many messages an outline (ranges of nodes and written-out messages) stands for. */
function countMessages(outline, transcript = null) {
  let count = 0;
  for (const row of outline) {
    if (!Array.isArray(row)) count += 1;
    else if (transcript === null) count += row[1] - row[0] + 1;
    else for (let n = row[0]; n <= row[1]; n += 1) count += transcript.node(n).isMessage ? 1 : 0;
  }
  return count;
}
