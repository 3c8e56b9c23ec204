"""Transcripts as transcript records: what :mod:`inspector.ingest.record` reads, written so that it reads the same."""

from __future__ import annotations

import math
from typing import Any

from ..tokens import Transcript
from .carried import KEY, carried_record
from .wordless import as_words


def transcript_record(transcript: Transcript) -> dict[str, Any]:
    """One transcript as a JSON-serialisable record. Reading it gives the same transcript but for ``source``.

    What it carries (:mod:`inspector.ingest.carried`) is written too. What is not known is left out; ``role`` is
    always there, because an absent one would mean a whole conversation. Infinite logprobs, which JSON has no word
    for, are written as -1e308, and such numbers in its meta as text.
    """
    record: dict[str, Any] = {"id": transcript.id, "role": transcript.role, "token_ids": list(transcript.ids)}
    if "finish_reason" in transcript.reported or transcript.finish_reason is not None:
        record["finish_reason"] = transcript.finish_reason
    if "stop_reason" in transcript.reported or transcript.stop_reason is not None:
        record["stop_reason"] = transcript.stop_reason
    if transcript.prompt_ids is not None:
        record["prompt_token_ids"] = list(transcript.prompt_ids)
    if transcript.tools:
        record["tools"] = list(transcript.tools)
    if transcript.origins is not None:
        record["origins"] = list(transcript.origins)
    if transcript.logprobs is not None:
        record["logprobs"] = [None if value is None else _number(value) for value in transcript.logprobs]
    if transcript.top is not None:
        record["top"] = [[[token, _number(value)] for token, value in row] for row in transcript.top]
    meta, _ = as_words({key: value for key, value in transcript.meta.items() if key != KEY})
    if meta:
        record["meta"] = meta
    return {**carried_record(transcript), **record}


def _number(value: float) -> float:
    return value if math.isfinite(value) else math.copysign(1e308, value)
