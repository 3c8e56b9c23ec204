"""The tools that a model may call: a few harmless ones, and whatever a person registers.

A tool is a Python callable with a JSON schema of its arguments. Arguments are parsed as JSON and checked against the
schema before the callable sees them; nothing from a transcript is ever evaluated.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Thread
from typing import Any, Final

import jsonschema

from ..renamed import NAME, plugins
from .calls import Call
from .theirs import TheirError, load

GROUP: Final = f"{NAME}.tools"
"""The entry-point group of other people's tools: each entry is a :class:`Tool`."""

MAX_RESULT: Final = 20_000
"""Characters of a result that reach the model."""

MAX_PROBLEM: Final = 1_000
"""Characters of a problem that a person is told."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call.

    Attributes:
        name: without a namespace: "bash".
        description: a sentence for the model.
        parameters: the JSON schema of its arguments, an object.
        run: gets the arguments by keyword and returns a text, or anything that JSON can hold; it may be a coroutine
            function. What it raises becomes the result that the model sees.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: the text for the model, why it is no result ("" when it is one), and how long it took."""

    text: str
    error: str = ""
    seconds: float = 0.0


class Toolbox:
    """Tools by name, with a limit of time for each call."""

    def __init__(self, tools: Iterable[Tool], *, limit_s: float = 10.0) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.limit_s = limit_s

    @property
    def names(self) -> tuple[str, ...]:
        """The tools as a developer message declares them."""
        return tuple(f"functions.{name}" for name in self.tools)

    async def answer(self, call: Call) -> Answer:
        """Run a call. Every failure is an answer too: the model can only go on from a result."""
        began = time.monotonic()
        try:
            text = await asyncio.wait_for(self._run(call), self.limit_s)
        except TimeoutError:
            problem = f"{call.recipient} gave no result within {self.limit_s:g} s"
        except ToolError as error:
            problem = str(error)
        else:
            return Answer(_cut(text), seconds=time.monotonic() - began)
        return Answer(_cut(f"error: {problem}"), problem[:MAX_PROBLEM], time.monotonic() - began)

    async def _run(self, call: Call) -> str:
        tool = self.tools.get(call.name)
        if tool is None:
            known = ", ".join(sorted(self.tools)) or "none"
            raise ToolError(f"there is no tool called {call.name!r}; the tools are: {known}")
        try:
            arguments = _arguments(call, tool)
        except ToolError:
            raise
        except Exception as error:
            # Nobody has checked the schema itself.
            raise ToolError(
                f"the schema of {call.recipient} cannot be used: {_told(error).splitlines()[0][:300]}"
            ) from error
        try:
            if inspect.iscoroutinefunction(tool.run):
                value = await tool.run(**arguments)
            else:
                value = await _in_thread(partial(tool.run, **arguments))
            if isinstance(value, Awaitable):
                value = await value
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise ToolError(f"{call.recipient} cancelled itself") from None
        except ToolError:
            raise
        except (Exception, SystemExit) as error:
            # Other people's code: whatever it raises is what the model is told.
            raise ToolError(_told(error)) from error


async def _in_thread(work: Callable[[], Any]) -> Any:
    """What ``work`` returns or raises, from a thread of its own: a slow tool holds up nobody but its own rollout.

    The thread is a daemon. An event loop waits at its end for the threads of ``asyncio.to_thread``, and a tool that
    never returns would keep it, long after its call was given up.

    Raises:
        ToolError: it raised, whatever that was: some exceptions would end the thread, or the event loop.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, str]] = loop.create_future()

    def settle(value: Any, problem: str) -> None:
        if not done.done():  # else it was given up
            done.set_result((value, problem))

    def target() -> None:
        value, problem = None, ""
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001
            # Handed to whoever waits for the result.
            problem = _told(error)
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(settle, value, problem)

    Thread(target=target, name="tool", daemon=True).start()
    value, problem = await done
    if problem:
        raise ToolError(problem)
    return value


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001
        # It cannot even say what it is.
        return type(error).__name__


class ToolError(Exception):
    """A call that cannot be run; the message is what the model is told."""


def _arguments(call: Call, tool: Tool) -> dict[str, Any]:
    """The arguments by name, checked.

    Raises:
        ToolError: they are no JSON, no object, or not what the schema wants.
    """
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise ToolError(f"the arguments of {call.recipient} are not JSON: {error}") from None
    if call.positional and isinstance(given, list):
        names = list(tool.parameters.get("properties", {}))
        if len(given) > len(names):
            raise ToolError(f"{call.recipient} takes {len(names)} arguments and got {len(given)}")
        given = dict(zip(names, given, strict=False))
    if not isinstance(given, dict):
        raise ToolError(f"the arguments of {call.recipient} are not a JSON object")
    try:
        jsonschema.validate(given, tool.parameters)
    except jsonschema.ValidationError as error:
        raise ToolError(f"the arguments of {call.recipient} do not fit its schema: {error.message[:300]}") from None
    return given


def _cut(text: str) -> str:
    return text if len(text) <= MAX_RESULT else f"{text[:MAX_RESULT]} ... ({len(text) - MAX_RESULT:,} more characters)"


def _object(required: Iterable[str] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_NUMBER: Final = {"type": "number"}


def _fail(message: str = "this tool always fails") -> str:
    raise RuntimeError(message)


BUILTIN: Final[tuple[Tool, ...]] = (
    Tool("add", "Adds two numbers.", _object(("a", "b"), a=_NUMBER, b=_NUMBER), lambda a, b: a + b),
    Tool("multiply", "Multiplies two numbers.", _object(("a", "b"), a=_NUMBER, b=_NUMBER), lambda a, b: a * b),
    Tool("clock", "Tells the time, in UTC.", _object(), lambda: datetime.now(UTC).isoformat(timespec="seconds")),
    Tool("echo", "Gives back the text.", _object(("text",), text={"type": "string"}), lambda text: text),
    Tool("fail", "Always fails.", _object(message={"type": "string"}), _fail),
)
"""Tools that touch nothing."""


def installed() -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The tools that installed packages offer, and a sentence for each that could not be loaded."""
    found: list[Tool] = []
    problems: list[str] = []
    for entry in plugins(GROUP):
        try:
            tool = load(entry.load)
        except TheirError as error:
            problems.append(f"The tool {entry.name} ({entry.value}) cannot be loaded: {error}.")
            continue
        if isinstance(tool, Tool):
            found.append(tool)
        else:
            problems.append(f"The tool {entry.name} ({entry.value}) is no inspector.samplers.tools.Tool.")
    return tuple(found), tuple(problems)
