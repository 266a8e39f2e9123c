"""Brings what each channel was notified of to what it should know: plan, deliver, settle.

An attempt is written down before it is made and settled after it was answered. What a crash leaves in `sending` may
have arrived, so it is looked for where the channel can do that, and else sent again with the same key. Nothing sleeps
here: when to try again is data.
"""

from guard.outbox.channel_watch import ChannelWatch
from guard.outbox.deliver import Outbox
from guard.outbox.past import value_past
from guard.outbox.recover import Receiver, readdress, recover, revive
from guard.outbox.storm import Storm

__all__ = ["ChannelWatch", "Outbox", "Receiver", "Storm", "readdress", "recover", "revive", "value_past"]
