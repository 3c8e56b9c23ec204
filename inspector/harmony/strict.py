"""The strict parser's exact model (provisional core; see tests/differential for how it is held to the libraries)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from ..tokens import MESSAGE, START, STOPS, Scan, Span, vocabulary
from .message import Message
from .verdict import Dialect, StrictError, Verdict

_ASCII_SPACE = " \t\n\x0c\r"


class StrictModel:
    """Predicts what a release makes of ids; one model shares its scan across dialects and modes."""

    def __init__(self, ids: Sequence[int], scan: Scan | None = None) -> None:
        self.scan = scan if scan is not None else Scan(ids)
        self.ids = self.scan.ids
        found = self.scan.specials
        self.starts = [i for i in found if self.ids[i] == START]
        self.separators = [i for i in found if self.ids[i] == MESSAGE]
        self.stops = [i for i in found if self.ids[i] in STOPS]
        self.bad = self.scan.unknown

    def parse(self, role: str | None, dialect: Dialect, *, strict: bool = True, release: str = "") -> Verdict:
        ids, n = self.ids, len(self.ids)
        messages: list[Message] = []
        errors: list[StrictError] = []
        state = "header" if role is not None else "start"
        next_role = role
        i = begin = 0
        while len(errors) < 100:
            if state == "start":
                if i >= n:
                    break
                if ids[i] == START:
                    begin, i, state = i, i + 1, "header"
                    continue
                errors.append(
                    StrictError(
                        f"Unexpected token {ids[i]} while expecting start token {START}",
                        i,
                        Span(i, i + 1),
                        "E1",
                    )
                )
                i = self._after(self.starts, i, n)
                continue
            m = self._after(self.separators, i, n)
            s = self._after(self.stops, i, n) if not strict else n + 1
            if m >= n and s >= n:
                errors.append(
                    StrictError(
                        "Unexpected EOS while waiting for message header to complete",
                        n,
                        Span(min(i, n), n),
                        "E2",
                    )
                )
                break
            if not strict and s < m:
                head = tuple(ids[i:s])
                if next_role is not None and head:
                    got = header(head, next_role, dialect, False)
                    if isinstance(got, tuple) and isinstance(got[0], str) and got[0].startswith("E"):
                        errors.append(self._error(got, i, s))
                    else:
                        r, name, ch, _rec, _ct, rest = got
                        messages.append(Message(r, rest, name, ch, None, None, begin, s + 1, i, s))
                next_role = None
                i, state = s + 1, "start"
                continue
            got = header(tuple(ids[i:m]), next_role, dialect, True)
            next_role = None
            if got[0][:1] == "E" and got[0][1:].isdigit():
                errors.append(self._error(got, i, m))
                i, state = self._after(self.starts, m + 1, n), "start"
                continue
            r, name, ch, rec, ct, _ = got
            t = self._after(self.stops, m + 1, n)
            messages.append(Message(r, self._body(m + 1, t), name, ch, rec, ct, begin, min(t + 1, n), m + 1, t))
            i = begin = min(t + 1, n)
            state = "start"
        first = errors[0] if errors else None
        if first is not None:
            messages = [x for x in messages if x.end <= first.token]
        return Verdict(release, "strict" if strict else "lenient", tuple(messages), first, tuple(errors[1:]))

    def _error(self, got: tuple, start: int, token: int) -> StrictError:
        return StrictError(got[1], token, Span(start, token), got[0])

    @staticmethod
    def _after(positions: list[int], i: int, n: int) -> int:
        k = bisect_left(positions, i)
        return positions[k] if k < len(positions) else n

    def _body(self, c: int, t: int) -> str:
        if self.scan.knows(c, t):
            return self.scan.text(c, t)
        k = bisect_left(self.bad, c)
        return vocabulary().decode_bytes(self.ids[c : self.bad[k]]).decode("utf-8", "ignore") + "\ufffd"


@lru_cache(maxsize=8192)
def header(ids: tuple[int, ...], role: str | None, dialect: Dialect, full: bool) -> tuple:
    for t in ids:
        if not 0 <= t < 201089:
            return "E3", "could not decode header"
    try:
        text = vocabulary().decode_bytes(ids).decode("utf-8")
    except UnicodeDecodeError:
        return "E3", "could not decode header"
    marker = "<|channel|>"
    channel = None
    at = text.find(marker)
    if at >= 0:
        rest = text[at + len(marker) :]
        end = next((j for j, c in enumerate(rest) if c.isspace() or c == "<"), len(rest))
        if end == 0:
            return "E4", "channel marker present but no channel value found in header"
        channel = rest[:end]
        text = text[:at] + rest[end:]
        while dialect is Dialect.ALL_CHANNELS and (at := text.find(marker)) >= 0:
            rest = text[at + len(marker) :]
            end = next((j for j, c in enumerate(rest) if c.isspace() or c == "<"), len(rest))
            text = text[:at] + rest[end:]
    text = text.strip().replace("<|constrain|>", " <|constrain|>").strip()
    parts = [p for p in "".join("\0" if c in _ASCII_SPACE else c for c in text).split("\0") if p]
    name = None
    r = role
    if r is None:
        if not parts:
            return "E5", "message header did not contain a role"
        if parts[0] in ("user", "assistant", "system", "developer", "tool"):
            r = parts[0]
        elif len(parts) > 1 or parts[0].startswith("to="):
            name = parts.pop(0)
            r = "tool"
        else:
            return "E6", f"Unknown role: {parts[0]}"
    if parts and parts[0] == r:
        parts.pop(0)
    recipient = content_type = None
    if not full:
        return r, name, channel, None, None, " ".join(parts)
    if parts:
        last = parts.pop()
        if last.startswith("to="):
            recipient = last[3:]
        elif not parts:
            recipient = last
        else:
            content_type = last
            recipient = parts.pop().removeprefix("to=")
    if parts:
        left = " ".join(parts).replace("\\", "\\\\").replace('"', '\\"')
        return "E7", f'unexpected tokens remaining in message header: Some("{left}")'
    return r, name if r == "tool" else None, channel, recipient, content_type, ""


def strict_parse(
    ids: Sequence[int], role: str | None, dialect: Dialect, *, strict: bool = True, release: str = ""
) -> Verdict:
    return StrictModel(ids).parse(role, dialect, strict=strict, release=release)
