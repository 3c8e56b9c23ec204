"""What the log of a starting ``vllm serve`` says: how far it is, and what went wrong. Lines of vLLM 0.20 to 0.32."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

PHASES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"\A", "Starting Python and importing vLLM."),
        (r"non-default args|vLLM API server version", "Reading the model's configuration."),
        (r"Using max model len", "Starting the engine's own process, which imports vLLM again."),
        (r"Initializing an? (V1 )?LLM engine", "Starting the engine."),
        (r"Starting to load model|Loading (safetensors|pt) checkpoint", "Loading the weights."),
        (r"Loading weights took|Model loading took", "Making room for the KV cache."),
        (r"Dynamo bytecode transform|Compiling a graph|torch\.compile took", "Compiling the model."),
        (r"KV cache size:|Maximum concurrency", "Warming up."),
        (r"Capturing CUDA graphs|Graph capturing", "Warming up: capturing CUDA graphs."),
        (r"Supported tasks:|Starting vLLM (API )?server|Started server process", "Opening the port."),
    )
)
"""In the order in which they come: what a line has in it, and what it means to a person."""

_SHARDS: Final = re.compile(r"checkpoint shards:\s*(\d{1,3})% Completed")
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PREFIX: Final = re.compile(
    r"\A\s*(\([^()]{0,60}pid=\d+\)\s*)?((DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:]+ \[[^\]]{1,80}\]\s?)?"
)
_ERROR: Final = re.compile(r"\A(\w+\.)*\w*(Error|Exception|Exit)\b:? |\A\S.{0,80}: error: |\A(error|fatal): ", re.ASCII)
SECOND_HAND: Final = re.compile(
    r"initialization failed|root cause above|See stack trace for root cause|died unexpectedly|EngineDeadError"
)
"""Processes that report the end of another one: the reason stands further above."""

_ADVICE: Final = (
    (
        "expected scalar type BFloat16 but found Float",
        "before 0.31 vLLM runs gpt-oss on a CPU in bfloat16 only, so leave out the dtype float32",
    ),
)
"""What vLLM says of itself that is of no help, and what to do."""

_ROUTE: Final = re.compile(r"\] (Route: /|Available routes are:)")
"""vLLM names dozens of them once it is ready, which hides what it had said before."""

LONGEST: Final = 2000
"""Characters of a line that are kept."""


def clean(line: str) -> str:
    """A line of the log without colours and other control characters, and not longer than :data:`LONGEST`."""
    kept = _ANSI.sub("", line[: 2 * LONGEST])
    kept = "".join(ch if ch.isprintable() or ch == "\t" else " " for ch in kept).rstrip()
    return kept if len(kept) <= LONGEST else f"{kept[: LONGEST - 1]}…"


def without_routes(lines: Sequence[str]) -> list[str]:
    """The log without the list of the server's routes."""
    return [line for line in lines if not _ROUTE.search(line)]


def phase_after(phase: int, line: str) -> int:
    """The phase (an index of :data:`PHASES`) that a line shows, never an earlier one than ``phase``."""
    further = (at for at in range(len(PHASES) - 1, phase, -1) if PHASES[at][0].search(line))
    return next(further, phase)


def phase_sentence(phase: int, line: str) -> str:
    """What to show; while weights are loaded, with how much of them is."""
    sentence = PHASES[phase][1]
    shards = _SHARDS.search(line)
    return f"{sentence[:-1]}: {shards[1]} %." if shards and sentence.startswith("Loading") else sentence


def last_error(lines: Sequence[str]) -> str:
    """The line that says why vLLM failed, without its prefix; else its last line, "" when it said nothing.

    >>> last_error(["(EngineCore pid=7) ERROR 11-26 19:00:00 [core.py:1] ValueError: no memory is left", "  bye"])
    'ValueError: no memory is left'
    """
    told = [text for line in lines if (text := _PREFIX.sub("", line).strip())]
    errors = [text for text in told if _ERROR.match(text)]
    first_hand = [text for text in errors if not SECOND_HAND.search(text)]
    return next((found[-1] for found in (first_hand, errors, told) if found), "")


def with_advice(words: str) -> str:
    """vLLM's own words about its end, with what to do where that is known and they do not say it."""
    advice = next((advice for said, advice in _ADVICE if said in words), "")
    return f"{words.rstrip('.')} ({advice})" if advice else words
