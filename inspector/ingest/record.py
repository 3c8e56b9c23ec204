"""One transcript record: a JSON object, checked field by field.

``{"id": str, "token_ids": [int]}`` or ``{"id": str, "text": str}``, with optional ``role`` ("assistant" when it
continues after ``<|start|>assistant``, null or absent for a whole conversation), ``prompt_token_ids``,
``finish_reason``, ``stop_reason``, ``origins``, ``logprobs``, ``top``, ``tools`` and ``meta``. Any other field is
kept in ``meta``; of an inspection record, which can be read again, only the transcript's own fields are taken, and
what :mod:`inspector.ingest.carried` knows. A record without readable tokens is refused; a defect in an optional field
costs that field only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeGuard, get_args

from ..budgets import CLI, NO_ID, Budget, first_beyond, is_id, values_in
from ..harmony.message import ROLES
from ..renamed import is_ours
from ..tokens import Origin, Transcript, vocabulary
from .carried import KEY, carried_by
from .values import Problem, place, problem, quoted
from .wordless import as_words

_REASONS: Final = ("finish_reason", "stop_reason")
_TOKENS: Final = ("token_ids", "text", "role", "prompt_token_ids", "origins", "logprobs", "top")
KEYS: Final = frozenset(("id", "tools", "meta", *_TOKENS, *_REASONS))
ORIGINS: Final = get_args(Origin)


class _Unreadable(ValueError):
    """A field that is not what it should be; ``key`` names it, ``index`` the entry of a list."""

    def __init__(self, what: str, key: str, index: int | None = None) -> None:
        super().__init__(what)
        self.key, self.index = key, index


@dataclass(slots=True)
class Source:
    """Where a record stands: its own text for places, its first line, the name of its file.

    ``columns`` are those before the record on that line (a record within an array).
    """

    text: str
    line: int
    name: str = ""
    columns: int = 0

    def locate(self, key: str, index: int | None = None) -> tuple[int, int]:
        """Line and column of a field's value, or of one entry of a flat list."""
        found = re.search(rf'"{key}"\s*:\s*', self.text)
        if found is None:
            return self._shift(1, 1)
        at = found.end()
        if index is not None and self.text[at : at + 1] == "[":
            entry = _nth_entry(self.text, at + 1, index)
            at = at if entry is None else entry
        return self._shift(*place(self.text, at))

    def _shift(self, line: int, column: int) -> tuple[int, int]:
        return self.line + line - 1, column + (self.columns if line == 1 else 0)


@dataclass(slots=True)
class Defaults:
    """What to read into a record that does not say: a forced role, the tools, how text is taken; how much is read."""

    role: str | None = "auto"
    tools: tuple[str, ...] = ()
    markers: bool = True
    budget: Budget = CLI


@dataclass(slots=True)
class _Fields:
    raw: Mapping[str, Any]
    source: Source
    problems: list[Problem] = field(default_factory=list)

    def optional(self, key: str, read: Any, *args: Any) -> Any:
        """A field's value, or None (with a problem) when it is not readable."""
        if self.raw.get(key) is None:
            return None
        try:
            return read(key, self.raw[key], *args)
        except _Unreadable as error:
            where = self.source.locate(error.key, error.index)
            self.problems.append(problem(*where, f"{error}; the field was left out", lost=False))
            return None


def read_record(raw: object, source: Source, defaults: Defaults) -> tuple[Transcript | None, list[Problem]]:
    """The transcript of one record and what was wrong with it; None when it has no readable tokens."""
    if not isinstance(raw, dict):
        what = f"expected a transcript record, a JSON object with token_ids or text, found {_kind(raw)}"
        return None, [problem(source.line, 1 + source.columns, what)]
    fields = _Fields(raw, source)
    try:
        ids = _ids_of(raw, defaults)
        role = _role("role", raw.get("role")) if defaults.role == "auto" else defaults.role
    except _Unreadable as error:
        found = problem(*source.locate(error.key, error.index), str(error))
        return None, [replace(found, id=_identity(raw.get("id"), source))]
    count = len(ids)
    optional = fields.optional
    finish, stop, reported = _reasons(fields)
    prompt = optional("prompt_token_ids", _prompt, defaults.budget)
    # What an inspection adds to a record is not the transcript's: it is found anew.
    ours = is_ours(raw.get("schema"))
    meta = _meta(fields, defaults.budget, ours)
    transcript = Transcript(
        ids=tuple(ids),
        role=role,
        # In a record of our own an empty name says that the transcript has none.
        id="" if ours and raw.get("id") == "" else _identity(raw.get("id"), source),
        origins=optional("origins", _origins, count),
        logprobs=optional("logprobs", _logprobs, count),
        top=optional("top", _top, count),
        finish_reason=finish,
        stop_reason=stop,
        reported=reported,
        prompt_ids=None if prompt is None else tuple(prompt),
        tools=optional("tools", _tools, defaults.budget) or defaults.tools,
        meta=meta,
        source=f"{source.name} line {source.line}" if source.name else f"line {source.line}",
    )
    return transcript, fields.problems


