from datetime import timedelta

import pytest

from guard.notify.notifier import Outcome, Rejected, Retry, Sent
from guard.notify.slack_answer import Refused
from guard.notify.slack_webhook_answer import verdict

URL = "https://hooks.slack.com/services/T0WORKSPACE/B0WEBHOOKID/s3cretTokenOfTheWebhook"
HTML = "<!doctype html><title>Sign in to the guest network</title>"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, "ok", Sent()),
        (200, "OK\n", Sent()),
        (200, '{"ok": true}', Sent()),
        (200, "", Sent()),
        (204, "", Sent()),
        (200, HTML, Retry("Slack answered 200 with a page: something stands between here and Slack")),
        (200, "perhaps", Sent()),
        (200, '{"result": "success"}', Sent()),
        (200, '{"ok": false, "error": "ratelimited"}', Retry("Slack answered 200 ratelimited")),
        (200, '{"ok": false, "error": "invalid_auth"}', Rejected("Slack answered 200 invalid_auth")),
        (200, '{"ok": false, "error": "invalid_blocks"}', Refused(Rejected("Slack answered 200 invalid_blocks"))),
        (200, '{"ok": false, "error": ["ratelimited"]}', Rejected("Slack answered 200")),
        (304, "", Rejected("Slack answered 304")),
        (400, "invalid_payload", Refused(Rejected("Slack answered 400 invalid_payload"))),
        (400, "msg_blocks_too_long", Refused(Rejected("Slack answered 400 msg_blocks_too_long"))),
        (400, "something_new", Refused(Rejected("Slack answered 400 something_new"))),
        (400, HTML, Refused(Rejected("Slack answered 400"))),
        (400, "channel_not_found", Rejected("Slack answered 400 channel_not_found")),
        (400, "user_not_found", Rejected("Slack answered 400 user_not_found")),
        (403, "invalid_token", Rejected("Slack answered 403 invalid_token")),
        (403, "action_prohibited", Rejected("Slack answered 403 action_prohibited")),
        (404, "no_service", Rejected("Slack answered 404 no_service")),
        (404, "no_team", Rejected("Slack answered 404 no_team")),
        (407, HTML, Retry("Slack answered 407")),
        (408, "", Retry("Slack answered 408")),
        (410, "channel_is_archived", Rejected("Slack answered 410 channel_is_archived")),
        (413, HTML, Refused(Rejected("Slack answered 413"))),
        (500, "rollup_error", Retry("Slack answered 500 rollup_error")),
        (503, HTML, Retry("Slack answered 503")),
        (500, "invalid_payload", Retry("Slack answered 500 invalid_payload")),
    ],
)
def test_an_answer_decides_what_becomes_of_the_delivery(status: int, body: str, outcome: Outcome | Refused) -> None:
    assert verdict(status, body, {}, url=URL) == outcome


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        (" 2.5 ", 2.5),
        ("0", 1),
        ("999999999", 3600),
        ("-5", 60),
        ("soon", 60),
        ("inf", 60),
        ("1e9", 60),
        ("٣٠", 60),
        ("Mon, 23 Nov 2026 14:05:00 GMT", 60),
    ],
)
def test_a_rate_limit_is_waited_out_within_bounds(header: str, seconds: float) -> None:
    expected = Retry("Slack answered 429 rate_limited", timedelta(seconds=seconds))
    assert verdict(429, "rate_limited", {"Retry-After": header}, url=URL) == expected


def test_a_rate_limit_without_a_number_is_waited_out_for_a_minute() -> None:
    assert verdict(429, "", {}, url=URL) == Retry("Slack answered 429", timedelta(minutes=1))


def test_a_server_that_says_when_it_is_back_is_left_alone_until_then() -> None:
    assert verdict(503, "", {"Retry-After": "120"}, url=URL) == Retry("Slack answered 503", timedelta(minutes=2))


@pytest.mark.parametrize(
    "body",
    [
        URL,
        "s3cretTokenOfTheWebhook",
        "cretokenofthewebhook",
        "TWO WORDS",
        "x" * 100,
        '{"error": "https://hooks.slack.com"}',
        '{"error":' * 400,
        "{" * 100_000,
        "{broken",
        "[1, 2]",
        '{"error": 7}',
        "hooks",
        "no_tokenofthewebhook_here",
    ],
)
def test_of_a_body_nothing_is_quoted_but_a_word_that_gives_nothing_away(body: str) -> None:
    secret = "https://hooks.slack.com/services/T0/B0/cretokenofthewebhook/tokenofthewebhook"
    assert verdict(404, body, {}, url=secret) == Rejected("Slack answered 404")
