"""The guard as a logits processor: what it may sample, and a log of what it took away."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch

from ..harmony.legal import LOST, Grammar
from ..samplers.guarding import LEAST, LOG, Asked, Follower, asked
from .interface import PerRequest, arguments, new_tokens

_ON_THE_DEVICE: Final = 2048
"""Masks that are kept on the device, of 201,088 bytes each. A grammar has some hundred states."""


class _Row:
    """One request: where the grammar is, and how much of the output it has read."""

    __slots__ = ("_prompt", "asked", "follower", "output", "read", "told", "was_lost")

    def __init__(self, asked: Asked, prompt: Sequence[int], output: Sequence[int]) -> None:
        self.asked = asked
        self.output = output
        self._prompt = prompt
        self.told = -1
        self.was_lost = False
        self._begin()

    def _begin(self) -> None:
        self.follower = Follower(self._prompt, self.asked.rules)
        self.read = 0

    def catch_up(self) -> int:
        """The grammar's state behind the output."""
        if len(self.output) < self.read:  # tokens were taken back, after a loss of cached keys and values
            self._begin()
        for token in new_tokens(self.output, self.read):
            self.follower.take(token)
        self.read = len(self.output)
        return self.follower.state


class Loss(NamedTuple):
    """What a row loses: its probability mass, and the likeliest token of it with its own probability."""

    mass: float
    token: int
    probability: float


class Guard(PerRequest[_Row]):
    """Blocks, or only watches, tokens that are against Harmony's grammar; see :mod:`inspector.samplers.guarding`.

    The role that the answer continues comes from the prompt. Text in a body is free; of special tokens only those
    that may end it are. Where no legal token is left (another processor forces an illegal one), and in a header that
    went astray, everything passes, and the log says so.

    Under tensor parallelism every rank blocks the same tokens, and the first one writes the log.
    """

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool | None = None) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        self._masks: dict[tuple[Grammar, int, int], torch.Tensor] = {}
        rank = getattr(getattr(vllm_config, "parallel_config", None), "rank", 0)
        self._log = _Log(os.environ.get(LOG, "") if not rank else "")

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse arguments that it cannot understand.

        Raises:
            ValueError: a sentence; vLLM answers with HTTP 400.
        """
        asked(arguments(sampling_params))

    def begin(self, params: Any, prompt: Sequence[int], output: Sequence[int]) -> _Row | None:
        """See :meth:`PerRequest.begin`."""
        found = asked(arguments(params))
        return None if found is None else _Row(found, prompt, output)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Block what is not legal; ``logits`` is [rows, vocabulary], changed in place."""
        groups: dict[tuple[Grammar, int, bool], list[int]] = {}
        for index, row in self.rows.items():
            state = row.catch_up()
            if state == LOST:
                if not row.was_lost:
                    self._tell(row, None, "the header went astray")
            else:
                groups.setdefault((row.asked.rules, state, row.asked.mode == "on"), []).append(index)
            row.was_lost = state == LOST
        for (rules, state, on), indexes in groups.items():
            self._apply(logits, indexes, self._blocked(rules, state, logits), on)
        self._log.flush()
        return logits

    def _apply(self, logits: torch.Tensor, indexes: list[int], blocked: torch.Tensor, on: bool) -> None:
        """Treat rows that are in the same state."""
        at = torch.tensor(indexes, device=logits.device)
        given = logits[at]
        losses = _losses(given, blocked) if self._log.is_open else [None] * len(indexes)
        left = given.masked_fill(blocked, float("-inf"))
        possible = (left.amax(dim=1) > float("-inf")).tolist()
        for index, loss, some in zip(indexes, losses, possible, strict=True):
            self._tell(self.rows[index], loss, "" if some else "no legal token is left")
        if on:
            keep = [n for n, some in enumerate(possible) if some]
            logits[at[keep]] = left[keep]

    def _blocked(self, rules: Grammar, state: int, logits: torch.Tensor) -> torch.Tensor:
        """By token id, as far as the model's vocabulary goes, whether it is blocked in a state."""
        width = logits.shape[1]
        key = (rules, state, width)
        found = self._masks.get(key)
        if found is None:
            found = torch.ones(width, dtype=torch.bool)
            legal = torch.from_numpy(rules.mask(state).copy())[:width]
            found[: len(legal)] = ~legal
            if len(self._masks) >= _ON_THE_DEVICE:
                self._masks.clear()
            found = self._masks[key] = found.to(logits.device)
        return found

    def _tell(self, row: _Row, loss: Loss | None, passed: str) -> None:
        # A row whose prompt is still being read comes here several times with the same output.
        if not self._log.is_open or row.told == row.read:
            return
        row.told = row.read
        if passed or (loss is not None and loss.mass >= LEAST):
            self._log.add(row, loss, passed)


def _losses(given: torch.Tensor, blocked: torch.Tensor) -> list[Loss]:
    shares = given.softmax(dim=1).masked_fill(~blocked, 0.0)
    most = shares.max(dim=1)
    return [
        Loss(*one) for one in zip(shares.sum(dim=1).tolist(), most.indices.tolist(), most.values.tolist(), strict=True)
    ]


class _Log:
    """JSON lines, one for each step of a request in which the guard took something away, or would have.

    Each has ``id`` (the request's own), ``mode``, ``position`` (index into the output), ``mass`` (probability of all
    blocked tokens, by the logits as they came to the guard, before temperature), ``token`` and ``probability`` (the
    likeliest of them), and ``passed``: why nothing was blocked although the guard was on, or "".
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[str] = []

    @property
    def is_open(self) -> bool:
        """Whether anybody wants it."""
        return bool(self._path)

    def add(self, row: _Row, loss: Loss | None, passed: str) -> None:
        """One line, written by :meth:`flush`."""
        line = {
            "id": row.asked.id,
            "mode": row.asked.mode,
            "position": row.read,
            "mass": None if loss is None else round(loss.mass, 6),
            "token": None if loss is None else loss.token,
            "probability": None if loss is None else round(loss.probability, 6),
            "passed": passed,
        }
        self._lines.append(json.dumps(line) + "\n")

    def flush(self) -> None:
        """Append what was added. A log that cannot be written is given up with a warning: the answers go on."""
        if not self._lines:
            return
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write("".join(self._lines))
        except OSError as error:
            logging.getLogger("vllm.harmonylens").warning(
                "The guard's log is given up, since %s cannot be written: %s.", self._path, error
            )
            self._path = ""
        self._lines.clear()
