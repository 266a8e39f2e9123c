from datetime import UTC, datetime, timedelta

from guard.clock import Clock


def test_at_normal_speed_it_tells_the_wall_clocks_time() -> None:
    clock = Clock()
    before, shown, after = clock.wall_now(), clock.now(), clock.wall_now()
    assert before <= shown <= after
    assert shown.tzinfo is UTC


def test_sped_up_it_starts_now_and_runs_that_many_times_as_fast() -> None:
    clock = Clock(speed=1000)
    first, before_s = clock.now(), clock.monotonic_s()
    while clock.monotonic_s() - before_s < 0.01:
        pass
    assert clock.now() - first >= timedelta(seconds=10)
    assert first.tzinfo is UTC
    assert first - clock.wall_now() < timedelta(minutes=5)


def test_sped_up_it_shows_the_start_and_what_has_passed_since() -> None:
    started_at = datetime(2026, 11, 23, tzinfo=UTC)
    clock = Clock(speed=60, _started_at=started_at, _started_s=Clock().monotonic_s() - 60)
    assert timedelta(minutes=60) <= clock.now() - started_at < timedelta(minutes=90)


def test_a_duration_takes_less_real_time_the_faster_it_runs() -> None:
    assert Clock().real_s(timedelta(minutes=1)) == 60
    assert Clock(speed=60).real_s(timedelta(minutes=1)) == 1


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = Clock()
    seen = [clock.monotonic_s() for _ in range(100)]
    assert seen == sorted(seen)
