import asyncio
from datetime import timedelta

import pytest

from guard.agentphone.turns import Turns

FAR_OFF_S = 30  # what takes as long is broken


async def test_a_turn_that_is_just_running_out_does_not_keep_the_others_from_being_closed() -> None:
    turns = Turns(at_once=1, deadline=timedelta())
    has_run_out, goes_on = asyncio.Event(), asyncio.Event()

    async def clings() -> None:
        async with turns.turn():
            try:
                await asyncio.Event().wait()
            finally:
                has_run_out.set()
                await goes_on.wait()

    clinging = asyncio.create_task(clings())
    async with asyncio.timeout(FAR_OFF_S):
        await has_run_out.wait()
        closing = asyncio.create_task(turns.close())
        await asyncio.wait([closing], timeout=0.01)
        assert not closing.done()  # it waits until nobody uses the connections any more
        goes_on.set()
        await closing
        with pytest.raises(TimeoutError):
            await clinging


async def test_closed_turns_give_none() -> None:
    turns = Turns(at_once=1, deadline=timedelta(seconds=FAR_OFF_S))
    await turns.close()
    with pytest.raises(TimeoutError):
        async with turns.turn():
            pytest.fail("there was a turn")
