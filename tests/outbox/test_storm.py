"""What a channel has to wait with until the pass that raised it is over."""

import threading
from dataclasses import replace

from guard.model import AlertKey, Level, Notification
from guard.outbox.storm import Storm
from tests.builders import knowledge, notification


def raised(number: int, *, channel: str = "ops", recipient: str = "", account: str = "main") -> Notification:
    key = AlertKey(f"{account}:sub-{number}", "numbers-remaining")
    return notification(key, channel, recipient=recipient, desired=knowledge())


def held(storm: Storm, *notifications: Notification) -> list[bool]:
    return [storm.holds(each) for each in notifications]


def test_three_alerts_of_a_pass_go_out_at_once_and_the_fourth_waits() -> None:
    storm, five = Storm(), [raised(number) for number in range(5)]
    for each in five:
        storm.note("main", [each])
    assert held(storm, *five) == [False, False, False, True, True]


def test_the_end_of_the_pass_lets_go_and_the_next_one_counts_anew() -> None:
    storm, five = Storm(), [raised(number) for number in range(5)]
    storm.note("main", five[:3])
    assert not storm.end("main")
    storm.note("main", five)
    assert storm.end("main")
    assert not storm.end("main")
    assert not any(held(storm, *five))
    storm.note("main", [raised(7)])
    assert held(storm, raised(7)) == [False]


def test_what_goes_out_at_once_may_change_within_the_pass() -> None:
    storm, five = Storm(), [raised(number) for number in range(5)]
    storm.note("main", [*five, *five[:3]])
    assert held(storm, *five) == [False, False, False, True, True]


def test_of_one_cycle_the_worst_goes_out_at_once_and_what_is_over_waits() -> None:
    storm, warnings = Storm(), [raised(number) for number in range(3)]
    ended = replace(raised(3), desired=knowledge(ended=True), notified=knowledge())
    critical = replace(raised(4), desired=knowledge(Level.CRITICAL))
    storm.note("main", [ended, *warnings, critical])
    assert held(storm, ended, *warnings, critical) == [True, False, False, True, False]


def test_every_channel_and_every_master_account_counts_for_itself_and_recipients_do_not() -> None:
    storm, four = Storm(), [raised(number) for number in range(4)]
    storm.note("main", four)
    mail = [raised(number, channel="mail", recipient=who) for number in range(3) for who in ("a", "b")]
    storm.note("main", mail)
    other = [raised(number, account="other") for number in range(3)]
    storm.note("other", other)
    assert not any(held(storm, *mail, *other))
    storm.end("other")
    assert held(storm, four[3]) == [True]


def test_what_one_thread_notes_while_another_ends_the_pass_is_lost_to_neither() -> None:
    storm, over = Storm(), threading.Event()

    def notes() -> None:
        for number in range(20_000):
            storm.note("main", [raised(number % 7, channel=f"channel-{number % 50}")])
        over.set()

    noting = threading.Thread(target=notes)
    noting.start()
    while not over.is_set():
        storm.end("main")
    noting.join()
    storm.end("main")
    assert not storm.holds(raised(6, channel="channel-1"))


def test_what_a_silence_holds_back_takes_no_place() -> None:
    storm, six = Storm(), [raised(number) for number in range(6)]
    storm.note("main", [replace(each, desired=replace(each.desired, held=True)) for each in six[:3] if each.desired])
    storm.note("main", six[3:])
    assert not any(map(storm.holds, six[3:]))
