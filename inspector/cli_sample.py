"""``harmonyscope sample``: prompts in, answers of an engine out, judged as they are."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from .cli_engine import asking, complete, open_engine, sampling, sampling_params, swallow_cancelling
from .cli_input import InputError, parse_tools, read_bytes
from .cli_options import FAIL_ON, parse_style
from .cli_output import CLEAN, INTERRUPTED, UNUSABLE, exit_code, make_console, say

if TYPE_CHECKING:
    from .samplers import Draft, Engine, Rollout, Sampler, SamplingParams, Tool
    from .tokens import Transcript

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
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@sampling
@asking
def sample(prompt: str | None, count: int, form: str, **given: Any) -> int:  # fmt: skip
    """Sample answers from an engine, and say what is wrong with them.

    PROMPT is text with markers, such as '<|start|>user<|message|>Hi.<|end|><|start|>assistant'. FILE holds such text,
    token ids, transcript records (their prompts are continued) or chat requests (JSON lines with messages and tools,
    rendered in --style); - is standard input. With --user the prompt is built of messages instead.

    A single answer is printed as it comes when standard output is a terminal. Ctrl-C ends a run and keeps what came.
    """
    params = sampling_params(given)
    tools = _tools(given["tools"])
    prompts = _prompts(prompt, given, tools)
    sampler = _sampler(given, tools)
    return complete(_run(prompts, sampler, params, count, form, given))


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, what its source calls it, and the names of the tools that it declares."""

    ids: tuple[int, ...]
    id: str = ""
    tools: tuple[str, ...] = ()


async def _run(
    prompts: Sequence[Prompt], sampler: Sampler, params: SamplingParams, count: int, form: str, given: dict[str, Any]
) -> int:
    import asyncio

    many = [one for one in prompts for _ in range(count)]
    teller = _Teller(many, count, form, given["fail_on"], watches=given["guard"] == "watch")
    drafts: dict[int, Draft] = {}

    def listener(number: int, draft: Draft) -> None:
        drafts[number] = draft
        teller.look(number, draft)

    async with open_engine(given, _processors(sampler)) as engine:
        try:
            await _sample(sampler, engine, many, params, listener)
        except asyncio.CancelledError:
            swallow_cancelling()
            for number, draft in sorted(drafts.items()):
                teller.tell(number, draft.rollout())
            say(f"interrupted: {teller.told} of {len(many)} answers, some of them cut.")
            return INTERRUPTED
    return teller.code


async def _sample(
    sampler: Sampler, engine: Engine, prompts: Sequence[Prompt], params: SamplingParams, listener: Any
) -> list[Rollout]:
    """Ask.

    Raises:
        InputError: the sampler cannot work with these parameters or this engine.
    """
    from .samplers import EngineError

    try:
        return await sampler.sample(engine, [one.ids for one in prompts], params, listener)
    except (EngineError, ValueError) as error:
        raise InputError(str(error)) from None


