import json
from datetime import timedelta

from guard.lifecycle.strait import Strait
from tests.console.listening import listening
from tests.stand_ins.clock import HandClock


async def test_it_answers_200_with_the_age_of_the_last_cycle() -> None:
    clock = HandClock()
    async with listening(clock=clock) as it:
        it.health.cycled(clock.monotonic_s() - 12)
        answer = await it.ask()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.body)
    assert 12 <= told.pop("last_cycle_age_s") < 60
    assert told == {"status": "ok", "at": "2026-11-23T14:05:00Z", "cycles": 1, "reasons": [], "channels": []}


async def test_before_the_first_cycle_there_is_no_age() -> None:
    async with listening() as it:
        assert json.loads((await it.ask()).body)["last_cycle_age_s"] is None


async def test_it_answers_503_with_the_reason_while_the_service_fails() -> None:
    async with listening() as it:
        it.health.store_failing = True
        answer = await it.ask()
        assert answer.status == 503
        told = json.loads(answer.body)
        assert (told["status"], told["reasons"]) == ("failing", ["the database takes no writes"])
        it.health.store_failing = False
        assert (await it.ask()).status == 200


async def test_a_rule_file_that_cannot_be_used_is_a_reason_to_look_and_no_failure() -> None:
    async with listening() as it:
        it.health.rule_faults = ("rules.toml:1:1: error: no account", "and more")
        answer = await it.ask()
        assert answer.status == 200
        told = json.loads(answer.body)
        assert told["status"] == "ok"
        assert told["reasons"] == ["the rule file cannot be used: rules.toml:1:1: error: no account"]


async def test_a_channel_that_fails_is_told_and_no_failure_while_another_one_works() -> None:
    clock = HandClock()
    async with listening(clock=clock) as it:
        it.health.straits = (
            Strait("ops", refused=("",), dead=2, is_clear=False),
            Strait("mail", is_clear=False, oldest_at=clock.now() - timedelta(minutes=2)),
        )
        it.health.failing = {"ops": "ops refuses messages for good: no_service"}
        answer = await it.ask()
        assert (answer.status, it.health.is_failing) == (200, False)
        told = json.loads(answer.body)
        assert told["reasons"] == ["ops refuses messages for good: no_service"]
        assert told["channels"] == [
            {"channel": "ops", "failing": True, "oldest_pending_age_s": None, "dead": 2, "buttons": None},
            {"channel": "mail", "failing": False, "oldest_pending_age_s": 120.0, "dead": 0, "buttons": None},
        ]


async def test_it_answers_503_while_every_channel_fails() -> None:
    async with listening() as it:
        it.health.straits = (Strait("ops"),)
        it.health.failing = {"ops": "ops is 20m behind: it answered 503"}
        answer = await it.ask()
        assert (answer.status, it.health.is_failing) == (503, True)
        assert json.loads(answer.body)["reasons"] == [
            "every channel fails, so nobody can be told",
            "ops is 20m behind: it answered 503",
        ]


async def test_head_answers_the_same_without_a_body() -> None:
    async with listening() as it:
        answer = await it.ask(method="HEAD")
    assert (answer.status, answer.body) == (200, "")
