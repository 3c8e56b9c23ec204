/* Where the two components meet: feed.js brings the small messages, the screen brings the tokens.

   Both belong to a transcript, named by its digest. What is shared outlives a page switch, so that the place in a
   transcript is found again. */

function shared() {
  globalThis[Symbol.for("harmonyscope")] ??= { feeds: new Map(), parts: new Map(), listeners: new Set(), places: new Map() };
  return globalThis[Symbol.for("harmonyscope")];
}
