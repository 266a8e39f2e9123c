import asyncio
import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from guard.clock import Clock
from guard.notify.notifier import Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.webhook import WebhookNotifier
from tests.notify.examples import message
from tests.notify.tellings import told
from tests.stand_ins.receiver import Receiver
from tests.stand_ins.slack import Answer, Drop
from tests.stand_ins.wire import Ending, WireStandIn

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def hook(origin: str, *, deadline: timedelta = timedelta(seconds=10)) -> WebhookNotifier:
    return WebhookNotifier(f"{origin}/hooks/t0ken", secrets=SECRET, now=Clock().now, deadline=deadline)


async def answered(*script: Answer | Drop, deadline: timedelta = timedelta(seconds=10)) -> Outcome:
    async with Receiver(*script) as receiver:
        return await hook(receiver.origin, deadline=deadline).deliver(Post(told()), key="k1")


async def test_a_message_arrives_signed_as_json() -> None:
    async with Receiver() as receiver:
        assert await hook(receiver.origin).deliver(Post(told()), key="k1") == Sent()
    (post,) = receiver.posts
    assert post.path == "/hooks/t0ken"
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["User-Agent"].startswith("quota-guard/")
    said = Webhook(SECRET).verify(post.body, dict(post.headers))
    assert said == json.loads(post.body)
    assert said["type"] == "alert.fired"


async def test_a_copy_has_the_same_id() -> None:
    async with Receiver(Drop(after_reading=True)) as receiver:
        notifier = hook(receiver.origin)
        assert isinstance(await notifier.deliver(Post(told()), key="k1"), Unsure)
        assert await notifier.deliver(Post(told()), key="k1") == Sent()
    assert [post.headers["Webhook-Id"] for post in receiver.posts] == ["k1", "k1"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_success_counts(status: int) -> None:
    assert await answered(Answer(status, "<html>whatever</html>")) == Sent()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_what_passes_is_tried_again(status: int) -> None:
    assert await answered(Answer(status)) == Retry(f"the receiver answered {status}")


@pytest.mark.parametrize(
    ("said", "wait_s"), [("7", 7), ("0", 1), ("999999", 3600), ("Mon, 23 Nov 2026 14:05:00 GMT", 60)]
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_wish_to_be_left_alone_is_honoured_within_an_hour(status: int, said: str, wait_s: int) -> None:
    outcome = await answered(Answer(status, headers={"Retry-After": said}))
    assert outcome == Retry(f"the receiver answered {status}", timedelta(seconds=wait_s))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422])
async def test_a_refusal_is_for_good(status: int) -> None:
    assert await answered(Answer(status, "t0ken")) == Rejected(f"the receiver answered {status}")


async def test_a_receiver_that_is_gone_says_so() -> None:
    why = "the receiver answered 410: it wants no more webhooks at this address"
    assert await answered(Answer(410)) == Rejected(why)


async def test_a_redirect_is_not_followed() -> None:
    async with Receiver() as elsewhere:
        outcome = await answered(Answer(307, headers={"Location": f"{elsewhere.origin}/x"}))
    assert outcome == Rejected("the receiver answered 307, a redirect, which is not followed")
    assert elsewhere.posts == []


async def test_a_receiver_that_takes_too_long_may_have_taken_it() -> None:
    never = asyncio.Event()
    outcome = await answered(Answer(hold=never), deadline=timedelta(milliseconds=200))
    assert isinstance(outcome, Unsure)


async def test_an_answer_that_is_cut_after_its_status_counts() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf an ans"
    async with WireStandIn(said, Ending.CLOSE) as server:
        assert await hook(server.url()).deliver(Post(told()), key="k1") == Sent()


async def test_nothing_can_be_edited_answered_or_found() -> None:
    async with Receiver() as receiver:
        notifier = hook(receiver.origin)
        assert isinstance(await notifier.deliver(Edit(message(), "r1"), key="k1"), Gone)
        assert isinstance(await notifier.deliver(Reply(message(), "r1"), key="k1"), Gone)
        assert await notifier.find(key="k1", thread="", attempted_at=Clock().now()) is None
        await notifier.close()
    assert receiver.posts == []
