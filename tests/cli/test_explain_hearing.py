# ruff: noqa: E501 -- what is shown is as long as it is
"""What commands and messages say of acks, silences, quiet windows and flapping; all made by real cycles."""

import json
from typing import Final

import pytest
from inline_snapshot import snapshot as shown

from tests.cli.conftest import Run
from tests.cli.explaining import Explain, Sit, left, sentence
from tests.outbox.desk import Desk

WARNING: Final = "[rules.numbers-remaining]\nvalue = 'numbers.remaining'\nwarning = '< 3'\ncritical = '< 2'\n"
AFTERNOON: Final = "quiet = ['afternoon']\n[quiet.afternoon]\nfrom = '14:00'\nto = '16:00'\n"
ALWAYS: Final = "quiet = ['always']\n[quiet.always]\n"


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.cli.person.getuser", lambda: "ann")


async def tells(it: Desk, numbers: int) -> None:
    await left(it, numbers)
    await it.sends()


def happened(guard: Run) -> list[str]:
    events = json.loads(guard("history", "--format", "json").out)["events"]
    return [" ".join(filter(None, (each["event"], each["text"]))) for each in events]


def last_alert(guard: Run) -> str:
    return guard("alerts").out.splitlines()[1]


# --- silences -------------------------------------------------------------------------------------------------------


async def test_a_silence_holds_back_and_says_so_everywhere(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk() as it:
        guard("silence", "add", "main/*", "--for", "2h", "--reason", "an upgrade")
        await tells(it, 1)
        assert it.told == []
        assert sentence(explain()) == shown(
            "Nothing is sent now: it is held back from ops: silence 1 by ann until 2026-11-23 16:05 UTC: an upgrade."
        )
        assert last_alert(guard) == shown(
            "main/numbers-remaining  firing  critical  1      2026-11-23 14:05 UTC, just now  1 phone numbers left (silence 1 by ann until 2026-11-23 16:05 UTC: an upgrade; held back from ops)"
        )
        [document] = json.loads(guard("status", "--format", "json").out)["alerts"]
        assert {key: document[key] for key in ("acked", "silenced", "flapping", "held")} == shown(
            {
                "acked": None,
                "silenced": {"number": 1, "by": "ann", "reason": "an upgrade", "until": "2026-11-23T16:05:00Z"},
                "flapping": False,
                "held": ["ops"],
            }
        )
        assert "silence 1 by ann" in guard("status").out
        assert "\n1 silence is in force; `guard silence list` shows which.\n" in guard("status").out
        guard("silence", "end", "1")
        assert sentence(explain()) == shown(
            "Nothing is sent now: ops is no longer held back, and told in the next cycle."
        )
        await tells(it, 1)
        assert it.told == ["critical"]
        assert happened(guard) == shown(
            ["alert.fired", "notification.held silence 1 (an upgrade)", "notification.released", "delivery.sent"]
        )
        assert guard("history").out.splitlines()[-2].split("  ")[-1] == shown("no longer held back")


async def test_what_was_told_before_a_silence_says_so_and_reminders_wait(
    at_desk: Sit, explain: Explain, guard: Run
) -> None:
    async with at_desk() as it:
        await tells(it, 1)
        guard("silence", "add", "main/numbers-remaining", "--for", "5h")
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical and everybody knows; reminders wait: silence 1 by ann until 2026-11-23 19:05 UTC; ops is reminded at 2026-11-23 19:05 UTC."
        )
        assert explain().splitlines()[-1] == shown(
            "ops      critical     critical  2026-11-23 14:05 UTC, just now  reminded at 2026-11-23 19:05 UTC"
        )


# --- quiet windows --------------------------------------------------------------------------------------------------


