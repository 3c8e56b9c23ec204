"""Samples as JSON records: a transcript record with its title, its story and what must be found in it.

``{"id": "run-7", "role": "assistant", "token_ids": [...], "title": "...", "story": "...", "tags": [...],
"family": "...", "rules": ["HS201"], "drift": [], "errors": {release: text}, "expected": [message]}``, see
:mod:`inspector.ingest.record` for what a transcript may have besides. A plain transcript record is a sample too: its
title is its id, and it states nothing of what must be found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from ..budgets import CLI, Budget
from ..harmony.message import Message
from ..ingest import Problem, transcript_record
from ..ingest.carried import TRANSCRIPT_SCHEMA
from ..ingest.record import Defaults, Source, read_record
from ..ingest.values import quoted
from .sample import Sample, SampleError

SAMPLE_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a sample's or a gallery's name looks like: it stands in addresses and file names as it is."""

_LONGEST_NAME: Final = 80
_STATEMENTS: Final = ("rules", "drift", "errors", "expected", "founding")
_WITH_TITLE: Final = frozenset({"title", "name", "family", *_STATEMENTS})
_ALWAYS: Final = frozenset({"story", "tags"})
_MESSAGE_KEYS: Final = frozenset({"role", "name", "channel", "recipient", "content_type", "content"})
T = TypeVar("T")


def address_name(text: str) -> str:
    """``text`` as a name for addresses: lower-case ASCII letters, digits and single hyphens, 1 to 80 characters.

    The same text always gives the same name. Where letters have no ASCII form, a few digits of a digest keep
    different texts apart.
    """
    plain = unicodedata.normalize("NFKD", text)
    ascii_only = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.findall(r"[a-z0-9]+", ascii_only.lower())
    name = "-".join(words)
    lost = any(character.isalnum() and not character.isascii() for character in ascii_only)
    if lost or not name or len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
        head = name[: _LONGEST_NAME - 9].strip("-")
        return f"{head}-{digest}" if head else f"sample-{digest}"
    return name


def sample_record(sample: Sample) -> dict[str, Any]:
    """One sample as a JSON-serialisable record; :func:`read_sample_record` gives the same sample again."""
    # The schema says that what stands beside the transcript is ours: no reader of transcripts takes it for its meta.
    record = {"schema": TRANSCRIPT_SCHEMA, **transcript_record(sample.transcript)}
    if sample.name != address_name(sample.transcript.id):
        record["name"] = sample.name
    record |= {"title": sample.title, "story": sample.story, "tags": list(sample.tags), "family": sample.family}
    if sample.stated:
        record |= {
            "rules": list(sample.rules),
            "drift": list(sample.drift),
            "errors": dict(sample.errors),
            "expected": [message.record() for message in sample.expected],
        }
    if sample.founding:
        record["founding"] = sample.founding
    return record


def read_sample_record(raw: object, place: str = "record") -> Sample:
    """The sample that a parsed JSON record holds.

    Args:
        raw: the parsed value, of any kind.
        place: where it stands, "runs.jsonl:3"; every message begins with it.

    Raises:
        SampleError: no tokens in it, or a field that is not what it should be.
    """
    sample, problems = sample_and_problems(raw, Source("", 1))
    if problems or sample is None:
        what = what_is_wrong(problems[0]) if problems else "expected a transcript record"
        raise SampleError(f"{place}: {what}.")
    return sample


def what_is_wrong(problem: Problem) -> str:
    """A problem's sentence without the place that it begins with."""
    return problem.sentence.removeprefix(f"line {problem.line}, column {problem.column}: ")


def sample_and_problems(raw: object, source: Source, budget: Budget = CLI) -> tuple[Sample | None, list[Problem]]:
    """The sample of one record and what was wrong with it; None when it has no readable tokens.

    A defect in any other field costs that field only (its problem has ``lost`` False).
    """
    defaults = Defaults(budget=budget)
    if not isinstance(raw, dict):
        return None, read_record(raw, source, defaults)[1]
    titled = isinstance(raw.get("title"), str) and bool(raw["title"].strip())
    # Without a title it is a record of somebody else, whose `errors` or `expected` may mean anything.
    ours = _WITH_TITLE | _ALWAYS if titled else {key for key in _ALWAYS if _fits(key, raw.get(key))}
    transcript, problems = read_record({k: v for k, v in raw.items() if k not in ours}, source, defaults)
    if transcript is None:
        return None, problems
    if raw.get("id") == "":
        transcript = replace(transcript, id="")
    fields = _Fields({key: raw[key] for key in ours if key in raw}, source, problems)
    stated = any(key in fields.raw for key in _STATEMENTS[:-1])
    name = fields.take("name", _name, "") or address_name(transcript.id)
    sample = Sample(
        name=name,
        title=fields.take("title", _text, "") or transcript.id or name,
        story=" ".join(fields.take("story", _text, "").split()),
        family=fields.take("family", _text, ""),
        transcript=replace(transcript, source=f"sample {name}"),
        expected=fields.take("expected", _messages, ()),
        rules=fields.take("rules", _texts, ()),
        drift=fields.take("drift", _texts, ()),
        errors=fields.take("errors", _errors, {}),
        founding=fields.take("founding", _count, 0),
        tags=fields.take("tags", _texts, ()),
        stated=stated,
    )
    return sample, problems


class _Fields:
    def __init__(self, raw: Mapping[str, Any], source: Source, problems: list[Problem]) -> None:
        self.raw, self.source, self.problems = raw, source, problems

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:
        """A field's value; the default, with a problem, where it is not readable."""
        if self.raw.get(key) is None:
            return default
        try:
            return read(self.raw[key])
        except ValueError as error:
            line, column = self.source.locate(re.escape(key))
            what = f'line {line}, column {column}: "{key}" {error}; the field was left out'
            self.problems.append(Problem(line, column, what, lost=False))
            return default


def _fits(key: str, value: object) -> bool:
    read: Callable[[Any], object] = _text if key == "story" else _texts
    try:
        read(value)
    except ValueError:
        return False
    return True


def _clean(text: str) -> str:
    """``text`` without lone surrogates, which JSON can carry and no output can."""
    return text.encode("utf-8", "replace").decode()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return _clean(value)


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not SAMPLE_NAME.fullmatch(value):
        shown = quoted(value) if isinstance(value, str) else "no text"
        raise ValueError(f"is {shown}, expected lower-case words joined by hyphens")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("must be a list of texts")
    return tuple(map(_clean, value))


def _errors(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("must be an object of error texts by release")
    return {_clean(release): _clean(text) for release, text in value.items()}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a count")
    return value


def _messages(value: object) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of messages")
    return tuple(map(_message, value))


def _message(value: object) -> Message:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise ValueError("must be a list of messages, each an object with a `content`")
    unknown = sorted(set(value) - _MESSAGE_KEYS)
    if unknown:
        raise ValueError(
            f"holds a message with {quoted(unknown[0])}, expected one of {', '.join(sorted(_MESSAGE_KEYS))}"
        )
    if not all(entry is None or isinstance(entry, str) for entry in value.values()):
        raise ValueError("must have text or null in every field of a message")
    fields = {key: None if entry is None else _clean(entry) for key, entry in value.items()}
    fields["role"] = fields.get("role") or "assistant"
    return Message(**fields)  # type: ignore[arg-type]
