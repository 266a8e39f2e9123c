"""Edits in the middle of a pass over a thousand sub-accounts: all of them, once each, and nobody is left out."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from guard.model import EventKind
from guard.parts import Parts
from tests.editing import Editing, editing
from tests.subs import ALL, Api, names
from tests.wiring import NUMBERS, events

COUNT: Final = 1000
LONGEST_S: Final = 1.0  # that nothing else may have its turn, on a busy machine
ALL_OF_IT: Final = ALL.strip()


@contextmanager
def standstills() -> Iterator[list[float]]:
    """How long the loop stood still, each time, in seconds."""
    loop, found = asyncio.get_running_loop(), list[float]()

    def beat(before: float) -> None:
        now = time.perf_counter()
        found.append(now - before)
        coming[:] = [loop.call_later(0.01, beat, now)]

    coming: list[asyncio.Handle] = [loop.call_soon(beat, time.perf_counter())]
    yield found
    coming[0].cancel()


async def fires(it: Editing) -> int:
    return len(await it.firing())


async def test_edits_in_the_middle_of_a_pass_reach_everybody_once_and_leave_nobody_out(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.says(desk.text(account=ALL_OF_IT))
        api = Api(desk.clock, *names(COUNT))

        def played(parts: Parts) -> Parts:
            return replace(parts, families=tuple(replace(family, client=api) for family in parts.families))

        async with desk.serving(change=played) as it:
            await it.passes(60)
            before = len(api.asked_subs)
            assert before == COUNT
            await it.tick()
            await it.passes(20)
            assert before < len(api.asked_subs) < before + COUNT
            with standstills() as stood:
                await it.edit(desk.text(NUMBERS.replace("< 3", "< 9"), account=ALL_OF_IT))
                assert await fires(it) == COUNT + 1
                await it.edit(desk.text(account=ALL_OF_IT))
                assert await fires(it) == 0
            await it.passes(60)
            # The others waited for the end of the pass, and by then there was nothing left but how it had gone.
            assert desk.told == ["warning"] * 3 + ["resolved"] * 3 + ["digest resolved"]
            assert all(api.asked_subs.count(name) == 2 for name in names(COUNT))
            fired = [each.key for each in await events(it.parts.store) if each.kind is EventKind.FIRED]
            assert len(fired) == len(set(fired)) == COUNT + 1
        assert max(stood) < LONGEST_S, max(stood)