async def test_a_quiet_window_holds_back_until_its_end(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk(rules=WARNING + AFTERNOON) as it:
        await tells(it, 2)
        assert it.told == []
        assert sentence(explain()) == shown(
            "Nothing is sent now: it is held back from ops: quiet window afternoon until 2026-11-23 16:00 UTC."
        )
        assert last_alert(guard) == shown(
            "main/numbers-remaining  firing  warning  2      2026-11-23 14:05 UTC, just now  numbers.remaining is 2 (held back from ops)"
        )
        it.clock.move(hours=2)
        await tells(it, 2)
        assert it.told == ["warning"]


async def test_all_that_holds_back_is_named_with_its_end(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk(rules=WARNING + AFTERNOON) as it:
        guard("silence", "add", "main/numbers-remaining", "--for", "5m")
        await tells(it, 2)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it is held back from ops: quiet window afternoon until 2026-11-23 16:00 UTC; silence 1 by ann until 2026-11-23 14:10 UTC."
        )


async def test_reminders_of_what_was_told_before_wait_for_the_end_of_a_quiet_window(
    at_desk: Sit, explain: Explain
) -> None:
    soon = WARNING + "remind = { warning = '30m' }\n"
    async with at_desk(rules=soon) as it:
        await tells(it, 2)
    async with at_desk(rules=soon + AFTERNOON) as it:
        it.clock.move(minutes=1)
        await tells(it, 2)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires warning and everybody knows; reminders wait: quiet window afternoon until 2026-11-23 16:00 UTC; ops is reminded at 2026-11-23 16:00 UTC."
        )
        it.clock.move(minutes=60)
        await tells(it, 2)
        assert it.told == []
        it.clock.move(minutes=60)
        await tells(it, 2)
        assert it.told == ["reminder warning"]


async def test_critical_passes_a_quiet_window(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk(rules=WARNING + AFTERNOON) as it:
        await tells(it, 1)
        assert it.told == ["critical"]
        assert "quiet" not in explain()


async def test_a_window_that_never_ends_is_named_without_a_time(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=WARNING) as it:
        await tells(it, 2)
    async with at_desk(rules=WARNING + ALWAYS) as it:
        it.clock.move(minutes=1)
        await tells(it, 2)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires warning and everybody knows; reminders wait: quiet window always."
        )


# --- acks -----------------------------------------------------------------------------------------------------------


async def test_an_ack_is_shown_and_reminders_wait_for_it(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk() as it:
        await tells(it, 1)
        guard("ack", "main/numbers-remaining", "--reason", "more are ordered")
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical and everybody knows; reminders wait: acknowledged by ann: more are ordered."
        )
        assert last_alert(guard) == shown(
            "main/numbers-remaining  firing  critical  1      2026-11-23 14:05 UTC, just now  1 phone numbers left (acknowledged by ann: more are ordered)"
        )
        [document] = json.loads(guard("alerts", "--format", "json").out)["alerts"]
        assert document["acked"] == shown({"by": "ann", "reason": "more are ordered", "until": None})
        assert happened(guard)[-1] == shown("alert.acked by ann: more are ordered")


async def test_an_ack_for_a_time_holds_reminders_back_for_that_time(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk() as it:
        await tells(it, 1)
        guard("ack", "main/numbers-remaining", "--for", "9h")
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical and everybody knows; reminders wait: acknowledged by ann until 2026-11-23 23:05 UTC; ops is reminded at 2026-11-23 23:05 UTC."
        )
        assert last_alert(guard) == shown(
            "main/numbers-remaining  firing  critical  1      2026-11-23 14:05 UTC, just now  1 phone numbers left (acknowledged by ann until 2026-11-23 23:05 UTC)"
        )


# --- flapping -------------------------------------------------------------------------------------------------------


async def flaps(it: Desk, numbers: int) -> None:
    for _ in range(4):
        await tells(it, numbers)
        it.clock.move(minutes=1)
        await tells(it, 5)
        it.clock.move(minutes=1)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            1,
            shown(
                "Nothing is sent now: it flaps: it fires and ends time and again, which everybody knows; you hear more of it once it is stable for 30 min (0 s so far)."
            ),
        ),
        (
            2,
            shown(
                "Nothing is sent now: it flaps: it fires and ends time and again, which everybody knows; you hear more of it once it gets worse than warning, or is stable for 30 min (0 s so far)."
            ),
        ),
    ],
)
async def test_what_flaps_says_what_ends_that(
    at_desk: Sit, explain: Explain, guard: Run, numbers: int, said: str
) -> None:
    async with at_desk(rules=WARNING) as it:
        await flaps(it, numbers)
        assert it.told[-1] == "flapping"
        assert sentence(explain()) == said
        await tells(it, numbers)
        assert last_alert(guard).endswith("(flapping)")
        assert "fires and ends time and again" in guard("history").out
