"""The strict parser's errors and its silent misreadings: our model against constants, and the published releases
against the same constants where they are on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from strict_breaks import BOTH, GREETING, NEW, OPEN, PROBLEMS, Break, ids_of
from strict_readings import READINGS, Reading

from inspector.harmony.strict import StrictModel, strict_parse
from inspector.harmony.verdict import Dialect, Verdict
from inspector.releases import NativeWorker, Release, available, compare
from inspector.tokens import vocabulary


def _cases(rows: Sequence[Break | Reading]) -> list[object]:
    return [pytest.param(row, dialect, id=f"{row.about}-{dialect}") for row in rows for dialect in row.dialects]


def judge(row: Break | Reading, dialect: Dialect) -> Verdict:
    return strict_parse(row.ids, row.role, dialect, strict=row.strict)


@pytest.mark.parametrize(("row", "dialect"), _cases(PROBLEMS))
def test_errors(row: Break, dialect: Dialect) -> None:
    verdict = judge(row, dialect)
    assert verdict.error is not None
    assert (verdict.error.kind, verdict.error.text, verdict.error.token) == (row.kind, row.error, row.token)
    assert len(verdict.messages) == row.before
    cause = verdict.error.cause
    assert (vocabulary().decode(row.ids[cause.start : cause.end]) if len(cause) else None) == row.blamed


@pytest.mark.parametrize(("row", "dialect"), _cases(READINGS))
def test_readings(row: Reading, dialect: Dialect) -> None:
    verdict = judge(row, dialect)
    assert verdict.error is None
    assert [message.record() for message in verdict.messages] == [message.record() for message in row.messages]


def test_every_kind_of_error_has_a_row() -> None:
    assert {row.kind for row in PROBLEMS} == {f"E{n}" for n in range(1, 9)}


@pytest.fixture(scope="module")
def worker() -> Iterator[NativeWorker]:
    with NativeWorker() as worker:
        yield worker


@pytest.mark.parametrize("release", available(), ids=lambda release: release.title)
def test_the_releases_say_the_same(release: Release, worker: NativeWorker) -> None:
    """The constants above were not made up: the libraries are asked, streaming parser and all."""
    wrong = []
    for row in [*PROBLEMS, *READINGS]:
        for dialect in row.dialects:
            if dialect is release.dialect:
                said = worker.parse(release, row.ids, row.role, strict=row.strict, locate=True)
                differ = compare(judge(row, dialect), said)
                wrong += [(row.about, *differ)] if differ else []
    assert wrong == []


def test_places_of_messages() -> None:
    ids = ids_of(f"{GREETING}{OPEN}<|channel|>final<|message|>Hi<|return|>")
    first, second = strict_parse(ids, "assistant", NEW).messages
    assert (first.start, first.body_start, first.body_end, first.end) == (0, 3, 5, 6)
    assert (second.start, second.body_start, second.body_end, second.end) == (6, 11, 12, 13)


def test_places_of_a_message_that_is_cut_off() -> None:
    (message,) = strict_parse(ids_of("<|channel|>final<|message|>Hi"), "assistant", NEW).messages
    assert (message.start, message.body_start, message.body_end, message.end) == (0, 3, 4, 4)


def test_the_place_of_salvaged_content() -> None:
    ids = ids_of("<|channel|>final Hello you<|end|>")
    (message,) = strict_parse(ids, "assistant", NEW, strict=False).messages
    assert vocabulary().decode(ids[message.body_start : message.body_end]) == " Hello you"
    assert (message.start, message.end) == (0, len(ids))


def test_later_errors_in_order() -> None:
    ids = ids_of(
        f"{GREETING}stray text{OPEN}<|channel|>final a b c d<|message|>x<|end|>"
        "<|start|>final<|message|>y<|end|>more<|start|>assistant<|channel|>final"
    )
    verdict = strict_parse(ids, "assistant", NEW)
    assert verdict.error is not None
    assert [error.kind for error in (verdict.error, *verdict.later)] == ["E1", "E7", "E6", "E1", "E2"]
    tokens = [error.token for error in (verdict.error, *verdict.later)]
    assert tokens == sorted(tokens)
    assert [message.content for message in verdict.messages] == ["Hm."]


def test_a_stray_stretch_is_one_error() -> None:
    """The streaming parser raises again for every token of it; a person reads it once."""
    verdict = strict_parse(ids_of(f"{GREETING}{'so ' * 50}{GREETING}"), "assistant", NEW)
    assert verdict.error is not None
    assert verdict.later == ()


def test_headers_without_an_end_are_each_reported() -> None:
    verdict = strict_parse(ids_of(f"<|channel|>final Hi.<|end|>{OPEN} and<|start|>user"), "assistant", NEW)
    assert verdict.error is not None
    causes = [error.cause for error in (verdict.error, *verdict.later)]
    assert [(cause.start, cause.end) for cause in causes] == [(0, 4), (5, 8), (8, 10)]
    assert {error.token for error in verdict.later} == {10}


def test_later_errors_are_capped() -> None:
    verdict = strict_parse((200006, 200008, 200007) * 500, None, NEW)
    assert len(verdict.later) == 100


def test_ids_that_no_parser_takes_are_unknown_ids() -> None:
    for ids in ((-1,), (2**32,), (10**40,)):
        verdict = strict_parse(ids, None, NEW)
        assert verdict.error is not None
        assert verdict.error.text == f"Unexpected token {ids[0]} while expecting start token 200006"
        inside = strict_parse((200008, 87, *ids, 87), "assistant", NEW)
        assert [message.content for message in inside.messages] == ["x\ufffd"]


def test_an_unknown_role_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="unknown role 'robot': expected one of user, assistant"):
        strict_parse((), "robot", NEW)


def test_one_model_gives_the_same_verdicts_as_many() -> None:
    """Parses share what was decoded; none must see another's dialect or mode."""
    for row in [*PROBLEMS, *READINGS]:
        shared = StrictModel(row.ids)
        for role in (None, "assistant", "tool"):
            for dialect in BOTH:
                for strict in (True, False):
                    alone = strict_parse(row.ids, role, dialect, strict=strict)
                    assert shared.parse(role, dialect, strict=strict) == alone


def test_specials_may_come_from_elsewhere() -> None:
    for row in [*PROBLEMS, *READINGS]:
        specials = [i for i, token in enumerate(row.ids) if not 0 <= token < 199_998]
        given = StrictModel(row.ids, specials)
        assert given.parse(row.role, NEW) == strict_parse(row.ids, row.role, NEW)
