"""Markers that became text: look-alikes, and outputs whose markers were stripped ("analysis...assistantfinal").

Such text is one endless header to the strict parser. It is only split where the evidence is beyond what prose
does: a role glued to a channel (``assistantfinal``), never a mere word such as "analysis" or "final".
"""

from __future__ import annotations

import re
from typing import Final

from ..tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, wide_special
from .words import GLUED_TYPES, as_content_type

_NAMES: Final = {
    "start": START, "channel": CHANNEL, "constrain": CONSTRAIN, "message": MESSAGE,
    "end": END, "call": CALL, "return": RETURN,
}  # fmt: skip
_ALIKE: Final = re.compile(r"<\|(start|channel|constrain|message|end|call|return)\|>")
# A whole header spelled out: perhaps a start with an author, what may stand before the channel, the channel and all
# behind it. What stands before the channel is looked at by _goes_before: as a part of one pattern it would be several
# runs of the same characters beside each other.
_ALIKE_START: Final = re.compile(r"\s*+<\|?start\|?>")
_ALIKE_CHANNEL: Final = re.compile(
    r"<\|?channel\|?>\s*+(?:analysis|commentary|final)[^<]{0,80}+"
    r"(?:<\|?constrain\|?>[^<]{0,20}+)?+<\|?message\|?>"
)
_AUTHOR: Final = re.compile(r"\w[\w. =\-]*+")
_AUTHOR_WORD: Final = re.compile(r"\w*+")
_ADDRESS: Final = re.compile(r"[\w.\-]++")
# Without their bars only those in the header count: <message> in a body may be markup.
_BARE: Final = re.compile(r"<\|?(start|channel|constrain|message)\|?>")
_TO: Final = r"(?:\s*+to=(?P<name>[A-Za-z_][\w.\-]*+))?+"
_HEAD: Final = re.compile(
    r"(?<![\"'`“‘])(?P<role>assistant)(?:(?P<channel>analysis|commentary|final)(?![\"'`”’])"
    r"|(?= ?to=[A-Za-z_][\w.\-]*+\s*+(?:(?:json|code)\s*+)?+\{))" + _TO
)
_LEADING: Final = re.compile(r"(?P<role>assistant)?(?P<channel>analysis|commentary|final)" + _TO)
_TYPED: Final = re.compile(r"(?P<role>assistant)(?P<type>code|json)(?=\s*+[{\[])")
_TYPE: Final = re.compile(r"\s*+(?P<type>json|code|response)(?=\s*+[{\[])")
_WHITE: Final = re.compile(r"\s*+")
_PARTIAL: Final = re.compile(
    r"assistant(?:a|an|ana|anal|analy|analys|analysi|c|co|com|comm|comme|commen|comment|commenta|commentar|f|fi|fin|fina)$"
)
W_START, W_CHANNEL, W_MESSAGE, W_END = (wide_special(t) for t in (START, CHANNEL, MESSAGE, END))

Rewrite = tuple[int, int, str]


def promotes(text: str) -> bool:
    """True when a header text begins with a whole header spelled in ordinary characters."""
    return _alike_header_end(text) > 0


def _alike_header_end(text: str) -> int:
    """Where the header that ``text`` begins with, spelled in ordinary characters, ends; 0 when there is none."""
    start = _ALIKE_START.match(text)
    at = start.end() if start is not None else 0
    channel = text.find("<", at)
    header = _ALIKE_CHANNEL.match(text, channel) if channel >= 0 else None
    if header is None or not _goes_before(text[at:channel].strip(), _AUTHOR if start is not None else _AUTHOR_WORD):
        return 0
    return header.end()


def _goes_before(text: str, author: re.Pattern[str]) -> bool:
    """True for what may stand before a channel: an author, and perhaps a recipient behind it."""
    if author.fullmatch(text):
        return True
    before, to, name = text.rpartition("to=")
    return bool(to) and _ADDRESS.fullmatch(name) is not None and author.fullmatch(before.rstrip()) is not None


