/* The second component: hands the small message to the screen and what the screen says to Python. It draws nothing
   and stays tiny, because Streamlit sends a component's code again with every changed message. */

export default function ({ data, setStateValue, setTriggerValue }) {
  const name = Symbol.for("harmonyscope");
  const shared = (globalThis[name] ??= { feeds: new Map(), listeners: new Set(), places: new Map() });
  const feed = JSON.parse(new TextDecoder().decode(data));
  shared.feeds.set(feed.digest, { feed, setState: setStateValue, trigger: setTriggerValue });
  for (const listener of shared.listeners) listener(feed.digest);
}
