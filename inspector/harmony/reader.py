"""The reader: tokens in, a lossless tree and a list of problems out. Never raises, always reads to the end.

The transcript is walked from one special token to the next (found by one vectorised scan), so cost grows with
the number of messages, not of tokens. Headers repeat: what a clean one says is remembered by its ids.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ..tokens import (
    CALL,
    CHANNEL,
    CONSTRAIN,
    END,
    MESSAGE,
    RETURN,
    START,
    STOPS,
    Change,
    Position,
    Scan,
    Span,
    Transcript,
    WideText,
    is_known,
    vocabulary,
)
from ..tokens.wide import W_END, W_MESSAGE, W_START
from . import bodies, leak
from .header import read_header
from .message import Message
from .names import names_in
from .problem import Problem
from .resolve import Context, Finding, Resolved, resolve
from .tree import Field, FieldKind, HeaderFields, MessageNode, Node, StrayNode, Tree
from .words import Names, has_glued_type, has_letters

_NOTHING = Names()
_CLAUSE = re.compile(r"\s*to=[A-Za-z_][\w.\-]*(?: +(?:json|code))?\s*(?=\{)")
_LEAKS = frozenset({"missing-channel-marker", "text-leak", "look-alike-marker"})
_FIELD_KINDS = {
    "role": FieldKind.ROLE,
    "name": FieldKind.NAME,
    "channel": FieldKind.CHANNEL,
    "recipient": FieldKind.RECIPIENT,
    "content_type": FieldKind.CONTENT_TYPE,
}


def read(transcript: Transcript, scan: Scan | None = None) -> Tree:
    """The tree of a transcript, with the problems in it. Linear in the number of tokens.

    ``scan``, when given, is that of the transcript's ids.
    """
    return _Reader(transcript, scan if scan is not None else Scan(transcript.ids)).read()


class _Reader:
    def __init__(self, transcript: Transcript, scan: Scan) -> None:
        self.transcript = transcript
        self.scan = scan
        self.ids = transcript.ids
        self.count = len(self.ids)
        self.specials = scan.specials
        self.nodes: list[Node] = []
        self.problems: list[Problem] = []
        self._names: Names | None = None

    @property
    def names(self) -> Names:
        """Tool names known in this transcript; looked up only when a header is in doubt."""
        if self._names is None:
            self._names = names_in(self.transcript, self.scan)
        return self._names

    # Walking

    def read(self) -> Tree:
        position = 0
        if self.transcript.role is not None and not self.count:
            self._problem("truncated-header", 0, 0, [], value=())
        elif self.transcript.role is not None:
            position = self._header(0, 0, None, continued=True)
        while position < self.count:
            position = self._between(position)
        return Tree(self.transcript, tuple(self.nodes), tuple(self.problems))

    def _between(self, position: int) -> int:
        """Between messages: a ``<|start|>`` is due at ``position``."""
        ids = self.ids
        if ids[position] == START:
            return self._header(position, position + 1, position)
        index = self.scan.after(position)
        end = self.specials[index] if index < len(self.specials) else self.count
        token = ids[end] if end < self.count else None
        text = self.scan.text(position, end)
        if token in (CHANNEL, CONSTRAIN, MESSAGE):
            return self._header(position, position, None)
        says = has_letters(text) and not (token is None and self._ended_for_good()) and self._is_speech(text, token)
        if leak.heads(text, leading=True) or says:
            return self._header(position, position, None)
        while end < self.count and ids[end] >= 199998 and ids[end] not in (START, CHANNEL, CONSTRAIN, MESSAGE):
            end += 1
        return self._stray(position, max(end, position + 1))

    def _is_speech(self, text: str, token: int | None) -> bool:
        # A word or two between two messages is noise; what a terminator closes, or a sentence, was said.
        return token in STOPS or token is None or len(text.split()) >= 4

    def _ended_for_good(self) -> bool:
        last = self.nodes[-1] if self.nodes else None
        if isinstance(last, StrayNode):
            return True
        return last is not None and last.terminator is not None and self.ids[last.terminator] in (RETURN, CALL)

    def _stray(self, start: int, end: int) -> int:
        previous = self.nodes[-1] if self.nodes else None
        self.nodes.append(StrayNode(start, end))
        tokens = set(self.ids[start:end])
        if tokens <= STOPS:
            kind = "extra-terminator"
        elif end == self.count and isinstance(previous, MessageNode) and previous.terminator is not None:
            kind = "text-after-end" if self.ids[previous.terminator] != CALL else "text-after-call"
            if not any(0 <= t < 199998 for t in tokens):
                kind = "text-after-end"
        else:
            kind = "text-between-messages"
        change = Change(Position(start), Position(end))
        self._problem(kind, start, end, [change], value=self.ids[start:end])
        return end

    # Headers

    def _header(self, start: int, first: int, opened: int | None, *, continued: bool = False) -> int:
        """Read a header that begins at token ``first``, and the message behind it."""
        ids, specials = self.ids, self.specials
        index = self.scan.after(first)
        blank_until = first
        while index < len(specials):
            position = specials[index]
            token = ids[position]
            if token == MESSAGE:
                return self._message(start, first, position, opened, continued)
            if token in STOPS:
                return self._aborted(start, first, position, opened, continued)
            if token == START:
                # Repeated or empty: the header simply begins again. Otherwise it was given up.
                if position != blank_until and has_letters(self.scan.text(blank_until, position)):
                    return self._aborted(start, first, position, opened, continued)
                if position != blank_until and any(ids[i] >= 199998 for i in range(blank_until, position)):
                    return self._aborted(start, first, position, opened, continued)
                blank_until = position + 1
            index += 1
        return self._aborted(start, first, self.count, opened, continued)

    def _message(self, start: int, first: int, separator: int, opened: int | None, continued: bool) -> int:
        role = self.transcript.role if continued else None
        implicit = opened is None and not continued
        header_ids = self.ids[first:separator]
        known = None if implicit else _clean_header(tuple(header_ids), role)
        body_start = separator + 1
        body_end, terminator, following = self._body(body_start)
        if known is None:
            split = self._resolve_header(
                start, first, separator, opened, continued, implicit, body_start, body_end, terminator
            )
            if isinstance(split, int):
                return self._aborted(start, first, split, opened, continued, broken_off=True)
            known = split
        self._add_message(start, first, separator, opened, body_start, body_end, terminator, known)
        return following

    def _add_message(
        self, start: int, first: int, separator: int, opened: int | None,
        body_start: int, body_end: int, terminator: int | None, known: HeaderFields,
    ) -> None:  # fmt: skip
        end = body_end if terminator is None else terminator + 1
        content = self.scan.text(body_start, body_end)
        if known.recipient is None and known.role == "assistant":
            self._header_in_body(content, known, separator, body_start, body_end)
        message = Message(
            known.role, content, known.name, known.channel, known.recipient, known.content_type,
            start, end, body_start, body_end,
        )  # fmt: skip
        self.nodes.append(
            MessageNode(
                start,
                end,
                opened,
                first,
                separator,
                separator,
                body_start,
                body_end,
                terminator,
                known,
                message,
            )
        )

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

    def _resolve_header(
        self, start: int, first: int, separator: int, opened: int | None, continued: bool, implicit: bool,
        body_start: int, body_end: int, terminator: int | None,
    ) -> HeaderFields | int:  # fmt: skip
        """Read a header that is not clean; an int says where a message without ``<|message|>`` ends in it."""
        wide = WideText(self.ids[first:separator], first)
        body = self.scan.text(body_start, body_end)
        closer = self.ids[terminator] if terminator is not None else None
        pieces = read_header(wide.text, continued=continued or implicit, aborted=False, names=self.names)
        if pieces.split is not None:
            return wide.position(pieces.lexed.origin(pieces.split)).token
        context = Context(
            role=self.transcript.role if continued else None,
            implicit=implicit,
            aborted=False,
            call=closer == CALL or bodies.is_json_object(body),
            closed=terminator is not None,
            names=self.names,
            prose=bool(body.strip()) and body.lstrip()[0] not in "{[",
            leaky=any(p.kind in _LEAKS for p in self.problems),
        )
        resolved = resolve(pieces, context)
        if implicit:
            self._missing_start(first, resolved)
        for dirt in pieces.lexed.dirt:
            if dirt.kind == "odd-space" and dirt.end == len(wide.text):
                continue  # every release trims it
            at, end = wide.position(dirt.start), wide.position(dirt.end)
            span = wide.span(dirt.start, dirt.end)
            change = Change(at, end, dirt.replacement)
            self._problem(dirt.kind, span.start, span.end, [change], value=wide.text[dirt.start : dirt.end])
        for finding in resolved.findings:
            self._report(finding, pieces.lexed.origin, wide)
        return _fields(resolved, wide, pieces.lexed.origin)

    def _missing_start(self, first: int, resolved: Resolved) -> None:
        # A recipient or a word must not be glued to the role that is written in front of it.
        begins = any(kind == "recipient" and piece.start == 0 for kind, piece in resolved.used)
        role = "" if resolved.role_stated else "assistant " if begins else "assistant"
        insert = W_START + role
        self._problem("missing-start", first, first + 1, [Change(Position(first), Position(first), insert)])

    def _report(self, finding: Finding, origin: object, wide: WideText) -> None:
        lead = origin
        assert callable(lead)

        def changes(rewrites: list[tuple[int, int, str]]) -> tuple[Change, ...]:
            out = []
            for start, end, text in rewrites:
                if start == end:
                    # An insertion behind a piece stays with the piece, not with the dirt that follows it.
                    place = wide.position(lead(start, end=True) if start else 0)
                    out.append(Change(place, place, text))
                else:
                    out.append(Change(wide.position(lead(start)), wide.position(lead(end, end=True)), text))
            return tuple(out)

        span = wide.span(lead(finding.start), lead(finding.end, end=True)) if finding.end > finding.start else None
        if span is None:
            token = wide.position(lead(finding.start)).token
            span = Span(token, token)
        alternatives = tuple((reason, changes(rewrites)) for reason, rewrites in finding.alternatives)
        self.problems.append(
            Problem(finding.kind, span, len(self.nodes), changes(finding.rewrites), alternatives, finding.data)
        )

    # Headers without <|message|>

    def _aborted(
        self,
        start: int,
        first: int,
        end: int,
        opened: int | None,
        continued: bool,
        *,
        broken_off: bool = False,
    ) -> int:
        """A header that ends in a terminator, another ``<|start|>`` or the end of the transcript."""
        token = self.ids[end] if end < self.count else None
        terminator = end if token in STOPS else None
        wide = WideText(self.ids[first:end], first)
        if leak.promotes(wide.text):
            self._look_alikes(wide)
            self._raw_node(start, first, end, opened, terminator)
            return end if terminator is None else end + 1
        found = leak.split(wide.text, continued=continued, opened=opened is not None, at_end=token is None)
        if found is not None:
            changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in found]
            self._problem("text-leak", first, end, changes, value=wide.text)
            self._raw_node(start, first, end, opened, terminator)
            return end if terminator is None else end + 1
        implicit = opened is None and not continued
        pieces = read_header(wide.text, continued=continued or implicit, aborted=True, names=self.names)
        if broken_off:
            pieces.split = None
        context = Context(
            role=self.transcript.role if continued else None,
            implicit=implicit,
            aborted=True,
            call=token == CALL,
            closed=terminator is not None,
            names=self.names,
        )
        resolved = resolve(pieces, context)
        origin = pieces.lexed.origin
        content = resolved.content
        says = content is not None and has_letters(pieces.lexed.clean[content:])
        stated = bool(resolved.channel or resolved.recipient or resolved.content_type)
        if not says and (terminator is None or not stated):
            return self._drop(start, first, end, opened, terminator, continued)
        body_at = origin(content) if content is not None else len(wide.text)
        for dirt in pieces.lexed.dirt:
            if dirt.start < body_at:
                span = wide.span(dirt.start, dirt.end)
                change = Change(wide.position(dirt.start), wide.position(dirt.end), dirt.replacement)
                self._problem(dirt.kind, span.start, span.end, [change], value=wide.text[dirt.start : dirt.end])
        if implicit:
            self._missing_start(first, resolved)
        for finding in resolved.findings:
            self._report(finding, origin, wide)
        closes = W_END if token is not None and terminator is None else ""
        self._missing_message(wide, body_at, end, resolved, token, closes)
        body = wide.position(body_at)
        fields = _fields(resolved, wide, origin)
        stop = end if terminator is None else end + 1
        message = Message(
            fields.role, _display(wide.text[body_at:]), fields.name, fields.channel, fields.recipient, fields.content_type,
            start, stop, body.token, end,
        )  # fmt: skip
        self.nodes.append(
            MessageNode(start, stop, opened, first, body.token, None, body.token, end, terminator, fields, message)
        )
        return stop

    def _missing_message(
        self, wide: WideText, body_at: int, end: int, resolved: Resolved, token: int | None, closes: str
    ) -> None:
        gap = body_at
        while gap > 0 and wide.text[gap - 1] in " \t\r\n" and body_at < len(wide.text):
            gap -= 1
        if gap == 0 and body_at and not resolved.used:
            gap = body_at = 0
        # An answer that lost its whole header: <|return|> says that it was the final one.
        bare = not resolved.channel and not resolved.recipient and not resolved.content_type
        channel = "\ud807final" if bare and token == RETURN else ""
        insert = Change(wide.position(gap), wide.position(body_at), channel + W_MESSAGE)
        changes = [insert]
        if closes:
            changes.append(Change(Position(end), Position(end), closes))
        at = wide.position(body_at).token
        self._problem(
            "missing-message",
            at,
            max(at, end),
            changes,
            value=wide.text[body_at:],
            role=resolved.role,
            final=bool(channel),
        )

    def _raw_node(self, start: int, first: int, end: int, opened: int | None, terminator: int | None) -> None:
        """A message of which only the text is known: a fix rewrites it, and the repaired transcript is read anew."""
        stop = end if terminator is None else end + 1
        fields = HeaderFields(self.transcript.role or "assistant", None, None, None, None, ())
        message = Message(
            fields.role, self.scan.text(first, end), start=start, end=stop, body_start=first, body_end=end
        )
        self.nodes.append(MessageNode(start, stop, opened, first, first, None, first, end, terminator, fields, message))

    def _look_alikes(self, wide: WideText) -> None:
        changes = []
        for begin, stop, char in leak.look_alikes(wide.text):
            changes.append(Change(wide.position(begin), wide.position(stop), char))
        self._problem("look-alike-marker", wide.first, wide.first + len(wide.starts) - 1, changes, value=wide.text)

    def _drop(
        self, start: int, first: int, end: int, opened: int | None, terminator: int | None, continued: bool
    ) -> int:
        """A header that says nothing and has no body: it is taken out."""
        stop = end if terminator is None else end + 1
        kind = "truncated-header" if stop == self.count and terminator is None else "empty-header"
        fields = HeaderFields(self.transcript.role or "assistant", None, None, None, None, ())
        last = stop
        node = MessageNode(start, stop, opened, first, end, None, end, end, terminator, fields, None)
        change = Change(Position(start), Position(stop))
        if continued and stop < self.count:
            # The role in the prompt now belongs to the message that follows.
            if self.ids[stop] == START and stop + 1 < self.count and self.ids[stop + 1] == _assistant():
                last = stop + 2
                change = Change(Position(start), Position(last))
            else:
                change = Change(Position(end), Position(end), W_MESSAGE + ("" if terminator is not None else W_END))
        self._problem(kind, start, max(stop, start + 1), [change], value=self.ids[first:end])
        self.nodes.append(node)
        return stop

    # Bodies

    def _body(self, start: int) -> tuple[int, int | None, int]:
        """Where a body ends, its terminator if it has one, and where to read on."""
        ids, specials = self.ids, self.specials
        index = self.scan.after(start)
        odd: list[int] = []
        while index < len(specials):
            position = specials[index]
            token = ids[position]
            if token in STOPS:
                following = ids[position + 1] if position + 1 < self.count else START
                literal = following != START and bodies.terminator_is_text(ids, start, position, specials, index)
                if literal is None or literal is False:
                    self._odd_tokens(start, position, odd)
                    return position, position, position + 1
                self._literal_terminator(start, position, literal)
                index = literal
                continue
            if token == START or token == CHANNEL:
                boundary = bodies.boundary(ids, start, position, specials, index)
                if boundary is not None:
                    self._odd_tokens(start, boundary, odd)
                    self._unclosed(start, boundary, position, token)
                    return boundary, None, boundary
            odd.append(position)
            index += 1
        self._odd_tokens(start, self.count, odd)
        return self.count, None, self.count

    def _literal_terminator(self, start: int, position: int, resume: int) -> None:
        name = {END: "<|end|>", CALL: "<|call|>", RETURN: "<|return|>"}[self.ids[position]]
        for index in range(self.scan.after(position), resume):
            at = self.specials[index]
            if self.ids[at] in STOPS:
                name = {END: "<|end|>", CALL: "<|call|>", RETURN: "<|return|>"}[self.ids[at]]
                self._problem(
                    "terminator-in-json",
                    at,
                    at + 1,
                    [Change(Position(at), Position(at + 1), name)],
                    value=name,
                )

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
        for first, last in _runs(specials):
            self._problem("special-token-in-body", first, last, [], value=self.ids[first:last])

    def _problem(self, kind: str, start: int, end: int, changes: list[Change], **data: object) -> None:
        self.problems.append(Problem(kind, Span(start, end), len(self.nodes), tuple(changes), (), data))


def _runs(positions: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and runs[-1][1] == position:
            runs[-1] = (runs[-1][0], position + 1)
        else:
            runs.append((position, position + 1))
    return runs


def _display(wide: str) -> str:
    """The text of wide text as a body would show it: markers as they are printed, broken bytes as U+FFFD."""
    from ..tokens.wide import printable_body

    return printable_body(wide)


def _fields(resolved: Resolved, wide: WideText, origin: object) -> HeaderFields:
    assert callable(origin)
    fields = []
    for kind, piece in sorted(resolved.used, key=lambda pair: pair[1].start):
        start, end = origin(piece.start), origin(piece.end, end=True)
        span = wide.span(start, end)
        fields.append(
            Field(_FIELD_KINDS[kind], piece.value, span.start - wide.first, span.end - wide.first, start, end)
        )
    return HeaderFields(
        resolved.role,
        resolved.name,
        resolved.channel,
        resolved.recipient,
        resolved.content_type,
        tuple(fields),
    )


@lru_cache(maxsize=4096)
def _clean_header(ids: tuple[int, ...], role: str | None) -> HeaderFields | None:
    """What a header says when nothing is wrong with it, else None. Needs no context, so it can be remembered."""
    if len(ids) > 64:
        return None
    wide = WideText(ids)
    pieces = read_header(wide.text, continued=role is not None, aborted=False, names=_NOTHING)
    if pieces.lexed.dirt or pieces.split is not None:
        return None
    resolved = resolve(pieces, Context(role, False, False, False, True, _NOTHING))
    if resolved.recipient is not None and has_glued_type(resolved.recipient):
        return None
    return None if resolved.findings else _fields(resolved, wide, pieces.lexed.origin)


@lru_cache(maxsize=1)
def _assistant() -> int:
    return vocabulary().encode("assistant")[0]
