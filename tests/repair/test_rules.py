"""The rules: their cards, their documentation, and that every example does what its page says.

The words of each rule for its own example are kept in ``snapshots/rules.txt``, so that a change of wording is
seen in review. ``HARMONYLENS_UPDATE=1`` writes the file anew.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
from pathlib import Path

import pytest

from inspector.finding import SECTIONS, Applicability, Diagnostic, Effect, Severity
from inspector.harmony.problem import Problem
from inspector.harmony.strict import strict_parse
from inspector.harmony.verdict import Dialect, Verdict
from inspector.repair import rules
from inspector.repair.engine import Choices, Outcome, diagnose_and_repair
from inspector.repair.rules import MODULES, _wording
from inspector.repair.said import RuleModule, Said
from inspector.tokens import CALL, START, Change, Position, Scan, Span, Transcript, vocabulary

SNAPSHOT = Path(__file__).parent / "snapshots" / "rules.txt"
FAMILIES = {"1": "framing", "2": "header", "3": "text", "4": "body"}
LAST_RESORT = "HS199"
"""The one rule without an example: what is known to break has a rule of its own."""

EXPLAINED = [module for module in MODULES if module.RULE.code != LAST_RESORT]
by_code = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.RULE.code)
by_example = pytest.mark.parametrize("module", EXPLAINED, ids=lambda module: module.RULE.code)


def judge(scan: Scan, role: str | None) -> Verdict:
    """The newest release's verdict, as our model predicts it."""
    return strict_parse(scan.ids, role, Dialect.ALL_CHANNELS)


def repaired(ids: list[int], choices: Choices | None = None) -> Outcome:
    """Ids that begin with ``<|start|>`` are a whole conversation, all others continue the assistant."""
    role = None if ids[:1] == [START] else "assistant"
    return diagnose_and_repair(Transcript(tuple(ids), role), judge, choices)


def fence(section: str) -> tuple[str, list[int]] | None:
    """The kind and the ids of a section's only fence, or None when it has none."""
    found = re.findall(r"^```(\w+)\n(.*?)\n?^```$", section, re.MULTILINE | re.DOTALL)
    assert len(found) <= 1
    if not found:
        return None
    kind, text = found[0]
    assert kind in ("text", "ids")
    return kind, json.loads(text) if kind == "ids" else vocabulary().encode_markers(text)


def example(module: RuleModule) -> list[int]:
    """The ids of a rule's example."""
    found = fence(module.RULE.sections["Example"])
    assert found is not None
    return found[1]


def own(outcome: Outcome, module: RuleModule) -> list[Diagnostic]:
    """The findings of one rule."""
    return [d for d in outcome.diagnostics if d.code == module.RULE.code]


# Cards and pages


def test_every_file_is_a_rule_and_every_rule_is_listed() -> None:
    files = {name for _, name, _ in pkgutil.iter_modules(rules.__path__) if not name.startswith("_")}
    listed = [module.RULE.module.rsplit(".", 1)[1] for module in MODULES]
    assert sorted(listed) == sorted(files)
    codes = [module.RULE.code for module in MODULES]
    assert codes == sorted(codes)
    assert len(set(codes)) == len(codes)
    assert len({module.RULE.name for module in MODULES}) == len(MODULES)


