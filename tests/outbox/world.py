"""The outbox over a real database and channels without a wire, in one thread: with crashes, starts and time by hand."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from guard.config import Config, recipients_of
from guard.config.watched import watched_on
from guard.cycle import recall, retire_gone, save
from guard.cycle.record import within
from guard.errors import StorageError
from guard.lifecycle.decide import Decision, decide
from guard.lifecycle.desired import gap
from guard.model import Alert, AlertKey, Delivery, DeliveryState, Event, Failure, FailureKind, Notification
from guard.outbox import Outbox, Receiver, recover
from guard.outbox.plan import OPEN
from guard.outbox.recover import readdress
from guard.rules.policy import Policy
from guard.store import Store, Unit
from guard.store.database import Database
from tests.builders import snapshot
from tests.outbox.book import RULES, Edit, book
from tests.outbox.receivers import BotReceiver, CrashError, MailReceiver, WebhookReceiver
from tests.outbox.receivers import Receiver as Channel
from tests.stand_ins.clock import HandClock
from tests.wiring import only

T = TypeVar("T")


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
    edits: AbstractSet[Edit] = frozenset()  # of the rule file
    mended: int = 0  # how often the channels' settings were changed

    def __post_init__(self) -> None:
        self.store = OneThread(Database(self.path, create=False))
        kinds: dict[str, type[Channel]] = {"bot": BotReceiver, "hook": WebhookReceiver, "mail": MailReceiver}
        self.channels = {name: kind(name, self.clock, self.delivery) for name, kind in kinds.items()}
        self.values: list[float | None] = [0.0] * RULES  # None: there is no such field
        self.start(frozenset())

    @property
    def bot(self) -> BotReceiver:
        bot = self.channels["bot"]
        assert isinstance(bot, BotReceiver)
        return bot

    def start(self, edits: AbstractSet[Edit]) -> None:
        """Begins with what is stored, and an outbox that remembers nothing."""
        self.edits = edits
        self.store.dies_at = self.store.refuses = ""
        self.outbox = Outbox(self.store, self.channels, lambda _: UTC, self.clock)
        self.store.now(partial(self._take_effect, recover))

    def restart(self) -> None:
        """The same once more."""
        self.start(self.edits)

    def reload(self, edits: AbstractSet[Edit]) -> None:
        """Another rule file takes effect while nothing is being sent."""
        self.edits = edits
        self.store.now(partial(self._take_effect, readdress))

    def _take_effect(self, make_ready: Callable[..., None], unit: Unit) -> None:
        now = self.clock.now()
        retire_gone(unit, {only(self.config).name: only(self.config)}, now=now)
        receivers = {
            name: Receiver(f"{name} {self.mended}", self.recipients(name), finds=channel.finds)
            for name, channel in self.channels.items()
            if name in self.config.channels
        }
        make_ready(unit, receivers, now=now)

    @property
    def config(self) -> Config:
        return book(self.edits)

    @property
    def account(self) -> str:
        return only(self.config).name

    @property
    def policies(self) -> dict[str, Policy]:
        """Of the rules, by name."""
        watched = watched_on(only(self.config), every=only(self.config).every)
        return {each.rule: each for each in (watched.no_data, *(rule.policy for rule in watched.rules))}

    def recipients(self, channel: str) -> tuple[str, ...]:
        return recipients_of(self.config.channels[channel]) if channel in self.config.channels else ()

    def cycle(self, *, answers: bool = True) -> Decision:
        """The account is asked, and says how high the values are."""
        return self.store.now(partial(self._decide, answers))

    def _decide(self, answers: bool, unit: Unit) -> Decision:
        account, now = only(self.config), self.clock.now()
        values = {f"stats.probe{number}": value for number, value in enumerate(self.values) if value is not None}
        answer = snapshot({"numbers.used": 7, **values}, account=account.name, at=now)
        decision = decide(
            watched_on(account, every=account.every),
            within(unit, recall(unit, account, now=now), now=now),
            answer if answers else Failure(FailureKind.UNREACHABLE, "no answer"),
            now=now,
            jitter=1,
        )
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

    def events(self) -> list[Event]:
        """The last ones, newest first."""
        return self.store._database.run(lambda unit: unit.events(limit=10_000))

    def waiting(self, channel: str) -> list[Notification]:
        waiting: Iterable[Notification] = self.store._database.run(lambda unit: unit.waiting(channel))
        return [each for each in waiting if gap(each.desired, each.notified)]

    def outdated(self) -> list[Notification]:
        return [each.notification for each in self.store._database.run(lambda unit: unit.outdated("bot"))]
