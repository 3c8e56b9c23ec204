"""Trains the tiny gpt-oss for some minutes on made-up transcripts, so that it speaks Harmony and slips by itself.

``python -m inspector.vllm_side.train FOLDER --seconds 240``, in vLLM's Python and in a checkout. At low temperatures it
calls tools and answers in well-formed messages; at higher ones it makes the mistakes that large models make: junk in a
header, a missing channel, text between messages.

The vocabulary has 201,088 rows, the transcripts use some hundreds of them. Only those are trained, and one more that
stands for all the others: its logit grows by the logarithm of how many they are, so that the loss is that of the whole
vocabulary, exactly. Afterwards every other token gets a copy of that row.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from ..harmony.message import Message
from ..prompt import render
from ..prompt.plan import OPENAI_008, OSS_0011
from ..tokens import FIRST_SPECIAL, RETURN, vocabulary
from .tiny_model import config, random_model, save
from .tokenizer import ROWS

Segment = tuple[list[int], bool]
"""Tokens of a transcript, and whether the model says them (and is trained to)."""

_JSON: Final = "<|constrain|>json"
_EXAMPLES: Final = 6000
_BATCH: Final = 16
"""Transcripts per step."""

_IGNORED: Final = -100
"""What ``cross_entropy`` leaves out."""


@dataclass(frozen=True, slots=True)
class Task:
    """A question, the thought about it, and what answers it: a call with its result, or nothing but words.

    Attributes:
        tool: without a namespace; "" when no tool is needed.
        arguments, result: of the call.
        answer: the final message.
    """

    question: str
    thought: str
    answer: str
    tool: str = ""
    arguments: str = ""
    result: str = ""


_CITIES: Final = ("Paris", "London", "Tokyo", "Rome", "Berlin", "Madrid", "Oslo", "Cairo", "Lima", "Delhi")
_FILES: Final = ("main.py", "README.md", "setup.py", "test.py", "data.json", "notes.txt")
_COMMANDS: Final = ("ls", "cat", "head", "wc", "rm", "grep x")
_WORDS: Final = ("hello", "good morning", "one two three", "the end", "Harmony")

_TYPES: Final[Mapping[str, str]] = {
    "add": "// Adds two numbers.\ntype add = (_: {\na: number,\nb: number,\n}) => any;",
    "multiply": "// Multiplies two numbers.\ntype multiply = (_: {\na: number,\nb: number,\n}) => any;",
    "clock": "// Tells the time, in UTC.\ntype clock = () => any;",
    "echo": "// Gives back the text.\ntype echo = (_: {\ntext: string,\n}) => any;",
    "get_weather": "// Gets the weather.\ntype get_weather = (_: {\nlocation: string,\n}) => any;",
    "bash": "// Runs a command.\ntype bash = (_: {\ncmd: string,\n}) => any;",
}

SYSTEM: Final = """\
You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: 2026-11-21

Reasoning: {effort}

# Valid channels: analysis, commentary, final. Channel must be included for every message.{calls}"""
_CALLS: Final = "\nCalls to these tools must go to the commentary channel: 'functions'."


