"""Who would see what: the same tokens through every reader that people run.

Servers read completions, that is the tokens after the prompt's ``<|start|>assistant``. Of a whole
conversation only the last turn of the assistant is a completion; a prompt that ends in another role's
message has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..harmony.message import Message
from ..harmony.verdict import Verdict
from ..tokens import MESSAGE, START, STOPS, vocabulary
from .others import read_llama_cpp, read_ollama, read_verl
from .reading import Call, Reading
from .sglang import read_sglang
from .vllm import engine_reason, read_old_vllm, read_vllm


@dataclass(frozen=True, slots=True)
class Turn:
    """The completion within a transcript: its tokens begin at ``start``, read with ``role`` given."""

    start: int
    role: str | None


ASSISTANT: Final = 173781
"""The id of the word "assistant", with which a prompt ends. (Encoding it would load tiktoken for one word.)"""


def last_turn(ids: Sequence[int], role: str | None) -> Turn | None:
    """Where the last completion begins, by the tokens alone; None when there is none (a prompt). Linear.

    For ``role`` "assistant" the transcript itself is the completion, unless other roles speak in it: then it
    is the assistant's messages after the last of theirs.
    """
    turn = Turn(0, "assistant") if role == "assistant" else None
    at, in_header = 0, role is not None
    end = len(ids)
    while at < end:
        if not in_header and ids[at] != START:
            at += 1
            continue
        opened = at
        first = at if in_header else at + 1
        stop = first
        while stop < end and ids[stop] != MESSAGE and ids[stop] not in STOPS and ids[stop] != START:
            stop += 1
        if not in_header:
            if stop > first and ids[first] == ASSISTANT:
                turn = turn or Turn(first + 1, "assistant")
                if stop == end and stop == first + 1:
                    return None  # an open prompt: nothing was generated after it
            elif stop > first and turn is not None and _speaks(ids, first, stop):
                turn = None
        in_header = False
        at = max(stop, opened + 1)
        if stop < end and ids[stop] == MESSAGE:
            while at < end and ids[at] not in STOPS:
                at += 1
    return turn


def _speaks(ids: Sequence[int], first: int, stop: int) -> bool:
    """True when a header is another role's for certain; a garbled one may be the assistant's."""
    word = vocabulary().decode(ids[first : min(stop, first + 12)]).split("<|", 1)[0].split()
    if not word:
        return False
    return (
        word[0] in ("user", "system", "developer", "tool")
        or (len(word) == 1 and "." in word[0])
        or (len(word) > 1 and word[1].startswith("to=") and word[0] != "assistant" and "." in word[0])
    )


def consumers(
    ids: Sequence[int],
    role: str | None = "assistant",
    tools: Iterable[str] = (),
    verdicts: Iterable[Verdict] = (),
) -> tuple[Reading, ...]:
    """What each consumer makes of the completion in ``ids``. Never raises, for any integers.

    ``verdicts`` are the releases' strict verdicts on the same tokens; each becomes a reading of its own. The
    answer is empty when there is no completion (a prompt).

        >>> ids = vocabulary().encode_markers(
        ...     "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>commentary"
        ...     " to=functions.f <|constrain|>json<|message|>{}<|call|>")
        >>> [(r.consumer, len(r.calls)) for r in consumers(ids)][:2]
        [('vLLM 0.32', 1), ('vLLM up to 0.26', 1)]
    """
    turn = last_turn(ids, role)
    if turn is None:
        return ()
    completion = ids[turn.start :] if turn.start else ids
    names = tuple(tools)
    return (
        *(strict_reading(verdict, turn.start, ids) for verdict in verdicts if verdict.mode == "strict"),
        read_vllm(completion, turn.role),
        read_old_vllm(completion, turn.role),
        read_sglang(completion, names),
        read_verl(completion),
        read_llama_cpp(completion, names),
        read_ollama(completion),
    )


def strict_reading(verdict: Verdict, start: int, ids: Sequence[int]) -> Reading:
    """A release's strict parse as a reading: messages with a recipient are calls, others go by channel."""
    if verdict.error is not None:
        return Reading(verdict.release, note=f"raises: {verdict.error.text}")
    spoken = [m for m in verdict.messages if m.role == "assistant" and (m.start >= start - 2 or m.start < 0)]
    calls = [m for m in spoken if m.recipient is not None]
    return Reading(
        consumer=verdict.release,
        content=_joined(m for m in spoken if m.recipient is None and m.channel != "analysis"),
        reasoning=_joined(m for m in spoken if m.recipient is None and m.channel == "analysis"),
        calls=tuple(Call(m.recipient or "", m.content) for m in calls),
        finish="tool_calls" if calls else engine_reason(ids),
        ends=tuple(m.end for m in calls),
    )


def _joined(messages: Iterable[Message]) -> str | None:
    return "\n".join(m.content for m in messages) or None
