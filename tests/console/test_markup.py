"""Nothing that others may write becomes markup: whatever a text holds, a page shows it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from guard.lifecycle.strait import Strait
from guard.message.link import alert_url
from guard.model import Ack, AlertKey, Event, EventKind, Flapping, Level, Silence, State, Timer
from guard.store import Unit
from tests.builders import NOW, alert, at, incident, knowledge, notification, reading
from tests.console.listening import Answer, Listening, listening
from tests.console.page import Page

BIDI = "\u202e\u2066\u200f"
EVIL = f"<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{{{ 7*7 }}}}{{% raw %}}{BIDI}\x1b[31m\r\n"
SEEN = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 7*7 }}{% raw %} [31m"
KEYS = (AlertKey(EVIL, EVIL, EVIL), AlertKey("main", "r", EVIL), AlertKey("main", EVIL))
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "body", "header", "main", "a", "span", "h1", "h2", "p", "pre", "code"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "div", "dt", "dd"),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "rel", "href", "class", "scope"}


def evil(unit: Unit) -> None:
    """Every text that is stored of an alert."""
    held = Timer(timedelta(), NOW)
    for number, key in enumerate(KEYS):
        fires = incident(id=f"{EVIL}{number}", key=key)
        texts = reading(
            summary=EVIL,
            description=f"{EVIL}\n{EVIL}",
            runbook=f"javascript:{EVIL}",
            unit=EVIL,
            subject=EVIL,
            labels={EVIL: EVIL},
        )
        known = knowledge(incident_id=fires.id)
        unit.save_alerts(
            [
                alert(
                    key=key,
                    state=State.FIRING,
                    level=Level.WARNING,
                    incident=fires,
                    reading=texts,
                    unknown=held,
                    unknown_why=EVIL,
                    flapping=Flapping(Level.WARNING, held, fires.id),
                )
            ]
        )
        unit.add_ack(Ack(fires.id, Level.WARNING, NOW, by=EVIL, reason=EVIL))
        told = replace(notification(key, EVIL, recipient=EVIL), desired=known, notified=known, notified_at=NOW)
        unit.save_desired([told])
        unit.save_notified([told])
        events = [EventKind.FIRED, EventKind.ACKED, EventKind.DELIVERED]
        unit.add_events([Event(NOW, key, each, fires.id, value=1.0, channel=EVIL, text=EVIL) for each in events])
    unit.add_silence(Silence("*", at(-1), at(1), by=EVIL, reason=EVIL))


async def answers(it: Listening) -> Iterator[Answer]:
    paths = ["/", *(alert_url("", key) for key in KEYS), alert_url("", replace(KEYS[0], account=f"{EVIL}x"))]
    return iter([await it.ask(path) for path in paths])


@pytest.fixture
async def told() -> list[Answer]:
    async with listening() as it:
        await it.parts.store.run(evil)
        it.health.straits = (Strait(EVIL),)
        it.health.failing = {EVIL: EVIL}
        it.health.unheard = {EVIL: EVIL}
        it.health.rule_faults = (EVIL,)
        return list(await answers(it))


async def test_pages_hold_no_markup_but_their_own(told: list[Answer]) -> None:
    assert [answer.status for answer in told] == [200, 200, 200, 200, 404]
    for answer in told:
        page = Page(answer)
        assert page.elements <= ELEMENTS
        assert page.attributes <= ATTRIBUTES
        assert SEEN in page.text


async def test_links_lead_nowhere_but_to_pages_of_the_console(told: list[Answer]) -> None:
    for answer in told:
        for href in Page(answer).links.values():
            assert href.startswith(("./", "../"))
            assert href.isascii()
            assert not set(href) & set("<>\"'& ")


async def test_nothing_turns_the_direction_of_writing_or_steers_anything(told: list[Answer]) -> None:
    for answer in told:
        text = answer.body.replace("\n", "")
        assert not set(text) & set(BIDI)
        assert all(letter.isprintable() for letter in text)
