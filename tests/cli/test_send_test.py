import asyncio
import errno
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.errors import ExitCode
from guard.model import Cover, DeliveryState
from guard.store import Reader
from tests.builders import KEY, NOW, delivery, knowledge
from tests.cli.conftest import RULES, Done, Fill, Run
from tests.cli.process import script
from tests.stand_ins.mail import PASSWORD, MailStandIn, OddMailServer
from tests.stand_ins.slack import SECRETS, Answer, Drop, SlackStandIn
from tests.stand_ins.workspace import Fault, Workspace
from tests.stand_ins.workspace_state import TOKEN


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
See whether the webhook of SLACK_WEBHOOK_URL is still there, or make a new one, then try again.
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


# --- email, and a bot ----------------------------------------------------------------------------------------------


def mail(port: int, *to: str, login: str = "") -> str:
    lines = f'host = "localhost"\nport = {port}\nsecurity = "none"\nfrom = "guard@example.com"\n{login}'
    return f'[channels.mail]\nkind = "email"\n{lines}to = {json.dumps(to)}\n'


def bot(api_url: str) -> str:
    lines = f'token = "${{SLACK_BOT_TOKEN}}"\nchannel = "#ops"\nbase_url = "{api_url}"\n'
    return f'[channels.bot]\nkind = "slack"\n{lines}'


@pytest.fixture
def add(rules: Path) -> Callable[[str], None]:
    """Adds the table of a channel to the rule file."""

    def added(table: str) -> None:
        rules.write_text(f"{RULES}\n{table}")

    return added


async def test_by_email_each_recipient_gets_one_and_is_named(guard: Run, add: Callable[[str], None]) -> None:
    async with MailStandIn() as server:
        add(mail(server.port, "ana@example.com", "bo@example.com"))
        done = await send(guard, "mail")
    assert done == Done(
        0,
        snapshot("""\
mail (ana@example.com) took the message.
mail (bo@example.com) took the message.
"""),
        "",
    )
    assert [each.recipients for each in server.received] == [("ana@example.com",), ("bo@example.com",)]
    assert all(each.mail["Subject"].startswith("[test] mail: this channel works") for each in server.received)


async def test_one_recipient_who_is_refused_keeps_nobody_else_from_it(
    guard: Run, add: Callable[[str], None], store_of_a_dead_delivery: Path
) -> None:
    refusals = {"ana@example.com": ["550 no such user"], "cy@example.com": ["450 later"]}
    async with MailStandIn(refusals=refusals) as server:
        add(mail(server.port, "ana@example.com", "bo@example.com", "cy@example.com"))
        done = await send(guard, "mail")
    assert done.code == ExitCode.UNPLANNED
    assert done.out == snapshot("""\
mail (bo@example.com) took the message.
Messages that it refused before and that are tried again now: 1.
""")
    assert done.err == snapshot("""\
guard: error: mail (ana@example.com) refused the message: the mail server refused the recipient: 550 no such user
See whether `to`, `from` and `host` are right, and whether the server wants a login, then try again.
guard: error: mail (cy@example.com) did not take the message now: the mail server put off the recipient: 450 later
Try again in a while; the service would.
""")
    with Reader.open(store_of_a_dead_delivery) as reader:
        assert {each.channel: each.settled_at for each in reader.deliveries()} == {"ops": NOW, "mail": None}


async def test_a_login_that_is_refused_names_its_variable(
    guard: Run, add: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    async with OddMailServer({"AUTH": b"535 no\r\n"}) as server:
        add(mail(server.port, "ana@example.com", login='username = "guard"\npassword = "${SMTP_PASSWORD}"\n'))
        done = await send(guard, "mail")
    assert (done.code, done.out) == (ExitCode.UNPLANNED, "")
    assert done.err == snapshot("""\
guard: error: mail (ana@example.com) refused the message: the mail server refused the login: 535 no
See whether `to`, `from`, `host`, `username` and SMTP_PASSWORD are right, then try again.
""")


async def test_a_bot_posts_where_it_is_a_member(
    guard: Run, add: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    with Workspace() as workspace:
        add(bot(workspace.api_url))
        assert await send(guard, "bot") == Done(0, "bot took the message.\n", "")
    assert [mark.partition("]")[0] for mark, _ in workspace.story()] == ["[test"]


async def test_a_bot_that_is_not_invited_is_told_how_to_be(
    guard: Run, add: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    with Workspace() as workspace:
        workspace.fail("chat.postMessage", Fault("not_in_channel"))
        add(bot(workspace.api_url))
        done = await send(guard, "bot")
    assert (done.code, done.out) == (ExitCode.UNPLANNED, "")
    assert done.err == snapshot("""\
guard: error: bot refused the message: Slack answered not_in_channel: invite the bot: write /invite and its name in #ops
See whether SLACK_BOT_TOKEN is right, the app has its scopes and is in #ops, then try again.
""")


SILENCE = """
import socket, sys, threading
from datetime import timedelta
from guard.__main__ import main
from guard.notify.slack_webhook import SlackWebhookNotifier
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()  # a name server that is silent for ever
SlackWebhookNotifier.__init__.__kwdefaults__["deadline"] = timedelta(seconds=0.2)
sys.exit(main(["send-test", "ops"]))
"""


async def test_a_name_that_is_looked_up_for_ever_does_not_hold_up_the_end(rules: Path) -> None:
    async with script(SILENCE) as process:
        assert await process.end() == ExitCode.UNPLANNED
    assert process.text == snapshot("""\
guard: error: ops did not take the message now: no connection within 0 s
Try again in a while; the service would.
""")


# --- the channel's name --------------------------------------------------------------------------------------------


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
