"""Jobs by name: started once at a time, run again where that is wanted, watched, and drained."""

import asyncio
from collections.abc import Awaitable

import pytest

from guard.jobs import Jobs
from tests.waiting import until
from tests.wiring import logged


class Gate:
    """Work that waits to be let through, and counts how often it began and ended."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.began = 0
        self.ended = 0

    async def __call__(self) -> None:
        self.began += 1
        await self.opened.wait()
        self.ended += 1


async def soon(ending: Awaitable[object]) -> None:
    async with asyncio.timeout(5):
        await ending


async def test_a_job_runs_once_at_a_time_and_may_be_started_anew_when_it_has_ended() -> None:
    jobs, work = Jobs(), Gate()
    assert [jobs.start("one", work), jobs.start("one", work), jobs.start("two", work)] == [True, False, True]
    assert jobs.is_running("one")
    work.opened.set()
    await soon(jobs.ended("one"))
    await until(lambda: not jobs.is_running("one"))
    assert (work.began, work.ended) == (2, 2)
    assert jobs.start("one", work)


async def test_what_is_wanted_again_while_it_runs_runs_once_more_however_often_it_is_wanted() -> None:
    jobs, work = Jobs(), Gate()
    for _ in range(4):
        jobs.again("one", work)
    work.opened.set()
    await until(lambda: not jobs.is_running("one"))
    assert work.ended == 2


async def test_a_job_hangs_that_was_watched_so_often_and_not_seen() -> None:
    jobs, work = Jobs(), Gate()
    for name in ("hangs", "is seen", "is spared"):
        jobs.start(name, work)
    for _ in range(3):
        assert jobs.hung(after=3) == []
        jobs.seen("is seen")
        jobs.watch(but="is spared")
    assert jobs.hung(after=3) == ["hangs"]
    work.opened.set()
    await until(lambda: not jobs.is_running("hangs"))
    assert jobs.hung(after=1) == []


async def test_a_defect_in_a_job_is_logged_and_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise RuntimeError("a defect")

    jobs, work = Jobs(), Gate()
    jobs.start("good", work)
    jobs.start("bad", fails)
    await until(lambda: not jobs.is_running("bad"))
    assert jobs.is_running("good")
    assert [event for event, _ in logged(caplog)] == ["service.unplanned"]
    assert jobs.start("bad", work)
    work.opened.set()
    await until(lambda: not jobs.is_running("good"))


async def test_a_drain_finishes_what_it_shall_cancels_the_rest_and_starts_nothing() -> None:
    jobs, finishes, other, beside = Jobs(), Gate(), Gate(), Gate()
    jobs.start("send:a", finishes)
    jobs.start("ask", other)
    jobs.again("ask", other)
    task = asyncio.ensure_future(beside())
    await until(lambda: finishes.began == other.began == beside.began == 1)
    draining = asyncio.ensure_future(jobs.drain(finish="send:", beside=[task], within_s=5))
    await until(lambda: not jobs.is_running("ask"))
    assert jobs.is_draining
    assert not jobs.start("late", other)
    assert not draining.done()
    finishes.opened.set()
    beside.opened.set()
    await soon(draining)
    assert [each.ended for each in (finishes, other, beside)] == [1, 0, 1]
    assert other.began == 1


async def test_a_drain_cancels_what_is_late() -> None:
    jobs, work = Jobs(), Gate()
    jobs.start("send:a", work)
    await soon(jobs.drain(finish="send:", beside=[], within_s=0.01))
    assert not jobs.is_running("send:a")
    assert work.ended == 0
