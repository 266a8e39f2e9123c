from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.message import Message, compose, one_line, shortened, store_failing, trial
from guard.model import (
    NO_DATA,
    Alert,
    AlertKey,
    Bound,
    Incident,
    Knowledge,
    Level,
    Occasion,
    Reading,
    Reason,
    State,
    Telling,
    Timer,
)
from tests.builders import MINUTE, NOW, alert, at, incident, knowledge, reading
from tests.notify.examples import NAMES, PATIENT

CRITICAL, WARNING, INFO = Level.CRITICAL, Level.WARNING, Level.INFO


def utc(account: str) -> tzinfo:
    return UTC


def firing(level: Level = CRITICAL, **changes: object) -> Alert:
    fields = {"state": State.FIRING, "level": level, "incident": incident(peak=level, peak_value=1)}
    return alert(**fields | {"reading": reading()} | changes)


def told(occasion: Occasion = Occasion.FIRED, level: Level = CRITICAL, **changes: object) -> Telling:
    fields = {"alert": firing(level), "incident": incident(peak=level, peak_value=1), "desired": knowledge(level)}
    return Telling(**{"occasion": occasion} | fields | changes)  # type: ignore[arg-type] # as in tests.builders


def resolved(**changes: object) -> Telling:
    over = incident(peak=CRITICAL, peak_value=1, ended_at=at(15), reason=Reason.RECOVERED)
    fields = {
        "alert": alert(reading=reading(5, summary="5 of 12 phone numbers left", at=at(15))),
        "incident": over,
        "desired": knowledge(CRITICAL, ended=True),
        "notified": knowledge(CRITICAL),
    }
    return told(Occasion.RESOLVED, CRITICAL, **fields | changes)


def read(message: Message) -> str:
    """The message as a whole, one thing a line."""
    facts = [f"{fact.name}: {fact.text}" + (" (dated)" if fact.at else "") for fact in message.facts]
    lines = [f"{line.emoji} [{line.mark}] {line.text}" for line in message.lines]
    rest = [f"and {message.more} more"] if message.more else []
    rest += [text for text in (message.description, message.runbook) if text]
    return "\n".join([f"{message.emoji} {message.text}", *facts, *lines, *rest])


def said(telling: Telling, now: datetime = NOW, zone: str = "UTC") -> str:
    return read(compose([telling], now=now, zone_of=lambda _: ZoneInfo(zone)))


def test_a_subject_is_called_as_people_call_it_and_by_its_id_below() -> None:
    key = AlertKey("main", "number-calls", "num_1")
    called = reading(subject="+14155550101", summary="90 calls")
    assert said(told(alert=firing(key=key, reading=called))) == snapshot("""\
🔴 [critical] main / number-calls / +14155550101: 90 calls
Account: main
Subject: num_1
Value: 1, critical below 2, warning below 3
Since: 2026-11-23 14:05 UTC (dated)
Data: 0 s old\
""")
    assert "main / number-calls / num_1: 90 calls" in said(
        told(alert=firing(key=key, reading=replace(called, subject="")))
    )


def test_a_subject_that_is_gone_ends_for_that_reason() -> None:
    over = incident(peak=CRITICAL, peak_value=1, ended_at=at(15), reason=Reason.SUBJECT_GONE)
    assert "Why: subject gone" in said(resolved(incident=over), now=at(15))


def test_labels_are_shown_in_the_order_of_the_file() -> None:
    labelled = reading(labels={"team": "voice", "env": "prod\nand more"})
    assert "Labels: team=voice, env=prod and more\nSince" in said(told(alert=firing(reading=labelled)))


def test_a_firing_says_level_what_account_value_against_bounds_since_when_age_and_runbook_in_this_order() -> None:
    detailed = reading(age=timedelta(seconds=4), description="Release some.", runbook="https://example.com/numbers")
    assert said(told(alert=firing(reading=detailed)), now=NOW + timedelta(seconds=8)) == snapshot("""\
🔴 [critical] main / numbers-remaining: 1 of 12 phone numbers left
Account: main
Value: 1, critical below 2, warning below 3
Since: 2026-11-23 14:05 UTC (dated)
Data: 12 s old
Release some.
https://example.com/numbers\
""")


