"""The samples' errors and the founding preset, as the published libraries themselves have them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from inspector.gallery import load_samples
from inspector.gallery.founding import REPORT
from inspector.gallery.generate import founding_records
from inspector.releases import NativeWorker, find

pytestmark = pytest.mark.differential

OLDEST, NEWEST = "openai-harmony 0.0.8", "oss-harmony 0.0.11"
SAMPLES = load_samples()


@pytest.fixture(scope="module")
def worker() -> Iterator[NativeWorker]:
    with NativeWorker() as worker:
        yield worker


def need(release: str) -> None:
    if find(release) is None:
        reason = f"{release} is not on this machine: run `harmonylens releases add {release.replace(' ', '==')}`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize("release", [OLDEST, NEWEST])
def test_every_sample_raises_what_it_states(worker, release) -> None:
    need(release)
    wrong = {}
    for sample in SAMPLES:
        result = worker.parse(release, sample.transcript.ids, sample.transcript.role)
        assert result.answered, f"{sample.name}: {result.reason}"
        if result.error != sample.errors.get(release):
            wrong[sample.name] = result.error
    assert wrong == {}


def test_the_preset_breaks_the_oldest_release_as_the_report_counted(worker) -> None:
    need(OLDEST)
    found: Counter[str] = Counter()
    for record in founding_records():
        result = worker.parse(OLDEST, record["token_ids"], record["role"])
        assert result.answered, result.reason
        if result.error is not None:
            found[result.error] += 1
    assert found.total() == 190
    counted = {line.text: sum(n for text, n in found.items() if line.matches(text)) for line in REPORT}
    assert counted == {line.text: line.count for line in REPORT}
