"""A service that watches sub-accounts, moved second by second, between an API that a test plays and a Slack."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from guard import service
from guard.agentphone import Listing, UsageClient
from guard.clock import Clock
from guard.config import Config
from guard.errors import ExitCode
from guard.family import Family
from guard.model import NO_DATA, AlertKey, Answer, Failure, FailureKind
from guard.parts import Parts
from guard.service import Service
from guard.store import Store
from tests.builders import NOW
from tests.outbox.desk import marked
from tests.serving import FOREVER_S
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import SlackStandIn
from tests.waiting import DEADLINE_S, until
from tests.wiring import NOWHERE, NUMBERS, config, opened, through

ALL: Final = 'sub_accounts = "all"\n'
MASTER: Final = ""
DOWN: Final = Failure(FailureKind.SERVER, "it answered 503")
OFFLINE: Final = Failure(FailureKind.UNREACHABLE, "nobody answers")
REFUSED: Final = Failure(FailureKind.UNAUTHORIZED, "it answered 401")
FORBIDDEN: Final = Failure(FailureKind.FORBIDDEN, "it answered 403")
NOT_FOUND: Final = Failure(FailureKind.REFUSED, "it answered 404")


class PassClock(HandClock):
    """Moves the monotonic clock too."""

    def __init__(self, at: datetime = NOW) -> None:
        super().__init__(at)
        object.__setattr__(self, "moved_s", 0.0)  # a clock is frozen

    def monotonic_s(self) -> float:
        moved_s: float = self.__dict__["moved_s"]
        return moved_s

    def passes(self, seconds: float) -> None:
        """So much time passes, on both clocks."""
        self.move(seconds=seconds)
        object.__setattr__(self, "moved_s", self.monotonic_s() + seconds)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"sub-{number:04}" for number in range(count))


def left(numbers: int) -> Answer:
    """A good answer that shows so many numbers left."""
    usage = {"numbers": {"used": 1, "limit": 12, "remaining": numbers}, "plan": {"name": "growth"}, "stats": {}}
    return Answer(usage, json.dumps(usage))


@dataclass
class Asked:
    """One request: whose, when (on the monotonic clock), and whether it was answered yet."""

    whose: str
    at_s: float
    is_open: bool = True


class Api(UsageClient):
    """An API below HTTP, so that a test decides who hangs and for how long; `says` are the answers by sub-account."""

    def __init__(self, clock: HandClock, *subs: str) -> None:
        super().__init__(base_url="http://127.0.0.1:9", key="x", read_key=lambda: None)
        self.clock = clock
        self.listing: Listing | Failure = Listing(subs, is_complete=True)
        self.listings: list[float] = []
        self.says: dict[str, Answer | Failure | Exception] = {}
        self.all_say: Answer | Failure | None = None  # before `says`
        self.holds: dict[str, asyncio.Event] = {}  # whoever is in it is answered once it is set
        self.asked: list[Asked] = []
        self.hold_listing: asyncio.Event | None = None
        self.held_listings = 0
        self.on_asked: Callable[[str], object] = lambda _: None
        self.on_listed: Callable[[], object] = lambda: None

    def lists(self, *subs: str, is_complete: bool = True) -> None:
        self.listing = Listing(subs, is_complete=is_complete, notes=() if is_complete else ("it ends too early",))

    def asked_of(self, *whose: str) -> list[float]:
        return [each.at_s for each in self.asked if each.whose in whose]

    @property
    def asked_subs(self) -> list[str]:
        return [each.whose for each in self.asked if each.whose]

    @property
    def open(self) -> list[str]:
        return [each.whose for each in self.asked if each.is_open]

    @property
    def held(self) -> int:
        """How many requests wait for the test to let them go."""
        return len([whose for whose in self.open if whose in self.holds]) + self.held_listings

    async def usage(self, *, now: datetime, sub_id: str = "") -> Answer | Failure:
        asked = Asked(sub_id, self.clock.monotonic_s())
        self.asked.append(asked)
        self.on_asked(sub_id)
        try:
            if sub_id in self.holds:
                await self.holds[sub_id].wait()
            else:
                await asyncio.wait({asyncio.ensure_future(_soon())})  # as over a network: others have their turn
        finally:
            asked.is_open = False
        answer = self.all_say or self.says.get(sub_id, left(5))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sub_accounts(self, *, now: datetime) -> Listing | Failure:
        self.listings.append(self.clock.monotonic_s())
        self.on_listed()
        if self.hold_listing is not None:
            self.held_listings += 1
            try:
                await self.hold_listing.wait()
            finally:
                self.held_listings -= 1
        return self.listing

    def has_untried_key(self) -> bool:
        return False


def _has_begun(service: Service) -> bool:
    """Whether the scheduler has made the first tick and the first pulse; the next ones are far away."""
    if not hasattr(service, "_scheduler"):
        return False
    soon, begun = Clock().wall_now() + timedelta(seconds=1), service._scheduler._executors["default"]._pending_futures
    return not begun and all(job.next_run_time > soon for job in service._scheduler.get_jobs())


def two_masters(url: str) -> Config:
    """Two accounts with one key, each with all its sub-accounts."""
    other = f'[accounts.other]\napi_key = "${{API_KEY}}"\nbase_url = "{NOWHERE}"\n{ALL}'
    return config(account=ALL + other, channels={"ops": url})


async def _soon() -> None:
    return


@dataclass
class Subs:
    """A service whose ticks and pulses come when the test says so."""

    parts: Parts
    service: Service
    api: Api
    clock: PassClock
    slack: SlackStandIn
    stop: asyncio.Event
    ended: asyncio.Task[ExitCode]
    seconds: int = 0

    @property
    def family(self) -> Family:
        return self.parts.families[0]

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def told(self) -> list[str]:
        """The state in brackets of each message that people saw."""
        return [marked(post["text"]) for post in self.slack.shown]

    @property
    def texts(self) -> list[str]:
        return [str(post["text"]) for post in self.slack.shown]

    async def rest(self) -> None:
        """Waits until nothing runs but what the API, or Slack, holds back."""

        async with asyncio.timeout(DEADLINE_S):
            while len(running := self.service._jobs._running) > self.api.held:
                await asyncio.wait(running.values(), timeout=0.002, return_when=asyncio.FIRST_COMPLETED)

    async def passes(self, seconds: int, *, at_a_time: int = 1) -> None:
        """Lets so many seconds pass, with a tick whenever it is time and a pulse after so many at a time."""
        every_s = int(self.family.config.every.total_seconds())
        for _ in range(seconds // at_a_time):
            self.seconds += at_a_time
            self.clock.passes(at_a_time)
            if self.seconds % every_s < at_a_time:
                await self.tick()
            await self.pulse()

    async def minutes(self, count: float) -> None:
        """Lets so many minutes pass, with fewer pulses than there are."""
        await self.passes(int(count * 60), at_a_time=15)

    async def tick(self) -> None:
        """A tick of every account."""
        for family in self.parts.families:
            await self.service._wake_cycle(family)
        await self.rest()

    async def pulse(self) -> None:
        await self.service._pulse()
        await self.rest()

    async def firing(self) -> list[AlertKey]:
        alerts = await self.store.run(lambda unit: unit.alerts())
        return [key for key, alert in alerts.items() if alert.level is not None]

    async def lost(self) -> list[str]:
        """The accounts of which guard.no_data fires."""
        return [key.account for key in await self.firing() if key.rule == NO_DATA]

    async def until_all_told(self) -> None:
        """Waits, without any time passing, until the channel knows all that it should."""

        async def knows() -> bool:
            return not await self.store.run(lambda unit: unit.waiting("ops"))

        await until(knows)

    async def end(self) -> ExitCode:
        self.stop.set()
        return await self.ended


@asynccontextmanager
async def watching(
    path: Path,
    *subs: str,
    account: str = ALL,
    rules: str = NUMBERS,
    clock: PassClock | None = None,
    slack: SlackStandIn | None = None,
    setting: Callable[[str], Config] | None = None,
    prepare: Callable[[Api], object] = lambda _: None,
    change: Callable[[Parts], Parts] = lambda parts: parts,
) -> AsyncIterator[Subs]:
    """A service that was started, with its first tick and its first pulse; others come when the test says so.

    `setting` gives another Config than that of one account, for the address of a Slack; `prepare` may exchange what the
    API says, `change` parts of the service.
    """
    clock = clock or PassClock()
    api = Api(clock, *subs)
    prepare(api)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("PULSE_S", "WATCH_S"):
            patch.setattr(service, name, FOREVER_S)
        patch.setattr(service, "DRAIN_S", 0.3)
        channel = slack if slack is not None else await stack.enter_async_context(SlackStandIn())
        one = config(rules=rules, account=account, channels={"ops": channel.url})
        settled = setting(channel.url) if setting else one
        opened_parts = await stack.enter_async_context(opened(settled, path, clock=clock))
        parts = change(through(opened_parts, **dict.fromkeys((each.name for each in settled.accounts), api)))
        stop, running = asyncio.Event(), Service(parts)
        ended = asyncio.ensure_future(running.run(stop))
        it = Subs(parts, running, api, clock, channel, stop, ended)
        try:
            await until(lambda: ended.done() or _has_begun(running))
            await it.rest()
            await it.pulse()
            yield it
        finally:
            stop.set()
            await asyncio.wait({ended})
