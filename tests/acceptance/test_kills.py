"""A bot's channel and two mailboxes, and a service that is killed ten times while one story is told."""

import random
import signal
import threading

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home, Running
from tests.acceptance.post_office import ANN, BEN, PostOffice
from tests.acceptance.rule_file import bot_and_mail, rule_file
from tests.acceptance.workspace import Workspace

KILLS = 10
STORY = (2, 1, 5)  # phone numbers left: a warning, an escalation, the end
THREAD = ["*escalated critical", "resolved"]


def test_one_dip_is_one_post_and_one_mail_a_recipient(
    home: Home, api: AgentPhone, workspace: Workspace, office: PostOffice
) -> None:
    home.write(rule_file(api.url, channels=bot_and_mail(workspace.base_url, office.port)))
    with home.run() as service:
        api.until_answered()
        low = api.say(1)
        workspace.until_story(("critical", []))
        office.until_marks("critical")
        api.until_given(3)
        assert (len(workspace.messages), len(office.mails)) == (1, 2)
        assert max(each.at_s for each in office.mails) - api.first_shown_s(low) <= 2
        assert service.end() == 0
    assert "WARN" not in service.log.text
    assert "ERROR" not in service.log.text


def test_ten_kills_at_random_moments_lose_nothing_and_make_no_copy_in_the_channel(
    home: Home, api: AgentPhone, workspace: Workspace, office: PostOffice
) -> None:
    home.write(rule_file(api.url, channels=bot_and_mail(workspace.base_url, office.port)))
    seed = random.randrange(1_000_000)  # noqa: S311 - shown when it fails, to be repeated
    chance = random.Random(seed)  # noqa: S311 - as above
    for number in range(KILLS):
        api.say(STORY[number * len(STORY) // KILLS])
        with home.run() as service:
            _until_some_moment(service, chance)
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
    api.say(5)
    with home.run() as service:
        assert office.until(lambda: all(office.marks(each)[-1:] == ["resolved"] for each in (ANN, BEN))), seed
        assert workspace.until(lambda: [root.mark for root in workspace.roots] == ["resolved"]), seed
        api.until_given(2)
        assert service.end() == 0
    # What came to nobody's ears before it was over needs no reply.
    assert workspace.story in [[("resolved", THREAD[number:])] for number in range(3)], (seed, workspace.story)
    assert len({each.key for each in workspace.messages}) == len(workspace.messages), seed
    for person in (ANN, BEN):
        assert sum(each.recipient == person for each in office.mails) <= 3 + KILLS, seed


def _until_some_moment(service: Running, chance: random.Random) -> None:
    """Waits for the start, and then for anything up to a second and a half: sending takes place in there."""
    service.log.until("service.started")
    threading.Event().wait(chance.random() * 1.5)
