"""What is unwise is said once, and what is wise is left alone."""

import re
from math import inf
from pathlib import Path

import pytest

from guard.config.ranges import Range, range_of
from guard.rules.tree import Text
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, RULE, said

FRAME = ACCOUNT + CHANNEL + DEFAULTS + "[budgets]\nlow = 10\n"
FAILED = "stats.failedWebhookDeliveries"
TOTAL = "stats.totalWebhookDeliveries"


def advice(value: str, *lines: str) -> list[str]:
    """What is said of a rule, without places."""
    found = said(f'{FRAME}[rules.a]\nvalue = "{value}"\n' + "".join(f"{line}\n" for line in lines))
    return [line.partition("warning: ")[2] or line for line in found]


# --- what the project itself shows -----------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"(?s)```toml\n(.*?)```", page.read_text(encoding="utf-8")))
    if re.match(r"\[rules\.", block)
]


@pytest.mark.parametrize("block", SHOWN)
def test_what_the_docs_show_is_wise(block: str) -> None:
    budgets = "".join(f"{name} = 100\n" for name in sorted(set(re.findall(r"budgets\.(\w+)", block)) - {"low"}))
    assert said(FRAME + budgets + block) == []


def test_what_the_example_shows_is_wise_also_where_it_is_off() -> None:
    text = (ROOT / "rules.example.toml").read_text(encoding="utf-8")
    assert said(text) == []
    assert said(text.replace("enabled  = false", "").replace("enabled         = false", "")) == []


# --- levels that are foregone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "level", "expected"),
    [
        ("numbers.remaining", "< 0", "can never hold: numbers.remaining is never below 0; write <= 0"),
        ("numbers.remaining", "<= -1", "can never hold: numbers.remaining is never below 0; write <= 0"),
        ("numbers.remaining", "== -1", "can never hold: numbers.remaining is never below 0; write <= 0"),
        ("numbers.remaining", ">= 0", "always holds: numbers.remaining is never below 0; write > 0"),
        ("numbers.remaining", "!= -1", "always holds: numbers.remaining is never below 0; write > 0"),
        ("period.elapsed", "> 100%", "can never hold: period.elapsed is never above 100%; write >= 100%"),
        ("period.elapsed", "<= 120%", "always holds: period.elapsed is never above 100%; write < 100%"),
        ("numbers.remaining / numbers.limit", "> 1", "can never hold: the value is never above 1; write >= 1"),
        ("100 - numbers.used", "> 100", "can never hold: the value is never above 100; write >= 100"),
        ("-numbers.used", "> 0", "can never hold: the value is never above 0; write >= 0"),
        ("numbers.used + budgets.low", "< budgets.low", "can never hold: the value is never below 10; write <= 10"),
        ("numbers.used * 0", "> 0", "can never hold: the value is never above 0; write >= 0"),
        ("numbers.used / 0.5", "< 0", "can never hold: the value is never below 0; write <= 0"),
        (f"increase({FAILED}, 1h)", "< 0", "can never hold: the value is never below 0; write <= 0"),
        ("max(numbers.used, 1h)", "< 0", "can never hold: the value is never below 0; write <= 0"),
    ],
)
def test_a_level_that_is_foregone_is_told_of(value: str, level: str, expected: str) -> None:
    assert advice(value, f'warning = "{level}"') == [f"warning {expected}"]


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("numbers.remaining", "<= 0"),
        ("numbers.remaining", "> 0"),
        ("numbers.used / numbers.limit", "> 100%"),
        ("numbers.remaining - 5", "< 0"),
        ("numbers.used * (numbers.used - 5)", "< 0"),
        ("numbers.used / (numbers.used - 5)", "< 0"),
        ("period.elapsed", ">= 100%"),
        ("delta(numbers.used, 1h)", "< 0"),
        ("numbers.newThing", "< 0"),
        ("budgets.low - numbers.used", "< 0"),
        ("numbers.used", "> numbers.limit"),
    ],
)
def test_a_level_that_may_hold_or_not_is_left_alone(value: str, level: str) -> None:
    assert [each for each in advice(value, f'warning = "{level}"') if "hold" in each] == []


def test_nothing_is_known_of_what_is_no_number() -> None:
    assert range_of(Text("x"), {}) == Range(-inf, inf)


def test_a_clear_that_depends_on_a_field_is_left_alone() -> None:
    assert advice("numbers.used", 'warning = "> 5"', 'clear = "< numbers.limit"') == []


def test_a_share_of_two_windows_is_no_share_of_a_whole() -> None:
    value = f"increase({FAILED}, 2h) / increase({TOTAL}, 1h)"
    when = f'when = "increase({TOTAL}, 1h) > 20"'
    assert advice(value, when, 'warning = "> 1"') == []
    assert len(advice(value.replace("2h", "1h"), when, 'warning = "> 1"')) == 1


# --- flapping -------------------------------------------------------------------------------------------------------

FLAPS = "also falls by itself, so this may begin and end again and again; add"


@pytest.mark.parametrize(
    ("level", "how"),
    [
        ("> 1_000", 'clear = "< 900", or for = "10m"'),
        (">= 80%  * budgets.low", 'clear = "< 72% * budgets.low", or for = "10m"'),
        ("> budgets.low", 'clear = "< 90% * budgets.low", or for = "10m"'),
        ("< 20", 'clear = "> 22", or for = "10m"'),
        ("> 0", 'for = "10m"'),
        ("== 7", 'for = "10m"'),
        ("> budgets.low + 7", 'for = "10m"'),
    ],
)
def test_a_rolling_counter_flaps_without_room_or_time(level: str, how: str) -> None:
    assert advice("stats.callsLast24h", f'warning = "{level}"') == [f"stats.callsLast24h {FLAPS} {how}"]


