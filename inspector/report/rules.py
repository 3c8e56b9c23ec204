"""All rules of all rooms, as lists and as Markdown: for the command line, the docs and the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..finding import SECTIONS, Rule
from .findings import SEVERITY_STYLES, plural

if TYPE_CHECKING:
    from rich.text import Text


@lru_cache(maxsize=1)
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order of the codes.

    Raises:
        ValueError: two different rules share a code or a name, which only a defect of this program explains.
    """
    from ..prompt.causes import CAUSES
    from ..repair.catalogue import RULES as REPAIR
    from ..serving.rules import RULES as SERVING

    rules: dict[str, Rule] = {}
    names: dict[str, Rule] = {}
    for rule in (*REPAIR.values(), *CAUSES.values(), *SERVING):
        if rules.setdefault(rule.code, rule) != rule or names.setdefault(rule.name, rule) != rule:
            raise ValueError(f"two rules are called {rule.code} or {rule.name}")
    return dict(sorted(rules.items()))


def find_rule(word: str) -> Rule | None:
    """The rule with this code or name, in any case, or None."""
    wanted = word.strip().casefold()
    for rule in all_rules().values():
        if wanted in (rule.code.casefold(), rule.name.casefold()):
            return rule
    return None


def close_to(word: str) -> list[str]:
    """Codes and names that ``word`` may have been meant as, the closest first."""
    from difflib import get_close_matches

    known = {text.casefold(): text for rule in all_rules().values() for text in (rule.code, rule.name)}
    return [known[match] for match in get_close_matches(word.casefold(), known, n=3)]


def rule_record(rule: Rule) -> dict[str, Any]:
    """A rule as plain JSON."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "effects": [str(effect) for effect in rule.effects],
        "family": rule.family,
        "summary": rule.summary,
        "sections": {title: rule.sections[title] for title in SECTIONS if title in rule.sections},
    }


def rule_page(rule: Rule) -> str:
    """The page of one rule, in Markdown, ending with a newline."""
    facts = [f"**{rule.severity}**", ", ".join(str(effect) for effect in rule.effects)]
    if rule.family:
        facts.append(f"family: {rule.family}")
    parts = [f"# {rule.code} {rule.name}", _sentence(rule.summary), " · ".join(filter(None, facts))]
    parts += [f"## {title}\n\n{rule.sections[title]}" for title in SECTIONS if title in rule.sections]
    return "\n\n".join(parts) + "\n"


def rules_index(rules: Sequence[Rule], *, linked: bool = True) -> str:
    """Tables of rules by family, in Markdown, ending with a newline; ``linked`` to the rules' pages."""
    families: dict[str, list[Rule]] = {}
    for rule in rules:
        families.setdefault(rule.family, []).append(rule)
    parts = [
        "# Rules",
        f"harmonylens has {plural(len(rules), 'rule')}. Each finding belongs to exactly one class: it "
        "makes a strict parser raise (raises), it is accepted with a wrong reading (misreads), or the next "
        "prompt will differ from what was emitted (drifts).",
    ]
    for family, members in families.items():
        if family:
            parts.append(f"## {family[:1].upper()}{family[1:]}")
        rows = ["| Code | Name | Severity | Class | What it finds |", "|---|---|---|---|---|"]
        for rule in members:
            code = f"[{rule.code}]({rule.code}.md)" if linked else rule.code
            effects = ", ".join(str(effect) for effect in rule.effects)
            summary = _sentence(rule.summary).replace("|", "\\|")
            rows.append(f"| {code} | {rule.name} | {rule.severity} | {effects} | {summary} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def rules_table(rules: Sequence[Rule], width: int) -> Iterator[Text]:
    """One line for each rule: code, name, severity, what it finds, cut at ``width`` cells."""
    codes = max((len(rule.code) for rule in rules), default=0)
    names = max((len(rule.name) for rule in rules), default=0)
    from rich.text import Text

    from .visible import clip

    for rule in rules:
        lead = f"{rule.code:<{codes}}  {rule.name:<{names}}  "
        line = Text.assemble((lead, "bold"), (f"{rule.severity:<7}", SEVERITY_STYLES[rule.severity]))
        line.append(f"  {clip(' '.join(rule.summary.split()), max(20, width - len(lead) - 9))}")
        yield line


def _sentence(text: str) -> str:
    bare = " ".join(text.split())
    return bare if bare.endswith((".", "!", "?")) or not bare else f"{bare}."
