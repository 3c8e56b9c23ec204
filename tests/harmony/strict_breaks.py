"""Transcripts that the strict parser breaks on: the error to the letter, its token, and what is to blame."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.harmony.verdict import Dialect
from inspector.tokens import vocabulary

OLD, NEW = Dialect.FIRST_ONLY, Dialect.ALL_CHANNELS
BOTH = (OLD, NEW)
E2 = "Unexpected EOS while waiting for message header to complete"
E3 = "could not decode header"
E4 = "channel marker present but no channel value found in header"
E5 = "message header did not contain a role"
UTF8 = "Could not decode tokens: Invalid utf-8 sequence: "
OPEN = "<|start|>assistant"
COMMENTARY = "<|channel|>commentary"
GREETING = "<|channel|>analysis<|message|>Hm.<|end|>"


def unexpected(token: int) -> str:
    return f"Unexpected token {token} while expecting start token 200006"


def left(words: str) -> str:
    return f'unexpected tokens remaining in message header: Some("{words}")'


@dataclass(frozen=True)
class Break:
    """A row about an error. ``blamed`` is the text of the tokens in its cause, None for an empty one."""

    about: str
    said: str | tuple[int, ...]
    kind: str
    error: str
    token: int
    blamed: str | None
    role: str | None = "assistant"
    dialects: tuple[Dialect, ...] = BOTH
    strict: bool = True
    before: int = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return ids_of(self.said)


def ids_of(said: str | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(vocabulary().encode_markers(said)) if isinstance(said, str) else said


PROBLEMS = [
    Break("text between messages", f"{GREETING}so", "E1", unexpected(786), 6, "so", before=1),
    Break("a second terminator", f"{GREETING}<|return|>", "E1", unexpected(200002), 6, "<|return|>", before=1),
    Break(
        "a missing start marker",
        f"{GREETING}<|channel|>final<|message|>x<|end|>",
        "E1",
        unexpected(200005),
        6,
        "<|channel|>",
        before=1,
    ),
    Break(
        "a role word without its marker",
        f"{GREETING}assistant<|channel|>final<|message|>x",
        "E1",
        unexpected(173781),
        6,
        "assistant",
        before=1,
    ),
    Break(
        "a continuation parsed as a whole",
        "<|channel|>final<|message|>x",
        "E1",
        unexpected(200005),
        0,
        "<|channel|>",
        role=None,
    ),
    Break("an unknown id between messages", (250_000,), "E1", unexpected(250000), 0, "", role=None),
    Break("nothing at all", "", "E2", E2, 0, None),
    Break("a header that is cut off", "<|channel|>final", "E2", E2, 2, "<|channel|>final"),
    Break("a start marker alone", f"{GREETING}<|start|>", "E2", E2, 7, "<|start|>", before=1),
    Break(
        "a final without its message marker",
        f"{GREETING}{OPEN}<|channel|>final Hi.<|return|>",
        "E2",
        E2,
        13,
        f"{OPEN}<|channel|>final Hi.",
        before=1,
    ),
    Break("a stray byte", (200005, 17196, 162, 200008, 9050), "E3", E3, 3, "\ufffd"),
    Break("an unknown id in a header", (200005, 17196, 201089, 200008, 9050), "E3", E3, 3, ""),
    Break("an unknown id and a stray byte", (162, 250_000, 250_001, 200008), "E3", E3, 3, ""),
    Break("half an emoji at the end", (200005, 17196, 4103, 200008), "E3", E3, 3, "\ufffd"),
    Break("a blank for a channel", "<|channel|> final<|message|>x", "E4", E4, 2, "<|channel|>"),
    Break("no channel", "<|channel|><|message|>x", "E4", E4, 1, "<|channel|>"),
    Break(
        "a channel that begins with a marker", "<|channel|><|constrain|>json<|message|>x", "E4", E4, 3, "<|channel|>"
    ),
    Break("a look-alike without a value", (27, 91, 21453, 91, 29, 200008), "E4", E4, 5, "<|channel|>"),
    Break(
        "an empty first value, in spite of a second one",
        "<|channel|><|channel|>final<|message|>x",
        "E4",
        E4,
        3,
        "<|channel|>",
    ),
    Break("an empty header", "<|start|><|message|>x", "E5", E5, 1, None, role=None),
    Break("a header with a channel only", "<|start|><|channel|>final<|message|>x", "E5", E5, 3, None, role=None),
    Break(
        "a channel for a role",
        f"{GREETING}<|start|>final<|message|>x",
        "E6",
        "Unknown role: final",
        8,
        "final",
        before=1,
    ),
    Break(
        "a second start marker",
        f"{GREETING}<|start|>{OPEN}<|message|>x",
        "E6",
        "Unknown role: <|start|>assistant",
        9,
        "<|start|>assistant",
        before=1,
    ),
    Break(
        "a named user", "<|start|>user:alice<|message|>x", "E6", "Unknown role: user:alice", 4, "user:alice", role=None
    ),
    Break(
        "two channels",
        f"{GREETING}{OPEN}<|channel|>analysis<|channel|>commentary<|message|>x",
        "E6",
        "Unknown role: assistant<|channel|>commentary",
        13,
        "<|channel|>commentary",
        dialects=(OLD,),
        before=1,
    ),
    Break(
        "a tool where a channel belongs",
        f"{GREETING}{OPEN}<|channel|>commentary<|channel|>bash<|channel|>commentary<|message|>x",
        "E6",
        "Unknown role: assistant<|channel|>bash<|channel|>commentary",
        16,
        "<|channel|>bash<|channel|>commentary",
        dialects=(OLD,),
        before=1,
    ),
    Break(
        "a recipient twice",
        " to=functions.bash<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}",
        "E7",
        left("to=functions.bash"),
        16,
        " to=functions.bash",
    ),
    Break(
        "a word too many",
        "<|channel|>commentary bash to=functions.bash <|constrain|>json<|message|>{}",
        "E7",
        left("bash"),
        12,
        " bash",
    ),
    Break("quotes and backslashes", 'a "b" c\\d x y<|message|>', "E7", left('a \\"b\\" c\\\\d'), 8, 'a "b" c\\d'),
    Break(
        "combining marks and controls",
        "e\u0301\x07\u200b\0 x y<|message|>",
        "E7",
        left("e\\u{301}\\u{7}\\u{200b}\\0"),
        7,
        "e\u0301\x07\u200b\0",
    ),
    Break(
        "words around a channel",
        "one<|channel|>final two x y<|message|>",
        "E7",
        left("one two"),
        6,
        "one<|channel|>final two",
    ),
    Break(
        "lenient: a stray byte before a stop",
        (35644, 162, 200007),
        "E8",
        UTF8 + "incomplete utf-8 byte sequence from index 8",
        2,
        "\ufffd",
        strict=False,
    ),
    Break(
        "lenient: a byte that nothing begins with",
        (35644, 114, 17196, 200007),
        "E8",
        UTF8 + "invalid utf-8 sequence of 1 bytes from index 8",
        3,
        "\ufffd",
        strict=False,
    ),
    Break(
        "lenient: an unknown id before a stop",
        (35644, 201089, 200007),
        "E8",
        "Could not decode tokens: Invalid token error: Invalid token for decoding: 201089",
        2,
        "",
        strict=False,
    ),
    Break(
        "lenient: a channel without a value before a stop",
        "<|channel|><|end|>",
        "E4",
        E4,
        1,
        "<|channel|>",
        strict=False,
    ),
]
