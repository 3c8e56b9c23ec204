"""vLLM's engine in a process of its own: JSON lines in, JSON lines out. Run by the offline engine.

In: ``{"do": "start", "options": {...}}``; then ``add`` (id, prompt, params), ``abort`` (id), ``count``, ``close``.
Out: ``{"tell": "progress", "text"}``; ``ready`` (version, model, longest, rows); ``failed`` (sentence) before it ends;
``deltas`` (one list per step: [id, ids, logprobs, top, finish_reason, stop_reason]); ``refused`` (id, sentence);
``running`` (count).

The process ends when its input does: whoever started it is gone.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import select
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

_GRACE_S: Final = 10.0
"""How long the engine may take to stop when the input has ended, in the middle of whatever it does."""

_LONGEST_SENTENCE: Final = 600

_PASSED_ON: Final = ("Worker failed with error '", "', please check the stack trace above")
"""What vLLM puts around an error of the process that computes, if that is another one: on several devices, in 0.20 on
a CPU too."""

Message = Mapping[str, Any]


class StartFailed(Exception):
    """The engine cannot be made; the message is a sentence."""


class Wire:
    """The two ends of the conversation. What vLLM prints goes to the log, not between the messages."""

    def __init__(self) -> None:
        self._out: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self.requests: SimpleQueue[Message] = SimpleQueue()
        self._finished = threading.Event()
        threading.Thread(target=self._read, daemon=True, name="requests").start()
        threading.Thread(target=self._watch, daemon=True, name="parent").start()

    def tell(self, tell: str, **fields: Any) -> None:
        """Send one message."""
        self._out.write(json.dumps({"tell": tell, **fields}, separators=(",", ":")) + "\n")
        self._out.flush()

    def finish(self) -> None:
        """Nothing will be read any more."""
        self._finished.set()

    def _read(self) -> None:
        for line in sys.stdin.buffer:
            self.requests.put(json.loads(line))
        self._end()

    def _watch(self) -> None:
        """The input may stay open after the parent's end: a child that the parent forked holds it too."""
        if hasattr(os, "pidfd_open"):
            try:
                parent = os.pidfd_open(os.getppid())
            except OSError:
                return  # where this is not allowed, the input alone has to tell
            select.select([parent], [], [])
            self._end()

    def _end(self) -> None:
        self.requests.put({"do": "close"})
        if not self._finished.wait(_GRACE_S):
            os._exit(1)


class Worker:
    """The engine and the requests that it works on."""

    def __init__(self, wire: Wire, options: Mapping[str, Any]) -> None:
        self._wire = wire
        wire.tell("progress", text="Importing vLLM.")
        try:
            import vllm
            from vllm.engine.arg_utils import EngineArgs
            from vllm.sampling_params import RequestOutputKind
        except ImportError as error:
            missing = getattr(error, "name", None) or str(error)
            raise StartFailed(
                f"vLLM cannot be imported there (missing: {missing}): install it with "
                f"`{sys.executable} -m pip install vllm`, or give a Python that has it"
            ) from error
        self._make_params, self._delta = vllm.SamplingParams, RequestOutputKind.DELTA
        self._active: set[str] = set()
        version = getattr(vllm, "__version__", "of an unknown release")
        known = {field.name for field in dataclasses.fields(EngineArgs)}
        for name in options:
            if name not in known:
                close = difflib.get_close_matches(name, known, 1)
                meant = f": did you mean {close[0]!r}?" if close else ", see the fields of its EngineArgs"
                raise StartFailed(f"vLLM {version} has no engine option {name!r}{meant}")
        wire.tell("progress", text=f"vLLM {version} loads the model.")
        self._engine = _engine(EngineArgs, {"disable_log_stats": True, **_safe_on_cpu(), **options})
        settings = self._engine.model_config
        self._rows = int(settings.get_vocab_size())
        self._reads_text = not getattr(settings, "skip_tokenizer_init", False)
        wire.tell(
            "ready", version=version, model=str(settings.model), longest=int(settings.max_model_len), rows=self._rows
        )

    def run(self) -> None:
        """Work until told to close."""
        while True:
            busy = self._engine.has_unfinished_requests()
            try:
                while True:
                    # Only a worker without work waits for more.
                    if not self._do(self._wire.requests.get(block=not busy)):
                        return
                    busy = True
            except Empty:
                self._step()

    def close(self) -> None:
        """Let go of the device."""
        shut_down = getattr(getattr(self._engine, "engine_core", None), "shutdown", None)
        if shut_down is not None:
            shut_down()

    def _do(self, message: Message) -> bool:
        """Do what a message asks; False when it asks to close."""
        match message["do"]:
            case "add":
                self._add(message["id"], message["prompt"], message["params"])
            case "abort":
                if message["id"] in self._active:
                    self._active.discard(message["id"])
                    self._engine.abort_request([message["id"]])
            case "count":
                self._wire.tell("running", count=int(self._engine.get_num_unfinished_requests()))
            case "close":
                return False
        return True

    def _add(self, id: str, prompt: Sequence[int], params: Mapping[str, Any]) -> None:
        try:
            self._check(prompt, params)
            made = self._make_params(
                **params,
                output_kind=self._delta,
                # The text is only made to look for stop strings in it; those may spell markers.
                detokenize=bool(params.get("stop")),
                skip_special_tokens=False,
            )
            self._engine.add_request(id, {"prompt_token_ids": list(prompt)}, made)
        except Exception as error:  # noqa: BLE001
            # vLLM refuses with ValueError and what derives from it; a processor of other people's may raise anything.
            self._wire.tell("refused", id=id, sentence=sentence(error))
        else:
            self._active.add(id)

    def _check(self, prompt: Sequence[int], params: Mapping[str, Any]) -> None:
        """What vLLM does not check itself in all settings.

        Raises:
            ValueError: with what is wrong.
        """
        strange = next((token for token in prompt if not 0 <= token < self._rows), None)
        if strange is not None:
            # It would end the whole engine with an index error.
            raise ValueError(f"token {strange} of the prompt is not in the model's vocabulary of {self._rows:,}")
        if params.get("stop") and not self._reads_text:
            raise ValueError("stop strings are found in text, and the engine was started with skip_tokenizer_init")

    def _step(self) -> None:
        told = []
        for output in self._engine.step():
            if output.request_id not in self._active:
                continue
            answer = output.outputs[0]
            ids = list(answer.token_ids)
            own, top = _logprobs(ids, answer.logprobs)
            finish = answer.finish_reason if output.finished else None
            if output.finished:
                self._active.discard(output.request_id)
            if ids or finish is not None:
                told.append([output.request_id, ids, own, top, finish, answer.stop_reason])
        if told:
            self._wire.tell("deltas", deltas=told)


