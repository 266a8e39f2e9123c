"""What the rule file promises of timers, gaps, unknowns, windows, periods, limits and subjects, story by story."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

import pytest

from guard.config import AccountConfig
from guard.config.watched import watched_on
from guard.lifecycle.decide import Memory, decide
from guard.model import NO_DATA, Account, Answer, Each, Endpoint, Event, EventKind, Failure, FailureKind, Snapshot
from guard.payload import joined, part
from guard.replay import Cycle, Replay, replayed
from guard.rules.history import History, needs
from guard.series import parse_series
from tests.builders import MINUTE, NOW, at, snapshot
from tests.wiring import config, only

UNAVAILABLE = Failure(FailureKind.SERVER, "the API answered 503")
REFUSED = Failure(FailureKind.UNAUTHORIZED, "the API answered 401")
LEVELS = 'warning = "< 3"\ncritical = "< 2"\n'
LEFT = "numbers.remaining"
FLAGS = {EventKind.UNKNOWN, EventKind.KNOWN}


@dataclass(frozen=True)
class Story:
    """A rule, what the API says minute by minute, and all that happens to the rule's alert."""

    name: str
    rule: str  # lines of a rule called `it`; its value is numbers.remaining unless it says another
    series: str | dict[str, str]  # of numbers.remaining, or by field; `_` is a field that an answer does not have
    events: str  # `10 fired warning, 19 escalated critical`
    asked: str = ""  # 1 for an answer, 0 for a failed poll, 4 for a refused key; answers where it is left out
    period: str = ""  # the day of November on which each answer's reporting period began
    flags: bool = False  # whether events say when it became unknown and known
    alert: str = "it"


def seen(story: Story) -> Iterator[tuple[datetime, Snapshot | Failure]]:
    """The answers and failures of a story."""
    by_field = {LEFT: story.series} if isinstance(story.series, str) else story.series
    series = {name: parse_series(text) for name, text in by_field.items()}
    asked, began = (parse_series(text) if text else () for text in (story.asked, story.period))
    for minute, (poll, day, *values) in enumerate(zip_longest(asked, began, *series.values())):
        now = at(minute)
        if poll == 0:
            yield now, UNAVAILABLE
        elif poll == 4:
            yield now, REFUSED
        else:
            known = {name: value for name, value in zip(series, values, strict=True) if value is not None}
            period = None if day is None else NOW.replace(day=int(day), hour=0, minute=0)
            yield now, Snapshot("main", now, known, period_start_at=period)


def played(story: Story) -> list[Cycle]:
    value = "" if "value =" in story.rule else f'value = "{LEFT}"\n'
    account = only(config(rules=f"[rules.it]\n{value}{story.rule}\n"))
    cycles = list(replayed(Replay(account), seen(story)))
    assert [event for cycle in cycles for event in cycle.events] == decided(account, seen(story))
    return cycles


def decided(account: AccountConfig, moments: Iterable[tuple[datetime, Snapshot | Failure]]) -> list[Event]:
    """The events of the service's own decisions, one cycle after another, without any short way."""
    watched, events = watched_on(account, every=account.every), list[Event]()
    memory = Memory(Account(account.name), history=History(needs(account.rules)))
    for now, what in moments:
        if isinstance(what, Snapshot):
            memory.history.add(what)
        decision = decide(watched, memory, what, now=now, jitter=1)
        memory = memory.after(decision)
        events += decision.events
    return events


def happened(cycles: Sequence[Cycle], *, alert: str = "it", flags: bool = False, subject: str = "") -> str:
    """What happened to an alert, as a story writes it."""
    events = [event for cycle in cycles for event in cycle.events]
    return ", ".join(
        _said(event)
        for event in events
        if (event.key.rule, event.key.subject) == (alert, subject) and (flags or event.kind not in FLAGS)
    )


def _word(event: Event) -> str:
    return event.kind.removeprefix("alert.")


