# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard status`: what each channel, and each of its recipients, still has to be told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.clock import Clock
from guard.model import AlertKey, CallKind, Cover, Delivery, DeliveryState, Knowledge, Level, Notification
from guard.store import Unit
from tests.builders import KEY, account, at, delivery, incident, knowledge, notification
from tests.cli.conftest import RULES, Fill, Run

BOT = 'token = "${SLACK_BOT_TOKEN}"\nchannel = "#ops"\n'
MAIL = """
[channels.mail]
kind = "email"
host = "smtp.example.com"
from = "guard@example.com"
to = ["ana@example.com", "bo@example.com", "cy@example.com"]
"""
SUBS = tuple(AlertKey(f"main:c{number:03}", KEY.rule) for number in range(40))


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))


@pytest.fixture
def channels(guard: Run, rules: Path, fill: Fill) -> Callable[..., str]:
    """Writes into the store what a bot's channel and one by mail have to be told, and gives how it is shown."""
    rules.write_text(
        RULES.replace('webhook_url = "${SLACK_WEBHOOK_URL}"\n', BOT).replace("\n[defaults]", f"{MAIL}\n[defaults]")
    )

    def shown(*things: Notification | Delivery, words: tuple[str, ...] = ()) -> str:
        fill(lambda unit: write(unit, *things))
        done = guard("status", *words)
        assert (done.code, done.err) == (0, "")
        return done.out.partition("watched.\n\n")[2]

    return shown


def write(unit: Unit, *things: Notification | Delivery) -> None:
    """With the accounts and incidents that they are about, none of which is firing any more."""
    notifications = [each for each in things if isinstance(each, Notification)]
    for key in {KEY, *(each.key for each in notifications)}:
        unit.save_account(account(name=key.account, cycled_at=at(12), good_at=at(12)))
        unit.save_incidents([incident(id=known(key).incident_id, key=key, ended_at=at(12))])
    unit.save_desired(notifications)
    unit.save_notified(each for each in notifications if each.notified)
    for each in things:
        if isinstance(each, Delivery):
            unit.save_delivery(each)


def known(key: AlertKey = KEY, *, level: Level = Level.WARNING) -> Knowledge:
    return knowledge(level, incident_id=f"inc-{key.account}")


def waits(key: AlertKey = KEY, channel: str = "ops", recipient: str = "", **changes: object) -> Notification:
    return notification(key, channel, recipient=recipient, desired=known(key), **changes)


def sends(*keys: AlertKey, **changes: object) -> Delivery:
    """A delivery of what is waited for; dead unless it is said."""
    covers = tuple(Cover(key, known(key)) for key in keys or (KEY,))
    fields = {"covers": covers, "state": DeliveryState.DEAD, "settled_at": at(11), "why": "no_service"}
    return delivery(**fields | changes)


PENDING = {"state": DeliveryState.PENDING, "settled_at": None, "due_at": at(14)}


def test_what_is_refused_for_good_is_shown_once(channels: Callable[..., str]) -> None:
    assert channels(waits(), sends()) == snapshot("""\
CHANNEL  STATE                         NEXT ATTEMPT                                 WHY
ops      dead: main/numbers-remaining  within the hour, or after `guard send-test`  no_service. Check the token and the channel of [channels.ops], then run `guard send-test ops`: all is tried again then.
mail     knows all
""")


def test_each_recipient_who_waits_is_shown_and_the_others_are_counted(channels: Callable[..., str]) -> None:
    ana = [waits(key, "mail", "ana@example.com") for key in SUBS[:3]]
    late = sends(SUBS[0], key="k2", channel="mail", recipient="ana@example.com", attempts=2, why="451 later", **PENDING)
    assert channels(*ana, late) == snapshot("""\
CHANNEL                 STATE                                             NEXT ATTEMPT  WHY
ops                     knows all
mail (ana@example.com)  2 to be told of
mail (ana@example.com)  pending, 12 min old: main:c000/numbers-remaining  in 2 min      451 later
mail (2 others)         knows all
""")


def test_a_recipient_who_is_the_only_one_is_not_named(channels: Callable[..., str], rules: Path) -> None:
    rules.write_text(rules.read_text().replace(', "bo@example.com", "cy@example.com"', ""))
    assert "\nmail     1 to be told of\n" in channels(waits(KEY, "mail", "ana@example.com"))


def test_what_may_have_arrived_is_looked_for_or_in_doubt(channels: Callable[..., str]) -> None:
    lost = {"may_have_arrived": True, "why": "no answer within 10 s"} | PENDING
    mail = sends(key="k2", channel="mail", recipient="bo@example.com", **lost)
    assert channels(waits(), waits(channel="mail", recipient="bo@example.com"), sends(**lost), mail) == snapshot("""\
CHANNEL                STATE                                           NEXT ATTEMPT  WHY
ops                    looked for, 12 min old: main/numbers-remaining  in 2 min      no answer within 10 s
mail (bo@example.com)  in doubt, 12 min old: main/numbers-remaining    in 2 min      no answer within 10 s
mail (2 others)        knows all
""")


