"""What one bad answer or sample does to a command: a sentence, exit code 2, and all the others are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.report import site, whole
from inspector.tokens import Transcript, vocabulary

from ..samplers.fake_server import FakeServer, LikeVllm, Request, event, piece

encode = vocabulary().encode_markers
PROMPT = "<|start|>user<|message|>Hi.<|end|><|start|>assistant"
GOOD = "<|channel|>final<|message|>Hello.<|return|>"
BAD = "<|channel|>final<|message|>DAMAGE<|return|>"
Run = Callable[..., Any]


def test_an_answer_that_does_not_end_is_cut_off_said_and_kept(run: Run) -> None:
    says = LikeVllm(lambda prompt: [5])

    def answer(request: Request) -> None:
        if request.path == "/v1/completions" and request.body["max_tokens"] > 1:
            request.forever(event(piece([5], logprobs=None)))
        else:
            says(request)

    with FakeServer(answer) as fake:
        ran = run("sample", PROMPT, "--server", fake.url, "--max-tokens", "7", "--format", "jsonl")
    assert ran.code == 2
    (record,) = ran.records
    assert record["token_ids"] == [5] * 7
    assert record["meta"]["ended_by"] == "cut_off"
    assert record.get("finish_reason") is None
    assert "was asked for at most 7 tokens and sent more: it was cut off here" in record["meta"]["error"]
    assert "it was cut off here" in ran.err


def test_an_answer_that_cannot_be_read_is_named_and_printed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import inspector.inspection as module

    real = module.inspect

    def failing(transcript: Transcript, **options: Any) -> Any:
        if transcript.ids == tuple(encode(BAD)):
            raise ValueError("an edit ends before it begins")
        return real(transcript, **options)

    monkeypatch.setattr(module, "inspect", failing)
    file = tmp_path / "a.jsonl"
    rows = ({"id": f"a{n}", "role": "assistant", "text": text} for n, text in enumerate((GOOD, BAD, GOOD)))
    file.write_text("\n".join(map(json.dumps, rows)))
    ran = run("sample", PROMPT, "-n", "3", "--replay", file, "--format", "jsonl")
    assert ran.code == 2
    assert len(ran.records) == 3
    assert "harmonylens failed at reading this transcript (ValueError: an edit ends before it begins" in ran.err


def test_a_gallery_is_written_without_what_cannot_be_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_subject, real_bundle = site.inspected_sample, whole.bundle
    source = tmp_path / "runs.jsonl"
    rows = ({"id": f"run {n}", "role": "assistant", "text": text} for n, text in enumerate((GOOD, BAD, GOOD)))
    source.write_text("\n".join(map(json.dumps, rows)))

    def subject(sample: Any) -> Any:
        if sample.name == "run-1":
            raise ValueError("no")
        return real_subject(sample)

    def bundle(gallery: Any) -> bytes:
        if "run-1" in gallery.by_name:
            raise ValueError("no")
        return real_bundle(gallery)

    monkeypatch.setattr(site, "inspected_sample", subject)
    monkeypatch.setattr(whole, "bundle", bundle)
    for command, name in ((["build"], "site"), (["build", "--single"], "g.html"), (["pack"], "g.harmonylens")):
        ran = run("gallery", *command, str(source), "--out", str(tmp_path / name))
        assert ran.code == 2, ran.err
        assert "The sample 'run-1' is left out: harmonylens failed at writing it (ValueError: no" in ran.err
        assert "2 samples" in ran.err
    assert {path.stem for path in (tmp_path / "site" / "samples").iterdir()} == {"run-0", "run-2"}
