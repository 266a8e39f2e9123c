"""The first page: how the service does, and what is not at rest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from guard.console import overview, pages
from guard.lifecycle.strait import Strait
from guard.message.link import alert_url
from guard.model import Ack, AlertKey, Level, Silence, State, Timer
from guard.store import Unit
from tests.builders import KEY, NOW, alert, at, incident, reading
from tests.console.listening import Listening, listening
from tests.console.page import Page
from tests.stand_ins.clock import HandClock
from tests.wiring import broken_store, config

FIRING = alert(
    state=State.FIRING,
    level=Level.CRITICAL,
    incident=incident(peak=Level.CRITICAL, started_at=at(-75)),
    reading=reading(),
)
SUB = AlertKey("main:acme", "agent-minutes", "agt/1")


async def first_page(it: Listening) -> Page:
    answer = await it.ask("/")
    assert answer.status == 200
    return Page(answer)


async def test_where_nothing_fires_it_says_so_and_how_the_service_does() -> None:
    clock = HandClock()
    async with listening(clock=clock) as it:
        it.health.cycled(clock.monotonic_s())
        page = await first_page(it)
        assert page.title == "Nothing fires. – quota-guard"
        assert page.text.startswith(
            "quota-guard 2026-11-23 14:05:00 UTC Nothing fires. The service does its work: 1 cycle"
        )
        assert "table" not in page.elements


async def test_a_service_that_fails_does_not_say_that_nothing_fires() -> None:
    async with listening() as it:
        it.health.store_failing = True
        page = await first_page(it)
    assert (
        "Nothing fires, as far as anybody knows. The service fails: 0 cycles. the database takes no writes" in page.text
    )


async def test_an_alert_stands_with_its_level_its_summary_and_since_when_and_leads_to_its_page() -> None:
    async with listening(config=config(account='tz = "America/New_York"')) as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([FIRING]))
        page = await first_page(it)
        assert "1 alert not at rest" in page.text
        assert "critical main / numbers-remaining 1 of 12 phone numbers left 2026-11-23 07:50 EST" in page.text
        assert page.links["main / numbers-remaining"] == f".{alert_url('', KEY)}"


async def test_the_worst_stands_first_whatever_it_is_called() -> None:
    others = [
        replace(FIRING, key=replace(KEY, rule="a"), level=Level.WARNING, incident=incident(id="2")),
        alert(key=SUB, state=State.PENDING, timers={Level.WARNING: Timer(timedelta(minutes=4), NOW)}),
        alert(key=replace(KEY, rule="b"), unknown=Timer(timedelta(), NOW), unknown_why="a limit is 0"),
    ]
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([*others, FIRING, alert(key=replace(KEY, rule="c"))]))
        page = await first_page(it)
    wanted = ["main / numbers-remaining", "main / a", "main:acme / agent-minutes / agt/1", "main / b"]
    assert [name for name in page.links if "/" in name] == wanted
    assert page.links[wanted[2]] == "./alerts/main:acme/agent-minutes/agt%2F1"
    assert "pending main:acme / agent-minutes / agt/1 2026-11-23 14:01 UTC" in page.text
    assert "unknown main / b unknown: a limit is 0 2026-11-23 14:05 UTC" in page.text


async def test_what_people_did_about_an_alert_stands_with_it() -> None:
    async with listening() as it:

        def store(unit: Unit) -> None:
            unit.save_alerts([replace(FIRING, state=State.RECOVERING)])
            unit.add_ack(Ack("inc1", Level.CRITICAL, at(-1), by="ann", reason="more are ordered"))
            unit.add_silence(Silence("main/*", at(-1), at(60), by="bob"))

        await it.parts.store.run(store)
        page = await first_page(it)
    said = "recovering; acknowledged by ann: more are ordered; silenced by bob until 2026-11-23 15:05 UTC"
    assert said in page.text


async def test_of_more_alerts_than_a_page_holds_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST", 2)
    alerts = [
        alert(key=replace(KEY, rule=f"r{n}"), unknown=Timer(timedelta(), NOW), unknown_why="a limit is 0")
        for n in range(5)
    ]
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts(alerts))
        page = await first_page(it)
    assert "5 alerts not at rest" in page.text
    assert "And 3 more; guard alerts shows all." in page.text
    assert "main / r2" not in page.text


async def test_each_channel_stands_with_whether_it_fails_and_what_waits() -> None:
    clock = HandClock()
    async with listening(clock=clock) as it:
        it.health.straits = (
            Strait("ops"),
            Strait("mail", refused=("",), dead=2, is_clear=False, oldest_at=at(-30)),
        )
        it.health.failing = {"mail": "mail refuses messages for good: no such mailbox"}
        it.health.unheard = {"ops": "nobody listens"}
        page = await first_page(it)
    assert "mail refuses messages for good: no such mailbox" in page.text
    assert (
        "ops works its buttons are not heard mail failing a message waits for 30 min; 2 messages refused" in page.text
    )


async def test_a_database_that_cannot_be_read_is_told_beside_what_is_known() -> None:
    async with listening() as it:
        for path in ("/", alert_url("", KEY)):
            with broken_store(it.directory):
                answer = await it.ask(path)
            assert answer.status == 503
            assert "The database cannot be read now." in Page(answer).text
            assert (await it.ask("/")).status == 200


async def test_a_database_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "READ_S", 0.0)
    async with listening() as it:
        assert (await it.ask("/")).status == 503
