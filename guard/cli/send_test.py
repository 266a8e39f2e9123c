"""`guard send-test`: one message to one channel."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never
from uuid import uuid4

import typer

from guard.cli.options import RulesOption
from guard.cli.output import say, warn
from guard.cli.rule_file import usable
from guard.errors import ConfigError, ExitCode, GuardError, StorageError, UsageError
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

    The message says that it is a test. When the channel takes it, messages
    that it refused for good before are tried again.
    """
    settings = Settings.from_environ(os.environ)
    path = rules or settings.rules
    for recipient, outcome in asyncio.run(_send(_channel(path, channel))):
        say(_sentence(outcome, f"{channel} ({recipient})" if recipient else channel))
    try:
        revived = _revive(settings.database, channel)
    except StorageError as error:  # the channel works, which was the question
        warn(f"what it refused before is not tried again now: {error}")
        return ExitCode.DONE
    if revived:
        say(f"Messages that it refused before and that are tried again now: {revived}.")
    return ExitCode.DONE


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


async def _send(channel: "ChannelConfig") -> "list[tuple[str, Outcome]]":
    """Sends to each recipient of the channel: those who got it first, then the others."""
    from guard.clock import Clock
    from guard.config import recipients_of
    from guard.message import trial
    from guard.notify.channels import notifier_for
    from guard.notify.notifier import Post, Sent

    clock = Clock()
    notifier = notifier_for(channel, now=clock.now)
    message = trial(channel.name, now=clock.now())
    try:
        done = [
            (recipient, await notifier.deliver(Post(message, recipient), key=uuid4().hex))
            for recipient in recipients_of(channel)
        ]
    finally:
        await notifier.close()
    return sorted(done, key=lambda each: not isinstance(each[1], Sent))


def _sentence(outcome: "Outcome", channel: str) -> str:
    """What became of the message; raises GuardError, with what to do, unless it was accepted."""
    from guard.notify.notifier import Gone, Rejected, Retry, Sent, Unsure

    match outcome:
        case Sent():
            return f"{channel} took the message."
        case Rejected(why) | Gone(why):
            raise GuardError(f"{channel} refused the message: {why}\nMend its address or the channel, and try again.")
        case Retry(why):
            raise GuardError(f"{channel} did not take the message now: {why}\nTry again in a while; the service would.")
        case Unsure(why):
            raise GuardError(f"{channel} may have taken the message, or not: {why}\nLook whether it is there.")
        case _ as never:  # pragma: no cover - every outcome has its case
            assert_never(never)


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
