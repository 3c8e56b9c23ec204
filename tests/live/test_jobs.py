"""Work in the background: it ends, fails with a sentence, or is stopped."""

from __future__ import annotations

import asyncio
from threading import Event

from inspector.live.jobs import Job
from inspector.live.loop import Loop
from inspector.samplers.engine import EngineError


def test_a_job_ends_with_what_it_returns() -> None:
    async def work() -> int:
        return 7

    job = Job(work)
    assert job.state == "running"
    job.start(Loop())
    assert job.wait(10)
    assert (job.state, job.result, job.error) == ("done", 7, "")


def test_an_engine_s_sentence_is_told_as_it_is_and_a_defect_by_its_name() -> None:
    async def refused() -> None:
        raise EngineError("The server is gone.")

    async def broken() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(refused())
            group.create_task(asyncio.sleep(0))
        raise AssertionError("never")

    async def defect() -> None:
        raise KeyError("x")

    for work, said in (
        (refused, "The server is gone."),
        (broken, "The server is gone."),
        (defect, "KeyError: 'x'"),
    ):
        job = Job(work)
        job.start(Loop())
        assert job.wait(10)
        assert (job.state, job.error) == ("failed", said)


def test_a_job_is_stopped_where_it_waits() -> None:
    ended = []
    began = Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    job = Job(work)
    job.stop()  # before it has begun there is nothing to stop
    job.start(Loop())
    assert began.wait(10)
    job.stop()
    assert job.wait(10)
    assert job.state == "stopped"
    assert ended == [True]


def test_a_job_that_is_stopped_at_once_is_stopped_however_far_it_got() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    loop = Loop()
    for _ in range(20):
        job = Job(work)
        job.start(loop)
        job.stop()
        assert job.wait(10)
        assert job.state == "stopped"


def never_ending() -> Job[None]:
    async def work() -> None:
        await asyncio.Event().wait()

    return Job(work, unwatched_s=0.3, limit_s=1.0)


def test_a_job_that_nobody_looks_at_is_stopped_and_says_so() -> None:
    job = never_ending()
    job.start(Loop())
    assert job.wait(10)
    assert (job.state, job.error) == ("stopped", "")
    assert job.why.startswith("Stopped after 30 minutes without a watcher")


def test_a_job_that_is_looked_at_goes_on_to_its_limit() -> None:
    job = never_ending()
    job.start(Loop())
    while not job.wait(0.05):
        job.looked()
    assert job.state == "stopped"
    assert job.why.startswith("Stopped after 4 hours, the longest that a run may take.")


def test_what_a_person_stops_has_no_other_reason() -> None:
    job = never_ending()
    job.start(Loop())
    job.stop()
    assert job.wait(10)
    assert (job.state, job.why) == ("stopped", "")
