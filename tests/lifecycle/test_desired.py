"""Desired against notified, case by case."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from guard.lifecycle.desired import REMEMBERED, desire, gap, untold
from guard.model import Knowledge, Level, Notification, Occasion, State
from guard.rules.policy import Remind
from tests.builders import NOW, alert, at, incident, knowledge, notification, policy

W, C = Level.WARNING, Level.CRITICAL


@pytest.mark.parametrize(
    ("desired", "notified", "occasion"),
    [
        (None, None, None),
        (None, knowledge(), None),
        (knowledge(), None, Occasion.FIRED),
        (knowledge(), knowledge(), None),
        (knowledge(C), knowledge(W), Occasion.ESCALATED),
        (knowledge(W), knowledge(C), None),
        (knowledge(reminders=1), knowledge(), Occasion.REMINDER),
        (knowledge(C, reminders=1), knowledge(), Occasion.ESCALATED),
        (knowledge(ended=True), knowledge(), Occasion.RESOLVED),
        (knowledge(ended=True), None, Occasion.RESOLVED),
        (knowledge(ended=True), knowledge(ended=True), None),
        (knowledge(), knowledge(incident_id="inc0"), Occasion.FIRED),
        (knowledge(), knowledge(incident_id="inc0", ended=True), Occasion.FIRED),
        (knowledge(ended=True), knowledge(incident_id="inc0"), Occasion.RESOLVED),
    ],
)
def test_the_gap_says_what_to_tell(
    desired: Knowledge | None, notified: Knowledge | None, occasion: Occasion | None
) -> None:
    assert gap(desired, notified) is occasion


def firing(level: Level = W) -> dict[str, Any]:
    return {"alert": alert(state=State.FIRING, level=level, incident=incident())}


def wish(*stored: Notification, minutes: float = 0, wait: bool = False, **changes: Any) -> list[Notification]:
    arguments: dict[str, Any] = firing() | {"policy": policy()} | changes
    wishes = desire(notifications=stored, now=at(minutes), reminders_wait=wait, **arguments)
    assert all(event.channel for event in wishes.events)
    return list(wishes.notifications)


def test_a_routed_channel_should_know_the_level() -> None:
    assert wish() == [notification(desired=knowledge())]


def test_what_a_channel_should_know_already_is_not_written_again() -> None:
    assert wish(notification(desired=knowledge())) == []


def test_a_channel_should_know_the_highest_level_that_leads_to_it() -> None:
    rule = policy(routes={W: ("ops",), C: ("mail",)})
    assert wish(policy=rule, **firing(C)) == [
        notification(channel="ops", desired=knowledge(W)),
        notification(channel="mail", desired=knowledge(C)),
    ]
    assert wish(policy=rule) == [notification(channel="ops", desired=knowledge(W))]


def test_the_level_only_rises_within_an_incident() -> None:
    assert wish(notification(desired=knowledge(C))) == []


def test_a_new_incident_starts_anew() -> None:
    over = knowledge(C, incident_id="inc0", ended=True)
    old = notification(desired=over, notified=over)
    assert wish(old) == [notification(desired=knowledge(W), notified=over)]


def test_an_incident_that_came_and_went_untold_is_told_of_with_the_next_one() -> None:
    untold = notification(desired=knowledge(C, incident_id="inc0", ended=True, missed=("inc-1",)))
    assert wish(untold) == [notification(desired=knowledge(W, missed=("inc-1", "inc0")))]
    end_untold = replace(untold, notified=knowledge(C, incident_id="inc0"))
    assert [each.desired for each in wish(end_untold)] == [knowledge(W, missed=("inc-1", "inc0"))]
    told = replace(untold, notified=untold.desired)
    assert [each.desired for each in wish(told)] == [knowledge(W)]


def test_an_incident_of_whose_end_an_earlier_message_told_is_not_told_of_again() -> None:
    heard = knowledge(incident_id="inc0", missed=("inc-1",))
    overtaken = notification(desired=replace(heard, ended=True), notified=heard)
    assert [each.desired for each in wish(overtaken)] == [knowledge(W, missed=("inc0",))]
    assert untold(knowledge(missed=("inc-1", "inc0")), heard) == ("inc0",)
    assert untold(heard, None) == ("inc-1",)


def test_of_many_untold_incidents_the_latest_are_remembered() -> None:
    many = tuple(f"inc-{n}" for n in range(REMEMBERED))
    untold = notification(desired=knowledge(incident_id="inc0", ended=True, missed=many))
    assert [each.desired for each in wish(untold)] == [knowledge(missed=(*many[1:], "inc0"))]


def test_who_is_newly_routed_is_told_and_who_is_no_longer_routed_keeps_what_it_knows() -> None:
    rule = policy(routes={W: ("new",)})
    assert wish(notification(desired=knowledge()), policy=rule) == [notification(channel="new", desired=knowledge())]


def test_everyone_who_was_told_is_told_of_the_end_also_off_the_route() -> None:
    told = notification(channel="old", desired=knowledge(), notified=knowledge())
    routed = notification(channel="ops", desired=knowledge(C))
    other = notification(channel="far", desired=knowledge(incident_id="inc0", ended=True))
    ended = wish(told, routed, other, alert=alert(), ended=incident().id, policy=policy(routes={}))
    assert ended == [
        notification(channel="old", desired=knowledge(ended=True), notified=knowledge()),
        notification(channel="ops", desired=knowledge(C, ended=True)),
    ]


def test_an_alert_at_rest_wishes_nothing() -> None:
    assert wish(alert=alert()) == []


def knows(level: Level = W, **changes: object) -> Notification:
    same = knowledge(level, **changes)
    return notification(desired=same, notified=same, notified_at=NOW)


@pytest.mark.parametrize(("minutes", "due"), [(24 * 60 - 1, 0), (24 * 60, 1)])
def test_a_reminder_is_due_when_its_time_since_the_last_message_has_passed(minutes: float, due: int) -> None:
    assert [each.desired for each in wish(knows(), minutes=minutes)] == [knowledge(reminders=1)] * due


@pytest.mark.parametrize(("minutes", "due"), [(-90, 0), (-24 * 60, 1)], ids=["a little", "far"])
def test_after_the_clock_went_back_a_reminder_is_no_burst_and_not_put_off_for_ever(minutes: float, due: int) -> None:
    assert len(wish(knows(), minutes=minutes)) == due


def test_reminders_go_by_the_present_level() -> None:
    assert len(wish(knows(C), minutes=4 * 60, **firing(C))) == 1
    assert wish(knows(C), minutes=4 * 60, **firing(W)) == []
    assert len(wish(knows(C), minutes=24 * 60, **firing(W))) == 1


def test_reminders_count_anew_when_the_level_rises() -> None:
    assert [each.desired for each in wish(knows(reminders=6), **firing(C))] == [knowledge(C)]


@pytest.mark.parametrize(
    ("stored", "changes"),
    [
        (knows(), {"wait": True}),
        (knows(), {"policy": policy(remind=Remind({}))}),
        (knows(reminders=6), {}),
        (knows(), {"alert": alert(state=State.RECOVERING, level=W, incident=incident())}),
        (notification(desired=knowledge()), {}),
        (notification(desired=knowledge(reminders=1), notified=knowledge(), notified_at=NOW), {}),
    ],
    ids=["no data", "off", "all told", "recovering", "not told yet", "one waits already"],
)
def test_no_reminder(stored: Notification, changes: dict[str, Any]) -> None:
    assert wish(stored, minutes=7 * 24 * 60, **changes) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"wait": True},
        {"policy": policy(remind=Remind({}))},
        {"policy": policy(routes={W: ("mail",)})},
        {"alert": alert(state=State.RECOVERING, level=W, incident=incident())},
        {"hold": lambda _level: "silence 1"},
    ],
    ids=["no data", "off", "routed elsewhere", "recovering", "silenced"],
)
def test_a_reminder_that_waits_is_taken_back_once_there_is_nothing_to_remind_of(changes: dict[str, Any]) -> None:
    waits = notification(desired=knowledge(reminders=1), notified=knowledge(), notified_at=NOW)
    taken_back = next(each for each in wish(waits, minutes=25 * 60, **changes) if each.channel == waits.channel)
    assert taken_back.desired == knowledge()


def test_a_reminder_that_waits_for_a_critical_that_fell_is_due_when_one_of_the_lower_level_is() -> None:
    waits = notification(desired=knowledge(C, reminders=1), notified=knowledge(C), notified_at=NOW)
    assert [each.desired for each in wish(waits, minutes=5 * 60, **firing(W))] == [knowledge(C)]
    assert wish(waits, minutes=24 * 60, **firing(W)) == []


@pytest.mark.parametrize("arrived", [knowledge(reminders=1), knowledge(C)], ids=["a reminder", "a higher level"])
def test_what_arrived_although_it_was_taken_back_meanwhile_puts_an_end_to_no_reminders(arrived: Knowledge) -> None:
    told = notification(desired=knowledge(), notified=arrived, notified_at=NOW)
    due = replace(arrived, reminders=arrived.reminders + 1)
    assert [each.desired for each in wish(told, minutes=24 * 60)] == [due]


def test_the_cap_is_the_rules_own() -> None:
    rule = policy(remind=Remind({W: timedelta(hours=1)}, at_most=1))
    assert len(wish(knows(), minutes=60, policy=rule)) == 1
    assert wish(knows(reminders=1), minutes=600, policy=rule) == []
