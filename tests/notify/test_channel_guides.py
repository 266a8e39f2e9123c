"""What docs/webhook.md, docs/apprise.md and docs/add-a-channel.md show is so."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from standardwebhooks import Webhook

from guard.clock import Clock
from guard.config import AppriseConfig, Secret, WebhookConfig, load
from guard.config.document import Document
from guard.config.keys import Keys
from guard.config.table import Table, Variables
from guard.model import Occasion
from guard.notify.apprise_url import FAULTS
from guard.notify.exchange import DEADLINE, exchange
from guard.notify.notifier import Call, Outcome, Post, Rejected, Retry, Sent
from guard.notify.webhook import verdict
from guard.notify.webhook_body import body_of
from guard.notify.webhook_signature import signed_headers
from tests.builders import NOW
from tests.notify.examples import message
from tests.notify.tellings import telling, told
from tests.stand_ins.receiver import Receiver
from tests.stand_ins.slack import Answer

ROOT = Path(__file__).parents[2]
WEBHOOK, APPRISE, ADDING = (
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("webhook.md", "apprise.md", "add-a-channel.md")
)
AROUND = '[accounts.main]\napi_key = "${KEY}"\n[rules.a]\nvalue = "numbers.used"\ncritical = "> 3"\nnotify = ["NAME"]\n'
ENVIRONMENT = {
    "KEY": "k",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "APPRISE_URL": "pagerduty://routing@key",
    "BELL_URL": "https://example.com/s3cret",
}


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "name", "kind"), [(WEBHOOK, "hook", WebhookConfig), (APPRISE, "pager", AppriseConfig)]
)
def test_the_guides_channels_are_good_rule_files(page: str, name: str, kind: type) -> None:
    (block,) = blocks(page, "toml")
    loaded = load(AROUND.replace("NAME", name) + block, path="rules.toml", secret=ENVIRONMENT.get)
    assert not loaded.problems
    assert loaded.config is not None
    assert isinstance(loaded.config.channels[name], kind)


def test_the_guide_s_body_is_what_is_sent() -> None:
    (block,) = blocks(WEBHOOK, "json")
    firing = telling(labels={"team": "support"}, runbook="https://example.com/numbers", unit="numbers")
    assert json.loads(body_of(told(firing, console_url="https://guard.example.com"), now=NOW)) == json.loads(block)


def test_the_guide_s_python_verifies_what_is_sent() -> None:
    (block,) = blocks(WEBHOOK, "python")
    secret, body = ENVIRONMENT["WEBHOOK_SECRET"], body_of(told(), now=NOW)
    headers = signed_headers(secret, key="k1", at=Clock().now(), body=body)
    names: dict[str, Any] = {"secret": secret, "body": body, "headers": dict(headers), "Webhook": Webhook}
    exec(block, names)  # noqa: S102 - the page's own lines
    assert names["message"]["type"] == "alert.fired"


def test_every_type_is_explained() -> None:
    types = {f"alert.{each}" for each in Occasion if each is not Occasion.STANDING} | {
        "alert.digest",
        "guard.report",
        "guard.notice",
    }
    assert not [each for each in types if f"`{each}`" not in WEBHOOK]


def test_the_guide_to_apprise_explains_what_guard_status_shows() -> None:
    assert not [fault for fault in FAULTS.values() if f"| {fault.partition(';')[0]} |" not in APPRISE]


# --- adding one -----------------------------------------------------------------------------------------------------


def example() -> dict[str, Any]:
    """The example channel, as the guide writes it."""
    names: dict[str, Any] = {
        **{each.__name__: each for each in (ClientSession, Secret, Table, dataclass, exchange, timedelta, verdict)},
        "BELL": Keys(frozenset({"kind", "url"})),
        "Call": Call,
        "DEADLINE": DEADLINE,
        "Outcome": Outcome,
    }
    for block in blocks(ADDING, "python"):
        exec(block, names)  # noqa: S102 - as above
    return names


def test_the_guide_to_adding_one_is_short_and_names_files_that_are_there() -> None:
    assert len(ADDING.splitlines()) <= 40
    named = re.findall(r"`?((?:guard|tests|docs)/[\w/.]+)", ADDING)
    assert len(named) >= 8
    assert not [each for each in named if not (ROOT / each).exists()]


def test_the_example_s_type_is_read_from_a_rule_file() -> None:
    document = Document('[channels.ops]\nkind = "bell"\nurl = "${BELL_URL}"\n', path="rules.toml")
    values = document.values["channels"]["ops"]
    read = example()["read_bell"]
    bell = read(Table(document, ("channels", "ops"), values, variables=Variables(ENVIRONMENT.get)))
    assert (bell.name, bell.url) == ("ops", Secret("BELL_URL", ENVIRONMENT["BELL_URL"]))
    assert "s3cret" not in repr(bell)
    assert not document.problems


@pytest.mark.parametrize(("status", "kind"), [(204, Sent), (503, Retry), (302, Rejected), (404, Rejected)])
async def test_the_example_s_notifier_delivers(status: int, kind: type) -> None:
    async with Receiver(Answer(status)) as receiver:
        bell = example()["BellNotifier"](f"{receiver.origin}/s3cret")
        outcome = await bell.deliver(Post(message()), key="k1")
    assert isinstance(outcome, kind)
    assert "s3cret" not in f"{outcome!r} {bell!r}"
    (post,) = receiver.posts
    assert (post.headers["Idempotency-Key"], post.body.decode()) == ("k1", message().text)
