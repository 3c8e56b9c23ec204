"""Harmony's own grammar: what the format guide describes and the releases' renderers write, as an automaton.

The strict parser accepts far more (see :mod:`.strict_header`): any word may be a channel, a recipient or a
content type. Here a transcript is a row of messages, each of them one of

* ``<|start|>`` ``user``, ``system`` or ``developer`` ``<|message|>`` body ``<|end|>``
* ``<|start|>assistant<|channel|>`` ``analysis`` or ``commentary`` ``<|message|>`` body ``<|end|>``
* ``<|start|>assistant<|channel|>final<|message|>`` body ``<|end|>`` or ``<|return|>``
* ``<|start|>assistant<|channel|>`` ``analysis`` or ``commentary`` `` to=NAME``, perhaps a content type,
  ``<|message|>`` body ``<|call|>``; or with `` to=NAME`` before the channel
* ``<|start|>NAME`` with `` to=assistant`` before or behind ``<|channel|>`` ``analysis`` or ``commentary``,
  ``<|message|>`` body ``<|end|>``

A content type is `` <|constrain|>json`` or `` json``. After ``<|return|>``, which ends a turn, another role has to
speak. Bodies are free text without special tokens; that arguments are JSON is not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_letters, digits
from typing import Final

from ..tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START
from .automaton import BYTES, Automaton, Builder, Part
from .message import CHANNELS, ROLES
from .words import BUILTINS

SPECIALS: Final = (START, CHANNEL, CONSTRAIN, MESSAGE, END, RETURN, CALL)
"""The special tokens that the grammar knows, in the order of the automaton's symbols."""

SPEAKERS: Final = ("assistant", "user", "system", "developer")
"""Roles that are written as such; the fifth, tool, is written as the tool's name."""

_CALLABLE: Final = ("analysis", "commentary")
_BEGIN: Final = (ascii_letters + "_").encode()
_GO_ON: Final = (ascii_letters + digits + "_-").encode()
_LETTERS: Final = ascii_letters.encode()
_WORD: Final = re.compile(r"[^\s<\ud800-\udfff]+")
_SHAPE: Final = re.compile(r"functions(\.[A-Za-z0-9_-]+)+")


def build(tools: Iterable[str], only_declared: bool, content_types: Iterable[str]) -> Automaton:
    """The automaton of the grammar; see :class:`inspector.harmony.legal.Grammar` for the parameters.

    Its named states: ``header ROLE`` (behind the role), ``between`` (before ``<|start|>``), ``returned`` (the
    same after ``<|return|>``), and ``body KIND`` with a kind of :func:`body_kind`.
    """
    names = sorted({tool for tool in tools if _WORD.fullmatch(tool)})
    if not only_declared:
        # The others are covered by their shape: the automaton stays small, however many are declared.
        names = [name for name in names if not _SHAPE.fullmatch(name)]
    return _Grammar(names, only_declared, sorted(set(content_types))).automaton()


def body_kind(role: str, channel: str | None, recipient: str | None) -> str:
    """What decides how a message is closed: "call", "final", "plain" (other messages of the assistant) or "other"."""
    if role != "assistant":
        return "other"
    if recipient is not None:
        return "call"
    return "final" if channel == "final" else "plain"


