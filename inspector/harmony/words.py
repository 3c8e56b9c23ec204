"""The words that headers are made of, and how a garbled one is recognised.

Harmony's grammar leaves channel, recipient and content type open: the strict parser takes any word. What is
listed here is what gpt-oss was trained to write (openai/harmony's format guide) and what it has been seen to
write instead; the recogniser must never turn ordinary prose into a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from .message import CHANNELS, ROLES

CONTENT_TYPES: Final = frozenset(
    {"json", "code", "text", "response", "yaml", "xml", "html", "markdown", "plain", "string", "patch"}
)
"""Content types that models write; json and code are the two of the format guide."""

GLUED_TYPES: Final = ("json", "code", "response")
"""Content types that have been seen glued to the word before them."""

BUILTINS: Final = frozenset({"python", "browser", "container"})
"""Tools without the ``functions.`` namespace, alone or before a dot."""

NOT_TOOLS: Final = frozenset({*ROLES, *CHANNELS, *CONTENT_TYPES, "all", "functions", "tools", "none", "null"})

_NAME: Final = re.compile(r"[^\s\"'`<>(){}\[\],;#?!&|*^%~\\=\ud800-\udfff]++")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*")
_CHANNEL_START: Final = re.compile(r"(analysis|commentary|final)", re.IGNORECASE | re.ASCII)


class Names:
    """Tool names that are known: declared, given by a person, or used in the transcript itself."""

    __slots__ = ("_by_tail", "declared", "full")

    def __init__(self, declared: Iterable[str] = ()) -> None:
        self.full: set[str] = set()
        self.declared: set[str] = set()
        self._by_tail: dict[str, set[str]] = {}
        for name in declared:
            self.add(name, declared=True)

    def add(self, name: str, *, declared: bool = False) -> None:
        """Make a recipient known ("functions.bash", "python"), by declaration or by use."""
        if not name or name in NOT_TOOLS:
            return
        self.full.add(name)
        if declared:
            self.declared.add(name)
        self._by_tail.setdefault(name.rsplit(".", 1)[-1], set()).add(name)

    def __bool__(self) -> bool:
        return bool(self.full)

    def resolve(self, word: str) -> str | None:
        """The full name that ``word`` stands for, or None when it is not known or stands for several."""
        if word in self.full:
            return word
        tails = self._by_tail.get(word, set())
        return next(iter(tails)) if len(tails) == 1 else None


def clean_name(text: str) -> tuple[str, int, int]:
    """The name in ``text`` as (name, start, end): quotes are stripped, junk after it cut off.

    ``functions.bash"I'm thinking`` gives ``functions.bash``; the name is empty when there is none.
    """
    start = 0
    while start < len(text) and text[start] in "\"'`<([{*":
        start += 1
    match = _NAME.match(text, start)
    if match is None:
        return "", 0, 0
    end = match.end()
    # Punctuation of a sentence is no part of a name; a single dot is left, "container." has been seen.
    while end > start and (text[end - 1] == ":" or text.endswith("..", start, end)):
        mark = text[end - 1]
        while end > start and text[end - 1] == mark:
            end -= 1
    if text.endswith(".", start, end) and text.count(".", start, end - 1):
        end -= 1  # "functions.bash." ends a sentence
    return text[start:end], start, end


def has_glued_type(name: str) -> bool:
    """True for a name like ``readjson`` that may be a name with a content type glued to it."""
    return any(name.endswith(kind) and name[: -len(kind)][-1:].isalnum() for kind in GLUED_TYPES)


def is_identifier(word: str) -> bool:
    """True for what can be a tool's name."""
    return _IDENTIFIER.fullmatch(word) is not None


def is_dotted_tool(word: str) -> bool:
    """True for a name that says itself that it is a tool: it has a namespace, or is a builtin."""
    head, dot, tail = word.partition(".")
    if not dot:
        return word in BUILTINS
    return is_identifier(word) and bool(tail) and head not in CHANNELS and not word.endswith(".")


def qualified(word: str, names: Names) -> str:
    """``word`` as a recipient: a known name as declared, a bare one in the namespace ``functions``."""
    known = names.resolve(word)
    if known is not None:
        return known
    return word if is_dotted_tool(word) else f"functions.{word}"


def as_content_type(word: str) -> str | None:
    """``word`` when it is a content type (case is kept: models write JSON too), else None."""
    return word if word.lower() in CONTENT_TYPES else None


def garbled_content_type(word: str) -> str | None:
    """The content type that a garbled word like ``fjson`` or ``json?`` holds, or None."""
    lowered = word.lower()
    for known in GLUED_TYPES:
        if lowered == known * 2 or (
            lowered != known and len(word) <= len(known) + 3 and (lowered.endswith(known) or lowered.startswith(known))
        ):
            return known
    return None


def split_channel(word: str) -> tuple[str | None, int, int]:
    """The known channel in a word of a channel slot, as (channel, start, end) within the word.

    Handles exact words, other case, junk before (``--commentary``), and a channel with something glued to it
    (``final,json``, ``commentary?We``, ``finalx``, ``commentaryanalysis``). An ordinary word that merely
    begins with one (``finalize``) is none: (None, 0, 0).
    """
    if word in CHANNELS:
        return word, 0, len(word)
    bare = word.strip("\"'`*[]()")
    if bare in CHANNELS:
        at = word.index(bare)
        return bare, at, at + len(bare)
    match = _CHANNEL_START.match(word)
    if match is not None:
        rest = word[match.end() :]
        channel = match.group().lower()
        if (
            not rest
            or not rest[0].isalnum()
            or rest.startswith("to=")
            or rest.lower() in CONTENT_TYPES
            or _CHANNEL_START.match(rest) is not None
            or len(rest) <= 2
            or rest[0].isupper()
        ):
            return channel, 0, match.end()
        return None, 0, 0
    for channel in CHANNELS:
        at = len(word) - len(channel)
        if at > 0 and word.endswith(channel) and not any(c.isalnum() for c in word[:at]):
            return channel, at, len(word)
    return None, 0, 0


def near_channel(word: str) -> str | None:
    """The channel that a cut or mistyped word means (``comment``, ``analyis``), or None."""
    lowered = word.lower()
    if len(lowered) < 4 or not lowered.isalpha():
        return None
    for channel in CHANNELS:
        if channel.startswith(lowered) and len(lowered) >= len(channel) - 4:
            return channel
        near = lowered[0] == channel[0] and abs(len(lowered) - len(channel)) <= 2
        if near and SequenceMatcher(None, lowered, channel).ratio() >= 0.83:
            return channel
    return None


def as_role(word: str) -> str | None:
    """The role that a garbled role word means: other case, doubled, abbreviated or mistyped; else None."""
    lowered = word.lower().strip(".,:;")
    if lowered in ROLES:
        return lowered
    for role in ROLES:
        if len(lowered) > len(role) and lowered == role * (len(lowered) // len(role)):
            return role
    if lowered in {"asst", "ai", "bot", "model", "assist"}:
        return "assistant"
    if len(lowered) < 4:
        return None
    for role in ROLES:
        near = abs(len(lowered) - len(role)) <= 2 and lowered[0] == role[0]
        if near and len(role) > 5 and SequenceMatcher(None, lowered, role).ratio() >= 0.84:
            return role
    return None


def has_letters(text: str) -> bool:
    """True when ``text`` says something: it holds a letter or a digit."""
    return any(c.isalnum() for c in text)
