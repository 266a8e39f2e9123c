"""Wishing: what the channels should know after one cycle's steps, with the mutes that are in force."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from guard.lifecycle.desired import Wishes, desire
from guard.lifecycle.mutes import Mutes
from guard.lifecycle.step import Step
from guard.model import NO_DATA, Account, Alert, AlertKey, Notification
from guard.rules.policy import Policy


class Wishing:
    """The wishes of one account's alerts.

    The stored notifications are read when they are first asked for: an account at rest needs none.
    """

    def __init__(
        self,
        account: Account,
        notifications: Callable[[], Iterable[Notification]],
        mutes: Mutes,
        *,
        now: datetime,
        reminders_wait: bool = False,
    ) -> None:
        """Takes how the asking goes, and whether nobody is to be reminded whatever that is.

        `mutes` hold the acks of all incidents that go on.
        """
        self._account = account
        self._notifications = notifications
        self._mutes = mutes
        self._now = now
        self._all_wait = reminders_wait
        self._by_key: dict[AlertKey, list[Notification]] | None = None

    def worded(self, alert: Alert, policy: Policy) -> Alert:
        """The alert, in whose wording are its ack and its silence too: messages show them beside the rule's words."""
        reading = alert.reading
        if alert.incident is None or alert.level is None or reading is None:
            return alert
        ack = self._mutes.ack(alert, now=self._now)
        silence = self._mutes.silence(alert.key, policy.labels, alert.level, now=self._now)
        shown = [f"ack {ack.id}"] if ack else []
        shown += [f"silence {silence.id}"] if silence else []
        wording = "|".join([reading.wording.partition("|")[0], *shown])
        return alert if wording == reading.wording else replace(alert, reading=replace(reading, wording=wording))

    def of(self, before: Alert, done: Step, policy: Policy) -> Wishes:
        """What every channel should know after a step from `before`."""
        alert = done.alert
        ended = done.closed.id if done.closed else ""
        if not ended and before.flapping is not None and alert.flapping is None:
            ended = before.flapping.incident_id
        if alert.incident is None and not ended:
            return Wishes()
        return desire(
            alert,
            policy,
            self._of(alert.key),
            now=self._now,
            ended=ended,
            reminders_wait=self._reminders_wait(alert),
            hold=lambda level: self._mutes.hold(alert.key, policy, level, now=self._now),
        )

    def _reminders_wait(self, alert: Alert) -> bool:
        """Whether nobody is to be reminded: it is not known how things stand, or somebody has seen it."""
        is_lost = self._account.lost and alert.key.rule != NO_DATA
        return self._all_wait or is_lost or self._mutes.ack(alert, now=self._now) is not None

    def _of(self, key: AlertKey) -> Sequence[Notification]:
        if self._by_key is None:
            self._by_key = {}
            for notification in self._notifications():
                self._by_key.setdefault(notification.key, []).append(notification)
        return self._by_key.get(key, ())