def _said(event: Event) -> str:
    what = _word(event)
    if event.kind is EventKind.RESOLVED:
        what += f" {event.text}"
    elif event.kind in {EventKind.FIRED, EventKind.ESCALATED, EventKind.LOWERED, EventKind.REFIRED}:
        assert event.level is not None
        what += f" {event.level.name.lower()}"
    return f"{(event.at - NOW) / MINUTE:g} {what}"


FOR_10 = LEVELS + 'for = "10m"'
FOR_5 = LEVELS + 'for = "5m"'
KEEP_5 = LEVELS + 'keep_firing_for = "5m"'
GROWTH = 'value = "increase(stats.totalMessages, 10m)"\nwarning = "> 5"'
TOTAL = "stats.totalMessages"
SHARE = 'value = "numbers.used / numbers.limit"\nwarning = "> 80%"'

STORIES = [
    # --- levels and their timers
    Story(
        "every level has a timer of its own", FOR_10, "2x9 1x12", "0 pending, 10 fired warning, 19 escalated critical"
    ),
    Story(
        "without for it fires in the cycle that sees it",
        LEVELS,
        "5 2 1 5",
        "1 fired warning, 2 escalated critical, 3 resolved recovered",
    ),
    Story("what already holds at the start fires", LEVELS, "1 5", "0 fired critical, 1 resolved recovered"),
    Story(
        "pending to ok says nothing and starts anew",
        FOR_5,
        "2x5 5 2x6",
        "0 pending, 5 calmed, 6 pending, 11 fired warning",
    ),
    Story(
        "a level holds while a higher one does",
        'warning = "== 2"\ncritical = "< 2"\nfor = "3m"',
        "2 1x5",
        "0 pending, 3 fired warning, 4 escalated critical",
    ),
    Story("a critical that is pending does not keep a warning waiting", FOR_5, "1x3 2x5", "0 pending, 5 fired warning"),
    Story("both levels in time at once fire the higher one", FOR_5, "1x8", "0 pending, 5 fired critical"),
    Story(
        "a lower level is an edit, and back up an escalation",
        LEVELS,
        "2 1 2 1 5",
        "0 fired warning, 1 escalated critical, 2 lowered warning, 3 escalated critical, 4 resolved recovered",
    ),
    Story(
        "a level that fell has to wait for its time again",
        FOR_5,
        "1x7 2 1x7",
        "0 pending, 5 fired critical, 7 lowered warning, 13 escalated critical",
    ),
    Story("a bound is not crossed by being met", LEVELS, "3x3 2 3", "3 fired warning, 4 resolved recovered"),
    # --- clear and keep_firing_for
    Story(
        "between the lowest level and clear it goes on",
        LEVELS + 'clear = "> 5"',
        "2 4x3 5 6",
        "0 fired warning, 5 resolved recovered",
    ),
    Story(
        "between them a critical becomes the lowest level",
        LEVELS + 'clear = "> 5"',
        "1 4 6",
        "0 fired critical, 1 lowered warning, 2 resolved recovered",
    ),
    Story(
        "what did not fire yet does not wait for clear",
        LEVELS + 'clear = "> 5"\nfor = "3m"',
        "2 4 2x4 6",
        "0 pending, 1 calmed, 2 pending, 5 fired warning, 6 resolved recovered",
    ),
    Story(
        "a clear that holds beside a level ends nothing",
        'warning = "< 3"\nclear = "> 1"',
        "2x4 3",
        "0 fired warning, 4 resolved recovered",
    ),
    Story(
        "recovery counts anew after a relapse",
        KEEP_5,
        "2 5x3 2 5x7",
        "0 fired warning, 1 recovering, 4 refired warning, 5 recovering, 10 resolved recovered",
    ),
    Story(
        "back between level and clear is no recovery",
        LEVELS + 'clear = "> 5"\nkeep_firing_for = "2m"',
        "2 6 4 6x3",
        "0 fired warning, 1 recovering, 2 refired warning, 3 recovering, 5 resolved recovered",
    ),
    Story(
        "a relapse needs no for",
        LEVELS + 'for = "2m"\nkeep_firing_for = "5m"',
        "2x3 5 1x3",
        "0 pending, 2 fired warning, 3 recovering, 4 refired warning, 6 escalated critical",
    ),
    Story(
        "a relapse at once into a higher level", KEEP_5, "2 5 1", "0 fired warning, 1 recovering, 2 escalated critical"
    ),
    # --- gaps
    Story("a gap of 3 × every counts in full", FOR_5, "5 2 0 0 2x4", "1 pending, 6 fired warning", asked="1x2 0x2 1x4"),
    Story(
        "a longer gap does not count at all", FOR_5, "5 2 0x3 2x7", "1 pending, 10 fired warning", asked="1x2 0x3 1x7"
    ),
    Story(
        "a gap of 3 × every counts for recovery",
        KEEP_5,
        "2 5 0 0 5x4",
        "0 fired warning, 1 recovering, 6 resolved recovered",
        asked="1x2 0x2 1x4",
    ),
    Story(
        "a longer gap does not count for recovery",
        KEEP_5,
        "2 5 0x3 5x7",
        "0 fired warning, 1 recovering, 10 resolved recovered",
        asked="1x2 0x3 1x7",
    ),
    Story("an unknown amid pending counts like a gap", FOR_5, "2x2 _x2 2x3", "0 pending, 5 fired warning"),
    Story("a long unknown amid pending stops the time", FOR_5, "2x2 _x3 2x6", "0 pending, 9 fired warning"),
    Story(
        "an unknown amid recovery counts like a gap",
        KEEP_5,
        "2 5x2 _ 5x4",
        "0 fired warning, 1 recovering, 6 resolved recovered",
    ),
    Story(
        "a long unknown amid recovery stops the time",
        KEEP_5,
        "2 5x2 _x3 5x6",
        "0 fired warning, 1 recovering, 10 resolved recovered",
    ),
    Story("unknown does not fire when the time is over", FOR_5, "2x5 _x2 2", "0 pending, 7 fired warning"),
    Story("unknown does not end what fires", LEVELS, "2 _x5 2 _x2 5", "0 fired warning, 9 resolved recovered"),
    Story("the flag unknown goes up and down", LEVELS, "5 _x2 5", "1 unknown, 3 known", flags=True),
    Story(
        "an outage is no recovery and no relapse",
        LEVELS,
        "2 0x9 2 5",
        "0 fired warning, 11 resolved recovered",
        asked="1 0x9 1x2",
    ),
    # --- more of what is easily mistaken
    Story(
        "what ends within a new period ends for that, however long it has to be over",
        'value = "period.elapsed"\nwarning = "> 80%"\nkeep_firing_for = "2m"',
        {"period.elapsed": "0.9x3 0.01x5"},
        "0 fired warning, 3 recovering, 5 resolved new period",
        period="1x3 22x5",
    ),
    Story(
        "what was over before the period ended recovered",
        'value = "period.elapsed"\nwarning = "> 80%"\nkeep_firing_for = "3m"',
        {"period.elapsed": "0.9 0.5x2 0.01x5"},
        "0 fired warning, 1 recovering, 4 resolved recovered",
        period="1x3 22x5",
    ),
    Story(
        "what ended since there is more room ends for that, however long it has to be over",
        SHARE + '\nkeep_firing_for = "2m"',
        {"numbers.used": "10x6", "numbers.limit": "12x2 24x4"},
        "0 fired warning, 2 recovering, 4 resolved limit changed",
    ),
    Story(
        "two replicas that speak of two periods neither fire nor resolve",
        'value = "period.elapsed"\nwarning = "> 80%"',
        {"period.elapsed": "0.9x2 0.01 0.9 0.01 0.9"},
        "0 fired warning, 2 resolved new period",
        period="1x2 22 1 22 1",
    ),
    Story(
        "an unknown clear ends nothing",
        'value = "numbers.used"\nwarning = "> 9"\nclear = "< plan.limits.numbers"',
        {"numbers.used": "10 1x4", "plan.limits.numbers": "8 0x2 _ 8"},
        "0 fired warning, 4 resolved recovered",
    ),
    Story(
        "an outage is worse than an unknown rule, and gives way to it",
        LEVELS,
        "_x17 0x4 _x3 5",
        "15 fired warning, 19 escalated critical, 22 lowered warning, 24 resolved recovered",
        asked="1x17 0x4 1x4",
        alert=NO_DATA,
    ),
    Story(
        "a reason that is mended leaves a short history, which is no warning",
        GROWTH,
        {TOTAL: "_x18 1x20"},
        "15 fired warning, 18 resolved recovered",
        alert=NO_DATA,
    ),
    Story(
        "a refused key that gives way to an outage is still no data",
        LEVELS,
        "5x9",
        "1 fired critical, 6 resolved recovered",
        asked="1 4 0 0 4 1 1",
        alert=NO_DATA,
    ),
    # --- when
    Story(
        "when false lets pending go",
        FOR_5 + '\nwhen = "numbers.used > 0"',
        {LEFT: "2x12", "numbers.used": "1x4 0 1x7"},
        "0 pending, 4 calmed, 5 pending, 10 fired warning",
    ),
    Story(
        "when false ends what fires",
        LEVELS + 'when = "numbers.used > 0"',
        {LEFT: "2x4", "numbers.used": "1x2 0 1"},
        "0 fired warning, 2 resolved no longer applies, 3 fired warning",
    ),
    Story(
        "when false does not look at the value",
        LEVELS + 'when = "numbers.used > 0"',
        {LEFT: "2 _x3", "numbers.used": "1 1 0 0"},
        "0 fired warning, 2 resolved no longer applies",
    ),
    Story(
        "when unknown neither fires nor ends",
        LEVELS + 'when = "numbers.used > 0"',
        {LEFT: "2x6", "numbers.used": "_ 1 _x2 1 0"},
        "1 fired warning, 5 resolved no longer applies",
    ),
    Story(
        "unknown and false is false",
        LEVELS + 'when = "stats.faxes > 1 and numbers.used > 0"',
        {LEFT: "2x3", "numbers.used": "0x3", "stats.faxes": "2 _x2"},
        "",
    ),
    Story(
        "unknown and true is unknown",
        LEVELS + 'when = "stats.faxes > 1 and numbers.used > 0"',
        {LEFT: "2x4", "numbers.used": "1x3 0", "stats.faxes": "2 _x3"},
        "0 fired warning, 3 resolved no longer applies",
    ),
    Story(
        "unknown or true is true",
        LEVELS + 'when = "stats.faxes > 1 or numbers.used > 0"',
        {LEFT: "2", "numbers.used": "1", "stats.faxes": "_"},
        "0 fired warning",
    ),
    # --- unknown levels
    Story(
        "an unknown critical does not hold the warning back",
        'value = "numbers.used"\nwarning = "> 5"\ncritical = "> plan.limits.numbers"',
        {"numbers.used": "6x2", "plan.limits.numbers": "_x2"},
        "0 fired warning",
    ),
    Story(
        "an unknown critical does not let it recover",
        'value = "numbers.used"\nwarning = "> 5"\ncritical = "> plan.limits.numbers"',
        {"numbers.used": "6 3x3", "plan.limits.numbers": "9 _x2 9"},
        "0 fired warning, 3 resolved recovered",
    ),
    Story(
        "a critical that becomes unknown stays",
        'value = "numbers.used"\nwarning = "> 5"\ncritical = "> plan.limits.numbers"',
        {"numbers.used": "11 11 7 7", "plan.limits.numbers": "10 _x2 10"},
        "0 fired critical, 3 lowered warning",
    ),
    Story(
        "a critical that is known needs no warning that is",
        'value = "numbers.used"\nwarning = "> plan.limits.numbers"\ncritical = "> 20"',
        {"numbers.used": "21", "plan.limits.numbers": "_"},
        "0 fired critical",
    ),
    # --- limits and divisors
    Story(
        "more room is another end than less use",
        SHARE,
        {"numbers.used": "10x4", "numbers.limit": "12x2 24x2"},
        "0 fired warning, 2 resolved limit changed",
    ),
    Story(
        "less use is a recovery",
        SHARE,
        {"numbers.used": "10x2 5", "numbers.limit": "12x3"},
        "0 fired warning, 2 resolved recovered",
    ),
    Story(
        "more room for what was recovering anyway",
        SHARE + '\nkeep_firing_for = "3m"',
        {"numbers.used": "10 5x4", "numbers.limit": "12x2 24x3"},
        "0 fired warning, 1 recovering, 4 resolved recovered",
    ),
    Story(
        "a limit of 0 is no limit",
        SHARE,
        {"numbers.used": "10x5", "numbers.limit": "0x2 12 0 24"},
        "2 fired warning, 4 resolved limit changed",
    ),
    Story(
        "a limit that is gone resolves nothing",
        SHARE,
        {"numbers.used": "10 5 5 5", "numbers.limit": "12 _x2 12"},
        "0 fired warning, 3 resolved recovered",
    ),
    Story(
        "a divisor of 0 is unknown",
        'value = "numbers.used / stats.totalCalls"\nwarning = "> 1"',
        {"numbers.used": "5x4", "stats.totalCalls": "0 2 0 9"},
        "1 fired warning, 3 resolved recovered",
    ),
    Story(
        "a threshold that follows the limit",
        'value = "numbers.used"\nwarning = "> 80% * numbers.limit"',
        {"numbers.used": "10x3", "numbers.limit": "12x2 24"},
        "0 fired warning, 2 resolved limit changed",
    ),
    # --- increase
    Story("a window that is too short is unknown", GROWTH, {TOTAL: "0+1x12"}, "10 fired warning", flags=True),
    Story(
        "growth is from the answer at now − w",
        GROWTH,
        {TOTAL: "0x11 5 6 6x8 6x3"},
        "12 fired warning, 21 resolved recovered",
    ),
    Story("one odd answer is no fall and no spike", GROWTH, {TOTAL: "100x11 10 100x12"}, ""),
    Story("two odd answers are none either", GROWTH, {TOTAL: "100x11 10x2 100x12"}, ""),
    Story("a fall adds nothing", GROWTH, {TOTAL: "100x11 10x20"}, ""),
    Story(
        "after three lower answers growth counts from there", GROWTH, {TOTAL: "100x11 10x3 15 16x2"}, "15 fired warning"
    ),
    Story("growth between the lower answers counts too", GROWTH, {TOTAL: "100x11 10 13 16 16"}, "13 fired warning"),
    Story("growth before and after a reset is added", GROWTH, {TOTAL: "100x9 103x2 0x3 2 3x2"}, "15 fired warning"),
    Story(
        "a base as old as w and 3 × every still counts",
        GROWTH,
        {TOTAL: "0 9x3 9x11"},
        "10 fired warning, 14 resolved recovered",
        asked="1 0x3 1x11",
    ),
    Story(
        "an older base does not",
        GROWTH,
        {TOTAL: "0 9x4 9x12"},
        "10 fired warning, 15 resolved recovered",
        asked="1 0x4 1x12",
    ),
    # --- other windows
    Story(
        "delta is against the answer that long ago",
        'value = "delta(numbers.used, 3m)"\nwarning = "> 5"',
        {"numbers.used": "1x4 7x5"},
        "4 fired warning, 7 resolved recovered",
    ),
    Story(
        "delta may be negative",
        'value = "delta(numbers.used, 3m)"\nwarning = "< -5"',
        {"numbers.used": "9x4 3x5"},
        "4 fired warning, 7 resolved recovered",
    ),
    Story(
        "ago is the value at that time",
        'value = "ago(numbers.used, 3m)"\nwarning = "> 5"',
        {"numbers.used": "1x4 7 1x5"},
        "7 fired warning, 8 resolved recovered",
    ),
    Story(
        "max holds until the window has passed it",
        'value = "max(numbers.used, 3m)"\nwarning = "> 5"',
        {"numbers.used": "1x4 7 1x5"},
        "4 fired warning, 8 resolved recovered",
    ),
    Story(
        "min waits until the window holds nothing else",
        'value = "min(numbers.used, 3m)"\nwarning = "> 5"',
        {"numbers.used": "1x4 7x5 1"},
        "7 fired warning, 9 resolved recovered",
    ),
    Story(
        "avg is the mean of the window's answers",
        'value = "avg(numbers.used, 3m)"\nwarning = "> 3"',
        {"numbers.used": "1x4 5x5"},
        "6 fired warning",
    ),
    Story(
        "eta falls below its bound",
        'value = "eta(numbers.remaining, 0, 10m)"\nwarning = "< 8m"',
        "20-1x15",
        "13 fired warning",
    ),
    Story(
        "eta of what stands still is never",
        'value = "eta(numbers.remaining, 0, 10m)"\nwarning = "< 8m"',
        "1x15",
        "",
        flags=True,
    ),
    Story(
        "eta is 0 when it is there from the start",
        'value = "eta(numbers.remaining, 0, 10m)"\nwarning = "< 8m"',
        "0 5",
        "0 fired warning",
    ),
    Story(
        "eta is 0 when it is there",
        'value = "eta(numbers.remaining, 0, 10m)"\nwarning = "< 8m"',
        "20x11 0x3",
        "11 fired warning",
    ),
    Story(
        "never is greater than any duration",
        'value = "eta(numbers.remaining, 0, 10m)"\nwarning = "> 300d"',
        "1x11 1",
        "10 fired warning",
    ),
    # --- periods
    Story(
        "a period's end is its own reason",
        'value = "period.elapsed"\nwarning = "> 80%"',
        {"period.elapsed": "0.9x3 0.01x3"},
        "0 fired warning, 3 resolved new period",
        period="1x3 22x3",
    ),
    Story(
        "a gauge that recovers as the period changes",
        LEVELS,
        "2x3 5x3",
        "0 fired warning, 3 resolved recovered",
        period="1x3 22x3",
    ),
    # --- no data
    Story(
        "no good answer for no_data_after",
        LEVELS,
        "5x9",
        "4 fired critical, 8 resolved recovered",
        asked="1x2 0x5 1x2",
        alert=NO_DATA,
    ),
    Story(
        "no good answer since the start",
        LEVELS,
        "5x9",
        "3 fired critical, 6 resolved recovered",
        asked="0x5 1x4",
        alert=NO_DATA,
    ),
    Story(
        "a refused key is told at once, and over after two good answers",
        LEVELS,
        "5x9",
        "1 fired critical, 5 resolved recovered",
        asked="1 4 1 4 1 1",
        alert=NO_DATA,
    ),
    Story("a short outage is none", LEVELS, "5x9", "", asked="1 0x2 1 0x2 1", alert=NO_DATA),
    Story(
        "a rule that is unknown for 15 minutes is a warning",
        LEVELS,
        "_x18 5",
        "15 fired warning, 18 resolved recovered",
        alert=NO_DATA,
    ),
    Story("a rule that is unknown for less is none", LEVELS, "_x15 5 _x15 5", "", alert=NO_DATA),
    Story(
        "a history that is too short is no warning",
        'value = "increase(stats.totalMessages, 1h)"\nwarning = "> 5"',
        {TOTAL: "1x59"},
        "",
        alert=NO_DATA,
    ),
]


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name) for story in STORIES])
def test_a_story_has_these_events_and_no_others(story: Story) -> None:
    assert happened(played(story), alert=story.alert, flags=story.flags) == story.events


