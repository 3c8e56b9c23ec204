"""The benchmark's transcripts: healthy output of a given size, in messages of a given length."""

from __future__ import annotations

from typing import Final

from inspector.gallery.runs import Dice
from inspector.tokens import MESSAGE, START, vocabulary

SENTENCES: Final = (
    " Table {} has no index, so every look-up reads all {} rows of it once more.",
    " Rows that arrive after {}:{} carry yesterday's date; they must not be counted twice.",
    " I will keep column {} until migration {} has run everywhere.",
    " Nothing else calls function_{}, as the search over {} sources shows.",
    " The tests of exporter {} pass; those of importer {} have not been run yet.",
)
"""Each begins with its blank, so that sentences encoded apart are encoded as they would be together."""

HEADERS: Final = (
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>commentary to=functions.query <|constrain|>json<|message|>", "<|call|>"),
    ("<|start|>functions.query<|channel|>commentary to=assistant<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>commentary<|message|>", "<|end|>"),
)
"""Thought, call, result and preamble in turn: every kind of header that a working agent writes."""

SLIP: Final = "<|start|>assistant<|channel|>analysis<|channel|>commentary<|message|>"
"""The founding report's most frequent defect, for the damaged transcripts."""


def transcript(tokens: int, body: int, *, slip_every: int = 0, respelled_every: int = 0, seed: int = 0) -> list[int]:
    """About ``tokens`` ids (never more, but for one message) with bodies of ``body`` tokens, a whole conversation.

    With ``slip_every`` set, every so many messages one has two channels in its header. With ``respelled_every``
    set, every so many tokens of prose one is spelled letter by letter, as no tokenizer would.
    """
    dice = Dice(seed)
    encode = vocabulary().encode_markers
    prose = _prose(dice, tokens + body)
    if respelled_every:
        for at in range(len(prose) - 1, -1, -respelled_every):
            prose[at : at + 1] = [letter for char in vocabulary().decode([prose[at]]) for letter in encode(char)]
    heads = [(encode(head), encode(tail)) for head, tail in HEADERS]
    slip = encode(SLIP)
    ids: list[int] = []
    number = at = 0
    while True:
        head, tail = heads[number % len(heads)]
        if slip_every and number % slip_every == slip_every - 1:
            head, tail = slip, heads[0][1]
        message = [*head, *prose[at : at + body], *tail]
        if ids and len(ids) + len(message) > tokens:
            return ids
        ids += message
        at += body
        number += 1


def _prose(dice: Dice, tokens: int) -> list[int]:
    """At least ``tokens`` ids of sentences with numbers in them: no body is seen twice, so no cache helps."""
    ids: list[int] = []
    while len(ids) < tokens:
        chunk = (dice.pick(SENTENCES).format(dice.below(10_000), dice.below(10_000)) for _ in range(500))
        ids += vocabulary().encode("".join(chunk))
    return ids


def count_messages(ids: list[int]) -> int:
    """How many bodies a transcript has."""
    assert ids[0] == START
    return ids.count(MESSAGE)
