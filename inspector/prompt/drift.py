"""Where the next prompt differs from what was emitted, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ..tokens import Span


@dataclass(frozen=True, slots=True)
class Drift:
    """An aligned difference.

    Drifts are in order on both sides and do not overlap: outside of them the two sequences are equal, token
    for token, so the equal stretches and the drifts rebuild both.

    Attributes:
        cause: name of the cause ("header-order", ...), one of the rules of the family "next prompt".
        code: that rule's code.
        emitted: tokens of the transcript that were emitted; empty where the prompt has something new.
        reencoded: tokens of the next prompt; empty where something is gone.
        message: one sentence for a person.
    """

    cause: str
    code: str
    emitted: Span
    reencoded: Span
    message: str


@dataclass(frozen=True, slots=True)
class Poison:
    """Text that spells a special token where a name belongs: history that breaks the next request.

    Attributes:
        message: index of the message among those given.
        field: "name", "recipient" or "channel".
        text: the special token's printed form, ``<|channel|>``.
        span: the message's header in the transcript (empty at 0 for a message without a place).
    """

    message: int
    field: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class NextPrompt:
    """The messages as the tokens of the next turn's prompt, beside what was emitted.

    Attributes:
        style: who renders, "openai-harmony 0.0.8", "oss-harmony 0.0.11" or "vLLM 0.32".
        ids: the prompt's tokens. As in a transcript, the ``<|start|>assistant`` that it continues is left out
            (it was in the prompt already), and so is the ``<|start|>assistant`` that asks for the next turn.
            Empty when ``error`` is set.
        drift: every difference, in order of place; empty when the prompt repeats the transcript. With
            ``error`` there is nothing to align: what is to blame is named, all of it on the emitted side.
        error: why there is no prompt (a poisoned history that the renderer refuses), else None.
        poisoned: names, recipients and channels that hold the text of a special token.
    """

    style: str
    ids: tuple[int, ...]
    drift: tuple[Drift, ...]
    error: str | None = None
    poisoned: tuple[Poison, ...] = ()
