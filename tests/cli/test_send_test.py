import asyncio
import errno
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.errors import ExitCode
from guard.model import Cover, DeliveryState
from guard.store import Reader
from tests.builders import KEY, NOW, delivery, knowledge
from tests.cli.conftest import RULES, Done, Fill, Run
from tests.stand_ins.slack import SECRETS, Answer, Drop, SlackStandIn


@pytest.fixture
async def slack(rules: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackStandIn]:
    async with SlackStandIn() as stand_in:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", stand_in.url)
        yield stand_in


@pytest.fixture
def store_of_a_dead_delivery(fill: Fill) -> Path:
    dead = delivery(covers=(Cover(KEY, knowledge()),), state=DeliveryState.DEAD, settled_at=NOW, why="no_service")
    elsewhere = delivery(
        key="k2", channel="mail", covers=(Cover(KEY, knowledge()),), state=DeliveryState.DEAD, settled_at=NOW
    )
    fill(lambda unit: unit.save_delivery(dead))
    fill(lambda unit: unit.save_delivery(elsewhere))
    return Path("guard.db").resolve()


async def send(guard: Run, *argv: str) -> Done:
    """Runs the command in a thread, while the stand-in answers in this one."""
    return await asyncio.to_thread(guard, "send-test", *argv)


async def test_a_channel_that_works_gets_a_message_that_says_so(guard: Run, slack: SlackStandIn) -> None:
    done = await send(guard, "ops")
    assert done == Done(0, "ops took the message.\n", "")
    [post] = slack.shown
    assert post["text"].startswith("[test] ops: this channel works")


async def test_what_the_channel_refused_before_is_tried_again(
    guard: Run, slack: SlackStandIn, store_of_a_dead_delivery: Path
) -> None:
    done = await send(guard, "ops")
    assert done == Done(
        0,
        snapshot("""\
ops took the message.
Messages that it refused before and that are tried again now: 1.
"""),
        "",
    )
    with Reader.open(store_of_a_dead_delivery) as reader:
        assert {each.channel: each.settled_at for each in reader.deliveries()} == {"ops": None, "mail": NOW}


async def test_a_database_that_cannot_be_looked_for_does_not_hide_that_the_channel_works(
    guard: Run, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(path: Path) -> bool:  # as in a directory that this user must not enter; root may enter all
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", hidden)
    done = await send(guard, "ops")
    assert (done.code, done.out) == (0, "ops took the message.\n")
    assert re.fullmatch(
        r"guard: warning: what it refused before is not tried again now: /.*/guard\.db .* Permission denied\n", done.err
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            Answer(404, "no_service"),
            snapshot("""\
guard: error: ops refused the message: Slack answered 404 no_service
Mend its address or the channel, and try again.
"""),
        ),
        (
            Answer(503, "<html>"),
            snapshot("""\
guard: error: ops did not take the message now: Slack answered 503
Try again in a while; the service would.
"""),
        ),
        (
            Drop(after_reading=True),
            snapshot("""\
guard: error: ops may have taken the message, or not: the connection broke off before an answer: ServerDisconnectedError
Look whether it is there.
"""),
        ),
    ],
    ids=["rejected", "retry", "unsure"],
)
async def test_a_channel_that_does_not_work_is_explained(
    guard: Run, slack: SlackStandIn, store_of_a_dead_delivery: Path, step: Answer | Drop, said: str
) -> None:
    slack.script.append(step)
    done = await send(guard, "ops")
    assert (done.code, done.out) == (ExitCode.UNPLANNED, "")
    assert done.err == said
    assert not any(secret in done.err for secret in SECRETS)
    with Reader.open(store_of_a_dead_delivery) as reader:
        assert all(each.settled_at == NOW for each in reader.deliveries())


def test_the_terminal_is_a_channel_too(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('kind = "slack"\nwebhook_url = "${SLACK_WEBHOOK_URL}"', 'kind = "terminal"'))
    done = guard("send-test", "ops", "--rules", str(rules))
    assert done.code == 0
    assert "test · ops\n" in done.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("opss", snapshot("guard: error: rules.toml has no channel 'opss', did you mean 'ops'?\n")),
        ("nothing-like-it", snapshot("guard: error: rules.toml has no channel 'nothing-like-it'; there is ops\n")),
    ],
)
def test_a_channel_that_is_not_there_is_a_wrong_word(guard: Run, rules: Path, name: str, said: str) -> None:
    done = guard("send-test", name)
    assert (done.code, done.out, done.err) == (ExitCode.USAGE, "", said)


def test_only_the_variables_of_the_channel_are_needed(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    done = guard("send-test", "ops")
    assert (done.code, done.out) == (ExitCode.CONFIG, "")
    assert done.err == snapshot("guard: error: rules.toml: ops needs SLACK_WEBHOOK_URL; set it in the environment\n")
