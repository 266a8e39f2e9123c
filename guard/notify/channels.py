"""From a channel of the rule file to what delivers to it."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from guard.config import ChannelConfig, SlackConfig, TerminalConfig
from guard.notify.notifier import Notifier
from guard.notify.slack import SlackNotifier
from guard.notify.terminal import TerminalNotifier


def notifier_for(channel: ChannelConfig, *, now: Callable[[], datetime]) -> Notifier:
    """The notifier of one channel; it connects to nothing yet. `now` tells the time that is shown."""
    match channel:
        case SlackConfig():
            return SlackNotifier(channel.webhook_url.value, mention=channel.mention)
        case TerminalConfig():
            return TerminalNotifier(channel.name, stream=sys.stdout, now=now)
        case _:
            assert_never(channel)
