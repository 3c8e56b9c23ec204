"""Inspections that cost nothing, and one that kills its process; importable by worker processes."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

from inspector.finding import Diagnostic, Effect, Severity
from inspector.tokens import Span, Transcript

POISON = 666
PANIC = 667
FAULT = 668


class Panic(BaseException):
    """As native code raises it: no Exception."""


def diagnostic(code: str, severity: Severity, at: int = 0) -> Diagnostic:
    return Diagnostic(code, f"rule-{code}", severity, Effect.MISREADS, "m", Span(at, at), key=f"{code}@{at}")


def verdict(release: str, error: str | None, mode: str = "strict") -> Any:
    return SimpleNamespace(release=release, mode=mode, error=None if error is None else SimpleNamespace(text=error))


def fake_inspect(transcript: Transcript) -> Any:
    """An inspection whose only finding is the first id, and whose strict error names the last one."""
    first = transcript.ids[0] if transcript.ids else 0
    if first == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    if first == PANIC:
        raise Panic("called `Result::unwrap()` on an `Err` value")
    if first == FAULT:
        raise RuntimeError("two\nlines")
    found = (diagnostic("HS201", Severity.ERROR), diagnostic("HS201", Severity.ERROR, 3)) if first == 1 else ()
    finish = (diagnostic("HS601", Severity.WARNING), *found[:1]) if first else ()
    error = f"Unknown role: {first}" if first else None
    return SimpleNamespace(
        transcript=transcript,
        strict=(verdict("new", error), verdict("new", "lenient is not counted", "lenient"), verdict("old", None)),
        diagnostics=found,
        finish=SimpleNamespace(findings=finish),
    )


def fake_digest(inspection: Any) -> str:
    return f"{inspection.transcript.id}:{len(inspection.transcript.ids)}"
