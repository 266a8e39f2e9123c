"""The rule file as it stands on the disk: read without harm, and judged once it stays the same."""

import os
from pathlib import Path

import pytest

from guard import rule_watch
from guard.config import Config
from guard.errors import ConfigError
from guard.rule_watch import APART_S, LOOK_EVERY_S, Content, Edition, RuleWatch, judged, read
from tests.wiring import API_KEY, NOWHERE, rule_file

SECRETS = {"API_KEY": API_KEY, "URL_0": f"{NOWHERE}/services/T0/B0/x"}
GOOD = rule_file(api=NOWHERE, names=["ops"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    return path


def watch(file: Path) -> RuleWatch:
    return RuleWatch(file, SECRETS.get, read(file, SECRETS.get))


def write(file: Path, text: str) -> None:
    file.write_text(text)


# --- when it is new ------------------------------------------------------------------------------------------------


async def test_what_is_new_must_be_the_same_a_second_later(file: Path) -> None:
    it = watch(file)
    assert await it.look(0.0) is None
    assert not it.is_due(LOOK_EVERY_S - 0.1)
    assert it.is_due(LOOK_EVERY_S)
    write(file, GOOD + "# new")
    assert await it.look(5.0) is None
    it.hurry()  # as often as SIGHUP comes
    assert it.is_due(5.1)
    assert await it.look(5.1) is None
    assert it.is_due(5.0 + APART_S)
    found = await it.look(5.0 + APART_S)
    assert found is not None
    assert found.text.endswith("# new")


async def test_what_changes_again_within_the_second_begins_anew(file: Path) -> None:
    it = watch(file)
    for moment in range(1, 10):
        write(file, f"{GOOD}# {moment}")
        assert await it.look(float(moment)) is None
    assert await it.look(10.0) is not None


async def test_what_is_put_back_within_the_second_is_no_news(file: Path) -> None:
    it = watch(file)
    write(file, "")
    assert await it.look(1.0) is None
    write(file, GOOD)
    assert await it.look(2.0) is None
    write(file, "")
    assert await it.look(2.5) is None  # and does not count from the first time
    assert await it.look(3.5) is not None


async def test_what_is_new_is_given_until_it_is_settled(file: Path) -> None:
    it = watch(file)
    write(file, "")
    await it.look(1.0)
    first, again = await it.look(2.0), await it.look(7.0)
    assert first == again
    assert first is not None
    it.settle(first)
    assert await it.look(12.0) is None


async def test_a_secret_in_a_file_that_changes_is_news_too(file: Path) -> None:
    secrets = dict(SECRETS)
    it = RuleWatch(file, secrets.get, read(file, secrets.get))
    secrets["API_KEY"] = "new"
    assert await it.look(1.0) is None
    found = await it.look(2.0)
    assert found is not None
    assert found.secret("API_KEY") == "new"


# --- what is read, and judged --------------------------------------------------------------------------------------


def test_a_good_file_is_an_edition(file: Path) -> None:
    found = judged(read(file, SECRETS.get), file)
    assert isinstance(found, Edition)
    assert (found.text, found.warnings) == (GOOD, ())


def test_nothing_that_is_read_shows_a_secret(file: Path) -> None:
    assert API_KEY not in repr(read(file, SECRETS.get))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read(path, SECRETS.get) == Content(fault=f"{path} cannot be read: it is a pipe, not a regular file")


def test_a_file_that_may_not_be_read_is_a_fault(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)  # root may read everything
    assert judged(read(file, SECRETS.get), file) == (f"{file} cannot be read: Permission denied",)


def test_a_secret_that_cannot_be_read_is_a_fault_with_its_place(file: Path) -> None:
    def unreadable(name: str) -> str:
        raise ConfigError(f"{name}_FILE: /run/key: cannot be read: Permission denied")

    found = judged(read(file, unreadable), file)
    assert not isinstance(found, Edition)
    assert "/run/key: cannot be read: Permission denied" in found[0]


def test_variables_that_are_not_set_are_named(file: Path) -> None:
    assert judged(read(file, lambda _: None), file) == (f"{file} needs URL_0 and API_KEY; set them in the environment",)


def test_warnings_are_no_faults(file: Path) -> None:
    file.write_text(GOOD.replace("numbers.remaining", "numbers.unheardOf"))
    found = judged(read(file, SECRETS.get), file)
    assert isinstance(found, Edition)
    assert "unheardOf" in found.warnings[0]


def test_a_rule_that_fails_on_made_up_answers_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Config) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rule_watch, "trial", fails)
    assert judged(read(file, SECRETS.get), file) == (
        f"{file} cannot be used: ZeroDivisionError while it was tried out",
    )
