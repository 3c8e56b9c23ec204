"""Other readers of gpt-oss output that work on text: verl, Ollama, llama.cpp.

Each function names what it was modelled on and where it stops being exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from ..tokens import vocabulary
from .reading import Call, Reading, reserialised, tool_names
from .vllm import engine_reason

VERL: Final = "verl"
OLLAMA: Final = "Ollama"
LLAMA_CPP: Final = "llama.cpp"

_TAIL: Final = re.compile(r"<\|(?:return|call|endoftext)\|>\Z")
_ASSISTANT_CHANNEL: Final = "<|start|>assistant<|channel|>"
_TO: Final = " to=functions."
_JSON_OPENS: Final = "<|constrain|>json<|message|>"


def read_verl(ids: Sequence[int]) -> Reading:
    """What verl's agent loop finds: tool calls by one regular expression over the decoded text.

    Modelled on verl's ``GptOssToolParser`` (``verl/experimental/agent_loop/tool_parser.py``) [source]:
    reasoning messages are cut out, then every ``<|start|>assistant<|channel|>... to=functions.NAME
    <|constrain|>json<|message|>...<|call|>`` is a call. Exact. It has no reasoning and no finish reason:
    without a match the episode ends.
    """
    text = vocabulary().decode(ids)
    text = _cut(text, f"{_ASSISTANT_CHANNEL}analysis<|message|>")
    text = _cut(text, "<|channel|>analysis<|message|>")
    calls: list[Call] = []
    rest: list[str] = []
    at = done = 0
    while (start := text.find(_ASSISTANT_CHANNEL, at)) >= 0:
        at = start + len(_ASSISTANT_CHANNEL)
        stop = text.find("<", at)
        if stop < 0:
            break
        # The name is what stands after the last " to=functions." of the header, up to the blank before "<".
        to = text.rfind(_TO, at, stop)
        name = text[to + len(_TO) : stop - 1] if to >= 0 and text[stop - 1] == " " else ""
        if not name or not text.startswith(_JSON_OPENS, stop):
            continue
        body = stop + len(_JSON_OPENS)
        end = text.find("<|call|>", body)
        if end < 0:
            break
        calls.append(Call(name, text[body:end]))
        rest.append(text[done:start])
        at = done = end + len("<|call|>")
    note = "" if calls else "no call: the episode ends here"
    return Reading(VERL, "".join((*rest, text[done:])) or None, None, tuple(calls), None, note)


def _cut(text: str, opening: str) -> str:
    """``text`` without every stretch from ``opening`` to the next ``<|end|>``."""
    kept: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0:
        end = text.find("<|end|>", start + len(opening))
        if end < 0:
            break
        kept.append(text[at:start])
        at = end + len("<|end|>")
    return "".join((*kept, text[at:]))


def read_ollama(ids: Sequence[int]) -> Reading:
    """What Ollama's own parser gives.

    Modelled on Ollama's ``harmony/harmonyparser.go`` [source]: headers never fail, only ``<|end|>`` ends a
    message, the channel's value ends at white space, a recipient counts when it is the first or second word,
    all tool bodies of a turn are one call, and arguments that are not a JSON object are a request error.
    ``<|call|>`` and ``<|return|>`` end generation and are not in the text. Exact but for Go's JSON decoder,
    which differs from Python's in rare corners.
    """
    text = "<|start|>assistant" + _TAIL.sub("", vocabulary().decode(ids))
    shown: dict[str, list[str]] = {"content": [], "thinking": [], "tool": []}
    tool: str | None = None
    goes = "content"
    at = 0
    while (start := text.find("<|start|>", at)) >= 0:
        message = text.find("<|message|>", start)
        if message < 0:
            break
        channel, recipient = _ollama_header(text[start + len("<|start|>") : message])
        if channel in ("analysis", "commentary"):
            tool = recipient or tool
            goes = "tool" if recipient else "thinking" if channel == "analysis" else "content"
        elif channel == "final":
            goes = "content"
        body = message + len("<|message|>")
        end = text.find("<|end|>", body)
        shown[goes].append(text[body : end if end >= 0 else len(text)])
        if end < 0:
            break
        at, goes = end + len("<|end|>"), "content"
    content, thinking, raw = ("".join(shown[key]) or None for key in ("content", "thinking", "tool"))
    if tool is None:
        return Reading(OLLAMA, content, thinking, (), engine_reason(ids))
    if not _is_object(raw or ""):
        return Reading(OLLAMA, note="request error: the arguments are not a JSON object")
    call = Call(tool.removeprefix("functions."), reserialised(raw or "") or "")
    return Reading(OLLAMA, content, thinking, (call,), engine_reason(ids))


def _ollama_header(raw: str) -> tuple[str, str]:
    raw = raw.replace("<|constrain|>", " <|constrain|>", 1)
    before, marker, after = raw.partition("<|channel|>")
    channel = ""
    if marker:
        value = re.match(r"\S*", after)
        channel = value.group() if value else ""
        raw = before + after[len(channel) :]
    words = raw.split()
    if words and words[0].startswith("to="):
        return channel, words[0][3:]
    if len(words) > 1 and words[1].startswith("to="):
        return channel, words[1][3:]
    return channel, ""


def _is_object(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or value is None


_STRAY: Final = re.compile(r"<\|channel\|>commentary(?: to=assistant)?(?=<\|channel\|>)")
_LLAMA_BLOCK: Final = re.compile(r"<\|channel\|>(analysis|commentary|final)<\|message\|>")
_TYPE_CHARS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_CONSTRAINT: Final = r"(?P<type>\s*+(?:<\|constrain\|>)?+[A-Za-z0-9_-]++)?+"
_LLAMA_CALL: Final = re.compile(
    r"(?: to=functions\.(?P<in_role>[^\s<]++)<\|channel\|>(?:commentary|analysis)"
    r"|<\|channel\|>(?:commentary|analysis) to=functions\.(?P<in_channel>[^\s<]++))"
    + _CONSTRAINT
    + r"<\|message\|>\s*+"
)


def read_llama_cpp(ids: Sequence[int], tools: Iterable[str] = ()) -> Reading:
    """What llama.cpp's grammar for gpt-oss makes of the text, in the clear cases.

    Modelled on ``common/parsers/gpt-oss.cpp`` [source], tools declared and ``tool_choice`` auto: reasoning
    and preambles, then one call or the answer; anything else is a parse error. In llama.cpp the same grammar
    holds the sampler, so such output cannot come from it; this is what it would do with output from
    elsewhere. Not exact: arguments are checked to be JSON, not against the tool's schema, and with no
    ``tools`` given every name counts as declared.
    """
    text = _TAIL.sub("", vocabulary().decode(ids))
    known = tool_names(tools)
    reasoning: list[str] = []
    content: list[str] = []
    at = 0
    while True:
        call = _LLAMA_CALL.match(text, at)
        if call is not None:
            name = call["in_role"] or _shortest(call)
            arguments = _json_prefix(text, call.end())
            if arguments is None or (known and name not in known):
                return _llama_error()
            calls = (Call(name, arguments),)
            finish = "tool_calls" if engine_reason(ids) == "stop" else engine_reason(ids)
            return Reading(LLAMA_CPP, "".join(content) or None, "".join(reasoning) or None, calls, finish)
        stray = _STRAY.match(text, at)
        block = _LLAMA_BLOCK.match(text, stray.end() if stray else at)
        if block is None or (stray and block.group(1) == "commentary"):
            return _llama_error()
        end = text.find("<|end|>", block.end())
        body = text[block.end() : end if end >= 0 else len(text)]
        (reasoning if block.group(1) == "analysis" else content).append(body)
        if block.group(1) == "final" or end < 0:
            break
        at = end + len("<|end|>")
        if not text.startswith("<|start|>assistant", at):
            if at == len(text) or "<|start|>assistant".startswith(text[at:]):
                break
            return _llama_error()
        at += len("<|start|>assistant")
        if at == len(text):
            break
    return Reading(LLAMA_CPP, "".join(content) or None, "".join(reasoning) or None, (), engine_reason(ids))


def _shortest(call: re.Match[str]) -> str:
    """The name of a call's channel section as the grammar takes it: as short as it can be.

    The content type needs no blank before it, so all that could be one at the end of a name is taken for it.
    """
    name = call["in_channel"]
    if call["type"] is not None:
        return name
    end = len(name)
    while end > 1 and name[end - 1] in _TYPE_CHARS:
        end -= 1
    return name[:end]


def _llama_error() -> Reading:
    return Reading(LLAMA_CPP, note="parse error: the output does not match the grammar")


def _json_prefix(text: str, at: int) -> str | None:
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return text[at:end]
