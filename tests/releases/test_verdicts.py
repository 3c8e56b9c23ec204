"""The library's verdict in our words, and what happens when it and our model differ or it does not answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inspector.harmony.strict import StrictModel, strict_parse
from inspector.harmony.verdict import Dialect
from inspector.releases import (
    NativeResult,
    NativeWorker,
    available,
    check,
    compare,
    native,
    native_answer,
    native_verdict,
    verdicts,
)
from inspector.tokens import Span, Transcript

RELEASE = next(release for release in available() if release.found == "environment")
BROKEN = Transcript((200005, 35644, 200008, 9050, 200007, 9050), "assistant")
FINE = Transcript((200005, 17196, 200008, 9050, 200002), "assistant")


def test_a_native_verdict_has_the_models_places() -> None:
    verdict = native_verdict(BROKEN, RELEASE.title)
    expected = strict_parse(BROKEN.ids, "assistant", RELEASE.dialect, release=RELEASE.title)
    assert verdict == replace(expected, source="native")
    accepted = native_verdict(FINE, RELEASE.title, strict=False)
    assert (accepted.source, accepted.mode, accepted.messages[0].body_start) == ("native", "lenient", 3)


@pytest.mark.parametrize("release", available(), ids=lambda release: release.title)
def test_every_release_passes_its_check(release: object) -> None:
    assert check(release) == []


def test_the_check_finds_a_wrong_dialect() -> None:
    """As it would for a later release that reads headers in a new way."""
    other = next(dialect for dialect in Dialect if dialect is not RELEASE.dialect)
    wrong = check(replace(RELEASE, dialect=other))
    assert wrong
    assert all(one.expected != one.said for one in wrong)


def test_the_check_of_a_release_that_is_not_here() -> None:
    with pytest.raises(LookupError, match=r"openai-harmony 0\.0\.1 is not on this machine"):
        check("openai-harmony 0.0.1")


def test_without_an_answer_the_model_speaks() -> None:
    verdict, result = native_answer(FINE, "openai-harmony 0.0.1")
    assert (verdict.source, verdict.release, verdict.ok) == ("model", "openai-harmony 0.0.1", True)
    assert result.status == "unavailable"
    assert "harmonylens releases add openai-harmony==0.0.1" in result.reason


def test_a_hang_leaves_the_models_verdict() -> None:
    garbage = Transcript((9050,) * 100_000, "assistant")
    with native().worker() as worker:
        worker.load(RELEASE)
    verdict, result = native_answer(garbage, RELEASE.title, deadline=0.3)
    assert (verdict.source, result.status) == ("model", "timeout")
    assert verdict.error is not None
    assert verdict.error.kind == "E2"


def test_ids_that_the_library_refuses() -> None:
    verdict, result = native_answer(Transcript((200008, -1), "assistant"), RELEASE.title)
    assert (verdict.source, verdict.messages[0].content) == ("model", "\ufffd")
    assert "OverflowError" in result.reason


def test_a_name_that_is_no_release() -> None:
    with pytest.raises(KeyError, match="is not the name and version of a release"):
        native_verdict(FINE, "rubbish")


class _Wrong(StrictModel):
    """A model that is wrong about everything."""

    def parse(self, role: str | None, dialect: Dialect, *, strict: bool = True, release: str = ""):  # type: ignore[no-untyped-def]
        lie = (200008,) if not super().parse(role, dialect).ok else (9050,)
        return strict_parse(lie, role, dialect, strict=strict, release=release)


def test_where_they_differ_the_library_is_right() -> None:
    """Its messages, its error and the token of its own streaming parser."""
    verdict = native_verdict(BROKEN, RELEASE.title, model=_Wrong(BROKEN.ids))
    assert verdict.source == "native"
    assert verdict.error is not None
    assert (verdict.error.kind, verdict.error.token, verdict.error.cause) == ("E1", 5, Span(5, 6))
    assert [message.content for message in verdict.messages] == ["Run"]
    accepted = native_verdict(FINE, RELEASE.title, model=_Wrong(FINE.ids))
    assert (accepted.ok, [m.content for m in accepted.messages]) == (True, ["Run"])


def test_compare_sees_every_difference() -> None:
    with NativeWorker() as worker:
        fine = worker.parse(RELEASE, FINE.ids)
        broken = worker.parse(RELEASE, BROKEN.ids, locate=True)
    expected_fine = strict_parse(FINE.ids, "assistant", RELEASE.dialect)
    expected_broken = strict_parse(BROKEN.ids, "assistant", RELEASE.dialect)
    assert compare(expected_fine, fine) is None
    assert compare(expected_broken, broken) is None
    assert compare(expected_fine, broken) is not None
    assert compare(expected_broken, fine) is not None
    assert compare(expected_broken, replace(broken, token=4)) is not None
    for field in ("role", "name", "channel", "recipient", "content_type", "content"):
        (message,) = fine.messages
        assert compare(expected_fine, replace(fine, messages=(replace(message, **{field: "other"}),))) is not None
    assert compare(expected_fine, NativeResult("timeout", reason="late")) is not None


def test_kinds_are_told_by_the_text() -> None:
    for ids, role, strict in [
        ((9050,), None, True),
        ((), "assistant", True),
        ((162, 200008), "assistant", True),
        ((200005, 200008), "assistant", True),
        ((200006, 200008), None, True),
        ((200006, 17196, 200008), None, True),
        ((64, 220, 65, 220, 66, 200008), "assistant", True),
        ((162, 200007), "assistant", False),
    ]:
        error = strict_parse(ids, role, Dialect.ALL_CHANNELS, strict=strict).error
        assert error is not None
        assert verdicts._kind(error.text) == error.kind
