"""SGLang's chat endpoint for gpt-oss: a reader of text blocks, then a pattern for tool calls.

Modelled on SGLang 0.5.23, ``srt/parser/harmony_parser.py``, ``srt/parser/reasoning_parser.py`` and
``srt/function_call/gpt_oss_detector.py`` [source, run side by side], its non-streaming chat completion
with ``--reasoning-parser gpt-oss --tool-call-parser gpt-oss``. It works on decoded text, so characters that
spell a marker are one. A tool call must come as
``<|start|>assistant<|channel|>commentary ... to=NAME<|constrain|>json<|message|>JSON<|call|>`` after
something else: a call that opens the completion has no ``<|start|>`` before it and is shown as content.
Unknown tools and arguments that are not JSON are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..tokens import vocabulary
from .reading import Call, Reading, reserialised, tool_names, without_end_of_turn
from .vllm import engine_reason

SGLANG: Final = "SGLang 0.5.23"

_KINDS: Final = ("start", "channel", "message", "constrain", "end", "call", "return")
_MARKER: Final = re.compile(r"<\|(start|channel|message|constrain|end|call|return)\|>")
_LITERALS: Final = tuple(f"<|{kind}|>" for kind in _KINDS)
_OPENS_CALL: Final = "<|start|>assistant<|channel|>commentary"
_CALL: Final = re.compile(
    r"to=([a-zA-Z_][a-zA-Z0-9_.-]*+)\s*+<\|constrain\|>json<\|message\|>(.*?)(?:<\|call\|>|$)", re.DOTALL
)
# Written so that long runs of white space cost linear time only.
_PLAIN_WORD: Final = re.compile(r"(?:^|\s|^assistant|\sassistant)(?:analysis|commentary|assistantfinal)", re.IGNORECASE)
_PLAIN_HEAD: Final = re.compile(r"\s*+(?:assistant\s*+)?+(analysis|commentary)", re.IGNORECASE)
_PLAIN_FINAL: Final = re.compile(r"\s*+assistantfinal\s*+", re.IGNORECASE)
_FINAL: Final = re.compile("assistantfinal", re.IGNORECASE)


class _Piece(NamedTuple):
    kind: str
    start: int
    end: int


@dataclass(slots=True)
class _Event:
    kind: str  # reasoning, normal or call
    content: str
    raw: str = ""


def read_sglang(ids: Sequence[int], tools: Iterable[str] = ()) -> Reading:
    """What SGLang answers for the completion ``ids``; with no ``tools`` every name counts as declared."""
    text = without_end_of_turn(vocabulary().decode(ids))
    events = _events(text)
    reasoning = "".join(e.content for e in events if e.kind == "reasoning")
    content = "".join(e.raw if e.kind == "call" else e.content for e in events if e.kind != "reasoning")
    calls: list[Call] = []
    note = ""
    if _OPENS_CALL in content:
        known = tool_names(name.rsplit(".", 1)[-1] for name in tools)
        inner = _events(content)
        for event in inner:
            if event.kind == "call" and (call := _call(event.raw, known)) is not None:
                calls.append(call)
        content = " ".join(e.content for e in inner if e.kind == "normal").strip()
    if "<|call|>" in text and not calls:
        note = "the call does not match its pattern and is not made"
    finish = "tool_calls" if calls and engine_reason(ids) == "stop" else engine_reason(ids)
    return Reading(SGLANG, content or None, reasoning or None, tuple(calls), finish, note)


def _call(raw: str, known: frozenset[str]) -> Call | None:
    match = _CALL.search(raw)
    if match is None:
        return None
    name = match.group(1).rsplit(".", 1)[-1]
    if known and name not in known:
        return None
    arguments = reserialised(match.group(2), ascii_only=False) if match.group(2).strip() else "{}"
    return None if arguments is None else Call(name, arguments)


def _events(text: str) -> list[_Event]:
    """One pass of its parser over a whole text; what it would hold back for the next chunk is lost."""
    if "<|channel|>" in text or "<|start|>" in text:
        events = list(_blocks(text))
    elif _PLAIN_WORD.search(text):
        events = _plain(text)
    else:
        return []
    return list(_without_filler(events, text))


def _without_filler(events: Iterable[_Event], text: str) -> Iterator[_Event]:
    """After a call it swallows the stray word "commentary", even when it comes in pieces."""
    filtering, partial = False, ""
    ends_in_call = text.rstrip().endswith("<|call|>")
    for event in events:
        if event.kind == "normal":
            if filtering or partial:
                word = partial + event.content.strip().lower()
                if "commentary".startswith(word):
                    filtering, partial = (False, "") if word == "commentary" else (filtering, word)
                    continue
                filtering = False
            partial = ""
        if event.kind == "call":
            filtering, partial = True, ""
        elif ends_in_call:
            filtering = True
        yield event


def _held(text: str, tokens: Sequence[str]) -> int:
    """How many characters at the end could begin one of ``tokens``: they are held back."""
    longest = 0
    for token in tokens:
        for size in range(min(len(token) - 1, len(text)), longest, -1):
            if token.startswith(text[-size:]):
                longest = size
                break
    return longest


def _pieces(text: str) -> list[_Piece]:
    """Markers and the text between them; an unknown ``<|...|>`` is text."""
    pieces: list[_Piece] = []
    at = 0
    unknown = False
    closes = True  # until a search for the end of an unknown marker finds none: there is none further on either
    while at < len(text):
        mark = text.find("<|", at)
        if mark < 0:
            break
        if mark > at:
            pieces.append(_Piece("text", at, mark))
        marker = _MARKER.match(text, mark)
        if marker is not None:
            pieces.append(_Piece(marker.group(1), mark, marker.end()))
            at = marker.end()
            continue
        if len(text) - mark < 13 and any(literal.startswith(text[mark:]) for literal in _LITERALS):
            pieces.append(_Piece("text", mark, len(text)))
            return pieces
        unknown = True
        pieces.append(_Piece("text", mark, mark + 2))
        close = text.find("|>", mark + 2) if closes else -1
        closes = close >= 0
        at = mark + 2
        if close >= 0:
            at = text.find("<|", close + 2)
            at = len(text) if at < 0 else at
            pieces.append(_Piece("text", mark + 2, at))
    if at < len(text):
        pieces.append(_Piece("text", at, len(text)))
    elif unknown and text.endswith(_LITERALS):
        pieces.append(_Piece("text", at, at))
    return pieces


def _blocks(text: str) -> Iterator[_Event]:
    pieces = _pieces(text)
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.kind in ("start", "channel"):
            found = _block(text, pieces, at)
            if found is None:
                partial = _open_analysis(text, pieces, at)
                if partial is not None:
                    yield partial
                return
            event, at = found
            yield event
            continue
        body = text[piece.start : piece.end]
        if piece.kind == "text" and at == len(pieces) - 1:
            held = _held(body, _LITERALS)
            if body[: len(body) - held]:
                yield _Event("normal", body[: len(body) - held])
            return
        if not _is_filler(text, pieces, at) and body.strip() not in _LITERALS:
            yield _Event("normal", body)
        at += 1


def _header(pieces: Sequence[_Piece], at: int) -> tuple[int | None, int | None]:
    """Indexes of the first channel marker and of the message marker after ``at``."""
    channel = None
    for index in range(at + (pieces[at].kind == "start"), len(pieces)):
        if pieces[index].kind == "channel" and channel is None:
            channel = index
        elif pieces[index].kind == "message":
            return channel, index
    return channel, None


def _channel_of(text: str, pieces: Sequence[_Piece], channel: int, message: int) -> str | None:
    header = text[pieces[channel].end : pieces[message].start].strip().lower()
    return next((known for known in ("analysis", "commentary", "final") if header.startswith(known)), None)


def _block(text: str, pieces: Sequence[_Piece], at: int) -> tuple[_Event, int] | None:
    channel, message = _header(pieces, at)
    if message is None:
        return None
    begin = pieces[message].end
    if channel is None:
        end = _next(pieces, message + 1, ("end", "call", "return"))
        return None if end is None else (_Event("normal", text[begin : pieces[end].start]), end + 1)
    kind = _channel_of(text, pieces, channel, message)
    if kind is None:
        return None
    end = _next(pieces, message + 1, ("return",) if kind == "final" else ("end", "call"))
    if end is None:
        return (_Event("normal", text[begin:]), len(pieces)) if kind == "final" else None
    body = text[begin : pieces[end].start]
    if kind == "final":
        if end + 1 < len(pieces) and pieces[end + 1].kind == "text":
            after = pieces[end + 1]
            return _Event("normal", body + text[after.start : after.end]), end + 2
        return _Event("normal", body), end + 1
    if pieces[end].kind == "call":
        return _Event("call", body.strip(), text[pieces[at].start : pieces[end].end]), end + 1
    return _Event("reasoning" if kind == "analysis" else "normal", body), end + 1


def _next(pieces: Sequence[_Piece], at: int, kinds: tuple[str, ...]) -> int | None:
    return next((index for index in range(at, len(pieces)) if pieces[index].kind in kinds), None)


def _open_analysis(text: str, pieces: Sequence[_Piece], at: int) -> _Event | None:
    """Analysis without an end is streamed as reasoning."""
    channel, message = _header(pieces, at)
    if channel is None or message is None or _channel_of(text, pieces, channel, message) != "analysis":
        return None
    return _Event("reasoning", text[pieces[message].end :])


def _is_filler(text: str, pieces: Sequence[_Piece], at: int) -> bool:
    if at == 0 or pieces[at - 1].kind != "call":
        return False
    piece = pieces[at]
    word = text[piece.start : piece.end].strip().lower()
    return piece.kind == "message" or (word == "commentary" and piece.kind == "text")


def _plain(text: str) -> list[_Event]:
    """Output whose markers were stripped: ``analysis...assistantfinal...``."""
    head = _PLAIN_HEAD.match(text)
    final = _FINAL.search(text, head.end() if head else 0)
    if head is not None and final is not None:
        kind = "reasoning" if head.group(1).lower() == "analysis" else "normal"
        parts = [(kind, text[head.end() : final.start()].strip()), ("normal", text[final.end() :].strip())]
        return [_Event(kind, part) for kind, part in parts if part]
    lowered = text.lower()
    if "assistantfin" in lowered and "assistantfinal" not in lowered and _PLAIN_WORD.search(text):
        return []
    only = _PLAIN_FINAL.match(text)
    if only is not None:
        answer = text[only.end() :].strip()
        return [_Event("normal", answer)] if answer else []
    if head is not None:
        body = text[head.end() :]
        held = _held(body, ("assistantfinal",))
        shown = body[: len(body) - held]
        if head.group(1).lower() == "analysis":
            return [_Event("reasoning", shown)] if shown else []
        return [_Event("normal", shown if held else shown.strip())] if shown else []
    shown = text[: len(text) - _held(text, ("analysis", "commentary", "assistantfinal"))]
    return [_Event("normal", shown)] if shown else []
