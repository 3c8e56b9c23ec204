"""The Inspect page: an input, and everything that is known about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..ingest import Loaded
from ..tokens import Transcript
from .actions import actions
from .address import LINKED, show_address
from .checks import pack_checks
from .chrome import guarded, page_file
from .component import pack_part, show_cards, show_part, show_screen
from .input_panel import OPEN, input_panel
from .inspecting import Asked, Given, NoAnswer, adopt, answer, forget_answer
from .loading import forget, known, load, was_cut_off
from .plain import as_markdown
from .plots_panel import plots_panel
from .samples import examples, find_sample, no_such_sample, sample_card
from .save_panel import restore_offer
from .state import SAMPLE, Bench, as_input, bench, session_value
from .steps_part import pack_steps
from .store import forget_opened, take_switches

SCREEN: Final = "inspect"

SLOW_TOKENS: Final = 20_000
"""Tokens from which an inspection can take half a second, so that the page says what it is doing."""

SLOW_BYTES: Final = 500_000

_CHOOSER: Final = "harmonylens.chooser"


@guarded
def show() -> None:
    """Draw the page."""
    work = bench()
    _follow_sample(work)
    show_address(work)
    if work.hint:
        # Something was done since: the sentence before it is answered.
        work.notice = ""
    for sentence, draw in ((work.notice, st.error), (work.hint, st.warning)):
        if sentence:
            draw(as_markdown(sentence))
    if not work.echo:
        work.hint = ""
    # Here on every page, empty or not: what stands below keeps its place.
    busy = _busy("reading")
    restore_offer(work)
    if work.is_empty:
        _welcome(work)
        return
    loaded = _loaded(work, busy)
    _problems(loaded)
    if loaded.transcripts:
        _screen(loaded, work.revision)
    else:
        if was_cut_off():
            st.button("Try again", key="w.again", on_click=forget)
        # What cannot be read has to be mended.
        input_panel(work, tall=True, over=True)


def _loaded(work: Bench, busy: DeltaGenerator) -> Loaded:
    """The input as it was read, once for each change of it."""
    found = known(work)
    if found is not None:
        return found
    size = len(work.upload or b"") + len(work.text)
    with _quiet(busy, "Reading the input", size > SLOW_BYTES):
        return load(work)


@contextmanager
def _quiet(busy: DeltaGenerator, what: str, slow: bool) -> Iterator[None]:
    """Says in its place what is being done, where that can take more than half a second."""
    if not slow:
        yield
        return
    with busy, st.spinner(f"{what} …"):
        yield


def _busy(name: str) -> DeltaGenerator:
    """A place over the page's head, see page.css: nothing moves when something is said there."""
    with st.container(key=f"busy-{name}"):
        return st.empty()


def _follow_sample(work: Bench) -> None:
    """Open the sample that the address names, once: later edits of it are not undone. Without a name, close it."""
    name = st.query_params.get("sample", "")
    if name and name != work.linked:
        work.linked = name
        if not open_sample(work, name):
            work.clear()
            work.notice, work.linked, work.id = no_such_sample(name), name, SAMPLE
    elif not name and (work.sample or work.id == SAMPLE):
        # Back to where no sample was named: every way in the app to a sample names it.
        work.clear()


