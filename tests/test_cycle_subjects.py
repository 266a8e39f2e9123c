"""Whole cycles of a rule with `each`, against an API over HTTP whose agents come, go, and are not listed at times."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from guard.model import AlertKey, State
from tests.agentphone.wire import Wire, answers, wire
from tests.test_cycle import Asking, asking, usage

RULE = """
[rules.agent-minutes]
value = "agent.totalSeconds"
each = "agent"
warning = "> 10m"
for = "10m"
labels = { team = "voice" }
"""
ONE, TWO = AlertKey("main", "agent-minutes", "agt_1"), AlertKey("main", "agent-minutes", "agt_2")


@dataclass
class Agents:
    """What /v1/usage/by-agent answers: so many seconds for each agent, or nothing good."""

    seconds: dict[str, int] = field(default_factory=lambda: {"agt_1": 700, "agt_2": 0})
    fails: bool = False
    served: Wire | None = None

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self.served is not None
        is_listing = b"/by-agent" in self.served.requests[-1].partition(b"\r\n")[0]
        if is_listing and self.fails:
            await answers(b"{}", status=503)(reader, writer)
        else:
            await answers(self._listing() if is_listing else usage(5))(reader, writer)

    def _listing(self) -> bytes:
        rows = [
            {
                "agentId": each,
                "agentName": each.upper(),
                "messages": 0,
                "calls": 1,
                "totalSeconds": n,
                "isOrphan": False,
            }
            for each, n in self.seconds.items()
        ]
        month = {"periodStart": "2026-11-01T00:00:00.000Z", "periodEnd": "2026-12-01T00:00:00.000Z"}
        return json.dumps({"data": rows, "period": "month", **month}).encode()


@dataclass
class Watching:
    """The account of these agents, a cycle each minute."""

    agents: Agents
    it: Asking
    minute: int = -1

    async def until(self, minute: int, seconds: dict[str, int] | None = None, *, fails: bool = False) -> list[str]:
        """Cycles up to a minute with this listing, the last one if None; each event by its minute, subject and kind."""
        self.agents.seconds, self.agents.fails = seconds if seconds is not None else self.agents.seconds, fails
        said = []
        while self.minute < minute:
            self.minute += 1
            decision = await self.it.cycle(minutes=1)
            said += [
                f"{self.minute} {event.key.subject or event.key.rule} {event.kind.value} {event.text}".strip()
                for event in decision.events
            ]
        return said


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Watching]:
    agents = Agents()
    async with wire(agents) as served, asking(path, served.url, rules=RULE) as it:
        agents.served = served
        yield Watching(agents, it)


async def test_two_subjects_have_timers_of_their_own(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        said = await it.until(4) + await it.until(20, {"agt_1": 700, "agt_2": 800})
    assert said == [
        "0 agt_1 alert.pending",
        "5 agt_2 alert.pending",
        "10 agt_1 alert.fired",
        "15 agt_2 alert.fired",
    ]


async def test_one_that_vanishes_and_comes_back_before_the_third_listing_goes_on(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.until(14)
        assert await it.until(24, {"agt_2": 0}) == ["15 agt_1 alert.unknown the agent is not in the last listing"]
        assert (await it.it.stored()).alerts[ONE].absent == 2
        assert await it.until(29, {"agt_1": 700, "agt_2": 0}) == ["25 agt_1 alert.known"]
        stored = (await it.it.stored()).alerts
    assert (stored[ONE].state, stored[ONE].absent) == (State.FIRING, 0)
    assert TWO not in stored


async def test_one_that_goes_for_good_ends_with_the_third_listing_and_is_told_so(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.until(14)
        said = await it.until(60, {"agt_2": 0})
        (notification,) = (await it.it.stored()).notifications
    assert said == [
        "15 agt_1 alert.unknown the agent is not in the last listing",
        "25 agt_1 alert.resolved subject gone",
    ]
    assert notification.key == ONE
    assert notification.desired is not None
    assert notification.desired.ended


async def test_a_listing_that_is_empty_or_fails_for_an_hour_ends_nothing(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.until(14)
        empty = await it.until(74, {})
        failing = await it.until(134, {"agt_2": 0}, fails=True)
        stored = (await it.it.stored()).alerts
        back = await it.until(140, {"agt_1": 700, "agt_2": 0})
    assert [line.split()[1:3] for line in empty + failing] == [
        ["agt_1", "alert.unknown"],
        ["guard.no_data", "alert.fired"],
    ]
    assert (stored[ONE].state, stored[ONE].absent) == (State.FIRING, 0)
    assert [line.split()[1:3] for line in back] == [["agt_1", "alert.known"], ["guard.no_data", "alert.resolved"]]
