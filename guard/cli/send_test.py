"""`guard send-test`: one message to one channel."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never
from uuid import uuid4

import typer

from guard.cli.loop import end_of
from guard.cli.options import RulesOption
from guard.cli.output import complain, say, warn
from guard.cli.rule_file import usable
from guard.errors import ConfigError, ExitCode, StorageError, UsageError
from guard.settings import Settings

if TYPE_CHECKING:
    from guard.config import ChannelConfig
    from guard.notify.notifier import Outcome
    from guard.store import Unit


def send_test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Its name in the rule file.")],
    rules: RulesOption = None,
) -> ExitCode:
    """Send a test message to a channel.

    The message says that it is a test. By email each recipient gets one. When
    the channel takes it, messages that it refused for good before are tried
    again.
    """
    settings = Settings.from_environ(os.environ)
    return end_of(_test(_channel(rules or settings.rules, channel), settings))


def _channel(path: Path, name: str) -> "ChannelConfig":
    from guard.config import secrets_of
    from guard.rules.complaint import hint

    config = usable(path)
    if name not in config.channels:
        known = hint(name, config.channels) or f"; there is {', '.join(config.channels)}"
        raise UsageError(f"{path} has no channel {name!r}{known}")
    found = config.channels[name]
    for secret in secrets_of(found):
        if not secret.value:
            raise ConfigError(f"{path}: {name} needs {secret.variable}; set it in the environment")
    return found


async def _test(channel: "ChannelConfig", settings: Settings) -> ExitCode:
    """Sends to one recipient of the channel after the other; 70 unless all took it."""
    from guard.clock import Clock
    from guard.config import recipients_of
    from guard.message import trial
    from guard.notify.channels import notifier_for
    from guard.notify.notifier import Post

    clock = Clock()
    notifier = notifier_for(channel, now=clock.now)
    message = trial(channel.name, now=clock.now(), console_url=settings.console_url)
    try:
        taken = [
            _is_taken(await notifier.deliver(Post(message, each), key=uuid4().hex), channel, each)
            for each in recipients_of(channel)
        ]
    finally:
        await notifier.close()
    if any(taken):
        _try_again(settings.database, channel.name)
    return ExitCode.DONE if all(taken) else ExitCode.UNPLANNED


def _is_taken(outcome: "Outcome", channel: "ChannelConfig", recipient: str) -> bool:
    """Says what became of the message, and what to do unless it was accepted."""
    from guard.notify.notifier import Gone, Rejected, Retry, Sent, Unsure

    whom = f"{channel.name} ({recipient})" if recipient else channel.name
    match outcome:
        case Sent():
            say(f"{whom} took the message.")
        case Rejected(why) | Gone(why):
            complain(f"{whom} refused the message: {why}\n{_mend(channel)}, then try again.")
        case Retry(why):
            complain(f"{whom} did not take the message now: {why}\nTry again in a while; the service would.")
        case Unsure(why):
            complain(f"{whom} may have taken the message, or not: {why}\nLook whether it is there.")
        case _ as never:  # pragma: no cover - every outcome has its case
            assert_never(never)
    return isinstance(outcome, Sent)


def _mend(channel: "ChannelConfig") -> str:
    from guard.config import AppriseConfig, EmailConfig, SlackBotConfig, SlackConfig, TerminalConfig, WebhookConfig

    match channel:
        case SlackConfig():
            see = f"the webhook of {channel.webhook_url.variable} is still there, or make a new one"
        case SlackBotConfig():
            see = f"{channel.token.variable} is right, the app has its scopes and is in {channel.channel}"
        case EmailConfig(password=password):
            secret = f"`to`, `from`, `host`, `username` and {password.variable} are right" if password else ""
            see = secret or "`to`, `from` and `host` are right, and whether the server wants a login"
        case WebhookConfig():
            see = f"{channel.url.variable} is right and takes a POST, and {channel.secret.variable} is the receiver's"
        case AppriseConfig():
            see = f"{channel.url.variable} is right, and what it names is still there"
        case TerminalConfig():  # pragma: no cover - it refuses nothing
            see = "there is a terminal"
        case _ as never:  # pragma: no cover - every kind has its case
            assert_never(never)
    return f"See whether {see}"


def _try_again(database: str, channel: str) -> None:
    """Has what the channel refused for good tried again by the service, and says so."""
    try:
        revived = _revive(database, channel)
    except StorageError as error:  # the channel works, which was the question
        warn(f"what it refused before is not tried again now: {error}")
        return
    if revived:
        say(f"Messages that it refused before and that are tried again now: {revived:,}.")


def _revive(database: str, channel: str) -> int:
    """Has the channel's dead deliveries tried again; how many there were. Without a database there are none.

    Raises StorageError where that cannot be found out, or the database cannot be written.
    """
    from guard.model import DeliveryState
    from guard.outbox import revive
    from guard.store.faults import file_faults
    from guard.store.location import database_path
    from guard.store.outside import write_outside

    def work(unit: "Unit") -> int:
        dead = unit.deliveries(channel=channel, states=(DeliveryState.DEAD,))
        revive(unit, channel)
        return len(dead)

    path = database_path(database)
    with file_faults(path):
        is_there = path.exists()
    return write_outside(path, work) if is_there else 0