def look_alikes(text: str) -> list[Rewrite]:
    """Every marker spelled in ordinary characters, as (start, end, the marker's wide character)."""
    end = _alike_header_end(text)
    found = [*_BARE.finditer(text, 0, end), *_ALIKE.finditer(text, end)]
    return [(m.start(), m.end(), wide_special(_NAMES[m.group(1)])) for m in found]


def heads(text: str, *, leading: bool = False) -> list[re.Match[str]]:
    """Where stripped headers begin in ``text``: ``assistantfinal`` and its like, not quoted ones."""
    lead = _LEADING.match(text)
    # Only in a text that itself begins with a stripped header may an ordinary word follow one.
    stripped = lead is not None and (lead["role"] is not None or text[lead.end() : lead.end() + 1].isupper())
    found = [m for m in _HEAD.finditer(text) if _believable(text, m, stripped=stripped)]
    if leading and not found:
        match = _TYPED.match(text)
        return [match] if match else []
    return found


def _believable(text: str, match: re.Match[str], *, stripped: bool) -> bool:
    """Whether a role glued to a channel is a header, not part of a word or a mention.

    "assistantfinalists" and "the assistantfinal keyword" are prose. A header begins where a sentence ended, and a
    new one, JSON or a recipient follows it; only in a text that itself begins with a stripped header may an
    ordinary word follow (``analysisAnswer in one word.assistantfinalfour``).
    """
    before = text[max(0, match.start() - 40) : match.start()]
    after = text[match.end() : match.end() + 40]
    ended = not before.strip() or before.rstrip()[-1] in _SENTENCE_ENDS
    if match["name"]:
        return ended or after.lstrip()[:1] in ("{", "[")
    begins = not after.strip() or not (after.lstrip()[0].isalpha() and after.lstrip()[0].islower())
    if after[:1].isspace():
        return ended and begins
    return begins or (stripped and ended)


_SENTENCE_ENDS: Final = frozenset(".!?\n}])>:;…")


def split(text: str, *, continued: bool, opened: bool, at_end: bool) -> list[Rewrite] | None:
    """The rewrites that give a stripped text its markers back, or None when it is not a stripped one.

    ``continued``: the prompt gave the role; ``opened``: a ``<|start|>`` stands before the text; ``at_end``: the
    transcript ends behind it, so that a cut-off ``assistantfin`` is a header that was on its way.
    """
    if any(c in text for c in (W_CHANNEL, W_MESSAGE)):
        return None
    found = heads(text)
    partial = _PARTIAL.search(text) if at_end else None
    lead = _LEADING.match(text)
    typed = _TYPED.match(text)
    to_json = lead is not None and lead["name"] is not None and _json_follows(text, lead)
    if not found and not to_json and typed is None and not (partial is not None and lead is not None):
        return None
    rewrites: list[Rewrite] = []
    prefix = "" if continued else ("" if opened else W_START)
    if typed is not None:
        rewrites.append(
            (
                0,
                typed.end(),
                ("" if continued else prefix + "assistant") + f" {typed['type']}" * 1 + W_MESSAGE,
            )
        )
    elif lead is not None and (not found or found[0].start() != 0 or lead["role"]):
        rewrites.append(_rewrite(text, lead, first=True, continued=continued, prefix=prefix))
        found = [m for m in found if m.start() >= rewrites[0][1]]
    elif found and found[0].start() > 0:
        role = "" if continued else prefix + "assistant"
        rewrites.append((0, 0, role + W_MESSAGE))
    strip = lead is not None and lead.end() < len(text) and text[lead.end()] == " "
    for match in found:
        start, end, new = _rewrite(text, match, first=False, continued=False, prefix=W_START, strip=strip)
        rewrites.append((max(start, rewrites[-1][1] if rewrites else 0), end, new))
    if partial is not None and partial.start() >= (rewrites[-1][1] if rewrites else 0):
        rewrites.append((partial.start(), len(text), ""))
    return rewrites


