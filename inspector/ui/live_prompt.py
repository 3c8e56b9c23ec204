"""The prompt builder of the Live page: messages or raw tokens, and how to sample."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import streamlit as st

from ..budgets import APP
from ..ingest import read, unpacked_at_most
from ..isolation import CutOff
from ..live.gate import GATE
from ..live.runs import MAX_SAMPLES
from ..prompt import STYLES
from ..prompt.plan import OSS_0011
from ..samplers import BUILTIN, FORMATS, SamplerError, SamplingParams, Tool, find_sampler, guarding, known_samplers
from ..samplers import installed as installed_tools
from ..samplers.conversations import from_record
from ..samplers.limits import WORDS
from ..samplers.preamble import EFFORTS, PromptError
from ..samplers.prompts import build_prompt, render_prompt
from ..samplers.sampler import Sampler, prompt_problem
from ..samplers.values import MAX_LOGPROBS
from ..workers import reading_deadline, why_cut_off
from .apart import apart
from .plain import as_markdown

_RAW_HELP: Final = (
    "<|start|>user<|message|>What is 3 times 302?<|end|><|start|>assistant\n"
    "or token ids in any notation: 200006, 1428, 200008 ...\n"
    'or a chat request: {"messages": [{"role": "user", "content": "Hello"}]}'
)
_NUMBERS: Final = re.compile(r"[\s,;()\[\]+-]*\d[\s\d,;()\[\]+-]*")
_KEPT_TAB: Final = "live.tab.kept"
_SAMPLERS: Final = {"one-shot": "One answer", "tool-loop": "Tool loop", "injecting": "Injected results"}
_EFFORT_WORDS: Final = {name: f"Reasoning {name}" for name in EFFORTS}


_MESSAGES: Final = ("user", "developer", "tools", "effort", "style", "system")
_RAW: Final = ("rawtext", "tools", "style")
_PARAMETERS: Final = (
    "tab", "n", "max_tokens", "temperature", "sampler", "top_p", "top_k", "min_p", "logprobs", "seed", "stop",
    "stop_ids", "format", "turns", "limit", "guard", "ignore_eos",
)  # fmt: skip


def keys_asked() -> list[str]:
    """The keys of the fields that :func:`wish` goes by, as they are filled in."""
    names = _RAW if _said("tab", "Messages") == "Raw tokens" else _MESSAGES
    return [f"live.{name}" for name in (*_PARAMETERS, *names)]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person has filled in, checked: everything that a run needs beside an engine."""

    prompt: tuple[int, ...]
    count: int
    params: SamplingParams
    sampler: Sampler
    tools: tuple[str, ...]


class NotYet(Exception):
    """Something is missing or cannot be; the message is one sentence for the person."""


def keep_tab() -> None:
    """Keep which tab is open while another part of the page is shown: the other parts go by it, too."""
    shown = st.session_state.get("live.tab") or st.session_state.get(_KEPT_TAB)
    if shown:
        st.session_state["live.tab"] = st.session_state[_KEPT_TAB] = shown


def prompt_panel() -> None:
    """Draw what the model is asked: messages, or raw tokens."""
    messages, raw = st.tabs(["Messages", "Raw tokens"], key="live.tab", on_change="rerun")
    with messages:
        _area("User", "user", 104, "What is 3 times 302? Use the tools.")
        _area("Developer", "developer", 72, "Instructions, if any")
        with st.container(horizontal=True, gap="small", key="live-declared"):
            tools, problems = tools_at_hand()
            names = [tool.name for tool in tools]
            st.multiselect("Declared tools", names, key="live.tools", persist_state="session", placeholder="None")
            _choice("Reasoning", "effort", EFFORTS, EFFORTS.index("medium"))
            _choice("Rendered as", "style", STYLES, STYLES.index(OSS_0011))
        if problems:
            st.caption(as_markdown(" ".join(problems)))
    with raw:
        _area("Prompt", "rawtext", 272, _RAW_HELP)


def parameters() -> None:
    """Draw how to sample. The values are read by :func:`wish`."""
    with st.container(horizontal=True, gap="small"):
        _number("Samples", "n", 1, MAX_SAMPLES, 1)
        help = f"Of an answer; in a tool loop, of each turn. {WORDS}"
        _number("Max tokens", "max_tokens", 1, 131_072, 512, help=help)
    with st.container(horizontal=True, gap="small"):
        _number("Temperature", "temperature", 0.0, 100.0, 1.0, 0.1, help="0 is greedy.")
        st.selectbox(
            "Sampler",
            _samplers_at_hand(),
            format_func=lambda name: _SAMPLERS.get(name, name),
            key="live.sampler",
            persist_state="session",
            # A name that is typed is imported: for those only who can run programs here anyway.
            accept_new_options=GATE.is_private,
            help=_SAMPLER_HELP + (_TYPED_HELP if GATE.is_private else ""),
        )
    with st.popover("More parameters", width="stretch"), st.container(key="live-more"):
        _more()


