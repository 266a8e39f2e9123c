"""What the API said, or that it did not: answers, failures, and the snapshot that is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a poll gave no good answer; a stable word for logs, tables and tests."""

    UNREACHABLE = "unreachable"  # refused, DNS, TLS, reset, cut short
    TIMEOUT = "timeout"  # the total deadline passed
    UNAUTHORIZED = "unauthorized"  # 401: the key is refused
    FORBIDDEN = "forbidden"  # 403: the key is good, but not for this account
    RATE_LIMITED = "rate_limited"  # 429
    SERVER = "server"  # 5xx
    REFUSED = "refused"  # 404, 422, a redirect and every other status that is no answer
    NOT_USAGE = "not_usage"  # 200, but not what the usage API says
    TOO_LARGE = "too_large"  # more than 1 MiB, or a number or nesting that no usage answer has
    STALE = "stale"  # a report older than the account's stale_after


@dataclass(frozen=True, slots=True)
class Failure:
    """A poll that gave no good answer; `text` is clean, for people, and holds no secret."""

    kind: FailureKind
    text: str
    retry_after: timedelta | None = None  # how long the API asked to be left alone, already within bounds


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer of one endpoint: its JSON object, and the same as text for the store."""

    payload: Mapping[str, object]
    text: str
    server_at: datetime | None = None  # the answer's own Date header, against which report ages are measured


class Endpoint(StrEnum):
    """One path of the usage API; the value is how the store and logs name it."""

    USAGE = "usage"  # /v1/usage, in every cycle; the others only where a rule reads what they say
    DAILY = "daily"  # /v1/usage/daily
    BY_NUMBER = "by-number"  # /v1/usage/by-number
    BY_AGENT = "by-agent"  # /v1/usage/by-agent of the month
    WEBHOOKS = "webhooks"  # /v1/webhooks/deliveries/stats of the last hour


class Each(StrEnum):
    """What a rule can have one alert for each of; the value is the first part of its fields' names."""

    NUMBER = "number"
    AGENT = "agent"


Fields = Mapping[str, float | str]
"""By dotted names, e.g. "numbers.remaining"; numbers are finite."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one account had used at one moment. A field that is missing or makes no sense is absent from `values`."""

    account: str
    at: datetime
    values: Fields
    age: timedelta = timedelta()  # how old the report was when it was answered
    period_start_at: datetime | None = None
    subjects: Mapping[Each, Mapping[str, Fields]] = field(default_factory=dict)
    """By id, all that the last good listing showed, with `number.*` or `agent.*`; a kind is absent where none is."""
    fresh: frozenset[Endpoint] = frozenset({Endpoint.USAGE})  # whose answer is of this very cycle
