"""Edits of the rule file while the service runs: each takes effect at once and whole, or not at all."""

import asyncio
import codecs
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guard import edit, service
from guard.edit import Edit
from guard.errors import StorageError
from guard.lifecycle.desired import gap
from guard.lifecycle.roster import Roster
from guard.model import Account, EventKind, Level, SubAccount
from guard.parts import Parts
from guard.reload import Reload
from guard.rule_watch import Content, Edition, judged
from tests.editing import INVALID, Desk, Editing, editing
from tests.stand_ins.slack import Answer
from tests.subs import Api, left
from tests.waiting import until
from tests.wiring import API_KEY, FIVE_RULES, NOWHERE, NUMBERS, broken_store, events, logged

HOUR = timedelta(hours=1)
FOUR = NUMBERS.replace("< 3", "< 5")
OTHER = NUMBERS.replace("numbers-remaining", "other")
RENAMED = '[rules.few]\nrenamed_from = "numbers-remaining"'
BROKEN = NUMBERS.replace("numbers.remaining", "numbers.remaning")


# --- what an edit does ---------------------------------------------------------------------------------------------


async def test_a_threshold_that_changes_is_decided_on_at_once_without_asking(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.shows(4)
        async with desk.serving() as it:
            asked = desk.sandbox.requests
            await it.edit(desk.text(FOUR))
            assert desk.told == ["warning"]
            assert desk.sandbox.requests == asked
            assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)
            await it.edit(desk.text())
            assert desk.told == ["warning", "resolved"]
            assert "rule changed" in desk.texts[-1] or desk.told[-1] == "resolved"


