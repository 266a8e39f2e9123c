"""The token of a bot and the password of a mail server show nowhere, even if every server repeats them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import pytest

from guard.errors import ExitCode
from guard.sandbox.server import Sandbox
from tests.cli.conftest import KEY, RULES, Run
from tests.cli.process import command
from tests.stand_ins.mail import PASSWORD, USERNAME, OddMailServer
from tests.stand_ins.slack import Answer, SlackStandIn
from tests.stand_ins.workspace_state import TOKEN

PLAIN = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()  # as AUTH PLAIN sends them
CANARIES = (TOKEN, "s3cretTokenOfTheBot", PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), PLAIN, KEY)
REPEATED = (
    Answer(200, json.dumps({"ok": False, "error": TOKEN})),
    Answer(200, json.dumps({"ok": False, "error": f"no_such_token_{TOKEN.lower()}"})),
    Answer(404, TOKEN),
    Answer(500, f"<html>{TOKEN}</html>", {"X-Echo": TOKEN}),
    Answer(302, TOKEN, {"Location": f"https://example.invalid/{TOKEN}"}),
)
CHANNELS = """\
[channels.ops]
kind = "slack"
token = "${SLACK_BOT_TOKEN}"
channel = "C0OPS0000"
base_url = "API_URL"

[channels.mail]
kind = "email"
host = "localhost"
port = PORT
security = "none"
username = "guard"
password = "${SMTP_PASSWORD}"
from = "guard@example.com"
to = ["ana@example.com", "bo@example.com"]

[defaults]
notify = ["ops", "mail"]
"""


@dataclass(frozen=True)
class Others:
    """Those that repeat what they are told."""

    sandbox: Sandbox
    slack: SlackStandIn
    mail: OddMailServer


@pytest.fixture
def write(rules: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the rule file, with the addresses of those that it leads to."""
    account, _, rest = RULES.partition("[channels.ops]")
    text = account + CHANNELS + rest[rest.index("\n[rules") :]
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)

    def write(
        *, api: str = "https://agentphone.invalid", slack: str = "https://slack.invalid/", port: int = 25
    ) -> None:
        here = text.replace("https://agentphone.invalid", api).replace("API_URL", slack)
        rules.write_text(here.replace("PORT", str(port)))

    return write


@pytest.fixture
async def others(write: Callable[..., None]) -> AsyncIterator[Others]:
    """A Slack and a mail server that refuse all, in the rule file that is looked for."""
    mail = OddMailServer({"AUTH": b"535 never\r\n"}, echoes=True)
    async with Sandbox(scenario="steady", key=KEY) as sandbox, SlackStandIn() as slack, mail:
        write(api=sandbox.base_url, slack=slack.api_url, port=mail.port)
        yield Others(sandbox, slack, mail)


def assert_silent(*texts: str) -> None:
    """Nothing that was printed, and no byte that was stored, holds a secret."""
    stored = [path.read_bytes().decode(errors="replace") for path in Path().glob("guard.db*")]
    assert not [canary for canary in CANARIES for text in (*texts, *stored) if canary in text]


async def test_no_command_shows_a_token_or_a_password(guard: Run, others: Others) -> None:
    others.sandbox.set({"numbers.remaining": 1})
    others.slack.script.extend(REPEATED)
    printed = []
    for words in (["check"], ["check", "--format", "json"], ["once"], ["status"], ["status", "--format", "json"]):
        done = await asyncio.to_thread(guard, *words)
        assert done.code == (ExitCode.CRITICAL if words == ["once"] else 0), done.err
        printed += [done.out, done.err]
    assert '"call": "post"' in printed[-2]
    for name in ("mail", *["ops"] * len(REPEATED)):
        done = await asyncio.to_thread(guard, "send-test", name)
        assert done.code == ExitCode.UNPLANNED
        printed += [done.out, done.err]
    assert not others.slack.script
    assert_silent(*printed)


@pytest.mark.parametrize("log", ["text", "json"])
async def test_the_service_shows_neither(others: Others, log: str) -> None:
    others.sandbox.set({"numbers.remaining": 1})
    others.slack.script.append(REPEATED[0])
    async with command("run", GUARD_LOG=log) as service:
        for _ in range(3):  # the bot's channel, and two who get mail
            await service.until("delivery.dead")
        assert await service.end(SIGTERM) == 0
    assert "repeats the login" in service.text
    assert_silent(service.text)


@pytest.mark.parametrize("words", [["check"], ["run"], ["send-test", "mail"]], ids=" ".join)
def test_what_is_written_into_the_rule_file_is_refused_and_not_repeated(
    guard: Run, write: Callable[..., None], rules: Path, words: list[str]
) -> None:
    write()
    text = rules.read_text().replace("${SLACK_BOT_TOKEN}", TOKEN).replace("${SMTP_PASSWORD}", PASSWORD)
    rules.write_text(text)
    done = guard(*words)
    assert done.code == ExitCode.CONFIG
    assert_silent(done.out, done.err)
