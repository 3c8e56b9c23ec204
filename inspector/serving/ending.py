"""How a generation ended: the facts that the finish rules go by.

What the tokens say is set beside what the record reported. Judged is only what was generated: a prompt, a
history that was never reported on, or a chunk of an unfinished stream has no finish reason to be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal

from ..finding import Diagnostic, Effect, Rule, Severity
from ..harmony.message import Message
from ..harmony.verdict import Verdict
from ..tokens import CALL, END, ENDOFTEXT, RETURN, START, Span, Transcript
from .consumers import ASSISTANT
from .others import read_llama_cpp, read_ollama, read_verl
from .reading import Reading
from .sglang import read_sglang
from .stream import Fed, feed
from .vllm import assemble, is_builtin

OPENAI_WORDS: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What OpenAI's API can report."""

RAW_ENDPOINTS: Final = frozenset({"completions", "generate", "engine"})
"""Where a record's ``meta.endpoint`` is one of these, its finish_reason is vLLM's engine's own: ``/v1/completions``,
``/inference/v1/generate`` and the offline ``LLM`` pass it on as it is and never say tool_calls."""

REPETITION: Final = "repetition_detected"
"""vLLM's stop_reason when its repetition detector ended the generation: no stop string of a user."""

ToolChoice = Literal["auto", "none", "required", "named", "unknown"]


class How(Enum):
    """What ended the generation."""

    RETURN = RETURN
    CALL = CALL
    END = END
    ENDOFTEXT = ENDOFTEXT
    STOP_STRING = "stop string"
    STOP_TOKEN = "stop token"
    CUT = "cut"

    @property
    def by_marker(self) -> bool:
        """True when a special token of the vocabulary ended it."""
        return isinstance(self.value, int)


@dataclass(frozen=True, slots=True)
class _Place:
    how: How
    index: int  # of the token that ended it; the number of tokens when there is none


