import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from guard.message import Message
from guard.model import Level
from guard.notify.notifier import Edit, Gone, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_bot import SlackBotNotifier
from tests.notify.examples import digest, message
from tests.stand_ins.wire import Ending as WireEnding
from tests.stand_ins.wire import WireStandIn
from tests.stand_ins.workspace import Ending, Fault, Workspace
from tests.stand_ins.workspace_state import CLOCK, OPS, TOKEN, Channel

HERE = {Level.CRITICAL: "<!here>", Level.WARNING: "<@U012ABCDE>"}
SHORT = timedelta(milliseconds=400)
OVER = message(mark="resolved", summary="4 of 12 phone numbers left", ended=True)
PAGE = "<!doctype html><title>We are having trouble</title>"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def bot(
    slack: Workspace | str, *, channel: str = OPS, token: str = TOKEN, deadline: timedelta = timedelta(seconds=30)
) -> SlackBotNotifier:
    url = slack if isinstance(slack, str) else slack.api_url
    return SlackBotNotifier(token, channel=channel, base_url=url, mention=HERE, deadline=deadline)


async def posted(slack: Workspace, shown: Message | None = None, *, key: str = "k1") -> str:
    """Posts a message, and gives its receipt."""
    outcome = await bot(slack).deliver(Post(shown or message()), key=key)
    assert isinstance(outcome, Sent)
    return outcome.receipt


# --- posts, replies and edits --------------------------------------------------------------------------------------


async def test_a_post_stands_in_the_channel_with_blocks_text_mention_and_key(slack: Workspace) -> None:
    receipt = await posted(slack)
    (root,) = slack.ops.roots
    assert receipt == f"{OPS}:{root.ts}"
    (asked,) = slack.asked
    assert asked.args.pop("blocks")[1]["text"]["text"] == "<!here> *1 of 12 phone numbers left*"
    assert (asked.method, asked.args) == snapshot(
        (
            "chat.postMessage",
            {
                "channel": "C0OPS",
                "link_names": False,
                "unfurl_links": False,
                "unfurl_media": False,
                "text": "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>",
                "metadata": {"event_type": "quota_guard_delivery", "event_payload": {"key": "k1"}},
            },
        )
    )


async def test_an_edit_changes_the_message_without_a_mention_and_leaves_its_key(slack: Workspace) -> None:
    receipt = await posted(slack)
    assert await bot(slack).deliver(Edit(message(mark="warning"), receipt), key="k2") == Sent(receipt)
    (root,) = slack.ops.roots
    assert root.texts == snapshot(
        [
            "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>",
            "[warning] main / numbers-remaining: 1 of 12 phone numbers left",
        ]
    )
    assert "<!here>" not in str(root.blocks[-1])
    assert root.key == "k1"


async def test_a_quiet_reply_stands_in_the_thread_only_and_mentions_nobody(slack: Workspace) -> None:
    receipt = await posted(slack)
    assert await bot(slack).deliver(Reply(message(mark="lowered"), receipt), key="k2") == Sent(receipt)
    assert slack.story() == snapshot(
        [
            (
                "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>",
                ["[lowered] main / numbers-remaining: 1 of 12 phone numbers left"],
            )
        ]
    )


async def test_a_loud_reply_is_shown_in_the_channel_too_and_mentions_its_level(slack: Workspace) -> None:
    receipt = await posted(slack)
    loud = Reply(message(mark="reminder critical"), receipt, is_loud=True)
    assert await bot(slack).deliver(loud, key="k2") == Sent(receipt)
    assert [each.mark for each in slack.ops.shown] == ["critical", "reminder critical"]
    assert slack.ops.shown[1].text.endswith(" <!here>")
    assert slack.ops.shown[1].key == "k2"


async def test_the_end_of_it_mentions_nobody(slack: Workspace) -> None:
    receipt = await posted(slack, OVER)
    await bot(slack).deliver(Reply(OVER, receipt, is_loud=True), key="k2")
    assert "<!here>" not in str(slack.asked)


async def test_one_notifier_delivers_two_at_once(slack: Workspace) -> None:
    both = bot(slack)
    await asyncio.gather(both.deliver(Post(message()), key="k1"), both.deliver(Post(digest()), key="k2"))
    await both.close()
    assert sorted(slack.ops.keys) == ["k1", "k2"]


# --- what is gone --------------------------------------------------------------------------------------------------


async def test_an_edit_of_a_deleted_message_finds_it_gone(slack: Workspace) -> None:
    receipt = await posted(slack)
    slack.delete(slack.ops.roots[0])
    assert await bot(slack).deliver(Edit(message(), receipt), key="k2") == Gone("Slack answered message_not_found")


