"""What the harness counts as wrong: each mistake is seen, and a good story is none."""

from dataclasses import replace

import pytest

from guard.model import AlertKey, CallKind, Cover, Knowledge, Level
from tests.crash.channels import Kind
from tests.crash.count import Believed, Count, Taken

KEY = AlertKey("main", "numbers")
FIRED = Knowledge("i1", Level.WARNING)
ESCALATED = Knowledge("i1", Level.CRITICAL)
ENDED = Knowledge("i1", Level.CRITICAL, ended=True)

ROOT = Taken("bot", "k1", id="1.0", texts=("[warning] x", "[critical] x", "[resolved] x"))
REPLY = Taken("bot", "k2", id="2.0", thread="1.0", texts=("[escalated critical] x",))
END = Taken("bot", "k3", id="3.0", thread="1.0", texts=("[resolved] x",))


def _sent(key: str, call: CallKind, knowledge: Knowledge) -> Believed:
    return Believed(key, "bot", "", call, (Cover(KEY, knowledge),))


SENT = (
    _sent("k1", CallKind.POST, FIRED),
    _sent("k2", CallKind.REPLY, ESCALATED),
    _sent("k3", CallKind.REPLY, ENDED),
    _sent("e1", CallKind.EDIT, ENDED),
)


def _count(*taken: Taken, sent: tuple[Believed, ...] = SENT, incidents: tuple[str, ...] = ("i1",)) -> Count:
    count = Count(1, (Kind.BOT,), kills=10)
    count.compare(taken, sent, dict.fromkeys(incidents, ""))
    return count


def test_a_story_that_is_told_whole_is_good() -> None:
    count = _count(ROOT, REPLY, END)
    assert (count.broken, count.copies) == ([], {"bot": 0})


def test_one_copy_by_a_bot_is_counted_and_a_second_one_is_broken() -> None:
    copy = replace(ROOT, id="1.5", texts=("[warning] x",))
    assert _count(ROOT, copy, REPLY, END).broken == []
    assert _count(ROOT, copy, copy, REPLY, END).broken == ["bot: 2 copies after 10 kills"]


def test_what_no_delivery_stands_for_counts_as_a_copy() -> None:
    assert _count(ROOT, REPLY, END, replace(REPLY, key="k9")).copies == {"bot": 1}


@pytest.mark.parametrize(
    ("taken", "wrong"),
    [
        ((ROOT, REPLY), "delivery k3 is marked as sent and never arrived"),
        ((ROOT, END, REPLY), "incident i1 was told (False, 3) after (True, 3)"),
        ((ROOT, replace(REPLY, thread="0.5"), END), "a reply of incident i1 stands under 0.5, not under ['1.0']"),
        ((ROOT, replace(REPLY, thread=""), END), "incident i1 has 2 messages of its own"),
        ((replace(ROOT, texts=("[warning] x",)), REPLY, END), "1.0 still says '[warning] x'"),
    ],
)
def test_what_is_wrong_is_seen(taken: tuple[Taken, ...], wrong: str) -> None:
    assert f"bot: {wrong}" in _count(*taken).broken


def test_an_incident_of_whose_end_nobody_was_told_is_seen() -> None:
    count = _count(ROOT, REPLY, sent=SENT[:2], incidents=("i1", "i2"))
    assert count.broken == ["bot: nobody was told of the end of incident i1", "bot: nobody was told of incident i2"]


def test_what_the_next_incident_tells_of_the_one_before_is_told() -> None:
    after = _sent("k4", CallKind.POST, Knowledge("i2", Level.WARNING, ended=True, missed=("i1",)))
    post = Taken("bot", "k4", id="4.0", texts=("[resolved] x",))
    assert _count(ROOT, post, sent=(SENT[0], after), incidents=("i1", "i2")).broken == []


def test_of_a_channel_that_fails_others_need_not_be_told_but_then_of_its_end_too() -> None:
    count = Count(seed=1, kinds=(Kind.BOT, Kind.MAIL))
    count.compare([], [], {"i1": "mail"})
    assert count.broken == []
    count.compare([ROOT], SENT[:1], {"i1": "mail"})
    assert "bot: nobody was told of the end of incident i1" in count.broken
