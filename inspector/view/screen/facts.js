/* Where the transcript comes from, and how its generation ended. */

/** What is shown: a sample with its story, or what the input was taken for. */
class SourceLine {
  constructor(host) {
    this.root = el("section", { class: "source-line", "aria-label": "Source" });
    host.append(this.root);
  }

  show(transcript, { title, story, read_as: readAs }) {
    const count = plural(transcript.count, "token");
    const whole = transcript.role === null;
    const role = whole ? "a whole conversation" : `continues <|start|>${transcript.role}`;
    // What the input was taken for often says these already; the same is not said twice.
    const said = title ? "" : readAs;
    const facts = [!said.includes(count) && count, !said.includes(whole ? role : `continuing after <|start|>${transcript.role}`) && el("code", {}, role)];
    const shown = facts.filter(Boolean);
    this.root.replaceChildren(
      el("div", { class: "what" }, title && el("b", {}, ...visibleText(title)), story && el("span", { class: "story" }, ...visibleText(story)),
        said && el("span", {}, ...visibleText(said))),
      el("div", { class: "facts" }, ...(shown.length === 2 ? [shown[0], " · ", shown[1]] : shown)));
  }
}

/** What the server should have said about how generation ended, and what it did say. */
class FinishLine {
  /** `on` = {go(finding)} */
  constructor(host, on) {
    this.on = on;
    this.root = el("section", { class: "finish", "aria-label": "Finish reasons" });
    host.append(this.root);
  }

  /** `open` says that more tokens are to come. */
  show(finish, open = false) {
    if (open) {
      this.root.replaceChildren(el("span", { class: "reason quiet" }, "finish_reason and stop_reason come with the last token"));
      return;
    }
    const said = (label, expected, reported, stated) => el("span", { class: "reason" }, el("span", { class: "quiet" }, label), " ",
      el("code", {}, String(expected)), stated && el("span", { class: expected === reported ? "fits" : "differs" },
        ...(expected === reported ? [" ✓ as reported"] : [" ✗ reported ", ...visibleText(String(reported).slice(0, 200))])));
    const parts = [];
    if (finish.expected !== null || finish.reported !== null) {
      parts.push(said("finish_reason should be", finish.expected ?? "unknown", finish.reported, finish.reported !== null));
    }
    parts.push(said("stop_reason should be", finish.stop_expected, finish.stop_reported, finish.stop_stated));
    if (finish.truncated) parts.push(el("span", { class: "reason" }, "cut off: no terminator"));
    for (const finding of finish.findings) {
      parts.push(el("button", { class: `flag ${finding.severity}`, type: "button", title: finding.message, onclick: () => this.on.go(finding) },
        `${SEVERITY_SIGNS[finding.severity]} ${finding.code} ${finding.name}`));
    }
    this.root.replaceChildren(...parts);
  }
}
