"""The founding proposal's function-calling logits processor, on vLLM's V1 interface.

It finds a finished call in the output, runs the tool, and forces the result's tokens one per step; the request goes on
in one piece. What it costs: while a tool runs the whole batch stands still, and every token of a result takes a step of
its own, where a new request would read them all at once. :class:`inspector.samplers.tool_loop.ToolLoop` does neither.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from threading import Thread
from typing import Any, Final

import torch

from ..samplers.calls import Call
from ..samplers.injection import Asked, Injection, asked
from ..samplers.tools import BUILTIN, Answer, Toolbox, installed
from ..samplers.values import role_after
from .interface import PerRequest, arguments, force, new_tokens

_REMEMBERED: Final = 1024
"""Requests whose results are remembered: one that is preempted comes back, and its tools must not run again."""

_GRACE_S: Final = 1.0
"""Seconds that a tool which ignores its limit has, on top of it, before it is left alone in its thread."""

_RANKS: Final = (
    "InjectingLogitsProcessor works on one device only, and this engine runs on {count}: each of them would run every "
    "tool, and all hang when two get different results. Start vLLM without tensor and pipeline parallelism, or use "
    "the tool loop."
)


class _Row:
    """A request in the batch; ``injection`` is None for one that came back, until its output can be read."""

    __slots__ = ("asked", "injection", "output", "params", "prompt")

    def __init__(self, asked: Asked, params: Any, prompt: Sequence[int], output: Sequence[int]) -> None:
        self.asked = asked
        self.params = params
        self.prompt = prompt
        self.output = output
        self.injection: Injection | None = None


class InjectingLogitsProcessor(PerRequest[_Row]):
    """Runs the tools that are called and forces their results; see :mod:`inspector.samplers.injection`.

    The tools are the built-in ones and those that packages installed beside vLLM offer (entry points
    ``harmonylens.tools``).

    Raises:
        ValueError: the engine runs Model Runner V2, or on several devices; the sentence says what to do.
    """

    def __init__(self, vllm_config: Any, device: Any, is_pin_memory: bool | None = None) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        parallel = getattr(vllm_config, "parallel_config", None)
        count = getattr(parallel, "tensor_parallel_size", 1) * getattr(parallel, "pipeline_parallel_size", 1)
        if count > 1:
            raise ValueError(_RANKS.format(count=count))
        others, _ = installed()
        self._tools = {tool.name: tool for tool in (*BUILTIN, *others)}
        self._known: deque[tuple[Any, Injection]] = deque(maxlen=_REMEMBERED)

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuse arguments that it cannot understand, and requests that end at a call before anything can be put in.

        Raises:
            ValueError: a sentence; vLLM answers with HTTP 400.
        """
        found = asked(arguments(sampling_params))
        if found is None:
            return
        early = set(found.format.stop_token_ids) & set(sampling_params.stop_token_ids or ())
        said = set(found.format.stop) & set(sampling_params.stop or ())
        if early or said:
            ends = ", ".join(map(str, (*sorted(early), *sorted(said))))
            raise ValueError(f"{ends} ends the request at a call, before its result can be put in: leave it out")
        if found.format.stop_token_ids and not sampling_params.ignore_eos:
            raise ValueError(
                "without ignore_eos the model's own configuration may end the request at a call, before its result can "
                "be put in: set ignore_eos, and name what ends the answer as stop_token_ids"
            )

    def begin(self, params: Any, prompt: Sequence[int], output: Sequence[int]) -> _Row | None:
        """See :meth:`PerRequest.begin`."""
        found = asked(arguments(params))
        return None if found is None else _Row(found, params, prompt, output)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Run the tools that are called now, all at once, and force what has to come.

        ``logits`` is [rows, vocabulary], changed in place.
        """
        injections = {row: self._caught_up(state) for row, state in self.rows.items()}
        wanted = [(row, call) for row, one in injections.items() if (call := one.wanted()) is not None]
        for (row, call), answer in zip(wanted, self._answers(wanted), strict=True):
            injections[row].answer(call, answer.text)
        force(logits, {row: token for row, one in injections.items() if (token := one.next()) is not None})
        return logits

    def _caught_up(self, row: _Row) -> Injection:
        """Its injection, with all of the output read."""
        if row.injection is None:
            row.injection = self._recalled(row)
        injection = row.injection
        if len(row.output) < len(injection.output):  # tokens were taken back, after a loss of cached keys and values
            injection.keep(len(row.output))
        injection.read(new_tokens(row.output, len(injection.output)))
        return injection

    def _recalled(self, row: _Row) -> Injection:
        """What is remembered of a request that comes back with some output, or a new one."""
        if row.output:
            said = new_tokens(row.output, 0)
            # Several samples of one request share their parameters: the output tells them apart, and who is here.
            here = [id(other.injection) for other in self.rows.values()]
            for params, injection in self._known:
                both = min(len(said), len(injection.output))
                is_its = params is row.params and injection.output[:both] == said[:both]
                if is_its and id(injection) not in here:
                    return injection
        injection = Injection(row.asked, role_after(row.prompt))
        self._known.append((row.params, injection))
        return injection

    def _answers(self, wanted: Sequence[tuple[int, Call]]) -> list[Answer]:
        """Run calls side by side, each in a thread of its own, and wait for all: the batch stands still until then."""
        waiting = []
        for row, call in wanted:
            request = self.rows[row].asked
            tools = [tool for tool in self._tools.values() if request.tools is None or tool.name in request.tools]
            box = Toolbox(tools, limit_s=request.limit_s)
            waiting.append((call, request.limit_s, _in_thread(box, call)))
        return [_waited(call, limit_s, future) for call, limit_s, future in waiting]


def _in_thread(box: Toolbox, call: Call) -> Future[Answer]:
    future: Future[Answer] = Future()

    def work() -> None:
        try:
            future.set_result(asyncio.run(box.answer(call)))
        except Exception as error:  # noqa: BLE001
            # Told to whoever waits; the toolbox turns what tools raise into answers already.
            future.set_exception(error)

    Thread(target=work, name="injected tool", daemon=True).start()
    return future


def _waited(call: Call, limit_s: float, future: Future[Answer]) -> Answer:
    try:
        return future.result(limit_s + _GRACE_S)
    except TooLate:  # a coroutine that never lets go of its event loop
        problem = f"{call.recipient} gave no result within {limit_s:g} s"
        return Answer(f"error: {problem}", problem, limit_s)
