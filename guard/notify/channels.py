"""From a channel of the rule file to what delivers to it."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from guard.config import ChannelConfig, EmailConfig, SlackBotConfig, SlackConfig, TerminalConfig
from guard.notify.notifier import Notifier


def notifier_for(channel: ChannelConfig, *, now: Callable[[], datetime]) -> Notifier:
    """The notifier of one channel; it connects to nothing yet. `now` tells the time that is shown.

    Of slack-sdk, aiosmtplib and Rich is imported what the channel needs, so that the first poll does not wait for more.
    """
    match channel:
        case SlackConfig():
            from guard.notify.slack_webhook import SlackWebhookNotifier  # noqa: PLC0415 - see above

            return SlackWebhookNotifier(channel.webhook_url.value, mention=channel.mention)
        case SlackBotConfig():
            from guard.notify.slack_bot import SlackBotNotifier  # noqa: PLC0415 - see above

            return SlackBotNotifier(
                channel.token.value, channel=channel.channel, base_url=channel.base_url, mention=channel.mention
            )
        case EmailConfig():
            from guard.notify.mail import EmailNotifier  # noqa: PLC0415 - see above

            return EmailNotifier(
                host=channel.host,
                port=channel.port,
                security=channel.security,
                username=channel.username,
                password=channel.password.value if channel.password else "",
                sender=channel.sender,
                now=now,
            )
        case TerminalConfig():
            from guard.notify.terminal import TerminalNotifier  # noqa: PLC0415 - see above

            return TerminalNotifier(channel.name, stream=sys.stdout, now=now)
        case _:
            assert_never(channel)
