"""The asking, and guard.no_data, case by case."""

from datetime import timedelta

import pytest

from guard.lifecycle.asking import evaluate_no_data, heard, in_period, is_of_the_key, may_ask, unheard
from guard.model import Account, Failure, FailureKind, Level, Timer
from tests.builders import KEY, MINUTE, account, alert, at, snapshot

W, C = Level.WARNING, Level.CRITICAL
DOWN = Failure(FailureKind.SERVER, "it answered 503")
BAD_KEY = Failure(FailureKind.UNAUTHORIZED, "it answered 401")
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "it answered 403")


def fail(before: Account, minute: float, failure: Failure | None = DOWN, jitter: float = 1) -> Account:
    return unheard(before, failure, now=at(minute), every=MINUTE, no_data_after=3 * MINUTE, jitter=jitter)


def fail_uncounted(before: Account, minute: float, failure: Failure | None = DOWN) -> Account:
    """A failure that is no sign of an outage of this account's own."""
    return unheard(
        before, failure, now=at(minute), every=MINUTE, no_data_after=3 * MINUTE, jitter=1, outage_counts=False
    )


def hear(before: Account, minute: float) -> Account:
    return heard(before, snapshot(), now=at(minute))


def test_an_outage_counts_from_the_last_good_answer() -> None:
    seen = hear(account(), 0)
    for minute, lost in ((1, False), (2, False), (3, True)):
        seen = fail(seen, minute)
        assert seen.lost is lost
    assert (seen.outage, seen.failures) == (3 * MINUTE, 3)


def test_an_outage_counts_from_the_first_cycle_where_there_never_was_an_answer() -> None:
    seen = fail(account(), 0)
    assert (seen.outage, seen.lost) == (timedelta(), False)
    assert not fail(fail(seen, 1), 2).lost
    assert fail(fail(fail(seen, 1), 2), 3).lost


def test_time_in_which_the_service_did_not_run_is_no_outage() -> None:
    seen = fail(hear(account(), 0), 600)
    assert (seen.outage, seen.lost) == (timedelta(), False)


def test_a_refused_key_is_lost_at_once() -> None:
    assert fail(hear(account(), 0), 1, BAD_KEY).lost


def test_a_sub_account_whose_key_is_refused_is_lost_only_after_a_while() -> None:
    seen = fail(hear(account(name="main:acme"), 0), 1, BAD_KEY)
    assert (seen.lost, seen.ask_at) == (False, at(6))
    assert not fail(seen, 2, None).lost
    assert fail(fail(seen, 2, None), 3, None).lost


@pytest.mark.parametrize("name", ["main", "main:acme"])
def test_an_account_that_is_forbidden_is_lost_at_once(name: str) -> None:
    assert fail(hear(account(name=name), 0), 1, FORBIDDEN).lost


@pytest.mark.parametrize("failure", [DOWN, BAD_KEY, FORBIDDEN, None])
def test_an_outage_that_is_not_its_own_loses_no_account_however_long_and_is_not_counted_later(
    failure: Failure | None,
) -> None:
    seen = hear(account(name="main:acme"), 0)
    for minute in range(1, 10):
        seen = fail_uncounted(seen, minute, failure)
        assert (seen.lost, seen.outage, seen.cycled_at) == (False, timedelta(), at(minute))
    assert seen.failures == (9 if failure else 0)
    seen = fail(seen, 10)
    assert (seen.lost, seen.outage) == (False, MINUTE)


def test_what_was_lost_stays_lost_while_an_outage_does_not_count() -> None:
    lost = fail(account(name="main:acme"), 0, FORBIDDEN)
    assert fail_uncounted(lost, 1).lost


@pytest.mark.parametrize("kind", FailureKind)
def test_what_the_network_the_key_or_the_server_fails_at_meets_all_who_share_the_key(kind: FailureKind) -> None:
    shared = {"unreachable", "timeout", "unauthorized", "rate_limited", "server"}
    assert is_of_the_key(Failure(kind, "whatever it says")) is (kind in shared)


def test_two_good_answers_end_it() -> None:
    lost = fail(account(), 0, BAD_KEY)
    once = hear(lost, 1)
    assert once.lost
    assert not hear(once, 2).lost
    assert hear(fail(once, 2), 3).lost


def test_a_cycle_that_did_not_ask_keeps_the_failure_and_counts_the_time() -> None:
    seen = fail(fail(hear(account(), 0), 1), 2, None)
    assert (seen.failures, seen.failure, seen.outage) == (1, DOWN, 2 * MINUTE)


