"""The worker's side: loads releases of ``openai_harmony`` and answers requests on a pipe.

This file is run as a script, in a process that can be killed, and imports nothing of this project. Requests
and answers are frames of JSON: four bytes of length, big-endian, then the text. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO


class Library:
    """One release, loaded under a name of its own, so that several live in one process.

    The compiled part keeps its file name, and ``__init__`` imports it relatively: both are needed for
    this to work.
    """

    def __init__(self, title: str, location: str) -> None:
        module = _loaded(Path(location) / "__init__.py") or _load(title, location)
        self.module: ModuleType = module
        self.encoding = module.load_harmony_encoding(module.HarmonyEncodingName.HARMONY_GPT_OSS)
        self.error: type[Exception] = module.HarmonyError
        # Early releases have no lenient mode and no such parameter.
        asked = inspect.signature(self.encoding.parse_messages_from_completion_tokens).parameters
        self.has_lenient = "strict" in asked

    def parse(self, ids: list[int], role: str | None, strict: bool) -> list[dict[str, Any]]:
        """All messages, as plain records. Raises whatever the library raises."""
        who = None if role is None else self.module.Role(role)
        options = {"strict": strict} if self.has_lenient else {}
        messages = self.encoding.parse_messages_from_completion_tokens(ids, who, **options)
        return [_record(message) for message in messages]

    def locate(self, ids: list[int], role: str | None, strict: bool) -> tuple[int | None, list[dict[str, Any]]]:
        """The token at which the streaming parser raises, ``len(ids)`` at the end; and the messages before it."""
        who = None if role is None else self.module.Role(role)
        options = {"strict": strict} if self.has_lenient else {}
        parser = self.module.StreamableParser(self.encoding, who, **options)
        for index, token in enumerate(ids):
            try:
                parser.process(token)
            except self.error:
                return index, [_record(m) for m in parser.messages]
        try:
            parser.process_eos()
        except self.error:
            return len(ids), [_record(m) for m in parser.messages]
        return None, [_record(m) for m in parser.messages]

    def render(self, records: list[dict[str, Any]], next_role: str | None, auto_drop: bool) -> list[int]:
        """A conversation as ids; with ``next_role``, ready for that role to go on."""
        conversation = self.module.Conversation.from_messages([self._message(r) for r in records])
        config = self.module.RenderConversationConfig(auto_drop_analysis=auto_drop)
        if next_role is None:
            return list(self.encoding.render_conversation(conversation, config))
        role = self.module.Role(next_role)
        return list(self.encoding.render_conversation_for_completion(conversation, role, config))

    def render_message(self, record: dict[str, Any]) -> list[int]:
        """One message as ids, marker to terminator."""
        return list(self.encoding.render(self._message(record)))

    def _message(self, record: dict[str, Any]) -> Any:
        return self.module.Message.from_dict(record)


def _loaded(path: Path) -> ModuleType | None:
    """The module of that file when it was imported before: its compiled part cannot be loaded twice."""
    return next((m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(path)), None)


def _load(title: str, location: str) -> ModuleType:
    alias = "harmony_" + "".join(c if c.isalnum() else "_" for c in title)
    path = Path(location) / "__init__.py"
    spec = importlib.util.spec_from_file_location(alias, path, submodule_search_locations=[location])
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no module at {location}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[alias]
        raise
    return module


def _record(message: Any) -> dict[str, Any]:
    return {
        "role": message.author.role.value,
        "name": message.author.name,
        "channel": message.channel,
        "recipient": message.recipient,
        "content_type": message.content_type,
        "content": "".join(part.text for part in message.content),
    }


class Server:
    """Answers one request after the other."""

    def __init__(self) -> None:
        self.libraries: dict[str, Library] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; what the library raises becomes a value."""
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "load": self._load,
            "parse": self._parse,
            "render": self._render,
            "render_message": self._render_message,
        }
        try:
            return handlers[request["do"]](request)
        except (KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a release raises is its answer
            return {"status": "raised", "error": f"{type(error).__name__}: {error}", "harmony": False}
        except BaseException as error:  # noqa: BLE001 - a panic of the compiled part is no Exception
            return {"status": "crashed", "error": f"{type(error).__name__}: {error}"}

    def _load(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["release"] not in self.libraries:
            self.libraries[request["release"]] = Library(request["release"], request["location"])
        return {"status": "ok"}

    def _parse(self, request: dict[str, Any]) -> dict[str, Any]:
        library = self.libraries[request["release"]]
        ids, role, strict = request["ids"], request["role"], request["strict"]
        if not strict and not library.has_lenient:
            return {"status": "unavailable", "error": "this release has no lenient mode."}
        try:
            return {"status": "ok", "messages": library.parse(ids, role, strict)}
        except library.error as error:
            answer = {"status": "raised", "error": str(error), "harmony": True}
        if request["locate"]:
            answer["token"], answer["messages"] = library.locate(ids, role, strict)
        return answer

    def _render(self, request: dict[str, Any]) -> dict[str, Any]:
        library = self.libraries[request["release"]]
        ids = library.render(request["messages"], request["next_role"], request["auto_drop_analysis"])
        return {"status": "ok", "ids": ids}

    def _render_message(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": "ok", "ids": self.libraries[request["release"]].render_message(request["message"])}


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer requests until the input ends, or until the compiled part panics."""
    server = Server()
    while len(head := source.read(4)) == 4:
        (size,) = struct.unpack(">I", head)
        request = json.loads(source.read(size))
        with _alarm(request["deadline"]):
            answer = server.answer(request)
        data = json.dumps(answer).encode()
        target.write(struct.pack(">I", len(data)) + data)
        target.flush()
        if answer["status"] == "crashed":
            return


@contextlib.contextmanager
def _alarm(seconds: float) -> Any:
    """Have the system end this process a little after the deadline.

    The parent kills it at the deadline; this is for a parent that has died meanwhile. A handler in Python
    would never run: the library holds the interpreter's lock.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds + 5.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def main() -> None:
    """Serve on standard input and output; what the libraries print goes to standard error."""
    # Ctrl-C in a terminal reaches the whole group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a parent that ignores it would hand that down
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, target)


if __name__ == "__main__":
    main()
