"""`kind = "slack"`: a channel by its incoming webhook, or by a bot's token."""

import re
from collections.abc import Mapping
from typing import Final

from guard.config.address import address_fault, read_base_url
from guard.config.keys import LEVELS, SLACK, Keys
from guard.config.table import Table
from guard.config.things import Secret, SlackBotConfig, SlackConfig
from guard.model import Level
from guard.rules.complaint import Severity

_API: Final = "https://slack.com/api/"
_TOKEN: Final = "SLACK_BOT_TOKEN"  # noqa: S105 -- the name of a variable, not what it holds
_APP_TOKEN: Final = "SLACK_APP_TOKEN"  # noqa: S105 -- as above
_ID: Final = re.compile(r"[CGD][A-Z0-9]{7,20}")
# A channel's name: small letters of any script, digits, - and _. https://api.slack.com/methods/conversations.create
_NAME: Final = re.compile(r"#?(?P<name>[^\s!-,./:-@\[-^`{-\x7f]{1,80})")

_NOT_WITH_A_WEBHOOK: Final[Mapping[str, str]] = {
    "channel": "a webhook names its channel itself",
    "app_token": "what comes through a webhook has no buttons",
    "base_url": "a webhook is a whole address",
}

# Slack's markup for a mention: everyone here, in the channel, in the workspace; a person; a group of people.
# https://api.slack.com/reference/surfaces/formatting#advanced
MENTION: Final = re.compile(r"(?:<(?:!here|!channel|!everyone|@[A-Z0-9]+|!subteam\^[A-Z0-9]+)>[ ]?)+")


def read_slack(table: Table) -> SlackConfig | SlackBotConfig | None:
    """Reads a channel; None when it could not be told anything."""
    table.check_keys(SLACK, where=" for a slack channel")
    mention = _mention(table)
    if "token" in table and "webhook_url" in table:
        text = "token and webhook_url are two ways into the same channel; leave one out"
        table.document.complain((*table.path, "token"), text, on_key=True)
    elif "token" in table:
        return _by_token(table, mention)
    elif "webhook_url" in table:
        return _by_webhook(table, mention)
    elif "channel" in table:
        table.secret("token", example=_TOKEN)  # says that it is missing
    else:
        how = f'write webhook_url = "${{SLACK_WEBHOOK_URL}}", or token = "${{{_TOKEN}}}" with channel = "#ops"'
        table.document.miss(table.path, f"webhook_url or token is missing: {how}")
    return None


def _by_webhook(table: Table, mention: Mapping[Level, str]) -> SlackConfig | None:
    for key, why in _NOT_WITH_A_WEBHOOK.items():
        if key in table:
            table.document.complain((*table.path, key), f"{key} goes with token; {why}", on_key=True)
    secret = table.secret("webhook_url", example="SLACK_WEBHOOK_URL")
    if secret is None:
        return None
    fault = address_fault(secret.value) if secret.value else None
    if secret.value.startswith("xoxb-"):
        fault = "is a token; write it as token, with channel"
    if fault:
        table.wrong("webhook_url", f"the value of {secret.variable} {fault}")
    return SlackConfig(table.name, secret, mention, fingerprint="")


def _by_token(table: Table, mention: Mapping[Level, str]) -> SlackBotConfig | None:
    token = _token(table)
    channel = _channel(table)
    app_token = _app_token(table)
    base_url = read_base_url(table, default=_API)
    if token is None or channel is None:
        return None
    return SlackBotConfig(table.name, token, channel, f"{base_url}/", mention, fingerprint="", app_token=app_token)


def _token(table: Table) -> Secret | None:
    """The token; one that cannot post is noted, and so is one that does not look like a bot's."""
    token = table.secret("token", example=_TOKEN)
    if token is None or not token.value:
        return token
    the_value = f"the value of {token.variable}"
    if token.value.startswith("xapp-"):
        table.wrong("token", f"{the_value} is an app's token, which cannot post; the bot's begins with xoxb-")
    elif token.value.lower().startswith(("http://", "https://")):
        table.wrong("token", f"{the_value} is a web address; write a webhook's as webhook_url, without channel")
    elif not token.value.startswith("xoxb-"):
        text = f"{the_value} does not begin with xoxb-, as a bot's token does"
        table.wrong("token", text, severity=Severity.WARNING)
    return token


def _app_token(table: Table) -> Secret | None:
    """The app's own token, with which presses of buttons are heard; it may be left out."""
    token = table.secret("app_token", example=_APP_TOKEN) if "app_token" in table else None
    if token and token.value and not token.value.startswith("xapp-"):
        how = "make an app-level token with the scope connections:write"
        table.wrong("app_token", f"the value of {token.variable} does not begin with xapp-; {how}")
    return token


def _channel(table: Table) -> str | None:
    """An id, or a name with its `#`, which may be left out in the file; empty where its variable is not set."""
    if "channel" not in table:
        table.document.miss(table.path, 'channel is missing: write channel = "#ops", or the channel\'s id')
        return None
    text = table.string("channel", such_as='"#ops"')
    if text is None:
        return "" if table.variable("channel") else None
    if _ID.fullmatch(text):
        return text
    match = _NAME.fullmatch(text.lower())
    if match is None or text != text.lower():
        near = f"did you mean '#{match['name']}'?" if match and not table.variable("channel") else ""
        how = near or "write a name such as #ops, or an id such as C0123456789"
        table.wrong("channel", f"{table.shown('channel')} is no channel of Slack; {how}")
        return None
    return f"#{match['name']}"


def _mention(table: Table) -> Mapping[Level, str]:
    by_level = table.table("mention", such_as='{ critical = "<!here>" }')
    if by_level is None:
        return {}
    by_level.check_keys(Keys(LEVELS), where=" in mention, which goes by level")
    return {level: text for level in Level if (text := _markup(by_level, level.word))}


def _markup(table: Table, key: str) -> str | None:
    text = table.string(key, such_as='"<!here>"')
    if text is not None and not MENTION.fullmatch(text):
        table.wrong(key, f"{key} mentions nobody; write <!here>, <!channel>, <@U012ABCDE> or <!subteam^S012ABCDE>")
        return None
    return text
