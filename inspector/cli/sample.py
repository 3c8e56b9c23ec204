"""``harmonylens sample``: prompts in, answers of an engine out, judged as they are."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ..budgets import in_few_lines
from .answers import Answers, Prompt
from .engine import (
    Limited,
    Replays,
    asking,
    complete,
    open_engine,
    sampling,
    sampling_params,
    swallow_cancelling,
)
from .input import InputError, parse_tools, read_bytes
from .options import FAIL_ON, parse_style
from .output import CLEAN, TRACEBACK, UNUSABLE, say

if TYPE_CHECKING:
    from ..samplers import Draft, Engine, Listener, Rollout, Sampler, SamplingParams, Tool

_EFFORTS: Final = ("low", "medium", "high")
_LOOPS: Final = ("tool-loop", "injecting")
"""Samplers that run tools: those of ``--tool``, or the built-in ones."""


@click.command()
@click.argument("prompt", metavar="[PROMPT|FILE|-]", required=False)
@click.option("--user", metavar="TEXT", help="Instead of PROMPT: what the user says.")
@click.option("--system", metavar="TEXT", help="With --user: the system message; gpt-oss's own when not given.")
@click.option("--developer", metavar="TEXT", help="With --user: instructions.")
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME|@FILE",
    help="Declare a tool: a built-in or installed one, or the definitions in a JSON file. May be repeated.",
)
@click.option(
    "--effort",
    type=click.Choice(_EFFORTS),
    default="medium",
    show_default=True,
    help="With --user: how much to reason.",
)
@click.option("--date", metavar="YYYY-MM-DD", help="With --user: the date in the system message; today's by default.")
@click.option(
    "--style", metavar="NAME", default="oss-harmony 0.0.11", show_default=True, help="How messages are rendered."
)
@click.option(
    "--tools",
    "names",
    multiple=True,
    metavar="NAMES",
    help="Tools that PROMPT declares, for the judgement: a,b or @file.json.",
)
@click.option("-n", "count", type=click.IntRange(1), default=1, show_default=True, help="Answers to each prompt.")
@click.option(
    "--sampler",
    "sampler_name",
    default="one-shot",
    show_default=True,
    metavar="NAME",
    help="one-shot, tool-loop, injecting, another installed one, or module:Class.",
)
@click.option(
    "--call-format",
    type=click.Choice(["harmony", "function-tag"]),
    default="harmony",
    show_default=True,
    help="How tool-loop and injecting know a call; function-tag is <function> add(1, 2) </function>.",
)
@click.option(
    "--max-turns", type=click.IntRange(1), default=8, show_default=True, help="Requests of tool-loop and injecting."
)
@click.option(
    "--tool-limit", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True, help="Seconds for a call."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="A report for people, or one transcript record per line; both as answers are finished.",
)
@click.option("--in-order", is_flag=True, help="Have answers wait for those to earlier prompts.")
@click.option("--parallel", type=click.IntRange(1), default=256, show_default=True, help="Requests at once.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@sampling
@asking
def sample(prompt: str | None, count: int, form: str, in_order: bool, **given: Any) -> int:
    """Sample answers from an engine, and say what is wrong with them.

    PROMPT is text with markers, such as '<|start|>user<|message|>Hi.<|end|><|start|>assistant'. FILE holds such text,
    token ids, transcript records (their prompts are continued) or chat requests (JSON lines with messages and tools,
    rendered in --style); - is standard input. With --user the prompt is built of messages instead.

    A single answer is printed as it comes when standard output is a terminal; several are printed in the order in which
    they end. The meta of a record says which prompt (prompt, its number from 0; prompt_id and line, where FILE has
    them) and which of its answers it is (sample, from 0, of samples).

    An answer that does not end by itself is cut off, and what came of it is kept: when more tokens come than were asked
    for, when none comes for 30 minutes (or for 10 minutes after the first), when it takes longer than 30 minutes and a
    second for each token that was asked for (4 hours at most). With its turns and results it has at most 262,144
    tokens, in at most 1,000 turns.

    Ctrl-C or SIGTERM end a run, and what came is kept. The exit code is 2 when only some of FILE could be used, or an
    answer failed or was cut off.
    """
    params = sampling_params(given)
    tools = _tools(given["tools"])
    sampler = _sampler(given, tools)
    prompts, is_partial = _prompts(prompt, given, tools)
    answers = Answers(
        prompts,
        count,
        form,
        given["fail_on"],
        watches=given["guard"] == "watch",
        in_order=in_order,
        code=UNUSABLE if is_partial else CLEAN,
    )
    code, interruption = complete(_run(answers, sampler, params, given))
    return interruption if code is None else code


async def _run(answers: Answers, sampler: Sampler, params: SamplingParams, given: dict[str, Any]) -> int | None:
    """Sample; the exit code, None when it was interrupted."""
    import asyncio

    drafts: dict[int, Draft] = {}

    def listener(number: int, draft: Draft) -> None:
        drafts[number] = draft
        answers.look(number, draft)

    def tell_the_rest() -> None:
        for number, draft in sorted(drafts.items()):
            draft.finish("cancelled")
            answers.tell(number, draft.rollout())
        answers.close()

    async with open_engine(given, _processors(sampler)) as engine:
        if isinstance(engine, Replays) and engine.is_partial:
            answers.code = UNUSABLE
        try:
            rollouts = await _sample(sampler, Limited(engine, given["parallel"]), answers, params, listener)
        except asyncio.CancelledError:
            swallow_cancelling()
            tell_the_rest()
            say(f"interrupted: {answers.told} of {answers.total} answers, {answers.cut} of them cut.")
            return None
        except InputError:
            tell_the_rest()
            raise
        for number, rollout in enumerate(rollouts):
            answers.tell(number, rollout)
        answers.close()
    return answers.code


async def _sample(
    sampler: Sampler, engine: Engine, answers: Answers, params: SamplingParams, listener: Listener
) -> list[Rollout]:
    """Ask.

    Raises:
        InputError: the sampler cannot work with these parameters or this engine, or it is somebody's and raised.
    """
    from ..samplers import EngineError
    from ..samplers.sampler import draw

    many = [one.ids for one in answers.prompts for _ in range(answers.count)]
    try:
        return await draw(sampler, engine, many, params, listener)
    except (EngineError, ValueError) as error:
        raise _refused(error) from None


def _refused(error: Exception) -> InputError:
    """The sentence of an exception; the traceback of somebody else's code that is behind it is shown on demand."""
    if error.__cause__ is None:
        return InputError(str(error))
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error.__cause__)
        return InputError(str(error))
    return InputError(f"{str(error).removesuffix('.')}; {TRACEBACK}=1 shows the whole traceback.")


