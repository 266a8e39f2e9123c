"""The service while a channel fails: between an API, a Slack and a mail server, in real time, which is short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from guard import service
from guard.errors import ExitCode
from guard.model import CHANNEL_FAILING, AlertKey, DeliveryState, EventKind
from guard.once import run_once
from guard.outbox import channel_watch, revive
from guard.parts import Parts
from guard.sandbox.server import Sandbox
from guard.service import Service
from tests.outbox.desk import marked
from tests.outbox.test_failing import ANN, GONE, configured
from tests.serving import QUICK
from tests.stand_ins.mail import MailStandIn
from tests.stand_ins.slack import Answer, SlackStandIn
from tests.waiting import until
from tests.wiring import asked_every, kinds, logged, opened

OPS = AlertKey("main", CHANNEL_FAILING, "ops")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(service, "PULSE_S", QUICK.total_seconds())
    monkeypatch.setattr(service, "DRAIN_S", 0.3)
    monkeypatch.setattr(channel_watch, "LOOK_EVERY_S", QUICK.total_seconds())
    caplog.set_level("INFO", "guard")


@dataclass
class World:
    """What the service is between."""

    path: Path
    sandbox: Sandbox
    slack: SlackStandIn
    mails: MailStandIn

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[Parts]:
        setting = configured(self.slack, self.mails, defaults='fallback = ["mail"]', api=self.sandbox.base_url)
        async with opened(asked_every(setting, QUICK), self.path) as parts:
            yield parts

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Service]:
        async with self.parts() as parts:
            stop, running = asyncio.Event(), Service(parts)
            ended = asyncio.ensure_future(running.run(stop))
            try:
                await until(lambda: hasattr(running, "_health"))
                yield running
            finally:
                stop.set()
                assert await ended == ExitCode.DONE

    @property
    def mailed(self) -> list[str]:
        """What Ann was told, by its state and the rule."""
        subjects = [str(each.mail["Subject"]) for each in self.mails.received if each.recipients == (ANN,)]
        return sorted(f"{marked(each)} {each.partition(' / ')[2].partition(':')[0]}" for each in subjects)


@asynccontextmanager
async def world(path: Path, *script: Answer) -> AsyncIterator[World]:
    async with (
        Sandbox(scenario="steady", key="key-of-the-tests") as sandbox,
        SlackStandIn(*script) as slack,
        MailStandIn() as mails,
    ):
        yield World(path, sandbox, slack, mails)


async def test_a_slack_that_is_gone_is_told_by_mail_once_and_what_it_missed_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, GONE) as it, it.serving() as running:
        it.sandbox.set({"numbers.remaining": 1})
        firing = ["critical guard.channel_failing / ops", "critical numbers-remaining"]
        await until(lambda: it.mailed == firing)
        assert running._health.failing.keys() == {"ops"}
        assert not running._health.is_failing
        store = running.parts.store
        await store.run(lambda unit: revive(unit, "ops"))
        await until(lambda: len(it.mailed) == 3)
        assert it.mailed == [*firing, "resolved guard.channel_failing / ops"]
        assert [marked(post["text"]) for post in it.slack.shown] == ["critical"]
        await until(lambda: not running._health.failing)
        assert (await kinds(store, key=OPS)).count(EventKind.FIRED) == 1
    names = [name for name, _ in logged(caplog) if name.startswith("channel.")]
    assert names == ["channel.failing", "channel.recovered"]


async def test_an_incident_of_a_channel_outlives_a_start(tmp_path: Path) -> None:
    async with world(tmp_path, GONE) as it:
        it.sandbox.set({"numbers.remaining": 1})
        async with it.serving():
            await until(lambda: len(it.mailed) == 2)
        async with it.serving() as running:
            await until(lambda: bool(running._health.failing))
            assert (await kinds(running.parts.store, key=OPS)).count(EventKind.FIRED) == 1
            assert len(it.mailed) == 2


async def test_a_pass_for_cron_tells_of_it_in_the_same_pass(tmp_path: Path) -> None:
    async with world(tmp_path, GONE) as it:
        it.sandbox.set({"numbers.remaining": 2})
        async with it.parts() as parts:
            assert await run_once(parts) == ExitCode.CRITICAL
        assert it.mailed == ["critical guard.channel_failing / ops", "warning numbers-remaining"]
        async with it.parts() as parts:
            await parts.store.run(lambda unit: revive(unit, "ops"))
            assert await run_once(parts) == ExitCode.FIRING
            assert await parts.store.run(lambda unit: unit.deliveries(states=(DeliveryState.DEAD,))) == []
        assert it.mailed[1:2] == ["resolved guard.channel_failing / ops"]


async def test_a_pass_that_is_out_of_time_leaves_it_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guard.once.BEGIN_S", 0.0)
    async with world(tmp_path, GONE) as it:
        async with it.parts() as parts:
            await run_once(parts)
        it.sandbox.set({"numbers.remaining": 1})
        async with it.parts() as parts:
            await run_once(parts)
        assert it.mailed == []