def test_an_escalation_says_what_the_level_was_before() -> None:
    assert said(told(Occasion.ESCALATED, notified=knowledge(WARNING))) == snapshot("""\
🔴 [escalated critical] main / numbers-remaining: 1 of 12 phone numbers left
Account: main
Value: 1, critical below 2, warning below 3
Before: warning
Since: 2026-11-23 14:05 UTC (dated)
Data: 0 s old\
""")


def test_an_escalation_of_something_never_heard_of_says_nothing_of_before() -> None:
    assert "Before" not in said(told(Occasion.ESCALATED))


def test_a_reminder_says_which_it_is_and_for_how_long_it_has_been_firing() -> None:
    reminder = told(Occasion.REMINDER, desired=knowledge(CRITICAL, reminders=2), notified=knowledge(CRITICAL))
    assert said(reminder, now=at(480)) == snapshot("""\
🔴 [reminder critical] main / numbers-remaining: 1 of 12 phone numbers left
Account: main
Value: 1, critical below 2, warning below 3
Reminder: number 2, firing for 8 h
Since: 2026-11-23 14:05 UTC (dated)
Data: 8 h old\
""")


def test_a_resolved_one_says_value_now_peak_how_long_and_why() -> None:
    assert said(resolved(), now=at(15.2)) == snapshot("""\
🟢 [resolved] main / numbers-remaining: 5 of 12 phone numbers left
Account: main
Value: 5, critical below 2, warning below 3
Peak: 1 (critical)
Lasted: 15 min
Why: recovered
Fired: 2026-11-23 14:05 UTC (dated)
Resolved: 2026-11-23 14:20 UTC (dated)
Data: 12 s old\
""")


def test_an_end_of_which_the_beginning_was_never_told_says_both() -> None:
    assert said(resolved(notified=None), now=at(75)) == snapshot("""\
🟢 [resolved] main / numbers-remaining: 5 of 12 phone numbers left
Account: main
Value: 5, critical below 2, warning below 3
Peak: 1 (critical)
Lasted: 15 min
Why: recovered
Delivery: fired 14:05, resolved 14:20 UTC; could not be delivered before
Fired: 2026-11-23 14:05 UTC (dated)
Resolved: 2026-11-23 14:20 UTC (dated)
Data: 1 h old\
""")
    assert said(resolved(notified=knowledge(incident_id="inc0")), now=at(75)) == said(
        resolved(notified=None), now=at(75)
    )


def test_an_end_without_reason_value_or_instant_says_what_is_known() -> None:
    bare = incident(peak=WARNING)
    assert said(resolved(alert=alert(), incident=bare, notified=None), now=at(10)) == snapshot("""\
🟢 [resolved] main / numbers-remaining: numbers-remaining
Account: main
Peak: warning
Lasted: 10 min
Delivery: fired 14:05, resolved 14:15 UTC; could not be delivered before
Fired: 2026-11-23 14:05 UTC (dated)\
""")


def test_a_firing_told_late_says_so_in_the_zone_of_the_account() -> None:
    assert said(told(), now=at(2)).count("late") == 0
    late = told(level=WARNING)
    assert said(late, now=at(3), zone="America/New_York") == snapshot("""\
🟠 [warning] main / numbers-remaining: 1 of 12 phone numbers left
Account: main
Value: 1, critical below 2, warning below 3
Delivery: fired 09:05 EST, told only now
Since: 2026-11-23 09:05 EST (dated)
Data: 3 min old\
""")
    assert "fired 2026-11-23 14:05 UTC, told only now" in said(late, now=at(24 * 60))


@pytest.mark.parametrize(
    ("timers", "late"),
    [
        ({WARNING: Timer(20 * MINUTE, at(20)), CRITICAL: Timer(20 * MINUTE, at(20))}, True),
        ({WARNING: Timer(20 * MINUTE, at(20)), CRITICAL: Timer(MINUTE, at(20))}, False),
        ({WARNING: Timer(20 * MINUTE, at(20))}, False),
        ({}, False),
    ],
    ids=["critical from the start", "critical just now", "lower by now", "recovering"],
)
def test_a_rise_to_the_first_level_that_is_told_here_is_not_late(timers: dict[Level, Timer], late: bool) -> None:
    assert ("told only now" in said(told(alert=firing(timers=timers)), now=at(20))) is late


