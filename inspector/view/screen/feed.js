/* The second component: hands the small messages (what follows the switches; what the libraries themselves say) to
   the screen, and what the screen says to Python. It draws nothing and stays tiny, because Streamlit sends a component's code again with every changed message. */

export default function ({ data, setStateValue, setTriggerValue }) {
  const name = Symbol.for("harmonyscope");
  const shared = (globalThis[name] ??= { feeds: new Map(), parts: new Map(), listeners: new Set(), places: new Map() });
  const message = JSON.parse(new TextDecoder().decode(data));
  if (message.part) {
    if (!shared.parts.has(message.digest)) shared.parts.set(message.digest, {});
    shared.parts.get(message.digest)[message.part] = message.value;
  } else {
    shared.feeds.set(message.digest, { feed: message, setState: setStateValue, trigger: setTriggerValue });
  }
  // The last few transcripts: enough to go back to another page, not all that a long session has seen.
  for (const held of [shared.feeds, shared.parts]) if (held.size > 8) held.delete(held.keys().next().value);
  for (const listener of shared.listeners) listener(message.digest, message.part ?? "");
}
