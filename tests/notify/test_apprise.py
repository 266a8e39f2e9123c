"""Apprise against real servers, each message through the very process of the service."""

import asyncio
import io
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from guard.config import AppriseConfig, Secret, TerminalConfig
from guard.model import Occasion
from guard.notify import apprise_child
from guard.notify.apprise_url import CHILD, AppriseNotifier, url_fault
from guard.notify.channels import unfit
from guard.notify.notifier import Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from tests.builders import NOW
from tests.notify.examples import message
from tests.notify.tellings import SPEND, telling, told
from tests.stand_ins.receiver import Receiver
from tests.stand_ins.slack import Answer, Drop

PAGER = f"pagerduty://{'r' * 32}@{'a' * 20}"
TO_RECEIVER = """
import runpy, sys
from apprise.plugins import pagerduty
pagerduty.PAGERDUTY_API_LOOKUP["us"] = sys.argv[1] + "/v2/enqueue"
runpy.run_module("guard.notify.apprise_child", run_name="__main__")
"""


def url_of(receiver: Receiver) -> str:
    return receiver.origin.replace("http://", "json://me:s3cret@") + "/hook"


def pager(receiver: Receiver) -> AppriseNotifier:
    """PagerDuty by Apprise, whose one constant address is exchanged for the receiver's."""
    return AppriseNotifier(PAGER, child=(sys.executable, "-c", TO_RECEIVER, receiver.origin))


def process(code: str, *, deadline: timedelta = timedelta(seconds=20)) -> AppriseNotifier:
    """One whose process is some other program."""
    return AppriseNotifier("json://localhost", child=(sys.executable, "-c", code), deadline=deadline)


def children() -> set[str]:
    """The processes that run Apprise for this one."""
    command = ["/usr/bin/ps", "--ppid", str(os.getpid()), "-o", "args="]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return {line for line in found.stdout.splitlines() if "apprise_child" in line}


async def outcome_of(notifier: AppriseNotifier) -> Outcome:
    return await notifier.deliver(Post(told()), key="k1")


async def test_a_message_arrives() -> None:
    async with Receiver(Answer(200)) as receiver:
        assert await outcome_of(AppriseNotifier(url_of(receiver))) == Sent()
    said = json.loads(receiver.posts[0].body)
    assert said["title"] == "[critical] main / numbers-remaining"
    assert said["type"] == "failure"
    assert said["message"].startswith("1 of 12 phone numbers left")


@pytest.mark.parametrize("status", [302, 401, 503])
async def test_what_a_service_answers_is_told_and_its_words_are_not(status: int) -> None:
    async with Receiver() as elsewhere, Receiver(Answer(status, "s3cret", {"Location": elsewhere.origin})) as receiver:
        outcome = await outcome_of(AppriseNotifier(url_of(receiver)))
    assert outcome == Unsure(f"the service answered {status} to Apprise")
    assert elsewhere.posts == []


async def test_a_message_that_broke_off_may_have_arrived() -> None:
    async with Receiver(Drop(after_reading=True)) as receiver:
        assert await outcome_of(AppriseNotifier(url_of(receiver))) == Unsure("Apprise could not send it")


async def test_a_delivery_that_is_called_off_leaves_no_process() -> None:
    async with Receiver(Answer(hold=asyncio.Event())) as receiver:
        sending = asyncio.create_task(outcome_of(AppriseNotifier(url_of(receiver))))
        await receiver.arrived.wait()
        assert children() != set()
        sending.cancel()
        await asyncio.wait([sending])
    assert children() == set()


async def test_a_process_that_takes_too_long_is_ended() -> None:
    hangs = process(
        "import sys; sys.stdin.read(); import threading; threading.Event().wait()", deadline=timedelta(milliseconds=300)
    )
    assert isinstance(await outcome_of(hangs), Unsure)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "raise SystemExit(3)",
        "print('s3cret')",
        "print('[1]')",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.close(0)",
    ],
)
async def test_a_process_that_dies_or_talks_nonsense_leaves_it_open(code: str) -> None:
    why = "Apprise ended before it had said what became of the message"
    assert await outcome_of(process(code)) == Unsure(why)


async def test_a_process_that_cannot_be_started_sent_nothing() -> None:
    notifier = AppriseNotifier("json://localhost", child=("/nowhere/python",))
    assert await outcome_of(notifier) == Retry("Apprise could not be started: FileNotFoundError")


