"""The library's own verdict in the words of our model, and the comparison of the two."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..harmony.message import Message
from ..harmony.strict import StrictModel
from ..harmony.verdict import StrictError, Verdict
from ..tokens import Span, Transcript
from .catalogue import find
from .release import Release, dialect_of, parse_title
from .worker import NativeResult, NativeWorker, native

_KINDS = (
    ("E1", "Unexpected token "),
    ("E2", "Unexpected EOS "),
    ("E3", "could not decode header"),
    ("E4", "channel marker present"),
    ("E5", "message header did not contain a role"),
    ("E6", "Unknown role: "),
    ("E7", "unexpected tokens remaining "),
    ("E8", "Could not decode tokens: "),
)


def native_verdict(
    transcript: Transcript,
    release: str,
    *,
    strict: bool = True,
    model: StrictModel | None = None,
    deadline: float | None = None,
) -> Verdict:
    """What a release itself says, with the places that our model knows; the model's verdict where it does not answer.

    Args:
        transcript: its ids and role are used.
        release: "openai-harmony 0.0.8".
        strict: the library's parameter.
        model: ours of the same ids, where a caller has it already.
        deadline: for the library, in seconds; computed when not given.

    Returns:
        A verdict with ``source`` "native"; or "model" when the release is not here, was too slow or crashed
        (:func:`native_answer` tells why).

    Raises:
        KeyError: ``release`` is not the name and version of a release.
    """
    return native_answer(transcript, release, strict=strict, model=model, deadline=deadline)[0]


def native_answer(
    transcript: Transcript,
    release: str,
    *,
    strict: bool = True,
    model: StrictModel | None = None,
    deadline: float | None = None,
) -> tuple[Verdict, NativeResult]:
    """As :func:`native_verdict`, with the worker's answer, whose ``reason`` says why there is no native one."""
    try:
        name, version = parse_title(release)
    except ValueError as error:
        raise KeyError(str(error)) from error
    title = f"{name} {version}"
    expected = (model or StrictModel(transcript.ids)).parse(
        transcript.role, dialect_of(name, version), strict=strict, release=title
    )
    with native().worker() as worker:
        result = worker.parse(title, transcript.ids, transcript.role, strict=strict, deadline=deadline)
        if result.answered and (result.ok, result.error) != (expected.ok, _text(expected)):
            # We were wrong: only the library itself knows where it broke.
            result = worker.parse(title, transcript.ids, transcript.role, strict=strict, locate=True, deadline=deadline)
    return _merge(expected, result, len(transcript)), result


def _text(verdict: Verdict) -> str | None:
    return None if verdict.error is None else verdict.error.text


def _merge(expected: Verdict, result: NativeResult, count: int) -> Verdict:
    if not result.answered:
        return expected
    if result.error is not None:
        if result.error == _text(expected):
            return replace(expected, source="native")
        token = result.token if result.token is not None else count
        error = StrictError(result.error, token, Span(min(token, count), min(token + 1, count)), _kind(result.error))
        return Verdict(expected.release, expected.mode, result.messages, error, (), "native")
    same = expected.ok and [m.record() for m in expected.messages] == [m.record() for m in result.messages]
    messages = expected.messages if same else result.messages
    return Verdict(expected.release, expected.mode, messages, None, (), "native")


def _kind(text: str) -> str:
    return next((kind for kind, beginning in _KINDS if text.startswith(beginning)), "")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An input on which a release and our model of it differ."""

    ids: tuple[int, ...]
    role: str | None
    strict: bool
    expected: str
    said: str


def compare(verdict: Verdict, result: NativeResult) -> tuple[str, str] | None:
    """What our model expected and what the library said, where they differ; None where they agree.

    Acceptance, all fields of all messages and the error text are compared; the token only when the result
    has one.
    """
    expected, said = _summary(verdict.error, verdict.messages), _summary_of(result)
    if result.token is not None and verdict.error is not None:
        expected += f" at {verdict.error.token}"
        said += f" at {result.token}"
    return None if expected == said else (expected, said)


def _summary(error: StrictError | None, messages: tuple[Message, ...]) -> str:
    return f"error {error.text!r}" if error is not None else f"messages {[m.record() for m in messages]!r}"


def _summary_of(result: NativeResult) -> str:
    if result.error is not None:
        return f"error {result.error!r}"
    if result.ok:
        return f"messages {[m.record() for m in result.messages]!r}"
    return f"{result.status}: {result.reason}"


_CALL = (200005, 12606, 815, 316, 28, 44580, 3700, 220, 200003, 4108, 200008, 12083, 200012)
_PROBES: tuple[tuple[tuple[int, ...], str | None], ...] = (
    ((), None),
    ((), "assistant"),
    (_CALL, "assistant"),
    ((200006, 173781, *_CALL), None),
    ((200006, 173781, 200005, 35644, *_CALL), None),  # two channels, role to be read
    ((200005, 35644, *_CALL), "assistant"),
    ((316, 28, 44580, *_CALL), "assistant"),  # a recipient before the channel: a leftover
    ((200006, 17196, 200008, 9050, 200007), None),  # "final" as a role
    ((200005, 200008, 9050), "assistant"),  # a channel without a value
    ((200006, 200008, 9050), None),
    ((162, 200008, 9050), "assistant"),  # half a character in a header
    ((200005, 17196, 200007), "assistant"),  # stopped within the header
    ((200005, 17196, 162, 200007), "assistant"),
    ((9050,), None),
    ((200005, 17196, 200008, 9050, 300000, 9050, 200007), "assistant"),
)


def check(release: str | Release, worker: NativeWorker | None = None) -> list[Disagreement]:
    """Compare a release with our model of its dialect on a few telling inputs: empty when they agree.

    For releases that came after this program (``Release.checked`` is False): their dialect is a guess.

    Raises:
        ValueError: ``release`` is not the name and version of a release.
        LookupError: the release is not on this machine, or does not answer.
    """
    found = find(release) if isinstance(release, str) else release
    if found is None:
        raise LookupError(f"{release} is not on this machine.")
    if worker is None:
        with native().worker() as borrowed:
            return check(found, borrowed)
    wrong: list[Disagreement] = []
    for ids, role in _PROBES:
        model = StrictModel(ids)
        for strict in (True, False):
            result = worker.parse(found, ids, role, strict=strict, locate=True)
            if result.status == "unavailable" and not strict:
                continue  # an early release without a lenient mode
            if not result.answered:
                raise LookupError(result.reason)
            differ = compare(model.parse(role, found.dialect, strict=strict, release=found.title), result)
            if differ is not None:
                wrong.append(Disagreement(ids, role, strict, *differ))
    return wrong
