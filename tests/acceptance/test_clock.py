"""A clock that jumps and a process that stood still are no reason to tell anybody anything."""

import signal
import threading
from pathlib import Path
from typing import Final

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

IMPATIENT: Final = 'no_data_after = "3s"'
FAKETIME: Final = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def test_a_process_that_stood_still_for_a_while_goes_on_without_a_false_alert_or_a_burst(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url, account=IMPATIENT))
    api.say(2)
    with home.run() as service:
        slack.until_shown("warning")
        service.process.send_signal(signal.SIGSTOP)
        threading.Event().wait(4.5)
        before = api.asked
        service.process.send_signal(signal.SIGCONT)
        api.until_answered(2)
        assert api.asked - before <= 3  # one at once, then one a second
        assert slack.marks == ["warning"]
        api.say(1)
        slack.until_shown("warning", "escalated critical")
        assert service.end() == 0


def _with_clock(home: Home, offset: Path) -> Home:
    offset.write_text("+0\n", encoding="utf-8")
    home.environ |= {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    return home


if FAKETIME is not None:  # a package of its own: libfaketime

    def test_a_wall_clock_that_jumps_hours_ahead_and_back_stops_nothing_and_tells_nothing(
        home: Home, api: AgentPhone, slack: Slack, tmp_path: Path
    ) -> None:
        home.write(rule_file(api.url, account=IMPATIENT))
        offset = tmp_path / "offset"
        api.say(2)
        with _with_clock(home, offset).run() as service:
            slack.until_shown("warning")
            for hours in ("+3h", "+0"):
                offset.write_text(f"{hours}\n", encoding="utf-8")
                api.until_answered(2, within_s=30)  # the watchdog needs 10 s or more to see that the scheduler sleeps
                assert slack.marks == ["warning"]
            low = api.say(1)
            slack.until_shown("warning", "escalated critical")
            assert slack.shown[1].at_s - api.first_shown_s(low) <= 2
            assert service.end(within_s=8) == 0

    def test_the_night_in_which_an_hour_comes_twice_stops_nothing_and_tells_nothing(
        home: Home, api: AgentPhone, slack: Slack, tmp_path: Path
    ) -> None:
        home.write(rule_file(api.url, account=IMPATIENT))
        offset = tmp_path / "offset"
        api.say(2)
        _with_clock(home, offset)
        offset.write_text("@2026-10-25 02:59:54\n", encoding="utf-8")  # in Berlin, for the first time
        with home.run(TZ="Europe/Berlin") as service:
            slack.until_shown("warning")
            api.until_answered(10)
            assert slack.marks == ["warning"]
            api.say(1)
            slack.until_shown("warning", "escalated critical")
            assert "watchdog" not in service.log.text
            assert service.end() == 0
