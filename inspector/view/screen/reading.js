/* Reads the feed that inspector/view/feed.py writes: tables of rows and numbered sentences become findings, edits,
   messages and differences. A message is whole, or says how it differs from a whole one. */

const FEED_TABLES = ["findings", "edits", "messages", "drift", "extra"];
const FINDING_ON = 1;
const FINDING_APPLIED = 2;

/** The feed of a message; `base` is the whole message that it refers to, if any. Null while that one has not arrived. */
function readFeed(message, base = null) {
  if (!message.base) return expandedFeed(message);
  if (!base || base.name !== message.base) return null;
  const whole = { ...base, ...message, words: [...base.words, ...message.words] };
  for (const name of FEED_TABLES) if (message[name]) whole[name] = spliced(base[name], message[name]);
  if (message.states) {
    const [at, removed, fresh] = message.states;
    whole.states = base.states.slice(0, at) + fresh + base.states.slice(at + removed);
  }
  return expandedFeed(whole);
}

/** A table after its changes, each [at, removed, rows]. */
function spliced(rows, changes) {
  const out = [];
  let at = 0;
  for (const [start, removed, fresh] of changes) {
    for (; at < start; at += 1) out.push(rows[at]);
    for (const row of fresh) out.push(row);
    at = start + removed;
  }
  for (; at < rows.length; at += 1) out.push(rows[at]);
  return out;
}

function expandedFeed(message) {
  const { words, settings, source } = message;
  const prompt = message.prompt && { ...message.prompt, ...expandedDrift(message) };
  return {
    digest: message.digest, counts: message.counts, misread: message.misread, more_findings: message.more_findings, finish: message.finish,
    extra: message.extra, settings: { ...source, ...settings }, prompt,
    findings: message.findings.map((row, n) => expandedFinding(row, Number(message.states[n]), words, settings)),
    repair: {
      ok: message.ok, error: message.error, after: message.after, count: message.count, edits: message.edits,
      messages: absoluteOutline(message.messages),
    },
  };
}

function expandedFinding([key, start, end, ...rest], state, words, { choices }) {
  const [code, name, severity, effect, text, note] = rest.slice(0, 6).map((word) => words[word]);
  const [fix, alternatives] = rest.slice(6);
  return {
    key, code, name, severity, effect, message: text, note, span: [start, end], fix: expandedFix(fix, words),
    alternatives: alternatives.map((row) => expandedFix(row, words)), choice: choices[key] ?? 0,
    on: (state & FINDING_ON) > 0, applied: (state & FINDING_APPLIED) > 0,
  };
}

function expandedFix(row, words) {
  if (!row) return null;
  const [title, applicability, mends, edits] = row;
  return { title: words[title], applicability: words[applicability], mends: Boolean(mends), edits: edits.map((edit) => [...edit, []]) };
}

/** Messages that are written out, with their places in the repaired transcript again. */
function absoluteOutline(rows) {
  let before = 0;
  return rows.map((row) => {
    if (Array.isArray(row) || !row.at) return row;
    const start = before + row.at[0];
    before = start + row.at[1];
    return { ...row, at: [start, before, start + row.at[2], start + row.at[3]] };
  });
}

/** The differences and, the same in another form, the edits that make the next prompt of the transcript. */
function expandedDrift({ words, drift: rows, prompt }) {
  let shift = 0;
  const edits = [];
  const drift = rows.map(([start, end, ids, cause, code, message], n) => {
    const at = start + shift;
    shift += ids.length - (end - start);
    if (!prompt.error) edits.push([start, end, ids, [`drift:${n}`]]);
    return { cause: words[cause], code: words[code], message: words[message], emitted: [start, end], reencoded: [at, at + ids.length] };
  });
  return { drift, edits };
}

/** What the repair makes of messages: by node, the fields that it gives another role or channel than was written. */
function relabelled(transcript, { edits, messages }) {
  const found = new Map();
  const sequence = new Sequence(transcript, edits);
  for (const row of messages) {
    if (Array.isArray(row) || !row.at) continue;
    const n = transcript.nodeAt(Math.min(sequence.toOriginal(row.at[0]), transcript.count - 1));
    if (n < 0 || found.has(n)) continue;
    const { label, isMessage } = transcript.node(n);
    if (!isMessage || label.channel !== row.channel || label.role !== row.role) found.set(n, row);
  }
  return found;
}

/** The colour class of the lines of a message: of what it is read as now. */
function lineClass(transcript, n) {
  if (n < 0) return "";
  const label = transcript.relabelled?.get(n);
  return channelClass(label ? { isMessage: true, label } : transcript.node(n));
}