def _safe_on_cpu() -> dict[str, Any]:
    """Options without which vLLM's CPU build breaks.

    Where a prompt is read in pieces, a request with a seed ends the engine (vLLM 0.32: "CPU Generator does not use
    offset", when it takes back the number drawn for the unfinished piece).
    """
    from vllm.platforms import current_platform

    return {"enable_chunked_prefill": False} if current_platform.is_cpu() else {}


def _engine(arguments: Any, options: Message) -> Any:
    """vLLM's synchronous engine.

    Raises:
        StartFailed: the model cannot be loaded, or an option is not what it should be.
    """
    try:
        try:
            from vllm.v1.engine.llm_engine import LLMEngine
        except ImportError:
            from vllm.engine.llm_engine import LLMEngine
        return LLMEngine.from_engine_args(arguments(**options))
    except Exception as error:
        # Whatever goes wrong in there is why the engine is not to be had.
        raise StartFailed(sentence(error)) from error


def _logprobs(ids: Sequence[int], given: Any) -> tuple[list[float], list[list[tuple[int, float]]]]:
    """The logprob of each sampled token, and the alternatives of each, the likeliest first.

    vLLM gives, for each place, the ``k`` likeliest and the sampled token, which may be one of them.
    """
    if given is None:
        return [], []
    own: list[float] = []
    top: list[list[tuple[int, float]]] = []
    for token, place in zip(ids, list(given)[-len(ids) :] if ids else (), strict=True):
        own.append(place[token].logprob)
        ranked = sorted(place.items(), key=lambda item: (-item[1].logprob, item[1].rank or 0))
        top.append([(int(id), entry.logprob) for id, entry in ranked])
    return own, top


def sentence(error: BaseException) -> str:
    """An exception in one line, without the frame that validators put around it."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and "validation error" not in line and not line.startswith("For further")]
    text = _unwrapped(" ".join(kept)).removesuffix(".") or type(error).__name__
    if len(text) > _LONGEST_SENTENCE:
        text = f"{text[:_LONGEST_SENTENCE]} ..."
    # vLLM's own kinds of refusals say what they mean, as a ValueError does.
    speaks = isinstance(error, ValueError | StartFailed) or type(error).__module__.partition(".")[0] == "vllm"
    return text if speaks else f"{type(error).__name__}: {text}"


def _unwrapped(text: str) -> str:
    """An error without what vLLM put around it."""
    before, _, passed_on = text.partition(_PASSED_ON[0])
    inner, end, _ = passed_on.rpartition(_PASSED_ON[1])
    return before + inner if end else text


def main() -> int:
    """Serve one engine; the exit status."""
    # In this very process: a further one between would only copy what passes through.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    wire = Wire()
    first = wire.requests.get()
    if first["do"] != "start":
        return 0
    try:
        worker = Worker(wire, first["options"])
        worker.run()
        worker.close()
    except Exception as error:  # noqa: BLE001
        # What vLLM raises in the middle of a step is the end of it, whatever it is.
        traceback.print_exc()
        wire.tell("failed", sentence=sentence(error))
        return 1
    finally:
        wire.finish()
    return 0


if __name__ == "__main__":
    status = 1
    try:
        status = main()
    except BaseException:
        # The output may be closed: nobody is there to be told.
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        # Without taking down the interpreter: with torch in it that takes seconds, and the thread that reads the input
        # would make it abort.
        os._exit(status)
