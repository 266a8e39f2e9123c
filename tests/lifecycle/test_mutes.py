"""Silences, quiet windows and acks: which of them holds what back, and what is told when they are over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from guard.lifecycle.desired import Wishes, desire, gap
from guard.lifecycle.mutes import Mutes, matches
from guard.model import Ack, Alert, AlertKey, EventKind, Knowledge, Level, Notification, Occasion, Silence, State
from guard.rules.policy import QuietWindow
from tests.builders import KEY, NOW, alert, at, incident, knowledge, notification, policy

W, C = Level.WARNING, Level.CRITICAL
SUBJECT = AlertKey("main:acme", "agent-minutes", "agt_1")


def silence(pattern: str = "*", *, below: Level | None = None, **labels: str) -> Silence:
    return Silence(pattern, at(0), at(60), labels, below, id=1)


@pytest.mark.parametrize(
    ("pattern", "key", "labels", "does"),
    [
        ("main/numbers-remaining", KEY, {}, True),
        ("main/*", KEY, {}, True),
        ("*", SUBJECT, {}, True),
        ("main/*", SUBJECT, {}, False),
        ("main*", SUBJECT, {}, True),
        ("main:acme/agent-minutes", SUBJECT, {}, True),
        ("main:acme/agent-minutes/agt_1", SUBJECT, {}, True),
        ("main:acme/agent-minutes/agt_2", SUBJECT, {}, False),
        ("*/agt_?", SUBJECT, {}, True),
        ("numbers-remaining", KEY, {}, False),
        ("*", KEY, {"team": "ops"}, False),
        ("*", AlertKey("main", "ops"), {"team": "ops"}, False),
    ],
)
def test_a_silence_is_about_alerts_whose_name_and_labels_match(
    pattern: str, key: AlertKey, labels: dict[str, str], does: bool
) -> None:
    assert matches(replace(silence(pattern), labels=labels), key, {"team": "sales"}) is does


def test_a_silence_asks_for_all_its_labels() -> None:
    assert matches(silence(team="ops", tier="1"), KEY, {"team": "ops", "tier": "1", "more": "x"})
    assert not matches(silence(team="ops", tier="1"), KEY, {"team": "ops"})


def why(mutes: Mutes, level: Level, minutes: float, *, quiet: tuple[QuietWindow, ...] = ()) -> str:
    return mutes.hold(KEY, policy(quiet=quiet), level, now=at(minutes))


@pytest.mark.parametrize(("minutes", "holds"), [(-1, False), (0, True), (59, True), (60, False)])
def test_a_silence_holds_from_its_start_until_its_end(minutes: float, holds: bool) -> None:
    assert bool(why(Mutes([silence()]), W, minutes)) is holds


def test_a_silence_that_was_ended_holds_nothing() -> None:
    assert not why(Mutes([replace(silence(), ended_at=at(1))]), W, 2)


def test_a_silence_below_critical_lets_critical_pass() -> None:
    mutes = Mutes([silence(below=C)])
    assert [bool(why(mutes, level, 1)) for level in Level] == [True, True, False]


def test_the_reason_says_which_silence_and_what_for() -> None:
    longer = replace(silence(), id=2, ends_at=at(90), reason="an upgrade")
    assert why(Mutes([silence(), longer]), W, 1) == "silence 2 (an upgrade)"


BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = QuietWindow("nights", frozenset(range(5)), time(22), time(6), BERLIN)  # begins on weekdays


@pytest.mark.parametrize(
    ("local", "covered"),
    [
        ("2026-11-23 21:59", False),  # a Monday
        ("2026-11-23 22:00", True),
        ("2026-11-24 05:59", True),
        ("2026-11-24 06:00", False),
        ("2026-11-27 23:00", True),  # Friday night
        ("2026-11-28 05:00", True),
        ("2026-11-28 22:30", False),  # Saturday night
        ("2026-11-30 05:00", False),  # which began on Sunday
        ("2026-03-29 03:00", False),  # the clocks jumped from 02:00 to 03:00; it began on Saturday
        ("2026-10-26 05:59", False),  # the night from Sunday to Monday
    ],
)
def test_a_quiet_window_goes_by_the_wall_clock_and_by_the_day_on_which_it_begins(local: str, covered: bool) -> None:
    instant = datetime.fromisoformat(local).replace(tzinfo=BERLIN)
    assert NIGHTS.covers(instant) is covered


def test_the_hour_that_comes_twice_is_quiet_twice() -> None:
    every_night = replace(NIGHTS, days=frozenset(range(7)), start=time(2), end=time(3))
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert every_night.covers(twice)
    assert every_night.covers(twice.replace(fold=1))
    before, after = twice - timedelta(hours=1), twice + timedelta(hours=1)
    assert not every_night.covers(before)
    assert not every_night.covers(after)


def test_the_hour_that_never_comes_is_no_window_that_day() -> None:
    window = replace(NIGHTS, days=frozenset(range(7)), start=time(2), end=time(3))
    day = datetime(2026, 3, 29, tzinfo=BERLIN)
    minutes = (day + timedelta(minutes=each) for each in range(0, 23 * 60, 10))
    assert not any(window.covers(each.astimezone(ZoneInfo("UTC"))) for each in minutes if each.hour != 2)


def test_a_window_without_hours_is_a_whole_day() -> None:
    sundays = QuietWindow("sundays", frozenset({6}), time(), time(), BERLIN)
    assert sundays.covers(datetime(2026, 11, 22, 0, 0, tzinfo=BERLIN))
    assert sundays.covers(datetime(2026, 11, 22, 23, 59, tzinfo=BERLIN))
    assert not sundays.covers(datetime(2026, 11, 23, 0, 0, tzinfo=BERLIN))


def test_critical_passes_a_quiet_window() -> None:
    always = QuietWindow("always", frozenset(range(7)), time(), time(), BERLIN)
    assert why(Mutes(), W, 0, quiet=(always,)) == "quiet window always"
    assert why(Mutes(), C, 0, quiet=(always,)) == ""


# --- acks ----------------------------------------------------------------------------------------------------------


def acked(*acks: Ack, peak: Level = W, minutes: float = 1) -> bool:
    firing = alert(state=State.FIRING, level=W, incident=incident(peak=peak))
    return Mutes.of((), acks).ack(firing, now=at(minutes)) is not None


ACK = Ack(incident().id, W, NOW)


def test_an_ack_holds_for_its_incident_until_that_gets_worse() -> None:
    assert acked(ACK)
    assert not acked(ACK, peak=C)  # also after it has fallen again
    assert acked(ACK, replace(ACK, level=C), peak=C)
    assert not acked(replace(ACK, incident_id="another"))
    assert not Mutes.of((), [ACK]).ack(alert(), now=NOW)


def test_an_ack_may_end_by_its_time_or_be_taken_back() -> None:
    assert acked(replace(ACK, until_at=at(2)), minutes=1)
    assert not acked(replace(ACK, until_at=at(2)), minutes=2)
    assert not acked(replace(ACK, ended_at=at(0)))


# --- desired and notified ------------------------------------------------------------------------------------------


def firing(level: Level = W, *, name: str = "") -> Alert:
    begun = incident() if not name else incident(id=name)
    return alert(state=State.FIRING, level=level, incident=begun)


def held(alert_now: Alert, *stored: Notification, holds: Sequence[Level] = (W,), ended: str = "") -> list[Notification]:
    wishes = desire(
        alert_now,
        policy(),
        stored,
        now=NOW,
        ended=ended,
        hold=lambda level: "silence 1" if level in holds else "",
    )
    known = {(each.channel, each.recipient): each for each in (*stored, *wishes.notifications)}
    assert {event.kind for event in wishes.events} <= {EventKind.HELD, EventKind.RELEASED}
    return list(known.values())


def tells(notifications: Sequence[Notification]) -> list[Occasion | None]:
    return [gap(each.desired, each.notified) for each in notifications]


def test_what_fires_in_a_silence_is_told_when_that_is_over_if_it_still_fires() -> None:
    stored = held(firing())
    assert tells(stored) == [None]
    stored = held(firing(), *stored, holds=())
    assert tells(stored) == [Occasion.FIRED]


def test_what_fires_and_ends_in_a_silence_is_never_told() -> None:
    stored = held(firing())
    stored = held(alert(), *stored, ended=incident().id)
    assert tells(stored) == [None]
    again = held(firing(name="inc2"), *stored, holds=())
    assert tells(again) == [Occasion.FIRED]
    assert again[0].desired == knowledge(incident_id="inc2")


def test_what_was_told_before_is_told_as_ended_in_the_silence() -> None:
    told = notification(desired=knowledge(), notified=knowledge())
    assert tells(held(firing(), told)) == [None]
    assert tells(held(alert(), told, ended=incident().id)) == [Occasion.RESOLVED]


def test_an_escalation_is_held_back_and_what_is_left_of_it_is_told_afterwards() -> None:
    told = notification(desired=knowledge(), notified=knowledge())
    stored = held(firing(C), told, holds=(C,))
    assert tells(stored) == [None]
    assert tells(held(firing(C), *stored, holds=())) == [Occasion.ESCALATED]
    assert tells(held(firing(W), *stored, holds=())) == [None]
    assert tells(held(alert(), *stored, ended=incident().id)) == [Occasion.RESOLVED]


def test_of_what_was_held_back_the_present_level_is_told() -> None:
    stored = held(firing(C), holds=(C,))
    stored = held(firing(W), *stored, holds=())
    assert stored[0].desired == knowledge(W)


def test_a_rise_passes_a_silence_below_it() -> None:
    stored = held(firing(W))
    assert tells(held(firing(C), *stored)) == [Occasion.FIRED]


def test_what_waits_for_a_channel_that_is_down_is_held_back_too() -> None:
    waiting = notification(desired=knowledge())
    stored = held(firing(), waiting)
    assert tells(stored) == [None]
    assert tells(held(firing(), *stored, holds=())) == [Occasion.FIRED]


def test_so_is_what_waits_although_the_level_has_fallen_below_those_that_lead_there() -> None:
    rising = policy(routes={C: ("ops",)})
    waiting = notification(desired=knowledge(C))
    (held_back,) = desire(firing(W), rising, [waiting], now=NOW, hold=lambda _: "silence 1").notifications
    assert tells([held_back]) == [None]
    assert desire(firing(W), rising, [waiting], now=NOW) == Wishes()
    (told,) = desire(firing(C), rising, [held_back], now=NOW).notifications
    assert tells([told]) == [Occasion.FIRED]


def test_what_was_under_way_when_the_silence_began_is_told_as_ended() -> None:
    stored = held(firing(), notification(desired=knowledge()))
    arrived = replace(stored[0], notified=knowledge())
    assert tells([arrived]) == [None]
    assert tells(held(alert(), arrived, ended=incident().id)) == [Occasion.RESOLVED]


def test_the_end_of_an_incident_before_is_told_although_a_new_one_is_held_back() -> None:
    over = notification(desired=knowledge(incident_id="inc0", ended=True), notified=knowledge(incident_id="inc0"))
    stored = held(firing(), over)
    assert tells(stored) == [Occasion.RESOLVED]
    heard = replace(stored[0], notified=stored[0].desired)
    stored = held(firing(), heard)
    assert tells(stored) == [None]
    assert tells(held(firing(), *stored, holds=())) == [Occasion.FIRED]


def test_what_a_held_incident_has_overtaken_is_told_without_it() -> None:
    missed = Knowledge(incident().id, W, missed=("inc0",))
    stored = held(firing(), notification(desired=missed, notified=knowledge(incident_id="inc0")))
    assert stored[0].desired == knowledge(incident_id="inc0", ended=True)
    assert tells(stored) == [Occasion.RESOLVED]
    both_arrived = replace(stored[0], notified=missed)
    assert tells([both_arrived]) == [None]


def test_holding_back_and_letting_go_are_recorded_once() -> None:
    def wishes(*stored: Notification, hold: str = "") -> tuple[list[str], list[Notification]]:
        wishes = desire(firing(), policy(), stored, now=NOW, hold=lambda _: hold)
        return [f"{each.kind} {each.text}".strip() for each in wishes.events], list(wishes.notifications)

    events, stored = wishes(hold="silence 1 (an upgrade)")
    assert events == ["notification.held silence 1 (an upgrade)"]
    assert wishes(*stored, hold="silence 1 (an upgrade)") == ([], [])
    assert wishes(*stored)[0] == ["notification.released"]


def test_nobody_is_reminded_in_a_silence() -> None:
    told = notification(desired=knowledge(), notified=knowledge(), notified_at=NOW)
    day = NOW + timedelta(days=2)
    assert desire(firing(), policy(), [told], now=day).notifications
    assert not desire(firing(), policy(), [told], now=day, hold=lambda _: "silence 1").notifications


def test_a_reminder_that_waits_for_a_channel_that_is_down_is_taken_back_by_an_ack() -> None:
    due = notification(desired=knowledge(reminders=1), notified=knowledge(), notified_at=NOW)
    assert tells([due]) == [Occasion.REMINDER]
    (seen,) = desire(firing(), policy(), [due], now=NOW, reminders_wait=True).notifications
    assert tells([seen]) == [None]
    (again,) = desire(firing(), policy(), [seen], now=NOW + timedelta(days=2)).notifications
    assert tells([again]) == [Occasion.REMINDER]