_SAMPLER_HELP: Final = (
    "Tool loop: stops at a call, runs the tool outside of the engine, goes on behind its result. "
    "Injected results: the engine's own logits processor runs the tool and forces the result's tokens."
)
_TYPED_HELP: Final = " One of your own: its entry point's name, or type module:Class."
_GUARD_HELP: Final = (
    "A logits processor that lets only tokens through that keep the Harmony grammar legal in headers; it has to be "
    "loaded where the engine is started. watch: only records what it would have blocked."
)


def _more() -> None:
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown("**Sampling**")
        _number("top_p", "top_p", 0.01, 1.0, 1.0, 0.05)
        _number("top_k", "top_k", 0, 200_000, 0, help="0 is off.")
        _number("min_p", "min_p", 0.0, 1.0, 0.0, 0.01)
        _number("Alternatives per token", "logprobs", 0, MAX_LOGPROBS, 5, help="The likeliest tokens at each place.")
        _line("Seed", "seed", "any")
        _line("In place of the system message", "system", "gpt-oss's own, with today's date")
    with second:
        st.markdown("**Ends, tools, guard**")
        _line("Stop strings", "stop", 'one, or JSON: ["a", "b"]')
        _line("Stop token ids", "stop_ids", "200012, 200002")
        _choice("How tools are called", "format", tuple(FORMATS))
        _number("Turns at most", "turns", 1, 64, 8)
        _number("Seconds per tool call", "limit", 0.1, 600.0, 10.0)
        _choice("Guard", "guard", guarding.MODES, help=_GUARD_HELP)
        st.toggle(
            "Go on after end tokens",
            key="live.ignore_eos",
            persist_state="session",
            help="ignore_eos: what the model's configuration names as an end does not end it.",
        )


def _area(label: str, name: str, height: int, placeholder: str) -> None:
    st.text_area(label, key=f"live.{name}", height=height, placeholder=placeholder, persist_state="session")


def _line(label: str, name: str, placeholder: str) -> None:
    st.text_input(label, key=f"live.{name}", placeholder=placeholder, persist_state="session")


def _choice(label: str, name: str, options: Sequence[str], index: int = 0, help: str | None = None) -> None:
    st.selectbox(label, options, index, key=f"live.{name}", persist_state="session", help=help)


def _number(
    label: str, name: str, low: float, high: float, usual: float, step: float | None = None, help: str | None = None
) -> None:
    # Streamlit goes by the types of the numbers, which are the caller's: whole ones stay whole.
    draw: Any = st.number_input
    draw(label, low, high, usual, step, key=f"live.{name}", persist_state="session", help=help)


@cache
def tools_at_hand() -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The tools that a model may call here, and sentences about those that could not be loaded.

    What is installed while the app runs is found when it is started the next time: looking takes longer than drawing.
    """
    others, problems = installed_tools()
    return (*BUILTIN, *others), problems


@cache
def _samplers_at_hand() -> tuple[str, ...]:
    return known_samplers()


def prompt_of(otherwise: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """The prompt as it is filled in; ``otherwise`` where nothing is.

    Raises:
        NotYet: it cannot be rendered.
    """
    return _prompt_and_tools(otherwise)[0]


def _prompt_and_tools(otherwise: tuple[int, ...] | None) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The prompt, and the names of the tools that it declares or is said to declare."""
    chosen = tuple(f"functions.{name}" for name in _said("tools", []))
    if _said("tab", "Messages") == "Raw tokens":
        text = str(_said("rawtext", ""))
        if otherwise is not None and not text.strip():
            return otherwise, chosen
        ids, own = _raw(text)
        return ids, tuple(dict.fromkeys((*own, *chosen)))
    at_hand = {tool.name: tool for tool in tools_at_hand()[0]}
    declared = [at_hand[name] for name in _said("tools", []) if name in at_hand]
    user = str(_said("user", "")).strip()
    if not user:
        if otherwise is not None:
            return otherwise, chosen
        raise NotYet("Write what the user says, or give the prompt as raw tokens.")
    try:
        prompt = build_prompt(
            str(_said("system", "")).strip() or None,
            str(_said("developer", "")).strip() or None,
            declared,
            user,
            style=_said("style", OSS_0011),
            effort=_said("effort", "medium"),
        )
    except PromptError as error:
        raise NotYet(str(error)) from None
    return prompt, chosen


