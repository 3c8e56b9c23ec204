"""The parent's side: native parsing and rendering in a process that can be killed.

The published parsers hold the interpreter's lock while they work, need 0.07 to 0.1 ms for every token of a
header, take minutes to encode long runs of white space, and can panic. So nothing native ever runs in our own
process: requests go to a worker with a deadline, and when it is late or dies it is replaced.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

from ..child_environment import child_environment, python_command
from ..harmony.message import Message, MessageRecord
from ..isolation import Child, ChildEnded, ChildLate
from ..tokens import MESSAGE, START, STOPS, VocabularyError, vocabulary_file
from .catalogue import find
from .release import Release

Status = Literal["ok", "raised", "timeout", "crashed", "unavailable", "skipped"]

LONGEST_HEADER: Final = 200_000
"""Transcripts with more tokens than this in headers are not sent to the libraries (it would take 20 s)."""

_LOADING_S: Final = 60.0
_SLACK_S: Final = 5.0
_HEADER_TOKEN_S: Final = 0.000_3
_BODY_TOKEN_S: Final = 0.000_02
_CHARACTER_S: Final = 0.000_02


@dataclass(frozen=True, slots=True)
class NativeResult:
    """What a release answered, or why it did not.

    Attributes:
        status: "ok"; "raised" (the library raised an error); "timeout", "crashed" (the worker was replaced);
            "unavailable" (no such release here, or it cannot do that); "skipped" (not asked, too expensive).
        messages: of a parse; those before the error when it raised and the place was asked for.
        ids: of a rendering.
        error: the library's error text, to the letter, when it raised a ``HarmonyError``.
        token: where the library's streaming parser raises, when asked for.
        reason: one sentence for people whenever ``status`` is not "ok".
        seconds: how long the answer took.
    """

    status: Status
    messages: tuple[Message, ...] = ()
    ids: tuple[int, ...] = ()
    error: str | None = None
    token: int | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True when the release did what it was asked."""
        return self.status == "ok"

    @property
    def answered(self) -> bool:
        """True when this is the library's own verdict: it accepted, or raised its own error."""
        return self.ok or self.error is not None


