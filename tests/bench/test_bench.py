"""That the benchmarks measure something; what comes out is for people to read."""

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.bench import __main__, cycle, forecast, windows, yardsticks
from tests.bench.api import Api
from tests.bench.figure import Figure
from tests.bench.process import first_poll_s, resident_mib, running
from tests.bench.setting import TEN_RULES, WEBHOOK, bot, config, environ, fill, rule_file
from tests.bench.stages import STAGES
from tests.bench.telling import Slack


def asked(api: Api, sub_id: str = "") -> bytes:
    """What the API answers."""
    connection = HTTPConnection("127.0.0.1", api.port)
    connection.request("GET", "/v1/usage", headers={"X-Sub-Account-Id": sub_id} if sub_id else {})
    found = connection.getresponse().read()
    connection.close()
    return found


async def test_a_cycle_is_measured_by_stage(tmp_path: Path) -> None:
    with Api(3) as api:
        await fill(tmp_path, sub_accounts=3)
        async with cycle.watched(api, tmp_path) as family:
            measured = await cycle.measured_on(family, passes=2)
        assert (await yardsticks.exchange(api.port)).cpu_s > 0
    assert measured.whole.wall_s > 0
    assert measured.fetch.cpu_s > 0
    assert all(measured.stages[stage].cpu_s > 0 for stage in STAGES)


def test_the_api_tells_when_it_was_asked_and_when_it_showed_a_change() -> None:
    with Api(2) as api:
        began_s = time.monotonic()
        api.will_be_asked(2)
        assert b'"remaining":5' in asked(api)
        assert b'"remaining":5' in asked(api)
        twice_s = api.reported_s()
        api.shows(1, sub_id="s0001")
        assert b'"remaining":5' in asked(api, "s0000")
        assert b'"remaining":1' in asked(api, "s0001")
        assert began_s < twice_s < api.reported_s() < time.monotonic()


def test_slack_tells_when_it_was_told(tmp_path: Path) -> None:
    with Api() as api, Slack() as slack:
        rules = rule_file(api=api.url, every="1s")
        with running(environ(tmp_path, rules, slack=slack.url)) as process:
            api.shows(1)
            assert slack.told_s(0) > api.reported_s()
            assert resident_mib(process.pid) > 1


def test_the_first_poll_is_seen(tmp_path: Path) -> None:
    with Api() as api:
        took_s = first_poll_s(environ(tmp_path, rule_file(api=api.url)), api)
    assert took_s > 0


def test_what_the_guard_said_is_shown_where_it_does_not_do_its_part(tmp_path: Path) -> None:
    def give_up() -> None:
        with running(environ(tmp_path, "nonsense")) as process:
            process.wait()
            raise TimeoutError

    with pytest.raises(TimeoutError) as failed:
        give_up()
    assert "cannot be used as it is" in failed.value.__notes__[0]


@pytest.mark.parametrize("channel", [WEBHOOK, bot("http://127.0.0.1:9")])
def test_the_rule_files_are_good(channel: str) -> None:
    [account] = config(rule_file(api="http://127.0.0.1:9", channel=channel, rules=TEN_RULES)).accounts
    assert len(account.rules) == 10


def test_windows_are_measured_by_what_they_cost_and_hold() -> None:
    asked, filled, held = windows.measure(polls=200)
    assert [each.unit for each in (asked, filled, held)] == ["µs", "ms", "MiB"]
    assert all(each.value > 0 for each in (asked, filled, held))


def test_the_projection_is_measured_on_every_series() -> None:
    figures = list(forecast.measure())
    assert [figure.what for figure in figures] == [f"month's end, day {number}" for number in (1, 3, 10)]
    assert all(0 < figure.value < 50 and figure.yardstick is not None for figure in figures)
    assert "in range; " in figures[0].beside


@pytest.mark.parametrize("path", forecast.SERIES, ids=lambda path: path.stem)
def test_a_series_has_a_count_for_each_day(path: Path) -> None:
    days = forecast.read_days(path)
    assert len(days) == 273
    assert (max(days) - min(days)).days == 272
    assert min(days.values()) >= 0


def test_one_part_is_measured_by_its_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measure() -> Iterator[Figure]:
        yield Figure("all of it", 1.0, "s")

    monkeypatch.setattr(__main__, "_PARTS", {"this": measure, "that": measure})
    assert __main__.main(["this"]) == 0
    shown = capsys.readouterr()
    assert "all of it  1.000 s" in shown.out
    assert shown.err == "measuring this …\n"


def test_a_part_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["cycles"]) == 2
    assert capsys.readouterr().err.startswith("no part is called cycles; there are cycle, slack, ")
