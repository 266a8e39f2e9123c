"""What the rule file promises, asked for once more at the edges where two promises meet; story by story."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from guard.config import AccountConfig, Config, load
from guard.model import Event, Snapshot
from guard.replay import Cycle, Replay
from guard.sandbox.server import Sandbox
from tests.builders import NOW, at
from tests.stand_ins.clock import HandClock
from tests.test_cycle import Asking
from tests.test_semantics import EACH, GROWTH, LEFT, LEVELS, SHARE, TOTAL, Story, happened, listings, played, told
from tests.test_semantics_edits import Edit, Life, Minutes, Step, rule, written
from tests.wiring import API_KEY, config, only, opened, rule_file

USED = "numbers.used"
BAND = 'value = "numbers.used"\nwarning = "> 80"\ncritical = "> 90"\nclear = "< 70"\n'
THREE = 'info = "< 5"\nwarning = "< 3"\ncritical = "< 2"\n'
FOR_3 = LEVELS + 'for = "3m"\n'
KEEP_5 = LEVELS + 'keep_firing_for = "5m"\n'
WHEN = 'when = "numbers.used > 0"\n'
GROWTH_1H = 'value = "increase(stats.totalMessages, 1h)"\nwarning = "> 5"'

STORIES = [
    # --- timers of mixed levels
    Story(
        "three levels, each with its own time",
        THREE + 'for = "4m"',
        "4x2 2 1 4x3 1x5",
        "0 pending, 4 fired info, 11 escalated critical",
    ),
    Story(
        "a critical that flickers never fires, and holds no warning back",
        FOR_3,
        "1 2 1 2 1 2",
        "0 pending, 3 fired warning",
    ),
    Story("a calm minute sets all levels back", FOR_3, "2x2 5 1x4", "0 pending, 2 calmed, 3 pending, 6 fired critical"),
    Story(
        "a level that is skipped on the way down is not fired anew",
        THREE,
        "1 4 2 6",
        "0 fired critical, 1 lowered info, 2 escalated warning, 3 resolved recovered",
    ),
    # --- between the lowest level and clear
    Story(
        "from above, through the band and back",
        BAND,
        {USED: "95 75 85 75 92 70 69"},
        "0 fired critical, 1 lowered warning, 4 escalated critical, 5 lowered warning, 6 resolved recovered",
    ),
    Story(
        "the lowest level is the rule's, not the one that fired",
        'value = "numbers.used"\ninfo = "> 70"\nwarning = "> 80"\nclear = "< 50"',
        {USED: "85 60 40"},
        "0 fired warning, 1 lowered info, 2 resolved recovered",
    ),
    Story(
        "from within the band a higher level waits for its time",
        BAND + 'for = "3m"',
        {USED: "85x4 75x2 95x4"},
        "0 pending, 3 fired warning, 9 escalated critical",
    ),
    Story(
        "an unknown within the band ends nothing",
        BAND,
        {USED: "85 75 _x3 75 69"},
        "0 fired warning, 6 resolved recovered",
    ),
    Story(
        "back into the band is no end, and its time starts anew",
        BAND + 'keep_firing_for = "2m"',
        {USED: "85 60x2 75 60x3"},
        "0 fired warning, 1 recovering, 3 refired warning, 4 recovering, 6 resolved recovered",
    ),
    # --- equal edges
    Story("at most is met by being equal", 'warning = "<= 3"', "4 3 4", "1 fired warning, 2 resolved recovered"),
    Story(
        "neither level nor clear at the edge itself",
        'warning = "< 3"\nclear = "> 3"',
        "2 3x2 4",
        "0 fired warning, 3 resolved recovered",
    ),
    Story(
        "a clear that takes the edge in",
        'warning = "< 3"\nclear = ">= 3"',
        "2 3",
        "0 fired warning, 1 resolved recovered",
    ),
    Story(
        "an edge that is both is the level's",
        'warning = "<= 3"\nclear = ">= 3"',
        "3x3 4",
        "0 fired warning, 3 resolved recovered",
    ),
    # --- unknown and keep_firing_for
    Story(
        "unknown when the time is over does not end it, and the next answer does",
        KEEP_5,
        "2 5x4 _x2 5",
        "0 fired warning, 1 recovering, 7 resolved recovered",
    ),
    Story(
        "unknown between over and not over is one incident",
        KEEP_5,
        "2 5 _ 1 5x6",
        "0 fired warning, 1 recovering, 3 escalated critical, 4 recovering, 9 resolved recovered",
    ),
    Story(
        "an outage amid recovery that is too long stops the time, and the level may come back",
        KEEP_5,
        "2 5x2 0x9 2 5x6",
        "0 fired warning, 1 recovering, 12 refired warning, 13 recovering, 18 resolved recovered",
        asked="1x3 0x9 1x7",
    ),
    # --- when
    Story(
        "a when that flaps lets nothing ripen",
        LEVELS + WHEN + 'for = "2m"',
        {LEFT: "2x7", USED: "1 0 1 0 1x3"},
        "0 pending, 1 calmed, 2 pending, 3 calmed, 4 pending, 6 fired warning",
    ),
    Story(
        "a when that flaps without for is an incident each time",
        LEVELS + WHEN,
        {LEFT: "2x4", USED: "1 0 1 0"},
        "0 fired warning, 1 resolved no longer applies, 2 fired warning, 3 resolved no longer applies",
    ),
    Story(
        "a when that is unknown for a moment sets no timer back",
        LEVELS + WHEN + 'for = "2m"',
        {LEFT: "2x3", USED: "1 _ 1"},
        "0 pending, 2 fired warning",
    ),
    Story(
        "a when that is false ends what recovers at once",
        KEEP_5 + WHEN,
        {LEFT: "2 5x2", USED: "1x2 0"},
        "0 fired warning, 1 recovering, 2 resolved no longer applies",
    ),
    # --- limits and periods
    Story(
        "a limit that rises at the very poll at which the use falls",
        SHARE,
        {USED: "10x2 3", "numbers.limit": "12x2 24"},
        "0 fired warning, 2 resolved limit changed",
    ),
    Story(
        "a limit that rises and is not enough goes on, and then it recovers",
        SHARE,
        {USED: "10x3 5", "numbers.limit": "10 12x3"},
        "0 fired warning, 3 resolved recovered",
    ),
    Story(
        "a new period amid pending is no reason to begin anew",
        'value = "period.elapsed"\nwarning = "> 80%"\nfor = "3m"',
        {"period.elapsed": "0.9x2 0.95x3"},
        "0 pending, 3 fired warning",
        period="1x2 22x3",
    ),
    Story(
        "what still holds in the new period and ends in it recovered",
        'value = "period.elapsed"\nwarning = "> 80%"',
        {"period.elapsed": "0.9x2 0.85x2 0.1"},
        "0 fired warning, 4 resolved recovered",
        period="1x2 22x3",
    ),
    # --- lifetime counters
    Story(
        "a failed poll amid three lower answers does not count as one",
        GROWTH,
        {TOTAL: "100x11 10x2 0 10 16x2"},
        "15 fired warning",
        asked="1x13 0 1x3",
    ),
    Story(
        "a higher answer between lower ones makes them start anew",
        GROWTH,
        {TOTAL: "100x11 10x2 100 10x2 16x2"},
        "16 fired warning",
    ),
    Story(
        "a base may be older than a long window by a tenth of it",
        GROWTH_1H,
        {TOTAL: "0 9x70"},
        "60 fired warning, 67 resolved recovered",
        asked="1 0x6 1x64",
    ),
    Story(
        "and not by more: then the growth is unknown, which ends nothing",
        GROWTH_1H,
        {TOTAL: "0 9x70"},
        "60 fired warning, 68 resolved recovered",
        asked="1 0x7 1x63",
    ),
]


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name) for story in STORIES])
def test_a_story_has_these_events_and_no_others(story: Story) -> None:
    assert happened(played(story), alert=story.alert) == story.events


def test_through_the_band_and_back_a_level_is_told_once() -> None:
    story = Story("", BAND, {USED: "95 75 85 75 92 70 69"}, "")
    assert told(played(story)) == ["fired critical", "resolved critical"]


# --- gaps to the second ----------------------------------------------------------------------------------------------


def seconds(account: AccountConfig, *seen: tuple[int, float | None]) -> list[Cycle]:
    """Answers after so many seconds, each with so many numbers left, or without that field."""
    replay = Replay(account)
    cycles = []
    for after, left in seen:
        now = NOW + timedelta(seconds=after)
        values = {} if left is None else {LEFT: left}
        cycles.append(replay.cycle(Snapshot("main", now, values), now=now))
    return cycles


@pytest.mark.parametrize(("last", "is_over"), [(30, True), (31, False)])
@pytest.mark.parametrize(
    ("lines", "begun", "over"),
    [('for = "30s"', 2.0, "fired"), ('keep_firing_for = "30s"', 5.0, "resolved")],
)
def test_an_unknown_gap_counts_up_to_3_x_every_to_the_second(
    lines: str, begun: float, over: str, last: int, is_over: bool
) -> None:
    account = only(config(rules=rule('warning = "< 3"\n' + lines), account='every = "10s"'))
    before = [] if over == "fired" else [(-10, 2.0)]
    cycles = seconds(account, *before, (0, begun), (10, None), (20, None), (last, begun))
    assert (over in happened(cycles)) is is_over


# --- for, by default and by rule -------------------------------------------------------------------------------------


def test_a_rules_own_for_comes_before_that_of_the_file() -> None:
    rules = (
        rule('warning = "< 3"')
        + rule('warning = "< 3"\nfor = "0s"', name="own")
        + rule(LEVELS + 'for = "1m"', name="two")
    )
    text = rule_file(api="http://127.0.0.1:9", names=["ops"], rules=rules).replace(
        "[defaults]", '[defaults]\nfor = "5m"'
    )
    account = only_of(text)
    cycles = seconds(account, *((60 * minute, 2.0) for minute in range(7)))
    assert [happened(cycles, alert=name) for name in ("it", "own", "two")] == [
        "0 pending, 5 fired warning",
        "0 fired warning",
        "0 pending, 1 fired warning",
    ]


def config_of(text: str) -> Config:
    found = load(text, path="rules.toml", secret={"API_KEY": API_KEY, "URL_0": "https://hooks.slack.invalid/x"}.get)
    assert found.config is not None, found.problems
    return found.config


def only_of(text: str) -> AccountConfig:
    return only(config_of(text))


# --- budgets of sub-accounts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sub", "fires_above"), [("", 960.0), ("acme", 240.0), ("beta", 960.0), ("gamma", 0.0), ("delta", 960.0)]
)
def test_a_percentage_is_of_the_budget_that_is_nearest(sub: str, fires_above: float) -> None:
    lines = 'value = "stats.messagesLast24h"\nwarning = "> 80% * budgets.daily"'
    text = rule_file(
        api="http://127.0.0.1:9",
        names=["ops"],
        rules=f"[budgets]\ndaily = 5_000\n[rules.it]\n{lines}\n",
        account="""sub_accounts = ["acme", "beta", "gamma", "delta"]
