"""What our path costs over the bare engine, on whatever device there is: ``gpu_live.py --engine-python PYTHON MODEL``.

Two engines hold the model: one that nothing of ours touches (``bare_engine.py``), and one behind the offline engine,
a sampler and a live run, as the Live page has them. They sample in turn, in rounds, and never at once; the overhead
is the median over the rounds of our seconds over theirs. With ``--server`` a third one serves, and our client is held
against a client that only counts. After every one of our rounds, all tokens are put together again from what the
browser would be told, and compared with what was sampled, id by id.

Aim: less than 3 % of the throughput, at batch 1 and 64. Results go to ``benchmarks/results/live-DEVICE.json``. Without
a GPU the device is called "cpu" and says nothing of a GPU; nothing is filled in that was not measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx

from inspector.live.hearing import Hearer
from inspector.live.loop import Loop
from inspector.live.runs import LiveRun
from inspector.live.telling import Teller
from inspector.samplers import Engine, OneShot, SamplingParams
from inspector.samplers.launcher import ServerProcess
from inspector.samplers.offline import OfflineEngine
from inspector.samplers.prompts import build_prompt
from inspector.samplers.vllm_python import has_gpu, vllm_environment

HERE: Final = Path(__file__).resolve().parent
AIM: Final = 0.03
"""Of the bare engine's throughput."""

LOGPROBS: Final = 5
POLL_S: Final = 0.1
"""How often the browser asks, at most."""