class _Teller:
    """Prints answers: the only one token by token where somebody watches, all others when they are done."""

    def __init__(
        self, prompts: Sequence[Prompt], count: int, form: str, fail_on: str, *, watches: bool = False
    ) -> None:
        self.prompts = prompts
        self.count = count
        self.form = form
        self.fail_on = fail_on
        self.watches = watches
        self.code = CLEAN
        self._done: set[int] = set()
        self._streams = form == "text" and len(prompts) == 1 and sys.stdout.isatty()
        self._streamed = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._console = make_console()

    @property
    def told(self) -> int:
        """How many answers have been printed."""
        return len(self._done)

    def look(self, number: int, draft: Draft) -> None:
        """Something has come of an answer, or it is done."""
        if self._streams:
            self._stream(draft)
        if draft.is_done:
            rollout = draft.rollout()
            if rollout.ended_by != "cancelled":  # told at the end, with the others
                self.tell(number, rollout)

    def _watched(self, name: str, rollout: Rollout, tools: Sequence[str]) -> None:
        """What the guard would have blocked, had it been on."""
        from .samplers.guarding import watched

        blocked = [one.position for one in watched(rollout, tools or None) if one.sampled]
        where = f"{len(blocked)} sampled tokens, the first at {blocked[0]}" if blocked else "none of the sampled tokens"
        say(f"{name}: the guard would have blocked {where}.")

    def tell(self, number: int, rollout: Rollout) -> None:
        """Print an answer, once."""
        if number in self._done:
            return
        self._done.add(number)
        transcript = self._transcript(number, rollout)
        if rollout.ended_by == "failed":
            say(f"{transcript.id}: {rollout.error}")
            self.code = UNUSABLE
        elif rollout.error:
            say(f"{transcript.id}: {rollout.error}")
        if rollout.ended_by == "failed" and not transcript.ids:
            return
        if self.watches:
            self._watched(transcript.id, rollout, self.prompts[number].tools)
        from .inspection import inspect
        from .report.findings import findings

        inspection = inspect(transcript, next_prompt=self.form == "text")
        self.code = max(self.code, exit_code(findings(inspection), self.fail_on))
        if self.form == "jsonl":
            from .ingest import transcript_record
            from .report.record import dump

            click.echo(dump(transcript_record(transcript)))
            sys.stdout.flush()
            return
        from .report.terminal import print_report

        if self._streamed or self.told > 1:
            self._console.print("\n" + "-" * min(self._console.width, 100))
        print_report(inspection, self._console)

    def _stream(self, draft: Draft) -> None:
        from .report.visible import visible
        from .tokens import vocabulary

        ids = draft.ids[self._streamed :]
        self._streamed += len(ids)
        text = self._decoder.decode(vocabulary().decode_bytes(ids), draft.is_done)
        # Lines of a body stay lines; everything else that could move a cursor is made visible.
        print("\n".join(map(visible, text.split("\n"))), end="", flush=True)

    def _transcript(self, number: int, rollout: Rollout) -> Transcript:
        prompt = self.prompts[number]
        name = prompt.id or (f"prompt {number // self.count + 1}" if len(self.prompts) > self.count else "")
        which = f"answer {number % self.count + 1}" if self.count > 1 or not name else ""
        meta = {"prompt": number // self.count, "sample": number % self.count, "ended_by": rollout.ended_by}
        return replace(
            rollout.transcript(id=", ".join(filter(None, (name, which))), tools=prompt.tools),
            meta={**meta, **({"error": rollout.error} if rollout.error else {})},
        )


def _sampler(given: dict[str, Any], tools: Sequence[Tool | dict[str, Any]]) -> Sampler:
    from .samplers import BUILTIN, SamplerError, Tool, find_sampler

    name: str = given["sampler_name"]
    options: dict[str, Any] = {}
    if name in _LOOPS:
        options = {"format": given["call_format"], "max_turns": given["max_turns"], "limit_s": given["tool_limit"]}
        options["tools"] = [tool for tool in tools if isinstance(tool, Tool)] or BUILTIN
    try:
        return find_sampler(name, **options)
    except SamplerError as error:
        raise InputError(str(error)) from None


def _processors(sampler: Sampler) -> tuple[str, ...]:
    """The logits processors that an engine needs for this sampler."""
    from .samplers.injected import PROCESSOR, InjectingToolLoop

    return (PROCESSOR,) if isinstance(sampler, InjectingToolLoop) else ()


def _tools(values: Sequence[str]) -> list[Tool | dict[str, Any]]:
    """The tools of ``--tool``: those that can be run, and mere definitions from a file.

    Raises:
        InputError: there is none of that name, or the file holds something else.
    """
    import json

    from .samplers import BUILTIN, installed

    others, problems = installed() if values else ((), ())
    for problem in problems:
        say(problem)
    known = {tool.name: tool for tool in (*BUILTIN, *others)}
    found: list[Tool | dict[str, Any]] = []
    for value in values:
        if value.startswith("@"):
            shown = click.format_filename(value[1:])
            try:
                read = json.loads(read_bytes(value[1:]))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{shown} is not JSON ({error}): expected a list of tool definitions.") from None
            entries = read.get("tools", read) if isinstance(read, dict) else read
            found += entries if isinstance(entries, list) else [entries]
        elif value in known:
            found.append(known[value])
        else:
            raise InputError(f"--tool {value!r}: expected one of {', '.join(known)}, or @FILE with definitions.")
    return found


def _prompts(prompt: str | None, given: dict[str, Any], tools: Sequence[Tool | dict[str, Any]]) -> list[Prompt]:
    """What is to be continued.

    Raises:
        InputError: nothing, or something that is no prompt.
    """
    from .samplers.preamble import PromptError, tool_description
    from .samplers.prompts import build_prompt

    style, names = parse_style(given["style"]), parse_tools(given["names"])
    built = [option for option in ("user", "system", "developer") if given[option] is not None]
    if prompt is not None and built:
        raise InputError(f"Give PROMPT or --{built[0]}, not both: a PROMPT says everything itself.")
    if prompt is None and not built:
        raise InputError("Nothing to continue: give a PROMPT, a FILE, - for standard input, or --user TEXT.")
    if prompt is not None:
        if tools and given["sampler_name"] == "one-shot":
            raise InputError("--tool declares tools of a prompt that is built with --user; a PROMPT declares its own.")
        return _read(prompt, style, names)
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
    return [Prompt(ids, "", tuple(dict.fromkeys((*declared, *names))))]


def _read(prompt: str, style: str, names: tuple[str, ...]) -> list[Prompt]:
    from .tokens import vocabulary

    if prompt != "-" and "<|" in prompt and not Path(prompt[:4096]).exists():
        return [Prompt(tuple(vocabulary().encode_markers(prompt)), "", names)]
    if prompt != "-" and not Path(prompt).exists():
        raise InputError(
            f"{click.format_filename(prompt)} is no file, and no prompt with markers either: use --user for mere text."
        )
    data = read_bytes(prompt)
    name = "" if prompt == "-" else click.format_filename(prompt, shorten=True)
    if b'"messages"' in data:
        return _rendered(data, name, style, names)
    from .ingest import read

    loaded = read(data, filename=name or None, tools=names)
    for problem in loaded.problems:
        say(f"{name or 'standard input'}: {problem.sentence}")
    found = [Prompt(one.prompt_ids or one.ids, one.id, one.tools) for one in loaded.transcripts]
    if not any(one.ids for one in found):
        raise InputError(f"{name or 'standard input'} holds no prompt.")
    return [one for one in found if one.ids]


def _rendered(data: bytes, name: str, style: str, names: tuple[str, ...]) -> list[Prompt]:
    from .samplers.conversations import read_conversations
    from .samplers.preamble import PromptError
    from .samplers.prompts import render_prompt

    conversations, problems = read_conversations(data, name)
    prompts = []
    for one in conversations:
        try:
            prompts.append(Prompt(render_prompt(one, style), one.id, tuple(dict.fromkeys((*one.tools, *names)))))
        except PromptError as error:
            problems.append(f"{one.id}: {error}")
    for problem in problems:
        say(problem)
    if not prompts:
        raise InputError(f"{name or 'standard input'} holds no conversation that can be continued.")
    return prompts
