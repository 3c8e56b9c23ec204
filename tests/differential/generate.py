"""Token sequences to try parsers with: transcripts that look real, broken in the ways that models break them.

Knows the format but nothing of the code under test. Everything is drawn from one seeded ``random.Random``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL = 200006, 200007, 200008, 200005, 200003, 200002, 200012
ENDOFTEXT, RESERVED = 199999, (200000, 200001, 200004, 200009, 200018, 201000, 201087, 201088)
UNKNOWN = (201089, 201090, 250_000, 2**31, 2**32 - 1)
MARKERS = (START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL)
STOPS = (END, RETURN, CALL)

ROLES = ("assistant", "user", "tool", "system", "developer")
BAD_ROLES = (
    "final",
    "assistent",
    "Assistant",
    "functions.bash",
    "to=functions.x",
    "commentary",
    "user:alice",
    "ASSISTANT",
)
CHANNELS = ("analysis", "commentary", "final")
BAD_CHANNELS = ("bash", "Final", "commentary,json", "comment", "analysis\u200b", "", " ", "<", "json", "code")
RECIPIENTS = ("functions.bash", "functions.search", "browser.open", "python", "all", "assistant", "user", "")
TYPES = ("json", "code", "text", "python", "xml", "")
JUNK = (
    "bash", "json", "code", "to=functions.bash", "to=", "to=to=x", "# We'll create a file", "I'm thinking",
    "(We attempt to run pytest)", "by using git checkout...", "assistant", "tool", "user", '"},', '\\"', "\\", '"', "'",
    "<", "<|", "|>", "<<", "a<b", "to=a<|b", "functions", "...", "{}", "== to=",
    "\u65e5\u672c\u8a9e", "\u00e9\u00e8", "caf\u0301e",
)  # fmt: skip
LOOK_ALIKES = (
    "<|channel|>", "<|start|>", "<|message|>", "<|end|>", "<|constrain|>", "<|call|>", "<|return|>", "<|chan", "nel|>",
    "<|channel|>final", "<|constrain|>json", "<channel>", "<|endoftext|>", "<|refusal|>", "<|untrusted|>",
)  # fmt: skip
SPACES = (
    " ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u180e",
    "\u2000", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff",
)  # fmt: skip
ODD = (
    "\0", "\x01", "\x07", "\x1b[31m", "\x7f", "\x9f", "\xad", "\u0301", "\u034f", "\u061c", "\u200d",
    "\u200e", "\u202e",
    "\u2066", "\ufe0f", "\ufffd", "\ufffe", "\ue000", "\ud7ff", "\U0001f600", "\U0001f468\u200d\U0001f469",
    "\U000e0001",
    "\U000e0100", "\U0010ffff", "\U0001fac6", "\U0001f6d8", "\u0b57", "\u09be", "\uff9e", "\u1f89", "\u0378", "\u088f",
    "\U00016ea0", "\U000323b0", "\U0001ccfa", "\u20c1",
)  # fmt: skip
BODIES = (
    "Hello.", "", " ", '{"cmd": "ls"}', '{"cmd": "ls', "Run the tests, then stop.",
    "def f():\n    return 1\n", "caf\u00e9 \u65e5\u672c", "ok",
)  # fmt: skip

Pieces = list[list[int]]

# Of the kinds of piece below: what cannot be decoded hides everything else that is wrong with a header.
_WEIGHTS = (7, 4, 4, 5, 2, 2, 2, 1, 2, 6, 8, 6, 5, 4, 9)


class Generator:
    """An endless source of token sequences.

    Args:
        encode: ordinary text to ids, never to special ones. The ids below 256 are taken for single bytes.
        seed: equal seeds give equal sequences.
    """

    def __init__(self, encode: Callable[[str], list[int]], seed: int) -> None:
        self._encode = encode
        self._memory: dict[str, list[int]] = {}  # its lists are shared: never altered
        self.random = random.Random(seed)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        while True:
            yield self.sequence()

    def sequence(self) -> tuple[int, ...]:
        """One sequence of at most a few hundred ids, all of them from 0 to 2**32 - 1."""
        choose = self.random.random()
        if choose < 0.70:
            return self._broken()
        if choose < 0.84:
            return self._flat(self._conversation())
        if choose < 0.95:
            return self._soup()
        return self._noise()

    def text(self, text: str) -> list[int]:
        """Ordinary tokens for ``text``."""
        if text not in self._memory:
            if len(self._memory) > 10_000:
                self._memory.clear()
            self._memory[text] = self._encode(text)
        return self._memory[text]

    def _flat(self, pieces: Pieces) -> tuple[int, ...]:
        return tuple(token for piece in pieces for token in piece)

    def _conversation(self) -> Pieces:
        pieces: Pieces = []
        for index in range(self.random.choices((1, 2, 3, 4), (4, 5, 3, 1))[0]):
            message = self._message()
            # As a continuation: the prompt held <|start|> and perhaps the role.
            if index == 0 and self.random.random() < 0.5:
                message = message[self.random.choice((1, 2, 2, 2)) :]
            pieces += message
        return pieces

    def _message(self) -> Pieces:
        pick, chance = self.random.choice, self.random.random
        role = pick(ROLES) if chance() < 0.3 else "assistant"
        recipient = self.text(f" to={pick(RECIPIENTS)}") if chance() < 0.5 else []
        first = chance() < 0.4
        message: Pieces = [[START], self.text(pick(("functions.bash", role)) if role == "tool" else role)]
        if recipient and first:
            message.append(recipient)
        if chance() < 0.9:
            message += [[CHANNEL], self.text(pick(CHANNELS))]
        if chance() < 0.15:
            message += [[CHANNEL], self.text(pick((*CHANNELS, "bash")))]
        if recipient and not first:
            message.append(recipient)
        if chance() < 0.4:
            message += (
                pick(([self.text(" ")], [])) + ([[CONSTRAIN]] if chance() < 0.7 else []) + [self.text(pick(TYPES))]
            )
        message += [[MESSAGE], self.text(pick(BODIES))]
        message.append([CALL if recipient and chance() < 0.8 else RETURN if chance() < 0.1 else END])
        return message

    def _piece(self) -> list[int]:
        """Something to put where it does not belong."""
        pick = self.random.choice
        kind = self.random.choices(range(3, 18), _WEIGHTS)[0]
        if kind == 3:
            return [pick(MARKERS)]
        if kind == 4:
            return self.text(pick(LOOK_ALIKES))
        if kind == 5:
            return self.text(pick(SPACES))
        if kind == 6:
            return self.text(pick(("x", "", "a b")) + pick(ODD) + pick(("", "z", pick(ODD))))
        if kind == 7:
            return [self.random.randrange(256) for _ in range(self.random.randint(1, 3))]
        if kind == 8:
            return [pick(UNKNOWN)]
        if kind == 9:
            return [pick((*RESERVED, ENDOFTEXT, 199998))]
        if kind == 10:
            # Some of the tokens of a character.
            whole = self.text(pick(("\U0001f9ff", "\U00013080", "\u16a0", "\U0001d4d0")))
            return whole[: self.random.randint(1, len(whole))]
        if kind == 11:
            return [self.random.randrange(199_998)]
        if kind == 12:
            return [CHANNEL, *self.text(pick((*CHANNELS, *CHANNELS, *BAD_CHANNELS)))]
        if kind == 13:
            return self.text(pick((" ", "")) + pick((*ROLES, *BAD_ROLES)))
        if kind == 14:
            return self.text(pick((" ", "")) + "".join(pick((*JUNK, *ODD, *SPACES)) for _ in range(3)))
        if kind == 15:
            return [CONSTRAIN, *self.text(pick(TYPES))]
        if kind == 16:
            code = self.random.choice((range(0x20, 0x3000), range(0x3000, 0xD800), range(0xE000, 0x20000)))
            return self.text("w" + chr(self.random.choice(code)))
        return self.text(" " + pick(JUNK))

    def _broken(self) -> tuple[int, ...]:
        pieces = self._conversation()
        rng = self.random
        for _ in range(rng.choices((1, 2, 3, 5, 9), (12, 5, 3, 2, 1))[0]):
            where = rng.randrange(len(pieces) + 1)
            what = rng.randrange(10)
            if what < 4 or not pieces:
                pieces.insert(where, self._piece())
                continue
            where = min(where, len(pieces) - 1)
            if what == 4:
                del pieces[where]
            elif what == 5:
                pieces.insert(rng.randrange(len(pieces)), pieces.pop(where))
            elif what == 6:
                pieces.insert(where, list(pieces[where]))
            elif what == 7:
                pieces[where] = self._piece()
            elif what == 8:
                del pieces[rng.randint(where, len(pieces)) :]
            else:
                marker = [i for i, p in enumerate(pieces) if len(p) == 1 and p[0] in MARKERS]
                if marker:
                    del pieces[rng.choice(marker)]
        if rng.random() < 0.08 and pieces:
            # Into the middle of a run of tokens.
            where = rng.randrange(len(pieces))
            whole = pieces[where]
            pieces[where] = [*whole[: rng.randrange(len(whole) + 1)], *self._piece()]
        return self._flat(pieces)

    def _soup(self) -> tuple[int, ...]:
        """A few of all pieces there are, in any order: the corners of the state machine."""
        pieces = [self._piece() for _ in range(self.random.randrange(14))]
        if self.random.random() < 0.5:
            pieces.append([MESSAGE])
        return self._flat(pieces)

    def _noise(self) -> tuple[int, ...]:
        rng = self.random
        high = rng.choice((256, 201_200, 201_200, 2**32))
        return tuple(
            rng.choice(MARKERS) if rng.random() < 0.25 else rng.randrange(high) for _ in range(rng.randrange(25))
        )
