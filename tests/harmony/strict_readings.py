"""Transcripts that the strict parser reads without an error, rightly or wrongly, and the messages that it gives."""

from __future__ import annotations

from dataclasses import dataclass

from strict_breaks import BOTH, GREETING, NEW, OLD, OPEN, ids_of

from inspector.harmony.message import Message
from inspector.harmony.verdict import Dialect


@dataclass(frozen=True)
class Reading:
    """A row about messages that are read without an error, rightly or wrongly."""

    about: str
    said: str | tuple[int, ...]
    messages: tuple[Message, ...]
    role: str | None = "assistant"
    dialects: tuple[Dialect, ...] = BOTH
    strict: bool = True

    @property
    def ids(self) -> tuple[int, ...]:
        return ids_of(self.said)


def m(
    content: str,
    channel: str | None = None,
    recipient: str | None = None,
    content_type: str | None = None,
    role: str = "assistant",
    name: str | None = None,
) -> Message:
    return Message(role, content, name, channel, recipient, content_type)


READINGS = [
    Reading("nothing, as a whole", "", (), role=None),
    Reading(
        "a tool call",
        "<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>",
        (m("{}", "commentary", "functions.bash", "<|constrain|>json"),),
    ),
    Reading(
        "the recipient first",
        " to=functions.bash<|channel|>commentary json<|message|>{}<|call|>",
        (m("{}", "commentary", "functions.bash", "json"),),
    ),
    Reading(
        "a constrain marker that touches the recipient",
        "<|channel|>commentary to=functions.bash<|constrain|>json<|message|>{}",
        (m("{}", "commentary", "functions.bash", "<|constrain|>json"),),
    ),
    Reading(
        "a tool result",
        "<|start|>functions.bash to=assistant<|channel|>commentary<|message|>ok<|end|>",
        (m("ok", "commentary", "assistant", role="tool", name="functions.bash"),),
        role=None,
    ),
    Reading(
        "two messages, the second cut off",
        f"{GREETING}{OPEN}<|channel|>final<|message|>Hi",
        (m("Hm.", "analysis"), m("Hi", "final")),
    ),
    Reading("the role repeated", "assistant<|channel|>final<|message|>x", (m("x", "final"),)),
    Reading("the role repeated twice", "assistant assistant<|message|>x", (m("x", recipient="assistant"),)),
    Reading(
        "two channels at the start",
        "<|channel|>analysis<|channel|>commentary<|message|>x",
        (m("x", "analysis", "<|channel|>commentary"),),
        dialects=(OLD,),
    ),
    Reading(
        "two channels at the start",
        "<|channel|>analysis<|channel|>commentary<|message|>x",
        (m("x", "analysis"),),
        dialects=(NEW,),
    ),
    Reading(
        "two channels later",
        "<|start|>assistant<|channel|>analysis<|channel|>final<|message|>x",
        (m("x", "analysis"),),
        role=None,
        dialects=(NEW,),
    ),
    Reading(
        "a channel glued to the recipient",
        "<|channel|>analysis to=functions.bash<|channel|>commentary<|message|>{}",
        (m("{}", "analysis", "functions.bash<|channel|>commentary"),),
        dialects=(OLD,),
    ),
    Reading(
        "a channel glued to the recipient",
        "<|channel|>analysis to=functions.bash<|channel|>commentary<|message|>{}",
        (m("{}", "analysis", "functions.bash"),),
        dialects=(NEW,),
    ),
    Reading(
        "the tool's name is lost",
        "<|channel|>commentary<|channel|>bash<|channel|>commentary<|message|>{}",
        (m("{}", "commentary"),),
        dialects=(NEW,),
    ),
    Reading(
        "a second channel and a recipient make a tool",
        "<|start|>assistant<|channel|>analysis<|channel|>commentary to=functions.bash<|message|>{}",
        (m("{}", "analysis", "functions.bash", role="tool", name="assistant<|channel|>commentary"),),
        role=None,
        dialects=(OLD,),
    ),
    Reading(
        "a later channel without a value",
        "<|channel|>final<|channel|><|message|>x",
        (m("x", "final", "<|channel|>"),),
        dialects=(OLD,),
    ),
    Reading(
        "a later channel without a value",
        "<|channel|>final<|channel|><|message|>x",
        (m("x", "final"),),
        dialects=(NEW,),
    ),
    Reading(
        "a type without a recipient",
        "<|channel|>final <|constrain|>json<|message|>{}",
        (m("{}", "final", "<|constrain|>json"),),
    ),
    Reading("a bare type without a recipient", "<|channel|>final json<|message|>{}", (m("{}", "final", "json"),)),
    Reading("code on the analysis channel", "<|channel|>analysis code<|message|>x=1", (m("x=1", "analysis", "code"),)),
    Reading(
        "a misspelt role with another word",
        "<|start|>assistent<|channel|>final json<|message|>{}",
        (m("{}", "final", "json", role="tool", name="assistent"),),
        role=None,
    ),
    Reading(
        "a channel for a role with another word",
        "<|start|>final answer<|message|>x",
        (m("x", recipient="answer", role="tool", name="final"),),
        role=None,
    ),
    Reading(
        "a recipient for a role",
        "<|start|>to=functions.bash<|channel|>commentary<|message|>{}",
        (m("{}", "commentary", role="tool", name="to=functions.bash"),),
        role=None,
    ),
    Reading("another role than the one that was told", "user<|message|>x", (m("x", recipient="user"),)),
    Reading("prose without a header", "Hello<|message|>x", (m("x", recipient="Hello"),)),
    Reading("an empty recipient", "<|channel|>final to=<|message|>x", (m("x", "final", ""),)),
    Reading("a recipient that says to= twice", "to=to=x<|message|>x", (m("x", recipient="to=x"),)),
    Reading("a comma in a channel", "<|channel|>commentary,json<|message|>x", (m("x", "commentary,json"),)),
    Reading("a zero-width space in a channel", "<|channel|>final\u200b<|message|>x", (m("x", "final\u200b"),)),
    Reading(
        "a no-break space ends a channel, but splits no words",
        "<|channel|>final\xa0a\xa0b<|message|>x",
        (m("x", "final", "a\xa0b"),),
    ),
    Reading(
        "a vertical tab ends a channel, but splits no words",
        "<|channel|>final\x0ba\x0bb<|message|>x",
        (m("x", "final", "a\x0bb"),),
    ),
    Reading("a unit separator is no white space", "<|channel|>final\x1f<|message|>x", (m("x", "final\x1f"),)),
    Reading(
        "a header that swallowed a message",
        f"<|channel|>final Hi<|end|>{OPEN}<|channel|>final<|message|>x",
        (m("x", "final", f"Hi<|end|>{OPEN}<|channel|>final"),),
        dialects=(OLD,),
    ),
    Reading(
        "a header that swallowed a message",
        f"<|channel|>final Hi<|end|>{OPEN}<|channel|>final<|message|>x",
        (m("x", "final", f"Hi<|end|>{OPEN}"),),
        dialects=(NEW,),
    ),
    Reading(
        "a missing end marker",
        f"<|channel|>analysis<|message|>Hm.{OPEN}<|channel|>final<|message|>Hi",
        (m(f"Hm.{OPEN}<|channel|>final<|message|>Hi", "analysis"),),
    ),
    Reading("a look-alike channel marker", (27, 91, 21453, 91, 29, 17196, 200008, 87), (m("x", "final"),)),
    Reading(
        "reserved and other special tokens in a body",
        (200008, 201088, 199999, 200018, 200003, 200007),
        (m("<|reserved_201088|><|endoftext|><|reserved_200018|><|constrain|>"),),
    ),
    Reading("an unknown id loses the rest of a body", (200008, 87, 201089, 87, 87, 200007), (m("x\ufffd"),)),
    Reading(
        "what waits for its end comes after the replacement",
        (200008, 87, 4103, 250_000, 87, 200007),
        (m("x\ufffd\ufffd"),),
    ),
    Reading(
        "broken bytes, one replacement for each piece",
        (200008, 162, 87, 114, 114, 4103, 87),
        (m("\ufffdx\ufffd\ufffd\ufffdx"),),
    ),
    Reading("a body cut off within a character", (200008, 87, 4103, 100), (m("x\ufffd"),)),
    Reading(
        "lenient: a header closed by end", "<|channel|>final Hello you<|end|>", (m("Hello you", "final"),), strict=False
    ),
    Reading(
        "lenient: a call without a message marker",
        "<|channel|>commentary to=functions.bash <|constrain|>json<|call|>",
        (m("to=functions.bash <|constrain|>json", "commentary"),),
        strict=False,
    ),
    Reading("lenient: only the first header is kept", f"<|end|>{OPEN}<|channel|>final Hi<|end|>", (), strict=False),
    Reading("lenient: none is kept in a whole", f"{OPEN}<|channel|>final Hi<|end|>", (), role=None, strict=False),
    Reading("lenient: a channel is all there is", "<|channel|>final<|return|>", (m("", "final"),), strict=False),
    Reading("lenient: a tool has no name then", "x y<|end|>", (m("x y", role="tool"),), role="tool", strict=False),
]
