"""One account's decisions and one channel's outbox over a real database, with time moved by hand."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from guard.config import Config
from guard.config.watched import watched_on
from guard.cycle import recall, save
from guard.cycle.record import within
from guard.lifecycle.decide import decide
from guard.model import Delivery, DeliveryState, Failure, Snapshot
from guard.outbox import Outbox
from guard.parts import Parts
from guard.store import Store, Unit
from tests.builders import snapshot
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import Answer, Drop, SlackStandIn
from tests.wiring import NUMBERS, config, only, opened

OK = Answer()
DOWN = Answer(status=503, body="service_unavailable")


@dataclass
class Bench:
    """One account and its channels, moved by hand."""

    parts: Parts
    clock: HandClock

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def outbox(self) -> Outbox:
        return self.parts.outbox

    async def sees(self, left: int, **values: float) -> None:
        """One cycle that finds so many numbers left."""
        await self.cycle(snapshot({"numbers.remaining": left, **values}, at=self.clock.now()))

    async def cycle(self, seen: Snapshot | Failure) -> None:
        """One cycle."""
        await self.store.run(partial(self._decide, seen))

    def _decide(self, seen: Snapshot | Failure, unit: Unit) -> None:
        account = only(self.parts.config)
        watched, now = watched_on(account, every=account.every), self.clock.now()
        memory = recall(unit, account, now=now)
        save(unit, decide(watched, within(unit, memory, now=now), seen, now=now, jitter=1))

    async def sends(self, channel: str = "ops") -> int:
        """Makes all attempts that are due, and gives how many those were."""
        attempts = 0
        while await self.outbox.attempt(channel):
            attempts += 1
            assert attempts < 50, "it never rests"
        return attempts

    async def deliveries(self, *states: DeliveryState) -> list[Delivery]:
        found: list[Delivery] = await self.store.run(
            lambda unit: unit.deliveries(states=states or tuple(DeliveryState))
        )
        return found


@dataclass
class Desk(Bench):
    """What the tests of the outbox move and look at; `ops` is its first channel."""

    slack: SlackStandIn

    @property
    def told(self) -> list[str]:
        """The state in brackets of each message that people saw."""
        return [marked(post["text"]) for post in self.slack.shown]

    @property
    def keys(self) -> list[str]:
        """The key of each post that came, whatever it was answered."""
        return [post.payload["metadata"]["event_payload"]["key"] for post in self.slack.received]


def marked(text: str) -> str:
    return text.partition("]")[0].removeprefix("[")


def facts(payload: dict[str, Any]) -> str:
    """All that a message shows, in one text."""
    return "\n".join(_texts(payload["blocks"]))


def _texts(tree: Any) -> Iterable[str]:
    match tree:
        case str():
            yield tree
        case dict():
            for value in tree.values():
                yield from _texts(value)
        case list():
            for value in tree:
                yield from _texts(value)
        case _:
            pass


@asynccontextmanager
async def desk(
    path: Path, *script: Answer | Drop, rules: str = NUMBERS, names: Iterable[str] = ("ops",)
) -> AsyncIterator[Desk]:
    """A desk whose channels all lead to one Slack, which answers by script."""
    async with SlackStandIn(*script) as slack, seated(path, slack, rules=rules, names=names) as it:
        yield it


@asynccontextmanager
async def seated(
    path: Path, slack: SlackStandIn, *, rules: str = NUMBERS, names: Iterable[str] = ("ops",), hours: float = 0
) -> AsyncIterator[Desk]:
    """A desk that starts, `hours` after NOW, on the database in the directory `path`, where there may be one before."""
    setting = config(rules=rules, channels=dict.fromkeys(names, slack.url))
    clock = HandClock()
    clock.move(hours=hours)
    async with opened(setting, path, clock=clock) as parts:
        yield Desk(parts, clock, slack)


@asynccontextmanager
async def bench(setting: Config, path: Path, clock: HandClock) -> AsyncIterator[Bench]:
    """A bench on the database in the directory `path`."""
    async with opened(setting, path, clock=clock) as parts:
        yield Bench(parts, clock)
