"""From the answer that shows a change to the Slack that is told of it, as `guard run` does it."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from tests.acceptance.exchange import Handler, reply
from tests.acceptance.server import Server
from tests.bench.answers import REMAINING, sub_ids
from tests.bench.api import PATIENCE_S, Api
from tests.bench.figure import Figure, Yardstick
from tests.bench.process import running
from tests.bench.setting import WEBHOOK, bot, environ, rule_file

_CHANGES: Final = 18
_IN_A_ROW: Final = 6  # of one account: with a fourth incident within the hour it would flap
_POSTS: Final = 100
_MANY: Final = 1_000
_APART: Final = 400  # sub-accounts between one that changes and the next: a pass has no more than three such
_CRITICAL: Final = 1  # so many numbers left are
_AIM_MS: Final = 300.0
_WEBHOOK_PATH: Final = "/services/T0/B0/path"
_BOT_CALL: Final = "/chat.postMessage"


class Slack(Server):
    """A Slack that takes everything: posts to a webhook, and the calls of a bot."""

    def __init__(self) -> None:
        super().__init__(self._take)
        self._numbers = count(1)

    @property
    def told_at_s(self) -> Sequence[float]:
        """When each message came that people would have seen come, on the monotonic clock."""
        return [each.at_s for each in self.requests if each.path.endswith((_BOT_CALL, _WEBHOOK_PATH))]

    def told_s(self, number: int) -> float:
        """Waits for the message after so many others, and gives when it came."""
        if not self.until(lambda: len(self.told_at_s) > number, PATIENCE_S):
            raise TimeoutError("nobody told Slack in time")
        return self.told_at_s[number]

    def _take(self, handler: Handler) -> None:
        said = {"ok": True, "channel": "C0123456789", "ts": f"1700000000.{next(self._numbers):06}"}
        reply(200, json.dumps(said).encode() if "chat." in handler.path else b"ok")(handler)


def measure() -> Iterator[Figure]:
    """The figures of a webhook, of a bot, and of a webhook for one of many sub-accounts."""
    yield from _figures("change to Slack, webhook")
    yield from _figures("change to Slack, bot", is_bot=True)
    yield from _figures(f"change to Slack, one of {_MANY:,}", sub_accounts=_MANY)


def _figures(what: str, *, is_bot: bool = False, sub_accounts: int = 0) -> Iterator[Figure]:
    took: list[float] = []
    in_a_row = _CHANGES if sub_accounts else _IN_A_ROW
    for _ in range(_CHANGES // in_a_row):
        with TemporaryDirectory() as name, Api(sub_accounts) as api, Slack() as slack:
            every, account = ("5s", 'sub_accounts = "all"') if sub_accounts else ("1s", "")
            channel = bot(slack.url) if is_bot else WEBHOOK
            rules = rule_file(api=api.url, every=every, account=account, channel=channel)
            took += _told(api, slack, environ(Path(name), rules, slack=slack.url), sub_accounts, changes=in_a_row)
            yardstick = Yardstick("a bare POST to the same", 1000 * _posted_s(slack))
    worst = f"worst of {len(took)} {1000 * max(took):.1f}"
    yield Figure(what, 1000 * median(took), "ms", yardstick, beside=worst, at_most=_AIM_MS)


def _told(api: Api, slack: Slack, environment: dict[str, str], sub_accounts: int, *, changes: int) -> list[float]:
    """How long each of many changes took, from the answer on."""
    api.will_be_asked(sub_accounts + 2)
    with running(environment):
        api.reported_s()  # the first polls are over, and all that they had to import
        return [_told_s(api, slack, sub_id=sub_id, remaining=left) for sub_id, left in _changes(sub_accounts, changes)]


def _changes(sub_accounts: int, changes: int) -> Iterator[tuple[str, int]]:
    """Who changes, and to what: each account runs out of numbers, and recovers the next time."""
    ids = sub_ids(sub_accounts) or [""]
    turns: Counter[str] = Counter()
    for number in range(changes):
        sub_id = ids[number * _APART % len(ids)]
        turns[sub_id] += 1
        yield sub_id, _CRITICAL if turns[sub_id] % 2 else REMAINING


def _told_s(api: Api, slack: Slack, *, sub_id: str, remaining: int) -> float:
    told = len(slack.told_at_s)
    api.shows(remaining, sub_id=sub_id)
    shown_s = api.reported_s()
    return slack.told_s(told) - shown_s


def _posted_s(slack: Slack) -> float:
    """How long a bare POST takes from its beginning until Slack has it, on a connection of its own."""
    took = []
    for _ in range(_POSTS):
        told, before_s = len(slack.told_at_s), time.monotonic()
        connection = HTTPConnection(urlsplit(slack.url).netloc)
        connection.request("POST", _WEBHOOK_PATH, b"{}")
        connection.getresponse().read()
        connection.close()
        took.append(slack.told_s(told) - before_s)
    return median(took)