class Ending:
    """The end of one transcript. Made once, read by every rule; nothing in here raises.

    ``messages`` are those of the tolerant reading, with their places; ``verdicts`` the releases' strict ones
    (oss-harmony 0.0.10 or later spares reading the tokens again).
    """

    def __init__(self, transcript: Transcript, messages: Sequence[Message], verdicts: Iterable[Verdict]) -> None:
        self.transcript = transcript
        self.ids = transcript.ids
        self.messages = messages
        self._verdicts = tuple(verdicts)
        self.finish = transcript.finish_reason
        self.stop = transcript.stop_reason
        self.finish_stated = "finish_reason" in transcript.reported or self.finish is not None
        self.stop_stated = "stop_reason" in transcript.reported or self.stop is not None
        place = self._place()
        self.how = place.how
        self.index = place.index

    def _place(self) -> _Place:
        ids = self.ids
        last = len(ids) - 1
        while last > 0 and ids[last] == ENDOFTEXT:
            last -= 1
        # <|endoftext|> behind the end of the turn is padding, as batched generation adds it.
        at = last if last >= 0 and ids[last] in (RETURN, CALL) else len(ids) - 1
        if at >= 0 and ids[at] in (RETURN, CALL, END, ENDOFTEXT):
            return _Place(How(ids[at]), at)
        count = len(ids)
        if isinstance(self.stop, str) and self.stop != REPETITION:
            return _Place(How.STOP_STRING, count)
        if isinstance(self.stop, int):
            # The stop token was reported but is not there: text leaves it out.
            known = self.stop in (RETURN, CALL, END, ENDOFTEXT)
            return _Place(How(self.stop) if known else How.STOP_TOKEN, count)
        return _Place(How.CUT, count)

    @cached_property
    def unfinished(self) -> bool:
        """A chunk of a stream that goes on: the record states null and nothing ended it."""
        return self.finish_stated and self.finish is None and self.stop is None and self.how is How.CUT

    @cached_property
    def reported(self) -> bool:
        """True when the record speaks of the end of a generation."""
        return self.finish is not None or self.stop is not None

    @cached_property
    def judged(self) -> bool:
        """True when the transcript ends in something generated whose end can be right or wrong."""
        ids, transcript = self.ids, self.transcript
        if not ids or self.unfinished:
            return False
        if self.reported:
            return True
        if transcript.origins is not None and transcript.origins[-1] != "sampled":
            return False
        if len(ids) >= 2 and ids[-2] == START and ids[-1] == ASSISTANT:
            return False
        if transcript.role == "assistant":
            return not self.messages or self.messages[-1].role == "assistant"
        if not self.messages or self.messages[-1].role != "assistant":
            return False
        # History closes every message with <|end|>: that says nothing of how it was generated.
        return self.how is not How.END

    @cached_property
    def turn(self) -> Sequence[Message]:
        """The assistant's messages after the last message of another role."""
        at = len(self.messages)
        while at and self.messages[at - 1].role == "assistant":
            at -= 1
        if at == len(self.messages) and self.transcript.role == "assistant":
            return self.messages
        return self.messages[at:]

    @cached_property
    def last(self) -> Message | None:
        """The last message of the turn."""
        return self.turn[-1] if self.turn else None

    @cached_property
    def start(self) -> tuple[int, str | None]:
        """Where the completion begins, and the role that is given there."""
        first = self.turn[0].start if self.turn else 0
        if first <= 0 and self.transcript.role is not None:
            return 0, self.transcript.role
        first = max(first, 0)
        if self.ids[first : first + 2] == (START, ASSISTANT):
            return first + 2, "assistant"
        return first, None

    @cached_property
    def fed(self) -> Fed:
        """What a parser gives that vLLM 0.32 drives over the completion."""
        start, role = self.start
        return feed(self.ids, role, start=start, verdict=_newest(self._verdicts))

    @cached_property
    def reading(self) -> Reading:
        """What vLLM 0.32 answers for the completion, arguments as they came: the alarm goes by it."""
        return assemble(self.ids, self.fed, self.start[0], verbatim=True)

    @cached_property
    def elsewhere(self) -> tuple[str, ...]:
        """Other servers' readers that yield a tool call. Costs several readings: asked only in trouble."""
        ids = self.ids[self.start[0] :]
        tools = self.transcript.tools
        readings = (read_sglang(ids, tools), read_verl(ids), read_llama_cpp(ids, tools), read_ollama(ids))
        return tuple(reading.consumer for reading in readings if reading.calls)

    @cached_property
    def last_is_read(self) -> bool:
        """True when vLLM 0.32 makes a tool call of the message that the end closed."""
        return bool(self.reading.ends) and self.reading.ends[-1] >= self.index

    @cached_property
    def builtin(self) -> str | None:
        """The builtin tool that the last message is for, or None."""
        recipient = self.last.recipient if self.last is not None else None
        return recipient if recipient and is_builtin(recipient) else None

    @cached_property
    def tool_choice(self) -> ToolChoice:
        """The request's tool_choice, when the record has it."""
        value = self.transcript.meta.get("tool_choice")
        if value in ("auto", "none", "required"):
            return value  # type: ignore[no-any-return]
        return "named" if isinstance(value, Mapping) else "unknown"

    @cached_property
    def said_calls(self) -> bool | None:
        """Whether the record itself holds tool calls, or the message in it; None when it is silent."""
        meta: Mapping[str, Any] = self.transcript.meta
        if isinstance(meta.get("tool_calls"), list | int):
            return bool(meta["tool_calls"])
        message = meta.get("message")
        return bool(message.get("tool_calls")) if isinstance(message, Mapping) else None

    @property
    def expected(self) -> str | None:
        """The word for this end, None where there is none or nothing was generated: OpenAI's for a chat, or the
        engine's own, which knows of no tool calls (see :data:`RAW_ENDPOINTS`)."""
        word = self._in_chat
        return "stop" if word == "tool_calls" and self.transcript.meta.get("endpoint") in RAW_ENDPOINTS else word

    @property
    def _in_chat(self) -> str | None:
        if not self.judged:
            return None
        if self.how is How.RETURN:
            return "tool_calls" if self.reading.calls else "stop"
        if self.how is How.CALL:
            return "stop" if self.tool_choice == "named" and self.reading.calls else "tool_calls"
        if self.how is How.CUT:
            broken = self.stop == REPETITION or self.finish in ("abort", "repetition", "error")
            return None if broken else "length"
        return "length" if self.how is How.END and self.finish == "length" else "stop"

    @property
    def stop_expected(self) -> str | int | None:
        """vLLM's stop_reason for this end: None for the primary end of turn and for a cut."""
        if not self.judged or self.how in (How.RETURN, How.CUT):
            return None
        if self.how is How.END and self.finish == "length":
            return None
        return self.how.value if self.how.by_marker else self.stop

    @property
    def at(self) -> Span:
        """The token that ended it; empty, at the end, when there is none."""
        return Span(self.index, min(self.index + 1, len(self.ids)))

    def diagnostic(
        self,
        rule: Rule,
        message: str,
        span: Span | None = None,
        *,
        severity: Severity | None = None,
        effect: Effect | None = None,
        note: str = "",
    ) -> Diagnostic:
        """A finding of ``rule``; the span is the end's unless given."""
        where = span if span is not None else self.at
        return Diagnostic(
            code=rule.code,
            name=rule.name,
            severity=severity or rule.severity,
            effect=effect or rule.effects[0],
            message=message,
            span=where,
            key=f"{rule.code}@{where.start}",
            note=note,
        )


def shown(text: object, limit: int = 40) -> str:
    """A word from a transcript or a record, for a sentence: quoted, escaped, cut."""
    piece = str(text)
    return json.dumps(piece if len(piece) <= limit else piece[: limit - 1] + "…", ensure_ascii=not piece.isprintable())


def _newest(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The strict verdict of an oss-harmony that reads headers as vLLM 0.32's does, if there is one."""
    for verdict in verdicts:
        name, _, version = verdict.release.partition(" ")
        numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
        if name == "oss-harmony" and verdict.mode == "strict" and numbers >= (0, 0, 10):
            return verdict
    return None
