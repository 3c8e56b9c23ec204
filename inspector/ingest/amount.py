"""How much is kept of one input: of one transcript, and of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..budgets import Budget, values_in
from ..tokens import Transcript


def amount(transcript: Transcript, budget: Budget) -> int:
    """What is kept of a transcript: tokens, those of its prompt, probabilities, alternatives, tools, values of meta."""
    parts = (transcript.ids, transcript.prompt_ids, transcript.logprobs, transcript.tools)
    return (
        sum(len(part) for part in parts if part)
        + sum(map(len, transcript.top or ()))
        + (values_in(transcript.meta, budget.notes) if transcript.meta else 0)
    )


@dataclass(slots=True)
class Kept:
    """The transcripts of one input, as many as its budget has."""

    budget: Budget
    transcripts: list[Transcript] = field(default_factory=list)
    together: int = 0

    def add(self, transcript: Transcript) -> str | None:
        """Keep one more; the sentence that says why nothing from it on is read, None where it is kept."""
        read = len(self.transcripts)
        if read >= self.budget.records:
            return self.budget.records_left_out()
        self.together += amount(transcript, self.budget)
        if read and self.together > self.budget.together:
            return self.budget.together_left_out(read)
        self.transcripts.append(transcript)
        return None
