"""An inspection as Markdown for an issue: what broke, where, what was meant, and how to see it happen.

Everything that comes from a transcript stands in fenced code blocks, whose fences are longer than any run of backticks
in them, or in the one heading, where it is escaped. The whole fits into what GitHub takes for an issue: long parts are
cut at a line, and a sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from .. import __version__
from ..harmony.message import Message
from ..harmony.verdict import StrictError, Verdict
from ..tokens import Span
from .explain import explained
from .findings import counted, findings, gravest, plural
from .page import Limits, Page
from .pytest_file import ids_literal, literal
from .snippet import token_signs
from .subject import Subject
from .visible import clip, pad, visible, width_of

MOST_CHARACTERS: Final = 65_536
"""What GitHub takes for the body of an issue or a comment. Bytes are counted here, which are never fewer."""

_RESERVE: Final = 600
_WIDTH: Final = 100
_NEAR: Final = 6
_LONGEST_BLOCK: Final = 14_000
_MOST_FINDINGS: Final = 12
_MOST_IDS: Final = 2_000
_CELL: Final = 48
_MARKUP: Final = re.compile(
    r"([\\\\`*_{}\[\]<>#|~$&@!^]|:(?! |$)|(?<=www)\.|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)])", re.IGNORECASE
)
_BACKTICKS: Final = re.compile(r"`+")


def export_markdown(subject: Subject) -> bytes:
    """The issue, UTF-8, at most :data:`MOST_CHARACTERS` bytes; the same bytes for the same subject."""
    out: list[str] = []
    left = MOST_CHARACTERS - _RESERVE
    skipped: list[str] = []
    for name, make in _SECTIONS.items():
        section = make(subject)
        size = len(section.encode("utf-8", "replace"))
        if size > left:
            skipped.append(name)
            continue
        out.append(section)
        left -= size
    if skipped:
        out.append(
            f"Left out here, because an issue takes {MOST_CHARACTERS:,} characters at most: {' and '.join(skipped)}. "
            "The JSON fixture has everything.\n"
        )
    return "\n".join(part for part in out if part).encode("utf-8", "replace")


def fenced(text: str, language: str = "text") -> str:
    """``text`` in a code block that nothing in it can close."""
    longest = max((len(run.group()) for run in _BACKTICKS.finditer(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}\n"


def escaped(text: str) -> str:
    """``text`` on one line as Markdown that shows these characters and nothing else: no links, no mentions."""
    shown = _MARKUP.sub(r"\\\1", visible(" ".join(text.split())))
    # GitHub looks for mentions and references after escapes are gone; an empty comment keeps them apart.
    return shown.replace("\\@", "\\@<!-- -->").replace("\\#", "\\#<!-- -->")


def _cut(lines: Iterable[str], limit: int = _LONGEST_BLOCK) -> str:
    """Lines up to ``limit`` bytes; what is left out is counted."""
    kept: list[str] = []
    size = dropped = 0
    for line in lines:
        size += len(line.encode("utf-8", "replace")) + 1
        if size > limit:
            dropped += 1
        else:
            kept.append(line)
    if dropped:
        kept.append(f"… {plural(dropped, 'more line')}, left out here")
    return "\n".join(kept)


def _strict(subject: Subject) -> list[Verdict]:
    return [verdict for verdict in subject.inspection.strict if verdict.mode == "strict"]


def _heading(subject: Subject) -> str:
    broken = [verdict.release for verdict in _strict(subject) if not verdict.ok]
    found = counted(findings(subject.inspection))
    what = f"Strict parsing raises in {' and '.join(broken)}" if broken else f"Strict parsing accepts this; {found}"
    title = escaped(subject.card.title or subject.transcript.id)
    return f"### {title or what}\n\n" + (f"{what}.\n" if title else "")


def _story(subject: Subject) -> str:
    return f"{escaped(subject.card.story)}\n" if subject.card.story else ""


def _broke(subject: Subject) -> str:
    parts = ["#### What the releases do\n"]
    for verdict in _strict(subject):
        said = "the library itself" if verdict.source == "native" else "harmonylens's model of it"
        if verdict.error is None:
            misread = [m.record() for m in verdict.messages] != [m.record() for m in subject.inspection.repair.messages]
            how = ", but not the messages that were meant" if misread else ""
            parts.append(f"**{verdict.release}** returns {plural(len(verdict.messages), 'message')}{how} ({said}).\n")
            continue
        place = _place(subject, verdict.error)
        parts.append(f"**{verdict.release}** raises at {place} ({said}):\n")
        parts.append(fenced(_cut(_wrapped(visible(verdict.error.text)), 4_000)))
    return "\n".join(parts)


def _place(subject: Subject, error: StrictError) -> str:
    count = len(subject.transcript)
    return f"the end, after token {count - 1:,}" if error.token >= count else f"token {error.token:,} of {count:,}"


def _wrapped(text: str) -> list[str]:
    """A long text without line breaks, in lines that a person can read."""
    return [text[at : at + 400] for at in range(0, max(1, len(text)), 400)]


def _tokens(subject: Subject) -> str:
    errors = [verdict for verdict in _strict(subject) if verdict.error is not None]
    places: dict[int, list[str]] = {}
    for verdict in errors:
        if verdict.error is not None:
            places.setdefault(verdict.error.token, []).append(verdict.release)
    if places:
        blamed = next(v.error.cause for v in errors if v.error is not None)
        title = "The tokens around it"
    else:
        found = gravest(findings(subject.inspection), 1)
        if not found:
            return ""
        blamed, title = found[0].span, "The tokens"
    ids = subject.transcript.ids
    rows = sorted({*places, blamed.start, max(blamed.start, blamed.end - 1)})
    window = sorted({at for row in rows for at in range(row - _NEAR, row + _NEAR + 1) if 0 <= at <= len(ids)})
    return f"#### {title}\n\n" + fenced(_cut(_table(ids, window, blamed, places)))


def _table(ids: Sequence[int], window: Sequence[int], blamed: Span, places: dict[int, list[str]]) -> Iterator[str]:
    yield f"  {'token':>7}  {'id':>7}  text"
    before = -1
    for at in window:
        if before >= 0 and at != before + 1:
            yield "        …"
        before = at
        if at == len(ids):
            if at in places:
                yield f"> {'end':>7}  {'':>7}  {'':<{_CELL}}  {' and '.join(places[at])} raises here"
            continue
        sign = clip(next(iter(token_signs(ids, at, at + 1))), _CELL)
        lead = ">" if at in places else "~" if blamed.start <= at < blamed.end else " "
        row = f"{lead} {at:>7}  {_id(ids[at]):>7}  {sign}"
        yield f"{pad(row, 22 + _CELL)}  {' and '.join(places[at])} raises here" if at in places else row


def _id(token: int) -> str:
    text = str(token) if -(10**20) < token < 10**20 else "huge"
    return text if width_of(text) <= 21 else "huge"


def _findings(subject: Subject) -> str:
    found = findings(subject.inspection)
    if not found:
        return "#### Findings\n\nharmonylens finds nothing to report.\n"
    page = Page(subject.inspection, _WIDTH, Limits(edits=3), subject.switches.off, subject.switches.choices)
    shown = gravest(found, _MOST_FINDINGS)
    lines: list[str] = []
    for diagnostic in shown:
        # Switches are named for the command line there; an issue has none.
        lines += [line.plain.rstrip() for line in explained(page, diagnostic) if "= options:" not in line.plain]
        lines.append("")
    more = (
        f"\n{plural(len(found) - len(shown), 'further finding')} not shown here.\n" if len(found) > len(shown) else ""
    )
    body = fenced(_cut(lines)) + more
    return _details(f"Findings: {counted(found)}", body, open_at=len(lines) <= 40)


def _repaired(subject: Subject) -> str:
    repair = subject.inspection.repair
    state = "strict parsing accepts it" if repair.ok else "strict parsing still raises"
    lines: list[str] = []
    for message in repair.messages:
        lines += [_header(message), *_body(message), ""]
    body = fenced(_cut(lines)) if lines else "No message.\n"
    title = f"Repaired: {plural(len(repair.messages), 'message')}, {plural(len(repair.edits), 'edit')}; {state}"
    return _details(title, body, open_at=len(lines) <= 40)


def _header(message: Message) -> str:
    record = message.record()
    named = [f"{key}={record[key]}" for key in ("name", "channel", "recipient", "content_type") if record[key]]
    return clip(visible(f"[{' '.join((message.role, *named))}]"), 400)


def _body(message: Message) -> Iterator[str]:
    for line in message.content[:6_000].split("\n"):
        yield from (f"  {piece}" for piece in _wrapped(visible(line)))
    if len(message.content) > 6_000:
        yield f"  … {plural(len(message.content) - 6_000, 'more character')}"


def _reproduce(subject: Subject) -> str:
    transcript = subject.transcript
    if len(transcript) > _MOST_IDS:
        return (
            f"#### How to reproduce\n\nThe transcript has {len(transcript):,} tokens, too many for an issue: the JSON "
            "fixture or the pytest file that harmonylens exports holds them.\n"
        )
    role = "None" if transcript.role is None else f"Role({literal(transcript.role)})"
    code = (
        "from openai_harmony import HarmonyEncodingName, Role, load_harmony_encoding\n\n"
        f"{ids_literal(transcript.ids)}"
        "encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)\n"
        f"print(encoding.parse_messages_from_completion_tokens(IDS, {role}))\n"
    )
    return _details("How to reproduce", fenced(code, "python"), open_at=len(transcript) <= 300)


def _versions(subject: Subject) -> str:
    names = ", ".join(verdict.release for verdict in _strict(subject))
    prompt = subject.inspection.next_prompt
    drift = ""
    if prompt is not None:
        count = plural(len(prompt.drift), "difference")
        drift = f" Next prompt as {prompt.style} renders it: {count} from what was emitted."
        if prompt.error is not None:
            drift = f" {prompt.style} cannot render the next prompt."
    return (
        f"{plural(len(subject.transcript), 'token')} of o200k_harmony, inspected by harmonylens {__version__} against "
        f"{names}.{drift}\n"
    )


def _details(title: str, body: str, *, open_at: bool) -> str:
    """A part that folds; ``title`` is ours and holds no markup."""
    state = " open" if open_at else ""
    return f"<details{state}>\n<summary><b>{title}</b></summary>\n\n{body}\n</details>\n"


_SECTIONS: Final[dict[str, Callable[[Subject], str]]] = {
    "the heading": _heading,
    "the story": _story,
    "what the releases do": _broke,
    "the tokens": _tokens,
    "the findings": _findings,
    "the repaired messages": _repaired,
    "how to reproduce it": _reproduce,
    "the versions": _versions,
}
