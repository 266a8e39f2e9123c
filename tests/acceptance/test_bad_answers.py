"""Bad data never fires and never resolves, whatever is wrong with it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Final

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.bad_answers import bad_answers, odd_answers
from tests.acceptance.exchange import Answer, drip
from tests.acceptance.home import Home, Running
from tests.acceptance.rule_file import ONE_SLACK
from tests.acceptance.slack import Slack

ACCOUNTS: Final = ("one", "two", "three", "four")
SLOW: Final = "slow"  # the account whose answers drip
FIRING: Final = ("numbers", "used", "messages")  # at the figures that an AgentPhone begins with
RULES: Final = """
[rules.numbers]
value = "numbers.remaining"
warning = "< 6"
critical = "< 2"

[rules.used]
value = "numbers.used / numbers.limit"
warning = "> 50%"
critical = "> 90%"

[rules.messages]
value = "stats.messagesLast24h"
warning = "> 50"
critical = "> 1000"

[rules.resting-numbers]
value = "numbers.remaining"
critical = "< 2"

[rules.resting-used]
value = "numbers.used / numbers.limit"
critical = "> 90%"

[rules.resting-share]
value = "stats.messagesLast30d / plan.limits.messagesPerMonth"
critical = "> 80%"

[rules.resting-messages]
value = "stats.messagesLast24h"
critical = "> 1000"
"""
MOST_MEMORY_KIB: Final = 250 << 10


@dataclass
class Scene:
    """A service on several accounts, on each of which three alerts fire and four rules rest."""

    apis: Mapping[str, AgentPhone]
    slack: Slack
    service: Running


def test_answers_that_are_no_usage_or_never_end_fire_and_resolve_nothing(home: Home, slack: Slack) -> None:
    with _scene(home, slack, *ACCOUNTS, SLOW) as scene:
        scene.apis[SLOW].answer = drip(b'{"numbers": {"remaining": 5}' + b" " * 1000, pause_s=0.5)
        _nothing_comes_of(bad_answers(), scene)
        assert "timeout" in scene.service.log.until(f"poll.failed account={SLOW}")
        assert _peak_memory_kib(scene.service) < MOST_MEMORY_KIB
        _good_answers_are_heard(scene)


def test_usages_whose_fields_make_no_sense_fire_and_resolve_nothing(home: Home, slack: Slack) -> None:
    with _scene(home, slack, *ACCOUNTS) as scene:
        _nothing_comes_of(odd_answers(), scene)
        _good_answers_are_heard(scene)


@contextmanager
def _scene(home: Home, slack: Slack, *accounts: str) -> Iterator[Scene]:
    with ExitStack() as stack:
        apis = {name: stack.enter_context(AgentPhone()) for name in accounts}
        home.write("\n".join((*(_account(name, api.url) for name, api in apis.items()), ONE_SLACK, RULES)))
        scene = Scene(apis, slack, stack.enter_context(home.run()))
        _until_told(scene, "warning")
        yield scene
        assert scene.service.end() == 0


def _account(name: str, url: str) -> str:
    return f"""
[accounts.{name}]
api_key = "${{AGENTPHONE_API_KEY}}"
base_url = "{url}"
every = "1s"
no_data_after = "10m"
"""


def _nothing_comes_of(answers: Mapping[str, Answer], scene: Scene) -> None:
    """Gives the answers, spread over the accounts."""
    before, waiting = len(scene.slack.tried), iter(answers.items())
    apis = [scene.apis[name] for name in ACCOUNTS]
    while some := list(islice(waiting, len(apis))):
        for api, (_, answer) in zip(apis, some, strict=False):
            api.answer = answer
        for api, (name, _) in zip(apis, some, strict=False):
            api.until_given()
            assert len(scene.slack.tried) == before, f"something was posted by the time of {name}"


def _good_answers_are_heard(scene: Scene) -> None:
    """What fires goes on without a word, and is resolved by an answer that says so."""
    before = len(scene.slack.tried)
    for api in scene.apis.values():
        api.say()
    for api in scene.apis.values():
        api.until_given(2)
    assert len(scene.slack.tried) == before
    for api in scene.apis.values():
        api.say(10, messagesLast24h=10)
    _until_told(scene, "resolved")
    assert not any("resting" in post.whole for post in scene.slack.shown)
    assert not any("critical]" in post.whole for post in scene.slack.shown)


def _until_told(scene: Scene, what: str) -> None:
    """Waits until each of the alerts that fire was told of with this mark, alone or in a digest."""
    alerts = {f"{account} / {rule}: " for account, rule in product(scene.apis, FIRING)}

    def told() -> bool:
        of_it = "\n".join(post.whole for post in scene.slack.shown if what in post.mark)
        return all(f"{what}] {alert}" in of_it for alert in alerts)

    assert scene.slack.until(told), [post.text for post in scene.slack.shown]


def _peak_memory_kib(service: Running) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
