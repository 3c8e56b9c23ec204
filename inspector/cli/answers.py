"""What ``sample`` puts out: answers as they end, each with the prompt that it belongs to."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import click

from .output import CLEAN, UNUSABLE, exit_code, make_console, say

if TYPE_CHECKING:
    from ..samplers import Draft, Rollout
    from ..tokens import Transcript

_NUMBER: Final = re.compile(r"(line|record|row) (\d+)\Z")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt.

    Attributes:
        ids: its tokens.
        id: what its source calls it, "" for nothing.
        tools: names of the tools that it declares.
        place: where it stands, "asked.jsonl line 12", "" where it was given on the command line.
    """

    ids: tuple[int, ...]
    id: str = ""
    tools: tuple[str, ...] = ()
    place: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What records of answers say of it, beside its number."""
        found = _NUMBER.search(self.place)
        number = {found[1]: int(found[2])} if found is not None else {}
        return {**({"prompt_id": self.id} if self.id else {}), **number}


class Answers:
    """Prints answers: the only one token by token where somebody watches, all others when they are done.

    Args:
        prompts: all of them.
        count: answers to each; the first prompt's are the numbers from 0 to ``count - 1``.
        form: "text" or "jsonl".
        fail_on: the severity that makes :attr:`code` 1.
        watches: the guard watches: what it would have blocked is told.
        in_order: an answer waits for those of lower numbers.
        code: the exit code to begin with.

    Attributes:
        code: the exit code so far.
        told, cut: how many answers have been printed, and of these, how many were cut off by whoever ended the run.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        count: int,
        form: str,
        fail_on: str,
        *,
        watches: bool = False,
        in_order: bool = False,
        code: int = CLEAN,
    ) -> None:
        self.prompts = prompts
        self.count = count
        self.total = len(prompts) * count
        self.form = form
        self.fail_on = fail_on
        self.watches = watches
        self.in_order = in_order
        self.code = code
        self.told = self.cut = 0
        self._waiting: dict[int, Rollout] = {}
        self._done: set[int] = set()
        self._alike: dict[str, list[str]] = {}
        self._streams = form == "text" and self.total == 1 and sys.stdout.isatty()
        self._streamed = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._console = make_console()

    def look(self, number: int, draft: Draft) -> None:
        """Something has come of an answer, or it is done."""
        if self._streams:
            self._stream(draft)
        if draft.is_done and number not in self._done:
            rollout = draft.rollout()
            if rollout.ended_by != "cancelled":  # told at the end, with the others
                self.tell(number, rollout)

    def tell(self, number: int, rollout: Rollout) -> None:
        """Print an answer, once, as soon as it is its turn."""
        if number in self._done:
            return
        if not self.in_order:
            self._print(number, rollout)
            return
        self._waiting[number] = rollout
        while (turn := len(self._done)) in self._waiting:
            self._print(turn, self._waiting.pop(turn))

    def close(self) -> None:
        """Nothing more will come: print what still waits, and how many failed for a reason that was told once."""
        for number in sorted(self._waiting):
            self._print(number, self._waiting.pop(number))
        for first, *others in self._alike.values():
            if others:
                say(f"{len(others):,} more ended as {first} did.")
        self._alike.clear()

    def _print(self, number: int, rollout: Rollout) -> None:
        self._done.add(number)
        transcript = self._transcript(number, rollout)
        if rollout.error:
            # Many answers fail for one reason.
            alike = self._alike.setdefault(rollout.error, [])
            alike.append(transcript.id)
            if len(alike) == 1:
                say(f"{transcript.id}: {rollout.error}")
        if rollout.ended_by in ("failed", "cut_off"):
            self.code = UNUSABLE
        if not rollout.ids and rollout.ended_by in ("failed", "cancelled"):
            return
        self.told += 1
        self.cut += rollout.ended_by == "cancelled"
        if self.watches:
            self._watched(transcript.id, rollout, self.prompts[number // self.count].tools)
        from ..inspection import inspect
        from ..report.findings import findings
        from ..unread import reading

        inspection, problem = reading(lambda one: inspect(one, next_prompt=self.form == "text"), transcript)
        if problem:
            say(f"{transcript.id}: {problem}")
            self.code = UNUSABLE
        self.code = max(self.code, exit_code(findings(inspection), self.fail_on))
        if self.form == "jsonl":
            from ..ingest import transcript_record
            from ..report.record import dump

            click.echo(dump(transcript_record(transcript)))
            sys.stdout.flush()
            return
        from ..report.terminal import print_report

        if self._streamed or self.told > 1:
            self._console.print("\n" + "-" * min(self._console.width, 100))
        if self.total > 1:
            to = f" to prompt {number // self.count + 1} of {len(self.prompts)}" if len(self.prompts) > 1 else ""
            self._console.print(f"answer {number % self.count + 1} of {self.count}{to}", style="bold")
        print_report(inspection, self._console)

    def _watched(self, name: str, rollout: Rollout, tools: Sequence[str]) -> None:
        """What the guard would have blocked, had it been on."""
        from ..samplers.guarding import watched

        blocked = [one.position for one in watched(rollout, tools or None) if one.sampled]
        where = f"{len(blocked)} sampled tokens, the first at {blocked[0]}" if blocked else "none of the sampled tokens"
        say(f"{name}: the guard would have blocked {where}.")

    def _stream(self, draft: Draft) -> None:
        from ..report.visible import visible
        from ..tokens import vocabulary

        ids = draft.ids[self._streamed :]
        self._streamed += len(ids)
        text = self._decoder.decode(vocabulary().decode_bytes(ids), draft.is_done)
        # Lines of a body stay lines; everything else that could move a cursor is made visible.
        print("\n".join(map(visible, text.split("\n"))), end="", flush=True)

    def _transcript(self, number: int, rollout: Rollout) -> Transcript:
        at, sample = divmod(number, self.count)
        prompt = self.prompts[at]
        name = prompt.id or (f"prompt {at + 1}" if len(self.prompts) > 1 else "")
        which = f"answer {sample + 1}" if self.count > 1 or not name else ""
        meta = {"prompt": at, **prompt.facts, "sample": sample, "samples": self.count, "ended_by": rollout.ended_by}
        return replace(
            rollout.transcript(id=", ".join(filter(None, (name, which))), source=prompt.place, tools=prompt.tools),
            meta={**meta, **({"error": rollout.error} if rollout.error else {})},
        )
