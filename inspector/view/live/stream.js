/* The way from the server to the page: what is new of a sample, and of the run as a whole, asked for at an address of
   the run's own. Nothing goes through Streamlit, so nothing on the page waits for it. */

const RETRY_FIRST = 400;
const RETRY_MOST = 5000;

/** A pause that an AbortSignal ends early. */
function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) { resolve(); return; }
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/** Asks again and again: `ask(signal)` returns whether there is more to come. Failures are told, and asked about again. */
class Asking {
  constructor(ask, { pace, failed }) {
    this.control = new AbortController();
    this._run(ask, pace, failed);
  }

  async _run(ask, pace, failed) {
    const { signal } = this.control;
    let wait = RETRY_FIRST;
    while (!signal.aborted) {
      try {
        if (!(await ask(signal))) return;
        failed("");
        wait = RETRY_FIRST;
        await pause(pace, signal);
      } catch (error) {
        if (signal.aborted) return;
        failed(error instanceof Gone ? error.message : "The server does not answer. Asking again …");
        if (error instanceof Gone) return;
        if (!(error instanceof TypeError || error instanceof Refused)) console.error(error);
        await pause(wait, signal);
        wait = Math.min(RETRY_MOST, wait * 2);
      }
    }
  }

  stop() {
    this.control.abort();
  }
}

/** There is no such run any more, or no such sample that can be shown. */
class Gone extends Error {}

/** The server answered, but not with what was asked for. */
class Refused extends Error {}

async function answerOf(url, options) {
  const answer = await fetch(url, { cache: "no-store", ...options });
  // What is not there, or cannot be shown, is no other when asked again.
  if (answer.status === 404 || answer.status === 422) throw new Gone((await answer.text()).slice(0, 800).trim());
  if (!answer.ok) throw new Refused(`the server answered with ${answer.status}`);
  return answer;
}

/** Keeps `target` = {whole(container, feed), more(container, feed), ended()} up to date with one sample, to the last token. */
class SampleStream {
  constructor(base, number, target, failed, pace = 110) {
    this.have = -1;
    this.done = false;
    this.asking = new Asking((signal) => this._next(`${base}/${number}`, target, signal), { pace, failed });
  }

  async _next(url, target, signal) {
    const answer = await answerOf(`${url}?have=${this.have < 0 ? "" : this.have}&done=${this.done ? 1 : 0}`, { signal });
    const data = new Uint8Array(await answer.arrayBuffer());
    if (signal.aborted) return false;
    const size = new DataView(data.buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + size)));
    const container = data.slice(4 + size, 4 + size + head.container);
    const feed = data.subarray(4 + size + head.container);
    try {
      target[head.kind](container, feed);
      this.have = head.count;
    } catch (error) {
      // What does not continue what is here is asked for as a whole.
      this.have = -1;
      throw error;
    }
    this.done = head.done;
    if (this.done) target.ended();
    return !this.done;
  }

  stop() {
    this.asking.stop();
  }
}

/** Tells `listener` the summary of a run after every change, until it has ended and every sample was read to its end. */
class RunStream {
  constructor(base, listener, failed, pace = 220) {
    this.seen = "";
    this.asking = new Asking(async (signal) => {
      const answer = await answerOf(`${base}?seen=${this.seen}`, { signal });
      const summary = await answer.json();
      if (signal.aborted) return false;
      // Where a verdict is behind the tokens, the next answer need not wait for a further token.
      this.seen = summary.behind ? "" : summary.version;
      listener(summary);
      return summary.state === "running" || summary.behind;
    }, { pace, failed });
  }

  stop() {
    this.asking.stop();
  }
}
