"""What people did about an incident stands in its own message, which is edited for that and for nothing else."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from guard.model import Ack, CallKind, Level, Silence
from guard.store import Unit
from tests.outbox.test_threads import Channel, channel

HOUR = timedelta(hours=1)


def shown(it: Channel) -> str:
    [root] = it.roots
    return str(root.blocks[-1])


async def acked(it: Channel, **more: object) -> None:
    now = it.desk.clock.now()

    def work(unit: Unit) -> None:
        [alert] = unit.alerts().values()
        assert alert.incident
        unit.add_ack(Ack(alert.incident.id, alert.incident.peak, now, by="ann", **more))  # type: ignore[arg-type] # keywords of an Ack

    await it.desk.store.run(work)


async def silenced(it: Channel, *, below: Level | None = None) -> int:
    now = it.desk.clock.now()
    silence = Silence("main/*", now, now + HOUR, below=below, by="bob")
    number: int = await it.desk.store.run(partial(Unit.add_silence, silence=silence))
    return number


async def test_an_ack_is_written_into_the_message_and_nobody_is_told(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        assert "Acknowledged" not in shown(it)
        await acked(it)
        await it.sees(2)
        assert "Acknowledged by ann at" in shown(it)
        calls = await it.desk.deliveries()
        assert [each.call for each in calls] == [CallKind.POST, CallKind.EDIT]
        await it.sees(2)
        assert await it.desk.deliveries() == calls
        assert it.story == [("warning", [])]


async def test_an_ack_that_a_rise_breaks_is_taken_out_of_the_message(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        await acked(it)
        await it.sees(2)
        await it.sees(1)
        assert it.story == [("critical", ["escalated critical"])]
        assert "Acknowledged" not in shown(it)


async def test_an_ack_whose_time_is_over_is_taken_out_too(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        await acked(it, until_at=it.desk.clock.now() + HOUR)
        await it.sees(2)
        assert "Acknowledged" in shown(it)
        await it.sees(2, minutes=60)
        assert "Acknowledged" not in shown(it)


async def test_a_silence_stands_there_while_it_holds_for_this_level(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        number = await silenced(it, below=Level.CRITICAL)
        await it.sees(2)
        assert "Silenced by bob until" in shown(it)
        await it.sees(1)
        assert it.story == [("critical", ["escalated critical"])]
        assert "Silenced" not in shown(it)
        await it.sees(2)
        assert "Silenced" in shown(it)
        await it.desk.store.run(partial(Unit.end_silence, number=number, now=it.desk.clock.now()))
        await it.sees(2)
        assert "Silenced" not in shown(it)


async def test_the_end_is_told_while_it_is_silenced_and_says_nothing_of_that(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        await silenced(it)
        await acked(it)
        await it.sees(5)
        assert it.story == [("resolved", ["resolved"])]
        assert "Silenced" not in shown(it)
        assert "Acknowledged" not in shown(it)