def test_a_gap_a_second_longer_than_3_x_every_does_not_count() -> None:
    replay = Replay(only(config(rules=f'[rules.it]\nvalue = "{LEFT}"\nwarning = "< 3"\nfor = "3m"\n')))
    low = {LEFT: 2.0}
    for gap, fires in ((180, True), (181, False)):
        replay = Replay(replay.config)
        cycles = [replay.cycle(snapshot(low, at=now), now=now) for now in (NOW, NOW + timedelta(seconds=gap))]
        assert ("fired" in happened(cycles)) is fires


def test_usual_is_the_median_of_the_same_time_on_the_last_days() -> None:
    rule = 'value = "stats.messagesLast24h"\nwarning = "> 2 * usual(stats.messagesLast24h, 7d)"'
    replay = Replay(only(config(rules=f"[rules.it]\n{rule}\n", account='every = "1h"')))
    hours = [100.0 if hour % 24 == 0 else 10.0 for hour in range(24 * 8)]
    hours[24 * 3] = 1_000  # an odd day
    cycles = []
    for hour, count in enumerate([*hours, 190, 21, 19]):
        now = NOW + timedelta(hours=hour)
        cycles.append(replay.cycle(snapshot({"stats.messagesLast24h": count}, at=now), now=now))
    began = [(event.at - NOW) / timedelta(hours=1) for cycle in cycles[24 * 8 :] for event in cycle.events]
    assert began == [24 * 8 + 1, 24 * 8 + 2]


