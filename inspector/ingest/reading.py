"""What an input is taken for, and reading it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..budgets import CLI, Budget
from ..tokens import START, Transcript
from .amount import Kept
from .archives import unpack
from .documents import parse_json
from .html import out_of_page
from .ids import looks_like_ids, read_ids
from .record import Defaults
from .records import looks_like_records, read_records
from .text import MARKER_TEXT, describe, read_text, role_of
from .values import FORMATS, Detection, Loaded, Problem, ProblemList, plural, problem
from .wrapping import Unwrapped


def detect(data: str | bytes, filename: str | None = None) -> Detection:
    """What ``data`` is most likely meant as, in words; ``filename`` only helps (its ending). Never raises.

    Records win when a JSON object with ``token_ids`` or ``text`` is there; ids when there is nothing but
    integers in a notation that people paste; text otherwise. One bare number is text unless it is the id of a
    marker, and prose with numbers is text.

        >>> detect("200005 35644 200008").why
        'token ids, space-separated, 3 tokens'
        >>> detect("the 3 of us paid 42 each").format
        'text'
    """
    return _detect(out_of_page(unpack(data, filename)), filename)


def read(
    data: str | bytes,
    *,
    format: str = "auto",
    role: str | None = "auto",
    markers: bool = True,
    filename: str | None = None,
    tools: tuple[str, ...] = (),
    budget: Budget = CLI,
) -> Loaded:
    """Transcripts from ``data``. What cannot be read becomes a problem; the rest is kept.

    Of many problems of a kind the first are listed, and the others counted in one more.

    Args:
        data: text, or bytes in UTF-8 or as a byte-order mark says; a page or a bundle that harmonylens wrote, gzip.
        format: "text", "ids", "records", or "auto" to ask :func:`detect`.
        role: the role that the transcripts continue, None for whole conversations; "auto" takes a record's
            own word for it, and for text and ids whether they begin with ``<|start|>`` (then None).
        markers: whether text that spells a marker is one.
        filename: where it came from, for the transcripts' source.
        tools: declared tools of transcripts that do not name any themselves.
        budget: how much is read; what is beyond is a problem that says what to do.

    Raises:
        ValueError: ``format`` is none of these.

        >>> read("[200005, 35644, 200008]").transcripts[0].ids
        (200005, 35644, 200008)
        >>> print(read("200005 35644 abc", format="ids").problems[0])  # doctest: +NORMALIZE_WHITESPACE
        line 1, column 14: expected an integer, found 'abc'; separate token ids by commas, blanks or
        newlines; the 2 ids before it were kept
    """
    if format != "auto" and format not in FORMATS:
        raise ValueError(f"format is {format!r}, expected auto, {', '.join(FORMATS)}")
    found = unpack(data, filename, budget)
    if format in ("auto", "records"):
        found = out_of_page(found, budget)
    detection = _detect(found, filename)
    chosen = detection.format if format == "auto" else format
    loaded: Loaded
    if not found.text.strip() and chosen != "text":
        loaded = _nothing(found, chosen)
    elif chosen == "records":
        loaded = _records(found, filename, Defaults(role, tools, markers, budget), detection)
    elif chosen == "ids":
        loaded = _ids(found, filename, role, tools, budget)
    elif not found.text.strip() and format == "auto":
        loaded = _nothing(found, chosen)
    else:
        loaded = _text(found, filename, role, tools, markers, budget)
    notes = "; ".join((loaded.explanation, *found.notes))
    return replace(loaded, explanation=notes, problems=(*_few(found.problems), *loaded.problems))


def _few(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    kept = ProblemList()
    for each in problems:
        kept.add(each)
    return kept.all()


def _detect(found: Unwrapped, filename: str | None) -> Detection:
    text = found.text
    if not text.strip():
        return Detection("text", "nothing", 1.0)
    sure, why = looks_like_records(text, filename)
    if sure:
        return Detection("records", why, sure)
    sure = looks_like_ids(text)
    if sure > 0.5 or _is_number_array(text):
        return Detection("ids", read_ids(text, found.line).describe(), sure or 0.7)
    why = describe(text)
    if MARKER_TEXT.search(text):
        return Detection("text", why, 0.98)
    if sure:
        return Detection("text", f"{why} (a lone number: choose token ids if it is one)", 0.5)
    if text.lstrip()[:1] == "{" and _is_object(text):
        return Detection("text", f"{why} (a JSON object, but without token_ids or text)", 0.5)
    return Detection("text", why, 0.9)


def _is_number_array(text: str) -> bool:
    """A JSON array of scalars that is no list of ids only because of what is in it (true, 1e5, null)."""
    bare = text.strip()
    if bare[:1] != "[" or bare[-1:] != "]" or len(bare) > 1_000_000:
        return False
    try:
        value = parse_json(bare)
    except ValueError:
        return False
    return bool(value) and all(entry is None or isinstance(entry, int | float) for entry in value)


def _is_object(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict)
    except ValueError:
        return False


def _source(filename: str | None) -> str:
    return filename or "pasted text"


def _nothing(found: Unwrapped, chosen: str) -> Loaded:
    if any(known.lost for known in found.problems):
        return Loaded((), "records", "nothing that can be read")
    what = "the input is empty; expected a model output as text, token ids, or transcript records"
    given = next(name for name in FORMATS if name == chosen)
    return Loaded((), given, "nothing", (problem(found.line, 1, what),))


def _records(found: Unwrapped, filename: str | None, defaults: Defaults, detection: Detection) -> Loaded:
    transcripts, problems = read_records(found.text, found.line, filename or "", defaults)
    why = detection.why if detection.format == "records" else "transcript records"
    explanation = f"{why}: {plural(len(transcripts), 'transcript')}"
    # A record without a role is a whole conversation; one that does not begin like one is odd.
    unled = [t for t in transcripts if t.role is None and t.ids[:1] != (START,)]
    headless = len(unled) if defaults.role == "auto" else 0
    if headless:
        explanation += (
            f"; {headless:,} without a role that do not begin with <|start|>: "
            'add "role": "assistant", or choose that role, if they continue after <|start|>assistant'
        )
    listed = problems.all()
    if not transcripts and not listed:
        listed = (problem(found.line, 1, "expected transcript records, JSON objects with token_ids or text"),)
    return Loaded(tuple(transcripts), "records", explanation, listed)


def _ids(found: Unwrapped, filename: str | None, role: str | None, tools: tuple[str, ...], budget: Budget) -> Loaded:
    read_in = read_ids(found.text, found.line)
    problems = ProblemList()
    for each in read_in.problems:
        problems.add(each)
    rows = [row for row in read_in.rows if row] or [[]]
    if problems.listed and not read_in.count:
        return Loaded((), "ids", read_in.describe(), problems.all())
    kept = Kept(budget)
    for number, row in enumerate(rows, 1):
        refused = budget.too_many_tokens(len(row))
        if refused:
            problems.add(problem(found.line, 1, f"row {number}: {refused}" if len(rows) > 1 else refused))
            continue
        transcript = Transcript(
            ids=tuple(row),
            role=role_of(row) if role == "auto" else role,
            id=f"row {number}" if len(rows) > 1 else "",
            tools=tools,
            source=f"{_source(filename)}, row {number}" if len(rows) > 1 else _source(filename),
        )
        refused = kept.add(transcript)
        if refused:
            problems.add(Problem(found.line, 1, refused))
            break
    why = _with_role(read_in.describe(), kept.transcripts[0], role) if kept.transcripts else read_in.describe()
    return Loaded(tuple(kept.transcripts), "ids", why, problems.all())


def _text(
    found: Unwrapped,
    filename: str | None,
    role: str | None,
    tools: tuple[str, ...],
    markers: bool,
    budget: Budget,
) -> Loaded:
    why = describe(found.text)
    refused = budget.too_many_characters(len(found.text))
    if refused:
        return Loaded((), "text", why, (problem(found.line, 1, refused),))
    ids, notes = read_text(found, markers=markers)
    refused = budget.too_many_tokens(len(ids))
    if refused:
        return Loaded((), "text", why, (problem(found.line, 1, refused),))
    transcript = Transcript(
        ids=tuple(ids), role=role_of(ids) if role == "auto" else role, tools=tools, source=_source(filename)
    )
    why = _with_role(f"{why}, {plural(len(ids), 'token')}", transcript, role)
    return Loaded((transcript,), "text", "; ".join((why, *notes)))


def _with_role(why: str, transcript: Transcript, asked: str | None) -> str:
    if asked != "auto":
        return why
    if transcript.role is None:
        return f"{why}, a whole conversation (it begins with <|start|>)"
    return f"{why}, continuing after <|start|>{transcript.role}"
