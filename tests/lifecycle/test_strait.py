"""How a channel does, by its deliveries."""

from dataclasses import replace
from datetime import timedelta

import pytest

from guard.lifecycle.strait import BEHIND_AFTER, Strait, strait
from guard.model import CallKind, Cover, Delivery, DeliveryState
from tests.builders import KEY, NOW, delivery, knowledge

SECOND = timedelta(seconds=1)
DEAD = replace(delivery(), state=DeliveryState.DEAD, attempts=1, settled_at=NOW, why="no_service")
WAITS = replace(delivery(), state=DeliveryState.PENDING, attempts=3, due_at=NOW + SECOND, why="it answered 503")
OLD = replace(WAITS, created_at=NOW - BEHIND_AFTER)


def found(*deliveries: Delivery) -> Strait:
    return strait("ops", deliveries, now=NOW)


def test_a_channel_to_which_nothing_is_to_be_sent_is_clear() -> None:
    assert found() == Strait("ops")
    assert found(replace(DEAD, call=CallKind.EDIT)) == Strait("ops")


@pytest.mark.parametrize(
    "harmless",
    [
        replace(OLD, created_at=OLD.created_at + SECOND),
        replace(OLD, due_at=NOW),
        replace(OLD, attempts=0),
        replace(OLD, state=DeliveryState.SENDING, attempts=1),
        replace(OLD, created_at=NOW + timedelta(days=1)),
        replace(OLD, call=CallKind.EDIT),
    ],
    ids=["too young", "due now", "never tried", "being sent for the first time", "the clock went back", "an edit"],
)
def test_a_channel_is_not_called_behind_too_early(harmless: Delivery) -> None:
    assert not found(harmless).is_failing


def test_a_channel_is_behind_as_soon_as_its_oldest_message_is() -> None:
    assert found(OLD, WAITS).late == ("",)
    assert found(OLD, WAITS).oldest_at == OLD.created_at


def test_what_was_refused_speaks_before_what_is_late() -> None:
    both = found(OLD, DEAD)
    assert (both.refused, both.late, both.why, both.dead) == (("",), ("",), "no_service", 1)
    assert found(OLD).why == "it answered 503"


def test_it_is_known_when_a_channel_failed_last() -> None:
    early, late = (replace(OLD, attempted_at=NOW - seconds * SECOND) for seconds in (90, 30))
    assert found(early, replace(late, key="k2")).failed_at == late.attempted_at
    assert found(WAITS).failed_at is None


def test_recipients_are_told_apart() -> None:
    ann, ben = replace(DEAD, recipient="ann"), replace(WAITS, key="k2", recipient="ben")
    first = replace(WAITS, key="k3", recipient="cy", attempts=0)
    assert found(ben, ann, first).refused == ("ann",)
    assert found(ben, ann, first).tried == {"ann", "ben"}
    assert found(ben, ann, first).unreached == {"ben"}


def test_each_alert_that_waits_is_counted_once() -> None:
    covers = (Cover(KEY, knowledge()), Cover(replace(KEY, account="other"), knowledge()))
    assert found(replace(DEAD, covers=covers), replace(WAITS, covers=covers[:1])).alerts == 2