class NativeWorker:
    """One worker process, started on first use and replaced when it is late or dies. Safe for threads.

    Use as a context manager, or :meth:`close` it. Every method answers with a value, never an exception.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child = Child(_command)
        self._loaded: set[str] = set()
        self._closing = False

    def __enter__(self) -> NativeWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the running worker, or None when there is none."""
        return self._child.pid

    def close(self) -> None:
        """End the worker, whatever it is doing. It is started again if it is used again."""
        self._closing = True
        # A call that is under way holds the lock: killing the process ends the call.
        while not self._lock.acquire(timeout=0.05):
            self._child.kill()
        try:
            self._stop()
        finally:
            self._closing = False
            self._lock.release()

    def load(self, release: str | Release) -> NativeResult:
        """Load a release (0.5 s; once per worker), so that the first parse is not slower than the others."""
        return self._ask(release, {"do": "nothing"}, 0.0)

    def parse(
        self,
        release: str | Release,
        ids: Sequence[int],
        role: str | None = "assistant",
        *,
        strict: bool = True,
        locate: bool = False,
        deadline: float | None = None,
    ) -> NativeResult:
        """Parse ``ids`` as ``parse_messages_from_completion_tokens`` does.

        Args:
            release: "openai-harmony 0.0.8", or a release.
            ids: any ints; the libraries take 0 to 2**32 - 1 and raise ``OverflowError`` for others.
            role: the role that the ids continue, or None.
            strict: the library's parameter.
            locate: also find the token at which the streaming parser raises, and the messages before it;
                doubles the time where there is an error.
            deadline: in seconds; by default 5 s and 0.3 ms for every token of a header.
        """
        header = header_length(ids, role)
        if header > LONGEST_HEADER:
            reason = (
                f"The release was not asked: {header:,} tokens would be read as headers, "
                f"more than {LONGEST_HEADER:,} take it too long."
            )
            return NativeResult("skipped", reason=reason)
        if deadline is None:
            deadline = _SLACK_S + header * _HEADER_TOKEN_S + len(ids) * _BODY_TOKEN_S
        request = {"do": "parse", "ids": list(map(int, ids)), "role": role, "strict": strict, "locate": locate}
        return self._ask(release, request, deadline * (2 if locate else 1))

    def render(
        self,
        release: str | Release,
        messages: Sequence[Message | MessageRecord],
        *,
        next_role: str | None = "assistant",
        auto_drop_analysis: bool = True,
        deadline: float | None = None,
    ) -> NativeResult:
        """Render a conversation as ``render_conversation_for_completion`` does.

        Args:
            release: "openai-harmony 0.0.8", or a release.
            messages: values or records, in order.
            next_role: the role whose turn it is; None renders without it (``render_conversation``).
            auto_drop_analysis: the library's setting, on by default there too.
            deadline: in seconds; by default 5 s and 20 µs for every character.
        """
        records = [_plain(message) for message in messages]
        if deadline is None:
            deadline = _SLACK_S + sum(len(r["content"]) for r in records) * _CHARACTER_S
        request = {
            "do": "render",
            "messages": records,
            "next_role": next_role,
            "auto_drop_analysis": auto_drop_analysis,
        }
        return self._ask(release, request, deadline)

    def render_message(
        self, release: str | Release, message: Message | MessageRecord, *, deadline: float | None = None
    ) -> NativeResult:
        """Render one message, marker to terminator."""
        record = _plain(message)
        if deadline is None:
            deadline = _SLACK_S + len(record["content"]) * _CHARACTER_S
        return self._ask(release, {"do": "render_message", "message": record}, deadline)

    def _ask(self, release: str | Release, request: dict[str, Any], deadline: float) -> NativeResult:
        try:
            found = find(release) if isinstance(release, str) else release
        except ValueError as error:
            return NativeResult("unavailable", reason=f"{error}.")
        if found is None:
            spec = str(release).strip().replace(" ", "==", 1)
            reason = f"{release} is not on this machine: run `harmonylens releases add {spec}`."
            return NativeResult("unavailable", reason=reason)
        key = str(found.location.absolute())
        began = time.perf_counter()
        with self._lock:
            if key not in self._loaded or self.pid is None:
                load = {"do": "load", "release": key, "location": key}
                loaded = self._exchange(load, _LOADING_S)
                if loaded["status"] != "ok":
                    return NativeResult("unavailable", reason=f"{found.title} cannot be loaded: {loaded['error']}")
                self._loaded.add(key)
            if request["do"] == "nothing":
                return NativeResult("ok", seconds=time.perf_counter() - began)
            began = time.perf_counter()
            answer = self._exchange({**request, "release": key}, deadline)
        return _result(answer, found.title, time.perf_counter() - began)

    def _exchange(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Send a request and wait for the answer; with the lock held."""
        try:
            self._start()
        except (OSError, VocabularyError) as error:
            return {"status": "crashed", "error": f"the worker process could not be started: {error}"}
        try:
            said = self._child.exchange(json.dumps({**request, "deadline": deadline}).encode(), deadline)
            answer: dict[str, Any] = json.loads(said)
        except ChildLate:
            answer = {"status": "timeout", "error": f"no answer within {deadline:.1f} s; the worker was stopped."}
        except ChildEnded as error:
            answer = {"status": "crashed", "error": f"the worker process ended ({error})."}
        if answer["status"] == "crashed":
            self._stop()
        return answer

    def _start(self) -> None:
        if self.pid is not None:
            return
        if self._closing:
            raise OSError("it is being closed")
        self._loaded.clear()
        self._child.start()

    def _stop(self) -> None:
        self._child.stop()
        self._loaded.clear()


def _command() -> tuple[list[str], dict[str, str]]:
    env = {
        **child_environment(),
        # Where openai-harmony 0.0.8 looks for the vocabulary instead of downloading it.
        "TIKTOKEN_ENCODINGS_BASE": str(vocabulary_file().parent.absolute()),
        "RUST_BACKTRACE": "0",
    }
    return python_command(str(Path(__file__).resolve().with_name("serve.py"))), env


def _plain(message: Message | MessageRecord) -> MessageRecord:
    return message.record() if isinstance(message, Message) else message


def _result(answer: dict[str, Any], title: str, seconds: float) -> NativeResult:
    messages = tuple(Message(**record) for record in answer.get("messages", ()))
    status: Status = answer["status"]
    said = answer.get("error", "")
    error = said if answer.get("harmony") else None
    reason = ""
    if status == "raised":
        reason = f"{title} raised: {said}"
    elif status != "ok":
        reason = f"{title} gave no answer: {said}"
    return NativeResult(status, messages, tuple(answer.get("ids", ())), error, answer.get("token"), reason, seconds)


def header_length(ids: Sequence[int], role: str | None) -> int:
    """How many tokens the parser would spend in headers: each costs it 50 times what one in a body does.

    Counted up to the first token that is not ``<|start|>`` where one is needed: there it stops.
    """
    header = 0
    state: Literal["start", "header", "body"] = "start" if role is None else "header"
    for token in ids:
        if state == "body":
            if token in STOPS:
                state = "start"
        elif state == "start":
            if token != START:
                break
            header += 1
            state = "header"
        else:
            header += 1
            if token == MESSAGE:
                state = "body"
    return header


class NativePool:
    """A few workers that take turns, so that one long parse does not hold everybody up. Safe for threads."""

    def __init__(self, size: int = 2) -> None:
        self._free = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle = [NativeWorker() for _ in range(size)]
        self._all: Mapping[int, NativeWorker] = dict(enumerate(self._idle))

    @contextmanager
    def worker(self) -> Iterator[NativeWorker]:
        """A worker for the time of the ``with`` block; the one used last, whose releases are loaded."""
        with self._free:
            with self._lock:
                worker = self._idle.pop()
            try:
                yield worker
            finally:
                with self._lock:
                    self._idle.append(worker)

    def close(self) -> None:
        """End all workers; they start again when used again."""
        for worker in self._all.values():
            worker.close()


_POOL: NativePool | None = None
_POOL_PID = 0
_POOL_LOCK = threading.Lock()


def native() -> NativePool:
    """The workers that this process shares; ended when it ends."""
    global _POOL, _POOL_PID
    with _POOL_LOCK:
        # After a fork the workers belong to the parent: the child leaves them alone and has its own.
        if _POOL is None or os.getpid() != _POOL_PID:
            _POOL = NativePool()
            _POOL_PID = os.getpid()
            atexit.register(_close_pool, _POOL, _POOL_PID)
        return _POOL


def _close_pool(pool: NativePool, pid: int) -> None:
    if pid == os.getpid():
        pool.close()
