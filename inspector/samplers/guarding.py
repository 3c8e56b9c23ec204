"""The guard: in headers only tokens that keep Harmony's grammar legal may be sampled, and only markers that may end a
body end it.

Here is what needs no engine: who follows the grammar token by token, the arguments of a request, what a guard would
have blocked in a rollout, and how often transcripts are malformed with and without it. What blocks is
:class:`inspector.vllm_side.guard.Guard`, in the engine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ..harmony.legal import LOST, Grammar, grammar, split
from ..harmony.message import ROLES
from ..harmony.strict import strict_parse
from ..harmony.strict_header import ReadHeader, read_header
from ..harmony.verdict import Dialect
from ..tokens import FIRST_SPECIAL, MESSAGE, START, STOPS, Scan, vocabulary
from .engine import Engine
from .sampler import OneShot
from .values import Rollout, SamplingParams
from .wilson import Rate, wilson

GUARD: Final = "harmonylens_guard"
"""The extra argument that asks for the guard: "watch" or "on"."""

TOOLS: Final = "harmonylens_guard_tools"
"""The extra argument that limits whom a call may be for: names as headers write them, "functions.bash"."""

ID: Final = "harmonylens_guard_id"
"""The extra argument that names the request in the guard's log."""

LOG: Final = "HARMONYLENS_GUARD_LOG"
"""The environment variable that names the file of the guard's log, JSON lines, in the engine's process."""

LEAST: Final = 0.001
"""Less probability than this is not worth a word."""

Mode = Literal["off", "watch", "on"]
MODES: Final[tuple[Mode, ...]] = ("off", "watch", "on")


class Follower:
    """The grammar's state behind the last token, one token at a time.

    It agrees with :class:`inspector.harmony.legal.Walk`: a header goes on until ``<|message|>``, a body until a
    terminator, and between messages all is passed over up to ``<|start|>``.

    Args:
        prompt: what the answer continues; it may end anywhere, in the middle of a header too.
        rules: the grammar.

    Attributes:
        state: of the grammar; :data:`inspector.harmony.legal.LOST` in a header that went astray.
    """

    __slots__ = ("_header", "_in_body", "_in_header", "_role", "_rules", "state")

    def __init__(self, prompt: Sequence[int], rules: Grammar) -> None:
        self._rules = rules
        self._in_body = self._in_header = False
        self._header: list[int] = []
        self._role: str | None = None
        self.state = rules.between
        specials = Scan(prompt).specials
        at = opened = 0
        while at < len(prompt):
            if not self._in_header:
                # Nothing but a special token changes anything there.
                index = bisect_left(specials, at)
                if index == len(specials):
                    break
                at = opened = specials[index]
            self.take(prompt[at])
            at += 1
        if self._in_header:
            self._reopen(prompt, opened, specials)

    def _reopen(self, prompt: Sequence[int], opened: int, specials: Sequence[int]) -> None:
        """Take the open header at the end of the prompt again, its role as given: a longer word it cannot become."""
        index = bisect_left(specials, opened + 1)
        after = specials[index] if index < len(specials) else len(prompt)
        said = vocabulary().decode(prompt[opened + 1 : after])
        if said in ROLES:
            self._role, self.state = said, self._rules.header(said)
            self._header.clear()
            for token in prompt[after:]:
                self.take(token)

    def take(self, token: int) -> bool:
        """Go on behind ``token``: False when it is not legal here. Any int may be given.

        In a header that went astray nothing can be said, and nothing is illegal.
        """
        if self._in_header:
            return self._take_in_header(token)
        if self._in_body:
            if not _is_special(token):
                return True
            return token in STOPS and self._end(token)
        if token != START:
            return False
        self.state = self._rules.advance(self.state, START)
        self._in_header, self._role = True, None
        self._header.clear()
        return True

    def _take_in_header(self, token: int) -> bool:
        legal = True
        if self.state != LOST:
            self.state = self._rules.advance(self.state, token)
            legal = self.state != LOST
        if token != MESSAGE:
            self._header.append(token)
            return legal
        if self.state == LOST:
            self.state = self._astray()
        self._in_header, self._in_body = False, True
        return legal

    def _astray(self) -> int:
        """The state in a body behind a header that went astray, as the newest releases read it."""
        read = read_header(tuple(self._header), self._role, Dialect.ALL_CHANNELS)
        if not isinstance(read, ReadHeader):
            return self._rules.any_body
        return self._rules.body(read.role, read.channel, read.recipient)

    def _end(self, token: int) -> bool:
        self._in_body = False
        following = self._rules.advance(self.state, token)
        self.state = self._rules.behind(token) if following == LOST else following
        return following != LOST