# --- what channels are told ----------------------------------------------------------------------------------------


def told(cycles: Sequence[Cycle]) -> list[str]:
    return [f"{each.telling.occasion} {each.telling.desired.level.word}" for cycle in cycles for each in cycle.told]


@pytest.mark.parametrize(
    ("rule", "series", "said"),
    [
        (LEVELS, "2 1 2 1 5", ["fired warning", "escalated critical", "resolved critical"]),
        (KEEP_5, "2 5 2 5x6", ["fired warning", "resolved warning"]),
        (KEEP_5, "2 5 1 5x6", ["fired warning", "escalated critical", "resolved critical"]),
        (KEEP_5, "1 5 2 5x6", ["fired critical", "resolved critical"]),
        (FOR_5, "2x3 5 1x3 5", []),
        (LEVELS + 'notify = { critical = ["ops"] }', "2 1 2 5", ["fired critical", "resolved critical"]),
        (LEVELS + 'notify = { critical = ["ops"] }', "2x3 5", []),
    ],
)
def test_people_are_told_of_each_level_once_and_of_every_end_of_what_they_were_told(
    rule: str, series: str, said: list[str]
) -> None:
    assert told(played(Story("", rule, series, ""))) == said


# --- subjects ------------------------------------------------------------------------------------------------------

