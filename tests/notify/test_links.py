"""The way to the console, as each channel shows it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from guard.message import Firing, Message, trial
from guard.model import AlertKey
from guard.notify.apprise_notes import notes_of
from guard.notify.mail_html import html
from guard.notify.mail_text import plain_text
from guard.notify.slack_blocks import blocks
from guard.notify.webhook_body import body_of
from tests.builders import NOW
from tests.notify.examples import message
from tests.notify.tellings import told

CONSOLE = "https://guard.example.com"
LINK = f"{CONSOLE}/alerts/main/numbers-remaining"
FIRING = Firing(AlertKey("main", "numbers-remaining"), "inc_1")

FORMS: dict[str, tuple[Callable[[Message], str], str]] = {
    "slack": (lambda each: json.dumps(blocks(each)), f"<{LINK}|Console>"),
    "a button": (lambda each: json.dumps(blocks(each, has_buttons=True)[-1]), f'"url": "{LINK}"'),
    "text": (plain_text, f"\nConsole: {LINK}\n"),
    "html": (html, f'Console: <a href="{LINK}"'),
    "webhook": (lambda each: body_of(each, now=NOW).decode(), f'"console":"{LINK}"'),
    "apprise": (lambda each: str(notes_of(each, url="json://localhost")), f"Console: {LINK}"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_channel_shows_the_way_to_the_console_where_there_is_one(form: str) -> None:
    shown, wanted = FORMS[form]
    with_link = message(link=LINK, firing=FIRING)
    assert wanted in shown(with_link)
    assert "onsole" not in shown(replace(with_link, link="")).replace('"console":null', "")


def test_pagerduty_leads_to_the_runbook_and_where_there_is_none_to_the_console() -> None:
    def click(runbook: str) -> object:
        (note,) = notes_of(replace(told(console_url=CONSOLE), runbook=runbook), url="pagerduty://key@routing")
        return note.query["click"]

    assert (click("https://example.com/r"), click("")) == ("https://example.com/r", LINK)


def test_the_test_message_leads_to_the_first_page() -> None:
    assert trial("ops", now=NOW, console_url=CONSOLE).link == f"{CONSOLE}/"
    assert not trial("ops", now=NOW).link