async def test_an_edit_of_a_tombstone_finds_it_gone(slack: Workspace) -> None:
    receipt = await posted(slack)
    await bot(slack).deliver(Reply(message(), receipt), key="k2")
    slack.delete(slack.ops.roots[0])
    assert isinstance(await bot(slack).deliver(Edit(message(), receipt), key="k3"), Gone)


async def test_an_edit_of_what_another_posted_finds_it_gone(slack: Workspace) -> None:
    receipt = f"{OPS}:{slack.state.say('hello').ts}"
    assert await bot(slack).deliver(Edit(message(), receipt), key="k1") == Gone("Slack answered cant_update_message")


async def test_a_reply_to_a_message_that_is_gone_is_a_root_from_then_on(slack: Workspace) -> None:
    receipt = await posted(slack)
    slack.delete(slack.ops.roots[0])
    outcome = await bot(slack).deliver(Reply(message(mark="reminder critical"), receipt, is_loud=True), key="k2")
    (root,) = slack.ops.roots
    assert outcome == Sent(f"{OPS}:{root.ts}")
    assert root.mark == "reminder critical"


@pytest.mark.parametrize("word", ["thread_not_found", "cannot_reply_to_message", "not_in_channel", "is_archived"])
async def test_a_reply_where_none_can_stand_finds_its_root_gone(slack: Workspace, word: str) -> None:
    receipt = await posted(slack)
    slack.fail("chat.postMessage", Fault(word))
    assert await bot(slack).deliver(Reply(message(), receipt), key="k2") == Gone(f"Slack answered {word}")


async def test_a_receipt_of_a_channel_that_is_no_more_is_gone(slack: Workspace) -> None:
    assert isinstance(await bot(slack).deliver(Edit(message(), "C0NOWHERE:1.000001"), key="k1"), Gone)
    assert isinstance(await bot(slack).deliver(Reply(message(), "nonsense"), key="k2"), Gone)


# --- refusals ------------------------------------------------------------------------------------------------------


async def test_a_refused_post_goes_out_once_more_as_short_text(slack: Workspace) -> None:
    slack.fail("chat.postMessage", Fault("invalid_blocks"))
    await posted(slack)
    (root,) = slack.ops.roots
    assert (root.text, root.blocks) == snapshot(
        ("[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>", [[]])
    )


async def test_a_refused_edit_takes_the_blocks_away(slack: Workspace) -> None:
    receipt = await posted(slack)
    slack.fail("chat.update", Fault(status=413, body=PAGE))
    assert await bot(slack).deliver(Edit(OVER, receipt), key="k2") == Sent(receipt)
    assert slack.ops.roots[0].blocks[-1] == []


async def test_what_is_refused_as_short_text_too_is_rejected(slack: Workspace) -> None:
    slack.fail("chat.postMessage", Fault("msg_too_long"), Fault("no_text"))
    assert await bot(slack).deliver(Post(message()), key="k1") == Rejected("Slack answered no_text")
    assert len(slack.asked) == 2


async def test_a_token_that_slack_does_not_know_is_rejected(slack: Workspace) -> None:
    outcome = await bot(slack, token="xoxb-1-another").deliver(Post(message()), key="k1")
    assert outcome == snapshot(
        Rejected("Slack answered invalid_auth: install the app in the workspace anew and set its bot token")
    )


async def test_a_channel_that_the_bot_was_not_invited_to_is_rejected_with_what_to_do() -> None:
    with Workspace(Channel(OPS, "ops", is_member=False)) as slack:
        outcome = await bot(slack, channel="#ops").deliver(Post(message()), key="k1")
    assert outcome == snapshot(
        Rejected("Slack answered not_in_channel: invite the bot: write /invite and its name in #ops")
    )


# --- a channel by its name -----------------------------------------------------------------------------------------


async def test_a_channel_s_name_is_looked_up_once(slack: Workspace) -> None:
    named = bot(slack, channel="#ops")
    for key in ("k1", "k2"):
        assert isinstance(await named.deliver(Post(message()), key=key), Sent)
    assert slack.methods == ["conversations.list", "chat.postMessage", "chat.postMessage"]
    assert slack.asked[1].args["channel"] == OPS
    assert slack.asked[0].args == snapshot(
        {"types": "public_channel,private_channel", "exclude_archived": "1", "limit": "1000"}
    )


async def test_a_name_is_found_on_a_later_page_also_if_it_is_a_private_channel_s() -> None:
    others = [Channel(f"C0OTHER{number}", f"other-{number}") for number in range(5)]
    with Workspace(*others, Channel("G0OPS", "ops", is_private=True), page_most=2) as slack:
        outcome = await bot(slack, channel="#ops").deliver(Post(message()), key="k1")
        assert isinstance(outcome, Sent)
        assert outcome.receipt.startswith("G0OPS:")
    assert slack.methods == [*["conversations.list"] * 3, "chat.postMessage"]


