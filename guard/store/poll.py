"""One time that an endpoint was asked, as it is remembered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from guard.model import Answer, Endpoint, Failure


@dataclass(frozen=True, slots=True)
class Poll:
    """What became of one request."""

    account: str
    at: datetime
    outcome: Answer | Failure
    endpoint: Endpoint = Endpoint.USAGE
    age: timedelta = timedelta()  # how old the report was when it was answered
