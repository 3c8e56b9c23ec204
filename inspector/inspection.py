"""The facade: one call that reads, judges, repairs and re-encodes a transcript.

>>> from inspector import inspect
>>> found = inspect("<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>")
>>> [d.name for d in found.diagnostics]
['duplicate-channel']
>>> found.repair.messages[0].channel
'analysis'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .finding import Diagnostic, Fix
from .harmony.message import Message
from .harmony.strict import StrictModel
from .harmony.tree import Tree
from .harmony.verdict import Dialect, StrictError, Verdict
from .prompt import against_original
from .prompt import next_prompt as make_next_prompt
from .prompt.drift import NextPrompt
from .repair.engine import Choices, Judge, diagnose_and_repair, show_edits
from .serving import judge_finish
from .serving.finish import Finish
from .tokens import START, Edit, Scan, Transcript, WideLookup, vocabulary
from .tokens.spans import Origins

NEWEST: Final = "oss-harmony 0.0.11"
"""The newest release: repairs hold against its strict parse."""

RELEASES: Final[Mapping[str, Dialect]] = {
    NEWEST: Dialect.ALL_CHANNELS,
    "openai-harmony 0.0.8": Dialect.FIRST_ONLY,
}
"""The releases whose verdicts are predicted by default."""

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """An edit of the repair with the keys of the diagnostics that asked for it (several when they share a token)."""

    edit: Edit
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """The transcript after the fixes that are on.

    Attributes:
        ids: its tokens.
        role: the role it continues; None also when nothing of a continuation is left.
        ok: whether the newest release's strict parse accepts it.
        error: why it does not.
        messages: our reading of it, with indexes into ``ids``.
        edits: what was done, relative to the original transcript.
        applied: keys of the diagnostics whose fixes are in it.
    """

    ids: tuple[int, ...]
    role: str | None
    ok: bool
    error: StrictError | None
    messages: tuple[Message, ...]
    edits: tuple[AppliedEdit, ...]
    applied: tuple[str, ...]

    @property
    def text(self) -> str:
        """The repaired transcript as text, markers as they are printed."""
        return vocabulary().decode(self.ids)

    def original(self, position: int) -> int:
        """Where a token of the repaired transcript stood in the original."""
        return Origins(a.edit for a in self.edits).of(position)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that is known about one transcript; a plain value.

    ``next_prompt`` is what the repaired messages become; its drift is relative to the original transcript,
    so that a repaired stretch shows as what it is: a difference between what was emitted and what comes back.
    """

    transcript: Transcript
    tree: Tree
    strict: tuple[Verdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    repair: Repair
    next_prompt: NextPrompt | None
    finish: Finish

    def verdict(self, release: str, mode: str = "strict") -> Verdict:
        """The verdict of one release.

        Raises:
            KeyError: that release was not asked.
        """
        for verdict in self.strict:
            if verdict.release == release and verdict.mode == mode:
                return verdict
        raise KeyError(f"no verdict of {release} ({mode}) in this inspection")


def inspect(
    source: Transcript | str | Sequence[int],
    *,
    role: str | None = AUTO,
    tools: Sequence[str] = (),
    off: Collection[str] = (),
    choices: Mapping[str, int] | None = None,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    style: str = NEWEST,
    releases: Collection[str] | None = None,
    native: bool = False,
    next_prompt: bool = True,
    known: Inspection | None = None,
) -> Inspection:
    """Read a transcript, judge it as the releases do, find what is wrong, mend it and encode it again.

    Args:
        source: a transcript, raw text (markers in it become tokens) or token ids.
        role: the role that the transcript continues ("assistant"), None for a whole conversation, or "auto":
            whole when it begins with ``<|start|>``. Ignored when ``source`` is a transcript, unless given.
        tools: names of the declared tools ("functions.bash").
        off: keys ("HS201@15"), codes or names of diagnostics whose fix is not applied.
        choices: by key, the number of an alternative reading to take (1 is the first).
        select, ignore: codes, prefixes of codes or names of rules to report; everything by default. A rule
            that is not reported does not repair either.
        style: who renders the next prompt, one of :data:`inspector.prompt.STYLES`.
        releases: whose verdicts to give; :data:`RELEASES` by default.
        native: ask the libraries themselves, in a worker process, instead of our model of them.
        next_prompt: False leaves the next prompt out.
        known: an earlier inspection of this very transcript for the same releases, whose reading and verdicts still
            hold under other switches; of another transcript it is not looked at.

    Returns:
        The inspection; never raises for anything that tokens can be.

    Raises:
        KeyError: an unknown release.
        ValueError: an unknown style or role.
        TypeError: ``source`` is neither text nor whole numbers.
        inspector.tokens.VocabularyError: the vocabulary cannot be loaded.
    """
    transcript = _transcript(source, role, tools)
    picked = Choices(frozenset(off), dict(choices or {}), _selector(select, ignore))
    scan = Scan(transcript.ids)
    model = StrictModel(transcript.ids, scan.specials, scan.text)
    same = known if known is not None and known.transcript is transcript else None
    first = same.tree if same is not None else None
    verdicts = same.strict if same else _verdicts(transcript, model, RELEASES if releases is None else releases, native)
    strict = [v for v in verdicts if v.mode == "strict"]
    judge = _judge(model, transcript.role, strict)
    outcome = diagnose_and_repair(transcript, judge, picked, scan, strict, first)
    after = outcome.repaired.transcript
    repair = Repair(
        after.ids,
        after.role,
        outcome.error is None,
        outcome.error,
        outcome.repaired.messages,
        tuple(AppliedEdit(edit, keys) for edit, keys in outcome.edits),
        tuple(dict.fromkeys(key for _, keys in outcome.edits for key in keys)),
    )
    prompt = None
    if next_prompt:
        mended = make_next_prompt(repair.messages, repair.ids, style=style, role=repair.role)
        prompt = against_original(mended, transcript.ids, [edit for edit, _ in outcome.edits])
    wide = WideLookup(transcript.ids)
    diagnostics = tuple(_with_edits(d, wide) for d in outcome.diagnostics)
    finish = judge_finish(transcript, outcome.tree.messages, verdicts, picked.wanted)
    return Inspection(transcript, outcome.tree, verdicts, diagnostics, repair, prompt, finish)


def _transcript(source: Transcript | str | Sequence[int], role: str | None, tools: Sequence[str]) -> Transcript:
    if isinstance(source, Transcript):
        transcript = source if role == AUTO else replace(source, role=role)
    else:
        ids = tuple(vocabulary().encode_markers(source)) if isinstance(source, str) else _whole_numbers(source)
        if role == AUTO:
            role = None if ids and ids[0] == START else "assistant"
        transcript = Transcript(ids, role)
    if isinstance(tools, str):
        tools = (tools,)
    if tools:
        transcript = replace(transcript, tools=tuple(dict.fromkeys((*transcript.tools, *tools))))
    return transcript


def _whole_numbers(source: Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(map(operator.index, source))
    except TypeError as error:
        bad = next((i for i, token in enumerate(source) if not hasattr(token, "__index__")), 0)
        raise TypeError(f"expected text or token ids, found {type(source[bad]).__name__} at index {bad}") from error


def _selector(select: Collection[str], ignore: Collection[str]) -> Callable[[str, str], bool]:
    def named(patterns: Collection[str], code: str, name: str) -> bool:
        return any(code.startswith(p) or name == p for p in patterns if p)

    def wanted(code: str, name: str) -> bool:
        return (not select or named(select, code, name)) and not named(ignore, code, name)

    return wanted


def _judge(model: StrictModel, asked: str | None, known: Sequence[Verdict]) -> Judge:
    said = next((v for v in known if v.release == NEWEST), None)

    def judge(scan: Scan, role: str | None) -> Verdict:
        if said is not None and scan.ids is model.ids and role == asked:
            return said
        return StrictModel(scan.ids, scan.specials, scan.text).parse(role, RELEASES[NEWEST], release=NEWEST)

    return judge


def _verdicts(
    transcript: Transcript, model: StrictModel, releases: Collection[str], native: bool
) -> tuple[Verdict, ...]:
    verdicts = []
    for release in releases:
        for mode in ("strict", "lenient"):
            if native:
                from .releases import native_verdict

                verdicts.append(native_verdict(transcript, release, strict=mode == "strict"))
                continue
            dialect = RELEASES.get(release)
            if dialect is None:
                raise KeyError(f"unknown release {release!r}; known are {', '.join(RELEASES)}")
            verdicts.append(model.parse(transcript.role, dialect, strict=mode == "strict", release=release))
    return tuple(verdicts)


def _with_edits(diagnostic: Diagnostic, wide: WideLookup) -> Diagnostic:
    def shown(fix: Fix) -> Fix:
        return fix if fix.edits or not fix.changes else replace(fix, edits=show_edits(wide, fix))

    if diagnostic.fix is None and not diagnostic.alternatives:
        return diagnostic
    fix = shown(diagnostic.fix) if diagnostic.fix is not None else None
    return replace(diagnostic, fix=fix, alternatives=tuple(shown(a) for a in diagnostic.alternatives))