async def test_a_name_that_no_channel_has_is_rejected_and_looked_up_again(slack: Workspace) -> None:
    named = bot(slack, channel="#oops")
    for _ in range(2):
        assert await named.deliver(Post(message()), key="k1") == snapshot(
            Rejected("no channel #oops that the bot can see: check the name, or invite the bot there with /invite")
        )
    assert slack.methods == ["conversations.list"] * 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("missing_scope"),
        Fault("unknown_method"),
        Fault("ratelimited", 429, {"Retry-After": "60"}),
        Fault(status=404, body=PAGE),
        Fault(ending=Ending.HANG),
    ],
    ids=["scope", "method", "rate", "page", "hang"],
)
async def test_where_channels_cannot_be_listed_it_is_posted_by_name_and_the_answer_names_the_id(
    slack: Workspace, fault: Fault
) -> None:
    slack.always("conversations.list", fault)
    named = bot(slack, channel="#ops", deadline=timedelta(seconds=2))
    for key in ("k1", "k2"):
        assert isinstance(await named.deliver(Post(message()), key=key), Sent)
    assert [each.args.get("channel") for each in slack.asked] == [None, "#ops", OPS]


async def test_a_listing_that_breaks_off_is_tried_again_for_nothing_was_posted(slack: Workspace) -> None:
    slack.always("conversations.list", Fault(ending=Ending.DROP))  # aiohttp asks twice itself what only reads
    assert isinstance(await bot(slack, channel="#ops").deliver(Post(message()), key="k1"), Retry)


# --- the wire ------------------------------------------------------------------------------------------------------


async def test_a_rate_limit_is_not_waited_for_here(slack: Workspace) -> None:
    slack.fail("chat.postMessage", Fault("ratelimited", 429, {"Retry-After": "30"}))
    outcome = await bot(slack).deliver(Post(message()), key="k1")
    assert outcome == Retry("Slack answered 429 ratelimited", timedelta(seconds=30))
    assert len(slack.asked) == 1


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_connection_dropped_after_the_request_leaves_it_open(slack: Workspace, is_kept: bool) -> None:
    slack.fail("chat.postMessage", Fault(ending=Ending.DROP, is_kept=is_kept))
    assert isinstance(await bot(slack).deliver(Post(message()), key="k1"), Unsure)
    assert slack.ops.keys == ["k1"] * is_kept  # and no library has posted again by itself


async def test_a_deadline_after_the_request_leaves_it_open(slack: Workspace) -> None:
    slack.fail("chat.postMessage", Fault(ending=Ending.HANG))
    assert await bot(slack, deadline=SHORT).deliver(Post(message()), key="k1") == Unsure("no answer within 0 s")


@pytest.mark.parametrize("status", [200, 500, 503])
async def test_a_page_in_place_of_an_answer_leaves_it_open(slack: Workspace, status: int) -> None:
    slack.fail("chat.postMessage", Fault(status=status, body=PAGE, is_kept=True))
    assert isinstance(await bot(slack).deliver(Post(message()), key="k1"), Unsure)
    assert slack.ops.keys == ["k1"]


async def test_a_refused_connection_is_tried_again() -> None:
    async with WireStandIn() as gone:
        pass
    outcome = await bot(gone.url(path="/api/")).deliver(Post(message()), key="k1")
    assert outcome == Retry("connection refused")


async def test_a_deadline_while_connecting_is_tried_again() -> None:
    async with WireStandIn(ending=WireEnding.SILENCE) as mute:
        outcome = await bot(mute.url("https", path="/api/"), deadline=SHORT).deliver(Post(message()), key="k1")
    assert outcome == Retry("no connection within 0 s")


@pytest.mark.parametrize("url", ["", "slack.com/api/", "ftp://slack.com/api/", "http://[::1/"])
async def test_an_address_that_is_none_is_rejected(url: str) -> None:
    outcome = await bot(url).deliver(Post(message()), key="k1")
    assert isinstance(outcome, Rejected)
    assert outcome.why.startswith("base_url")
    assert await bot(url).find(key="k1", thread="", attempted_at=CLOCK.now()) is None


# --- looking for it ------------------------------------------------------------------------------------------------


async def found(slack: Workspace, key: str = "k1", *, thread: str = "", channel: str = OPS) -> Sent | Retry | None:
    return await bot(slack, channel=channel).find(key=key, thread=thread, attempted_at=CLOCK.now())


@pytest.mark.parametrize("channel", [OPS, "#ops"])
async def test_a_post_is_found_by_its_key_among_others(slack: Workspace, channel: str) -> None:
    await posted(slack, key="k0")
    receipt = await posted(slack)
    await bot(slack).deliver(Edit(OVER, receipt), key="k2")
    slack.state.say("thanks")
    assert await found(slack, channel=channel) == Sent(receipt)
    assert await found(slack, "k2", channel=channel) is None