def _sampler(given: dict[str, Any], tools: Sequence[Tool | dict[str, Any]]) -> Sampler:
    from ..samplers import BUILTIN, SamplerError, Tool, find_sampler

    name: str = given["sampler_name"]
    options: dict[str, Any] = {}
    if name in _LOOPS:
        options = {"format": given["call_format"], "max_turns": given["max_turns"], "limit_s": given["tool_limit"]}
        options["tools"] = [tool for tool in tools if isinstance(tool, Tool)] or BUILTIN
    try:
        return find_sampler(name, **options)
    except SamplerError as error:
        raise _refused(error) from None


def _processors(sampler: Sampler) -> tuple[str, ...]:
    """The logits processors that an engine needs for this sampler."""
    from ..samplers.injected import PROCESSOR, InjectingToolLoop

    return (PROCESSOR,) if isinstance(sampler, InjectingToolLoop) else ()


def _tools(values: Sequence[str]) -> list[Tool | dict[str, Any]]:
    """The tools of ``--tool``: those that can be run, and mere definitions from a file.

    Raises:
        InputError: there is none of that name, or the file holds something else.
    """
    from ..samplers import BUILTIN, installed

    others, problems = installed() if values else ((), ())
    for problem in problems:
        say(problem)
    known = {tool.name: tool for tool in (*BUILTIN, *others)}
    found: list[Tool | dict[str, Any]] = []
    for value in values:
        if value.startswith("@"):
            shown = click.format_filename(value[1:])
            try:
                read = json.loads(read_bytes(value[1:], "a list of tool definitions"))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{shown} is not JSON ({error}): expected a list of tool definitions.") from None
            entries = read.get("tools", read) if isinstance(read, dict) else read
            found += entries if isinstance(entries, list) else [entries]
        elif value in known:
            found.append(known[value])
        else:
            raise InputError(f"--tool {value!r}: expected one of {', '.join(known)}, or @FILE with definitions.")
    return found


