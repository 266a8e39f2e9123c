"""The page of one alert: what a link in a message leads to."""

from asyncio import run
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.console import alert_page
from guard.console.pages import _key_at
from guard.message import compose
from guard.message.link import alert_url
from guard.model import (
    Ack,
    Alert,
    AlertKey,
    Event,
    EventKind,
    Knowledge,
    Level,
    Occasion,
    Reason,
    State,
    Telling,
    Timer,
)
from guard.parts import zones_of
from guard.store import Unit
from tests.builders import KEY, NOW, account, alert, at, incident, knowledge, notification, reading
from tests.console.listening import Listening, listening
from tests.console.page import Page
from tests.wiring import config

OPEN = incident(peak=Level.CRITICAL, peak_value=0.0, started_at=at(-75))
FIRING = alert(
    state=State.FIRING,
    level=Level.CRITICAL,
    incident=OPEN,
    reading=reading(labels={"team": "phones"}, runbook="https://wiki.example.com/n", description="Order more.\nSoon."),
)


async def page_of(it: Listening, key: AlertKey = KEY, *, status: int = 200) -> Page:
    answer = await it.ask(alert_url("", key))
    assert answer.status == status
    return Page(answer)


def save(unit: Unit) -> None:
    """An alert with all there can be around it."""
    over = incident(id="inc0", started_at=at(-300), ended_at=at(-200), reason=Reason.RECOVERED, peak_value=2.0)
    unit.save_incidents([over])
    unit.save_alerts([FIRING])
    unit.add_ack(Ack("inc1", Level.CRITICAL, at(-5), by="ann", reason="more are ordered"))
    unit.save_desired([notification(channel=each, desired=knowledge(Level.CRITICAL)) for each in ("mail", "ops")])
    unit.save_notified([notification(notified=knowledge(Level.CRITICAL, reminders=1), notified_at=at(-29))])
    unit.add_events(
        [
            Event(at(-300), KEY, EventKind.FIRED, "inc0", Level.WARNING, 2.0),
            Event(at(-200), KEY, EventKind.RESOLVED, "inc0", Level.WARNING, 5.0, text="recovered"),
            Event(at(-75), KEY, EventKind.FIRED, "inc1", Level.CRITICAL, 0.0),
            Event(at(-74), KEY, EventKind.RETRIED, "inc1", Level.CRITICAL, channel="ops", text="it answered 503"),
        ]
    )


# --- what it says --------------------------------------------------------------------------------------------------


async def test_it_says_the_facts_of_a_message_in_the_same_order() -> None:
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([FIRING]))
        page = await page_of(it)
        shown = knowledge(Level.CRITICAL)
        telling = Telling(Occasion.STANDING, FIRING, OPEN, desired=shown, notified=shown)
        message = compose([telling], now=NOW, zone_of=zones_of(it.parts.config))
    assert [fact.name for fact in message.facts] == ["Account", "Value", "Labels", "Since", "Data"]
    facts = " ".join(f"{fact.name} {fact.text}" for fact in message.facts)
    head = "main / numbers-remaining firing critical 1 of 12 phone numbers left"
    assert f"{head} {facts} Runbook https://wiki.example.com/n Order more. Soon." in page.text
    assert page.links["https://wiki.example.com/n"] == "https://wiki.example.com/n"
    assert page.title == "firing critical: main / numbers-remaining – quota-guard"


async def test_it_says_who_knows_what_and_what_happened() -> None:
    async with listening() as it:
        await it.parts.store.run(save)
        page = await page_of(it)
    assert "Acknowledged by ann: more are ordered." in page.text
    assert (
        "Channel Should know Knows Told at mail critical nothing never ops critical critical, reminded 1×" in page.text
    )
    assert "critical, reminded 1× 2026-11-23 13:36 UTC" in page.text
    assert "2026-11-23 12:50 UTC 1 h 15 min critical, 0 goes on" in page.text
    assert "2026-11-23 09:05 UTC 1 h 40 min warning, 2 recovered" in page.text
    newest_first = (
        "delivery.retry critical; to ops; it answered 503",
        "alert.fired critical; 0",
        "alert.resolved warning",
    )
    places = [page.text.index(each) for each in newest_first]
    assert places == sorted(places)
    assert "guard explain main/numbers-remaining" in page.text


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (None, "nothing"),
        (knowledge(), "warning"),
        (knowledge(ended=True), "warning, ended"),
        (knowledge(incident_id="old"), "warning, an earlier incident"),
        (knowledge(held=True, flapping=True, reminders=2), "warning, reminded 2×, flapping, held back"),
    ],
)
def test_what_a_channel_knows_in_words(known: Knowledge | None, text: str) -> None:
    assert alert_page._knowledge(known, FIRING) == text


async def test_of_many_events_the_last_are_shown_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_page, "EVENTS", 2)
    async with listening() as it:
        await it.parts.store.run(save)
        page = await page_of(it)
    assert "These are the last 2; guard history --alert shows more." in page.text
    assert "alert.resolved" not in page.text


async def test_a_command_to_copy_is_quoted_for_the_shell() -> None:
    key = replace(KEY, subject="a b'; rm -rf /")
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([alert(key=key)]))
        page = await page_of(it, key)
    assert """guard explain 'main/numbers-remaining/a b'"'"'; rm -rf /'""" in page.text


# --- what does not fire --------------------------------------------------------------------------------------------


