"""A rule that gets another name while it fires, from one start of the service to the next."""

from pathlib import Path

from guard.model import AlertKey, EventKind, State
from guard.sandbox.server import Sandbox
from tests.stand_ins.clock import HandClock
from tests.test_cycle import asking
from tests.wiring import API_KEY, NUMBERS

OLD, NEW = AlertKey("main", "numbers-remaining"), AlertKey("main", "numbers-left")
RENAMED = NUMBERS.replace("numbers-remaining", "numbers-left")
FORMER = 'renamed_from = "numbers-remaining"\n'
"""The rule under its new name, with and without the key that says what it was called."""


async def restarted(path: Path, *, rules: str, cycles: int = 1) -> tuple[dict[AlertKey, State], list[str], list[bool]]:
    """Fires under the old name, starts again with other rules, and gives alerts, events and who should know an end."""
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        sandbox.set({"numbers.remaining": 2})
        async with asking(path, sandbox.base_url) as it:
            await it.cycle()
        async with asking(path, sandbox.base_url, rules=rules) as it:
            for minute in range(1, cycles + 1):
                await it.cycle(minutes=minute)
            stored = await it.stored()
    alerts = {key: alert.state for key, alert in stored.alerts.items()}
    events = [f"{event.key.rule} {event.kind.removeprefix('alert.')} {event.text}".strip() for event in stored.events]
    return alerts, events[::-1], [each.desired.ended for each in stored.notifications if each.desired]


async def test_what_fires_goes_on_under_the_new_name_and_nobody_is_told_anything(tmp_path: Path) -> None:
    alerts, events, ended = await restarted(tmp_path, rules=RENAMED + FORMER)
    assert alerts == {NEW: State.FIRING}
    assert events == ["numbers-remaining fired"]
    assert ended == [False]


async def test_without_the_old_name_one_rule_ends_and_another_begins(tmp_path: Path) -> None:
    alerts, events, ended = await restarted(tmp_path, rules=RENAMED)
    assert alerts[NEW] is State.FIRING
    assert events == ["numbers-remaining fired", "numbers-remaining resolved rule removed", "numbers-left fired"]
    assert sorted(ended) == [False, True]


async def test_a_rule_that_is_renamed_and_disabled_at_once_ends_under_its_new_name(tmp_path: Path) -> None:
    _, events, ended = await restarted(tmp_path, rules=RENAMED + FORMER + "enabled = false\n")
    assert events == ["numbers-remaining fired", "numbers-left resolved rule disabled"]
    assert ended == [True]


async def test_a_threshold_that_changes_with_the_name_is_an_edit_like_any_other(tmp_path: Path) -> None:
    _, events, _ = await restarted(tmp_path, rules=RENAMED.replace("< 3", "< 2").replace("< 2", "< 1") + FORMER)
    assert events == ["numbers-remaining fired", "numbers-left resolved rule changed"]


async def test_an_alert_of_a_subject_ends_where_the_rule_has_none_for_each_any_more(tmp_path: Path) -> None:
    each = '[rules.calls]\nvalue = "number.calls"\nwarning = "> 1"\neach = "number"\n'
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        async with asking(tmp_path, sandbox.base_url, rules=each) as it:
            await it.cycle()
            fired = {key for key, alert in (await it.stored()).alerts.items() if alert.state is State.FIRING}
        assert fired
        assert all(key.subject for key in fired)
        whole = each.replace("number.calls", "stats.totalCalls").replace('each = "number"\n', "")
        async with asking(tmp_path, sandbox.base_url, rules=whole) as it:
            stored = await it.stored()
    ends = {event.key: event.text for event in stored.events if event.kind is EventKind.RESOLVED}
    assert ends == dict.fromkeys(fired, "rule changed")
