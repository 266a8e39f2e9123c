"""Presses of buttons, from Slack's side of the connection to what the channel shows and what is told afterwards."""

from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from guard.lifecycle.mutes import matches
from guard.model import Ack, AlertKey, EventKind, Incident, Level, Silence
from guard.notify.slack_buttons import ENDED, Press, PressKind
from guard.presses import STAYS, UNWRITTEN, note_press
from guard.sandbox.scenario import Fault, Kind
from guard.store import Unit
from guard.store.database import Database
from tests.builders import NOW
from tests.pressing import pressing
from tests.waiting import until
from tests.wiring import NUMBERS, broken_store, kinds

HOUR = timedelta(hours=1)
Log = pytest.LogCaptureFixture


# --- acknowledge ---------------------------------------------------------------------------------------------------


async def test_who_acknowledges_is_shown_before_the_next_poll(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        asked = hand.desk.sandbox.requests
        await hand.press("Acknowledge")
        assert "@ann" in hand.whole()
        assert hand.desk.sandbox.requests == asked
        assert hand.story == [("critical", [])]
        assert EventKind.ACKED in await kinds(hand.it.parts.store)


async def test_nor_does_that_wait_for_a_poll_that_hangs(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        hand.desk.sandbox.fault(Fault(kind=Kind.HANG))
        (family,), asked = hand.it.parts.families, hand.desk.sandbox.requests
        await hand.it.service._wake_cycle(family)
        await until(lambda: hand.desk.sandbox.requests > asked)
        hand.it.held = 1
        await hand.press("Acknowledge")
        assert "@ann" in hand.whole()
        hand.desk.sandbox.clear()
        hand.it.service._jobs._running["cycle:main"].cancel()
        hand.it.held = 0
        await hand.fire(1)
        assert "@ann" in hand.whole()


@pytest.mark.parametrize(("is_acked", "reminders"), [(True, 0), (False, 1)])
async def test_nobody_is_reminded_of_what_is_acknowledged(
    tmp_path: Path, caplog: Log, *, is_acked: bool, reminders: int
) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        if is_acked:
            await hand.press("Acknowledge")
        hand.desk.clock.passes(5 * HOUR.total_seconds())
        await hand.fire(1)
        assert hand.story == [("critical", ["reminder critical"] * reminders)]


async def test_a_rise_after_an_acknowledgement_is_told_and_reminded_of(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(2)
        await hand.press("Acknowledge")
        await hand.fire(1)
        assert hand.story == [("critical", ["escalated critical"])]
        assert "@ann" not in hand.whole()
        hand.desk.clock.passes(5 * HOUR.total_seconds())
        await hand.fire(1)
        assert hand.story == [("critical", ["escalated critical", "reminder critical"])]


async def test_however_often_a_person_acknowledges_it_is_once(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        button = hand.button("Acknowledge")
        for _ in range(3):
            await hand.press_again(button)
        assert [each.by for each in await hand.acks()] == ["@ann"]
        assert hand.told == []
        await hand.press_again(button, by="bob")
        await until(lambda: hand.told == ["@ann has acknowledged it already."])
        assert len(await hand.acks()) == 1
        assert (await kinds(hand.it.parts.store)).count(EventKind.ACKED) == 1


async def test_an_acknowledgement_for_a_time_gives_way_to_one_without_end(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        button = hand.button("Acknowledge")
        (alert,) = (await hand.it.alerts()).values()
        assert alert.incident is not None
        until_at = hand.desk.clock.now() + HOUR
        ack = Ack(alert.incident.id, alert.incident.peak, hand.desk.clock.now(), "carl", until_at=until_at)
        await hand.it.parts.store.run(lambda unit: unit.add_ack(ack))
        await hand.press_again(button)
        assert [each.by for each in await hand.acks()] == ["carl", "@ann"]


@pytest.mark.parametrize("text", ["Acknowledge", "Silence 1 h"])
async def test_who_presses_when_it_is_over_is_told_so_and_nothing_is_written(
    tmp_path: Path, caplog: Log, text: str
) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        button = hand.button(text)
        await hand.fire(5)
        await hand.press_again(button)
        await until(lambda: hand.told == [ENDED])
        await hand.fire(1)  # another incident of the same alert
        await hand.press_again(button)
        await until(lambda: hand.told == [ENDED, ENDED])
        assert await hand.silences() == []
        assert await hand.acks() == []


async def test_what_has_no_answer_any_more_can_be_acknowledged_too(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        hand.desk.sandbox.fault(Fault(kind=Kind.RESET))
        hand.desk.clock.passes(HOUR.total_seconds())
        for _ in range(5):
            hand.desk.clock.passes(60)
            await hand.it.tick()
            await hand.it.passes(2)
        assert [mark for mark, _ in hand.story] == ["critical", "critical"]
        for root in (0, 1):
            await hand.press("Acknowledge", root=root)
            assert "@ann" in hand.whole(root)


async def test_that_the_rule_file_cannot_be_used_can_be_acknowledged_too(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.it.edit(hand.desk.file.read_text() + "nonsense = 1\n")
        assert hand.story == [("warning", [])]
        await hand.press("Acknowledge")
        await hand.it.look()
        assert "@ann" in hand.whole()


# --- silence -------------------------------------------------------------------------------------------------------


async def test_while_it_is_silenced_a_rise_is_held_back_and_told_afterwards(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(2)
        await hand.press("Silence 1 h")
        assert "@ann" in hand.whole()
        await hand.fire(1)
        assert hand.story == [("critical", [])]
        hand.desk.clock.passes(HOUR.total_seconds())
        await hand.fire(1)
        assert hand.story == [("critical", ["escalated critical"])]


async def test_a_silence_is_about_the_very_alert(tmp_path: Path, caplog: Log) -> None:
    rules = NUMBERS + NUMBERS.replace("numbers-remaining", "numbers-remaining-too")
    async with pressing(tmp_path, caplog, rules) as hand:
        await hand.fire(2)
        await hand.press("Silence 1 h")
        await hand.fire(1)
        assert sorted(hand.story) == [("critical", []), ("critical", ["escalated critical"])]


async def test_a_longer_silence_takes_the_place_of_a_shorter_and_not_the_other_way_round(
    tmp_path: Path, caplog: Log
) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(2)
        await hand.press("Silence 1 h")
        hand.desk.clock.passes(30)
        await hand.press("Silence 1 h")  # a copy, or a second thought
        (first,) = await hand.silences()
        await hand.press("Silence 24 h", by="bob")
        (longer,) = await hand.silences()
        assert longer.by == "@bob"
        assert longer.ends_at - first.ends_at > 22 * HOUR
        assert hand.told == []
        await hand.press("Silence 4 h")
        await until(
            lambda: hand.told == [f"It is silenced for longer already; `guard silence end {longer.id}` ends that."]
        )
        assert await hand.silences() == [longer]


async def test_an_hour_that_is_pressed_again_later_extends_the_first(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(2)
        await hand.press("Silence 1 h")
        hand.desk.clock.passes(HOUR.total_seconds() / 2)
        await hand.press("Silence 1 h")
        (silence,) = await hand.silences()
        assert silence.ends_at - hand.desk.clock.now() > 0.9 * HOUR


@pytest.mark.parametrize("name", ["a[b]c", "a*", "?", "[!a]"])
def test_a_name_that_reads_like_a_pattern_silences_itself_alone(tmp_path: Path, name: str) -> None:
    key = AlertKey("main", "each", name)
    pressed = Press(PressKind.SILENCE, key, "inc_1", HOUR, "@ann", NOW)

    def work(unit: Unit) -> list[Silence]:
        unit.save_incidents([Incident("inc_1", key, NOW, Level.WARNING)])
        assert note_press(unit, pressed, now=NOW) == ""
        return unit.silences()

    with closing(Database(tmp_path / "guard.db", create=True)) as database:
        (silence,) = database.run(work)
    assert matches(silence, key, {})
    assert not any(matches(silence, AlertKey("main", "each", other), {}) for other in ("abc", "b", "ab", "", "x"))


async def test_what_flaps_can_be_silenced_also_between_two_incidents(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        for left in (1, 5, 1, 5, 1, 5, 1):
            await hand.fire(left)
        last = len(hand.story) - 1
        assert hand.story[last] == ("flapping", [])
        acknowledge, silence = hand.button("Acknowledge", root=last), hand.button("Silence 24 h", root=last)
        await hand.press_again(acknowledge)
        await until(lambda: hand.told == [STAYS])
        await hand.fire(5)
        await hand.press_again(acknowledge)
        await until(lambda: hand.told == [STAYS, ENDED])
        await hand.press_again(silence)
        await until(lambda: hand.told == [STAYS, ENDED, STAYS])
        assert [each.by for each in await hand.silences()] == ["@ann"]


async def test_a_press_under_what_flaps_is_about_the_incident_that_fires_now(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        for left in (1, 5, 1, 5, 1, 5, 1):
            await hand.fire(left)
        acknowledge = hand.button("Acknowledge", root=len(hand.story) - 1)
        for left in (5, 1):
            await hand.fire(left)
        await hand.press_again(acknowledge)
        await until(lambda: hand.told == [STAYS])
        (alert,) = (await hand.it.alerts()).values()
        assert alert.incident is not None
        assert [each.incident_id for each in await hand.acks()] == [alert.incident.id]


# --- what goes wrong -----------------------------------------------------------------------------------------------


async def test_while_nothing_can_be_written_who_presses_is_told_so_and_it_is_not_done_later(
    tmp_path: Path, caplog: Log
) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        button = hand.button("Acknowledge")
        with broken_store(tmp_path):
            await hand.press_again(button)
            await until(lambda: hand.told == [UNWRITTEN])
        await hand.fire(1)
        assert await hand.acks() == []
        await hand.press_again(button)
        assert "@ann" in hand.whole()


async def test_a_press_about_an_account_that_is_taken_out_comes_too_late(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        button = hand.button("Acknowledge")
        await hand.it.edit(hand.desk.file.read_text().replace("[accounts.main]", "[accounts.other]"))
        await hand.press_again(button)
        await until(lambda: hand.told == [ENDED])


async def test_so_does_one_while_it_is_being_taken_out(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.fire(1)
        (family,) = hand.it.parts.families
        async with family.master.writing():
            family.end()
        await hand.press("Acknowledge")
        await until(lambda: hand.told == [ENDED])
        assert await hand.acks() == []


def test_a_press_about_an_incident_that_is_kept_no_longer_comes_too_late(tmp_path: Path) -> None:
    pressed = Press(PressKind.ACK, AlertKey("main", "it"), "inc_1", None, "@ann", NOW)
    with closing(Database(tmp_path / "guard.db", create=True)) as database:
        assert database.run(partial(note_press, press=pressed, now=NOW)) == ENDED