EACH = 'each = "number"\nvalue = "number.messages"\nwarning = "> 5"\n'


def listings(*seen: dict[str, float] | None, rule: str = EACH) -> list[Cycle]:
    """A listing of numbers in each minute; None where it could not be had."""
    moments = []
    for minute, numbers in enumerate(seen):
        plain = snapshot(at=at(minute))
        found = {name: {"number.messages": count} for name, count in (numbers or {}).items()}
        fresh = plain.fresh | ({Endpoint.BY_NUMBER} if numbers is not None else frozenset())
        moments.append((at(minute), replace(plain, subjects={Each.NUMBER: found} if found else {}, fresh=fresh)))
    return list(replayed(Replay(only(config(rules=f"[rules.it]\n{rule}"))), moments))


@pytest.mark.parametrize(
    ("rule", "seen", "one", "two"),
    [
        (
            EACH,
            [{"1": 9, "2": 0}, {"1": 9, "2": 9}, {"1": 0, "2": 9}],
            "0 fired warning, 2 resolved recovered",
            "1 fired warning",
        ),
        (EACH, [{"1": 9, "2": 0}, *[{"2": 0}] * 4], "0 fired warning, 3 resolved subject gone", ""),
        (
            EACH,
            [{"1": 9, "2": 0}, *[{"2": 0}] * 2, {"1": 9}, *[{"2": 0}] * 3],
            "0 fired warning, 6 resolved subject gone",
            "",
        ),
        (EACH, [{"1": 9, "2": 0}, *[{}] * 9, {"1": 9}], "0 fired warning", ""),
        (EACH, [{"1": 9, "2": 0}, *[None] * 9, {"1": 9}], "0 fired warning", ""),
        (
            EACH + 'for = "5m"\n',
            [{"1": 9, "2": 9}, *[{"2": 9}] * 6],
            "0 pending, 3 calmed",
            "0 pending, 5 fired warning",
        ),
        (EACH, [{"1": 9}, *[{"2": 0}] * 3, {"1": 9}], "0 fired warning, 3 resolved subject gone, 4 fired warning", ""),
        (
            EACH + 'keep_firing_for = "9m"\n',
            [{"1": 9, "2": 0}, {"1": 0, "2": 0}, *[{"2": 0}] * 3],
            "0 fired warning, 1 recovering, 4 resolved subject gone",
            "",
        ),
    ],
)
def test_subjects_come_and_go_each_for_itself(
    rule: str, seen: list[dict[str, float] | None], one: str, two: str
) -> None:
    cycles = listings(*seen, rule=rule)
    assert (happened(cycles, subject="1"), happened(cycles, subject="2")) == (one, two)


