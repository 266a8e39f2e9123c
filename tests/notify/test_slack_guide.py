import re
from pathlib import Path

from guard.config import SlackBotConfig, SlackConfig, load

GUIDE = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")
AROUND = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"

[defaults]
notify = ["ops"]

[rules.numbers-remaining]
value = "numbers.remaining"
critical = "< 2"
"""
ENVIRONMENT = {
    "AGENTPHONE_API_KEY": "key-of-main",
    "SLACK_BOT_TOKEN": "xoxb-1112223334-token",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/token",
}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_guide_s_channels_are_good_rule_files() -> None:
    kinds = []
    for block in blocks("toml"):
        loaded = load(block + AROUND, path="rules.toml", secret=ENVIRONMENT.get)
        assert not loaded.problems
        assert loaded.config is not None
        kinds.append(type(loaded.config.channels["ops"]))
    assert kinds == [SlackBotConfig, SlackConfig]


def test_the_guide_s_app_asks_for_no_more_than_its_methods_need() -> None:
    (manifest,) = blocks("yaml")
    assert re.findall(r"- (\w+:\w+)", manifest) == [
        "chat:write",
        "channels:history",
        "groups:history",
        "channels:read",
        "groups:read",
    ]