def open_sample(work: Bench, name: str) -> bool:
    """Put a sample of a gallery into the input; False when there is none of this name."""
    # Whoever opens a saved sample gets it as it is now.
    forget_opened()
    sample = find_sample(name)
    if sample is None:
        return False
    work.text, work.format = as_input(sample.transcript)
    work.upload, work.filename, work.sample, work.record = None, "", name, 0
    work.role = sample.transcript.role or "none"
    work.tools = " ".join(sample.tools)
    work.markers = True
    work.notice = ""
    work.replaced = True
    work.id = SAMPLE
    work.revision += 1
    take_switches(work, sample)
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
    # Reading lists the first of many and counts the others.
    for problem in loaded.problems:
        (st.error if problem.lost else st.warning)(as_markdown(_sentence(problem.sentence)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


@st.fragment
@guarded
def _screen(loaded: Loaded, revision: int) -> None:
    """Everything about the transcripts that were read. A fragment: a flipped switch runs this alone."""
    work = bench()
    if work.revision != revision:
        # The input was changed in its panel, which stands in here.
        st.rerun()
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar")
    with bar:
        panel = st.popover("Input", key=OPEN, icon=":material/edit_note:", on_change="rerun")
        if panel.open:
            with panel:
                input_panel(work)
        if len(loaded.transcripts) > 1:
            _chooser(work, loaded)
    transcript = _chosen(work, loaded)
    adopt(work, transcript)
    # Before anything is shown: whoever sees a choice on the page finds it again after a reload.
    work.keep()
    with bar:
        busy = _busy("inspecting")
    with _quiet(busy, f"Inspecting {len(transcript.ids):,} tokens", len(transcript.ids) > SLOW_TOKENS):
        read_as = "A shared link" if work.filename == LINKED else loaded.explanation
        given, why = _answer(work, Asked(transcript, work.sample, read_as))
    # Not in the place that says what is being done: it clips what is drawn there, and ends.
    if why:
        st.error(as_markdown(why))
    if given is None:
        st.button("Try again", key="w.again", on_click=forget_answer)
        return
    with bar:
        actions(work, given)
    _shown(work, given)
    plots_panel(work, given)
    _wish(work, given)
    work.keep()
    rule = st.session_state.pop("open_rule", None)
    if rule:
        st.switch_page(page_file("rules"), query_params={"rule": rule})


def _answer(work: Bench, asked: Asked) -> tuple[Given | None, str]:
    """What is shown: the answer, else the one before it; and a sentence where it was cut off. Draws nothing."""
    try:
        return answer(work, asked), ""
    except NoAnswer as cut:
        return cut.last, str(cut)


def _chooser(work: Bench, loaded: Loaded) -> None:
    """Which of several transcripts is shown."""
    names = [f"{n}. {t.id or t.source} ({len(t.ids):,} tokens)" for n, t in enumerate(loaded.transcripts, 1)]
    work.record = min(work.record, len(names) - 1)
    if st.session_state.get(_CHOOSER) != work.revision:
        # Another input: what was chosen of the last one says nothing.
        st.session_state[_CHOOSER] = work.revision
        st.session_state.pop("w.record", None)
    work.record = st.selectbox(
        "Transcript",
        range(len(names)),
        index=work.record,
        format_func=lambda n: names[n],
        key="w.record",
        label_visibility="collapsed",
        width=380,
    )


def _chosen(work: Bench, loaded: Loaded) -> Transcript:
    transcript = loaded.transcripts[min(work.record, len(loaded.transcripts) - 1)]
    sample = find_sample(work.sample) if work.sample else None
    if sample is not None:
        # The sample says more than its text: what a server reported, for one.
        return replace(sample.transcript, role=transcript.role, tools=work.tool_names)
    return transcript


def _shown(work: Bench, given: Given) -> None:
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
    work.return_to(given.digest)
    # The screen stands by now; what the libraries say themselves arrives a moment later.
    show_part("checks", pack_checks(given.inspection), key=SCREEN)
    steps = pack_steps(given.inspection)
    if steps:
        show_part("steps", steps, key=SCREEN)


def _wish(work: Bench, given: Given) -> None:
    """The token that a link or a plot points at. The last of the page: it comes and goes, and what stood behind it
    would be drawn anew."""
    if work.go_to is None or work.go_to[0] != given.digest:
        return
    token = work.go_to[1]
    known = work.selection.get(given.digest) == token
    wish = {"token": token, "number": f"{work.revision}.{work.asks}", "known": known}
    show_part("go", pack_part(given.digest, "go", wish), key=SCREEN)


def _take_style() -> None:
    style = session_value(f"{SCREEN}.feed", "style")
    if isinstance(style, str):
        bench().style = style


def _take_rule() -> None:
    st.session_state["open_rule"] = session_value(f"{SCREEN}.feed", "open_rule")
