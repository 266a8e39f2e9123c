"""The outbox over a real database and channels without a wire, in one thread: with crashes, starts and time by hand."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

from guard.config import Config, load, recipients_of
from guard.config.watched import watched_on
from guard.cycle import recall, retire_gone, save
from guard.errors import StorageError
from guard.lifecycle.decide import Decision, decide
from guard.lifecycle.desired import gap
from guard.model import Alert, AlertKey, Delivery, DeliveryState, Notification
from guard.outbox import Outbox, Receiver, recover
from guard.outbox.plan import OPEN
from guard.store import Store, Unit
from guard.store.database import Database
from tests.builders import snapshot
from tests.outbox.receivers import BotReceiver, CrashError, MailReceiver, WebhookReceiver
from tests.outbox.receivers import Receiver as Channel
from tests.stand_ins.clock import HandClock
from tests.wiring import only

T = TypeVar("T")

CHANNELS: Final = ("bot", "hook", "mail")
RULES: Final = 5
BOTH: Final = ("ann@example.com", "ben@example.com")
_HEAD: Final = """
[accounts.main]
api_key = "${SECRET}"
[channels.bot]
kind = "slack"
token = "${SECRET}"
channel = "#ops"
[channels.hook]
kind = "slack"
webhook_url = "${URL}"
[channels.mail]
kind = "email"
host = "localhost"
security = "none"
from = "guard@example.com"
"""
_DEFAULTS: Final = """
[defaults]
notify = ["bot", "hook", "mail"]
remind = { critical = "4h", warning = "off" }
"""
_ROUTES: Final[Mapping[int, str]] = {
    1: 'keep_firing_for = "5m"',
    3: 'notify = { warning = ["bot"], critical = ["bot", "mail"] }',
}


@cache
def configured(*, rules: int, recipients: tuple[str, ...]) -> Config:
    """So many of the rules, each about a field of its own, which fires above 1 and is critical above 2."""
    text = f"{_HEAD}to = {list(recipients)}\n{_DEFAULTS}"
    for number in range(rules):
        text += f'[rules.r{number}]\nvalue = "stats.probe{number}"\nwarning = "> 1"\ncritical = "> 2"\n'
        text += _ROUTES.get(number, "") + "\n"
    loaded = load(text, path="rules.toml", secret={"SECRET": "xoxb-1", "URL": "https://example.com/x"}.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def done(work: Coroutine[Any, Any, T]) -> T:
    """The result of what never has to wait."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise AssertionError("it waits")


class OneThread(Store):
    """A store whose work is done at once, and which can die at the next step of an outbox, or refuse it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ThreadPoolExecutor(1))  # whose thread is never started
        self.dies_at = ""  # `begin.inside`: before the commit; `begin.after`
        self.refuses = ""  # `settle`

    async def run(self, work: Callable[[Unit], T]) -> T:
        return self.now(work)

    def now(self, work: Callable[[Unit], T]) -> T:
        name = getattr(getattr(work, "func", work), "__name__", "")
        step = {"_begin": "begin", "_write_settled": "settle", "_write_absent": "settle"}.get(name, "")
        if step and self.refuses == step:
            self.refuses = ""
            raise StorageError("the disk is full")

        def dying(unit: Unit) -> T:
            result = work(unit)
            if self.dies_at == f"{step}.inside" and (result is not None or step == "settle"):
                raise CrashError
            return result

        result = self._database.run(dying)
        if self.dies_at == f"{step}.after" and (result is not None or step == "settle"):
            raise CrashError
        return result


@dataclass
class World:
    """One account, five rules, three channels."""

    path: Path  # of a database that is there already
    clock: HandClock = field(default_factory=HandClock)
    store: OneThread = field(init=False)
    channels: dict[str, Channel] = field(init=False)
    outbox: Outbox = field(init=False)
    config: Config = field(init=False)
    mended: int = 0  # how often the channels' settings were changed

    def __post_init__(self) -> None:
        self.store = OneThread(Database(self.path, create=False))
        kinds: dict[str, type[Channel]] = {"bot": BotReceiver, "hook": WebhookReceiver, "mail": MailReceiver}
        self.channels = {name: kind(name, self.clock, self.delivery) for name, kind in kinds.items()}
        self.values = [0.0] * RULES
        self.start(rules=RULES, recipients=BOTH)

    @property
    def bot(self) -> BotReceiver:
        bot = self.channels["bot"]
        assert isinstance(bot, BotReceiver)
        return bot

    def start(self, *, rules: int, recipients: tuple[str, ...]) -> None:
        """Begins with what is stored, and an outbox that remembers nothing."""
        self.config = configured(rules=rules, recipients=recipients)
        self.store.dies_at = self.store.refuses = ""
        self.outbox = Outbox(self.store, self.channels, lambda _: UTC, self.clock)
        self.store.now(self._make_ready)

    def restart(self) -> None:
        """The same once more."""
        self.start(rules=len(only(self.config).rules), recipients=self.recipients("mail"))

    def _make_ready(self, unit: Unit) -> None:
        now = self.clock.now()
        retire_gone(unit, {"main": only(self.config)}, now=now)
        receivers = {
            name: Receiver(f"{name} {self.mended}", self.recipients(name), finds=channel.finds)
            for name, channel in self.channels.items()
        }
        recover(unit, receivers, now=now)

    def recipients(self, channel: str) -> tuple[str, ...]:
        return recipients_of(self.config.channels[channel])

    def cycle(self) -> Decision:
        """The account is asked, and says how high the values are."""
        values = {f"stats.probe{number}": value for number, value in enumerate(self.values)}
        return self.store.now(partial(self._decide, values))

    def _decide(self, values: Mapping[str, float], unit: Unit) -> Decision:
        account, now = only(self.config), self.clock.now()
        watched = watched_on(account, every=account.every)
        memory = recall(unit, account, now=now)
        known = replace(memory, notifications=partial(unit.notifications, account.name))
        decision = decide(watched, known, snapshot(values, at=now), now=now, jitter=1)
        save(unit, decision)
        return decision

    def sends(self, channel: str) -> None:
        """Makes all attempts that are due on a channel."""
        for _ in range(60):
            if not self.attempts(channel):
                return
        raise AssertionError(f"{channel} never rests")

    def attempts(self, channel: str) -> bool:
        """Makes the one attempt that is due on a channel, if there is one; a database that refuses is asked again."""
        try:
            return done(self.outbox.attempt(channel))
        except StorageError:
            return True

    # --- what is stored --------------------------------------------------------------------------------------------

    def delivery(self, key: str) -> Delivery:
        """One that is being sent."""
        (found,) = (each for each in self.deliveries(DeliveryState.SENDING) if each.key == key)
        return found

    def deliveries(self, *states: DeliveryState) -> list[Delivery]:
        return self.store._database.run(lambda unit: unit.deliveries(states=states or OPEN))

    def alerts(self) -> Mapping[AlertKey, Alert]:
        return self.store._database.run(lambda unit: unit.alerts())

    def notifications(self) -> list[Notification]:
        return self.store._database.run(lambda unit: unit.notifications())

    def waiting(self, channel: str) -> list[Notification]:
        waiting: Iterable[Notification] = self.store._database.run(lambda unit: unit.waiting(channel))
        return [each for each in waiting if gap(each.desired, each.notified)]

    def outdated(self) -> list[Notification]:
        return [each for each, _ in self.store._database.run(lambda unit: unit.outdated("bot"))]