async def test_a_post_is_looked_for_from_an_hour_before_the_attempt_on(slack: Workspace) -> None:
    at = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    await bot(slack).find(key="k1", thread="", attempted_at=at)
    assert slack.asked[0].args == snapshot(
        {"include_all_metadata": "1", "limit": "200", "oldest": "1795439100.000000", "channel": "C0OPS"}
    )


async def test_a_post_is_found_some_pages_back_and_not_further() -> None:
    with Workspace(page_most=10) as slack:
        receipt = await posted(slack)
        for number in range(49):
            slack.state.say(f"word {number}")
        assert await found(slack) == Sent(receipt)
        slack.state.say("one more")
        assert await found(slack) is None
    assert slack.methods.count("conversations.history") == 10


async def test_a_reply_is_found_in_its_thread_by_its_key(slack: Workspace) -> None:
    receipt = await posted(slack)
    await bot(slack).deliver(Reply(message(), receipt), key="k2")
    assert await found(slack, "k2", thread=receipt) == Sent(receipt)
    assert await found(slack, "k3", thread=receipt) is None
    assert await found(slack, "k2", thread=f"{OPS}:1.000001") is None
    assert set(slack.methods[2:]) == {"conversations.replies"}


async def test_what_an_unsure_attempt_left_is_found(slack: Workspace) -> None:
    slack.fail("chat.postMessage", Fault(ending=Ending.DROP, is_kept=True))
    assert isinstance(await bot(slack).deliver(Post(message()), key="k1"), Unsure)
    assert await found(slack) == Sent(f"{OPS}:{slack.ops.roots[0].ts}")


@pytest.mark.parametrize(
    ("fault", "after_s"),
    [
        (Fault("ratelimited", 429, {"Retry-After": "20"}), 20),
        (Fault("internal_error"), None),
        (Fault(status=503, body=PAGE), None),
        (Fault(body=PAGE), None),
        (Fault(ending=Ending.DROP), None),
        (Fault(ending=Ending.HANG), None),
    ],
    ids=["rate", "word", "status", "page", "drop", "hang"],
)
async def test_when_nobody_answers_it_is_looked_for_later(
    slack: Workspace, fault: Fault, after_s: float | None
) -> None:
    slack.always("conversations.history", fault)
    outcome = await bot(slack, deadline=SHORT).find(key="k1", thread="", attempted_at=CLOCK.now())
    assert isinstance(outcome, Retry)
    assert outcome.after == (after_s and timedelta(seconds=after_s))


@pytest.mark.parametrize("word", ["missing_scope", "unknown_method", "not_in_channel", "not_allowed_token_type"])
async def test_where_looking_is_not_allowed_nothing_is_found_and_the_log_says_why(
    slack: Workspace, word: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await posted(slack)
    slack.always("conversations.history", Fault(word))
    assert await found(slack) is None
    assert re.search(rf"Slack answered {word}.*cannot be looked for", caplog.text + capfd.readouterr().err)


async def test_in_a_channel_whose_id_nobody_may_know_nothing_is_found_and_the_log_says_why(
    slack: Workspace, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    slack.always("conversations.list", Fault("missing_scope"))
    assert await found(slack, channel="#ops") is None
    assert slack.methods == ["conversations.list", "conversations.history"]
    assert re.search("Slack answered channel_not_found.*cannot be looked for", caplog.text + capfd.readouterr().err)


async def test_in_a_channel_that_is_not_there_nothing_is_looked_for(slack: Workspace) -> None:
    assert await found(slack, channel="#oops") is None
    assert slack.methods == ["conversations.list"]


async def test_what_imitates_slack_without_a_list_of_channels_is_asked_by_name() -> None:
    with Workspace(Channel("#ops", "ops")) as slack:
        slack.always("conversations.list", Fault("unknown_method"))
        outcome = await bot(slack, channel="#ops").deliver(Post(message()), key="k1")
        assert await found(slack, channel="#ops") == outcome == Sent(f"#ops:{slack.state.channels['#ops'].roots[0].ts}")


@pytest.mark.parametrize("fault", [Fault("ratelimited", 429), Fault(ending=Ending.HANG)], ids=["rate", "hang"])
async def test_in_a_channel_whose_id_nobody_tells_now_it_is_looked_for_later(slack: Workspace, fault: Fault) -> None:
    slack.always("conversations.list", fault)
    named = bot(slack, channel="#ops", deadline=timedelta(seconds=1))
    assert isinstance(await named.find(key="k1", thread="", attempted_at=CLOCK.now()), Retry)
