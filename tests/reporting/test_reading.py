"""What a report says of a database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.config.report import USUAL
from guard.message.report import Report, report_message
from guard.model import (
    Account,
    AlertKey,
    Answer,
    Endpoint,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Level,
    Reason,
    State,
)
from guard.notify.mail_text import plain_text
from guard.reporting import last_period, read_report
from guard.store import Poll, Unit
from guard.store.database import Database
from tests.builders import KEY, alert, incident, reading
from tests.wiring import NUMBERS, config

GUIDE = Path(__file__).parents[2] / "docs" / "report.md"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
PERIOD = last_period(USUAL, now=NINE)
RULES = (
    NUMBERS
    + """
[rules.messages]
value = "stats.messagesLast24h"
warning = "> 80% * budgets.messages_per_day"
[rules.month]
value = "month.projectedMessages"
warning = "> 100% * plan.limits.messagesPerMonth"
[rules.growth]
value = "increase(stats.totalMessages, 1h)"
warning = "> 100"
[rules.concurrent]
value = "plan.limits.concurrentCalls"
warning = "> stats.nothing"
[rules.sometimes]
value = "numbers.used"
when = "numbers.used > 100"
warning = "> 1"
[budgets]
messages_per_day = 1000
"""
)


def usage(hour: float, *, total: int, left: int = 5) -> Poll:
    said = {
        "numbers": {"used": 12 - left, "limit": 12, "remaining": left},
        "stats": {"totalMessages": total, "totalCalls": 3, "messagesLast24h": 700},
        "plan": {"limits": {"messagesPerMonth": 10_000, "concurrentCalls": 5}},
    }
    return Poll("main", NINE + timedelta(hours=hour), Answer(said, json.dumps(said)))


def failed(hour: float) -> Poll:
    return Poll("main", NINE + timedelta(hours=hour), Failure(FailureKind.SERVER, "it answered 503"))


def daily() -> Poll:
    days = [{"date": f"2026-11-{day:02}", "messages": 400, "calls": 10, "webhooks": 0} for day in range(1, 24)]
    said = {"data": days}
    return Poll("main", NINE, Answer(said, json.dumps(said), NINE), Endpoint.DAILY)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "guard.db", create=True)
    yield opened
    opened.close()


def event(hour: float, kind: EventKind, **changes: object) -> Event:
    fields: dict[str, object] = {"at": NINE + timedelta(hours=hour), "key": KEY, "kind": kind, "channel": "ops"}
    return Event(**fields | changes)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds


def busy_day(unit: Unit) -> None:
    for poll in (
        usage(-48, total=100),
        usage(-24.1, total=400),
        usage(-20, total=500),
        failed(-19),
        usage(-1, total=1900),
    ):
        unit.record_poll(poll)
    unit.record_poll(daily())
    unit.save_account(Account("main"))
    over = incident(
        id="i1", started_at=NINE - timedelta(hours=30), ended_at=NINE - timedelta(hours=20), reason=Reason.RECOVERED
    )
    open_ = incident(id="i2", started_at=NINE - timedelta(hours=2), peak=Level.CRITICAL)
    old = incident(id="i0", started_at=NINE - timedelta(hours=90), ended_at=NINE - timedelta(hours=80))
    unit.save_incidents([over, old])
    unit.save_alerts([alert(state=State.FIRING, level=Level.CRITICAL, incident=open_, reading=reading())])
    unit.add_events(
        [
            event(-30, EventKind.HELD, text="silence 1"),
            event(-9, EventKind.DIED, text="no such channel", key=AlertKey("main", "calls")),
            event(-8, EventKind.HELD, text="the quiet window nights"),
            event(-7, EventKind.DIED, key=AlertKey("main", "messages"), channel="mail", text="mailbox full"),
            event(-6, EventKind.DELIVERED, key=AlertKey("main", "messages"), channel="mail"),
            event(-5, EventKind.FLAPPING, key=AlertKey("main", "month"), channel=""),
            event(-4, EventKind.FIRED, channel=""),
            event(1, EventKind.DIED, key=AlertKey("main", "later")),
        ]
    )


def read(database: Database) -> Report:
    setting = config(rules=RULES)
    return database.run(lambda unit: read_report(unit, setting, PERIOD))


def test_a_day_in_which_things_happened(database: Database) -> None:
    database.run(busy_day)
    assert plain_text(report_message(read(database), zone=UTC)) == snapshot("""\
[report] main
1 alert fired, 1 resolved, 1 firing now, 3 not told

Period: 2026-11-22 09:00 UTC to 2026-11-23 09:00 UTC
Longest incident: main / numbers-remaining, 10 h (warning, recovered)
Data: 33.3 % of 3 polls failed; longest without an answer 19 h (main)

- [critical] main / numbers-remaining: 1 of 12 phone numbers left (for 2 h)
- [not told] main / month, to all channels: flapping, told once for all of its incidents
- [not told] main / numbers-remaining, to ops: held back: the quiet window nights
- [not told] main / calls, to ops: given up: no such channel
- [limit] main / messages: 700; warning > 800, 100 left
- [pace] main: 12,250 messages by the end of the month, of 10,000 (122.5 %)
- [pace] main: 306 calls by the end of the month
- [grew] main: stats.totalMessages grew by 1,500 (300 in the period before)
""")


def test_the_guide_shows_it_as_it_is(database: Database) -> None:
    database.run(busy_day)
    assert plain_text(report_message(read(database), zone=UTC)) in GUIDE.read_text(encoding="utf-8")


def test_what_began_to_fire_after_the_period_says_so(database: Database) -> None:
    since = incident(id="i3", started_at=NINE + timedelta(hours=1), peak=Level.CRITICAL)
    firing = alert(state=State.FIRING, level=Level.CRITICAL, incident=since, reading=reading())
    database.run(lambda unit: unit.save_alerts([firing]))
    assert (
        "- [critical] main / numbers-remaining: 1 of 12 phone numbers left (since the period ended)"
        in plain_text(report_message(read(database), zone=UTC)).splitlines()
    )


def test_a_day_in_which_nothing_did(database: Database) -> None:
    for hour in range(-30, 0):
        database.run(partial(Unit.record_poll, poll=usage(hour, total=100)))
    report = read(database)
    assert report.is_quiet
    assert plain_text(report_message(report, zone=UTC)) == snapshot("""\
[report] main
all quiet, nothing fired

Period: 2026-11-22 09:00 UTC to 2026-11-23 09:00 UTC
Data: 0 % of 24 polls failed; longest without an answer 1 h (main)

- [limit] main / messages: 700; warning > 800, 100 left
- [limit] main / numbers-remaining: 5; warning < 3, 2 left
""")


def test_a_day_in_which_nobody_asked(database: Database) -> None:
    assert plain_text(report_message(read(database), zone=UTC)) == snapshot("""\
[report] main
nothing was asked, so nothing is known

Period: 2026-11-22 09:00 UTC to 2026-11-23 09:00 UTC
Data: no polls
""")