@by_code
def test_card_is_well_formed(module: RuleModule) -> None:
    rule = module.RULE
    assert re.fullmatch(r"HS[1-4]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert rule.module == f"{rules.__name__}.{rule.name.replace('-', '_')}"
    assert rule.family == FAMILIES[rule.code[2]]
    assert rule.effects
    assert len(set(rule.effects)) == len(rule.effects)
    if rule.severity is Severity.ERROR:
        assert set(rule.effects) <= {Effect.RAISES, Effect.MISREADS}
    assert rule.summary
    assert not rule.summary.endswith(".")


@by_code
def test_page_has_every_section_in_order(module: RuleModule) -> None:
    rule = module.RULE
    assert tuple(rule.sections) == SECTIONS
    assert all(rule.sections.values())
    first = rule.documentation.split("\n", 1)[0]
    assert first.replace("``", "") == f"{rule.summary}."


@by_code
def test_links_lead_to_rules(module: RuleModule) -> None:
    codes = {other.RULE.code for other in MODULES}
    for text, target in re.findall(r"\[(\w+)\]\(([^)]+)\)", module.RULE.documentation):
        assert target == f"{text}.md"
        assert text in codes - {module.RULE.code}


# Examples


def test_the_last_resort_has_no_example() -> None:
    (module,) = [module for module in MODULES if module.RULE.code == LAST_RESORT]
    assert fence(module.RULE.sections["Example"]) is None


@by_example
def test_example_is_found(module: RuleModule) -> None:
    found = own(repaired(example(module)), module)
    assert found, "the rule's own example does not show it"
    assert all(d.name == module.RULE.name and d.severity is module.RULE.severity for d in found)


@by_example
def test_example_is_repaired_as_the_page_says(module: RuleModule) -> None:
    before = example(module)
    outcome = repaired(before)
    wanted = fence(module.RULE.sections["Repaired"])
    fixes = [d.fix for d in own(outcome, module) if d.fix is not None and d.fix.changes]
    after = list(outcome.repaired.transcript.ids)
    if wanted is None:
        assert not fixes
        assert after == before
        return
    assert fixes
    assert outcome.error is None
    if wanted[0] == "ids":
        assert after == wanted[1]
    assert vocabulary().decode(after) == vocabulary().decode(wanted[1])
    # Once is enough, and what has been mended breaks nothing.
    again = diagnose_and_repair(outcome.repaired.transcript, judge)
    assert list(again.repaired.transcript.ids) == after
    assert not any(d.severity is Severity.ERROR for d in again.diagnostics)


@by_example
def test_example_names_only_what_is_wrong(module: RuleModule) -> None:
    """An example shows its own rule; beside it only rules that tell and mend nothing."""
    # A call that is given up inside its header always lacks its <|message|>.
    allowed = {module.RULE.code} | ({"HS101"} if module.RULE.code == "HS208" else set())
    errors = {d.code for d in repaired(example(module)).diagnostics if d.severity is Severity.ERROR}
    assert errors <= allowed


@by_example
def test_alternatives_parse_as_well(module: RuleModule) -> None:
    for diagnostic in own(repaired(example(module)), module):
        assert all(fix.changes and fix.applicability is Applicability.UNSAFE for fix in diagnostic.alternatives)
        for number in range(1, len(diagnostic.alternatives) + 1):
            outcome = repaired(example(module), Choices(readings={diagnostic.key: number}))
            assert outcome.error is None
            assert outcome.edits


# Words


@by_example
def test_words_are_sentences(module: RuleModule) -> None:
    for diagnostic in own(repaired(example(module)), module):
        fixes = [*filter(None, [diagnostic.fix]), *diagnostic.alternatives]
        for text in (diagnostic.message, diagnostic.note):
            assert not text or (text.endswith(".") and text[0] in '"<' + text[0].upper())
        for fix in fixes:
            assert fix.title[0].isupper()
            assert not fix.title.endswith(".")
            assert (fix.applicability is Applicability.SAFE) <= (not diagnostic.note)


HOSTILE = "\x1b[2J\u202eto=\u200b\n\x07" + "x" * 500
SPECIALS = "\ud800\ud808\udce6\udd00"
CLOSED = {("HS111", "value"), ("HS201", "kept"), ("HS201", "last"), ("HS215", "kept"), ("HS219", "kept")}
"""Values that the reader takes from a list of its own (terminators, channels, content types), never from tokens."""


def hostile_problem(module: RuleModule, text: str, changes: tuple[Change, ...]) -> Problem:
    """A problem whose every value is bad, in the types that this rule's values have."""
    real = [p for p in _problems(example(module)) if p.kind == module.RULE.name]
    data: dict[str, object] = {}
    for key, value in real[0].data.items():
        if (module.RULE.code, key) in CLOSED:
            data[key] = value
        elif isinstance(value, tuple):
            data[key] = (27, 200005, -1, 2**64 - 1, 162, *[201089] * 300)
        elif isinstance(value, list):
            data[key] = [text + str(i) for i in range(9)]
        elif isinstance(value, str):
            data[key] = text
        else:
            data[key] = value
    return Problem(real[0].kind, real[0].span, real[0].node, changes, ((text, ()),), data)


def _problems(ids: list[int]) -> list[Problem]:
    seen: list[Problem] = []
    originals = {module.RULE.name: module.explain for module in MODULES}
    patch = pytest.MonkeyPatch()
    try:
        for module in MODULES:

            def watch(problem: Problem, transcript: Transcript) -> Said:
                seen.append(problem)
                return originals[problem.kind](problem, transcript)

            patch.setattr(module, "explain", watch)
        repaired(ids)
    finally:
        patch.undo()
    return seen


@by_example
@pytest.mark.parametrize("text", [HOSTILE, SPECIALS], ids=["hostile", "specials"])
def test_words_stay_printable_and_short(module: RuleModule, text: str) -> None:
    ids = tuple(example(module))
    role = None if ids[:1] == (START,) else "assistant"
    for changes in ((), (Change(Position(0), Position(0), "assistant"),)):
        problem = hostile_problem(module, text, changes)
        said = module.explain(problem, Transcript(ids, role))
        for words in (said.message, said.title, said.note, *said.alternatives):
            assert words.isprintable()
            assert len(words) < 420


def test_duplicate_channel_says_who_would_see_what() -> None:
    def notes(text: str) -> tuple[str, str, Applicability]:
        (found,) = [d for d in repaired(vocabulary().encode_markers(text)).diagnostics if d.code == "HS201"]
        assert found.fix is not None
        return found.note, "".join(f.title for f in found.alternatives), found.fix.applicability

    note, other, applicability = notes("<|channel|>commentary<|channel|>final<|message|>Hi.<|return|>")
    assert applicability is Applicability.UNSAFE
    assert "llama.cpp keeps the last" in note
    assert "reasoning" not in note
    assert "shown to the user as the answer" in other
    note, other, _ = notes("<|channel|>commentary<|channel|>analysis<|message|>Hm.<|end|>")
    assert "analysis is hidden reasoning, commentary is shown" in note
    assert "hidden as reasoning" in other
    note, other, _ = notes("<|channel|>commentary to=functions.f<|channel|>analysis<|message|>{}<|call|>")
    assert "a tool call on either channel" in note
    assert "the call would stand on analysis" in other
    note, other, applicability = notes("<|channel|>final<|channel|>final<|message|>Hi.<|return|>")
    assert (note, other, applicability) == ("", "", Applicability.SAFE)
    note, other, applicability = notes("<|channel|>final<|channel|>analysis<|channel|>final<|message|>Hi.<|return|>")
    assert "agree" in note
    assert other == ""
    assert applicability is Applicability.UNSAFE


def test_unknown_content_type_is_a_warning_where_nothing_is_changed() -> None:
    def severity(text: str) -> Severity:
        (found,) = [d for d in repaired(vocabulary().encode_markers(text)).diagnostics if d.code == "HS220"]
        return found.severity

    call = "<|channel|>commentary to=functions.f <|constrain|>object<|message|>{}<|call|>"
    assert severity(call) is Severity.WARNING
    assert severity("<|channel|>final <|constrain|>amend<|message|>All done here.<|return|>") is Severity.ERROR


def test_missing_channel_is_only_told_in_a_whole_conversation() -> None:
    def severity(text: str) -> Severity:
        (found,) = [d for d in repaired(vocabulary().encode_markers(text)).diagnostics if d.code == "HS409"]
        return found.severity

    assert severity("<|message|>Hi!<|return|>") is Severity.WARNING
    assert severity("<|start|>user<|message|>Hello<|end|><|start|>assistant<|message|>Hi!<|end|>") is Severity.INFO


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<|channel|>commentary to=functions.f<|message|>{}<|end|>", True),
        ("<|channel|>commentary<|message|>{}<|call|>", True),
        ("<|channel|>commentary to=assistant<|message|>x<|end|>", False),
        ("<|channel|>final<|message|>write to=functions.f<|end|>", False),
        ("<|channel|>final<|message|>x", False),
        ("<|channel|>final", False),
    ],
)
def test_is_call(text: str, expected: bool) -> None:
    ids = tuple(vocabulary().encode_markers(text))
    called = {"called": ids[-1] == CALL}
    assert _wording.is_call(Problem("x", Span(0, 1), 0, data=called), Transcript(ids)) is expected


