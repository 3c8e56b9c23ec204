/* The second component: hands small messages (what follows the switches; what the libraries themselves say) to the
   screen, whose store.js takes them; those that are there before it wait. It draws nothing and stays tiny, because
   Streamlit sends a component's code again with every changed message. */

export default (sent) => {
  const held = (globalThis[Symbol.for("harmonylens")] ??= { early: [] });
  if (held.take) held.take(sent);
  else held.early.push(sent);
};
