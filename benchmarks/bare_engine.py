"""vLLM alone, for ``gpu_live.py``: run in vLLM's own Python, it samples as told and says how long that took.

A line of JSON per job comes in (batch, tokens, prompt), a line of JSON per job goes out (seconds, tokens). Nothing of
harmonylens is imported: this is what its path is measured against.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Load the model that the first line names; then a job for every further line."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    from vllm import SamplingParams
    from vllm.engine.arg_utils import EngineArgs
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine.llm_engine import LLMEngine

    engine = LLMEngine.from_engine_args(EngineArgs(**json.loads(sys.stdin.readline())))
    print(json.dumps({"ready": True}), file=out, flush=True)
    for number, line in enumerate(sys.stdin):
        job = json.loads(line)
        params = SamplingParams(
            max_tokens=job["tokens"], temperature=1.0, ignore_eos=True, logprobs=job["logprobs"],
            skip_special_tokens=False, output_kind=RequestOutputKind.DELTA,
        )  # fmt: skip
        began = time.perf_counter()
        for n in range(job["batch"]):
            engine.add_request(f"{number}.{n}", {"prompt_token_ids": job["prompt"]}, params.clone())
        count = 0
        while engine.has_unfinished_requests():
            for output in engine.step():
                count += len(output.outputs[0].token_ids)
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "tokens": count}), file=out, flush=True)


if __name__ == "__main__":
    main()
