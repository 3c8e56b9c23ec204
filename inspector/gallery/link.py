"""Links that carry their transcript: what stands behind the ``#`` of an address, which browsers keep to themselves.

A payload is ``h1.`` and base64url without padding of: one byte that says how the rest is packed (0 not at all,
1 raw deflate, 2 raw LZMA2), and the packed body: the length of the head, the head (JSON, UTF-8), the ids as varints
(least significant seven bits first; with ``"signed"`` in the head, zigzag), and the CRC-32 of all before it (4 bytes,
little-endian).

The head has only what differs from the default: ``role`` (absent for "assistant"), ``id``, ``title``, ``story``,
``tools``, ``finish_reason`` and ``stop_reason`` (present when reported, be it null), ``origins`` (runs, [name,
length]), ``settings``, ``tags`` (as in a transcript record), ``token``. What a later version adds must be optional:
readers skip keys that they do not know. Anything else needs the next number in front.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, Literal

from ..budgets import APP, MAX_LINK_BODY, first_beyond
from ..harmony.message import ROLES
from ..ingest import Switches, card_of, carrying, switches_of
from ..ingest.carried import KEY, carried_by
from ..ingest.documents import json_problem, parse_json
from ..ingest.unpacking import LZMA, UnpackError, in_words, inflate
from ..tokens import Transcript

NEWEST: Final = 1
"""The newest version of payloads that is understood here."""

MAX_LINK: Final = 1_900_000
"""Characters of a payload that are offered as a link.

