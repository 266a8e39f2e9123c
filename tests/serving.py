"""The service between a sandbox and a Slack, in the test's own event loop and in real time, which is short."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from guard.agentphone import UsageClient
from guard.errors import ExitCode
from guard.model import Account, Failure, FailureKind
from guard.model import Answer as Usage
from guard.outbox import Outbox
from guard.parts import Parts
from guard.sandbox.server import Sandbox
from guard.service import Service
from guard.settings import Listen
from guard.store import Store
from guard.systemd import Systemd
from tests.outbox.desk import marked
from tests.stand_ins.slack import Answer, Drop, SlackStandIn
from tests.waiting import until
from tests.wiring import API_KEY, asked_every, config, opened, rule_file

QUICK: Final = timedelta(milliseconds=20)
NEVER: Final = timedelta(hours=1)
FOREVER_S: Final = 3600.0
NOBODY: Final = Systemd()


@dataclass
class Serving:
    """A service that runs."""

    parts: Parts
    service: Service
    stop: asyncio.Event
    ended: asyncio.Task[ExitCode]

    @property
    def store(self) -> Store:
        return self.parts.store

    async def until_cycled(self, times: int) -> None:
        """Waits for so many more cycles of the account main that were committed."""
        for _ in range(times):
            before = await self._account()

            async def cycled(before: Account | None = before) -> bool:
                return await self._account() != before

            await until(cycled)

    async def _account(self) -> Account | None:
        return await self.store.run(lambda unit: unit.account("main"))

    async def end(self) -> ExitCode:
        """Asks it to end, and waits until it did."""
        self.stop.set()
        return await self.ended


@dataclass
class World:
    """What the service is between; services on it come one after the other and share a database."""

    path: Path
    sandbox: Sandbox
    slack: SlackStandIn

    @asynccontextmanager
    async def serving(
        self,
        *,
        every: timedelta = QUICK,
        names: Iterable[str] = ("ops",),
        account: str = "",
        heartbeat_url: str | None = None,
        change: Callable[[Parts], Parts] = lambda parts: parts,
        listen: Listen | None = None,
        systemd: Systemd = NOBODY,
    ) -> AsyncIterator[Serving]:
        """The service, which is ended if the test does not; `change` may exchange parts of it."""
        setting = config(api=self.sandbox.base_url, channels=dict.fromkeys(names, self.slack.url), account=account)
        async with opened(asked_every(setting, every), self.path, heartbeat_url=heartbeat_url) as opened_parts:
            parts = change(opened_parts)
            stop, service = asyncio.Event(), Service(parts, listen, systemd)
            ended = asyncio.ensure_future(service.run(stop))
            try:
                yield Serving(parts, service, stop, ended)
            finally:
                stop.set()
                await asyncio.wait({ended})

    def environ(self) -> dict[str, str]:
        """What a process finds in its environment that runs `guard` here; writes its rule file."""
        rules = self.path / "rules.toml"
        rules.write_text(rule_file(api=self.sandbox.base_url, names=["ops"]))
        return {
            "API_KEY": API_KEY,
            "URL_0": self.slack.url,
            "GUARD_RULES": str(rules),
            "GUARD_DATABASE": str(self.path / "guard.db"),
            "GUARD_LISTEN": "off",
        }

    def shows(self, left: int) -> None:
        """Shows so many numbers left, from now on."""
        self.sandbox.set({"numbers.remaining": left})

    @property
    def told(self) -> list[str]:
        """The state in brackets of each message that people saw."""
        return [marked(post["text"]) for post in self.slack.shown]

    async def until_told(self, *marks: str) -> None:
        """Waits for as many messages, which must be these."""
        await until(lambda: len(self.told) >= len(marks))
        assert self.told == list(marks)

    async def until_asked(self, times: int) -> None:
        """Waits for so many more requests to the API."""
        before = self.sandbox.requests
        await until(lambda: self.sandbox.requests >= before + times)


@asynccontextmanager
async def world(path: Path, *script: Answer | Drop) -> AsyncIterator[World]:
    """An API that is well, and a Slack that answers by script."""
    async with Sandbox(scenario="steady", key=API_KEY) as sandbox, SlackStandIn(*script) as slack:
        yield World(path, sandbox, slack)


class Looking(Outbox):
    """An outbox that counts how often it is looked at, and each time waits until its gate is open."""

    def __init__(self, like: Outbox) -> None:
        super().__init__(like.store, like.notifiers, like.zone_of, like.clock)
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def attempt(self, channel: str) -> bool:
        self.looks += 1
        await self.gate.wait()
        return await super().attempt(channel)


class Waiting(UsageClient):
    """A client that counts how often it is used, and answers 503 once for each time that its gate is opened."""

    def __init__(self) -> None:
        super().__init__(base_url="http://127.0.0.1:9", key="x", read_key=lambda: None)
        self.uses = 0
        self.gate = asyncio.Event()

    async def usage(self, *, now: datetime, sub_id: str = "") -> Usage | Failure:
        self.uses += 1
        await self.gate.wait()
        self.gate.clear()
        return Failure(FailureKind.SERVER, "it answered 503")
