"""Other words for a rule that fires: the Slack bot's message is edited, and nobody is told anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from guard.model import CallKind, DeliveryState
from tests.editing import Desk, Editing, editing
from tests.stand_ins.workspace import Ending, Fault, Workspace
from tests.stand_ins.workspace_state import TOKEN, Posted
from tests.waiting import until
from tests.wiring import NUMBERS, bot, logged

OTHER = NUMBERS.replace("phone numbers left", "numbers are left")
THIRD = NUMBERS.replace("phone numbers left", "of them left")
RENAMED = NUMBERS.replace("[rules.numbers-remaining]", '[rules.few]\nrenamed_from = "numbers-remaining"')
DOWN = Fault(error="ratelimited", headers={"Retry-After": "60"})  # certainly not done
DROPPED = Fault(ending=Ending.DROP, is_kept=True)  # done, and nobody heard


@dataclass
class Firing:
    """A rule file that tells a bot's channel and a webhook, of which a rule is going to fire."""

    desk: Desk
    slack: Workspace

    def text(self, rules: str) -> str:
        ops = f'[channels.hook]\nkind = "slack"\nwebhook_url = "${{URL_0}}"\n{bot(self.slack.api_url)}'
        text = self.desk.text(f'{ops}[defaults]\nnotify = ["ops", "hook"]\n{rules}', names=())
        return text.replace('[defaults]\nnotify = []\nremind = { critical = "4h" }\n', "")

    async def fires(self, it: Editing, left: int = 2) -> None:
        self.desk.shows(left)
        await it.tick()
        await it.pulse()

    @property
    def root(self) -> Posted:
        """The one message that there is, of which there is no reply."""
        (root,) = self.slack.ops.messages
        return root

    @property
    def edits(self) -> int:
        """How often an edit was tried."""
        return self.slack.methods.count("chat.update")


@asynccontextmanager
async def firing(path: Path) -> AsyncIterator[Firing]:
    async with editing(path) as desk:
        with Workspace(now=desk.clock.now) as slack:
            desk.secrets["TOKEN"] = TOKEN
            it = Firing(desk, slack)
            desk.says(it.text(NUMBERS))
            yield it


async def test_other_words_edit_the_message_once_and_tell_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="guard")
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await it.edit(rule.text(OTHER))
        await it.passes(10)
        assert [text.splitlines()[0] for text in rule.root.texts] == [
            "[warning] main / numbers-remaining: 2 phone numbers left",
            "[warning] main / numbers-remaining: 2 numbers are left",
        ]
        assert rule.desk.told == ["warning"]  # a webhook cannot edit
        assert (await rule_deliveries(it))[-1] == (CallKind.EDIT, DeliveryState.SENT)
        sent = [fields["call"] for event, fields in logged(caplog) if event == "delivery.sent"]
        assert sorted(map(str, sent)) == ["edit", "post", "post"]


async def rule_deliveries(it: Editing) -> list[tuple[CallKind, DeliveryState]]:
    found = await it.parts.store.run(lambda unit: unit.deliveries(channel="ops"))
    return [(each.call, each.state) for each in found]


@pytest.mark.parametrize(
    "more",
    [
        'description = "Buy more, {numbers.limit} is the limit."',
        'runbook = "https://example.com/runbook"',
        'labels = { team = "voice" }',
        'unit = "numbers"',
    ],
    ids=lambda more: more.partition(" ")[0],
)
async def test_whatever_its_text_is_made_of_edits_the_message(tmp_path: Path, more: str) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await it.edit(rule.text(NUMBERS + more))
        assert rule.edits == 1
        assert len(rule.root.texts) == 2