def _raw(text: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The prompt that was given as it is, and the names of the tools that a chat request declares."""
    if not text.strip():
        raise NotYet("Write the prompt with its markers, or as token ids.")
    request = _request(text)
    if request is not None:
        try:
            asked = from_record(request)
            return render_prompt(asked, _said("style", OSS_0011)), asked.tools
        except PromptError as error:
            raise NotYet(f"The chat request cannot be rendered: {error}") from None
    # Elsewhere a lone number may be a word; here numbers and nothing else are ids.
    try:
        how = "ids" if _NUMBERS.fullmatch(text) else "auto"
        deadline = reading_deadline(unpacked_at_most(text, APP))
        loaded = apart(read, deadline, text, format=how, role=None, budget=APP)
    except CutOff as error:
        raise NotYet(why_cut_off("Reading the prompt", error)) from None
    if not loaded.transcripts:
        raise NotYet(loaded.problems[0].sentence if loaded.problems else "There are no tokens in this prompt.")
    if loaded.problems and loaded.format == "ids":
        raise NotYet(f"The token ids cannot be read: {loaded.problems[0].sentence}.")
    if len(loaded.transcripts) > 1:
        raise NotYet(f"These are {len(loaded.transcripts):,} transcripts: a prompt is one.")
    ids = loaded.transcripts[0].ids
    problem = prompt_problem(ids)
    if problem:
        raise NotYet(problem)
    return ids, ()


def _request(text: str) -> dict[str, Any] | list[Any] | None:
    """The chat request that ``text`` is, or its messages alone; None where it is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        return found if "messages" in found else None
    messages = isinstance(found, list) and found and all(isinstance(one, dict) and "role" in one for one in found)
    return found if messages else None


def wish(otherwise: tuple[int, ...] | None = None) -> Wish:
    """Everything that is filled in; ``otherwise`` is the prompt where none is.

    Raises:
        NotYet: something cannot be.
    """
    prompt, declared = _prompt_and_tools(otherwise)
    try:
        params = SamplingParams(
            max_tokens=int(_said("max_tokens", 512)),
            temperature=float(_said("temperature", 1.0)),
            top_p=float(_said("top_p", 1.0)),
            top_k=int(_said("top_k", 0)),
            min_p=float(_said("min_p", 0.0)),
            seed=_seed(str(_said("seed", ""))),
            stop=_strings(str(_said("stop", ""))),
            stop_token_ids=_ids(str(_said("stop_ids", ""))),
            ignore_eos=bool(_said("ignore_eos", False)),
            logprobs=int(_said("logprobs", 5)),
        )
    except ValueError as error:
        raise NotYet(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    at_hand = tools_at_hand()[0]
    params = guarding.params(params, _said("guard", "off"), declared or None)
    return Wish(prompt, int(_said("n", 1)), params, _sampler(at_hand), declared)


def _sampler(tools: tuple[Tool, ...]) -> Sampler:
    name = str(_said("sampler", "one-shot"))
    if name not in _samplers_at_hand() and not GATE.is_private:
        raise NotYet(f"No sampler is called {name[:60]!r} here: choose one of the list.")
    options: dict[str, Any] = {}
    if name in ("tool-loop", "injecting"):
        options = {"tools": tools, "format": _said("format", "harmony"), "max_turns": int(_said("turns", 8))}
        options["limit_s"] = float(_said("limit", 10.0))
    try:
        return find_sampler(name, **options)
    except SamplerError as error:
        raise NotYet(str(error)) from None


def _seed(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"the seed is {text[:40]!r}: expected a whole number, or nothing for any") from None


def _strings(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
            raise ValueError('the stop strings are no JSON list of strings, such as ["a", "b"]')
        return tuple(found)
    return (text,)


def _ids(text: str) -> tuple[int, ...]:
    words = text.replace(",", " ").split()
    try:
        return tuple(int(word) for word in words)
    except ValueError:
        raise ValueError(f"the stop token ids are {text[:60]!r}: expected numbers, separated by commas") from None


def _said(name: str, default: Any) -> Any:
    value = st.session_state.get(f"live.{name}", default)
    return default if value is None else value