class _Grammar:
    def __init__(self, tools: list[str], only_declared: bool, content_types: list[str]) -> None:
        self.tools = tools
        self.only_declared = only_declared
        self.types = content_types
        self.to = Builder(SPECIALS)
        self.between = self.to.node()
        self.returned = self.to.node()
        self.bodies = {kind: self.to.node() for kind in ("call", "final", "plain", "other", "any")}

    def automaton(self) -> Automaton:
        to = self.to
        self._bodies()
        after = {"assistant": self._assistant(), "tool": self._tool()}
        other = to.node()
        to.special(other, MESSAGE, "message", self.bodies["other"])
        after |= {role: other for role in ROLES if role not in after}
        for opened, speakers in ((self.between, SPEAKERS), (self.returned, SPEAKERS[1:])):
            slot = to.special(opened, START, "start")
            for role in speakers:
                to.text(slot, role, "role", after[role])
            self._name(slot, "author", after["tool"])
        named = {"between": self.between, "returned": self.returned}
        named |= {f"header {role}": node for role, node in after.items()}
        named |= {f"body {kind}": node for kind, node in self.bodies.items()}
        return to.compile(self.between, (self.between, self.returned), named)

    def _bodies(self) -> None:
        closed_by = {
            "call": (CALL,),
            "final": (END, RETURN),
            "plain": (END,),
            "other": (END,),
            "any": (END, RETURN, CALL),
        }
        what = {END: "end", RETURN: "return", CALL: "call"}
        for kind, node in self.bodies.items():
            self.to.step(node, range(BYTES), Part("body"), node)
            for token in closed_by[kind]:
                self.to.special(node, token, what[token], self.returned if token == RETURN else self.between)

    def _assistant(self) -> int:
        """The rest of an assistant's header, behind the role."""
        to = self.to
        node = to.node()
        channel = to.special(node, CHANNEL, "channel")
        to.special(to.text(channel, "final", "channel"), MESSAGE, "message", self.bodies["final"])
        said = to.words(channel, _CALLABLE, "channel")
        to.special(said, MESSAGE, "message", self.bodies["plain"])
        self._type(self._name(to.text(said, " to=", "to"), "recipient"))
        named = self._name(to.text(node, " to=", "to"), "recipient")
        self._type(to.words(to.special(named, CHANNEL, "channel"), _CALLABLE, "channel"))
        return node

    def _type(self, node: int) -> None:
        """The end of a call's header: a content type or none, and ``<|message|>``."""
        to = self.to
        constrained = to.special(to.text(node, " ", "constrain"), CONSTRAIN, "constrain")
        typed = to.words(constrained, self.types, "type") if self.types else to.node()
        to.words(node, (f" {kind}" for kind in self.types), "type", typed)
        for last in (node, typed):
            to.special(last, MESSAGE, "message", self.bodies["call"])

    def _tool(self) -> int:
        """The rest of the header of a tool's result, behind its name."""
        to = self.to
        node = to.node()
        first = to.special(to.text(node, " to=assistant", "address"), CHANNEL, "channel")
        said = to.words(first, _CALLABLE, "channel")
        later = to.words(to.special(node, CHANNEL, "channel"), _CALLABLE, "channel")
        to.text(later, " to=assistant", "address", said)
        to.special(said, MESSAGE, "message", self.bodies["other"])
        return node

    def _name(self, node: int, what: str, end: int | None = None) -> int:
        """The name of a tool: one that is declared; else one with a namespace, or a builtin."""
        to = self.to
        end = to.node() if end is None else end
        to.words(node, self.tools, what, end)
        if self.only_declared:
            return end
        to.words(node, sorted(BUILTINS - set(self.tools)), what, end)
        space, dot, tail = to.node(), to.node(), to.node()
        to.step(space, _GO_ON, Part(what), space)
        to.step(space, b".", Part(what), dot)
        to.step(dot, _GO_ON, Part(what), tail)
        to.step(tail, _GO_ON, Part(what), tail)
        to.step(tail, b".", Part(what), dot)
        to.jump(tail, end)
        # A namespace that begins with a channel's name, or an author with a role's, or a role that letters are glued
        # to, would hide what really went wrong: "assistantfinal", "finalanswer".
        closed = {*CHANNELS, *(SPEAKERS if what == "author" else ())}
        prefixes = {word[:n] for word in (*SPEAKERS, *CHANNELS) for n in range(1, len(word) + 1)} - closed
        place = {prefix: to.node() for prefix in sorted(prefixes)} | {"": node}
        for prefix, here in place.items():
            part = Part(what, begins=not prefix)
            if prefix:
                to.step(here, b".", part, dot)
            for byte in _GO_ON if prefix else _BEGIN:
                longer = prefix + chr(byte)
                if longer not in closed and not (prefix in SPEAKERS and byte in _LETTERS):
                    to.step(here, (byte,), part, place.get(longer, space))
        return end
