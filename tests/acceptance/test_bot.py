"""A bot's channel: one message an incident, the story in its thread, and nothing twice whatever ends in between."""

import signal

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import page, reply
from tests.acceptance.home import Home
from tests.acceptance.post_office import PostOffice
from tests.acceptance.rule_file import BOT, bot_and_mail, rule_file
from tests.acceptance.workspace import CHANNEL, NAME, TOKEN, Workspace

TOLD = ("resolved", ["*escalated critical", "resolved"])  # a whole story, when it is over


@pytest.fixture(params=["id", "name", "name, where channels cannot be listed"])
def channel(request: pytest.FixtureRequest, workspace: Workspace) -> str:
    """The channel as the rule file calls it."""
    if request.param.endswith("listed"):
        workspace.lists_channels = False
    return CHANNEL if request.param == "id" else NAME


def _rules(api: AgentPhone, workspace: Workspace, channel: str = NAME) -> str:
    return rule_file(api.url, channels=BOT % (channel, workspace.base_url) + '[defaults]\nnotify = ["ops"]\n')


def test_an_incident_is_one_message_with_its_story_in_the_thread(
    home: Home, api: AgentPhone, workspace: Workspace, channel: str
) -> None:
    home.write(_rules(api, workspace, channel))
    with home.run() as service:
        api.say(2)
        workspace.until_story(("warning", []))
        api.say(1)
        workspace.until_story(("critical", ["*escalated critical"]))
        api.say(5)
        workspace.until_story(TOLD)
        api.say(1)
        workspace.until_story(TOLD, ("critical", []))
        api.until_given(2)
        assert service.end() == 0
    first, escalated, resolved, second = workspace.messages
    assert ["<!here>" in each.texts[0] for each in workspace.messages] == [False, True, False, True]
    assert [text.split("]")[0] for text in first.texts] == ["[warning", "[critical", "[resolved"]
    assert "recovered" in first.whole
    assert "recovered" in resolved.whole
    assert len({first.key, escalated.key, resolved.key, second.key}) == 4


def test_a_post_that_slack_took_right_before_kill_9_is_found_and_not_made_again(
    home: Home, api: AgentPhone, workspace: Workspace, channel: str
) -> None:
    home.write(_rules(api, workspace, channel))
    workspace.silent_on("chat.postMessage")
    api.say(2)
    with home.run() as first:
        assert workspace.until(lambda: len(workspace.messages) == 1)
        first.end(signal.SIGKILL)
    _goes_on(home, api, workspace, ("warning", []))


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"], ids=["reply", "edit"])
def test_what_slack_took_of_a_rise_right_before_kill_9_is_not_made_again(
    home: Home, api: AgentPhone, workspace: Workspace, method: str
) -> None:
    home.write(_rules(api, workspace))
    with home.run() as first:
        api.say(2)
        workspace.until_story(("warning", []))
        api.until_given(2)
        workspace.silent_on(method)
        api.say(1)
        changed = ("critical", ["*escalated critical"] if method == "chat.postMessage" else [])
        workspace.until_story(changed)
        first.end(signal.SIGKILL)
    _goes_on(home, api, workspace, ("critical", ["*escalated critical"]))


def _goes_on(home: Home, api: AgentPhone, workspace: Workspace, story: tuple[str, list[str]]) -> None:
    """The next start has the channel read so, and then tells of the end; nothing stands there twice."""
    workspace.answer = workspace.good
    with home.run() as second:
        workspace.until_story(story)
        api.say(5)
        workspace.until_story(("resolved", [*story[1], "resolved"]))
        api.until_given(2)
        assert second.end() == 0
    assert len({each.key for each in workspace.messages}) == len(workspace.messages)


def test_a_message_that_someone_deleted_gets_a_new_one_with_the_next_news(
    home: Home, api: AgentPhone, workspace: Workspace
) -> None:
    home.write(_rules(api, workspace))
    with home.run() as service:
        api.say(2)
        workspace.until_story(("warning", []))
        workspace.messages.clear()
        api.say(1)
        workspace.until_story(("escalated critical", []))
        api.say(5)
        workspace.until_story(("resolved", ["resolved"]))
        assert service.end() == 0


def test_what_ended_while_slack_was_down_is_one_message(home: Home, api: AgentPhone, workspace: Workspace) -> None:
    home.write(_rules(api, workspace))
    with home.run() as service:
        workspace.answer = page(503)
        api.say(1)
        workspace.until_given()
        api.say(5)
        service.log.until("alert.resolved")
        workspace.until_answered()  # what was under way when it ended told only of the beginning
        workspace.answer = workspace.good
        workspace.until_story(("resolved", []))
        assert "fired " in workspace.roots[0].whole
        assert service.end() == 0


def test_a_token_that_was_revoked_is_visible_and_the_mails_go_on(
    home: Home, api: AgentPhone, workspace: Workspace, office: PostOffice
) -> None:
    home.write(rule_file(api.url, channels=bot_and_mail(workspace.base_url, office.port)))
    workspace.answer = reply(200, b'{"ok": false, "error": "token_revoked"}', {"Content-Type": "application/json"})
    with home.run() as service:
        api.say(1)
        office.until_marks("critical")
        service.log.until("token_revoked")
        (ops,) = [each for each in home.read("status")["channels"] if each["channel"] == "ops"]
        assert [each["state"] for each in ops["deliveries"]] == ["dead"]
        assert service.end() == 0
    assert TOKEN not in service.log.text + service.out.text


def test_send_test_shows_one_message_and_says_what_to_do_where_it_cannot(
    home: Home, api: AgentPhone, workspace: Workspace
) -> None:
    home.write(_rules(api, workspace))
    done = home.call("send-test", "ops")
    assert (done.returncode, done.stdout) == (0, "ops took the message.\n"), done.stderr
    assert workspace.story == [("test", [])]
    workspace.answer = reply(200, b'{"ok": false, "error": "not_in_channel"}', {"Content-Type": "application/json"})
    done = home.call("send-test", "ops")
    assert done.returncode == 70
    assert "invite" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
