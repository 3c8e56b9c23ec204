"""A synthetic transcript with logprobs for the tests of the plots: its probabilities come out of a seeded generator.

No model said any of this. The tokens are sentences of ours, some with a header that names its channel twice.
"""

from __future__ import annotations

import json
import math
import random
from typing import Any

from inspector.tokens import MARKERS, vocabulary

GOOD = "<|channel|>analysis<|message|>First the tests, then the docs: {n} of them are left.<|end|><|start|>assistant"
TWICE = "<|channel|>analysis<|channel|>commentary<|message|>Then the docs, part {n}.<|end|><|start|>assistant"
HOSTILE = "<|channel|>final<|message|><b>bold</b> <a href='https://example.invalid'>x</a> 🪄 %{{x}} \u202e{n}<|return|>"


def record(messages: int = 12, alternatives: int = 8, seed: int = 7) -> dict[str, Any]:
    """A transcript record with ``logprobs`` and ``top``."""
    chance = random.Random(seed)
    text = "".join((TWICE if n % 5 == 3 else GOOD).format(n=n) for n in range(messages)) + HOSTILE.format(n=0)
    ids = vocabulary().encode_markers(text)
    pool = [*MARKERS, *vocabulary().encode("analysis commentary final the a docs tests left bold <a href")]
    logprobs, top = [], []
    for token in ids:
        own = chance.choice([0.98, 0.9, 0.6, 0.3, 0.05, 0.001])
        others = chance.sample([t for t in pool if t != token], alternatives - 1)
        shares = [chance.random() for _ in others]
        left = (1 - own) * chance.choice([0.6, 0.9, 0.99])
        row = {t: left * s / sum(shares) for t, s in zip(others, shares, strict=True)} | {token: own}
        best = sorted(row.items(), key=lambda pair: -pair[1])[: alternatives - 2]
        logprobs.append(math.log(own))
        top.append([[t, math.log(p)] for t, p in best])
    return {"id": "synthetic", "token_ids": ids, "role": "assistant", "logprobs": logprobs, "top": top}


def record_line(**how: int) -> str:
    """The record as a line of a file."""
    return json.dumps(record(**how))
