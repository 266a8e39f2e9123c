"""`[channels.*]`: where people are told."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from guard.config.address import address_fault
from guard.config.keys import KINDS, LEVELS, SLACK, TERMINAL, Keys
from guard.config.table import Table
from guard.config.things import ChannelConfig, Secret, SlackConfig, TerminalConfig
from guard.model import Level
from guard.rules.complaint import hint

# Slack's markup for a mention: everyone here, in the channel, in the workspace; a person; a group of people.
# https://api.slack.com/reference/surfaces/formatting#advanced
_MENTION: Final = re.compile(r"(?:<(?:!here|!channel|!everyone|@[A-Z0-9]+|!subteam\^[A-Z0-9]+)>[ ]?)+")


def read_channel(table: Table) -> ChannelConfig | None:
    """Reads one channel; None when something about it is wrong."""
    kind = table.string("kind", such_as='"slack"')
    match kind:
        case "slack":
            return _slack(table)
        case "terminal":
            table.check_keys(TERMINAL)
            return TerminalConfig(table.name, _fingerprint({"kind": "terminal"}))
        case None:
            if "kind" not in table:
                table.document.miss(table.path, 'kind is missing: write kind = "slack" or kind = "terminal"')
        case _ if kind in KINDS.later:
            table.wrong("kind", f"kind {kind!r} is not built yet; use slack or terminal")
        case _:
            table.wrong(
                "kind", f"unknown kind {kind!r}{hint(kind, KINDS.built | KINDS.later) or '; write slack or terminal'}"
            )
    return None


def _slack(table: Table) -> SlackConfig | None:
    table.check_keys(SLACK, where=" for a slack channel")
    if "token" in table and "webhook_url" not in table:
        return None  # the key itself was told to use webhook_url instead
    secret = table.secret("webhook_url", example="SLACK_WEBHOOK_URL")
    mention = _mention(table)
    if secret is None:
        return None
    fault = address_fault(secret.value) if secret.value else None
    if fault:
        table.wrong("webhook_url", f"the value of {secret.variable} {fault}")
    return SlackConfig(table.name, secret, mention, _slack_fingerprint(secret, mention))


def _mention(table: Table) -> Mapping[Level, str]:
    by_level = table.table("mention", such_as='{ critical = "<!here>" }')
    if by_level is None:
        return {}
    by_level.check_keys(Keys(LEVELS), where=" in mention, which goes by level")
    return {level: text for level in Level if (text := _markup(by_level, level.word))}


def _markup(table: Table, key: str) -> str | None:
    text = table.string(key, such_as='"<!here>"')
    if text is not None and not _MENTION.fullmatch(text):
        table.wrong(key, f"{key} mentions nobody; write <!here>, <!channel>, <@U012ABCDE> or <!subteam^S012ABCDE>")
        return None
    return text


def _slack_fingerprint(secret: Secret, mention: Mapping[Level, str]) -> str:
    return _fingerprint(
        {
            "kind": "slack",
            "webhook_url": sha256(secret.value.encode()).hexdigest(),
            "mention": {level.word: text for level, text in mention.items()},
        }
    )


def _fingerprint(settings: Mapping[str, object]) -> str:
    """A short hash; a secret goes in as its own hash, so that nothing of it can be guessed back."""
    return sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
