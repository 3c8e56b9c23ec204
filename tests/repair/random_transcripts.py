"""Transcripts at random, and what must hold of the inspection of every one of them.

Shared by ``test_never_raises.py``, which tries some thousands, and ``benchmarks/fuzz_engine.py``, which tries millions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from inspector import inspect
from inspector.gallery import load_samples
from inspector.inspection import NEWEST, Inspection
from inspector.tokens import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, Transcript, apply_edits, vocabulary

MARKERS: Final = (START, END, MESSAGE, CHANNEL, CONSTRAIN, CALL, RETURN)
ROLES: Final = ("assistant", "assistant", "assistant", None, None, "user", "system", "developer", "tool")
TOOLS: Final = ("functions.bash", "functions.search", "python", "browser.open")

_WORDS: Final = (
    "assistant", "user", "system", "developer", "tool", "analysis", "commentary", "final", "functions.bash", "python",
    "functions.", " to=functions.bash", " to=", "to=", "to=assistant", " json", "json", " code", "response", "all",
    '{"a":1}', "{", "}", "[", "]", '"', "\\", "'", "`", "<", "|", ">", "<|", "|>", ".", ",", ":", ";", "?", "!", "(",
    " ", "  ", "\n", "\t", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2003", "\u200b", "\u202e", "\ufeff",
    "\u0301", "\ufffd", "é", "🎉", "日本", "We", " think", " finalize", "Hello.", "1", "-", "_", "functions", "tools",
    "assistantfinal", "assistantcommentary", "analysisWe", "commentaryjson", "bash", "readjson",
)  # fmt: skip
_SPELLED: Final = (
    "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>", "<channel>",
    "<|start>", "<message|>", "<constrain>", "<start|>", "<|chan", "nel|>", "<|endoftext|>", "<|refusal|>",
    "<|reserved_200013|>",
)  # fmt: skip
_STRIPPED: Final = (
    "analysis", "commentary", "final", "assistantfinal", "assistantcommentary", "assistantanalysis", "assistant",
    " to=functions.bash", "to=functions.bash", " json", "json", "code", '{"a":1}', '{"a":', "We need to see.",
    "It is 42.", "The answer", "finalists", " ", "\n", "assistantfin", "“", '"', ".",
)  # fmt: skip
_STRANGE: Final = (
    -1,
    -2,
    -(2**31),
    -(2**63),
    201089,
    201090,
    250_000,
    2**31,
    2**32 - 1,
    2**32,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
_RESERVED: Final = (199998, 199999, 200000, 200001, 200004, 200009, 200013, 200018, 201000, 201087, 201088)


@dataclass(frozen=True)
class Trial:
    """One input: a transcript, and how it is inspected."""

    transcript: Transcript
    style: str = NEWEST
    off: tuple[str, ...] = ()
    choices: dict[str, int] = field(default_factory=dict)

    def record(self) -> dict[str, object]:
        """As JSON: all that the inspection depends on."""
        one = self.transcript
        return {
            "ids": list(one.ids),
            "role": one.role,
            "tools": list(one.tools),
            "origins": one.origins and list(one.origins),
            "prompt_ids": one.prompt_ids and list(one.prompt_ids),
            "finish_reason": one.finish_reason,
            "style": self.style,
            "off": list(self.off),
            "choices": self.choices,
        }


class Source:
    """An endless source of trials; equal seeds give equal ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._encoded: dict[str, list[int]] = {}
        self._samples = [sample.transcript for sample in load_samples()]
        self._kinds: list[Callable[[], list[int]]] = [
            *(self.uniform, self.framed, self.framed, self.framed),
            *(self.look_alikes, self.stripped, self.broken, self.strange),
        ]

    def __iter__(self) -> Iterator[Trial]:
        while True:
            yield self.trial()

    def trial(self) -> Trial:
        """The next one. Switches and choices need an inspection to name what can be switched: see :func:`switched`."""
        dice = self.random
        tools = tuple(dice.sample(TOOLS, dice.randrange(3))) if dice.random() < 0.2 else ()
        if dice.random() < 0.3:
            transcript = self.mutated()
        else:
            transcript = Transcript(tuple(dice.choice(self._kinds)()), dice.choice(ROLES))
        count = len(transcript.ids)
        chance = dice.random()
        if chance < 0.1:
            words = ("prompt", "sampled", "injected")
            transcript = replace(transcript, origins=tuple(dice.choice(words) for _ in range(count)))  # type: ignore[misc]
        elif chance < 0.15:
            transcript = replace(transcript, prompt_ids=tuple(self.framed()))
        elif chance < 0.2:
            transcript = replace(transcript, finish_reason=dice.choice(("stop", "length", "tool_calls", "x")))
        style = dice.choice(("openai-harmony 0.0.8", "vLLM 0.32")) if dice.random() < 0.3 else NEWEST
        return Trial(replace(transcript, tools=tools), style)

    def switched(self, trial: Trial, found: Inspection) -> Trial | None:
        """The same trial with some fixes off or other readings chosen; None when there is nothing to switch."""
        dice = self.random
        keys = [d.key for d in found.diagnostics]
        contested = {d.key: len(d.alternatives) for d in found.diagnostics if d.alternatives}
        if not keys:
            return None
        if contested and dice.random() < 0.6:
            some = dice.sample(sorted(contested), dice.randint(1, len(contested)))
            return replace(trial, choices={key: dice.randint(1, contested[key]) for key in some})
        return replace(trial, off=tuple(dice.sample(sorted(keys), dice.randint(1, len(keys)))))

    def _ids(self, text: str) -> list[int]:
        if text not in self._encoded:
            self._encoded[text] = vocabulary().encode(text)
        return self._encoded[text]

    def _some(self, most: int) -> range:
        # Mostly short: what goes wrong goes wrong between neighbours, and a short input is tried in less time.
        return range(min(int(self.random.expovariate(1 / (most / 3))) + 1, most))

    def uniform(self) -> list[int]:
        """Any ids of the vocabulary, and some beyond."""
        return [self.random.randrange(0, 201_100) for _ in self._some(40)]

    def framed(self) -> list[int]:
        """Markers and the words that stand between them."""
        dice = self.random
        ids: list[int] = []
        share = dice.choice((0.2, 0.4, 0.6))
        for _ in self._some(50):
            if dice.random() < share:
                ids.append(dice.choice(MARKERS))
            else:
                ids += self._ids(dice.choice(_WORDS))
        return ids

    def look_alikes(self) -> list[int]:
        """Markers spelled in ordinary characters, between words and real ones."""
        dice = self.random
        ids: list[int] = []
        for _ in self._some(30):
            chance = dice.random()
            if chance < 0.45:
                ids += self._ids(dice.choice(_SPELLED))
            elif chance < 0.6:
                ids.append(dice.choice(MARKERS))
            else:
                ids += self._ids(dice.choice(_WORDS))
        # Spelled in one go, so that tokens hold the end of one thing and the beginning of the next.
        return vocabulary().encode(vocabulary().decode(ids)) if dice.random() < 0.3 else ids

    def stripped(self) -> list[int]:
        """Output whose markers were stripped."""
        dice = self.random
        text = "".join(dice.choice(_STRIPPED) for _ in self._some(16))
        ids = list(vocabulary().encode(text))
        for _ in range(dice.randrange(3)):
            ids.insert(dice.randint(0, len(ids)), dice.choice(MARKERS))
        return ids

    def broken(self) -> list[int]:
        """Bytes that are no UTF-8, and parts of characters, between markers and words."""
        dice = self.random
        ids: list[int] = []
        for _ in self._some(40):
            chance = dice.random()
            if chance < 0.5:
                ids.append(dice.randrange(0, 256))
            elif chance < 0.7:
                ids.append(dice.choice(MARKERS))
            elif chance < 0.8:
                ids += self._ids(dice.choice(("🎉", "日本", "👩‍👩‍👧", "é", "\u0301")))[: dice.randint(1, 4)]
            else:
                ids += self._ids(dice.choice(_WORDS))
        return ids

    def strange(self) -> list[int]:
        """Ids that no vocabulary has, and reserved ones, between markers and words."""
        dice = self.random
        ids: list[int] = []
        for _ in self._some(40):
            chance = dice.random()
            if chance < 0.25:
                ids.append(dice.choice(_STRANGE))
            elif chance < 0.4:
                ids.append(dice.choice(_RESERVED))
            elif chance < 0.65:
                ids.append(dice.choice(MARKERS))
            else:
                ids += self._ids(dice.choice(_WORDS))
        return ids

    def mutated(self) -> Transcript:
        """A sample of the gallery, or a stretch of it, with pieces cut out, put in, doubled and moved."""
        dice = self.random
        sample = dice.choice(self._samples)
        ids = list(sample.ids)
        if len(ids) > 60 or dice.random() < 0.3:
            start = dice.randrange(len(ids))
            ids = ids[start : start + dice.randint(1, 60)]
        for _ in range(dice.randint(1, 5)):
            at = dice.randint(0, len(ids))
            chance = dice.random()
            if chance < 0.25:
                del ids[at : at + dice.randint(1, 4)]
            elif chance < 0.6:
                ids[at:at] = [dice.choice(MARKERS)] if dice.random() < 0.4 else self._ids(dice.choice(_WORDS))
            elif chance < 0.75:
                to = dice.randint(0, len(ids))
                ids[to:to] = ids[at : at + dice.randint(1, 6)]
            elif chance < 0.9:
                ids[at:at] = self._ids(dice.choice(_SPELLED))
            else:
                ids[at:at] = [dice.choice((*_STRANGE, *_RESERVED, 162, 222))]
        return Transcript(tuple(ids), sample.role if dice.random() < 0.8 else dice.choice(ROLES))


