"""Who wins where several pieces of a header claim one field, and what would have to change for all to agree.

The policies, with where they come from:

* Two known channels: the first wins, as oss-harmony 0.0.10 and later read it; the last (llama.cpp's rule) is
  offered beside it.
* A word in a channel slot that is no channel is none: where it can name a tool it is the recipient.
* Several recipients: the one closest to ``<|message|>``; ``assistant`` loses against a tool.
* Several content types: one behind ``<|constrain|>`` wins, then the last known one.
* Stray words never become arguments, and a name that stands nowhere is not invented.
"""

from __future__ import annotations

from .header import Piece, Pieces
from .settle import Context, Finding, Resolved
from .settle_call import CallSettler

__all__ = ["Context", "Finding", "Resolved", "resolve"]


class _Resolver(CallSettler):
    def resolve(self) -> Resolved:
        self._role()
        self._channel()
        self._recipient()
        self._type()
        self._strays()
        self.out.findings.sort(key=lambda f: (f.start, f.end))
        return self.out

    def _strays(self) -> None:
        for piece in self.pieces.items:
            # The releases want the value right behind its marker.
            gap = piece.marker >= 0 and piece.start > piece.marker + 1 and id(piece) in self.used
            if gap and piece.kind in ("channel", "constrained", "odd-channel", "odd-type"):
                rewrite = (piece.marker + 1, piece.start, "")
                self._find("blank-behind-marker", piece.marker, piece.end, [rewrite], value=piece.value)
        run: list[Piece] = []
        for piece in self.pieces.items:
            if id(piece) in self.used or id(piece) in self.mentioned:
                if run:
                    self._junk(run)
                run = []
            else:
                run.append(piece)
        if run:
            self._junk(run)

    def _junk(self, run: list[Piece]) -> None:
        start, end = run[0].whole, run[-1].end
        kind = "repeated-start" if all(p.kind == "start" for p in run) else "header-junk"
        if kind == "repeated-start" and self.context.role is not None:
            # The prompt's <|start|>assistant, written once more: the role goes with it.
            behind = run[-1].order + 1
            again = self.pieces.items[behind] if behind < len(self.pieces.items) else None
            end = again.end if again is not None and again.kind == "role" and again.start == end else end
        rewrite = (start, end, "") if run[0].kind == "punctuation" and self._at_content(end) else self._cut(start, end)
        self._find(kind, start, end, [rewrite], value=self.text[start:end])

    def _at_content(self, end: int) -> bool:
        return self.out.content is not None and end >= self.out.content


def resolve(pieces: Pieces, context: Context) -> Resolved:
    """The fields that a header's pieces state, with what is wrong about them. Never raises."""
    return _Resolver(pieces, context).resolve()
