"""Server-sent events, read from bytes as they come: split anywhere, the same events come out.

The format is the HTML standard's ("Server-sent events", section 9.2.6): lines end in CR, LF or CRLF, a blank line
ends an event, several ``data`` lines are joined by a newline, a line that begins with a colon is a comment.
"""

from __future__ import annotations

import re
from typing import Final

from .limits import EVENT_BYTES

_EOL: Final = re.compile(rb"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """An event, or a line that does not end, of more bytes than are kept."""


class EventReader:
    """Collects the data of events; their names, ids and retry times are not looked at.

    >>> reader = EventReader()
    >>> reader.feed(b"data: on"), reader.feed(b"e" + bytes([13])), reader.feed(bytes([10, 58, 13, 10, 13, 10]))
    ([], [], ['one'])
    """

    def __init__(self, limit: int = EVENT_BYTES) -> None:
        self.limit = limit
        # One buffer each: a million small pieces are no more than their bytes.
        self._line = bytearray()
        self._data = bytearray()
        self._has_data = False
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that are complete with these bytes. An event that is never completed is none.

        Raises:
            EventTooLong: more than ``limit`` bytes have come without an end of the event.
        """
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        # The line ends at the CR in any case; whether an LF belongs to it is seen with the next byte.
        self._after_cr = chunk.endswith(b"\r")
        *ended, rest = _EOL.split(chunk)
        events: list[str] = []
        for end in ended:
            if not (end or self._line or self._has_data or self._first):
                continue  # a blank line that ends nothing: a flood of them is cheap
            self._add(end)
            line = bytes(self._line)
            self._line.clear()
            self._take(line, events)
        self._add(rest)
        return events

    def _add(self, part: bytes) -> None:
        if part:
            self._line += part
            if len(self._data) + len(self._line) > self.limit:
                raise EventTooLong(f"more than {self.limit} bytes came without an end of the event")

    def _take(self, line: bytes, events: list[str]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._has_data:
                events.append(self._data[:-1].decode("utf-8", "replace"))
            self._data.clear()
            self._has_data = False
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            # The line break counts, or a flood of empty lines would be free.
            self._data += value.removeprefix(b" ") + b"\n"
            self._has_data = True
