"""A reader of the feed, written apart from the one that the browser runs (screen/reading.js), to check both."""

from __future__ import annotations

import json
from typing import Any

from inspector.view.feed import APPLIED, ON, TABLES
from inspector.view.splices import apply_splices


def read_feed(message: bytes, base: bytes | None = None) -> dict[str, Any]:
    """What a message says, whole or with the whole one that it refers to."""
    said = json.loads(message)
    if "base" not in said:
        return expanded(said)
    assert base is not None
    whole = json.loads(base)
    assert said["base"] == whole["name"]
    merged = {**whole, **said, "words": [*whole["words"], *said["words"]]}
    merged |= {table: apply_splices(whole[table], said[table]) for table in TABLES if table in said}
    if "states" in said:
        at, removed, fresh = said["states"]
        merged["states"] = whole["states"][:at] + fresh + whole["states"][at + removed :]
    return expanded(merged)


def expanded(body: dict[str, Any]) -> dict[str, Any]:
    prompt = None
    if body["prompt"] is not None:
        prompt = {**body["prompt"], "drift": list(drift(body))}
        failed = body["prompt"]["error"] is not None
        prompt["edits"] = [] if failed else [[*row[:3], [f"drift:{n}"]] for n, row in enumerate(body["drift"])]
    return {
        "digest": body["digest"],
        "findings": [
            finding(row, int(state), body) for row, state in zip(body["findings"], body["states"], strict=True)
        ],
        "more_findings": body["more_findings"],
        "counts": body["counts"],
        "misread": body["misread"],
        "repair": {
            "ok": body["ok"],
            "error": body["error"],
            "after": body["after"],
            "edits": body["edits"],
            "messages": list(absolute(body["messages"])),
            "count": body["count"],
        },
        "prompt": prompt,
        "finish": body["finish"],
        "settings": {**body["source"], **body["settings"]},
        "extra": body["extra"],
    }


def finding(row: list[Any], state: str, body: dict[str, Any]) -> dict[str, Any]:
    key, start, end, *numbers, fixed, alternatives = row
    texts = [body["words"][number] for number in numbers]
    return {
        "key": key,
        **dict(zip(("code", "name", "severity", "effect", "message", "note"), texts, strict=True)),
        "span": [start, end],
        "fix": fix(fixed, body["words"]),
        "alternatives": [fix(alternative, body["words"]) for alternative in alternatives],
        "choice": body["settings"]["choices"].get(key, 0),
        "on": bool(int(state) & ON),
        "applied": bool(int(state) & APPLIED),
    }


def fix(row: list[Any] | int, words: list[str]) -> dict[str, Any] | None:
    if isinstance(row, int):
        return None
    title, applicability, mends, edits = row
    return {
        "title": words[title],
        "applicability": words[applicability],
        "edits": [[*edit, []] for edit in edits],
        "mends": bool(mends),
    }


def absolute(rows: list[Any]) -> Any:
    before = 0
    for row in rows:
        if isinstance(row, list) or "at" not in row:
            yield row
            continue
        gap, length, body_start, body_end = row["at"]
        start = before + gap
        before = start + length
        yield {**row, "at": [start, before, start + body_start, start + body_end]}


def drift(body: dict[str, Any]) -> Any:
    moved = 0
    for start, end, ids, cause, code, message in body["drift"]:
        yield {
            "cause": body["words"][cause],
            "code": body["words"][code],
            "message": body["words"][message],
            "emitted": [start, end],
            "reencoded": [start + moved, start + moved + len(ids)],
        }
        moved += len(ids) - (end - start)
