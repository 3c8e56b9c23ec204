"""The Inspect page: an input, and everything that is known about it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from ..ingest import Loaded
from .actions import actions
from .checks import pack_checks
from .chrome import guarded, page_file
from .component import show_cards, show_part, show_screen
from .input_panel import input_panel
from .inspecting import Asked, answer
from .plain import as_markdown
from .samples import examples, find_sample, no_such_sample, sample_card
from .state import Bench, as_input, bench, session_value

SCREEN = "inspect"


@guarded
def show() -> None:
    """Draw the page."""
    work = bench()
    _follow_link(work)
    if work.is_empty:
        _welcome(work)
        return
    loaded = work.load()
    # What cannot be read has to be mended: its box is open then.
    with st.expander("Input", expanded=not loaded.transcripts, icon=":material/edit_note:"):
        input_panel(work)
    _problems(loaded)
    if loaded.transcripts:
        _inspection(work, loaded)


def _follow_link(work: Bench) -> None:
    """Open the sample that the address names, once: later edits of it are not undone."""
    name = st.query_params.get("sample", "")
    if not name:
        work.linked = ""
        if work.sample:
            # Back from another page, which drops what the address said.
            st.query_params["sample"] = work.linked = work.sample
    elif name != work.linked:
        work.linked = name
        open_sample(work, name)


def open_sample(work: Bench, name: str) -> bool:
    """Put a sample of the gallery into the input; False, with a sentence on the page, when there is none."""
    sample = find_sample(name)
    if sample is None:
        st.error(as_markdown(no_such_sample(name)))
        return False
    work.text, work.format = as_input(sample.transcript)
    work.upload, work.filename, work.sample, work.record = None, "", name, 0
    work.role = sample.transcript.role or "none"
    work.tools = " ".join(sample.tools)
    work.markers = True
    work.replaced = True
    return True


def _welcome(work: Bench) -> None:
    st.markdown("#### What did the model really say?")
    st.markdown(
        "Paste a raw gpt\\-oss output, with its markers, or its token ids. You get every token, the exact place and "
        "reason at which the strict parser breaks, the repaired messages, and the prompt they become on the next turn."
    )
    input_panel(work, tall=True)
    st.markdown("###### Or open one that went wrong")
    cards = [
        {**sample_card(sample), "href": f"?sample={sample.name}", "search": "", "marks": []} for sample in examples()
    ]
    show_cards(
        {"kind": "samples", "groups": [{"title": "", "items": cards}], "none": "", "compact": True},
        key="examples",
        on_open=_open_example,
    )


def _open_example() -> None:
    name = session_value("examples", "open")
    if isinstance(name, str):
        st.query_params["sample"] = name


def _problems(loaded: Loaded) -> None:
    for problem in loaded.problems[:5]:
        (st.error if problem.lost else st.warning)(as_markdown(_sentence(problem.sentence)))
    if len(loaded.problems) > 5:
        st.caption(f"and {len(loaded.problems) - 5:,} more of these")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _inspection(work: Bench, loaded: Loaded) -> None:
    if len(loaded.transcripts) > 1:
        names = [f"{n}. {t.id or t.source} ({len(t.ids):,} tokens)" for n, t in enumerate(loaded.transcripts, 1)]
        work.record = min(work.record, len(names) - 1)
        work.record = st.selectbox(
            "Transcript", range(len(names)), index=work.record, format_func=lambda n: names[n], key="w.record"
        )
    transcript = loaded.transcripts[min(work.record, len(loaded.transcripts) - 1)]
    sample = find_sample(work.sample) if work.sample else None
    if sample is not None:
        # The sample says more than its text: what a server reported, for one.
        transcript = replace(sample.transcript, role=transcript.role, tools=work.tool_names)
    _screen(Asked(transcript, work.sample, loaded.explanation))


@st.fragment
@guarded
def _screen(asked: Asked) -> None:
    """Everything below the input. A fragment: a flipped switch runs this alone."""
    work = bench()
    given = answer(work, asked)
    actions(work, given)
    show_screen(
        given.tokens,
        given.feed,
        base=given.base,
        key=SCREEN,
        on={
            "fixes": lambda: work.take_fixes(session_value(f"{SCREEN}.feed", "fixes")),
            "selection": lambda: work.take_selection(session_value(f"{SCREEN}.feed", "selection")),
            "style": _take_style,
            "open_rule": _take_rule,
        },
    )
    # The screen stands by now; what the libraries say themselves arrives a moment later.
    show_part("checks", pack_checks(given.inspection), key=SCREEN)
    rule = st.session_state.pop("open_rule", None)
    if rule:
        st.switch_page(page_file("rules"), query_params={"rule": rule})


def _take_style() -> None:
    style = session_value(f"{SCREEN}.feed", "style")
    if isinstance(style, str):
        bench().style = style


def _take_rule() -> None:
    st.session_state["open_rule"] = session_value(f"{SCREEN}.feed", "open_rule")
