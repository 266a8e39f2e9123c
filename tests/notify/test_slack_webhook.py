import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from guard.model import Level
from guard.notify.notifier import Call, Edit, Gone, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_webhook import SlackWebhookNotifier
from tests.builders import NOW
from tests.notify.examples import digest, message
from tests.stand_ins.slack import Answer, Drop, SlackStandIn
from tests.stand_ins.wire import Ending, WireStandIn

HERE = {Level.CRITICAL: "<!here>"}
ROOT = "C0OPS:1795442700.000100"
SHORT = timedelta(milliseconds=200)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def notifier(url: str, *, deadline: timedelta = timedelta(seconds=10)) -> SlackWebhookNotifier:
    return SlackWebhookNotifier(url, mention=HERE, deadline=deadline)


async def test_a_message_is_posted_once_with_blocks_text_and_key() -> None:
    async with SlackStandIn() as slack:
        assert await notifier(slack.url).deliver(Post(message()), key="k1") == Sent()
    (payload,) = slack.shown
    assert payload.pop("blocks")[0]["type"] == "header"
    assert payload == snapshot(
        {
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "text": "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>",
            "metadata": {"event_type": "quota_guard_delivery", "event_payload": {"key": "k1"}},
        }
    )


async def test_the_level_s_mention_stands_before_the_summary_of_what_fires() -> None:
    async with SlackStandIn() as slack:
        await notifier(slack.url).deliver(Post(message()), key="k1")
        await notifier(slack.url).deliver(Post(digest()), key="k2")
    assert [post["blocks"][1]["text"]["text"] for post in slack.shown] == snapshot(
        ["<!here> *1 of 12 phone numbers left*", "<!here> *many alerts*"]
    )


@pytest.mark.parametrize(
    "quiet", [message(ended=True), message(level=Level.WARNING), message(level=None)], ids=["over", "warning", "test"]
)
async def test_nobody_is_mentioned_for_what_is_over_or_of_another_level(quiet: object) -> None:
    async with SlackStandIn() as slack:
        await notifier(slack.url).deliver(Post(quiet), key="k1")  # type: ignore[arg-type] # a parameter of pytest
    assert "<!here>" not in str(slack.shown)


async def test_a_refused_payload_is_posted_once_more_as_short_text() -> None:
    async with SlackStandIn(Answer(400, "invalid_blocks")) as slack:
        assert await notifier(slack.url).deliver(Post(message()), key="k1") == Sent()
    assert len(slack.received) == 2
    assert slack.shown == snapshot(
        [
            {
                "link_names": False,
                "unfurl_links": False,
                "unfurl_media": False,
                "text": "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>",
            }
        ]
    )


async def test_what_is_refused_as_short_text_too_is_rejected() -> None:
    async with SlackStandIn(Answer(400, "invalid_blocks"), Answer(400, "no_text")) as slack:
        assert await notifier(slack.url).deliver(Post(message()), key="k1") == Rejected("Slack answered 400 no_text")
    assert len(slack.received) == 2


async def test_a_short_text_that_meets_a_rate_limit_is_tried_later() -> None:
    async with SlackStandIn(Answer(413), Answer(429, headers={"Retry-After": "7"})) as slack:
        outcome = await notifier(slack.url).deliver(Post(message()), key="k1")
    assert outcome == Retry("Slack answered 429", timedelta(seconds=7))


async def test_a_rate_limit_is_not_waited_for_here() -> None:
    async with SlackStandIn(Answer(429, "rate_limited", {"Retry-After": "30"})) as slack:
        outcome = await notifier(slack.url).deliver(Post(message()), key="k1")
    assert outcome == Retry("Slack answered 429 rate_limited", timedelta(seconds=30))
    assert len(slack.received) == 1


@pytest.mark.parametrize("after_reading", [True, False])
async def test_a_connection_dropped_after_the_request_went_out_leaves_it_open(after_reading: bool) -> None:
    async with SlackStandIn(Drop(after_reading=after_reading)) as slack:
        outcome = await notifier(slack.url).deliver(Post(message()), key="k1")
    assert isinstance(outcome, Unsure)
    assert len(slack.received) == after_reading  # and no library has posted again by itself


async def test_a_deadline_after_the_request_went_out_leaves_it_open() -> None:
    never = asyncio.Event()
    async with SlackStandIn(Answer(hold=never)) as slack:
        outcome = await notifier(slack.url, deadline=SHORT).deliver(Post(message()), key="k1")
    assert outcome == Unsure("no answer within 0 s")