Measured with Chromium 156 through the app (opened by address, reloaded, sent up the websocket): 2,080,062 characters
open, 2,110,187 do not, since Chromium ends addresses at 2 MiB. The rest is room for the app's own address.
"""

_LAST_SHIFT: Final = 63
"""Of the tenth byte of a varint, the last that an id of 64 bits and a sign has."""

_MAX_TEXT: Final = 20_000
_ORIGINS: Final = ("prompt", "sampled", "injected")
_BEYOND: Final = "Token {:,} of this link has an id beyond 64 bits, and no token has: the link is damaged."
# What a chat or a sentence puts behind an address is no part of it.
_PAYLOAD: Final = re.compile(r"\s*+#?+h([0-9]{1,4}+)\.([A-Za-z0-9_-]*+)[\s).,;:>\]}\"']*+")
_IN_ADDRESS: Final = re.compile(r"#(h[0-9]{1,4}+\.[A-Za-z0-9_-]*+)")
_FORMS: Final[tuple[Literal["raw", "lzma"], ...]] = ("raw", "lzma")


class LinkError(ValueError):
    """A link that cannot be written or opened; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What a link carries.

    Attributes:
        transcript: with its switches and its card (:func:`inspector.ingest.carrying`), but without logprobs,
            alternatives, prompt and the notes of its source, which no link carries.
        token: the chosen token, None for none.
    """

    transcript: Transcript
    token: int | None = None


def left_out(transcript: Transcript) -> tuple[str, ...]:
    """What of ``transcript`` no link carries, in words."""
    parts = {
        "the logprobs": transcript.logprobs is not None,
        "the alternatives of each token": transcript.top is not None,
        "the prompt": transcript.prompt_ids is not None,
        "the notes of its source": bool(set(transcript.meta) - {KEY}),
    }
    return tuple(words for words, there in parts.items() if there)


def write_link(transcript: Transcript, token: int | None = None) -> str:
    """The payload, ``h1.…``: what stands behind the ``#``. It may be longer than :data:`MAX_LINK`.

    Args:
        transcript: what it carries (:func:`inspector.ingest.carrying`) goes along.
        token: the chosen token.

    Raises:
        LinkError: more tokens than the app opens, or a text too long for a link.
    """
    if len(transcript.ids) > APP.tokens:
        raise LinkError(f"A link carries up to {APP.tokens:,} tokens; this transcript has {len(transcript.ids):,}.")
    head = _head(transcript, token)
    signed = any(number < 0 for number in transcript.ids)
    if signed:
        head["signed"] = True
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    body = bytearray(_varint(len(text)) + text)
    known: dict[int, bytes] = {}
    for number in transcript.ids:
        piece = known.get(number)
        if piece is None:
            piece = known[number] = _varint((number << 1 if number >= 0 else ~(number << 1)) if signed else number)
        body += piece
    if len(body) + 4 > MAX_LINK_BODY:
        raise LinkError(f"A link carries up to {in_words(MAX_LINK_BODY)}; this transcript is larger.")
    body += zlib.crc32(body).to_bytes(4, "little")
    return f"h{NEWEST}." + base64.urlsafe_b64encode(_pack(bytes(body))).decode().rstrip("=")


def _head(transcript: Transcript, token: int | None) -> dict[str, Any]:
    head: dict[str, Any] = {**card_of(transcript).record()}
    if transcript.role != "assistant":
        head["role"] = transcript.role
    if transcript.id:
        head["id"] = transcript.id
    if transcript.tools:
        head["tools"] = list(transcript.tools)
    switches = switches_of(transcript)
    if switches != Switches():
        head["settings"] = {key: value for key, value in switches.record().items() if value}
    for key in ("finish_reason", "stop_reason"):
        value = getattr(transcript, key)
        if key in transcript.reported or value is not None:
            head[key] = value
    if transcript.origins is not None:
        head["origins"] = [[name, sum(1 for _ in run)] for name, run in groupby(transcript.origins)]
    if token is not None:
        head["token"] = token
    return head


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _pack(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    candidates = [
        b"\x00" + body,
        b"\x01" + packer.compress(body) + packer.flush(),
        b"\x02" + lzma.compress(body, lzma.FORMAT_RAW, filters=LZMA),
    ]
    return min(candidates, key=len)


def payload_in(text: str) -> str | None:
    """The payload in an address that somebody pasted, None when there is none."""
    found = _IN_ADDRESS.search(text)
    return found.group(1) if found else None


def read_link(payload: str) -> Shared:
    """What a payload carries. Reads whatever any version up to this one wrote.

    Raises:
        LinkError: no payload, one of a later version, or damaged; the message is for a person.
    """
    found = _PAYLOAD.fullmatch(payload)
    if found is None and payload.rstrip().endswith(("…", "%E2%80%A6")):
        raise LinkError(
            "This link was cut short where it was copied: copy it with the button beside it, or ask for it anew."
        )
    if found is None:
        raise LinkError("This link carries no transcript: expected #h1. and letters, digits, - and _ behind it.")
    version = int(found.group(1))
    if version > NEWEST:
        raise LinkError(
            f"This link is of version {version}; this harmonylens knows versions up to {NEWEST}: install a later one."
        )
    if version < 1:
        raise LinkError(f"There are no links of version {version}: the link is damaged.")
    try:
        return _shared(_unpack(found.group(2)))
    except LinkError:
        raise
    except UnpackError as error:
        raise LinkError(str(error)) from error
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise _damaged() from error


def _damaged() -> LinkError:
    return LinkError("This link is damaged or was cut short: ask for it again, or for the file.")


def _unpack(text: str) -> bytes:
    # Python's decoder tolerates what no writer of ours makes; a length of 1 modulo 4 is no base64 at all.
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not packed:
        raise _damaged()
    if packed[0] == 0:
        body = packed[1 : MAX_LINK_BODY + 2]
        if len(body) > MAX_LINK_BODY:
            raise LinkError(f"This link holds more than {in_words(MAX_LINK_BODY)}, and was not opened.")
    elif packed[0] <= len(_FORMS):
        body = inflate(packed[1:], MAX_LINK_BODY, form=_FORMS[packed[0] - 1], what="This link")
    else:
        raise _damaged()
    if len(body) < 5 or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
        raise _damaged()
    return body[:-4]


def _numbers(body: bytes, start: int) -> Iterator[int]:
    number = shift = count = 0
    for byte in memoryview(body)[start:]:
        number |= (byte & 127) << shift
        if byte > 127:
            shift += 7
            if shift > _LAST_SHIFT:
                raise LinkError(_BEYOND.format(count + 1))
        else:
            yield number
            number = shift = 0
            count += 1
    if shift:
        raise _damaged()


def _read_head(text: str) -> object:
    try:
        return parse_json(text, APP)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # It came whole, and says what is not read.
        why = json_problem(error, text, 1).sentence.partition(": ")[2]
        raise LinkError(f"This link was not opened: {why}.") from error


def _shared(body: bytes) -> Shared:
    size = next(_numbers(body, 0))
    start = len(_varint(size))
    head = _read_head(body[start : start + size].decode("utf-8", "surrogatepass"))
    if not isinstance(head, dict) or start + size > len(body):
        raise _damaged()
    ids: list[int] = []
    for number in _numbers(body, start + size):
        ids.append(number)
        if len(ids) > APP.tokens:
            raise LinkError(f"This link has more than {APP.tokens:,} tokens, and was not opened: ask for the file.")
    if head.get("signed") is True:
        ids = [number >> 1 if not number & 1 else ~(number >> 1) for number in ids]
    beyond = first_beyond(ids)
    if beyond is not None:
        raise LinkError(_BEYOND.format(beyond + 1))
    return _checked(head, tuple(ids))


def _checked(head: Mapping[str, Any], ids: tuple[int, ...]) -> Shared:
    role = head.get("role", "assistant")
    if role is not None and role not in ROLES:
        raise _damaged()
    finish, stop = head.get("finish_reason"), head.get("stop_reason")
    if not isinstance(finish, str | None) or not isinstance(stop, str | int | None) or isinstance(stop, bool):
        raise _damaged()
    transcript = Transcript(
        ids=ids,
        role=role,
        id=_text(head, "id"),
        origins=_origins(head.get("origins"), len(ids)),
        finish_reason=finish,
        stop_reason=stop,
        reported=frozenset({"finish_reason", "stop_reason"} & set(head)),
        tools=_texts(head, "tools"),
        source="shared link",
    )
    token = head.get("token")
    if token is not None and (type(token) is not int or not 0 <= token < len(ids)):
        raise _damaged()
    # Switches and card are read as from any other file: what is not of the expected form is left out.
    told = replace(transcript, meta={KEY: carried_by(head)})
    return Shared(carrying(transcript, switches_of(told), card_of(told)), token)


def _text(head: Mapping[str, Any], key: str) -> str:
    value = head.get(key, "")
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise _damaged()
    return value


def _texts(head: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = head.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str) and len(v) <= _MAX_TEXT for v in values):
        raise _damaged()
    return tuple(values)


def _origins(runs: object, count: int) -> tuple[Any, ...] | None:
    if runs is None:
        return None
    if not isinstance(runs, Sequence):
        raise _damaged()
    out: list[str] = []
    for name, length in runs:
        if name not in _ORIGINS or type(length) is not int or not 0 < length <= count - len(out):
            raise _damaged()
        out += [name] * length
    if len(out) != count:
        raise _damaged()
    return tuple(out)