class Speaker:
    """Makes up transcripts; the same seed makes the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed)
        self._tasks: tuple[Callable[[], Task], ...] = (
            self._words,
            self._sum,
            self._product,
            self._weather,
            self._command,
            self._clock,
            self._echo,
        )

    def transcripts(self) -> Iterator[list[Segment]]:
        """One after the other, without end."""
        while True:
            yield self.transcript()

    def transcript(self) -> list[Segment]:
        """A prompt, and all that follows until the turn is over or a tool is called."""
        draw = self._draw
        task = draw.choice(self._tasks)()
        # Both header orders are in the world: what oss-harmony 0.0.11 renders, and what 0.0.8 did.
        style = OSS_0011 if draw.random() < 0.8 else OPENAI_008
        said = [*self._opening(task)]
        if draw.random() < 0.15:
            before = self._words()
            said += [Message("user", before.question), Message("assistant", before.answer, channel="final")]
        said.append(Message("user", task.question))
        segments = [(render(said, style), False)]
        turns = self._turns(task)
        for number, turn in enumerate(turns):
            last = number == len(turns) - 1
            segments += self._turn(turn, style, closes=last and turn[-1].channel == "final")
            if not last:
                told = Message("tool", task.result, f"functions.{task.tool}", "commentary", "assistant")
                segments.append((render([told], style), False))
        return segments

    def _opening(self, task: Task) -> Iterator[Message]:
        """The system's and the developer's messages, when there are any."""
        draw = self._draw
        if draw.random() < 0.4:
            return
        with_tools = draw.random() < 0.6
        effort = draw.choice(("low", "medium", "high"))
        yield Message("system", SYSTEM.format(effort=effort, calls=_CALLS if with_tools else ""))
        if with_tools:
            names = {task.tool or "add", *draw.sample(list(_TYPES), k=draw.randint(0, 2))}
            types = "\n\n".join(_TYPES[name] for name in sorted(names))
            rules = draw.choice(("", "# Instructions\n\nBe brief.\n\n", "# Instructions\n\nUse the tools.\n\n"))
            text = f"{rules}# Tools\n\n## functions\n\nnamespace functions {{\n\n{types}\n\n}} // namespace functions"
            yield Message("developer", text)

    def _turns(self, task: Task) -> list[list[Message]]:
        """What the assistant says, cut where a tool answers."""
        draw = self._draw
        first: list[Message] = []
        if draw.random() < 0.85:
            first.append(Message("assistant", task.thought, channel="analysis"))
        final = Message("assistant", task.answer, channel="final")
        if not task.tool:
            return [[*first, final]]
        if draw.random() < 0.15:
            first.append(Message("assistant", f"I will call {task.tool}.", channel="commentary"))
        call = Message(
            "assistant",
            task.arguments,
            None,
            "commentary",
            f"functions.{task.tool}",
            _JSON if draw.random() < 0.95 else None,
        )
        if draw.random() < 0.4:
            return [[*first, call]]
        got = Message("assistant", f"Got {task.result}.", channel="analysis")
        return [[*first, call], [got, final] if draw.random() < 0.5 else [final]]

    def _turn(self, messages: Sequence[Message], style: str, *, closes: bool) -> Iterator[Segment]:
        """The tokens of one turn; the ``<|start|>assistant`` it begins with belongs to the prompt."""
        # One by one: together, the renderer would drop the analysis before a final message.
        ids = [token for message in messages for token in render([message], style)]
        opening = render([], style, generation_prompt=True)
        yield ids[: len(opening)], False
        yield [*ids[len(opening) : -1], RETURN if closes else ids[-1]], True

    def _words(self) -> Task:
        x, y = self._draw.randint(0, 20), self._draw.randint(0, 20)
        kind = self._draw.random()
        if kind < 0.5:
            thought = self._draw.choice(("Simple addition.", "We need to add.", "The user asks a sum."))
            return Task(f"What is {x} + {y}?", f"{thought} {x} + {y} = {x + y}.", f"{x} + {y} = {x + y}.")
        if kind < 0.8:
            return Task(self._draw.choice(("Hi.", "Hello!", "Hi there.")), "A greeting.", "Hello! How can I help?")
        return Task("Who are you?", "Say who I am.", "I am ChatGPT, a large language model.")

    def _sum(self) -> Task:
        a, b = self._draw.randint(0, 99), self._draw.randint(0, 99)
        question = self._draw.choice((f"Add {a} and {b}.", f"Sum {a} and {b}.", f"Please add {a} and {b}."))
        return _called("add", question, {"a": a, "b": b}, str(a + b), "Let's call add.")

    def _product(self) -> Task:
        a, b = self._draw.randint(0, 99), self._draw.randint(0, 99)
        question = self._draw.choice((f"Multiply {a} by {b}.", f"What is {a} times {b}?"))
        return _called("multiply", question, {"a": a, "b": b}, str(a * b), "Use multiply.")

    def _weather(self) -> Task:
        city = self._draw.choice(_CITIES)
        question = self._draw.choice((f"Weather in {city}?", f"How is the weather in {city} today?"))
        result = f"{self._draw.randint(0, 30)} C"
        return _called("get_weather", question, {"location": city}, result, f"Need weather for {city}.")

    def _command(self) -> Task:
        command = f"{self._draw.choice(_COMMANDS)} {self._draw.choice(_FILES)}"
        result = self._draw.choice(("ok", "error: not found", "12 lines"))
        return _called("bash", f"Please run {command}.", {"cmd": command}, result, f"Run bash: {command}.")

    def _clock(self) -> Task:
        result = f"2026-11-{self._draw.randint(10, 28)}T{self._draw.randint(10, 23)}:00:00+00:00"
        return _called("clock", self._draw.choice(("What time is it?", "Time?")), {}, result, "Need the clock.")

    def _echo(self) -> Task:
        text = self._draw.choice(_WORDS)
        return _called("echo", self._draw.choice((f"Echo {text}.", f"Say {text}.")), {"text": text}, text, "Use echo.")


def _called(tool: str, question: str, arguments: Mapping[str, Any], result: str, thought: str) -> Task:
    return Task(question, thought, f"Result: {result}.", tool, json.dumps(arguments), result)


class Rows:
    """The rows of the vocabulary that are trained: those in use, and one for all the others."""

    def __init__(self, used: set[int]) -> None:
        self.ids = sorted(used)
        self.shared = len(self.ids)
        """The row of every other token."""
        self.others = ROWS - len(self.ids)
        self._row = {token: row for row, token in enumerate(self.ids)}

    def of(self, ids: Sequence[int]) -> list[int]:
        """The rows of these tokens."""
        return [self._row.get(token, self.shared) for token in ids]


def train(folder: Path, seconds: float, *, hidden: int = 128, threads: int = 1, seed: int = 0) -> None:
    """Train for so many seconds of wall time, and write the model to ``folder``.

    The clock decides when it ends: on a busy machine the same seed gives a model that has learnt less.

    Args:
        threads: of torch; where other processes want the cores too, two are slower than one.
    """
    import torch

    torch.set_num_threads(threads)
    speaker = Speaker(seed)
    examples = list(islice(speaker.transcripts(), _EXAMPLES))
    rows = Rows(
        {token for segments in examples for ids, _ in segments for token in ids}
        | set(range(FIRST_SPECIAL, FIRST_SPECIAL + 20))
        # So that mistakes have somewhere to go.
        | set(vocabulary().encode(" ".join("abcdefghijklmnopqrstuvwxyz{}\"':,.#=/-_\n")))
    )
    model = random_model(config(rows=rows.shared + 1, hidden=hidden), seed).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
    print(f"{len(examples):,} transcripts with {rows.shared} different tokens.", flush=True)
    began, told, steps = time.monotonic(), 0.0, 0
    for inputs, targets in _batches(examples, rows, _BATCH, random.Random(seed)):
        elapsed = time.monotonic() - began
        if elapsed >= seconds:
            break
        # A short rise, then half a cosine down to 3 %.
        rate = 3e-3 * min(1.0, (steps + 1) / 50) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * elapsed / seconds)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = _loss(model, inputs, targets, rows)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        steps += 1
        if elapsed - told >= 20:
            told = elapsed
            print(f"{elapsed:.0f} s, step {steps}, loss {loss.item():.3f}", flush=True)
    save(_whole(model, rows, hidden), folder)
    print(f"After {steps} steps, a tiny gpt-oss that speaks Harmony is in {folder}.", flush=True)


def _batches(
    examples: Sequence[list[Segment]], rows: Rows, size: int, draw: random.Random
) -> Iterator[tuple[Any, Any]]:
    """Rows (transcripts, longest) and what each place should predict, without end; those of a length together."""
    import torch

    by_length = sorted(examples, key=lambda segments: sum(len(ids) for ids, _ in segments))
    starts = list(range(0, len(by_length), size))
    words = sum(token < FIRST_SPECIAL for token in rows.ids)
    while True:
        draw.shuffle(starts)
        for start in starts:
            chosen = by_length[start : start + size]
            longest = max(sum(len(ids) for ids, _ in segments) for segments in chosen)
            inputs = torch.zeros((len(chosen), longest), dtype=torch.long)
            targets = torch.full((len(chosen), longest), _IGNORED, dtype=torch.long)
            for number, segments in enumerate(chosen):
                line = [(row, said) for ids, said in segments for row in rows.of(ids)]
                # A word of a prompt that it has never seen must not throw it off.
                given = [
                    rows.shared if not said and row < words and draw.random() < 0.02 else row for row, said in line
                ]
                wanted = [row if said else _IGNORED for _, (row, said) in pairwise(line)]
                inputs[number, : len(given)] = torch.tensor(given)
                targets[number, : len(wanted)] = torch.tensor(wanted)
            yield inputs, targets


def _loss(model: Any, inputs: Any, targets: Any, rows: Rows) -> Any:
    """Mean cross entropy over the whole vocabulary, in nats, of what the assistant says."""
    import torch

    said = targets != _IGNORED
    logits = model.lm_head(model.model(input_ids=inputs).last_hidden_state[said])
    # Shared by so many tokens with equal logits: together they weigh as many times as much.
    every = torch.zeros(rows.shared + 1)
    every[rows.shared] = math.log(rows.others)
    return torch.nn.functional.cross_entropy(logits + every, targets[said])


def _whole(trained: Any, rows: Rows, hidden: int) -> Any:
    """The model with all rows of the vocabulary."""
    import torch

    whole = random_model(config(hidden=hidden))
    weights = dict(trained.state_dict())
    index = torch.tensor(rows.ids)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        few = weights[name]
        every = few[rows.shared].repeat(ROWS, 1)
        every[index] = few[: rows.shared]
        weights[name] = every
    whole.load_state_dict(weights)
    return whole


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train a tiny gpt-oss that speaks Harmony.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--hidden", type=int, default=128, help="width of the model (default: 128)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    train(asked.folder, asked.seconds, hidden=asked.hidden, threads=asked.threads, seed=asked.seed)


if __name__ == "__main__":
    main()