@pytest.mark.parametrize("line", ['clear = "< 900"', 'for = "10m"', 'keep_firing_for = "10m"'])
def test_room_or_time_keeps_a_rolling_counter_from_flapping(line: str) -> None:
    assert advice("stats.callsLast24h", 'warning = "> 1_000"', line) == []


@pytest.mark.parametrize("level", ["> 80%", "> budgets.low - 20%"])
def test_room_waits_until_a_percentage_is_meant_so(level: str) -> None:
    (said_of_percent,) = advice("stats.callsLast24h", f'warning = "{level}"')
    assert "20% alone" in said_of_percent or "80% alone" in said_of_percent
    mended = said_of_percent.partition("; write ")[2].replace("…", "low")
    assert FLAPS in advice("stats.callsLast24h", f'warning = "> {mended}"')[0]


def test_a_percentage_of_something_made_of_a_quotient_is_left_alone() -> None:
    assert advice("2 * (numbers.used / numbers.limit)", 'warning = "> 80%"') == []


def test_the_files_own_for_keeps_all_rules_from_flapping() -> None:
    text = f'{FRAME}[rules.a]\nvalue = "stats.callsLast24h"\nwarning = "> 1_000"\n'
    assert len(said(text)) == 1
    assert said(text.replace("[defaults]\n", '[defaults]\nfor = "10m"\n')) == []


# --- ratios ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "windowed"),
    [
        (f"{FAILED} / {TOTAL}", f"increase({FAILED}, 1h) / increase({TOTAL}, 1h)"),
        (f"1 - {FAILED} / (0 + {TOTAL})", f"increase({FAILED}, 1h) / (0 + increase({TOTAL}, 1h))"),
        (f"increase({FAILED}, 2h) / -{TOTAL}", f"increase({FAILED}, 2h) / -increase({TOTAL}, 1h)"),
    ],
)
def test_a_share_over_the_whole_life_hides_a_fresh_outage(value: str, windowed: str) -> None:
    hides = f"{TOTAL} counts over the account's whole life, in which a fresh outage drowns"
    assert advice(value, 'warning = "> 5%"', 'unit = "share"') == [f"{hides}; write {windowed}"]


@pytest.mark.parametrize("whole", [f"increase({TOTAL}, 1h)", "webhooks.total", "usual(stats.callsLast24h, 7d)"])
def test_a_share_of_few_cases_is_large_by_chance(whole: str) -> None:
    value, level, hold = f"numbers.used / {whole}", 'warning = "> 5%"', 'for = "10m"'
    assert advice(value, level, hold) == [f'when little happens, one case is a large share; add when = "{whole} >= 20"']
    assert advice(value, level, hold, f'when = "{whole} > 5"') == []


@pytest.mark.parametrize("whole", ["plan.limits.messagesPerMonth", "budgets.low", "period.elapsed", "numbers.limit"])
def test_a_share_of_a_limit_needs_no_least_volume(whole: str) -> None:
    assert advice(f"numbers.used / {whole}", 'warning = "> 5%"') == []


# --- pauses, channels, errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "written"), [("1m", "1m"), ("100s", "100s"), ("2h", "2h"), ("48h", "2d")])
def test_a_for_that_is_shorter_than_every_says_nothing(every: str, written: str) -> None:
    text = FRAME.replace("[channels", f'every = "{every}"\n[channels') + RULE
    assert said(text + f'for = "{every}"\n') == []
    assert said(text + 'for = "0s"\n') == []
    (line,) = said(text + 'for = "59s"\n')
    assert f'main is asked every {written}, so a shorter for is as long as that; write for = "{written}"' in line


def test_a_for_is_held_against_the_accounts_that_the_rule_goes_for() -> None:
    text = ACCOUNT.replace("main", "slow") + 'every = "1h"\n' + FRAME + RULE + 'for = "10m"\n'
    assert len(said(text)) == 1
    assert said(text + 'accounts = ["main"]\n') == []


SPARE = CHANNEL.replace("ops", "spare")


@pytest.mark.parametrize(
    "text",
    [
        FRAME + SPARE + RULE + 'notify = ["spare"]\n',
        FRAME + SPARE + RULE + 'notify = { critical = ["spare"] }\n',
        FRAME.replace("[channels", 'notify = ["spare"]\n[channels') + SPARE + RULE,
        FRAME.replace("[channels", 'sub_accounts = "all"\nsub.acme.notify = ["spare"]\n[channels') + SPARE + RULE,
    ],
    ids=["rule", "level", "account", "sub-account"],
)
def test_a_channel_that_is_named_anywhere_is_of_use(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        (FRAME + SPARE + RULE).replace('["ops"]', '["opps"]'),
        FRAME + SPARE + RULE + "notify = ops\n",
        FRAME + SPARE + "colour = 'red'\n" + RULE,
        FRAME + RULE.replace("numbers.remaining", "stats.callsLast24h") + 'unit = "%"\n',
    ],
    ids=["unknown channel", "lost line", "a channel with an error", "a rule with an error"],
)
def test_mistakes_come_before_advice(text: str) -> None:
    (line,) = said(text)
    assert " error: " in line


def test_without_any_route_only_the_rules_speak_of_it() -> None:
    (line,) = said(ACCOUNT + CHANNEL + SPARE + RULE)
    assert "nobody is told of numbers-remaining" in line
