"""`[channels.*]`: where people are told."""

import json
from dataclasses import fields, replace
from hashlib import sha256
from typing import Final

from guard.config.apprise import read_apprise
from guard.config.keys import KINDS, TERMINAL
from guard.config.mail import read_mail
from guard.config.slack import read_slack
from guard.config.table import Table
from guard.config.things import ChannelConfig, Secret, TerminalConfig
from guard.config.webhook import read_webhook
from guard.rules.complaint import hint

_OTHERS: Final = "email, webhook, apprise, terminal"


def read_channel(table: Table) -> ChannelConfig | None:
    """Reads one channel; None when something about it is wrong."""
    channel = _read(table)
    return channel and replace(channel, fingerprint=_fingerprint(channel))


def _read(table: Table) -> ChannelConfig | None:
    kind = table.string("kind", such_as='"slack"')
    match kind:
        case "slack":
            return read_slack(table)
        case "email":
            return read_mail(table)
        case "webhook":
            return read_webhook(table)
        case "apprise":
            return read_apprise(table)
        case "terminal":
            table.check_keys(TERMINAL)
            return TerminalConfig(table.name, fingerprint="")
        case None:
            if "kind" not in table:
                table.document.miss(table.path, f'kind is missing: write kind = "slack", or one of {_OTHERS}')
        case _:
            near = hint(KINDS.meant.get(kind, kind), KINDS.built) or f"; write slack, or one of {_OTHERS}"
            table.wrong("kind", f"unknown kind {kind!r}{near}")
    return None


def _fingerprint(channel: ChannelConfig) -> str:
    """A short hash of all settings; a secret goes in as its own hash, so that nothing of it can be guessed back."""
    settings = {each.name: getattr(channel, each.name) for each in fields(channel)}
    del settings["name"], settings["fingerprint"]
    said = json.dumps([type(channel).__name__, settings], sort_keys=True, default=_hashed)
    return sha256(said.encode()).hexdigest()[:16]


def _hashed(secret: Secret) -> str:
    return sha256(secret.value.encode(errors="surrogateescape")).hexdigest()