def test_listed_counts_what_it_leaves_out() -> None:
    assert _wording.listed([], str) == ""
    assert _wording.listed([1], str) == "1"
    assert _wording.listed([1, 2], str) == "1 and 2"
    assert _wording.listed([1, 2, 3], str) == "1, 2 and 3"
    assert _wording.listed(range(9), str, 2) == "0, 1 and 7 more"


def test_says_something_looks_at_ordinary_text_only() -> None:
    assert not _wording.says_something((200002, 199999, 13, 220, -1, 2**63))
    assert _wording.says_something((200002, 3436))
    assert not _wording.says_something("?!\ud807")
    assert _wording.says_something("bash")


# What a person reads


def test_words_are_as_reviewed() -> None:
    lines: list[str] = []
    for module in EXPLAINED:
        for found in own(repaired(example(module)), module):
            kinds = f"{found.severity}, {found.effect}"
            lines.append(f"{found.code} {found.name} [{kinds}] tokens {found.span.start}..{found.span.end}")
            lines.append(f"  {found.message}")
            if found.fix is not None:
                lines.append(f"  fix ({found.fix.applicability}): {found.fix.title}")
            lines += [f"  or: {fix.title}" for fix in found.alternatives]
            if found.note:
                lines.append(f"  note: {found.note}")
        lines.append("")
    text = "\n".join(lines)
    if os.environ.get("HARMONYLENS_UPDATE") == "1":
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(text, encoding="utf-8", newline="\n")
    assert SNAPSHOT.exists(), "write it with HARMONYLENS_UPDATE=1"
    assert text == SNAPSHOT.read_text(encoding="utf-8"), "review the words, then run with HARMONYLENS_UPDATE=1"
