/* The shape of a transcript as a strip: stretches in the colours of their channels, headers tall and bodies low,
   markers as ticks, damaged places framed. One element with gradients, so that thousands of strips stay cheap. */

const MOST_FRAMES = 8;
const STRIP_NAMES = { a: "analysis", c: "commentary", f: "final", o: "other", s: "stray text" };

/** Where the stretches of a strip stand: edges in tokens and in widths, both beginning at 0. */
function stripEdges(strip) {
  const tokens = [0], widths = [0];
  strip.k.split("").forEach((_, n) => {
    tokens.push(tokens[n] + strip.c[n]);
    widths.push(widths[n] + strip.w[n]);
  });
  return { tokens, widths, total: widths.at(-1) || 1 };
}

/** How far along the strip token `at` begins, 0 to 1. */
function stripPlace(edges, at) {
  const { tokens, widths, total } = edges;
  let n = tokens.findIndex((edge) => edge > at) - 1;
  if (n < 0) return 1;
  return (widths[n] + ((at - tokens[n]) / (tokens[n + 1] - tokens[n])) * (widths[n + 1] - widths[n])) / total;
}

function percent(part) {
  return `${Math.round(part * 10000) / 100}%`;
}

/** Bands of colour as a gradient: [[from, to, colour]], from 0 to 1, in order. */
function bandGradient(bands) {
  const stops = [];
  let at = 0;
  for (const [from, to, colour] of bands) {
    if (from > at) stops.push(`transparent ${percent(at)} ${percent(from)}`);
    stops.push(`${colour} ${percent(from)} ${percent(to)}`);
    at = to;
  }
  if (at < 1) stops.push(`transparent ${percent(at)} 100%`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

const STRIP_COLOURS = { a: "analysis", c: "commentary", f: "final", o: "other", s: "stray" };

/** A stretch's colour; a body is paler than its header. */
function stripColour(letter, share) {
  return `color-mix(in srgb, var(--c-${STRIP_COLOURS[letter.toLowerCase()]}) ${share}%, var(--panel))`;
}

function stripNode(strip) {
  const edges = stripEdges(strip);
  const { widths, total } = edges;
  const bands = [...strip.k].map((letter, n) => [widths[n] / total, widths[n + 1] / total, letter]);
  const headers = bands.filter(([, , letter]) => letter < "a");
  const ticks = strip.t.map((at) => {
    const middle = percent((stripPlace(edges, at) + stripPlace(edges, at + 1)) / 2);
    return `transparent calc(${middle} - 0.5px), var(--tick) calc(${middle} - 0.5px) calc(${middle} + 0.5px), transparent calc(${middle} + 0.5px)`;
  });
  const layers = [
    ...(ticks.length ? [`linear-gradient(90deg, ${ticks.join(", ")})`] : []),
    bandGradient(headers.map(([from, to, letter]) => [from, to, stripColour(letter, 82)])),
    bandGradient(bands.map(([from, to, letter]) => [from, to, stripColour(letter, 50)])),
  ];
  const bar = el("div", { class: `bar-of-strip${ticks.length ? "" : " unticked"}` });
  bar.style.backgroundImage = layers.join(", ");
  const node = el("div", { class: "strip", "aria-hidden": "true" }, bar);
  const hurts = [];
  for (let n = 0; n < strip.e.length; n += 2) hurts.push([stripPlace(edges, strip.e[n]), stripPlace(edges, strip.e[n + 1])]);
  if (hurts.length > MOST_FRAMES) {
    // Frames would hide what they frame: a lane below says the same.
    const lane = el("i", { class: "lane" });
    lane.style.backgroundImage = bandGradient(hurts.map(([from, to]) => [from, Math.max(to, from + 0.006), "var(--error)"]));
    node.append(lane);
    return node;
  }
  for (const [from, to] of hurts) {
    const frame = el("i", { class: "hurt" });
    frame.style.left = `min(${percent(from)}, 100% - 5px)`;
    frame.style.width = percent(Math.max(0, to - from));
    node.append(frame);
  }
  return node;
}

/** What stands at a place of the strip (0 to 1), in words. */
function stripWords(strip, part) {
  const edges = stripEdges(strip);
  const { tokens, widths, total } = edges;
  const at = Math.max(0, Math.min(part, 0.9999)) * total;
  const n = widths.findIndex((edge) => edge > at) - 1;
  if (n < 0) return "nothing in it";
  const letter = strip.k[n];
  const what = `${STRIP_NAMES[letter.toLowerCase()]}${letter === "s" ? "" : letter < "a" ? " header" : " body"}`;
  const token = tokens[n] + ((at - widths[n]) / (widths[n + 1] - widths[n] || 1)) * strip.c[n];
  let hurt = "";
  for (let e = 0; e < strip.e.length; e += 2) {
    const slack = (2 * (tokens[n + 1] - tokens[n])) / 100;
    if (token >= strip.e[e] - slack && token < strip.e[e + 1] + slack) hurt = `, damaged at ${rangeText(strip.e[e], strip.e[e + 1])}`;
  }
  return `${what}, ${strip.c[n] === 1 ? "token" : "tokens"} ${rangeText(tokens[n], tokens[n + 1])}${hurt}`;
}

/** The whole transcript in words. */
function stripSummary(strip, count) {
  const messages = [...strip.k].filter((letter) => letter !== "s" && letter < "a").length;
  const places = strip.e.length / 2;
  return [
    messages ? plural(messages, "message") : null,
    plural(count, "token"),
    places ? `${plural(places, "damaged place")}, at ${rangeText(strip.e[0], strip.e[1])}${places > 1 ? " …" : ""}` : null,
  ].filter(Boolean).join(", ");
}