# --- a month that has just begun -----------------------------------------------------------------------------------

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
AGENTS = """
[rules.it]
value = "agents.totalSeconds"
warning = "> 1h"
[rules.each]
each = "agent"
value = "agent.totalSeconds"
warning = "> 1h"
"""


def first_of_the_month(*listed: int, days: int = 1, silent_before: bool = False) -> list[Cycle]:
    """Five minutes apart, from two hours before a month's end on: one agent talked a lot, and from then on nobody."""
    replay, cycles = Replay(only(config(rules=AGENTS, account='every = "5m"'))), []
    agent = {"agentId": "a", "agentName": "A", "messages": 0, "calls": 9, "totalSeconds": 7200}
    for number in range(-24, 12 * 24 * days):
        now = MIDNIGHT + timedelta(minutes=5 * number)
        rows = [agent] if number in listed or (number < 0 and not silent_before) else []
        by_agent = part(Endpoint.BY_AGENT, Answer({"data": rows}, ""), at=now)
        cycles.append(replay.cycle(joined(snapshot(at=now), [by_agent], stale_after=timedelta(minutes=15)), now=now))
    return cycles


def hours(cycles: Sequence[Cycle]) -> list[str]:
    return [
        " ".join([f"{(event.at - MIDNIGHT) / timedelta(hours=1):g}", event.key.rule, _word(event), event.text]).strip()
        for cycle in cycles
        for event in cycle.events
    ]


def test_a_month_in_which_nobody_calls_ends_the_sums_of_the_last_one_and_alarms_nobody() -> None:
    assert hours(first_of_the_month(days=3)) == [
        "-2 it fired",
        "-2 each fired",
        "0 it resolved new period",
        "0 each resolved new period",
    ]


def test_an_account_without_any_agent_alarms_nobody() -> None:
    assert hours(first_of_the_month(days=3, silent_before=True)) == []


def test_an_empty_listing_amid_a_month_ends_nothing() -> None:
    talked = range(36 * 12, 37 * 12)  # from noon on the second day on, for an hour
    assert hours(first_of_the_month(*talked, days=2))[4:] == [
        "36 it fired",
        "36 each fired",
        "37 each unknown the agent is not in the last listing",
        "37.25 guard.no_data fired",
    ]