@pytest.mark.parametrize(
    ("failures", "jitter", "wait_s"), [(1, 1, 1), (1, 0, 0.5), (2, 1, 2), (4, 0, 4), (7, 1, 60), (500, 1, 60)]
)
def test_the_backoff_doubles_within_the_interval(failures: int, jitter: float, wait_s: float) -> None:
    seen = fail(account(failures=failures - 1), 0, jitter=jitter)
    assert seen.ask_at == at(0) + timedelta(seconds=wait_s)


def test_what_the_api_asked_for_is_waited_for_and_a_refused_key_waits_five_minutes() -> None:
    limited = Failure(FailureKind.RATE_LIMITED, "it answered 429", timedelta(minutes=7))
    assert fail(account(), 0, limited).ask_at == at(7)
    assert fail(account(), 0, BAD_KEY).ask_at == at(5)


def test_may_ask_when_nothing_waits_or_the_time_has_come_or_the_clock_went_back() -> None:
    assert may_ask(account(), now=at(0))
    waiting = account(cycled_at=at(0), ask_at=at(5))
    assert not may_ask(waiting, now=at(4))
    assert may_ask(waiting, now=at(5))
    assert may_ask(waiting, now=at(-60))


def test_answers_that_alternate_between_two_periods_have_no_period_but_the_later() -> None:
    seen, periods = account(), []
    for minute, start in enumerate((-100, 0, -100, 0, -100, 0)):
        answer = snapshot({"period.elapsed": 0.5, "numbers.used": 1}, period_start_at=at(start))
        seen = heard(seen, answer, now=at(minute))
        usable = in_period(seen, answer)
        periods.append((usable.values.get("period.elapsed"), usable.values["numbers.used"]))
    assert periods == [(0.5, 1), (0.5, 1), (None, 1), (0.5, 1), (None, 1), (0.5, 1)]


def test_a_period_that_goes_back_for_good_is_taken_after_three_answers() -> None:
    seen, taken = heard(account(), snapshot(period_start_at=at(0)), now=at(0)), []
    for minute in range(1, 5):
        answer = snapshot(period_start_at=at(-100))
        seen = heard(seen, answer, now=at(minute))
        taken.append(in_period(seen, answer).period_start_at)
    assert taken == [None, None, at(-100), at(-100)]


def test_an_answer_without_a_period_keeps_the_period_in_force() -> None:
    seen = heard(account(period_start_at=at(0), period_lag=2), snapshot(), now=at(1))
    assert (seen.period_start_at, seen.period_lag) == (at(0), 0)


def test_no_data_is_critical_while_lost_and_says_why() -> None:
    lost = evaluate_no_data(fail(account(), 0, BAD_KEY), [], now=at(0))
    assert (lost.holds, lost.clear) == ({W: True, C: True}, False)
    assert lost.reading is not None
    assert lost.reading.summary == "nothing is watched: it answered 401"
    assert "a key that works" in lost.reading.description
    lost = evaluate_no_data(account(lost=True, outage=3 * MINUTE, failure=DOWN), [], now=at(0))
    assert lost.reading is not None
    assert lost.reading.summary == "no good answer for 3 min, so nothing is watched: it answered 503"
    once = evaluate_no_data(hear(fail(account(), 0, BAD_KEY), 1), [], now=at(1))
    assert once.holds[C] is True
    assert once.reading is not None
    assert "one more good answer" in once.reading.summary


def test_rules_unknown_for_fifteen_minutes_are_a_warning_with_their_reasons() -> None:
    early = alert(unknown=Timer(14 * MINUTE, at(0)), unknown_why="numbers.limit is missing")
    late = alert(unknown=Timer(15 * MINUTE, at(0)), unknown_why="numbers.limit is missing")
    assert evaluate_no_data(account(), [early, alert()], now=at(0)).clear is True
    seen = evaluate_no_data(account(), [late], now=at(0))
    assert (seen.holds, seen.clear) == ({W: True, C: False}, False)
    assert seen.reading is not None
    assert seen.reading.summary == (
        "cannot be evaluated for 15 min or longer: numbers-remaining (numbers.limit is missing)"
    )


def test_a_long_list_of_unknown_rules_is_cut() -> None:
    many = [alert(key=KEY.__class__("main", f"rule-{n}"), unknown=Timer(MINUTE * 60, at(0))) for n in range(7)]
    seen = evaluate_no_data(account(), many, now=at(0))
    assert seen.reading is not None
    assert seen.reading.summary.endswith("and 2 more")
