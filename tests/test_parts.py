"""Opening and closing what a service is made of."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guard import logs
from guard.clock import Clock
from guard.errors import AlreadyRunningError, ConfigError, StorageError
from guard.model import Answer, Failure, FailureKind
from guard.notify.notifier import Post, Sent
from guard.parts import open_parts
from guard.rule_watch import ReadSecret
from tests.agentphone.wire import answers, wire
from tests.builders import NOW
from tests.notify.examples import message
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import SlackStandIn
from tests.wiring import API_KEY, config, logged, only, opened

REFUSED = answers(status=401)
GOOD = answers(b'{"numbers": {"remaining": 5}}')


async def test_each_part_stands_under_its_name_in_the_rule_file(tmp_path: Path) -> None:
    async with SlackStandIn() as slack, wire(GOOD) as api:
        setting = config(api=api.url, channels={"ops": slack.url, "mail": slack.url})
        async with opened(setting, tmp_path, clock=HandClock()) as parts:
            assert ([each.name for each in parts.families], list(parts.notifiers)) == (["main"], ["ops", "mail"])
            assert isinstance(await parts.families[0].client.usage(now=NOW), Answer)
            assert api.header("Authorization") == f"Bearer {API_KEY}"
            assert await parts.notifiers["mail"].deliver(Post(message()), key="k") == Sent()
            assert parts.heartbeat is None
            assert parts.outbox.notifiers is parts.notifiers


async def test_a_new_database_is_said_to_be_new_and_a_known_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "guard")
    for _ in range(2):
        async with opened(config(), tmp_path):
            pass
    assert logged(caplog) == [("store.created", {"path": str(tmp_path / "guard.db")})]


async def test_what_is_closed_can_be_opened_again_and_what_is_open_cannot(tmp_path: Path) -> None:
    async with opened(config(), tmp_path):
        with pytest.raises(AlreadyRunningError):
            async with opened(config(), tmp_path):
                pytest.fail("it was opened")
    async with opened(config(), tmp_path):
        pass


async def test_what_was_opened_is_closed_when_a_later_part_cannot_be(tmp_path: Path) -> None:
    good = config()
    bad = replace(good, accounts=(replace(only(good), base_url="ftp://example.com"),))
    with pytest.raises(ConfigError, match="base_url"):
        async with opened(bad, tmp_path):
            pytest.fail("it was opened")
    async with opened(good, tmp_path):
        pass


async def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "guard.db").write_text("this is no database")
    with pytest.raises(StorageError):
        async with opened(config(), tmp_path):
            pytest.fail("it was opened")


async def test_times_in_messages_are_those_of_the_account_and_utc_for_one_that_is_gone(tmp_path: Path) -> None:
    async with opened(config(account='tz = "America/New_York"'), tmp_path) as parts:
        assert parts.outbox.zone_of("main") == ZoneInfo("America/New_York")
        assert parts.outbox.zone_of("gone") == UTC


async def test_a_heartbeat_is_there_where_there_is_a_url(tmp_path: Path) -> None:
    async with wire(answers()) as server, opened(config(), tmp_path, heartbeat_url=f"{server.url}/x") as parts:
        assert parts.heartbeat is not None
        await parts.heartbeat.beat()
        assert len(server.requests) == 1


# --- a key that changes --------------------------------------------------------------------------------------------


async def asked(path: Path, url: str, read_secret: ReadSecret) -> Answer | Failure:
    """What an account gives whose key has been read anew as `read_secret` says."""
    parts = open_parts(config(api=url), database=str(path / "guard.db"), read_secret=read_secret, clock=Clock())
    async with parts as open_:
        return await open_.families[0].client.usage(now=NOW)


async def test_a_key_that_was_exchanged_is_read_anew_where_it_is_refused_and_is_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_secrets", logs._Secrets())
    async with wire(REFUSED, GOOD) as api:
        new = {"API_KEY": "new-key-of-the-tests"}
        assert isinstance(await asked(tmp_path, api.url, new.get), Answer)
        assert api.header("Authorization") == "Bearer new-key-of-the-tests"
    assert logs.redact("the key is new-key-of-the-tests") == "the key is ***"


@pytest.mark.parametrize("value", [None, "", API_KEY], ids=["not set", "empty", "the same"])
async def test_a_key_that_is_no_new_one_is_not_tried_again(tmp_path: Path, value: str | None) -> None:
    async with wire(REFUSED, GOOD) as api:
        seen = await asked(tmp_path, api.url, lambda _: value)
        assert isinstance(seen, Failure)
        assert seen.kind is FailureKind.UNAUTHORIZED
        assert len(api.requests) == 1


async def test_a_key_that_cannot_be_read_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def unreadable(name: str) -> str:
        raise ConfigError(f"{name}_FILE: /run/key: cannot be read: Permission denied")

    async with wire(REFUSED, GOOD) as api:
        assert isinstance(await asked(tmp_path, api.url, unreadable), Failure)
    assert logged(caplog) == [("key.unreadable", {})]
    assert caplog.messages == ["API_KEY_FILE: /run/key: cannot be read: Permission denied"]
