import json
import re
from pathlib import Path

from guard.config import SlackBotConfig, SlackConfig, load

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
MANIFEST = json.loads((ROOT / "docs" / "slack-manifest.json").read_text(encoding="utf-8"))

# What each method wants, for public and for private channels. https://docs.slack.dev/reference/methods
SCOPES = {
    "apps.connections.open": {"connections:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history"},
    "conversations.list": {"channels:read", "groups:read"},
    "conversations.replies": {"channels:history", "groups:history"},
}
APP_LEVEL = {"connections:write"}  # of the app's own token, which no manifest makes
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
    "SLACK_APP_TOKEN": "xapp-1-A0-token",
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
    assert kinds == [SlackBotConfig, SlackBotConfig, SlackConfig]


def test_the_app_s_manifest_asks_for_the_scopes_of_the_methods_that_are_called_and_for_no_others() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "guard" / "notify").glob("slack_*.py")]
    named = re.findall(r'"((?:apps|chat|conversations|users|views|auth)\.[A-Za-z.]+)"', "\n".join(sources))
    called = re.findall(r"client\.((?:apps|auth|chat|users)_\w+)", "\n".join(sources))
    methods = {*named, *(name.replace("_", ".") for name in called)}
    assert methods == set(SCOPES)
    bot = MANIFEST["oauth_config"]["scopes"]["bot"]
    assert set(bot) == set().union(*(SCOPES[each] for each in methods)) - APP_LEVEL
    assert len(set(bot)) == len(bot)


def test_the_app_s_manifest_turns_on_what_buttons_need_and_no_more() -> None:
    settings = MANIFEST["settings"]
    assert settings["interactivity"] == {"is_enabled": True}
    assert settings["socket_mode_enabled"] is True
    assert "event_subscriptions" not in settings
    assert "user" not in MANIFEST["oauth_config"]["scopes"]


def test_the_guide_names_every_scope() -> None:
    assert all(f"`{scope}`" in GUIDE for scopes in SCOPES.values() for scope in scopes)


def test_the_guide_leads_to_the_manifest() -> None:
    assert "](slack-manifest.json)" in GUIDE
