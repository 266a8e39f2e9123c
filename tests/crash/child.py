"""The process under fire: the real `guard run`, sped up, with store and notifiers wrapped so that it fails on a point.

A point is a moment around a durable step: `inside` its transaction before the commit, or `after` it. Behind a colon
stands the call that the step is about. At a point it is killed, or raises, or hangs: the last two once.
"""

import asyncio
import os
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

import guard.clock
import guard.lifecycle.flapping
import guard.service
from guard.__main__ import main
from guard.lifecycle.decide import Decision
from guard.model import CallKind, DeliveryState, EventKind
from guard.notify.mail import EmailNotifier
from guard.notify.notifier import Call, Edit, Outcome, Post, Reply, Retry, Sent
from guard.notify.slack_bot import SlackBotNotifier
from guard.notify.slack_webhook import SlackWebhookNotifier
from guard.outbox.deliver import Outbox, _write_settled
from guard.outbox.settle import settled
from guard.store import Store, Unit
from tests.crash.channels import Kind
from tests.crash.power import sync_as_normal, watch

SPEED: Final = 50.0
HUNG_S: Final = 0.2  # between two rounds of the watchdog, which gives up after twelve

_DECIDE: Final = ("decide.inside", "decide.after")
_CALL: Final = ("begin.inside", "begin.after", "send.after", "settle.inside", "settle.after")


def _around(*calls: CallKind) -> tuple[str, ...]:
    return tuple(f"{moment}:{call}" for call in calls for moment in _CALL)


def _looked_for(*calls: CallKind) -> tuple[str, ...]:
    """Two deaths, one after the other: in an attempt, and while that is looked for."""
    arrived = (f"send.after:{call}+{moment}:{call}" for call in calls for moment in ("find.after", "settle.inside"))
    absent = (f"begin.after:{call}+{moment}:{call}" for call in calls for moment in ("absent.inside", "absent.after"))
    return (*arrived, *absent)


POINTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.WEBHOOK: (*_DECIDE, *_around(CallKind.POST)),
    Kind.BOT: (*_DECIDE, *_around(*CallKind), *_looked_for(CallKind.POST, CallKind.REPLY)),
    Kind.MAIL: (*_DECIDE, *_around(CallKind.POST, CallKind.REPLY)),
}
"""By channel: the points at which to die; where there is a plus, in one life after another."""


class Act(StrEnum):
    """What happens at a point."""

    KILL = "kill"
    RAISE = "raise"
    HANG = "hang"


class DefectError(Exception):
    """What nobody planned."""


@dataclass(slots=True)
class Fire:
    """What breaks out at one point after another, once at each."""

    points: list[str]
    act: Act

    def breaks_out(self, point: str) -> bool:
        """Whether the caller is to hang for ever; a kill does not return, and the third way raises DefectError."""
        if point not in self.points[:1]:
            return False
        del self.points[0]
        if self.act is Act.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act is Act.RAISE:
            raise DefectError(point)
        return True

    async def meet(self, point: str) -> None:
        """Breaks out in a task of the loop, if this is the point."""
        if self.breaks_out(point):
            await asyncio.Event().wait()


_NOTIFIERS: Final = (SlackWebhookNotifier, SlackBotNotifier, EmailNotifier)
_CALLS: Final[Mapping[type[Call], CallKind]] = {Post: CallKind.POST, Reply: CallKind.REPLY, Edit: CallKind.EDIT}