def test_an_edit_is_nothing_to_tell(channels: Callable[..., str]) -> None:
    edits = [
        sends(key, key=f"k{key.account}", call=CallKind.EDIT, receipt="C0:1.1", why="503", **PENDING)
        for key in SUBS[:30]
    ]
    refused = sends(SUBS[31], key="k31", call=CallKind.EDIT, receipt="C0:1.1", why="cant_update_message")
    assert channels(*edits, refused) == snapshot("""\
CHANNEL  STATE                       NEXT ATTEMPT                                 WHY
ops      30 messages to be edited    in 2 min                                     503
ops      1 message cannot be edited  within the hour, or after `guard send-test`  cant_update_message
mail     knows all
""")


def test_a_digest_names_its_first_alert_and_counts_the_others(channels: Callable[..., str]) -> None:
    shown = channels(*map(waits, SUBS), sends(*SUBS, state=DeliveryState.SENDING, settled_at=None, why=""))
    assert shown == snapshot("""\
CHANNEL  STATE                                             NEXT ATTEMPT  WHY
ops      sending: main:c000/numbers-remaining and 39 more  under way
mail     knows all
""")


def test_of_many_that_were_refused_some_are_shown(channels: Callable[..., str]) -> None:
    dead = [sends(key, key=f"k{key.account}") for key in SUBS]
    lines = channels(*map(waits, SUBS), *dead).splitlines()
    assert len(lines) == 1 + 10 + 1 + 1
    assert lines[-3:] == snapshot(
        [
            "ops      dead: main:c009/numbers-remaining  within the hour, or after `guard send-test`  no_service",
            "ops      and 30 more",
            "mail     knows all",
        ]
    )


def test_what_a_channel_heard_already_is_nothing_to_tell(channels: Callable[..., str]) -> None:
    heard = waits(notified=known(level=Level.CRITICAL))
    assert channels(heard) == "Every channel knows all there is to know: ops, mail.\n"


def test_only_what_is_to_be_told_of_an_account_is_shown_with_it(channels: Callable[..., str]) -> None:
    elsewhere = waits(AlertKey("other", KEY.rule), "mail", "ana@example.com")
    shown = channels(waits(), sends(), elsewhere, words=("--account", "main"))
    assert [line.split()[0] for line in shown.splitlines()] == ["CHANNEL", "ops", "mail"]


def test_channels_for_machines(channels: Callable[..., str], guard: Run) -> None:
    lost = sends(key="k2", channel="mail", recipient="bo@example.com", may_have_arrived=True, **PENDING)
    channels(waits(), waits(channel="mail", recipient="bo@example.com"), sends(call=CallKind.EDIT), lost)
    assert json.loads(guard("status", "--format", "json").out)["channels"] == snapshot(
        [
            {
                "channel": "ops",
                "waiting": 1,
                "oldest_pending_at": None,
                "dead": 0,
                "deliveries": [
                    {
                        "key": "k1",
                        "call": "edit",
                        "recipient": None,
                        "state": "dead",
                        "may_have_arrived": False,
                        "alerts": ["main/numbers-remaining"],
                        "created_at": "2026-11-23T14:05:00Z",
                        "due_at": None,
                        "attempts": 0,
                        "why": "no_service",
                    }
                ],
            },
            {
                "channel": "mail",
                "waiting": 1,
                "oldest_pending_at": "2026-11-23T14:05:00Z",
                "dead": 0,
                "recipients": [
                    {"recipient": "ana@example.com", "waiting": 0},
                    {"recipient": "bo@example.com", "waiting": 1},
                    {"recipient": "cy@example.com", "waiting": 0},
                ],
                "deliveries": [
                    {
                        "key": "k2",
                        "call": "post",
                        "recipient": "bo@example.com",
                        "state": "pending",
                        "may_have_arrived": True,
                        "alerts": ["main/numbers-remaining"],
                        "created_at": "2026-11-23T14:05:00Z",
                        "due_at": "2026-11-23T14:19:00Z",
                        "attempts": 0,
                        "why": "no_service",
                    }
                ],
            },
        ]
    )


def test_without_a_rule_file_the_recipients_are_those_that_wait(
    channels: Callable[..., str], guard: Run, rules: Path
) -> None:
    channels(waits(channel="mail", recipient="bo@example.com"))
    rules.unlink()
    assert guard("status").out.partition("firing.\n\n")[2] == snapshot("""\
CHANNEL                STATE            NEXT ATTEMPT  WHY
mail (bo@example.com)  1 to be told of
""")
