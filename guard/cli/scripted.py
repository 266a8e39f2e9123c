"""A scenario through the decisions without HTTP: what the sandbox answers, as the client would read it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, assert_never

from guard.agentphone.reply import read_answer, read_refusal, read_rows, read_stats
from guard.config import AccountConfig
from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.payload import Part, joined, part, snapshot
from guard.replay import Cycle, Replay, Seen
from guard.sandbox.account import MASTER
from guard.sandbox.answers import document, faulty, refusal
from guard.sandbox.fields import DELIVERIES, USAGE
from guard.sandbox.playing import Playing, UnknownAccountError
from guard.sandbox.query import Query
from guard.sandbox.scenario import Body, Fault, Kind, Scenario
from guard.siblings import is_due, needed
from guard.store import Poll

START: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""When a scenario starts that does not say: a Monday, the first of a month; always the same, so that a test is."""

_KEY: Final = "key-of-no-account"
_OK: Final = 200


class _Reads(Protocol):
    def __call__(self, headers: Mapping[str, str], body: bytes, /, *, key: str) -> Answer | Failure: ...


_PATHS: Final[Mapping[Endpoint, tuple[str, tuple[tuple[str, str], ...], _Reads]]] = {
    Endpoint.USAGE: (USAGE, (), read_answer),
    Endpoint.DAILY: ("/v1/usage/daily", (("days", "60"),), read_rows),
    Endpoint.BY_NUMBER: ("/v1/usage/by-number", (), read_rows),
    Endpoint.BY_AGENT: ("/v1/usage/by-agent", (("period", "month"),), read_rows),
    Endpoint.WEBHOOKS: (DELIVERIES, (("hours", "1"),), read_stats),
}
"""What is asked of each endpoint, and how its answer is read."""


def at_pace(account: AccountConfig, scenario: Scenario) -> AccountConfig:
    """The account asked once an interval of the scenario."""
    every = scenario.interval
    return replace(account, every=every, no_data_after=max(account.no_data_after, 3 * every))


def scripted(replay: Replay, scenario: Scenario, *, cycles: int) -> Iterator[Cycle]:
    """So many cycles of a scenario, one an interval; the replay's account is `at_pace`."""
    api = _Api(replay.config, Playing(scenario, starts_at=scenario.start or START))
    for number in range(cycles):
        now = api.playing.starts_at + number * scenario.interval
        yield replay.cycle(api.seen(now) if replay.may_ask(now) else None, now=now)


class _Api:
    """The pretend API, as the client would understand it; siblings are asked when the service would."""

    def __init__(self, config: AccountConfig, playing: Playing) -> None:
        self.playing = playing
        self._config = config
        self._needed = needed(config.rules)
        self._polls: dict[Endpoint, Poll] = {}
        self._parts: dict[Endpoint, Part] = {}

    def seen(self, now: datetime) -> Seen:
        outcome = self._outcome(Endpoint.USAGE, now)
        if isinstance(outcome, Failure):
            return outcome
        for endpoint in self._needed:
            if is_due(self._polls.get(endpoint), self._parts.get(endpoint), at=now):
                self._ask(endpoint, now)
        usage = snapshot(outcome, account=self._config.name, at=now)
        return joined(usage, self._parts.values(), stale_after=self._config.stale_after)

    def _ask(self, endpoint: Endpoint, now: datetime) -> None:
        outcome = self._outcome(endpoint, now)
        self._polls[endpoint] = Poll(self._config.name, now, outcome, endpoint)
        if isinstance(outcome, Answer):
            self._parts[endpoint] = part(endpoint, outcome, at=now)

    def _outcome(self, endpoint: Endpoint, now: datetime) -> Answer | Failure:
        account, elapsed = self._config.sub_id or MASTER, now - self.playing.starts_at
        path, query, read = _PATHS[endpoint]
        whole = partial(self.playing.body, path, Query(query), elapsed=elapsed, account=account)
        fault = self.playing.fault(path, elapsed=elapsed, account=account)
        if fault is not None and (broken := _broken(fault)):
            return broken
        try:
            response = document(whole()) if fault is None else faulty(fault, whole=whole)
        except UnknownAccountError:
            response = refusal(404, detail="There is no such sub-account.")
        body = response.body if isinstance(response.body, bytes) else b""
        if response.status == _OK:
            return read(response.headers, body, key=_KEY)
        of = f"sub-account {account}" if account else ""
        return read_refusal(response.status, response.headers, body, key=_KEY, now=now, of=of)


def _broken(fault: Fault) -> Failure | None:
    """The failure of a fault that gives no whole answer."""
    match fault.kind:
        case Kind.HANG:
            return Failure(FailureKind.TIMEOUT, "api.agentphone.ai gave no whole answer within 20 s")
        case Kind.RESET:
            return Failure(FailureKind.UNREACHABLE, "api.agentphone.ai closed the connection without an answer")
        case Kind.ANSWER:
            cut = fault.body is Body.TRUNCATED
            return Failure(FailureKind.UNREACHABLE, "the answer was cut short") if cut else None
        case _ as never:  # pragma: no cover - every kind has its case
            assert_never(never)
