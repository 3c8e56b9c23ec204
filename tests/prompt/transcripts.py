"""Random transcripts: healthy ones in every shape that models write, and broken ones."""

from __future__ import annotations

import random

from inspector.tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, vocabulary

TEXTS: tuple[str, ...] = (
    "Let me look.",
    "I'll list\nthe files",
    "Done",
    ".",
    "\n",
    " ",
    '{"a":1}',
    '{"cmd": "ls é", "n": 1e3}',
)
TEXTS += ("日本語", "🙂‍↔️", "x" * 30, "<|end|>", "don't", "{broken", "  indented\n\n\n", "ok. ", "Two words")
TOOLS = ("functions.bash", "functions.search", "bash", "python", "browser.open", "functions.工具", "container.exec")


def healthy(rng: random.Random, *, role: str | None = "assistant", count: int = 6) -> list[int]:
    """A transcript that strict parsers accept and read rightly, of ``count`` messages at most."""
    ids: list[int] = []
    first = role is not None
    previous = ""
    for number in range(rng.randint(1, count)):
        opened = [] if first else [START]
        author = "" if first else "assistant"
        if not first and previous in TOOLS and rng.random() < 0.8:
            ids += _result(rng, previous)
            previous = ""
            continue
        if not first and rng.random() < 0.1:
            ids += [START, *_encode(rng.choice(("user", "system", "developer"))), MESSAGE]
            ids += [*body(rng), END]
            previous = ""
            continue
        first = False
        kind = rng.choice(("analysis", "analysis", "preamble", "final", "call", "call"))
        if kind == "call":
            previous = rng.choice(TOOLS)
            header = _call_header(rng, author, previous)
            end = rng.choice((CALL, CALL, CALL, END, RETURN))
        else:
            previous = kind
            header = [*_encode(author), CHANNEL, *_encode({"preamble": "commentary"}.get(kind, kind))]
            end = rng.choice((END, END, RETURN)) if kind == "final" else END
        ids += [*opened, *header, MESSAGE, *body(rng), end]
        if number == count - 1 and rng.random() < 0.3:
            ids.pop()  # cut off by the token limit
    return ids


def _call_header(rng: random.Random, author: str, tool: str) -> list[int]:
    channel = [CHANNEL, *_encode(rng.choice(("commentary", "commentary", "commentary", "analysis", "final")))]
    kind = rng.choice(
        ([], _encode(" json"), [*_encode(" "), CONSTRAIN, *_encode("json")], [CONSTRAIN, *_encode("json")])
    )
    kind = rng.choice((kind, kind, kind, _encode(" code"), [*_encode(" "), CONSTRAIN, *_encode("code")]))
    to = _encode(rng.choice((" ", " ", " ", "  ", "\n")) + f"to={tool}")
    if rng.random() < 0.3:
        return [*_encode(author), *to, *channel, *kind]
    return [*_encode(author), *channel, *to, *kind]


def _result(rng: random.Random, tool: str) -> list[int]:
    channel = [CHANNEL, *_encode("commentary")]
    to = _encode(" to=assistant")
    header = rng.choice(([*channel, *to], [*to, *channel], to))
    return [START, *_encode(tool), *header, MESSAGE, *body(rng), END]


def body(rng: random.Random) -> list[int]:
    """A body: canonical for the most part, now and then in other tokens or with a special token inside."""
    text = "".join(rng.choice(TEXTS) for _ in range(rng.choice((0, 1, 2, 5))))
    ids = _encode(text)
    draw = rng.random()
    if draw < 0.1:
        return split_tokens(rng, ids)
    if draw < 0.15:
        ids.insert(rng.randint(0, len(ids)), rng.choice((START, CHANNEL, MESSAGE, 200500, 199999)))
    elif draw < 0.2:
        ids.insert(rng.randint(0, len(ids)), rng.choice((127, 180, 162, 194937, 201100, 999_999_999)))
    return ids


def split_tokens(rng: random.Random, ids: list[int]) -> list[int]:
    """The same bytes, some tokens cut in two or into single bytes."""
    vocab = vocabulary()
    out: list[int] = []
    for token in ids:
        data = vocab.token_bytes(token) or b""
        if len(data) > 1 and rng.random() < 0.4:
            out += [_byte_token(byte) for byte in data]
        else:
            out.append(token)
    return out


def broken(rng: random.Random) -> list[int]:
    """A healthy transcript with tokens lost, doubled, swapped or strewn in, or a soup of markers and words."""
    if rng.random() < 0.3:
        soup: tuple[int, ...] = (START, CHANNEL, CONSTRAIN, MESSAGE, END, CALL, RETURN, 162, 201100, -1, 2**40)
        soup += tuple(_encode("assistant analysis final to=functions.bash json user commentary"))
        return [rng.choice(soup) for _ in range(rng.randint(0, 40))]
    ids = healthy(rng, role=rng.choice((None, "assistant")))
    for _ in range(rng.randint(1, 4)):
        if not ids:
            break
        at = rng.randrange(len(ids))
        match rng.randrange(4):
            case 0:
                del ids[at]
            case 1:
                ids.insert(at, ids[at])
            case 2:
                ids.insert(at, rng.choice((START, CHANNEL, END, MESSAGE, CONSTRAIN, 162, 201100)))
            case _:
                other = rng.randrange(len(ids))
                ids[at], ids[other] = ids[other], ids[at]
    return ids


def _encode(text: str) -> list[int]:
    return vocabulary().encode(text)


def _byte_token(byte: int) -> int:
    table = vocabulary()
    return next(i for i in range(256) if table.token_bytes(i) == bytes([byte]))
