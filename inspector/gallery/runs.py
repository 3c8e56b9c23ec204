"""Healthy synthetic runs: an agent with a shell repairs a small program, tool results and all.

A run is a whole conversation in Harmony's own shape, as text with markers. Everything is drawn from a
:class:`Dice`, so a seed names a run for good: no clock, no locale, no hash order, no random function whose
sequence Python does not promise to keep.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_SYSTEM: Final = (
    "<|start|>system<|message|>You repair small programs. Work step by step.\n\nReasoning: medium\n\n"
    "# Valid channels: analysis, commentary, final. Channel must be included for every message.\n"
    "Calls to these tools must go to the commentary channel: 'functions'.<|end|>"
)
_DEVELOPER: Final = (
    "<|start|>developer<|message|># Instructions\n\nThe code lies in /app. Leave the tests as they are.\n\n"
    "# Tools\n\n## functions\n\nnamespace functions {\n\n"
    "// Runs a command in a shell and returns what it prints.\n"
    "type bash = (_: {\ncommand: string,\n}) => any;\n\n} // namespace functions<|end|>"
)
_MODULES: Final = (
    "almanac",
    "barometer",
    "catalogue",
    "ferry",
    "greenhouse",
    "invoice",
    "kiln",
    "ledger",
    "mosaic",
    "orchard",
    "parcel",
    "recipe",
    "regatta",
    "tides",
    "timetable",
    "weaver",
)
_FUNCTIONS: Final = ("load", "merge", "render", "next_entry", "total", "as_rows", "parse_line", "round_up")
_SYMPTOMS: Final = (
    "raises KeyError when a row is empty",
    "drops the last line of every file",
    "writes the same record twice",
    "takes minutes once there are ten thousand rows",
    "reads the date with day and month swapped",
    "forgets its settings after a restart",
    "prints nothing at all when the input is a pipe",
    "is off by one in the weekly sums",
    "fails on names with an accent",
    "leaves its lock file behind",
)
_WISHES: Final = (
    "{module}.py {symptom}. Please find out why and mend it.",
    "Since last week {module}.py {symptom}. Can you look?",
    "A customer says that {module} {symptom}. Fix it with as small a change as you can.",
    "Issue {number}: {module} {symptom}. Add nothing else, please.",
)
_FIRST_THOUGHTS: Final = (
    "{module} {symptom}; {function} is the place to look first.",
    "The report says that it {symptom}. Let me see {function} before I guess.",
    "Nothing is known yet. The definition of {function} will show where the rows go.",
)
_LATER_THOUGHTS: Final = (
    "Line {number} is the one: the check comes after the loop.",
    "That explains it. {function} keeps its list between two calls.",
    "So the value is a string here and a number there. One conversion is enough.",
    "The test that fails is about {function}; the others pass.",
    "The change is in. Now the tests of {module}.",
    "Not what I expected: {function} is called with the header row too.",
)
_PLANS: Final = (
    "I am reading {module}.py before I change anything.",
    "Next I run the tests of {module}.",
    "I will look at {function} and at where it is called.",
    "Let me see how large the data is.",
    "First a copy of {module}.py, then the change.",
)
_ANSWERS: Final = (
    "{module}.py is mended: {function} checked too late. All {number} tests pass.",
    "The cause was in {function}, which kept state between calls. I changed one line; the tests pass.",
    "Done. {function} now skips the header row, and {module} no longer misbehaves.",
)
_COMMANDS: Final = (
    ("grep -n 'def {function}' /app/{module}.py", "{number}:def {function}(rows, *, strict=False):"),
    (
        "sed -n '{number},+6p' /app/{module}.py",
        "def {function}(rows, *, strict=False):\n    seen = []\n"
        "    for row in rows:\n        seen.append(row.strip())\n    return seen\n",
    ),
    ("python -m pytest -q /app/tests/test_{module}.py", "...F.\n1 failed, 4 passed in 0.{number}s"),
    (
        "git -C /app log --oneline -2 -- {module}.py",
        "4f{number}c1a {module}: accept blank lines\nb0{number}7e2 first version",
    ),
    ("wc -l /app/data/{module}.csv", "{number} /app/data/{module}.csv"),
    ("cp /app/{module}.py /tmp/{module}.before", ""),
    ('sed -i "{number}s/rows/rows[1:]/" /app/{module}.py', ""),
    ("head -3 /app/data/{module}.csv", "name,day,amount\nAndré,2026-03-01,{number}\nZoë,2026-03-02,12"),
)


class Dice:
    """Draws that are the same on every Python: only ``Random.random()`` is used, which is promised."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, bound: int) -> int:
        """An int in ``[0, bound)``."""
        return int(self._random() * bound)

    def pick(self, things: Sequence[T]) -> T:
        """One of ``things``."""
        return things[self.below(len(things))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """``things`` in another order."""
        out = list(things)
        for last in range(len(out) - 1, 0, -1):
            other = self.below(last + 1)
            out[last], out[other] = out[other], out[last]
        return out


class Scene:
    """What one run is about. Every sentence is filled in from here, and none is said twice."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.module = dice.pick(_MODULES)
        self.function = dice.pick(_FUNCTIONS)
        self.symptom = dice.pick(_SYMPTOMS)
        self._commands = dice.shuffled(_COMMANDS)
        self._thoughts = dice.shuffled(_LATER_THOUGHTS)

    def fill(self, template: str) -> str:
        """``template`` with this scene's names and a number of its own."""
        return template.format(
            module=self.module, function=self.function, symptom=self.symptom, number=10 + self.dice.below(90)
        )

    def thought(self) -> str:
        """A sentence of reasoning from the middle of the work."""
        return self.fill(self._thoughts.pop())

    def plan(self) -> str:
        """A word to the user before a call."""
        return self.fill(self.dice.pick(_PLANS))

    def command(self) -> tuple[str, str]:
        """The JSON arguments of a shell call and what the shell prints."""
        command, output = self._commands.pop()
        return json.dumps({"command": self.fill(command)}, ensure_ascii=False), self.fill(output)

    def opening(self) -> str:
        """System, developer, user, and the first thought."""
        wish = self.fill(self.dice.pick(_WISHES))
        first = self.fill(self.dice.pick(_FIRST_THOUGHTS))
        return f"{_SYSTEM}{_DEVELOPER}<|start|>user<|message|>{wish}<|end|>{analysis(first)}"

    def round(self) -> str:
        """A call, its result and a thought about it."""
        arguments, output = self.command()
        return (
            "<|start|>assistant<|channel|>commentary to=functions.bash <|constrain|>json<|message|>"
            f"{arguments}<|call|>"
            f"<|start|>functions.bash<|channel|>commentary to=assistant<|message|>{output}<|end|>"
            f"{analysis(self.thought())}"
        )

    def answer(self) -> str:
        """The text of the last message."""
        return self.fill(self.dice.pick(_ANSWERS))


def analysis(text: str) -> str:
    """A message of reasoning."""
    return f"<|start|>assistant<|channel|>analysis<|message|>{text}<|end|>"


def healthy_run(dice: Dice) -> str:
    """A whole run without a flaw: two to five calls, then the answer."""
    scene = Scene(dice)
    rounds = "".join(scene.round() for _ in range(2 + dice.below(4)))
    return f"{scene.opening()}{rounds}<|start|>assistant<|channel|>final<|message|>{scene.answer()}<|return|>"