async def test_the_last_answer_is_not_decided_on_where_it_is_too_old(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.shows(4)
        async with desk.serving() as it:
            desk.clock.passes(16 * 60)
            await it.edit(desk.text(FOUR))
            assert desk.told == []
            await it.tick()
            await it.pulse()
            assert desk.told == ["warning"]


async def test_how_the_asking_goes_is_not_touched_by_deciding_again(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        before = await it.parts.store.run(lambda unit: unit.account("main"))
        await it.edit(desk.text(FOUR))
        assert await it.parts.store.run(lambda unit: unit.account("main")) == before


async def test_an_account_that_did_not_change_goes_on_as_it_was(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        other = desk.other_account()
        desk.says(desk.text(account=other))
        async with desk.serving() as it:
            main, second = it.parts.families
            kept = (main.master, main.client, await main.master.remember())
            jobs = {job.id: job.next_run_time for job in it.service._scheduler.get_jobs()}
            await it.edit(desk.text(account=other + 'every = "5m"\n'))
            assert it.parts.families == (main, second)
            assert (main.master, main.client, await main.master.remember()) == kept
            after = {job.id: job.next_run_time for job in it.service._scheduler.get_jobs()}
            assert after["cycle:main"] == jobs["cycle:main"]
            assert after["cycle:other"] > jobs["cycle:other"]
            assert await it.changes() == (
                "account other: every 1 min -> 5 min",
                "account other: no_data_after 3 min -> 15 min",
            )


async def test_an_account_that_is_new_is_asked_at_once_and_one_that_is_gone_no_more(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        desk.shows(2)
        await it.tick()
        await it.pulse()
        assert await it.firing() == {"main/numbers-remaining": Level.WARNING}
        await it.edit(desk.text(account=desk.other_account()))
        await until(lambda: it.parts.families[1].master.account.good_at is not None)
        await it.pulse()
        assert await it.firing() == {
            "main/numbers-remaining": Level.WARNING,
            "other/numbers-remaining": Level.WARNING,
        }
        await it.edit(desk.text().replace("[accounts.main]", "[accounts.other]"))
        assert await it.firing() == {"other/numbers-remaining": Level.WARNING}
        assert [family.name for family in it.parts.families] == ["other"]
        assert "cycle:main" not in {job.id for job in it.service._scheduler.get_jobs()}
        assert desk.told == ["warning", "warning", "resolved"]
        assert await it.changes() == ("account main removed",)


async def test_what_an_account_answers_that_is_gone_meanwhile_is_forgotten(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.says(desk.text(account=desk.other_account()))
        async with desk.serving() as it:
            other = it.parts.families[1]
            desk.says(desk.text())
            await it.look()
            await it.service._polling._cycle(other.master, other)
            await it.service._polling._list(other)
            assert (await it.parts.store.run(lambda unit: unit.accounts())).keys() == {"main"}


async def test_edits_of_the_interval_in_a_row_do_not_put_a_cycle_off(tmp_path: Path) -> None:
    def due(it: Editing) -> datetime:
        at: datetime = it.service._scheduler.get_job("cycle:main").next_run_time
        return at

    async with editing(tmp_path) as desk, desk.serving() as it:
        last = due(it) - timedelta(minutes=1)
        for every in ("2m", "3m", "2m", "5m"):
            await it.edit(desk.text(account=f'every = "{every}"'))
        assert due(it) == last + timedelta(minutes=5)


async def test_the_pass_of_an_account_that_is_gone_holds_nothing_back(tmp_path: Path) -> None:
    async with editing(tmp_path, rules=FIVE_RULES) as desk:
        desk.says(desk.text(FIVE_RULES, account=desk.other_account()))
        async with desk.serving() as it:
            desk.shows(1)
            begun = it.parts.families[1]
            begun._under_way.add("other:hangs")
            desk.clock.passes(60)
            await it.service._polling._cycle(begun.master, begun)
            await it.pulse()
            assert desk.told == ["critical"] * 3  # two wait for the end of the pass
            await it.edit(desk.text(FIVE_RULES))
            assert it.parts.outbox.storm._raised == {}
            waiting = await it.parts.store.run(lambda unit: unit.waiting("ops"))
            assert [each for each in waiting if gap(each.desired, each.notified)] == []


async def test_commits_that_failed_for_an_account_that_is_gone_do_not_count_for_ever(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.says(desk.text(account=desk.other_account()))
        async with desk.serving() as it:
            with broken_store(tmp_path):
                for _ in range(3):
                    await it.tick()
            health = [it.service._health.store_failing]
            await it.edit(desk.text())
            await it.tick()
            assert [*health, it.service._health.store_failing] == [True, False]
            assert desk.texts[-1].startswith("[resolved]")


async def test_a_rule_that_is_removed_while_it_fires_ends_with_that_reason(tmp_path: Path) -> None:
    async with editing(tmp_path, rules=NUMBERS + OTHER) as desk:
        desk.shows(1)
        async with desk.serving() as it:
            await it.edit(desk.text(OTHER))
            last = [event for event in await events(it.parts.store) if event.kind is EventKind.RESOLVED]
            assert [(event.key.rule, event.text) for event in last] == [("numbers-remaining", "rule removed")]
            assert desk.told == ["critical", "critical", "resolved"]
            assert await it.changes() == ("rule numbers-remaining removed",)


async def test_who_is_newly_routed_is_told_how_it_stands_once(tmp_path: Path) -> None:
    async with editing(tmp_path, names=("ops", "mail")) as desk:
        desk.says(desk.text().replace("['ops', 'mail']", "['ops']"))
        desk.shows(1)
        async with desk.serving() as it:
            assert desk.told == ["critical"]
            await it.edit(desk.text())
            await it.tick()
            await it.look()
            assert desk.told == ["critical", "critical"]
            waiting = await it.parts.store.run(lambda unit: unit.notifications("main"))
            assert sorted(each.channel for each in waiting) == ["mail", "ops"]


async def test_a_channel_that_is_gone_is_dropped_and_a_new_one_is_used(tmp_path: Path) -> None:
    async with editing(tmp_path, names=("ops", "mail")) as desk:
        desk.shows(1)
        async with desk.serving() as it:
            old = it.parts.notifiers["mail"]
            await it.edit(desk.text(names=["ops", "new"]))
            assert list(it.parts.notifiers) == list(it.parts.outbox.notifiers) == ["ops", "new"]
            assert (await it.changes())[-2:] == ("channel new added", "channel mail removed")
            assert desk.told == ["critical"] * 3
            assert old in it.parts.opened
            await it.passes(61)
            assert old not in it.parts.opened
            it.service._store_failing._firing.add("mail")
            await it.service._store_failing.worked("main")


async def test_a_channel_that_is_mended_has_its_dead_messages_sent(tmp_path: Path) -> None:
    async with editing(tmp_path, Answer(status=404, body="no_service")) as desk:
        desk.shows(1)
        async with desk.serving() as it:
            assert desk.told == []
            desk.secrets["URL_0"] = desk.slack.url + "x"
            await it.look()
            assert desk.told == ["critical"]
            assert await it.changes() == ("channel ops changed",)
            assert not any(desk.slack.url in line for line in await it.changes())


async def test_an_edit_waits_for_what_is_being_sent_on_a_channel_that_it_changes(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with editing(tmp_path, Answer(hold=hold)) as desk, desk.serving() as it:
        desk.shows(1)
        it.held = 1
        await it.tick()
        await desk.slack.arrived.wait()
        desk.says(desk.text(names=["new"]))
        await it.overtakes("ops")
        assert list(it.parts.notifiers) == ["ops"]
        it.held = 2
        await it.tick()  # nobody else waits
        hold.set()
        it.held = 0
        await it.rest()
        assert list(it.parts.notifiers) == ["new"]
        await it.pulse()
        assert desk.told == ["critical", "critical"]


async def test_a_key_that_is_exchanged_in_its_file_is_used_from_then_on(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        client = it.parts.families[0].client
        desk.secrets["API_KEY"] = "another-key-of-the-tests"
        await it.look()
        assert it.parts.families[0].client is not client
        assert it.parts.families[0].master.client is it.parts.families[0].client
        assert await it.changes() == ("account main: api_key has another value",)
        await it.tick()
        assert it.parts.families[0].master.account.failure is not None  # which the sandbox does not know


@pytest.mark.parametrize("mend", ["address", "key"])
async def test_who_was_to_be_left_alone_on_another_way_is_asked_at_once(tmp_path: Path, mend: str) -> None:
    async with editing(tmp_path) as desk:
        good = desk.text(account='every = "30m"')
        if mend == "key":
            desk.secrets["API_KEY"] = "another-key-of-the-tests"
        desk.says(good if mend == "key" else good.replace(desk.sandbox.base_url, NOWHERE))
        async with desk.serving() as it:
            account = it.parts.families[0].master.account
            assert account.failure is not None
            await it.parts.store.run(lambda unit: unit.save_account(replace(account, ask_at=desk.clock.now() + HOUR)))
            it.parts.families[0].master._memory = None
            await it.parts.families[0].master.remember()
            await it.passes(60)
            assert it.parts.families[0].master.account.good_at is None
            desk.secrets["API_KEY"] = API_KEY
            desk.says(good)
            await it.look()
            after = it.parts.families[0].master.account
            assert (after.failure, after.ask_at) == (None, None)


async def test_a_sub_account_that_was_to_be_left_alone_on_another_way_is_asked_when_its_turn_comes(
    tmp_path: Path,
) -> None:
    async with editing(tmp_path) as desk:
        subs = 'sub_accounts = ["acme", "beta"]'
        desk.says(desk.text(account=subs))
        async with desk.serving() as it:
            later = desk.clock.now() + HOUR
            await it.parts.store.run(lambda unit: unit.save_account(Account("main:acme", ask_at=later)))
            await it.edit(desk.text(account=subs).replace("127.0.0.1", "localhost"))
            accounts = await it.parts.store.run(lambda unit: unit.accounts())
            assert accounts["main:acme"].ask_at is None


async def test_what_another_key_was_told_is_not_decided_on(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        api, told = Api(desk.clock), asyncio.Event()

        def played(parts: Parts) -> Parts:
            return replace(parts, families=tuple(replace(family, client=api) for family in parts.families))

        async with desk.serving(change=played) as it:
            api.holds[""], api.says[""] = told, left(1)
            it.held = 1
            await it.tick()
            await until(lambda: api.held == 1)
            desk.secrets["API_KEY"] = "another-key-of-the-tests"
            desk.says(desk.text(NUMBERS.replace("< 3", "< 9")))  # which the last answer would fire
            await it.look()
            assert it.parts.families[0].client is not api
            told.set()
            it.held = 0
            await it.look()
            assert await it.firing() == {"main/guard.no_data": Level.CRITICAL}  # the sandbox knows only the one before


async def test_a_rule_that_looks_back_finds_the_answers_of_before(tmp_path: Path) -> None:
    grown = '[rules.grown]\nvalue = "increase(stats.totalWebhookDeliveries, 1m)"\nwarning = "> 10"\n'
    async with editing(tmp_path) as desk, desk.serving() as it:
        for total in (100, 200, 300):
            desk.sandbox.set({"stats.totalWebhookDeliveries": total})
            desk.clock.passes(60)
            await it.tick()
        await it.edit(desk.text(grown))
        assert await it.firing() == {"main/grown": Level.WARNING}


async def test_an_alert_whose_rule_has_another_name_now_goes_on(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        desk.shows(1)
        async with desk.serving() as it:
            await it.edit(desk.text(NUMBERS.replace("[rules.numbers-remaining]", RENAMED)))
            assert await it.firing() == {"main/few": Level.CRITICAL}
            assert desk.told == ["critical"]
            assert await it.changes() == ("rule numbers-remaining renamed to few",)


async def test_what_is_being_sent_of_a_rule_that_gets_another_name_is_not_sent_again(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with editing(tmp_path, Answer(hold=hold)) as desk, desk.serving() as it:
        desk.shows(1)
        it.held = 1
        await it.tick()
        await desk.slack.arrived.wait()
        desk.says(desk.text(NUMBERS.replace("[rules.numbers-remaining]", RENAMED)))
        await it.overtakes("ops")
        hold.set()
        it.held = 0
        await it.look()
        await it.tick()
        await it.look()
        assert await it.firing() == {"main/few": Level.CRITICAL}
        assert desk.told == ["critical"]


async def test_what_is_being_sent_of_an_account_that_goes_is_told_as_ended(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with editing(tmp_path, Answer(hold=hold)) as desk, desk.serving() as it:
        desk.shows(1)
        it.held = 1
        await it.tick()
        await desk.slack.arrived.wait()
        desk.shows(5)
        desk.says(desk.text().replace("[accounts.main]", "[accounts.other]"))
        await it.overtakes("ops")
        assert [family.name for family in it.parts.families] == ["other"]
        hold.set()
        it.held = 0
        await it.look()
        assert desk.told == ["critical", "resolved"]
        assert await it.firing() == {}


async def test_at_a_start_a_version_is_stored_only_where_it_is_another_one(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        async with desk.serving() as it:
            assert await it.changes() == ("the first version",)
        async with desk.serving() as it:
            assert len(await it.versions()) == 1
        desk.says(desk.text(FOUR))
        async with desk.serving() as it:
            assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)


# --- sub-accounts --------------------------------------------------------------------------------------------------


def names(it: Editing) -> list[str]:
    return [cycles.config.name for family in it.parts.families for cycles in family.subs]


async def test_sub_accounts_come_and_go_with_the_list_of_the_file(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk, desk.serving() as it:
        await it.edit(desk.text(account='sub_accounts = ["acme", "birch"]'))
        assert names(it) == ["main:acme", "main:birch"]
        await it.passes(60)
        assert (await it.parts.store.run(lambda unit: unit.accounts())).keys() == {"main", "main:acme", "main:birch"}
        acme = it.parts.families[0].subs[0]
        await it.edit(desk.text(FOUR, account='sub_accounts = ["acme", "cedar"]'))
        assert names(it) == ["main:acme", "main:cedar"]
        assert it.parts.families[0].subs[0] is acme
        assert acme.config.rules == it.parts.config.accounts[0].rules
        assert "main:birch" not in await it.parts.store.run(lambda unit: unit.accounts())
        assert (await it.changes())[-1] == "rule numbers-remaining: warning < 3 -> < 5"
        await it.edit(desk.text())
        assert names(it) == []
        await it.tick()
        assert (await it.parts.store.run(lambda unit: unit.accounts())).keys() == {"main"}


async def test_all_sub_accounts_are_listed_soon_after_the_file_says_so(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk, desk.serving() as it:
        await it.edit(desk.text(account='sub_accounts = "all"'))
        await it.tick()
        assert "main:acme" in names(it)


async def test_a_listing_that_an_edit_overtakes_changes_nothing(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk:
        desk.says(desk.text(account='sub_accounts = "all"'))
        async with desk.serving() as it:
            (family,) = it.parts.families
            before = names(it)
            desk.clock.passes(301)
            listing = asyncio.ensure_future(family.update())
            await asyncio.wait({listing}, timeout=0)  # it has begun
            family.config = replace(family.config, tz=UTC, budgets={"x": 1.0})
            await listing
            assert names(it) == before


async def test_a_roster_that_an_edit_overtakes_is_asked_for_anew(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk:
        desk.says(desk.text(account='sub_accounts = "all"'))
        async with desk.serving() as it:
            (family,) = it.parts.families
            desk.clock.passes(301)
            async with family.master.writing():
                listing = asyncio.ensure_future(family.update())
                await until(lambda: bool(family.master._writing._waiters))
                family.config = replace(family.config, budgets={"x": 1.0})
            await listing
            assert family.is_listing_due()


async def test_who_a_listing_brings_while_an_edit_waits_for_it_is_watched_under_the_edit(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk:
        desk.says(desk.text(account='sub_accounts = "all"'))
        async with desk.serving() as it:
            (family,) = it.parts.families
            wanted = judged(
                Content(desk.text(FOUR, account='sub_accounts = "all"').encode(), "", desk.secrets), desk.file
            )
            assert isinstance(wanted, Edition)
            async with AsyncExitStack() as quiet:
                async with family.master.writing():
                    waiting = asyncio.ensure_future(quiet.enter_async_context(Edit(it.parts, wanted).quiet()))
                    await until(lambda: bool(family.master._writing._waiters))
                    family._admit([*family._members, SubAccount("main", "new")])  # as the listing's commit does
                await waiting
                assert all(cycles._writing.locked() for cycles in family.subs)


async def test_a_roster_that_an_edit_overtakes_is_not_written(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk:
        desk.says(desk.text(account='sub_accounts = "all"'))
        async with desk.serving() as it:
            (family,) = it.parts.families
            roster, members = Roster(family._members[1:], family._members[:1]), list(family._members)
            async with family.master.writing():
                writing = asyncio.ensure_future(family._apply(roster, now=desk.clock.now()))
                await until(lambda: bool(family.master._writing._waiters))
                family.adopt(replace(family.config, budgets={"x": 1.0}), family.client, members)
            await writing
            assert await it.parts.store.run(lambda unit: unit.sub_accounts("main")) == members
            assert sorted(family._members, key=lambda each: each.id) == sorted(members, key=lambda each: each.id)


async def test_a_roster_that_an_edit_overtakes_and_that_cannot_be_written_takes_nobody_back(tmp_path: Path) -> None:
    async with editing(tmp_path, scenario="agency") as desk:
        desk.says(desk.text(account='sub_accounts = "all"'))
        async with desk.serving() as it:
            (family,) = it.parts.families
            roster, members = Roster(family._members[1:], family._members[:1]), list(family._members)
            async with family.master.writing():
                writing = asyncio.ensure_future(family._apply(roster, now=desk.clock.now()))
                await until(lambda: bool(family.master._writing._waiters))
                family.adopt(replace(family.config, budgets={"x": 1.0}), family.client, members[2:])
            with broken_store(tmp_path), pytest.raises(StorageError):
                await writing
            assert list(family._members) == members[2:]


# --- what cannot be used -------------------------------------------------------------------------------------------


def spoilt(text: str) -> dict[str, bytes]:
    """What a file holds that cannot be used, by what is wrong with it."""
    texts = {
        "empty": "",
        "half": text[: len(text) // 2],
        "too long": text + "# and so on\n" * (2 << 20),
        "unknown field": text.replace("numbers.remaining", "numbers.remaning"),
        "no accounts": text[text.index("[channels") :],
        "missing variable": text.replace("${API_KEY}", "${NOWHERE}"),
    }
    return {"no text": b"\xff\xfe\xff", **{how: each.encode() for how, each in texts.items()}}


def spoil(desk: Desk, how: str) -> None:
    file = desk.file
    if how in (contents := spoilt(desk.text())):
        file.write_bytes(contents[how])
        return
    file.unlink()
    match how:
        case "directory":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "loop":
            file.symlink_to(file)
        case _:
            assert how == "deleted"


HOW = ["deleted", "empty", "half", "directory", "no text", "unknown field", "no accounts", "missing variable", "loop"]
HOW += ["pipe", "too long"]


@pytest.mark.parametrize("how", HOW)
async def test_what_cannot_be_used_changes_nothing_and_is_told_once_until_it_is_mended(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        config, families = it.parts.config, it.parts.families
        spoil(desk, how)
        await it.look()
        await it.look()
        assert (it.parts.config, it.parts.families) == (config, families)
        assert desk.told == ["warning"]
        assert "cannot be used as it is; the last good one stays in force" in desk.texts[0]
        assert await it.firing() == {str(INVALID): Level.WARNING}
        assert [name for name, _ in logged(caplog)].count("rules.invalid") == 1
        condition = it.service._health.condition(desk.clock.monotonic_s())
        assert condition.is_ok
        assert condition.notes[0].startswith("the rule file cannot be used: ")
        desk.shows(1)
        await it.tick()
        await it.pulse()
        assert desk.told == ["warning", "critical"]  # the good one goes on
        if desk.file.is_dir():
            desk.file.rmdir()
        await it.edit(desk.text())
        assert desk.told == ["warning", "critical", "resolved"]
        assert it.service._health.condition(desk.clock.monotonic_s()).notes == ()
        assert len(await it.versions()) == 1
        assert it.parts.config == config


async def test_an_edit_that_fails_for_a_defect_of_ours_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async with editing(tmp_path) as desk, desk.serving() as it:
        config, opened = it.parts.config, list(it.parts.opened)
        monkeypatch.setattr(edit, "readdress", fails)
        await it.edit(desk.text(names=["ops", "new"], account=desk.other_account()))
        await it.look()
        assert (it.parts.config, it.parts.opened) == (config, opened)
        assert desk.told == ["warning"]
        assert [name for name, _ in logged(caplog)].count("rules.unplanned") == 1
        assert len(await it.versions()) == 1
        monkeypatch.undo()
        await it.edit(desk.text(FOUR))
        assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)
        assert desk.told == ["warning", "resolved"]


async def test_a_start_with_a_good_file_ends_what_was_told_of_a_bad_one(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        async with desk.serving() as it:
            await it.edit(desk.text(BROKEN))
            assert desk.told == ["warning"]
        desk.says(desk.text(OTHER))
        async with desk.serving() as it:
            await it.pulse()
            assert desk.told == ["warning", "resolved"]
            assert await it.changes() == ("rule other added", "rule numbers-remaining removed")


async def test_a_file_that_is_broken_and_mended_time_and_again_is_told_as_stable_after_half_an_hour(
    tmp_path: Path,
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        for _ in range(5):
            await it.edit(desk.text(BROKEN))
            await it.edit(desk.text())
        flapping = ["warning", "resolved"] * 3 + ["flapping"]
        assert desk.told == flapping
        for _ in range(25):  # a look takes seven seconds
            desk.clock.passes(60)
            await it.look()
        assert desk.told == flapping
        desk.clock.passes(150)
        await it.look()
        assert desk.told == [*flapping, "resolved"]


async def test_another_mistake_is_in_the_log_and_not_told_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        await it.edit(desk.text(BROKEN))
        await it.edit(desk.text() + "[[[")
        assert desk.told == ["warning"]
        assert [name for name, _ in logged(caplog)].count("rules.invalid") == 2


async def test_an_account_that_cannot_be_opened_is_told_as_a_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        monkeypatch.setenv("ALL_PROXY", "socks9://nowhere")
        away = desk.other_account().replace(desk.sandbox.base_url, "https://agentphone.invalid")
        await it.edit(desk.text(account=away))
        assert await it.firing() == {str(INVALID): Level.WARNING}
        assert "proxy cannot be used" in it.reload.faults[0]
        assert [family.name for family in it.parts.families] == ["main"]


# --- how it is written ---------------------------------------------------------------------------------------------


async def test_a_file_behind_symbolic_links_that_are_swapped_is_followed(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        for version, text in (("v1", desk.text()), ("v2", desk.text(FOUR))):
            (tmp_path / version).mkdir()
            (tmp_path / version / "rules.toml").write_text(text)
        data = tmp_path / "..data"
        data.symlink_to("v1")
        desk.file.unlink()
        desk.file.symlink_to("..data/rules.toml")
        desk.shows(4)
        async with desk.serving() as it:
            new = tmp_path / "..data_tmp"
            new.symlink_to("v2")
            new.rename(data)
            await it.look()
            assert desk.told == ["warning"]


async def test_a_file_that_is_written_in_two_halves_takes_effect_once_it_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        text = desk.text(FOUR)
        with desk.file.open("w") as file:
            file.write(text[:200])
            file.flush()
            it.service.look_at_rules()
            await it.pulse()
            file.write(text[200:])
        await it.look()
        assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)
        assert "rules.invalid" not in [name for name, _ in logged(caplog)]


@pytest.mark.parametrize(
    "raw", [lambda text: codecs.BOM_UTF8 + text, lambda text: text.replace(b"\n", b"\r\n")], ids=["mark", "line ends"]
)
async def test_a_file_as_editors_of_windows_write_it_takes_effect(
    tmp_path: Path, raw: Callable[[bytes], bytes]
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        desk.file.write_bytes(raw(desk.text(FOUR).encode()))
        await it.look()
        assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)
        desk.file.write_bytes(raw(desk.text(FOUR).encode()) + b"\xff")
        await it.look()
        assert desk.told == ["warning"]
        desk.file.write_bytes(raw(desk.text(FOUR).encode()))
        await it.look()
        assert desk.told == ["warning", "resolved"]
        assert len(await it.versions()) == 2


async def test_edit_after_edit_leaves_nothing_open(tmp_path: Path) -> None:
    def standing(it: Editing) -> list[int]:
        jobs, descriptors = it.service._scheduler.get_jobs(), list(Path("/proc/self/fd").iterdir())
        watches = it.service._jobs._watches
        return [len(each) for each in (jobs, descriptors, asyncio.all_tasks(), it.parts.opened, watches)]

    async with editing(tmp_path) as desk, desk.serving() as it:
        states = [
            desk.text(FOUR, names=["ops"]),
            desk.text(BROKEN),
            desk.text(names=["new"], account='every = "5m"\n' + desk.other_account()),
        ]
        found = []
        for number in range(12):
            await it.edit(states[number % 3] + f"# {number}")
            if number % 3 == 2:
                await it.passes(61)
                found.append(standing(it))
        assert found[-1] == found[0]


async def test_a_storm_of_writes_takes_effect_when_it_is_over(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        for number in range(20):
            desk.says(desk.text(NUMBERS.replace("< 3", f"< {number + 3}")))
            await it.passes(1)
        assert len(await it.versions()) == 1
        await it.look()
        assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 22",)
        assert len(await it.versions()) == 2


async def test_a_file_that_is_away_for_a_moment_is_no_news(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        text = desk.file.read_text()
        desk.file.unlink()
        it.service.look_at_rules()
        await it.pulse()
        desk.file.write_text(text)
        await it.look()
        assert desk.told == []


async def test_an_edit_that_cannot_be_written_down_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        config = it.parts.config
        with broken_store(tmp_path):
            await it.edit(desk.text(FOUR))
            assert it.parts.config is config
            assert "rules.storage" in [name for name, _ in logged(caplog)]
        await it.look()
        assert await it.changes() == ("rule numbers-remaining: warning < 3 -> < 5",)


async def test_a_bad_edit_that_cannot_be_written_down_is_told_when_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        with broken_store(tmp_path):
            await it.edit(desk.text(BROKEN))
        assert desk.told == []
        await it.look()
        assert desk.told == ["warning"]
        assert [name for name, _ in logged(caplog)].count("rules.invalid") == 1


async def test_warnings_of_an_edit_are_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        await it.edit(desk.text(NUMBERS.replace('"numbers.remaining"', '"numbers.ported"')))
        assert "rules.warning" in [name for name, _ in logged(caplog)]


async def test_what_is_read_for_rules_that_an_edit_has_replaced_is_read_anew(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        (family,) = it.parts.families
        cycles, config = family.master, replace(family.config, budgets={"calls": 1.0})
        cycles.adopt(family.config, family.client)
        reading = asyncio.ensure_future(cycles.remember())
        await asyncio.wait({reading}, timeout=0)  # it has begun
        cycles.adopt(config, family.client)
        assert await reading is await cycles.remember()
        assert cycles.config is config


async def test_a_disk_that_hangs_with_the_rule_file_on_it_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_: Reload) -> None:
        await asyncio.Event().wait()

    async with editing(tmp_path) as desk, desk.serving() as it:
        monkeypatch.setattr(Reload, "look", hangs)
        it.held = 1
        for _ in range(2 * service.GIVE_UP_AFTER):
            await it.passes(5)
            it.service._watch()
        assert not it.ended.done()
        desk.shows(1)
        await it.tick()
        await it.pulse()
        await until(lambda: desk.told == ["critical"])


async def test_an_edit_of_nothing_that_matters_is_a_version_without_changes(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk, desk.serving() as it:
        await it.edit("# for the numbers\n" + desk.text())
        assert [version.changes for version in await it.versions()] == [(), ("the first version",)]
        assert it.parts.config.accounts[0] == it.parts.families[0].config
