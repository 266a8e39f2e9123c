"""No secret shows: in no log, no output, no byte of the database, no argument list."""

import base64
import json
from pathlib import Path

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import Answer, Handler, document, reply, reset
from tests.acceptance.home import KEY, Home
from tests.acceptance.post_office import PostOffice
from tests.acceptance.rule_file import BOT, LOGIN, MAIL, rule_file
from tests.acceptance.server import Server
from tests.acceptance.slack import PATH, Slack
from tests.acceptance.workspace import NAME, TOKEN, Workspace

HEARTBEAT_PATH = "/ping/canary-heartbeat-token-5678"
PASSWORD = "canary-pass-word-24680"
CANARIES = (KEY, *PATH.split("/")[2:], HEARTBEAT_PATH.rpartition("/")[2])


def test_no_secret_shows_anywhere_even_if_every_server_repeats_it(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url, account='no_data_after = "1s"'))
    with Server(_echo(503)) as heartbeat:
        home.environ["GUARD_HEARTBEAT_URL"] = heartbeat.url + HEARTBEAT_PATH
        with home.run(GUARD_LOG="text") as service:
            _live_through_faults(api, slack, heartbeat)
            printed = [Path(f"/proc/{service.process.pid}/cmdline").read_text(encoding="utf-8"), *_all_commands(home)]
            assert service.end() == 0
        slack.answer = _echo(404)
        api.say(5)
        with home.run(GUARD_LOG="json") as again:
            again.log.until("alert.resolved")
            api.say(1)
            again.log.until("delivery.dead")
            assert again.end() == 0
    assert all(json.loads(line)["event"] for line in again.log.text.splitlines())
    printed += [each.text for run in (service, again) for each in (run.log, run.out)]
    stored = [path.read_bytes() for path in home.database.parent.iterdir()]
    assert len(stored) >= 2
    for canary in CANARIES:
        assert not [text for text in printed if canary in text]
        assert not [data for data in stored if canary.encode() in data]


def test_neither_a_bots_token_nor_a_mailboxs_password_shows_even_if_slack_and_the_mail_server_repeat_them(
    home: Home, api: AgentPhone, workspace: Workspace, office: PostOffice
) -> None:
    home.environ["SMTP_PASSWORD"] = PASSWORD
    channels = (BOT % (NAME, workspace.base_url), MAIL % office.port, LOGIN, '[defaults]\nnotify = ["ops", "mail"]\n')
    home.write(rule_file(api.url, channels="".join(channels)))
    office.repeats = True
    api.say(1)
    with home.run(GUARD_LOG="text") as service:
        for fault in (_echo(200), _echo(500), _echo_error, reset):
            workspace.answer = fault
            workspace.until_given()
        service.log.until("535 ")
        printed = [each.stdout + each.stderr for each in (home.call("send-test", name) for name in ("ops", "mail"))]
        printed += [home.call("status").stdout, home.call("history", "--format", "json").stdout]
        assert service.end() == 0
    office.repeats = False
    workspace.answer = workspace.good
    assert home.call("send-test", "mail").returncode == 0  # the login was the right one
    assert home.call("once", GUARD_LOG="json").returncode == 2
    office.until_marks("test", "critical")
    printed += [service.log.text, service.out.text, *(each.raw.decode() for each in office.mails)]
    stored = [path.read_bytes() for path in home.database.parent.iterdir()]
    for canary in (TOKEN, TOKEN.rpartition("-")[2], PASSWORD, *_encoded(PASSWORD)):
        assert not [text for text in printed if canary in text]
        assert not [data for data in stored if canary.encode() in data]


def _encoded(password: str) -> list[str]:
    """How a login may stand on the wire."""
    logins = (password, f"\0canary-mailbox\0{password}")
    return [base64.b64encode(each.encode()).decode().rstrip("=") for each in logins]


def test_a_secret_that_is_written_into_the_rule_file_is_refused_and_not_repeated(home: Home, api: AgentPhone) -> None:
    text = rule_file(api.url).replace("${AGENTPHONE_API_KEY}", KEY)
    home.write(text.replace("${SLACK_WEBHOOK_URL}", f"https://hooks.slack.com{PATH}"))
    for argv in (["check"], ["check", "--format", "json"], ["run"], ["once"], ["send-test", "ops"]):
        done = home.call(*argv)
        assert done.returncode == 78, argv
        assert not [canary for canary in CANARIES if canary in done.stdout + done.stderr]
    assert api.asked == 0


def _live_through_faults(api: AgentPhone, slack: Slack, heartbeat: Server) -> None:
    """Every kind of fault whose text could hold a secret, one after the other."""
    heartbeat.until_given()
    for fault in (_echo(200), _echo(404), _echo(302), _echo_json, reset):
        api.answer = fault
        api.until_given()
    api.say(1)
    for fault in (_echo(500), reset, _echo(400)):
        slack.answer = fault
        slack.until_given()
    api.answer = _echo(401)
    api.until_given()


def _all_commands(home: Home) -> list[str]:
    reading = (["status"], ["history", "--format", "json"], ["alerts", "--all"], ["check", "--format", "json"])
    done = [home.call(*argv) for argv in (*reading, ["send-test", "ops"], ["once"])]
    assert [each.returncode for each in done] == [0, 0, 0, 0, 70, 75]
    return [each.stdout + each.stderr for each in done]


def _echo(status: int) -> Answer:
    """Repeats all that it was told, as some servers do in their error pages."""

    def answer(handler: Handler) -> None:
        said = f"<html>{handler.path} {handler.headers} {handler.body.decode(errors='replace')}</html>"
        reply(status, said.encode(), {"X-Echo": handler.path, "Location": f"https://example.invalid{handler.path}"})(
            handler
        )

    return answer


def _echo_error(handler: Handler) -> None:
    """Repeats the token as Slack's word for what is wrong."""
    document({"ok": False, "error": handler.headers["Authorization"].partition(" ")[2]})(handler)


def _echo_json(handler: Handler) -> None:
    """Repeats the key in a usage."""
    key = handler.headers["Authorization"].partition(" ")[2]
    document({"plan": {"name": f"plan of {key}"}, "numbers": {"remaining": 9, key: 1}, "stats": {}})(handler)


def test_a_key_that_the_answer_repeats_is_not_stored(home: Home, api: AgentPhone) -> None:
    home.write(rule_file(api.url))
    api.answer = _echo_json
    assert home.call("once").returncode == 0
    assert KEY.encode() not in b"".join(path.read_bytes() for path in home.database.parent.iterdir())