def test_incidents_of_whose_end_the_channel_has_not_heard_are_said_too() -> None:
    missed = incident(id="inc0", started_at=at(-60), ended_at=at(-30), reason=Reason.NEW_PERIOD)
    once = said(told(missed=(missed,)))
    assert "Earlier: the incident before fired 13:05, ended 13:35 UTC (new period)\n" in once
    twice = said(told(missed=(missed, replace(missed, reason=None, ended_at=None))))
    assert "Earlier: 2 incidents before, the last of them fired 13:05, ended 14:05 UTC\n" in twice


def test_a_level_that_is_lower_by_now_is_said() -> None:
    assert "Now: at warning\n" in said(told(alert=firing(WARNING)))


def test_what_is_recovering_by_now_is_said() -> None:
    assert "Now: recovering\n" in said(told(Occasion.REMINDER, alert=firing(state=State.RECOVERING)))


def test_what_cannot_be_evaluated_by_now_is_said_with_the_reason() -> None:
    blind = firing(WARNING, unknown=Timer(MINUTE, NOW), unknown_why="numbers.limit is missing")
    assert "Now: at warning; cannot be evaluated at present: numbers.limit is missing\n" in said(told(alert=blind))
    assert "Now: cannot be evaluated at present\n" in said(told(alert=firing(unknown=Timer(MINUTE, NOW))))


def test_an_end_after_which_it_fires_again_says_so() -> None:
    again = firing(WARNING, incident=incident(id="inc2"))
    assert "Now: firing again at warning\n" in said(resolved(alert=again))


def test_an_alert_about_missing_data_has_neither_value_nor_data() -> None:
    silent = Reading(NOW, "no good answer for 5 min: the connection was refused")
    key = AlertKey("main", NO_DATA)
    assert said(told(alert=firing(key=key, reading=silent))) == snapshot("""\
🔴 [critical] main / guard.no_data: no good answer for 5 min: the connection was refused
Account: main
Since: 2026-11-23 14:05 UTC (dated)\
""")


def test_without_a_reading_the_rule_names_what_fires() -> None:
    assert said(told(alert=firing(reading=None))) == snapshot("""\
🔴 [critical] main / numbers-remaining: numbers-remaining
Account: main
Since: 2026-11-23 14:05 UTC (dated)\
""")


@pytest.mark.parametrize(
    ("unit", "bound", "text"),
    [
        ("share", Bound(">", 0.2), "5.7 %, critical above 20 %"),
        ("dollars", Bound(">=", 400), "$0.06, critical at or above $400.00"),
        ("messages", Bound(">", 18_000.75), "0.0573 messages, critical above 18,001"),
        ("segments", Bound("<=", 4), "0.0573 segments, critical at or below 4"),
        ("", Bound("==", 0), "0.0573, critical at 0"),
        ("count", Bound("!=", 1200), "0.0573, critical not at 1,200"),
        ("seconds", Bound("~", 90), "0 s, critical ~ 1 min 30 s"),
    ],
)
def test_values_and_bounds_are_written_in_the_unit_of_the_rule(unit: str, bound: Bound, text: str) -> None:
    measured = reading(0.0573, unit=unit, bounds={CRITICAL: bound})
    assert f"Value: {text}\n" in said(told(alert=firing(reading=measured)))


def test_a_subject_is_the_third_part_of_the_title() -> None:
    telling = told(alert=firing(key=AlertKey("main:acme", "agent-minutes", "agt_1")))
    assert said(telling).startswith("🔴 [critical] main:acme / agent-minutes / agt_1: ")


def test_many_tellings_are_one_digest_worst_first_and_what_is_over_last() -> None:
    many = [told(level=WARNING, alert=firing(WARNING, key=AlertKey("main", "spend"))), resolved(), told()]
    assert read(compose(many, now=NOW, zone_of=utc)) == snapshot("""\
🔴 [digest critical] main: 3 alerts, 1 of them resolved
🔴 [critical] main / numbers-remaining: 1 of 12 phone numbers left
🟠 [warning] main / spend: 1 of 12 phone numbers left
🟢 [resolved] main / numbers-remaining: 5 of 12 phone numbers left\
""")


def test_a_digest_shows_twenty_and_counts_the_rest() -> None:
    many = [told(alert=firing(key=AlertKey("main", f"rule-{n:02}"))) for n in range(27)]
    digest = compose(many, now=NOW, zone_of=utc)
    assert (digest.text, len(digest.lines), digest.more) == ("[digest critical] main: 27 alerts", 20, 7)


