/* Where the two components meet: feed.js brings the small messages, the screen brings the tokens.

   Both belong to a transcript, named by its digest. What is shared outlives a page switch, so that the place in a
   transcript is found again. */

const HELD_TRANSCRIPTS = 8;

/** {feeds: by digest {feed, setState, trigger}, parts: by digest {name: value}, listeners: of (digest, part), places: by digest the chosen token}. */
function shared() {
  const held = (globalThis[Symbol.for("harmonylens")] ??= { early: [] });
  if (!held.feeds) {
    Object.assign(held, { feeds: new Map(), parts: new Map(), listeners: new Set(), places: new Map(), take: takeMessage });
    for (const sent of held.early.splice(0)) takeMessage(sent);
  }
  return held;
}

/** Takes a message of the second component: a feed, or a part of what is told about a transcript later on. */
function takeMessage({ data, setStateValue, setTriggerValue }) {
  const { feeds, parts, listeners } = shared();
  const message = JSON.parse(new TextDecoder().decode(data));
  const { digest, part = "", value } = message;
  if (part) {
    if (!parts.has(digest)) parts.set(digest, {});
    parts.get(digest)[part] = value;
  } else {
    feeds.set(digest, { feed: message, setState: setStateValue, trigger: setTriggerValue });
  }
  // The last few transcripts: enough to go back to another page, not all that a long session has seen.
  for (const held of [feeds, parts]) if (held.size > HELD_TRANSCRIPTS) held.delete(held.keys().next().value);
  for (const listener of listeners) listener(digest, part);
}
