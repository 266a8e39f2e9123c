"""A service whose rule file is edited while it runs, moved second by second, between a sandbox and a Slack."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from guard import service
from guard.errors import ExitCode
from guard.model import CONFIG_INVALID, Alert, AlertKey, Level
from guard.parts import Parts, open_parts
from guard.reload import Reload
from guard.rule_watch import Edition, RuleWatch, judged, read
from guard.sandbox.server import Sandbox
from guard.service import Service
from guard.store import RuleFile
from tests.outbox.desk import marked
from tests.serving import FOREVER_S
from tests.stand_ins.slack import Answer, SlackStandIn
from tests.subs import PassClock, _has_begun
from tests.waiting import DEADLINE_S, until
from tests.wiring import API_KEY, NUMBERS, rule_file

INVALID = AlertKey("main", CONFIG_INVALID)


@dataclass
class Desk:
    """What stays the same from one service to the next: rule file, database, clock, API and Slack."""

    path: Path
    sandbox: Sandbox
    slack: SlackStandIn
    clock: PassClock = field(default_factory=PassClock)
    secrets: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ("ops",)

    @property
    def file(self) -> Path:
        return self.path / "rules.toml"

    def text(self, rules: str = NUMBERS, *, names: Sequence[str] | None = None, account: str = "") -> str:
        """A rule file on this sandbox and Slack."""
        return rule_file(
            api=self.sandbox.base_url, names=self.names if names is None else names, rules=rules, account=account
        )

    def other_account(self, name: str = "other") -> str:
        return f'[accounts.{name}]\napi_key = "${{API_KEY}}"\nbase_url = "{self.sandbox.base_url}"\n'

    def says(self, text: str) -> None:
        """Edits the rule file as most editors do."""
        new = self.path / "rules.toml.new"
        new.write_text(text)
        new.rename(self.file)

    def shows(self, left: int) -> None:
        """Shows so many numbers left, from now on."""
        self.sandbox.set({"numbers.remaining": left})

    @property
    def told(self) -> list[str]:
        """The state in brackets of each message that people saw."""
        return [marked(post["text"]) for post in self.slack.shown]

    @property
    def texts(self) -> list[str]:
        return [str(post["text"]) for post in self.slack.shown]

    @asynccontextmanager
    async def serving(self, *, change: Callable[[Parts], Parts] = lambda parts: parts) -> AsyncIterator["Editing"]:
        """The service, after its first tick and its first pulse; others come when the test says so."""
        content = read(self.file, self.secrets.get)
        edition = judged(content, self.file)
        assert isinstance(edition, Edition), edition
        async with AsyncExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            for name in ("PULSE_S", "WATCH_S"):
                patch.setattr(service, name, FOREVER_S)
            patch.setattr(service, "DRAIN_S", 0.3)
            opened = open_parts(
                edition.config,
                database=str(self.path / "guard.db"),
                read_secret=self.secrets.get,
                clock=self.clock,
                text=edition.text,
            )
            parts = change(await stack.enter_async_context(opened))
            reload = Reload(parts, RuleWatch(self.file, self.secrets.get, content))
            stop, running = asyncio.Event(), Service(parts, rules=reload)
            ended = asyncio.ensure_future(running.run(stop))
            it = Editing(self, parts, running, reload, stop, ended)
            try:
                await until(lambda: ended.done() or _has_begun(running))
                await it.rest()
                await it.pulse()
                yield it
            finally:
                stop.set()
                await asyncio.wait({ended})


@dataclass
class Editing:
    """A service that runs."""

    desk: Desk
    parts: Parts
    service: Service
    reload: Reload
    stop: asyncio.Event
    ended: asyncio.Task[ExitCode]
    held: int = 0  # jobs that the test holds back

    async def rest(self) -> None:
        """Waits until nothing runs but what the test holds back."""
        async with asyncio.timeout(DEADLINE_S):
            while len(running := self.service._jobs._running) > self.held:
                await asyncio.wait(running.values(), timeout=0.002, return_when=asyncio.FIRST_COMPLETED)

    async def pulse(self) -> None:
        await self.service._pulse()
        await self.rest()

    async def tick(self) -> None:
        """A cycle of every account."""
        for family in self.parts.families:
            await self.service._wake_cycle(family)
        await self.rest()

    async def passes(self, seconds: int) -> None:
        """Lets so many seconds pass, with a pulse in each."""
        for _ in range(seconds):
            self.desk.clock.passes(1)
            await self.pulse()

    async def look(self) -> None:
        """Lets as much time pass as an edit needs to take effect, and sends what there is to send."""
        await self.passes(7)
        await self.pulse()

    async def overtakes(self, channel: str) -> None:
        """Lets as much time pass as an edit needs, which then waits for what is being sent on a channel, if it has to.

        What does not wait is over.
        """
        waiting = self.parts.outbox._sending[channel]
        for _ in range(8):
            self.desk.clock.passes(1)
            await self.service._pulse()
            await until(lambda: "rules" not in self.service._jobs._running or bool(waiting._waiters))

    async def edit(self, text: str) -> None:
        """Edits the rule file, and lets that take effect."""
        self.desk.says(text)
        await self.look()

    async def versions(self) -> list[RuleFile]:
        """The versions that took effect, newest first."""
        found: list[RuleFile] = await self.parts.store.run(lambda unit: unit.rule_files(count=1000))
        return found

    async def changes(self) -> tuple[str, ...]:
        """What the last version changed."""
        return (await self.versions())[0].changes

    async def alerts(self) -> dict[AlertKey, Alert]:
        found: dict[AlertKey, Alert] = await self.parts.store.run(lambda unit: unit.alerts())
        return found

    async def firing(self) -> dict[str, Level]:
        """What fires, and how badly."""
        return {str(key): alert.level for key, alert in (await self.alerts()).items() if alert.level is not None}


@asynccontextmanager
async def editing(
    path: Path, *script: Answer, names: tuple[str, ...] = ("ops",), rules: str = NUMBERS, scenario: str = "steady"
) -> AsyncIterator[Desk]:
    """A rule file, an API that is well, and a Slack that answers by script."""
    async with Sandbox(scenario=scenario, key=API_KEY) as sandbox, SlackStandIn(*script) as slack:
        urls = {f"URL_{number}": slack.url for number in range(3)}
        desk = Desk(path, sandbox, slack, secrets={"API_KEY": API_KEY, **urls}, names=names)
        desk.says(desk.text(rules))
        yield desk
