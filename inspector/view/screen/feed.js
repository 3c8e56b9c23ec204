/* The second component: hands small messages (what follows the switches; what the libraries themselves say) to the
   screen, and what the screen says to Python. It draws nothing and stays tiny, because Streamlit sends a component's
   code again with every changed message. */

export default function ({ data, setStateValue, setTriggerValue }) {
  const shared = (globalThis[Symbol.for("harmonyscope")] ??= { feeds: new Map(), parts: new Map(), listeners: new Set(), places: new Map() });
  const message = JSON.parse(new TextDecoder().decode(data));
  const { digest, part = "", value } = message;
  if (part) {
    if (!shared.parts.has(digest)) shared.parts.set(digest, {});
    shared.parts.get(digest)[part] = value;
  } else {
    shared.feeds.set(digest, { feed: message, setState: setStateValue, trigger: setTriggerValue });
  }
  // The last few transcripts: enough to go back to another page, not all that a long session has seen.
  for (const held of [shared.feeds, shared.parts]) if (held.size > 8) held.delete(held.keys().next().value);
  for (const listener of shared.listeners) listener(digest, part);
}