def _is_special(token: int) -> bool:
    return not 0 <= token < FIRST_SPECIAL


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of the guard: ``mode`` is not "off"."""

    mode: Mode
    rules: Grammar
    id: str = ""


def asked(extra: Mapping[str, Any]) -> Asked | None:
    """What a request's extra arguments ask of the guard, None for nothing.

    Raises:
        ValueError: a value that it cannot be; one sentence.
    """
    mode = extra.get(GUARD, "off")
    if mode not in MODES:
        raise ValueError(f"{GUARD} is {str(mode)[:60]!r}: expected one of {', '.join(MODES)}")
    names = extra.get(TOOLS)
    if names is not None and not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
        raise ValueError(f'{TOOLS} is {str(names)[:60]!r}: expected a list of names such as "functions.bash"')
    if mode == "off":
        return None
    return Asked(mode, rules_for(names), str(extra.get(ID, "")))


def rules_for(tools: Iterable[str] | None) -> Grammar:
    """The grammar in which calls are for ``tools`` only ("functions.bash"); for any tool when None."""
    return grammar() if tools is None else grammar(tuple(sorted(set(tools))), True)


def params(given: SamplingParams, mode: Mode, tools: Iterable[str] | None = None, id: str = "") -> SamplingParams:
    """``given`` with the guard in this mode, whatever it said of the guard before.

    Args:
        tools: whom calls may be for, as headers write it ("functions.bash"); anyone when None.
        id: names the request in the engine's log.

    Raises:
        ValueError: no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"the guard's mode is {mode!r}: expected one of {', '.join(MODES)}")
    extra = {key: value for key, value in given.extra.items() if key not in (GUARD, TOOLS, ID)}
    if mode != "off":
        extra[GUARD] = mode
        if tools is not None:
            extra[TOOLS] = sorted(set(tools))
        if id:
            extra[ID] = id
    return replace(given, extra=extra)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A place of a rollout at which the guard would have taken something away.

    Attributes:
        position: index into the rollout's ids.
        sampled: whether it would have blocked the very token that was sampled.
        token: the likeliest token that it would have blocked: the sampled one where nothing else is known.
        mass: the probability of all reported tokens that it would have blocked, at temperature 1; None where the
            engine reported no probability.
        unknown: the probability that was given to tokens which the engine did not report.
    """

    position: int
    sampled: bool
    token: int
    mass: float | None
    unknown: float | None


def watched(rollout: Rollout, tools: Iterable[str] | None = None, least: float = LEAST) -> list[Blocked]:
    """What the guard would have blocked in a rollout that was sampled without it, each place judged by itself.

    What was put in is not judged. Behind a token that would have been blocked in a header nothing is said until its
    body begins.

    Args:
        tools: whom calls may be for ("functions.bash"); anyone when None.
        least: places that would lose less probability are left out, unless the sampled token is blocked.
    """
    rules = rules_for(tools)
    follower = Follower(rollout.prompt_ids, rules)
    out = []
    for at, token in enumerate(rollout.ids):
        state = follower.state
        sampled = not follower.take(token)
        if state == LOST or rollout.origins[at] == "injected":
            continue
        top = dict(rollout.top[at]) if rollout.top else {}
        if rollout.logprobs:
            logprob = rollout.logprobs[at]
            if logprob is not None:
                top[token] = logprob
        if not top:
            if sampled:
                out.append(Blocked(at, True, token, None, None))
            continue
        legal = rules.legal(state)
        shares = split(top.items(), legal)
        if sampled or shares.illegal >= least:
            wrong = [one for one in top if not legal.is_legal(one)] or [token]
            out.append(Blocked(at, sampled, max(wrong, key=lambda one: top[one]), shares.illegal, shares.unknown))
    return out


@dataclass(frozen=True, slots=True)
class Judged:
    """How many of some rollouts went wrong.

    Attributes:
        malformed: of those that can be judged, how many the newest releases' strict parser refuses.
        illegal: of the same, in how many a sampled token is against the grammar.
        unfinished: how many were cut off in the middle of a header that was legal so far; they are not judged.
        failed: how many the engine failed at; they are not judged.
    """

    malformed: Rate
    illegal: Rate
    unfinished: int
    failed: int


def judge(rollouts: Iterable[Rollout], tools: Iterable[str] | None = None) -> Judged:
    """Count what is malformed, by the model of the strict parser of oss-harmony 0.0.10 and later."""
    rules = rules_for(tools)
    malformed = illegal = total = unfinished = failed = 0
    for rollout in rollouts:
        if rollout.ended_by == "failed":
            failed += 1
            continue
        follower = Follower(rollout.prompt_ids, rules)
        wrong = [
            not follower.take(token) and origin == "sampled"
            for token, origin in zip(rollout.ids, rollout.origins, strict=True)
        ]
        read = rollout.transcript()
        error = strict_parse(read.ids, read.role, Dialect.ALL_CHANNELS).error
        at_end = error is not None and error.token == len(read) and rollout.finish_reason != "stop"
        if at_end and not any(wrong):
            unfinished += 1
            continue
        total += 1
        malformed += error is not None
        illegal += any(wrong)
    return Judged(wilson(malformed, total), wilson(illegal, total), unfinished, failed)


@dataclass(frozen=True, slots=True)
class Effect:
    """The same prompts sampled without the guard and with it.

    Attributes:
        without, guarded: the rollouts, in order of the prompts.
        off, on: what was counted of them.
    """

    without: tuple[Rollout, ...]
    guarded: tuple[Rollout, ...]
    off: Judged
    on: Judged


async def measure(
    engine: Engine, prompts: Sequence[Sequence[int]], given: SamplingParams, tools: Iterable[str] | None = None
) -> Effect:
    """Sample every prompt without the guard and with it, and count what is malformed.

    The engine has to have been started with ``inspector.vllm_side.guard:Guard`` among its logits processors; one that
    was not ignores the request for a guard, and :attr:`Effect.on` counts illegal tokens then.
    """
    names = None if tools is None else tuple(tools)
    without = await OneShot().sample(engine, prompts, params(given, "off"))
    guarded = await OneShot().sample(engine, prompts, params(given, "on", names))
    return Effect(tuple(without), tuple(guarded), judge(without, names), judge(guarded, names))