def _worded(meta: dict[str, Any], fields: _Fields) -> dict[str, Any]:
    """What a record says besides its tokens, as JSON can say it."""
    found, counts = {}, {}
    for key, value in meta.items():
        found[key], counts[key] = as_words(value)
    if total := sum(counts.values()):
        first = next(key for key, count in counts.items() if count)
        what = "a number" if total == 1 else f"each of {total:,} numbers, the first"
        told = f"{what} within {quoted(first)} is none in JSON (it has no infinity and no NaN); kept as text"
        fields.problems.append(problem(*fields.source.locate(re.escape(first)), told, lost=False))
    return found


def _meta(fields: _Fields, budget: Budget, ours: bool) -> dict[str, Any]:
    """The meta of a record, with the fields that no transcript has; empty, with a problem, where that is too much."""
    raw = fields.raw
    meta = dict(fields.optional("meta", _object) or {})
    if not ours:
        meta.update((key, value) for key, value in raw.items() if key not in KEYS)
    carried = carried_by(raw) if ours else {}
    refused = budget.too_many_notes(values_in({**meta, KEY: carried} if carried else meta, budget.notes))
    if refused is None:
        # What is carried is looked at field by field, where it is used.
        worded = _worded(meta, fields)
        return {**worded, KEY: carried} if carried else worded
    what = f'what the record has beside its tokens ("meta" and unknown fields) {refused}; the fields were left out'
    fields.problems.append(problem(*fields.source.locate("meta"), what, lost=False))
    return {}


def _prompt(key: str, value: object, budget: Budget) -> list[int]:
    return _within(_int_list(key, value), key, budget, "a prompt")


def _identity(value: object, source: Source) -> str:
    if isinstance(value, str) and value:
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return f"line {source.line}" if not source.columns else f"line {source.line}, column {source.columns + 1}"


def _ids_of(raw: Mapping[str, Any], defaults: Defaults) -> list[int]:
    if raw.get("token_ids") is not None:
        return _within(_int_list("token_ids", raw["token_ids"]), "token_ids", defaults.budget)
    if raw.get("text") is not None:
        text = raw["text"]
        if not isinstance(text, str):
            raise _Unreadable(f'"text" is {_kind(text)}, expected a string', "text")
        refused = defaults.budget.too_many_characters(len(text))
        if refused:
            raise _Unreadable(refused, "text")
        encode = vocabulary().encode_markers if defaults.markers else vocabulary().encode
        return _within(encode(text), "text", defaults.budget)
    if isinstance(raw.get("error"), str):
        raise _Unreadable(f"the record holds an error instead of a transcript: {quoted(raw['error'], 200)}", "error")
    raise _Unreadable('the record has neither "token_ids" (a list of integers) nor "text" (a string)', "")


def _within(ids: list[int], key: str, budget: Budget, what: str = "a transcript") -> list[int]:
    refused = budget.too_many_tokens(len(ids), what)
    if refused:
        raise _Unreadable(refused, key)
    return ids


def _role(key: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value in ROLES):
        return value
    shown = quoted(value) if isinstance(value, str) else _kind(value)
    raise _Unreadable(f'"role" is {shown}, expected null or one of {", ".join(ROLES)}', key)


def _reasons(fields: _Fields) -> tuple[str | None, str | int | None, frozenset[str]]:
    """The two reasons and which of them were stated. SGLang's object ``{"type", "matched"}`` gives both."""
    raw, stated = fields.raw, {key for key in ("finish_reason", "stop_reason") if key in fields.raw}
    finish = raw.get("finish_reason")
    if isinstance(finish, dict) and isinstance(finish.get("type"), str):
        matched = finish.get("matched")
        if "stop_reason" not in raw and _is_stop(matched):
            return finish["type"], matched, frozenset({"finish_reason", "stop_reason"})
        finish = finish["type"]
        word: str | None = finish
    else:
        word = fields.optional("finish_reason", _string)
        if word is None and finish is not None:
            stated.discard("finish_reason")
    stop = fields.optional("stop_reason", _stop)
    if stop is None and raw.get("stop_reason") is not None:
        stated.discard("stop_reason")
    return word, stop, frozenset(stated)


