"""A logits processor that makes an engine say what it is told to, so that every failure can be had on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from .interface import PerRequest, arguments, force, token_ids

SCRIPT: Final = "harmonylens_script"
"""The extra argument: token ids that are sampled first, one per step; then the model samples freely."""


class Scripted(PerRequest[tuple[list[int], Sequence[int]]]):
    """Forces the ids of the extra argument :data:`SCRIPT`, one per step.

    Which one is next follows from how long the output is, placeholders counted: no token of it is ever read, so that
    asynchronous scheduling and preemption change nothing. Tokens that end a request end it here as well. Processors
    that come later in the engine's list have the last word over a token; it takes up its place in the script.
    """

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse what is no script.

        Raises:
            ValueError: a sentence; vLLM answers with HTTP 400.
        """
        token_ids(arguments(sampling_params), SCRIPT)

    def begin(
        self, params: Any, prompt: Sequence[int], output: Sequence[int]
    ) -> tuple[list[int], Sequence[int]] | None:
        """The script and the living output, see :meth:`PerRequest.begin`."""
        script = token_ids(arguments(params), SCRIPT)
        return (script, output) if script else None

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Force each row's next token; ``logits`` is [rows, vocabulary]."""
        force(
            logits,
            {row: script[len(output)] for row, (script, output) in self.rows.items() if len(output) < len(script)},
        )
        return logits
