"""The built-in rule guard.channel_failing: whom it tells that a channel fails, and in which words; pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from guard.config.things import (
    AppriseConfig,
    ChannelConfig,
    Config,
    EmailConfig,
    SlackBotConfig,
    SlackConfig,
    TerminalConfig,
    WebhookConfig,
    recipients_of,
)
from guard.lifecycle.strait import Strait
from guard.model import CHANNEL_FAILING, AlertKey, Evaluation, Level, Reading
from guard.rules.policy import Policy
from guard.units import duration_text

_LEVELS: Final = (Level.WARNING, Level.CRITICAL)


def failing_key(config: Config, channel: str) -> AlertKey:
    """The alert of a channel; as every alert has an account, it stands with the first one of the file."""
    return AlertKey(config.accounts[0].name, CHANNEL_FAILING, channel)


def failing_policy(config: Config, strait: Strait) -> Policy:
    """Everyone is told but who fails: all other channels, and of this one those recipients who take what they are sent.

    Reminders are those of `[defaults]`.
    """
    recipients = {name: recipients_of(each) for name, each in config.channels.items() if name != strait.channel}
    if strait.tried and (channel := config.channels.get(strait.channel)):
        recipients[strait.channel] = tuple(each for each in recipients_of(channel) if each not in strait.tried)
    routes = dict.fromkeys(_LEVELS, tuple(name for name, each in recipients.items() if each))
    no_data = config.accounts[0].no_data
    return replace(no_data, rule=CHANNEL_FAILING, levels=_LEVELS, routes=routes, recipients=recipients)


def evaluate_failing(key: AlertKey, channel: ChannelConfig, strait: Strait, *, now: datetime) -> Evaluation:
    """What is to be said of a channel: critical where it refuses for good, warning where it is behind.

    It is over when nothing is left to be sent; while something is, and its answer is not known, that is unknown.
    """
    otherwise = False if strait.is_clear else None
    return Evaluation(
        key=key,
        holds={
            Level.WARNING: strait.is_failing or otherwise,
            Level.CRITICAL: bool(strait.refused) or otherwise,
        },
        clear=strait.is_clear or (False if strait.is_failing else None),
        reading=_reading(channel, strait, now=now) if strait.is_clear or strait.is_failing else None,
    )


def failing_text(strait: Strait, *, now: datetime) -> str:
    """How a channel fails, in one line: `ops refuses messages for good: HTTP 404 no_service`."""
    if not strait.is_failing:
        return f"{strait.channel} takes messages again"
    if strait.is_given_up:
        said = f"{strait.channel} takes no messages{_to(strait.refused)}"
    elif strait.refused:
        said = f"{strait.channel} refuses messages{_to(strait.refused)} for good"
    else:
        behind = duration_text(now - strait.oldest_at if strait.oldest_at else timedelta())
        said = f"{strait.channel} is {behind} behind{_to(strait.late, 'with messages to')}"
    return f"{said}: {strait.why}" if strait.why else said


def _to(recipients: tuple[str, ...], word: str = "to") -> str:
    first, *others = recipients
    more = f" and {len(others):,} more" if others else ""
    return f" {word} {first}{more}" if first else ""


def _reading(channel: ChannelConfig, strait: Strait, *, now: datetime) -> Reading:
    if strait.is_clear:
        return Reading(now, summary=failing_text(strait, now=now))
    waiting = "1 alert waits" if strait.alerts == 1 else f"{strait.alerts:,} alerts wait"
    return Reading(
        now, summary=failing_text(strait, now=now), description=f"{waiting} there.\n{failing_advice(channel, strait)}"
    )


def failing_advice(channel: ChannelConfig, strait: Strait) -> str:
    """What to do about a channel that fails, in one sentence."""
    test = f"`guard send-test {channel.name}`"
    if strait.is_given_up:
        return f"It is tried again every hour; see whether it can be reached by {test}: all is tried again then."
    if strait.refused:
        return f"Check {_suspects(channel)} of [channels.{channel.name}], then run {test}: all is tried again then."
    return f"It is tried again every 5 minutes at the latest; {test} says whether it can be reached."


def _suspects(channel: ChannelConfig) -> str:
    """The keys of the rule file that a refusal is mostly about."""
    match channel:
        case SlackConfig():
            return "the webhook_url"
        case SlackBotConfig():
            return "the token and the channel"
        case EmailConfig():
            return "to, from and the login"
        case WebhookConfig():
            return "the url and the secret"
        case AppriseConfig():
            return "the url"
        case TerminalConfig():
            return "the kind"
        case _ as never:
            assert_never(never)