def _prompts(
    prompt: str | None, given: dict[str, Any], tools: Sequence[Tool | dict[str, Any]]
) -> tuple[list[Prompt], bool]:
    """What is to be continued, and whether more of it was given that cannot be.

    Raises:
        InputError: nothing, or something that is no prompt.
    """
    from ..samplers.preamble import PromptError, tool_description
    from ..samplers.prompts import build_prompt

    style, names = parse_style(given["style"]), parse_tools(given["names"])
    built = [option for option in ("user", "system", "developer") if given[option] is not None]
    if prompt is not None and built:
        raise InputError(f"Give PROMPT or --{built[0]}, not both: a PROMPT says everything itself.")
    if prompt is None and not built:
        raise InputError("Nothing to continue: give a PROMPT, a FILE, - for standard input, or --user TEXT.")
    if prompt is not None:
        if tools and given["sampler_name"] == "one-shot":
            raise InputError("--tool declares tools of a prompt that is built with --user; a PROMPT declares its own.")
        return _usable(*_read(prompt, style, names))
    if given["date"] is not None:
        try:
            date.fromisoformat(given["date"])
        except ValueError:
            raise InputError(f"--date {given['date']!r}: expected YYYY-MM-DD, such as 2026-01-31.") from None
    try:
        declared = tuple(f"functions.{tool_description(tool)['name']}" for tool in tools)
        ids = build_prompt(
            given["system"],
            given["developer"],
            tools,
            given["user"] or "",
            style=style,
            effort=given["effort"],
            date=given["date"],
        )
    except PromptError as error:
        raise InputError(str(error)) from None
    return [Prompt(ids, "", tuple(dict.fromkeys((*declared, *names))))], False


def _usable(prompts: Sequence[Prompt], problems: Sequence[str]) -> tuple[list[Prompt], bool]:
    """The prompts that an engine can take; what is wrong with the others is said, before any engine is started.

    Raises:
        InputError: there are none.
    """
    from ..samplers.sampler import prompt_problem

    found, sentences = [], list(problems)
    for one in prompts:
        problem = prompt_problem(one.ids) if one.ids else "This prompt is empty: give at least one token."
        if problem:
            sentences.append(f"{one.place}: {problem}" if one.place else problem)
        else:
            found.append(one)
    told = in_few_lines(sentences)
    for sentence in told if found else told[:-1]:
        say(sentence)
    if not found:
        raise InputError(told[-1])
    return found, bool(sentences)


def _read(prompt: str, style: str, names: tuple[str, ...]) -> tuple[list[Prompt], list[str]]:
    """The prompts of an argument, and a sentence for each that cannot be read.

    Raises:
        InputError: it is neither text with markers nor a file that can be read.
    """
    from ..tokens import vocabulary

    if prompt != "-" and not _is_there(prompt):
        if "<|" in prompt:
            return [Prompt(tuple(vocabulary().encode_markers(prompt)), "", names)], []
        shown = click.format_filename(prompt if len(prompt) <= 80 else f"{prompt[:80]}…")
        raise InputError(f"{shown} is no file, and no prompt with markers either: use --user for mere text.")
    data = read_bytes(prompt)
    name = "" if prompt == "-" else click.format_filename(prompt, shorten=True)
    shown = name or "standard input"
    if b'"messages"' in data:
        found, problems = _rendered(data, name, style, names)
        return found, problems or ([] if found else [f"{shown} holds no conversation that can be continued."])
    from ..ingest import read

    loaded = read(data, filename=shown, tools=names)
    if loaded.format == "text" and _is_json(data):
        raise InputError(
            f"{shown} is JSON without a prompt: expected `messages`, or records with `token_ids` or `text`."
        )
    for problem in loaded.problems:
        if not problem.lost:
            say(f"{shown}: {problem.sentence}")
    found = [Prompt(one.prompt_ids or one.ids, one.id, one.tools, one.source) for one in loaded.transcripts]
    problems = [f"{shown}: {problem.sentence}" for problem in loaded.problems if problem.lost]
    return found, problems or ([] if found else [f"{shown} holds no prompt."])


def _is_json(data: bytes) -> bool:
    """Whether it is a JSON object or list: nobody's prompt."""
    if data.strip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        # A prompt is longer than any name can be.
        return False


def _rendered(data: bytes, name: str, style: str, names: tuple[str, ...]) -> tuple[list[Prompt], list[str]]:
    from ..samplers.conversations import read_conversations
    from ..samplers.preamble import PromptError
    from ..samplers.prompts import render_prompt

    conversations, problems = read_conversations(data, name)
    prompts = []
    for one in conversations:
        place = f"{name or 'standard input'} {one.place}"
        try:
            ids = render_prompt(one, style)
        except PromptError as error:
            problems.append(f"{place}: {error}")
        else:
            prompts.append(Prompt(ids, one.id, tuple(dict.fromkeys((*one.tools, *names))), place))
    return prompts, problems
