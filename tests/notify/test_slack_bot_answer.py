from datetime import timedelta

import pytest

from guard.notify.notifier import Call, Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_answer import Refused, word_in
from guard.notify.slack_bot_answer import Said, receipt_of, verdict
from tests.notify.examples import message

ROOT = "C0OPS:1795442700.000100"
POST = Post(message())
REPLY = Reply(message(), ROOT)
EDIT = Edit(message(), ROOT)
FOREIGN = "with what is not JSON: something stands between here and Slack"


def said(word: str = "", status: int = 200, retry_after: str | None = None) -> Said:
    return Said(status, {"ok": False, "error": word}, word, retry_after)


def accepted(**more: object) -> Said:
    return Said(200, {"ok": True, "channel": "C0OPS", "ts": "1795442760.000200", **more})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said("ratelimited"), Retry("Slack answered ratelimited", timedelta(minutes=1))),
        (said("ratelimited", 429, "7"), Retry("Slack answered 429 ratelimited", timedelta(seconds=7))),
        (said("message_limit_exceeded"), Retry("Slack answered message_limit_exceeded", timedelta(minutes=1))),
        (said("", 429, "soon"), Retry("Slack answered 429", timedelta(minutes=1))),
        (said("request_timeout"), Retry("Slack answered request_timeout")),
        (said("service_unavailable", 503, "5"), Retry("Slack answered 503 service_unavailable", timedelta(seconds=5))),
        (said("team_added_to_org"), Retry("Slack answered team_added_to_org")),
        (said("", 407), Retry("Slack answered 407")),
        (said("internal_error"), Unsure("Slack answered internal_error")),
        (said("fatal_error"), Unsure("Slack answered fatal_error")),
        (said("invalid_auth", 500), Unsure("Slack answered 500 invalid_auth")),
        (Said(502, {}), Unsure("Slack answered 502")),
        (Said(200, {}), Unsure(f"Slack answered 200 {FOREIGN}")),
        (Said(204, {}), Unsure(f"Slack answered 204 {FOREIGN}")),
        (said("invalid_blocks"), Refused(Rejected("Slack answered invalid_blocks"))),
        (said("metadata_too_large"), Refused(Rejected("Slack answered metadata_too_large"))),
        (Said(413, {}), Refused(Rejected("Slack answered 413"))),
        (Said(404, {}), Rejected("Slack answered 404")),
        (Said(200, {"ok": "perhaps"}), Rejected("Slack answered 200")),
        (said("something_new"), Rejected("Slack answered something_new")),
        (
            said("is_archived"),
            Rejected("Slack answered is_archived: unarchive #ops, or name another channel"),
        ),
    ],
)
def test_an_answer_decides_what_becomes_of_a_post(answer: Said, outcome: Outcome | Refused) -> None:
    assert verdict(answer, call=POST, channel="#ops") == outcome


@pytest.mark.parametrize("call", [REPLY, EDIT], ids=["reply", "edit"])
@pytest.mark.parametrize(
    "word", ["message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"]
)
def test_a_message_that_takes_no_edit_and_no_reply_is_gone(call: Call, word: str) -> None:
    assert verdict(said(word), call=call, channel="#ops") == Gone(f"Slack answered {word}")


@pytest.mark.parametrize("word", ["message_not_found", "thread_not_found"])
def test_a_post_is_never_gone(word: str) -> None:
    assert isinstance(verdict(said(word), call=POST, channel="#ops"), Rejected)


@pytest.mark.parametrize("word", ["invalid_auth", "missing_scope", "token_revoked", "account_inactive"])
def test_a_token_that_is_refused_comes_with_what_to_do(word: str) -> None:
    outcome = verdict(said(word), call=EDIT, channel="#ops")
    assert isinstance(outcome, Rejected)
    assert "install the app" in outcome.why


@pytest.mark.parametrize(
    ("call", "answer", "receipt"),
    [
        (POST, accepted(), "C0OPS:1795442760.000200"),
        (EDIT, accepted(), ROOT),
        (REPLY, accepted(message={"thread_ts": "1795442700.000100"}), ROOT),
        (REPLY, accepted(), ROOT),
        (REPLY, accepted(message={"text": "hello"}), ROOT),
        (REPLY, accepted(message={"ts": "1795442760.000200"}), "C0OPS:1795442760.000200"),
        (POST, accepted(ts=None), ""),
        (POST, accepted(channel=["C0OPS"]), ""),
    ],
)
def test_a_receipt_names_the_message_that_later_calls_go_to(call: Call, answer: Said, receipt: str) -> None:
    assert verdict(answer, call=call, channel="#ops") == Sent(receipt)


@pytest.mark.parametrize("ts", [None, 1795442760.0, "1795442760", "now", "1.1\n", "9" * 99 + ".1", ""])
def test_what_is_no_timestamp_makes_no_receipt(ts: object) -> None:
    assert receipt_of("C0OPS", ts) == ""
    assert receipt_of("C0 OPS:", "1795442760.000200") == ""


@pytest.mark.parametrize(
    "word", ["s_cret_word", "my_s_cret_word", "Two Words", "UPPER", "x" * 61, "a1", "", None, 7, ["ratelimited"]]
)
def test_nothing_of_an_answer_is_told_but_a_word_that_gives_nothing_away(word: object) -> None:
    assert word_in(word, secret="xoxb-123-s_cret_word") == ""
    assert word_in("invalid_auth", secret="xoxb-123-s_cret_word") == "invalid_auth"


@pytest.mark.parametrize(
    ("body", "cursor", "rows"),
    [
        ({"ok": True, "messages": [{"ts": "1"}], "response_metadata": {"next_cursor": "page:2"}}, "page:2", 1),
        ({"ok": True, "messages": [{"ts": "1"}, 7, None], "response_metadata": {"next_cursor": ""}}, "", 1),
        ({"ok": True, "messages": {"ts": "1"}, "response_metadata": ["next_cursor"]}, "", 0),
        ({"ok": True, "response_metadata": {"next_cursor": "x" * 501}}, "", 0),
        ({}, "", 0),
    ],
)
def test_pages_are_read_whatever_they_hold(body: dict[str, object], cursor: str, rows: int) -> None:
    page = Said(200, body)
    assert (page.cursor, len(list(page.rows("messages")))) == (cursor, rows)
