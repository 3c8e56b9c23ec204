/* What came with the tokens, drawn beneath them: where each came from, and how likely the model found it. */

const ORIGIN_WORDS = ["from the prompt", "sampled by the model", "injected afterwards"];

// Lowest probability of each shade; a token that was likelier than the first gets none.
const SHADES = [
  { from: 0.9, words: "0.9 or more" }, { from: 0.5, words: "0.5 to 0.9" }, { from: 0.1, words: "0.1 to 0.5" },
  { from: 0.01, words: "0.01 to 0.1" }, { from: 0, words: "less than 0.01" },
];
const SHADE_EDGES = SHADES.slice(0, -1).map(({ from }) => Math.log(from));

/** The number of the shade of a logprob, 0 for a likely token; -1 when it is not known. */
function shadeOf(logprob) {
  if (Number.isNaN(logprob)) return -1;
  let shade = 0;
  while (shade < SHADE_EDGES.length && logprob < SHADE_EDGES[shade]) shade += 1;
  return shade;
}

function logprobText(logprob) {
  return Number.isNaN(logprob) ? "–" : logprob.toFixed(logprob > -10 ? 3 : 1).replace("-", "−");
}

/** Classes of a token for the lanes that are on, with a leading blank, or "". What is taken out keeps its own ground. */
function laneClasses(transcript, i, lanes, gone) {
  let name = "";
  if (lanes.origin && transcript.origins) name += ` o${transcript.origins[i]}`;
  if (lanes.logprob && transcript.logprobs && !gone) {
    const shade = shadeOf(transcript.logprobs[i]);
    if (shade > 0) name += ` p${shade}`;
  }
  return name;
}

/** What the lanes that are on mean, in words beside a token that shows it; and what else is drawn on the tokens. */
function laneLegend(transcript, lanes, findings) {
  const swatch = (name, words) => el("span", { class: "lane-sample" }, el("span", { class: `t ${name}`, "aria-hidden": "true" }, "abc"), ` ${words}`);
  const parts = [];
  if (lanes.origin && transcript.origins) {
    parts.push(el("span", { class: "lane-name" }, "Origin"));
    const seen = new Set(transcript.origins);
    for (const origin of [...seen].sort()) parts.push(swatch(`o${origin}`, ORIGIN_WORDS[origin]));
  }
  if (lanes.logprob && transcript.logprobs) {
    parts.push(el("span", { class: "lane-name" }, "Probability"));
    SHADES.forEach(({ words }, shade) => parts.push(swatch(shade ? `p${shade}` : "", words)));
  }
  if (!parts.length) return parts;
  parts.push(el("span", { class: "lane-name" }, "Also drawn"), swatch("k-recipient", "header field"));
  if (transcript.alike.size) parts.push(swatch("alike", "looks like a marker"));
  for (const [bit, words] of [["mark3", "error"], ["mark2", "warning"], ["mark1", "note"]]) {
    if (findings.some(({ severity }) => MARK_BITS[severity] === Number(bit.at(-1)))) parts.push(swatch(bit, words));
  }
  return parts;
}
