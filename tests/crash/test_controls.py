"""What a careless setting would cost, so that nobody changes it unseen."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from guard.notify import slack_web
from guard.notify.notifier import Post
from guard.notify.slack_bot import SlackBotNotifier
from tests.notify.examples import message
from tests.stand_ins.workspace import Ending, Fault, Workspace
from tests.stand_ins.workspace_state import OPS, TOKEN


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


async def _deliver_unheard(slack: Workspace) -> None:
    """One delivery that Slack takes and does not answer."""
    slack.fail("chat.postMessage", Fault(ending=Ending.DROP, is_kept=True))
    notifier = SlackBotNotifier(TOKEN, channel=OPS, base_url=slack.api_url, mention={})
    await notifier.deliver(Post(message()), key="k1")


async def test_a_post_that_slack_took_and_did_not_answer_is_made_once(slack: Workspace) -> None:
    await _deliver_unheard(slack)
    assert len(slack.ops.messages) == 1


async def test_with_the_retries_of_slack_sdk_it_would_be_made_twice(
    slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(slack_web, "AsyncWebClient", _with_its_own_retries(AsyncWebClient))
    await _deliver_unheard(slack)
    assert len(slack.ops.messages) == 2


def _with_its_own_retries(client: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any, retry_handlers: object, **named: Any) -> Any:
        return client(*args, **named)

    return made
