"""Connections that are slow, cut, reset or silent, to the API, to Slack and to the mail server: nothing is lost.

Behind each harm stands one more crossing. It is told through the harm or after it, and a copy comes only where the
other side may have taken what it never answered; a bot finds what it posted and makes none.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.post_office import PostOffice
from tests.acceptance.proxy import CUT_WHILE_ANSWERING, CUT_WHILE_ASKING, SLOW, SWALLOWED, Harm, Proxy
from tests.acceptance.rule_file import BOT, MAIL, ONE_SLACK, rule_file
from tests.acceptance.slack import PATH, Slack
from tests.acceptance.workspace import NAME, Workspace

TWICE: Final = 2
LONG_S: Final = 60.0  # a swallowed mail is waited for 45 s

Harms = tuple[Harm, ...]
EACH: Final = pytest.mark.parametrize(
    "harms",
    [SLOW, CUT_WHILE_ASKING, CUT_WHILE_ANSWERING, SWALLOWED],
    ids=["slow", "cut while asking", "cut while answering", "swallowed"],
)


def _rules(times: int) -> str:
    """As many rules as there will be crossings, each of which fires once and goes on."""
    return "\n".join(
        f'[rules.step-{step}]\nvalue = "stats.messagesLast24h"\nwarning = "> {1_000 * step}"\n'
        for step in range(1, times + 1)
    )


def _cross(api: AgentPhone, step: int) -> None:
    api.say(messagesLast24h=1_000 * step + 500)


@EACH
def test_an_api_behind_bad_connections_fires_nothing_resolves_nothing_and_hides_nothing(
    home: Home, api: AgentPhone, slack: Slack, harms: Harms
) -> None:
    with Proxy(_port(api.url)) as proxy:
        home.write(rule_file(f"http://127.0.0.1:{proxy.port}", _rules(len(harms)), account='no_data_after = "5m"'))
        with home.run() as service:
            api.until_answered()
            for step, harm in enumerate(harms, 1):
                _cross(api, step)
                proxy.harm(harm, 1)
                assert proxy.until_harmed(LONG_S), harm.name
                slack.until_shown(*["warning"] * step, within_s=LONG_S)
            api.until_given(2)
            assert slack.marks == ["warning"] * len(harms)
            assert service.end(within_s=10) == 0


@EACH
def test_a_webhook_behind_bad_connections_loses_nothing_and_copies_only_what_was_not_answered(
    home: Home, api: AgentPhone, slack: Slack, harms: Harms
) -> None:
    with Proxy(_port(slack.url)) as proxy:
        home.environ["SLACK_WEBHOOK_URL"] = f"http://127.0.0.1:{proxy.port}{PATH}"
        home.write(rule_file(api.url, _rules(len(harms)), channels=ONE_SLACK))
        _tell_all(home, api, proxy, harms, lambda: slack.keys, copies=1)


@EACH
def test_a_bot_behind_bad_connections_loses_nothing_and_copies_nothing(
    home: Home, api: AgentPhone, workspace: Workspace, harms: Harms
) -> None:
    with Proxy(_port(workspace.url)) as proxy:
        channels = BOT % (NAME, f"http://127.0.0.1:{proxy.port}/api/") + '[defaults]\nnotify = ["ops"]\n'
        home.write(rule_file(api.url, _rules(len(harms)), channels=channels))
        _tell_all(home, api, proxy, harms, lambda: [each.key for each in workspace.messages], copies=0)


@EACH
def test_a_mail_server_behind_bad_connections_loses_nothing_and_copies_only_what_was_not_answered(
    home: Home, api: AgentPhone, office: PostOffice, harms: Harms
) -> None:
    with Proxy(office.port) as proxy:
        channels = MAIL % proxy.port + '[defaults]\nnotify = ["mail"]\n'
        home.write(rule_file(api.url, _rules(len(harms)), channels=channels))
        _tell_all(
            home, api, proxy, harms, lambda: [f"{each.recipient} {each.id}" for each in office.mails], copies=1, whom=2
        )


def _tell_all(
    home: Home,
    api: AgentPhone,
    proxy: Proxy,
    harms: Harms,
    keys: Callable[[], Sequence[str]],
    *,
    copies: int,
    whom: int = 1,
) -> None:
    """Has one crossing after another told through a harm; `keys` are those of the messages that arrived.

    `whom` people are told, and `copies` is how many may come of one connection that was harmed after the message.
    """
    with home.run() as service:
        api.until_answered()
        for step, harm in enumerate(harms, 1):
            before, times = len(keys()), 1 if harm.is_silent else TWICE
            proxy.harm(harm, times)
            _cross(api, step)
            # Some are told with one connection, and then the next one is harmed for the next step.
            assert _until(partial(_is_told, home, keys, step * whom)), (harm.name, service.log.text[-3_000:])
            more = len(keys()) - before - whom
            assert more <= (times * copies if harm.may_arrive else 0), (harm.name, Counter(keys()))
            proxy.harm(harm, 0)
        assert service.end(within_s=10) == 0


def _is_told(home: Home, keys: Callable[[], Sequence[str]], wanted: int) -> bool:
    """Whether so many messages arrived, and the guard knows it."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True, timeout=5)) as database:
        (waiting,) = database.execute(
            "SELECT (SELECT count(*) FROM delivery WHERE state != 'sent')"
            " + (SELECT count(*) FROM notification WHERE waiting)"
        ).fetchone()
    return waiting == 0 and len(set(keys())) == wanted


def _until(holds: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(holds() or pause.wait(0.1) for _ in range(int(LONG_S * 10)))


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
