"""vLLM without a server: its engine in a child process, for scripts, batches and the app.

The child runs a Python that has vLLM; this one needs nothing of it. A crash in there is a sentence here.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass, field, fields
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from .engine import EngineError, EngineGone
from .launcher_log import SECOND_HAND, last_error, with_advice
from .limits import in_time
from .offline_child import Child
from .values import Delta, SamplingParams
from .vllm_python import runner_for, vllm_environment

SILENCE_S: Final = 600.0
"""Seconds without a line of log after which a start is given up. A large model says something every few seconds."""

_CLOSING_S: Final = 5.0
_WORKER: Final = "inspector.vllm_side.worker"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the engine in the child is.

    Attributes:
        version: of vLLM.
        model: as vLLM names it.
        longest: tokens of prompt and answer together, at most.
        rows: of the model's vocabulary.
    """

    version: str
    model: str
    longest: int
    rows: int


@dataclass(slots=True)
class _Answer:
    """One request: where its pieces go."""

    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[Delta | EngineError] = field(default_factory=asyncio.Queue)


class OfflineEngine:
    """An :class:`inspector.samplers.engine.Engine` on vLLM in a child process. The first request starts it, if need be.

    Unlike others it may be used from several event loops, one after the other or at once.

    Args:
        model: a folder or whatever else vLLM takes as a model.
        python: an interpreter that can import vLLM; by default this one.
        options: fields of vLLM's ``EngineArgs``, with values that JSON can hold: ``max_model_len``,
            ``enforce_eager``, ``logits_processors`` as ``module:Class``, ...
        silence_s: a start that logs nothing for so many seconds is given up.
    """

    def __init__(
        self,
        model: str,
        *,
        python: str = sys.executable,
        options: Mapping[str, Any] | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.model, self.python, self.silence_s = model, python, silence_s
        self.options = dict(options or {})
        self._short = Path(model).name or model
        self.name = f"vLLM in process, {self._short}"
        self.loaded: Loaded | None = None
        """What was loaded, once it is."""
        self._numbers = count()
        self._lock = Lock()
        self._answers: dict[str, _Answer] = {}
        self._counts: list[Future[int]] = []
        self._child: Child | None = None
        self._ready: Future[Loaded] | None = None
        self._over = ""
        self._failure = ""
        self._hearers: list[Callable[[str | None], None]] = []

    @property
    def log(self) -> str:
        """The last lines that vLLM has logged, also after its end."""
        return self._child.log if self._child is not None else ""

    @property
    def pid(self) -> int | None:
        """The process id of the child, None before the first start."""
        return self._child.pid if self._child is not None else None

    async def start(self, on_progress: Callable[[str], None] | None = None) -> None:
        """Load the model: seconds for a tiny one, minutes for a large one. Does nothing when it is loaded.

        After a crash this starts it anew. Cancelling it ends the child.

        Args:
            on_progress: gets what happens, line by line, in this event loop.

        Raises:
            EngineError: it cannot be started; the sentence says why.
        """
        loop = asyncio.get_running_loop()
        signs: asyncio.Queue[str | None] = asyncio.Queue()

        def hear(line: str | None) -> None:
            _in_loop(loop, signs.put_nowait, line)

        ready, is_mine = self._begin()
        self._hearers.append(hear)
        ready.add_done_callback(lambda _: hear(None))
        try:
            while not ready.done():
                line = await asyncio.wait_for(signs.get(), self.silence_s)
                if line and on_progress is not None:
                    on_progress(line)
        except TimeoutError:
            await self._give_up(f"it said nothing for {self.silence_s:g} s and was ended")
        except BaseException:
            # Who waits beside the one that began it may leave without harm.
            if is_mine:
                await self._give_up("it was stopped while it started")
            raise
        finally:
            self._hearers.remove(hear)
        await _result(ready)

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """See :meth:`inspector.samplers.engine.Engine.stream`."""
        async with aclosing(in_time(self._stream(prompt_ids, params), self.name, params.max_tokens)) as pieces:
            async for delta in pieces:
                yield delta

    async def _stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        if self._child is None and not self._over:
            await self.start()
        elif self._ready is not None and not self._ready.done():
            await _result(self._ready)
        id = f"harmonylens-{next(self._numbers)}"
        answer = _Answer(asyncio.get_running_loop())
        request = {"do": "add", "id": id, "prompt": list(map(int, prompt_ids)), "params": _plain(params)}
        with self._lock:
            if self._child is None or self._over:
                raise EngineGone(f"{self.name} {self._over or 'is not running'}: start it again.")
            self._answers[id] = answer
            child = self._child
        try:
            child.send(request)
        except (TypeError, ValueError) as error:
            self._answers.pop(id, None)
            raise EngineError(f"The request cannot be sent to {self.name}: {error}.") from None
        try:
            while True:
                piece = await answer.pieces.get()
                if isinstance(piece, EngineError):
                    raise piece
                yield piece
                if piece.finish_reason is not None:
                    return
        finally:
            # Taken out already when it has ended by itself.
            if self._answers.pop(id, None) is not None:
                child.send({"do": "abort", "id": id})

    async def running(self) -> int:
        """How many requests the engine is working on.

        Raises:
            EngineGone: it has ended.
        """
        number: Future[int] = Future()
        with self._lock:
            if self._child is None or self._over:
                raise EngineGone(f"{self.name} {self._over or 'is not running'}.")
            self._counts.append(number)
            self._child.send({"do": "count"})
        return await _result(number)

    async def close(self) -> None:
        """See :meth:`inspector.samplers.engine.Engine.close`. Returns when the child is gone."""
        with self._lock:
            child, ready = self._child, self._ready
            self._over = self._over or "was closed"
        if child is None or ready is None:
            return
        self._let_go(self._over)
        if not ready.done():
            child.kill()
        child.send({"do": "close"})
        child.shut()
        try:
            await asyncio.wait_for(_result(child.ended), _CLOSING_S)
        except TimeoutError:
            child.kill()
            await _result(child.ended)

    async def _give_up(self, why: str) -> None:
        """End a child that has not become ready; who waits for it is told why."""
        self._failure = self._failure or why
        child = self._child
        if child is not None:
            child.kill()
            await _result(child.ended)

    def _begin(self) -> tuple[Future[Loaded], bool]:
        """Start the child unless one is there; what is awaited until it is ready, and whether it was started here.

        Raises:
            EngineError: the program cannot be run at all.
        """
        with self._lock:
            if self._ready is not None and not self._over:
                return self._ready, False
            self._over = self._failure = ""
            self.loaded = None
            self._ready = Future()
            runner = runner_for(bool(self.options.get("logits_processors")))
            given = {"PYTHONUNBUFFERED": "1", **runner}
            environment = vllm_environment(given, python=self.python)
            try:
                self._child = Child(
                    [self.python, "-m", _WORKER], environment, self._on_message, self._on_log, self._on_end
                )
            except OSError as error:
                self._ready = None
                self._over = "could not be started"
                raise EngineError(
                    f"{self.python} cannot be run ({error.strerror or error}): give the path of a Python that has vLLM."
                ) from None
            self._child.send({"do": "start", "options": {**self.options, "model": self.model}})
            return self._ready, True

    def _on_message(self, message: dict[str, Any]) -> None:
        match message["tell"]:
            case "deltas":
                self._deliver([(str(entry[0]), _delta(entry)) for entry in message["deltas"]])
            case "refused":
                refused = EngineError(f"{self.name} refused the request: {_closed(message['sentence'])}")
                self._deliver([(str(message["id"]), refused)])
            case "ready":
                self._set_ready(message)
            case "progress":
                self._tell(str(message["text"]))
            case "failed":
                self._failure = str(message["sentence"])
            case "running":
                self._counts.pop(0).set_result(int(message["count"]))
            case other:
                raise ValueError(f"unknown message {other!r}")

    def _set_ready(self, message: Mapping[str, Any]) -> None:
        loaded = Loaded(str(message["version"]), str(message["model"]), int(message["longest"]), int(message["rows"]))
        self.loaded = loaded
        self.name = f"vLLM {loaded.version} in process, {self._short}"
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(loaded)

    def _on_log(self, line: str) -> None:
        if self._ready is not None and not self._ready.done():
            self._tell(line)

    def _tell(self, line: str) -> None:
        for hear in tuple(self._hearers):
            hear(line)

    def _on_end(self, how: str) -> None:
        child = self._child
        words = child.last_words if child is not None else ""
        if child is not None and SECOND_HAND.search(self._failure):
            # Of an engine in several processes the one that is talked to knows only that another one has ended.
            self._failure = last_error(child.log.splitlines()) or self._failure
        self._failure = with_advice(self._failure)
        with self._lock:
            ready = self._ready
            if self._failure and ready is not None and ready.done():
                how = f"broke off: {self._failure}"
            elif words and not self._failure:
                how = f"{how}; the end of its log: {words}"
            self._over = self._over or how
        if ready is not None and not ready.done():
            # The reason that the worker gave is better than how its process ended.
            reason = self._failure or self._over
            ready.set_exception(EngineError(_closed(f"{self.name} could not be started: {reason}")))
        self._let_go(self._over)

    def _let_go(self, why: str) -> None:
        """End all that is still awaited from the child."""
        with self._lock:
            # One for each: an exception that is raised in several tasks collects the traces of all.
            gone = [(id, EngineGone(_closed(f"{self.name} {why}"))) for id in self._answers]
            counts, self._counts = self._counts, []
        self._deliver(gone)
        for number in counts:
            number.set_exception(EngineGone(_closed(f"{self.name} {why}")))

    def _deliver(self, pieces: Sequence[tuple[str, Delta | EngineError]]) -> None:
        """Hand pieces to those who wait for them, with one call for each event loop."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Answer, Delta | EngineError]]] = {}
        with self._lock:
            for id, piece in pieces:
                answer = self._answers.get(id)
                if answer is None:
                    continue  # cancelled; this was on its way
                if isinstance(piece, EngineError) or piece.finish_reason is not None:
                    del self._answers[id]
                by_loop.setdefault(answer.loop, []).append((answer, piece))
        for loop, these in by_loop.items():
            _in_loop(loop, _put, these)


def _put(pieces: list[tuple[_Answer, Delta | EngineError]]) -> None:
    for answer, piece in pieces:
        answer.pieces.put_nowait(piece)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., None], argument: Any) -> None:
    """Call something in an event loop from another thread; nothing when the loop has ended."""
    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(call, argument)
        except RuntimeError:
            return  # it has ended just now: nobody waits there


def _delta(entry: Sequence[Any]) -> Delta:
    """A piece of an answer as the worker sends it.

    Raises:
        ValueError, TypeError: it is none.
    """
    _, ids, own, top, finish, stop = entry
    if any(values and len(values) != len(ids) for values in (own, top)):
        raise ValueError(f"{len(own)} logprobs and {len(top)} alternatives for {len(ids)} tokens")
    return Delta(
        tuple(map(int, ids)),
        tuple(map(float, own)),
        tuple(tuple((int(id), float(logprob)) for id, logprob in place) for place in top),
        None if finish is None else str(finish),
        stop,
    )


def _plain(params: SamplingParams) -> dict[str, Any]:
    """Parameters as vLLM's ``SamplingParams`` takes them."""
    plain = {field.name: getattr(params, field.name) for field in fields(params)}
    extra = plain.pop("extra")
    return {**plain, "extra_args": dict(extra) or None}


async def _result(future: Future[T]) -> T:
    """What a future of another thread holds in the end; cancelling this leaves the future alone.

    Raises:
        EngineError: as it holds it, anew for each who asks.
    """
    try:
        return await asyncio.shield(asyncio.wrap_future(future))
    except EngineError as error:
        raise type(error)(str(error)) from None


def _closed(text: str) -> str:
    """A sentence with one full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