def run(
    rules: Path,
    *,
    origin: tuple[datetime, float],
    seed: int,
    point: str = "",
    act: Act = Act.KILL,
    mark_first: bool = False,
    no_find: bool = False,
    power: bool = False,
    normal: bool = False,
) -> int:
    """Runs the service and gives its exit code; the environment names the database and the secrets.

    `origin` makes the clocks of one child after another a single one that never goes back.
    """
    random.seed(seed)  # a fork inherits the parent's state, and then every child would roll the same dice
    guard.clock.Clock = partial(guard.clock.Clock, SPEED, *origin)  # type: ignore[misc,assignment] # the one wrapped class
    guard.service.PULSE_S = 1 / SPEED  # type: ignore[misc] # as fast as the clock
    # What flaps is not told of each time, and a story this fast flaps: here each incident is to be told.
    guard.lifecycle.flapping.INCIDENTS = 1_000_000  # type: ignore[misc]
    if act is Act.HANG:
        guard.service.WATCH_S = guard.service.DRAIN_S = HUNG_S  # type: ignore[misc] # a minute would be long here
    if point:
        _break_at(Fire(point.split("+"), act))
    if mark_first:
        _mark_first()
    if no_find:
        _find_nothing()
    if normal:
        sync_as_normal()
    if power:
        watch(Path(os.environ["GUARD_DATABASE"]))
    return main(["run", "--rules", str(rules)])


def now_origin() -> tuple[datetime, float]:
    """Where a clock that all children share begins."""
    clock = guard.clock.Clock()
    return clock.wall_now().astimezone(UTC), clock.monotonic_s()


def _point(work: Callable[[Unit], Any], result: Any, when: str) -> str:
    """The point at which a transaction stands; empty if it does nothing that the drill is about."""
    name = getattr(getattr(work, "func", work), "__name__", "")
    if isinstance(result, Decision):
        return f"decide.{when}" if any(event.kind is EventKind.FIRED for event in result.events) else ""
    if name == "_begin" and result is not None and result.call is not None:
        return f"begin.{when}:{result.delivery.call}"
    step = {"_write_settled": "settle", "_write_absent": "absent"}.get(name)
    return f"{step}.{when}:{work.keywords['delivery'].call}" if step and isinstance(work, partial) else ""


def _break_at(fire: Fire) -> None:
    run_in_store, find = Store.run, SlackBotNotifier.find

    async def burning_run(self: Store, work: Callable[[Unit], Any]) -> Any:
        def burning_work(unit: Unit) -> Any:
            result = work(unit)
            if fire.breaks_out(_point(work, result, "inside")):
                threading.Event().wait()  # and the store's one thread with it
            return result

        result = await run_in_store(self, burning_work)
        await fire.meet(_point(work, result, "after"))
        return result

    async def burning_find(self: SlackBotNotifier, *, key: str, thread: str, attempted_at: datetime) -> Any:
        found = await find(self, key=key, thread=thread, attempted_at=attempted_at)
        await fire.meet(f"find.after:{CallKind.REPLY if thread else CallKind.POST}")
        return found

    Store.run = burning_run  # type: ignore[method-assign] # the wrap
    SlackBotNotifier.find = burning_find  # type: ignore[method-assign] # the wrap
    for kind in _NOTIFIERS:
        kind.deliver = _burning(kind.deliver, fire)  # type: ignore[method-assign,assignment] # the wrap


def _burning(deliver: Callable[..., Awaitable[Outcome]], fire: Fire) -> Callable[..., Awaitable[Outcome]]:
    async def burning_deliver(self: object, call: Call, *, key: str) -> Outcome:
        outcome = await deliver(self, call, key=key)
        await fire.meet(f"send.after:{_CALLS[type(call)]}")
        return outcome

    return burning_deliver


def _mark_first() -> None:
    """The order turned round, which a harness worth its name must notice: marked as sent, and only then sent."""
    make = Outbox._make

    async def marking_make(self: Outbox, attempt: Any) -> Outcome | None:
        now = self.clock.now()
        after, kind = settled(attempt.delivery, Sent(), now=now, jitter=0)
        assert after.state is DeliveryState.SENT
        await self.store.run(partial(_write_settled, delivery=after, kind=kind, is_news=True, receipt="", now=now))
        return await make(self, attempt)

    Outbox._make = marking_make  # type: ignore[method-assign] # the turned order


def _find_nothing() -> None:
    """A bot that says of nothing that it has arrived: then copies must show."""

    async def find(self: SlackBotNotifier, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        return None

    SlackBotNotifier.find = find  # type: ignore[method-assign] # the wrap