def _string(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise _Unreadable(f'"{key}" is {_kind(value)}, expected a string or null', key)


def _stop(key: str, value: object) -> str | int:
    if _is_stop(value):
        return value
    raise _Unreadable(f'"{key}" is {_kind(value)}, expected a string, a token id or null', key)


def _is_stop(value: object) -> TypeGuard[str | int]:
    return isinstance(value, str) or (type(value) is int and is_id(value))


def _object(key: str, value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise _Unreadable(f'"{key}" is {_kind(value)}, expected an object', key)


def _list(key: str, value: object, count: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise _Unreadable(f'"{key}" is {_kind(value)}, expected a list', key)
    if count is not None and len(value) != count:
        raise _Unreadable(f'"{key}" has {len(value)} entries for {count} tokens', key)
    return value


def _int_list(key: str, value: object) -> list[int]:
    entries: list[int] = _list(key, value)
    # type() and not isinstance(): true and false are ints to Python.
    if set(map(type, entries)) <= {int}:
        beyond = first_beyond(entries)
        if beyond is not None:
            raise _Unreadable(f'"{key}"[{beyond}]: {NO_ID}', key, beyond)
        return entries
    index = next(i for i, entry in enumerate(entries) if type(entry) is not int)
    raise _Unreadable(f'"{key}"[{index}] is {_kind(entries[index])}, expected an integer', key, index)


def _origins(key: str, value: object, count: int) -> tuple[Origin, ...]:
    entries = _list(key, value, count)
    for index, entry in enumerate(entries):
        if not isinstance(entry, str) or entry not in ORIGINS:
            raise _Unreadable(f'"{key}"[{index}] is {_kind(entry)}, expected one of {", ".join(ORIGINS)}', key, index)
    return tuple(entries)


def _logprobs(key: str, value: object, count: int) -> tuple[float | None, ...]:
    return tuple(_number(key, index, entry) for index, entry in enumerate(_list(key, value, count)))


def _number(key: str, index: int, entry: object) -> float | None:
    if entry is None:
        return None
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        raise _Unreadable(f'"{key}"[{index}] is {_kind(entry)}, expected a number or null', key, index)
    try:
        value = float(entry)
    except OverflowError:
        raise _Unreadable(f'"{key}"[{index}] is too large for a logarithm of a probability', key, index) from None
    return None if math.isnan(value) else value


def _top(key: str, value: object, count: int) -> tuple[tuple[tuple[int, float], ...], ...]:
    rows: list[tuple[tuple[int, float], ...]] = []
    # The same few ids come again and again: each is held once.
    ids: dict[int, int] = {}
    for index, row in enumerate(_list(key, value, count)):
        pairs = [] if row is None else row
        if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
            raise _Unreadable(
                f'"{key}"[{index}] is {_kind(row)}, expected a list of [token id, logprob] pairs', key, index
            )
        rows.append(tuple((ids.setdefault(pair[0], pair[0]), float(pair[1])) for pair in pairs))
    return tuple(rows)


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and type(pair[0]) is int
        and is_id(pair[0])
        and (type(pair[1]) is float or (type(pair[1]) is int and abs(pair[1]) < 1e300))
    )


def _tools(key: str, value: object, budget: Budget) -> tuple[str, ...]:
    """Names of tools; OpenAI's tool objects give ``functions.NAME``."""
    names = []
    entries = _list(key, value)
    refused = budget.too_many_notes(len(entries), "name")
    if refused:
        raise _Unreadable(f'"{key}" {refused}', key)
    for index, entry in enumerate(entries):
        name = entry
        if isinstance(entry, dict):
            inner = entry.get("function") if isinstance(entry.get("function"), dict) else entry
            name = inner.get("name") if isinstance(inner, dict) else None
            name = f"functions.{name}" if isinstance(name, str) and name else None
        if not isinstance(name, str) or not name:
            raise _Unreadable(f'"{key}"[{index}] is {_kind(entry)}, expected the name of a tool', key, index)
        names.append(name)
    return tuple(names)


def _kind(value: object) -> str:
    """A JSON value in words, short values as they are."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if is_id(value) else "a huge integer"
    if isinstance(value, float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    return "a list" if isinstance(value, list) else "an object"


def _nth_entry(text: str, at: int, index: int) -> int | None:
    """Offset of entry ``index`` of the flat JSON list whose first entry begins at or after ``at``."""
    decoder = json.JSONDecoder()
    for number in range(index + 1):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if number == index:
            return at
        try:
            _, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
    return None
