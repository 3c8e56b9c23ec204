"""What ``sample`` and ``ab`` share: which engine to ask, how to sample, and how a run is waited for."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .input import InputError, read_bytes
from .output import CLEAN, INTERRUPTED, TERMINATED, Terminated, say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from ..samplers import Engine, SamplingParams
    from ..samplers.values import Delta

API_KEY: Final = "HARMONYLENS_API_KEY"
"""The environment variable with the key of a server that wants one."""

_CODES: Final[dict[int, int]] = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_OF_ONE_ENGINE: Final = (
    ("model", "model", "server"),
    ("engine_python", "engine-python", "offline"),
    ("engine_options", "engine-option", "offline"),
)
_PATIENCE_S: Final = 2.0
"""Seconds that a run may take to end after it was interrupted twice."""

GUARD: Final = "inspector.vllm_side.guard:Guard"

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")


def asking(command: _F) -> _F:
    """Adds the options that say which engine is asked: exactly one of ``--server``, ``--offline``, ``--replay``."""
    options = [
        click.option("--server", metavar="URL", help="A vLLM server, such as http://127.0.0.1:8000."),
        click.option("--model", metavar="NAME", help="With --server: the model, as the server calls it."),
        click.option("--api-key-env", metavar="VARIABLE", default=API_KEY, show_default=True,
                     help="With --server: the environment variable that holds its API key, if it wants one."),
        click.option("--offline", metavar="MODEL_DIR", help="Start vLLM on this model, in a process of its own."),
        click.option("--engine-python", metavar="PATH", type=click.Path(exists=True, dir_okay=False),
                     help="With --offline: the Python that has vLLM, where it is not this one."),
        click.option("--engine-option", "engine_options", metavar="NAME=VALUE", multiple=True,
                     help="With --offline: an argument of vllm.LLM, such as max_model_len=4096. May be repeated."),
        click.option("--replay", metavar="FILE|-", help="No engine: the answers are the transcripts of FILE."),
        click.option("--guard", type=click.Choice(["off", "watch", "on"]), default="off", show_default=True,
                     help="Have the engine watch, or keep, the grammar of headers while it samples."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def sampling(command: _F) -> _F:
    """Adds the sampling parameters; names and meanings are vLLM's."""
    options = [
        click.option("--max-tokens", type=click.IntRange(1), default=512, show_default=True,
                     help="Tokens of an answer (of each turn) at most."),
        click.option("--temperature", type=float, default=1.0, show_default=True, help="0 is greedy."),
        click.option("--top-p", type=float, default=1.0, show_default=True, help="1 switches it off."),
        click.option("--top-k", type=int, default=0, show_default=True, help="0 switches it off."),
        click.option("--min-p", type=float, default=0.0, show_default=True, help="0 switches it off."),
        click.option("--seed", type=int, help="Of the first sample; the others count on from it."),
        click.option("--stop", multiple=True, metavar="TEXT", help="Text that ends an answer. May be repeated."),
        click.option("--logprobs", type=int, default=None, metavar="N",
                     help="Report logprobs, and the N likeliest tokens at each place."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def sampling_params(given: dict[str, Any]) -> SamplingParams:
    """The parameters from the options of :func:`sampling`, with the guard's argument.

    Raises:
        InputError: a value that no engine takes.
    """
    from ..samplers import SamplingParams, guarding

    try:
        params = SamplingParams(
            max_tokens=given["max_tokens"],
            temperature=given["temperature"],
            top_p=given["top_p"],
            top_k=given["top_k"],
            min_p=given["min_p"],
            seed=given["seed"],
            stop=tuple(given["stop"]),
            logprobs=given["logprobs"],
        )
    except ValueError as error:
        raise InputError(f"{error}.") from None
    return guarding.params(params, given["guard"])


@asynccontextmanager
async def open_engine(given: dict[str, Any], processors: Iterable[str] = ()) -> AsyncIterator[Engine]:
    """The engine that the options of :func:`asking` name, ready, and closed at the end.

    Args:
        given: the options.
        processors: logits processors, ``module:Class``, that an engine which is started here is to load; the guard is
            added where it is asked for.

    Raises:
        InputError: none or several engines are named, or this one cannot be used; the sentence says why.
    """
    from ..samplers import EngineError

    named = [option for option in ("server", "offline", "replay") if given[option]]
    if len(named) != 1:
        raise InputError("Name one engine: --server URL, --offline MODEL_DIR or --replay FILE.")
    for name, option, other in _OF_ONE_ENGINE:
        if given[name] and named != [other]:
            raise InputError(f"--{option} goes with --{other}.")
    wanted = [*processors, *([GUARD] if given["guard"] != "off" else [])]
    engine: Engine
    try:
        if named == ["server"]:
            engine = await _server(given, wanted)
        elif named == ["offline"]:
            engine = await _offline(given, wanted)
        else:
            engine = Replays(given["replay"])
    except EngineError as error:
        raise InputError(str(error)) from None
    try:
        yield engine
    finally:
        await engine.close()


async def _server(given: dict[str, Any], processors: list[str]) -> Engine:
    from ..samplers.server import VllmServer

    key = os.environ.get(given["api_key_env"])
    engine = VllmServer(given["server"], model=given["model"], api_key=key)
    try:
        info = await engine.check()
    except BaseException:
        await engine.close()
        raise
    if info.problem:
        await engine.close()
        raise InputError(info.problem)
    say(f"asking {info.model} on {engine.name}.")
    if processors:
        say(f"the server has to have been started with --logits-processors {' '.join(processors)}: it is not told.")
    return engine


async def _offline(given: dict[str, Any], processors: list[str]) -> Engine:
    from ..samplers.offline import OfflineEngine

    options = dict(map(_engine_option, given["engine_options"]))
    if processors:
        options["logits_processors"] = [*options.get("logits_processors", ()), *processors]
    engine = OfflineEngine(given["offline"], python=given["engine_python"] or sys.executable, options=options)
    say(f"starting {engine.name}.")
    line = StatusLine()
    try:
        await engine.start(line.show)
    except BaseException:
        await engine.close()
        raise
    finally:
        line.clear()
    return engine


def _engine_option(text: str) -> tuple[str, Any]:
    """``max_model_len=4096`` as a name and a value: JSON where it is JSON, else a text.

    Raises:
        InputError: it has not that form.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise InputError(f"--engine-option {text!r}: expected NAME=VALUE, such as max_model_len=4096.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


class Replays:
    """The transcripts of a file in the place of an engine. See :class:`inspector.samplers.engine.Engine`.

    A prompt is answered by the transcripts that were sampled behind it, in turn; where no transcript of the file says
    what it was sampled behind, by all of them in turn.

    Attributes:
        is_partial: some of the file could not be read; it has been said.

    Raises:
        InputError: nothing of it could.
    """

    def __init__(self, path: str) -> None:
        from ..ingest import read

        shown = "standard input" if path == "-" else click.format_filename(path, shorten=True)
        loaded = read(read_bytes(path), filename=None if path == "-" else shown)
        for problem in loaded.problems:
            say(f"{shown}: {problem.sentence}")
        if not loaded.transcripts:
            raise InputError(f"--replay {click.format_filename(path)}: it holds no transcript.")
        self.name = f"replay of {shown}"
        self.is_partial = any(problem.lost for problem in loaded.problems)
        self._all = loaded.transcripts
        self._turns: dict[tuple[int, ...], int] = {}
        self._any = all(transcript.prompt_ids is None for transcript in self._all)

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """See :meth:`inspector.samplers.engine.Engine.stream`.

        Raises:
            EngineError: the file has no answer to this prompt.
        """
        from ..samplers import EngineError, Replay

        key = () if self._any else tuple(prompt_ids)
        own = [one for one in self._all if self._any or one.prompt_ids == key]
        if not own:
            raise EngineError(f"The {self.name} has no answer to this prompt of {len(prompt_ids)} tokens.")
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        async with aclosing(Replay(own[turn % len(own)], rate=None).stream(prompt_ids, params)) as pieces:
            async for delta in pieces:
                yield delta

    async def close(self) -> None:
        """See :meth:`inspector.samplers.engine.Engine.close`."""
        return


class Limited:
    """Another engine, asked for so many answers at once; further ones wait for their turn."""

    def __init__(self, engine: Engine, parallel: int) -> None:
        self.name = engine.name
        self._engine = engine
        self._turns = asyncio.Semaphore(parallel)

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """See :meth:`inspector.samplers.engine.Engine.stream`."""
        async with self._turns, aclosing(self._engine.stream(prompt_ids, params)) as pieces:
            async for delta in pieces:
                yield delta

    async def close(self) -> None:
        """See :meth:`inspector.samplers.engine.Engine.close`."""
        await self._engine.close()


class StatusLine:
    """A line on a terminal's standard error that is written over and over; nothing where it is no terminal."""

    def __init__(self) -> None:
        self._shown = 0
        self._is_on = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Put ``text`` in the place of what stood there, cut to the terminal's width."""
        if not self._is_on:
            return
        from ..report.visible import clip, visible, width_of

        line = clip(visible(text), max(20, shutil.get_terminal_size().columns - 1))
        blanks = " " * max(0, self._shown - width_of(line))
        print(f"\r{line}{blanks}", end="", file=sys.stderr, flush=True)
        self._shown = width_of(line)

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            self.show("")
            print("\r", end="", file=sys.stderr, flush=True)


def complete(coroutine: Coroutine[Any, Any, _T]) -> tuple[_T, int]:
    """Run ``coroutine`` to its end, in an event loop of a thread of its own.

    Ctrl-C and SIGTERM cancel it: it may still clean up and return what it has. Where it does not, the command was
    interrupted. A second one is not so patient: the cleaning up is cancelled too, and soon not waited for any more.

    Returns:
        What it returned, and the exit code for what cancelled it, 0 when nothing did.

    Raises:
        click.Abort: it was interrupted, or terminated (:class:`inspector.cli.output.Terminated`).
    """
    news: SimpleQueue[int] = SimpleQueue()  # numbers of signals, and 0 when it has ended
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[_T]]] = Future()
    ended: Future[_T] = Future()

    async def work() -> _T:
        task = asyncio.create_task(coroutine)
        started.set_result((asyncio.get_running_loop(), task))
        return await task

    def thread() -> None:
        try:
            ended.set_result(asyncio.run(work()))
        except BaseException as error:  # noqa: BLE001
            # Raised where it is waited for.
            ended.set_exception(error)
        news.put(0)

    code = CLEAN
    with _heard(news):
        # A daemon: what cannot be cancelled, in somebody else's sampler, must not keep the program.
        Thread(target=thread, daemon=True, name="sampling").start()
        while number := news.get():
            again, code = bool(code), code or _CODES[number]
            loop, task = started.result()
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(task.cancel)
            if again:
                wait([ended], _PATIENCE_S)
                break
    interrupted = Terminated if code == TERMINATED else click.Abort
    if not ended.done():
        raise interrupted
    try:
        return ended.result(), code
    except asyncio.CancelledError:
        raise interrupted from None


@contextmanager
def _heard(news: SimpleQueue[int]) -> Iterator[None]:
    """Meanwhile, put the numbers of signals into ``news`` instead of ending the program; those ignored stay so."""
    before: dict[int, Any] = {}
    try:
        if current_thread() is main_thread():
            for number in _CODES:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, lambda number, _: news.put(number))
        yield
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


def swallow_cancelling() -> None:
    """For a cancelled coroutine that goes on to tell what it has: what it awaits then is not cancelled too."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
