"""A storm: what a channel has to wait with until the pass that raised it is over.

In one pass over an account and its sub-accounts a channel's first alerts go out at once. From the next one on they
wait for the end of the pass, to be one digest. All this is in memory alone: after a crash all that waits counts at
once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from guard.lifecycle.desired import gap
from guard.model import AlertKey, Notification, master_name
from guard.outbox.plan import SINGLE_MESSAGES


@dataclass(slots=True)
class _Raised:
    """What one pass raised on one channel."""

    at_once: set[AlertKey] = field(default_factory=set)
    held: set[AlertKey] = field(default_factory=set)


@dataclass(slots=True)
class Storm:
    """The passes that go on. Notes and questions come from the store's thread, ends from the loop's."""

    _raised: dict[tuple[str, str], _Raised] = field(default_factory=dict)  # by master account and channel

    def note(self, master: str, notifications: Iterable[Notification]) -> None:
        """Notes what a cycle of the running pass over `master` made its channels wait for.

        Of what one cycle raises the worst comes first, so that nothing critical waits behind what is less, or over.
        """
        for each in sorted(notifications, key=_urgency):
            if gap(each.desired, each.notified) is None:  # as what a silence holds back
                continue
            raised = self._raised.setdefault((master, each.channel), _Raised())
            if each.key in raised.at_once or len(raised.at_once) < SINGLE_MESSAGES:
                raised.at_once.add(each.key)
            else:
                raised.held.add(each.key)

    def end(self, master: str) -> bool:
        """The pass over `master` is over, and nothing of it is held any longer; whether something was."""
        # A copy in one step: the store's thread may be noting something.
        ended = [self._raised.pop(place) for place in list(self._raised) if place[0] == master]
        return any(raised.held for raised in ended)

    def holds(self, notification: Notification) -> bool:
        """Whether its channel has to wait with this one."""
        raised = self._raised.get((master_name(notification.key.account), notification.channel))
        return raised is not None and notification.key in raised.held


def _urgency(notification: Notification) -> tuple[bool, int]:
    desired = notification.desired
    return (desired is None or desired.ended, -desired.level if desired else 0)
