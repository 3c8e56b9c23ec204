"""What the tests of the exports share: subjects with switches of all kinds, and hostile ones."""

from __future__ import annotations

import random

from inspector.gallery import Sample, load_samples
from inspector.ingest import Card, Switches
from inspector.inspection import inspect
from inspector.prompt import STYLES
from inspector.report.findings import findings
from inspector.report.subject import Subject, inspected
from inspector.tokens import Transcript, vocabulary

SAMPLES = load_samples()

PAYLOAD = (
    "</script><script>window.pwned=1</script><!--<script>--><img src=http://evil.invalid/x onerror=window.pwned=2>"
    "<style>body{display:none}</style>**bold** [link](javascript:window.pwned=3) {{7*7}} ${7*7} $x^2$ @someone #1 "
    "www.evil.invalid ```` ``` \"'\\ \u2028\u2029\u202e\u200b\x1b[31m\x00 '''\"\"\""
)


def switched(sample: Sample, seed: int) -> Switches:
    """Switches of every kind, drawn from what the sample has."""
    draw = random.Random(f"{sample.name} {seed}")
    found = findings(inspect(sample.transcript))
    keys = [f.key for f in found if f.fix is not None]
    words = [*keys, *(f.code for f in found), *(f.name for f in found)]
    alternatives = {f.key: len(f.alternatives) for f in found if f.alternatives}
    return Switches(
        off=frozenset(draw.sample(words, draw.randint(0, len(words)))),
        choices={key: draw.randint(1, count) for key, count in alternatives.items() if draw.random() < 0.6},
        style=draw.choice(["", *STYLES]),
        select=("HS1", "HS2", "HS6") if draw.random() < 0.2 else (),
        ignore=("HS2",) if draw.random() < 0.2 else (),
        releases=("openai-harmony 0.0.8",) if draw.random() < 0.2 else (),
    )


def hostile() -> Subject:
    """A transcript and words about it that try to break out of every format."""
    text = (
        f"<|channel|>analysis<|message|>{PAYLOAD}<|end|>"
        f"<|start|>assistant<|channel|>commentary to=functions.{PAYLOAD}<|message|>{PAYLOAD}<|call|>"
    )
    ids = (*vocabulary().encode_markers(text), 167, 2**63, -3, 201_500)
    transcript = Transcript(
        ids, "assistant", PAYLOAD, finish_reason=PAYLOAD, reported=frozenset({"finish_reason"}),
        tools=(f"functions.{PAYLOAD}",), meta={PAYLOAD: PAYLOAD},
    )  # fmt: skip
    return inspected(transcript, card=Card(PAYLOAD, PAYLOAD, (PAYLOAD,)), read_as=PAYLOAD)


def long_transcript(count: int = 131_072) -> Transcript:
    """A whole context: varied text in many messages, a few of them damaged."""
    draw = random.Random(7)
    ids: list[int] = vocabulary().encode_markers("<|channel|>analysis<|message|>Go on.<|end|>")
    good = vocabulary().encode_markers("<|start|>assistant<|channel|>commentary to=functions.bash<|message|>")
    bad = vocabulary().encode_markers("<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>")
    end = vocabulary().encode_markers("<|end|>")
    while len(ids) < count:
        ids += good if draw.random() < 0.9 else bad
        ids += [draw.randrange(1000, 60_000) for _ in range(draw.randint(20, 200))]
        ids += end
    return Transcript(tuple(ids[:count]), "assistant", "a whole context")
