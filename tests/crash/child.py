"""The process to be killed: the real `guard run`, sped up, with store and notifier wrapped so that it dies on a point.

A point is a moment around a durable step: `inside` its transaction before the commit, or `after` it.
"""

import os
import random
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import guard.clock
import guard.service
from guard.__main__ import main
from guard.lifecycle.decide import Decision
from guard.model import DeliveryState, EventKind
from guard.notify.notifier import Call, Outcome, Sent
from guard.notify.slack_webhook import SlackWebhookNotifier
from guard.outbox.deliver import Outbox, _write_settled
from guard.outbox.settle import settled
from guard.store import Store, Unit

SPEED: Final = 50.0
POINTS: Final = (
    "decide.inside",
    "decide.after",
    "begin.inside",
    "begin.after",
    "send.after",
    "settle.inside",
    "settle.after",
)
_STEPS: Final = {"_commit": "decide", "_begin": "begin", "_write_settled": "settle"}


def run(rules: Path, *, origin: tuple[datetime, float], seed: int, point: str = "", mark_first: bool = False) -> int:
    """Runs the service and gives its exit code; the environment names the database and the secrets.

    `origin` makes the clocks of one child after another a single one that never goes back.
    """
    random.seed(seed)  # a fork inherits the parent's state, and then every child would roll the same dice
    guard.clock.Clock = partial(guard.clock.Clock, SPEED, *origin)  # type: ignore[misc,assignment] # the one wrapped class
    guard.service.PULSE_S = 1 / SPEED  # type: ignore[misc] # as fast as the clock
    if point:
        _die_at(point)
    if mark_first:
        _mark_first()
    return main(["run", "--rules", str(rules)])


def now_origin() -> tuple[datetime, float]:
    """Where a clock that all children share begins."""
    clock = guard.clock.Clock()
    return clock.wall_now().astimezone(UTC), clock.monotonic_s()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _matters(result: object) -> bool:
    """Whether a transaction did what the drill is about: fired, or began an attempt, or settled one."""
    if isinstance(result, Decision):
        return any(event.kind is EventKind.FIRED for event in result.events)
    return result is not None


def _die_at(point: str) -> None:
    run_in_store, deliver = Store.run, SlackWebhookNotifier.deliver

    async def dying_run(self: Store, work: Callable[[Unit], Any]) -> Any:
        step = _STEPS.get(getattr(getattr(work, "func", work), "__name__", ""), "")

        def dying_work(unit: Unit) -> Any:
            result = work(unit)
            if point == f"{step}.inside" and (step == "settle" or _matters(result)):
                _die()
            return result

        result = await run_in_store(self, dying_work)
        if point == f"{step}.after" and (step == "settle" or _matters(result)):
            _die()
        return result

    async def dying_deliver(self: SlackWebhookNotifier, call: Call, *, key: str) -> Outcome:
        outcome = await deliver(self, call, key=key)
        if point == "send.after":
            _die()
        return outcome

    Store.run = dying_run  # type: ignore[method-assign] # the wrap
    SlackWebhookNotifier.deliver = dying_deliver  # type: ignore[method-assign] # the wrap


def _mark_first() -> None:
    """The order turned round, which a harness worth its name must notice: marked as sent, and only then sent."""
    make: Callable[..., Awaitable[Outcome]] = Outbox._make

    async def marking_make(self: Outbox, attempt: Any) -> Outcome:
        now = self.clock.now()
        after, kind = settled(attempt.delivery, Sent(), now=now, jitter=0)
        assert after.state is DeliveryState.SENT
        await self.store.run(partial(_write_settled, delivery=after, kind=kind, is_news=True, receipt="", now=now))
        return await make(self, attempt)

    Outbox._make = marking_make  # type: ignore[method-assign] # the turned order
