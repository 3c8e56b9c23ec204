"""How a model calls a tool, and how the result is put into its context: two formats.

``harmony`` is what gpt-oss speaks. ``function-tag`` is the plain-text form that the founding proposal of injected
results was written in: ``<function> multiply(3, 302) </function>``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..harmony.message import Message
from ..harmony.reader import read
from ..prompt import render
from ..prompt.plan import OSS_0011
from ..tokens import CALL, START, Transcript, vocabulary


@dataclass(frozen=True, slots=True)
class Call:
    """A finished tool call.

    Attributes:
        name: the tool as it is registered, "bash"; ``recipient`` as it was written, "functions.bash".
        arguments: what stood between the header and the end, to be read by the tool's own schema.
        positional: whether ``arguments`` is a JSON list of values in the order of the tool's parameters.
    """

    name: str
    recipient: str
    arguments: str
    positional: bool = False


class CallFormat(Protocol):
    """Finds finished calls in what was sampled, and writes results as tokens.

    Attributes:
        name: what people choose it by.
        stop_token_ids, stop: what ends a request at a finished call.
    """

    name: str
    stop_token_ids: tuple[int, ...]
    stop: tuple[str, ...]

    def call(self, ids: Sequence[int], role: str | None) -> Call | None:
        """The call that ``ids`` end in, or None when they end in none: the message that the prompt ends within, whose
        role is given, and all that followed."""
        ...

    def result(self, call: Call, text: str) -> tuple[int, ...]:
        """The tokens that tell the model what came of it and let it go on. Text never becomes a marker."""
        ...


_NAMESPACE: Final = "functions."


class HarmonyCalls:
    """Calls as gpt-oss writes them: a message with a recipient, ended by ``<|call|>``."""

    name = "harmony"
    stop_token_ids: tuple[int, ...] = (CALL,)
    stop: tuple[str, ...] = ()

    def __init__(self, style: str = OSS_0011) -> None:
        self.style = style

    def call(self, ids: Sequence[int], role: str | None) -> Call | None:
        """The last message, when it has a recipient and ``<|call|>`` is the last token. Damaged headers are read
        as the repair reads them; a call to nobody is none."""
        if not ids or ids[-1] != CALL:
            return None
        begin = max((at for at, token in enumerate(ids) if token == START), default=0)
        tree = read(Transcript(tuple(ids[begin:]), role=None if begin or ids[0] == START else role))
        message = tree.messages[-1] if tree.messages else None
        recipient = message.recipient if message is not None else None
        if message is None or recipient is None:
            return None
        return Call(recipient.removeprefix(_NAMESPACE), recipient, message.content)

    def result(self, call: Call, text: str) -> tuple[int, ...]:
        """The tool's message, and the ``<|start|>assistant`` that asks for the next one."""
        told = Message("tool", text, name=call.recipient, channel="commentary", recipient="assistant")
        return tuple(render([told], self.style, generation_prompt=True))


_TAG: Final = re.compile(r"<function>\s*([A-Za-z_][\w.]*)\s*\((.*?)\)\s*</function>\s*\Z", re.DOTALL)
_OPEN: Final = "<function>"
_CLOSE: Final = "</function>"


class FunctionTagCalls:
    """Calls in plain text, the arguments in the order of the tool's parameters; the result follows in the same text."""

    name = "function-tag"
    stop_token_ids: tuple[int, ...] = ()
    stop: tuple[str, ...] = (_CLOSE,)

    def call(self, ids: Sequence[int], role: str | None) -> Call | None:
        """The tag that the text ends in; only literals are arguments, nothing is ever evaluated."""
        text = vocabulary().decode(ids)
        begin = text.rfind(_OPEN)
        found = _TAG.match(text, begin) if begin >= 0 else None
        if found is None:
            return None
        values = _literals(found[2])
        if values is None:
            return Call(found[1], found[1], found[2])
        return Call(found[1], found[1], json.dumps(values), positional=True)

    def result(self, call: Call, text: str) -> tuple[int, ...]:
        """``<result> ... </result>`` behind the call."""
        return tuple(vocabulary().encode(f" <result> {text} </result>"))


def _literals(text: str) -> list[Any] | None:
    """Values separated by commas, as JSON writes them; None when they are no such list."""
    try:
        values = json.loads(f"[{text}]")
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, list) else None


FORMATS: Final[Mapping[str, CallFormat]] = {one.name: one for one in (HarmonyCalls(), FunctionTagCalls())}
"""By name, the formats that a person can choose."""
