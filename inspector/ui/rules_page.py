"""The Rules page: every rule in a list, and one of them with its documentation (``?rule=HS201``)."""

from __future__ import annotations

import re
from typing import Any, Final

import streamlit as st

from ..finding import SECTIONS, Rule
from ..report.rules import all_rules, close_to, find_rule
from .chrome import guarded
from .component import show_cards
from .plain import as_markdown
from .samples import all_samples, sample_card
from .state import session_value

_SHORT: Final = {"raises": "breaks", "misreads": "misread", "drifts": "drifts"}
_LINK: Final = re.compile(r"\]\((?:\./)?(HS\d+)\.md\)")
_EFFECTS: Final = {"raises": "breaks strict parsers", "misreads": "read wrongly", "drifts": "next prompt differs"}
_SIGNS: Final = {"error": "●", "warning": "▲", "info": "○"}


@guarded
def show() -> None:
    """Draw the page."""
    wanted = st.query_params.get("rule", "")
    rule = find_rule(wanted) if wanted else None
    if wanted and rule is None:
        meant = close_to(wanted)
        hint = f"did you mean {' or '.join(meant)}?" if meant else "the list below has them all."
        st.warning(as_markdown(f"There is no rule {wanted[:60]!r}: {hint}"))
    if rule is None:
        _catalogue()
    else:
        _rule(rule)


def _catalogue() -> None:
    rules = all_rules()
    st.markdown("#### Rules")
    st.markdown(
        f"{len(rules)} rules read a transcript. A finding **breaks** a strict parser, or is accepted and **read "
        "wrongly**, or is read rightly and the **next prompt differs** from what the model emitted."
    )
    families: dict[str, list[dict[str, Any]]] = {}
    for rule in rules.values():
        families.setdefault(rule.family or "other", []).append(_row(rule))
    groups = [{"title": family[:1].upper() + family[1:], "items": rows} for family, rows in families.items()]
    show_cards(
        {
            "kind": "rules",
            "groups": groups,
            "none": "No rule has these words. Clear the search to see them all.",
            "filter": {
                "placeholder": "Search the rules",
                "tags": [[effect, title] for effect, title in _EFFECTS.items()],
            },
        },
        key="rules",
        on_open=_open_rule,
    )


def _row(rule: Rule) -> dict[str, Any]:
    effects = [str(effect) for effect in rule.effects]
    return {
        "name": rule.code,
        "href": f"?rule={rule.code}",
        "title": rule.name,
        "summary": rule.summary,
        "severity": str(rule.severity),
        "effect": ", ".join(_SHORT[effect] for effect in effects),
        "marks": effects,
        "search": f"{rule.code} {rule.name} {rule.summary} {rule.family}".lower(),
    }


def _open_rule() -> None:
    code = session_value("rules", "open")
    if isinstance(code, str):
        st.query_params["rule"] = code


def _all_rules() -> None:
    st.query_params.clear()


def _rule(rule: Rule) -> None:
    st.button("All rules", icon=":material/arrow_back:", type="tertiary", on_click=_all_rules)
    effects = ", ".join(_EFFECTS[str(effect)] for effect in rule.effects)
    st.markdown(f"#### `{rule.code}` {rule.name}")
    st.markdown(
        f"{as_markdown(rule.summary.rstrip('.'))}.  \n"
        f"{_SIGNS[str(rule.severity)]} {rule.severity} · {effects} · {rule.family}"
    )
    text, samples = st.columns([2, 1], gap="large")
    with text:
        for title in SECTIONS:
            if title in rule.sections:
                st.markdown(f"###### {title}\n\n{_linked(rule.sections[title])}")
    with samples:
        _samples_of(rule)


def _linked(text: str) -> str:
    """Documentation with its links to other rules' files turned into addresses of this page."""
    return _LINK.sub(r"](?rule=\1)", text)


def _samples_of(rule: Rule) -> None:
    shown_in = [sample for sample in all_samples() if rule.code in sample.rules]
    if shown_in:
        st.markdown("###### Samples that show it")
        cards = [{**sample_card(s), "href": f"./?sample={s.name}", "search": "", "marks": []} for s in shown_in[:12]]
        show_cards(
            {"kind": "samples", "groups": [{"title": "", "items": cards}], "none": "", "compact": True},
            key="rule.samples",
        )
