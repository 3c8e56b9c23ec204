"""Scores the repairer on corpora of real malformed outputs, kept beside the project (not in it).

A corpus is a JSONL file of cases: ``raw`` (markers as text) or ``tokens`` (ids, authoritative when given),
``prompt_role``, ``expected`` (messages) and optionally ``alt_expected`` (lists of messages that are as good) and
``confidence``. The folder is ``../shared/corpus`` seen from the project, or ``$HARMONYLENS_CORPUS``.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inspector import inspect
from inspector.tokens import Transcript, vocabulary

pytestmark = pytest.mark.corpus

FOLDER = Path(os.environ.get("HARMONYLENS_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")


def cases(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the corpus {name} is not beside the project ({path} does not exist)")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def ids_of(case: dict[str, Any]) -> tuple[int, ...]:
    return tuple(case.get("tokens") or vocabulary().encode_markers(case["raw"]))


def key(message: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(message.get(k) for k in ("role", "channel", "recipient", "content_type", "content"))


def test_observed() -> None:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong = []
    for case in cases("observed.jsonl"):
        found = inspect(Transcript(ids_of(case), case["prompt_role"]), next_prompt=False)
        read = [key(dict(m.record())) for m in found.repair.messages]
        wanted = [case["expected"], *(case.get("alt_expected") or [])]
        total[case["confidence"]] += 1
        assert found.repair.ok, f"{case['id']}: the repaired transcript is refused: {found.repair.error}"
        if read in [[key(m) for m in messages] for messages in wanted]:
            right[case["confidence"]] += 1
        else:
            wrong.append(case["id"])
    print(f"right {dict(right)} of {dict(total)}; read otherwise: {', '.join(wrong) or 'none'}")
    assert right["high"] >= 0.97 * total["high"]
    assert sum(right.values()) >= 0.90 * sum(total.values())


def test_founding_report() -> None:
    """openai-harmony 0.0.8's errors to the letter, located, and repaired as each row says."""
    for case in cases("seed_errors.jsonl"):
        found = inspect(Transcript(ids_of(case), "assistant"), next_prompt=False)
        error = found.verdict("openai-harmony 0.0.8").error
        assert error is not None
        assert error.text == case["err_008"]
        assert error.token == case["error_token_index_008"][0]
        assert len(error.cause) > 0
        assert error.cause.start <= error.token
        wanted = case["seed_message"].split(" (variant")[0]
        assert error.text.startswith(wanted.replace('\\"', '"')) or error.text.startswith(wanted)
        newest = found.verdict("oss-harmony 0.0.11").error
        assert (newest.text if newest else None) == case["err_011_strict"]
        assert found.repair.ok
        assert [key(dict(m.record())) for m in found.repair.messages] == [key(m) for m in case["repaired"]], case["raw"]