async def test_the_deadline_covers_the_second_post_too() -> None:
    never = asyncio.Event()
    async with SlackStandIn(Answer(400, "invalid_blocks"), Answer(hold=never)) as slack:
        outcome = await notifier(slack.url, deadline=SHORT).deliver(Post(message()), key="k1")
    assert isinstance(outcome, Unsure)


async def test_a_second_post_that_finds_nobody_is_tried_again() -> None:
    async with WireStandIn(b"HTTP/1.1 400 X\r\nContent-Length: 15\r\n\r\ninvalid_payload", once=True) as leaving:
        outcome = await notifier(leaving.url()).deliver(Post(message()), key="k1")
    assert outcome == Retry("connection refused")


async def test_a_deadline_while_connecting_is_tried_again() -> None:
    async with WireStandIn(ending=Ending.SILENCE) as mute:
        # The TLS handshake lasts for ever, and nothing of the message goes out.
        outcome = await notifier(mute.url("https"), deadline=SHORT).deliver(Post(message()), key="k1")
    assert outcome == Retry("no connection within 0 s")


async def test_a_refused_connection_is_tried_again() -> None:
    async with WireStandIn() as gone:
        pass
    assert await notifier(gone.url()).deliver(Post(message()), key="k1") == Retry("connection refused")


async def test_a_host_that_nobody_knows_is_tried_again() -> None:
    outcome = await notifier("http://slack.invalid/services/T0/B0/x").deliver(Post(message()), key="k1")
    assert outcome == Retry("the host's name could not be resolved")


async def test_a_server_without_tls_is_tried_again() -> None:
    async with WireStandIn(b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
        outcome = await notifier(plain.url("https")).deliver(Post(message()), key="k1")
    assert outcome == Retry("TLS failed")


@pytest.mark.parametrize("url", ["", "hooks.slack.com", "ftp://hooks.slack.com/x", "http://[::1/x", "http:///x"])
async def test_an_address_that_is_none_is_rejected(url: str) -> None:
    outcome = await notifier(url).deliver(Post(message()), key="k1")
    assert outcome == Rejected("the webhook's address, or the proxy's, is no usable URL")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with SlackStandIn() as elsewhere, SlackStandIn(Answer(status, headers={"Location": elsewhere.url})) as slack:
        outcome = await notifier(slack.url).deliver(Post(message()), key="k1")
    assert isinstance(outcome, Rejected)
    assert f"{status}, a redirect" in outcome.why
    assert elsewhere.received == []


async def test_the_proxy_of_the_environment_is_used_and_its_refusal_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with WireStandIn(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url())
        outcome = await notifier("https://hooks.slack.com/services/T0/B0/x").deliver(Post(message()), key="k1")
    assert outcome == Retry("the proxy could not be used")
    assert proxy.asked == [b"CONNECT hooks.slack.com:443 HTTP/1.1"]


async def test_two_deliveries_at_once_do_not_disturb_each_other() -> None:
    async with SlackStandIn() as slack:
        channel = notifier(slack.url)
        both = (channel.deliver(Post(message()), key="k1"), channel.deliver(Post(digest()), key="k2"))
        assert set(await asyncio.gather(*both)) == {Sent()}
        await channel.close()
    assert sorted(_keys(slack)) == ["k1", "k2"]


@pytest.mark.parametrize("call", [Reply(message(), ROOT), Edit(message(), ROOT)])
async def test_there_is_nothing_that_a_webhook_could_edit_or_reply_to(call: Call) -> None:
    async with SlackStandIn() as slack:
        channel = notifier(slack.url)
        assert isinstance(await channel.deliver(call, key="k1"), Gone)
        assert await channel.find(key="k1", thread=ROOT, attempted_at=NOW) is None
    assert slack.received == []


async def test_a_delivery_that_is_cancelled_says_so() -> None:
    async with SlackStandIn(Answer(hold=asyncio.Event())) as slack:
        delivery = asyncio.create_task(notifier(slack.url).deliver(Post(message()), key="k1"))
        await slack.arrived.wait()
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery


def _keys(slack: SlackStandIn) -> Sequence[str]:
    return [payload["metadata"]["event_payload"]["key"] for payload in slack.shown]
