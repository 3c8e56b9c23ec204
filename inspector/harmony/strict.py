"""The strict parser's exact model: what ``parse_messages_from_completion_tokens`` of a release would say.

The library walks three states, *expect start*, *header* and *content*; here each state is left by a jump to the
next marker that ends it, found by one vectorised scan. Headers are read by :mod:`.strict_header`, bodies by
:mod:`.strict_body`. The differential tests compare the result with the published releases: messages, error
text, and the token at which the library's ``StreamableParser.process`` raises.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..tokens import CALL, END, FIRST_SPECIAL, MESSAGE, RETURN, START, VOCABULARY_SIZE, Span
from .message import ROLES, Message
from .strict_body import body_text, body_text_with_unknown
from .strict_header import BadHeader, ReadHeader, blame, read_header, word_span
from .verdict import Dialect, StrictError, Verdict

_MOST_LATER: Final = 100
"""So many errors after the first one are looked for."""

_E2: Final = "Unexpected EOS while waiting for message header to complete"


def strict_parse(
    ids: Sequence[int], role: str | None, dialect: Dialect, *, strict: bool = True, release: str = ""
) -> Verdict:
    """What a release that speaks ``dialect`` makes of ``ids``; see :meth:`StrictModel.parse`."""
    return StrictModel(ids).parse(role, dialect, strict=strict, release=release)


class StrictModel:
    """One transcript, ready to be parsed by any dialect, strict or lenient.

    Scanning and the decoding of bodies are done once and shared by all parses. Not for use by several threads
    at once.

    Args:
        ids: any ints. Those outside of the vocabulary are treated as the library treats unknown ids (it
            refuses negative ones and those from 2**32 on with an ``OverflowError``, before it parses).
        specials: the indexes of all special and unknown ids, in order, where a caller has them already.
        text: gives the text of the known ids in a stretch, where a caller remembers it.
    """

    def __init__(
        self,
        ids: Sequence[int],
        specials: Sequence[int] | None = None,
        text: Callable[[int, int], str] | None = None,
    ) -> None:
        self.ids: tuple[int, ...] = ids if isinstance(ids, tuple) else tuple(ids)
        if specials is None:
            where, kinds = _scan(self.ids)
        else:
            where = np.asarray(specials, dtype=np.int64)
            kinds = np.fromiter((_clamped(self.ids[i]) for i in specials), dtype=np.int64, count=len(specials))
        stops = (kinds == END) | (kinds == CALL) | (kinds == RETURN)
        # Each list ends with the transcript's length: "there is none" needs no case of its own.
        self._stops: list[int] = [*where[stops].tolist(), len(self.ids)]
        self._starts: list[int] = [*where[kinds == START].tolist(), len(self.ids)]
        self._separators: list[int] = [*where[kinds == MESSAGE].tolist(), len(self.ids)]
        self._unknown = bool(((kinds < 0) | (kinds >= VOCABULARY_SIZE)).any())
        self._made: dict[tuple[int, int], tuple[ReadHeader, Message]] = {}
        self._text = text
        # Strict verdicts on transcripts in which no header holds a stop token: lenient parsing is the same then.
        self._as_lenient: dict[tuple[str | None, Dialect, str], Verdict] = {}

    def parse(self, role: str | None, dialect: Dialect, *, strict: bool = True, release: str = "") -> Verdict:
        """The verdict of a release that speaks ``dialect``. Linear in the number of tokens.

        Args:
            role: the role that the transcript continues, or None when it begins with ``<|start|>``.
            dialect: the release's group.
            strict: False for what ``strict=False`` does: a stop token ends a header too.
            release: the name to put into the verdict. It also tells the builds apart that print one error text
                differently (:mod:`.strict_escapes`); without it the dialect does.

        Returns:
            Messages completed before the first error, the first error, and the errors that would follow once
            those before them are mended (at most 100). To find these, what is unexpected between messages is
            passed over up to the next ``<|start|>``; a header that cannot be read is taken as read, with the
            body behind it; a header without an end is taken as ended at the first marker in it that ends a
            message or begins one.

        Raises:
            ValueError: ``role`` is none of the five roles.
        """
        if role is not None and role not in ROLES:
            raise ValueError(f"unknown role {role!r}: expected one of {', '.join(ROLES)}, or None")
        key = (role, dialect, release)
        if not strict and key in self._as_lenient:
            return replace(self._as_lenient[key], mode="lenient")
        stop_in_header = False
        messages: list[Message] = []
        errors: list[StrictError] = []
        ids, stops, separators = self.ids, self._stops, self._separators
        count = len(ids)
        at = opened = 0
        next_stop = next_separator = 0  # indexes into the two lists; they only ever go forward
        in_header = role is not None
        unicode_17 = dialect is Dialect.ALL_CHANNELS or release.startswith("oss-harmony")
        while len(errors) <= _MOST_LATER:
            if not in_header:
                if at >= count:
                    break
                if ids[at] != START:
                    errors.append(self._unexpected(at))
                    at = _next(self._starts, at)
                    continue
                opened = at
                at += 1
            in_header = False
            while separators[next_separator] < at:
                next_separator += 1
            separator = separators[next_separator]
            while stops[next_stop] < at:
                next_stop += 1
            end = stops[next_stop]
            stop_in_header = stop_in_header or end < separator
            if not strict or separator == count:
                if not strict and end < separator:
                    found = self._salvage(opened, at, end, role, dialect)
                    if isinstance(found, StrictError):
                        errors.append(found)
                    elif found is not None and not errors:
                        messages.append(found)
                    role = None
                    at = end + 1
                    continue
                if separator == count:
                    end = min(end, _next(self._starts, at))
                    errors.append(StrictError(_E2, count, Span(opened, end), "E2"))
                    at = end if end == count or ids[end] == START else end + 1
                    role = None
                    continue
            header = read_header(ids[at:separator], role, dialect, unicode_17=unicode_17)
            while stops[next_stop] < separator:
                next_stop += 1
            end = stops[next_stop]
            if isinstance(header, BadHeader):
                errors.append(self._bad(header, at, separator, dialect))
            elif not errors:
                messages.append(self._message(header, opened, separator, end))
            role = None
            at = end + 1
        mode = "strict" if strict else "lenient"
        first = errors[0] if errors else None
        verdict = Verdict(release, mode, tuple(messages), first, tuple(errors[1 : _MOST_LATER + 1]))
        if strict and not stop_in_header:
            self._as_lenient[key] = verdict
        return verdict

    def _message(self, header: ReadHeader, opened: int, separator: int, end: int) -> Message:
        key = (opened, separator)
        known = self._made.get(key)
        if known is not None and (known[0] is header or known[0] == header):
            return known[1]
        content = known[1].content if known is not None else self._content(separator + 1, end)
        message = Message(
            header.role,
            content,
            header.name,
            header.channel,
            header.recipient,
            header.content_type,
            opened,
            min(end + 1, len(self.ids)),
            separator + 1,
            end,
        )
        self._made[key] = (header, message)
        return message

    def _content(self, start: int, end: int) -> str:
        if self._unknown:
            return body_text_with_unknown(self.ids[start:end])
        return self._text(start, end) if self._text is not None else body_text(self.ids[start:end])

    def _salvage(
        self, opened: int, start: int, stop: int, role: str | None, dialect: Dialect
    ) -> Message | StrictError | None:
        """What lenient parsing makes of a header that a stop token ends.

        A message only while the role that the parser was told is still unused; nothing for any later one.
        """
        ids = self.ids[start:stop]
        if role is None or not ids:
            return None
        header = read_header(ids, role, dialect, salvage=True)
        if isinstance(header, BadHeader):
            return self._bad(header, start, stop, dialect)
        body = word_span(ids, header.rest_words, dialect)
        return Message(
            header.role,
            header.rest,
            header.name,
            header.channel,
            start=opened,
            end=stop + 1,
            body_start=start + body.start,
            body_end=start + body.end,
        )

    def _unexpected(self, at: int) -> StrictError:
        text = f"Unexpected token {self.ids[at]} while expecting start token {START}"
        return StrictError(text, at, Span(at, at + 1), "E1")

    def _bad(self, header: BadHeader, start: int, raised: int, dialect: Dialect) -> StrictError:
        within = blame(self.ids[start:raised], header, dialect)
        return StrictError(header.text, raised, Span(start + within.start, start + within.end), header.kind)


def _next(positions: list[int], at: int) -> int:
    """The first position that is not before ``at``; the list's last one (the end) when ``at`` is beyond it."""
    index = bisect_left(positions, at)
    return positions[index] if index < len(positions) else positions[-1]


def _clamped(token: int) -> int:
    return token if 0 <= token < VOCABULARY_SIZE else -1


def _scan(ids: Sequence[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indexes and ids of all special and unknown tokens; unknown ids that fit no machine word as -1."""
    try:
        array = np.fromiter(ids, dtype=np.int64, count=len(ids))
    except OverflowError:
        array = np.fromiter(map(_clamped, ids), dtype=np.int64, count=len(ids))
    where = np.flatnonzero((array >= FIRST_SPECIAL) | (array < 0))
    return where, array[where]