class Bare:
    """``bare_engine.py`` in vLLM's Python."""

    def __init__(self, python: str, options: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [python, str(HERE / "bare_engine.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=vllm_environment({"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}),
        )
        self._say(options)

    def _say(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the bare engine ended with status {self.process.wait()}: see above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def seconds(self, prompt: Sequence[int], batch: int, tokens: int) -> float:
        """How long it takes to sample ``batch`` times ``tokens`` tokens behind the prompt."""
        said = self._say({"batch": batch, "tokens": tokens, "prompt": list(prompt), "logprobs": LOGPROBS})
        if said["tokens"] != batch * tokens:
            raise SystemExit(f"the bare engine gave {said['tokens']} tokens instead of {batch * tokens}")
        return float(said["seconds"])

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


def through_us(loop: Loop, engine: Engine, prompt: Sequence[int], batch: int, tokens: int, watched: bool) -> float:
    """Seconds that our path takes; with a page that watches the first sample, if wanted.

    Raises:
        SystemExit: tokens were lost, or the run failed.
    """
    params = SamplingParams(max_tokens=tokens, ignore_eos=True, logprobs=LOGPROBS)
    run = LiveRun(engine, OneShot(), [prompt] * batch, params)
    teller = Teller(run)
    page = Hearer()
    began = time.perf_counter()
    run.start(loop)
    while watched and run.state == "running":
        page.hear(teller.tokens(0, page.have))
        teller.summary()
        try:
            run.wait(POLL_S)
        except TimeoutError:
            continue
    run.wait(3600)
    seconds = time.perf_counter() - began
    if run.state != "done":
        raise SystemExit(f"the run {run.state}: {run.error}")
    for number in range(batch):
        shown = page if number == 0 else Hearer()
        shown.hear(teller.tokens(number, shown.have))
        sampled = list(run.transcript(number).ids)
        if shown.ids != sampled or len(sampled) - run.kept[number] != tokens:
            raise SystemExit(f"sample {number}: {len(shown.ids)} tokens shown, {len(sampled)} sampled, {tokens} wanted")
    return seconds


async def counting(url: str, key: str, model: str, prompt: Sequence[int], batch: int, tokens: int) -> float:
    """Seconds that a client takes which only counts the tokens of a server's streams."""
    body = {
        "model": model, "prompt": list(prompt), "max_tokens": tokens, "temperature": 1.0, "ignore_eos": True,
        "stream": True, "return_token_ids": True, "logprobs": LOGPROBS, "skip_special_tokens": False,
        "return_tokens_as_token_ids": True,
    }  # fmt: skip

    async def one(client: httpx.AsyncClient) -> int:
        count = 0
        async with client.stream("POST", f"{url}/v1/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    count += len(json.loads(line[6:])["choices"][0].get("token_ids") or ())
        return count

    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False, headers=headers) as client:
        began = time.perf_counter()
        counts = await asyncio.gather(*(one(client) for _ in range(batch)))
        seconds = time.perf_counter() - began
    if counts != [tokens] * batch:
        raise SystemExit(f"the counting client got {sorted(set(counts))} tokens instead of {tokens}")
    return seconds


def row(name: str, batch: int, tokens: int, bare: list[float], ours: list[float]) -> dict[str, Any]:
    """One line of the results; ratios are of rounds that followed each other."""
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    return {
        "path": name,
        "batch": batch,
        "tokens": tokens,
        "bare_tokens_per_s": round(batch * tokens / statistics.median(bare), 1),
        "our_tokens_per_s": round(batch * tokens / statistics.median(ours), 1),
        "overhead": round(statistics.median(ratios) - 1, 4),
        "overheads": [round(ratio - 1, 4) for ratio in ratios],
    }


def device() -> str:
    """The GPU's name, "cpu" without one."""
    if not has_gpu():
        return "cpu"
    asked = subprocess.run(
        ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip().splitlines()[0] if asked.returncode == 0 and asked.stdout.strip() else "gpu"


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("model", help="a folder, or a name that vLLM knows")
    parser.add_argument("--engine-python", default=sys.executable, help="the Python that has vLLM")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--tokens", type=int, default=256, help="of each sample")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--server", action="store_true", help="measure the server's path as well")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of both engines")
    parser.add_argument("--output", type=Path, help="benchmarks/results/live-DEVICE.json when not given")
    given = parser.parse_args()
    options: dict[str, Any] = {"max_model_len": 4096, "max_num_seqs": max(64, *given.batch)}
    if not has_gpu():
        options |= {"enforce_eager": True, "enable_chunked_prefill": False, "dtype": "float32"}
    for pair in given.option:
        name, _, value = pair.partition("=")
        options[name] = json.loads(value)
    prompt = build_prompt(None, None, (), "Count from one to a thousand, in words.", date="2026-01-01")
    loop = Loop("bench")
    rows: list[dict[str, Any]] = []
    bare = Bare(given.engine_python, {"model": given.model, "disable_log_stats": True, **options})
    engine = OfflineEngine(given.model, python=given.engine_python, options=options)
    loop.wait(engine.start(), 3600)
    version = engine.loaded.version if engine.loaded is not None else "unknown"
    try:
        for batch in given.batch:
            for watched in (False, True):
                name = "in process, watched by a page" if watched else "in process"
                times: tuple[list[float], list[float]] = ([], [])
                for number in range(given.rounds + 1):
                    theirs = bare.seconds(prompt, batch, given.tokens)
                    ours = through_us(loop, engine, prompt, batch, given.tokens, watched)
                    if number:  # the first round warms both up
                        times[0].append(theirs)
                        times[1].append(ours)
                rows.append(row(name, batch, given.tokens, *times))
                print(json.dumps(rows[-1]), flush=True)
    finally:
        bare.close()
        loop.wait(engine.close(), 120)
    if given.server:
        rows += served(loop, given, options, prompt)
    named = device()
    result = {
        "device": named,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "vllm": version,
        "model": Path(given.model).name,
        "date": date.today().isoformat(),
        "rounds": given.rounds,
        "logprobs": LOGPROBS,
        "aim": AIM,
        "lost_tokens": 0,
        "rows": rows,
    }
    slug = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")
    output = given.output or HERE / "results" / f"live-{slug}.json"
    output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {output}")


def served(
    loop: Loop, given: argparse.Namespace, options: dict[str, Any], prompt: Sequence[int]
) -> list[dict[str, Any]]:
    """The same over HTTP: our client against one that counts, in front of one server."""
    flags: list[str] = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        flags += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    server = ServerProcess(given.model, python=given.engine_python, options=flags)
    server.start()
    rows = []
    try:
        server.wait_ready(3600)
        engine = server.connect()
        info = loop.wait(engine.check(), 600)
        if info.problem:
            raise SystemExit(info.problem)
        for batch in given.batch:
            times: tuple[list[float], list[float]] = ([], [])
            for number in range(given.rounds + 1):
                work = counting(server.base_url, server.api_key, info.model, prompt, batch, given.tokens)
                theirs = loop.wait(work, 3600)
                ours = through_us(loop, engine, prompt, batch, given.tokens, False)
                if number:
                    times[0].append(theirs)
                    times[1].append(ours)
            rows.append(row("server", batch, given.tokens, *times))
            print(json.dumps(rows[-1]), flush=True)
        loop.wait(engine.close(), 60)
    finally:
        server.stop()
    return rows


if __name__ == "__main__":
    main()
