"""The stand-in itself, as slack-sdk's own client sees it, where the notifier does not look."""

from collections.abc import Iterator

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import BOT, OPS, TOKEN, Channel


@pytest.fixture
def slack() -> Iterator[Workspace]:
    private = Channel("G0PRIVATE", "private", is_private=True, is_member=False)
    with Workspace(Channel(OPS, "ops"), private, Channel("C0OLD", "old", is_archived=True), page_most=3) as workspace:
        yield workspace


@pytest.fixture
def client(slack: Workspace, monkeypatch: pytest.MonkeyPatch) -> AsyncWebClient:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    return AsyncWebClient(TOKEN, base_url=slack.api_url, retry_handlers=[])


async def test_the_token_is_asked_for(slack: Workspace, client: AsyncWebClient) -> None:
    assert (await client.auth_test())["user_id"] == BOT
    for token, word in (("xoxb-another", "invalid_auth"), (None, "not_authed")):
        with pytest.raises(SlackApiError, match=word):
            await AsyncWebClient(token, base_url=slack.api_url, retry_handlers=[]).auth_test()
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.users_list()


async def test_a_deleted_root_with_replies_stays_as_a_tombstone(slack: Workspace, client: AsyncWebClient) -> None:
    root = str((await client.chat_postMessage(channel="#ops", text="root"))["ts"])
    reply = await client.chat_postMessage(channel=OPS, text="reply", thread_ts=root)
    assert reply["message"]["thread_ts"] == root
    await client.chat_delete(channel=OPS, ts=root)
    (first, second) = (await client.conversations_replies(channel=OPS, ts=root))["messages"]
    assert (first["subtype"], second["text"]) == ("tombstone", "reply")
    assert slack.story() == []
    assert [each.text for each in slack.ops.shown] == ["This message was deleted."]


async def test_a_deleted_root_without_replies_leaves_no_trace(slack: Workspace, client: AsyncWebClient) -> None:
    root = str((await client.chat_postMessage(channel=OPS, text="root"))["ts"])
    await client.chat_delete(channel=OPS, ts=root)
    with pytest.raises(SlackApiError, match="thread_not_found"):
        await client.conversations_replies(channel=OPS, ts=root)
    reply = await client.chat_postMessage(channel=OPS, text="reply", thread_ts=root)
    assert "thread_ts" not in reply["message"]
    assert slack.story() == [("reply", [])]


async def test_history_comes_newest_first_in_pages_and_metadata_only_when_asked_for(
    slack: Workspace, client: AsyncWebClient
) -> None:
    root = slack.state.say("1")
    metadata = {"event_type": "made_up", "event_payload": {"key": "k"}}
    await client.chat_postMessage(channel=OPS, text="2", thread_ts=root.ts, reply_broadcast=True, metadata=metadata)
    slack.state.say("unseen", thread_ts=root.ts)
    for text in "345":
        slack.state.say(text)
    page = await client.conversations_history(channel=OPS, oldest=root.ts)
    assert [each["text"] for each in page["messages"]] == ["5", "4", "3"]
    cursor = page["response_metadata"]["next_cursor"]
    page = await client.conversations_history(channel=OPS, oldest=root.ts, cursor=cursor, include_all_metadata=True)
    assert [(each["text"], each["metadata"]) for each in page["messages"]] == [("2", metadata)]
    assert slack.story()[0] == ("1", ["*2", "unseen"])


async def test_only_channels_that_the_bot_may_see_are_listed(client: AsyncWebClient) -> None:
    kinds = "public_channel,private_channel"
    everything = (await client.conversations_list(types=kinds))["channels"]
    assert [each["name"] for each in everything] == ["ops", "old"]
    living = (await client.conversations_list(types=kinds, exclude_archived=True))["channels"]
    assert [each["name"] for each in living] == ["ops"]


@pytest.mark.parametrize(
    ("channel", "text", "word"),
    [
        ("#nowhere", "x", "channel_not_found"),
        ("G0PRIVATE", "x", "channel_not_found"),
        ("old", "x", "is_archived"),
        (OPS, "x" * 40_001, "msg_too_long"),
    ],
)
async def test_what_slack_refuses_is_refused(client: AsyncWebClient, channel: str, text: str, word: str) -> None:
    with pytest.raises(SlackApiError, match=word):
        await client.chat_postMessage(channel=channel, text=text)


async def test_faults_end_when_they_are_mended(slack: Workspace, client: AsyncWebClient) -> None:
    slack.mend()
    await client.chat_postMessage(channel=OPS, text="x", metadata={"event_type": "e", "event_payload": {"key": "k"}})
    assert slack.until(lambda state: state.channels[OPS].keys == ["k"])
    with slack.still() as state:
        assert state.channels[OPS].roots[0].key == "k"
