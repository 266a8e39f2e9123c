"""What an edit of a rule does to its alert, told in stories: what the API shows minute by minute, and edits between.

A story's events stand in the order of the clock.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from guard.cycle import retire_gone
from guard.model import NO_DATA, Event, EventKind
from guard.sandbox.scenario import Fault
from guard.sandbox.server import Sandbox
from tests.builders import MINUTE, NOW
from tests.stand_ins.clock import HandClock
from tests.test_cycle import Asking
from tests.wiring import API_KEY, config, only, opened

VALUE = 'value = "numbers.remaining"\n'
BOTH = 'warning = "< 3"\ncritical = "< 2"\n'


def rule(lines: str, *, name: str = "it") -> str:
    return f"[rules.{name}]\n{VALUE}{lines}\n"


IT = rule(BOTH)
FOR_5 = rule(BOTH + 'for = "5m"')
KEEP_5 = rule(BOTH + 'keep_firing_for = "5m"')


@dataclass(frozen=True)
class Minutes:
    """So many minutes in which the API shows so many numbers left; None fails."""

    left: int | None
    count: int = 1


@dataclass(frozen=True)
class Edit:
    """Another rule file, while the service runs or from one start to the next."""

    rules: str
    restart: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Back:
    """The wall clock is set, by so many minutes."""

    minutes: float


Step = Minutes | Edit | Back


@dataclass
class Life:
    """A service whose rule file is edited, and all that happens."""

    path: Path
    sandbox: Sandbox
    clock: HandClock

    async def lives(self, rules: str, steps: Sequence[Step]) -> list[Event]:
        stack = AsyncExitStack()
        it = await self._started(stack, rules)
        for step in steps:
            match step:
                case Minutes(left, count):
                    for _ in range(count):
                        await self._minute(it, left)
                case Back(minutes):
                    self.clock.move(minutes=minutes)
                case Edit(rules=new, restart=True):
                    await stack.aclose()
                    stack = AsyncExitStack()
                    it = await self._started(stack, new)
                case Edit(rules=new):
                    await self._edited(it, new)
        stored = await it.stored()
        await stack.aclose()
        return stored.events[::-1]

    async def _started(self, stack: AsyncExitStack, rules: str) -> Asking:
        wanted = config(rules=rules, api=self.sandbox.base_url)
        return Asking(await stack.enter_async_context(opened(wanted, self.path, clock=self.clock)), self.clock)

    async def _minute(self, it: Asking, left: int | None) -> None:
        self.sandbox.clear()
        if left is None:
            self.sandbox.fault(Fault(status=503))
        else:
            self.sandbox.set({"numbers.remaining": left})
        await it.cycle()
        self.clock.move(minutes=1)

    async def _edited(self, it: Asking, rules: str) -> None:
        """What an edit does to one account."""
        (family,) = it.parts.families
        account = only(config(rules=rules, api=self.sandbox.base_url))
        async with family.master.writing():
            await it.parts.store.run(lambda unit: retire_gone(unit, {"main": account}, now=self.clock.now()))
            family.master.adopt(account, family.client)
        await family.master.reconsider()


FLAGS = {EventKind.UNKNOWN, EventKind.KNOWN}


def written(events: Sequence[Event]) -> str:
    return ", ".join(
        " ".join(
            filter(
                None,
                (
                    f"{(event.at - NOW) / MINUTE:g}",
                    event.key.rule if event.key.rule != "it" else "",
                    event.kind.removeprefix("alert."),
                    event.text
                    if event.kind in {EventKind.RESOLVED, EventKind.CALMED}
                    else event.level.word
                    if event.level
                    else "",
                ),
            )
        )
        for event in events
        if event.key.rule != NO_DATA and event.kind not in FLAGS
    )


STORIES: dict[str, tuple[str, Sequence[Step], str]] = {
    # --- thresholds
    "a stricter threshold fires at once": (
        rule('warning = "< 3"'),
        [Minutes(4), Edit(rule('warning = "< 5"'))],
        "1 fired warning",
    ),
    "a laxer threshold ends what fires, as the rule changed": (
        IT,
        [Minutes(2), Edit(rule('warning = "< 2"\ncritical = "< 1"'))],
        "0 fired warning, 1 resolved rule changed",
    ),
    "that waits for no keep_firing_for": (
        KEEP_5,
        [Minutes(2), Edit(rule('warning = "< 2"\nkeep_firing_for = "5m"'))],
        "0 fired warning, 1 resolved rule changed",
    ),
    "what holds under both goes on": (
        IT,
        [Minutes(2), Edit(rule('warning = "< 4"\ncritical = "< 2"')), Minutes(2), Minutes(5)],
        "0 fired warning, 2 resolved recovered",
    ),
    "a threshold that makes it worse escalates": (
        IT,
        [Minutes(2), Edit(rule('warning = "< 5"\ncritical = "< 3"'))],
        "0 fired warning, 1 escalated critical",
    ),
    "a threshold that makes it milder lowers": (
        IT,
        [Minutes(1), Edit(rule('warning = "< 3"\ncritical = "< 1"')), Minutes(5)],
        "0 fired critical, 1 lowered warning, 1 resolved recovered",
    ),
    "a higher level under a new threshold waits for its for": (
        FOR_5,
        [Minutes(2, 6), Edit(rule('warning = "< 5"\ncritical = "< 3"\nfor = "5m"')), Minutes(2, 7)],
        "0 pending, 5 fired warning, 11 escalated critical",
    ),
    "the level that fires is removed, and the other goes on": (
        IT,
        [Minutes(1), Edit(rule('warning = "< 3"')), Minutes(5)],
        "0 fired critical, 1 lowered warning, 1 resolved recovered",
    ),
    "the only level that holds is removed": (
        IT,
        [Minutes(2), Edit(rule('critical = "< 2"'))],
        "0 fired warning, 1 resolved rule changed",
    ),
    "a level is added and holds": (
        rule('warning = "< 3"'),
        [Minutes(1), Edit(IT)],
        "0 fired warning, 1 escalated critical",
    ),
    "a new threshold counts from the edit on": (
        FOR_5,
        [Minutes(2, 4), Edit(rule('warning = "< 4"\nfor = "5m"')), Minutes(2, 7)],
        "0 pending, 9 fired warning",
    ),
    "a pending whose threshold no longer holds": (
        FOR_5,
        [Minutes(2, 3), Edit(rule('warning = "< 2"\nfor = "5m"'))],
        "0 pending, 3 calmed",
    ),
    "the same from one start to the next": (
        IT,
        [Minutes(2), Edit(rule('warning = "< 2"'), restart=True), Minutes(2)],
        "0 fired warning, 1 resolved rule changed",
    ),
    # --- times
    "a shorter for is enough at once": (
        FOR_5,
        [Minutes(2, 4), Edit(rule(BOTH + 'for = "3m"'))],
        "0 pending, 4 fired warning",
    ),
    "a longer for goes on counting": (
        FOR_5,
        [Minutes(2, 3), Edit(rule(BOTH + 'for = "8m"')), Minutes(2, 7)],
        "0 pending, 8 fired warning",
    ),
    "a longer for leaves alone what fires": (
        FOR_5,
        [Minutes(1, 6), Edit(rule(BOTH + 'for = "60m"')), Minutes(1, 3), Minutes(5)],
        "0 pending, 5 fired critical, 9 resolved recovered",
    ),
    "a shorter keep_firing_for is over sooner": (
        KEEP_5,
        [Minutes(2), Minutes(5, 3), Edit(rule(BOTH + 'keep_firing_for = "2m"'))],
        "0 fired warning, 1 recovering warning, 4 resolved recovered",
    ),
    "a longer keep_firing_for goes on counting": (
        KEEP_5,
        [Minutes(2), Minutes(5, 3), Edit(rule(BOTH + 'keep_firing_for = "8m"')), Minutes(5, 6)],
        "0 fired warning, 1 recovering warning, 9 resolved recovered",
    ),
    # --- words only
    "another summary is no event": (
        IT,
        [Minutes(2), Edit(rule(BOTH + 'summary = "few"')), Minutes(2)],
        "0 fired warning",
    ),
    "another way to write it is no event": (
        IT,
        [Minutes(2), Edit(rule('warning = "<  (3)"\ncritical = "<2"')), Minutes(2)],
        "0 fired warning",
    ),
    "pending goes on under another summary": (
        FOR_5,
        [Minutes(2, 3), Edit(rule(BOTH + 'for = "5m"\nsummary = "few"')), Minutes(2, 4)],
        "0 pending, 5 fired warning",
    ),
    # --- names
    "what fires goes on under its new name": (
        IT,
        [Minutes(2), Edit(rule(BOTH + 'renamed_from = "it"', name="new")), Minutes(1), Minutes(5)],
        "0 fired warning, 1 new escalated critical, 2 new resolved recovered",
    ),
    "pending goes on under its new name": (
        FOR_5,
        [Minutes(2, 3), Edit(rule(BOTH + 'for = "5m"\nrenamed_from = "it"', name="new")), Minutes(2, 4)],
        "0 pending, 5 new fired warning",
    ),
    "recovery goes on under its new name": (
        KEEP_5,
        [
            Minutes(2),
            Minutes(5, 3),
            Edit(rule(BOTH + 'keep_firing_for = "5m"\nrenamed_from = "it"', name="new"), restart=True),
            Minutes(5, 4),
        ],
        "0 fired warning, 1 recovering warning, 6 new resolved recovered",
    ),
    "without its old name it is another rule": (
        IT,
        [Minutes(2), Edit(rule(BOTH, name="new"))],
        "0 fired warning, 1 resolved rule removed, 1 new fired warning",
    ),
    "there and back": (
        IT,
        [
            Minutes(2),
            Edit(rule(BOTH + 'renamed_from = "it"', name="new")),
            Minutes(2),
            Edit(rule(BOTH + 'renamed_from = "new"')),
            Minutes(5),
        ],
        "0 fired warning, 2 resolved recovered",
    ),
    # --- off
    "a rule that is disabled ends": (
        IT,
        [Minutes(2), Edit(rule(BOTH + "enabled = false"))],
        "0 fired warning, 1 resolved rule disabled",
    ),
    "and begins anew when it is enabled again": (
        IT,
        [Minutes(2), Edit(rule(BOTH + "enabled = false")), Minutes(2), Edit(IT)],
        "0 fired warning, 1 resolved rule disabled, 2 fired warning",
    ),
    "a rule that is removed ends": (
        IT,
        [Minutes(2), Edit(rule('info = "< 0"', name="other"))],
        "0 fired warning, 1 resolved rule removed",
    ),
    "a pending rule that is removed is told to nobody": (
        FOR_5,
        [Minutes(2), Edit(rule('info = "< 0"', name="other"))],
        "0 pending, 1 calmed rule removed",
    ),
    "a recovering rule that is disabled ends": (
        KEEP_5,
        [Minutes(2), Minutes(5), Edit(rule(BOTH + "enabled = false"))],
        "0 fired warning, 1 recovering warning, 2 resolved rule disabled",
    ),
    "a when that is added and false ends it": (
        IT,
        [Minutes(2), Edit(rule(BOTH + 'when = "numbers.remaining > 50"'))],
        "0 fired warning, 1 resolved no longer applies",
    ),
    # --- restarts and the clock
    "a short restart counts in full": (
        FOR_5,
        [Minutes(2, 3), Back(2), Edit(FOR_5, restart=True), Minutes(2, 3)],
        "0 pending, 5 fired warning",
    ),
    "a long restart does not count": (
        FOR_5,
        [Minutes(2, 3), Back(3), Edit(FOR_5, restart=True), Minutes(2, 7)],
        "0 pending, 9 fired warning",
    ),
    "a restart amid firing says nothing": (IT, [Minutes(2), Edit(IT, restart=True), Minutes(2, 3)], "0 fired warning"),
    "a restart amid recovery": (
        KEEP_5,
        [Minutes(2), Minutes(5, 2), Edit(KEEP_5, restart=True), Minutes(5, 5)],
        "0 fired warning, 1 recovering warning, 6 resolved recovered",
    ),
    "a clock that goes back neither counts nor loses": (
        FOR_5,
        [Minutes(2, 3), Back(-60), Minutes(2, 5)],
        "-54 fired warning, 0 pending",
    ),
    "a clock that goes back resolves nothing too early": (
        KEEP_5,
        [Minutes(2), Minutes(5, 3), Back(-60), Minutes(5, 5)],
        "-53 resolved recovered, 0 fired warning, 1 recovering warning",
    ),
    "a clock that goes forward far does not count": (
        FOR_5,
        [Minutes(2, 3), Back(60), Minutes(2, 5)],
        "0 pending, 66 fired warning",
    ),
    "an edit while the API fails is decided on with the last answer": (
        IT,
        [Minutes(4), Minutes(None, 2), Edit(rule('warning = "< 5"'))],
        "3 fired warning",
    ),
}


@pytest.mark.parametrize("name", STORIES)
async def test_an_edit_gives_these_events_and_no_others(tmp_path: Path, name: str) -> None:
    rules, steps, events = STORIES[name]
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        assert written(await Life(tmp_path, sandbox, clock).lives(rules, steps)) == events