budgets = { daily = 1_200 }
[accounts.main.sub.acme]
budgets = { daily = 300 }
[accounts.main.sub.gamma]
budgets = { daily = 0 }
[accounts.main.sub.delta]
budgets = { other = 7 }
""",
    )
    master = only_of(text)
    assert master.subs is not None
    account = master.subs.config(sub) if sub else master
    values = [fires_above, fires_above + 1]
    moments = [(at(minute), {"stats.messagesLast24h": value}) for minute, value in enumerate(values)]
    replay = Replay(account)
    cycles = [replay.cycle(Snapshot(account.name, now, seen), now=now) for now, seen in moments]
    assert happened(cycles) == "1 fired warning"


# --- subjects --------------------------------------------------------------------------------------------------------

ONE, TWO, NEITHER = {"1": 9.0, "2": 0.0}, {"2": 0.0}, {"1": 0.0, "2": 0.0}


@pytest.mark.parametrize(
    ("lines", "seen", "said"),
    [
        ('for = "5m"\n', [ONE, ONE, None, None, ONE, ONE], "0 pending, 5 fired warning"),
        ('for = "5m"\n', [ONE, ONE, None, None, None, *[ONE] * 5], "0 pending, 9 fired warning"),
        ('for = "5m"\n', [ONE, ONE, {}, {}, ONE, ONE], "0 pending, 5 fired warning"),
        ('for = "5m"\n', [ONE, TWO, TWO, ONE, ONE, ONE], "0 pending, 5 fired warning"),
        ("", [ONE, TWO, None, TWO, TWO], "0 fired warning, 4 resolved subject gone"),
        ("", [ONE, TWO, {}, {}, TWO, {}, TWO], "0 fired warning, 6 resolved subject gone"),
        ("", [ONE, TWO, TWO, NEITHER], "0 fired warning, 3 resolved recovered"),
        ("", [ONE, TWO, TWO, ONE, TWO, TWO, ONE, NEITHER], "0 fired warning, 7 resolved recovered"),
        (
            'keep_firing_for = "3m"\n',
            [ONE, NEITHER, TWO, TWO, NEITHER],
            "0 fired warning, 1 recovering, 4 resolved recovered",
        ),
        (
            'keep_firing_for = "2m"\n',
            [ONE, NEITHER, None, None, None, NEITHER, NEITHER, NEITHER],
            "0 fired warning, 1 recovering, 7 resolved recovered",
        ),
        (
            'for = "2m"\n',
            [NEITHER, ONE, TWO, TWO, TWO, ONE, ONE, ONE],
            "1 pending, 4 calmed, 5 pending, 7 fired warning",
        ),
    ],
)
def test_a_subject_that_is_not_listed_waits_until_three_good_listings_lack_it(
    lines: str, seen: Sequence[dict[str, float] | None], said: str
) -> None:
    assert happened(listings(*seen, rule=EACH + lines), subject="1") == said


# --- edits and names -------------------------------------------------------------------------------------------------

BOTH = 'warning = "< 3"\ncritical = "< 2"\n'
IT = rule(BOTH)
CLEAR_5 = rule('warning = "< 3"\nclear = "> 5"')


UNTOLD = rule('warning = "< 4"\nnotify = { critical = ["ops"] }', name="b")
"""A rule whose end nobody waits for, as nobody is told that it fires."""


def renamed(name: str, former: str, lines: str = BOTH) -> str:
    return rule(f'{lines}renamed_from = "{former}"', name=name)


EDITS: dict[str, tuple[str, Sequence[Step], str]] = {
    "a clear that is moved below where it stands ends it as the rule changed": (
        CLEAR_5,
        [Minutes(2), Minutes(4), Edit(rule('warning = "< 3"\nclear = "> 3"'))],
        "0 fired warning, 2 resolved rule changed",
    ),
    "a clear that is added while it fires is waited for": (
        rule('warning = "< 3"'),
        [Minutes(2), Edit(CLEAR_5), Minutes(4), Minutes(6)],
        "0 fired warning, 2 resolved recovered",
    ),
    "a clear that is removed within the band ends it as the rule changed": (
        CLEAR_5,
        [Minutes(2), Minutes(4), Edit(rule('warning = "< 3"'))],
        "0 fired warning, 2 resolved rule changed",
    ),
    "a rule that recovers and is edited so that it holds goes on": (
        rule(BOTH + 'keep_firing_for = "9m"'),
        [Minutes(2), Minutes(4), Edit(rule('warning = "< 5"\nkeep_firing_for = "9m"')), Minutes(4)],
        "0 fired warning, 1 recovering warning, 2 refired warning",
    ),
    "a rule that recovers and is edited so that it still is over ends": (
        rule(BOTH + 'keep_firing_for = "9m"'),
        [Minutes(2), Minutes(5), Edit(rule('warning = "< 4"\nkeep_firing_for = "9m"'))],
        "0 fired warning, 1 recovering warning, 2 resolved rule changed",
    ),
    "a name that changes twice, one after the other": (
        IT,
        [Minutes(2), Edit(renamed("b", "it")), Minutes(2), Edit(renamed("c", "b")), Minutes(5)],
        "0 fired warning, 2 c resolved recovered",
    ),
    "a name that changes twice while nobody looks is another rule": (
        IT,
        [Minutes(2), Edit(renamed("c", "b"), restart=True), Minutes(2)],
        "0 fired warning, 1 resolved rule removed, 1 c fired warning",
    ),
    "onto a rule that fires itself: the old one ends, the other goes on": (
        IT + rule(BOTH, name="b"),
        [Minutes(2), Edit(renamed("b", "it")), Minutes(5)],
        "0 fired warning, 0 b fired warning, 1 resolved rule removed, 1 b resolved recovered",
    ),
    "onto the name of a rule that ended with its removal, right before": (
        UNTOLD,
        [Minutes(2), Edit(IT), Minutes(2), Edit(renamed("b", "it")), Minutes(2), Minutes(5)],
        "0 b fired warning, 1 b resolved rule removed, 1 fired warning, 3 b resolved recovered",
    ),
    "onto the name of a rule that was there beside it, and is at rest": (
        IT + UNTOLD.replace('"< 4"', '"< 9"\nwhen = "numbers.remaining > 4"'),
        [Minutes(5), Minutes(2), Edit(renamed("b", "it")), Minutes(2), Minutes(5)],
        "0 b fired warning, 1 fired warning, 1 b resolved no longer applies, 3 b resolved recovered",
    ),
    "a new name and without the level that fires": (
        IT,
        [Minutes(1), Edit(renamed("b", "it", 'warning = "< 3"\n'))],
        "0 fired critical, 1 b lowered warning",
    ),
    "a new name amid the band": (
        CLEAR_5,
        [Minutes(2), Minutes(4), Edit(renamed("b", "it", 'warning = "< 3"\nclear = "> 5"\n')), Minutes(4), Minutes(6)],
        "0 fired warning, 3 b resolved recovered",
    ),
    "a new name while the API fails": (
        IT,
        [Minutes(2), Minutes(None, 2), Edit(renamed("b", "it")), Minutes(None), Minutes(5)],
        "0 fired warning, 4 b resolved recovered",
    ),
}


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_gives_these_events_and_no_others(tmp_path: Path, name: str) -> None:
    rules, steps, events = EDITS[name]
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        assert written(await Life(tmp_path, sandbox, clock).lives(rules, steps)) == events


# --- accounts and subjects under other names -------------------------------------------------------------------------

CALLS = '[rules.{name}]\nvalue = "number.calls"\nwarning = "> 1"\neach = "number"\n{more}'


async def starts(path: Path, sandbox: Sandbox, clock: HandClock, *rules: str, account: str = "main") -> list[str]:
    """Starts of a service with these rules, one after another and a cycle each; what happens in the last one."""
    events: list[Event] = []
    for each in rules:
        known = len(events)
        name = account if each is rules[-1] else "main"
        text = rule_file(api=sandbox.base_url, names=["ops"], rules=each).replace(
            "[accounts.main]", f"[accounts.{name}]"
        )
        async with opened(config_of(text), path, clock=clock) as parts:
            await Asking(parts, clock).cycle(minutes=1)
            events = (await parts.store.run(lambda unit: unit.events(limit=100)))[::-1]
    assert known
    return [f"{each.key} {each.kind.removeprefix('alert.')} {each.text}".strip() for each in events[known:]]


async def test_an_account_that_gets_another_name_is_another_account(tmp_path: Path) -> None:
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        sandbox.set({LEFT: 2})
        said = await starts(tmp_path, sandbox, clock, IT, IT + "\n", account="prod")
    assert said == ["main/it resolved account removed", "prod/it fired"]


async def test_each_subject_goes_on_under_the_rules_new_name(tmp_path: Path) -> None:
    old, new = CALLS.format(name="calls", more=""), CALLS.format(name="talks", more='renamed_from = "calls"\n')
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        assert await starts(tmp_path, sandbox, clock, old, new) == []


async def test_a_new_name_and_each_at_once_ends_the_alert_of_the_account_and_begins_those_of_the_subjects(
    tmp_path: Path,
) -> None:
    whole = '[rules.calls]\nvalue = "stats.totalCalls"\nwarning = "> 1"\n'
    each = CALLS.format(name="talks", more='renamed_from = "calls"\n')
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        said = await starts(tmp_path, sandbox, clock, whole, each)
    assert said.count("main/talks resolved rule changed") == 1, said
    assert {event.split()[1] for event in said if event.startswith("main/talks/")} == {"fired"}
