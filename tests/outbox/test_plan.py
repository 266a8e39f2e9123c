"""What the outbox plans and how it settles, without any channel."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from guard.model import (
    AlertKey,
    CallKind,
    Cover,
    Delivery,
    DeliveryState,
    EventKind,
    Knowledge,
    Level,
    Notification,
    Outdated,
    Root,
)
from guard.notify.notifier import Gone, Outcome, Rejected, Retry, Sent, Unsure
from guard.outbox.plan import Errand, Plan, Target, delivery_key, edit, plan
from guard.outbox.recipient import turns
from guard.outbox.settle import settled
from tests.builders import KEY, MINUTE, NOW, at, delivery, knowledge, notification

W, C = Level.WARNING, Level.CRITICAL
OPS = Target("ops")


def keys(count: int) -> list[AlertKey]:
    return [AlertKey("main", f"rule-{n}") for n in range(count)]


def waits(key: AlertKey = KEY, level: Level = W, **changes: object) -> Notification:
    return notification(key, desired=knowledge(level, **changes))


def covering(*waiting: Notification, **changes: object) -> Delivery:
    covers = tuple(Cover(each.key, each.desired) for each in waiting if each.desired)
    return delivery(key=delivery_key(OPS, Errand(covers)), covers=covers, **changes)


def planned(waiting: Sequence[Notification], *deliveries: Delivery, minutes: float = 0) -> Plan:
    return plan(OPS, waiting, deliveries, now=at(minutes))


def test_nothing_waiting_plans_nothing() -> None:
    assert planned([]) == Plan()


def test_one_state_is_one_message_due_now() -> None:
    assert planned([waits()]) == Plan((covering(waits(), due_at=NOW),))


def test_three_go_singly_and_four_as_one_digest() -> None:
    three = [waits(key, incident_id=key.rule) for key in keys(3)]
    assert [len(each.covers) for each in planned(three).deliveries] == [1, 1, 1]
    four = [waits(key) for key in keys(4)]
    assert [len(each.covers) for each in planned(four).deliveries] == [4]


def test_a_rule_that_gets_another_name_sends_nothing_twice() -> None:
    old, new = keys(2)
    sent = covering(waits(old))
    assert planned([waits(new)], sent) == Plan()


def test_the_worst_comes_first_and_what_ended_last() -> None:
    low, high, over = keys(3)
    waiting = [waits(over, C, ended=True), waits(low, W), waits(high, C)]
    assert [each.covers[0].key for each in planned(waiting).deliveries] == [high, low, over]


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.DEAD])
def test_a_state_that_is_covered_is_not_planned_again(state: DeliveryState) -> None:
    assert planned([waits()], covering(waits(), state=state, settled_at=NOW)) == Plan()


def test_what_waits_collapses_into_the_newest_truth_and_keeps_the_channels_backoff() -> None:
    old = covering(waits(), attempts=3, due_at=at(4))
    now = planned([waits(level=W, ended=True)], old, minutes=1)
    assert now.superseded == (old,)
    assert [(each.due_at, each.attempts) for each in now.deliveries] == [(at(4), 3)]


def test_what_replaces_another_is_as_old_as_that_one_so_that_it_is_given_up_in_time() -> None:
    old = covering(waits(), attempts=3, due_at=NOW)
    now = planned([waits(ended=True)], old, minutes=60)
    assert [each.created_at for each in now.deliveries] == [NOW]
    untried = planned([waits(ended=True)], covering(waits()), minutes=60)
    assert [each.created_at for each in untried.deliveries] == [at(60)]


def test_a_probe_after_the_clock_went_back_is_not_put_off() -> None:
    dead = covering(waits(), state=DeliveryState.DEAD, settled_at=NOW)
    assert len(planned([waits()], dead, minutes=-600).deliveries) == 1


def test_singles_that_wait_become_a_digest_when_a_fourth_joins() -> None:
    four = [waits(key) for key in keys(4)]
    old = [covering(each) for each in four[:3]]
    now = planned(four, *old)
    assert set(now.superseded) == set(old)
    assert [len(each.covers) for each in now.deliveries] == [4]


def test_what_is_no_longer_true_is_not_sent() -> None:
    old = covering(waits())
    assert planned([], old) == Plan((), (old,))


def test_a_dead_one_is_tried_again_after_an_hour_or_when_it_was_revived() -> None:
    dead = covering(waits(), state=DeliveryState.DEAD, settled_at=NOW)
    assert planned([waits()], dead, minutes=59) == Plan()
    probe = planned([waits()], dead, minutes=60)
    assert [(each.key, each.state) for each in probe.deliveries] == [(dead.key, DeliveryState.PENDING)]
    revived = planned([waits()], covering(waits(), state=DeliveryState.DEAD), minutes=1)
    assert len(revived.deliveries) == 1


def test_a_new_state_is_tried_although_an_older_one_is_dead_and_outdates_it() -> None:
    dead = covering(waits(), state=DeliveryState.DEAD, settled_at=NOW)
    now = planned([waits(level=C)], dead, minutes=1)
    assert now.superseded == (dead,)
    assert len(now.deliveries) == 1


def test_the_end_of_what_was_refused_is_not_told_before_it_is_time_to_try_again() -> None:
    dead, over = covering(waits(), state=DeliveryState.DEAD, settled_at=NOW), waits(ended=True)
    assert planned([over], dead, minutes=59) == Plan()
    revived = replace(dead, settled_at=None)
    for now in (planned([over], dead, minutes=60), planned([over], revived, minutes=1)):
        assert now.superseded == (replace(dead, settled_at=now.superseded[0].settled_at),)
        assert [each.covers for each in now.deliveries] == [covering(over).covers]


def test_the_end_of_what_was_told_is_told_although_its_rise_was_refused() -> None:
    dead = covering(waits(level=C), state=DeliveryState.DEAD, settled_at=NOW)
    over = replace(waits(level=C, ended=True), notified=knowledge(W))
    now = planned([over], dead, minutes=1)
    assert (now.superseded, len(now.deliveries)) == ((dead,), 1)


def test_the_end_of_what_may_have_arrived_is_told() -> None:
    dead = covering(waits(), state=DeliveryState.DEAD, settled_at=NOW, may_have_arrived=True)
    assert len(planned([waits(ended=True)], dead, minutes=1).deliveries) == 1


def test_a_dead_digest_stays_while_a_part_of_it_is_still_true() -> None:
    four = [waits(key) for key in keys(4)]
    dead = covering(*four, state=DeliveryState.DEAD, settled_at=NOW)
    now = planned([*four[:3], waits(four[3].key, C)], dead, minutes=1)
    assert now.superseded == ()
    assert [each.covers[0].key for each in now.deliveries] == [four[3].key]


def test_the_key_is_the_same_for_the_same_states_and_another_for_any_other() -> None:
    covers = tuple(Cover(key, knowledge()) for key in keys(2))
    base = delivery_key(OPS, Errand(covers))
    assert base == delivery_key(OPS, Errand(covers[::-1]))
    others = [
        delivery_key(Target("mail"), Errand(covers)),
        delivery_key(Target("ops", "x"), Errand(covers)),
        delivery_key(OPS, Errand(covers[:1])),
        delivery_key(OPS, Errand(covers, CallKind.REPLY, "1")),
        delivery_key(OPS, Errand(covers, CallKind.EDIT, "1")),
        delivery_key(OPS, Errand(covers, CallKind.EDIT, "2")),
        *(
            delivery_key(OPS, Errand((covers[0], Cover(covers[1].key, other))))
            for other in (knowledge(C), knowledge(ended=True), knowledge(reminders=1), knowledge(incident_id="inc2"))
        ),
    ]
    assert len({base, *others}) == len(others) + 1


SENDING = covering(waits(), state=DeliveryState.SENDING, attempts=1, attempted_at=NOW)


@pytest.mark.parametrize(
    ("outcome", "attempts", "minutes", "state", "kind", "wait_s"),
    [
        (Sent("1"), 1, 0, DeliveryState.SENT, EventKind.DELIVERED, None),
        (Rejected("no_service"), 1, 0, DeliveryState.DEAD, EventKind.DIED, None),
        (Retry("503"), 1, 0, DeliveryState.PENDING, EventKind.RETRIED, 1),
        (Retry("503"), 3, 0, DeliveryState.PENDING, EventKind.RETRIED, 4),
        (Retry("503"), 900, 0, DeliveryState.PENDING, EventKind.RETRIED, 300),
        (Retry("429", timedelta(seconds=77)), 1, 0, DeliveryState.PENDING, EventKind.RETRIED, 77),
        (Unsure("timeout"), 2, 0, DeliveryState.PENDING, EventKind.UNSURE, 2),
        (Retry("503"), 9, 24 * 60, DeliveryState.DEAD, EventKind.DIED, None),
        (Unsure("timeout"), 9, 24 * 60, DeliveryState.DEAD, EventKind.DIED, None),
        (Sent(), 9, 24 * 60, DeliveryState.SENT, EventKind.DELIVERED, None),
    ],
)
def test_an_outcome_settles_the_delivery(
    outcome: Outcome, attempts: int, minutes: float, state: DeliveryState, kind: EventKind, wait_s: float | None
) -> None:
    before = covering(waits(), state=DeliveryState.SENDING, attempts=attempts)
    after, event = settled(before, outcome, now=at(minutes), jitter=1)
    assert (after.state, event) == (state, kind)
    if wait_s is not None:
        assert after.due_at == at(minutes) + timedelta(seconds=wait_s)
    assert (after.settled_at == at(minutes)) is (state is not DeliveryState.PENDING)


def test_jitter_takes_up_to_half_of_the_wait() -> None:
    after, _ = settled(SENDING, Retry("503"), now=NOW, jitter=0)
    assert after.due_at == NOW + timedelta(seconds=0.5)
    assert after.due_at - NOW < MINUTE


# --- threads and edits ---------------------------------------------------------------------------------------------

THREAD = Target("ops", threads=True, edits=True)


def rooted(level: Level = W, *, incident_id: str = "inc1", ended: bool = False, **changes: object) -> Notification:
    return notification(root=Root(incident_id, "C1:1", level, ended), **changes)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds


def test_what_is_told_after_the_first_message_replies_to_it() -> None:
    waiting = rooted(desired=knowledge(C), notified=knowledge(W))
    (reply,) = plan(THREAD, [waiting], [], now=NOW).deliveries
    assert (reply.call, reply.receipt) == (CallKind.REPLY, "C1:1")
    (post,) = plan(OPS, [waiting], [], now=NOW).deliveries
    assert (post.call, post.receipt) == (CallKind.POST, "")


def test_another_incident_begins_a_thread_of_its_own() -> None:
    waiting = rooted(incident_id="inc0", ended=True, desired=knowledge(C))
    (post,) = plan(THREAD, [waiting], [], now=NOW).deliveries
    assert post.call is CallKind.POST


def test_a_digest_replies_to_nothing() -> None:
    waiting = [replace(rooted(desired=knowledge(C), notified=knowledge(W)), key=key) for key in keys(4)]
    (digest,) = plan(THREAD, waiting, [], now=NOW).deliveries
    assert digest.call is CallKind.POST


@pytest.mark.parametrize(
    ("shown", "level", "wanted"),
    [
        (rooted(W), C, knowledge(C)),
        (rooted(C), W, knowledge(W)),
        (rooted(W), None, knowledge(W, ended=True)),
        (rooted(W, desired=knowledge(C, ended=True)), None, knowledge(C, ended=True)),
        (rooted(W, desired=knowledge(C, incident_id="inc2")), None, knowledge(W, ended=True)),
    ],
    ids=["risen", "fallen", "over", "over at a level that was told meanwhile", "over, and another one fires"],
)
def test_the_message_of_an_incident_is_edited_to_its_alerts_state(
    shown: Notification, level: Level | None, wanted: Knowledge
) -> None:
    errand = Errand((Cover(KEY, wanted),), CallKind.EDIT, "C1:1", "words")
    assert edit(Outdated(shown, level, "words")) == errand


def test_other_words_make_another_edit_of_the_same_message() -> None:
    one = Errand((Cover(KEY, knowledge(W)),), CallKind.EDIT, "C1:1", "these words")
    (first,) = plan(THREAD, [], [], now=NOW, edits=[one]).deliveries
    assert first.wording == "these words"
    other = replace(one, wording="other words")
    planned = plan(THREAD, [], [first], now=at(1), edits=[other])
    assert [(each.wording, each.call) for each in planned.deliveries] == [("other words", CallKind.EDIT)]
    assert planned.superseded == (first,)


def test_words_that_are_back_before_the_edit_leave_nothing_to_do() -> None:
    errand = Errand((Cover(KEY, knowledge(W)),), CallKind.EDIT, "C1:1", "other words")
    (begun,) = plan(THREAD, [], [], now=NOW, edits=[errand]).deliveries
    assert plan(THREAD, [], [begun], now=at(1)) == Plan((), (begun,))


def test_an_edit_into_other_words_that_may_have_been_made_is_made_again_although_they_are_back() -> None:
    errand = Errand((Cover(KEY, knowledge(W)),), CallKind.EDIT, "C1:1", "other words")
    (begun,) = plan(THREAD, [], [], now=NOW, edits=[errand]).deliveries
    assert plan(THREAD, [], [replace(begun, may_have_arrived=True)], now=at(1)) == Plan()


def test_an_edit_comes_just_before_the_reply_and_other_edits_after_all_messages() -> None:
    told, lowered = keys(2)
    waiting = replace(rooted(desired=knowledge(C), notified=knowledge(W)), key=told)
    messages = {lowered: "C1:2", told: "C1:1"}
    edits = [Errand((Cover(key, knowledge(C)),), CallKind.EDIT, receipt) for key, receipt in messages.items()]
    planned = plan(THREAD, [waiting], [], now=NOW, edits=edits).deliveries
    order = [(each.covers[0].key, each.call) for each in turns(planned)]
    assert order == [(told, CallKind.EDIT), (told, CallKind.REPLY), (lowered, CallKind.EDIT)]


def test_an_edit_that_is_refused_for_good_is_tried_again_after_an_hour_and_stops_no_message() -> None:
    errand = Errand((Cover(KEY, knowledge(C)),), CallKind.EDIT, "C1:1")
    (first,) = plan(THREAD, [], [], now=NOW, edits=[errand]).deliveries
    dead = replace(first, state=DeliveryState.DEAD, settled_at=NOW)
    waiting = rooted(desired=knowledge(C), notified=knowledge(W))
    assert [each.call for each in plan(THREAD, [waiting], [dead], now=at(1), edits=[errand]).deliveries] == [
        CallKind.REPLY
    ]
    assert plan(THREAD, [], [dead], now=at(59), edits=[errand]) == Plan()
    assert len(plan(THREAD, [], [dead], now=at(60), edits=[errand]).deliveries) == 1
    assert plan(THREAD, [], [dead], now=at(1)).superseded == (dead,)


def test_what_may_have_arrived_waits_until_it_can_be_found() -> None:
    sending = covering(waits(), state=DeliveryState.SENDING, attempts=1, attempted_at=NOW)
    findable, _ = settled(sending, Unsure("timeout"), now=NOW, jitter=1, finds=True)
    assert (findable.due_at, findable.may_have_arrived) == (NOW + timedelta(seconds=5), True)
    found, _ = settled(findable, Sent("C1:1"), now=at(1), jitter=1, finds=True)
    assert not found.may_have_arrived


def test_a_message_that_is_gone_is_no_dead_letter() -> None:
    after, kind = settled(SENDING, Gone("message_not_found"), now=NOW, jitter=1)
    assert (kind, after.why) == (EventKind.GONE, "message_not_found")


def test_only_what_replaces_another_is_as_old_as_that_one() -> None:
    one, other = keys(2)
    old = covering(waits(one), attempts=3, due_at=NOW)
    new = planned([waits(one), waits(other, incident_id="inc2")], old, minutes=60)
    assert [each.created_at for each in new.deliveries] == [at(60)]


def test_what_was_tried_goes_behind_what_was_not() -> None:
    one, other = keys(2)
    tried = covering(waits(one, C), attempts=1, attempted_at=NOW)
    assert [each.covers[0].key for each in turns([tried, covering(waits(other), created_at=at(1))])] == [other, one]


# --- edits that are not finished -----------------------------------------------------------------------------------


def editing(level: Level = W, *, ended: bool = False, **changes: object) -> Delivery:
    errand = Errand((Cover(KEY, knowledge(level, ended=ended)),), CallKind.EDIT, "C1:1")
    place = {"covers": errand.covers, "call": CallKind.EDIT, "receipt": "C1:1", "attempts": 1, "attempted_at": NOW}
    return delivery(**{"key": delivery_key(THREAD, errand)} | place | changes)


def test_an_edit_that_may_have_been_made_stays_until_it_is_answered() -> None:
    assert plan(THREAD, [], [editing(may_have_arrived=True)], now=at(1)) == Plan()
    dead = editing(may_have_arrived=True, state=DeliveryState.DEAD, settled_at=NOW)
    assert plan(THREAD, [], [dead], now=at(1)) == Plan()
    assert [each.state for each in plan(THREAD, [], [dead], now=at(60)).deliveries] == [DeliveryState.PENDING]


def test_what_replaces_an_edit_that_may_have_been_made_may_have_been_made_too() -> None:
    before, errand = editing(W, may_have_arrived=True), Errand((Cover(KEY, knowledge(C)),), CallKind.EDIT, "C1:1")
    now = plan(THREAD, [], [before], now=at(1), edits=[errand])
    assert now.superseded == (before,)
    assert [each.may_have_arrived for each in now.deliveries] == [True]


def test_an_edit_that_nobody_asks_for_any_more_is_left_out_unless_it_says_that_it_is_over() -> None:
    lowered, over = editing(W), editing(W, ended=True)
    assert plan(THREAD, [], [lowered], now=at(1)) == Plan((), (lowered,))
    assert plan(THREAD, [], [over], now=at(1)) == Plan()
    dead = replace(over, state=DeliveryState.DEAD, settled_at=NOW)
    assert plan(THREAD, [], [dead], now=at(1)) == Plan()
    refused = replace(dead, attempts=24)
    assert plan(THREAD, [], [refused], now=at(1)) == Plan((), (refused,))


def test_a_channel_that_edits_no_longer_leaves_no_edit_behind() -> None:
    left = editing(W, may_have_arrived=True)
    assert plan(OPS, [], [left], now=at(1)) == Plan((), (left,))