def before_header(text: str, *, continued: bool, opened: bool) -> list[Rewrite] | None:
    """Rewrites for stripped text that runs into a header with markers: ``analysisLook.assistantcommentary to=x``.

    Only the text in front gets its markers back; the header itself is read once it stands alone. None when
    there is no such text.
    """
    if text[:1] in (W_CHANNEL, W_START):
        return None
    found = [m for m in heads(text) if m.start() > 0 and m["channel"]]
    if not found or W_CHANNEL in text[: found[-1].start()]:
        return None
    last = found[-1]
    front = split(text[: last.start()], continued=continued, opened=opened, at_end=False)
    if front is None:
        lead = _LEADING.match(text)
        if lead is not None:
            front = [_rewrite(text, lead, first=True, continued=continued, prefix="" if opened else W_START)]
        else:
            front = [(0, 0, ("" if continued else ("" if opened else W_START) + "assistant") + W_MESSAGE)]
    return [
        *front,
        (last.start(), last.start(), W_END + W_START),
        (last.start("channel"), last.start("channel"), W_CHANNEL),
    ]


def inside(text: str) -> list[Rewrite]:
    """Rewrites for stripped headers inside the body of a message: only behind a sentence and before a new one."""
    rewrites: list[Rewrite] = []
    for match in heads(text):
        before = _visible_before(text, match.start())
        after = _visible_from(text, match.end(), " \n")
        if (not before or before in ".!?\n}])") and (match["name"] or after.isupper() or after in ("{", "[")):
            start, end, new = _rewrite(text, match, first=False, continued=False, prefix=W_START)
            rewrites.append((max(start, rewrites[-1][1] if rewrites else 0), end, new))
    return rewrites


def _json_follows(text: str, match: re.Match[str]) -> bool:
    return _first_visible(text, match.end()) in ("{", "[") or _TYPE.match(text, match.end()) is not None


def _first_visible(text: str, at: int) -> str:
    """The first character from ``at`` on that is no white space; empty when there is none."""
    white = _WHITE.match(text, at)
    end = white.end() if white is not None else at
    return text[end : end + 1]


def _visible_from(text: str, at: int, blanks: str) -> str:
    """The first character from ``at`` on that is none of ``blanks``; empty when there is none."""
    while at < len(text) and text[at] in blanks:
        at += 1
    return text[at : at + 1]


def _visible_before(text: str, at: int) -> str:
    """The last character before ``at`` that is no blank; empty when there is none."""
    while at > 0 and text[at - 1] == " ":
        at -= 1
    return text[at - 1 : at] if at else ""


def _rewrite(
    text: str, match: re.Match[str], *, first: bool, continued: bool, prefix: str, strip: bool = False
) -> Rewrite:
    start, end = match.start(), match.end()
    name, kind = match["name"], None
    typed = _TYPE.match(text, end)
    if typed is not None:
        kind, end = typed["type"], typed.end()
    elif name and _first_visible(text, end) in ("{", "["):
        for glued in GLUED_TYPES:
            if name.endswith(glued) and len(name) > len(glued) and name[-len(glued) - 1] not in "._-":
                name, kind = name[: -len(glued)], glued
                break
    clause = f" to={name}" if name else ""
    suffix = f" {kind}" if kind and as_content_type(kind) else ""
    while end < len(text) and text[end] == " ":
        end += 1
    if not first:
        while strip and start > 0 and text[start - 1] == " ":
            start -= 1
    role = "" if first and continued else "assistant"
    opener = (prefix if first else W_END + W_START) if not (first and continued) else ""
    channel = f"{W_CHANNEL}{match['channel']}" if match["channel"] else ""
    return start, end, f"{opener}{role}{channel}{clause}{suffix}{W_MESSAGE}"
