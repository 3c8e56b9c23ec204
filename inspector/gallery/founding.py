"""The founding report: 17 error texts of openai-harmony 0.0.8 with their counts, and runs that raise them.

The report counted what broke in 500 runs of an agent that repairs programs: 190 of them. It cut its texts at
120 characters, so five of them are known by their beginning only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .runs import Dice, Scene, healthy_run

Piece = str | int
"""Text with markers spelled out, or a token id."""

Shape = tuple[Piece, ...]
"""How a broken end is written; ``{thought}``, ``{plan}``, ``{answer}``, ``{call}`` stand for its content."""

RUNS: Final = 500

_CUT: Final = 120
_CALL_AGAIN: Final = (
    "<|start|>assistant<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{call}<|call|>"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report.

    Attributes:
        count: how many runs broke with it.
        text: the error text, at most its first 120 characters.
        shapes: outputs that raise it; a run takes one of them, each equally often but for chance.
    """

    count: int
    text: str
    shapes: tuple[Shape, ...]

    @property
    def cut(self) -> bool:
        """True when the report shows only the beginning of the text."""
        return len(self.text) == _CUT

    def matches(self, error: str) -> bool:
        """True when ``error`` is what this line reports."""
        return error.startswith(self.text) if self.cut else error == self.text


def _shape(*pieces: Piece) -> tuple[Shape, ...]:
    return (pieces,)


def _aborted(header: str) -> tuple[Shape, ...]:
    """A header that ends without a body and swallows the good call behind it."""
    return _shape(f"<|start|>assistant<|channel|>commentary{header}<|end|>{_CALL_AGAIN}")


_ROLE: Final = "Unknown role: "
_LEFT: Final = "unexpected tokens remaining in message header: "
_A: Final = "<|start|>assistant"

REPORT: Final[tuple[Line, ...]] = (
    Line(
        122,
        _ROLE + "assistant<|channel|>commentary",
        (
            (_A + "<|channel|>analysis<|channel|>commentary<|message|>{plan}<|end|>",),
            (_A + "<|channel|>commentary<|channel|>commentary<|message|>{plan}<|end|>",),
            (_A + "<|channel|>commentary<|channel|>commentary<|message|>{call}<|call|>",),
        ),
    ),
    Line(
        25,
        _ROLE + "assistant<|channel|>bash<|channel|>commentary",
        _shape(_A + "<|channel|>commentary<|channel|>bash<|channel|>commentary<|message|>{call}<|call|>"),
    ),
    Line(
        24,
        _LEFT + 'Some("to=functions.bash")',
        (
            (
                _A + " to=functions.bash<|channel|>commentary to=functions.bash <|constrain|>json<|message|>"
                "{call}<|call|>",
            ),
            (_A + "<|channel|>commentary to=functions.bash code <|constrain|>json<|message|>{call}<|call|>",),
        ),
    ),
    Line(3, _ROLE + "final", _shape("<|start|>final<|message|>{answer}<|return|>")),
    Line(
        2,
        _ROLE + "assistant<|channel|>bash<|channel|>analysis",
        _shape(_A + "<|channel|>analysis<|channel|>bash<|channel|>analysis<|message|>{call}<|call|>"),
    ),
    Line(
        2,
        _LEFT + 'Some("<|constrain|>commentary")',
        _shape(_A + "<|constrain|>commentary to=functions.bash <|constrain|>json<|message|>{call}<|call|>"),
    ),
    Line(
        2,
        _ROLE + "assistant<|channel|>analysis",
        _shape(_A + "<|channel|>analysis<|channel|>analysis<|message|>{thought}<|end|>"),
    ),
    Line(
        1,
        _LEFT + 'Some("<|constrain|>control<|end|><|start|>assistant<|channel|>commentary"',
        _aborted("<|constrain|>control"),
    ),
    Line(
        1,
        _LEFT + 'Some("bash")',
        _shape(_A + "<|channel|>commentary bash to=functions.bash <|constrain|>json<|message|>{call}<|call|>"),
    ),
    Line(
        1,
        _LEFT + "Some(\"to=functions.bash # We'll create conftest.py with needed code<|end|",
        _aborted(" to=functions.bash # We'll create conftest.py with needed code"),
    ),
    Line(
        1,
        _LEFT + 'Some("to=functions.bash (We attempt to")',
        _shape(_A + "<|channel|>commentary to=functions.bash (We attempt to see it)<|message|>{call}<|call|>"),
    ),
    Line(
        1,
        _LEFT + 'Some("<|constrain|>Complete_TASK_AND_SUBMIT_FINAL_OUTPUT &&")',
        _shape(
            _A + "<|channel|>commentary<|constrain|>Complete_TASK_AND_SUBMIT_FINAL_OUTPUT &&"
            " to=functions.bash <|constrain|>json<|message|>{call}<|call|>"
        ),
    ),
    Line(
        1,
        "could not decode header",
        # Token 162 is the byte E6 alone, the beginning of a character that never came.
        _shape(_A + "<|channel|>commentary to=functions.bash", 162, " <|constrain|>json<|message|>{call}<|call|>"),
    ),
    Line(
        1,
        _ROLE + "assistant<|channel|>bash<|channel|>commentary,json",
        _shape(_A + "<|channel|>commentary<|channel|>bash<|channel|>commentary,json<|message|>{call}<|call|>"),
    ),
    Line(
        1,
        _LEFT + "Some(\"to=functions.bash\\\"I'm thinking the repository is not trusted. We'l",
        _aborted(" to=functions.bash\"I'm thinking the repository is not trusted. We'll have to say so."),
    ),
    Line(
        1,
        _LEFT + 'Some("to=functions.bash by using git checkout...<|end|><|start|>assistant',
        _aborted(" to=functions.bash by using git checkout..."),
    ),
    Line(
        1,
        _LEFT + 'Some("to=functions.bash as<|end|><|start|>assistant<|channel|>commentary"',
        _aborted(" to=functions.bash as"),
    ),
)
"""The report, line by line; the counts add up to 190."""


def founding_runs(seed: int) -> Iterator[tuple[list[Piece], Line | None]]:
    """500 runs in random order, each with the line that it raises, or None for the 310 healthy ones.

    A broken run is healthy up to its last message: the agent gave up where the parser did.
    """
    dice = Dice(seed)
    lines: list[Line | None] = [line for line in REPORT for _ in range(line.count)]
    lines += [None] * (RUNS - len(lines))
    for line in dice.shuffled(lines):
        yield ([healthy_run(dice)] if line is None else _broken_run(dice, line)), line


def _broken_run(dice: Dice, line: Line) -> list[Piece]:
    scene = Scene(dice)
    rounds = "".join(scene.round() for _ in range(dice.below(5)))
    content = {
        "thought": scene.thought(),
        "plan": scene.plan(),
        "answer": scene.answer(),
        "call": scene.command()[0],
    }
    end = [piece if isinstance(piece, int) else piece.format(**content) for piece in dice.pick(line.shapes)]
    return [f"{scene.opening()}{rounds}", *end]