async def test_another_name_edits_the_message_once_and_tells_nobody(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await it.edit(rule.text(RENAMED))
        await it.passes(10)
        assert [text.splitlines()[0] for text in rule.root.texts] == [
            "[warning] main / numbers-remaining: 2 phone numbers left",
            "[warning] main / few: 2 phone numbers left",
        ]
        assert rule.desk.told == ["warning"]
        await it.edit(rule.text(RENAMED.replace('renamed_from = "numbers-remaining"\n', "")))
        assert rule.edits == 1  # the key does nothing more


async def test_what_says_nothing_edits_nothing(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await it.edit(rule.text(NUMBERS + 'keep_firing_for = "5m"\n# a comment'))
        await it.edit(rule.text(NUMBERS.replace("{numbers.remaining}", "{ numbers.remaining }")))
        assert len(await it.versions()) == 3
        assert rule.edits == 0


async def test_words_of_a_rule_that_is_at_rest_again_edit_nothing(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await rule.fires(it, left=9)
        assert rule.edits == 1
        await it.edit(rule.text(OTHER))
        assert rule.edits == 1


async def test_two_edits_in_a_row_show_the_last_words(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        rule.slack.fail("chat.update", DOWN)
        await it.edit(rule.text(OTHER))
        await it.edit(rule.text(THIRD))
        await it.passes(90)
        assert len(rule.root.texts) == 2
        assert "2 of them left" in rule.root.text


async def test_words_that_are_back_before_the_edit_was_made_edit_nothing(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        rule.slack.always("chat.update", DOWN)
        await it.edit(rule.text(OTHER))
        await it.edit(rule.text(NUMBERS))
        rule.slack.mend()
        await it.passes(90)
        assert (rule.edits, len(rule.root.texts)) == (1, 1)


async def test_words_that_are_back_after_an_edit_that_nobody_heard_of_are_shown(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        rule.slack.fail("chat.update", *[DROPPED] * 6)  # longer than the edit takes to be taken back
        await it.edit(rule.text(OTHER))
        await it.edit(rule.text(NUMBERS))
        rule.slack.mend()
        await it.passes(90)
        assert "2 phone numbers left" in rule.root.text
        made = rule.edits
        await it.passes(90)
        assert rule.edits == made


async def test_an_edit_that_a_crash_cuts_short_is_made_after_the_start(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule:
        async with rule.desk.serving() as it:
            await rule.fires(it)
            rule.slack.fail("chat.update", Fault(ending=Ending.HANG))
            rule.desk.says(rule.text(OTHER))
            await it.overtakes("ops")
            await until(lambda: rule.edits == 1)
            assert (await rule_deliveries(it))[-1] == (CallKind.EDIT, DeliveryState.SENDING)
        assert len(rule.root.texts) == 1
        async with rule.desk.serving() as it:
            await it.passes(10)
            assert (rule.edits, len(rule.root.texts)) == (2, 2)
            assert "2 numbers are left" in rule.root.text
            assert (await rule_deliveries(it))[-1] == (CallKind.EDIT, DeliveryState.SENT)


async def test_words_that_change_while_the_service_is_down_are_shown_after_the_start(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule:
        async with rule.desk.serving() as it:
            await rule.fires(it)
        rule.desk.says(rule.text(OTHER))
        async with rule.desk.serving() as it:
            await it.pulse()
            assert "2 numbers are left" in rule.root.text
            assert rule.edits == 1


async def test_other_words_and_a_higher_level_are_one_edit_and_one_reply(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        await rule.fires(it)
        await it.edit(rule.text(OTHER.replace("< 2", "<= 2")))
        root, reply = rule.slack.ops.messages
        assert (len(root.texts), reply.mark) == (2, "escalated critical")
        assert "2 numbers are left" in root.text


async def test_words_that_change_before_the_first_message_arrives_are_in_it(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        rule.slack.fail("chat.postMessage", DOWN)
        await rule.fires(it)
        await it.edit(rule.text(OTHER))
        await it.passes(90)
        assert "2 numbers are left" in rule.root.text
        assert rule.edits == 0


async def test_a_first_message_that_is_found_with_the_words_of_before_is_edited(tmp_path: Path) -> None:
    async with firing(tmp_path) as rule, rule.desk.serving() as it:
        rule.slack.fail("chat.postMessage", DROPPED)
        await rule.fires(it)
        await it.edit(rule.text(OTHER))
        await it.passes(10)
        assert (rule.edits, len(rule.root.texts)) == (1, 2)
        assert "2 numbers are left" in rule.root.text