async def test_without_the_extra_people_are_told_what_to_install() -> None:
    code = "import sys; sys.modules['apprise'] = None; from guard.notify.apprise_child import main; main()"
    why = "Apprise is not installed; pip install 'quota-guard[apprise]'"
    assert await outcome_of(process(code)) == Rejected(why)


async def test_a_url_of_no_service_is_refused() -> None:
    assert isinstance(await outcome_of(AppriseNotifier("jsn://localhost/s3cret")), Rejected)


async def test_nothing_can_be_edited_answered_or_found() -> None:
    notifier = AppriseNotifier("json://localhost")
    assert isinstance(await notifier.deliver(Edit(message(), "r1"), key="k1"), Gone)
    assert isinstance(await notifier.deliver(Reply(message(), "r1"), key="k1"), Gone)
    assert await notifier.find(key="k1", thread="", attempted_at=NOW) is None
    await notifier.close()


def test_a_url_is_looked_at_by_apprise_itself() -> None:
    assert url_fault("json://localhost") is None
    good, bad, unset = (Secret("APPRISE_URL", url) for url in ("json://localhost", "jsn://localhost", ""))
    channels = [AppriseConfig("a", good, "f"), AppriseConfig("b", bad, "f"), AppriseConfig("c", unset, "f")]
    (said,) = unfit([*channels, TerminalConfig("screen", "f")])
    assert said == "channel b: Apprise knows no such URL; https://appriseit.com/services/ lists those it does"


def test_the_process_is_not_misled_by_what_lies_where_it_is_started() -> None:
    assert CHILD[1] == "-P"


# --- PagerDuty ------------------------------------------------------------------------------------------------------


async def test_pagerduty_s_incident_is_closed_by_the_key_that_opened_it() -> None:
    async with Receiver() as receiver:
        receiver.script.extend([Answer(202)] * 2)
        notifier = pager(receiver)
        assert await notifier.deliver(Post(told()), key="k1") == Sent()
        assert await notifier.deliver(Post(told(telling(Occasion.RESOLVED))), key="k2") == Sent()
    fired, resolved = (json.loads(post.body) for post in receiver.posts)
    assert (fired["event_action"], fired["dedup_key"]) == ("trigger", "inc-numbers-remaining")
    assert fired["payload"] == {
        "summary": "[critical] main / numbers-remaining: 1 of 12 phone numbers left",
        "severity": "critical",
        "source": "main",
        "component": "numbers-remaining",
    }
    assert resolved == {"routing_key": "r" * 32, "event_action": "resolve", "dedup_key": "inc-numbers-remaining"}


async def test_what_pagerduty_accepted_of_a_digest_is_not_sent_again() -> None:
    several = told(telling(Occasion.RESOLVED), telling(key=SPEND))
    async with Receiver(Answer(202), Answer(429), Answer(202), Answer(202)) as receiver:
        notifier = pager(receiver)
        assert await notifier.deliver(Post(several), key="k1") == Unsure("the service answered 429 to Apprise")
        assert await notifier.deliver(Post(several), key="k1") == Sent()
        assert await notifier.deliver(Post(told()), key="k2") == Sent()
    keys = [json.loads(post.body)["dedup_key"] for post in receiver.posts]
    assert keys == ["inc-numbers-remaining", "inc-spend", "inc-spend", "inc-numbers-remaining"]


# --- the process, from within ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise's own, as it is imported
async def test_the_process_answers_a_line_a_note_up_to_the_first_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver(Answer(200), Answer(500)) as receiver:
        notes = [{"id": name, "title": "t", "body": "b", "type": "info", "query": {"x": name}} for name in "abc"]
        asked = json.dumps({"url": url_of(receiver), "notes": notes})
        assert await spoken(asked, monkeypatch) == [
            {"id": "a", "is_sent": True, "status": None},
            {"id": "b", "is_sent": False, "status": 500},
        ]
        assert len(receiver.posts) == 2
        asked = json.dumps({"url": url_of(receiver), "notes": notes[:1]})
        assert await spoken(asked, monkeypatch) == [{"id": "a", "is_sent": True, "status": None}]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise's own, as it is imported
async def test_the_process_says_what_keeps_it_from_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = json.dumps({"url": "jsn://localhost", "notes": []})
    assert await spoken(asked, monkeypatch) == [{"fault": "unusable"}]
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert await spoken(asked, monkeypatch) == [{"fault": "missing"}]


async def spoken(asked: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the process answers, run beside this loop, in which the servers are."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(asked))
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("logging.lastResort", None)
    await asyncio.to_thread(apprise_child.main)
    monkeypatch.undo()
    return [json.loads(line) for line in out.getvalue().splitlines()]
