"""vLLM's two interfaces of logits processors, and what our processors share.

Model Runner V1 keeps a list of each request's output tokens on the host and tells a processor which row of the batch
belongs to which request. Model Runner V2 (vLLM 0.32's own choice where Triton is installed) keeps the tokens on the
device only and has another interface. Ours are written for V1. They are accepted by V2's loader all the same, so that
they can refuse with a sentence that names the setting; what V2 says by itself is that a class is no subclass.

What holds with V1, read from vLLM 0.32's source and seen:

* Under asynchronous scheduling (the default) the list of output tokens ends in the placeholder -1 until just before
  ``apply``; there the real ids are put in, and only for engines that have custom processors. So tokens are read in
  ``apply``, never in ``update_state``.
* A request that was preempted comes back as an *added* one, with the output that it had, in another list; its
  parameters are the same object.
* Logprobs that are reported are those before any processor, unless the engine was started with another
  ``logprobs_mode``.
* Rows of requests whose prompt is read in pieces are given to ``apply`` too, and what is sampled for them is thrown
  away. So ``apply`` may be called twice with the same output: what it does depends on the output only.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import torch
from vllm.v1.sample.logits_processor import LogitsProcessor, process_dict_updates

from ..samplers.server_wire import OURS
from ..tokens import VOCABULARY_SIZE

try:
    from vllm.v1.worker.gpu.sample.logits_processor import LogitsProcessor as LogitsProcessorV2
except ImportError:  # vLLM before 0.31: its V2 runner takes no processors, and it turns to V1 by itself

    class LogitsProcessorV2:  # type: ignore[no-redef]
        """Stands for an interface that this vLLM does not have."""


PLACEHOLDER: Final = -1
"""In the place of an output token that has been sampled, and has not come from the device yet."""

V2_REFUSED: Final = (
    "{name} works with vLLM's Model Runner V1 only, and this engine runs Model Runner V2: "
    "set the environment variable VLLM_USE_V2_MODEL_RUNNER=0 and start it again."
)

State = TypeVar("State")


class PerRequest(LogitsProcessor, LogitsProcessorV2, Generic[State]):  # type: ignore[misc]
    """A logits processor that has a state for each request which asks for it.

    Attributes:
        rows: the states by row of the batch.

    Raises:
        ValueError: the engine runs Model Runner V2; the sentence names the setting.
    """

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool | None = None) -> None:
        if is_pin_memory is None:  # V2 gives two arguments
            raise ValueError(V2_REFUSED.format(name=type(self).__name__))
        self.rows: dict[int, State] = {}

    @abstractmethod
    def begin(self, params: Any, prompt: Sequence[int], output: Sequence[int]) -> State | None:
        """The state of a request that enters the batch, None when it does not ask for this processor.

        Args:
            params: the request's ``vllm.SamplingParams``.
            prompt: its token ids, none where the engine was given embeddings.
            output: the living list of its output. It may hold placeholders now; it is empty for a new request, and
                not for one that comes back.
        """

    def is_argmax_invariant(self) -> bool:
        """False: what is sampled greedily changes too."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow requests that came, went and moved. No token is read here."""
        process_dict_updates(
            self.rows, batch_update, lambda params, prompt, output: self.begin(params, prompt or (), output)
        )


def arguments(params: Any) -> Mapping[str, Any]:
    """The extra arguments of a request: ``extra_args`` offline, ``vllm_xargs`` over HTTP, where lists of ours come as
    JSON text."""
    given = params.extra_args or {}
    return {name: _unpacked(value) if name.startswith(OURS) else value for name, value in given.items()}


def _unpacked(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value  # refused by whoever expects a list, with the text as it came


def token_ids(given: Mapping[str, Any], name: str) -> list[int]:
    """A list of token ids among the arguments, empty when it is not there.

    Raises:
        ValueError: it is something else; vLLM answers with HTTP 400 and this sentence.
    """
    ids = given.get(name)
    if ids is None:
        return []
    if not isinstance(ids, list | tuple) or not all(isinstance(n, int) and 0 <= n < VOCABULARY_SIZE for n in ids):
        raise ValueError(f"{name} is {str(ids)[:60]!r}: expected a list of token ids, 0 to {VOCABULARY_SIZE - 1:,}")
    return list(ids)


def new_tokens(output: Sequence[int], read: int) -> list[int]:
    """The output from index ``read`` on.

    Raises:
        RuntimeError: a placeholder is among them. That ends the engine; to go on would mean to decide what is
            sampled, and what a model may be trained on later, by tokens that are not known.
    """
    tokens = list(output[read:])
    if PLACEHOLDER in tokens:
        raise RuntimeError(
            f"Output token {read + tokens.index(PLACEHOLDER)} of a request has not come from the device although its "
            "successor is to be sampled: start vLLM with --no-async-scheduling (async_scheduling=False offline)."
        )
    return tokens


def force(logits: torch.Tensor, forced: Mapping[int, int]) -> None:
    """Leave one token to each of some rows.

    Args:
        logits: [rows of the batch, vocabulary], changed in place.
        forced: token ids by row.
    """
    if not forced:
        return
    rows = torch.tensor(list(forced), device=logits.device)
    logits[rows] = float("-inf")
    logits[rows, torch.tensor(list(forced.values()), device=logits.device)] = 0.0
