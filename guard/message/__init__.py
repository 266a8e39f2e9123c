"""What people read: tellings in words and numbers, once for all channels; pure."""

from guard.message.composition import compose
from guard.message.link import alert_url, first_url
from guard.message.message import Fact, Firing, Line, Message, store_failing, store_recovered, trial
from guard.message.text import listed, one_line, shortened

__all__ = [
    "Fact",
    "Firing",
    "Line",
    "Message",
    "alert_url",
    "compose",
    "first_url",
    "listed",
    "one_line",
    "shortened",
    "store_failing",
    "store_recovered",
    "trial",
]