async def test_what_is_pending_says_since_when() -> None:
    waits = alert(state=State.PENDING, timers={Level.WARNING: Timer(timedelta(minutes=4), NOW)}, reading=reading(2))
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([waits]))
        page = await page_of(it)
    assert "pending 1 of 12 phone numbers left Account main Value 2, critical below 2" in page.text
    assert "Since 2026-11-23 14:01 UTC" in page.text


async def test_what_cannot_be_evaluated_says_why() -> None:
    lost = alert(unknown=Timer(timedelta(minutes=4), NOW), unknown_why="a limit is 0")
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([lost]))
        page = await page_of(it)
    assert "unknown numbers-remaining Unknown: a limit is 0." in page.text


@pytest.mark.parametrize("rule", ["numbers-remaining", "guard.no_data"])
async def test_a_known_rule_at_rest_says_so_whether_or_not_anything_is_stored_of_it(rule: str) -> None:
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_account(account()))
        page = await page_of(it, AlertKey("main", rule))
        assert "at rest" in page.title
        assert "It is at rest: nothing fires here. Account main" in page.text
        assert "Since" not in page.text
        await it.parts.store.run(lambda unit: unit.save_alerts([alert(key=AlertKey("main", rule), reading=reading(7))]))
        assert (
            "It is at rest: nothing fires here. Account main Value 7"
            in (await page_of(it, AlertKey("main", rule))).text
        )


async def test_what_once_fired_is_known_after_its_rule_is_gone() -> None:
    gone = AlertKey("main", "gone")
    over = incident(key=gone, ended_at=at(1), reason=Reason.RULE_REMOVED)
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_incidents([over]))
        await it.parts.store.run(lambda unit: unit.add_events([Event(NOW, gone, EventKind.FIRED, "inc1")]))
        page = await page_of(it, gone)
    assert "It is at rest: nothing fires here. The rule file has no such rule now." in page.text
    assert "rule removed" in page.text


SUBS = 'sub_accounts = "all"'


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/alerts/main/nonsense", "Neither the database nor the rule file knows main / nonsense."),
        ("/alerts/side/numbers-remaining", "knows side / numbers-remaining."),
        ("/alerts/main:acme/numbers-remaining", "knows main:acme / numbers-remaining."),
        ("/alerts/main/numbers-remaining/x", "knows main / numbers-remaining / x."),
        ("/alerts/main", "An alert is /alerts/ACCOUNT/RULE, or"),
        ("/alerts/", "An alert is"),
        ("/alerts//numbers-remaining", "An alert is"),
        ("/alerts", "There is no such page."),
        ("/%3Cscript%3E", "There is no such page."),
    ],
)
async def test_an_unknown_alert_is_a_page_that_says_so_and_leads_to_the_first(path: str, why: str) -> None:
    async with listening(config=config(account=SUBS)) as it:
        await it.parts.store.run(lambda unit: unit.save_account(account()))
        answer = await it.ask(path)
        assert answer.status == 404
        page = Page(answer)
        assert why in page.text
        up = page.links["All that is not at rest"]
        assert up == ("../" * (path.count("/") - 1) or "./")


async def test_a_sub_account_that_was_asked_is_known() -> None:
    async with listening(config=config(account=SUBS)) as it:
        await it.parts.store.run(lambda unit: unit.save_account(account(name="main:acme")))
        assert "at rest" in (await page_of(it, AlertKey("main:acme", "numbers-remaining"))).title


# --- its address ---------------------------------------------------------------------------------------------------

TEXTS = st.text(min_size=1, max_size=20)
HARD = st.sampled_from(
    ["a/b", "/", "//", "..", ".", "../..", "%2F", "%", "a?b#c", "+1 555", "\n", "a\n", "\r\n", "é", "\x00"]
)
KEYS = st.builds(AlertKey, TEXTS | HARD, TEXTS | HARD, st.just("") | TEXTS | HARD)


@given(KEYS)
def test_an_address_leads_back_to_its_alert(key: AlertKey) -> None:
    url = alert_url("https://example.com/guard/", key)
    assert url.isascii()
    assert _key_at(url.removeprefix("https://example.com/guard").encode()) == key


@settings(max_examples=5, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=20, unique=True))
def test_the_page_at_the_address_of_an_alert_is_its_own(keys: list[AlertKey]) -> None:
    alerts = [alert(key=key, reading=reading(summary=f"this is number {n}.")) for n, key in enumerate(keys)]
    run(_ask_for_each(alerts))


async def _ask_for_each(alerts: list[Alert]) -> None:
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts(alerts))
        for each in alerts:
            page = await page_of(it, each.key)
            assert each.reading is not None
            assert each.reading.summary in page.text


async def test_a_proxy_that_unquotes_slashes_does_no_harm() -> None:
    key = replace(KEY, subject="a/b c")
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([alert(key=key)]))
        answer = await it.ask("/alerts/main/numbers-remaining/a/b%20c")
        assert answer.status == 200
        assert Page(answer).links == (await page_of(it, key)).links


@pytest.mark.parametrize("key", [KEY, replace(KEY, subject="a/b")])
async def test_links_lead_to_the_first_page_also_below_a_path_of_a_proxy(key: AlertKey) -> None:
    async with listening() as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([alert(key=key)]))
        page = await page_of(it, key)
    assert (
        urljoin(alert_url("https://example.com/guard", key), page.links["quota-guard"]) == "https://example.com/guard/"
    )
