"""The other end of the telling: what a browser makes of the answers about one sample, in Python.

For scripts that follow a run, for tests and for measurements: what stands here at the end is what a page shows.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from ..view.container import unpack
from ..view.viewmodel import View, apply_appendix


class Hearer:
    """Puts the tokens of one sample together.

    Attributes:
        have: how many tokens it has, -1 for nothing yet: what to ask :meth:`inspector.live.telling.Teller.tokens` with.
        view: what it has, None for nothing yet.
        head, feed: of the last answer.
    """

    def __init__(self) -> None:
        self.have = -1
        self.view: View | None = None
        self.head: dict[str, Any] = {}
        self.feed: dict[str, Any] = {}

    def hear(self, answer: bytes) -> bool:
        """Take an answer, from the teller itself or from ``/_live/RUN/NUMBER``; whether more is to come.

        Raises:
            ValueError: its arrays could not be read in place.
        """
        (size,) = struct.unpack_from("<I", answer)
        begins = 4 + size
        if begins % 8:
            raise ValueError(f"the container begins at byte {begins}: expected a multiple of 8")
        self.head = json.loads(answer[4:begins])
        ends = begins + self.head["container"]
        container = answer[begins:ends]
        self.feed = json.loads(answer[ends:])
        if self.head["kind"] == "whole" or self.view is None:
            self.view = View(*unpack(container))
        else:
            self.view = apply_appendix(self.view, container)
        self.have = int(self.head["count"])
        return not self.head["done"]

    @property
    def ids(self) -> list[int]:
        """The tokens, as a page shows them; none before the first answer."""
        if self.view is None:
            return []
        known = self.view.sections["ids"].astype(int)
        return [int(known[place]) for place in self.view.sections["index"]]