def looked_at(trial: Trial) -> Inspection:
    """The inspection that a trial asks for."""
    return inspect(trial.transcript, style=trial.style, off=trial.off, choices=trial.choices)


def faults(trial: Trial, found: Inspection | None = None) -> list[str]:
    """What does not hold of a trial, each as a few words; none when all is well."""
    try:
        found = found or looked_at(trial)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return [f"inspect raises {type(error).__name__}: {error}"]
    wrong = []
    ids = trial.transcript.ids
    at = 0
    for leaf in found.tree.leaves():
        if leaf.start != at or leaf.end <= leaf.start:
            wrong.append("the leaves do not give back the ids")
            break
        at = leaf.end
    else:
        if at != len(ids):
            wrong.append("the leaves do not give back the ids")
    repair = found.repair
    edits = [applied.edit for applied in repair.edits]
    wrong += _edits_in_order(edits, len(ids), "of the repair")
    for diagnostic in found.diagnostics:
        for fix in filter(None, (diagnostic.fix, *diagnostic.alternatives)):
            wrong += _edits_in_order(fix.edits, len(ids), f"of a fix of {diagnostic.code}")
    if not wrong and tuple(apply_edits(ids, edits)) != repair.ids:
        wrong.append("the edits do not lead to the repaired ids")
    if trial.off:
        return wrong  # what is switched off stays as it is, and may not parse
    if not repair.ok:
        wrong.append("the repaired transcript does not parse")
    try:
        again = inspect(
            replace(trial.transcript, ids=repair.ids, role=repair.role, origins=None),
            releases=(NEWEST,), next_prompt=False,
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001 - as above
        return [*wrong, f"inspect raises {type(error).__name__} for the repaired: {error}"]
    if again.repair.edits:
        wrong.append("repairing the repaired changes it again")
    return wrong


def _edits_in_order(edits: Sequence[object], count: int, whose: str) -> list[str]:
    at = 0
    for edit in edits:
        start, end = edit.start, edit.end  # type: ignore[attr-defined]
        if not at <= start <= end <= count:
            return [f"the edits {whose} are out of order, overlap or leave the transcript"]
        at = end
    return []


def shortened(trial: Trial, same: Callable[[Trial], bool]) -> Trial:
    """The trial with as many ids taken out as can be while ``same`` holds of it."""
    size = max(1, len(trial.transcript.ids) // 2)
    while size:
        at = 0
        while at < len(trial.transcript.ids):
            one = trial.transcript
            origins = None if one.origins is None else (*one.origins[:at], *one.origins[at + size :])
            less = replace(trial, transcript=replace(one, ids=(*one.ids[:at], *one.ids[at + size :]), origins=origins))
            if same(less):
                trial = less
            else:
                at += size
        size //= 2
    for plainer in (
        replace(trial, transcript=replace(trial.transcript, origins=None)),
        replace(trial, transcript=replace(trial.transcript, prompt_ids=None)),
        replace(trial, transcript=replace(trial.transcript, finish_reason=None)),
        replace(trial, transcript=replace(trial.transcript, tools=())),
        replace(trial, style=NEWEST),
    ):
        if same(plainer):
            trial = plainer
    return trial
