"""Reading a body: where it ends, and what stands in it that does not belong there."""

from __future__ import annotations

import re
from typing import Final

from ..tokens import (
    CHANNEL,
    CONSTRAIN,
    MESSAGE,
    START,
    STOPS,
    Change,
    Position,
    WideText,
    is_known,
    special_text,
    wide_text,
)
from ..tokens.wide import W_MESSAGE
from . import bodies, leak
from .header import read_header
from .state import State
from .tree import HeaderFields
from .words import Names

_MOST_LOOKS: Final = 24
"""So often a body is looked through for open JSON."""

_LONGEST_CLAUSE: Final = 24
"""Tokens of a header that may stand behind a premature ``<|message|>``."""

_CLAUSE: Final = re.compile(r"\s*+to=[A-Za-z_][\w.\-]*+(?: ++(?:json|code))?\s*+(?=\{)")


class BodyReader(State):
    """Reads bodies."""

    def _body(self, start: int) -> tuple[int, int | None, int]:
        """Where a body ends, its terminator if it has one, and where to read on."""
        ids, specials = self.ids, self.specials
        index = self.scan.after(start)
        odd: list[int] = []
        looks = _MOST_LOOKS
        while index < len(specials):
            position = specials[index]
            token = ids[position]
            if token in STOPS:
                following = ids[position + 1] if position + 1 < self.count else START
                literal = following != START and bodies.terminator_is_text(ids, start, position, specials, index)
                if literal is None or literal is False:
                    self._odd_tokens(start, position, odd)
                    return position, position, position + 1
                self._literal_terminator(position, literal)
                index = literal
                continue
            if token in (START, CHANNEL):
                looks -= 1
                boundary = bodies.boundary(ids, start, position, specials, index, look=looks >= 0)
                if boundary is not None:
                    self._odd_tokens(start, boundary, odd)
                    self._unclosed(start, boundary, position, token)
                    return boundary, None, boundary
            odd.append(position)
            index += 1
        self._odd_tokens(start, self.count, odd)
        return self.count, None, self.count

    def _literal_terminator(self, position: int, resume: int) -> None:
        """Terminators that stand inside JSON: text was meant, or the body ended and what follows is noise."""
        last = self.specials[resume]
        for index in range(self.scan.after(position), resume):
            at = self.specials[index]
            if self.ids[at] in STOPS:
                name = special_text(self.ids[at])
                noise = (Change(Position(at + 1), Position(last + 1)),)
                reading = "End the message here instead, as strict parsers do: what follows is then noise"
                changes = [Change(Position(at), Position(at + 1), name)]
                self._problem("terminator-in-json", at, at + 1, changes, ((reading, noise),), value=name)

    def _unclosed(self, start: int, boundary: int, marker: int, token: int) -> None:
        closer = bodies.closer_for(self.ids, start, boundary)
        changes = [Change(Position(boundary), Position(boundary), closer)]
        self._problem("unclosed-message", boundary, max(marker, boundary) + 1, changes)

    def _odd_tokens(self, start: int, end: int, odd: list[int]) -> None:
        """Special and unknown tokens inside a body."""
        if not odd:
            return
        unknown = [i for i in odd if not is_known(self.ids[i])]
        for first, last in _runs(unknown):
            self._problem(
                "unknown-token",
                first,
                last,
                [Change(Position(first), Position(last))],
                value=self.ids[first:last],
            )
        specials = [i for i in odd if is_known(self.ids[i])]
        tail = end
        while specials and specials[-1] == tail - 1 and self.ids[tail - 1] not in bodies.STRUCTURAL:
            tail -= 1
            specials.pop()
        if tail < end:
            self._problem(
                "special-token-tail",
                tail,
                end,
                [Change(Position(tail), Position(end))],
                value=self.ids[tail:end],
            )
        if specials and specials[0] == start and self.ids[start] == MESSAGE:
            self._problem("repeated-message-marker", start, start + 1, [Change(Position(start), Position(start + 1))])
            specials = specials[1:]
        later = next((i for i in specials if self.ids[i] == MESSAGE), None)
        if later is not None and start > 0 and self._goes_on(start, later):
            blank = "" if self.scan.text(start, start + 1)[:1].isspace() or self.ids[start] == CONSTRAIN else " "
            changes = [Change(Position(start - 1), Position(start), blank)]
            self._problem("repeated-message-marker", start - 1, later + 1, changes)
            specials = [i for i in specials if i > later]
        for first, last in _runs(specials):
            self._problem("special-token-in-body", first, last, [], value=self.ids[first:last])

    def _goes_on(self, start: int, end: int) -> bool:
        """True when ``[start, end)`` goes on with a header: a recipient or a content type, and nothing else."""
        if end - start > _LONGEST_CLAUSE:
            return False
        pieces = read_header(wide_text(self.ids[start:end]), continued=True, aborted=False, names=Names())
        kinds = {piece.kind for piece in pieces.items}
        return bool(kinds) and kinds <= {"recipient", "constrained", "type"} and pieces.items[0].kind != "type"

    def _header_in_body(self, content: str, known: HeaderFields, separator: int, start: int, end: int) -> None:
        """Header text that stands in a body: a recipient clause at its head, stripped headers inside reasoning."""
        clause = _CLAUSE.match(content) if "to=" in content[:40] else None
        if clause is not None and bodies.is_json_object(content[clause.end() :]):
            wide = WideText(self.ids[start:end], start)
            at = len(content[: clause.end()].rstrip())
            changes = [
                Change(Position(separator), Position(separator + 1), "" if content[:1].isspace() else " "),
                Change(wide.position(at), wide.position(clause.end()), W_MESSAGE),
            ]
            self._problem(
                "recipient-in-body",
                separator,
                wide.position(clause.end()).token,
                changes,
                value=content[:at].strip(),
            )
        elif known.channel == "analysis" and ("assistantfinal" in content or "assistantcommentary" in content):
            found = leak.inside(content)
            if found:
                wide = WideText(self.ids[start:end], start)
                if wide.text == content:
                    changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in found]
                    self._problem(
                        "text-leak",
                        wide.position(found[0][0]).token,
                        end,
                        changes,
                        value=content[found[0][0] :],
                    )


def _runs(positions: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and runs[-1][1] == position:
            runs[-1] = (runs[-1][0], position + 1)
        else:
            runs.append((position, position + 1))
    return runs