def test_a_digest_of_ends_alone_is_resolved_as_a_whole() -> None:
    digest = compose([resolved(), resolved(desired=knowledge(WARNING, ended=True))], now=NOW, zone_of=utc)
    assert (digest.text, digest.ended, digest.emoji) == ("[digest resolved] main: 2 alerts", True, "🟢")


def test_a_digest_of_many_accounts_names_three() -> None:
    many = [told(alert=firing(key=AlertKey(name, "spend"))) for name in "cabde"]
    assert compose(many[:3], now=NOW, zone_of=utc).title == "a, b, c"
    assert compose(many, now=NOW, zone_of=utc).title == "a, b, c and 2 more"


def test_a_trial_says_that_nothing_needs_doing() -> None:
    assert read(trial("ops", now=NOW)) == snapshot("""\
⚪ [test] ops: this channel works; all is well and nothing needs doing
Sent: 2026-11-23 14:05 UTC (dated)\
""")


def test_a_failing_store_is_told_with_what_goes_on_meanwhile() -> None:
    assert read(store_failing("the disk is\nfull", now=NOW)) == snapshot("""\
🔴 [critical] guard.store_failing: quota-guard cannot write to its database
Fault: the disk is full
Meanwhile: usage is still asked for, but nothing is decided until a write succeeds
Sent: 2026-11-23 14:05 UTC (dated)\
""")


def test_a_line_is_one_line_whatever_a_name_holds() -> None:
    assert one_line("a\r\nb\tc\u2028d\x1b[2Je\u202ef\ud800\x85g") == "a b c d [2Jef\ufffd g"


def test_a_text_that_fits_stays_whole() -> None:
    assert [shortened("four", at_most=n) for n in (3, 4, 5)] == ["fo…", "four", "four"]


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LEVELS = st.sampled_from(Level)
IDS = st.sampled_from(["inc1", "inc2"])
KEYS = st.builds(AlertKey, NAMES.map("main".__add__), NAMES.map("spend".__add__), NAMES)
TIMERS = st.builds(Timer, st.timedeltas(MINUTE, 9 * MINUTE), MOMENTS)
INCIDENTS = st.builds(
    Incident,
    id=IDS,
    key=KEYS,
    started_at=MOMENTS,
    peak=LEVELS,
    peak_value=st.none() | NUMBERS,
    ended_at=st.none() | MOMENTS,
    reason=st.none() | st.sampled_from(Reason),
)
READINGS = st.builds(
    Reading,
    at=MOMENTS,
    summary=NAMES,
    value=st.none() | NUMBERS,
    unit=NAMES | st.sampled_from(["share", "seconds", "dollars"]),
    bounds=st.dictionaries(LEVELS, st.builds(Bound, st.sampled_from(["<", ">=", "?"]), NUMBERS)),
    description=NAMES,
    runbook=NAMES,
)
ALERTS = st.builds(
    Alert,
    key=KEYS,
    state=st.sampled_from(State),
    level=st.none() | LEVELS,
    timers=st.dictionaries(LEVELS, TIMERS),
    unknown=st.none() | TIMERS,
    unknown_why=NAMES,
    incident=st.none() | INCIDENTS,
    reading=st.none() | READINGS,
)
KNOWLEDGE = st.builds(Knowledge, incident_id=IDS, level=LEVELS, reminders=st.integers(0, 6))
TELLINGS = st.builds(
    Telling,
    occasion=st.sampled_from(Occasion),
    alert=ALERTS,
    incident=INCIDENTS,
    desired=KNOWLEDGE,
    notified=st.none() | KNOWLEDGE,
    missed=st.lists(INCIDENTS, max_size=2).map(tuple),
)


@PATIENT
@given(st.lists(TELLINGS, min_size=1, max_size=3), MOMENTS)
def test_whatever_is_told_becomes_a_message_of_clean_lines(many: list[Telling], now: datetime) -> None:
    message = compose(many, now=now, zone_of=utc)
    texts = [
        message.text,
        message.runbook,
        *(fact.text for fact in message.facts),
        *(line.text for line in message.lines),
    ]
    assert all(text == one_line(text) for text in texts)
    assert message.text.startswith(f"[{message.mark}] ")
    dated = [fact.at is not None for fact in message.facts]
    assert any(dated) is (len(many) == 1)  # a digest has no facts
    assert not any(dated[:-3])  # instants stand last, beside the age of the data
